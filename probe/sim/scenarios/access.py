"""Credentials, and denied calls: endpoint policies, roles, repository policies, service control policies."""

from __future__ import annotations

from probe.sim.changes import (
    Change,
    all_of,
    endpoint_policy,
    no_change,
    role_policy,
    set_to,
    with_nat,
    without_private_dns,
    without_task_role,
)
from probe.sim.cloud import OTHER_ACCOUNT, TAG
from probe.sim.configuration import identifiers as ids
from probe.sim.identity import Statement
from probe.sim.scenarios.healthy import ACCOUNT, EC2_HOST, image
from probe.sim.scenarios.scenario import WAY_OUT, failing, inconclusive, passing
from probe.sim.services import InjectedReply
from probe.sim.task import credentials_uninitialised
from probe.sim.vpc import VPC, endpoint_id

OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe-task"
PULL_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole"
TOKEN = "ecr:GetAuthorizationToken"
ALL_BUT_TOKEN = Statement(actions=("ecr:Batch*", "ecr:GetDownloadUrlForLayer", "logs:*"))
ALL_BUT_IMAGES = Statement(actions=(TOKEN, "ecr:GetDownloadUrlForLayer", "logs:*"))


def _service_control_policy(vpc: VPC) -> None:
    vpc.cloud.account.permissions.organisation = (Statement(), Statement(actions=("ecr:*",), effect="Deny"))


def _own_endpoint_only(vpc: VPC) -> None:
    """The role's policy has a condition on aws:SourceVpce."""
    vpc.cloud.account.permissions.own_endpoint_only = True


DENIALS = (
    inconclusive(
        "ecr-endpoint-policy",
        "The policy of the ecr.api endpoint does not allow GetAuthorizationToken.",
        endpoint_policy("ecr.api", Statement(actions=("ecr:Batch*",))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
        excludes="iam.execution-role iam.repository-policy iam.scp",
        settled={"policy.vpce.ecr": endpoint_id("ecr.api")},
    ),
    inconclusive(
        "ecr-endpoint-policy-dkr",
        "The policy of the ecr.dkr endpoint differs from that of ecr.api and lacks BatchGetImage.",
        endpoint_policy("ecr.dkr", Statement(actions=("ecr:GetDownloadUrlForLayer",))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
        excludes="iam.execution-role iam.repository-policy iam.scp",
        settled={"policy.vpce.ecr": endpoint_id("ecr.dkr")},
    ),
    inconclusive(
        "ecr-endpoint-policy-deny",
        "The policy of the ecr.api endpoint has an explicit Deny.",
        endpoint_policy("ecr.api", Statement(), Statement(effect="Deny", actions=(TOKEN,))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
        excludes="iam.execution-role iam.repository-policy iam.scp",
        settled={"policy.vpce.ecr": endpoint_id("ecr.api")},
    ),
    inconclusive(
        "ecr-endpoint-policy-layers",
        "The policy of the ecr.dkr endpoint allows manifests but not layers.",
        endpoint_policy("ecr.dkr", Statement(actions=("ecr:BatchGetImage",))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
        excludes="iam.execution-role iam.repository-policy iam.scp",
        settled={"policy.vpce.ecr": endpoint_id("ecr.dkr")},
    ),
    inconclusive(
        "ecr-endpoint-policy-other-role",
        "The endpoint policy allows only the execution role, which pulls; the probe has the task role.",
        endpoint_policy("ecr.api", Statement(principals=(PULL_ROLE,))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
        arguments=("--pull-role", PULL_ROLE),
    ),
    inconclusive(
        "ecr-endpoint-policy-other-role-unnamed",
        "The endpoint policy allows only the execution role, which pulls; --pull-role does not name it.",
        endpoint_policy("ecr.api", Statement(principals=(PULL_ROLE,))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
    ),
    failing(
        "ecr-endpoint-policy-pull-role",
        "The policy of the ecr.api endpoint does not allow the token to the role that pulls.",
        endpoint_policy("ecr.api", Statement(actions=("ecr:Batch*",))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
        arguments=("--pull-role", OWN_ROLE),
        excludes="iam.execution-role iam.repository-policy iam.scp",
        settled={"policy.vpce.ecr": endpoint_id("ecr.api")},
    ),
    inconclusive(
        "denied-without-reason",
        "AWS denies the token without naming the policy.",
        all_of(role_policy(ALL_BUT_TOKEN), set_to("cloud.account.permissions.states_reason", False)),
        findings={"iam.denied": "iam.execution-role"},
    ),
    inconclusive(
        "iam-token",
        "The probe's role may not get a token; the role that pulls is another one.",
        role_policy(ALL_BUT_TOKEN),
        findings={"iam.denied": "iam.execution-role"},
        excludes="policy.vpce.ecr iam.repository-policy iam.scp",
    ),
    failing(
        "iam-token-pull-role",
        "The role may not get a token, and it is the role in --pull-role: the pull is broken.",
        role_policy(ALL_BUT_TOKEN),
        findings={"iam.denied": "iam.execution-role"},
        arguments=("--pull-role", OWN_ROLE),
        excludes="policy.vpce.ecr iam.repository-policy iam.scp",
        settled={"iam.execution-role": OWN_ROLE},
    ),
    inconclusive(
        "iam-images",
        "The role may get a token but may not read images.",
        role_policy(ALL_BUT_IMAGES),
        findings={"iam.denied": "iam.execution-role"},
        excludes="policy.vpce.ecr iam.repository-policy iam.scp",
    ),
    inconclusive(
        "iam-scp",
        "A service control policy of the organization denies ECR.",
        _service_control_policy,
        findings={"iam.denied": "iam.scp"},
        excludes="policy.vpce.ecr iam.execution-role",
        settled={"iam.scp": ids.SERVICE_CONTROL_ARN},
    ),
    failing(
        "iam-source-vpce",
        "The role is limited to the VPC's endpoint, but the calls leave through a NAT gateway.",
        all_of(without_private_dns("ecr.api", "ecr.dkr"), with_nat, _own_endpoint_only),
        findings={
            "s3.route-undetermined": None,
            "iam.denied": "iam.source-vpce-condition",
            "dns.public-answer": None,
        },
        pull="unproven",
        excludes=f"{WAY_OUT} dns.hosted-zone-wrong-name dns.vpc-attributes-off policy.vpce.ecr",
        settled={"dns.private-dns-disabled": endpoint_id("ecr.api")},
    ),
    passing(
        "execution-role-source-vpce",
        "The task uses the execution role, which is limited to the VPC's endpoint, and the calls go through it.",
        _own_endpoint_only,
        arguments=("--pull-role", OWN_ROLE),
    ),
    failing(
        "execution-role-source-vpce-public",
        "The execution role is limited to the VPC's endpoint, but names resolve publicly: the pull is denied too.",
        all_of(without_private_dns("ecr.api", "ecr.dkr"), with_nat, _own_endpoint_only),
        findings={
            "s3.route-undetermined": None,
            "iam.denied": "iam.source-vpce-condition",
            "dns.public-answer": None,
        },
        arguments=("--pull-role", OWN_ROLE),
        excludes="policy.vpce.ecr",
        settled={"dns.private-dns-disabled": endpoint_id("ecr.api"), "iam.source-vpce-condition": OWN_ROLE},
    ),
    inconclusive(
        "repository-policy",
        "The image belongs to another account, and its repository policy does not allow this one.",
        no_change,
        findings={"iam.denied": "iam.repository-policy"},
        arguments=image(f"shared/base:{TAG}", account=OTHER_ACCOUNT),
        excludes="policy.vpce.ecr iam.execution-role iam.scp",
    ),
    inconclusive(
        "other-account-repo-missing",
        "The image belongs to another account, where the repository does not exist; AWS answers with a denial.",
        no_change,
        findings={"iam.denied": "iam.repository-policy"},
        arguments=image(f"shared/bsae:{TAG}", account=OTHER_ACCOUNT),
        excludes="policy.vpce.ecr iam.execution-role iam.scp",
    ),
)


def _old_access_keys(vpc: VPC) -> None:
    """Old access keys in the task definition take precedence over the task role."""
    old_keys = {"AWS_ACCESS_KEY_ID": "AKIAOLDACCESSKEY0000", "AWS_SECRET_ACCESS_KEY": "an-old-secret-access-key"}
    vpc.task.variables.update(old_keys)


def _agent_starting(times: int | None) -> Change:
    def change(vpc: VPC) -> None:
        vpc.metadata.injected_replies.append(InjectedReply(credentials_uninitialised(), "/v2/credentials/", times))

    return change


CREDENTIALS = (
    inconclusive(
        "no-task-role",
        "The task definition has no task role, so there are no credentials.",
        without_task_role,
        findings={"credentials.missing": "iam.no-credentials"},
        excludes="iam.execution-role policy.vpce.ecr",
    ),
    inconclusive(
        "instance-role-not-allowed",
        "EC2 without a task role: the instance's credentials are available but not used.",
        all_of(EC2_HOST, without_task_role),
        findings={"credentials.missing": "iam.no-credentials"},
    ),
    passing(
        "instance-role",
        "EC2 without a task role; --allow-instance-role permits the instance's credentials.",
        all_of(EC2_HOST, without_task_role),
        findings={"credentials.instance-role": None},
        arguments=("--allow-instance-role",),
    ),
    inconclusive(
        "credentials-expired",
        "The session of the credentials has expired.",
        set_to("cloud.account.session_expired", True),
        findings={"credentials.rejected": "iam.credentials-rejected"},
    ),
    inconclusive(
        "credentials-stray",
        "Old access keys in the task definition take precedence over the task role, and AWS does not accept them.",
        _old_access_keys,
        findings={"credentials.rejected": "iam.credentials-rejected"},
    ),
    passing(
        "credentials-late",
        "The agent has no credentials right after its start; the retry succeeds.",
        _agent_starting(1),
        findings={"probe.retried": None},
    ),
    inconclusive(
        "credentials-unavailable",
        "The credentials endpoint never returns credentials.",
        _agent_starting(None),
        findings={"credentials.unavailable": "iam.credentials-rejected"},
    ),
)
