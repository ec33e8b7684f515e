"""Every branch of the rules: a world, the exact findings, their likeliest causes, status and pull."""

from __future__ import annotations

import pytest

from tests.faults.all_cases import CASES
from tests.faults.case import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_world_is_judged_as_told(case: Case) -> None:
    assert list(case.differences()) == []


def test_names_of_cases_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
