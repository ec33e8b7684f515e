"""The options of `serve`: the check's settings with a smaller budget, and where the results go."""

from __future__ import annotations

import hmac
import ssl
from base64 import b64decode
from collections.abc import Sequence
from socket import AF_UNIX
from typing import NamedTuple

from probe.config import readers
from probe.config.flags import Arguments
from probe.config.listen import Address, address
from probe.config.outputs import Output
from probe.config.settings import Settings, arguments_of, read_reports, settle
from probe.model import Budget, Layers
from probe.records import Unshown, replace
from probe.serve.hosts import ANY
from probe.serve.server import tls_context

SHORTEST, LONGEST = 1.0, 86400.0  # seconds from round to round
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
    VPC is measured, and the page, the log and the title say so. `hosts` are the names of --allow-host, or ANY where no
    foreign site can use a browser: it has no login, no certificate for its name, and no way to a Unix socket."""

    check: Settings
    listen: Address
    interval: float
    outputs: tuple[Output, ...]
    compat_blackbox: bool
    login: Login | None
    tls: ssl.SSLContext | None
    rehearsal: bool = False
    hosts: tuple[str, ...] = ()


def read(argv: Sequence[str]) -> Options:
    """Read the flags of `serve` and their variables. Raises UsageError."""
    arguments = arguments_of("serve", argv)
    return options(arguments, settle(arguments))


def options(arguments: Arguments, check: Settings) -> Options:
    """Add the sidecar's own flags to the settings of its check. Raises UsageError."""
    interval = arguments.value_or_default("interval", readers.duration(SHORTEST, LONGEST))
    bounded = "deadline" in arguments or check.layers is Layers.ALL
    budget = thrifty(
        check.budget,
        deadline=check.budget.deadline if bounded else interval,
        layer_bytes=check.budget.layer_bytes if "layer-bytes" in arguments else LAYER_BYTES,
    )
    reports = read_reports(arguments)
    listen, login, tls = (
        arguments.value_or_default("listen", address),
        arguments.value("basic-auth", _login),
        _tls(arguments),
    )
    hosts = arguments.values("allow-host", readers.allowed_host)
    return Options(
        check=replace(check, budget=budget, reports=reports),
        listen=listen,
        interval=interval,
        outputs=reports.outputs if "format" in arguments or "output" in arguments else (),
        compat_blackbox=arguments.on("compat-blackbox"),
        login=login,
        tls=tls,
        hosts=(ANY,) if login or tls or listen.family is AF_UNIX else hosts,
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


def _tls(arguments: Arguments) -> ssl.SSLContext | None:
    certificate = arguments.value("tls-certificate", str)
    key = arguments.value("tls-key", str)
    if certificate is None:
        if key is not None:
            raise arguments.refusal("tls-key", "needs ECR_PROBE_TLS_CERTIFICATE as well")
        return None
    try:
        return tls_context(certificate, key)
    except ssl.SSLError:
        reason = "the certificate chain and the unencrypted key are missing or do not belong together"
        raise arguments.refusal("tls-certificate", reason) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise arguments.refusal("tls-certificate", f"certificate and key cannot be read: {reason}") from None
