"""The policies allow what the program does and no more: held against a recording of its calls, and in force."""

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


def asked(calls: Iterable[Call]) -> set[tuple[str, str]]:
    return {(call.action, call.resource) for call in calls}


def refused(held: Policy, calls: Iterable[Call], kind: str) -> list[str]:
    return [sentence for call in calls if (sentence := call.refusal([(kind, held)]))]


def in_force(
    *, role: str, ecr: str = "policies/ecr-endpoint", s3: str = "policies/s3-gateway"
) -> Callable[[VPC], None]:
    """A VPC whose ECR endpoints and S3 gateway have our policies, and whose task holds one of our roles."""

    def change(vpc: VPC) -> None:
        vpc.cloud.account.permissions.role = policy(role)
        for endpoint in ("ecr.api", "ecr.dkr"):
            vpc_endpoint(vpc, endpoint).policy = policy(ecr)
        vpc_endpoint(vpc, "s3").policy = policy(s3)

    return change


def complaints(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings if finding.severity != "info"}


# ---- the shape of all ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ROLES, *ENDPOINT_POLICIES])
def test_every_statement_is_named_and_understood(name: str) -> None:
    given = statements(name)
    names = [each["Sid"] for each in given]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", each) for each in names)  # IAM takes no other characters
    assert len(translated([{**each, "Condition": {}} for each in given], {})) == len(given)


@pytest.mark.parametrize("name", [name for name in ROLES if not name.startswith("iam/trust-")])
def test_a_role_grants_by_name_and_never_by_wildcard(name: str) -> None:
    for each in statements(name):
        assert each["Effect"] == "Allow" or each["Sid"] == "LeaveInterfacesToLambda"
        assert not {"Principal", "NotAction", "NotResource"} & set(each)
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Z]\w+", action) for action in several(each["Action"]))


# ---- the task role ---------------------------------------------------------------------------------------------------


@every_definition
def test_the_task_role_allows_what_the_program_asks(name: str) -> None:
    assert (
        refused(policy("iam/task-role"), recorded(name).of("ecr.api", "ecr.dkr", "logs"), "identity-based policy") == []
    )


def test_the_task_role_grants_nothing_that_is_never_asked() -> None:
    calls = [call for name in NAMES for call in recorded(name).of("ecr.api", "ecr.dkr", "logs")]
    assert actions("iam/task-role") == {call.action for call in calls}


def test_the_task_role_ends_at_its_repository_and_its_log_group() -> None:
    role = policy("iam/task-role")
    assert may(role, "ecr:BatchGetImage", REPOSITORY)
    assert not may(role, "ecr:BatchGetImage", OTHER_REPOSITORY)
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
    assert may(role, "logs:DescribeLogStreams", f"{group}/ecs/ecr-probe:log-stream:")
    assert not may(role, "logs:DescribeLogStreams", f"{group}/ecs/payroll:log-stream:")


@every_definition
def test_with_all_policies_in_force_the_verdict_is_the_same(name: str) -> None:
    free, bound = recorded(name).verdict, checked(name, in_force(role="iam/task-role"))
    assert (bound.status, bound.pull) == (free.status, free.pull) == (Status.PASS, free.pull)
    assert {finding.code for finding in bound.findings} == {finding.code for finding in free.findings}


# ---- the execution role ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iam/execution-role", "iam/execution-role-restricted"])
def test_the_execution_role_pulls_and_logs(name: str) -> None:
    role = policy(name, IN_THE_VPC)
    assert actions(name) == {TOKEN, *PULL, "logs:CreateLogStream", "logs:PutLogEvents"}
    assert refused(role, recorded("fargate-check").of("ecr.api", "ecr.dkr"), "identity-based policy") == []
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/ecr-probe:log-stream:fargate-check/ecr-probe/0"
    assert not may(role, "ecr:BatchGetImage", OTHER_REPOSITORY)
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        assert may(role, action, stream)
        assert not may(role, action, stream.replace("/ecs/ecr-probe", "/ecs/payroll"))


@pytest.mark.parametrize("endpoint", ["ECR_API_ENDPOINT_ID", "ECR_DKR_ENDPOINT_ID"])
def test_restricted_it_reads_images_through_the_endpoints_only(endpoint: str) -> None:
    name = "iam/execution-role-restricted"
    through = policy(name, {"aws:SourceVpc": VALUES["VPC_ID"], "aws:SourceVpce": VALUES[endpoint]})
    elsewhere = [
        policy(name),  # over the Internet a request carries neither key
        policy(name, {"aws:SourceVpc": VALUES["VPC_ID"], "aws:SourceVpce": "vpce-0ffffffffffffffff"}),
        policy(name, {"aws:SourceVpc": "vpc-0ffffffffffffffff", "aws:SourceVpce": VALUES[endpoint]}),
    ]
    for action in PULL:
        assert may(through, action, REPOSITORY)
        assert not any(may(each, action, REPOSITORY) for each in elsewhere)


def test_the_restriction_never_touches_the_token() -> None:
    assert may(policy("iam/execution-role-restricted"), TOKEN, "*")


def test_the_probe_can_borrow_the_execution_role() -> None:
    """`overrides.taskRoleArn`: it lacks the right to look at log groups, which is an info and no more."""
    verdict = checked("fargate-check", in_force(role="iam/execution-role"))
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)
    assert {finding.code for finding in verdict.findings} >= {"logs.not-permitted"}


def test_only_tasks_of_the_account_take_the_roles() -> None:
    (given,) = statements("iam/trust-ecs-tasks")
    assert (given["Principal"], given["Action"]) == ({"Service": "ecs-tasks.amazonaws.com"}, "sts:AssumeRole")
    source = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/main"
    other = source.replace(ACCOUNT, "210987654321")
    assert policy("iam/trust-ecs-tasks", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source})
    assert not policy("iam/trust-ecs-tasks", {"aws:SourceAccount": "210987654321", "aws:SourceArn": other})
    assert not policy("iam/trust-ecs-tasks", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": other})
    assert not policy("iam/trust-ecs-tasks", {"aws:SourceArn": source})


# ---- the function's role ---------------------------------------------------------------------------------------------

LAMBDA = "iam/lambda-role"
OURS = {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ecr-probe-{VALUES['SUBNET_ID']}"}


def test_the_functions_role_allows_what_it_asks_and_nothing_else() -> None:
    calls = recorded_in_lambda().of("ecr.api", "ecr.dkr", "logs")
    assert refused(policy(LAMBDA, OURS), calls, "identity-based policy") == []
    assert actions(LAMBDA) == {call.action for call in calls}
    assert not may(policy(LAMBDA, OURS), "ecr:BatchGetImage", OTHER_REPOSITORY)


def test_with_the_functions_role_in_force_the_verdict_is_the_same() -> None:
    free = recorded_in_lambda().verdict

    def change(vpc: VPC) -> None:
        in_force(role=LAMBDA)(vpc)
        vpc.cloud.account.permissions.role = policy(LAMBDA, OURS)

    bound = checked_in_lambda(change)
    assert (bound.status, bound.pull, bound.path) == (Status.PASS, Pull.UNPROVEN, Path.LAMBDA_ENI)
    assert {finding.code for finding in bound.findings} == {finding.code for finding in free.findings}


def test_interfaces_are_denied_to_the_functions_code_alone() -> None:
    (deny,) = [each for each in statements(LAMBDA) if each["Effect"] == "Deny"]
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
def test_the_endpoint_policies_let_every_call_through(name: str) -> None:
    recording = recorded(name)
    assert refused(policy("policies/ecr-endpoint"), recording.of("ecr.api", "ecr.dkr"), ENDPOINT) == []
    assert refused(policy("policies/s3-gateway"), recording.of("s3"), ENDPOINT) == []


def test_the_endpoint_policies_allow_nothing_that_is_never_asked() -> None:
    recordings = [recorded(name) for name in NAMES]
    ecr = asked(call for each in recordings for call in each.of("ecr.api", "ecr.dkr"))
    s3 = asked(call for each in recordings for call in each.of("s3"))
    assert actions("policies/ecr-endpoint") == {action for action, _ in ecr}
    assert actions("policies/s3-gateway") == {action for action, _ in s3}


def test_the_gateway_gives_layers_to_ecrs_own_role_and_nothing_else() -> None:
    held = policy("policies/s3-gateway")
    roles = {call.principal.account for name in NAMES for call in recorded(name).of("s3")}
    assert ACCOUNT not in roles  # the principal is ECR's: a condition on yours would refuse every layer
    bucket = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket"
    assert may(held, "s3:GetObject", f"{bucket}/0a1b", kind=ENDPOINT)
    assert not may(held, "s3:PutObject", f"{bucket}/0a1b", kind=ENDPOINT)
    assert not may(held, "s3:GetObject", "arn:aws:s3:::payroll/0a1b", kind=ENDPOINT)


# ---- the three examples of AWS's page, and what each breaks ----------------------------------------------------------

ROLE_MAY_PULL, PREVENT, COMBINED = (
    f"policies/examples/{name}" for name in ("a-role-may-pull", "prevent-deletion", "both-combined")
)


@pytest.mark.parametrize("role", ["ecr-probe-execution", "ecr-probe-task"])
def test_a_role_may_pull_lets_nobody_log_in(role: str) -> None:
    sentence = refusal(policy(ROLE_MAY_PULL), TOKEN, "*", role=role)
    assert sentence is not None
    assert sentence.endswith(f"because no VPC endpoint policy allows the {TOKEN} action")


def test_a_role_may_pull_breaks_the_pull_and_the_probe_says_so() -> None:
    verdict = checked("fargate-check", in_force(role="iam/task-role", ecr=ROLE_MAY_PULL))
    assert (verdict.status, verdict.pull) == (Status.FAIL, Pull.BROKEN)
    assert complaints(verdict) == {"policy.vpce.ecr"}


def test_a_role_may_pull_knows_one_role() -> None:
    held = policy(ROLE_MAY_PULL)
    assert may(held, "ecr:BatchGetImage", REPOSITORY, role="ecr-probe-execution", kind=ENDPOINT)
    assert not may(held, "ecr:BatchGetImage", REPOSITORY, role="ecr-probe-task", kind=ENDPOINT)


def test_prevent_deletion_breaks_no_pull_and_protects_one_repository() -> None:
    held = policy(PREVENT)
    verdict = checked("fargate-check", in_force(role="iam/task-role", ecr=PREVENT))
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)
    assert not may(held, "ecr:DeleteRepository", REPOSITORY, kind=ENDPOINT)
    assert may(held, "ecr:DeleteRepository", OTHER_REPOSITORY, kind=ENDPOINT)
    assert may(held, "ecr:BatchDeleteImage", REPOSITORY, kind=ENDPOINT)  # all its images may go
    assert may(held, "ecr:PutImage", REPOSITORY.replace(ACCOUNT, "210987654321"), kind=ENDPOINT)


@pytest.mark.parametrize("action", [TOKEN, *sorted(PULL)])
def test_a_deny_without_an_allow_beside_it_denies_everything(action: str) -> None:
    alone = translated([each for each in statements(PREVENT) if each["Effect"] == "Deny"], {})
    assert len(alone) == 1
    assert may(policy(PREVENT), action, REPOSITORY, kind=ENDPOINT)
    assert not may(alone, action, REPOSITORY, kind=ENDPOINT)


@pytest.mark.parametrize("role", ["ecr-probe-execution", "ecr-probe-task", "stranger"])
@pytest.mark.parametrize("action", [TOKEN, *sorted(PULL), "ecr:DeleteRepository", "ecr:PutImage"])
def test_both_combined_is_prevent_deletion_alone(action: str, role: str) -> None:
    """Allows add up: beside AllowAll the pull of one role restricts nobody."""
    combined, prevent = policy(COMBINED), policy(PREVENT)
    assert len(combined) == len(prevent) + 1
    for resource in (REPOSITORY, OTHER_REPOSITORY):
        both = [may(held, action, resource, role=role, kind=ENDPOINT) for held in (combined, prevent)]
        assert both[0] == both[1]


def test_both_combined_without_its_allow_all_lets_nobody_log_in() -> None:
    narrowed = translated([each for each in statements(COMBINED) if each["Sid"] != "AllowAll"], {})
    assert may(narrowed, "ecr:BatchGetImage", REPOSITORY, role="ecr-probe-execution", kind=ENDPOINT)
    assert not may(narrowed, TOKEN, "*", role="ecr-probe-execution", kind=ENDPOINT)
