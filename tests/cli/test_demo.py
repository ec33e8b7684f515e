"""The demo's arguments, lines and exit codes, with scenarios of its own; tests/scenarios runs the real ones."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from probe import crash, demo
from probe.cli import main
from probe.config.settings import parse
from probe.model import Layers, Verdict
from probe.sim.configuration.identifiers import OTHER_GROUP
from probe.sim.scenarios import AREAS, SCENARIOS

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"


@dataclass(frozen=True)
class FakeScenario:
    name: str
    description: str = ("something breaks. " * 12).strip()
    expected_findings: frozenset[str] = frozenset({"probe.bug"})
    expected_first_causes: Mapping[str, str] = field(default_factory=lambda: {"probe.bug": "other"})
    excluded_causes: frozenset[str] = frozenset()
    expected_status: str = "inconclusive"
    expected_pull: str = "unproven"
    arguments: tuple[str, ...] = ()


FAKES = [
    FakeScenario("healthy"),
    FakeScenario(demo.SHOWN[1]),
    FakeScenario("other-status", expected_status="pass"),
    FakeScenario("excluded-cause", excluded_causes=frozenset({"other"})),
    FakeScenario("other-cause", expected_first_causes={"probe.bug": "throttle"}),
    FakeScenario("other-finding", expected_findings=frozenset({"tcp.silent"}), expected_pull="works"),
]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Replaces the scenarios by ours, without a VPC. Returns the arguments and variables of each check."""
    checks: list[tuple[str, ...]] = []

    def play(_scenario: FakeScenario, request: demo.Request, _stop: threading.Event) -> Verdict:
        checks.append((*request.arguments, *(f"{name}={text}" for name, text in request.variables.items())))
        return crash.broken(parse(["--image", IMAGE], {}), ValueError(), began=datetime.now(UTC))

    fakes = SimpleNamespace(SCENARIOS=FAKES, AREAS={"First": FAKES[:2], "Second": FAKES[2:]})
    monkeypatch.setitem(sys.modules, "probe.sim.scenarios", fakes)
    monkeypatch.setattr(demo, "play", play)
    return checks


def listed(out: str) -> list[str]:
    """The names that `--list` prints, in order."""
    return re.findall(r"^  (\S+)", out, re.MULTILINE)


# ---- runs ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("checks")
def test_without_a_name_a_healthy_and_a_failing_scenario_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("scenario healthy: something")
    assert f"scenario {demo.SHOWN[1]}: " in out
    assert err == ""
    assert out.count("as expected: inconclusive, probe.bug") == 2
    assert out.count("error[probe.bug]") == 2


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("other-status", "status is inconclusive, expected pass"),
        ("excluded-cause", "the cause other is listed although the evidence excludes it"),
        ("other-cause", "first cause is other, expected throttle"),
        ("other-finding", "tcp.silent is missing; probe.bug was not expected; pull is unproven, expected works"),
    ],
)
def test_a_verdict_that_differs_exits_1(name: str, sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", name]) == 1
    out = capfd.readouterr().out
    assert "NOT as expected: " in out
    assert sentence in " ".join(out.split())


@pytest.mark.usefixtures("checks")
def test_exit_code_is_the_verdicts_own_on_request(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "healthy", "--exit-code"]) == 3
    assert main(["demo", "other-status", "--exit-code", "--format", "json"]) == 3
    assert "as expected" in capfd.readouterr().out


@pytest.mark.parametrize(("name", "code"), [("healthy", 0), ("s3-gateway-missing", 1), ("throttled", 3)])
def test_a_real_scenario_rehearses_a_pipeline(name: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", name, "--exit-code", "--quiet"]) == code
    assert "as expected" in capfd.readouterr().out


def test_inspect_names_the_object_and_prints_its_change(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--inspect", "security-group-dkr", "--connect-timeout", "0.5"]) == 0
    check, _, inspection = capfd.readouterr().out.partition("inspect reads the simulated account's configuration")
    assert "as expected: fail, tcp.silent" in check
    assert "ecr-probe demo security-group-dkr --inspect" in " ".join(check.split())
    assert f"--group-id {OTHER_GROUP}" in inspection
    assert "With this change every gate allows." in inspection
    assert f"confirms: tcp.security-group in {OTHER_GROUP}" in " ".join(inspection.split())


def test_a_change_of_names_leads_to_other_addresses_than_those_measured(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--inspect", "private-dns-off", "--connect-timeout", "0.5"]) == 0
    assert "With this change every gate allows." in capfd.readouterr().out


def test_an_image_elsewhere_leaves_nothing_to_inspect(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--inspect", "own-image-elsewhere"]) == 0
    assert "nothing to inspect: --image (ECR_PROBE_IMAGE): no image is in private ECR" in capfd.readouterr().out


def test_a_program_reads_the_joined_document(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--inspect", "healthy", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    # Without --read-manifest, the platforms in the image's index are not known.
    open_gates = [gate["element"] for gate in json.loads(out)["gates"] if gate["answer"] != "allows"]
    assert open_gates == ["platform"]
    assert "as expected, the configuration confirms: no cause" in err


@pytest.mark.usefixtures("checks")
def test_a_report_for_a_program_is_alone_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "healthy", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["schema_version"] == 1
    assert out.count("\n") == 1
    assert "scenario healthy" in err
    assert "as expected" in err


@pytest.mark.usefixtures("checks")
def test_all_counts_the_scenarios_that_matched(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--all"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[-1] == "2 of 6 scenarios matched"
    assert [line.split()[0] for line in lines[:-1]] == [scenario.name for scenario in FAKES]
    assert "NOT AS EXPECTED" in lines[2]


# ---- lists ---------------------------------------------------------------------------------------


def test_list_is_grouped_by_area_with_the_expected_findings(
    checks: list[tuple[str, ...]], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--list"]) == 0
    out = capfd.readouterr().out
    assert re.findall(r"^\S.*", out, re.MULTILINE) == ["First", "Second"]
    assert listed(out) == [scenario.name for scenario in FAKES]
    assert re.search(r"^  other-finding +inconclusive  tcp\.silent$", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 100
    assert checks == []


def test_every_real_scenario_is_listed_with_what_it_expects(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--list"]) == 0
    out = capfd.readouterr().out
    assert listed(out) == [scenario.name for area in AREAS.values() for scenario in area]
    paragraphs = {listed(text)[0]: text for text in re.split(r"\n(?=  \S)", out) if listed(text)}
    for scenario in SCENARIOS:
        assert {scenario.expected_status, *scenario.expected_findings} <= set(
            re.findall(r"[\w.-]+", paragraphs[scenario.name])
        )


@pytest.mark.parametrize(
    ("text", "example"),
    [("s3", "s3-gateway-missing"), ("S3", "s3-gateway-missing"), ("tcp.silent", "security-group")],
)
def test_a_part_of_a_name_or_a_finding_lists_what_matches(
    text: str, example: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", text]) == 2
    out, err = capfd.readouterr()
    names = listed(out)
    assert example in names
    assert 1 < len(names) < len(SCENARIOS)
    assert f"{len(names)} scenarios match '{text}'; run one, for example ecr-probe demo {names[0]}\n" in err
    assert main(["demo", "--list", text]) == 0
    assert capfd.readouterr() == (out, "")


def test_a_single_match_is_suggested(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "gateway-miss"]) == 2
    assert capfd.readouterr().err == (
        "ecr-probe: one scenario matches 'gateway-miss'; run it with ecr-probe demo s3-gateway-missing\n"
    )


def test_the_outcome_lists_what_the_list_of_scenarios_shows(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "healthy", "--deadline", "20s"]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "as expected: pass"
    assert main(["demo", "--list", "healthy"]) == 0
    assert re.search(r"^  healthy +pass$", capfd.readouterr().out, re.MULTILINE)


def test_a_list_of_matches_keeps_off_the_stdout_of_a_program(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "s3", "--format", "json"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "s3-gateway-missing" in err


# ---- flags of the check --------------------------------------------------------------------------


def test_flags_of_check_reach_the_check(checks: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_DEADLINE", "7")
    monkeypatch.setenv("ECR_PROBE_FORMAT", "text")
    assert main(["demo", "healthy", "--layers", "all", "--strict", "--controls", "--also=ssm", "--also", "kms"]) == 0
    flags = ("--layers=all", "--strict", "--controls", "--also=ssm", "--also=kms")
    assert checks == [(*flags, "ECR_PROBE_DEADLINE=7")]


@pytest.mark.usefixtures("checks")
def test_a_scenarios_own_arguments_take_precedence_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_LAYERS", "all")
    monkeypatch.setenv("ECR_PROBE_STRICT", "yes")
    monkeypatch.setenv("ECR_PROBE_PLATFORM", "linux/arm64")
    request = demo.read(["healthy"])
    scenario: Any = FakeScenario("x", arguments=("--layers", "none", "--platform", "linux/386"))
    settings = demo._settings(scenario, request, {"AWS_REGION": "eu-west-1"})
    assert settings.layers is Layers.NONE
    assert settings.policy.strict
    assert settings.platform == "linux/386"
    assert settings.environment.region == "eu-west-1"


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize("argv", [["healthy", "--deadline", "x"], ["--all"], ["healthy"]])
def test_a_bad_value_is_refused_before_anything_is_printed(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECR_PROBE_DEADLINE", "soon")
    assert main(["demo", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--deadline (ECR_PROBE_DEADLINE)" in err


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["helthy"], "did you mean healthy?"),
        (["--list", "helthy"], "did you mean healthy?"),
        (["--serve", "helthy"], "did you mean healthy?"),
        (["--serve", "other"], "'other' is not a scenario; ecr-probe demo --list other lists those that match"),
        (["--format", "json"], "name a scenario"),
        (["--exit-code"], "--exit-code needs the name of a scenario"),
        (["--inspect"], "--inspect needs the name of a scenario"),
        (["--serve", "--inspect"], "--serve and --inspect cannot be combined"),
        (["--list", "--inspect"], "--list prints a line for each scenario, so --inspect has no effect"),
        (["--all", "--list"], "cannot be combined"),
        (["healthy", "--all"], "'--all' and 'healthy' cannot be combined"),
        (["--serve", "--all"], "--serve and --all cannot be combined"),
        (["--serve", "--exit-code"], "--serve and --exit-code cannot be combined"),
        (["--all", "--exit-code"], "--all prints a line for each scenario, so --exit-code has no effect"),
        (["--all", "--format", "json"], "--all prints a line for each scenario, so --format has no effect"),
        (["--list", "--pretty"], "--list prints a line"),
        (["healthy", "--drill"], "--drill works only with --serve"),
        (["healthy", "--interval", "5"], "--interval works only with --serve"),
        (["healthy", "--pretty"], "--pretty (ECR_PROBE_PRETTY)"),
        (["healthy", "--pretty", "--format", "text"], "is not json; for example --format json --pretty\n"),
        ([""], "the name of the scenario is empty; for example ecr-probe demo healthy\n"),
        (["--serve", "", "--interval", "x"], "the name of the scenario is empty; "),
        (["--list", ""], "the name of the scenario is empty; "),
        (["healthy", "other"], "unknown argument 'other'; for example ecr-probe demo healthy"),
        (["nonsense"], "'nonsense' is not a scenario; see ecr-probe demo --list\n"),
        (
            ["helthy"],
            "'helthy' is not a scenario; did you mean healthy? For example: ecr-probe demo healthy\n",
        ),
        (["--list=yes"], "--list: a switch takes no value"),
    ],
)
def test_usage(argv: list[str], sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert sentence in err


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize(
    "argv",
    [
        ["--all", "http://u:SENTINEL@h"],
        ["http://u:SENTINEL@h"],
        ["healthy", "--output", "http://u:SENTINEL@h/x"],
        ["healthy", "--http://u:SENTINEL@h"],
        ["healthy", "--format", "json", "--output", "http://u:SENTINEL@h/x"],
        ["healthy", "--image", "example.com//u:SENTINEL@h/x"],
    ],
)
def test_a_login_in_an_argument_is_not_repeated(argv: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("ecr-probe: ")
    assert "SENTINEL" not in err


@pytest.mark.usefixtures("checks")
def test_the_variable_of_a_flag_without_one_is_noted(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECR_PROBE_LIST", "1")
    assert main(["demo", "healthy"]) == 0
    note = "ECR_PROBE_LIST is not a variable of ecr-probe; --list is set on the command line only"
    assert capfd.readouterr().err == f"ecr-probe: {note}\n"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda _: None)
    assert main(["demo"]) == 2
    assert capfd.readouterr() == (
        "",
        "ecr-probe: the simulated VPC is not part of this installation, which lacks trustme, as the container image "
        "and the one-file build do; on a workstation, in a clone of the repository: make demo\n",
    )
