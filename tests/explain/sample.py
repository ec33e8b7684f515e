"""An error text and what it tells: which step failed, how, what is found and which causes come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from probe.explain import explain_text, task_not_described, unrecognised_text
from probe.explain.task_context import TaskContext
from probe.explain.text_records import split_records
from probe.model import Failure, Measurement, Outcome, Verdict
from tests.faults.case import Case
from tests.faults.measurements import World
from tests.faults.places import NOON


@dataclass(frozen=True)
class Words(World):
    """A world that is known by somebody's words alone."""

    text: str = ""
    ranges: tuple[str, ...] = ()

    def read(self) -> Verdict:
        known = explain_text(self.text, policy=self.policy, vpc_cidrs=self.ranges, now=NOON)
        return known or unrecognised_text(split_records(self.text), TaskContext(), policy=self.policy, now=NOON)

    def measure(self) -> Measurement:
        return self.read().measurement


@dataclass(frozen=True)
class Untold(World):
    """A task of which ECS did not tell."""

    failure: Failure = Failure.TIMEOUT
    words: str = "ecs:DescribeTasks: ecs.eu-west-1.amazonaws.com did not answer (ConnectTimeoutError)"

    def measure(self) -> Measurement:
        return task_not_described(self.failure, self.words, TaskContext(), now=NOON).measurement


_THROTTLED = Untold(failure=Failure.THROTTLED, words="ecs:DescribeTasks: ThrottlingException: Rate exceeded")
UNTOLD = (
    Case("ECS does not answer", Untold(), {"task.not-described": "other"}, "inconclusive", "unproven"),
    Case("ECS limits the rate", _THROTTLED, {"task.not-described": "=throttle"}, "inconclusive", "unproven"),
)


@dataclass(frozen=True)
class Text:
    """`step` is the id of the step that failed, `failure` how; `finds` as in `Case`; `lies` the address's class."""

    name: str
    words: str
    step: str
    failure: str
    finds: Mapping[str, str]
    status: str = "fail"
    pull: str = "broken"
    lies: str = ""
    ranges: tuple[str, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)

    @property
    def world(self) -> Words:
        return Words(text=self.words, ranges=self.ranges)

    @property
    def case(self) -> Case:
        return Case(f"in words: {self.name}", self.world, self.finds, self.status, self.pull, self.severities)

    def failed(self) -> list[tuple[str, str]]:
        """The failed steps, by id and failure."""
        steps = self.world.read().steps
        return [(step.id, str(step.failure)) for step in steps if step.outcome is Outcome.FAILED]
