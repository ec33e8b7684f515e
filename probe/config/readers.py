"""Readers of the texts of flags and variables: each returns a value, or raises ValueError with one plain sentence.

`flags.py` has the flags; `settings.py` combines several of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from probe.arns import role_of
from probe.endpoints import AGENT_ENDPOINTS, CORE_ENDPOINTS, EXTRA_ENDPOINTS
from probe.model import ImageHost, ImageReference, Layers
from probe.safe_words import quoted

ALSO = (*EXTRA_ENDPOINTS, "logs", *AGENT_ENDPOINTS)
ENDPOINTS = (*CORE_ENDPOINTS, *EXTRA_ENDPOINTS)

_ELSEWHERE = {
    ImageHost.PUBLIC_ECR: "is in ECR Public, which has no PrivateLink endpoint for pulls; only private ECR is probed",
    ImageHost.VPC_ENDPOINT: "has an endpoint's own vpce name, which is not a registry host; use the registry's name, "
    "which private DNS resolves to the endpoint (--endpoint-dns takes vpce names)",
    ImageHost.OTHER: "is not in ECR, and only private ECR has PrivateLink endpoints for pulls",
}
_LONGEST_BASE = 500
_MOST_LISTED = 16  # choices that an error message lists
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?: ?(ms|s|m|h))?", re.ASCII)
_SECONDS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZE = re.compile(r"([0-9]+)(?: ?(B|KiB|MiB|GiB))?", re.ASCII)
_BYTES = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LARGEST_SIZE = 1 << 40
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?", re.ASCII)
_OPERATING_SYSTEMS = ("linux", "windows")
_ARCHITECTURES = ("amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "mips64le", "loong64")
_MACHINES = {"x86_64": "amd64", "x86-64": "amd64", "x64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_PLATFORM = re.compile(r"[a-z0-9_-]+/[a-z0-9_-]+(?:/v[0-9]+)?", re.ASCII)


def switch(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(f"{quoted(text)} is neither {'/'.join(_TRUE)} nor {'/'.join(_FALSE)}")
    return word in _TRUE


def one_of(text: str, choices: Iterable[str], *, what: str) -> str:
    """`text` if it is one of `choices`; otherwise the error suggests the nearest, or lists them."""
    choices = tuple(choices)
    if text in choices:
        return text
    near = get_close_matches(text.lower(), choices, n=1, cutoff=0.6)
    more = f" and {len(choices) - 3} more" if len(choices) > _MOST_LISTED else ""
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(choices[:3] if more else choices)}{more}"
    raise ValueError(f"{quoted(text)} is not {what}; {hint}")


def image(text: str) -> ImageReference:
    """A reference in private ECR."""
    from probe.images import OtherImage, parse_image  # reads botocore's list of regions, which --help does without

    parsed = parse_image(text)
    if isinstance(parsed, OtherImage):
        raise ValueError(f"{quoted(text)} {_ELSEWHERE[parsed.host]}")
    return parsed


def runbook_base(text: str) -> str:
    """The URL of the findings' pages, with CODE in the place of the code. A login in it is not repeated."""
    try:
        parts = urlsplit(text)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    plain = text.isascii() and text.isprintable() and not set(" <>\"'`") & set(text)
    if not plain or parts.scheme not in ("http", "https") or not name or port == 0:
        raise ValueError("is not a URL of http or https")
    if "@" in parts.netloc:
        raise ValueError("contains a login, and the URL is shown in every report")
    if len(text) > _LONGEST_BASE:
        raise ValueError(f"is longer than {_LONGEST_BASE} characters")
    after_host = text.partition(parts.netloc)[2]
    if "CODE" in after_host:
        return text
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment, so write CODE where the code of a finding belongs")
    return f"{text.rstrip('/')}/CODE"


def duration(least: float, most: float) -> Callable[[str], float]:
    """A reader of durations between `least` and `most` seconds, such as 500ms, 30s, 1m or 1h; 30 is in seconds."""

    def read(text: str) -> float:
        match = _DURATION.fullmatch(text)
        if not match:
            raise ValueError(f"{quoted(text)} is not a duration such as 30s, 1m or 500ms")
        value = float(match[1]) * _SECONDS[match[2]]
        if not least <= value <= most:
            raise ValueError(f"{quoted(text)} is not between {duration_text(least)} and {duration_text(most)}")
        return value

    return read


def duration_text(seconds: float) -> str:
    """A duration as it would be typed."""
    unit = next(
        (unit for unit in ("h", "m") if seconds and not seconds % _SECONDS[unit]), "s" if seconds >= 1 else "ms"
    )
    return f"{seconds / _SECONDS[unit]:g}{unit}" if seconds else "0s"


def size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a size in bytes, KiB, MiB or GiB")
    value = int(match[1][:20]) * _BYTES[match[2]]
    if not 1 <= value <= _LARGEST_SIZE:
        raise ValueError(f"{quoted(text)} is not between 1 byte and 1024 GiB")
    return value


def layers(text: str) -> Layers:
    return Layers(one_of(text, Layers, what="a valid value"))


def cidr(text: str) -> str:
    address, slash, length = text.partition("/")
    if "%" in text:
        raise ValueError(f"{quoted(text)} has a zone after the %, which belongs to an interface, not to a range")
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is not an IPv4 or IPv6 range in CIDR notation") from error
    if not slash or not length.isascii() or not length.isdigit():
        raise ValueError(f"{quoted(text)} has no prefix length such as /16")
    if ip_address(address) != network.network_address:
        raise ValueError(f"{quoted(text)} has host bits set; the network is {network}")
    if network.prefixlen == 0:
        raise ValueError(f"{quoted(text)} would count every address as yours")
    return str(network)


def also(text: str) -> str:
    return one_of(text, ALSO, what="an endpoint that can be added")


def endpoint(text: str) -> str:
    return one_of(text, ENDPOINTS, what="an endpoint")


def endpoint_dns(text: str) -> tuple[str, str]:
    """ENDPOINT=NAME."""
    name, equals, host = text.partition("=")
    if not equals:
        raise ValueError(f"{quoted(text)} is not ENDPOINT=NAME")
    endpoint(name)
    host = host.removesuffix(".")
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        hint = "; replace the * with a zone, such as bucket or eu-west-1a" if host.startswith("*") else ""
        raise ValueError(f"{quoted(host)} is not a host name{hint}")
    return name, host.lower()


def allowed_host(text: str) -> str:
    """A host name in lower case, or * for any."""
    host = text.removesuffix(".")
    if host != "*" and (len(host) > 253 or not _HOST_NAME.fullmatch(host)):
        raise ValueError(f"{quoted(text)} is neither a host name, without scheme and port, nor *")
    return host.lower()


def role(text: str) -> str:
    if role_of(text) is None:
        raise ValueError(f"{quoted(text)} is not the ARN of a role")
    return text


def platform(text: str) -> str:
    system, _, rest = text.partition("/")
    architecture = rest.partition("/")[0]
    supported = system in _OPERATING_SYSTEMS and architecture in _ARCHITECTURES
    if supported and _PLATFORM.fullmatch(text):
        return text
    alias = _MACHINES.get(architecture or system, architecture or system)
    near = get_close_matches(alias, _ARCHITECTURES, n=1, cutoff=0.5)
    hint = f"; did you mean linux/{near[0]}?" if near and not supported else ""
    raise ValueError(f"{quoted(text)} is not a platform, OS/ARCH or OS/ARCH/VARIANT{hint}")


def machine_platform(machine: str) -> str:
    """The platform of images for this machine. ECS runs Linux images on a Linux machine."""
    return f"linux/{_MACHINES.get(machine.lower(), machine.lower())}"


def ca_bundle(text: str) -> str:
    import ssl  # takes 10 ms, which --help and --version do without

    try:
        # A context of its own, which only tests whether the file can be loaded.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=text)
    except ssl.SSLError as error:
        raise ValueError(f"{quoted(text)} contains no certificate in PEM form") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise ValueError(f"{quoted(text)} cannot be read: {reason.lower()}") from error
    if Path(text).is_dir():
        raise ValueError(f"{quoted(text)} is a directory, not a file of certificates")
    return text
