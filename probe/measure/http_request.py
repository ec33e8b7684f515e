"""One HTTP request to an endpoint: its answer as a typed fact, or a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from probe.measure.reach import Ready
from probe.measure.recorder import Run
from probe.model import AnswerSeen, Endpoint, Failure
from probe.records import Record
from probe.wire import answers
from probe.wire.aws_calls import signed_headers
from probe.wire.credentials import FoundCredentials
from probe.wire.errors import WireError
from probe.wire.http import Answer, Conversation

T = TypeVar("T")


class Response(Record, frozen=True):
    """An answer with an expected status, and its facts."""

    answer: Answer
    seen: AnswerSeen

    def read(self, reader: Callable[[bytes], T]) -> T:
        """Read the body. An unreadable one without a mark of AWS comes from a middlebox, even with status 200."""
        try:
            return reader(self.answer.body)
        except WireError as error:
            strange = answers.is_html(self.answer) or not self.seen.aws
            failure = Failure.NOT_AWS if strange and error.failure is Failure.MALFORMED else error.failure
            raise WireError(failure, error.detail, seen=self.seen) from error


def send(
    run: Run,
    conversation: Conversation,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    limit: int | None = None,
    expected: tuple[int, ...] = (),
) -> Response:
    """Send one request. Raises WireError, with the answer's facts, unless the status is 2xx or in `expected`.

    `limit` bounds the body, in bytes.
    """
    blank = AnswerSeen(address=conversation.address, method=method)
    try:
        answer = conversation.request(
            method, target, headers=dict(headers or {}), body=body, limit=limit or run.plan.budget.error_bytes
        )
    except WireError as error:
        raise error.with_seen(error.seen or blank) from error
    if 300 <= answer.status < 400 and answer.status not in expected:
        raise WireError(Failure.REDIRECT, f"status {answer.status}, an unexpected redirect", seen=blank)
    seen = answers.facts(answer, method=method, address=conversation.address, clock=time.time())
    refusal = None if answer.status in expected else answers.failure(answer, seen)
    if refusal is not None:
        failure, detail = refusal
        raise WireError(failure, detail, seen=seen)
    return Response(answer, seen)


def answer_in(error: WireError, otherwise: AnswerSeen) -> AnswerSeen:
    """The answer that came with a failure, if any."""
    return error.seen if isinstance(error.seen, AnswerSeen) else otherwise


def call_aws(
    run: Run,
    endpoint: Endpoint,
    ready: Ready,
    caller: FoundCredentials,
    *,
    service: str,
    target: str | None,
    body: bytes,
) -> Response:
    """Make one signed call of an AWS API, over a connection that we dial ourselves. `target` None: query protocol."""
    headers = signed_headers(
        caller.credentials, service=service, region=endpoint.region, host=endpoint.host, target=target, body=body
    )
    with Conversation(
        run.wire, host=endpoint.host, address=ready.address, until=run.until, budget=run.plan.budget
    ) as conversation:
        return send(run, conversation, "POST", "/", headers=headers, body=body)
