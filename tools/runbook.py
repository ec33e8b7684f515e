"""Write docs/findings/: a page for each finding code, for the engineer who is paged.

python -m tools.runbook

A page is what `probe.report.finding_page` makes of the faults and causes, followed by an example of the cases in
`tests/faults` and by the simulator's scenarios that rehearse the finding.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from probe.faults import FAULTS, diagnose
from probe.model import JudgedFinding, Severity
from probe.report.finding_page import finding_page, meanings, title_of
from probe.sim.scenarios import SCENARIOS
from probe.verdict import judge
from tests.faults.expected import EXPECTED
from tools import reference

FOLDER = Path(__file__).parents[1] / "docs" / "findings"
_WIDTH = 100
_REHEARSALS = 6


def main() -> None:
    pages = write()
    FOLDER.mkdir(exist_ok=True)
    for stale in set(FOLDER.glob("*.md")) - {FOLDER / name for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        (FOLDER / name).write_text(text)
    reference.main()  # the other generated pages, so that one command renews all of them


def write() -> dict[str, str]:
    """Every page by its file name."""
    codes = sorted(fault.code for fault in FAULTS)
    return {"README.md": _index(codes), **{f"{code}.md": _page(code) for code in codes}}


@cache
def examples() -> Mapping[str, JudgedFinding]:
    """The gravest finding of each code in the cases, with the most endpoints."""
    findings: dict[str, list[JudgedFinding]] = {}
    for case in EXPECTED:
        measurement, policy = case.run.measure(), case.run.policy
        for finding in judge(diagnose(measurement, policy), measurement, policy, version="").findings:
            findings.setdefault(finding.code, []).append(finding)
    return {code: max(of_code, key=_weight) for code, of_code in findings.items()}


def _weight(finding: JudgedFinding) -> tuple[bool, int]:
    return finding.severity is Severity.ERROR, len(finding.endpoints)


def _page(code: str) -> str:
    return finding_page(code) + "\n".join(
        [
            *_example(code),
            *_rehearsals(code),
            "\n---\n",
            _wrapped(
                "The finding in the task's log, in `/verdict` and on the sidecar's page names the services, the "
                "addresses and the remaining causes. Replace words in capitals. [All findings](README.md)"
            ),
            "",
        ]
    )


def _example(code: str) -> Iterator[str]:
    finding = examples()[code]
    yield "\n## Example\n"
    yield "```text"
    yield _wrapped(f"{finding.severity}[{code}]: {finding.title}", hang=4)
    if finding.values["saw"]:
        yield _wrapped(f"  saw: {finding.values['saw']}", hang=7)
    yield "```"


def _rehearsals(code: str) -> Iterator[str]:
    matching = (scenario for scenario in SCENARIOS if code in scenario.expected_findings)
    scenarios = sorted(matching, key=lambda scenario: len(scenario.expected_findings))
    if not scenarios:
        return
    yield "\n## Rehearse it\n"
    yield "In the simulated VPC, without AWS:\n"
    for scenario in scenarios[:_REHEARSALS]:
        yield _wrapped(f"- `ecr-probe demo {scenario.name}`: {_escaped(scenario.description)}", hang=2)
    if len(scenarios) > _REHEARSALS:
        yield f"\n`ecr-probe demo --list {code}` lists {len(scenarios) - _REHEARSALS} more."


def _index(codes: Iterable[str]) -> str:
    lines = [
        "# Findings",
        "",
        "One page for each code that `findings[].code`, the label `code` of `ecr_probe_finding` and an alert's",
        "`runbook_url` can contain. `ecr-probe explain CODE` prints the same page, offline. `make findings` generates",
        "the pages from the faults: change the fault, not the page.",
        "",
        "| code | title | severity |",
        "|---|---|---|",
    ]
    for code in codes:
        severities = ", ".join(
            severity for severity in Severity if any(f"**{severity}**" in meaning for meaning in meanings(code))
        )
        lines.append(f"| [{code}]({code}.md) | {_escaped(title_of(code))} | {severities} |")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Plain words as Markdown."""
    return text.replace("*", r"\*").replace("<", r"\<")


def _wrapped(text: str, hang: int = 0) -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
