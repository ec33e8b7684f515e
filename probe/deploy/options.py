"""The options of `up` and `down`: their flags and variables. Those that `up` shares with `smoke` become smoke's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from probe.arns import REGION
from probe.config import readers
from probe.config.flags import FLEET_REPORT_FLAGS, SMOKE_FLAGS, Arguments
from probe.config.settings import Reports, arguments_of, environment, notes, read_reports
from probe.deploy.denials import POLICY
from probe.images import split_reference
from probe.records import Unshown, replace
from probe.report import FLEET_FORMATS
from probe.safe_words import quoted
from probe.smoke.options import Options as SmokeOptions
from probe.smoke.options import read_options as read_smoke_options

NONE = "none"  # the value of --schedule, --alarm-topic, --alarm-email and --permissions-boundary that removes them
# The values that the template allows. The first ones are its defaults.
ALARM_STATUSES = ("fail", "fail-or-inconclusive", "not-pass")
SIDECAR_ADDRESSES = ("127.0.0.1:9879", "0.0.0.0:9879")
# Fargate's: AWS[task-platforms]
PLATFORMS = {"linux/amd64": "X86_64", "linux/arm64": "ARM64"}
_REPORT_FLAGS = tuple(flag.name for flag in FLEET_REPORT_FLAGS)
_OWN_MEANING = ("timeout",)  # of the whole run
_REPOSITORY = re.compile(r"(?=.{2,256}$)[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*", re.ASCII)
_STACK = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]{1,250}\.[^@\s,;<>.]+")
_POLICY = re.compile(r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]{1,512}", re.ASCII)
_SCHEDULE = re.compile(r"rate\([1-9]\d{0,4} (?:minute|hour|day)s?\)|cron\([^()\s]+(?: [^()\s]+){5}\)", re.ASCII)


class UpOptions(Unshown, frozen=True):
    """From `schedule` to `sidecar_address` None keeps what the stack has, and an empty text removes it. `timeout` is in
    seconds."""

    smoke: SmokeOptions
    image_archive: str | None
    image_from: str | None
    repository: str
    repository_is_typed: bool
    platform: str | None
    stack_name: str
    vpc_cidrs: tuple[str, ...]
    schedule: str | None
    alarm_topic: str | None
    alarm_email: str | None
    alarm_statuses: str | None
    boundary: str | None
    sidecar: bool | None
    sidecar_address: str | None
    plan: bool
    yes: bool
    once: bool
    timeout: float
    region: str | None
    profile: str | None
    reports: Reports
    notes: tuple[str, ...]
    arguments: Arguments


class DownOptions(Unshown, frozen=True):
    stack_name: str
    plan: bool
    yes: bool
    timeout: float
    region: str | None
    profile: str | None
    notes: tuple[str, ...]
    arguments: Arguments


def read_up_options(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> UpOptions:
    """Read the flags of `up` and their variables. Raises UsageError."""
    arguments = arguments_of("up", argv, environ)
    _check_combinations(arguments)
    smoke = replace(read_smoke_options(tuple(_flags_of_smoke(arguments)), {}), policy=POLICY)
    return UpOptions(
        smoke=smoke,
        image_archive=arguments.value("image-archive", str),
        image_from=arguments.value("image-from", _reference),
        repository=arguments.value_or_default("repository", _repository),
        repository_is_typed="repository" in arguments,
        platform=arguments.value("platform", _platform),
        stack_name=arguments.value_or_default("stack-name", _stack_name),
        vpc_cidrs=arguments.values("vpc-cidr", readers.cidr),
        schedule=arguments.value("schedule", _schedule),
        alarm_topic=arguments.value("alarm-topic", _topic),
        alarm_email=arguments.value("alarm-email", _email),
        alarm_statuses=arguments.value("alarm-statuses", _alarm_statuses),
        boundary=arguments.value("permissions-boundary", _policy),
        sidecar=arguments.on("sidecar") if "sidecar" in arguments else None,
        sidecar_address=arguments.value("sidecar-listen", _sidecar_address),
        plan=arguments.on("plan"),
        yes=arguments.on("yes"),
        once=arguments.on("once"),
        timeout=arguments.value_or_default("timeout", readers.duration(60, 86400)),
        region=smoke.region or environment(environ).region,
        profile=smoke.profile,
        reports=read_reports(arguments, environ, formats=FLEET_FORMATS),
        notes=notes(environ),
        arguments=arguments,
    )


def read_down_options(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> DownOptions:
    """Read the flags of `down` and their variables. Raises UsageError."""
    arguments = arguments_of("down", argv, environ)
    return DownOptions(
        stack_name=arguments.value_or_default("stack-name", _stack_name),
        plan=arguments.on("plan"),
        yes=arguments.on("yes"),
        timeout=arguments.value_or_default("timeout", readers.duration(60, 86400)),
        region=arguments.value("region", _region) or environment(environ).region,
        profile=arguments.value("profile", str),
        notes=notes(environ),
        arguments=arguments,
    )


def _check_combinations(arguments: Arguments) -> None:
    if "image-archive" in arguments and "image-from" in arguments:
        raise arguments.refusal("image-archive", "cannot be combined with --image-from (ECR_PROBE_IMAGE_FROM)")
    if arguments.on("once") and arguments.on("plan"):
        raise arguments.refusal("once", "has no effect with --plan, which changes nothing; leave one of them out")
    stays = arguments.value("schedule", _schedule) not in (None, "") or arguments.on("sidecar")
    if arguments.on("once") and stays:
        sentence = "--schedule and --sidecar are there to stay, and it removes them again; leave it or them out"
        raise arguments.refusal("once", sentence)


def _flags_of_smoke(arguments: Arguments) -> Iterator[str]:
    """The flags that smoke has too, as they would be typed."""
    of_smoke = {flag.name: flag for flag in SMOKE_FLAGS}
    for name in arguments.texts:
        if name not in of_smoke or name in _REPORT_FLAGS or name in _OWN_MEANING:
            continue
        if of_smoke[name].switch:
            yield f"--{name}" if arguments.on(name) else f"--{of_smoke[name].opposite}"
        else:
            yield from (f"--{name}={text}" for text in arguments.texts[name])


# ---- values ----------------------------------------------------------------------------------------------------------


def _reference(text: str) -> str:
    split_reference(text)
    return text


def _repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text):
        raise ValueError(
            f"{quoted(text)} is not the name of a repository: 2 to 256 of a-z, 0-9 and . _ - / between them"
        )
    return text


def _stack_name(text: str) -> str:
    if not _STACK.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not the name of a stack: a letter, then letters, digits and -")
    return text


def _platform(text: str) -> str:
    return readers.one_of(text, PLATFORMS, what="a platform of ECS")


def _removable(text: str, pattern: re.Pattern[str], what: str) -> str:
    """A value, or an empty text for the one that removes it."""
    if text == NONE:
        return ""
    if not pattern.fullmatch(text):
        raise ValueError(f"{quoted(text)} is neither {what} nor {NONE}")
    return text


_schedule = partial(_removable, pattern=_SCHEDULE, what="rate(...), cron(...) with six fields,")
_topic = partial(_removable, pattern=_TOPIC, what="the ARN of an SNS topic")
_email = partial(_removable, pattern=_EMAIL, what="one e-mail address")
_policy = partial(_removable, pattern=_POLICY, what="the ARN of a policy")


def _alarm_statuses(text: str) -> str:
    return readers.one_of(text, ALARM_STATUSES, what="a choice of verdicts")


def _sidecar_address(text: str) -> str:
    return readers.one_of(text, SIDECAR_ADDRESSES, what="an address of the stack's sidecar")


def _region(text: str) -> str:
    if not re.fullmatch(REGION, text, re.ASCII):
        raise ValueError(f"{quoted(text)} is not a region")
    return text
