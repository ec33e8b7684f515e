"""The policies allow the calls of the program and no others, compared with a recording and attached to a VPC."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest

from probe.model import Path, Pull, Status, Verdict
from probe.sim.identity import ENDPOINT, Call, Policy, Statement
from probe.sim.vpc import VPC
from tests.deployment.definitions import ACCOUNT, FOLDER, NAMES, REGION, VALUES
from tests.deployment.policies import actions, may, policy, refusal, several, statements, translated
from tests.deployment.recording import checked, checked_in_lambda, recorded, recorded_in_lambda, vpc_endpoint

ROLES = sorted(f"iam/{path.stem}" for path in (FOLDER / "iam").glob("*.json"))
ENDPOINT_POLICIES = sorted(str(path.relative_to(FOLDER))[:-5] for path in (FOLDER / "policies").rglob("*.json"))
TOKEN = "ecr:GetAuthorizationToken"
PULL = {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ecr-probe"
OTHER_REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/payroll"
IN_THE_VPC = {"aws:SourceVpc": VALUES["VPC_ID"], "aws:SourceVpce": VALUES["ECR_DKR_ENDPOINT_ID"]}

every_definition = pytest.mark.parametrize("name", NAMES)


def calls_of(calls: Iterable[Call]) -> set[tuple[str, str]]:
    return {(call.action, call.resource) for call in calls}


def denials(policies: Policy, calls: Iterable[Call], kind: str) -> list[str]:
    return [sentence for call in calls if (sentence := call.refusal([(kind, policies)]))]


def with_policies(
    *, role: str, ecr: str = "policies/ecr-endpoint", s3: str = "policies/s3-gateway"
) -> Callable[[VPC], None]:
    """A VPC with our policies on the ECR endpoints and the S3 gateway, and one of our roles for the task."""

    def change(vpc: VPC) -> None:
        vpc.cloud.account.permissions.role = policy(role)
        for endpoint in ("ecr.api", "ecr.dkr"):
            vpc_endpoint(vpc, endpoint).policy = policy(ecr)
        vpc_endpoint(vpc, "s3").policy = policy(s3)

    return change


def errors_and_warnings(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings if finding.severity != "info"}


# ---- all files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ROLES, *ENDPOINT_POLICIES])
def test_every_statement_has_a_unique_valid_sid(name: str) -> None:
    documents = statements(name)
    names = [item["Sid"] for item in documents]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in names)  # IAM allows no other characters
    assert len(translated([{**item, "Condition": {}} for item in documents], {})) == len(documents)


@pytest.mark.parametrize("name", [name for name in ROLES if not name.startswith("iam/trust-")])
def test_a_role_allows_actions_without_wildcards(name: str) -> None:
    for item in statements(name):
        assert item["Effect"] == "Allow" or item["Sid"] == "DenyInterfaceCallsByFunction"
        assert not {"Principal", "NotAction", "NotResource"} & set(item)
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Z]\w+", action) for action in several(item["Action"]))


# ---- the task role ---------------------------------------------------------------------------------------------------


@every_definition
def test_the_task_role_allows_every_call_of_the_program(name: str) -> None:
    assert (
        denials(policy("iam/task-role"), recorded(name).of("ecr.api", "ecr.dkr", "logs"), "identity-based policy") == []
    )


def test_the_task_role_allows_no_unused_action() -> None:
    calls = [call for name in NAMES for call in recorded(name).of("ecr.api", "ecr.dkr", "logs")]
    assert actions("iam/task-role") == {call.action for call in calls}


def test_the_task_role_is_limited_to_its_repository_and_log_group() -> None:
    role = policy("iam/task-role")
    assert may(role, "ecr:BatchGetImage", REPOSITORY)
    assert not may(role, "ecr:BatchGetImage", OTHER_REPOSITORY)
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
    assert may(role, "logs:DescribeLogStreams", f"{group}/ecs/ecr-probe:log-stream:")
    assert not may(role, "logs:DescribeLogStreams", f"{group}/ecs/payroll:log-stream:")


@every_definition
def test_the_verdict_is_the_same_with_all_policies_attached(name: str) -> None:
    unrestricted, restricted = recorded(name).verdict, checked(name, with_policies(role="iam/task-role"))
    assert (
        (restricted.status, restricted.pull)
        == (unrestricted.status, unrestricted.pull)
        == (Status.PASS, unrestricted.pull)
    )
    assert {finding.code for finding in restricted.findings} == {finding.code for finding in unrestricted.findings}


# ---- the execution role ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iam/execution-role", "iam/execution-role-restricted"])
def test_the_execution_role_pulls_and_logs(name: str) -> None:
    role = policy(name, IN_THE_VPC)
    assert actions(name) == {TOKEN, *PULL, "logs:CreateLogStream", "logs:PutLogEvents"}
    assert denials(role, recorded("fargate-check").of("ecr.api", "ecr.dkr"), "identity-based policy") == []
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/ecr-probe:log-stream:fargate-check/ecr-probe/0"
    assert not may(role, "ecr:BatchGetImage", OTHER_REPOSITORY)
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        assert may(role, action, stream)
        assert not may(role, action, stream.replace("/ecs/ecr-probe", "/ecs/payroll"))


@pytest.mark.parametrize("endpoint", ["ECR_API_ENDPOINT_ID", "ECR_DKR_ENDPOINT_ID"])
def test_the_restricted_role_reads_images_through_the_endpoints_only(endpoint: str) -> None:
    name = "iam/execution-role-restricted"
    through = policy(name, {"aws:SourceVpc": VALUES["VPC_ID"], "aws:SourceVpce": VALUES[endpoint]})
    elsewhere = [
        policy(name),  # a request over the internet has neither key
        policy(name, {"aws:SourceVpc": VALUES["VPC_ID"], "aws:SourceVpce": "vpce-0ffffffffffffffff"}),
        policy(name, {"aws:SourceVpc": "vpc-0ffffffffffffffff", "aws:SourceVpce": VALUES[endpoint]}),
    ]
    for action in PULL:
        assert may(through, action, REPOSITORY)
        assert not any(may(role, action, REPOSITORY) for role in elsewhere)


def test_the_restricted_role_gets_a_token_anywhere() -> None:
    assert may(policy("iam/execution-role-restricted"), TOKEN, "*")


def test_the_probe_can_use_the_execution_role() -> None:
    """With `overrides.taskRoleArn`: the role may not describe log groups, which is only an info."""
    verdict = checked("fargate-check", with_policies(role="iam/execution-role"))
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)
    assert {finding.code for finding in verdict.findings} >= {"logs.not-permitted"}


def test_only_tasks_of_the_account_can_assume_the_roles() -> None:
    (statement,) = statements("iam/trust-ecs-tasks")
    assert (statement["Principal"], statement["Action"]) == ({"Service": "ecs-tasks.amazonaws.com"}, "sts:AssumeRole")
    source = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/main"
    other = source.replace(ACCOUNT, "210987654321")
    assert policy("iam/trust-ecs-tasks", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source})
    assert not policy("iam/trust-ecs-tasks", {"aws:SourceAccount": "210987654321", "aws:SourceArn": other})
    assert not policy("iam/trust-ecs-tasks", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": other})
    assert not policy("iam/trust-ecs-tasks", {"aws:SourceArn": source})


# ---- the function's role ---------------------------------------------------------------------------------------------

LAMBDA = "iam/lambda-role"
OURS = {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ecr-probe-{VALUES['SUBNET_ID']}"}


def test_the_functions_role_allows_its_calls_and_no_others() -> None:
    calls = recorded_in_lambda().of("ecr.api", "ecr.dkr", "logs")
    assert denials(policy(LAMBDA, OURS), calls, "identity-based policy") == []
    assert actions(LAMBDA) == {call.action for call in calls}
    assert not may(policy(LAMBDA, OURS), "ecr:BatchGetImage", OTHER_REPOSITORY)


def test_the_verdict_is_the_same_with_the_functions_role() -> None:
    unrestricted = recorded_in_lambda().verdict

    def change(vpc: VPC) -> None:
        with_policies(role=LAMBDA)(vpc)
        vpc.cloud.account.permissions.role = policy(LAMBDA, OURS)

    restricted = checked_in_lambda(change)
    assert (restricted.status, restricted.pull, restricted.path) == (Status.PASS, Pull.UNPROVEN, Path.LAMBDA_ENI)
    assert {finding.code for finding in restricted.findings} == {finding.code for finding in unrestricted.findings}


def test_network_interfaces_are_denied_to_the_functions_code_only() -> None:
    (deny,) = [item for item in statements(LAMBDA) if item["Effect"] == "Deny"]
    assert all(action.startswith("ec2:") for action in deny["Action"])
    allowed = Statement(("ec2:*",))
    for action in deny["Action"]:
        assert not may((allowed, *policy(LAMBDA, OURS)), action, "*")
        assert may((allowed, *policy(LAMBDA)), action, "*")  # Lambda itself


# ---- the operator ----------------------------------------------------------------------------------------------------

_ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:"
_LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
_CLUSTER = {"ecs:cluster": f"{_ECS}cluster/main"}
_TO_TASKS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/"


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        *(("ecs:RunTask", f"{_ECS}task-definition/ecr-probe-{name}:7", _CLUSTER) for name in NAMES),
        ("ecs:DescribeTasks", f"{_ECS}task/main/0c1b", {}),
        ("ecs:StopTask", f"{_ECS}task/main/0c1b", {}),
        ("ecs:TagResource", f"{_ECS}task/main/0c1b", {"ecs:CreateAction": "RunTask"}),
        ("ecs:ListTasks", "*", _CLUSTER),
        ("ecs:DescribeServices", f"{_ECS}service/main/shop", {}),
        ("ecs:DescribeTaskDefinition", "*", {}),
        ("ec2:DescribeSubnets", "*", {}),
        ("iam:PassRole", f"{_ROLE}ecr-probe-task", _TO_TASKS),
        ("iam:PassRole", f"{_ROLE}ecr-probe-execution", _TO_TASKS),
        ("logs:GetLogEvents", f"{_LOGS}/ecs/ecr-probe:log-stream:smoke/ecr-probe/0c1b", {}),
    ],
)
def test_the_operator_may(action: str, resource: str, context: dict[str, str]) -> None:
    assert may(policy("iam/operator-smoke", context), action, resource)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("ecs:RunTask", f"{_ECS}task-definition/payroll:7", _CLUSTER),
        ("ecs:RunTask", f"{_ECS}task-definition/ecr-probe-smoke:7", {"ecs:cluster": f"{_ECS}cluster/other"}),
        ("ecs:RunTask", f"{_ECS}task-definition/ecr-probe-smoke:7", {}),
        ("ecs:StopTask", f"{_ECS}task/other/0c1b", {}),
        ("ecs:ListTasks", "*", {"ecs:cluster": f"{_ECS}cluster/other"}),
        ("ecs:TagResource", f"{_ECS}task/main/0c1b", {}),
        ("ecs:DescribeServices", f"{_ECS}service/other/shop", {}),
        ("ecs:RegisterTaskDefinition", f"{_ECS}task-definition/ecr-probe-smoke", {}),
        ("iam:PassRole", f"{_ROLE}admin", _TO_TASKS),
        ("iam:PassRole", f"{_ROLE}ecr-probe-task", {"iam:PassedToService": "ec2.amazonaws.com"}),
        ("logs:GetLogEvents", f"{_LOGS}/ecs/payroll:log-stream:app/app/0c1b", {}),
    ],
)
def test_the_operator_may_not(action: str, resource: str, context: dict[str, str]) -> None:
    assert not may(policy("iam/operator-smoke", context), action, resource)


# ---- endpoint policies -----------------------------------------------------------------------------------------------


@every_definition
def test_the_endpoint_policies_allow_every_call(name: str) -> None:
    recording = recorded(name)
    assert denials(policy("policies/ecr-endpoint"), recording.of("ecr.api", "ecr.dkr"), ENDPOINT) == []
    assert denials(policy("policies/s3-gateway"), recording.of("s3"), ENDPOINT) == []


def test_the_endpoint_policies_allow_no_unused_action() -> None:
    recordings = [recorded(name) for name in NAMES]
    ecr = calls_of(call for recording in recordings for call in recording.of("ecr.api", "ecr.dkr"))
    s3 = calls_of(call for recording in recordings for call in recording.of("s3"))
    assert actions("policies/ecr-endpoint") == {action for action, _ in ecr}
    assert actions("policies/s3-gateway") == {action for action, _ in s3}


def test_the_gateway_policy_allows_only_layers_for_ecrs_role() -> None:
    endpoint_policy = policy("policies/s3-gateway")
    roles = {call.principal.account for name in NAMES for call in recorded(name).of("s3")}
    assert ACCOUNT not in roles  # the principal is ECR's: a condition on your account would deny every layer
    bucket = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket"
    assert may(endpoint_policy, "s3:GetObject", f"{bucket}/0a1b", kind=ENDPOINT)
    assert not may(endpoint_policy, "s3:PutObject", f"{bucket}/0a1b", kind=ENDPOINT)
    assert not may(endpoint_policy, "s3:GetObject", "arn:aws:s3:::payroll/0a1b", kind=ENDPOINT)


# ---- the three examples of AWS's documentation, and their effects -----------------------------------------------

ROLE_MAY_PULL, PREVENT, COMBINED = (
    f"policies/examples/{name}" for name in ("a-role-may-pull", "prevent-deletion", "both-combined")
)


@pytest.mark.parametrize("role", ["ecr-probe-execution", "ecr-probe-task"])
def test_a_role_may_pull_denies_every_login(role: str) -> None:
    sentence = refusal(policy(ROLE_MAY_PULL), TOKEN, "*", role=role)
    assert sentence is not None
    assert sentence.endswith(f"because no VPC endpoint policy allows the {TOKEN} action")


def test_a_role_may_pull_is_found_to_deny_the_probe() -> None:
    verdict = checked("fargate-check", with_policies(role="iam/task-role", ecr=ROLE_MAY_PULL))
    assert (verdict.status, verdict.pull) == (Status.INCONCLUSIVE, Pull.UNPROVEN)
    assert errors_and_warnings(verdict) == {"policy.vpce.ecr"}


def test_a_role_may_pull_allows_one_role() -> None:
    endpoint_policy = policy(ROLE_MAY_PULL)
    assert may(endpoint_policy, "ecr:BatchGetImage", REPOSITORY, role="ecr-probe-execution", kind=ENDPOINT)
    assert not may(endpoint_policy, "ecr:BatchGetImage", REPOSITORY, role="ecr-probe-task", kind=ENDPOINT)


def test_prevent_deletion_allows_the_pull_and_protects_one_repository() -> None:
    endpoint_policy = policy(PREVENT)
    verdict = checked("fargate-check", with_policies(role="iam/task-role", ecr=PREVENT))
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)
    assert not may(endpoint_policy, "ecr:DeleteRepository", REPOSITORY, kind=ENDPOINT)
    assert may(endpoint_policy, "ecr:DeleteRepository", OTHER_REPOSITORY, kind=ENDPOINT)
    assert may(endpoint_policy, "ecr:BatchDeleteImage", REPOSITORY, kind=ENDPOINT)  # its images can still be deleted
    assert may(endpoint_policy, "ecr:PutImage", REPOSITORY.replace(ACCOUNT, "210987654321"), kind=ENDPOINT)


@pytest.mark.parametrize("action", [TOKEN, *sorted(PULL)])
def test_a_policy_with_only_a_deny_denies_everything(action: str) -> None:
    alone = translated([item for item in statements(PREVENT) if item["Effect"] == "Deny"], {})
    assert len(alone) == 1
    assert may(policy(PREVENT), action, REPOSITORY, kind=ENDPOINT)
    assert not may(alone, action, REPOSITORY, kind=ENDPOINT)


@pytest.mark.parametrize("role", ["ecr-probe-execution", "ecr-probe-task", "stranger"])
@pytest.mark.parametrize("action", [TOKEN, *sorted(PULL), "ecr:DeleteRepository", "ecr:PutImage"])
def test_both_combined_equals_prevent_deletion(action: str, role: str) -> None:
    """Allows add up: with AllowAll, the statement for one role restricts no other."""
    combined, prevent = policy(COMBINED), policy(PREVENT)
    assert len(combined) == len(prevent) + 1
    for resource in (REPOSITORY, OTHER_REPOSITORY):
        both = [
            may(endpoint_policy, action, resource, role=role, kind=ENDPOINT) for endpoint_policy in (combined, prevent)
        ]
        assert both[0] == both[1]


def test_both_combined_without_allow_all_denies_every_login() -> None:
    narrowed = translated([item for item in statements(COMBINED) if item["Sid"] != "AllowAll"], {})
    assert may(narrowed, "ecr:BatchGetImage", REPOSITORY, role="ecr-probe-execution", kind=ENDPOINT)
    assert not may(narrowed, TOKEN, "*", role="ecr-probe-execution", kind=ENDPOINT)
