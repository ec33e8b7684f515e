"""The options of `inspect`: its flags and their variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from probe.arns import REGION
from probe.config import readers
from probe.config.flags import Arguments
from probe.config.settings import Reports, arguments_of, environment, notes, read_reports
from probe.model import ImageReference
from probe.records import Unshown
from probe.report import FLEET_FORMATS
from probe.safe_words import quoted


class Options(Unshown, frozen=True):
    """`arguments` formats refusals that depend on AWS's replies."""

    cluster: str
    service: str | None
    task: str | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    image: ImageReference | None
    strict: bool
    region: str | None
    profile: str | None
    reports: Reports
    notes: tuple[str, ...]
    arguments: Arguments


def read_options(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Options:
    """Read the flags of `inspect` and their variables. Raises UsageError."""
    arguments = arguments_of("inspect", argv, environ)
    return Options(
        cluster=arguments.value_or_default("cluster", str),
        service=arguments.value("service", str),
        task=arguments.value("task", str),
        subnets=arguments.values("subnets", _of_form(r"subnet-[0-9a-f]{8,17}", "the id of a subnet")),
        security_groups=arguments.values(
            "security-groups", _of_form(r"sg-[0-9a-f]{8,17}", "the id of a security group")
        ),
        image=arguments.value("image", readers.image),
        strict=False,
        region=arguments.value("region", _of_form(REGION, "a region")) or environment(environ).region,
        profile=arguments.value("profile", str),
        reports=read_reports(arguments, environ, formats=FLEET_FORMATS),
        notes=notes(environ),
        arguments=arguments,
    )


def _of_form(pattern: str, what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"{quoted(text)} is not {what}")
        return text

    return read
