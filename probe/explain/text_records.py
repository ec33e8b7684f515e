"""Split a text into records: the errors in it, each on one line. Pure.

People paste from terminals, consoles, JSON and log files, so the text may be quoted, escaped, colored or wrapped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

MAX_CHARACTERS = 1024 * 1024  # ECS cuts its reasons at 1024, and an error is near the end of its log
_RECORD_LIMIT = 8000  # characters of one record
_JOIN_LIMIT = 4000  # characters of lines that are joined without a sign that a new record begins
MAX_RECORDS = 5000
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u200b": "", "\ufeff": ""})
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ESCAPED = re.compile(r'\\+(?:u00([0-9a-fA-F]{2})|(["/nrt]))')
_WHITESPACE = {"n": " ", "r": " ", "t": " "}
# How a new record begins. Any other line continues the one before it: SDKs and terminals break lines.
_RECORD_START = re.compile(
    r"\s*(?:[|>*-] *)?(?:"
    r"[\[(<]?\d{4}[-/]\d\d[-/]\d\d[T ]\S+ +(?!is )\S"  # a date, and words after it
    r"|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|[EWIF]\d{4} "  # a time, syslog's, klog's
    r"|\[?(?:ERROR|WARN|INFO|DEBUG|FATAL|CRITICAL)|(?:level|time|ts)=|\{"  # a level, logfmt, JSON
    # ECS's own error names; those of SDKs also occur in the middle of errors
    r"|(?:Cannot\w+|ResourceInitialization|ContainerRuntimeTimeout|DockerTimeout|ContainerNetworking)Error: "
    r"|Error response from daemon|Failed to pull|STOPPED |(?:Normal|Warning)  "
    r"|\d{1,4}[smhd]\S{0,12} +(?:\(\S[^)]{0,40}\) +)?(?:Normal|Warning)  "  # kubectl get events
    r")"
)
# An event of a service, in YAML and as text: it begins after any line.
_EVENT_START = re.compile(r"\s*(?:- )?createdAt: |EVENTS\s*$")
# The end of a line that the next one continues.
_UNFINISHED = re.compile(r"(?:reason|[(:|,])\s*$", re.IGNORECASE)
# A terminal breaks long URLs at any character: the next line continues the query.
_IN_A_QUERY = re.compile(r"(?:/[^\s\"'<>]*|^)\?[^\s\"'<>]*$")
_NARROWEST = 40  # columns of a terminal
_DIGEST_BEGIN, _HEX, _DIGEST_DIGITS = re.compile(r"sha256:([0-9a-f]*)$"), re.compile(r"[0-9a-f]+"), 64
# Words of an error message of any program.
_ERROR_WORDS = re.compile(
    r"error|fail|can(?:no|')t|unable|denied|refused|time[ds]? ?out|exception|unauthori[sz]ed|not authorized|forbidden"
    r"|not found|no such|unreachable|invalid|unexpected|signal: |stopped|x509|exit (?:code|status)|panic|fatal"
    r"|does(?: not|n't) (?:exist|support)|not reach|killed|toomanyrequests|rate exceeded|no space|\bEOF\b"
    r"|no basic auth|mismatch|unavailable|RESOURCE:|no progress|does not have permission|exceeded|forcibly|aborted"
    r"|not (?:valid|supported|allowed|permitted|recogni[sz]ed|available)|could(?: not|n't)|reject|bad request|missing"
    r"|\"(?:blocked|drop|reject|BLOCK)\"|TCP_DENIED"
    r"|unsupported|malformed|cancel|connectex|wsa(?:recv|send)|\btls: |limit|reset|conflict",
    re.IGNORECASE,
)


def plain_text(text: str) -> str:
    """Remove colors, typographic quotes, and the escapes of JSON and HTML."""
    text = _COLOURS.sub("", text.translate(_QUOTES))
    text = _ESCAPED.sub(lambda code: chr(int(code[1], 16)) if code[1] else _WHITESPACE.get(code[2], code[2]), text)
    return html.unescape(text) if "&" in text else text


def split_records(text: str) -> tuple[str, ...]:
    """The records of a text in their order, each on one line and only once."""
    return tuple(dict.fromkeys(_records(text)))[-MAX_RECORDS:]


def _records(text: str) -> Iterator[str]:
    lines: list[str] = []  # of the current record
    for line in text.splitlines():
        # The AWS CLI prints several reasons on one line, separated by tabs. A blank line also ends a record.
        for piece in filter(str.strip, line.split("\t")):
            complete = not (lines and _UNFINISHED.search(lines[-1][-20:]))
            starts = _EVENT_START.match(piece) or (complete and _RECORD_START.match(piece))
            if lines and (starts or sum(map(len, lines)) > _JOIN_LIMIT):
                yield from _joined_record(lines)
                lines = []
            lines.append(piece)
        if lines and not line.strip():
            yield from _joined_record(lines)
            lines = []
    yield from _joined_record(lines)


def _joined_record(lines: list[str]) -> Iterator[str]:
    """Lines as one record; nothing where they are blank."""
    record = " ".join(plain_text(_join_lines(lines)).split())
    if len(record) > _RECORD_LIMIT:
        # The beginning names the step, the end the failure.
        record = f"{record[: _RECORD_LIMIT // 4]} … {record[-_RECORD_LIMIT * 3 // 4 :]}"
    if record:
        yield record


def _join_lines(lines: list[str]) -> str:
    text, width, last = "", _width_of_terminal(lines), ""
    for line in lines:
        last_word, continuation = text[text.rfind(" ") + 1 :], line.lstrip()
        same_url = _IN_A_QUERY.search(last_word) or ("/" in last_word and continuation.startswith("?"))
        same_word = len(last) == width and not last.endswith(" ") and not line.startswith(" ")
        same = same_url or same_word or _is_rest_of_digest(last_word, continuation)
        text, last = f"{text}{continuation}" if same else f"{text} {line}", line
    return text


def _width_of_terminal(lines: list[str]) -> int | None:
    """The width at which a terminal broke lines within words: all but the last are full, or end in a blank that was
    lost. Lines that are broken between words differ more in their length."""
    lengths = [len(line) for line in lines[:-1]]
    width = max(lengths, default=0)
    is_full = width >= _NARROWEST and lengths.count(width) > 1 and min(lengths) >= width - 1
    return width if is_full else None


def _is_rest_of_digest(last_word: str, continuation: str) -> bool:
    begin, rest = _DIGEST_BEGIN.search(last_word), _HEX.match(continuation)
    return begin is not None and rest is not None and len(begin[1]) + len(rest[0]) == _DIGEST_DIGITS


def mentions_error(text: str) -> bool:
    """Whether a text contains the words of an error message."""
    return _ERROR_WORDS.search(text) is not None
