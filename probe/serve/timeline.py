"""The last hour, drawn: a strip with a cell per round for the pull and each endpoint, and a line of latencies. Pure.

Everything that is drawn is also put into words, for readers who do not see it and for the pointer that rests on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from probe.history import STRIP, Colour, Round, Snapshot
from probe.model import Pull, Status
from probe.narration import counted, duration, few
from probe.records import Record

WIDTH = 3600  # units of a drawing
LINE = 12  # half the height of a strip
LATENCY_HEIGHT = 100
# A young sidecar would fill only a corner of the hour, so it begins with a shorter span.
_SPANS = {
    timedelta(minutes=5): "The last 5 minutes",
    timedelta(minutes=15): "The last 15 minutes",
    STRIP: "The last hour",
}
_GAP = 0.14  # of a cell, left free after it
_LEAST = 12  # units: a pixel of a phone; a cell that is not fine must be wide enough to be seen
_LONGEST = 3.0  # intervals; a longer pause belongs to no round
_MOST_SPOKEN = 5  # spells that a strip lists in words
_MOST_TITLED = 24  # spells with a title of their own; an hour of alternating rounds has hundreds
_MOST_POINTS = 120  # of a line of latencies
_FULL_HEIGHT = 0.01  # seconds: what stays below is drawn flat, since it is noise
_WORDS = {Colour.ERROR: "failed", Colour.WARNING: "with warnings", Colour.UNKNOWN: "not proven"}


class Cell(Record, frozen=True):
    start: int
    width: int
    colour: Colour


class Spell(Record, frozen=True):
    """Rounds in a row that were not fine, with the same findings; `title` lists them and the time."""

    start: int
    width: int
    title: str


class LatencyLine(Record, frozen=True):
    """An endpoint's latencies as an SVG path; `short` is shown next to it, `spoken` is its accessible name."""

    path: str
    short: str
    spoken: str


class Strip(Record, frozen=True):
    """`short` is shown next to the strip, `spoken` is its accessible name. `latency`: None if nothing was measured."""

    name: str
    cells: tuple[Cell, ...]
    spells: tuple[Spell, ...]
    worst: Colour
    short: str
    spoken: str
    latency: LatencyLine | None

    @property
    def paths(self) -> list[tuple[Colour, str]]:
        """An SVG path for each color, the worst one last so that it lies on top."""
        order = (Colour.UNKNOWN, Colour.OK, Colour.WARNING, Colour.ERROR)
        return [(colour, path) for colour in order if (path := _path(self.cells, colour))]


class Hour(Record, frozen=True):
    title: str
    begin: datetime
    end: datetime
    strips: tuple[Strip, ...]

    @property
    def middle(self) -> datetime:
        return self.begin + (self.end - self.begin) / 2


class _State(Record, frozen=True):
    """What one strip shows of one round."""

    round: Round
    colour: Colour
    codes: tuple[str, ...]
    start: int
    width: int


def hour(snapshot: Snapshot) -> Hour:
    """It ends where the next round is due, so that the last cell is as wide as the others."""
    rounds = snapshot.strip
    end = rounds[-1].started_at + timedelta(seconds=max(snapshot.interval, rounds[-1].seconds))
    span = next((span for span in _SPANS if end - rounds[0].started_at <= span), STRIP)
    begin = end - span
    places = list(_places(rounds, begin, end, snapshot.interval))
    strips = [_strip("pull", [_pull_state(past, place) for past, place in zip(rounds, places, strict=True)])]
    for name in dict.fromkeys(name for past in reversed(rounds) for name in past.endpoints):
        strips.append(_strip(name, [_state(past, place, name) for past, place in zip(rounds, places, strict=True)]))
    return Hour(_SPANS[span], begin, end, tuple(strips))


def _places(rounds: Sequence[Round], begin: datetime, end: datetime, interval: float) -> Iterator[tuple[int, int]]:
    """Start and width of each round's cell: until the next round began, unless a pause lies between them."""
    scale = WIDTH / (end - begin).total_seconds()
    for number, past in enumerate(rounds):
        until = rounds[number + 1].started_at if number + 1 < len(rounds) else end
        length = (until - past.started_at).total_seconds()
        if length > _LONGEST * max(interval, past.seconds):
            length = max(interval, past.seconds)
        started = (past.started_at - begin).total_seconds()
        start, stop = (round(seconds * scale) for seconds in (started, started + length * (1 - _GAP)))
        yield max(0, start), max(1, stop - max(0, start))  # the oldest round may have begun before the hour


def _pull_state(past: Round, place: tuple[int, int]) -> _State:
    return _State(past, _pull_colour(past), past.errors + past.warnings, *place)


def _state(past: Round, place: tuple[int, int], name: str) -> _State:
    return _State(past, past.endpoints.get(name, Colour.UNKNOWN), past.codes.get(name, ()), *place)


def _pull_colour(past: Round) -> Colour:
    """Red where the pull is broken, or works while the check fails."""
    if past.pull is Pull.BROKEN or past.status is Status.FAIL:
        return Colour.ERROR
    if past.status is Status.DEGRADED:
        return Colour.WARNING
    return Colour.OK if past.pull is Pull.WORKS and past.status is Status.PASS else Colour.UNKNOWN


def _strip(name: str, states: Sequence[_State]) -> Strip:
    counts = {colour: sum(state.colour is colour for state in states) for colour in Colour}
    worst = next(colour for colour in (Colour.ERROR, Colour.WARNING, Colour.UNKNOWN, Colour.OK) if counts[colour])
    spells = list(_spells(states))
    return Strip(
        name=name,
        cells=tuple(_cell(state) for state in states),
        spells=tuple(spells[-_MOST_TITLED:]),
        worst=worst,
        short=_short(len(states), counts),
        spoken=_spoken(name, states, counts, spells),
        latency=_latency(name, states),
    )


def _cell(state: _State) -> Cell:
    width = state.width if state.colour is Colour.OK else max(state.width, _LEAST)
    return Cell(state.start, width, state.colour)


def _path(cells: Iterable[Cell], colour: Colour) -> str:
    parts = []
    x, down = 0, LINE
    for cell in cells:
        if cell.colour is colour:
            parts.append(f"m{cell.start - x} {down}h{cell.width}")
            x, down = cell.start + cell.width, 0
    return "".join(parts)


# ---- in words --------------------------------------------------------------------------------------------------------


def _spells(states: Sequence[_State]) -> Iterator[Spell]:
    for (colour, codes), group in groupby(states, key=lambda state: (state.colour, state.codes)):
        if colour is Colour.OK:
            continue
        spell = list(group)
        first, last = spell[0], spell[-1]
        when = f"{first.round.started_at:%H:%M}"
        if len(spell) > 1:
            when += f" to {last.round.started_at:%H:%M}"
        codes_text = f": {few(codes, 4)}" if codes else ""
        title = f"{_WORDS[colour]} {when} UTC, {_rounds(len(spell))}{codes_text}"
        yield Spell(first.start, max(last.start + last.width - first.start, _LEAST), title)


def _short(total: int, counts: dict[Colour, int]) -> str:
    if counts[Colour.OK] == total:
        return f"{_rounds(total)}, all fine"
    first, *others = [(counts[colour], word) for colour, word in _WORDS.items() if counts[colour]]
    parts = [f"{first[0]} of {_rounds(total)} {first[1]}", *(f"{count} {word}" for count, word in others)]
    return ", ".join(parts)


def _spoken(name: str, states: Sequence[_State], counts: dict[Colour, int], spells: Sequence[Spell]) -> str:
    titles = [spell.title for spell in spells[-_MOST_SPOKEN:]]
    if len(spells) > _MOST_SPOKEN:
        titles.insert(0, f"{len(spells) - _MOST_SPOKEN} earlier spells")
    span = f"{states[0].round.started_at:%H:%M} to {states[-1].round.started_at:%H:%M} UTC"
    return "; ".join([f"{name}, {span}: {_short(len(states), counts)}", *titles])


def _rounds(count: int) -> str:
    return counted(count, "round")


# ---- latencies -------------------------------------------------------------------------------------------------------


def _latency(name: str, states: Sequence[_State]) -> LatencyLine | None:
    """The slowest step that succeeded in each round; a gap where none did."""
    measured = [state.round.latencies.get(name) for state in states]
    latencies = [seconds for seconds in measured if seconds is not None]
    if not latencies:
        return None
    now = duration(measured[-1]) if measured[-1] is not None else "–"
    spoken_now = "none" if measured[-1] is None else now
    fastest, most = duration(min(latencies)), duration(max(latencies))
    return LatencyLine(
        path=_line(states, measured),
        short=f"slowest step {now}" if now == most else f"slowest step {now}, max {most}",
        spoken=f"{name}, slowest step of each round: {spoken_now} in the last round, {fastest} to {most}",
    )


def _line(states: Sequence[_State], measured: Sequence[float | None]) -> str:
    """Several rounds share a point where there are many: the slowest one counts, so that no peak is lost."""
    per_point = -(-len(states) // _MOST_POINTS)
    scale = (LATENCY_HEIGHT - 10) / max(_FULL_HEIGHT, *(seconds for seconds in measured if seconds is not None), 0.0)
    parts = []
    move = "M"
    for index in range(0, len(states), per_point):
        group = states[index : index + per_point]
        latencies = [seconds for seconds in measured[index : index + per_point] if seconds is not None]
        if not latencies:
            move = "M"
            continue
        y = LATENCY_HEIGHT - 5 - round(max(latencies) * scale)
        end = group[-1].start + group[-1].width
        parts.append(f"{move}{group[0].start} {y}H{end}")
        move = "L"
    return "".join(parts)
