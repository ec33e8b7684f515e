"""What gates see of a configuration. What they ask for and it does not hold is noted down, to be read next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from probe.configuration.document import Configuration, Obstacle, Question, Source, question
from probe.configuration.operations import NAMED, Operation

Item = dict[str, Any]


class MissingError(Exception):
    """A gate needs an answer that is not there. `obstacle` None: it was not asked yet. `words` are AWS's, scrubbed."""

    def __init__(
        self,
        operation: Operation,
        obstacle: Obstacle | None = None,
        missing: str | None = None,
        words: str | None = None,
    ) -> None:
        self.operation = operation
        self.obstacle = obstacle
        self.words = words
        self.missing = missing or (operation.permission if obstacle is Obstacle.DENIED else None)
        super().__init__(operation.name, obstacle)

    @property
    def is_absence(self) -> bool:
        """Whether the answer is that the object does not exist."""
        return self.obstacle is Obstacle.NOT_FOUND


class Edit(Protocol):
    """A change of the configuration."""

    def applied(self, configuration: Configuration) -> Configuration:
        """The configuration with this change."""


class View:
    """A configuration, with the questions that were asked of it in vain.

    An id that the API was asked for and did not return is an object that does not exist, or is not this account's.
    """

    def __init__(self, configuration: Configuration, *, complete: bool = False) -> None:
        """`complete`: nothing more can be read, so what was not asked is unknown for good."""
        self.configuration = configuration
        self.judged: dict[Any, Any] = {}  # what gates answered to questions that many subnets have in common
        self._complete = complete
        self._sources: dict[Question, Source] = {source.question: source for source in configuration.sources}
        self._found: dict[tuple[str, str, str | None], dict[str, Item]] = {}
        self._listed: dict[tuple[str, str, str | None], dict[str, list[Item]]] = {}
        self._asked: dict[tuple[str, str, str | None], dict[str, Source]] = {}
        self._wanted: dict[Question, Operation] = {}
        self._wanted_ids: dict[tuple[Operation, str | None], dict[str, None]] = {}
        for source in configuration.sources:
            self._index(source)

    # ---- for gates --------------------------------------------------------------------------------------------------

    def reply(self, operation: Operation, region: str | None = None, /, **parameters: Any) -> Item:
        """The whole reply to one call. Raises MissingError."""
        asked = question(operation, parameters, region)
        source = self._sources.get(asked)
        if source is None:
            self._wanted[asked] = operation
            raise self._missing(operation)
        if source.reply is None:
            raise MissingError(operation, source.obstacle, source.missing, source.words)
        return source.reply

    def known(self, operation: Operation, region: str | None = None, /, **parameters: Any) -> Item | None:
        """The reply to a call that was made for another gate; None where it was not."""
        source = self._sources.get(question(operation, parameters, region))
        return source.reply if source is not None else None

    def items(self, operation: Operation, region: str | None = None, /, **parameters: Any) -> tuple[Item, ...]:
        """The objects that one call lists, of all its pages. Raises MissingError."""
        return tuple(self.reply(operation, region, **parameters).get(operation.items or "", ()))

    def item(self, operation: Operation, identity: str, region: str | None = None) -> Item | None:
        """One object by its id; None if the account has none. Ids of one round are asked in one call.

        Raises MissingError.
        """
        key = (operation.service, operation.name, region)
        found = self._found.get(key, {}).get(identity)
        if found is not None:
            return found
        source = self._asked.get(key, {}).get(identity)
        if source is None:
            self._wanted_ids.setdefault((operation, region), {})[identity] = None
            raise self._missing(operation)
        if source.reply is None and source.obstacle is not Obstacle.NOT_FOUND:
            raise MissingError(operation, source.obstacle, source.missing, source.words)
        return None

    def some(
        self, operation: Operation, identities: Iterable[str], region: str | None = None
    ) -> dict[str, Item | None]:
        """Several objects by their ids. All are noted down before the first that is missing raises MissingError."""
        found, missing = {}, None
        for identity in identities:
            try:
                found[identity] = self.item(operation, identity, region)
            except MissingError as error:
                missing = error
        if missing is not None:
            raise missing
        return found

    def listed(self, operation: Operation, identities: Iterable[str], region: str | None = None) -> tuple[Item, ...]:
        """All objects with these ids, of which several have the same, such as a group's rules. Raises MissingError."""
        names = tuple(identities)
        self.some(operation, names, region)
        found = self._listed.get((operation.service, operation.name, region), {})
        return tuple(item for name in names for item in found.get(name, ()))

    def edited(self, changes: Iterable[Edit]) -> View:
        """A view of the configuration as it would be with these changes."""
        configuration = self.configuration
        for change in changes:
            configuration = change.applied(configuration)
        return View(configuration, complete=self._complete)

    def want_also(self, other: View) -> None:
        """Note down what was asked of `other` in vain."""
        self._wanted.update(other._wanted)
        for key, identities in other._wanted_ids.items():
            self._wanted_ids.setdefault(key, {}).update(identities)

    # ---- for the reader ---------------------------------------------------------------------------------------------

    def wanted(self) -> tuple[tuple[Question, Operation], ...]:
        """The calls that would answer what was asked in vain; ids of one operation share a call."""
        return (*self._wanted.items(), *self._batches())

    def _batches(self) -> Iterator[tuple[Question, Operation]]:
        for (operation, region), identities in self._wanted_ids.items():
            ids = sorted(identities)
            for start in range(0, len(ids), operation.ids_per_call):
                some = ids[start : start + operation.ids_per_call]
                yield question(operation, by_ids(operation, some), region), operation

    def _missing(self, operation: Operation) -> MissingError:
        return MissingError(operation, Obstacle.NOT_READ if self._complete else None)

    def _index(self, source: Source) -> None:
        operation = NAMED.get((source.question.service, source.question.operation))
        if operation is None or operation.key is None:
            return
        key = (operation.service, operation.name, source.question.region)
        if source.reply is not None:
            for item in source.reply.get(operation.items or "", ()):
                self._found.setdefault(key, {})[str(item.get(operation.key))] = item
                self._listed.setdefault(key, {}).setdefault(str(item.get(operation.key)), []).append(item)
        for identity in ids_of(operation, source.question):
            self._asked.setdefault(key, {})[identity] = source


def by_ids(operation: Operation, identities: list[str]) -> Item:
    """The parameters that ask for these objects."""
    assert operation.by is not None, operation.name
    if operation.by[0].isupper() or operation.service == "ecs":
        return {operation.by: identities}
    return {"Filters": [{"Name": operation.by, "Values": identities}]}


def ids_of(operation: Operation, asked: Question) -> tuple[str, ...]:
    """The ids that a question asks for; none where it asks for something else."""
    parameters: Item = msgspec.json.decode(asked.parameters)
    if operation.by is None:
        return ()
    if operation.by in parameters:
        return tuple(parameters[operation.by])
    filters = parameters.get("Filters", ())
    return tuple(filters[0]["Values"]) if len(filters) == 1 and filters[0]["Name"] == operation.by else ()
