"""`up`: what it creates, keeps and refuses, and what it prints."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.deploy.options import ALARM_STATUSES, SIDECAR_ADDRESSES
from probe.deploy.plan import WITHOUT_FLAGS
from probe.deploy.repository import source_login, tag_of
from probe.deploy.stack import template
from probe.model import Status
from probe.registries.archive import open_archive
from probe.registries.logins import Login
from probe.smoke.calls import Calls
from tests.deploy.aws import DeployedAws, push_by_others
from tests.deploy.cloudformation import decoded
from tests.deploy.registry import TOKEN, FakeRegistry, FakeRepository, served
from tests.deploy.runs import Bench
from tests.registries import layouts
from tests.smoke.aws import ACCOUNT, GROUP, REGION, Error, Life, Silence, service, subnet
from tests.smoke.runs import FakeAccount

DENIED = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: iam:CreateRole on resource: x"


def refusal(bench: Bench, *arguments: str, **options: Any) -> str:
    with pytest.raises(UsageError) as error:
        bench.up(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def stop_at(bench: Bench, name: str, action: str) -> None:
    if name == action:
        bench.stop.set()


def deployed(aws: DeployedAws) -> dict[str, str]:
    """The parameters of the only stack."""
    (stack,) = [stack for stack in aws.cloudformation.stacks if stack.status != "DELETE_COMPLETE"]
    return stack.parameters


# ---- from nothing ----------------------------------------------------------------------------------------------------


def test_from_nothing_to_a_verdict(bench: Bench, aws: DeployedAws, archive: str) -> None:
    assert bench.up("--image-archive", archive, "--yes") == 0
    (fleet,) = bench.fleets
    assert (fleet.status, len(fleet.runs)) == (Status.PASS, 3)
    source = open_archive(archive)
    with source:
        assert sorted(document.digest for document in source.documents) == aws.left()["images"]
    parameters = deployed(aws)
    assert parameters["ImageVersion"] == f"@{source.digest}"
    assert parameters["PushedImages"].split(",")[0] == source.digest
    assert parameters["VpcCidr"] == "10.0.0.0/16,100.64.0.0/16"  # without what the VPC no longer has
    assert (parameters["SubnetIds"], parameters["SecurityGroupIds"]) == (",".join(map(subnet, range(3))), GROUP)
    assert aws.repositories["ecr-probe"].tags == {tag_of(source.digest): source.digest}
    (definition,) = [aws.definitions["ecr-probe-smoke"]]
    assert definition["requiresCompatibilities"] == ["FARGATE", "EC2"]
    assert definition["containerDefinitions"][0]["image"].endswith(f"/ecr-probe@{source.digest}")
    assert f"ecr-probe smoke --cluster main --service shop --region {REGION}" in bench.console.text
    assert f"ecr-probe down --region {REGION}" in bench.console.text


def test_the_tokens_of_the_registry_are_never_printed(bench: Bench, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    assert TOKEN not in bench.console.text + repr(bench.fleets)


def test_a_push_that_ended_before_the_tag_is_finished(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    tags = dict(aws.repositories["ecr-probe"].tags)
    aws.repositories["ecr-probe"].tags.clear()
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert aws.repositories["ecr-probe"].tags == tags


def test_again_changes_nothing_and_gives_a_verdict(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    before, sent = aws.left(), len(aws.registry.requests)
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert (aws.left(), len(aws.registry.requests), len(bench.fleets)) == (before, sent, 2)
    assert "stack ecr-probe is up to date" in bench.console.text
    assert bench.up("--yes") == 0  # the stack's image
    assert aws.left() == before


def test_subnets_instead_of_a_service(bench: Bench, aws: DeployedAws, archive: str) -> None:
    where = ("--subnets", f"{subnet(0)},{subnet(1)}", "--security-groups", GROUP)
    assert bench.up("--image-archive", archive, "--yes", *where, service=False) == 0
    assert deployed(aws)["SubnetIds"] == f"{subnet(0)},{subnet(1)}"
    assert len(bench.fleets[0].runs) == 2


def test_the_exit_code_is_that_of_the_check(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.lives = lambda where, _: Life.fails() if where == subnet(1) else Life()
    assert bench.up("--image-archive", archive, "--yes") == 1


# ---- consent ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True])
def test_plan_changes_nothing(bench: Bench, aws: DeployedAws, archive: str, again: bool) -> None:
    if again:
        bench.up("--image-archive", archive, "--yes")
    aws.calls.clear()
    sent = len(aws.registry.requests)
    assert bench.up("--image-archive", archive, "--plan") == 0
    assert aws.calls
    assert (aws.mutations(), aws.registry.requests[sent:]) == ([], [])
    assert ("keep    image" if again else "push    image") in bench.console.text


@pytest.mark.parametrize("answer", [False, None])
def test_nothing_is_changed_without_a_yes(bench: Bench, aws: DeployedAws, archive: str, answer: bool | None) -> None:
    bench.console.answer = answer
    if answer is None:
        assert "terminal" in refusal(bench, "--image-archive", archive)
    else:
        assert bench.up("--image-archive", archive) == 0
        assert bench.console.lines[-1] == "ecr-probe: nothing was changed"
    assert (bench.console.questions, aws.mutations(), bench.fleets) == (1, [], [])


def test_a_yes_on_the_terminal_is_asked_for_once(bench: Bench, archive: str) -> None:
    bench.console.answer = True
    assert bench.up("--image-archive", archive) == 0
    assert bench.console.questions == 1


@pytest.mark.parametrize("width", [80, 100])
def test_the_plan_fits_the_terminal(bench: Bench, archive: str, width: int) -> None:
    bench.console.width = width
    bench.up("--image-archive", archive, "--plan", "--schedule", "rate(15 minutes)")
    lines = bench.console.lines
    assert max(map(len, lines)) <= width
    assert len(lines) <= 22
    text = " ".join(bench.console.text.split())
    assert "create schedule rate(15 minutes)" in text
    assert "what stays about $0.66 a month" in text


# ---- the image -------------------------------------------------------------------------------------------------------


def test_an_image_that_is_in_the_repository_is_used_and_not_recorded(bench: Bench, aws: DeployedAws) -> None:
    aws.repositories["ecr-probe"] = FakeRepository("ecr-probe")
    digest = push_by_others(aws.repositories["ecr-probe"], "0.1.0")
    assert bench.up("--yes") == 0
    assert (deployed(aws)["ImageVersion"], deployed(aws)["PushedImages"]) == (f"@{digest}", "")
    assert deployed(aws)["CreateRepository"] == "false"


def test_an_image_is_copied_from_another_registry_with_its_login(
    bench: Bench, aws: DeployedAws, tmp_path: Path
) -> None:
    upstream = FakeRepository("team/ecr-probe")
    digest = push_by_others(upstream, "1.0")
    with served(FakeRegistry({upstream.name: upstream})) as url:
        host = url.partition("//")[2]
        login = base64.b64encode(f"AWS:{TOKEN}".encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": login}}}))
        bench.environ = {"DOCKER_CONFIG": str(tmp_path)}
        reference = f"{host}/team/ecr-probe:1.0"
        assert bench.up("--image-from", reference, "--yes") == 0
        bench.environ = {}
        assert "--image-from" in refusal(bench, "--image-from", reference, "--yes")  # without the login
    assert list(aws.repositories["ecr-probe"].manifests) == [digest]
    assert TOKEN not in bench.console.text
    assert f"from {reference}" in " ".join(bench.console.text.split())


@pytest.mark.parametrize("tags", [[], ["a", "b"]])
def test_without_an_image_one_is_asked_for(bench: Bench, aws: DeployedAws, tags: list[str]) -> None:
    aws.repositories["ecr-probe"] = FakeRepository("ecr-probe")
    for tag in tags:
        push_by_others(aws.repositories["ecr-probe"], tag, tag.encode())
    text = refusal(bench, "--yes")
    assert ("--image-from" if tags else "--image-archive ecr-probe.tar") in text
    assert aws.mutations() == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--image-archive", "probe.tra"),
            "--image-archive (ECR_PROBE_IMAGE_ARCHIVE): 'probe.tra' cannot be read: No such file",
        ),
        (
            ("--image-archive", "text.tar"),
            "--image-archive (ECR_PROBE_IMAGE_ARCHIVE): 'text.tar' is not a whole tar archive",
        ),
        (("--image-from", "example.com/X:1"), "--image-from (ECR_PROBE_IMAGE_FROM): 'X' is not a repository name"),
    ],
)
def test_a_mistyped_image_is_noticed_before_any_call(
    bench: Bench,
    aws: DeployedAws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.tar").write_text("not an archive\n" * 100)
    text = refusal(bench, *arguments)
    assert text.startswith(expected)
    assert f"; for example {arguments[0]} " in text
    assert aws.calls == []


def test_a_stack_that_uses_the_image_of_another_is_warned(bench: Bench, aws: DeployedAws, archive: str) -> None:
    warning = "is in the repository; another stack has pushed it, and removes it with ecr-probe down"
    bench.up("--image-archive", archive, "--yes")
    bench.up("--plan")
    assert warning not in " ".join(bench.console.text.split())
    bench.up("--plan", "--stack-name", "ecr-probe-2")
    assert warning in " ".join(bench.console.text.split())
    del aws.repositories["ecr-probe"].tags[next(iter(aws.repositories["ecr-probe"].tags))]
    push_by_others(aws.repositories["ecr-probe"], "0.1.0")
    bench.console.lines.clear()
    bench.up("--plan", "--stack-name", "ecr-probe-2")
    assert warning not in " ".join(bench.console.text.split())


def test_a_repository_of_others_is_pushed_to_only_if_it_is_named(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.repositories["ecr-probe"] = FakeRepository("ecr-probe")
    theirs = push_by_others(aws.repositories["ecr-probe"], "prod")
    assert "--repository (ECR_PROBE_REPOSITORY): ecr-probe exists" in refusal(
        bench, "--image-archive", archive, "--yes"
    )
    assert aws.mutations() == []
    assert bench.up("--image-archive", archive, "--yes", "--repository", "ecr-probe") == 0
    assert aws.repositories["ecr-probe"].tags["prod"] == theirs
    assert bench.down("--yes") == 0
    assert aws.left() == {"repositories": ["ecr-probe"], "images": [theirs]}


def test_another_image_is_deployed_after_it_is_pushed(
    bench: Bench, aws: DeployedAws, archive: str, tmp_path: Any
) -> None:
    """Until then the schedule runs the earlier one; both are ours, and are removed."""
    bench.up("--image-archive", archive, "--yes", "--schedule", "rate(15 minutes)")
    earlier = deployed(aws)["ImageVersion"]
    states = []
    aws.registry.on_request = lambda _number, _method: states.append(deployed(aws)["ImageVersion"])
    other = layouts.write_tar(tmp_path, layouts.one_platform(), "other.tar")
    assert bench.up("--image-archive", other, "--yes") == 0
    assert set(states) == {earlier}
    assert deployed(aws)["ImageVersion"] != earlier
    assert deployed(aws)["ScheduleExpression"] == "rate(15 minutes)"
    assert bench.down("--yes") == 0
    assert aws.left() == {}


def test_what_runs_by_itself_is_created_after_the_push(bench: Bench, aws: DeployedAws, archive: str) -> None:
    schedules = []
    aws.registry.on_request = lambda _number, _method: schedules.append(bool(aws.others))
    bench.up("--image-archive", archive, "--yes", "--schedule", "rate(1 hour)")
    assert (set(schedules), aws.others) == ({False}, {"ecr-probe-Schedule"})
    bench.up("--yes")
    assert aws.others  # it stays unless it is removed
    bench.up("--yes", "--schedule", "none")
    assert aws.others == set()


def test_what_runs_by_itself_outlives_a_repository_that_was_removed(
    bench: Bench, aws: DeployedAws, archive: str
) -> None:
    bench.up("--image-archive", archive, "--yes", "--schedule", "rate(1 hour)")
    del aws.repositories["ecr-probe"]
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert aws.others == {"ecr-probe-Schedule"}
    text = " ".join(bench.console.text.split())
    assert "remove stack ecr-probe its repository was removed; its log group goes too, with all verdicts" in text
    assert bench.down("--yes") == 0
    assert aws.left() == {}


def test_the_plan_says_where_the_schedule_moves(bench: Bench, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes", "--schedule", "rate(1 hour)")
    where = ("--subnets", subnet(2), "--security-groups", GROUP)
    bench.up("--plan", *where, service=False)
    text = " ".join(bench.console.text.split())
    assert f"update schedule rate(1 hour) it moves to {subnet(2)} in cluster main" in text


TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:oncall"


def test_alarms_and_the_sidecar_are_created_on_request_and_stay(bench: Bench, aws: DeployedAws, archive: str) -> None:
    wanted = ("--schedule", "rate(20 minutes)", "--alarm-topic", TOPIC, "--sidecar")
    assert bench.up("--image-archive", archive, "--yes", *wanted) == 0
    assert {name.removeprefix("ecr-probe-") for name in aws.others} == {
        "Schedule",
        "FailingVerdicts",
        "Verdicts",
        "FailingAlarm",
        "SilenceAlarm",
        "SidecarService",
    }
    assert (deployed(aws)["AlarmPeriodSeconds"], deployed(aws)["Sidecar"]) == ("1800", "true")
    text = " ".join(bench.console.text.split())
    assert "create alarms oncall" in text
    assert "create sidecar a service of one task on Fargate" in text
    before = aws.left()
    assert bench.up("--yes") == 0
    assert aws.left() == before
    assert bench.up("--yes", "--no-sidecar", "--alarm-topic", "none") == 0
    assert aws.others == {"ecr-probe-Schedule"}
    assert bench.down("--yes") == 0
    assert aws.left() == {}


def test_alarms_reach_an_address_with_the_statuses_that_are_wanted(
    bench: Bench, aws: DeployedAws, archive: str
) -> None:
    up = ("--image-archive", archive, "--yes")
    email = ("--alarm-email", "oncall@example.com")
    assert bench.up(*up, "--schedule", "rate(1 hour)", *email) == 0
    assert "ecr-probe-AlarmTopic" in aws.others
    text = " ".join(bench.console.text.split())
    confirms = "SNS asks the address to confirm first"
    assert f"create alarms oncall@example.com of verdicts fail, and of 3 hours without a verdict; {confirms}" in text
    assert "the schedule and the alarms" in text  # of the costs
    bench.console.lines.clear()
    assert bench.up(*up, "--alarm-statuses", "fail-or-inconclusive", "--alarm-topic", TOPIC) == 0
    text = " ".join(bench.console.text.split())
    assert "update alarms oncall and oncall@example.com of verdicts fail or inconclusive, and of" in text
    assert confirms not in text
    assert deployed(aws)["AlarmStatuses"] == "fail-or-inconclusive"
    assert bench.up("--yes") == 0
    assert deployed(aws)["AlarmEmail"] == "oncall@example.com"
    assert deployed(aws)["AlarmStatuses"] == "fail-or-inconclusive"
    assert "the alarms are those of the schedule" in refusal(bench, "--yes", "--schedule", "none")
    assert bench.up("--yes", "--schedule", "none", "--alarm-topic", "none", "--alarm-email", "none") == 0
    assert aws.others == set()


def test_the_sidecar_is_open_to_others_only_on_request(bench: Bench, aws: DeployedAws, archive: str) -> None:
    up = ("--image-archive", archive, "--yes")
    assert bench.up(*up, "--sidecar") == 0
    assert deployed(aws)["SidecarListen"] == "127.0.0.1:9879"
    bench.console.lines.clear()
    assert bench.up(*up, "--sidecar-listen", "0.0.0.0:9879") == 0
    assert deployed(aws)["SidecarListen"] == "0.0.0.0:9879"
    text = " ".join(bench.console.text.split())
    assert "update sidecar a service of one task on Fargate; its page and metrics are for everyone whom" in text
    assert bench.up("--yes") == 0
    assert deployed(aws)["SidecarListen"] == "0.0.0.0:9879"


@pytest.mark.parametrize(
    ("parameter", "values"), [("AlarmStatuses", ALARM_STATUSES), ("SidecarListen", SIDECAR_ADDRESSES)]
)
def test_flags_have_the_values_of_the_template(parameter: str, values: tuple[str, ...]) -> None:
    definition = decoded(template())["Parameters"][parameter]
    assert (definition["Default"], sorted(definition["AllowedValues"])) == (values[0], sorted(values))


def test_a_boundary_limits_the_roles_and_stays(bench: Bench, aws: DeployedAws, archive: str) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/ecr-probe-boundary"
    assert bench.up("--image-archive", archive, "--yes", "--permissions-boundary", boundary) == 0
    assert "with the boundary ecr-probe-boundary" in " ".join(bench.console.text.split())
    assert deployed(aws)["PermissionsBoundary"] == boundary
    assert bench.up("--yes") == 0
    assert deployed(aws)["PermissionsBoundary"] == boundary
    assert bench.up("--yes", "--permissions-boundary", "none") == 0
    assert deployed(aws)["PermissionsBoundary"] == ""


# ---- the platform ----------------------------------------------------------------------------------------------------


def with_platform(aws: DeployedAws, architecture: str | None, **changes: Any) -> None:
    aws.services["shop"] = service(**changes)
    if architecture:
        runtime = {"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"}
        aws.definitions["shop"] = {**aws.definitions["shop"], "runtimePlatform": runtime}


@pytest.mark.parametrize(
    ("architecture", "launch_type", "arguments", "expected"),
    [
        ("ARM64", "EC2", (), "ARM64"),
        ("X86_64", "EC2", (), "X86_64"),
        (None, "EC2", ("--platform", "linux/arm64"), "ARM64"),
        (None, "FARGATE", (), "X86_64"),
    ],
)
def test_image_and_task_have_the_same_platform(
    bench: Bench,
    aws: DeployedAws,
    archive: str,
    architecture: str | None,
    launch_type: str,
    arguments: Any,
    expected: str,
) -> None:
    with_platform(aws, architecture, launchType=launch_type)
    assert bench.up("--image-archive", archive, "--yes", *arguments) == 0
    assert aws.definitions["ecr-probe-smoke"]["runtimePlatform"]["cpuArchitecture"] == expected


def test_a_platform_that_nothing_decides_is_asked_for(bench: Bench, aws: DeployedAws, archive: str) -> None:
    with_platform(aws, None, launchType="EC2")
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert text.startswith("--platform (ECR_PROBE_PLATFORM): the image is for linux/amd64 and linux/arm64")
    assert text.endswith("for example --platform linux/amd64")


def test_an_image_of_another_platform_than_the_instances_is_refused(
    bench: Bench, aws: DeployedAws, tmp_path: Any
) -> None:
    only_amd64 = layouts.write_tar(tmp_path, layouts.one_platform())
    with_platform(aws, "ARM64", launchType="EC2")
    assert "the service's tasks run on linux/arm64" in refusal(bench, "--image-archive", only_amd64, "--yes")
    with_platform(aws, "ARM64", launchType="FARGATE")
    assert bench.up("--image-archive", only_amd64, "--yes") == 0  # Fargate runs both
    assert "is not for linux/arm64" in refusal(bench, "--image-archive", only_amd64, "--platform", "linux/arm64")


# ---- what is not ours ------------------------------------------------------------------------------------------------


def test_a_stack_of_others_is_left_alone(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    aws.cloudformation.stacks[0].tags.clear()
    before, mutations = aws.left(), len(aws.mutations())
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert text.startswith("--stack-name (ECR_PROBE_STACK_NAME): stack ecr-probe exists and was not created by")
    with pytest.raises(UsageError, match="was not created by ecr-probe up, and is left as it is"):
        bench.down("--yes")
    assert (aws.left(), len(aws.mutations())) == (before, mutations)


def test_a_log_group_of_others_is_noticed_before_anything_changes(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.log_groups.add("/ecs/ecr-probe")
    assert "log group /ecs/ecr-probe exists and is not the stack's" in refusal(
        bench, "--image-archive", archive, "--yes"
    )
    assert aws.mutations() == []


def test_a_service_without_an_interface_of_its_own_is_refused(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.services["shop"] = service(networkConfiguration={})
    assert "docs/by-hand.md" in refusal(bench, "--image-archive", archive, "--yes")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--service", "shopp"), "--service (ECR_PROBE_SERVICE): 'shopp' is not in cluster main"),
        (
            ("--subnets", "subnet-0ffffffff"),
            "--subnets (ECR_PROBE_SUBNETS): subnet-0ffffffff is not one of the service's",
        ),
        (("--image-from", "x:1"), "--image-archive (ECR_PROBE_IMAGE_ARCHIVE): cannot be combined with --image-from"),
        (("--once", "--plan"), "--once: has no effect with --plan"),
        (("--alarm-topic", "oncall"), "--alarm-topic (ECR_PROBE_ALARM_TOPIC): 'oncall' is neither the ARN of an SNS"),
        (
            ("--permissions-boundary", "ecr-probe-boundary"),
            "--permissions-boundary (ECR_PROBE_PERMISSIONS_BOUNDARY): 'ecr-probe-boundary' is neither the ARN",
        ),
        (
            ("--schedule", "rate(1 hour)", "--alarm-topic", TOPIC.replace(REGION, "us-east-1")),
            "--alarm-topic (ECR_PROBE_ALARM_TOPIC): the topic is in us-east-1",
        ),
        (("--alarm-topic", TOPIC), "--alarm-topic (ECR_PROBE_ALARM_TOPIC): the alarms are those of the schedule"),
        (
            ("--alarm-email", "a@example.com,b@example.com"),
            "--alarm-email (ECR_PROBE_ALARM_EMAIL): 'a@example.com,b@example.com' is neither one e-mail address",
        ),
        (("--alarm-email", "a@example.com"), "--alarm-email (ECR_PROBE_ALARM_EMAIL): the alarms are those of the"),
        (
            ("--schedule", "rate(1 hour)", "--alarm-statuses", "not-pass"),
            "--alarm-statuses (ECR_PROBE_ALARM_STATUSES): there is no alarm; give --alarm-email or --alarm-topic too",
        ),
        (
            ("--alarm-statuses", "inconclusive"),
            "--alarm-statuses (ECR_PROBE_ALARM_STATUSES): 'inconclusive' is not a choice of verdicts",
        ),
        (
            ("--sidecar-listen", "0.0.0.0:9879"),
            "--sidecar-listen (ECR_PROBE_SIDECAR_LISTEN): there is no sidecar; give --sidecar too",
        ),
        (
            ("--sidecar", "--sidecar-listen", "0.0.0.0:80"),
            "--sidecar-listen (ECR_PROBE_SIDECAR_LISTEN): '0.0.0.0:80' is not an address of the stack's sidecar",
        ),
        (
            ("--schedule", "rate(7 days)", "--alarm-email", "a@example.com"),
            "--schedule (ECR_PROBE_SCHEDULE): rate(7 days) is too rare for the alarms",
        ),
        (("--once", "--sidecar"), "--once: --schedule and --sidecar are there to stay"),
        (("--schedule", "hourly"), "--schedule (ECR_PROBE_SCHEDULE): 'hourly' is neither rate(...), cron(...)"),
        (("--repository", "A"), "--repository (ECR_PROBE_REPOSITORY): 'A' is not the name of a repository"),
        (("--stack-name", "a/b"), "--stack-name (ECR_PROBE_STACK_NAME): 'a/b' is not the name of a stack"),
        (("--platform", "linux/386"), "--platform (ECR_PROBE_PLATFORM): 'linux/386' is not a platform of ECS"),
        (("--cluster", "other"), "--cluster (ECR_PROBE_CLUSTER): 'other' is not a cluster in eu-west-1"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    bench: Bench, aws: DeployedAws, archive: str, arguments: tuple[str, ...], expected: str
) -> None:
    text = refusal(bench, "--image-archive", archive, "--yes", *arguments)
    assert text.startswith(expected)
    assert "or example" in text
    assert aws.mutations() == []


# ---- CloudFormation's errors -----------------------------------------------------------------------------------------


def test_the_first_failure_is_reported_with_the_permission_that_is_missing(
    bench: Bench, aws: DeployedAws, archive: str
) -> None:
    aws.cloudformation.refused["CREATE", "AWS::IAM::Role"] = f"{DENIED} (Service: Iam, Status Code: 403)"
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert text.startswith("role TaskRole: User: ")
    assert (
        text.count(
            "task-definitions/iam/operator-up.json allows iam:CreateRole with --permissions-boundary "
            "(ECR_PROBE_PERMISSIONS_BOUNDARY), and docs/by-hand.md is the way"
        )
        == 1
    )
    assert "stack ecr-probe is ROLLBACK_COMPLETE" in text
    assert text.endswith(f"ecr-probe down --region {REGION} removes it")
    assert aws.left() == {"stacks": ["ecr-probe"]}  # nothing else is left of it
    aws.cloudformation.refused.clear()
    assert bench.up("--image-archive", archive, "--yes") == 0  # what is left is removed and made again
    assert bench.down("--yes") == 0
    assert aws.left() == {}


def test_a_denied_push_names_the_policy_and_can_be_continued(bench: Bench, aws: DeployedAws, archive: str) -> None:
    action = "ecr:InitiateLayerUpload"
    aws.registry.denial = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: {action} on resource: x"
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert text.count(f"task-definitions/iam/operator-up.json allows {action}") == 1
    assert text.endswith(f"the same command goes on, ecr-probe down --region {REGION} removes it")
    assert TOKEN not in text
    aws.registry.denial = ""
    assert bench.up("--image-archive", archive, "--yes") == 0


def test_a_quota_is_no_reason_to_wait(bench: Bench, aws: DeployedAws, archive: str) -> None:
    quota = Error("LimitExceededException", "Limit for stacks has been exceeded")
    aws.errors = lambda name, _: quota if name == "cloudformation:CreateChangeSet" else None
    assert "Limit for stacks has been exceeded" in refusal(bench, "--image-archive", archive, "--yes")
    assert aws.count()["cloudformation:CreateChangeSet"] == 1


def test_the_plan_prices_only_what_it_can_estimate(bench: Bench, archive: str) -> None:
    bench.up("--image-archive", archive, "--plan", "--schedule", "cron(0 10 * * ? *)")
    assert "(757 B in ECR, and the schedule by its runs)" in " ".join(bench.console.text.split())


def test_a_refused_change_set_leaves_nothing(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.cloudformation.refused["CHANGE_SET", ""] = "Transform or hook failed: no stacks on Fridays"
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert text.startswith("CloudFormation refuses the change set of stack ecr-probe: Transform or hook failed")
    assert aws.left() == {}


def test_a_failed_update_is_reported_and_the_stack_stays_as_it_was(
    bench: Bench, aws: DeployedAws, archive: str
) -> None:
    bench.up("--image-archive", archive, "--yes")
    before = deployed(aws)
    aws.cloudformation.refused["CREATE", "AWS::Scheduler::Schedule"] = "no schedules here"
    text = refusal(bench, "--yes", "--schedule", "rate(1 day)")
    assert text.startswith("schedule Schedule: no schedules here; stack ecr-probe is UPDATE_ROLLBACK_COMPLETE")
    assert deployed(aws) == before


def test_a_stack_in_progress_is_waited_for(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    aws.cloudformation.delete_stack({"StackName": "ecr-probe"})
    bench.workers.time += 2
    aws.repositories.clear()
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert "stack ecr-probe is DELETE_IN_PROGRESS; waiting until it is done" in bench.console.text


def test_a_stack_whose_rollback_failed_needs_its_operator(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    aws.cloudformation.stacks[0].status = "UPDATE_ROLLBACK_FAILED"
    assert "aws cloudformation continue-update-rollback --region eu-west-1 --stack-name" in refusal(bench, "--yes")


def test_a_change_set_of_others_is_not_taken_over(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.errors = lambda name, _: stop_at(bench, name, "cloudformation:DescribeChangeSet")
    assert bench.up("--image-archive", archive, "--yes") == 3
    bench.stop.clear()
    aws.errors = lambda *_: None
    (stack,) = aws.cloudformation.stacks
    assert stack.status == "REVIEW_IN_PROGRESS"
    stack.change_sets["theirs"] = {}
    assert "was not created by ecr-probe up" in refusal(bench, "--image-archive", archive, "--yes")
    aws.log_groups.add("/ecs/ecr-probe")  # also theirs, but the stack is named first
    assert "was not created by ecr-probe up" in refusal(bench, "--image-archive", archive, "--yes")
    aws.log_groups.clear()
    del stack.change_sets["theirs"]
    assert bench.up("--image-archive", archive, "--yes") == 0


def test_a_denial_of_the_check_names_the_same_policy(bench: Bench, aws: DeployedAws, archive: str) -> None:
    sentence = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: iam:PassRole on resource: x"
    aws.errors = lambda name, _: Error("AccessDeniedException", sentence) if name == "ecs:RunTask" else None
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert "iam:PassRole is not allowed to these credentials; task-definitions/iam/operator-up.json allows it" in text
    assert "ecr-probe down" in text


@pytest.mark.parametrize(
    "action",
    ["sts:GetCallerIdentity", "cloudformation:DescribeStacks", "ecr:DescribeRepositories", "ec2:DescribeVpcs"],
)
def test_a_denied_read_names_the_policy_and_changes_nothing(
    bench: Bench, aws: DeployedAws, archive: str, action: str
) -> None:
    sentence = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: {action} on resource: *"
    aws.errors = lambda name, _: Error("AccessDeniedException", sentence, 403) if name == action else None
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert text.startswith(f"{action} is not allowed to these credentials: ")
    assert f"task-definitions/iam/operator-up.json allows {action}" in text
    assert aws.mutations() == []


@pytest.mark.parametrize(
    "action",
    [
        "cloudformation:CreateChangeSet",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:DeleteStack",
        "ecr:BatchDeleteImage",
        "ecr:DeleteRepository",
        "ecs:RunTask",
    ],
)
def test_a_lost_reply_is_no_failure(bench: Bench, aws: DeployedAws, archive: str, action: str) -> None:
    aws.errors = lambda name, nth: Silence() if (name, nth) == (action, 1) else None
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert bench.down("--yes") == 0
    assert (aws.left(), bench.fleets[0].status) == ({}, Status.PASS)


def test_a_throttled_call_is_reported_once_and_tried_again(bench: Bench, aws: DeployedAws, archive: str) -> None:
    throttled = Error("Throttling", "Rate exceeded")
    aws.errors = lambda name, nth: throttled if name == "cloudformation:DescribeStacks" and nth < 4 else None
    assert bench.up("--image-archive", archive, "--yes") == 0
    line = "ecr-probe: cloudformation:DescribeStacks: Throttling: Rate exceeded; trying again"
    assert bench.console.lines.count(line) == 1


# ---- once ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
def test_once_removes_everything_after_the_verdict(bench: Bench, aws: DeployedAws, archive: str, fails: bool) -> None:
    aws.lives = lambda *_: Life.fails() if fails else Life()
    assert bench.up("--image-archive", archive, "--once", "--yes") == int(fails)
    assert (len(bench.fleets), aws.left()) == (1, {})


def test_once_also_removes_what_a_failure_leaves(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.cloudformation.refused["CREATE", "AWS::ECS::TaskDefinition"] = "no"
    assert bench.up("--image-archive", archive, "--once", "--yes") == 2
    assert aws.left() == {}
    assert "task definition SmokeTaskDefinition: no" in bench.console.text


# ---- changes by others -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", ["log group /ecs/ecr-probe", "task definition ecr-probe-smoke:1"])
def test_a_resource_that_was_removed_by_hand_is_named(
    bench: Bench, aws: DeployedAws, archive: str, resource: str
) -> None:
    bench.up("--image-archive", archive, "--yes")
    if resource.startswith("log"):
        aws.log_groups.clear()
    else:
        aws.definitions["ecr-probe-smoke"]["status"] = "INACTIVE"
    text = refusal(bench, "--image-archive", archive, "--yes")
    assert text.startswith(f"{resource} of stack ecr-probe was removed by hand")
    assert text.endswith(f"ecr-probe down --region {REGION} removes the stack, and then up creates it again")


def test_parameters_without_a_flag_keep_their_values(bench: Bench, aws: DeployedAws, archive: str) -> None:
    up = ("--image-archive", archive, "--yes")
    bench.up(*up, "--schedule", "rate(1 hour)")
    by_others = {"LogRetentionDays": "365", "ScheduleState": "DISABLED"}
    deployed(aws).update(by_others)
    aws.cloudformation.stacks[0].tags["ecr-probe"] = "0.0.9"  # so that there is a change
    assert bench.up(*up) == 0
    assert deployed(aws).items() >= by_others.items()
    bench.up(*up, "--schedule", "rate(2 hours)")
    assert deployed(aws)["ScheduleState"] == "ENABLED"
    assert set(WITHOUT_FLAGS) <= set(decoded(template())["Parameters"])


def test_an_external_service_without_a_task_set_is_refused(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.services["shop"] = service(taskDefinition=None, networkConfiguration=None)
    assert "it has no task set yet" in refusal(bench, "--image-archive", archive, "--yes")


@pytest.mark.parametrize("place", ["RunTask", "task"])
def test_new_roles_are_waited_for(bench: Bench, aws: DeployedAws, archive: str, place: str) -> None:
    """But not for ever, and not those that exist."""
    text = f"ECS was unable to assume the role 'arn:aws:iam::{ACCOUNT}:role/x' that was provided for this task."
    known_at = 20.0

    def is_unknown() -> bool:
        began = next((when for when, action, _ in aws.calls if action == "ecs:RunTask"), aws.now())
        return aws.now() < began + known_at

    if place == "RunTask":
        aws.errors = lambda name, _: Error("ClientException", text) if name == "ecs:RunTask" and is_unknown() else None
    else:
        aws.lives = lambda *_: Life.never_runs(text, pending=2) if is_unknown() else Life()
    assert bench.up("--image-archive", archive, "--yes") == 0
    known_at = 1e9
    if place == "RunTask":
        assert "unable to assume" in refusal(bench, "--yes")
    else:
        assert bench.up("--yes") != 0


# ---- logins of ECR ---------------------------------------------------------------------------------------------------


def test_an_image_in_ecr_is_read_with_the_credentials_or_with_dockers(
    bench: Bench, aws: DeployedAws, tmp_path: Path
) -> None:
    host = "210987654321.dkr.ecr.us-west-2.amazonaws.com"
    account, workers = FakeAccount(aws), bench.workers
    login = source_login(f"{host}/team/probe:1", Calls(account, workers, deadline=workers.now() + 60), {})
    assert login is not None
    assert login() == Login(user="AWS", password=TOKEN)
    secret = base64.b64encode(b"me:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": secret}}}))
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    login = source_login(f"{host}/team/probe:1", Calls(account, workers, deadline=workers.now() + 60), environ)
    assert login is not None
    assert login() == Login(user="me", password="secret")
    calls = Calls(account, workers, deadline=workers.now() + 60)
    assert [source_login(text, calls, {}) for text in ("busybox", "public.ecr.aws/x/y", "UPPER:")] == [None] * 3
