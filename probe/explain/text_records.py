"""A text made plain, and cut into records: the errors in it, each in one line. Pure.

What people paste comes out of terminals, consoles, JSON and log files: quoted, escaped, coloured, wrapped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

LIMIT = 1024 * 1024  # characters; ECS cuts its reasons at 1024, and an error is never far from the end of its log
_RECORD = 8000  # characters that are looked at of one record
_JOINED = 4000  # characters of lines that are taken for one record where nothing says that another begins
_MOST = 5000  # records
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u200b": "", "\ufeff": ""})
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ESCAPED = re.compile(r'\\+(?:u00([0-9a-fA-F]{2})|(["/nrt]))')
_BLANKS = {"n": " ", "r": " ", "t": " "}
# Where a new record begins; any other line goes on with the one before: SDKs and terminals break their lines.
_BEGIN = re.compile(
    r"\s*(?:[|>*-] *)?(?:"
    r"[\[(<]?\d{4}[-/]\d\d[-/]\d\d[T ]\S+ +(?!is )\S"  # a date, and words behind it
    r"|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|[EWIF]\d{4} "  # a time, syslog's, klog's
    r"|\[?(?:ERROR|WARN|INFO|DEBUG|FATAL|CRITICAL)|(?:level|time|ts)=|\{"  # a level, logfmt, JSON
    # ECS's own names; those of SDKs stand in the middle of errors
    r"|(?:Cannot\w+|ResourceInitialization|ContainerRuntimeTimeout|DockerTimeout|ContainerNetworking)Error: "
    r"|Error response from daemon|Failed to pull|Warning  |STOPPED "
    r")"
)
# A line that leaves something open is not the end of a record.
_OPEN = re.compile(r"(?:reason|[(:|,])\s*$", re.IGNORECASE)
# A terminal breaks long URLs wherever they are: what goes on in the next line is the same query.
_IN_A_QUERY = re.compile(r"(?:/[^\s\"'<>]*|^)\?[^\s\"'<>]*$")
# What a program says of an error, whatever the error is.
_ERROR = re.compile(
    r"error|fail|can(?:no|')t|unable|denied|refused|time[ds]? ?out|exception|unauthori[sz]ed|not authorized|forbidden"
    r"|not found|no such|unreachable|invalid|unexpected|signal: |stopped|x509|exit (?:code|status)|panic|fatal"
    r"|does(?: not|n't) (?:exist|support)|not reach|killed|toomanyrequests|rate exceeded|no space|\bEOF\b"
    r"|no basic auth|mismatch|unavailable|RESOURCE:",
    re.IGNORECASE,
)


def plain_text(text: str) -> str:
    """Without colours, typographic quotes, and the escapes of JSON and HTML."""
    text = _COLOURS.sub("", text.translate(_QUOTES))
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else _BLANKS.get(found[2], found[2]), text)
    return html.unescape(text) if "&" in text else text


def split_records(text: str) -> tuple[str, ...]:
    """The errors in a text, each in one line, in their order."""
    return tuple(dict.fromkeys(_records(text)))[-_MOST:]


def _records(text: str) -> Iterator[str]:
    waiting: list[str] = []
    for line in text.splitlines():
        # The AWS CLI puts several reasons into one line, tabs between them. A blank line ends a record too.
        for piece in filter(str.strip, line.split("\t")):
            begins = _BEGIN.match(piece) and not (waiting and _OPEN.search(waiting[-1][-20:]))
            if waiting and (begins or sum(map(len, waiting)) > _JOINED):
                yield from _one(waiting)
                waiting = []
            waiting.append(piece)
        if not line.strip():
            yield from _one(waiting)
            waiting = []
    yield from _one(waiting)


def _one(lines: list[str]) -> Iterator[str]:
    record = " ".join(plain_text(_joined(lines)).split())
    if record:
        # Its head names the step, its end the failure.
        yield record if len(record) <= _RECORD else f"{record[: _RECORD // 4]} … {record[-_RECORD * 3 // 4 :]}"


def _joined(lines: list[str]) -> str:
    text = ""
    for line in lines:
        last, more = text[text.rfind(" ") + 1 :], line.lstrip()
        goes_on = _IN_A_QUERY.search(last) or ("/" in last and more.startswith("?"))
        text = f"{text}{more}" if goes_on else f"{text} {line}"
    return text


def mentions_error(text: str) -> bool:
    """Whether a text speaks of an error at all."""
    return _ERROR.search(text) is not None
