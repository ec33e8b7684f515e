"""Push the metrics of one run to a Prometheus Pushgateway, because a one-off task cannot be scraped.

A push replaces the group in its path, and the gateway keeps a group until it is deleted. So the group is named after
what is checked, not after the task. last_run_timestamp_seconds shows how old its metrics are.
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
SECONDS = 5.0  # for a push, after the run's deadline: a run that was cut off is pushed too
_ACCEPTED = (200, 202)
_ANSWER_BYTES = 64 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
_GROUPED = "/metrics/job"


class Gateway(Unshown, frozen=True):
    """Where to push. `url` has no login; `secrets` are all spellings of its login and password."""

    url: str
    host: str  # with its port
    authorization: str | None = None
    secrets: tuple[str, ...] = ()


def gateway(text: str) -> Gateway:
    """Read --push-gateway. Raises ValueError without quoting the text, which may hold a password."""
    try:
        parts = urlsplit(text)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("not a URL") from None
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or parts.scheme not in ("http", "https") or not name or port == 0:
        raise ValueError("not a URL of http or https")
    if parts.query or parts.fragment or re.search("@(?!base64/)", parts.path):
        raise ValueError("only a path can follow the host; in a password write %2F %3F %23 %40 for / ? # @")
    host = parts.netloc.rpartition("@")[2]
    url = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
    if parts.username is None:
        return Gateway(url, host)
    if parts.scheme == "http" and not _is_loopback(name):
        raise ValueError("a login is not sent unencrypted; use https")
    user, password = unquote(parts.username), unquote(parts.password or "")
    token = b64encode(f"{user}:{password}".encode()).decode()
    secrets = (parts.netloc.rpartition("@")[0], token, parts.password, password)
    return Gateway(url, host, f"Basic {token}", tuple(secret for secret in secrets if secret))


def _is_loopback(name: str) -> bool:
    """Whether what is sent there stays within the task."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def push(verdict: Verdict, to: Gateway, wire: Wire) -> str | None:
    """Replace the metrics of the previous run by this one's. Returns an error message without secrets, or None."""
    from probe.model import Budget, Failure
    from probe.report.prometheus import exposition, snapshot_of
    from probe.safe_words import scrub, without
    from probe.wire.errors import WireError
    from probe.wire.http import request_once

    body, content_type = exposition(snapshot_of(verdict), accept="")
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
        if error.failure is Failure.DEADLINE:
            return f"{to.host} did not accept the push within {SECONDS:g} s"
        return f"{to.host}: {without(to.secrets, str(error))}"
    if answer.status in _ACCEPTED:
        return None
    body_text = scrub(without(to.secrets, answer.body.decode(errors="replace")))
    return f"{to.host} answered {answer.status}{f': {body_text}' if body_text else ''}"


def _group(verdict: Verdict) -> str:
    """The path of the group that the verdict belongs to."""
    labels = (f"/{_segment(name, value)}" for name, value in _labels(verdict))
    return f"/metrics{''.join(labels)}"


def _labels(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """What is checked: the pull of a repository by a service of a cluster. A tag or a task would be a new group."""
    from probe.report.measured import cluster, service

    yield "job", JOB
    for label, value in (("cluster", cluster(verdict)), ("service", service(verdict))):
        if value is not None:
            yield label, value
    if verdict.plan.reference is not None:
        yield "repository", verdict.plan.reference.repository


def _segment(name: str, value: str) -> str:
    """A label in the path. The gateway reads values with other characters from base64."""
    if _PLAIN.fullmatch(value):
        return f"{name}/{value}"
    return f"{name}@base64/{urlsafe_b64encode(value.encode()).decode()}"
