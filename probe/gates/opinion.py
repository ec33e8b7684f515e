"""The answer of a gate before it is placed: which word, which object, which element, which cause a refusal confirms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from probe.configuration.document import Obstacle
from probe.configuration.view import MissingError
from probe.gates.changes import Change
from probe.model import GateAnswer, GateName, is_unread_platform
from probe.records import Record


class Opinion(Record, frozen=True, kw_only=True):
    """One gate's answer. `cause` is the vocabulary's code that a refusal confirms; `change` would mend it.

    `explicit`: a statement denies it, rather than none allowing it. `version` is the tag or digest of the image that
    is judged.
    """

    gate: GateName
    answer: GateAnswer
    sentence: str
    object: str | None = None
    element: str | None = None
    cause: str | None = None
    missing: str | None = None
    change: Change | None = None
    explicit: bool = False
    version: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not known to allow, and that is a reason for doubt."""
        return not self.allows and not is_unread_platform(self.gate, self.answer, self.element)

    @property
    def refuses(self) -> bool:
        return self.answer is GateAnswer.REFUSES

    @property
    def allows(self) -> bool:
        return self.answer is GateAnswer.ALLOWS


def allows(gate: GateName, sentence: str, identity: str | None = None, element: str | None = None) -> Opinion:
    return Opinion(gate=gate, answer=GateAnswer.ALLOWS, sentence=sentence, object=identity, element=element)


def refuses(
    gate: GateName,
    sentence: str,
    *,
    cause: str,
    identity: str | None,
    element: str | None = None,
    change: Change | None = None,
) -> Opinion:
    return Opinion(
        gate=gate,
        answer=GateAnswer.REFUSES,
        sentence=sentence,
        object=identity,
        element=element,
        cause=cause,
        change=change,
    )


def depends(gate: GateName, sentence: str, identity: str | None = None, element: str | None = None) -> Opinion:
    return Opinion(gate=gate, answer=GateAnswer.DEPENDS, sentence=sentence, object=identity, element=element)


_OBSTACLES = {
    None: "{call} has not been read",
    Obstacle.DENIED: "{action} is not allowed to the caller",
    Obstacle.UNSUPPORTED: "{call} does not exist in this Region",
    Obstacle.NOT_FOUND: "{call} finds no such object in this account",
    Obstacle.NO_REPLY: "{call} was not answered",
    Obstacle.THROTTLED: "{call} was throttled",
    Obstacle.TOO_LARGE: "{call} returns more than is read",
    Obstacle.REFUSED: "{call} was refused",
    Obstacle.NOT_READ: "the saved configuration does not contain {call}",
}


def in_words(error: MissingError) -> str:
    """Why an answer is missing."""
    operation = error.operation
    call = f"{operation.service}:{operation.name}"
    return _OBSTACLES[error.obstacle].format(call=call, action=error.missing or operation.permission)


def unknown(gate: GateName, error: MissingError, identity: str | None = None) -> Opinion:
    """The opinion where `error` says what could not be read."""
    return Opinion(
        gate=gate,
        answer=GateAnswer.UNKNOWN,
        sentence=in_words(error),
        object=identity,
        missing=error.missing or (error.obstacle.value if error.obstacle else None),
    )


def not_visible(gate: GateName, identity: str, whom: str) -> Opinion:
    """The opinion where `identity` belongs to another account, `whom`, which has to be asked."""
    sentence = f"{identity} is not visible from this account; ask {whom}"
    return Opinion(gate=gate, answer=GateAnswer.UNKNOWN, sentence=sentence, object=identity, missing=whom)


def opinions(gates: Iterable[tuple[GateName, Callable[[], Opinion | None]]]) -> Iterator[Opinion]:
    """The answers of gates in order, UNKNOWN for one whose configuration is missing. Gates behind a refusal are left
    out: whether they would allow is of no use, and reading for them costs calls."""
    for name, check in gates:
        try:
            opinion = check()
        except MissingError as error:
            opinion = unknown(name, error)
        if opinion is not None:
            yield opinion
            if opinion.refuses:
                return
