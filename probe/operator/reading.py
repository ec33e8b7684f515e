"""Read an account's configuration: ask what the gates want to know, and ask them again, until they want nothing more.

Each round makes its calls at once. botocore retries and pages. An answer that is refused is an answer too: the run
goes on, and the gates say what is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec

from probe.configuration.document import Configuration, Obstacle, Question, Source
from probe.configuration.operations import Operation
from probe.configuration.view import View
from probe.operator.aws import ApiError, Kind
from probe.records import replace

T = TypeVar("T")
MOST_ROUNDS = 25  # an evaluation that still asks after so many asks for ever
CONCURRENT_CALLS = 10
ATTEMPTS = 4  # of a call, by botocore's standard mode


class Reader(Protocol):
    """What makes the calls: `operator.aws.Account`, or a simulated account."""

    region: str

    def pages(self, action: str, *, region: str | None = None, **parameters: Any) -> tuple[dict[str, Any], ...]:
        """Every page of a reply. Raises ApiError."""


def read(reader: Reader, evaluate: Callable[[View], T], known: Configuration | None = None) -> tuple[T, Configuration]:
    """The result of `evaluate` on everything that it asked for, and the configuration that it saw."""
    configuration = known or Configuration(read_at=datetime.now(UTC), region=reader.region)
    with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
        for _ in range(MOST_ROUNDS):
            view = View(configuration)
            result = evaluate(view)
            wanted = view.wanted()
            if not wanted:
                return result, configuration
            answers = pool.map(lambda asked: _answer(reader, *asked), wanted)
            configuration = replace(configuration, sources=(*configuration.sources, *answers))
    return evaluate(View(configuration, complete=True)), configuration


def _answer(reader: Reader, asked: Question, operation: Operation) -> Source:
    parameters: dict[str, Any] = msgspec.json.decode(asked.parameters)
    try:
        pages = reader.pages(f"{operation.service}:{operation.name}", region=asked.region, **parameters)
    except ApiError as error:
        return Source(question=asked, obstacle=_obstacle(error), missing=_missing(error), words=error.text or None)
    return Source(question=asked, reply=_kept(operation, pages), pages=len(pages))


def _kept(operation: Operation, pages: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """All pages as one reply, without what is not kept."""
    if operation.items is None:
        whole: dict[str, Any] = operation.kept({key: value for page in pages for key, value in page.items()})
        return whole
    items = (item for page in pages for item in page.get(operation.items, ()))
    if operation.within is not None:
        items = (inner for item in items for inner in item.get(operation.within, ()))
    return {operation.items: [operation.kept(item) for item in items if operation.keeps(item)]}


_OBSTACLES = {
    Kind.DENIED: Obstacle.DENIED,
    Kind.CREDENTIALS: Obstacle.DENIED,
    Kind.THROTTLED: Obstacle.THROTTLED,
    Kind.NO_REPLY: Obstacle.NO_REPLY,
    Kind.UNAVAILABLE: Obstacle.NO_REPLY,
    Kind.REFUSED: Obstacle.REFUSED,
}


# Ends of the codes with which services answer that an object does not exist.
_NOT_FOUND = ("NotFoundException", "NotFound", "NoSuchEntity", "AWSOrganizationsNotInUseException")


def _obstacle(error: ApiError) -> Obstacle:
    is_absence = error.kind is Kind.REFUSED and error.code.endswith(_NOT_FOUND)
    return Obstacle.NOT_FOUND if is_absence else _OBSTACLES[error.kind]


def _missing(error: ApiError) -> str | None:
    return error.action if error.kind is Kind.DENIED else None
