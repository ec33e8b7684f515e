"""The last hour as strips: one cell for each round, as wide as its time, and the same in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from probe.history import STRIP, Colour, Round, Snapshot
from probe.model import Pull, Status
from probe.records import Record

WIDTH = 3600  # units
# A sidecar that is young would fill a corner of the hour only, so it begins with less.
_SPANS = {
    timedelta(minutes=5): "The last 5 minutes",
    timedelta(minutes=15): "The last 15 minutes",
    STRIP: "The last hour",
}
_GAP = 0.14  # of a cell, left free after it
_LEAST = 12  # units: a pixel of a phone; what is wrong must not be too narrow to be seen
_LONGEST = 3.0  # intervals; a longer pause than that belongs to no round
_MOST_RUNS = 5
_WORDS = {Colour.ERROR: "failed", Colour.WARNING: "with warnings", Colour.UNKNOWN: "not proven"}


class Cell(Record, frozen=True):
    start: int
    width: int
    colour: Colour


class Strip(Record, frozen=True):
    """`short` stands beside the picture, `spoken` in its place."""

    name: str
    cells: tuple[Cell, ...]
    worst: Colour
    short: str
    spoken: str


class Hour(Record, frozen=True):
    words: str
    begin: datetime
    end: datetime
    strips: tuple[Strip, ...]


def hour(snapshot: Snapshot) -> Hour:
    """It ends where the next round is due, so that the last cell is as wide as the others."""
    rounds = snapshot.strip
    end = rounds[-1].started_at + timedelta(seconds=max(snapshot.interval, rounds[-1].seconds))
    span = next((one for one in _SPANS if end - rounds[0].started_at <= one), STRIP)
    begin = end - span
    spans = list(_spans(rounds, begin, end, snapshot.interval))
    whole = [(one, _whole(one)) for one in rounds]
    names = dict.fromkeys(name for one in reversed(rounds) for name in one.endpoints)
    strips = [_strip("pull", whole, spans)]
    for name in names:
        known = [(one, one.endpoints.get(name, Colour.UNKNOWN)) for one in rounds]
        strips.append(_strip(name, known, spans))
    return Hour(_SPANS[span], begin, end, tuple(strips))


def _whole(one: Round) -> Colour:
    """How the pull was: red where it cannot work, or works and the check fails all the same."""
    if one.pull is Pull.BROKEN or one.status is Status.FAIL:
        return Colour.ERROR
    if one.status is Status.DEGRADED:
        return Colour.WARNING
    return Colour.OK if one.pull is Pull.WORKS and one.status is Status.PASS else Colour.UNKNOWN


def _spans(rounds: Sequence[Round], begin: datetime, end: datetime, interval: float) -> Iterator[tuple[int, int]]:
    """Start and width of each round's cell: until the next one began, if that one came at all soon."""
    for number, one in enumerate(rounds):
        until = rounds[number + 1].started_at if number + 1 < len(rounds) else end
        length = (until - one.started_at).total_seconds()
        if length > _LONGEST * max(interval, one.seconds):
            length = max(interval, one.seconds)
        begun = (one.started_at - begin).total_seconds()
        scale = WIDTH / (end - begin).total_seconds()
        start, stop = (round(seconds * scale) for seconds in (begun, begun + length * (1 - _GAP)))
        yield max(0, start), max(1, stop - max(0, start))  # the oldest one may have begun before the hour did


def _strip(name: str, known: Sequence[tuple[Round, Colour]], spans: Sequence[tuple[int, int]]) -> Strip:
    cells = tuple(
        Cell(start, width if colour is Colour.OK else max(width, _LEAST), colour)
        for (_, colour), (start, width) in zip(known, spans, strict=True)
    )
    counts = {colour: sum(one is colour for _, one in known) for colour in Colour}
    worst = next(colour for colour in (Colour.ERROR, Colour.WARNING, Colour.UNKNOWN, Colour.OK) if counts[colour])
    return Strip(name, cells, worst, _short(known, counts), _spoken(name, known, counts))


def _short(known: Sequence[tuple[Round, Colour]], counts: dict[Colour, int]) -> str:
    if counts[Colour.OK] == len(known):
        return f"{_rounds(len(known))}, all fine"
    first, *others = [(counts[colour], words) for colour, words in _WORDS.items() if counts[colour]]
    said = [f"{first[0]} of {_rounds(len(known))} {first[1]}", *(f"{count} {words}" for count, words in others)]
    return ", ".join(said)


def _spoken(name: str, known: Sequence[tuple[Round, Colour]], counts: dict[Colour, int]) -> str:
    runs = [
        (colour, [one for one, _ in rounds])
        for colour, rounds in groupby(known, key=lambda pair: pair[1])
        if colour is not Colour.OK
    ]
    said = [
        f"{_WORDS[colour]} {rounds[0].started_at:%H:%M}"
        + (f" to {rounds[-1].started_at:%H:%M}, {_rounds(len(rounds))}" if len(rounds) > 1 else ", one round")
        for colour, rounds in runs[-_MOST_RUNS:]
    ]
    if len(runs) > _MOST_RUNS:
        said.insert(0, f"{len(runs) - _MOST_RUNS} earlier spells")
    span = f"{known[0][0].started_at:%H:%M} to {known[-1][0].started_at:%H:%M} UTC"
    return f"{name}, {span}: {_short(known, counts)}{''.join(f'; {one}' for one in said)}"


def _rounds(count: int) -> str:
    return f"{count} round{'' if count == 1 else 's'}"
