"""Gates as every report shows them: a row for each leg, every gate with -v, and what could not be read."""

from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema
import pytest

from probe.model import Advice, Gate, GateAnswer, GateName, Verdict
from probe.records import replace
from probe.report import FORMATS, Page, gates
from probe.report.json import LIMIT, schema
from probe.report.text import render
from tests.inspect import faults
from tests.page.hostile import PAYLOADS, spoilt
from tests.report import screen
from tests.report.readers import marks, outputs, shown, suites

Make = Callable[[], Verdict]
each_fault = pytest.mark.parametrize("make", faults.FAULTS)


def words(verdict: Verdict, *, verbose: bool = False) -> str:
    return " ".join(render(verdict, Page(width=400, verbose=verbose)).split())


def of(name: str, verdict: Verdict) -> str:
    return FORMATS[name].render(verdict, Page())


# ---- text ------------------------------------------------------------------------------------------------------------


def test_a_refusal_is_shown_with_its_object_and_sentence() -> None:
    text = words(faults.closed_group())
    assert "ingress sg-0e000000 REFUSES: no rule of sg-0e000000 allows 443 from" in text
    assert "ecr.dkr names ok · endpoint vpce-0e000002 ok" in text
    assert "ingress sg-0e000000 REFUSES: as above" in text
    assert "s3 names ok · endpoint vpce-0e000009 ok" in text
    assert "With this change every gate allows." in text
    assert text.count("cause:") == 1


def test_what_could_not_be_read_comes_with_the_statement_that_allows_it() -> None:
    verdict = faults.unread()
    text = render(verdict, Page())
    assert "egress unknown: ec2:DescribeSecurityGroups is not allowed" in " ".join(text.split())
    statement = json.loads(text[text.index('{"Sid"') : text.index("]}") + 2])
    assert statement.pop("Action") == sorted({gate.missing for gate in verdict.gates if gate.missing})
    assert statement == {"Sid": "Inspect", "Effect": "Allow", "Resource": "*"}


def test_an_object_that_need_not_exist_is_not_reported_as_unread() -> None:
    assert "not read" not in words(faults.healthy())


def test_verbose_shows_every_gate_with_its_element() -> None:
    verdict = faults.healthy()
    text = words(verdict, verbose=True)
    assert "allows security-group-egress 10.0.1.10 sg-0a000000 (all 0.0.0.0/0): sg-0a000000 allows 443" in text
    assert all(str(gate.gate) in text for gate in verdict.gates)


def test_the_last_line_says_that_nothing_was_measured() -> None:
    text = words(faults.healthy())
    assert text.endswith("pass: ECS can pull the image; based on the configuration only; nothing was measured")


def test_subnets_have_rows_of_their_own_only_where_they_differ() -> None:
    text = words(faults.one_of_three_subnets(), verbose=True)
    assert "fail: 1 of 3 subnets: subnet-0b000001 (us-east-1b)" in text
    assert "pass: 2 of 3 subnets: subnet-0a000000 (us-east-1a), subnet-0b000002 (us-east-1a)" in text
    rows = render(faults.one_of_three_subnets(), Page(width=1000))
    assert " in subnet-0b000001 (1 of 3 subnets): names" in rows
    many = render(faults.in_subnets(100), Page())
    assert "pass: 99 of 100 subnets: " in many
    assert "and 91 more" in " ".join(many.split())
    assert many.count("99 of 100 subnets") <= 4


@pytest.mark.parametrize("make", [make for make in faults.FAULTS if make is not faults.one_of_three_subnets])
def test_the_text_report_has_the_form_of_every_other(make: Make) -> None:
    screen.check_form(make())


@pytest.mark.parametrize("width", [80, 100])
@each_fault
def test_one_fault_takes_at_most_a_screen(make: Make, width: int) -> None:
    if make is not faults.two_faults:
        assert screen.rows(render(make(), Page(width=width)), width) <= screen.SCREEN


# ---- for tickets and pipelines ---------------------------------------------------------------------------------------


def test_markdown_has_a_table_of_the_gates_that_do_not_allow() -> None:
    text = of("markdown", faults.closed_group())
    assert "| endpoint | gate | object | element | why |" in text
    assert (
        "| `ecr.api`, `ecr.dkr` | ❌ refuses `security-group-ingress` | `sg-0e000000` | `ingress` | `no rule of "
        in text
    )
    assert "| DNS |" not in text  # nothing was tried
    several = of("markdown", faults.one_of_three_subnets())
    assert "❌ fail, `1 of 3 subnets: subnet-0b000001 (us-east-1b)`" in several
    assert "Every gate that was read allows." in of("markdown", faults.healthy())
    assert '"ec2:DescribeSecurityGroups"' in of("markdown", faults.unread())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_foreign_text_of_gates_is_shown_as_code_alone(payload: str) -> None:
    hostile = spoilt(faults.closed_group(), lambda _: f"evil{payload}evil")
    assert "evil" not in shown(of("markdown", hostile)).outside
    suites(of("junit", hostile))


def test_junit_has_a_case_for_each_endpoint_and_kind_of_gate() -> None:
    (suite,) = suites(of("junit", faults.closed_group()))
    assert {case.name for case in suite} >= {"ecr.api/names", "ecr.api/ingress", "s3/route", "s3/policies"}
    assert not any("/tcp/" in case.name for case in suite)
    found = marks(suite)
    assert found["ecr.api/ingress"][:2] == ("failure", "tcp.silent")
    assert "authorize-security-group-ingress" in found["ecr.api/ingress"][3]
    assert found["ecr.dkr/ingress"] == ("skipped", "security-group-ingress", "refuses: see ecr.api/ingress", "")


@each_fault
def test_junit_fails_exactly_where_the_verdict_does(make: Make) -> None:
    verdict = make()
    (suite,) = suites(of("junit", verdict))
    assert bool(suite.failures + suite.errors) == bool(verdict.exit_code)
    assert "configuration of account 123456789012" in outputs(of("junit", verdict))[0]


def test_github_names_the_object_and_what_was_not_read() -> None:
    text = of("github", faults.closed_group())
    assert "%0Aobject: sg-0e000000, ingress%0A" in text
    assert "::notice title=ecr-probe%3A configuration::configuration of account" in text
    assert "not read for lack of rights: ec2:Describe" in of("github", faults.unread())


# ---- JSON ------------------------------------------------------------------------------------------------------------


@each_fault
def test_documents_match_the_schema(make: Make) -> None:
    document = json.loads(of("json", make()))
    jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker()).validate(document)
    assert {"read_at", "account", "region", "sources"} <= set(document["configuration"])
    assert all(
        set(source) == {"service", "operation", "ok", "failure"} for source in document["configuration"]["sources"]
    )
    wanted = {"endpoint", "address", "gate", "answer", "object", "element", "sentence"}
    assert all(wanted <= set(gate) for gate in document["gates"])
    assert len(document["gates"]) == len({json.dumps(gate) for gate in document["gates"]})


def test_a_cause_has_its_object_and_element() -> None:
    document = json.loads(of("json", faults.one_of_three_subnets()))
    cause = document["findings"][0]["causes"][0]
    assert (cause["standing"], cause["object"], cause["element"]) == ("confirmed", "acl-0b000000", "*")


def test_a_document_of_many_subnets_keeps_every_refusal_and_is_small_enough() -> None:
    whole = faults.in_subnets(250)
    text = of("json", whole)
    assert len(text.encode()) <= LIMIT
    document = json.loads(text)
    refusals = [gate for gate in whole.gates if gate.answer is GateAnswer.REFUSES]
    assert [gate["sentence"] for gate in document["gates"] if gate["answer"] == "refuses"] == [
        gate.sentence for gate in refusals
    ]
    assert {gate["gate"] for gate in document["gates"]} == {str(gate.gate) for gate in whole.gates}
    assert len(document["configuration"]["subnets"]) == 250


def test_the_gates_of_healthy_addresses_are_left_out_first() -> None:
    whole = faults.in_subnets(60)
    long = replace(whole, gates=tuple(replace(gate, sentence=gate.sentence * 3) for gate in whole.gates))
    document = json.loads(of("json", long))
    assert len(document["gates"]) < len(long.gates)
    broken = [gate for gate in long.gates if gate.subnet == "subnet-0b000001" and gate.address]
    assert sum(gate["subnet"] == "subnet-0b000001" and bool(gate["address"]) for gate in document["gates"]) == len(
        broken
    )


def test_a_command_of_two_findings_is_printed_once() -> None:
    verdict = faults.closed_group()
    (finding,) = [finding for finding in verdict.findings if finding.code == "tcp.silent"]
    again = replace(finding, code="tcp.refused", title="the same")
    twice = replace(verdict, findings=(finding, again))
    (command,) = finding.causes[0].fix.commands
    assert words(twice).count(command.split()[2]) == 1
    assert "(the command above)" in words(twice)
    assert words(twice, verbose=True).count(command.split()[2]) == 1
    for form in ("markdown", "github", "junit"):
        assert of(form, twice).count(command.split()[2]) == 1, form
    assert of("json", twice).count(command.split()[2]) == 2  # there each finding is complete by itself


def test_of_several_commands_only_those_that_are_new_are_printed() -> None:
    verdict = faults.closed_group()
    (finding,) = [finding for finding in verdict.findings if finding.code == "tcp.silent"]
    cause = finding.causes[0]
    both = replace(cause, fix=Advice("allow both", (*cause.fix.commands, "aws ec2 new --region us-east-1"), "A note."))
    twice = replace(verdict, findings=(finding, replace(finding, code="tcp.refused", causes=(both,))))
    assert words(twice).count(cause.fix.commands[0].split()[2]) == 1
    assert "allow both (1 of the 2 commands is above) aws ec2 new --region us-east-1 A note." in words(twice)


def test_endpoints_with_the_same_row_share_it() -> None:
    legs = [
        Gate(endpoint=name, address=None, gate=GateName.PRIVATE_DNS, answer=GateAnswer.ALLOWS, object=name,
             element=None, sentence=name, subnet="subnet-0a", cause=None, missing=None)
        for name in ("ecr.api", "ecr.dkr")
    ]  # fmt: skip
    verdict = replace(faults.healthy(), gates=tuple(legs))
    rows = ["".join(text for _, text in line) for line in gates.rows(verdict, Page(), gates.Brevity.TERSE)]
    assert [" ".join(row.split()) for row in rows] == ["ecr.api, ecr.dkr ok"]
