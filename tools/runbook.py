"""Writes docs/findings/: a page for each finding code, from the faults themselves, for whoever is paged.

python -m tools.runbook

The texts are those of `probe/faults`. Which causes a rule may name, and how heavy a finding is, is read off the cases
of `tests/faults`, which hold every fault and cause there is; where to rehearse it, off the simulator's scenarios.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from probe.faults import FAULTS, TEXT_ONLY, WORDINGS, diagnose
from probe.faults.causes import CAUSES, OTHER
from probe.faults.fault import Fault
from probe.model import Advice, Impact, JudgedFinding, Severity, Standing
from probe.report import Page
from probe.report.layout import command
from probe.sim.scenarios import SCENARIOS
from probe.verdict import judge
from tests.faults.all_cases import CASES

FOLDER = Path(__file__).parents[1] / "docs" / "findings"
_WIDTH = 120
_SCREEN = Page(width=110)
_REHEARSALS = 6
# Commands within a sentence, and flags with a value that is a word of ours.
_CODE = re.compile(
    r"((?<![\w-])(?:aws [a-z0-9]+ [a-z-]+(?: --[a-z-]+(?: [A-Z_]+| [a-z]+-[a-z]+-\d)?)*"
    r"|(?:aws )?--[a-z][a-z-]+(?: none\b| all\b| [A-Z_]{2,}\b)?))"
)

# What stands in a fault's texts for what only a run can know.
WORDS = {
    "account": "*number*",
    "action": "*an action*",
    "do": "does",
    "resolve": "resolves",
    "addresses": "*addresses*",
    "bucket": "prod-*region*-starport-layer-bucket",
    "chosen": "*another one*",
    "clients": "The finding says which clients could use them.",
    "container": "*name*",
    "control": "*host*",
    "count": "*some*",
    "deadline": "*30*",
    "detail": "*reason*",
    "direction": "behind or ahead of",
    "documents": "task or instance",
    "endpoints": "*a service*",
    "family": "*IPv6*",
    "group": "*name*",
    "host": "*host*",
    "hosts": "*host*",
    "how": "*does not answer, or refuses*",
    "image": "*image*",
    "issuer": "*issuer*",
    "launch": "*this launch type*",
    "layer_region": "*region*",
    "log_region": "*region*",
    "lookups": "*names*",
    "names": "*other hosts*",
    "not_after": "*a date*",
    "not_before": "*a date*",
    "offered": "*platforms*",
    "offset": "*minutes*",
    "option": "*value*",
    "others": "*address*",
    "partition": "*partition*",
    "platform": "*platform*",
    "provider": "*provider*",
    "ranges": "*ranges*",
    "reason": "The finding says which kind of policy AWS named, if it named one.",
    "received": "*bytes*",
    "region": "*region*",
    "repository": "*name*",
    "role": "*role*",
    "servers": "*address*",
    "size": "*size*",
    "source": "*source*",
    "stream": "*name*",
    "task_region": "*another region*",
    "times": "*both*",
    "uncovered": "*hosts*",
    "variables": "*a proxy variable*",
    "version": "*tag or digest*",
    "what": "*a step*",
    "who": "*a role*",
    "words": "*words*",
}
# The same, where one code has more to say.
WORDS_OF: Mapping[str, Mapping[str, str]] = {
    "iam.denied": {
        "role": "ECS pulls with the execution role, which may be allowed what this one is not; "
        "`--pull-role` says which it is."
    },
    "layers.bad-digest": {"what": "*the manifest or layers*"},
    "policy.vpce.ecr": {"endpoints": "*ecr.api or ecr.dkr*"},
    "probe.deadline": {"count": "*some steps*"},
    "registry.image-not-in-ecr": {"kind": "No VPC endpoint of ECR has a part in pulling it."},
    "unexplained": {"action": "*step*", "endpoints": "*a service's*"},
}
# What stands in a cause's texts. Capital words are for the reader to fill in, as in the texts themselves.
_TO_FILL_IN = {
    "account": "ACCOUNT",
    "actions": "ACTIONS",
    "bucket": "prod-IMAGE_REGION-starport-layer-bucket",
    "by_address": "Name=addresses.private-ip-address,Values=ADDRESS",
    "by_own_address": "Name=addresses.private-ip-address,Values=TASK_ADDRESS",
    "caller_account": "ACCOUNT",
    "cidr": "SUBNET_CIDR",
    "cluster": "CLUSTER",
    "deadline": "DEADLINE",
    "digest": "DIGEST",
    "endpoint": "ENDPOINT",
    "group": "LOG_GROUP",
    "host": "HOST",
    "host_address": "ADDRESS",
    "hosts": "the hosts",
    "image": "IMAGE",
    "issuer": "ISSUER",
    "log_region": "LOG_REGION",
    "mistaken": "such as ecr.api in place of api.ecr",
    "no_proxy": "HOSTS",
    "own_subnet": "the task's subnet",
    "partition": "aws",
    "platform": "PLATFORM",
    "region": "IMAGE_REGION",
    "registry": "REGISTRY",
    "repository": "REPOSITORY",
    "role_arn": "ROLE_ARN",
    "role_name": "ROLE_NAME",
    "s3_service": "com.amazonaws.REGION.s3",
    "server": "RESOLVER",
    "servers": "RESOLVER",
    "service": "SERVICE",
    "services": "SERVICE",
    "subnet": "the task's subnet",
    "suffix": "amazonaws.com",
    "tag": "TAG",
    "task": "TASK_ID",
    "task_region": "REGION",
    "theirs": ", and those of the endpoint's subnets",
    "zone": "ZONE_NAME",
}
_MEANING = {
    (Severity.ERROR, Impact.PULL): "ECS cannot pull the image",
    (Severity.WARNING, Impact.PULL): "the pull works in part, or not every time",
    (Severity.ERROR, Impact.START): "tasks do not start; their pull is another matter",
    (Severity.ERROR, Impact.ROUTE): "it works, but past the VPC endpoint, and ends with the way out of the VPC",
    (Severity.WARNING, Impact.ROUTE): "traffic takes, or may take, another way than the VPC endpoint",
    (Severity.ERROR, Impact.LOGS): "containers that log there do not start",
    (Severity.WARNING, Impact.LOGS): "containers that log there may not start",
    (Severity.ERROR, Impact.AGENT): "the ECS agent of this instance cannot do its work",
    (Severity.WARNING, Impact.AGENT): "the ECS agent may be cut off; its own network path was not measured",
    (Severity.ERROR, Impact.PROOF): "nothing is known to be broken, but the pull is not proven",
    (Severity.WARNING, Impact.PROOF): "the pull is proven in part only",
}
_ACCEPTED = "it is accepted (`--allow-public`), or nothing of the task needs it"
_WORTH_KNOWING = "nothing is lost; it is worth knowing"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A finding of a case, and the variant of the fault in whose words it is told."""

    fault: Fault
    finding: JudgedFinding


def main() -> None:
    pages = write()
    FOLDER.mkdir(exist_ok=True)
    for stale in set(FOLDER.glob("*.md")) - {FOLDER / name for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        (FOLDER / name).write_text(text)


def write() -> dict[str, str]:
    """Every page by its file name."""
    codes = [fault.code for fault in FAULTS]
    return {"README.md": _index(sorted(codes)), **{f"{code}.md": "\n".join(_page(code)) + "\n" for code in codes}}


# ---- what there is to tell ------------------------------------------------------------------------------------------


def variants(code: str) -> tuple[Fault, ...]:
    """The wordings of a code, the usual one first."""
    return WORDINGS[code]


@cache
def occurrences() -> Mapping[str, tuple[Occurrence, ...]]:
    found: dict[str, tuple[Occurrence, ...]] = {}
    for case in CASES:
        measurement, policy = case.world.measure(), case.world.policy
        for finding in judge(diagnose(measurement, policy), measurement, policy, version="").findings:
            told = next(fault for fault in variants(finding.code) if _tells(fault, finding))
            found[finding.code] = (*found.get(finding.code, ()), Occurrence(told, finding))
    return found


def _tells(fault: Fault, finding: JudgedFinding) -> bool:
    # Behind the reason a finding may say that the VPC's ranges are presumed.
    return bool(_filled(fault.title).fullmatch(finding.title) and _filled(fault.why).match(finding.why))


@cache
def _filled(template: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.split(r"\{\w+\}", template))), re.S)


@dataclass(frozen=True, slots=True)
class Remedy:
    """Causes that are mended and settled by the same words: [(code, title) …]."""

    causes: tuple[tuple[str, str], ...]
    fix: Advice
    confirm: Advice


def remedies(code: str) -> list[Remedy]:
    """For every cause that a finding of this code may name; the usual ones first, likeliest before less likely."""
    places: dict[tuple[Advice, Advice], list[int]] = {}
    names: dict[tuple[Advice, Advice], dict[tuple[str, str], None]] = {}
    told = [[(cause.code, fault) for cause in fault.causes] for fault in variants(code)]
    for seen in occurrences()[code]:
        left = [cause.code for cause in seen.finding.causes if cause.standing is not Standing.RULED_OUT]
        told.append([(cause, seen.fault) for cause in left])
    for row in told:
        for place, (cause, fault) in enumerate(row):
            text = next((own for own in fault.causes if own.code == cause), CAUSES[cause])
            key = (text.fix, text.confirm)
            places.setdefault(key, []).append(place)
            names.setdefault(key, {})[cause, text.title.format_map(_TO_FILL_IN)] = None
    usual = sum(map(bool, told)) / 2

    nameless = (OTHER.fix, OTHER.confirm)

    def rank(key: tuple[Advice, Advice]) -> tuple[bool, bool, float]:
        return key == nameless, len(places[key]) < usual, sum(places[key]) / len(places[key])

    return [Remedy(tuple(names[key]), *key) for key in sorted(places, key=rank)]


# ---- a page ---------------------------------------------------------------------------------------------------------


def _page(code: str) -> Iterator[str]:
    yield f"# {code}\n"
    for severity, meaning in _weights(code):
        yield f"- **{severity}**: {meaning}"
    if code in TEXT_ONLY:
        yield "\nOnly an error's words tell this: `ecr-probe explain` finds it, a check does not."
    for fault in variants(code):
        yield from _told(fault)
    yield from _causes(remedies(code))
    yield from _rehearsals(code)
    yield "\n---\n"
    yield _wrapped(
        "The finding has its own words in the task's log, in `/verdict` and on the probe's page: which service, which "
        "addresses, which causes are left. Words in capitals are yours to fill in. "
        "[All findings](README.md)"
    )


def _weights(code: str) -> Iterator[tuple[Severity, str]]:
    """How heavy it can be, and what that means."""
    seen = {(one.finding.severity, one.finding.impact) for one in occurrences()[code]}
    beside = _ACCEPTED if code == "dns.public-answer" else _WORTH_KNOWING
    told = {(severity, _MEANING.get((severity, impact), beside)) for severity, impact in seen}
    words = [*_MEANING.values(), _ACCEPTED, _WORTH_KNOWING]
    yield from sorted(told, key=lambda one: (list(Severity).index(one[0]), words.index(one[1])))


def _told(fault: Fault) -> Iterator[str]:
    yield f"\n## {_upper(_prose(fault, fault.title))}"
    yield f"\n{_wrapped(_prose(fault, fault.why))}"
    examples = [seen.finding for seen in occurrences()[fault.code] if seen.fault == fault]
    if examples:
        example = max(examples, key=lambda one: (one.severity is Severity.ERROR, len(one.endpoints)))
        yield "\n```text"
        yield _wrapped(f"{example.severity}[{fault.code}]: {example.title}", hang=4)
        if example.values["saw"]:
            yield _wrapped(f"  saw: {example.values['saw']}", hang=7)
        yield "```"


def _causes(listed: list[Remedy]) -> Iterator[str]:
    if not listed:
        return
    yield "\n## What can cause it"
    if len(listed) > 1:
        yield "\nThe usual ones first. The finding itself says which of them are confirmed or ruled out.\n"
        for number, remedy in enumerate(listed, start=1):
            name, title = remedy.causes[0]
            like_it = f", or {len(remedy.causes) - 1} like it" if remedy.causes[1:] else ""
            yield f"{number}. [{_upper(_marked(title))}](#{name}){like_it}"
    for remedy in listed:
        (name, title), *others = remedy.causes
        anchors = "".join(f'<a id="{code}"></a>' for code, _ in remedy.causes)
        yield f"\n### {anchors}{_upper(_marked(title))}"
        also = "".join(f"; or {_marked(other)} (`{code}`)" for code, other in others)
        yield f"\n{_wrapped(f'`{name}`{also}')}"
        yield from _advice("Fix", remedy.fix)
        yield from _advice("Confirm with", remedy.confirm)


def _advice(label: str, template: Advice) -> Iterator[str]:
    """The text, the commands as one block that pastes as it is, and the note."""
    text = template.text.format_map(_TO_FILL_IN)
    yield f"\n{_wrapped(f'**{label}:** {_marked(text)}'.rstrip())}"
    if template.commands:
        yield from ("\n```sh", *_block(template.commands), "```")
    if template.note is not None:
        yield f"\n{_wrapped(_marked(template.note.format_map(_TO_FILL_IN)))}"


def _block(commands: Iterable[str]) -> Iterator[str]:
    """Commands as lines, broken before options where they are long."""
    for text in commands:
        for line in command(text.format_map(_TO_FILL_IN), indent=0, page=_SCREEN):
            yield "".join(part for _, part in line).rstrip()


def _rehearsals(code: str) -> Iterator[str]:
    shown = sorted(
        (one for one in SCENARIOS if code in one.expected_findings), key=lambda one: len(one.expected_findings)
    )
    if not shown:
        return
    yield "\n## Rehearse it\n"
    yield "In the simulated VPC, without AWS:\n"
    for scenario in shown[:_REHEARSALS]:
        yield _wrapped(f"- `ecr-probe demo {scenario.name}`: {_marked(scenario.description)}", hang=2)
    if len(shown) > _REHEARSALS:
        yield f"\n`ecr-probe demo --list` tells of {len(shown) - _REHEARSALS} more."


def _index(codes: Iterable[str]) -> str:
    lines = [
        "# Findings",
        "",
        "One page for each code that `findings[].code`, the label `code` of `ecr_probe_finding` and an alert's",
        "`runbook_url` can name. They are made from the faults themselves by `make findings`: change the fault, not the"
        " page.",
        "",
        "| code | what it says | severity |",
        "|---|---|---|",
    ]
    for code in codes:
        main = variants(code)[0]
        severities = ", ".join(dict.fromkeys(severity for severity, _ in _weights(code)))
        lines.append(f"| [{code}]({code}.md) | {_prose(main, main.title)} | {severities} |")
    return "\n".join(lines) + "\n"


# ---- words ----------------------------------------------------------------------------------------------------------


def _prose(fault: Fault, template: str) -> str:
    return _marked(template).format_map({**WORDS, **WORDS_OF.get(fault.code, {})})


def _marked(text: str) -> str:
    """Plain words as Markdown: commands and flags look like what they are, and nothing else is emphasis or a tag."""
    parts = _CODE.split(text)
    plain = [re.sub(r"[*<]", r"\\\g<0>", part) for part in parts[::2]]
    return "".join(
        part for pair in zip(plain, [*(f"`{code}`" for code in parts[1::2]), ""], strict=True) for part in pair
    )


def _upper(text: str) -> str:
    """As the beginning of a sentence, unless it begins with a name."""
    return re.sub(
        r"^\*?[a-z]+(?=[ ,:'*])", lambda word: re.sub("[a-z]", lambda one: one[0].upper(), word[0], count=1), text
    )


def _wrapped(text: str, hang: int = 0) -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
