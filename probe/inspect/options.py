"""The options of `inspect`: its flags and their variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from probe.arns import REGION, ecs_arn
from probe.config import readers
from probe.config.flags import LAUNCH_TYPES, Arguments
from probe.config.outputs import check_writable
from probe.config.settings import Reports, arguments_of, environment, notes, read_reports
from probe.inspect.replacements import Wanted, parse
from probe.model import ImageReference
from probe.operator.stopped import task_arn
from probe.records import Unshown
from probe.report import FLEET_FORMATS
from probe.safe_words import quoted


class Options(Unshown, frozen=True):
    """`arguments` formats refusals that depend on AWS's replies."""

    cluster: str
    service: str | None
    task: re.Match[str] | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    image: ImageReference | None
    execution_role: str | None
    launch_type: str | None
    verdict: str | None
    changes: tuple[Wanted, ...]
    save: str | None
    configuration: str | None
    cross_check: bool
    read_manifest: bool
    strict: bool
    region: str | None
    profile: str | None
    reports: Reports
    notes: tuple[str, ...]
    arguments: Arguments

    @property
    def agreed(self) -> tuple[str, ...]:
        """The flags of reads that are not made without them."""
        flags = {"cross-check": self.cross_check, "read-manifest": self.read_manifest}
        return tuple(name for name, on in flags.items() if on)


def read_options(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Options:
    """Read the flags of `inspect` and their variables. Raises UsageError."""
    arguments = arguments_of("inspect", argv, environ)
    cluster = arguments.value_or_default("cluster", str)
    task = arguments.value("task", task_arn)
    of_cluster = ecs_arn(cluster, "cluster")
    _check_combinations(arguments)
    if "save" in arguments:
        check_writable(arguments, "save", arguments.value_or_default("save", str))
    return Options(
        cluster=cluster,
        service=arguments.value("service", str),
        task=task,
        subnets=arguments.values("subnets", _of_form(r"subnet-[0-9a-f]{8,17}", "the id of a subnet")),
        security_groups=arguments.values(
            "security-groups", _of_form(r"sg-[0-9a-f]{8,17}", "the id of a security group")
        ),
        image=arguments.value("image", readers.image),
        execution_role=arguments.value("execution-role", readers.role),
        launch_type=arguments.value("launch-type", _launch_type),
        verdict=arguments.value("verdict", str),
        changes=arguments.values("with", parse),
        save=arguments.value("save", str),
        configuration=arguments.value("configuration", str),
        cross_check=arguments.on("cross-check"),
        read_manifest=arguments.on("read-manifest"),
        strict=arguments.on("strict"),
        region=arguments.value("region", _of_form(REGION, "a region"))
        or (task["region"] if task else None)
        or (of_cluster["region"] if of_cluster else None)
        or environment(environ).region,
        profile=arguments.value("profile", str),
        reports=read_reports(arguments, environ, formats=FLEET_FORMATS),
        notes=notes(environ),
        arguments=arguments,
    )


def _check_combinations(arguments: Arguments) -> None:
    starts = [name for name in ("service", "task", "subnets", "verdict") if name in arguments]
    if not starts:
        sentence = "give this, --task (ECR_PROBE_TASK), --subnets (ECR_PROBE_SUBNETS) or --verdict (ECR_PROBE_VERDICT)"
        raise arguments.refusal("service", f"{sentence}, to say what to inspect")
    if "service" in arguments and "task" in arguments:
        raise arguments.refusal("task", "a task has its own place; leave it or --service (ECR_PROBE_SERVICE) out")
    if "save" in arguments and "configuration" in arguments:
        raise arguments.refusal("save", "a saved configuration is not changed; leave this or --configuration out")
    if (arguments.value("verdict", str), arguments.value("configuration", str)) == ("-", "-"):
        raise arguments.refusal("configuration", "standard input is the verdict; give the configuration as a file")
    if starts == ["subnets"] and "image" not in arguments:
        raise arguments.refusal("image", "before anything runs there, the image is not known otherwise")


def _launch_type(text: str) -> str:
    return readers.one_of(text.upper(), LAUNCH_TYPES, what="a launch type of this command")


def _of_form(pattern: str, what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"{quoted(text)} is not {what}")
        return text

    return read
