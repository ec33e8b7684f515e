"""`smoke` against the AWS of `aws.py`, by a clock that jumps."""

# ruff: noqa: ARG002 - a watch hears more than a test asks

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from probe.fleet import Fleet, SubnetRun
from probe.operator.aws import Account, ApiError, Kind, error_of_response
from probe.smoke.command import Smoke
from probe.smoke.options import read
from probe.smoke.workers import NUMBER, Answer
from tests.smoke.aws import GROUP, REGION, Aws, Error, Silence, subnet

LATENCY = 0.25  # seconds of a call, by our clock


@dataclass
class Clockwork:
    """Hands that make each call at once, and whose answers come by a clock that jumps to what happens next."""

    time: float = 1000.0
    number: int = NUMBER
    latency: float = LATENCY
    kept_waiting: int = 0  # calls at a time for which no hand was free, at most
    signal: Callable[[float], None] = lambda _now: None  # told of each instant
    _busy: list[tuple[float, int, Callable[[Answer], None], Answer]] = field(default_factory=list)
    _queue: list[tuple[Callable[[], dict[str, Any]], Callable[[Answer], None]]] = field(default_factory=list)
    _order: Any = field(default_factory=count)

    def now(self) -> float:
        return self.time

    def start(self, call: Callable[[], dict[str, Any]], then: Callable[[Answer], None]) -> None:
        self._queue.append((call, then))
        self._take_up()
        self.kept_waiting = max(self.kept_waiting, len(self._queue))

    def _take_up(self) -> None:
        while self._queue and len(self._busy) < self.number:
            call, then = self._queue.pop(0)
            answer: Answer
            try:
                answer = call()
            except ApiError as error:
                answer = error
            heapq.heappush(self._busy, (self.time + self.latency, next(self._order), then, answer))

    def wait(self, seconds: float) -> None:
        until = self.time + seconds
        self.time = min(until, self._busy[0][0]) if self._busy else until
        self.signal(self.time)
        while self._busy and self._busy[0][0] <= self.time:
            _, _, then, answer = heapq.heappop(self._busy)
            self._take_up()
            then(answer)


@dataclass
class Heard:
    """A watch that keeps what it hears."""

    done: list[SubnetRun] = field(default_factory=list)
    repeated: list[SubnetRun] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def begins(self, total: int) -> None:
        return

    def running(self, number: int) -> None:
        return

    def finished(self, run: SubnetRun) -> None:
        self.done.append(run)

    def again(self, run: SubnetRun, seconds: float) -> None:
        self.repeated.append(run)

    def note(self, words: str) -> None:
        self.notes.append(words)

    def close(self) -> None:
        return


@cache
def _inputs(service: str) -> Any:
    """botocore's description of a service."""
    return botocore.session.Session().get_service_model(service)


class FakeAccount(Account):
    """Passes calls to `Aws` without HTTP. Requests are checked against botocore's description of the API."""

    def __init__(self, aws: Aws) -> None:
        self.region = REGION
        self._aws = aws

    def call(self, action: str, *, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        service, _, operation = action.partition(":")
        if service != "ec2":  # loading its description takes a second
            shape = _inputs(service).operation_model(operation).input_shape
            report = ParamValidator().validate(parameters, shape)
            assert not report.has_errors(), report.generate_report()
        self._aws.regions.add((action, region or self.region))
        answer = self._aws.answer(action, parameters)
        if isinstance(answer, Silence):
            raise ApiError(Kind.SILENT, action, "ConnectionClosedError", "127.0.0.1 did not answer")
        if isinstance(answer, Error):
            error = {"Code": answer.code, "Message": answer.message}
            raise error_of_response({"Error": error, "ResponseMetadata": {"HTTPStatusCode": answer.status}}, action)
        return answer

    def forget(self, service: str) -> None:
        return


def real_account() -> Account:
    """Real botocore clients over HTTP."""
    return Account(region=REGION, profile=None)


@dataclass
class Bench:
    """One AWS, an account in it, and the hands that make the calls."""

    aws: Aws
    hands: Clockwork
    account: Account
    stop: threading.Event = field(default_factory=threading.Event)
    heard: Heard = field(default_factory=Heard)

    def smoke(self, *arguments: str) -> Fleet:
        options = read(["--region", "eu-west-1", "--cluster", "main", *arguments], {})
        return Smoke(options, self.account, self.hands, stop=self.stop, watch=self.heard).run()

    def in_subnets(self, number: int, *arguments: str) -> Fleet:
        return self.smoke(*subnets(number), *arguments)


def subnets(number: int) -> tuple[str, ...]:
    return ("--subnets", ",".join(subnet(each) for each in range(number)), "--security-groups", GROUP)
