"""The pages of docs/findings/ are generated from the faults: one for each code, up to date, no placeholder left."""

from __future__ import annotations

import re
from functools import cache

import pytest

from probe.faults import FAULTS
from probe.faults.causes import CAUSES
from probe.report.finding_page import causes_of, finding_page
from tools import runbook

CODES = [fault.code for fault in FAULTS]


@cache
def written() -> dict[str, str]:
    return runbook.write()


def test_the_committed_pages_are_what_make_findings_writes() -> None:
    committed = {path.name: path.read_text() for path in runbook.FOLDER.iterdir()}
    assert set(committed) == set(written()) == {"README.md", *(f"{code}.md" for code in CODES)}
    assert [name for name, text in written().items() if committed[name] != text] == [], "run make findings"


def test_links_lead_to_pages() -> None:
    for name, text in written().items():
        assert set(re.findall(r"\]\(([^)]+)\)", text)) <= set(written()), name


@pytest.mark.parametrize("code", sorted({*CODES, *CAUSES}))
def test_a_page_has_no_unfilled_placeholder(code: str) -> None:
    prose = re.sub(r"```.*?```", "", finding_page(code), flags=re.S)
    assert not re.search(r"\{\w*\}|None|\(\)|\w  +\w", prose)


def test_the_page_of_a_finding_has_each_of_its_causes() -> None:
    for code in CODES:
        headings = re.findall(r"^### (.*)$", finding_page(code), re.M)
        listed = [cause for heading in headings for cause in heading.split(", ")]
        assert sorted(listed) == sorted(cause.code for cause in causes_of(code)), code


@pytest.mark.parametrize("code", sorted(set(CAUSES) - set(CODES)))
def test_the_page_of_a_cause_lists_the_findings_that_name_it(code: str) -> None:
    listed = re.findall(r"^- `(.*?)`:", finding_page(code), re.M)
    assert listed == [finding for finding in CODES if code in {cause.code for cause in causes_of(finding)}]
    assert listed


def test_an_unknown_code_has_no_page() -> None:
    with pytest.raises(KeyError):
        finding_page("no.such-code")
