"""No placeholder comes out empty: in no explained sample, and in no scenario (called by tests/scenarios)."""

from __future__ import annotations

import pytest

from probe.model import Verdict
from probe.records import replace
from tests.explain.sample import Sample
from tests.explain.samples import SAMPLES
from tests.laws.placeholders import signs_of_empty_placeholders
from tests.report import made


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_no_placeholder_of_an_explained_sample_is_empty(sample: Sample) -> None:
    assert signs_of_empty_placeholders(sample.run.verdict()) == []


@pytest.mark.parametrize(
    "title",
    [
        "the resolver in use () is not the VPC's own",
        "the resolver in use (the resolver) is not the VPC's own",
        "NXDOMAIN from )",
        "No query to  was answered",
        " returned no address",
        "the image is None",
        "reached by , from here",
        "addresses 10.0.0.1, , 10.0.0.2",
        "it answered “”",
        "{endpoints} fail",
    ],
)
def test_a_title_with_an_empty_placeholder_is_noticed(title: str) -> None:
    assert signs_of_empty_placeholders(with_title(title)) != []


@pytest.mark.parametrize("title", ["fe80::1 (of the task) and f(x) answer: 3, 4", "nonetheless (the resolver) answers"])
def test_a_complete_title_is_not(title: str) -> None:
    assert signs_of_empty_placeholders(with_title(title)) == []


def with_title(title: str) -> Verdict:
    verdict = made.broken()
    return replace(verdict, findings=tuple(replace(finding, title=title) for finding in verdict.findings))
