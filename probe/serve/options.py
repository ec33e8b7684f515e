"""The options of `serve`: the check's settings with a smaller budget, and where the results go."""

from __future__ import annotations

import hmac
import ssl
from base64 import b64decode
from collections.abc import Sequence
from typing import NamedTuple

from probe.config import readers
from probe.config.flags import FLAGS, LISTEN, SERVE_FLAGS, Flag, Given
from probe.config.listen import Address, address
from probe.config.outputs import Output
from probe.config.settings import Settings, given_to, read_reports, settle
from probe.model import Budget, Layers
from probe.records import Unshown, replace
from probe.serve.server import tls_context

INTERVAL = 60.0  # seconds
SHORTEST, LONGEST = 1.0, 86400.0
# Bytes read of a larger layer: rounds go on for months, and every byte through an endpoint is billed.
LAYER_BYTES = 1024 * 1024


class Login(NamedTuple):
    """The credentials of --basic-auth. Never printed."""

    user: str
    password: str

    def matches(self, header: str) -> bool:
        kind, _, encoded = header.partition(" ")
        try:
            credentials = b64decode(encoded, validate=True) if kind.lower() == "basic" else b""
        except ValueError:
            return False
        return hmac.compare_digest(credentials, f"{self.user}:{self.password}".encode(errors="surrogateescape"))


class Options(Unshown, frozen=True):
    """`outputs` are the reports written after every round; none without --format or --output. `rehearsal`: a simulated
    VPC is measured, and the page, the log and the title say so."""

    check: Settings
    listen: Address
    interval: float
    outputs: tuple[Output, ...]
    compat_blackbox: bool
    login: Login | None
    tls: ssl.SSLContext | None
    rehearsal: bool = False


def read(argv: Sequence[str]) -> Options:
    """Read the flags of `serve` and their variables. Raises UsageError."""
    given = given_to("ecr-probe serve", argv, flags=(*FLAGS, *SERVE_FLAGS))
    return options(given, settle(given))


def options(given: Given, check: Settings, *, listen: Flag = LISTEN, interval: float = INTERVAL) -> Options:
    """`listen` and `interval` hold the defaults. Raises UsageError."""
    seconds = given.one("interval", lambda text: readers.seconds(text, least=SHORTEST, most=LONGEST)) or interval
    bounded = "deadline" in given or check.layers is Layers.ALL
    budget = thrifty(
        check.budget,
        deadline=check.budget.deadline if bounded else seconds,
        layer_bytes=check.budget.layer_bytes if "layer-bytes" in given else LAYER_BYTES,
    )
    wants_reports = "format" in given or "output" in given
    reports = read_reports(given)
    return Options(
        check=replace(check, budget=budget, reports=reports),
        listen=given.one("listen", address) or address(listen.default),
        interval=seconds,
        outputs=reports.outputs if wants_reports else (),
        compat_blackbox=given.on("compat-blackbox"),
        login=given.one("basic-auth", _login),
        tls=_tls(given),
    )


def thrifty(budget: Budget, *, deadline: float, layer_bytes: int = LAYER_BYTES) -> Budget:
    """A round's budget: no retries, since the next round is one, and only the beginning of a large layer.

    Where `deadline` is shorter than the budget's own, a connection gets a third of it: otherwise a silent address would
    be reported as a passed deadline.
    """
    shorter = deadline < budget.deadline
    return replace(
        budget,
        retries=0,
        deadline=min(budget.deadline, deadline),
        connect=min(budget.connect, deadline / 3) if shorter else budget.connect,
        layer_bytes=min(budget.layer_bytes, layer_bytes),
    )


def _login(text: str) -> Login:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ValueError("is not USER:PASSWORD")  # the value is not repeated: it may be most of a password
    return Login(user, password)


def _tls(given: Given) -> ssl.SSLContext | None:
    certificate = given.one("tls-certificate", str)
    key = given.one("tls-key", str)
    if certificate is None:
        if key is not None:
            raise given.refusal("tls-key", "a key without ECR_PROBE_TLS_CERTIFICATE")
        return None
    try:
        return tls_context(certificate, key)
    except ssl.SSLError:
        reason = "the certificate chain and the unencrypted key are missing or do not belong together"
        raise given.refusal("tls-certificate", reason) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise given.refusal("tls-certificate", f"certificate and key cannot be read: {reason}") from None
