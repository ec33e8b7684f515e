"""One run to a Prometheus Pushgateway, for checks that nobody can scrape.

A push replaces the group that its path names, and a group stays until somebody deletes it: it is named after what is
checked, never after the task. When the run was is in last_run_timestamp_seconds, so that old news can be told.
https://github.com/prometheus/pushgateway#url
"""

from __future__ import annotations

import re
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from probe.records import Unshown

if TYPE_CHECKING:
    from probe.model import Verdict
    from probe.wire import Wire

JOB = "ecr-probe"
SECONDS = 5.0  # that a push may take, beside the run's deadline: a run that was late has something to tell too
_ACCEPTED = (200, 202)
_ANSWER_BYTES = 64 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
_GROUPED = "/metrics/job"


class Gateway(Unshown, frozen=True):
    """Where to push, without the login of its URL. `secrets` are all spellings of what must never be shown."""

    url: str
    place: str  # host and port
    authorization: str | None = None
    secrets: tuple[str, ...] = ()


def gateway(text: str) -> Gateway:
    """Read --push-gateway. Raises ValueError, with no word of the text: there may be a password in it."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("this is no URL") from None
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or parts.scheme not in ("http", "https") or not host or port == 0:
        raise ValueError("this is no URL of http or https")
    if parts.query or parts.fragment or re.search("@(?!base64/)", parts.path):
        raise ValueError(
            "nothing but a path can follow the host; /, ?, # and @ of a password are written %2F %3F %23 %40"
        )
    place = parts.netloc.rpartition("@")[2]
    url = f"{parts.scheme}://{place}{parts.path.rstrip('/')}"
    if parts.username is None:
        return Gateway(url, place)
    if parts.scheme == "http" and not _is_near(host):
        raise ValueError("a login is not sent unencrypted; use https")
    user, password = unquote(parts.username), unquote(parts.password or "")
    token = b64encode(f"{user}:{password}".encode()).decode()
    secrets = (parts.netloc.rpartition("@")[0], token, parts.password, password)
    return Gateway(url, place, f"Basic {token}", tuple(secret for secret in secrets if secret))


def _is_near(host: str) -> bool:
    """Whether nothing sent there leaves the task."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def push(verdict: Verdict, to: Gateway, wire: Wire) -> str | None:
    """Put this run in the place of the last one. Returns what went wrong, fit to be shown; None where nothing did."""
    from probe.model import Budget, Failure
    from probe.report.prometheus import alone, exposition
    from probe.safe_words import scrub, without
    from probe.wire.errors import WireError
    from probe.wire.http import request_once

    body, content_type = exposition(alone(verdict), accept="")
    headers = {"Content-Type": content_type} | ({"Authorization": to.authorization} if to.authorization else {})
    try:
        answer = request_once(
            wire,
            "PUT",
            to.url if _GROUPED in to.url else to.url + _group(verdict),
            headers=headers,
            body=body,
            budget=Budget(),
            until=time.monotonic() + SECONDS,
            seconds=SECONDS,
            limit=_ANSWER_BYTES,
        )
    except WireError as error:
        late = error.failure is Failure.DEADLINE
        return f"{to.place}: {f'not done within {SECONDS:g} s' if late else without(to.secrets, str(error))}"
    if answer.status in _ACCEPTED:
        return None
    words = scrub(without(to.secrets, answer.body.decode(errors="replace")))
    return f"{to.place} answered {answer.status}{f': {words}' if words else ''}"


def _group(verdict: Verdict) -> str:
    labels = (f"/{_segment(name, value)}" for name, value in _labels(verdict))
    return f"/metrics{''.join(labels)}"


def _labels(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """What is checked: the pull of one repository by one service in one cluster. Tags and tasks come and go."""
    from probe.report.measured import cluster, service

    yield "job", JOB
    for label, name in (("cluster", cluster(verdict)), ("service", service(verdict))):
        if name is not None:
            yield label, name
    if verdict.plan.reference is not None:
        yield "repository", verdict.plan.reference.repository


def _segment(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return f"{name}/{value}"
    return f"{name}@base64/{urlsafe_b64encode(value.encode()).decode()}"
