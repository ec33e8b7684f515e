"""Every identifier that a fix leaves open has its read: in every case, and in every scenario (see tests/scenarios)."""

from __future__ import annotations

import pytest

from probe.model import DenialReason
from probe.report import FORMATS, Page
from probe.verdict import judge
from tests.explain.sample import Sample
from tests.explain.samples import SAMPLES
from tests.faults.expectation import Expected
from tests.faults.expected import EXPECTED
from tests.faults.expected_answers import denied, run_with
from tests.laws.lookups import reads_that_are_not_printed, words_without_read


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case.name)
def test_every_identifier_of_a_fix_has_its_read(case: Expected) -> None:
    causes = [cause for finding in case.run.findings() for cause in finding.causes]
    assert list(words_without_read(causes)) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_reads_of_a_printed_fix_are_printed(sample: Sample) -> None:
    assert list(reads_that_are_not_printed(sample.run.verdict())) == []


@pytest.mark.parametrize(
    ("reason", "word", "read"),
    [
        (DenialReason.BOUNDARY, "BOUNDARY_ARN", "PermissionsBoundaryArn"),
        (DenialReason.ENDPOINT, "VPCE_ID", "VpcEndpointId"),
    ],
)
def test_a_confirmed_policy_is_read_without_verbose(reason: DenialReason, word: str, read: str) -> None:
    run = run_with(token=denied(reason))
    verdict = judge(run.findings(), run.measure(), run.policy, version="0")
    report = FORMATS["text"].render(verdict, Page())
    assert word in report
    assert read in report
    assert "look up:" in report
