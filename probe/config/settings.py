"""The settings of one run: flags and environment, read once. No other module reads the environment.

`flags.py` has the flags, `readers.py` turns their texts into values, `outputs.py` pairs --format with --output. The
functions import what only a check needs, because `health` uses this module every minute.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from probe.config.commands import collect_for
from probe.config.flags import Arguments, UsageError, misspelt_variables

if TYPE_CHECKING:
    from probe.config.outputs import Output
    from probe.model import Budget, ImageReference, Layers, Policy
    from probe.push import Gateway

__all__ = [
    "Environment",
    "Reports",
    "Settings",
    "UsageError",
    "arguments_of",
    "notes",
    "parse",
    "process_start",
    "read_reports",
]

DEADLINE_WITH_ALL_LAYERS = 900.0  # seconds
_OLDEST_START = 10.0  # seconds; an older process was a shell that replaced itself by us
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables that ECS, Lambda and the operator set. Proxy URLs may contain passwords and are never shown."""

    metadata_v4: str | None = None
    metadata_v3: str | None = None
    region: str | None = None
    execution_env: str | None = None
    lambda_function: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    no_proxy: str = field(default="", repr=False)
    fips_endpoints: bool = False


def _text_on_stdout() -> tuple[Output, ...]:
    from probe.config.outputs import Output

    return (Output("text"),)


@dataclass(frozen=True, slots=True)
class Reports:
    """Where reports go and how they look. `colour` None: in color on a terminal; `runbook_base` None: links stay as
    they are; the rest as in `Page`."""

    outputs: tuple[Output, ...] = field(default_factory=_text_on_stdout)
    pretty: bool = False
    colour: bool | None = None
    verbose: bool = False
    quiet: bool = False
    runbook_base: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """`started` is the monotonic instant of process start. `environ` is for the credential chain and never printed."""

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
    return settle(arguments_of("check", argv, environ), environ, started=started)


def arguments_of(command: str, argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Arguments:
    """The texts of a command's flags and variables. Raises UsageError."""
    return collect_for(command, argv, variables(environ))


def variables(environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """`environ`, or the process's environment."""
    return os.environ if environ is None else environ


def notes(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What is odd about the variables but no mistake that ends the command: names that look misspelled."""
    return misspelt_variables(variables(environ))


def settle(arguments: Arguments, environ: Mapping[str, str] | None = None, *, started: float | None = None) -> Settings:
    """Read the values of a check's flags. Raises UsageError."""
    from probe.config import readers
    from probe.model import Layers, Policy
    from probe.push import gateway

    environ = variables(environ)
    layers = arguments.value("layers", readers.layers) or Layers.SMALLEST
    platform = arguments.value("platform", readers.platform)
    also = arguments.values("also", readers.also)
    return Settings(
        image=arguments.value("image", readers.image),
        platform=platform or readers.machine_platform(os.uname().machine),
        platform_given=platform is not None,
        vpc_cidrs=arguments.values("vpc-cidr", readers.cidr),
        also=also,
        endpoint_dns=_endpoint_dns(arguments, also),
        policy=Policy(
            allow_public=arguments.values("allow-public", readers.endpoint),
            pull_role=arguments.value("pull-role", readers.role),
            strict=arguments.on("strict"),
        ),
        layers=layers,
        budget=_budget(arguments, layers),
        controls=not arguments.on("no-controls"),
        ca_bundle=_ca_bundle(arguments, environ),
        allow_instance_role=arguments.on("allow-instance-role"),
        reports=read_reports(arguments, environ),
        notes=notes(environ),
        started=process_start() if started is None else started,
        environment=environment(environ),
        environ=MappingProxyType(dict(environ)),
        push_gateway=arguments.value("push-gateway", gateway),
    )


def read_reports(
    arguments: Arguments, environ: Mapping[str, str] | None = None, *, formats: Iterable[str] | None = None
) -> Reports:
    """The flags of reports, which all commands with a report have. `formats` None: those of a verdict."""
    from probe.config import readers
    from probe.config.outputs import read_outputs
    from probe.report import FORMATS

    outputs = read_outputs(arguments, FORMATS if formats is None else formats)
    pretty = arguments.on("pretty")
    if pretty and all(output.format != "json" for output in outputs):
        sentence = "this is for json only, and --format (ECR_PROBE_FORMAT) is not json"
        raise arguments.refusal("pretty", sentence, example="--format json --pretty")
    verbose, quiet = arguments.on("verbose"), arguments.on("quiet")
    typed = tuple(map(arguments.on_command_line, ("verbose", "quiet")))
    if verbose and quiet and typed in ((True, False), (False, True)):
        verbose, quiet = typed  # a flag replaces the opposite variable too
    if verbose and quiet:
        raise arguments.refusal(
            "verbose", "cannot be combined with --quiet (ECR_PROBE_QUIET)", example="--verbose --no-quiet"
        )
    return Reports(
        outputs=outputs,
        pretty=pretty,
        colour=_colour(variables(environ)),
        verbose=verbose,
        quiet=quiet,
        runbook_base=arguments.value("runbook-base", readers.runbook_base),
    )


def _endpoint_dns(arguments: Arguments, also: tuple[str, ...]) -> Mapping[str, str]:
    from probe.config import readers
    from probe.endpoints import EXTRA_ENDPOINTS

    names: dict[str, str] = {}
    for endpoint, host in arguments.values("endpoint-dns", readers.endpoint_dns):
        if endpoint in names:
            raise arguments.refusal("endpoint-dns", f"{endpoint} has two names, {names[endpoint]} and {host}")
        if endpoint in EXTRA_ENDPOINTS and endpoint not in also:
            raise arguments.refusal("endpoint-dns", f"{endpoint} is checked only with --also {endpoint}")
        names[endpoint] = host
    return MappingProxyType(names)


def _budget(arguments: Arguments, layers: Layers) -> Budget:
    from probe.config import readers
    from probe.model import Budget, Layers

    default = Budget(deadline=DEADLINE_WITH_ALL_LAYERS) if layers is Layers.ALL else Budget()
    deadline = arguments.value("deadline", readers.duration(0.1, 86400)) or default.deadline
    connect = arguments.value("connect-timeout", readers.duration(0.01, 3600))
    if connect is not None and connect > deadline:
        limit = f"--deadline (ECR_PROBE_DEADLINE) {readers.duration_text(deadline)}"
        sentence = f"{readers.duration_text(connect)} is longer than the limit of the whole run, {limit}"
        raise arguments.refusal("connect-timeout", sentence)
    if "layer-bytes" in arguments and layers is not Layers.SMALLEST:
        sentence = f"has no effect with --layers (ECR_PROBE_LAYERS) {layers}; omit one of them"
        raise arguments.refusal("layer-bytes", sentence)
    return Budget(
        deadline=deadline,
        connect=min(default.connect, deadline) if connect is None else connect,
        layer_bytes=arguments.value("layer-bytes", readers.size) or default.layer_bytes,
    )


def _ca_bundle(arguments: Arguments, environ: Mapping[str, str]) -> str | None:
    """As in botocore, AWS_CA_BUNDLE replaces the system's store, unless it is empty."""
    from probe.config import readers

    if "ca-bundle" in arguments:
        return arguments.value("ca-bundle", readers.ca_bundle)
    path = environ.get("AWS_CA_BUNDLE", "")
    try:
        return readers.ca_bundle(path) if path else None
    except ValueError as error:
        raise arguments.flags["ca-bundle"].refusal(str(error), given_by="AWS_CA_BUNDLE") from None


def environment(environ: Mapping[str, str] | None = None) -> Environment:
    environ = variables(environ)

    def first(*names: str) -> str | None:
        return next((environ[name] for name in names if environ.get(name)), None)

    return Environment(
        metadata_v4=first("ECS_CONTAINER_METADATA_URI_V4"),
        metadata_v3=first("ECS_CONTAINER_METADATA_URI"),
        region=first("AWS_REGION", "AWS_DEFAULT_REGION"),
        execution_env=first("AWS_EXECUTION_ENV"),
        lambda_function=first("AWS_LAMBDA_FUNCTION_NAME"),
        proxies=MappingProxyType({name: environ[name] for name in _PROXY_VARIABLES if environ.get(name)}),
        # The lower-case spelling takes precedence, as in urllib and curl.
        no_proxy=first("no_proxy", "NO_PROXY") or "",
        fips_endpoints=(first("AWS_USE_FIPS_ENDPOINT") or "").lower() == "true",  # as botocore reads it
    )


def _colour(environ: Mapping[str, str]) -> bool | None:
    """Whether NO_COLOR (https://no-color.org), FORCE_COLOR or a dumb terminal decides on color; None: none of them."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    return False if environ.get("TERM") == "dumb" else None


def columns(environ: Mapping[str, str] | None = None) -> int | None:
    """The width that COLUMNS sets for output that is not a terminal, in reason; None if it sets none."""
    text = variables(environ).get("COLUMNS", "").strip()
    number = int(text[:9]) if text.isascii() and text.isdecimal() else 0
    return min(max(number, 60), 160) if number else None


def process_start() -> float:
    """The monotonic instant at which this process began, so that imports count too; now, if it cannot be determined."""
    now = time.monotonic()
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            # proc(5): field 22 is the start in clock ticks since boot; field 2, in parentheses, may hold blanks.
            ticks = int(file.read().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return now
    return now - age if 0 <= age <= _OLDEST_START else now
