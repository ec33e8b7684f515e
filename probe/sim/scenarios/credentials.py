"""Where credentials come from, and what becomes of them."""

from __future__ import annotations

from probe.sim.changes import Change, all_of
from probe.sim.metadata import credentials_uninitialised
from probe.sim.scenarios.healthy import EC2_HOST
from probe.sim.scenarios.scenario import scenario
from probe.sim.services import InjectedReply
from probe.sim.vpc import VPC


def _no_role(vpc: VPC) -> None:
    vpc.task.role = None


def _session_expired(vpc: VPC) -> None:
    vpc.cloud.account.session_expired = True


def _stray_keys(vpc: VPC) -> None:
    """Somebody's old keys stand in the task definition, and win over the role."""
    old = {"AWS_ACCESS_KEY_ID": "AKIAOLDKEYOFSOMEBODY", "AWS_SECRET_ACCESS_KEY": "an-old-secret-of-somebody"}
    vpc.task.variables.update(old)


def _agent_starting(times: int | None) -> Change:
    def change(vpc: VPC) -> None:
        vpc.metadata.injected_replies.append(InjectedReply(credentials_uninitialised(), "/v2/credentials/", times))

    return change


CREDENTIALS = (
    scenario(
        "no-task-role",
        "The task definition names no task role: there are no credentials.",
        _no_role,
        findings={"credentials.missing": "iam.no-credentials"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "instance-role-not-allowed",
        "On EC2 without a task role: the instance's credentials are there and not touched.",
        all_of(EC2_HOST, _no_role),
        findings={"credentials.missing": "iam.no-credentials"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "instance-role",
        "The same with --allow-instance-role.",
        all_of(EC2_HOST, _no_role),
        findings={"credentials.instance-role": None},
        status="pass",
        pull="works",
        arguments=("--allow-instance-role",),
    ),
    scenario(
        "credentials-expired",
        "The session behind the credentials is over.",
        _session_expired,
        findings={"credentials.rejected": "iam.credentials-rejected"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "credentials-stray",
        "Old keys in the task definition win over the task role, and AWS does not know them.",
        _stray_keys,
        findings={"credentials.rejected": "iam.credentials-rejected"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "credentials-late",
        "Right after its start the agent has no credentials yet; at the second try it has.",
        _agent_starting(1),
        findings={"probe.retried": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "credentials-unavailable",
        "The credentials endpoint never has any.",
        _agent_starting(None),
        findings={"credentials.unavailable": "iam.credentials-rejected"},
        status="inconclusive",
        pull="unproven",
    ),
)
