"""The remedy, proven: each proposed change is applied to the configuration in memory, and the gates are asked again.

What hides behind the first refusal comes to light that way. Nothing is ever changed at AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from probe.configuration.view import View
from probe.gates.changes import Change
from probe.gates.opinion import Opinion
from probe.inspect.by_hand import by_hand, filled
from probe.inspect.legs import Leg
from probe.model import Advice, Cause, Finding, Standing
from probe.records import Record, replace

_MOST_CHANGES = 20
Evaluation = Callable[[View], Sequence[Leg]]  # of the legs of one endpoint


class Mend(Record, frozen=True):
    """A change, and the code of the cause whose refusal asks for it."""

    change: Change
    cause: str | None


class Remedy(Record, frozen=True):
    """The changes that make the gates of an endpoint allow, in the order in which they are needed.

    `blocked_by` is the refusal for which no change is known, None where none is left. `unknown` counts the gates that
    are not known to allow even then.
    """

    mends: tuple[Mend, ...]
    blocked_by: Opinion | None
    unknown: int

    def after(self, earlier: Sequence[Change]) -> Remedy:
        """The same where `earlier` changes, those of other endpoints, are made too."""
        made = list(earlier)
        mends = []
        for mend in self.mends:
            mends.append(replace(mend, change=mend.change.after(made)))
            made.append(mends[-1].change)
        return replace(self, mends=tuple(mends))


def outcome(changes: int, remedies: Sequence[Remedy], *, causes: int = 1) -> str:
    """What the changes of all these endpoints achieve together. `causes`: how many have a part of them."""
    with_these = "With this change" if changes == 1 else "With these changes"
    with_these = with_these if causes == 1 else "With the changes of all these causes"
    blocked = next((each.blocked_by for each in remedies if each.blocked_by is not None), None)
    if blocked is not None:
        return f"{with_these} the next gate refuses: {blocked.sentence}."
    if unknown := sum(each.unknown for each in remedies):
        return f"{with_these} no gate that was read refuses; {unknown} could not be decided."
    return f"{with_these} every gate allows."


def remedy(view: View, evaluate: Evaluation, earlier: Sequence[Change] = ()) -> Remedy | None:
    """The changes for the legs that `evaluate` returns; None where nothing refuses.

    All of them can be made together with `earlier` ones, those of other endpoints: a policy that one of these writes
    is changed further. What the gates need to know after a change is noted in `view`, to be read in the next round.
    """
    mends: list[Mend] = []
    while True:
        changes = [mend.change for mend in mends]
        edited = view.edited(changes)
        legs = evaluate(edited)
        view.want_also(edited)
        refusals = [opinion for leg in legs for opinion in leg.opinions if opinion.refuses]
        if not refusals:
            unknown = sum(opinion.is_open for leg in legs for opinion in leg.opinions)
            return Remedy(tuple(mends), None, unknown).after(earlier) if mends else None
        mend = next((mend for mend in _asked_for(refusals) if mend.change not in changes), None)
        if mend is None or len(mends) == _MOST_CHANGES:
            return Remedy(tuple(mends), refusals[0], 0).after(earlier)
        first = _written_before(mend.change, [change for change in earlier if change not in changes])
        mends.append(Mend(first or mend.change, mend.cause))


def together(view: View, evaluations: Mapping[str, Evaluation], remedies: Mapping[str, Remedy]) -> dict[str, Remedy]:
    """The remedies of all endpoints, where one would undo what another one achieves, or break an endpoint that works.

    A zone that is disassociated for S3, for example, takes with it the records that lead to other endpoints. Such an
    endpoint gets what it needs of the others' changes, and its own behind them.
    """
    result = dict(remedies)
    for name, evaluate in evaluations.items() if remedies else ():
        own = result.get(name)
        if own is not None and own.blocked_by is not None:
            continue
        others = tuple(dict.fromkeys(mend for other, each in result.items() if other != name for mend in each.mends))
        if not others or not _refusals(view, evaluate, (*others, *(own.mends if own else ()))):
            continue
        edited = view.edited([mend.change for mend in others])
        found = remedy(edited, evaluate)
        view.want_also(edited)
        mends = (*others, *(found.mends if found else ()))
        for mend in others if found is None or found.blocked_by is None else ():
            fewer = tuple(each for each in mends if each is not mend)
            mends = mends if _refusals(view, evaluate, fewer) else fewer
        result[name] = Remedy(mends, found.blocked_by if found else None, found.unknown if found else 0)
    return result


def _refusals(view: View, evaluate: Evaluation, mends: Iterable[Mend]) -> list[Opinion]:
    """What refuses after these changes."""
    edited = view.edited([mend.change for mend in mends])
    legs = evaluate(edited)
    view.want_also(edited)
    return [opinion for leg in legs for opinion in leg.opinions if opinion.refuses]


def _written_before(change: Change, earlier: Iterable[Change]) -> Change | None:
    """The change of `earlier` that writes the same policy."""
    return next((other for other in earlier if other.documents & change.documents), None)


def _asked_for(refusals: Iterable[Opinion]) -> Iterator[Mend]:
    return (Mend(refusal.change, refusal.cause) for refusal in refusals if refusal.change is not None)


def with_remedies(
    findings: Sequence[Finding], legs: Sequence[Leg], remedies: Mapping[str, Remedy], region: str
) -> tuple[Finding, ...]:
    """The findings whose confirmed causes have the proven changes as their fix. `remedies` are by endpoint.

    A refusal without a finding hides behind the first one, as a denied manifest behind a denied token: it is mended
    together with it.
    """
    shown = {name for finding in findings for name in finding.endpoints}
    behind = [name for name in remedies if name not in shown]
    first = next((finding for finding in findings if not remedies.keys().isdisjoint(finding.endpoints)), None)
    return tuple(
        _with_remedy(finding, legs, remedies, region, behind if finding is first else ()) for finding in findings
    )


def _with_remedy(
    finding: Finding, legs: Sequence[Leg], remedies: Mapping[str, Remedy], region: str, behind: Sequence[str]
) -> Finding:
    """`behind` are the endpoints whose refusals this finding hides."""
    needed = [remedies[name] for name in (*finding.endpoints, *behind) if name in remedies]
    own = [leg for leg in legs if leg.endpoint.name in finding.endpoints]
    refusals = [(opinion, leg) for leg in own for opinion in leg.opinions if opinion.refuses]
    opinions = [opinion for opinion, _ in refusals]
    curable = {each.cause for each in opinions if each.change is not None or _is_enough(needed)}
    confirmed = [cause.code for cause in finding.causes if cause.standing is Standing.CONFIRMED]
    by_cause = _by_cause([code for code in confirmed if code in curable], opinions, needed)
    busy = sum(bool(changes) for changes in by_cause.values())
    number = sum(map(len, by_cause.values()))
    achieved = outcome(number, needed, causes=busy) if needed else None

    def fixed(cause: Cause) -> Cause:
        same = [(opinion, leg) for opinion, leg in refusals if opinion.cause == cause.code]
        if cause.standing is not Standing.CONFIRMED or not same:
            fix, confirm = (filled(each, own[0]) if own else each for each in (cause.fix, cause.confirm))
            return replace(cause, fix=fix, confirm=confirm)
        if cause.code in by_cause:
            return replace(cause, fix=_advice(by_cause[cause.code], achieved, region))
        return replace(cause, fix=by_hand(*same[0], cause.fix, region))

    return replace(finding, causes=tuple(map(fixed, finding.causes)))


def _is_enough(remedies: Sequence[Remedy]) -> bool:
    """Whether the changes of all these endpoints are known to suffice."""
    return bool(remedies) and all(each.blocked_by is None for each in remedies)


def _by_cause(
    causes: Sequence[str], refusals: Sequence[Opinion], remedies: Sequence[Remedy]
) -> dict[str, list[Change]]:
    """The changes for a finding by the cause that each of them mends: each change once, in the order in which they are
    made. What hides behind a change comes after it, with the same cause.
    """
    # What is proven to be enough is all: a call that goes the right way may need no other policy.
    is_enough = _is_enough(remedies)
    asked = [] if is_enough else [mend for code in causes for mend in _asked_for(refusals) if mend.cause == code]
    by_cause: dict[str, list[Change]] = {code: [] for code in causes}
    made: list[Change] = []
    for mends in (asked, *(each.mends for each in remedies)):
        current = next(iter(causes), None)
        for mend in mends:
            current = mend.cause if mend.cause in by_cause else current
            change = mend.change.after(made)
            if change not in made and current is not None:
                made.append(change)
                by_cause[current].append(change)
    return by_cause


def _advice(changes: Sequence[Change], achieved: str | None, region: str) -> Advice:
    """The changes in words, with their commands. Without one, those of the other causes mend this one too."""
    advice = [change.advice(region) for change in changes]
    text = "; then ".join(each.text for each in advice) or "make the changes of the other causes, which mend this too"
    # What saves a policy is run before the first change of it, and once.
    commands = tuple(dict.fromkeys(command for each in advice for command in each.commands))
    notes = [*(each.note for each in advice if each.note), *([achieved] if achieved else [])]
    return Advice(text, commands, " ".join(dict.fromkeys(notes)) or None)
