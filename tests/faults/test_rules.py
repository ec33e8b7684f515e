"""Every branch of the rules: the exact findings of a run, their likeliest causes, status and pull."""

from __future__ import annotations

import pytest

from tests.faults.expectation import Expected
from tests.faults.expected import EXPECTED


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.name)
def test_the_verdict_is_as_expected(expected: Expected) -> None:
    assert list(expected.differences()) == []


def test_names_are_unique() -> None:
    assert len({expected.name for expected in EXPECTED}) == len(EXPECTED)
