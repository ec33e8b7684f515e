"""The status of all subnets together, and the exit code of a drill."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from probe.fleet import Expectation, SubnetRun, as_expected, overall
from probe.model import Status
from tests.report import fleets, made

PASS, DEGRADED, FAIL, UNKNOWN = Status.PASS, Status.DEGRADED, Status.FAIL, Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("statuses", "strict", "expected"),
    [
        ([PASS, PASS], False, (PASS, 0)),
        ([PASS, DEGRADED], False, (DEGRADED, 0)),
        ([PASS, DEGRADED], True, (DEGRADED, 1)),
        ([DEGRADED, UNKNOWN], False, (UNKNOWN, 3)),
        ([UNKNOWN, FAIL, PASS], False, (FAIL, 1)),
        ([], False, (UNKNOWN, 3)),
    ],
)
def test_the_worst_status_decides_and_inconclusive_does_not_pass(
    statuses: list[Status], strict: bool, expected: tuple[Status, int]
) -> None:
    assert overall(statuses, strict=strict) == expected


def runs(*statuses: Status) -> list[SubnetRun]:
    verdicts = {PASS: made.verdict(), FAIL: made.broken(), DEGRADED: fleets.degraded(), UNKNOWN: None}
    return [fleets.run(number, verdicts[status]) for number, status in enumerate(statuses)]


SILENT = Expectation(code="tcp.silent")
FIRST = Expectation(code="tcp.silent", subnets=("subnet-00000000000000000",))


@pytest.mark.parametrize(
    ("statuses", "expected", "strict", "code"),
    [
        ([FAIL, FAIL], [SILENT], False, 0),
        ([FAIL, PASS], [SILENT], False, 1),
        ([FAIL, UNKNOWN], [SILENT], False, 3),
        ([PASS, UNKNOWN], [SILENT], False, 1),
        ([FAIL], [Expectation(code="dns.public-answer")], False, 1),
        ([FAIL], [Expectation(code="logs.group-missing")], False, 1),  # a warning, not the error
        ([FAIL, PASS], [FIRST], False, 0),
        ([FAIL, DEGRADED], [FIRST], False, 0),
        ([FAIL, DEGRADED], [FIRST], True, 1),
        ([FAIL, FAIL], [FIRST], False, 1),
        ([FAIL, FAIL], [FIRST, Expectation(code="dns.public-answer")], False, 1),
        ([], [SILENT], False, 3),
    ],
)
def test_the_exit_code_of_a_drill(
    statuses: list[Status], expected: Sequence[Expectation], strict: bool, code: int
) -> None:
    assert as_expected(runs(*statuses), expected, strict=strict) == code
