"""The order of events: later lines decide, and a failure that a later success ends is over. Pure.

ECS, the console and some exports list the newest event first, logs the oldest. Only times are compared, never places
in the text; without times a text is read in its own order.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from probe.explain.documents import Event, time_of
from probe.explain.task_context import image_of
from probe.explain.text_records import MAX_RECORDS, split_records
from probe.records import Record, replace

_ANOTHER_ATTEMPT = 15 * 60  # seconds; ECS and the kubelet retry sooner
_NEAR_THE_START = 90  # characters in which a line has its time
_DAY_AND_TIME = r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d{1,9})?\s?(Z|UTC|[+-]\d\d:?\d\d)?"
_DATED = re.compile(rf"(?<![\d-]){_DAY_AND_TIME}")
_WITHOUT_YEAR = re.compile(
    r"^(?:[EWIF](?P<month>\d\d)(?P<day>\d\d)|(?P<name>[A-Z][a-z]{2}) +(?P<date>\d{1,2})) (?P<time>\d\d:\d\d:\d\d)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AGE_FORM = r"(?P<age>(?:\d{1,4}[dhms]){1,3})"
# Of `kubectl describe` (type, reason, age) and `kubectl get events` (age, type, reason).
_AGES = (
    re.compile(rf"^(?:Normal|Warning) \w{{1,40}} {_AGE_FORM}(?: \(|\s)"),
    re.compile(rf"^{_AGE_FORM}(?: \([^)]{{1,40}}\))? (?:Normal|Warning) "),
)
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SERVICE = re.compile(r"\(service (?P<name>[\w-]{1,255})[,)]", re.ASCII)
# Words of ECS, the kubelet, containerd and Docker on a start or pull that succeeded.
_STARTED = re.compile(r"has reached a steady state|\) deployment completed|^task \S{1,400} is RUNNING")
_PULLED = re.compile(
    r"successfully pulled image|\bpullimage .{1,400} returns image reference|status: downloaded newer image for"
    r"|status: image is up to date for|finished pulling (?:container )?image",
    re.IGNORECASE,
)
_ROLLED_BACK = re.compile(r"rolling back to|rolled back")


class Entry(Record, frozen=True):
    """One record of a text, with its time. `scope`: the service whose event it is."""

    text: str
    time: float | None = None
    scope: str | None = None
    region: str | None = None

    @property
    def image(self) -> str | None:
        """The image that the record names, without its digest."""
        return image_of(self.text)


class Success(Record, frozen=True):
    """A start or pull that succeeded, in a sentence, after the last failure `entry`."""

    entry: Entry
    sentence: str


def entries_of(events: Iterable[Event]) -> tuple[Entry, ...]:
    """The records of all events, the oldest first where they have times, each once."""
    entries = [
        Entry(text, event.time, event.scope or _scope(text), event.region)
        for event in events
        for text in split_records(event.text)
    ]
    if all(entry.time is None for entry in entries):
        entries = _dated(entries)
    if all(entry.time is None for entry in entries):
        return tuple({entry.text: entry for entry in reversed(entries)}.values())[::-1][-MAX_RECORDS:]
    entries = _sorted(entries)
    # Of equal texts the newest stays: a failure may return after a success.
    newest = {(entry.text, entry.scope): entry for entry in entries}
    return tuple(entry for entry in entries if newest[entry.text, entry.scope] is entry)[-MAX_RECORDS:]


def current(entries: tuple[Entry, ...], is_failure: Callable[[str], bool]) -> tuple[tuple[Entry, ...], Success | None]:
    """The entries without failures that are over; and a success, where it ended the last failure of all."""
    if all(entry.time is None for entry in entries):
        return entries, None
    failures = [entry for entry in entries if is_failure(entry.text)]
    subjects = _subjects(entries)
    ended = _ended(failures, entries, subjects)
    newest = {subjects[failure]: _time(failure) for failure in failures}  # in the order of time
    over = {failure for failure in failures if failure in ended or _is_older(failure, newest[subjects[failure]])}
    if failures and len(over) == len(failures) and ended:
        last = max(ended, key=_time)
        return entries, Success(last, _sentence(ended[last]))
    return tuple(entry for entry in entries if entry not in over), None


def _time(entry: Entry) -> float:
    return entry.time or 0.0


def _scope(text: str) -> str | None:
    service = _SERVICE.search(text[:400])
    return service["name"] if service else None


def _subjects(entries: Iterable[Entry]) -> dict[Entry, tuple[str | None, str | None]]:
    """What each entry is about: its service, or else its image, which may be the only one of the whole text."""
    images = {entry: entry.image for entry in entries}
    named = {image for image in images.values() if image}
    only = next(iter(named)) if len(named) == 1 else None
    return {entry: (entry.scope, None if entry.scope else image or only) for entry, image in images.items()}


def _ended(
    failures: Iterable[Entry], entries: Iterable[Entry], subjects: dict[Entry, tuple[str | None, str | None]]
) -> dict[Entry, Entry]:
    """The failures after which their service started or their image was pulled, each with its first success.

    After a rollback, a steady state is that of the old version.
    """
    successes: dict[tuple[str | None, str | None], list[Entry]] = {}
    rolled_back: dict[str | None, float] = {}
    for entry in entries:  # in the order of time
        if _STARTED.search(entry.text) or _PULLED.search(entry.text):
            successes.setdefault(subjects[entry], []).append(entry)
        if _ROLLED_BACK.search(entry.text):
            rolled_back[entry.scope] = _time(entry)
    ended: dict[Entry, Entry] = {}
    for failure in failures:
        later = successes.get(subjects[failure], [])
        first = bisect_right(later, _time(failure), key=_time)
        if first < len(later) and rolled_back.get(failure.scope, -math.inf) < _time(failure):
            ended[failure] = later[first]
    return ended


def _is_older(failure: Entry, newest: float) -> bool:
    """Whether a later failure of the same service, or a much later one of the same image, takes its place."""
    return failure.time is not None and newest > failure.time + (0 if failure.scope else _ANOTHER_ATTEMPT)


def _sentence(success: Entry) -> str:
    what = "a later pull succeeded" if _PULLED.search(success.text) else "the service started its tasks later"
    if success.text.startswith("task "):
        what = "a later task started"
    # A smaller time is an age, or that of a line without a year.
    is_date = success.time is not None and success.time > 366 * _UNITS["d"]
    at = datetime.fromtimestamp(success.time or 0, UTC).strftime(" at %Y-%m-%dT%H:%M:%SZ") if is_date else ""
    return f"{what}{at}"


# ---- times in the text ----------------------------------------------------------------------------------------------


def _dated(entries: list[Entry]) -> list[Entry]:
    """The entries with the times that their texts begin with. A record without one continues the record before it."""
    for read in (_absolute, _within_a_year, _age):
        times = [read(entry.text) for entry in entries]
        if any(time is not None for time in times):
            dated: list[Entry] = []
            last: float | None = None
            for entry, time in zip(entries, times, strict=True):
                last = last if time is None else time
                dated.append(replace(entry, time=last))
            return dated
    return entries


def _absolute(text: str) -> float | None:
    match = _DATED.search(text[:_NEAR_THE_START])
    if match is None or "expired" in text[: match.start()]:
        return None  # the time of a signature
    year, month, day, time, zone = match.groups()
    offset = "+00:00" if zone in (None, "Z", "UTC") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    return time_of(f"{year}-{month}-{day}T{time}{offset}")


def _within_a_year(text: str) -> float | None:
    """Seconds since the start of an unknown year."""
    match = _WITHOUT_YEAR.match(text)
    if match is None or (match["name"] and match["name"] not in _MONTHS):
        return None
    month = int(match["month"]) if match["month"] else _MONTHS.index(match["name"]) + 1
    day = int(match["day"] or match["date"])
    return time_of(f"1970-{month:02d}-{day:02d}T{match['time']}+00:00")


def _age(text: str) -> float | None:
    """Seconds before now, negative."""
    match = next(filter(None, (form.match(text) for form in _AGES)), None)
    if match is None:
        return None
    return -float(sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", match["age"])))


def _sorted(entries: list[Entry]) -> list[Entry]:
    times = [entry.time for entry in entries if entry.time is not None]
    if times[0] > times[-1]:
        entries = entries[::-1]  # the newest first: those of one instant are reversed too
    return sorted(entries, key=lambda entry: -math.inf if entry.time is None else entry.time)
