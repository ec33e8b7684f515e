"""What `smoke` was asked to do. What the service and the task definition add to it is read in `target`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from probe.config import readers
from probe.config.flags import Arguments, misspelt_variables
from probe.config.settings import Reports, arguments_of, environment, read_reports, variables
from probe.faults import FAULTS
from probe.fleet import Expectation
from probe.records import Unshown
from probe.report import FLEET_FORMATS
from probe.safe_words import quoted
from probe.wire.partitions import REGION_FORM

TIMEOUT = 600.0  # seconds
# Of a task that was started when --wait-until-pass had just not run out yet.
LAST_TRY = 300.0
_LAUNCH_TYPES = ("FARGATE", "EC2")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_ARN = re.compile(r"arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:[a-z-]+/[A-Za-z0-9_/-]+(?::[0-9]+)?", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_-]{1,255}(?::[0-9]{1,9})?", re.ASCII)
_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}", re.ASCII)
_GROUP = re.compile(r"sg-[0-9a-f]{8,17}", re.ASCII)
_REGION = re.compile(REGION_FORM, re.ASCII)
# What a service has already said.
_OF_A_SERVICE = ("security-groups", "assign-public-ip", "launch-type", "capacity-provider")


class Options(Unshown, frozen=True):
    """`given` words refusals that only AWS's answers bring about."""

    cluster: str
    task_definition: str
    service: str | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    public_ip: bool
    launch_type: str | None
    capacity_provider: str | None
    container: str | None
    image: str | None
    as_execution_role: bool
    timeout: float
    wait_until_pass: float
    expected: tuple[Expectation, ...]
    strict: bool
    region: str | None
    profile: str | None
    reports: Reports
    notes: tuple[str, ...]
    given: Arguments


def read(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Options:
    """Read the flags of `smoke` and their variables. Raises UsageError."""
    given = arguments_of("smoke", argv, environ)
    _check_together(given)
    cluster = given.one("cluster", _cluster) or "default"
    waiting = given.one("wait-until-pass", readers.duration(0, 86400)) or 0.0
    image = given.one("image", readers.image)
    return Options(
        cluster=cluster,
        task_definition=given.one("task-definition", _task_definition) or "ecr-probe-smoke",
        service=given.one("service", _service),
        subnets=given.many("subnets", _subnet),
        security_groups=given.many("security-groups", _group),
        public_ip=given.on("assign-public-ip"),
        launch_type=given.one("launch-type", _launch_type),
        capacity_provider=given.one("capacity-provider", _name),
        container=given.one("container", _name),
        image=image.text if image else None,
        as_execution_role=given.on("as-execution-role"),
        timeout=_timeout(given, waiting),
        wait_until_pass=waiting,
        expected=_expected(given),
        strict=given.on("strict"),
        region=given.one("region", _region) or _region_of(cluster) or environment(environ).region,
        profile=given.one("profile", str),
        reports=read_reports(given, environ, formats=FLEET_FORMATS),
        notes=misspelt_variables(variables(environ)),
        given=given,
    )


def _check_together(given: Arguments) -> None:
    def both(one: str, other: str, why: str) -> None:
        if one in given and other in given:
            flag = given.flags[other]
            raise given.refusal(one, f"{why}; leave it or --{other} ({flag.variable}) out")

    both("launch-type", "capacity-provider", "a capacity provider stands in the place of a launch type")
    for name in _OF_A_SERVICE:
        both(name, "service", "the service says this itself")
    both("wait-until-pass", "expect", "a drill waits for no pass")
    if "service" not in given and "subnets" not in given:
        raise given.refusal("subnets", "nothing says where to run, and no --service (ECR_PROBE_SERVICE) is given")


def _timeout(given: Arguments, waiting: float) -> float:
    timeout = given.one("timeout", readers.duration(1, 86400 + LAST_TRY))
    if timeout is not None and timeout < waiting:
        limit = f"--wait-until-pass (ECR_PROBE_WAIT_UNTIL_PASS) {readers.duration_text(waiting)}"
        sentence = f"{readers.duration_text(timeout)} is shorter than {limit}"
        raise given.refusal("timeout", sentence)
    return max(TIMEOUT, waiting + LAST_TRY) if timeout is None else timeout


def _expected(given: Arguments) -> tuple[Expectation, ...]:
    found = tuple(_joined(given.many("expect", _expectation)))
    named = [subnet for each in found for subnet in each.subnets]
    if len(set(named)) < len(named) or sum(not each.subnets for each in found) > 1:
        raise given.refusal("expect", "a subnet is expected to fail with two codes; one is told at a time")
    return found


def _joined(pairs: Sequence[tuple[str, str | None]]) -> Iterator[Expectation]:
    for code in dict.fromkeys(code for code, _ in pairs):
        named = tuple(subnet for other, subnet in pairs if other == code and subnet is not None)
        if named:
            yield Expectation(code=code, subnets=named)
        if (code, None) in pairs:
            yield Expectation(code=code)


# ---- values ----------------------------------------------------------------------------------------------------------


def _expectation(text: str) -> tuple[str, str | None]:
    expectation, at, subnet = text.partition("@")
    word, colon, code = expectation.partition(":")
    if word != "fail" or not colon:
        raise ValueError(f"{quoted(text)} is not fail:CODE")
    readers.one_of(code, sorted(fault.code for fault in FAULTS), what="the code of a finding")
    return code, _subnet(subnet) if at else None


def _cluster(text: str) -> str:
    return _name_or_arn(text, "cluster")


def _service(text: str) -> str:
    return _name_or_arn(text, "service")


def _name_or_arn(text: str, what: str) -> str:
    if _NAME.fullmatch(text) or (_ARN.fullmatch(text) and f":{what}/" in text):
        return text
    raise ValueError(f"{quoted(text)} is neither the name nor the ARN of a {what}")


def _task_definition(text: str) -> str:
    if _REVISION.fullmatch(text) or (_ARN.fullmatch(text) and ":task-definition/" in text):
        return text
    raise ValueError(f"{quoted(text)} is neither NAME, NAME:REVISION nor the ARN of a task definition")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a name: letters, digits, - and _")
    return text


def _subnet(text: str) -> str:
    if not _SUBNET.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not the id of a subnet")
    return text


def _group(text: str) -> str:
    if not _GROUP.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not the id of a security group")
    return text


def _launch_type(text: str) -> str:
    return readers.one_of(text.upper(), _LAUNCH_TYPES, what="a launch type of this command")


def _region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a region")
    return text


def _region_of(cluster: str) -> str | None:
    """A cluster's ARN holds it."""
    return cluster.split(":")[3] if cluster.startswith("arn:") else None
