"""The digest that ECS pinned for a deployment, beside the tag of the task definition. AWS[ecs-version-consistency]"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.model import Gate, GateAnswer, GateName, Standing, Verdict
from tests.inspect.vpc import DIGEST, IMAGE, Account, healthy_vpc, inspected

GONE, UNTAGGED = f"sha256:{'0' * 63}1", f"sha256:{'0' * 63}2"
PREFIX = "arn:aws:ecs:us-east-1:123456789012"
REPOSITORY = "arn:aws:ecr:us-east-1:123456789012:repository/team/app"
DEFINITION, REVISION = f"{PREFIX}:task-definition/shop:1", f"{PREFIX}:service-revision/main/shop/100"
TASK = f"{PREFIX}:task/main/{'0' * 32}"
SERVICE = ("--cluster", "main", "--service", "shop")
Change = Callable[[Account], None]


def account_of_service(pinned: str | None, *, started_from: str | None = None) -> Account:
    """A service on Fargate with one task. ECS resolved the tag of its image to `pinned`."""
    account = healthy_vpc()
    network = {"subnets": ["subnet-0a000000"], "securityGroups": ["sg-0a000000"], "assignPublicIp": "DISABLED"}
    image = {"containerName": "app", "image": IMAGE, **({"imageDigest": pinned} if pinned else {})}
    running = {"name": "app", "image": IMAGE, **({"imageDigest": started_from} if started_from else {})}
    details = [{"name": "subnetId", "value": "subnet-0a000000"}, {"name": "privateIPv4Address", "value": "10.0.1.77"}]
    account.objects["ecs"] = {
        "services": [
            {
                "serviceName": "shop",
                "status": "ACTIVE",
                "taskDefinition": DEFINITION,
                "launchType": "FARGATE",
                "networkConfiguration": {"awsvpcConfiguration": network},
                "currentServiceRevisions": [{"arn": REVISION, "runningTaskCount": 1}],
            }
        ],
        "serviceRevisions": [
            {
                "serviceRevisionArn": REVISION,
                "taskDefinition": DEFINITION,
                "createdAt": "2026-11-01T00:00:00+00:00",
                "containerImages": [image],
            }
        ],
        "tasks": [
            {
                "taskArn": TASK,
                "taskDefinitionArn": DEFINITION,
                "launchType": "FARGATE",
                "group": "service:shop",
                "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
                "containers": [running],
            }
        ],
    }
    account.replies["ecs:DescribeTaskDefinition"] = {
        "taskDefinition": {
            "taskDefinitionArn": DEFINITION,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [{"name": "app", "image": IMAGE}],
        }
    }
    account.objects["ecr"]["imageDetails"].append(
        {"repositoryName": "team/app", "imageDigest": UNTAGGED, "imageStatus": "ACTIVE"}
    )
    return account


def archived(account: Account) -> None:
    account.objects["ecr"]["imageDetails"][-1]["imageStatus"] = "ARCHIVED"


def without_the_tag(account: Account) -> None:
    account.objects["ecr"]["imageDetails"][0]["imageTags"] = []


def unresolved(account: Account) -> None:
    containers = account.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]["containerDefinitions"]
    containers[0]["versionConsistency"] = "disabled"


def newer_revision(account: Account, pinned: str, definition: str = DEFINITION) -> None:
    revisions, service = account.objects["ecs"]["serviceRevisions"], account.objects["ecs"]["services"][0]
    newer = {**revisions[0], "serviceRevisionArn": f"{REVISION}9", "createdAt": "2026-11-02T00:00:00+00:00"}
    images = [{"containerName": "app", "image": IMAGE, "imageDigest": pinned}]
    revisions.append({**newer, "taskDefinition": definition, "containerImages": images})
    service["currentServiceRevisions"].insert(0, {"arn": f"{REVISION}9"})


def image_gate(verdict: Verdict) -> Gate:
    (gate,) = {gate for gate in verdict.gates if gate.gate is GateName.IMAGE and not gate.is_unread_platform}
    return gate


@pytest.mark.parametrize(
    ("pinned", "changes", "answer", "cause", "element"),
    [
        (DIGEST, (), "allows", None, DIGEST),
        (UNTAGGED, (), "allows", None, UNTAGGED),
        (UNTAGGED, (without_the_tag,), "allows", None, UNTAGGED),
        (UNTAGGED, (archived,), "refuses", "registry.archived", "imageStatus ARCHIVED"),
        (GONE, (), "refuses", "registry.tag-not-found", GONE),
        (GONE, (without_the_tag,), "refuses", "registry.tag-not-found", GONE),
        (GONE, (unresolved,), "allows", None, DIGEST),
        (None, (), "allows", None, DIGEST),
        (None, (without_the_tag,), "refuses", "registry.tag-not-found", "1.0"),
    ],
)
@pytest.mark.parametrize("start", [SERVICE, ("--task", TASK)])
def test_the_image_that_a_service_pinned(
    start: tuple[str, ...],
    pinned: str | None,
    changes: tuple[Change, ...],
    answer: str,
    cause: str | None,
    element: str,
) -> None:
    account = account_of_service(pinned)
    for change in changes:
        change(account)
    gate = image_gate(inspected(account, *start))
    assert (gate.answer, gate.cause, gate.object, gate.element) == (answer, cause, REPOSITORY, element), gate.sentence


def test_a_digest_that_is_gone_is_the_one_cause_with_a_proven_command() -> None:
    verdict = inspected(account_of_service(GONE), *SERVICE)
    (finding,) = verdict.findings
    assert verdict.exit_code == 1
    assert GONE in finding.title
    cause = finding.causes[0]
    assert (cause.code, cause.standing, cause.object) == ("registry.tag-not-found", Standing.CONFIRMED, REPOSITORY)
    assert "ECS pinned for the tag 1.0; the tag names another image now" in cause.title
    (command,) = cause.fix.commands
    assert command.endswith("update-service --region us-east-1 --cluster main --service shop --force-new-deployment")
    assert "With this change every gate allows." in (cause.fix.note or "")


def test_without_the_tag_no_deployment_is_proposed() -> None:
    account = account_of_service(GONE)
    without_the_tag(account)
    (finding,) = inspected(account, *SERVICE).findings
    assert "every gate allows" not in (finding.causes[0].fix.note or "")


def test_the_newest_revision_of_the_task_definition_counts() -> None:
    account = account_of_service(GONE)
    newer_revision(account, UNTAGGED)
    newer_revision(account, GONE, definition=f"{PREFIX}:task-definition/shop:2")
    assert image_gate(inspected(account, *SERVICE)).element == UNTAGGED


@pytest.mark.parametrize("several", [False, True])
def test_an_unreadable_revision_is_unknown(several: bool) -> None:
    account = account_of_service(GONE)
    if several:
        newer_revision(account, UNTAGGED)
    account.denied.add("ecs:DescribeServiceRevisions")
    gate = image_gate(inspected(account, *SERVICE))
    assert (gate.answer, gate.missing) == (GateAnswer.UNKNOWN, "ecs:DescribeServiceRevisions")


@pytest.mark.parametrize(
    ("started_from", "changes", "answer"),
    [
        (UNTAGGED, (), "allows"),
        (GONE, (), "depends"),
        (UNTAGGED, (without_the_tag,), "depends"),
        (GONE, (without_the_tag,), "refuses"),
        (None, (), "allows"),
    ],
)
@pytest.mark.parametrize("reason", ["denied", "no revision"])
def test_what_a_task_ran_from_decides_alone_only_with_the_tag(
    reason: str, started_from: str | None, changes: tuple[Change, ...], answer: str
) -> None:
    """ECS may have given up resolving the tag, so that it pulls the tag again."""
    account = account_of_service(None, started_from=started_from)
    if reason == "denied":
        account.denied.add("ecs:DescribeServices")
    else:
        del account.objects["ecs"]["services"][0]["currentServiceRevisions"]
    for change in changes:
        change(account)
    gate = image_gate(inspected(account, "--task", TASK, "--security-groups", "sg-0a000000"))
    assert gate.answer == answer, gate.sentence
    if answer == "depends":
        assert "is not known" in gate.sentence


def test_a_task_of_no_service_resolves_its_tag_anew() -> None:
    account = account_of_service(GONE, started_from=GONE)
    account.objects["ecs"]["tasks"][0]["group"] = "family:shop"
    assert image_gate(inspected(account, "--task", TASK, "--security-groups", "sg-0a000000")).element == DIGEST
