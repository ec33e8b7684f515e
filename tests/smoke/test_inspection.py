"""`smoke --inspect`: the verdicts of subnets that did not pass are joined with the configuration, or predicted."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest

from probe.explain import explain_document, explain_text
from probe.explain.saved_verdict import read_saved, rejudge
from probe.explain.task_context import TaskContext
from probe.fleet import Fleet, Source, SubnetRun
from probe.inspect.measured import read_measured
from probe.model import Basis, GateName, Path, Standing, Status, Verdict
from probe.records import replace
from probe.report import FLEET_FORMATS, Page
from probe.report.fleet import PREDICTED
from probe.report.json import schema, unshortened
from probe.smoke.inspection import with_configuration
from probe.smoke.options import read_options
from tests.inspect import faults
from tests.inspect.test_target import INSTANCE, TASK, on_an_instance, task, with_service
from tests.inspect.vpc import IMAGE, REGION, Account, healthy_vpc
from tests.report import fleets

CLOSED, OPEN = "subnet-0a000000", "subnet-0b000001"
WHERE = ("--subnets", f"{CLOSED},{OPEN}", "--security-groups", "sg-0a000000")


def measured(verdict: Verdict) -> Verdict:
    """The predicted verdict, as if a check had measured it."""
    document = json.loads(unshortened(verdict)) | {"basis": "measured", "gates": [], "configuration": None}
    return rejudge(read_saved(json.dumps(document).encode()))


def account() -> Account:
    """Two subnets, and a group that admits nobody."""
    vpc = healthy_vpc()
    vpc.object("sg-0e000000")["IpPermissions"] = []
    (first,) = vpc.objects["ec2"]["Subnets"]
    vpc.objects["ec2"]["Subnets"].append({**first, "SubnetId": OPEN, "CidrBlock": "10.0.2.0/24"})
    return vpc


@cache
def fleet() -> Fleet:
    runs = [
        fleets.run(0, measured(faults.closed_group()), subnet=CLOSED),
        fleets.run(1, measured(faults.healthy()), subnet=OPEN),
    ]
    return fleets.fleet(runs)


def joined(*argv: str, vpc: Account | None = None) -> Fleet:
    return with_configuration(fleet(), read_options((*WHERE, *argv), {}), vpc or account())


def test_only_what_did_not_pass_is_read() -> None:
    closed, passed = joined("--inspect").runs
    assert closed.verdict is not None
    cause = closed.verdict.findings[0].causes[0]
    assert (cause.code, cause.standing, cause.object) == ("tcp.security-group", Standing.CONFIRMED, "sg-0e000000")
    assert "--group-id sg-0e000000" in cause.fix.commands[0]
    assert (closed.verdict.basis, closed.status) == (Basis.MEASURED, "fail")
    assert closed.verdict.configuration is not None
    assert {gate.subnet for gate in closed.verdict.gates} == {CLOSED}
    assert passed == fleet().runs[1]


def test_with_all_a_contradiction_in_a_subnet_that_passed_shows() -> None:
    _, passed = joined("--inspect=all").runs
    assert passed.verdict is not None
    assert "configuration.contradiction" in {finding.code for finding in passed.verdict.findings}
    assert passed.status == passed.verdict.status == "degraded"


@pytest.mark.parametrize("form", FLEET_FORMATS)
def test_the_document_keeps_its_shape_and_every_report_names_the_object(form: str) -> None:
    text = FLEET_FORMATS[form].render(joined("--inspect"), Page())
    assert "sg-0e000000" in text
    if form == "json":
        jsonschema.Draft202012Validator(schema("fleet")).validate(json.loads(text))
        again = explain_document(text.encode(), TaskContext())
        assert isinstance(again, Fleet)
        assert [run.verdict and run.verdict.findings for run in again.runs] == [
            run.verdict and run.verdict.findings for run in joined("--inspect").runs
        ]


def test_where_nothing_can_be_read_a_note_says_so() -> None:
    vpc = account()
    vpc.denied.add("ec2:DescribeSubnets")
    noted = joined("--inspect", vpc=vpc)
    assert noted == replace(fleet(), notes=noted.notes)
    assert noted.notes[0].startswith("the configuration was not read: ")
    assert "ec2:DescribeSubnets" in noted.notes[0]


# ---- where nothing was measured --------------------------------------------------------------------------------------

NO_PLACE = "no task could be started: the capacity provider has no instance"
PULL_ERROR = (
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
    f'{IMAGE}: failed to do request: Head "https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/team/app/'
    'manifests/1.0": dial tcp 10.0.1.11:443: i/o timeout'
)


def unstarted(**fields: Any) -> Fleet:
    """One subnet in which ECS started no task, and one that passed."""
    runs = [
        fleets.run(0, subnet=CLOSED, task_arn=None, words=NO_PLACE),
        fleets.run(1, measured(faults.healthy()), subnet=OPEN),
    ]
    return fleets.fleet(runs, **({"image": IMAGE} | fields))


def predicted(*argv: str, **fields: Any) -> Fleet:
    return with_configuration(unstarted(**fields), read_options((*WHERE, *(argv or ("--inspect",))), {}), account())


def test_a_subnet_without_a_measurement_is_predicted_and_keeps_its_status() -> None:
    joined_fleet = predicted()
    run, passed = joined_fleet.runs
    assert run.verdict is not None
    assert (run.is_predicted, run.verdict.basis, run.status) == (True, Basis.CONFIGURATION, Status.INCONCLUSIVE)
    assert (run.words, joined_fleet.status, joined_fleet.exit_code) == (NO_PLACE, Status.INCONCLUSIVE, 3)
    cause = run.verdict.findings[0].causes[0]
    assert (run.verdict.findings[0].code, cause.object) == ("tcp.silent", "sg-0e000000")
    assert run.verdict.plan.image == IMAGE
    assert passed.verdict is not None
    assert (passed.verdict.basis, passed.verdict.gates) == (Basis.MEASURED, ())


@pytest.mark.parametrize("form", FLEET_FORMATS)
def test_every_report_says_what_was_predicted_and_why_nothing_was_measured(form: str) -> None:
    text = FLEET_FORMATS[form].render(predicted(), Page(width=400))
    assert "sg-0e000000" in text
    assert NO_PLACE in text
    if form == "json":
        jsonschema.Draft202012Validator(schema("fleet")).validate(json.loads(text))
        again = explain_document(text.encode(), TaskContext())
        assert isinstance(again, Fleet)
        assert [run.verdict and run.verdict.basis for run in again.runs] == [Basis.CONFIGURATION, Basis.MEASURED]
        assert (again.runs[0].status, again.exit_code) == (Status.INCONCLUSIVE, 3)
        assert [each.facts.basis for each in read_measured(text.encode())] == [Basis.MEASURED]
    else:
        assert PREDICTED in " ".join(text.split())
        assert "predicted: nothing answers" in text or form == "junit"


def test_a_prediction_does_not_fulfil_an_expectation() -> None:
    argv = ("--inspect", "--expect", f"fail:tcp.silent@{CLOSED}")
    expected = read_options((*WHERE, *argv), {}).expected
    assert predicted(*argv, expected=expected).exit_code == 3
    by_exit_code = with_status(unstarted(expected=expected), Status.FAIL, source=Source.EXIT_CODE)
    assert with_configuration(by_exit_code, read_options((*WHERE, *argv), {}), account()).exit_code == 3


def with_status(fleet: Fleet, status: Status, **fields: Any) -> Fleet:
    first, *others = fleet.runs
    return replace(fleet, runs=(replace(first, status=status, **fields), *others))


def test_where_a_check_passed_by_its_exit_code_nothing_is_predicted() -> None:
    passed = with_status(unstarted(), Status.PASS, source=Source.EXIT_CODE, task_arn=TASK)
    options = read_options((*WHERE, "--inspect=all"), {})
    assert with_configuration(passed, options, account()).runs[0] == passed.runs[0]


# ---- on instances ----------------------------------------------------------------------------------------------------


def on_instances(**fields: Any) -> tuple[Fleet, Account]:
    """A task in awsvpc mode that never ran, on an instance of another subnet and other groups."""
    vpc = on_an_instance(with_service(launchType="EC2"))
    vpc.objects["ecs"]["tasks"] = [task(launchType="EC2", containerInstanceArn=INSTANCE, group="family:probe")]
    vpc.objects["ec2"]["Subnets"].append(
        {**vpc.objects["ec2"]["Subnets"][0], "SubnetId": OPEN, "CidrBlock": "10.0.2.0/24"}
    )
    run = fleets.run(0, **({"subnet": OPEN, "task_arn": TASK, "words": "the probe's container never ran"} | fields))
    return fleets.fleet([run], launch_type="EC2", image=IMAGE), vpc


def gates_of(run: SubnetRun) -> set[tuple[str | None, str | None]]:
    assert run.verdict is not None
    return {(gate.subnet, gate.object) for gate in run.verdict.gates if gate.gate is GateName.SECURITY_GROUP_EGRESS}


@pytest.mark.parametrize("reason", [None, PULL_ERROR])
def test_what_an_instance_pulls_is_inspected_at_its_interface(reason: str | None) -> None:
    verdict = explain_text(reason, region=REGION) if reason else None
    source = Source.STOPPED_REASON if reason else None
    fleet, vpc = on_instances(verdict=verdict, status=Status.FAIL if reason else Status.INCONCLUSIVE, source=source)
    (run,) = with_configuration(fleet, read_options((*WHERE, "--inspect"), {}), vpc).runs
    assert gates_of(run) == {("subnet-0a000000", "sg-0e000000")}
    assert (run.subnet, run.is_predicted, run.status) == (OPEN, reason is None, fleet.runs[0].status)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"task_arn": None}, "no task shows which instance"),
        ({"task_arn": TASK.replace("0123", "4567")}, "no such task"),
    ],
)
def test_an_instance_that_is_not_known_is_said(fields: dict[str, Any], words: str) -> None:
    fleet, vpc = on_instances(**fields)
    noted = with_configuration(fleet, read_options((*WHERE, "--inspect"), {}), vpc)
    assert noted == replace(fleet, notes=noted.notes)
    assert words in noted.notes[0]


def test_a_check_on_ec2_is_joined_with_the_interface_of_its_task() -> None:
    """It measures that one, although the instance's pulls."""
    _, vpc = on_instances()
    verdict = measured(faults.closed_group())
    verdict = replace(verdict, path=Path.TASK_ENI, surroundings=replace(verdict.surroundings, path=Path.TASK_ENI))
    fleet = fleets.fleet([fleets.run(0, verdict, subnet=CLOSED)], launch_type="EC2")
    options = read_options(("--cluster", "main", "--service", "shop", "--inspect"), {})
    (run,) = with_configuration(fleet, options, vpc).runs
    assert gates_of(run) == {("subnet-0a000000", "sg-0a000000")}
