"""`smoke --inspect`: the verdicts of subnets that did not pass are joined with the configuration."""

from __future__ import annotations

import json
from functools import cache

import jsonschema
import pytest

from probe.explain import explain_document
from probe.explain.saved_verdict import read_saved, rejudge
from probe.explain.task_context import TaskContext
from probe.fleet import Fleet
from probe.model import Basis, Standing, Verdict
from probe.records import replace
from probe.report import FLEET_FORMATS, Page
from probe.report.json import schema, unshortened
from probe.smoke.inspection import with_configuration
from probe.smoke.options import read_options
from tests.inspect import faults
from tests.inspect.vpc import Account, healthy_vpc
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
