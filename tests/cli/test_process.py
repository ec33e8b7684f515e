"""The whole process: signals, hanging threads, closed pipes and streams, and terminals."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import pty
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from probe import cli

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"

# A process with a run of the test's own: `BODY` can use settings, stop and verdict, which is then returned.
PROCESS = """
import sys, threading, time
from datetime import UTC, datetime
from types import SimpleNamespace
from probe import crash
from probe.cli import main
def once(settings, wire, *, progress, stop):
    verdict = crash.broken(settings, ValueError(), began=datetime.now(UTC))
    BODY
    return verdict
sys.modules["probe.run"] = SimpleNamespace(run=once)
sys.argv = ["ecr-probe", "check", "--image", "IMAGE", "--format", "json"]
main()
""".replace("IMAGE", IMAGE)


def process(body: str, **options: Any) -> subprocess.Popen[str]:
    code = PROCESS.replace("BODY", body)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_the_document_is_printed(number: signal.Signals) -> None:
    running = process('print("ready", file=sys.stderr, flush=True); stop.wait()')
    assert running.stderr is not None
    assert running.stderr.readline() == "ready\n"
    running.send_signal(number)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 3
    assert json.loads(out)["schema_version"] == 1
    assert err == ""


def test_a_run_that_ignores_the_signal_is_abandoned() -> None:
    running = process('print("ready", file=sys.stderr, flush=True); threading.Event().wait()')
    assert running.stderr is not None
    assert running.stderr.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=20)
    assert running.returncode == 3
    assert json.loads(out)["schema_version"] == 1


def test_a_second_signal_ends_immediately() -> None:
    write = 'print("{}", file=sys.stderr, flush=True)'
    together = "from probe import signals; signals.TOGETHER = 0"
    body = f"{together}; {write.format('ready')}; stop.wait(); {write.format('stopping')}; threading.Event().wait()"
    running = process(body)
    assert running.stderr is not None
    assert running.stderr.readline() == "ready\n"
    running.send_signal(signal.SIGINT)
    assert running.stderr.readline() == "stopping\n"
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=20)
    assert running.returncode == 130
    assert out == ""


def test_two_signals_at_the_same_time_count_as_one() -> None:
    running = process('print("ready", file=sys.stderr, flush=True); stop.wait()')
    assert running.stderr is not None
    assert running.stderr.readline() == "ready\n"
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (3, "")
    assert json.loads(out)


# While a thread starts and the event is locked, and when no further thread can start.
BUSY = """
import signal, threading
from probe.signals import Stop, stop_on_signals
stop = Stop()
with stop_on_signals(stop):
    threading._start_new_thread = None
    with threading._active_limbo_lock, stop._cond:
        signal.raise_signal(signal.SIGTERM)
    stop.wait()
print("over")
"""


def test_a_signal_needs_no_lock_and_no_thread() -> None:
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stdout) == (0, "over\n")


HANGUPS = """
import signal, threading
from probe import signals
signals.TOGETHER = -1  # each further signal is a second one
stop = signals.Stop()
with signals.stop_on_signals(stop):
    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
        signal.raise_signal(number)
    threading.Event().wait()
"""


def test_a_further_hangup_does_not_end_it_and_a_second_signal_does() -> None:
    """A terminal that closes sends several."""
    done = subprocess.run([sys.executable, "-c", HANGUPS], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")


def test_a_signal_during_imports_still_prints_a_document() -> None:
    code = (
        PROCESS.replace("BODY", "stop.wait()")
        .replace(
            "import sys, threading, time",
            "import builtins, os, signal, sys, threading, time; real = builtins.__import__\n"
            "def early(name, *rest, **options):\n"
            "    if name == 'probe.config.flags' and sys.argv[1:2] == ['check']:\n"
            "        builtins.__import__ = real; os.kill(os.getpid(), signal.SIGTERM)\n"
            "    return real(name, *rest, **options)",
        )
        .replace("\nmain()", "\nbuiltins.__import__ = early; main()")
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout)["schema_version"] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_prints_its_document(number: signal.Signals) -> None:
    argv = [sys.executable, "-m", "probe", "demo", "security-group", "--format", "json"]
    running = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert running.stderr.readline().startswith("scenario security-group")
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + number, err
    document = json.loads(out)
    assert document["interrupted"] is True
    assert "probe.bug" not in {finding["code"] for finding in document["findings"]}
    assert "interrupted; scenario not checked" in err


# Counts the imports of our own modules, and sends the signal before the import with this number.
EARLY = """
import builtins, os, signal, sys
from probe.signals import end_quietly_on_ctrl_c
end_quietly_on_ctrl_c()
real, left = builtins.__import__, [AT]
def importing(name, *rest, **options):
    if name.startswith("probe."):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest, **options)
builtins.__import__ = importing
from probe.cli import main
sys.argv = ["ecr-probe", "demo", "healthy"]
main()
"""


@pytest.mark.parametrize("at", [1, 2, 5, 15, 40, 80])
def test_an_early_ctrl_c_never_exits_with_0(at: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY.replace("AT", str(at))], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in done.stderr
    assert done.returncode < 0 or "interrupted; scenario not checked" in done.stdout


def test_a_run_that_hangs_after_a_signal_is_reported_as_interrupted() -> None:
    together = "crash.GRACE_AFTER_SIGNAL = 0.2"
    running = process(f'{together}; print("ready", file=sys.stderr, flush=True); threading.Event().wait()')
    assert running.stderr is not None
    assert running.stderr.readline() == "ready\n"
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 3
    document = json.loads(out)
    assert document["interrupted"] is True
    assert [finding["code"] for finding in document["findings"]] == ["probe.deadline"]
    assert "interrupted" in document["findings"][0]["title"]


def test_hanging_threads_do_not_keep_the_process_alive() -> None:
    began = time.monotonic()
    running = process("threading.Thread(target=threading.Event().wait).start()")
    out, err = running.communicate(timeout=20)
    assert running.returncode == 3
    assert json.loads(out)
    assert err == ""
    assert time.monotonic() - began < 15


def test_a_closed_pipe_does_not_change_the_exit_code() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        code = PROCESS.replace("BODY", "pass")
        done = subprocess.run([sys.executable, "-c", code], stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "")


def test_a_full_disk_is_reported() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "probe", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "ecr-probe: stdout cannot be written: no space left on device\n"


def test_stdout_may_be_closed() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m probe --version >&-"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", [f"check --image {IMAGE} --deadline 1", "demo healthy", "explain -"])
def test_a_report_to_a_closed_stdout_is_refused_before_the_work(command: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m probe {command} >&- </dev/null"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ecr-probe: stdout is closed; write the report to a file with --output")


def test_a_file_is_written_even_if_every_stream_is_closed(tmp_path: Path) -> None:
    target = tmp_path / "v.json"
    code = PROCESS.replace("BODY", "import os; [os.fstat(number) for number in (0, 1, 2)]")
    code = code.replace('"json"]', f'"json", "--output", {str(target)!r}]')
    done = subprocess.run(["sh", "-c", f"{sys.executable} -c {shlex.quote(code)} <&- >&- 2>&-"], check=False)
    assert done.returncode == 3
    assert json.loads(target.read_text())["findings"][0]["values"]["detail"] == "ValueError"


def test_a_closed_stdin_is_reported() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m probe explain - <&-"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "ecr-probe: standard input cannot be read: it is closed; for example ecr-probe explain verdict.json\n"
    )


@pytest.mark.parametrize(("columns", "longest"), [(0, 100), (70, 70), (200, 120)])
def test_prose_follows_the_width_of_the_terminal(columns: int, longest: int) -> None:
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    with os.fdopen(leader, "rb") as screen, os.fdopen(follower, "wb") as terminal:
        argv = [sys.executable, "-m", "probe", "demo", "--list"]
        with subprocess.Popen(argv, stdout=terminal, stderr=subprocess.DEVNULL) as running:
            lines = [screen.readline() for _ in range(100)]
            running.kill()  # it may wait for its output to be read
    assert longest - 15 < max(len(line.decode().rstrip()) for line in lines) <= longest


def test_an_ascii_terminal_gets_ascii() -> None:
    code = PROCESS.replace("BODY", "pass").replace('"json"]', '"text"]')
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env={"PYTHONIOENCODING": "ascii"}, check=False
    )
    assert done.returncode == 3
    assert done.stdout.isascii()
    assert done.stdout


def test_the_environment_forces_and_refuses_colour() -> None:
    code = PROCESS.replace("BODY", "pass").replace('"json"]', '"text"]')
    for environ, coloured in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ, check=False)
        assert (b"\x1b[1;31m" in done.stdout) is coloured


def full_pipe() -> tuple[int, int]:
    """A pipe into which nothing more fits, because its reader does not read."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    return reader, writer


@pytest.mark.parametrize("together", [False, True], ids=["stdout", "stdout and stderr"])
def test_a_reader_that_never_reads_does_not_keep_the_process_beyond_its_deadline(
    tmp_path: Path, *, together: bool
) -> None:
    reader, writer = full_pipe()
    saved = tmp_path / "verdict.json"
    reports = ("--format", "json", "--output", str(saved), "--format", "text", "--output", "-")
    command = [sys.executable, "-m", "probe", "check", "--image", IMAGE, "--deadline", "2", *reports]
    try:
        running = subprocess.Popen(command, stdout=writer, stderr=writer if together else subprocess.PIPE, text=True)
        _, err = running.communicate(timeout=60)
    finally:
        os.close(reader)
        os.close(writer)
    assert running.returncode == json.loads(saved.read_bytes())["exit_code"]
    assert together or "stdout was not read until the deadline" in err


def test_a_document_longer_than_a_pipe_arrives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    text, received = "é" * 300_000, bytearray()

    def read() -> None:
        while part := os.read(reader, 1 << 20):
            received.extend(part)

    reading = threading.Thread(target=read)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        reading.start()
        assert cli._print(text, until=time.monotonic() + 60) == 0
    reading.join(60)
    os.close(reader)
    assert received.decode() == text


def test_a_shortage_before_the_run_is_not_called_a_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_argv: object, _stop: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setitem(cli.RUNNERS, "check", cli.Runner(refuse))
    assert cli.main(["check"]) == 2
    assert "this process is out of file descriptors, memory or threads" in capsys.readouterr().err
