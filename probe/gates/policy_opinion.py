"""From what documents say to a gate's opinion, in words that quote the statement."""

from __future__ import annotations

from probe.gates.call import Call
from probe.gates.changes import Change
from probe.gates.opinion import Opinion
from probe.gates.policy import Ruling
from probe.model import GateAnswer, GateName


def opinion_of(
    ruling: Ruling,
    gate: GateName,
    call: Call,
    identity: str | None,
    *,
    whose: str,
    cause: str,
    change: Change | None = None,
) -> Opinion:
    """`whose` is the policy in a sentence; a document's own name takes its place where there are several."""
    refuses = ruling.answer is GateAnswer.REFUSES
    return Opinion(
        gate=gate,
        answer=ruling.answer,
        sentence=_sentence(ruling, call, whose),
        object=identity,
        element=ruling.statement,
        cause=cause if refuses else None,
        missing=ruling.problem,
        change=change if refuses else None,
        explicit=ruling.explicit,
    )


def _sentence(ruling: Ruling, call: Call, whose: str) -> str:
    policy = ruling.policy or whose
    keys = " and ".join(ruling.keys)
    statement = _named(ruling.statement)
    match ruling.answer:
        case GateAnswer.ALLOWS:
            return f"{statement} of {policy} allows {call.words}"
        case GateAnswer.DEPENDS:
            verb = "denies" if ruling.explicit else "allows"
            return f"{statement} of {policy} {verb} {call.words}, depending on {keys}"
        case GateAnswer.UNKNOWN:
            return f"{policy} cannot be evaluated: {ruling.problem}"
    if ruling.explicit:
        return f"{statement} of {policy} denies {call.words}"
    if ruling.mismatch:
        return f"no statement of {whose} allows {call.words}; the {ruling.mismatch} of {statement} does not match"
    return f"no statement of {whose} allows {call.words}"


def _named(label: str | None) -> str | None:
    """A statement by its Sid or, where it has none, by its place."""
    return label if label is None or label.startswith("Statement[") else f"the statement {label}"
