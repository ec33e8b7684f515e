"""Sources of credentials, and credentials that AWS rejects."""

from __future__ import annotations

from probe.sim.changes import Change, all_of
from probe.sim.metadata import credentials_uninitialised
from probe.sim.scenarios.healthy import EC2_HOST
from probe.sim.scenarios.scenario import scenario
from probe.sim.services import InjectedReply
from probe.sim.vpc import VPC


def _no_task_role(vpc: VPC) -> None:
    vpc.task.role = None


def _session_expired(vpc: VPC) -> None:
    vpc.cloud.account.session_expired = True


def _old_access_keys(vpc: VPC) -> None:
    """Old access keys in the task definition take precedence over the task role."""
    old_keys = {"AWS_ACCESS_KEY_ID": "AKIAOLDACCESSKEY0000", "AWS_SECRET_ACCESS_KEY": "an-old-secret-access-key"}
    vpc.task.variables.update(old_keys)


def _agent_starting(times: int | None) -> Change:
    def change(vpc: VPC) -> None:
        vpc.metadata.injected_replies.append(InjectedReply(credentials_uninitialised(), "/v2/credentials/", times))

    return change


CREDENTIALS = (
    scenario(
        "no-task-role",
        "The task definition has no task role, so there are no credentials.",
        _no_task_role,
        findings={"credentials.missing": "iam.no-credentials"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "instance-role-not-allowed",
        "EC2 without a task role: the instance's credentials are available but not used.",
        all_of(EC2_HOST, _no_task_role),
        findings={"credentials.missing": "iam.no-credentials"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "instance-role",
        "EC2 without a task role; --allow-instance-role permits the instance's credentials.",
        all_of(EC2_HOST, _no_task_role),
        findings={"credentials.instance-role": None},
        status="pass",
        pull="works",
        arguments=("--allow-instance-role",),
    ),
    scenario(
        "credentials-expired",
        "The session of the credentials has expired.",
        _session_expired,
        findings={"credentials.rejected": "iam.credentials-rejected"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "credentials-stray",
        "Old access keys in the task definition take precedence over the task role, and AWS does not accept them.",
        _old_access_keys,
        findings={"credentials.rejected": "iam.credentials-rejected"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "credentials-late",
        "The agent has no credentials right after its start; the retry succeeds.",
        _agent_starting(1),
        findings={"probe.retried": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "credentials-unavailable",
        "The credentials endpoint never returns credentials.",
        _agent_starting(None),
        findings={"credentials.unavailable": "iam.credentials-rejected"},
        status="inconclusive",
        pull="unproven",
    ),
)
