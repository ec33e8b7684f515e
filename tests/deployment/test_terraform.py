"""The Terraform modules: their language, their arguments, and the same resources as the CloudFormation stacks.

No Terraform runs here. `terraform.Module` evaluates the modules, and provider_arguments.json lists the arguments of the
resource types that they use: from the AWS provider 6.25.0, as CDK for Terraform publishes its schema, and of
aws_ecr_pull_time_update_exclusion from the provider's documentation (6.28.0).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.definitions import FOLDER, VALUES, filled, probe_container
from tests.deployment.templates import Template, as_api, decoded
from tests.deployment.terraform import Block, Module

TERRAFORM = FOLDER / "terraform"
MODULES = sorted(path.parent for path in TERRAFORM.glob("*/versions.tf"))
EXAMPLES = sorted(path.parent for path in TERRAFORM.glob("examples/*/main.tf"))
ARGUMENTS = json.loads((Path(__file__).parent / "provider_arguments.json").read_text())

STACKS = {"endpoints": FOLDER / "cloudformation/endpoints.yaml", "probe": FOLDER / "cloudformation/probe.yaml"}

# ---- equal parameters and variables ----------------------------------------------------------------------------------

ENDPOINTS = {
    "VpcId": VALUES["VPC_ID"],
    "SubnetIds": ["subnet-0a1b", "subnet-0b1c"],
    "RouteTableIds": ["rtb-0a1b"],
    "ClientCidr": "10.0.0.0/16,100.64.0.0/16",
}
PROBE = {"VpcCidr": "10.0.0.0/16,100.64.0.0/16", "SubnetIds": ["subnet-0a1b"], "SecurityGroupIds": ["sg-0a1b"]}
TOPIC = "arn:aws:sns:us-east-1:123456789012:oncall"
FULL = {
    "ScheduleExpression": "rate(1 hour)",
    "AlarmPeriodSeconds": 3600,
    "AlarmTopicArn": TOPIC,
    "AlarmEmail": "oncall@example.com",
    "AlarmStatuses": "fail-or-inconclusive",
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/ecr-probe-boundary",
    "Sidecar": "true",
}
REQUIRED = {"endpoints": ENDPOINTS, "probe": PROBE}
EVERYTHING = dict.fromkeys(("EcsEndpoints", "SecretsManagerEndpoint", "SsmEndpoint", "KmsEndpoint"), "true")
# Parameters of a stack with a variable of another name.
VARIABLES = {
    "ClientCidr": "client_cidrs",
    "ClientCidrIpv6": "client_cidrs_ipv6",
    "SecretsManagerEndpoint": "secretsmanager_endpoint",
    "VpcCidr": "vpc_cidrs",
}
# Parameters that are a list in Terraform.
LISTS = {"ClientCidr", "ClientCidrIpv6", "VpcCidr"}
# Parameters without a variable: the repository and its images are those of `ecr-probe up`.
STACK_ONLY = {"CreateRepository", "PushedImages"}

# ---- equal types and properties --------------------------------------------------------------------------------------

TYPES = {
    "AWS::EC2::VPCEndpoint": "aws_vpc_endpoint",
    "AWS::EC2::SecurityGroup": "aws_security_group",
    "AWS::EC2::SecurityGroupIngress": "aws_vpc_security_group_ingress_rule",
    "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm",
    "AWS::ECR::PullTimeUpdateExclusion": "aws_ecr_pull_time_update_exclusion",
    "AWS::ECS::Service": "aws_ecs_service",
    "AWS::ECS::TaskDefinition": "aws_ecs_task_definition",
    "AWS::IAM::Role": "aws_iam_role",
    "AWS::Logs::LogGroup": "aws_cloudwatch_log_group",
    "AWS::Logs::MetricFilter": "aws_cloudwatch_log_metric_filter",
    "AWS::SNS::Topic": "aws_sns_topic",
    "AWS::Scheduler::Schedule": "aws_scheduler_schedule",
}
# Lists of the stacks that are resources of their own in Terraform, with the argument that refers to the resource.
PARTS = {
    "SecurityGroupIngress": ("aws_vpc_security_group_ingress_rule", "security_group_id", "id"),
    "Policies": ("aws_iam_role_policy", "role", "id"),
    "Subscription": ("aws_sns_topic_subscription", "topic_arn", "arn"),
}
# Properties with an argument of another name than the property in lower case.
PROPERTIES = {
    "CidrIp": "cidr_ipv4",
    "CidrIpv6": "cidr_ipv6",
    "GroupDescription": "description",
    "GroupId": "security_group_id",
    "PolicyDocument": "policy",
    "PolicyName": "name",
    "AssumeRolePolicyDocument": "assume_role_policy",
    "FilterPattern": "pattern",
    "LogGroupName": "log_group_name",
    "MetricTransformations": "metric_transformation",
    "OKActions": "ok_actions",
}
# The same, in one type of resource or nested block only.
OWN_PROPERTIES = {
    ("AWS::Logs::LogGroup", "LogGroupName"): "name",
    ("MetricTransformations", "MetricName"): "name",
    ("MetricTransformations", "MetricNamespace"): "namespace",
    ("MetricTransformations", "MetricValue"): "value",
}
# Objects of the stacks whose properties Terraform has one level higher.
FLAT = {"DeploymentConfiguration", "AwsvpcConfiguration"}
DOCUMENTS = {"PolicyDocument", "AssumeRolePolicyDocument", "ContainerDefinitions"}
# Arguments that the stacks leave to CloudFormation: names, tags, and that it waits for a service.
TERRAFORM_ONLY = {"name_prefix", "tags", "alarm_name", "wait_for_steady_state"}
NAMED = {"aws_cloudwatch_log_metric_filter", "aws_ecs_service", "aws_scheduler_schedule"}
# References of the stacks.
ADDRESSES = {
    "EndpointSecurityGroup": "aws_security_group.endpoints.id",
    "EndpointSecurityGroup.GroupId": "aws_security_group.endpoints.id",
    "LogGroup": "aws_cloudwatch_log_group.verdicts.name",
    "TaskRole": "aws_iam_role.task.id",
    "TaskRole.Arn": "aws_iam_role.task.arn",
    "ExecutionRole": "aws_iam_role.execution.id",
    "ExecutionRole.Arn": "aws_iam_role.execution.arn",
    "ScheduleRole": "aws_iam_role.schedule[0].id",
    "ScheduleRole.Arn": "aws_iam_role.schedule[0].arn",
    "TaskDefinition": "aws_ecs_task_definition.check[0].arn",
    "SidecarTaskDefinition": "aws_ecs_task_definition.sidecar[0].arn",
    "AlarmTopic": "aws_sns_topic.alarms[0].arn",
}


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def variables(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of the module for the parameters of the stack."""
    made: dict[str, Any] = {}
    for name, value in parameters.items():
        in_terraform = VARIABLES.get(name, snake_case(name))
        if name in LISTS:
            made[in_terraform] = value.split(",") if value else []
        else:
            made[in_terraform] = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    return made


def module(name: str, parameters: Mapping[str, Any], **where: str) -> Module:
    return Module(TERRAFORM / name, variables(parameters), **where)


def referring(value: Any) -> Any:
    """The value with the addresses of Terraform for the references of the stack."""
    if isinstance(value, dict):
        return {key: referring(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [referring(item) for item in value]
    return ADDRESSES.get(value, value) if isinstance(value, str) else value


def arguments(properties: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The properties of a resource or of a nested object as arguments; an object is a nested block."""
    made: dict[str, Any] = {}
    for name, value in properties.items():
        argument = OWN_PROPERTIES.get((kind, name)) or PROPERTIES.get(name) or snake_case(name)
        if name in FLAT:
            made |= arguments(value, name)
        elif name == "ContainerDefinitions":
            made[argument] = as_api(value)
        elif name in DOCUMENTS:
            made[argument] = value
        elif name == "AssignPublicIp":
            made[argument] = value == "ENABLED"
        elif isinstance(value, dict):
            made[argument] = [arguments(value, name)]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            made[argument] = [arguments(item, name) for item in value]
        else:
            made[argument] = value
    return made


def of_stack(template: Template) -> list[dict[str, Any]]:
    """The resources of a stack in Terraform's terms, without tags."""
    made = []
    for name, properties in template.resources().items():
        kind = properties.pop("Type")
        for part, (type_, argument, attribute) in PARTS.items():
            for item in properties.pop(part, ()):
                address = ADDRESSES[name].rpartition(".")[0]
                made.append({"type": type_, argument: f"{address}.{attribute}", **arguments(item, part)})
        for left_out in ("SecurityGroupEgress", "Tags"):
            properties.pop(left_out, None)
        made.append({"type": TYPES[kind], **arguments(properties, kind)})
    return [dict(referring(resource)) for resource in made]


def of_module(made: Module) -> list[dict[str, Any]]:
    """The resources of a module without what the stacks leave to CloudFormation, and with decoded documents."""
    return [
        {
            name: json.loads(value) if name in ("policy", "assume_role_policy", "container_definitions") else value
            for name, value in resource.items()
            if name not in TERRAFORM_ONLY and not (name == "name" and resource["type"] in NAMED)
        }
        for resource in made.resources.values()
    ]


def in_order(resources: list[dict[str, Any]]) -> list[str]:
    """Comparable texts. CloudFormation and Terraform convert numbers to texts where the API wants them."""
    texts = (json.dumps(resource, sort_keys=True) for resource in resources)
    return sorted(re.sub(r"(?<=[:\[ ])(\d+)(?=[,}\]])", r'"\1"', text) for text in texts)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        EVERYTHING,
        {"EcrPolicy": "pull-only", "S3Policy": "ecr-only", "OrganizationId": "o-a1b2c3d4e5"},
        {"OrganizationId": "o-a1b2c3d4e5", "ClientCidr": "10.0.0.0/16"},
        EVERYTHING | {"IpAddressType": "dualstack", "ClientCidrIpv6": "2600:1f18::/56"},
    ],
)
@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-eusc", "eusc-de-east-1")]
)
def test_the_endpoints_are_those_of_the_stack(parameters: dict[str, str], partition: str, region: str) -> None:
    values = ENDPOINTS | parameters
    stack = Template(decoded(FOLDER / "cloudformation/endpoints.yaml"), values, partition, region)
    terraform = module("endpoints", values, partition=partition, region=region)
    assert in_order(of_module(terraform)) == in_order(of_stack(stack))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"RecordPullTime": "true", "Repository": "tools/probe", "ImageVersion": f"@sha256:{64 * '0'}"},
        {"LogGroupName": "/probe", "LogRetentionDays": 7, "CpuArchitecture": "ARM64"},
        {"ScheduleExpression": "rate(15 minutes)", "Cluster": "main"},
        {"ScheduleExpression": "rate(15 minutes)", "ScheduleState": "DISABLED", "AlarmTopicArn": TOPIC},
        {"ScheduleExpression": "rate(15 minutes)", "AlarmTopicArn": TOPIC, "AlarmStatuses": "not-pass"},
        {"Sidecar": "true", "SidecarListen": "0.0.0.0:9879"},
        FULL,
    ],
)
@pytest.mark.parametrize(("partition", "region"), [("aws", "eu-west-1"), ("aws-cn", "cn-north-1")])
def test_the_probe_is_that_of_the_stack(parameters: dict[str, Any], partition: str, region: str) -> None:
    values = PROBE | parameters
    stack = Template(decoded(STACKS["probe"]), values, partition, region)
    terraform = module("probe", values, partition=partition, region=region)
    assert in_order(of_module(terraform)) == in_order(of_stack(stack))


def test_what_the_probe_creates_is_tagged() -> None:
    made = module("probe", PROBE | FULL).resources
    untagged = {name.split(".")[0] for name, resource in made.items() if "tags" not in resource}
    assert untagged == {
        "aws_cloudwatch_log_metric_filter",
        "aws_ecr_pull_time_update_exclusion",
        "aws_iam_role_policy",
        "aws_scheduler_schedule",
        "aws_sns_topic_subscription",
    }  # the provider has no tags for these
    assert all(resource["tags"]["application"] == "ecr-probe" for resource in made.values() if "tags" in resource)


def test_the_sidecars_container_is_that_of_the_file() -> None:
    container = module("probe", PROBE).output("sidecar_container_definition")
    expected = probe_container(filled("fargate-sidecar"))
    expected["logConfiguration"]["options"]["awslogs-group"] = "aws_cloudwatch_log_group.verdicts.name"
    expected["environment"][0]["value"] = "10.0.0.0/16,100.64.0.0/16"
    assert container == expected


@pytest.mark.parametrize("parameters", [{"ScheduleExpression": "rate(15 minutes)"}, {"Sidecar": "true"}])
def test_what_runs_needs_subnets_and_groups(parameters: dict[str, str]) -> None:
    without = {name: value for name, value in PROBE.items() if name == "VpcCidr"}
    (message,) = module("probe", without | parameters).invalid()
    assert message.startswith("subnet_ids and security_group_ids are required")


def test_the_group_of_the_endpoints_lets_nothing_out() -> None:
    """The stack needs a rule that allows nothing; Terraform removes AWS's own rule, so that none is left."""
    stack = Template(decoded(FOLDER / "cloudformation/endpoints.yaml"), ENDPOINTS)
    ((rule,),) = [group["SecurityGroupEgress"] for group in stack.of_type("AWS::EC2::SecurityGroup")]
    assert rule["CidrIp"] == "255.255.255.255/32"
    made = module("endpoints", ENDPOINTS).resources
    assert "egress" not in made["aws_security_group.endpoints"]
    assert not [address for address in made if "egress" in address]


def test_ecrs_prefix_is_known_in_every_partition_of_the_stack() -> None:
    stack = decoded(FOLDER / "cloudformation/endpoints.yaml")
    for partition, mapping in stack["Mappings"]["Partitions"].items():
        made = module("endpoints", ENDPOINTS, partition=partition, region="xx-east-1").resources
        assert made['aws_vpc_endpoint.interface["ecr.api"]']["service_name"] == (
            f"{mapping['EcrPrefix']}.xx-east-1.ecr.api"
        )


def test_the_endpoints_of_the_agent_are_created_in_order() -> None:
    blocks = {block.labels[1]: block for block in module("endpoints", ENDPOINTS).of_type("resource")}
    for name, before in (("ecs_telemetry", "ecs_agent"), ("ecs", "ecs_telemetry")):
        tokens = [str(token) for token in blocks[name].attributes["depends_on"].scan_values(lambda _: True)]  # type: ignore[union-attr]
        assert before in tokens


# ---- variables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STACKS)
def test_the_variables_are_the_stacks_parameters(name: str) -> None:
    parameters = {key: value for key, value in decoded(STACKS[name])["Parameters"].items() if key not in STACK_ONLY}
    blocks = {block.labels[0]: block for block in Module(TERRAFORM / name, {}).of_type("variable")}
    assert set(blocks) - {"name", "tags"} == {
        VARIABLES.get(parameter, snake_case(parameter)) for parameter in parameters
    }
    evaluated = Module(TERRAFORM / name, variables(REQUIRED[name]))
    for parameter, content in parameters.items():
        if "Default" in content and parameter not in REQUIRED[name]:
            ((variable, default),) = variables({parameter: content["Default"]}).items()
            assert evaluated.variable(variable) == default, variable


@pytest.mark.parametrize("name", STACKS)
def test_a_variable_describes_itself_as_the_parameter_does(name: str) -> None:
    """So that a warning of the stack cannot be missing in the module. Words that name the form of a value differ."""
    for parameter, content in decoded(STACKS[name])["Parameters"].items():
        if parameter in STACK_ONLY:
            continue
        described = Module(TERRAFORM / name, {}).description(VARIABLES.get(parameter, snake_case(parameter)))
        if parameter not in LISTS:
            assert plain(described) == plain(content["Description"]), parameter


def plain(text: str) -> str:
    """Without quotes; a stack is a module, and is created where a module is used."""
    in_terms = text.replace('"', "").replace("create one stack for each", "use the module once for each")
    return " ".join(in_terms.replace("this stack", "this module").split())


@pytest.mark.parametrize(
    ("name", "variable", "bad"),
    [
        ("endpoints", "vpc_id", "10.0.0.0/16"),
        ("endpoints", "subnet_ids", []),
        ("endpoints", "subnet_ids", ["vpc-0a1b"]),
        ("endpoints", "route_table_ids", ["rtb-"]),
        ("endpoints", "ip_address_type", "both"),
        ("endpoints", "client_cidrs", []),
        ("endpoints", "client_cidrs", ["10.0.0.0/33"]),
        ("endpoints", "client_cidrs", ["2600:1f18::/56"]),
        ("endpoints", "client_cidrs_ipv6", ["10.0.0.0/16"]),
        ("endpoints", "s3_policy", "none"),
        ("endpoints", "ecr_policy", "pull"),
        ("endpoints", "organization_id", "a1b2c3d4e5"),
        ("probe", "name", "a name"),
        ("probe", "repository", "123456789012.dkr.ecr.us-east-1.amazonaws.com/ecr-probe:1"),
        ("probe", "image_version", "0.1.0"),
        ("probe", "cpu_architecture", "x86_64"),
        ("probe", "vpc_cidrs", []),
        ("probe", "schedule_expression", "15 minutes"),
        ("probe", "cluster", "arn:aws:ecs:us-east-1:123456789012:cluster/main"),
        ("probe", "subnet_ids", ["sg-0a1b"]),
        ("probe", "security_group_ids", ["subnet-0a1b"]),
        ("probe", "schedule_state", "on"),
        ("probe", "alarm_topic_arn", "oncall"),
        ("probe", "permissions_boundary", "ecr-probe-boundary"),
        ("probe", "alarm_email", "oncall"),
        ("probe", "alarm_statuses", "degraded"),
        ("probe", "alarm_period_seconds", 60),
        ("probe", "sidecar_listen", "0.0.0.0:80"),
        ("probe", "log_group_name", "my group"),
        ("probe", "log_retention_days", 31),
    ],
)
def test_a_bad_value_is_refused_with_the_variables_name(name: str, variable: str, bad: Any) -> None:
    good = variables(REQUIRED[name])
    assert Module(TERRAFORM / name, good).invalid() == []
    (message,) = Module(TERRAFORM / name, good | {variable: bad}).invalid()
    assert message.startswith(f"{variable} is ")


# ---- every module ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", MODULES, ids=lambda path: path.name)
def test_every_variable_and_output_is_documented(folder: Path) -> None:
    for block in Module(folder, {}).of_type("variable"):
        assert {"description", "type"} <= set(block.attributes), block.labels
    for block in Module(folder, {}).of_type("output"):
        assert {"description", "value"} <= set(block.attributes), block.labels


@pytest.mark.parametrize("folder", MODULES, ids=lambda path: path.name)
def test_the_provider_has_every_argument(folder: Path) -> None:
    for block in Module(folder, {}).of_type("resource"):
        assert list(wrong_arguments(block, ARGUMENTS[block.labels[0]])) == [], block.labels


def wrong_arguments(block: Block, known: Mapping[str, Any]) -> Iterator[str]:
    """Arguments and nested blocks that the provider does not have, and required ones that are missing."""
    named = {name.rstrip("*"): kind for name, kind in known.items()}
    meta = {"count", "for_each", "depends_on"}
    present = set(block.attributes) - meta
    for inner in block.blocks:
        kind, content = inner.type, inner
        if inner.type == "dynamic":
            (kind,) = inner.labels
            content = next(part for part in inner.blocks if part.type == "content")
        if kind == "lifecycle":
            continue
        present.add(kind)
        fields = named.get(kind)
        fields = fields[0] if isinstance(fields, list) else fields
        if not isinstance(fields, dict) or "*" in fields:
            yield f"{kind} is no nested block"
        else:
            yield from (f"{kind}.{wrong}" for wrong in wrong_arguments(content, fields))
    for name in block.attributes:
        if isinstance(named.get(name), dict) and "*" not in named[name]:
            yield f"{name} is a nested block"
    yield from sorted(present - set(named))
    yield from sorted(name for name in known if name.endswith("*") and name.rstrip("*") not in present)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_an_example_sets_the_variables_of_its_module(folder: Path) -> None:
    for block in Module(folder, {}).of_type("module"):
        made = Module(folder, {}).called(block)
        assert made.folder in MODULES
        known = {inner.labels[0]: inner for inner in made.of_type("variable")}
        assert set(made.values) <= set(known)
        assert {name for name, inner in known.items() if "default" not in inner.attributes} <= set(made.values)
        assert made.invalid() == []


CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}


def fits(value: Any, kind: Any) -> bool:
    """Whether a value has the argument's type. A number may be given as a text, as Terraform converts it."""
    if isinstance(kind, str):
        return CHECKS[kind](value) or (kind == "string" and CHECKS["number"](value))
    if isinstance(kind, list):
        return isinstance(value, list) and all(fits(item, kind[0]) for item in value)
    if "*" in kind:
        return isinstance(value, dict) and all(fits(item, kind["*"]) for item in value.values())
    named = {name.rstrip("*"): inner for name, inner in kind.items()}
    return all(
        fits(inner, named[name])
        for item in (value if isinstance(value, list) else [value])
        for name, inner in item.items()
    )


@pytest.mark.parametrize("name", STACKS)
def test_every_value_has_the_arguments_type(name: str) -> None:
    everything: dict[str, dict[str, Any]] = {"endpoints": EVERYTHING | {"IpAddressType": "ipv6"}, "probe": FULL}
    for parameters in (REQUIRED[name], REQUIRED[name] | everything[name]):
        for where, arguments in module(name, parameters).resources.items():
            known = {key.rstrip("*"): kind for key, kind in ARGUMENTS[arguments["type"]].items()}
            assert [key for key, value in arguments.items() if key != "type" and not fits(value, known[key])] == [], (
                where
            )
