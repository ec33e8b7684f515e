"""The forms in which people have an error: API output, exports, tails and events, in the order of their times."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml

from probe.explain import explain_document
from probe.explain.task_context import TaskContext
from probe.faults import diagnose
from probe.fleet import Fleet
from probe.model import Policy, Status, Verdict
from probe.records import replace
from probe.report.json import essence
from probe.verdict import judge
from tests.explain.samples import SAMPLES
from tests.explain.samples_network import IMAGE, REGISTRY
from tests.explain.test_command import MANIFEST, TASK, Explain, task
from tests.faults.fake_run import FakeRun
from tests.report.fleets import fleet, run

TOKEN = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed caused "
    'by: Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp 172.45.1.8:443: i/o timeout'
)
MISSING = f"CannotPullContainerError: {IMAGE}: not found"
STEADY = "has reached a steady state."
MILLISECONDS = 1_730_542_272_000


def verdict_of(document: str) -> Verdict:
    verdict = explain_document(document.encode(), TaskContext())
    assert isinstance(verdict, Verdict)
    return verdict


def failed_steps(document: str) -> list[str]:
    return [step.id for step in verdict_of(document).steps if step.failed]


def log_event(message: str, second: int = 0, **more: Any) -> dict[str, Any]:
    instant = MILLISECONDS + 1000 * second
    return {"timestamp": instant, "message": message, "ingestionTime": instant + 50, **more}


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def services(*events: tuple[int, str], name: str = "cart") -> dict[str, Any]:
    """The output of describe-services: events by hour, in the order that is given."""
    arn = f"arn:aws:ecs:eu-north-1:210987654321:service/main/{name}"
    listed = [
        {
            "id": f"0a1b2c3d-{number}",
            "createdAt": f"2024-11-02T{hour:02d}:00:00.123000+00:00",
            "message": f"(service {name}) {message}",
        }
        for number, (hour, message) in enumerate(events)
    ]
    service = {"serviceArn": arn, "serviceName": name, "events": listed, "createdAt": "2024-01-01T00:00:00+00:00"}
    return {"services": [service], "failures": []}


def unable(reason: str) -> str:
    return f"was unable to start tasks. Reason: {reason}"


# ---- forms ----------------------------------------------------------------------------------------------------------

FORMS = {
    "get-log-events": json.dumps(
        {"events": [log_event("starting"), log_event(TOKEN, 1), log_event("bye", 2)], "nextForwardToken": "f/3"},
        indent=4,
    ),
    "filter-log-events": json.dumps(
        {"events": [log_event(TOKEN, logStreamName="ecs/cart/0a1b", eventId="36")], "searchedLogStreams": []}
    ),
    "a message that is JSON": json.dumps({"events": [log_event(json.dumps({"level": "error", "error": TOKEN}))]}),
    "get-query-results": json.dumps(
        {
            "results": [
                [{"field": "@timestamp", "value": "2024-11-02 10:11:12.000"}, {"field": "@message", "value": TOKEN}]
            ],
            "status": "Complete",
        }
    ),
    "Logs Insights as JSON": json.dumps([{"@timestamp": "2024-11-02 10:11:12.000", "@message": TOKEN}]),
    "tail, detailed": f"2024-11-02T10:11:12.123000+00:00 ecs/cart/0a1b {TOKEN}\n"
    "2024-11-02T10:11:13.123000+00:00 ecs/cart/0a1b exiting\n",
    "tail, short": f"2024-11-02T10:11:12 {TOKEN}\n2024-11-02T10:11:13 exiting\n",
    "tail, json": f"2024-11-02T10:11:12.123000+00:00 ecs/cart/0a1b \n{json.dumps({'error': TOKEN}, indent=4)}\n"
    f"2024-11-02T10:11:13.123000+00:00 ecs/cart/0a1b \n{json.dumps({'msg': 'exiting'}, indent=4)}\n",
    "lines of JSON": f"{json.dumps(log_event('starting'))}\n{json.dumps(log_event(TOKEN, 1))}\n",
    "CSV of log events": f"timestamp,message\n{MILLISECONDS},starting\n{MILLISECONDS + 1000},{quoted(TOKEN)}\n",
    "CSV of Logs Insights": f"@timestamp,@message,@logStream\n2024-11-02 10:11:12.000,{quoted(TOKEN)},ecs/cart/0a1b\n",
    "CSV from Windows": f"\ufefftimestamp;message\r\n{MILLISECONDS};{quoted(TOKEN)}\r\n",
    "describe-services": json.dumps(services((10, unable(TOKEN)))),
    "describe-services as YAML": yaml.safe_dump(services((10, unable(TOKEN))), sort_keys=False),
    "describe-tasks as YAML": yaml.safe_dump({"tasks": [task(stoppedReason=TOKEN, containers=[])]}),
    "an event of EventBridge": json.dumps(
        {
            "detail-type": "ECS Task State Change",
            "source": "aws.ecs",
            "time": "2024-11-02T10:11:13Z",
            "detail": task(stoppedReason=TOKEN, containers=[]),
        }
    ),
    "EventBridge in a log group": json.dumps(
        {"events": [log_event(json.dumps({"detail": {"eventName": "SERVICE_TASK_START_IMPAIRED", "reason": TOKEN}}))]}
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_error_is_found_in_every_form(name: str) -> None:
    assert failed_steps(FORMS[name]) == ["ecr.api/tcp/172.45.1.8"]


def trail(**changes: Any) -> dict[str, Any]:
    role = "arn:aws:sts::210987654321:assumed-role/shopExecution/7a7a7a"
    record = {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "arn": role},
        "eventTime": "2024-11-02T10:11:12Z",
        "eventSource": "ecr.amazonaws.com",
        "eventName": "GetAuthorizationToken",
        "awsRegion": "ap-south-1",
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {role} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because "
        "no VPC endpoint policy allows the ecr:GetAuthorizationToken action",
        "requestParameters": None,
    }
    return record | changes


@pytest.mark.parametrize(
    "document",
    [trail(), {"Records": [trail()]}, {"Events": [{"EventName": "x", "CloudTrailEvent": json.dumps(trail())}]}],
    ids=["record", "file", "lookup-events"],
)
def test_records_of_cloudtrail_have_a_region_and_an_error(document: dict[str, Any]) -> None:
    verdict = verdict_of(json.dumps(document))
    assert [step.id for step in verdict.steps if step.failed] == ["ecr.api/token"]
    assert verdict.plan.region == "ap-south-1"
    assert verdict.causes == ("policy.vpce.ecr",)


def test_a_deployment_that_failed_is_read_with_its_region() -> None:
    event = {
        "detail-type": "ECS Deployment State Change",
        "time": "2024-11-02T10:11:13Z",
        "region": "ap-south-1",
        "detail": {
            "eventName": "SERVICE_DEPLOYMENT_FAILED",
            "deploymentId": "ecs-svc/1",
            "updatedAt": "2024-11-02T10:11:13Z",
            "reason": "ECS deployment circuit breaker: task failed to start.",
        },
    }
    verdict = verdict_of(json.dumps(event))
    assert [step.id for step in verdict.steps if step.failed] == ["task/start/no-reason"]
    assert verdict.plan.region == "ap-south-1"


def test_calls_that_succeeded_are_no_error() -> None:
    with pytest.raises(ValueError, match="contains no error"):
        verdict_of(json.dumps({"Records": [trail(errorCode=None, errorMessage=None)]}))


# ---- order of time --------------------------------------------------------------------------------------------------

RECOVERED = ["task/start/recovered"]
NEWEST_IS_MISSING = services((12, unable(MISSING)), (10, unable(TOKEN)))
STEADY_AFTER = services((13, STEADY), (12, unable(MISSING)), (10, unable(TOKEN)))


def as_text(document: dict[str, Any]) -> str:
    """The events as `--output text` prints them."""
    (service,) = document["services"]
    events = (f"EVENTS\t{event['createdAt']}\t{event['id']}\t{event['message']}" for event in service["events"])
    return "\n".join(("SERVICES\tarn:aws:ecs:eu-north-1:210987654321:cluster/main", *events))


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump, as_text], ids=["json", "yaml", "text"])
@pytest.mark.parametrize(
    ("document", "steps"), [(NEWEST_IS_MISSING, ["ecr.dkr/manifest"]), (STEADY_AFTER, RECOVERED)], ids=["fails", "over"]
)
def test_the_newest_event_of_a_service_decides(write: Any, document: dict[str, Any], steps: list[str]) -> None:
    assert failed_steps(write(document)) == steps


def test_an_earlier_steady_state_ends_nothing() -> None:
    assert failed_steps(json.dumps(services((10, unable(TOKEN)), (9, STEADY)))) == ["ecr.api/tcp/172.45.1.8"]


def test_a_steady_state_after_a_rollback_is_not_of_this_image() -> None:
    rollback = (12, "rolling back to deployment ecs-svc/1.")
    assert failed_steps(json.dumps(services((13, STEADY), rollback, (11, unable(MISSING))))) == ["ecr.dkr/manifest"]


def test_the_steady_state_of_another_service_ends_nothing() -> None:
    both = services((10, unable(TOKEN)))["services"] + services((13, STEADY), name="other")["services"]
    assert failed_steps(json.dumps({"services": both})) == ["ecr.api/tcp/172.45.1.8"]


def test_the_success_is_reported_with_its_time() -> None:
    verdict = verdict_of(json.dumps(STEADY_AFTER))
    assert (verdict.status, verdict.exit_code) == ("inconclusive", 3)
    (step,) = (step for step in verdict.steps if step.failed)
    assert step.detail is not None
    assert step.detail.startswith("the service started its tasks later at 2024-11-02T13:00:00Z; before: ")
    assert "succeeded" in verdict.summary


def test_a_task_of_the_same_service_that_started_later_ends_the_failure() -> None:
    stopped = task(group="service:cart", stoppedAt="2024-11-02T10:11:12Z")
    running = task(
        group="service:cart", lastStatus="RUNNING", startedAt=1_730_545_872.5, stoppedReason=None, containers=[]
    )
    assert failed_steps(json.dumps({"tasks": [running, stopped]})) == RECOVERED
    running["group"] = "service:other"
    assert failed_steps(json.dumps({"tasks": [running, stopped]})) == ["ecr.dkr/tcp/172.45.1.9"]
    assert TASK in verdict_of(json.dumps({"tasks": [running, stopped]})).surroundings.task_arn  # type: ignore[operator]


KUBELET = f'Failed to pull image "{IMAGE}": rpc error: code = NotFound desc = failed to resolve reference: {MISSING}'
PULLED = f'Successfully pulled image "{IMAGE}" in 1.2s'


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (
            f"  Warning  Failed  4m (x2 over 5m)  kubelet  {KUBELET}\n  Normal   Pulled  2m  kubelet  {PULLED}",
            RECOVERED,
        ),
        (
            f"  Normal   Pulled  9m  kubelet  {PULLED}\n  Warning  Failed  4m (x2 over 5m)  kubelet  {KUBELET}",
            ["ecr.dkr/manifest"],
        ),
        (f"2m   Normal   Pulled   pod/cart   {PULLED}\n4m   Warning   Failed   pod/cart   {KUBELET}", RECOVERED),
        (f"E1102 10:00:00.123456 1 kubelet.go:1] {KUBELET}\nI1102 11:00:00.123456 1 kubelet.go:1] {PULLED}", RECOVERED),
        (f"Nov  2 10:00:00 ip-10 kubelet: {KUBELET}\nNov  2 11:00:00 ip-10 kubelet: {PULLED}", RECOVERED),
        (f"{KUBELET}\n\n{PULLED}", ["ecr.dkr/manifest"]),  # without times nothing is known
        (
            f"2024-11-02T10:00:00Z {KUBELET}\n2024-11-02T11:00:00Z {PULLED.replace(IMAGE, f'{REGISTRY}/shop/other:1')}",
            ["ecr.dkr/manifest"],
        ),
        (
            f"2024-11-02T10:00:00Z {KUBELET}\n2024-11-02T11:00:00Z {PULLED}\n2024-11-02T12:00:00Z {KUBELET}",
            ["ecr.dkr/manifest"],
        ),
        (f"2024-11-02T10:00:00Z {TOKEN}\n2024-11-02T12:00:00Z {MISSING}", ["ecr.dkr/manifest"]),
        (f"2024-11-02T12:00:00Z {MISSING}\n2024-11-02T10:00:00Z {TOKEN}", ["ecr.dkr/manifest"]),
        (
            f"2024-11-02T10:00:00Z {TOKEN}\n2024-11-02T10:00:09Z {MISSING}",
            ["ecr.api/tcp/172.45.1.8", "ecr.dkr/manifest"],
        ),
    ],
    ids=range(11),
)
def test_later_lines_decide(text: str, steps: list[str]) -> None:
    assert failed_steps(text) == steps


@pytest.mark.parametrize("instant", [-5, 1e300, 10**25, True, "never", None])
def test_an_impossible_time_is_none(instant: object) -> None:
    event = log_event(TOKEN) | {"timestamp": instant}
    success = log_event(f"Status: Downloaded newer image for {IMAGE}") | {"timestamp": 1e300}
    assert failed_steps(json.dumps({"events": [event, success]})) == ["ecr.api/tcp/172.45.1.8"]


def test_what_still_fails_names_the_image() -> None:
    other = MANIFEST.replace("shop/cart", "shop/old")
    verdict = verdict_of(json.dumps(services((12, unable(MISSING)), (10, unable(other)))))
    assert verdict.plan.reference is not None
    assert verdict.plan.reference.repository == "shop/cart"


# ---- the document of smoke ------------------------------------------------------------------------------------------


def healthy() -> Verdict:
    measurement = FakeRun().measure()
    return judge(diagnose(measurement, Policy()), measurement, Policy(), version="0.1.0")


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Explain:
    return Explain(monkeypatch, capfd)


def judged_again(document: Fleet) -> Fleet:
    again = explain_document(msgspec.json.encode(document), TaskContext())
    assert isinstance(again, Fleet)
    return again


def test_every_subnet_of_a_fleet_is_judged_again() -> None:
    broken = SAMPLES[0].run.verdict()
    before = fleet([run(1, healthy()), run(2, broken), run(3)])
    emptied = [replace(entry, verdict=entry.verdict and replace(entry.verdict, findings=())) for entry in before.runs]
    again = judged_again(replace(before, runs=tuple(emptied), status=Status.PASS, exit_code=0))
    assert [entry.status for entry in again.runs] == [entry.status for entry in before.runs]
    assert again.runs[1].verdict is not None
    assert again.runs[1].verdict.findings == broken.findings
    assert (again.status, again.exit_code, again.runs[2].words) == (Status.FAIL, 1, before.runs[2].words)


def test_a_verdict_without_its_successful_steps_stays_as_it_was_judged() -> None:
    short = essence(healthy(), limit=2000)
    (entry,) = judged_again(fleet([run(1, short)])).runs
    assert entry.verdict is not None
    assert (entry.verdict.status, entry.verdict.endpoints) == (Status.PASS, short.endpoints)


def test_the_document_of_a_fleet_has_a_schema_version() -> None:
    document = msgspec.json.encode(replace(fleet([run(1)]), schema_version=9))
    with pytest.raises(ValueError, match="has schema_version 9"):
        explain_document(document, TaskContext())
    with pytest.raises(ValueError, match="not a fleet"):
        explain_document(b'{"schema_version": 1, "runs": [{"subnet": 1}]}', TaskContext())


def test_a_fleet_is_reported_as_smoke_reports_it(explained: Explain) -> None:
    document = msgspec.json.encode(fleet([run(1, healthy()), run(2)])).decode()
    code, out, err = explained(document)
    assert (code, err) == (3, "")
    assert "2 subnets of cluster main: 1 inconclusive, 1 pass" in out
    assert json.loads(explained(document, "--format", "json")[1])["runs"][0]["status"] == "pass"
    code, out, err = explained(document, "--format", "prometheus")
    assert (code, out) == (2, "")
    assert "prometheus reports one run" in err
