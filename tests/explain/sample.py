"""A sample of an error text with what `explain` must conclude: the failed step, the findings, the first causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from probe.explain import explain_text, task_not_described, unrecognised_text
from probe.explain.task_context import TaskContext
from probe.explain.text_records import split_records
from probe.model import Failure, Measurement, Outcome, Policy, Verdict
from tests.faults.expectation import Expected
from tests.faults.fake_hosts import NOON
from tests.faults.fake_run import FakeRun


@cache
def verdict_of(text: str, policy: Policy, vpc_cidrs: tuple[str, ...]) -> Verdict:
    verdict = explain_text(text, policy=policy, vpc_cidrs=vpc_cidrs, now=NOON)
    return verdict or unrecognised_text(split_records(text), TaskContext(), policy=policy, now=NOON)


@dataclass(frozen=True)
class ReportedText(FakeRun):
    """A run that is known only from an error text."""

    text: str = ""
    vpc_cidrs: tuple[str, ...] = ()

    def verdict(self) -> Verdict:
        return verdict_of(self.text, self.policy, self.vpc_cidrs)

    def measure(self) -> Measurement:
        return self.verdict().measurement


@dataclass(frozen=True)
class UndescribedTask(FakeRun):
    """A task that ECS did not describe."""

    failure: Failure = Failure.TIMEOUT
    error_text: str = "ecs:DescribeTasks: ecs.eu-west-1.amazonaws.com did not answer (ConnectTimeoutError)"

    def measure(self) -> Measurement:
        return task_not_described(self.failure, self.error_text, TaskContext(), now=NOON).measurement


_THROTTLED = UndescribedTask(
    failure=Failure.THROTTLED, error_text="ecs:DescribeTasks: ThrottlingException: Rate exceeded"
)
UNDESCRIBED = (
    Expected("ECS does not answer", UndescribedTask(), {"task.not-described": "other"}, "inconclusive", "unproven"),
    Expected("ECS throttles the call", _THROTTLED, {"task.not-described": "=throttle"}, "inconclusive", "unproven"),
)


@dataclass(frozen=True)
class Sample:
    """An error text. `step` is the id of the failed step, `failure` its failure, `causes` as `Expected.causes`."""

    name: str
    text: str
    step: str
    failure: str
    causes: Mapping[str, str]
    status: str = "fail"
    pull: str = "broken"
    address_class: str = ""
    vpc_cidrs: tuple[str, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    excludes: Mapping[str, str] = field(default_factory=dict)

    @property
    def run(self) -> ReportedText:
        return ReportedText(text=self.text, vpc_cidrs=self.vpc_cidrs)

    @property
    def expected(self) -> Expected:
        return Expected(
            f"text: {self.name}",
            self.run,
            self.causes,
            self.status,
            self.pull,
            self.severities,
            excludes=self.excludes,
        )

    def failed_steps(self) -> list[tuple[str, str]]:
        """The failed steps, by id and failure."""
        steps = self.run.verdict().steps
        return [(step.id, str(step.failure)) for step in steps if step.outcome is Outcome.FAILED]
