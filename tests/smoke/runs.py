"""`smoke` against the fake AWS of `aws.py`, with a virtual clock."""

# ruff: noqa: ARG002 - the recorder uses a part of the protocol

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from math import inf
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from probe.fleet import Fleet, SubnetRun
from probe.operator.aws import Account, ApiError, Kind, error_of_response
from probe.smoke.calls import CONCURRENT_CALLS, Call, OnReply, Reply
from probe.smoke.command import Smoke
from probe.smoke.options import read_options
from probe.smoke.progress import Progress, Situation
from tests.smoke.aws import GROUP, REGION, Aws, Error, Silence, subnet

LATENCY = 0.25  # virtual seconds of a call


@dataclass
class VirtualWorkers:
    """Workers without threads: a call is made when it starts, and the clock jumps to the next reply or instant."""

    time: float = 1000.0
    number: int = CONCURRENT_CALLS
    latency: float = LATENCY
    longest_queue: int = 0  # calls for which no worker was free
    on_tick: Callable[[float], None] = lambda _now: None  # called at each instant
    _in_flight: list[tuple[float, int, OnReply, Reply]] = field(default_factory=list)
    _queue: list[tuple[Call, OnReply]] = field(default_factory=list)
    _order: Any = field(default_factory=count)

    def now(self) -> float:
        return self.time

    def start(self, call: Call, on_reply: OnReply) -> None:
        self._queue.append((call, on_reply))
        self._take_calls()
        self.longest_queue = max(self.longest_queue, len(self._queue))

    def _take_calls(self) -> None:
        while self._queue and len(self._in_flight) < self.number:
            call, on_reply = self._queue.pop(0)
            reply: Reply
            try:
                reply = call()
            except ApiError as error:
                reply = error
            heapq.heappush(self._in_flight, (self.time + self.latency, next(self._order), on_reply, reply))

    def wait(self, seconds: float) -> None:
        until = self.time + seconds
        self.time = min(until, self._in_flight[0][0]) if self._in_flight else until
        self.on_tick(self.time)
        while self._in_flight and self._in_flight[0][0] <= self.time:
            _, _, on_reply, reply = heapq.heappop(self._in_flight)
            self._take_calls()
            on_reply(reply)


@dataclass
class RecordedProgress:
    finished_runs: list[SubnetRun] = field(default_factory=list)
    retried_runs: list[SubnetRun] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def start(self, total: int) -> None:
        return

    def running(self, number: int) -> None:
        return

    def finished(self, run: SubnetRun) -> None:
        self.finished_runs.append(run)

    def retry(self, run: SubnetRun, seconds: float) -> None:
        self.retried_runs.append(run)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def waiting(self, situation: Situation, now: float, deadline: float) -> float:
        return inf

    def close(self) -> None:
        return


@cache
def _service_model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


class FakeAccount(Account):
    """Passes calls to `Aws` without HTTP. Requests are validated against botocore's description of the API."""

    def __init__(self, aws: Aws) -> None:
        self.region = REGION
        self._aws = aws

    def call(self, action: str, *, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        service, _, operation = action.partition(":")
        if service != "ec2":  # its description takes a second to load
            shape = _service_model(service).operation_model(operation).input_shape
            report = ParamValidator().validate(parameters, shape)
            assert not report.has_errors(), report.generate_report()
        self._aws.regions.add((action, region or self.region))
        reply = self._aws.reply(action, parameters)
        if isinstance(reply, Silence):
            raise ApiError(Kind.NO_REPLY, action, "ConnectionClosedError", "127.0.0.1 did not answer")
        if isinstance(reply, Error):
            error = {"Code": reply.code, "Message": reply.message}
            raise error_of_response({"Error": error, "ResponseMetadata": {"HTTPStatusCode": reply.status}}, action)
        return reply

    def forget(self, service: str) -> None:
        return


@dataclass
class Bench:
    """A fake AWS, an account in it, and the workers that make the calls."""

    aws: Aws
    workers: VirtualWorkers
    account: Account
    stop: threading.Event = field(default_factory=threading.Event)
    progress: RecordedProgress = field(default_factory=RecordedProgress)

    def smoke(self, *arguments: str, progress: Progress | None = None) -> Fleet:
        options = read_options(["--region", REGION, "--cluster", "main", *arguments], {})
        return Smoke(options, self.account, self.workers, stop=self.stop, progress=progress or self.progress).run()

    def in_subnets(self, number: int, *arguments: str, progress: Progress | None = None) -> Fleet:
        return self.smoke(*subnets(number), *arguments, progress=progress)


def subnets(number: int) -> tuple[str, ...]:
    return ("--subnets", ",".join(map(subnet, range(number))), "--security-groups", GROUP)
