"""--help: what each command does, examples that run, every flag, and the defaults that really apply."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from probe import demo
from probe.cli import RUNNERS, main
from probe.config.commands import COMMANDS, VERDICT_CODES, help_of, overview
from probe.config.flags import Flag
from probe.config.listen import address
from probe.config.readers import ALSO, ENDPOINTS, duration, duration_text
from probe.config.settings import arguments_of, parse, read_reports
from probe.deploy import options as deploy
from probe.inspect import options as inspect
from probe.model import Layers
from probe.records import replace
from probe.report import FLEET_FORMATS, FORMATS
from probe.serve import options as sidecar
from probe.smoke import options as smoke

WHERE = ("--subnets", "subnet-0a1b2c3d", "--security-groups", "sg-0a1b2c3d")


def text_of(command: str) -> str:
    return " ".join(help_of(command, 100).split())


# ---- form ----------------------------------------------------------------------------------------


def test_every_command_has_help_and_runs() -> None:
    assert RUNNERS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_begins_with_what_the_command_does(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    out, err = capfd.readouterr()
    assert (out, err) == (help_of(name, 100), "")
    first = out.splitlines()[0]
    assert first.lower() == f"{COMMANDS[name].effect.lower()}."
    assert first[0].isupper()


@pytest.mark.parametrize("argv", [["help"], ["--help"], ["-h"], ["help", "nonsense"]])
def test_help_of_the_program(argv: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    assert capfd.readouterr() == (overview(100), "")


@pytest.mark.parametrize("argv", [["help", "smoke"], ["--help", "smoke"], ["smoke", "-h"], ["smoke", "-v", "--help"]])
def test_help_of_a_command_may_be_asked_for_in_several_ways(argv: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    assert capfd.readouterr() == (help_of("smoke", 100), "")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("width", [60, 80, 100])
def test_lines_fit_and_break_between_words_only(name: str, width: int) -> None:
    text = help_of(name, width)
    assert text.split() == help_of(name, 10_000).split()
    for line in text.splitlines():
        assert len(line) <= width or len(line.split()) == 1 or line.startswith("  ecr-probe ")
    assert max(map(len, help_of(name, 80).splitlines())) <= 80


def test_the_overview_lists_every_command() -> None:
    for width in (60, 80):
        text = overview(width)
        assert text.split() == overview(10_000).split()
        assert max(map(len, text.splitlines())) <= width
    rows = [line.strip() for line in overview(10_000).splitlines()]
    for name, command in COMMANDS.items():
        assert any(re.fullmatch(rf"{name} +{re.escape(command.effect)}", row) for row in rows)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_shown_with_its_variable_and_default(name: str) -> None:
    text = text_of(name)
    for flag in COMMANDS[name].flags:
        label = f"--{flag.name}" if flag.on_command_line else f"{flag.variable}={flag.metavar}"
        assert f"{label}[=" in text if flag.bare else f"{label} " in text
        if flag.has_variable:
            origin = flag.variable if flag.on_command_line else "by variable only"
            assert f"[{origin}; default: {flag.default_text}]" in text


def test_flags_with_a_list_of_values_show_all_of_them() -> None:
    check, fleet = text_of("check"), text_of("smoke")
    assert all(value in check for value in (*ALSO, *ENDPOINTS, *FORMATS, *Layers))
    assert all(value in fleet for value in FLEET_FORMATS)


@pytest.mark.parametrize("name", ["check", "demo", "explain", "smoke"])
def test_exit_codes_of_a_verdict_are_shown(name: str) -> None:
    assert VERDICT_CODES in text_of(name)


@pytest.mark.parametrize("name", ["check", "demo", "explain", "health", "serve", "smoke", "schema"])
def test_the_codes_of_other_results_are_shown(name: str) -> None:
    assert re.search(r"exit codes: 0.*\b2 usage", text_of(name))


# ---- examples ------------------------------------------------------------------------------------

EXAMPLES = [example for command in COMMANDS.values() for example in command.examples]
READERS: dict[str, Callable[[Sequence[str]], object]] = {
    "check": parse,
    "demo": demo.read,
    "health": lambda argv: arguments_of("health", argv),
    "serve": sidecar.read,
    "smoke": smoke.read_options,
    "inspect": inspect.read_options,
    "up": deploy.read_up_options,
    "down": deploy.read_down_options,
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run_as_they_are(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name, *argv = shlex.split(example)
    if name in READERS:
        READERS[name](argv)
        return
    assert main(["demo", "healthy", "--format", "json", "--output", "verdict.json"]) == 0
    assert main([name, *argv]) == 0


def test_every_flag_with_a_value_has_an_example() -> None:
    for command in COMMANDS.values():
        assert all(bool(flag.example) == bool(flag.metavar) for flag in command.flags)


# ---- defaults ------------------------------------------------------------------------------------


def checked(argv: Sequence[str]) -> object:
    return parse(argv, {}, started=0.0)


def served(argv: Sequence[str]) -> object:
    options = sidecar.read(argv)
    return replace(options, check=replace(options.check, started=0.0))


def shown(argv: Sequence[str]) -> object:
    """What `demo` runs: its reports, and the settings of the check, or the options of the sidecar."""
    request = demo.read(argv if "--serve" in argv else ["healthy", *argv])
    if request.sidecar is not None:
        return replace(request.sidecar, check=replace(request.sidecar.check, started=0.0))
    settings = demo._settings(request.scenarios[0], request, {})
    return replace(settings, started=0.0), request.reports


def smoked(argv: Sequence[str]) -> object:
    return without_arguments(smoke.read_options([*WHERE, *argv], {}))


def deployed(argv: Sequence[str]) -> object:
    options = deploy.read_up_options([*WHERE, *argv], {})
    return {**without_arguments(options), "smoke": without_arguments(options.smoke), "repository_is_typed": None}


def removed(argv: Sequence[str]) -> object:
    return without_arguments(deploy.read_down_options(argv, {}))


def without_arguments(options: Any) -> dict[str, Any]:
    return {name: getattr(options, name) for name in type(options).__struct_fields__ if name != "arguments"}


def explained(argv: Sequence[str]) -> object:
    return read_reports(arguments_of("explain", argv))


def healthy(argv: Sequence[str]) -> object:
    return arguments_of("health", argv).value_or_default("listen", address)


USED: dict[str, Callable[[Sequence[str]], object]] = {
    "check": checked,
    "serve": served,
    "demo": shown,
    "smoke": smoked,
    "explain": explained,
    "inspect": lambda argv: read_reports(arguments_of("inspect", argv)),
    "health": healthy,
    "up": deployed,
    "down": removed,
}
DEFAULTS = [(name, flag) for name, command in COMMANDS.items() for flag in command.flags if flag.default]


@pytest.mark.parametrize(("name", "flag"), DEFAULTS, ids=[f"{name}-{flag.name}" for name, flag in DEFAULTS])
def test_the_default_shown_is_the_value_used(name: str, flag: Flag) -> None:
    serving = ("--serve",) if flag.name in ("interval", "listen") and name == "demo" else ()
    assert USED[name]([*serving, f"--{flag.name}", flag.default]) == USED[name](serving)


def test_every_command_with_flags_has_a_value_to_compare() -> None:
    assert {name for name, _ in DEFAULTS} == set(USED)


# The command, arguments, the flag, and a value that its default has with these arguments; help shows it as a note.
NOTES = [
    ("check", ("--layers", "all"), "deadline", "15m"),
    ("serve", ("--layers", "all"), "deadline", "15m"),
    ("demo", ("--layers", "all"), "deadline", "15m"),
    ("demo", ("--serve",), "layer-bytes", "1MiB"),
]


@pytest.mark.parametrize(("name", "argv", "flag", "value"), NOTES)
def test_notes_on_defaults_are_true(name: str, argv: tuple[str, ...], flag: str, value: str) -> None:
    assert USED[name](argv) == USED[name]([*argv, f"--{flag}", value])
    condition = " ".join(argv)
    (note,) = [row.note for row in COMMANDS[name].flags if row.name == flag]
    assert f"{value} with {condition}" in note


def budget(command: str, *argv: str) -> Any:
    options: Any = USED[command](argv)
    return (options if command == "check" else options.check).budget


def test_limits_that_follow_other_limits() -> None:
    assert budget("check", "--deadline", "2s").connect == 2.0
    assert "never longer than --deadline" in text_of("check")
    assert budget("serve", "--interval", "6s").deadline == 6.0
    assert "--interval if that is shorter" in text_of("serve")
    assert budget("serve", "--interval", "6s").connect == 2.0
    assert budget("serve", "--interval", "9s").connect == budget("serve", "--interval", "1h").connect == 3.0
    assert budget("serve", "--interval", "6s", "--deadline", "6s").connect == 3.0
    assert "a third of --interval if that is shorter and --deadline is not set" in text_of("serve")
    assert budget("demo", "--serve", "--interval", "6s").connect == 2.0
    assert "with --serve, a third of --interval if that is shorter" in text_of("demo")
    assert budget("demo", "--serve").deadline == 10.0
    assert "with --serve, --interval if that is shorter" in text_of("demo")


def test_the_timeout_of_smoke_follows_the_wait() -> None:
    options = smoke.read_options([*WHERE, "--wait-until-pass", "1h"], {})
    assert options.timeout == 3600 + duration(0, 1e6)("5m")
    assert f"{duration_text(smoke.LAST_TRY)} more than --wait-until-pass" in text_of("smoke")


def test_a_sidecar_prints_no_report_by_itself(tmp_path: Path) -> None:
    in_demo = demo.read(["--serve"]).sidecar
    assert in_demo is not None
    assert sidecar.read([]).outputs == in_demo.outputs == ()
    assert "with --serve, no report unless --format or --output is set" in text_of("demo")
    assert [output.format for output in sidecar.read(["--output", str(tmp_path / "v")]).outputs] == ["text"]
    assert "default: no report unless --format or --output is set" in text_of("serve")


@pytest.mark.parametrize("argv", [(), ("--serve",)])
def test_demo_helps_with_every_flag_that_it_takes(argv: tuple[str, ...]) -> None:
    names = {flag.name for flag in COMMANDS["demo"].flags}
    assert {"list", "all", "exit-code", "serve", "drill", "interval", "listen", "compat-blackbox"} <= names
    assert names >= {flag.name for flag in COMMANDS["serve"].flags}
    assert demo.read(["healthy", *argv]).scenarios[0].name == "healthy"


def test_json_of_a_demo_is_pretty_only_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "healthy", "--format", "json"]) == 0
    out = capfd.readouterr().out
    assert json.loads(out)
    assert out.count("\n") == 1
    assert "default: only on a terminal" in text_of("demo")


@pytest.mark.parametrize(
    ("columns", "longest"), [("", 100), ("0", 100), ("wide", 100), ("9", 60), ("72", 72), ("999", 160)]
)
def test_columns_sets_the_width_of_a_pipe(
    columns: str, longest: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["check", "--help"]) == 0
    assert capfd.readouterr().out == help_of("check", longest)
    assert main(["demo", "--list", "healthy"]) == 0
    assert max(map(len, capfd.readouterr().out.splitlines())) <= longest
