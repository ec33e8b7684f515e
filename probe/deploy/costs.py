"""What the stack costs: rough monthly sums in US dollars, at the prices of us-east-1. Pure.

AWS[prices] has the prices and their date. They are rounded up where a use can only be estimated.
"""

from __future__ import annotations

import re

from probe.records import Record

PRICES_OF = "us-east-1 in March 2026"
ECR_STORAGE = 0.10  # a GB and month
FARGATE_VCPU, FARGATE_GB = (
    {"linux/amd64": 0.04048, "linux/arm64": 0.03238},
    {
        "linux/amd64": 0.004445,
        "linux/arm64": 0.00356,
    },
)  # an hour
LOG_INGESTION = 0.50  # a GB
ALARM, METRIC = 0.10, 0.30  # a month
VCPU, MEMORY = 0.25, 0.5  # of the probe's task: vCPU and GB
_LEAST_MINUTES = 1.0  # that Fargate charges for a task
_VERDICT = 40_000  # bytes of a run's log lines, roughly
_SIDECAR_LOG = 0.1  # GB a month, roughly
_HOURS = 730.0  # of a month
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


def seconds_between(expression: str) -> float | None:
    """The period of rate(...); None for cron(...), which is not evaluated."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    return int(match[1]) * _SECONDS[match[2]] if match else None


class Costs(Record, frozen=True):
    """`monthly` are the parts of what stays, by name; `run` is one run of all subnets. None: it cannot be estimated."""

    monthly: dict[str, float | None]
    run: float

    @property
    def sum(self) -> float:
        return sum(part for part in self.monthly.values() if part)


def storage(size: int) -> float:
    """`size` in bytes."""
    return size / 1e9 * ECR_STORAGE


def task_hour(platform: str) -> float:
    """A running task on Fargate."""
    return VCPU * FARGATE_VCPU[platform] + MEMORY * FARGATE_GB[platform]


def runs(number: float, platform: str) -> float:
    """Tasks that end within a minute, with their log."""
    return number * (task_hour(platform) * _LEAST_MINUTES / 60 + _VERDICT / 1e9 * LOG_INGESTION)


def sidecar(platform: str) -> float:
    """A month of its one task, with its log."""
    return _HOURS * task_hour(platform) + _SIDECAR_LOG * LOG_INGESTION


def alarms() -> float:
    """The two alarms of the schedule, each with a metric."""
    return 2 * (ALARM + METRIC)


def runs_of_schedule(expression: str) -> float | None:
    """A month's runs of rate(15 minutes); None for cron(...), which is not evaluated."""
    seconds = seconds_between(expression)
    return _HOURS * 3600 / seconds if seconds else None


def dollars(sum_: float) -> str:
    """ "less than $0.01", "about $0.60"."""
    return "less than $0.01" if sum_ < 0.01 else f"about ${sum_:.2f}"
