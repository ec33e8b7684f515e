"""Who may not: endpoint policies, roles, repository policies, the organisation."""

from __future__ import annotations

from probe.sim.changes import all_of, endpoint_policy, no_change, role_policy, with_nat, without_private_dns
from probe.sim.cloud import OTHER_ACCOUNT, TAG
from probe.sim.identity import Statement
from probe.sim.scenarios.healthy import ACCOUNT, image
from probe.sim.scenarios.scenario import scenario
from probe.sim.vpc import VPC

OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe-task"
PULL_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole"
TOKEN = "ecr:GetAuthorizationToken"
ALL_BUT_TOKEN = Statement(actions=("ecr:Batch*", "ecr:GetDownloadUrlForLayer", "logs:*"))
ALL_BUT_IMAGES = Statement(actions=(TOKEN, "ecr:GetDownloadUrlForLayer", "logs:*"))


def _unenriched(vpc: VPC) -> None:
    vpc.cloud.account.permissions.states_reason = False


def _scp(vpc: VPC) -> None:
    vpc.cloud.account.permissions.organisation = (Statement(), Statement(actions=("ecr:*",), effect="Deny"))


def _own_endpoint_only(vpc: VPC) -> None:
    """The role's policy has a condition on aws:SourceVpce."""
    vpc.cloud.account.permissions.own_endpoint_only = True


DENIALS = (
    scenario(
        "ecr-endpoint-policy",
        "The ecr.api endpoint's policy does not allow GetAuthorizationToken.",
        endpoint_policy("ecr.api", Statement(actions=("ecr:Batch*",))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
    ),
    scenario(
        "ecr-endpoint-policy-dkr",
        "The policy of ecr.dkr is another one than that of ecr.api, and lacks BatchGetImage.",
        endpoint_policy("ecr.dkr", Statement(actions=("ecr:GetDownloadUrlForLayer",))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
    ),
    scenario(
        "ecr-endpoint-policy-deny",
        "The endpoint's policy says Deny in so many words.",
        endpoint_policy("ecr.api", Statement(), Statement(effect="Deny", actions=(TOKEN,))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
    ),
    scenario(
        "ecr-endpoint-policy-layers",
        "The policy of ecr.dkr allows manifests and not layers.",
        endpoint_policy("ecr.dkr", Statement(actions=("ecr:BatchGetImage",))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
    ),
    scenario(
        "ecr-endpoint-policy-other-role",
        "The endpoint's policy admits the execution role only, which is the one that pulls; the probe holds another.",
        endpoint_policy("ecr.api", Statement(principals=(PULL_ROLE,))),
        findings={"policy.vpce.ecr": "policy.vpce.ecr"},
        status="inconclusive",
        pull="unproven",
        arguments=("--pull-role", PULL_ROLE),
    ),
    scenario(
        "denied-without-reason",
        "AWS refuses the token and does not say which policy does.",
        all_of(role_policy(ALL_BUT_TOKEN), _unenriched),
        findings={"iam.denied": "iam.execution-role"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "iam-token",
        "The role that the probe holds may not ask for a token; the role that pulls is another one.",
        role_policy(ALL_BUT_TOKEN),
        findings={"iam.denied": "iam.execution-role"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "iam-token-pull-role",
        "The same role pulls, as --pull-role says: so the pull is broken.",
        role_policy(ALL_BUT_TOKEN),
        findings={"iam.denied": "iam.execution-role"},
        arguments=("--pull-role", OWN_ROLE),
    ),
    scenario(
        "iam-images",
        "The role may ask for a token, and may not read images.",
        role_policy(ALL_BUT_IMAGES),
        findings={"iam.denied": "iam.execution-role"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "iam-scp",
        "A service control policy of the organisation denies ECR.",
        _scp,
        findings={"iam.denied": "iam.scp"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "iam-source-vpce",
        "The role may act through the VPC's endpoint only, and the calls go out by NAT.",
        all_of(without_private_dns("ecr.api", "ecr.dkr"), with_nat, _own_endpoint_only),
        findings={"iam.denied": "iam.source-vpce-condition", "dns.public-answer": None},
        pull="unproven",
    ),
    scenario(
        "execution-role-source-vpce",
        "The execution role, held in the task role's place, may act through the VPC's endpoint only, and does.",
        _own_endpoint_only,
        status="pass",
        pull="works",
        arguments=("--pull-role", OWN_ROLE),
    ),
    scenario(
        "execution-role-source-vpce-public",
        "The same role, but the names lead to public addresses by NAT: the pull holds it too, and is refused as well.",
        all_of(without_private_dns("ecr.api", "ecr.dkr"), with_nat, _own_endpoint_only),
        findings={"iam.denied": "iam.source-vpce-condition", "dns.public-answer": None},
        arguments=("--pull-role", OWN_ROLE),
    ),
    scenario(
        "repository-policy",
        "The image belongs to another account, whose repository policy does not know us.",
        no_change,
        findings={"iam.denied": "iam.repository-policy"},
        status="inconclusive",
        pull="unproven",
        arguments=image(f"shared/base:{TAG}", account=OTHER_ACCOUNT),
    ),
)
