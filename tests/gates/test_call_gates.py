"""The gates of a pull's calls: which object and statement refuses, with which cause, and the change that mends it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from probe.gates.call import Call
from probe.model import GateAnswer, GateName
from tests.gates.policy_account import (
    ACCOUNT,
    BUCKET,
    GATEWAY,
    IMAGE,
    KEY,
    LAYER,
    OTHER,
    REPOSITORY,
    ROLE,
    STREAM,
    TOKEN,
    TRUST,
    VPCE,
    account,
    allow,
    answers,
    attach,
    deny,
    organize,
    policy,
    refusal,
    sent,
    set_endpoint_policy,
)
from tests.inspect.vpc import Account

A, D, U = GateAnswer.ALLOWS, GateAnswer.DEPENDS, GateAnswer.UNKNOWN
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/bound"
FOREIGN = sent(IMAGE, owner=OTHER, resource=REPOSITORY.replace(ACCOUNT, OTHER), region="us-east-1")


@pytest.mark.parametrize("call", [TOKEN, IMAGE, LAYER, STREAM], ids=lambda call: str(call.action))
def test_a_healthy_account_allows_every_call(call: Call) -> None:
    found, _ = answers(account(), call)
    assert found
    assert all(opinion.allows for opinion in found.values()), found


def test_no_tag_is_kept() -> None:
    _, configuration = answers(account(), IMAGE)
    assert "secret" not in str(configuration)


def both(*changes: Callable[[Account], None]) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        for each in changes:
            each(start)

    return change


def in_policy(*statements: dict[str, Any], identity: str = VPCE) -> Callable[[Account], None]:
    return lambda start: set_endpoint_policy(start, policy(*statements), identity)


def inline(*statements: dict[str, Any]) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        start.replies["iam:GetRolePolicy pull puller"] = {"PolicyDocument": policy(*statements)}

    return change


def managed(
    document: Any, arn: str = f"arn:aws:iam::{ACCOUNT}:policy/more", *, boundary: bool = False
) -> Callable[[Account], None]:
    return lambda start: attach(start, arn, document, boundary=boundary)


def organized(**policies: tuple[str, Any]) -> Callable[[Account], None]:
    return lambda start: organize(start, **policies)


def repository(*statements: dict[str, Any]) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        start.replies["ecr:GetRepositoryPolicy"] = {"policyText": json.dumps(policy(*statements))}

    return change


def registry(*statements: dict[str, Any]) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        start.replies["ecr:GetRegistryPolicy"] = {"policyText": json.dumps(policy(*statements))}

    return change


def key(
    state: str, *grants: dict[str, Any], manager: str = "CUSTOMER", denies: tuple[dict[str, Any], ...] = ()
) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        encryption = {"encryptionType": "KMS", "kmsKey": KEY}
        start.replies["ecr:DescribeRepositories"] = {
            "repositories": [{"repositoryName": "team/app", "encryptionConfiguration": encryption}]
        }
        start.replies["kms:DescribeKey"] = {"KeyMetadata": {"Arn": KEY, "KeyState": state, "KeyManager": manager}}
        start.replies["kms:ListGrants"] = {"Grants": list(grants)}
        own = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        start.replies["kms:GetKeyPolicy"] = {"Policy": json.dumps(policy(own, *denies))}

    return change


def trusted(document: Any) -> Callable[[Account], None]:
    def change(start: Account) -> None:
        start.replies["iam:GetRole puller"]["Role"]["AssumeRolePolicyDocument"] = document

    return change


def trusts(service: str, **condition: Any) -> dict[str, Any]:
    return policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **condition})


def no_role(start: Account) -> None:
    del start.replies["iam:GetRole puller"]


def no_log_group(start: Account) -> None:
    start.replies["logs:DescribeLogGroups"] = {"logGroups": [{"logGroupName": "/ecs/app2"}]}


ANYBODY = {"Principal": "*"}
IN_ORG = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}}
GRANT = {
    "GrantId": "g1",
    "Operations": ["Decrypt"],
    "Constraints": {"EncryptionContextSubset": {"aws:ecr:arn": REPOSITORY}},
}
# The call, the change of the healthy account, and then of the refusal: gate, cause, object, element.
REFUSALS: dict[str, tuple[Call, Callable[[Account], None], GateName, str, str, str | None]] = {
    "endpoint policy of other actions": (
        IMAGE, in_policy(allow("s3:*", **ANYBODY)), GateName.ENDPOINT_POLICY, "policy.vpce.ecr", VPCE, None,
    ),
    "endpoint policy of another repository": (
        IMAGE, in_policy({**allow(resource=f"{REPOSITORY}2", **ANYBODY), "Sid": "One"}), GateName.ENDPOINT_POLICY,
        "policy.vpce.ecr", VPCE, "One",
    ),
    "endpoint policy with a Deny": (
        IMAGE, in_policy(allow(**ANYBODY), deny("ecr:Batch*", **ANYBODY)), GateName.ENDPOINT_POLICY, "policy.vpce.ecr",
        VPCE, "Statement[1]",
    ),
    "endpoint policy that is empty": (
        IMAGE, in_policy(), GateName.ENDPOINT_POLICY, "policy.vpce.ecr", VPCE, None,
    ),
    "endpoint policy of AWS's older guide without the token": (
        TOKEN, in_policy(allow(list(IMAGE.together), **ANYBODY), identity="vpce-0e000001"),
        GateName.ENDPOINT_POLICY, "policy.vpce.ecr", "vpce-0e000001", None,
    ),
    "gateway policy of one's own account": (
        LAYER, in_policy(allow(Principal={"AWS": ACCOUNT}), identity=GATEWAY), GateName.ENDPOINT_POLICY,
        "policy.vpce.s3", GATEWAY, "Statement[0]",
    ),
    "gateway policy of one's own organization": (
        LAYER, in_policy(allow(**ANYBODY, **IN_ORG), identity=GATEWAY), GateName.ENDPOINT_POLICY, "policy.vpce.s3",
        GATEWAY, "Statement[0]",
    ),
    "gateway policy of one's own resources": (
        LAYER,
        in_policy(
            allow(**ANYBODY),
            deny(**ANYBODY, Condition={"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}}),
            identity=GATEWAY,
        ),
        GateName.ENDPOINT_POLICY, "policy.vpce.s3", GATEWAY, "Statement[1]",
    ),
    "gateway policy of own buckets": (
        LAYER, in_policy(allow("s3:*", ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"], **ANYBODY), identity=GATEWAY),
        GateName.ENDPOINT_POLICY, "policy.vpce.s3", GATEWAY, "Statement[0]",
    ),
    "gateway policy of another region's bucket": (
        LAYER, in_policy(allow("s3:GetObject", BUCKET.replace("us-east", "eu-west"), **ANYBODY), identity=GATEWAY),
        GateName.ENDPOINT_POLICY, "policy.vpce.s3", GATEWAY, "Statement[0]",
    ),
    "gateway policy that denies the bucket": (
        LAYER, in_policy(allow(**ANYBODY), deny("s3:GetObject", BUCKET, **ANYBODY), identity=GATEWAY),
        GateName.ENDPOINT_POLICY, "policy.vpce.s3", GATEWAY, "Statement[1]",
    ),
    "logs endpoint's policy": (
        STREAM, in_policy(allow("logs:PutLogEvents", **ANYBODY), identity="vpce-0e000003"), GateName.ENDPOINT_POLICY,
        "policy.vpce.other", "vpce-0e000003", None,
    ),
    "role without the action": (
        IMAGE, inline(allow("ecr:GetAuthorizationToken")), GateName.IDENTITY_POLICY, "iam.execution-role", ROLE, None,
    ),
    "role with a mistyped action": (
        IMAGE, inline(allow("ecr:BatchGetImages")), GateName.IDENTITY_POLICY, "iam.execution-role", ROLE, None,
    ),
    "role for another repository": (
        IMAGE, inline(allow("ecr:*", f"{REPOSITORY}2")), GateName.IDENTITY_POLICY, "iam.execution-role", ROLE,
        "Statement[0]",
    ),
    "token on a repository": (
        TOKEN, inline(allow("ecr:*", REPOSITORY)), GateName.IDENTITY_POLICY, "iam.execution-role", ROLE, "Statement[0]",
    ),
    "role with an inline Deny": (
        IMAGE, inline(allow("ecr:*"), {**deny("ecr:Batch*"), "Sid": "No"}), GateName.IDENTITY_POLICY,
        "iam.execution-role", ROLE, "No",
    ),
    "role with nothing but a Deny": (
        IMAGE, inline(deny("ecr:Batch*")), GateName.IDENTITY_POLICY, "iam.execution-role", ROLE, "Statement[0]",
    ),
    "role with a managed Deny": (
        IMAGE, managed(policy(deny("ecr:Batch*"))), GateName.IDENTITY_POLICY, "iam.execution-role", ROLE,
        "Statement[0]",
    ),
    "role for another VPC": (
        IMAGE, inline(allow("ecr:*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-other"}})),
        GateName.IDENTITY_POLICY, "iam.source-vpce-condition", ROLE, "Statement[0]",
    ),
    "role with a Deny outside another endpoint": (
        IMAGE, inline(allow("ecr:*"), deny("ecr:*", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-x"}})),
        GateName.IDENTITY_POLICY, "iam.source-vpce-condition", ROLE, "Statement[1]",
    ),
    "boundary without the action": (
        IMAGE, managed(policy(allow("s3:*")), BOUNDARY, boundary=True), GateName.PERMISSIONS_BOUNDARY,
        "iam.permissions-boundary", BOUNDARY, None,
    ),
    "boundary with a Deny": (
        IMAGE, managed(policy(allow(), deny("ecr:*")), BOUNDARY, boundary=True), GateName.PERMISSIONS_BOUNDARY,
        "iam.permissions-boundary", BOUNDARY, "Statement[1]",
    ),
    "service control policy of the unit": (
        IMAGE, organized(scp=("ou-1", policy({**deny("ecr:*"), "Sid": "NoEcr"}))), GateName.SERVICE_CONTROL_POLICY,
        "iam.scp", "arn:aws:organizations::999999999999:policy/o-abc/scp", "NoEcr",
    ),
    "service control policy of the root": (
        TOKEN, organized(scp=("r-1", policy(deny("ecr:Get*")))), GateName.SERVICE_CONTROL_POLICY, "iam.scp",
        "arn:aws:organizations::999999999999:policy/o-abc/scp", "Statement[0]",
    ),
    "resource control policy": (
        IMAGE,
        organized(rcp=(ACCOUNT, policy(deny(**ANYBODY, Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-x"}})))),
        GateName.RESOURCE_CONTROL_POLICY, "iam.scp", "arn:aws:organizations::999999999999:policy/o-abc/rcp",
        "Statement[0]",
    ),
    "repository policy with a Deny": (
        IMAGE, repository({"Effect": "Deny", "Action": "ecr:*", "Principal": "*"}), GateName.REPOSITORY_POLICY,
        "iam.repository-policy", REPOSITORY, "Statement[0]",
    ),
    "registry policy with a Deny": (
        IMAGE, registry(deny("ecr:*", **ANYBODY)), GateName.REGISTRY_POLICY, "iam.registry-policy", ACCOUNT,
        "Statement[0]",
    ),
    "disabled key": (IMAGE, key("Disabled", GRANT), GateName.KMS_KEY, "kms.key", KEY, "KeyState Disabled"),
    "key that will be deleted": (
        IMAGE, key("PendingDeletion", GRANT), GateName.KMS_KEY, "kms.key", KEY, "KeyState PendingDeletion",
    ),
    "key with a Deny": (
        IMAGE, key("Enabled", GRANT, denies=(deny("kms:Decrypt", **ANYBODY),)), GateName.KMS_KEY, "kms.key", KEY,
        "Statement[1]",
    ),
    "key without a grant": (IMAGE, key("Enabled"), GateName.KMS_KEY, "kms.key", KEY, "Grants"),
    "trust of another service": (
        TOKEN, trusted(trusts("ec2.amazonaws.com")), GateName.TRUST_POLICY, "iam.trust-policy", ROLE, "Statement[0]",
    ),
    "trust for another account": (
        TOKEN,
        trusted(trusts("ecs-tasks.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": OTHER}})),
        GateName.TRUST_POLICY, "iam.trust-policy", ROLE, "Statement[0]",
    ),
    "trust with a Deny": (
        TOKEN, trusted(policy(*TRUST["Statement"], {**TRUST["Statement"][0], "Effect": "Deny", "Sid": "No"})),
        GateName.TRUST_POLICY, "iam.trust-policy", ROLE, "No",
    ),
    "no such role": (TOKEN, no_role, GateName.TRUST_POLICY, "iam.trust-policy", ROLE, None),
    "no log group": (STREAM, no_log_group, GateName.LOG_GROUP, "logs.group-missing", "/ecs/app", None),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal(name: str) -> None:
    call, change, gate, cause, identity, element = REFUSALS[name]
    start = account()
    change(start)
    found = refusal(start, call)
    assert (found.gate, found.cause, found.object, found.element) == (gate, cause, identity, element)


OPEN: dict[str, tuple[Call, Callable[[Account], None], GateName, GateAnswer]] = {
    "endpoint policy by a tag": (
        IMAGE, in_policy(allow(**ANYBODY, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})),
        GateName.ENDPOINT_POLICY, D,
    ),
    "endpoint policy of the organization": (
        IMAGE, both(organized(), in_policy(allow(**ANYBODY, **IN_ORG))),
        GateName.ENDPOINT_POLICY, A,
    ),
    "endpoint policy of no JSON": (IMAGE, lambda start: set_endpoint_policy(start, "{"), GateName.ENDPOINT_POLICY, U),
    "gateway policy for AWS's buckets": (
        LAYER,
        in_policy(
            allow("s3:GetObject", BUCKET, **ANYBODY),
            identity=GATEWAY,
        ),
        GateName.ENDPOINT_POLICY, A,
    ),
    "gateway policy by the VPC": (
        LAYER,
        in_policy(allow(**ANYBODY, Condition={"StringEquals": {"aws:SourceVpc": "vpc-0a000000"}}), identity=GATEWAY),
        GateName.ENDPOINT_POLICY, A,
    ),
    "role by a managed policy": (
        IMAGE, both(inline(), managed(policy(allow("ecr:*")), "arn:aws:iam::aws:policy/Pull")),
        GateName.IDENTITY_POLICY, A,
    ),
    "role by the repository's policy": (
        IMAGE,
        both(inline(), repository({"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": ROLE}})),
        GateName.IDENTITY_POLICY, A,
    ),
    "role by the repository's policy, with a Deny to a tag": (
        IMAGE,
        both(
            inline(deny("ecr:*", Condition={"Null": {"aws:PrincipalTag/a": "true"}})),
            repository({"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": ROLE}}),
        ),
        GateName.IDENTITY_POLICY, D,
    ),
    "role by a tag": (
        IMAGE, inline(allow("ecr:*", Condition={"StringEquals": {"ecr:ResourceTag/a": "b"}})),
        GateName.IDENTITY_POLICY, D,
    ),
    "endpoint's account by its condition": (
        IMAGE, inline(allow("ecr:*", Condition={"StringEquals": {"aws:VpceAccount": ACCOUNT}})),
        GateName.IDENTITY_POLICY, A,
    ),
    "boundary that allows": (
        IMAGE, managed(policy(allow()), BOUNDARY, boundary=True), GateName.PERMISSIONS_BOUNDARY, A,
    ),
    "organization that allows": (
        IMAGE, organized(scp=("ou-1", policy(deny("iam:*")))), GateName.SERVICE_CONTROL_POLICY, A,
    ),
    "repository's policy of others": (
        IMAGE, repository({"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": OTHER}}),
        GateName.REPOSITORY_POLICY, A,
    ),
    "repository's policy with a Deny to a tag": (
        IMAGE,
        repository(deny("ecr:*", REPOSITORY, **ANYBODY, Condition={"Null": {"aws:PrincipalTag/a": True}})),
        GateName.REPOSITORY_POLICY, D,
    ),
    "registry's policy with a Deny to a tag": (
        IMAGE, registry(deny(**ANYBODY, Condition={"Null": {"aws:PrincipalTag/a": "true"}})),
        GateName.REGISTRY_POLICY, D,
    ),
    "resource control policy with a Deny to a tag": (
        IMAGE,
        organized(rcp=("r-1", policy(deny(**ANYBODY, Condition={"Null": {"aws:PrincipalTag/a": "true"}})))),
        GateName.RESOURCE_CONTROL_POLICY, D,
    ),
    "key with ECR's grant": (IMAGE, key("Enabled", GRANT), GateName.KMS_KEY, A),
    "key of AWS": (IMAGE, key("Enabled", manager="AWS"), GateName.KMS_KEY, A),
    "key with a Deny to a tag": (
        IMAGE,
        key("Enabled", GRANT, denies=(deny(**ANYBODY, Condition={"Null": {"aws:PrincipalTag/a": "true"}}),)),
        GateName.KMS_KEY, D,
    ),
    "key with a Deny to one account": (
        IMAGE, key("Enabled", GRANT, denies=(deny(Principal={"AWS": ACCOUNT}),)), GateName.KMS_KEY, A,
    ),
    "key with other grants": (
        IMAGE, key("Enabled", {"Operations": ["Decrypt"], "GranteePrincipal": ROLE}), GateName.KMS_KEY, D,
    ),
    "trust for this account": (
        TOKEN,
        trusted(
            trusts(
                "ecs-tasks.amazonaws.com",
                Condition={
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"},
                },
            )
        ),
        GateName.TRUST_POLICY, A,
    ),
    "trust of EC2 on an instance": (
        sent(TOKEN, assumed_by=("ecs-tasks.amazonaws.com", "ec2.amazonaws.com")), trusted(trusts("ec2.amazonaws.com")),
        GateName.TRUST_POLICY, A,
    ),
    "log group that the driver creates": (
        sent(STREAM, creates_log_group=True), no_log_group, GateName.LOG_GROUP, A,
    ),
    "role of another account": (
        sent(IMAGE, principal=ROLE.replace(ACCOUNT, OTHER)), lambda _: None, GateName.IDENTITY_POLICY, U,
    ),
    "registry of another account": (
        FOREIGN,
        both(inline(allow("ecr:*")), repository({"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": ACCOUNT}})),
        GateName.REGISTRY_POLICY, U,
    ),
    "endpoint of another account": (
        sent(IMAGE, vpc_endpoint="vpce-central"), lambda _: None, GateName.ENDPOINT_POLICY, U,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_an_answer_that_is_no_refusal(name: str) -> None:
    call, change, gate, answer = OPEN[name]
    start = account()
    change(start)
    found, _ = answers(start, call)
    assert found[gate].answer is answer, found[gate].sentence
    assert (answer is not U) or found[gate].missing


def across(*statements: dict[str, Any], role: dict[str, Any]) -> Account:
    start = account()
    inline(role)(start)
    if statements:
        repository(*statements)(start)
    return start


def test_across_accounts_both_have_to_allow() -> None:
    own = allow("ecr:*")
    their = {"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": ROLE}}
    assert refusal(across(role=own), FOREIGN).gate is GateName.REPOSITORY_POLICY
    assert refusal(across(their, role=allow("s3:*")), FOREIGN).gate is GateName.IDENTITY_POLICY
    found, _ = answers(across(their, role=own), FOREIGN)
    assert found[GateName.IDENTITY_POLICY].allows
    assert found[GateName.REPOSITORY_POLICY].allows


def test_an_account_in_the_repository_s_policy_leaves_it_to_the_role() -> None:
    start = across({"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": ACCOUNT}}, role=allow("s3:*"))
    assert refusal(start, IMAGE).gate is GateName.IDENTITY_POLICY


def test_a_call_past_every_endpoint_has_no_endpoint_keys() -> None:
    start = account()
    inline(allow("ecr:*", Condition={"StringEquals": {"aws:SourceVpce": VPCE}}))(start)
    found = refusal(start, sent(IMAGE, vpc_endpoint=None, public=True))
    assert found.cause == "iam.source-vpce-condition"
    unclear, _ = answers(start, sent(IMAGE, vpc_endpoint=None))
    assert unclear[GateName.IDENTITY_POLICY].answer is D


def test_without_a_role_only_the_endpoint_is_judged() -> None:
    start = account()
    set_endpoint_policy(start, policy(allow(Principal={"AWS": ROLE})))
    found, _ = answers(start, sent(IMAGE, principal=None))
    assert found[GateName.ENDPOINT_POLICY].answer is D
    assert GateName.IDENTITY_POLICY not in found


def test_no_policy_of_an_organization_limits_its_management_account() -> None:
    start = account()
    organize(start, scp=("r-1", policy(deny())))
    start.replies["organizations:DescribeOrganization"]["Organization"]["MasterAccountId"] = ACCOUNT
    found, _ = answers(start, IMAGE)
    assert GateName.SERVICE_CONTROL_POLICY not in found


@pytest.mark.parametrize("call", [TOKEN, IMAGE, LAYER, STREAM], ids=lambda call: str(call.action))
def test_no_call_of_the_reader_is_needed_for_an_answer(call: Call) -> None:
    """Each is denied in turn: no gate then refuses or allows what it did not with everything read."""
    start = account()
    organize(start, scp=("ou-1", policy(deny("iam:*"))))
    key("Enabled", GRANT)(start)
    attach(start, BOUNDARY, policy(allow()), boundary=True)
    whole, _ = answers(start, call)
    for action in sorted(set(start.calls)):
        start.denied = {action}
        found, _ = answers(start, call)
        for gate, opinion in found.items():
            assert opinion.answer in (whole[gate].answer, U, D), (action, gate)
        assert any(opinion.answer is U and opinion.missing == action for opinion in found.values()) or action in (
            "ecr:GetRepositoryPolicy",
            "sts:GetCallerIdentity",
        ), action


def test_the_command_has_the_whole_document() -> None:
    start = account()
    set_endpoint_policy(start, policy({**allow("s3:*", **ANYBODY), "Sid": "it's"}))
    change = refusal(start, IMAGE).change
    assert change is not None
    save, command = change.advice("us-east-1").commands
    assert save.endswith(f" > {change.object}-old-policy.json")
    words = shlex.split(command)
    document = json.loads(words[words.index("--policy-document") + 1])
    assert [statement["Effect"] for statement in document["Statement"]] == ["Allow", "Allow"]
    assert document["Statement"][0]["Sid"] == "it's"
    assert document["Statement"][1] == {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Resource": REPOSITORY,
    }


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}, "depends"),  # of which account ECR calls is not known
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, "depends"),
        ({"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}}, "allows"),  # the key is in the repository's account
        ({"Bool": {"aws:SecureTransport": "false"}}, "allows"),
    ],
)
def test_a_condition_of_the_keys_policy(condition: dict[str, dict[str, str]], expected: str) -> None:
    start = account()
    key("Enabled", GRANT, denies=(deny("kms:Decrypt", Condition=condition, **ANYBODY),))(start)
    assert answers(start, IMAGE)[0][GateName.KMS_KEY].answer == expected
