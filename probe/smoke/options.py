"""The options of `smoke`: its flags and their variables. `target` adds what the service and task definition contain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from probe.arns import NAME, REGION, ecs_arn
from probe.config import readers
from probe.config.flags import INSPECTED, LAUNCH_TYPES, Arguments
from probe.config.settings import Reports, arguments_of, environment, notes, read_reports
from probe.faults import FAULTS
from probe.fleet import Expectation
from probe.operator.aws import POLICY
from probe.records import Unshown
from probe.report import FLEET_FORMATS
from probe.safe_words import quoted

LAST_TRY = 300.0  # seconds for a task that was started just before --wait-until-pass expired
_FLAGS_OF_THE_SERVICE = ("security-groups", "assign-public-ip", "launch-type", "capacity-provider")


class Options(Unshown, frozen=True):
    """`arguments` formats refusals that depend on AWS's replies, `policy` is the file that has all permissions."""

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
    inspect: str | None
    region: str | None
    profile: str | None
    reports: Reports
    notes: tuple[str, ...]
    arguments: Arguments
    policy: str = POLICY
    roles_are_new: bool = False  # created just before, by `up`


def read_options(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Options:
    """Read the flags of `smoke` and their variables. Raises UsageError."""
    arguments = arguments_of("smoke", argv, environ)
    _check_combinations(arguments)
    cluster = arguments.value_or_default("cluster", _name_or_arn("cluster"))
    arn = ecs_arn(cluster, "cluster")
    waiting = arguments.value_or_default("wait-until-pass", readers.duration(0, 86400))
    image = arguments.value("image", readers.image)
    return Options(
        cluster=cluster,
        task_definition=arguments.value_or_default("task-definition", _task_definition),
        service=arguments.value("service", _name_or_arn("service")),
        subnets=arguments.values("subnets", _subnet),
        security_groups=arguments.values("security-groups", _security_group),
        public_ip=arguments.on("assign-public-ip"),
        launch_type=arguments.value("launch-type", _launch_type),
        capacity_provider=arguments.value("capacity-provider", _name),
        container=arguments.value("container", _name),
        image=image.text if image else None,
        as_execution_role=arguments.on("as-execution-role"),
        timeout=_timeout(arguments, waiting),
        wait_until_pass=waiting,
        expected=_expectations(arguments),
        strict=arguments.on("strict"),
        inspect=arguments.value("inspect", _inspected),
        region=arguments.value("region", _region) or (arn["region"] if arn else None) or environment(environ).region,
        profile=arguments.value("profile", str),
        reports=read_reports(arguments, environ, formats=FLEET_FORMATS),
        notes=notes(environ),
        arguments=arguments,
    )


def _check_combinations(arguments: Arguments) -> None:
    def exclude(name: str, other: str, reason: str) -> None:
        if name in arguments and other in arguments:
            variable = arguments.flags[other].variable
            raise arguments.refusal(name, f"{reason}; leave it or --{other} ({variable}) out")

    exclude("launch-type", "capacity-provider", "a capacity provider replaces the launch type")
    for name in _FLAGS_OF_THE_SERVICE:
        exclude(name, "service", "the service defines this")
    exclude("wait-until-pass", "expect", "with --expect (ECR_PROBE_EXPECT) a failure is expected, not a pass")
    if "service" not in arguments and "subnets" not in arguments:
        raise arguments.refusal("subnets", "give these or --service (ECR_PROBE_SERVICE), to say where to run")


def _timeout(arguments: Arguments, waiting: float) -> float:
    timeout = arguments.value_or_default("timeout", readers.duration(1, 86400 + LAST_TRY))
    if "timeout" not in arguments:
        return max(timeout, waiting + LAST_TRY)
    if timeout < waiting:
        limit = f"--wait-until-pass (ECR_PROBE_WAIT_UNTIL_PASS) {readers.duration_text(waiting)}"
        raise arguments.refusal("timeout", f"{readers.duration_text(timeout)} is shorter than {limit}")
    return timeout


def _expectations(arguments: Arguments) -> tuple[Expectation, ...]:
    expectations = tuple(_by_code(arguments.values("expect", _expectation)))
    named = [subnet for expectation in expectations for subnet in expectation.subnets]
    if len(set(named)) < len(named) or sum(not expectation.subnets for expectation in expectations) > 1:
        raise arguments.refusal("expect", "two codes are expected for the same subnet; name one code for each subnet")
    return expectations


def _by_code(pairs: Sequence[tuple[str, str | None]]) -> Iterator[Expectation]:
    for code in dict.fromkeys(code for code, _ in pairs):
        named = tuple(subnet for other, subnet in pairs if other == code and subnet is not None)
        if named:
            yield Expectation(code=code, subnets=named)
        if (code, None) in pairs:
            yield Expectation(code=code)


# ---- values ----------------------------------------------------------------------------------------------------------


def _expectation(text: str) -> tuple[str, str | None]:
    expectation, at, subnet = text.partition("@")
    result, colon, code = expectation.partition(":")
    if result != "fail" or not colon:
        raise ValueError(f"{quoted(text)} is not fail:CODE")
    readers.one_of(code, sorted(fault.code for fault in FAULTS), what="the code of a finding")
    return code, _subnet(subnet) if at else None


def _name_or_arn(kind: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if re.fullmatch(NAME, text, re.ASCII) or ecs_arn(text, kind):
            return text
        raise ValueError(f"{quoted(text)} is neither the name nor the ARN of a {kind}")

    return read


def _task_definition(text: str) -> str:
    if re.fullmatch(rf"{NAME}(?::\d{{1,9}})?", text, re.ASCII) or ecs_arn(text, "task-definition"):
        return text
    raise ValueError(f"{quoted(text)} is neither NAME, NAME:REVISION nor the ARN of a task definition")


def _matching(pattern: str, what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"{quoted(text)} is not {what}")
        return text

    return read


_name = _matching(NAME, "a name: letters, digits, - and _")
_subnet = _matching("subnet-[0-9a-f]{8,17}", "the id of a subnet")
_security_group = _matching("sg-[0-9a-f]{8,17}", "the id of a security group")
_region = _matching(REGION, "a region")


def _inspected(text: str) -> str:
    return readers.one_of(text, INSPECTED, what="a choice of subnets")


def _launch_type(text: str) -> str:
    return readers.one_of(text.upper(), LAUNCH_TYPES, what="a launch type of this command")
