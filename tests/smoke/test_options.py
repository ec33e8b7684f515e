"""The flags of `smoke`: their values, and combinations that are refused."""

from __future__ import annotations

import pytest

from probe.config.flags import SMOKE_FLAGS, Flag, UsageError
from probe.fleet import Expectation
from probe.smoke.options import LAST_TRY, Options, read_options
from tests.smoke.aws import subnet

WHERE = ("--subnets", "subnet-0a1b2c3d4e5f60718,subnet-0a1b2c3d", "--security-groups", "sg-0a1b2c3d")


def refusal(*arguments: str, **environ: str) -> str:
    with pytest.raises(UsageError) as raised:
        read_options(arguments, environ)
    return str(raised.value)


def test_defaults() -> None:
    options = read_options(WHERE, {})
    assert (options.cluster, options.task_definition, options.service) == ("default", "ecr-probe-smoke", None)
    assert options.subnets == ("subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d")
    assert (options.timeout, options.wait_until_pass, options.expected, options.strict) == (600, 0.0, (), False)
    assert (options.region, options.profile, options.image) == (None, None, None)


@pytest.mark.parametrize("flag", [flag for flag in SMOKE_FLAGS if not flag.many], ids=lambda flag: flag.name)
def test_every_flag_has_an_equivalent_variable(flag: Flag) -> None:
    typed = [f"--{flag.name}", *([flag.example] if flag.metavar else [])]
    needed = {"output": (), "pretty": ("--format", "json")}.get(flag.name, ())
    where = ("--service", "shop") if flag.name == "service" else WHERE
    by_flag = read_options((*where, *needed, *typed), {})
    by_variable = read_options((*where, *needed), {flag.variable: flag.example or "yes"})
    assert values(by_flag) == values(by_variable)


def values(options: Options) -> dict[str, object]:
    return {name: getattr(options, name) for name in Options.__struct_fields__ if name != "arguments"}


def test_the_region_may_come_from_the_clusters_arn() -> None:
    arn = "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:cluster/main"
    assert read_options((*WHERE, "--cluster", arn), {}).region == "us-gov-west-1"
    assert read_options((*WHERE, "--cluster", arn, "--region", "eu-west-1"), {}).region == "eu-west-1"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            (),
            "--subnets (ECR_PROBE_SUBNETS): give these or --service (ECR_PROBE_SERVICE), to say where to run; ",
        ),
        (
            (*WHERE, "--launch-type", "EC2", "--capacity-provider", "x"),
            "--launch-type (ECR_PROBE_LAUNCH_TYPE): a capacity",
        ),
        ((*WHERE, "--service", "shop"), "--security-groups (ECR_PROBE_SECURITY_GROUPS): the service defines this"),
        (("--service", "shop", "--assign-public-ip"), "--assign-public-ip (ECR_PROBE_ASSIGN_PUBLIC_IP): the service"),
        (("--service", "shop", "--launch-type", "EC2"), "leave it or --service (ECR_PROBE_SERVICE) out"),
        (("--service", "shop", "--capacity-provider", "x"), "the service defines this"),
        ((*WHERE, "--wait-until-pass", "60", "--expect", "fail:tcp.silent"), "a failure is expected, not a pass"),
        (
            (*WHERE, "--wait-until-pass", "600", "--timeout", "60"),
            "1m is shorter than --wait-until-pass (ECR_PROBE_WAIT_UNTIL_PASS) 10m",
        ),
        ((*WHERE, "--launch-type", "FARGAT"), "use one of FARGATE, EC2"),
        ((*WHERE, "--launch-type", "EXTERNAL"), "'EXTERNAL' is not a launch type of this command"),
        ((*WHERE, "--expect", "tcp.silent"), "'tcp.silent' is not fail:CODE"),
        ((*WHERE, "--expect", "pass:tcp.silent"), "is not fail:CODE"),
        ((*WHERE, "--expect", "fail:tcp.slient"), "did you mean tcp.silent?"),
        ((*WHERE, "--expect", "fail:tcp.silent@here"), "'here' is not the id of a subnet"),
        ((*WHERE, "--expect", "fail:tcp.silent,fail:dns.public-answer"), "two codes are expected for the same subnet"),
        (("--subnets", "vpc-0a1b2c3d"), "--subnets (ECR_PROBE_SUBNETS): 'vpc-0a1b2c3d' is not the id of a subnet"),
        (("--subnets", "subnet-0a1b2c3d", "--security-groups", "default"), "is not the id of a security group"),
        ((*WHERE, "--cluster", "a b"), "--cluster (ECR_PROBE_CLUSTER): 'a b' is neither the name nor the ARN"),
        ((*WHERE, "--task-definition", "x:latest"), "is neither NAME, NAME:REVISION nor the ARN"),
        (("--service", "arn:aws:ecs:eu-west-1:123456789012:cluster/main"), "nor the ARN of a service"),
        ((*WHERE, "--container", "a/b"), "--container (ECR_PROBE_CONTAINER): 'a/b' is not a name"),
        ((*WHERE, "--region", "Ireland"), "--region (ECR_PROBE_REGION): 'Ireland' is not a region"),
        ((*WHERE, "--timeout", "soon"), "--timeout (ECR_PROBE_TIMEOUT): 'soon' is not a duration such as 30s"),
        ((*WHERE, "--timeout", "0"), "is not between 1s and"),
        ((*WHERE, "--image", "nginx"), "--image (ECR_PROBE_IMAGE): 'nginx' is not in ECR, "),
        ((*WHERE, "--format", "emf"), "--format (ECR_PROBE_FORMAT): 'emf' is not a format"),
        ((*WHERE, "--subnet", "x"), "unknown flag '--subnet'; did you mean --subnets (ECR_PROBE_SUBNETS)?"),
        ((*WHERE, "now"), "unknown argument 'now'; for example ecr-probe smoke --cluster main"),
    ],
)
def test_a_refusal_is_one_line_with_flag_and_variable(arguments: tuple[str, ...], complaint: str) -> None:
    text = refusal(*arguments)
    assert complaint in text
    assert "\n" not in text
    assert "; " in text


def test_a_variable_that_conflicts_with_a_flag_is_named() -> None:
    text = refusal("--service", "shop", ECR_PROBE_LAUNCH_TYPE="EC2")
    assert "--launch-type (ECR_PROBE_LAUNCH_TYPE): the service defines this" in text


def test_wait_until_pass_extends_the_timeout() -> None:
    assert read_options((*WHERE, "--wait-until-pass", "1200"), {}).timeout == 1200 + LAST_TRY
    assert read_options((*WHERE, "--wait-until-pass", "60"), {}).timeout == 600
    assert read_options((*WHERE, "--wait-until-pass", "60", "--timeout", "90"), {}).timeout == 90


def test_expectations_for_single_subnets_and_for_the_others() -> None:
    expectations = f"fail:tcp.silent@{subnet(1)},fail:tcp.silent@{subnet(2)},fail:dns.public-answer"
    assert read_options((*WHERE, "--expect", expectations), {}).expected == (
        Expectation(code="tcp.silent", subnets=(subnet(1), subnet(2))),
        Expectation(code="dns.public-answer"),
    )
