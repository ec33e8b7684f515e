"""The events in what AWS's tools print: each with its text and its time. Pure.

Read are the shapes of the APIs (botocore's models of logs, ecs and cloudtrail), the events of EventBridge, and the CSV
and JSON that the CloudWatch console exports. Any other text has no structure here: `text_records` splits it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from probe.arns import REGION
from probe.records import Record, replace

_MAX_DEPTH, _MAX_EVENTS = 8, 20_000
_MILLISECONDS = 100_000_000_000  # an epoch beyond it counts milliseconds
_END_OF_TIME = 253_402_300_800  # the year 10000
_TIME_KEYS = ("@timestamp", "timestamp", "createdAt", "eventTime", "time", "updatedAt", "stoppedAt")
_MESSAGE_KEYS = ("@message", "message")


class Event(Record, frozen=True):
    """One event. `time` is in seconds since 1970, `scope` the service that it is about, `region` that of the call.

    None where the document does not say.
    """

    text: str
    time: float | None = None
    scope: str | None = None
    region: str | None = None


_AROUND = Event("")


def decode_json(text: str) -> Any:
    """The decoded JSON, of several documents one after the other a list; None for any other text."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return [msgspec.json.decode(line) for line in text.splitlines() if line.strip()]
    except (msgspec.DecodeError, RecursionError):
        return None


def read_events(content: Any, text: str) -> tuple[Event, ...]:
    """The events of a document, in its order; empty where it has none."""
    events = _json_events(content, _AROUND, _MAX_DEPTH) if content is not None else _csv_events(text)
    return tuple(event for event, _ in zip(events, range(_MAX_EVENTS), strict=False))


def time_of(value: object) -> float | None:
    """Seconds since 1970 of an instant as AWS writes it: a number, ISO 8601, or the console's form."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        seconds = value / 1000 if value > _MILLISECONDS else float(value)
        return seconds if 0 <= seconds < _END_OF_TIME else None
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdigit() and len(value) < 20:
        return time_of(int(value))
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant.replace(tzinfo=instant.tzinfo or UTC).timestamp()


# ---- JSON -----------------------------------------------------------------------------------------------------------


def _json_events(content: Any, around: Event, depth: int) -> Iterator[Event]:
    """`around` has the time and the region of the event that contains `content`."""
    if not depth:
        return
    if isinstance(content, list):
        row = _fields(content)
        for item in (row,) if row else content:
            yield from _json_events(item, around, depth - 1)
    elif isinstance(content, dict):
        around = _with_facts(around, content)
        own = list(_own_events(content, around, depth))
        yield from own
        for value in () if own else content.values():
            yield from _json_events(value, around, depth - 1)


def _with_facts(around: Event, content: dict[str, Any]) -> Event:
    time = next((at for key in _TIME_KEYS if (at := time_of(content.get(key))) is not None), around.time)
    regions = (content.get(key) for key in ("awsRegion", "region"))
    region = next((name for name in regions if isinstance(name, str) and re.fullmatch(REGION, name)), around.region)
    return replace(around, time=time, region=region)


def _fields(content: list[Any]) -> dict[str, Any]:
    """A row of a Logs Insights query: GetQueryResults returns it as fields with values."""
    pairs = [(item.get("field"), item.get("value")) for item in content if isinstance(item, dict)]
    return {str(name): value for name, value in pairs if name} if len(pairs) == len(content) else {}


def _own_events(content: dict[str, Any], around: Event, depth: int) -> Iterator[Event]:
    """The events that this object is, or that it wraps."""
    if isinstance(record := content.get("CloudTrailEvent"), str):
        yield from _json_events(decode_json(record), around, depth - 1)
    elif isinstance(content.get("eventSource"), str) and isinstance(content.get("eventName"), str):
        yield from _trail_event(content, around)
    elif isinstance(content.get("rolloutState"), str) and isinstance(content.get("rolloutStateReason"), str):
        yield replace(around, text=f"deployment {content['rolloutState']}: {content['rolloutStateReason']}")
    elif isinstance(content.get("eventName"), str) and isinstance(content.get("reason"), str):
        yield replace(around, text=f"{content['eventName']}: {content['reason']}")
    elif "schema_version" not in content and (is_log := _is_log_event(content)) is not None:
        message = decode_json(is_log)
        nested = list(_json_events(message, around, depth - 1)) if isinstance(message, dict) else []
        yield from nested or [replace(around, text=is_log)]


def _is_log_event(content: dict[str, Any]) -> str | None:
    """The message of an event of a log group, or of an ECS service."""
    message = next((content[key] for key in _MESSAGE_KEYS if isinstance(content.get(key), str)), None)
    dated = any(time_of(content.get(key)) is not None for key in _TIME_KEYS)
    return message if dated or "@message" in content else None


def _trail_event(record: dict[str, Any], around: Event) -> Iterator[Event]:
    """A call, and the error where it failed, as CloudTrail records them."""
    code, message = record.get("errorCode"), record.get("errorMessage")
    error = f": {code}: {message if isinstance(message, str) else ''}" if isinstance(code, str) else ""
    source = record["eventSource"].removesuffix(".amazonaws.com")
    yield replace(around, text=f"{source} {record['eventName']}{error}")


# ---- CSV ------------------------------------------------------------------------------------------------------------


def _csv_events(text: str) -> Iterator[Event]:
    """The rows of an export of the console: `timestamp,message`, or the fields of a Logs Insights query."""
    lines = text.lstrip().splitlines(keepends=True)
    header = lines[0] if lines else ""
    delimiter = next((mark for mark in (",", ";", "\t") if mark in header), ",")
    names = [name.strip().strip('"').lower() for name in header.split(delimiter)]
    column = next((names.index(key) for key in _MESSAGE_KEYS if key in names), None)
    if column is None or len(header) > 1000 or not any(key.lower() in names for key in _TIME_KEYS):
        return
    at = next(names.index(key.lower()) for key in _TIME_KEYS if key.lower() in names)
    for row in _rows(lines[1:], delimiter):
        if len(row) > max(column, at):
            yield Event(row[column], time_of(row[at]))


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return
