"""What becomes of a task, and what is said of it: every way in which ECS, Fargate or CloudWatch Logs can disappoint."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from probe.config.flags import UsageError
from probe.fleet import Fleet, Source, SubnetRun
from probe.model import Status
from probe.smoke.outcome import LONGEST, lines
from probe.smoke.subnets import LATE
from tests.report import fleets, made
from tests.smoke.aws import FAILING, Aws, Error, Failures, Life, Silence, document, subnet
from tests.smoke.runs import Bench, subnets

EARLY = ("PROVISIONING", "PENDING")
CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"


def only(fleet: Fleet) -> SubnetRun:
    (run,) = fleet.runs
    return run


def told(fleet: Fleet) -> tuple[Status, int, str | None]:
    return fleet.status, fleet.exit_code, only(fleet).words


# ---- the document, the exit code, the reason -------------------------------------------------------------------------


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


def test_a_task_is_run_once_in_each_subnet_and_is_known_by_its_name_and_tags(bench: Bench, aws: Aws) -> None:
    bench.in_subnets(3)
    asked = aws.given_to("ecs:RunTask")
    assert [Aws._subnet(given) for given in asked] == [subnet(0), subnet(1), subnet(2)]
    assert len({given["clientToken"] for given in asked}) == 3
    (name,) = {given["startedBy"] for given in asked}
    assert name.startswith("ecr-probe/")
    assert all(
        given["count"] == 1 and given["tags"][0] == {"key": "application", "value": "ecr-probe"} for given in asked
    )
    assert asked[0]["taskDefinition"].endswith("ecr-probe-smoke:7")  # the revision that was looked at


def test_a_document_is_found_among_others_lines(bench: Bench, aws: Aws) -> None:
    lines = ('{"message": "hello"}', "ecr-probe: --image: something", document(), '{"level": "info"}', "bye {")
    aws.lives = lambda *_: Life(lines=lines)
    assert only(bench.in_subnets(1)).source is Source.PROBE


def test_a_document_is_fetched_in_the_region_to_which_the_task_logs(bench: Bench, aws: Aws) -> None:
    container = aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]
    container["logConfiguration"]["options"]["awslogs-region"] = "eu-central-1"
    assert only(bench.in_subnets(1)).source is Source.PROBE
    assert {region for action, region in aws.regions if action == "logs:GetLogEvents"} == {"eu-central-1"}
    assert {region for action, region in aws.regions if action == "ecs:RunTask"} == {"eu-west-1"}


def test_a_line_longer_than_any_log_event_is_no_document(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(lines=(document() + " " * LONGEST,))
    assert only(bench.in_subnets(1)).source is Source.EXIT_CODE


@pytest.mark.parametrize("odd", ["{" * 100_000, "{}", '{"schema_version": "1"}'])
def test_a_line_of_anything_breaks_nothing(bench: Bench, aws: Aws, odd: str) -> None:
    aws.lives = lambda *_: Life(lines=(odd,))
    run = only(bench.in_subnets(1))
    assert (run.status, run.source) == (Status.PASS, Source.EXIT_CODE)
    assert "did not arrive in CloudWatch Logs" in str(run.words)


def test_a_line_that_is_no_text_is_no_document() -> None:
    """A JSON answer can hold half of a letter."""
    assert lines([{"message": '{"schema_version": 1, "x": "\ud800"}'}]).why.startswith("its document did not arrive")


def test_a_late_document_is_waited_for(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(late=8.0)
    assert only(bench.in_subnets(1)).source is Source.PROBE


@pytest.mark.parametrize(
    ("code", "status", "exit_code"),
    [(0, Status.PASS, 0), (1, Status.FAIL, 1), (3, Status.INCONCLUSIVE, 3), (137, Status.INCONCLUSIVE, 3)],
)
def test_without_a_document_the_exit_code_speaks(
    bench: Bench, aws: Aws, code: int, status: Status, exit_code: int
) -> None:
    aws.lives = lambda *_: Life(exit_code=code, lines=(), own_reason="OutOfMemoryError: killed" if code > 3 else None)
    fleet = bench.in_subnets(1)
    assert (fleet.status, fleet.exit_code, only(fleet).source) == (status, exit_code, Source.EXIT_CODE)
    assert f"exit code {code}" in str(only(fleet).words)
    assert ("OutOfMemoryError" in str(only(fleet).words)) == (code > 3)
    assert aws.count()["logs:GetLogEvents"] == 1 + len(LATE)


def test_settings_that_the_probe_refuses_are_told_in_its_own_words(bench: Bench, aws: Aws) -> None:
    refusal = "ecr-probe: --vpc-cidr (ECR_PROBE_VPC_CIDR): '10.0.0.0' has no prefix length such as /16"
    aws.lives = lambda *_: Life(exit_code=2, lines=(refusal,))
    status, code, words = told(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert words == f"the probe refuses its settings: {refusal.removeprefix('ecr-probe: ')}"
    assert aws.count()["logs:GetLogEvents"] == 1


def test_a_container_that_never_ran_is_no_success(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.never_runs("something nobody has read before")
    status, code, words = told(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "never ran: something nobody has read before" in str(words)


def test_a_stopped_reason_is_read_by_the_rules_of_explain(
    bench: Bench, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(text: str, **_: object) -> object:
        read.append(text)
        return FAILING

    monkeypatch.setattr("probe.smoke.subnets.explain_text", reading)
    aws.lives = lambda *_: Life.never_runs("ResourceInitializationError: dial tcp 10.0.1.10:443: i/o timeout")
    run = only(bench.in_subnets(1))
    assert (run.status, run.source, run.verdict) == (Status.FAIL, Source.STOPPED_REASON, FAILING)
    assert read == ["ResourceInitializationError: dial tcp 10.0.1.10:443: i/o timeout"]


def test_words_that_sound_well_make_no_pass(bench: Bench, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probe.smoke.subnets.explain_text", lambda _text, **_: made.verdict())
    aws.lives = lambda *_: Life.never_runs("whatever")
    assert bench.in_subnets(1).exit_code == 3


def test_a_missing_exit_code_is_not_0(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(exit_code=None, lines=())
    assert bench.in_subnets(1).exit_code == 3


def test_only_our_container_is_judged(bench: Bench, aws: Aws) -> None:
    others = (
        {"name": "aws-guardduty-agent-f9ac2b", "lastStatus": "STOPPED", "reason": "CannotPullContainerError"},
        {"name": "log-router", "lastStatus": "STOPPED", "exitCode": 137},
    )
    aws.lives = lambda *_: Life(others=others)
    assert bench.in_subnets(1).exit_code == 0


def test_an_exit_code_is_believed_only_of_a_container_that_has_stopped(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.fails(pending=40.0)
    describe = aws._described
    aws._described = lambda task: {  # type: ignore[method-assign]
        **(seen := describe(task)),
        "containers": [{"exitCode": 0, **each} for each in seen["containers"]],
    }
    assert bench.in_subnets(1).exit_code == 1


def test_a_document_that_the_exit_code_contradicts_is_not_believed(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(exit_code=137, own_reason="OutOfMemoryError: Container killed due to memory usage")
    status, code, words = told(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "its document says pass, but" in str(words)
    assert "137 (OutOfMemoryError" in str(words)


def test_a_document_of_a_newer_schema_is_told_and_not_read(bench: Bench, aws: Aws) -> None:
    newer = msgspec.json.encode({**msgspec.to_builtins(made.verdict()), "schema_version": 2}).decode()
    aws.lives = lambda *_: Life(lines=(newer,))
    run = only(bench.in_subnets(1))
    assert (run.status, run.source) == (Status.PASS, Source.EXIT_CODE)
    assert "schema_version 2" in str(run.words)
    assert aws.count()["logs:GetLogEvents"] == 1


def test_a_document_that_lacks_what_we_know_is_judged_anew(bench: Bench, aws: Aws) -> None:
    older = msgspec.to_builtins(made.verdict())
    del older["endpoints"]
    aws.lives = lambda *_: Life(lines=(msgspec.json.encode(older).decode(),), exit_code=0)
    run = only(bench.in_subnets(1))
    assert run.source is Source.PROBE
    assert run.verdict is not None
    assert run.verdict.endpoints


def test_strict_reaches_the_check_so_that_its_exit_code_alone_can_tell(bench: Bench, aws: Aws) -> None:
    degraded = msgspec.structs.replace(fleets.degraded(), exit_code=1)
    aws.lives = lambda *_: Life(exit_code=1, lines=(document(degraded),))
    fleet = bench.in_subnets(1, "--strict")
    assert (fleet.status, fleet.exit_code) == (Status.DEGRADED, 1)
    (override,) = aws.given_to("ecs:RunTask")[0]["overrides"]["containerOverrides"]
    assert {"name": "ECR_PROBE_STRICT", "value": "true"} in override["environment"]


# ---- no task ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasons", "meaning"),
    [
        (("RESOURCE:ENI",), "no instance here has a network interface left (RESOURCE:ENI)"),
        (("RESOURCE:MEMORY",), "no instance here has enough left (RESOURCE:MEMORY)"),
        (("AGENT",), "the ECS agent of the instance is not connected (AGENT)"),
        ((CAPACITY,), CAPACITY),
        (
            ("MemberOf placement constraint unsatisfied.", "RESOURCE:CPU"),
            "no instance here has enough left (RESOURCE:CPU)",
        ),
        (("You've reached the limit on the number of vCPUs you can run concurrently",), "reached the limit"),
    ],
)
def test_want_of_capacity_is_waited_out_and_then_inconclusive(
    bench: Bench, aws: Aws, reasons: tuple[str, ...], meaning: str
) -> None:
    aws.lives = lambda *_: Failures(reasons)
    fleet = bench.in_subnets(1, "--timeout", "120")
    status, code, words = told(fleet)
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "no task could be started: " in str(words)
    assert meaning in str(words)
    assert "120 s of --timeout were over" in str(words)
    attempts = aws.instants("ecs:RunTask")
    assert 5 <= len(attempts) <= 8
    pauses = [after - before for before, after in pairwise(attempts)]
    assert pauses[-1] > 4 * pauses[0]
    assert bench.hands.time < 1125


@pytest.mark.parametrize("reason", [CAPACITY, "ContainerRuntimeTimeoutError: Could not transition to running"])
def test_what_should_pass_by_itself_and_does_not_is_told_as_it_is(bench: Bench, aws: Aws, reason: str) -> None:
    """The tasks are accepted, and end before they run: when the time is over there may be none."""
    aws.lives = lambda *_: Life.never_runs(reason, pending=2.0)
    status, code, words = told(bench.in_subnets(1, "--timeout", "120"))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    over, why = "when the 120 s of --timeout were over", f"no task could be started: {reason}"
    assert str(words) in (f"{why} {over}", *(f"its task was still {each} {over}; before that {why}" for each in EARLY))
    pauses = [after - before for before, after in pairwise(aws.instants("ecs:RunTask"))]
    assert pauses[-1] > 3 * pauses[0]


def test_capacity_that_comes_back_is_used(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda _, nth: Failures((CAPACITY,)) if nth < 3 else Life()
    assert bench.in_subnets(1).exit_code == 0
    assert len({given["clientToken"] for given in aws.given_to("ecs:RunTask")}) == 3


@pytest.mark.parametrize("reason", ["ATTRIBUTE", "MemberOf placement constraint unsatisfied.", "LOCATION"])
def test_a_subnet_without_an_instance_is_inconclusive_at_once(bench: Bench, aws: Aws, reason: str) -> None:
    aws.lives = lambda *_: Failures((reason,))
    status, code, words = told(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert words == f"no task could be started: there is no container instance in this subnet ({reason})"
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
def test_a_task_without_a_place_says_nothing_of_the_network(bench: Bench, aws: Aws, reason: str) -> None:
    aws.lives = lambda *_: Life.never_runs(reason)
    status, code, words = told(bench.in_subnets(1))
    assert (status, code) == (Status.INCONCLUSIVE, 3)
    assert "no task could be started: " in str(words)
    assert aws.count()["ecs:RunTask"] == 1


def test_a_task_without_a_place_says_nothing_whatever_its_words_are_like(
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
def test_what_passes_by_itself_is_tried_again_with_a_new_task(bench: Bench, aws: Aws, reason: str, code: str) -> None:
    aws.lives = lambda _, nth: Life.never_runs(reason, code) if nth == 1 else Life()
    fleet = bench.in_subnets(1)
    assert (fleet.exit_code, only(fleet).tries) == (0, 2)


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "ACTIVATING", "DEPROVISIONING"])
def test_a_task_that_hangs_is_stopped_at_the_timeout(bench: Bench, aws: Aws, status: str) -> None:
    aws.lives = lambda where, _: Life(hangs_in=status) if where == subnet(1) else Life()
    fleet = bench.in_subnets(2, "--timeout", "90")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert fleet.runs[1].words == f"its task was still {status} when the 90 s of --timeout were over"
    assert aws.running() == []
    assert "1 task was stopped" in fleet.notes
    assert len(aws.given_to("ecs:StopTask")) == 1
    assert bench.hands.time < 1095


def test_a_task_that_somebody_stops_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.never_runs("Task stopped by user", "UserInitiated")
    assert "the task was stopped: Task stopped by user" in str(told(bench.in_subnets(1))[2])


def test_a_new_task_may_be_unknown_for_a_while(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(unknown=12.0)
    assert bench.in_subnets(1).exit_code == 0


def test_a_new_task_may_be_unknown_for_a_while_also_where_it_was_long_asked_for(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, nth: TROUBLE[0] if name == "ecs:RunTask" and nth <= 7 else None
    aws.lives = lambda *_: Life(unknown=12.0)
    assert bench.in_subnets(1).exit_code == 0


def test_a_task_that_stays_unknown_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(unknown=1e6)
    assert told(bench.in_subnets(1))[2] == "ECS does not know the task that it started"


def test_a_task_that_outlives_its_check_is_stopped(bench: Bench, aws: Aws) -> None:
    aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]["essential"] = False
    aws.lives = lambda *_: Life(goes_on=True)
    fleet = bench.in_subnets(2)
    assert fleet.exit_code == 0
    assert aws.running() == []
    assert aws.count()["ecs:StopTask"] == 2


def test_a_task_that_outlives_its_check_is_stopped_at_the_end_where_it_could_not_be_before(
    bench: Bench, aws: Aws
) -> None:
    """Also where the subnet has had another try since."""
    aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]["essential"] = False
    aws.lives = lambda _, nth: Life.fails(goes_on=True) if nth == 1 else Life(goes_on=True)
    aws.errors = lambda name, nth: TROUBLE[0] if name == "ecs:StopTask" and nth == 1 else None
    fleet = bench.in_subnets(1, "--wait-until-pass", "300")
    assert (fleet.exit_code, only(fleet).tries) == (0, 2)
    assert aws.running() == []
    assert "1 task was stopped" in fleet.notes


# ---- AWS's own trouble -----------------------------------------------------------------------------------------------

BEHIND = "Request limit exceeded. (ErrorCode: RequestLimitExceeded)"
TROUBLE = (
    Error("ThrottlingException", "Rate exceeded"),
    Error("ServerException", "Service Unavailable. Please try again later.", 500),
    Error("InvalidParameterException", f"Error retrieving information for [sg-0]: {BEHIND}"),
    Silence(),
)


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda each: getattr(each, "code", "silence"))
@pytest.mark.parametrize(
    "action",
    ["ecs:DescribeTaskDefinition", "ecs:DescribeServices", "ecs:RunTask", "ecs:DescribeTasks", "logs:GetLogEvents"],
)
def test_trouble_that_passes_is_waited_out(bench: Bench, aws: Aws, action: str, trouble: Error | Silence) -> None:
    aws.errors = lambda name, nth: trouble if name == action and nth <= 2 else None
    fleet = bench.smoke("--service", "shop")
    assert (fleet.status, {run.source for run in fleet.runs}) == (Status.PASS, {Source.PROBE})
    assert len(aws.tasks) == 3  # none was started twice
    assert aws.running() == []


def test_a_launch_without_an_answer_is_repeated_by_the_same_token(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, nth: Silence() if name == "ecs:RunTask" and nth <= 2 else None
    assert bench.in_subnets(1).exit_code == 0
    assert len({given["clientToken"] for given in aws.given_to("ecs:RunTask")}) == 1
    assert len(aws.tasks) == 1


def test_what_may_have_been_started_is_looked_for_and_stopped(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: Silence() if name == "ecs:RunTask" else None
    fleet = bench.in_subnets(1, "--timeout", "30")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert "did not answer" in str(only(fleet).words)
    assert "1 task was stopped" in fleet.notes
    assert aws.running() == []


def test_throttling_to_the_end_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: Error("ThrottlingException", "Rate exceeded") if name == "ecs:RunTask" else None
    fleet = bench.in_subnets(2, "--timeout", "60")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert "ThrottlingException" in str(fleet.runs[0].words)
    assert aws.tasks == {}


def test_an_api_that_never_answers_gives_a_document(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda *_: Error("ServerException", "", 500)
    fleet = bench.in_subnets(2, "--timeout", "60")
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert [run.words for run in fleet.runs] == ["no task had been started when the 60 s of --timeout were over"] * 2
    assert any("ecs:DescribeTaskDefinition: ServerException" in note for note in fleet.notes)
    fleet = bench.smoke("--service", "shop", "--timeout", "60")
    assert (fleet.runs, fleet.status, fleet.exit_code) == ((), Status.INCONCLUSIVE, 3)


# ---- rights that one can do without ----------------------------------------------------------------------------------

DENIED = Error(
    "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/ci/1 is not authorized to perform: X"
)


def test_without_logs_the_exit_codes_remain_and_that_is_said_once(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: DENIED if name == "logs:GetLogEvents" else None
    aws.lives = lambda where, _: Life.fails() if where == subnet(1) else Life()
    fleet = bench.in_subnets(3)
    assert [run.status for run in fleet.runs] == [Status.PASS, Status.FAIL, Status.PASS]
    (note,) = fleet.notes
    assert "verdicts are exit codes" in note
    assert "task-definitions/iam/operator-smoke.json" in note


def test_without_subnets_rights_the_tasks_tell_their_zones(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda name, _: Error("UnauthorizedOperation", "", 403) if name == "ec2:DescribeSubnets" else None
    fleet = bench.in_subnets(2)
    assert [run.zone for run in fleet.runs] == ["eu-west-1a", "eu-west-1b"]
    (note,) = fleet.notes
    assert "zones are told by the tasks" in note
    assert "ec2:DescribeSubnets is not allowed" in note


# ---- again until it passes, and drills -------------------------------------------------------------------------------


def test_what_fails_is_tried_again_until_it_passes(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda where, nth: Life.fails() if where == subnet(1) and nth < 4 else Life()
    fleet = bench.in_subnets(3, "--wait-until-pass", "400")
    assert (fleet.exit_code, [run.tries for run in fleet.runs]) == (0, [1, 4, 1])
    assert len(bench.heard.repeated) == 3
    assert aws.count()["ecs:RunTask"] == 6


def test_when_the_time_is_over_the_last_answer_stands(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life.fails()
    fleet = bench.in_subnets(1, "--wait-until-pass", "120")
    assert (fleet.status, fleet.exit_code) == (Status.FAIL, 1)
    assert only(fleet).tries == 3
    assert bench.hands.time < 1000 + 120 + 40
    assert aws.running() == []


def test_a_last_try_that_is_cut_short_leaves_the_answer_before_it(bench: Bench, aws: Aws) -> None:
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
def test_a_drill_passes_where_what_was_expected_fails(
    bench: Bench, aws: Aws, lives: tuple[Life, Life], expected: tuple[str, ...], code: int
) -> None:
    aws.lives = lambda where, _: lives[0 if where == subnet(0) else 1]
    fleet = bench.in_subnets(2, *(word for each in expected for word in ("--expect", each)))
    assert fleet.exit_code == code
    assert fleet.expected


# ---- an end before the end -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3, 0.6, 2.0, 12.0, 25.0, 31.0])
def test_an_interruption_stops_what_was_started_and_says_so(bench: Bench, aws: Aws, after: float) -> None:
    """Before the first read, while RunTask is under way, while tasks are pending, running, and their logs are read."""

    def listen(now: float) -> None:
        if now >= 1000 + after:
            bench.stop.set()

    bench.hands.signal = listen
    fleet = bench.in_subnets(30)
    assert (fleet.status, fleet.exit_code) == (Status.INCONCLUSIVE, 3)
    assert len(fleet.runs) == 30
    assert any("cut short when it was interrupted" in note for note in fleet.notes)
    assert aws.running() == []
    started = len(aws.tasks)
    assert (started > 0) == (after >= 0.6)
    if started and after < 30:
        assert any(f"{started} task{'s were' if started > 1 else ' was'} stopped" in note for note in fleet.notes)


def test_an_interruption_with_an_error_standing_exits_1(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda where, _: Life.fails() if where == subnet(0) else Life(hangs_in="PENDING")
    bench.hands.signal = lambda now: bench.stop.set() if now > 1060 else None
    fleet = bench.in_subnets(2)
    assert (fleet.status, fleet.exit_code) == (Status.FAIL, 1)
    assert aws.running() == []


def test_a_task_that_cannot_be_stopped_is_named(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(hangs_in="PENDING")
    aws.errors = lambda name, _: DENIED if name == "ecs:StopTask" else None
    fleet = bench.in_subnets(1, "--timeout", "30")
    (arn,) = aws.tasks
    assert any(note.startswith(f"{arn} was not stopped") for note in fleet.notes)


# ---- nothing started -------------------------------------------------------------------------------------------------


STRANGER = "subnet-0ffffffffffffffff"


def refused(bench: Bench, *arguments: str) -> str:
    with pytest.raises(UsageError) as refusal:
        bench.smoke(*arguments)
    text = str(refusal.value)
    assert "\n" not in text
    assert bench.aws.running() == []
    return text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*subnets(1), "--cluster", "nowhere"), "--cluster (ECR_PROBE_CLUSTER): 'nowhere' is no cluster in eu-west-1"),
        (("--service", "nobody"), "--service (ECR_PROBE_SERVICE): 'nobody' is not in cluster main in eu-west-1"),
        (("--service", "shop", "--cluster", "nowhere"), "--cluster (ECR_PROBE_CLUSTER): 'nowhere' is no cluster"),
        ((*subnets(1), "--task-definition", "nothing:3"), "'nothing:3' is not registered in eu-west-1"),
        ((*subnets(1), "--task-definition", "shop"), "no container runs an image ecr-probe"),
        ((*subnets(1), "--container", "app"), "--container (ECR_PROBE_CONTAINER): 'app' is not in the task definition"),
        (("--subnets", STRANGER, "--security-groups", "sg-0a1b2c3d"), f"{STRANGER} does not exist in eu-west-1"),
        (("--subnets", subnet(0)), "--security-groups (ECR_PROBE_SECURITY_GROUPS): without it"),
        (("--service", "shop", "--subnets", subnet(9)), f"{subnet(9)} is not one of the service's"),
        (("--service", "shop", "--expect", f"fail:tcp.silent@{subnet(9)}"), f"{subnet(9)} is not one of the subnets"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_refused_before_anything_starts(
    bench: Bench, arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(bench, *arguments)
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
def test_a_right_that_is_missing_is_named_with_the_policy_that_gives_it(
    bench: Bench, action: str, sentence: str, named: str
) -> None:
    bench.aws.errors = lambda name, _: Error("AccessDeniedException", f"User: x {sentence}") if name == action else None
    words = refused(bench, "--service", "shop")
    assert words.startswith(
        f"{named} is not allowed to these credentials; task-definitions/iam/operator-smoke.json allows it"
    )
    assert bench.aws.tasks == {}
    assert bench.aws.count()["ecs:RunTask"] <= 1  # the first one goes alone


def test_an_answer_of_something_else_does_not_blame_the_task_definition(bench: Bench) -> None:
    trouble = Error("SSLError", "the connection's certificate is not trusted")
    bench.aws.errors = lambda name, _: trouble if name == "ecs:DescribeTaskDefinition" else None
    words = "ecs:DescribeTaskDefinition was refused: SSLError: the connection's certificate is not trusted"
    assert refused(bench, *subnets(1)) == words


def test_a_right_that_is_missing_later_stops_what_was_started(bench: Bench) -> None:
    bench.aws.errors = lambda name, _: DENIED if name == "ecs:DescribeTasks" else None
    words = refused(bench, *subnets(5))
    assert words.startswith("X is not allowed") or "is not allowed to these credentials" in words
    assert words.endswith("5 tasks were stopped")


def test_a_subnet_that_only_run_task_finds_missing_stops_the_others(bench: Bench) -> None:
    bench.aws.errors = lambda name, _: (
        Error("UnauthorizedOperation", "", 403) if name == "ec2:DescribeSubnets" else None
    )
    words = refused(bench, "--subnets", f"{subnet(0)},{STRANGER}", "--security-groups", "sg-0a1b2c3d")
    assert STRANGER in words
    assert words.endswith("1 task was stopped")


def test_credentials_that_have_expired_are_told_without_their_words(bench: Bench) -> None:
    secret = "The security token FwoGZXIvYXdzEXAMPLETOKEN included in the request is expired"
    bench.aws.errors = lambda *_: Error("ExpiredTokenException", secret)
    words = refused(bench, *subnets(1))
    assert words.startswith("AWS does not accept the credentials (ExpiredTokenException); --profile")
    assert "FwoG" not in words


def test_a_mistake_of_ours_stops_what_was_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("probe.smoke.task.ending", wrong)
    with pytest.raises(ZeroDivisionError):
        bench.in_subnets(3)
    assert bench.aws.running() == []
    assert len(bench.aws.tasks) == 3
