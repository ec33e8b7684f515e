"""Commands, exit codes, and what goes to stdout and stderr."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import msgspec
import pytest

from probe import __version__, cli, crash
from probe.cli import main
from probe.config import outputs
from probe.config.settings import Reports, Settings, UsageError, parse
from probe.model import Status, Verdict
from probe.report.json import schema
from probe.smoke.progress import Progress

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"


def verdict_with(**changes: Any) -> Verdict:
    verdict = crash.broken(parse(["--image", IMAGE], {}), ValueError("sentinel"), began=datetime.now(UTC))
    return msgspec.structs.replace(verdict, **changes)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Replaces the real run: the new one returns or raises `outcome`, or calls it."""

    def replace(outcome: object) -> None:
        def once(settings: Settings, _wire: object, *, stop: threading.Event, **_: object) -> Verdict:
            result = outcome(settings, stop) if callable(outcome) and not isinstance(outcome, type) else outcome
            if isinstance(result, BaseException):
                raise result
            assert isinstance(result, Verdict)
            return result

        monkeypatch.setitem(sys.modules, "probe.run", SimpleNamespace(run=once))

    return replace


def python(*argv: str, code: str | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *argv] if code else [sys.executable, "-m", "probe", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, **options)


# ---- commands ------------------------------------------------------------------------------------


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capfd.readouterr().out == f"ecr-probe {__version__}\n"


def test_without_a_command_help_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "check" in err


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["chek"], "'chek' is not a command; did you mean check? For example: ecr-probe check --help\n"),
        (["metrics"], "'metrics' is not a command; use one of check, demo, "),
        (["--image", IMAGE], "unknown option '--image' before the command; for example ecr-probe check --image"),
        (["schema", "x"], "'x' is not a document; use one of verdict, fleet"),
        (["schema", "flet"], "did you mean fleet?"),
        (["schema", "fleet", "x"], "unknown argument 'x'; for example ecr-probe schema"),
        (["explain"], "FILE is missing"),
        (["explain", "-x"], "unknown argument '-x'; for example ecr-probe explain verdict.json"),
        (["explain", "/nonexistent"], "no such file"),
        (["explain", "verdict.jsn"], "no such file"),
        (["explain", "/"], "is a directory"),
        (["explain", "tcp.slient"], "is neither a file nor a code; did you mean tcp.silent?"),
        (["explain", "endpoint.missing.s4"], "did you mean endpoint.missing.s3? For example: ecr-probe explain"),
    ],
)
def test_usage(argv: list[str], sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert sentence in err


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["check", "--help"], ["demo", "--help"], ["schema"]])
def test_quick_answers_import_no_network_library(argv: list[str]) -> None:
    heavy = ("botocore", "requests", "urllib3", "dns", "cryptography", "rich", "prometheus_client")
    code = (
        f"import sys; from probe.cli import main; main(sys.argv[1:]); sys.exit(bool(set({heavy!r}) & set(sys.modules)))"
    )
    assert python(*argv, code=code).returncode == 0


def test_schema_is_a_schema(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capfd.readouterr().out) == json.loads(json.dumps(schema()))
    assert main(["schema", "fleet"]) == 0
    assert json.loads(capfd.readouterr().out) == json.loads(json.dumps(schema("fleet")))


# ---- check ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_that_of_the_verdict(
    code: int, run: Callable[[object], None], capfd: pytest.CaptureFixture[str]
) -> None:
    run(verdict_with(exit_code=code))
    assert main(["check", "--image", IMAGE, "--format", "json"]) == code
    out, err = capfd.readouterr()
    assert json.loads(out)["exit_code"] == code
    assert out.count("\n") == 1
    assert err == ""


@pytest.mark.parametrize(
    "error", [ValueError("sentinel"), KeyError("sentinel"), AssertionError(), SystemExit(7), RecursionError()]
)
def test_a_bug_is_reported_as_a_document(
    error: BaseException, run: Callable[[object], None], capfd: pytest.CaptureFixture[str]
) -> None:
    run(error)
    assert main(["check", "--image", IMAGE, "--format", "json"]) == 3
    out, err = capfd.readouterr()
    document = json.loads(out)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["status"] == "inconclusive"
    assert document["findings"][0]["code"] == "probe.bug"
    assert type(error).__name__ in document["steps"][0]["detail"]
    assert "Traceback" not in err
    assert "sentinel" not in out + err


def test_a_usage_error_of_the_plan_exits_2(run: Callable[[object], None], capfd: pytest.CaptureFixture[str]) -> None:
    run(UsageError("--image (ECR_PROBE_IMAGE) is needed"))
    assert main(["check", "--format", "json"]) == 2
    assert capfd.readouterr() == ("", "ecr-probe: --image (ECR_PROBE_IMAGE) is needed\n")


def test_nothing_on_stderr_is_a_log_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """`smoke` prints texts of AWS, or of a server that answers instead, during the run and when it gives up."""

    def smoke(*_: object, progress: Progress, **__: object) -> None:
        progress.note("a\n##[add-mask]the")
        raise UsageError("b\n::set-env name=x::y ##[set-env name=x;]y")

    monkeypatch.setattr("probe.smoke.command.Smoke", smoke)
    monkeypatch.setattr("probe.operator.aws.Account", lambda **_: None)
    assert main(["smoke", "--cluster", "main", "--service", "shop"]) == 2
    assert capfd.readouterr().err == (
        "ecr-probe: a #?[add-mask]the\necr-probe: b ::set-env name=x::y #?[set-env name=x;]y\n"
    )


def test_a_run_that_hangs_is_abandoned(run: Callable[[object], None], capfd: pytest.CaptureFixture[str]) -> None:
    run(lambda *_: threading.Event().wait())
    began = time.monotonic()
    assert main(["check", "--image", IMAGE, "--deadline", "0.1", "--format", "json"]) == 3
    assert time.monotonic() - began < crash.GRACE + 2
    assert "TimeoutError" in json.loads(capfd.readouterr().out)["steps"][0]["detail"]


def test_a_report_that_fails_is_replaced_by_the_bare_document(
    run: Callable[[object], None], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run(verdict_with())
    monkeypatch.setattr("probe.report.json.render", lambda *_: 1 / 0)
    assert main(["check", "--image", IMAGE, "--format", "json"]) == 3
    out, err = capfd.readouterr()
    assert json.loads(out)["schema_version"] == 1
    assert "ZeroDivisionError" in err
    assert "Traceback" not in err


def test_several_reports(run: Callable[[object], None], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(verdict_with())
    document, metrics = tmp_path / "v.json", tmp_path / "v.prom"
    argv = [
        "--format",
        "json",
        "--output",
        str(document),
        "--format",
        "prometheus",
        "--output",
        str(metrics),
        "--format",
        "text",
    ]
    assert main(["check", "--image", IMAGE, *argv]) == 3
    assert json.loads(document.read_text())["status"] == "inconclusive"
    assert "ecr_probe_build_info" in metrics.read_text()
    assert capfd.readouterr().out.startswith("error[probe.bug]")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.json", "v.prom"]


def test_a_misspelt_variable_is_noted_on_stderr(
    run: Callable[[object], None], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECR_PROBE_IMGE", IMAGE)
    run(verdict_with(exit_code=0, status=Status.PASS))
    assert main(["check", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)
    assert "ECR_PROBE_IMAGE?" in err


# ---- files ---------------------------------------------------------------------------------------


def test_a_login_in_the_name_of_a_file_that_was_not_written_is_not_repeated(tmp_path: Path) -> None:
    complaints: list[str] = []
    reports = Reports(outputs=(outputs.Output("json", f"{tmp_path}/http://u:SENTINEL@h/x"),))
    assert cli._deliver(verdict_with(), reports, complaints.append) == 2
    (complaint,) = complaints
    assert f"'{tmp_path}/http://[cut]@h/x' was not written: no such file or directory" in complaint


def test_a_file_is_replaced_atomically_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "v.json"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to(target)
    outputs.write_atomically(str(tmp_path / "link"), b"new")
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_new_file_is_readable_by_other_users(tmp_path: Path) -> None:
    outputs.write_atomically(str(tmp_path / "v"), b"new")
    assert (tmp_path / "v").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    broken: str,
    run: Callable[[object], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "v.json"
    target.write_text("old")
    run(verdict_with(exit_code=0))
    monkeypatch.setattr(os, broken, full)
    assert main(["check", "--image", IMAGE, "--format", "json", "--output", str(target)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "no space left" in err
    assert "--output (ECR_PROBE_OUTPUT)" in err
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_garbage_collection_is_off_during_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    collecting: list[bool] = []

    def deliver(*_: object, **__: object) -> int:
        collecting.append(gc.isenabled())
        return 0

    monkeypatch.setattr(crash, "verdict_in_any_case", lambda *_, **__: verdict_with())
    monkeypatch.setattr(cli, "_deliver", deliver)
    assert main(["check", "--image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1"]) == 0
    assert collecting == [False]
    assert gc.isenabled()
