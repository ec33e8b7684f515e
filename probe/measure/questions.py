"""One HTTP question to an endpoint and its answer, turned into a typed fact or a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from probe.measure.reach import Ready
from probe.measure.recorder import Run
from probe.model import AnswerSeen, Endpoint, Failure
from probe.records import Record
from probe.wire import answers
from probe.wire.credentials import FoundCredentials
from probe.wire.errors import WireError
from probe.wire.http import Answer, Conversation
from probe.wire.sigv4 import signed_headers

T = TypeVar("T")


class Asked(Record, frozen=True):
    """An answer that was hoped for, and what was seen of it."""

    answer: Answer
    seen: AnswerSeen

    def read(self, reader: Callable[[bytes], T]) -> T:
        """Read the body. What cannot be read and carries no mark of AWS is a middlebox's, whatever its status."""
        try:
            return reader(self.answer.body)
        except WireError as error:
            strange = answers.is_html(self.answer) or not self.seen.aws
            failure = Failure.NOT_AWS if strange and error.failure is Failure.MALFORMED else error.failure
            raise WireError(failure, error.detail, seen=self.seen) from error


def ask(
    run: Run,
    conversation: Conversation,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    limit: int | None = None,
    expected: tuple[int, ...] = (),
) -> Asked:
    """Ask once. Raises WireError where the answer is neither 2xx nor in `expected`; what was seen goes with it."""
    blank = AnswerSeen(address=conversation.address, method=method)
    try:
        answer = conversation.request(
            method, target, headers=dict(headers or {}), body=body, limit=limit or run.plan.budget.error_bytes
        )
    except WireError as error:
        raise WireError(error.failure, error.detail, seen=error.seen or blank) from error
    if 300 <= answer.status < 400 and answer.status not in expected:
        raise WireError(Failure.REDIRECT, f"status {answer.status} where no redirect belongs", seen=blank)
    seen = answers.facts(answer, method=method, address=conversation.address, clock=time.time())
    refused = None if answer.status in expected else answers.failure(answer, seen)
    if refused is not None:
        failure, detail = refused
        raise WireError(failure, detail, seen=seen)
    return Asked(answer, seen)


def seen_of(error: WireError, otherwise: AnswerSeen) -> AnswerSeen:
    """The answer that a failure saw, where it saw one."""
    return error.seen if isinstance(error.seen, AnswerSeen) else otherwise


def ask_aws(
    run: Run, endpoint: Endpoint, ready: Ready, found: FoundCredentials, *, service: str, target: str, body: bytes
) -> Asked:
    """One signed call of an AWS JSON API, over our own dial."""
    headers = signed_headers(
        found.credentials, service=service, region=endpoint.region, host=endpoint.host, target=target, body=body
    )
    with Conversation(
        run.wire, host=endpoint.host, address=ready.address, until=run.until, budget=run.plan.budget
    ) as conversation:
        return ask(run, conversation, "POST", "/", headers=headers, body=body)
