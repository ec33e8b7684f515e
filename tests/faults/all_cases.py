"""All cases, for the tests that go through every one of them."""

from __future__ import annotations

from tests.explain.sample import UNDESCRIBED
from tests.explain.samples import SAMPLES
from tests.faults import cases_answers, cases_image, cases_names, cases_network, cases_resolvers, cases_task

CASES = (
    *cases_names.CASES,
    *cases_resolvers.CASES,
    *cases_network.CASES,
    *cases_answers.CASES,
    *cases_image.CASES,
    *cases_task.CASES,
    *(sample.case for sample in SAMPLES),
    *UNDESCRIBED,
)
