"""`inspect` with a role: each policy that refuses is the one confirmed cause, and its printed change is proven."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from probe.model import GateName, Standing, Verdict
from tests.gates.policy_account import PULL, ROLE, account, allow, deny, organize, policy
from tests.gates.test_call_gates import REFUSALS
from tests.inspect.vpc import IMAGE, START, Account, healthy_vpc, inspected

_SERVICE = ("--cluster", "main", "--service", "shop")


def a_vpc_with_policies() -> Account:
    start = healthy_vpc()
    start.replies = {**account().replies, **start.replies}
    return start


def with_service(**options: str) -> Account:
    """A service that logs and has a parameter as a secret."""
    start = a_vpc_with_policies()
    start.objects["ec2"]["VpcEndpoints"].append(
        {
            **start.object("vpce-0e000003"),
            "VpcEndpointId": "vpce-0e000004",
            "ServiceName": "com.amazonaws.us-east-1.ssm",
            "DnsEntries": [{"DnsName": "ssm.us-east-1.amazonaws.com"}],
        }
    )
    network = {"subnets": ["subnet-0a000000"], "securityGroups": ["sg-0a000000"], "assignPublicIp": "DISABLED"}
    start.objects["ecs"] = {
        "services": [
            {"serviceName": "shop", "status": "ACTIVE", "launchType": "FARGATE", "taskDefinition": "shop:7",
             "networkConfiguration": {"awsvpcConfiguration": network}}
        ]
    }  # fmt: skip
    start.replies["ecs:DescribeTaskDefinition"] = {
        "taskDefinition": {
            "executionRoleArn": ROLE,
            "networkMode": "awsvpc",
            "containerDefinitions": [
                {
                    "name": "app",
                    "image": IMAGE,
                    "secrets": [{"name": "DB", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/db"}],
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {"awslogs-group": "/ecs/app", "awslogs-region": "us-east-1", **options},
                    },
                }
            ],
        }
    }
    start.replies["iam:GetRolePolicy pull puller"] = {
        "PolicyDocument": policy(*PULL["Statement"], allow("ssm:GetParameters"))
    }
    return start


def confirmed(verdict: Verdict) -> list[tuple[str, str | None]]:
    return [
        (cause.code, cause.object)
        for finding in verdict.findings
        for cause in finding.causes
        if cause.standing is Standing.CONFIRMED
    ]


BY_HAND = ("key without a grant",)
OF_PULL = {name: case for name, case in REFUSALS.items() if case[0].endpoint != "logs"}


def test_a_role_that_may_pull_confirms_nothing() -> None:
    start = a_vpc_with_policies()
    verdict = inspected(start, *START, "--execution-role", ROLE)
    assert (verdict.exit_code, confirmed(verdict)) == (0, [])
    assert len(start.calls) <= 60


@pytest.mark.parametrize("name", OF_PULL)
def test_a_refusal_is_the_one_confirmed_cause(name: str) -> None:
    _, change, gate, code, identity, element = OF_PULL[name]
    start = a_vpc_with_policies()
    change(start)
    verdict = inspected(start, *START, "--execution-role", ROLE)
    assert verdict.exit_code == 1
    if gate is not GateName.TRUST_POLICY:  # it stops the task before anything is sent
        assert all(finding.why.startswith("Nothing was sent") for finding in verdict.findings)
    assert (code, identity) in confirmed(verdict)
    assert {found for found, _ in confirmed(verdict)} == {code}
    causes = [cause for finding in verdict.findings for cause in finding.causes]
    assert all(cause.standing is not Standing.POSSIBLE for cause in causes), causes
    assert element in {gate_.element for gate_ in verdict.gates if gate_.gate is gate}
    for cause in causes:
        if cause.standing is Standing.CONFIRMED:
            assert cause.fix.commands
            assert name in BY_HAND or (cause.fix.note or "").endswith("every gate allows."), cause.fix


def in_role(*statements: dict[str, Any]) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        start.replies["iam:GetRolePolicy pull puller"] = {"PolicyDocument": policy(*statements)}

    return change


def no_group(start: Account) -> None:
    start.replies["logs:DescribeLogGroups"] = {"logGroups": []}


def closed(identity: str) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        document = policy(allow("sts:*", Principal="*"))
        start.object(identity)["PolicyDocument"] = json.dumps(document)

    return change


OF_SERVICE: dict[str, tuple[Callable[[Account], None], str, str, str]] = {
    "role without the log's actions": (
        in_role(allow("ecr:*"), allow("ssm:*")), "iam.denied", "iam.execution-role", ROLE,
    ),
    "role without the secret's": (in_role(allow("ecr:*"), allow("logs:*")), "iam.denied", "iam.execution-role", ROLE),
    "no log group": (no_group, "logs.group-missing", "logs.group-missing", "/ecs/app"),
    "logs endpoint": (closed("vpce-0e000003"), "policy.vpce.other", "policy.vpce.other", "vpce-0e000003"),
    "ssm endpoint": (closed("vpce-0e000004"), "policy.vpce.other", "policy.vpce.other", "vpce-0e000004"),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_SERVICE)
def test_what_a_service_needs_besides_its_image(name: str) -> None:
    change, code, cause, identity = OF_SERVICE[name]
    start = with_service()
    change(start)
    verdict = inspected(start, *_SERVICE)
    assert code in {finding.code for finding in verdict.findings}, verdict.summary
    assert confirmed(verdict) == [(cause, identity)]


def test_a_healthy_service_confirms_nothing() -> None:
    verdict = inspected(with_service(), *_SERVICE)
    assert (verdict.exit_code, confirmed(verdict)) == (0, []), verdict.summary


def test_a_group_that_the_driver_creates_needs_a_permission() -> None:
    start = with_service(**{"awslogs-create-group": "true"})
    no_group(start)
    assert inspected(start, *_SERVICE).exit_code == 0
    in_role(allow("ecr:*"), allow("ssm:*"), allow(["logs:CreateLogStream", "logs:PutLogEvents"]))(start)
    assert confirmed(inspected(start, *_SERVICE)) == [("iam.execution-role", ROLE)]


def test_unreadable_policies_of_the_organization_decide_nothing_alone() -> None:
    start = a_vpc_with_policies()
    organize(start)
    start.denied = {"organizations:ListParents"}
    verdict = inspected(start, *START, "--execution-role", ROLE)
    assert verdict.exit_code == 0
    start.denied = {"iam:GetRolePolicy"}
    assert inspected(start, *START, "--execution-role", ROLE).exit_code == 3


def test_one_policy_allows_all_that_the_role_lacks() -> None:
    start = with_service()
    in_role(allow("ssm:*"))(start)
    verdict = inspected(start, *_SERVICE)
    commands = {
        command
        for finding in verdict.findings
        for cause in finding.causes
        for command in cause.fix.commands
        if cause.standing is Standing.CONFIRMED
    }
    (command,) = commands
    actions = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "logs:PutLogEvents")
    assert all(action in command for action in actions)
    assert "ssm" not in command


def test_the_change_includes_what_hides_behind_it() -> None:
    start = a_vpc_with_policies()
    in_role(deny("ecr:*"))(start)
    verdict = inspected(start, *START, "--execution-role", ROLE)
    (cause,) = [
        cause for finding in verdict.findings for cause in finding.causes if cause.standing is Standing.CONFIRMED
    ]
    assert cause.fix.note is not None
    assert cause.fix.note.endswith("every gate allows.")
    commands = [command.split()[2] for command in cause.fix.commands]
    assert commands == ["get-role-policy", "delete-role-policy", "put-role-policy"]
    assert "ecr:BatchGetImage" in cause.fix.commands[-1]


@pytest.mark.parametrize(
    ("operator", "value", "exit_code"),
    [
        ("IpAddress", "10.0.0.0/16", 0),  # the whole subnet
        ("IpAddress", "10.0.1.0/25", 3),  # a task may get another address
        ("NotIpAddress", "10.0.0.0/16", 1),
        ("StringEquals", "10.0.1.7", 3),
    ],
)
def test_a_condition_on_the_address_holds_for_every_task_of_the_subnet(
    operator: str, value: str, exit_code: int
) -> None:
    start = a_vpc_with_policies()
    condition = {operator: {"aws:VpcSourceIp": value}}
    start.replies["iam:GetRolePolicy pull puller"] = {"PolicyDocument": policy(allow(Condition=condition))}
    assert inspected(start, *START, "--execution-role", ROLE).exit_code == exit_code
