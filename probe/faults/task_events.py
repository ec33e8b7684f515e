"""Faults of a task around the pull, as ECS reports them: placement, role, secrets, volumes, slow starts.

Only error texts show them. What a check sees of its own task is in `task`.
"""

from __future__ import annotations

import re

from probe.faults import causes, pulling_services
from probe.faults.causes import DESCRIBE_TASK, REGISTER, advice, read_task_definition, reads, service_network
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, confirmed
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Client, Failure, Impact, Step
from probe.records import replace

_NO_EXECUTION_ROLE = replace(
    causes.EXECUTION_ROLE,
    title="the task definition names no execution role",
    fix=advice("set executionRoleArn in the task definition", REGISTER),
    fix_of_deny=None,
    confirm=read_task_definition("executionRoleArn"),
)
EXECUTION_ROLE = Fault(
    "iam.no-execution-role",
    "the task definition has no execution role, and pulls from ECR need one",
    "ECS refuses the task definition before any request is sent.",
    Impact.START,
    (_NO_EXECUTION_ROLE,),
    certain=True,
)
ROLE_NOT_ASSUMED = Fault(
    "iam.role-not-assumed",
    "ECS could not assume a role of the task",
    "ECS needs the role before it starts the task, so the image was not requested.",
    Impact.START,
    (causes.TRUST_POLICY,),
)
NOT_PLACED = Fault(
    "task.not-placed",
    "ECS could not place the task, so it did not try to pull the image",
    "ECS ran out of capacity, addresses or network interfaces, or too many tasks were requested at once. The image and "
    "the endpoints are not involved.",
    Impact.PROOF,
    (
        causes.other(
            "the cluster or the subnets lack capacity or free addresses",
            service_network("subnets=[SUBNET_ID],securityGroups=[GROUP_ID]").to(
                "free capacity or addresses in the subnets, or use other subnets"
            ),
            reads(
                "aws ec2 describe-subnets --region {task_region} "
                '--query "Subnets[].[SubnetId,AvailableIpAddressCount]"',
                "aws ecs describe-services --region {task_region} --cluster {cluster} --services SERVICE "
                '--query "services[].events"',
            ),
        ),
    ),
    other_causes=(causes.THROTTLE,),
)
# The reasons of RunTask that are about the hosts: an attribute, the agent, the zone.
NO_FIT_HOST = NOT_PLACED.variant(
    why=(
        "No container instance fits the task, so the image and the endpoints are not involved. ATTRIBUTE means a "
        "property that the task needs and the hosts lack, such as a log driver; AGENT means that no agent is connected."
    ),
    causes=(
        causes.other(
            "no instance has what the task needs: log driver, network mode, architecture, zone, or a connected agent",
            advice(
                "compare the attributes that the task needs with those of the instances",
                "aws ecs list-attributes --region {task_region} --cluster {cluster} --target-type container-instance",
            ),
            reads(
                "aws ecs describe-task-definition --region {task_region} --task-definition FAMILY "
                '--query "taskDefinition.requiresAttributes"'
            ),
        ),
        replace(
            causes.MISCONFIGURED,
            title="the agent's settings do not offer it: ECS_AVAILABLE_LOGGING_DRIVERS, or the task role variables",
            fix=advice("set the variable in /etc/ecs/ecs.config, and restart the agent", "systemctl restart ecs"),
            confirm=reads("docker inspect ecs-agent --format {{{{.Config.Env}}}}", note="Run it on the host."),
        ),
        causes.OLD_AGENT,
    ),
)
VOLUME = Fault(
    "task.volume",
    "a volume of the task could not be mounted",
    "ECS mounts EFS before the container starts; the image is not involved.",
    Impact.START,
    (
        causes.other(
            "the file system is unreachable on port 2049, its name does not resolve, or its policy denies the mount",
            advice(
                "allow TCP 2049 from the task's security group",
                "aws ec2 authorize-security-group-ingress --region {task_region} --group-id GROUP_ID "
                "{from_subnet:tcp/2049}",
            ),
            reads("aws efs describe-mount-targets --region {task_region} --file-system-id FILE_SYSTEM_ID"),
        ),
    ),
)
SECRET_MISSING = Fault(
    "task.secret-missing",
    "a secret or parameter of the task does not exist, or lacks the key that the task uses",
    "The service answered, so the network works.",
    Impact.START,
    (
        causes.other(
            "the secret's name, region or key is wrong, or the secret was deleted",
            advice("correct the secret's reference in the task definition", REGISTER),
            read_task_definition("containerDefinitions[].secrets"),
        ),
    ),
)
START_TIMEOUT = Fault(
    "task.start-timeout",
    "the container did not start in time",
    "The image was pulled. A slow start is usually the log driver waiting for CloudWatch Logs.",
    Impact.START,
    (
        causes.MISSING_LOGS,
        causes.SECURITY_GROUP,
        causes.VPC_ATTRIBUTES_OFF,
        causes.other(
            "the host is too busy, or the image is too large to start in time",
            advice("give the task more CPU, or a longer start timeout, in the task definition", REGISTER),
            reads(DESCRIBE_TASK),
        ),
    ),
)
# Docker's own hosts have other work too.
START_TIMEOUT_OF_DOCKER = START_TIMEOUT.variant(
    causes=(causes.MISSING_LOGS, causes.SLOW_RUNTIME, causes.SECURITY_GROUP, causes.VPC_ATTRIBUTES_OFF)
)
SLOW_CREATE = START_TIMEOUT.variant(
    title="the container runtime did not create the container in time",
    why="The image was pulled. Creating a container needs the host's disk and CPU, and no network.",
    causes=(causes.SLOW_RUNTIME, causes.DISK_FULL),
)
SLOW_STOP = START_TIMEOUT.variant(
    title="the container runtime did not stop or remove the container in time",
    why="The container had started, so this is not a failure of its start.",
    impact=Impact.PROOF,
    causes=(causes.SLOW_RUNTIME,),
)
SLOW_PULL = Fault(
    "task.slow-pull",
    "the image was not pulled in time",
    "The text does not name the request that was slow. The registry was reached, or the pull would have failed earlier "
    "with an error of its own.",
    Impact.PULL,
    (causes.TRANSFER_BROKEN, causes.SLOW_RUNTIME, causes.MISSING_S3, causes.MTU),
)
ENDED = Fault(
    "task.ended",
    "the task started, so this is not a start failure",
    "A container that ran already had its image, so neither the pull nor the endpoints failed.",
    Impact.PROOF,
    (
        causes.other(
            "the program ended, its health checks failed, or the task was stopped on request",
            advice(
                "read the container's logs",
                "aws logs filter-log-events --region {task_region} --log-group-name LOG_GROUP --limit 100",
            ),
            reads(DESCRIBE_TASK),
        ),
    ),
)
RECOVERED = Fault(
    "task.recovered",
    "a later pull or start succeeded, so this failure is over",
    "The events were compared by their times. The text reports a success after the last failure, so what caused the "
    "failure was corrected, or it does not last.",
    Impact.PROOF,
    (
        causes.other(
            "the cause was removed, or it comes and goes",
            advice("if the failure returns, pass only the lines of that failure", "ecr-probe explain -"),
            reads(DESCRIBE_TASK),
        ),
    ),
)
NOT_DESCRIBED = Fault(
    "task.not-described",
    "AWS did not answer, so the reason for the stop is unknown",
    "The call to ECS came from the machine that runs ecr-probe explain, so it shows nothing about the task's network.",
    Impact.PROOF,
    (
        causes.other(
            "AWS's API is unreachable from here, or fails",
            advice("run ecr-probe explain again later, or paste the reason from the console", "ecr-probe explain -"),
            reads(DESCRIBE_TASK),
        ),
    ),
    other_causes=(causes.THROTTLE,),
)
_NOT_BY_ECS = re.compile(
    r"WebIdentity|OIDC|OpenIDConnect|\bsts:|[Pp]rincipal '?(?!ecs)[a-z]|audience|identity provider|thumbprint|\bID[Pp]"
    r"|ID_TOKEN|id-token|DurationSeconds|Request ARN|identity token|IAM [Rr]ole"
)
_DOCKER = re.compile("DockerTimeoutError")
_TASKS = (Client.ECS, Client.BATCH)


_HOST_REASON = re.compile(r"(?i)\b(?:attribute|agent|location)\b\"?")
_SHORTAGE = re.compile(r"(?i)resource:|capacity|network interface|insufficient|no container instances")


def _unplaced(evidence: Evidence, step: Step) -> Case | None:
    if says(step, _HOST_REASON) and not says(step, _SHORTAGE):
        return Case(NO_FIT_HOST)
    return _throttled(evidence, step)


def _throttled(_evidence: Evidence, step: Step) -> Case | None:
    return Case(suspects=confirmed(causes.THROTTLE)) if step.failure is Failure.THROTTLED else None


def _of_docker(_evidence: Evidence, step: Step) -> Case | None:
    return Case(START_TIMEOUT_OF_DOCKER) if says(step, _DOCKER) else None


def _who_assumes(evidence: Evidence, step: Step) -> Case | None:
    by_ecs = evidence.client in _TASKS and not says(step, _NOT_BY_ECS)
    return None if by_ecs else pulling_services.refused_role(step)


MEANINGS = {
    Subject.EXECUTION_ROLE: Meaning(EXECUTION_ROLE),
    Subject.ROLE: Meaning(ROLE_NOT_ASSUMED, variants=(pulling_services.ROLE_REFUSED,), case=_who_assumes),
    Subject.PLACEMENT: Meaning(NOT_PLACED, variants=(NO_FIT_HOST,), case=_unplaced),
    Subject.VOLUME: Meaning(VOLUME),
    Subject.SECRET: Meaning(SECRET_MISSING),
    Subject.TIMEOUT: Meaning(START_TIMEOUT, ("logs",), variants=(START_TIMEOUT_OF_DOCKER,), case=_of_docker),
    Subject.SLOW_CREATE: Meaning(SLOW_CREATE),
    Subject.SLOW_STOP: Meaning(SLOW_STOP),
    Subject.SLOW_PULL: Meaning(SLOW_PULL),
    Subject.ENDED: Meaning(ENDED),
    Subject.RECOVERED: Meaning(RECOVERED),
    Subject.NOT_DESCRIBED: Meaning(NOT_DESCRIBED, case=_throttled),
}
