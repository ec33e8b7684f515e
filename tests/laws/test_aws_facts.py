"""docs/aws-facts.md and the code agree: each fact is used, each use has its fact, each fact a source and a month."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tools.facts import TABLE, Fact, facts, uses

FACTS = facts(TABLE.read_text())


def test_every_row_of_the_table_is_read() -> None:
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) == len(FACTS) > 20


def test_the_facts_are_sorted_and_each_has_one_id() -> None:
    ids = [fact.id for fact in FACTS]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_a_fact_has_a_source_and_the_month_of_its_verification(fact: Fact) -> None:
    assert len(fact.source) > 8
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])|no", fact.verified)


def test_every_fact_is_used_and_every_use_has_its_fact() -> None:
    used = dict(uses())
    assert {id_: place for id_, place in used.items() if id_ not in {fact.id for fact in FACTS}} == {}
    assert {fact.id for fact in FACTS} - set(used) == set()


def test_the_list_begins_with_what_is_unverified_or_oldest() -> None:
    command = [sys.executable, "-m", "tools.facts", "3"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    months = [line[:8].strip() for line in lines if line[:1].strip()][:3]
    expected = sorted((fact.verified for fact in FACTS), key=lambda month: (month != "no", month))[:3]
    assert months == expected
