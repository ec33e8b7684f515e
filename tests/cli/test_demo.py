"""The demo's arguments, lines and exit codes, on scenarios of ours; the real ones have tests of their own."""

from __future__ import annotations

import json
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

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"


@dataclass(frozen=True)
class Told:
    name: str
    description: str = "something breaks. " * 12
    expected_findings: frozenset[str] = frozenset({"probe.bug"})
    expected_first_causes: Mapping[str, str] = field(default_factory=lambda: {"probe.bug": "other"})
    expected_status: str = "inconclusive"
    expected_pull: str = "unproven"
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


SCENARIOS = [
    Told("healthy"),
    Told(demo.SHOWN[1]),
    Told("other-status", expected_status="pass"),
    Told("other-cause", expected_first_causes={"probe.bug": "throttle"}),
    Told("other-finding", expected_findings=frozenset({"tcp.silent"}), expected_pull="works"),
]


@pytest.fixture(autouse=True)
def simulator(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Scenarios without a VPC; gives the arguments and variables that were handed on."""
    handed_on: list[tuple[str, ...]] = []

    def play(_scenario: Told, wanted: demo.Wanted, _stop: threading.Event) -> Verdict:
        handed_on.append((*wanted.arguments, *(f"{name}={text}" for name, text in wanted.variables.items())))
        return crash.broken(parse(["--image", IMAGE], {}), ValueError(), began=datetime.now(UTC))

    monkeypatch.setitem(sys.modules, "probe.sim.scenarios", SimpleNamespace(SCENARIOS=SCENARIOS))
    monkeypatch.setattr(demo, "play", play)
    return handed_on


def test_healthy_and_a_telling_failure(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("scenario healthy: something")
    assert f"scenario {demo.SHOWN[1]}: " in out
    assert err == ""
    assert out.count("as expected: inconclusive, probe.bug") == 2
    assert out.count("error[probe.bug]") == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("other-status", "status is inconclusive, expected pass"),
        ("other-cause", "first cause is other, expected throttle"),
        ("other-finding", "tcp.silent is missing; probe.bug is too much; pull is unproven"),
    ],
)
def test_not_as_told(name: str, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", name]) == 1
    out = capfd.readouterr().out
    assert "NOT as expected: " in out
    assert words in " ".join(out.split())


def test_a_report_for_a_program_stands_alone(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "healthy", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["schema_version"] == 1
    assert out.count("\n") == 1
    assert "scenario healthy" in err
    assert "as expected" in err


def test_all_counts(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--all"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[-1] == "2 of 5 scenarios matched"
    assert [line.split()[0] for line in lines[:-1]] == [one.name for one in SCENARIOS]
    assert "NOT AS EXPECTED" in lines[2]


def test_list_tells_all_and_runs_none(simulator: list[tuple[str, ...]], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--list"]) == 0
    out = capfd.readouterr().out
    assert all(f"{one.name}  " in out for one in SCENARIOS)
    assert max(map(len, out.splitlines())) <= 100
    assert simulator == []


def test_flags_of_check_are_handed_on(simulator: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_DEADLINE", "7")
    monkeypatch.setenv("ECR_PROBE_FORMAT", "text")
    assert main(["demo", "healthy", "--layers", "all", "--strict", "--controls", "--also=ssm", "--also", "kms"]) == 0
    flags = ("--layers=all", "--strict", "--controls", "--also=ssm", "--also=kms")
    assert simulator == [(*flags, "ECR_PROBE_DEADLINE=7")]


def test_variables_stand_below_the_scenarios_own_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_LAYERS", "all")
    monkeypatch.setenv("ECR_PROBE_STRICT", "yes")
    monkeypatch.setenv("ECR_PROBE_PLATFORM", "linux/arm64")
    wanted = demo.read(["healthy"])
    told: Any = Told("x", arguments=("--layers", "none"), environ={"ECR_PROBE_PLATFORM": "linux/386"})
    settings = demo._settings(told, wanted, {"AWS_REGION": "eu-west-1"})
    assert settings.layers is Layers.NONE
    assert settings.policy.strict
    assert settings.platform == "linux/386"
    assert settings.environment.region == "eu-west-1"


@pytest.mark.parametrize("argv", [["healthy", "--deadline", "x"], ["--all"], ["healthy"]])
def test_a_mistake_is_said_before_the_story(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECR_PROBE_DEADLINE", "soon")
    assert main(["demo", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--deadline (ECR_PROBE_DEADLINE)" in err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["helthy"], "did you mean healthy?"),
        (["--format", "json"], "name one"),
        (["--all", "--list"], "cannot be combined"),
        (["healthy", "--all"], "cannot be combined"),
        (["--all", "--format", "json"], "--all prints a line"),
        (["--list", "--pretty"], "--list prints a line"),
        (["healthy", "--pretty"], "--pretty (ECR_PROBE_PRETTY)"),
        (["healthy", "other"], "'other' is no argument of this command; for example ecr-probe demo healthy"),
        (["--list=yes"], "--list: a switch takes no value"),
    ],
)
def test_usage(argv: list[str], words: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda _: None)
    assert main(["demo"]) == 2
    assert capfd.readouterr() == (
        "",
        "ecr-probe: the simulated VPC is not part of this installation, which lacks trustme, as the container image "
        "and the one-file build do; on a workstation: pip install 'ecr-probe[demo]'\n",
    )
