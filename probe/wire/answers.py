"""Read AWS's HTTP answers: who sent them, the error code, the policy that denied, the clock. Facts, no opinion.

Three formats of errors: JSON of the ECR and CloudWatch Logs APIs, the registry's envelope, and S3's XML. What a status,
a code or a message means is in `aws_errors`.
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
from probe.safe_words import scrub
from probe.wire.aws_errors import denial_in, failure_of_code, failure_of_status, times_in, topic_of
from probe.wire.http import Answer

_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id")
_REGISTRY_VERSION = "docker-distribution-api-version"  # in every answer of ECR's registry
# S3 sends x-amz-id-2 with its request id.
_OTHER_MARKS = ("x-amz-id-2", _REGISTRY_VERSION, "x-amzn-errortype")

_XML = re.compile(rb"<Error>.*?<Code>\s*([^<]{1,200})</Code>(?:.*?<Message>([^<]{0,4000})</Message>)?", re.DOTALL)
_XML_REQUEST_ID = re.compile(rb"<RequestId>\s*([^<]{1,100})</RequestId>")
_TITLE = re.compile(rb"<title[^>]*>\s*([^<]{1,200})", re.IGNORECASE)


class _Error(Record, frozen=True):
    """Code and message of an error in any of the formats. `recognized`: the body has the format of an AWS error."""

    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    recognized: bool = False

    @property
    def text(self) -> str:
        return ": ".join(part for part in (self.code, self.message) if part)


def facts(answer: Answer, *, method: str, address: str | None, clock: float) -> AnswerSeen:
    """The facts of an answer. `clock` is our own time (seconds since the epoch) when it arrived."""
    error, headers = _error(answer), _lower_case(answer.headers)
    header_id = next((headers[name] for name in _REQUEST_IDS if name in headers), None)
    signed_at, server_time = times_in(error.message or "")
    aws = bool(header_id or error.recognized or any(name in headers for name in _OTHER_MARKS))
    return AnswerSeen(
        address=address,
        method=method,
        status=answer.status,
        aws=aws,
        code=scrub(error.code) if error.code else None,
        topic=topic_of(error.text) if aws else None,
        request_id=scrub(header_id or error.request_id or "") or None,
        denial=denial_in(error.message or ""),
        clock_offset=_clock_offset(headers.get("date"), clock),
        signed_at=signed_at,
        server_time=server_time,
        body_bytes=None if method == "HEAD" else len(answer.body),
    )


def failure(answer: Answer, seen: AnswerSeen) -> tuple[Failure, str] | None:
    """The failure and the error text of an answer, None for 2xx.

    A body without a mark of AWS comes from a middlebox, for any status, and so does an empty 4xx without one: AWS says
    why. An answer to HEAD, a plain 429 and a plain 5xx have no body and are classified by their status.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    error = _error(answer)
    says_why = seen.method == "HEAD" or status == 429 or not 400 <= status < 500
    if status == 407 or (not seen.aws and (answer.body.strip() or not says_why)):
        return Failure.NOT_AWS, scrub(f"status {status}, not from AWS: {_page_text(answer.body)}")
    if 300 <= status < 400:
        location = _lower_case(answer.headers).get("location")
        return Failure.REDIRECT, scrub(f"status {status} " + (f"to {location}" if location else "without a Location"))
    return _failure_of_aws(answer, seen, error), scrub(error.text or f"status {status}")


def is_html(answer: Answer) -> bool:
    """Whether the body is a web page. None of the AWS APIs used here answers with one."""
    content_type = _lower_case(answer.headers).get("content-type", "").lower()
    return "text/html" in content_type or answer.body[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _failure_of_aws(answer: Answer, seen: AnswerSeen, error: _Error) -> Failure:
    if seen.signed_at is not None and seen.server_time is not None:
        return Failure.CLOCK
    by_code = failure_of_code(error.code or "", error.message or "")
    if by_code is not None:
        return by_code
    # ECR's registry answers a malformed password with 400.
    bare = seen.method != "HEAD" and not error.code  # an answer to HEAD never has a code
    if answer.status == 400 and bare and _REGISTRY_VERSION in _lower_case(answer.headers):
        return Failure.UNAUTHENTICATED
    return failure_of_status(answer.status)


# ---- formats of errors -----------------------------------------------------------------------------------------------


def _error(answer: Answer) -> _Error:
    """The error in an answer. The body of a successful one is not parsed: it may be long."""
    if 200 <= answer.status < 300:
        return _Error()
    xml = _XML.search(answer.body)
    if xml is not None:
        request = _XML_REQUEST_ID.search(answer.body)
        message, request_id = _text(xml[2] or b"") or None, _text(request[1]) if request else None
        return _Error(_text(xml[1]), message, request_id, recognized=True)
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        document = None
    error = _registry_error(document) or _json_error(document)
    if error.code is None and (error_type := _lower_case(answer.headers).get("x-amzn-errortype")):
        return _Error(_bare_code(error_type), error.message, recognized=True)
    return error


def _registry_error(document: Any) -> _Error | None:
    """The registry's envelope: {"errors": [{"code": …, "message": …}]}."""
    errors = document.get("errors") if isinstance(document, dict) else None
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return None
    code, message = errors[0].get("code"), errors[0].get("message")
    if not isinstance(code, str):
        return None
    return _Error(code, message if isinstance(message, str) else None, recognized=True)


def _json_error(document: Any) -> _Error:
    """The JSON protocol: {"__type": …, "message": …}. Some services spell the key `Message` in denials."""
    if not isinstance(document, dict):
        return _Error()
    code = document.get("__type")
    message = document.get("message", document.get("Message"))
    return _Error(
        _bare_code(code) if isinstance(code, str) else None,
        message if isinstance(message, str) else None,
        recognized=isinstance(code, str),
    )


def _bare_code(code: str) -> str:
    """The code without the namespace before it or the URL after it: `ns#Code`, `Code:http://…`."""
    return code.rpartition("#")[2].partition(":")[0]


def _text(raw: bytes) -> str:
    return html.unescape(raw.decode("utf-8", "replace")).strip()


def _page_text(body: bytes) -> str:
    """The title of a page, or its first words."""
    title = _TITLE.search(body)
    return _text(title[1] if title else re.sub(rb"<[^>]*>", b" ", body[:2000]))


# ---- headers ---------------------------------------------------------------------------------------------------------


def _clock_offset(date: str | None, clock: float) -> float | None:
    try:
        return round(parsedate_to_datetime(date).timestamp() - clock, 1) if date else None
    except (ValueError, OverflowError):
        return None


def _lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
