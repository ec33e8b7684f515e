"""The remedy, proven: each proposed change is applied to the configuration in memory, and the gates are asked again.

What hides behind the first refusal comes to light that way. Nothing is ever changed at AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from probe.configuration.view import View
from probe.gates.changes import Change
from probe.gates.opinion import Opinion
from probe.inspect.legs import Leg
from probe.model import Advice, Cause, Finding, GateName, Standing
from probe.records import Record, replace

# What a cause's usual fix adds there, such as a default route, does not mend one that exists and leads nowhere.
_OF_WAYS = (GateName.ROUTE, GateName.PUBLIC_PATH)
_MOST_CHANGES = 20


class Remedy(Record, frozen=True):
    """The changes that make the gates of an endpoint allow, in the order in which they are needed.

    `blocked_by` is the refusal for which no change is known, None where none is left. `unknown` counts the gates that
    are not known to allow even then.
    """

    changes: tuple[Change, ...]
    blocked_by: Opinion | None
    unknown: int


def outcome(changes: int, remedies: Sequence[Remedy]) -> str:
    """What the changes of all these endpoints achieve together."""
    with_these = "With this change" if changes == 1 else "With these changes"
    blocked = next((each.blocked_by for each in remedies if each.blocked_by is not None), None)
    if blocked is not None:
        return f"{with_these} the next gate refuses: {blocked.sentence}."
    if unknown := sum(each.unknown for each in remedies):
        return f"{with_these} no gate that was read refuses; {unknown} could not be decided."
    return f"{with_these} every gate allows."


def remedy(view: View, evaluate: Callable[[View], Sequence[Leg]]) -> Remedy | None:
    """The changes for the legs that `evaluate` returns; None where nothing refuses.

    What the gates need to know after a change is noted down in `view`, to be read in the next round.
    """
    changes: list[Change] = []
    while True:
        edited = view.edited(changes)
        legs = evaluate(edited)
        view.want_also(edited)
        refusals = [opinion for leg in legs for opinion in leg.opinions if opinion.refuses]
        if not refusals:
            unknown = sum(not opinion.allows for leg in legs for opinion in leg.opinions)
            return Remedy(tuple(changes), None, unknown) if changes else None
        change = next(_new(refusals, changes), None)
        if change is None or len(changes) == _MOST_CHANGES:
            return Remedy(tuple(changes), refusals[0], 0)
        changes.append(change)


def _new(refusals: Sequence[Opinion], made: Sequence[Change]) -> Iterator[Change]:
    return (refusal.change for refusal in refusals if refusal.change is not None and refusal.change not in made)


def with_remedies(
    findings: Iterable[Finding], legs: Sequence[Leg], remedies: Mapping[str, Remedy], region: str
) -> tuple[Finding, ...]:
    """The findings whose confirmed causes have the proven changes as their fix. `remedies` are by endpoint."""
    return tuple(_with_remedy(finding, legs, remedies, region) for finding in findings)


def _with_remedy(finding: Finding, legs: Sequence[Leg], remedies: Mapping[str, Remedy], region: str) -> Finding:
    own = [leg for leg in legs if leg.endpoint.name in finding.endpoints]
    needed = [remedies[name] for name in finding.endpoints if name in remedies]
    refusals = [opinion for leg in own for opinion in leg.opinions if opinion.refuses]

    def fixed(cause: Cause) -> Cause:
        if cause.standing is not Standing.CONFIRMED:
            return cause
        same = [opinion for opinion in refusals if opinion.cause == cause.code]
        changes = [opinion.change for opinion in same if opinion.change]
        if not changes:
            unmended = next((opinion for opinion in same if opinion.gate in _OF_WAYS), None)
            return cause if unmended is None else replace(cause, fix=_by_hand(unmended))
        # What is proven to be enough is all: a call that goes the right way may need no other policy.
        is_enough = bool(needed) and all(each.blocked_by is None for each in needed)
        return replace(cause, fix=_advice(() if is_enough else changes, needed, region))

    return replace(finding, causes=tuple(map(fixed, finding.causes)))


def _by_hand(refusal: Opinion) -> Advice:
    """The fix of a way that leads nowhere: which one is right depends on the network, so no command is printed."""
    what = f"{refusal.element} of {refusal.object}" if refusal.element else str(refusal.object)
    return Advice(f"correct {what}, or replace it", note="No change of this configuration alone is known to mend it.")


def _advice(first: Iterable[Change], remedies: Sequence[Remedy], region: str) -> Advice:
    """The changes that the gates ask for, then those that hide behind them, each once."""
    made: list[Change] = []
    for change in (*first, *(change for each in remedies for change in each.changes)):
        own = change.after(made)
        made += [own] if own is not None else []
    advice = [change.advice(region) for change in made]
    text = "; then ".join(each.text for each in advice)
    commands = tuple(command for each in advice for command in each.commands)
    notes = [*(each.note for each in advice if each.note), *([outcome(len(advice), remedies)] if remedies else [])]
    return Advice(text, commands, " ".join(dict.fromkeys(notes)) or None)
