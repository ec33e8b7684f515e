"""The expected verdicts of all runs and texts."""

from __future__ import annotations

from tests.explain.sample import UNDESCRIBED
from tests.explain.samples import SAMPLES
from tests.faults import (
    expected_answers,
    expected_configuration,
    expected_image,
    expected_names,
    expected_network,
    expected_resolvers,
    expected_task,
)

EXPECTED = (
    *expected_names.EXPECTED,
    *expected_resolvers.EXPECTED,
    *expected_network.EXPECTED,
    *expected_answers.EXPECTED,
    *expected_image.EXPECTED,
    *expected_task.EXPECTED,
    *expected_configuration.EXPECTED,
    *(sample.expected for sample in SAMPLES),
    *UNDESCRIBED,
)
