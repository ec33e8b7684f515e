"""The pages of docs/findings/ are what the faults make of them: one for each code, with every cause, none stale."""

from __future__ import annotations

import re
from functools import cache

from probe.faults import FAULTS
from probe.model import Standing
from tools import runbook

CODES = [fault.code for fault in FAULTS]


@cache
def written() -> dict[str, str]:
    return runbook.write()


def test_the_committed_pages_are_what_make_findings_writes() -> None:
    committed = {path.name: path.read_text() for path in runbook.FOLDER.iterdir()}
    assert set(committed) == set(written()) == {"README.md", *(f"{code}.md" for code in CODES)}
    assert [name for name, text in written().items() if committed[name] != text] == [], "run make findings"


def test_a_page_has_every_cause_that_a_finding_can_name() -> None:
    """A cause that every finding rules out needs no remedy."""
    for code in CODES:
        named = {cause.code for fault in runbook.variants(code) for cause in fault.causes}
        found = [cause for seen in runbook.occurrences()[code] for cause in seen.finding.causes]
        named |= {cause.code for cause in found if cause.standing is not Standing.RULED_OUT}
        assert {cause for cause in named if f"`{cause}`" not in written()[f"{code}.md"]} == set(), code


def test_a_page_has_no_holes_and_its_links_lead_somewhere() -> None:
    for name, text in written().items():
        plain = re.sub(r"```.*?```", "", text, flags=re.S)
        assert not re.search(r"\{\w*\}", plain), name
        assert "None" not in text, name
        anchors = re.findall(r'<a id="([^"]+)">', text)
        assert len(set(anchors)) == len(anchors), name
        targets = {*written(), *(f"#{anchor}" for anchor in anchors)}
        assert set(re.findall(r"\]\(([^)]+)\)", plain)) <= targets, name


def test_each_way_to_tell_a_fault_is_on_its_page() -> None:
    for code in CODES:
        titles = re.findall(r"^## (.*)$", written()[f"{code}.md"], re.M)
        told = [title for title in titles if title not in ("What can cause it", "Rehearse it")]
        assert len(told) == len(runbook.variants(code)), code
