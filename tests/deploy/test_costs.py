"""What the plan says about costs."""

from __future__ import annotations

import pytest

from probe.deploy import costs


@pytest.mark.parametrize(
    ("expression", "number"),
    [("rate(15 minutes)", 2920), ("rate(1 minute)", 43_800), ("rate(12 hours)", 60.8), ("rate(2 days)", 15.2)],
)
def test_runs_of_a_schedule(expression: str, number: float) -> None:
    assert costs.runs_of_schedule(expression) == pytest.approx(number, rel=0.01)


def test_cron_is_not_estimated() -> None:
    assert costs.runs_of_schedule("cron(0 8 * * ? *)") is None


def test_sums_by_hand() -> None:
    """0.25 vCPU and 0.5 GB for an hour: 0.25 x 0.04048 + 0.5 x 0.004445 = 0.0123; ARM 0.0099."""
    assert costs.task_hour("linux/amd64") == pytest.approx(0.01234, rel=0.001)
    assert costs.task_hour("linux/arm64") == pytest.approx(0.00988, rel=0.001)
    assert costs.sidecar("linux/amd64") == pytest.approx(9.06, rel=0.01)
    assert costs.storage(54_000_000) == pytest.approx(0.0054)
    assert costs.alarms() == pytest.approx(0.8)


@pytest.mark.parametrize(("sum_", "text"), [(0.0054, "less than $0.01"), (0.66, "about $0.66"), (9.0, "about $9.00")])
def test_sums_are_rounded(sum_: float, text: str) -> None:
    assert costs.dollars(sum_) == text
