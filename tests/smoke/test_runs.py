"""What is reported for a task, however ECS, Fargate or CloudWatch Logs may fail."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from probe.config.flags import UsageError
from probe.fleet import Fleet, Source, SubnetRun
from probe.model import Status
from probe.smoke.outcome import LONGEST_EVENT, read_log
from probe.smoke.subnets import LOG_DELAYS
from tests.report import fleets, made
from tests.smoke.aws import FAILING, Aws, Error, Failures, Life, Silence, document, subnet
from tests.smoke.runs import Bench, subnets

EARLY = ("PROVISIONING", "PENDING")
CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"


def only(fleet: Fleet) -> SubnetRun:
    (run,) = fleet.runs
    return run


def summary(fleet: Fleet) -> tuple[Status, int, str | None]:
    return fleet.status, fleet.exit_code, only(fleet).words


# ---- document, exit code and stopped reason --------------------------------------------------------------------------


def test_the_probes_document_is_the_verdict(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda where, _: Life.fails() if where == subnet(1) else Life()
    fleet = bench.in_subnets(3)
    assert (fleet.status, fleet.exit_code) == (Status.FAIL, 1)
    assert [(run.subnet, run.zone, run.status) for run in fleet.runs] == [
        (subnet(0), "eu-west-1a", Status.PASS),
        (subnet(1), "eu-west-1b", Status.FAIL),
        (subnet(2), "eu-west-1c", Status.PASS),
    ]
    assert {run.source for run in fleet.runs} == {Source.PROBE}
    assert fleet.runs[1].verdict == FAILING
    assert fleet.notes == ()
    assert aws.running() == []


def test_one_task_with_our_name_and_tags_runs_in_each_subnet(bench: Bench, aws: Aws) -> None:
    bench.in_subnets(3)
    requests = aws.requests("ecs:RunTask")
    assert [Aws._subnet(request) for request in requests] == [subnet(0), subnet(1), subnet(2)]
    assert len({request["clientToken"] for request in requests}) == 3
    (name,) = {request["startedBy"] for request in requests}
    assert name.startswith("ecr-probe/")
    assert all(
        request["count"] == 1 and request["tags"][0] == {"key": "application", "value": "ecr-probe"}
        for request in requests
    )
    assert requests[0]["taskDefinition"].endswith("ecr-probe-smoke:7")  # the revision that was looked at


def test_a_document_is_found_among_other_lines(bench: Bench, aws: Aws) -> None:
    lines = ('{"message": "hello"}', "ecr-probe: --image: something", document(), '{"level": "info"}', "bye {")
    aws.lives = lambda *_: Life(lines=lines)
    assert only(bench.in_subnets(1)).source is Source.PROBE


def test_a_document_is_read_in_the_region_of_the_log_group(bench: Bench, aws: Aws) -> None:
    container = aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]
    container["logConfiguration"]["options"]["awslogs-region"] = "eu-central-1"
    assert only(bench.in_subnets(1)).source is Source.PROBE
    assert {region for action, region in aws.regions if action == "logs:GetLogEvents"} == {"eu-central-1"}
    assert {region for action, region in aws.regions if action == "ecs:RunTask"} == {"eu-west-1"}


def test_a_line_longer_than_a_log_event_is_ignored(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(lines=(document() + " " * LONGEST_EVENT,))
    assert only(bench.in_subnets(1)).source is Source.EXIT_CODE


@pytest.mark.parametrize("odd", ["{" * 100_000, "{}", '{"schema_version": "1"}'])
def test_other_json_lines_are_ignored(bench: Bench, aws: Aws, odd: str) -> None:
    aws.lives = lambda *_: Life(lines=(odd,))
    run = only(bench.in_subnets(1))
    assert (run.status, run.source) == (Status.PASS, Source.EXIT_CODE)
    assert "its JSON verdict was not found in CloudWatch Logs" in str(run.words)


def test_a_line_with_half_a_surrogate_pair_is_ignored() -> None:
    """JSON can contain it."""
    assert read_log([{"message": '{"schema_version": 1, "x": "\ud800"}'}]).why_no_document.startswith(
        "its JSON verdict was not found"
    )


def test_a_late_document_is_read(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(late=8.0)
    assert only(bench.in_subnets(1)).source is Source.PROBE


@pytest.mark.parametrize(
    ("code", "status", "exit_code"),
    [(0, Status.PASS, 0), (1, Status.FAIL, 1), (3, Status.INCONCLUSIVE, 3), (137, Status.INCONCLUSIVE, 3)],
)
def test_without_a_document_the_exit_code_decides(
    bench: Bench, aws: Aws, code: int, status: Status, exit_code: int
) -> None:
    aws.lives = lambda *_: Life(exit_code=code, lines=(), own_reason="OutOfMemoryError: killed" if code > 3 else None)
    fleet = bench.in_subnets(1)
    assert (fleet.status, fleet.exit_code, only(fleet).source) == (status, exit_code, Source.EXIT_CODE)
    assert f"exit code {code}" in str(only(fleet).words)
    assert ("OutOfMemoryError" in str(only(fleet).words)) == (code > 3)
    assert aws.count()["logs:GetLogEvents"] == 1 + len(LOG_DELAYS)


def test_the_probes_refusal_of_its_settings_is_quoted(bench: Bench, aws: Aws) -> None:
    refusal = "ecr-probe: --vpc-cidr (ECR_PROBE_VPC_CIDR): '10.0.0.0' has no prefix length such as /16"
    aws.lives = lambda *_: Life(exit_code=2, lines=(refusal,))
    status, code, text = summary(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert text == f"the probe rejected its settings: {refusal.removeprefix('ecr-probe: ')}"
    assert aws.count()["logs:GetLogEvents"] == 1


def test_a_container_that_never_ran_does_not_pass(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.never_runs("some new text")
    status, code, text = summary(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "never ran: some new text" in str(text)


def test_a_stopped_reason_is_explained(bench: Bench, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(text: str, **_: object) -> object:
        read.append(text)
        return FAILING

    monkeypatch.setattr("probe.smoke.subnets.explain_text", reading)
    aws.lives = lambda *_: Life.never_runs("ResourceInitializationError: dial tcp 10.0.1.10:443: i/o timeout")
    run = only(bench.in_subnets(1))
    assert (run.status, run.source, run.verdict) == (Status.FAIL, Source.STOPPED_REASON, FAILING)
    assert read == ["ResourceInitializationError: dial tcp 10.0.1.10:443: i/o timeout"]


def test_a_stopped_reason_is_never_a_pass(bench: Bench, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probe.smoke.subnets.explain_text", lambda _text, **_: made.verdict())
    aws.lives = lambda *_: Life.never_runs("any reason")
    assert bench.in_subnets(1).exit_code == 3


def test_a_missing_exit_code_is_not_0(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(exit_code=None, lines=())
    assert bench.in_subnets(1).exit_code == 3


def test_only_the_probes_container_counts(bench: Bench, aws: Aws) -> None:
    others = (
        {"name": "aws-guardduty-agent-f9ac2b", "lastStatus": "STOPPED", "reason": "CannotPullContainerError"},
        {"name": "log-router", "lastStatus": "STOPPED", "exitCode": 137},
    )
    aws.lives = lambda *_: Life(others=others)
    assert bench.in_subnets(1).exit_code == 0


def test_the_exit_code_of_a_running_container_is_ignored(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.fails(pending=40.0)
    describe = aws._describe
    aws._describe = lambda task: {  # type: ignore[method-assign]
        **(description := describe(task)),
        "containers": [{"exitCode": 0, **container} for container in description["containers"]],
    }
    assert bench.in_subnets(1).exit_code == 1


def test_a_pass_with_a_different_exit_code_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(exit_code=137, own_reason="OutOfMemoryError: Container killed due to memory usage")
    status, code, text = summary(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "its verdict is pass, but" in str(text)
    assert "137 (OutOfMemoryError" in str(text)


def test_a_document_of_a_newer_schema_is_reported_and_not_read(bench: Bench, aws: Aws) -> None:
    newer = msgspec.json.encode({**msgspec.to_builtins(made.verdict()), "schema_version": 2}).decode()
    aws.lives = lambda *_: Life(lines=(newer,))
    run = only(bench.in_subnets(1))
    assert (run.status, run.source) == (Status.PASS, Source.EXIT_CODE)
    assert "schema_version 2" in str(run.words)
    assert aws.count()["logs:GetLogEvents"] == 1


def test_a_document_of_an_older_version_is_judged_again(bench: Bench, aws: Aws) -> None:
    older = msgspec.to_builtins(made.verdict())
    del older["endpoints"]
    aws.lives = lambda *_: Life(lines=(msgspec.json.encode(older).decode(),), exit_code=0)
    run = only(bench.in_subnets(1))
    assert run.source is Source.PROBE
    assert run.verdict is not None
    assert run.verdict.endpoints


def test_strict_is_passed_to_the_check(bench: Bench, aws: Aws) -> None:
    degraded = msgspec.structs.replace(fleets.degraded(), exit_code=1)
    aws.lives = lambda *_: Life(exit_code=1, lines=(document(degraded),))
    fleet = bench.in_subnets(1, "--strict")
    assert (fleet.status, fleet.exit_code) == (Status.DEGRADED, 1)
    (override,) = aws.requests("ecs:RunTask")[0]["overrides"]["containerOverrides"]
    assert {"name": "ECR_PROBE_STRICT", "value": "true"} in override["environment"]


# ---- no place for a task ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasons", "meaning"),
    [
        (("RESOURCE:ENI",), "no instance here has a network interface left (RESOURCE:ENI)"),
        (("RESOURCE:MEMORY",), "no instance here has enough capacity left (RESOURCE:MEMORY)"),
        (("AGENT",), "the ECS agent of the instance is not connected (AGENT)"),
        ((CAPACITY,), CAPACITY),
        (
            ("MemberOf placement constraint unsatisfied.", "RESOURCE:CPU"),
            "no instance here has enough capacity left (RESOURCE:CPU)",
        ),
        (("You've reached the limit on the number of vCPUs you can run concurrently",), "reached the limit"),
    ],
)
def test_a_lack_of_capacity_is_retried_and_then_inconclusive(
    bench: Bench, aws: Aws, reasons: tuple[str, ...], meaning: str
) -> None:
    aws.lives = lambda *_: Failures(reasons)
    fleet = bench.in_subnets(1, "--timeout", "120")
    status, code, text = summary(fleet)
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "no task could be started: " in str(text)
    assert meaning in str(text)
    assert "--timeout (120 s) expired" in str(text)
    attempts = aws.instants("ecs:RunTask")
    assert 5 <= len(attempts) <= 8
    pauses = [after - before for before, after in pairwise(attempts)]
    assert pauses[-1] > 4 * pauses[0]
    assert bench.workers.time < 1125


@pytest.mark.parametrize("reason", [CAPACITY, "ContainerRuntimeTimeoutError: Could not transition to running"])
def test_a_temporary_reason_that_stays_is_reported(bench: Bench, aws: Aws, reason: str) -> None:
    """The tasks are accepted, and end before they run: when the time is over there may be none."""
    aws.lives = lambda *_: Life.never_runs(reason, pending=2.0)
    status, code, text = summary(bench.in_subnets(1, "--timeout", "120"))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    expired, why = "--timeout (120 s) expired", f"no task could be started: {reason}"
    assert str(text) in (
        f"{why}; {expired}",
        *(f"its task was still {status} when {expired}; before that {why}" for status in EARLY),
    )
    pauses = [after - before for before, after in pairwise(aws.instants("ecs:RunTask"))]
    assert pauses[-1] > 3 * pauses[0]


def test_capacity_that_returns_is_used(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda _, nth: Failures((CAPACITY,)) if nth < 3 else Life()
    assert bench.in_subnets(1).exit_code == 0
    assert len({request["clientToken"] for request in aws.requests("ecs:RunTask")}) == 3


@pytest.mark.parametrize("reason", ["ATTRIBUTE", "MemberOf placement constraint unsatisfied.", "LOCATION"])
def test_a_subnet_without_an_instance_is_inconclusive_without_retries(bench: Bench, aws: Aws, reason: str) -> None:
    aws.lives = lambda *_: Failures((reason,))
    status, code, text = summary(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert text == f"no task could be started: there is no container instance in this subnet ({reason})"
    assert aws.count()["ecs:RunTask"] == 1


def test_a_cluster_without_instances_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Error("InvalidParameterException", "No Container Instances were found in your cluster.")
    fleet = bench.in_subnets(2)
    assert [run.status for run in fleet.runs] == [Status.INCONCLUSIVE] * 2
    assert "there is no container instance" in str(fleet.runs[0].words)


@pytest.mark.parametrize(
    "reason",
    [
        "Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddressesInSubnet",
        "TaskFailedToStart: EMPTY CAPACITY PROVIDER",
    ],
)
def test_a_task_without_a_place_is_inconclusive(bench: Bench, aws: Aws, reason: str) -> None:
    aws.lives = lambda *_: Life.never_runs(reason)
    status, code, text = summary(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "no task could be started: " in str(text)
    assert aws.count()["ecs:RunTask"] == 1


def test_a_task_without_a_place_is_inconclusive_even_if_the_reason_explains_as_a_fault(
    bench: Bench, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probe.smoke.subnets.explain_text", lambda _text, **_: FAILING)
    aws.lives = lambda *_: Life.never_runs("TaskFailedToStart: EMPTY CAPACITY PROVIDER")
    assert bench.in_subnets(1).exit_code == 3


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (CAPACITY, "TaskFailedToStart"),
        ("Rate limit exceeded while attempting to Create Network Interface in subnet x", "TaskFailedToStart"),
        ("Timeout waiting for network interface provisioning to complete.", "TaskFailedToStart"),
        ("TaskFailedToStart: RESOURCE:GPU", "TaskFailedToStart"),
        ("InternalError: failed to create container model", "TaskFailedToStart"),
        (
            "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m",
            "TaskFailedToStart",
        ),
        ("Your Spot Task was interrupted.", "SpotInterruption"),
    ],
)
def test_a_temporary_stopped_reason_is_retried_with_a_new_task(bench: Bench, aws: Aws, reason: str, code: str) -> None:
    aws.lives = lambda _, nth: Life.never_runs(reason, code) if nth == 1 else Life()
    fleet = bench.in_subnets(1)
    assert (fleet.exit_code, only(fleet).tries) == (0, 2)


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "ACTIVATING", "DEPROVISIONING"])
def test_a_task_that_hangs_is_stopped_at_the_timeout(bench: Bench, aws: Aws, status: str) -> None:
    aws.lives = lambda where, _: Life(hangs_in=status) if where == subnet(1) else Life()
    fleet = bench.in_subnets(2, "--timeout", "90")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert fleet.runs[1].words == f"its task was still {status} when --timeout (90 s) expired"
    assert aws.running() == []
    assert "1 task was stopped" in fleet.notes
    assert len(aws.requests("ecs:StopTask")) == 1
    assert bench.workers.time < 1095


def test_a_task_stopped_by_a_user_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.never_runs("Task stopped by user", "UserInitiated")
    assert "the task was stopped: Task stopped by user" in str(summary(bench.in_subnets(1))[2])


def test_describe_tasks_may_not_know_a_new_task(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(unknown=12.0)
    assert bench.in_subnets(1).exit_code == 0


def test_describe_tasks_may_not_know_a_new_task_after_many_launches(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, nth: TEMPORARY[0] if name == "ecs:RunTask" and nth <= 7 else None
    aws.lives = lambda *_: Life(unknown=12.0)
    assert bench.in_subnets(1).exit_code == 0


def test_a_task_that_stays_unknown_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(unknown=1e6)
    assert summary(bench.in_subnets(1))[2] == "ECS does not know the task that it started"


def test_a_task_that_outlives_its_check_is_stopped(bench: Bench, aws: Aws) -> None:
    aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]["essential"] = False
    aws.lives = lambda *_: Life(goes_on=True)
    fleet = bench.in_subnets(2)
    assert fleet.exit_code == 0
    assert aws.running() == []
    assert aws.count()["ecs:StopTask"] == 2


def test_a_stop_that_failed_is_repeated_at_the_end(bench: Bench, aws: Aws) -> None:
    """Also when the subnet had another try in the meantime."""
    aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]["essential"] = False
    aws.lives = lambda _, nth: Life.fails(goes_on=True) if nth == 1 else Life(goes_on=True)
    aws.errors = lambda name, nth: TEMPORARY[0] if name == "ecs:StopTask" and nth == 1 else None
    fleet = bench.in_subnets(1, "--wait-until-pass", "300")
    assert (fleet.exit_code, only(fleet).tries) == (0, 2)
    assert aws.running() == []
    assert "1 task was stopped" in fleet.notes


# ---- temporary errors ------------------------------------------------------------------------------------------------

BEHIND = "Request limit exceeded. (ErrorCode: RequestLimitExceeded)"
TEMPORARY = (
    Error("ThrottlingException", "Rate exceeded"),
    Error("ServerException", "Service Unavailable. Please try again later.", 500),
    Error("InvalidParameterException", f"Error retrieving information for [sg-0]: {BEHIND}"),
    Silence(),
)


@pytest.mark.parametrize("error", TEMPORARY, ids=lambda error: getattr(error, "code", "silence"))
@pytest.mark.parametrize(
    "action",
    ["ecs:DescribeTaskDefinition", "ecs:DescribeServices", "ecs:RunTask", "ecs:DescribeTasks", "logs:GetLogEvents"],
)
def test_temporary_errors_are_retried(bench: Bench, aws: Aws, action: str, error: Error | Silence) -> None:
    aws.errors = lambda name, nth: error if name == action and nth <= 2 else None
    fleet = bench.smoke("--service", "shop")
    assert (fleet.status, {run.source for run in fleet.runs}) == (Status.PASS, {Source.PROBE})
    assert len(aws.tasks) == 3  # none was started twice
    assert aws.running() == []


def test_a_launch_without_a_reply_is_repeated_with_the_same_token(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, nth: Silence() if name == "ecs:RunTask" and nth <= 2 else None
    assert bench.in_subnets(1).exit_code == 0
    assert len({request["clientToken"] for request in aws.requests("ecs:RunTask")}) == 1
    assert len(aws.tasks) == 1


def test_a_task_that_may_have_started_is_found_and_stopped(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: Silence() if name == "ecs:RunTask" else None
    fleet = bench.in_subnets(1, "--timeout", "30")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert "did not answer" in str(only(fleet).words)
    assert "1 task was stopped" in fleet.notes
    assert aws.running() == []


def test_persistent_throttling_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: Error("ThrottlingException", "Rate exceeded") if name == "ecs:RunTask" else None
    fleet = bench.in_subnets(2, "--timeout", "60")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert "ThrottlingException" in str(fleet.runs[0].words)
    assert aws.tasks == {}


def test_an_unavailable_api_gives_a_document(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda *_: Error("ServerException", "", 500)
    fleet = bench.in_subnets(2, "--timeout", "60")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert [run.words for run in fleet.runs] == ["no task was started before --timeout (60 s) expired"] * 2
    assert any("ecs:DescribeTaskDefinition: ServerException" in note for note in fleet.notes)
    fleet = bench.smoke("--service", "shop", "--timeout", "60")
    assert (fleet.runs, fleet.status, fleet.exit_code) == ((), Status.INCONCLUSIVE, 3)


# ---- optional permissions --------------------------------------------------------------------------------------------

DENIED = Error(
    "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/ci/1 is not authorized to perform: X"
)


def test_without_permission_for_logs_one_note_says_that_exit_codes_decide(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: DENIED if name == "logs:GetLogEvents" else None
    aws.lives = lambda where, _: Life.fails() if where == subnet(1) else Life()
    fleet = bench.in_subnets(3)
    assert [run.status for run in fleet.runs] == [Status.PASS, Status.FAIL, Status.PASS]
    (note,) = fleet.notes
    assert "verdicts are exit codes" in note
    assert "task-definitions/iam/operator-smoke.json" in note


def test_without_permission_for_subnets_the_zones_are_the_tasks(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: Error("UnauthorizedOperation", "", 403) if name == "ec2:DescribeSubnets" else None
    fleet = bench.in_subnets(2)
    assert [run.zone for run in fleet.runs] == ["eu-west-1a", "eu-west-1b"]
    (note,) = fleet.notes
    assert "zones are those of the tasks" in note
    assert "ec2:DescribeSubnets is not allowed" in note


# ---- --wait-until-pass and --expect ----------------------------------------------------------------------------------


def test_a_failing_subnet_is_tried_until_it_passes(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda where, nth: Life.fails() if where == subnet(1) and nth < 4 else Life()
    fleet = bench.in_subnets(3, "--wait-until-pass", "400")
    assert (fleet.exit_code, [run.tries for run in fleet.runs]) == (0, [1, 4, 1])
    assert len(bench.progress.retried_runs) == 3
    assert aws.count()["ecs:RunTask"] == 6


def test_when_time_runs_out_the_last_result_remains(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.fails()
    fleet = bench.in_subnets(1, "--wait-until-pass", "120")
    assert (fleet.status, fleet.exit_code) == (Status.FAIL, 1)
    assert only(fleet).tries == 3
    assert bench.workers.time < 1000 + 120 + 40
    assert aws.running() == []


def test_an_unfinished_last_try_leaves_the_result_before_it(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda _, nth: Life.fails() if nth == 1 else Life(hangs_in="PENDING")
    fleet = bench.in_subnets(1, "--wait-until-pass", "100", "--timeout", "110")
    assert (fleet.status, only(fleet).verdict) == (Status.FAIL, FAILING)
    assert aws.running() == []


@pytest.mark.parametrize(
    ("lives", "expected", "code"),
    [
        ((Life.fails(), Life.fails()), ("fail:tcp.silent",), 0),
        ((Life.fails(), Life()), ("fail:tcp.silent",), 1),
        ((Life.fails(), Life.fails()), ("fail:dns.public-answer",), 1),
        ((Life.fails(), Life()), (f"fail:tcp.silent@{subnet(0)}",), 0),
        ((Life(), Life.fails()), (f"fail:tcp.silent@{subnet(0)}",), 1),
        ((Life.fails(), Life(exit_code=1, lines=())), ("fail:tcp.silent",), 3),
        ((Life.fails(), Life(exit_code=137, lines=())), ("fail:tcp.silent",), 3),
    ],
)
def test_a_drill_passes_if_the_expected_subnets_fail(
    bench: Bench, aws: Aws, lives: tuple[Life, Life], expected: tuple[str, ...], code: int
) -> None:
    aws.lives = lambda where, _: lives[0 if where == subnet(0) else 1]
    fleet = bench.in_subnets(2, *(argument for code in expected for argument in ("--expect", code)))
    assert fleet.exit_code == code
    assert fleet.expected


# ---- interruptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3, 0.6, 2.0, 12.0, 25.0, 31.0])
def test_an_interruption_stops_every_task_and_is_reported(bench: Bench, aws: Aws, after: float) -> None:
    """Before the first reply, while RunTask is in flight, while tasks are pending and running, while logs are read."""

    def interrupt(now: float) -> None:
        if now >= 1000 + after:
            bench.stop.set()

    bench.workers.on_tick = interrupt
    fleet = bench.in_subnets(30)
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert len(fleet.runs) == 30
    assert any("not complete: the run was interrupted" in note for note in fleet.notes)
    assert aws.running() == []
    started = len(aws.tasks)
    assert (started > 0) == (after >= 0.6)
    if started and after < 30:
        assert any(f"{started} task{'s were' if started > 1 else ' was'} stopped" in note for note in fleet.notes)


def test_an_interruption_keeps_the_faults_that_were_found(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda where, _: Life.fails() if where == subnet(0) else Life(hangs_in="PENDING")
    bench.workers.on_tick = lambda now: bench.stop.set() if now > 1060 else None
    fleet = bench.in_subnets(2)
    assert (fleet.status, fleet.exit_code) == (Status.FAIL, 1)
    assert aws.running() == []


@pytest.mark.parametrize("error", [*TEMPORARY, DENIED], ids=lambda error: getattr(error, "code", "silence"))
def test_an_error_that_arrives_after_the_interruption_leaves_no_task(
    bench: Bench, aws: Aws, error: Error | Silence
) -> None:
    """DescribeTasks is in flight when the signal arrives, and its reply ends a run."""

    def interrupt(name: str, _nth: int) -> Error | Silence | None:
        if name == "ecs:DescribeTasks":
            bench.stop.set()
            return error
        return None

    aws.lives = lambda *_: Life(hangs_in="PENDING")
    aws.errors = interrupt
    assert "3 tasks were stopped" in bench.in_subnets(3).notes
    assert aws.running() == []


def test_a_task_that_cannot_be_stopped_is_named(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(hangs_in="PENDING")
    aws.errors = lambda name, _: DENIED if name == "ecs:StopTask" else None
    fleet = bench.in_subnets(1, "--timeout", "30")
    (arn,) = aws.tasks
    assert any(note.startswith(f"{arn} was not stopped") for note in fleet.notes)


# ---- refusals --------------------------------------------------------------------------------------------------------


STRANGER = "subnet-0ffffffffffffffff"


def refused(bench: Bench, *arguments: str) -> str:
    with pytest.raises(UsageError) as refusal:
        bench.smoke(*arguments)
    text = str(refusal.value)
    assert "\n" not in text
    assert bench.aws.running() == []
    return text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*subnets(1), "--cluster", "nowhere"), "--cluster (ECR_PROBE_CLUSTER): 'nowhere' is not a cluster"),
        (("--service", "unknown"), "--service (ECR_PROBE_SERVICE): 'unknown' is not in cluster main in eu-west-1"),
        (("--service", "shop", "--cluster", "nowhere"), "--cluster (ECR_PROBE_CLUSTER): 'nowhere' is not a cluster"),
        ((*subnets(1), "--task-definition", "nothing:3"), "'nothing:3' is not registered in eu-west-1"),
        ((*subnets(1), "--task-definition", "shop"), "no container runs an image ecr-probe"),
        ((*subnets(1), "--container", "app"), "--container (ECR_PROBE_CONTAINER): 'app' is not in the task definition"),
        (("--subnets", STRANGER, "--security-groups", "sg-0a1b2c3d"), f"{STRANGER} does not exist in eu-west-1"),
        (("--subnets", subnet(0)), "--security-groups (ECR_PROBE_SECURITY_GROUPS): without it"),
        (("--service", "shop", "--subnets", subnet(9)), f"{subnet(9)} is not one of the service's"),
        (("--service", "shop", "--expect", f"fail:tcp.silent@{subnet(9)}"), f"{subnet(9)} is not one of the subnets"),
    ],
)  # fmt: skip
def test_unknown_names_are_refused_before_a_task_starts(
    bench: Bench, arguments: tuple[str, ...], complaint: str
) -> None:
    assert complaint in refused(bench, *arguments)
    assert bench.aws.tasks == {}


@pytest.mark.parametrize(
    ("action", "sentence", "named"),
    [
        ("ecs:RunTask", "is not authorized to perform: ecs:RunTask on resource: arn", "ecs:RunTask"),
        ("ecs:RunTask", "is not authorized to perform: iam:PassRole on resource: arn", "iam:PassRole"),
        ("ecs:RunTask", "is not authorized to perform: ecs:TagResource on resource: arn", "ecs:TagResource"),
        ("ecs:DescribeTaskDefinition", "no sentence", "ecs:DescribeTaskDefinition"),
        ("ecs:DescribeServices", "is not authorized to perform: ecs:DescribeServices", "ecs:DescribeServices"),
    ],
)
def test_a_missing_permission_is_named_with_the_policy_that_grants_it(
    bench: Bench, action: str, sentence: str, named: str
) -> None:
    bench.aws.errors = lambda name, _: Error("AccessDeniedException", f"User: x {sentence}") if name == action else None
    text = refused(bench, "--service", "shop")
    assert text.startswith(
        f"{named} is not allowed to these credentials; task-definitions/iam/operator-smoke.json allows it"
    )
    assert bench.aws.tasks == {}
    assert bench.aws.count()["ecs:RunTask"] <= 1  # the first one goes alone


def test_an_untrusted_certificate_does_not_blame_the_task_definition(bench: Bench) -> None:
    error = Error("SSLError", "the connection's certificate is not trusted")
    bench.aws.errors = lambda name, _: error if name == "ecs:DescribeTaskDefinition" else None
    text = "ecs:DescribeTaskDefinition was refused: SSLError: the connection's certificate is not trusted"
    assert refused(bench, *subnets(1)) == text


def test_a_denial_after_launches_stops_every_task(bench: Bench) -> None:
    bench.aws.errors = lambda name, _: DENIED if name == "ecs:DescribeTasks" else None
    text = refused(bench, *subnets(5))
    assert text.startswith("X is not allowed") or "is not allowed to these credentials" in text
    assert text.endswith("5 tasks were stopped")


def test_a_subnet_that_run_task_does_not_know_stops_every_task(bench: Bench) -> None:
    bench.aws.errors = lambda name, _: (
        Error("UnauthorizedOperation", "", 403) if name == "ec2:DescribeSubnets" else None
    )
    text = refused(bench, "--subnets", f"{subnet(0)},{STRANGER}", "--security-groups", "sg-0a1b2c3d")
    assert STRANGER in text
    assert text.endswith("1 task was stopped")


def test_expired_credentials_are_reported_without_awss_sentence(bench: Bench) -> None:
    secret = "The security token FwoGZXIvYXdzEXAMPLETOKEN included in the request is expired"
    bench.aws.errors = lambda *_: Error("ExpiredTokenException", secret)
    text = refused(bench, *subnets(1))
    assert text.startswith("the AWS credentials have expired (ExpiredTokenException); --profile")
    assert "FwoG" not in text


def test_a_bug_of_ours_stops_every_task(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("probe.smoke.outcome.read_ending", wrong)
    with pytest.raises(ZeroDivisionError):
        bench.in_subnets(3)
    assert bench.aws.running() == []
    assert len(bench.aws.tasks) == 3
