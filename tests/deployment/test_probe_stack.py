"""The alarms of the stack: which log lines count, and when they are created. Its sidecar: what it runs."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from aws_json_term_matcher.exceptions import MatchingError
from aws_json_term_matcher.matcher import match

from probe.history import Snapshot, advance
from probe.model import Status, Verdict
from probe.report import Page
from probe.report.emf import render as emf
from probe.report.json import render as as_json
from probe.serve.log_lines import event, round_lines
from probe.sim.vpc import VPC
from tests.deployment.definitions import ACCOUNT, FOLDER, REGION, VALUES, filled, probe_container
from tests.deployment.recording import checked, recorded, recorded_in_lambda
from tests.deployment.templates import Template, as_api, decoded
from tests.report import made

STACK = FOLDER / "cloudformation/probe.yaml"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"
SCHEDULED = {
    "VpcCidr": "10.0.0.0/16",
    "Cluster": "main",
    "SubnetIds": ["subnet-1"],
    "SecurityGroupIds": ["sg-1"],
    "ScheduleExpression": "rate(15 minutes)",
}
ALARMS = {"FailingVerdicts", "Verdicts", "FailingAlarm", "SilenceAlarm"}
SIDECAR = {"SidecarTaskDefinition", "SidecarService"}


def stack(**parameters: Any) -> dict[str, dict[str, Any]]:
    return Template(decoded(STACK), SCHEDULED | parameters, region=REGION).resources()


def pattern(name: str, statuses: str = "fail") -> str:
    return str(stack(AlarmTopicArn=TOPIC, AlarmStatuses=statuses)[name]["FilterPattern"])


def line(verdict: Verdict) -> str:
    return as_json(verdict, Page()).strip()


def matches(filter_pattern: str, text: str) -> bool:
    """Whether a metric filter counts the line, by LocalStack's reader; moto does not evaluate patterns."""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    try:
        return bool(match(document, filter_pattern))
    except MatchingError:  # its answer where an object on the way to the field is missing
        return False


@cache
def broken(definition: str) -> Verdict:
    """The verdict where the S3 gateway is missing."""

    def remove_gateway(vpc: VPC) -> None:
        vpc.gateway = None

    return checked(definition, remove_gateway)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ('{ ($.user.id = "x") && ($.user.email = "John.Stiles@example.com") }', False),
        ('{ $.user.email = "John.Stiles@example.com" || $.eventType = "nomatch" && $.user.id = "nomatch" }', True),
        ('{ ($.user.email = "John.Stiles@example.com" || $.eventType = "nomatch") && $.user.id = "nomatch" }', False),
        ('{ $.user = "x" }', False),
    ],
)
def test_patterns_mean_what_the_guide_says(text: str, expected: bool) -> None:
    """The examples of AWS[log-filter-patterns], in the form that ours have: strings in quotes."""
    document = {"eventType": "UpdateTrail", "user": {"email": "John.Stiles@example.com", "id": "1"}}
    assert matches(text, json.dumps(document)) is expected
    assert not matches(text, "no JSON")


def test_the_verdicts_of_the_schedule_count() -> None:
    verdicts = recorded("fargate-check").verdict, broken("fargate-check")
    assert [verdict.status for verdict in verdicts] == [Status.PASS, Status.FAIL]
    assert [matches(pattern("Verdicts"), line(verdict)) for verdict in verdicts] == [True, True]
    assert [matches(pattern("FailingVerdicts"), line(verdict)) for verdict in verdicts] == [False, True]


@pytest.mark.parametrize(
    ("statuses", "alarming"),
    [
        ("fail", {Status.FAIL}),
        ("fail-or-inconclusive", {Status.FAIL, Status.INCONCLUSIVE}),
        ("not-pass", {Status.FAIL, Status.INCONCLUSIVE, Status.DEGRADED}),
    ],
)
def test_the_parameter_chooses_the_statuses(statuses: str, alarming: set[Status]) -> None:
    document = json.loads(line(recorded("fargate-check").verdict))
    lines = {status: json.dumps(document | {"status": status}) for status in Status}
    assert {status for status, text in lines.items() if matches(pattern("FailingVerdicts", statuses), text)} == alarming


def test_no_other_line_of_the_log_group_counts() -> None:
    """smoke writes its verdicts to the same group: a broken subnet in them must not raise the schedule's alarm."""
    new = Snapshot(started_at=made.NOON, interval=60.0, base_interval=60.0)
    others = [
        line(broken("smoke")),
        *round_lines(new, advance(new, made.broken(), interval=60.0)),
        event("info", "listening"),
        *emf(broken("fargate-check"), Page()).splitlines(),
        "ecr-probe: missing variable",
    ]
    assert len(others) > 5
    assert [text for text in others for name in ("Verdicts", "FailingVerdicts") if matches(pattern(name), text)] == []


@pytest.mark.parametrize(
    ("parameters", "actions"),
    [
        ({}, None),
        ({"AlarmTopicArn": TOPIC, "ScheduleExpression": ""}, None),
        ({"AlarmTopicArn": TOPIC, "ScheduleState": "DISABLED"}, None),
        ({"AlarmTopicArn": TOPIC}, [TOPIC]),
        ({"AlarmEmail": "oncall@example.com"}, ["AlarmTopic"]),
        ({"AlarmTopicArn": TOPIC, "AlarmEmail": "oncall@example.com"}, [TOPIC, "AlarmTopic"]),
    ],
)
def test_an_enabled_schedule_with_a_receiver_has_alarms(parameters: dict[str, str], actions: list[str] | None) -> None:
    resources = stack(**parameters)
    assert ALARMS & set(resources) == (ALARMS if actions else set())
    assert ("AlarmTopic" in resources) is ("AlarmTopic" in (actions or []))
    if actions:
        for name in ("FailingAlarm", "SilenceAlarm"):
            assert resources[name]["AlarmActions"] == resources[name]["OKActions"] == actions
        if "AlarmTopic" in resources:
            assert resources["AlarmTopic"]["Subscription"] == [{"Protocol": "email", "Endpoint": "oncall@example.com"}]


def test_an_alarm_watches_what_its_filter_counts() -> None:
    resources = stack(AlarmTopicArn=TOPIC)
    for alarm, counted in (("FailingAlarm", "FailingVerdicts"), ("SilenceAlarm", "Verdicts")):
        (metric,) = resources[counted]["MetricTransformations"]
        assert resources[counted]["LogGroupName"] == "LogGroup"
        assert (metric["MetricNamespace"], metric["MetricName"]) == (
            resources[alarm]["Namespace"],
            resources[alarm]["MetricName"],
        )
        assert resources[alarm]["AlarmDescription"].startswith("Cluster main: ")
    # A minute with a passing verdict reports 0, so that the alarm ends: AWS[log-metric-default].
    assert resources["FailingVerdicts"]["MetricTransformations"][0]["DefaultValue"] == 0


def test_no_verdict_raises_an_alarm() -> None:
    """A task with an image that cannot be pulled writes no log, and a metric without a log has no data."""
    alarm = stack(AlarmTopicArn=TOPIC)["SilenceAlarm"]
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == (
        "LessThanThreshold",
        1,
        "breaching",
    )
    # Without a default value: lines of smoke or of the sidecar would otherwise count as data.
    assert "DefaultValue" not in stack(AlarmTopicArn=TOPIC)["Verdicts"]["MetricTransformations"][0]


def test_every_period_is_one_that_cloudwatch_accepts() -> None:
    """AWS[alarm-missing-data]"""
    for period in decoded(STACK)["Parameters"]["AlarmPeriodSeconds"]["AllowedValues"]:
        longest = 86_400 if period < 3_600 else 604_800
        assert period % 60 == 0
        assert period * stack(AlarmTopicArn=TOPIC)["SilenceAlarm"]["EvaluationPeriods"] <= longest


def test_the_functions_alarms_watch_the_metrics_that_its_runs_print() -> None:
    stack_of_function = decoded(FOLDER / "cloudformation/lambda.yaml")
    parameters = {
        "CodeBucket": "code",
        "CodeKey": "ecr-probe.zip",
        "Repository": "ecr-probe",
        "VpcCidr": "10.0.0.0/16",
        "VpcId": "vpc-1",
        "SubnetId": VALUES["SUBNET_ID"],
        "AlarmTopicArn": TOPIC,
    }
    assert not Template(stack_of_function, parameters).of_type("AWS::CloudWatch::Alarm")  # it has no schedule
    resources = Template(stack_of_function, parameters | {"ScheduleExpression": "rate(15 minutes)"}).resources()
    printed = json.loads(emf(recorded_in_lambda().verdict, Page()).splitlines()[0])
    (metrics,) = printed["_aws"]["CloudWatchMetrics"]
    for name, missing in (("FailingAlarm", "ignore"), ("SilenceAlarm", "breaching")):
        alarm = resources[name]
        dimensions = {item["Name"]: item["Value"] for item in alarm["Dimensions"]}
        assert dimensions["Service"] == "Function"  # a reference: the function's name
        dimensions["Service"] = resources["Function"]["FunctionName"]
        assert dimensions == {key: printed[key] for key in metrics["Dimensions"][0]}
        assert alarm["Namespace"] == metrics["Namespace"]
        assert alarm["MetricName"] in [metric["Name"] for metric in metrics["Metrics"]]
        assert (alarm["TreatMissingData"], alarm["AlarmActions"], alarm["OKActions"]) == (missing, [TOPIC], [TOPIC])


# ---- the sidecar -----------------------------------------------------------------------------------------------------


def test_the_sidecar_runs_on_request_and_is_reachable_by_nobody() -> None:
    assert not SIDECAR & set(stack())
    resources = stack(Sidecar="true", ScheduleExpression="")
    assert set(resources) >= SIDECAR
    service = resources["SidecarService"]
    assert (service["DesiredCount"], service["TaskDefinition"]) == (1, "SidecarTaskDefinition")
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "Subnets": ["subnet-1"],
        "SecurityGroups": ["sg-1"],
        "AssignPublicIp": "DISABLED",
    }


@pytest.mark.parametrize("listen", ["127.0.0.1:9879", "0.0.0.0:9879"])
def test_the_sidecar_is_the_probe_of_the_file_and_listens_where_it_should(listen: str) -> None:
    parameters = {} if listen.startswith("127") else {"SidecarListen": listen}  # the first is the default
    made_by_stack = stack(Sidecar="true", **parameters)["SidecarTaskDefinition"]
    file = filled("fargate-sidecar")
    (container,) = made_by_stack["ContainerDefinitions"]
    expected = probe_container(file) | {"essential": True}  # it is alone in its task
    expected["environment"] = [
        {"name": "ECR_PROBE_VPC_CIDR", "value": "10.0.0.0/16"},
        {"name": "ECR_PROBE_LISTEN", "value": listen},
    ]
    expected["logConfiguration"]["options"]["awslogs-group"] = "LogGroup"
    assert as_api(container) == expected
    for key in ("Family", "NetworkMode", "RequiresCompatibilities", "Cpu", "Memory"):
        assert made_by_stack[key] == file[key[0].lower() + key[1:]]
