"""The document: what each call was asked and what it answered. Saved and read again, it gives the same result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from probe.configuration.operations import Operation
from probe.model import ConfigurationSummary, SourceSummary
from probe.records import Record, replace
from probe.safe_words import json_bytes

FORM = 1  # of the saved document


class Obstacle(StrEnum):
    """Why a call gave no answer."""

    DENIED = "denied"
    UNSUPPORTED = "unsupported"  # the operation or the service does not exist in this Region
    NOT_FOUND = "not-found"
    NO_REPLY = "no-reply"
    THROTTLED = "throttled"
    TOO_LARGE = "too-large"  # more than is read
    REFUSED = "refused"
    NOT_READ = "not-read"  # offline: the saved configuration does not hold it


class Question(Record, frozen=True):
    """One call: an operation with its parameters, as JSON so that equal questions are equal. `region` None: that of
    the configuration."""

    service: str
    operation: str
    parameters: str = "{}"
    region: str | None = None


def question(operation: Operation, parameters: Mapping[str, Any], region: str | None = None) -> Question:
    """The question of `operation` with these parameters, in any order."""
    return Question(operation.service, operation.name, json_bytes(parameters, in_order=True).decode(), region)


class Source(Record, frozen=True, kw_only=True):
    """A question and its answer. `reply` has all pages, without what is not kept; None where `obstacle` says why."""

    question: Question
    reply: dict[str, Any] | None = None
    obstacle: Obstacle | None = None
    missing: str | None = None  # the IAM action that was denied, if that was the obstacle
    words: str | None = None  # AWS's sentence, scrubbed
    pages: int = 1


class Configuration(Record, frozen=True, kw_only=True):
    """What was read of one account, beginning in one Region."""

    form: int = FORM
    read_at: datetime
    account: str | None = None
    region: str
    sources: tuple[Source, ...] = ()

    def edited(
        self, operation: Operation, identity: str, edit: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Configuration:
        """This configuration as it would be if the object `identity` were another. `edit` returns a new item."""

        def in_reply(source: Source) -> Source:
            if (source.question.service, source.question.operation) != (operation.service, operation.name):
                return source
            items = (source.reply or {}).get(operation.items or "", ())
            if all(item.get(operation.key) != identity for item in items):
                return source
            new = [edit(item) if item.get(operation.key) == identity else item for item in items]
            return replace(source, reply={**(source.reply or {}), operation.items or "": new})

        return replace(self, sources=tuple(map(in_reply, self.sources)))

    def with_reply(
        self, operation: Operation, edit: Callable[[dict[str, Any]], dict[str, Any]], **parameters: Any
    ) -> Configuration:
        """This configuration as it would be if the reply to exactly this call were another."""
        asked = question(operation, parameters)

        def edited(source: Source) -> Source:
            return replace(source, reply=edit(source.reply or {})) if source.question == asked else source

        return replace(self, sources=tuple(map(edited, self.sources)))

    def with_items(self, operation: Operation, items: Sequence[dict[str, Any]]) -> Configuration:
        """This configuration as it would be if these objects existed too."""
        if operation.by is None or not items:
            return self
        identities = sorted(str(item[operation.key or ""]) for item in items)
        asked = question(operation, {operation.by: identities})
        source = Source(question=asked, reply={operation.items or "": list(items)})
        return replace(self, sources=(*self.sources, source))

    def reply_to(self, asked: Question) -> dict[str, Any] | None:
        """What this call answered; None where it did not."""
        return next((source.reply for source in self.sources if source.question == asked), None)

    def answered(self, asked: Question, reply: dict[str, Any]) -> Configuration:
        """This configuration as it would be if this call answered `reply`."""
        others = (source for source in self.sources if source.question != asked)
        return replace(self, sources=(*others, Source(question=asked, reply=reply)))

    @property
    def summary(self) -> ConfigurationSummary:
        """The part that a verdict shows."""
        return ConfigurationSummary(
            read_at=self.read_at,
            account=self.account,
            region=self.region,
            sources=tuple(
                SourceSummary(
                    service=source.question.service,
                    operation=source.question.operation,
                    ok=source.obstacle is None,
                    failure=source.obstacle.value if source.obstacle else None,
                )
                for source in self.sources
            ),
        )
