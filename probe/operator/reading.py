"""Read an account's configuration: ask what the gates want to know, and ask them again, until they want nothing more.

Each round makes its calls concurrently. botocore retries and pages. An answer that is refused is an answer too: the run
goes on, and the gates say what is unknown. Only credentials that no call would accept end it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec

from probe.config.flags import UsageError
from probe.configuration.document import Configuration, Obstacle, Question, Source, question
from probe.configuration.operations import CALLER_IDENTITY, NAMED, Operation
from probe.configuration.view import View
from probe.model import Failure
from probe.operator.aws import Account, ApiError, Kind
from probe.records import replace
from probe.safe_words import json_bytes
from probe.wire.aws_errors import failure_of_code

T = TypeVar("T")
Asked = tuple[Question, Operation]
MOST_ROUNDS = 25  # an evaluation that still asks after so many asks for ever
CONCURRENT_CALLS = 10
ATTEMPTS = 4  # of a call, by botocore's standard mode
DEADLINE = 120.0  # seconds for all calls; what was not answered by then is unknown
MAX_REPLY = 64 * 1024 * 1024  # bytes of all pages of a reply, of which most is not kept


class Reader(Protocol):
    """What makes the calls: `operator.aws.Account`, or a simulated account."""

    region: str

    def pages(self, action: str, *, region: str | None = None, **parameters: Any) -> Iterable[dict[str, Any]]:
        """Every page of a reply. Raises ApiError."""


def reading_account(*, region: str | None, profile: str | None, agreed: Collection[str] = ()) -> Account:
    """The account of the configured credentials, with no operation but those that read. Raises UsageError.

    `agreed` are the flags with which the reader agrees to further reads.
    """
    operations: dict[str, list[str]] = {}
    for (service, name), operation in NAMED.items():
        if operation.flag is None or operation.flag in agreed:
            operations.setdefault(service, []).append(name)
    return Account(
        region=region,
        profile=profile,
        concurrent_calls=CONCURRENT_CALLS,
        attempts=ATTEMPTS,
        operations=operations,
    )


def read(
    reader: Reader, evaluate: Callable[[View], T], known: Configuration | None = None, *, seconds: float = DEADLINE
) -> tuple[T, Configuration]:
    """The result of `evaluate` on everything that it asked for, and the configuration that it saw, from `known` on.

    Raises UsageError where AWS does not accept the credentials.
    """
    until = time.monotonic() + seconds
    configuration = known or Configuration(read_at=datetime.now(UTC), region=reader.region)
    pool = ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="aws")
    try:
        more: tuple[Asked, ...] = () if known else ((question(CALLER_IDENTITY, {}), CALLER_IDENTITY),)
        for _ in range(MOST_ROUNDS):
            view = View(configuration)
            result = evaluate(view)
            wanted = view.wanted()
            if not wanted and not more:
                return result, configuration
            if time.monotonic() >= until:
                break
            configuration = _with(configuration, _answers(pool, reader, tuple(dict.fromkeys((*more, *wanted))), until))
            more = ()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # not even after Ctrl-C is a call waited for
    return evaluate(View(configuration, complete=True)), configuration


def _with(configuration: Configuration, answers: Sequence[Source]) -> Configuration:
    account = configuration.account
    for answer in answers:
        if answer.question.service == CALLER_IDENTITY.service and answer.reply is not None:
            account = str(answer.reply.get("Account")) or None
    return replace(configuration, account=account, sources=(*configuration.sources, *answers))


def _answers(pool: ThreadPoolExecutor, reader: Reader, wanted: Sequence[Asked], until: float) -> Sequence[Source]:
    """The answers in the order of the questions. Raises UsageError as soon as the credentials are refused."""
    calls: list[Future[Source]] = [pool.submit(_answer, reader, *asked, until) for asked in wanted]
    waiting: set[Future[Source]] = set(calls)
    while waiting:
        done, waiting = wait(waiting, max(0.0, until - time.monotonic()), return_when="FIRST_COMPLETED")
        if not done:
            break
        for call in done:
            call.result()  # raises its UsageError
    late = Source(question=wanted[0][0], obstacle=Obstacle.NO_REPLY, words="the deadline of the run was reached")
    return [
        replace(late, question=asked) if call in waiting else call.result()
        for call, (asked, _) in zip(calls, wanted, strict=True)
    ]


def _answer(reader: Reader, asked: Question, operation: Operation, until: float) -> Source:
    if NAMED.get((operation.service, operation.name)) != operation:
        raise AssertionError(f"{operation.service}:{operation.name} is not one of the operations that read")
    parameters: dict[str, Any] = msgspec.json.decode(asked.parameters)
    pages = _Pages(reader, asked, operation, parameters, until)
    try:
        reply = _kept(operation, pages)
    except ApiError as error:
        _check_credentials(error, elsewhere=asked.region not in (None, reader.region))
        return Source(question=asked, obstacle=_obstacle(error), missing=_missing(error), words=error.text or None)
    return Source(question=asked, reply=reply, pages=pages.number)


class _Pages:
    """The pages of one reply within the limits, as plain JSON: a saved configuration has no other values."""

    def __init__(
        self, reader: Reader, asked: Question, operation: Operation, parameters: dict[str, Any], until: float
    ) -> None:
        self._action = f"{operation.service}:{operation.name}"
        self._reader, self._region, self._parameters = reader, asked.region, parameters
        self._until = until
        self.number = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        size = 0
        for page in self._reader.pages(self._action, region=self._region, **self._parameters):
            encoded = json_bytes({key: value for key, value in page.items() if key != "ResponseMetadata"})
            self.number += 1
            size += len(encoded)
            if size > MAX_REPLY:
                text = f"the reply has more than {MAX_REPLY >> 20} MiB"
                raise ApiError(Kind.TOO_LARGE, self._action, Kind.TOO_LARGE, text)
            yield msgspec.json.decode(encoded)
            if time.monotonic() >= self._until:
                raise ApiError(Kind.NO_REPLY, self._action, Kind.NO_REPLY, "the deadline of the run was reached")


def _kept(operation: Operation, pages: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """All pages as one reply, without what is not kept."""
    if operation.items is None:
        whole: dict[str, Any] = operation.kept({key: value for page in pages for key, value in page.items()})
        return whole
    items = (item for page in pages for item in page.get(operation.items, ()))
    if operation.within is not None:
        items = (inner for item in items for inner in item.get(operation.within, ()))
    return {operation.items: [operation.kept(item) for item in items]}


_OBSTACLES = {
    Kind.DENIED: Obstacle.DENIED,
    Kind.CREDENTIALS: Obstacle.REFUSED,  # in another Region alone, which the account may not have enabled
    Kind.UNSUPPORTED: Obstacle.UNSUPPORTED,
    Kind.THROTTLED: Obstacle.THROTTLED,
    Kind.TOO_LARGE: Obstacle.TOO_LARGE,
    Kind.NO_REPLY: Obstacle.NO_REPLY,
    Kind.UNAVAILABLE: Obstacle.NO_REPLY,
    Kind.REFUSED: Obstacle.REFUSED,
}
# The codes of EC2 and the query protocol, of the JSON protocol, and of single operations. AWS[unsupported-codes]
_UNSUPPORTED = ("InvalidAction", "UnknownOperationException", "UnsupportedOperation", "UnsupportedOperationException")


def _obstacle(error: ApiError) -> Obstacle:
    if error.kind is Kind.REFUSED and error.code in _UNSUPPORTED:
        return Obstacle.UNSUPPORTED
    if error.kind is Kind.REFUSED and failure_of_code(error.code, control_plane=True) is Failure.NOT_FOUND:
        return Obstacle.NOT_FOUND
    return _OBSTACLES[error.kind]


def _missing(error: ApiError) -> str | None:
    return error.action if error.kind is Kind.DENIED else None


def _check_credentials(error: ApiError, *, elsewhere: bool) -> None:
    if error.kind is Kind.CREDENTIALS and not elsewhere:
        hint = "sign in again, or choose a profile with --profile (ECR_PROBE_PROFILE), for example --profile default"
        raise UsageError(f"{error.text}; {hint}")
