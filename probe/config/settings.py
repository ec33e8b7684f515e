"""What one run was asked to do: flags and environment, read once into `Settings`. The only reader of the environment.

The flags themselves are in `flags.py`, how a text is read in `readers.py`, pairs of --format and --output in
`outputs.py`. What only a check needs is imported by the functions: `health` reads one flag here, every minute.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from probe.config.flags import (
    CHECK_FLAGS,
    FLAGS,
    REPORT_FLAGS,
    Flag,
    Given,
    UsageError,
    collect,
    misspelt_variables,
    parser_for,
)

if TYPE_CHECKING:
    from probe.config.outputs import Output
    from probe.model import Budget, ImageReference, Layers, Policy
    from probe.push import Gateway

__all__ = [
    "FLAGS",
    "Environment",
    "Reports",
    "Settings",
    "UsageError",
    "parse",
    "process_start",
    "read_reports",
]

DEADLINE_WITH_ALL_LAYERS = 900.0
# An older process was a shell that slept and then became us: its age is not ours.
_OLDEST_START = 10.0
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Environment:
    """What ECS, Lambda and the operator say by variables of their own. Proxy URLs may hold passwords: not shown."""

    metadata_v4: str | None = None
    metadata_v3: str | None = None
    region: str | None = None
    execution_env: str | None = None
    lambda_function: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    no_proxy: str = field(default="", repr=False)


def _text_on_stdout() -> tuple[Output, ...]:
    from probe.config.outputs import Output

    return (Output("text"),)


@dataclass(frozen=True, slots=True)
class Reports:
    """Where reports go and how they look. `colour` None: as the terminal likes it; the rest as in `Page`."""

    outputs: tuple[Output, ...] = field(default_factory=_text_on_stdout)
    pretty: bool = False
    colour: bool | None = None
    verbose: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """`started` is the monotonic instant of process start. `environ` feeds the credential chain: never printed."""

    image: ImageReference | None
    platform: str
    platform_given: bool
    vpc_cidrs: tuple[str, ...]
    also: tuple[str, ...]
    endpoint_dns: Mapping[str, str]
    policy: Policy
    layers: Layers
    budget: Budget
    controls: bool
    ca_bundle: str | None
    allow_instance_role: bool
    reports: Reports
    notes: tuple[str, ...]
    started: float
    environment: Environment
    environ: Mapping[str, str] = field(repr=False)
    push_gateway: Gateway | None = None


def parse(argv: Sequence[str], environ: Mapping[str, str] | None = None, *, started: float | None = None) -> Settings:
    """Read the flags of `check` and their variables. Raises UsageError."""
    environ = os.environ if environ is None else environ
    parser = parser_for("ecr-probe check", CHECK_FLAGS, description="")
    return settle(collect(parser, argv, environ), environ, started=started)


def settle(given: Given, environ: Mapping[str, str] | None = None, *, started: float | None = None) -> Settings:
    """Make settings of what was given. Raises UsageError."""
    from probe.config import readers
    from probe.model import Layers, Policy
    from probe.push import gateway

    environ = os.environ if environ is None else environ
    layers = given.one("layers", readers.layers) or Layers.SMALLEST
    platform = given.one("platform", readers.platform)
    also = given.many("also", readers.also)
    return Settings(
        image=given.one("image", readers.image),
        platform=platform or readers.machine_platform(os.uname().machine),
        platform_given=platform is not None,
        vpc_cidrs=given.many("vpc-cidr", readers.cidr),
        also=also,
        endpoint_dns=_endpoint_dns(given, also),
        policy=Policy(
            allow_public=given.many("allow-public", readers.endpoint),
            pull_role=given.one("pull-role", readers.role),
            strict=given.on("strict"),
        ),
        layers=layers,
        budget=_budget(given, layers),
        controls=not given.on("no-controls"),
        ca_bundle=_ca_bundle(given, environ),
        allow_instance_role=given.on("allow-instance-role"),
        reports=read_reports(given, environ),
        notes=misspelt_variables(environ),
        started=process_start() if started is None else started,
        environment=environment(environ),
        environ=MappingProxyType(dict(environ)),
        push_gateway=given.one("push-gateway", gateway),
    )


def read_reports(
    given: Given, environ: Mapping[str, str] | None = None, *, formats: Iterable[str] | None = None
) -> Reports:
    """What commands without a check need too. `formats` None: those of a verdict. Raises UsageError."""
    from probe.config.outputs import read_outputs
    from probe.report import FORMATS

    environ = os.environ if environ is None else environ
    outputs = read_outputs(given, FORMATS if formats is None else formats)
    pretty = given.on("pretty")
    if pretty and all(output.format != "json" for output in outputs):
        raise given.refusal("pretty", "only json can be pretty, and --format (ECR_PROBE_FORMAT) json is not asked for")
    verbose, quiet = given.on("verbose"), given.on("quiet")
    if verbose and quiet:
        raise given.refusal("verbose", "cannot be combined with --quiet (ECR_PROBE_QUIET)")
    return Reports(outputs=outputs, pretty=pretty, colour=_colour(environ), verbose=verbose, quiet=quiet)


def slips(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """A sentence for each variable that looks misspelt."""
    return misspelt_variables(os.environ if environ is None else environ)


def given_to(
    program: str,
    argv: Sequence[str],
    environ: Mapping[str, str] | None = None,
    *,
    flags: Sequence[Flag] = REPORT_FLAGS,
    positional: Callable[[Any], None] | None = None,
) -> Given:
    """Collect the flags of another command. `positional` adds arguments to its parser."""
    parser = parser_for(program, flags, description="")
    if positional is not None:
        positional(parser)
    return collect(parser, argv, os.environ if environ is None else environ)


def _endpoint_dns(given: Given, also: tuple[str, ...]) -> Mapping[str, str]:
    from probe.config import readers
    from probe.endpoints import EXTRA_ENDPOINTS

    names: dict[str, str] = {}
    for endpoint, host in given.many("endpoint-dns", readers.endpoint_dns):
        if endpoint in names:
            raise given.refusal("endpoint-dns", f"{endpoint} is given two names, {names[endpoint]} and {host}")
        if endpoint in EXTRA_ENDPOINTS and endpoint not in also:
            raise given.refusal("endpoint-dns", f"{endpoint} is reached only with --also {endpoint}")
        names[endpoint] = host
    return MappingProxyType(names)


def _budget(given: Given, layers: Layers) -> Budget:
    from probe.config import readers
    from probe.model import Budget, Layers

    default = Budget(deadline=DEADLINE_WITH_ALL_LAYERS) if layers is Layers.ALL else Budget()
    deadline = given.one("deadline", lambda text: readers.seconds(text, least=0.1, most=86400)) or default.deadline
    connect = given.one("connect-timeout", lambda text: readers.seconds(text, least=0.01, most=3600))
    if connect is not None and connect > deadline:
        sentence = f"{connect:g} seconds are more than the whole run has, --deadline (ECR_PROBE_DEADLINE) {deadline:g}"
        raise given.refusal("connect-timeout", sentence)
    if "layer-bytes" in given and layers is not Layers.SMALLEST:
        sentence = f"has no meaning with --layers (ECR_PROBE_LAYERS) {layers}; leave one of them out"
        raise given.refusal("layer-bytes", sentence)
    return Budget(
        deadline=deadline,
        connect=min(default.connect, deadline) if connect is None else connect,
        layer_bytes=given.one("layer-bytes", readers.size) or default.layer_bytes,
    )


def _ca_bundle(given: Given, environ: Mapping[str, str]) -> str | None:
    """botocore's rule: AWS_CA_BUNDLE replaces the system's store, and an empty one is none."""
    from probe.config import readers

    if "ca-bundle" in given:
        return given.one("ca-bundle", readers.ca_bundle)
    path = environ.get("AWS_CA_BUNDLE", "")
    try:
        return readers.ca_bundle(path) if path else None
    except ValueError as error:
        raise given.flags["ca-bundle"].refusal(str(error), given_by="AWS_CA_BUNDLE") from None


def environment(environ: Mapping[str, str] | None = None) -> Environment:
    environ = os.environ if environ is None else environ

    def said(*names: str) -> str | None:
        return next((environ[name] for name in names if environ.get(name)), None)

    return Environment(
        metadata_v4=said("ECS_CONTAINER_METADATA_URI_V4"),
        metadata_v3=said("ECS_CONTAINER_METADATA_URI"),
        region=said("AWS_REGION", "AWS_DEFAULT_REGION"),
        execution_env=said("AWS_EXECUTION_ENV"),
        lambda_function=said("AWS_LAMBDA_FUNCTION_NAME"),
        proxies=MappingProxyType({name: environ[name] for name in _PROXY_VARIABLES if environ.get(name)}),
        # The lower-case spelling wins, as it does in urllib and curl.
        no_proxy=said("no_proxy", "NO_PROXY") or "",
    )


def _colour(environ: Mapping[str, str]) -> bool | None:
    """https://no-color.org and its opposite; a dumb terminal has no colours."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    return False if environ.get("TERM") == "dumb" else None


def process_start() -> float:
    """The monotonic instant at which this process began, so that imports count too; now, where that cannot be told."""
    now = time.monotonic()
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            # proc(5): field 22 is the start in clock ticks since boot; field 2, in parentheses, may hold blanks.
            ticks = int(file.read().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return now
    return now - age if 0 <= age <= _OLDEST_START else now
