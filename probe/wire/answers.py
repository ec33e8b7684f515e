"""How AWS's answers are read: whose words they are, which code, which policy refused, which clock was wrong. Facts,
no opinion.

Three dialects: the JSON protocol of ECR's and CloudWatch Logs' APIs, the registry's error envelope, and S3's XML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from probe.model import AnswerSeen, Failure
from probe.records import Record
from probe.wire.errors import scrub
from probe.wire.http import Answer
from probe.wire.refusals import denial_in, failure_of_code, times_in

_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id")
# S3 sends x-amz-id-2 with its request id; ECR's registry marks all its answers with the registry API's version.
_OTHER_MARKS = ("x-amz-id-2", "docker-distribution-api-version", "x-amzn-errortype")
_REGISTRY = "docker-distribution-api-version"

_BY_STATUS = {401: Failure.UNAUTHENTICATED, 403: Failure.DENIED, 404: Failure.NOT_FOUND, 429: Failure.THROTTLED}

_XML = re.compile(rb"<Error>.*?<Code>\s*([^<]{1,200})</Code>(?:.*?<Message>([^<]{0,4000})</Message>)?", re.DOTALL)
_XML_REQUEST = re.compile(rb"<RequestId>\s*([^<]{1,100})</RequestId>")
_TITLE = re.compile(rb"<title[^>]*>\s*([^<]{1,200})", re.IGNORECASE)


class _Words(Record, frozen=True):
    """Code and message of an error, whatever the dialect; `marked` where the body has the form of one."""

    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    marked: bool = False

    @property
    def text(self) -> str:
        return ": ".join(part for part in (self.code, self.message) if part)


def facts(answer: Answer, *, method: str, address: str | None, clock: float) -> AnswerSeen:
    """What an answer tells. `clock` is our own time (seconds since the epoch) when it came."""
    words, headers = _words(answer), _lower(answer.headers)
    header_id = next((headers[name] for name in _REQUEST_IDS if name in headers), None)
    signed_at, server_time = times_in(words.message or "")
    return AnswerSeen(
        address=address,
        method=method,
        status=answer.status,
        aws=bool(header_id or words.marked or any(name in headers for name in _OTHER_MARKS)),
        code=scrub(words.code) if words.code else None,
        request_id=scrub(header_id or words.request_id or "") or None,
        denial=denial_in(words.message or ""),
        clock_offset=_clock_offset(headers.get("date"), clock),
        signed_at=signed_at,
        server_time=server_time,
        body_bytes=None if method == "HEAD" else len(answer.body),
    )


def failure(answer: Answer, seen: AnswerSeen) -> tuple[Failure, str] | None:
    """The failure word and the raw words of an answer, None for 2xx.

    A body without a mark of AWS is a middlebox's, whatever its status; an answer without a body (to HEAD, or a plain
    5xx) is judged by its status.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    words = _words(answer)
    if status == 407 or (answer.body.strip() and not seen.aws):
        return Failure.NOT_AWS, scrub(f"status {status}, not AWS's words: {_page(answer.body)}")
    said = scrub(words.text or f"status {status}")
    if 300 <= status < 400:
        return Failure.REDIRECT, scrub(f"status {status} to {_lower(answer.headers).get('location', 'nowhere')}")
    return _word(answer, seen, words), said


def is_html(answer: Answer) -> bool:
    """Whether the body is a page for people: no API of AWS that is asked here answers so."""
    kind = _lower(answer.headers).get("content-type", "").lower()
    return "text/html" in kind or answer.body[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _word(answer: Answer, seen: AnswerSeen, words: _Words) -> Failure:
    if seen.signed_at is not None and seen.server_time is not None:
        return Failure.CLOCK
    if (told := failure_of_code(words.code or "", words.message or "")) is not None:
        return told
    if answer.status >= 500:
        return Failure.SERVER_ERROR
    # ECR's registry answers a garbled password with 400.
    if answer.status == 400 and not words.code and _REGISTRY in _lower(answer.headers):
        return Failure.UNAUTHENTICATED
    return _BY_STATUS.get(answer.status, Failure.MALFORMED)


# ---- dialects --------------------------------------------------------------------------------------------------------


def _words(answer: Answer) -> _Words:
    """The words of an error; of a successful answer none, for its body is no error and may be long."""
    if 200 <= answer.status < 300:
        return _Words()
    xml = _XML.search(answer.body)
    if xml is not None:
        found = _XML_REQUEST.search(answer.body)
        return _Words(_text(xml[1]), _text(xml[2] or b"") or None, _text(found[1]) if found else None, marked=True)
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        document = None
    words = _envelope(document) or _json_error(document)
    if words.code is None and (kind := _lower(answer.headers).get("x-amzn-errortype")):
        return _Words(_plain(kind), words.message, marked=True)
    return words


def _envelope(document: Any) -> _Words | None:
    """The registry's: {"errors": [{"code": …, "message": …}]}."""
    errors = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return None
    code, message = errors[0].get("code"), errors[0].get("message")
    return _Words(code, message if isinstance(message, str) else None, marked=True) if isinstance(code, str) else None


def _json_error(document: Any) -> _Words:
    """The JSON protocol's: {"__type": …, "message": …}, where the key is `Message` in some services' denials."""
    if not isinstance(document, dict):
        return _Words()
    kind = document.get("__type")
    message = document.get("message", document.get("Message"))
    return _Words(
        _plain(kind) if isinstance(kind, str) else None,
        message if isinstance(message, str) else None,
        marked=isinstance(kind, str),
    )


def _plain(kind: str) -> str:
    """Without the namespace before it and the URL behind it: `ns#Code`, `Code:http://…`."""
    return kind.rpartition("#")[2].partition(":")[0]


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", "replace")).strip()


def _page(body: bytes) -> str:
    """A page's title, else its first words."""
    title = _TITLE.search(body)
    return _text(title[1] if title else re.sub(rb"<[^>]*>", b" ", body[:2000]))


# ---- clocks --------------------------------------------------------------------------------------------


def _clock_offset(date: str | None, clock: float) -> float | None:
    try:
        return round(parsedate_to_datetime(date).timestamp() - clock, 1) if date else None
    except (ValueError, OverflowError):
        return None


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
