"""The deployment files, checked by independent programs: the AWS CLI against moto, and cfn-lint."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from container.wheels import PYTHONS, machine_named
from probe import lambda_event
from probe.aws_lambda import RESERVE
from probe.config.settings import parse
from probe.endpoints import AGENT_ENDPOINTS, CORE_ENDPOINTS
from probe.model import Budget
from tests.deployment.definitions import ACCOUNT, FOLDER, NAMES, VALUES, filled
from tests.deployment.policies import several, statements
from tests.deployment.templates import Template
from tests.lab.account import Account, assert_cfn_lint_finds_nothing
from tests.lab.cloud import SERVERS
from tests.lab.network import run

TEMPLATES = sorted((FOLDER / "cloudformation").glob("*.yaml"))
POLICIES = sorted(
    str(path.relative_to(FOLDER))[:-5] for part in ("iam", "policies") for path in (FOLDER / part).rglob("*.json")
)
NETWORK = {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"], "RouteTableIds": ["rtb-1"], "ClientCidr": "10.0.0.0/16"}
README_REGION = "eu-west-1"  # not the tests' region
PROBE = {"VpcCidr": VALUES["VPC_CIDR"], "Cluster": "main", "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
SCHEDULED = PROBE | {"ScheduleExpression": "rate(15 minutes)"}
LAMBDA = {
    "CodeBucket": "code",
    "CodeKey": "ecr-probe.zip",
    "Repository": "ecr-probe",
    "VpcCidr": VALUES["VPC_CIDR"],
    "VpcId": VALUES["VPC_ID"],
    "SubnetId": VALUES["SUBNET_ID"],
}
ON_FARGATE = set(CORE_ENDPOINTS) - set(AGENT_ENDPOINTS)
# AWS's own prefixes, as aws-cdk writes them (aws-ec2/lib/vpc-endpoint.ts); everything else begins with com.amazonaws.
PREFIXES_OF_ECR = {
    ("aws", "eu-west-1"): "com.amazonaws",
    ("aws-us-gov", "us-gov-west-1"): "com.amazonaws",
    ("aws-cn", "cn-north-1"): "cn.com.amazonaws",
    ("aws-eusc", "eusc-de-east-1"): "eu.amazonaws",
    ("aws-iso", "us-iso-east-1"): "gov.ic.c2s",
    ("aws-iso-b", "us-isob-east-1"): "gov.sgov.sc2s",
    ("aws-iso-e", "eu-isoe-west-1"): "uk.adc-e.cloud",
    ("aws-iso-f", "us-isof-south-1"): "gov.ic.hci.csp",
}
BY_PARAMETER = {"SecretsManagerEndpoint": "secretsmanager", "SsmEndpoint": "ssm", "KmsEndpoint": "kms"}
RESTRICTED = {"EcrPolicy": "pull-only", "S3Policy": "ecr-only"}


def commands_of_readme(section: str) -> list[str]:
    """The code blocks of a section of the README."""
    _, _, rest = (FOLDER / "README.md").read_text().partition(f"\n## {section}\n")
    return re.findall(r"^```sh\n(.*?)^```$", rest.partition("\n## ")[0], re.M | re.S)


# ---- task definitions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_cli_registers_it_and_ecs_returns_it_unchanged(account: Account, name: str, tmp_path: Path) -> None:
    definition = filled(name)
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(definition))
    account.aws(f"ecs register-task-definition --cli-input-json file://{file}")
    described = account.aws(f"ecs describe-task-definition --task-definition {definition['family']} --include TAGS")
    registered = described["taskDefinition"]
    assert {key: registered.get(key) for key in definition if key not in ("containerDefinitions", "tags")} == {
        key: value for key, value in definition.items() if key not in ("containerDefinitions", "tags")
    }
    assert described["tags"] == definition["tags"]
    for ours, theirs in zip(definition["containerDefinitions"], registered["containerDefinitions"], strict=True):
        assert {key: theirs.get(key) for key in ours} == ours


def test_the_readmes_service_runs_the_daemon_on_every_instance(account: Account) -> None:
    account.aws(f"ecs register-task-definition --cli-input-json '{json.dumps(filled('ec2-daemon'))}'")
    account.aws("ecs create-cluster --cluster-name daemons")
    (create,) = commands_of_readme("On EC2")
    made = json.loads(account.shell(create, CLUSTER="daemons"))["service"]
    assert (made["launchType"], made["schedulingStrategy"], made["propagateTags"]) == (
        "EC2",
        "DAEMON",
        "TASK_DEFINITION",
    )


def test_the_readmes_commands_register_and_run(account: Account) -> None:
    register, exclude, deploy, _digest = commands_of_readme("Fill in and register")
    account.shell(register)
    # moto does not know the operation; the skeleton of its answer comes from the CLI, which checks the arguments first.
    skeleton = account.shell(f"{exclude.strip()} --generate-cli-skeleton output", ACCOUNT_ID=ACCOUNT)
    assert set(json.loads(skeleton)) == {"principalArn", "createdAt"}
    assert account.aws("iam get-role --role-name ecr-probe-task")["Role"]["RoleName"] in exclude
    region = {"AWS_REGION": README_REGION, "AWS_DEFAULT_REGION": README_REGION}
    role = account.aws("iam get-role-policy --role-name ecr-probe-task --policy-name ecr-probe", **region)
    policy = json.loads(json.dumps(role["PolicyDocument"]).replace(README_REGION, VALUES["REGION"]))
    assert policy["Statement"] == statements("iam/task-role")
    described = account.aws("ecs describe-task-definition --task-definition ecr-probe-fargate-check", **region)
    (container,) = described["taskDefinition"]["containerDefinitions"]
    assert container["logConfiguration"]["options"]["awslogs-region"] == README_REGION
    (group,) = account.aws("logs describe-log-groups --log-group-name-prefix /ecs/ecr-probe", **region)["logGroups"]
    assert group["retentionInDays"] == 30

    # moto runs no task without the memory of a container, which Fargate does not need.
    runnable = filled("fargate-check")
    runnable["containerDefinitions"][0]["memory"] = 256
    account.aws(f"ecs register-task-definition --cli-input-json '{json.dumps(runnable)}'", **region)
    account.aws("ecs create-cluster --cluster-name main", **region)
    account.skip_waiting("ecs::task")
    subnet = account.aws("ec2 describe-subnets", **region)["Subnets"][0]
    groups = account.aws(f"ec2 describe-security-groups --filters Name=vpc-id,Values={subnet['VpcId']}", **region)
    variables = {"CLUSTER": "main", "SUBNET": subnet["SubnetId"], "GROUP": groups["SecurityGroups"][0]["GroupId"]}
    once, as_execution_role = commands_of_readme("Run once")
    without_log = once.partition("aws logs get-log-events")[0]  # moto's containers write no log
    assert without_log != once
    printed = json.loads(account.shell(without_log, **variables, **region))
    assert printed[1][0][0] == 0  # moto's exit code
    started = json.loads(account.shell(as_execution_role, ACCOUNT_ID=ACCOUNT, **variables, **region))["tasks"][0]
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/ecr-probe-execution"
    assert started["overrides"]["taskRoleArn"] == role_arn
    (override,) = started["overrides"]["containerOverrides"]
    assert override["name"] == container["name"]
    assert override["environment"] == [{"name": "ECR_PROBE_PULL_ROLE", "value": role_arn}]

    account.aws("logs delete-log-group --log-group-name /ecs/ecr-probe", **region)  # the stack creates it
    account.shell(deploy, **variables, **region)
    (stack,) = account.aws("cloudformation describe-stacks --stack-name ecr-probe", **region)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


# ---- policies --------------------------------------------------------------------------------------------------------


@cache
def services() -> dict[str, Any]:
    """cfn-lint's table of every action of AWS, and whether it supports resources."""
    (file,) = SERVERS.parent.glob("lib/python3*/site-packages/cfnlint/data/AdditionalSpecs/Policies.json")
    return dict(json.loads(file.read_text()))


@pytest.mark.parametrize("name", POLICIES)
def test_every_action_exists(name: str) -> None:
    actions = [action for statement in statements(name) for action in several(statement["Action"])]
    for action in (action for action in actions if action != "*"):
        service, _, operation = action.partition(":")
        assert operation.lower() in services()[service]["Actions"], action


@pytest.mark.parametrize("name", [name for name in POLICIES if name.startswith("iam/")])
def test_resources_are_listed_where_the_action_supports_them(name: str) -> None:
    for statement in statements(name):
        if statement.get("Resource") == "*" and statement["Effect"] == "Allow":
            # ListTasks supports container instances and needs * without one; a condition limits it to the cluster.
            in_a_cluster = "ecs:cluster" in statement.get("Condition", {}).get("ArnEquals", {})
            # Which objects are on the path is what inspect finds out, and its actions only read.
            is_unknown = name == "iam/operator-inspect"
            for action in () if in_a_cluster or is_unknown else several(statement["Action"]):
                service, _, operation = action.partition(":")
                assert not services()[service]["Actions"][operation.lower()].get("Resources"), action


# ---- CloudFormation --------------------------------------------------------------------------------------------------

_DECODE = "import json, sys; from cfnlint.decode import decode; print(json.dumps(decode(sys.argv[1])[0]))"


@cache
def decoded(name: str) -> dict[str, Any]:
    file = FOLDER / "cloudformation" / f"{name}.yaml"
    return dict(json.loads(run(str(SERVERS / "python"), "-c", _DECODE, str(file))))


def endpoints(
    parameters: Mapping[str, str] | None = None,
    *,
    ecs: bool = False,
    partition: str = "aws",
    region: str = VALUES["REGION"],
) -> Template:
    values = {**NETWORK, "EcsEndpoints": str(ecs).lower(), **(parameters or {})}
    return Template(decoded("endpoints"), values, partition, region)


def probe(**more: Any) -> Template:
    return Template(decoded("probe"), SCHEDULED | more, region=VALUES["REGION"])


def in_lambda(**more: Any) -> Template:
    return Template(decoded("lambda"), LAMBDA | more, region=VALUES["REGION"])


def by_service(template: Template) -> dict[str, dict[str, Any]]:
    resources = template.of_type("AWS::EC2::VPCEndpoint")
    return {endpoint["ServiceName"].partition(f"{template.region}.")[2]: endpoint for endpoint in resources}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_cfn_lint_finds_nothing(path: Path) -> None:
    assert_cfn_lint_finds_nothing(path)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_parameter_has_a_description(path: Path) -> None:
    assert all(len(parameter["Description"]) > 10 for parameter in decoded(path.stem)["Parameters"].values())


def test_the_stack_creates_the_endpoints_that_the_check_needs() -> None:
    assert set(by_service(endpoints())) == ON_FARGATE
    assert set(by_service(endpoints(ecs=True))) == ON_FARGATE | set(AGENT_ENDPOINTS)


def test_interfaces_have_private_dns_and_the_same_group() -> None:
    template = endpoints(ecs=True)
    interfaces = by_service(template)
    gateway = interfaces.pop("s3")
    assert (gateway["VpcEndpointType"], gateway["RouteTableIds"]) == ("Gateway", NETWORK["RouteTableIds"])
    for interface in interfaces.values():
        assert (interface["VpcEndpointType"], interface["PrivateDnsEnabled"]) == ("Interface", True)
        assert (interface["SubnetIds"], interface["SecurityGroupIds"]) == (
            NETWORK["SubnetIds"],
            ["EndpointSecurityGroup"],
        )


@pytest.mark.parametrize("number", range(1, 6))
def test_every_range_is_allowed_to_connect_to_https(number: int) -> None:
    ranges = [f"10.{n}.0.0/16" for n in range(number)]
    client_cidr = ",".join(ranges)
    assert re.fullmatch(decoded("endpoints")["Parameters"]["ClientCidr"]["AllowedPattern"], client_cidr)
    template = Template(decoded("endpoints"), {**NETWORK, "ClientCidr": client_cidr})
    (first,) = template.resources()["EndpointSecurityGroup"]["SecurityGroupIngress"]
    more = template.of_type("AWS::EC2::SecurityGroupIngress")
    assert {rule["GroupId"] for rule in more} <= {"EndpointSecurityGroup.GroupId"}
    rules = [first, *more]
    assert [rule["CidrIp"] for rule in rules] == ranges
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules} == {("tcp", 443, 443)}


@pytest.mark.parametrize("client_cidr", ["", "10.0.0.0/16,", "10.0.0.0/16, 10.1.0.0/16", ",".join(["10.0.0.0/16"] * 6)])
def test_a_malformed_list_of_ranges_is_refused(client_cidr: str) -> None:
    assert not re.fullmatch(decoded("endpoints")["Parameters"]["ClientCidr"]["AllowedPattern"], client_cidr)


def test_the_restricted_policies_are_the_files() -> None:
    services = by_service(endpoints(RESTRICTED, ecs=True))
    for name in ("ecr.api", "ecr.dkr"):
        assert services[name]["PolicyDocument"] == filled("policies/ecr-endpoint")
    assert services["s3"]["PolicyDocument"] == filled("policies/s3-gateway")


def test_by_default_the_stack_restricts_neither_s3_nor_pushes() -> None:
    services = by_service(endpoints())
    assert "PolicyDocument" not in services["s3"]  # AWS attaches its default policy, which allows everything
    for name in ("ecr.api", "ecr.dkr"):
        (statement,) = services[name]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"], statement["Resource"]) == (
            ("Allow", "*", "*", "*")
        )
        assert "Condition" not in statement
    warning = decoded("endpoints")["Parameters"]["S3Policy"]["Description"]
    assert all(word in warning for word in ("then denied", "buckets", "environment files", "Systems Manager"))
    assert "interrupts open connections to S3" in decoded("endpoints")["Description"]


def test_an_organization_restricts_the_ecr_endpoints_and_never_s3() -> None:
    services = by_service(endpoints(RESTRICTED | {"OrganizationId": "o-a1b2c3d4e5"}))
    for name in ("ecr.api", "ecr.dkr"):
        (statement,) = services[name]["PolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    assert "Condition" not in json.dumps(services["s3"]["PolicyDocument"])


@pytest.mark.parametrize("parameter", BY_PARAMETER)
def test_further_endpoints_are_created_on_request(parameter: str) -> None:
    services = by_service(endpoints({parameter: "true"}))
    assert set(services) == ON_FARGATE | {BY_PARAMETER[parameter]}
    made = services[BY_PARAMETER[parameter]]
    assert (made["VpcEndpointType"], made["PrivateDnsEnabled"]) == ("Interface", True)
    assert made["SecurityGroupIds"] == ["EndpointSecurityGroup"]


@pytest.mark.parametrize("addresses", ["dualstack", "ipv6"])
def test_all_endpoints_have_the_same_type_of_addresses(addresses: str) -> None:
    everything = dict.fromkeys(BY_PARAMETER, "true")
    template = endpoints(everything | {"IpAddressType": addresses, "ClientCidrIpv6": "2600:1f18::/56"}, ecs=True)
    for endpoint in template.of_type("AWS::EC2::VPCEndpoint"):
        assert endpoint["IpAddressType"] == endpoint["DnsOptions"]["DnsRecordIpType"] == addresses
    (rule,) = template.of_type("AWS::EC2::SecurityGroupIngress")
    assert (rule["CidrIpv6"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == (
        ("2600:1f18::/56", "tcp", 443, 443)
    )
    plain = endpoints(everything, ecs=True).of_type("AWS::EC2::VPCEndpoint")
    assert not any({"IpAddressType", "DnsOptions"} & set(endpoint) for endpoint in plain)


@pytest.mark.parametrize(("partition", "region"), PREFIXES_OF_ECR)
def test_the_stack_fits_every_partition(partition: str, region: str) -> None:
    everything = RESTRICTED | dict.fromkeys(BY_PARAMETER, "true")
    services = by_service(endpoints(everything, ecs=True, partition=partition, region=region))
    assert len(services) == len(ON_FARGATE) + len(AGENT_ENDPOINTS) + len(BY_PARAMETER)
    for name, endpoint in services.items():
        prefix = PREFIXES_OF_ECR[partition, region] if name.startswith("ecr.") else "com.amazonaws"
        assert endpoint["ServiceName"] == f"{prefix}.{region}.{name}"
    (statement,) = services["s3"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == f"arn:{partition}:s3:::prod-{region}-starport-layer-bucket/*"
    own = Template(decoded("probe"), SCHEDULED | {"CreateRepository": "true"}, partition, region)
    assert set(re.findall(r"\barn:([\w-]+):", json.dumps(own.resources()))) == {partition}


@pytest.mark.parametrize("role", ["Task", "Execution"])
def test_the_stacks_roles_are_the_files(role: str) -> None:
    made = probe().resources()[f"{role}Role"]
    assert made["AssumeRolePolicyDocument"] == filled("iam/trust-ecs-tasks")
    assert [policy["PolicyDocument"] for policy in made["Policies"]] == [filled(f"iam/{role.lower()}-role")]


@pytest.mark.parametrize(("resource", "name"), [("SmokeTaskDefinition", "smoke"), ("TaskDefinition", "fargate-check")])
def test_the_stacks_task_definitions_are_the_files(resource: str, name: str) -> None:
    made = probe().resources()[resource]
    assert made.pop("Type") == "AWS::ECS::TaskDefinition"
    file = filled(name)
    roles = {"taskRoleArn": "TaskRole.Arn", "executionRoleArn": "ExecutionRole.Arn"}
    assert _with_small_initials(made) == file | roles | {
        "containerDefinitions": [_logging_to(container, "LogGroup") for container in file["containerDefinitions"]]
    }
    assert probe().resources()["LogGroup"]["LogGroupName"] == "/ecs/ecr-probe"


def test_without_a_schedule_the_stack_has_what_smoke_needs() -> None:
    needed = {"LogGroup", "TaskRole", "ExecutionRole", "SmokeTaskDefinition"}
    assert set(probe(ScheduleExpression="", RecordPullTime="true").resources()) == needed
    assert set(probe().resources()) == needed | {"PullTimeExclusion", "TaskDefinition", "ScheduleRole", "Schedule"}


def test_the_repository_is_created_on_request_and_stays() -> None:
    (repository,) = probe(CreateRepository="true", Repository="tools/ecr-probe").of_type("AWS::ECR::Repository")
    assert repository["RepositoryName"] == "tools/ecr-probe"
    resource = decoded("probe")["Resources"]["ProbeRepository"]
    # Kept with the stack's deletion, since others may have pushed to it, but not if the stack's creation fails.
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_probes_reads_leave_the_pull_time_alone_unless_they_should_count() -> None:
    (exclusion,) = probe().of_type("AWS::ECR::PullTimeUpdateExclusion")
    assert exclusion["PrincipalArn"] == "TaskRole.Arn"
    assert probe(RecordPullTime="true").of_type("AWS::ECR::PullTimeUpdateExclusion") == []


def test_the_file_is_the_programs_own() -> None:
    """A wheel has the files of the package `probe`; a request to CloudFormation may have 51,200 bytes of a template."""
    file = FOLDER / "cloudformation" / "probe.yaml"
    assert file.resolve() == Path(str(files("probe.deploy") / "stack.yaml"))
    assert file.stat().st_size < 51_200


def test_the_schedule_may_run_the_probe() -> None:
    made = probe().resources()
    target = made["Schedule"]["Target"]
    cluster = f"arn:aws:ecs:{VALUES['REGION']}:{ACCOUNT}:cluster/main"
    assert (target["Arn"], target["RoleArn"]) == (cluster, "ScheduleRole.Arn")
    assert target["EcsParameters"]["TaskDefinitionArn"] == "TaskDefinition"
    assert target["EcsParameters"]["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "Subnets": PROBE["SubnetIds"],
        "SecurityGroups": PROBE["SecurityGroupIds"],
        "AssignPublicIp": "DISABLED",
    }
    role = made["ScheduleRole"]
    run_task, pass_role = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert (run_task["Action"], run_task["Resource"]) == ("ecs:RunTask", "TaskDefinition")
    assert run_task["Condition"] == {"ArnEquals": {"ecs:cluster": cluster}}
    assert (pass_role["Action"], pass_role["Resource"]) == ("iam:PassRole", ["TaskRole.Arn", "ExecutionRole.Arn"])
    assert pass_role["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "scheduler.amazonaws.com"}


def test_the_probes_stack_is_created_with_its_topic_and_sidecar(account: Account) -> None:
    account.aws("ecs create-cluster --cluster-name alarmed")
    topic = account.aws("sns create-topic --name oncall")["TopicArn"]
    subnet = account.aws("ec2 describe-subnets")["Subnets"][0]
    groups = account.aws(f"ec2 describe-security-groups --filters Name=vpc-id,Values={subnet['VpcId']}")
    group = groups["SecurityGroups"][0]["GroupId"]
    account.shell(
        "aws cloudformation deploy --stack-name alarmed --template-file cloudformation/probe.yaml "
        "--capabilities CAPABILITY_IAM --parameter-overrides VpcCidr=10.0.0.0/16 Cluster=alarmed "
        f"SubnetIds={subnet['SubnetId']} SecurityGroupIds={group} LogGroupName=/alarmed "
        f"ScheduleExpression='rate(15 minutes)' AlarmTopicArn={topic} AlarmEmail=oncall@example.com Sidecar=true"
    )
    # moto has neither metric filters nor alarms as resources; cfn-lint judges their properties.
    (subscription,) = account.aws("sns list-subscriptions")["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "oncall@example.com")
    (service,) = account.aws("ecs list-services --cluster alarmed")["serviceArns"]
    (described,) = account.aws(f"ecs describe-services --cluster alarmed --services {service}")["services"]
    assert described["desiredCount"] == 1


@pytest.mark.parametrize("ecs", [False, True])
def test_the_endpoints_stack_is_created(account: Account, ecs: bool) -> None:
    vpc = account.aws("ec2 create-vpc --cidr-block 10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = account.aws(f"ec2 create-subnet --vpc-id {vpc} --cidr-block 10.0.1.0/24")["Subnet"]["SubnetId"]
    table = account.aws(f"ec2 create-route-table --vpc-id {vpc}")["RouteTable"]["RouteTableId"]
    name = f"endpoints-{vpc}"
    account.shell(
        f"aws cloudformation deploy --stack-name {name} --template-file cloudformation/endpoints.yaml "
        f"--parameter-overrides VpcId={vpc} SubnetIds={subnet} RouteTableIds={table} "
        f"ClientCidr=10.0.0.0/16,100.64.0.0/16 EcsEndpoints={str(ecs).lower()} EcrPolicy=pull-only"
    )
    made = account.aws(f"ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={vpc}")["VpcEndpoints"]
    services = {endpoint["ServiceName"].partition(f"{VALUES['REGION']}.")[2] for endpoint in made}
    assert services == ON_FARGATE | set(AGENT_ENDPOINTS if ecs else ())
    groups = account.aws(f"ec2 describe-security-groups --filters Name=vpc-id,Values={vpc}")["SecurityGroups"]
    (group,) = (group for group in groups if group["GroupName"] != "default")
    assert {item["CidrIp"] for rule in group["IpPermissions"] for item in rule["IpRanges"]} == {
        "10.0.0.0/16",
        "100.64.0.0/16",
    }


# ---- the function ----------------------------------------------------------------------------------------------------


def test_the_functions_role_is_the_files() -> None:
    role = in_lambda().resources()["Role"]
    assert role["AssumeRolePolicyDocument"] == filled("iam/trust-lambda")
    assert [policy["PolicyDocument"] for policy in role["Policies"]] == [filled("iam/lambda-role")]
    managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    assert role["ManagedPolicyArns"] == [managed]


def test_the_code_is_denied_what_awss_policy_allows_on_interfaces() -> None:
    show = (
        "import json; from moto.iam.aws_managed_policies import aws_managed_policies_data as policies;"
        "print(json.dumps(json.loads(policies)['AWSLambdaVPCAccessExecutionRole']['Document']))"
    )
    (allow,) = json.loads(run(str(SERVERS / "python"), "-c", show))["Statement"]
    (deny,) = [statement for statement in statements("iam/lambda-role") if statement["Effect"] == "Deny"]
    assert set(deny["Action"]) == {action for action in allow["Action"] if action.startswith("ec2:")}


@pytest.mark.parametrize(("groups", "expected"), [("", ["SecurityGroup"]), (["sg-1", "sg-2"], ["sg-1", "sg-2"])])
def test_the_function_runs_in_its_subnet(groups: str | list[str], expected: list[str]) -> None:
    made = in_lambda(SecurityGroupIds=groups).resources()
    function = made["Function"]
    assert function["VpcConfig"] == {"SubnetIds": [VALUES["SUBNET_ID"]], "SecurityGroupIds": expected}
    assert ("SecurityGroup" in made) is (not groups)
    module, _, name = function["Handler"].rpartition(".")
    assert callable(getattr(import_module(module), name))
    assert function["Timeout"] >= Budget().deadline + RESERVE
    settings = parse([], function["Environment"]["Variables"])
    assert settings.image is not None
    assert (settings.image.repository, settings.vpc_cidrs) == ("ecr-probe", (VALUES["VPC_CIDR"],))


def test_lambda_does_not_retry_a_failed_invocation() -> None:
    (invocation,) = in_lambda().of_type("AWS::Lambda::EventInvokeConfig")
    assert (invocation["FunctionName"], invocation["Qualifier"], invocation["MaximumRetryAttempts"]) == (
        "Function",
        "$LATEST",
        0,
    )


def test_its_runtimes_are_those_that_the_zip_supports() -> None:
    parameters = decoded("lambda")["Parameters"]
    assert parameters["Runtime"]["AllowedValues"] == [f"python{python}" for python in PYTHONS]
    assert {machine_named(architecture) for architecture in parameters["Architecture"]["AllowedValues"]} == {
        "x86_64",
        "aarch64",
    }


def test_an_optional_schedule_invokes_the_function_with_a_valid_event() -> None:
    assert not in_lambda().of_type("AWS::Scheduler::Schedule")
    made = in_lambda(ScheduleExpression="rate(15 minutes)").resources()
    target, role = made["Schedule"]["Target"], made["ScheduleRole"]
    assert (target["Arn"], target["RoleArn"]) == ("Function.Arn", "ScheduleRole.Arn")
    _, formats = lambda_event.read(json.loads(target["Input"]))
    assert formats == ("json", "emf")
    (invoke,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert (invoke["Action"], invoke["Resource"]) == ("lambda:InvokeFunction", "Function.Arn")
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "scheduler.amazonaws.com"}


def test_the_readmes_commands_create_and_invoke_a_function_in_each_subnet(account: Account, tmp_path: Path) -> None:
    account.post("config", {"iam": {"load_aws_managed_policies": True}, "lambda": {"use_docker": False}})
    deploy, invoke = commands_of_readme("As a Lambda function")
    build = next(line for line in deploy.splitlines() if line.startswith("make "))
    deploy = deploy.replace(build, "")
    assert deploy.startswith("export ")
    vpc = account.aws("ec2 describe-vpcs")["Vpcs"][0]["VpcId"]
    subnets = [subnet["SubnetId"] for subnet in account.aws("ec2 describe-subnets")["Subnets"][:2]]
    groups = account.aws(f"ec2 describe-security-groups --filters Name=vpc-id,Values={vpc}")["SecurityGroups"]
    variables = {"BUCKET": "code", "SUBNETS": " ".join(subnets), "VPC_ID": vpc, "GROUP": groups[0]["GroupId"]}
    account.shell("aws s3 mb s3://code")
    account.shell(deploy.partition("\n")[2], **variables)
    for subnet in subnets:
        function = account.aws(f"lambda get-function-configuration --function-name ecr-probe-{subnet}")
        assert (function["Handler"], function["Runtime"], function["Timeout"]) == (
            "probe.aws_lambda.handler",
            "python3.13",
            60,
        )
        assert function["VpcConfig"]["SubnetIds"] == [subnet]

    file = tmp_path / "verdict.json"
    invoke = invoke.replace("verdict.json", str(file)).replace("event.json", str(tmp_path / "event.json"))
    invocation, _, explain_arguments = invoke.partition("ecr-probe explain")
    account.shell(invocation, SUBNET=subnets[0])  # moto returns the event
    assert lambda_event.read(json.loads(file.read_text()))[0].texts["deadline"] == ("20",)
    verdict = run(sys.executable, "-m", "probe", "demo", "healthy", "--format", "json")
    account.post("static/lambda-simple/response", {"results": [verdict], "region": VALUES["REGION"]})
    account.shell(invocation, SUBNET=subnets[0])
    assert json.loads(file.read_text()) == json.loads(verdict)
    report = run("bash", "-c", f"{sys.executable} -m probe explain{explain_arguments}")
    assert "pass" in report


@pytest.mark.parametrize(("groups", "schedule"), [("", ""), ("sg-1", "rate(15 minutes)")])
def test_the_functions_stack_is_created(account: Account, groups: str, schedule: str) -> None:
    account.post("config", {"iam": {"load_aws_managed_policies": True}, "lambda": {"use_docker": False}})
    vpc = account.aws("ec2 create-vpc --cidr-block 10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = account.aws(f"ec2 create-subnet --vpc-id {vpc} --cidr-block 10.0.1.0/24")["Subnet"]["SubnetId"]
    account.shell("aws s3 mb s3://made && echo zip >$HOME/zip && aws s3 cp $HOME/zip s3://made/ecr-probe.zip")
    account.shell(
        f"aws cloudformation deploy --stack-name ecr-probe-{subnet} --template-file cloudformation/lambda.yaml "
        f"--capabilities CAPABILITY_IAM --parameter-overrides CodeBucket=made CodeKey=ecr-probe.zip Repository=app "
        f"VpcCidr=10.0.0.0/16 VpcId={vpc} SubnetId={subnet} SecurityGroupIds={groups} ScheduleExpression='{schedule}'"
    )
    resources = account.aws(f"cloudformation list-stack-resources --stack-name ecr-probe-{subnet}")
    made = {item["LogicalResourceId"] for item in resources["StackResourceSummaries"]} - {""}  # moto lacks some types
    expected = {"LogGroup", "Role", "Function"} | (set() if groups else {"SecurityGroup"})
    assert made == expected | ({"ScheduleRole"} if schedule else set())
    (group,) = account.aws(f"logs describe-log-groups --log-group-name-prefix /aws/lambda/ecr-probe-{subnet}")[
        "logGroups"
    ]
    assert group["retentionInDays"] == 30


def _with_small_initials(value: Any) -> Any:
    """Convert CloudFormation's spelling of keys to that of the API."""
    if isinstance(value, list):
        return [_with_small_initials(item) for item in value]
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _with_small_initials(inner) for key, inner in value.items()}
    return value


def _logging_to(container: dict[str, Any], group: str) -> dict[str, Any]:
    log = container["logConfiguration"]
    return container | {"logConfiguration": log | {"options": log["options"] | {"awslogs-group": group}}}
