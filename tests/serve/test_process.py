"""The sidecar as a process: signals, streams that are not read, its health check, and wrong options."""

from __future__ import annotations

import base64
import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from probe.cli import main
from probe.config.listen import Address, address
from probe.serve.page import REHEARSAL
from tests.serve.clients import SOON, connect, everything, get, read, request

PASSWORD = "correct-horse:battery"
LAST = 10.0  # seconds within which it ends, also on a busy machine
ENVIRON = {name: text for name, text in os.environ.items() if name in ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR")}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: the path of a UNIX socket has a length limit."""
    with tempfile.TemporaryDirectory(prefix="probe-") as path:
        yield Path(path)


@pytest.fixture
def there(folder: Path) -> Address:
    return Address(str(folder / "s"), 0)


class Sidecar:
    """A process and the lines of its log, each of which is a JSON object."""

    def __init__(self, argv: list[str], *, stdout: Any = subprocess.PIPE, **environ: str) -> None:
        command = [sys.executable, "-m", "probe", *argv]
        self.process = subprocess.Popen(
            command, stdout=stdout, stderr=subprocess.PIPE, text=True, env={**ENVIRON, **environ}
        )
        self.lines: list[str] = []
        self._new: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            with suppress(ValueError):
                self._new.put(json.loads(line))
        self._new.put(None)

    def until(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait for a line with this event, at most SOON seconds in all."""
        until = time.monotonic() + SOON
        while True:
            line = self._new.get(timeout=max(0.0, until - time.monotonic()))
            assert line is not None, self.lines
            times -= line["event"] == event
            if not times:
                return line

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal; returns the seconds until the process ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(SOON) == 0, self.lines
        self._reader.join(SOON)
        return time.monotonic() - began

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(SOON)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines]


@contextmanager
def demo(*argv: str, **options: Any) -> Iterator[Sidecar]:
    sidecar = Sidecar(["demo", "--serve", *argv], **options)
    try:
        yield sidecar
    finally:
        sidecar.close()


def health(**environ: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "probe", "health"]
    done = subprocess.run(
        command, env={**ENVIRON, **environ}, capture_output=True, text=True, check=False, timeout=SOON
    )
    return done.returncode, done.stdout + done.stderr


@contextmanager
def free_port() -> Iterator[Address]:
    """A port that stays reserved until something listens on it."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield Address("127.0.0.1", reserved.getsockname()[1])


def full_pipe() -> tuple[int, int]:
    """A pipe that is full."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    for size in (65536, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(write_end, b"x" * size)
    os.set_blocking(write_end, True)
    return read_end, write_end


# ---- from start to end -----------------------------------------------------------------------------------------------


def test_from_its_first_round_to_its_end(there: Address, folder: Path) -> None:
    report = folder / "probe.prom"
    argv = [
        "fault-injection",
        "--listen",
        str(there),
        "--interval",
        "1",
        "--deadline",
        "20",
        "--format",
        "prometheus",
        "--output",
        str(report),
    ]
    base = "https://docs.example.com/findings"
    with demo(*argv, ECR_PROBE_RUNBOOK_BASE=base) as sidecar:
        assert sidecar.until("listening")["address"] == str(there)
        first = sidecar.until("round")
        assert first["status"] == "pass"
        assert sidecar.events[:2] == ["listening", "rehearsal"]
        assert get(there, "/-/ready").code == 200
        assert health(ECR_PROBE_LISTEN=str(there)) == (0, "healthy\n")
        verdict = json.loads(get(there, "/verdict").body)
        assert (verdict["status"], verdict["plan"]["budget"]["retries"]) == ("pass", 0)
        assert {finding["url"] for finding in verdict["findings"]} == {
            f"{base}/{finding['code']}" for finding in verdict["findings"]
        }
        metrics = get(there, "/metrics").body
        assert b"ecr_probe_pull_success 1.0" in metrics
        assert b"ecr_probe_interval_seconds 1.0" in metrics
        assert REHEARSAL.encode() in get(there, "/").body
        assert eventually(report.exists)
        before = report.read_text()
        assert "ecr_probe_pull_success 1.0" in before
        assert eventually(lambda: report.read_text() != before), "written again after each round"
        sidecar.until("round", 2)
        assert len(json.loads(get(there, "/history").body)["rounds"]) >= 3
        assert sidecar.end() < LAST
        assert sidecar.events[-1] == "stopped"
        assert sidecar.events.count("finding") == 1, "a finding that stays is logged once"
        assert sidecar.process.stdout is not None
        assert sidecar.process.stdout.read() == "", "no report goes to stdout unless it is asked for"
    assert not Path(there.host).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_round_of_silence(number: signal.Signals, there: Address) -> None:
    with demo("security-group", "--listen", str(there), "--interval", "60", "--connect-timeout", "20") as sidecar:
        sidecar.until("listening")
        assert get(there, "/-/ready").code == 503
        assert get(there, "/-/healthy").code == 200
        assert get(there, "/verdict").code == 503
        assert sidecar.end(number) < LAST
        assert sidecar.events == ["listening", "rehearsal", "stopped"]


# Runs the sidecar and sends it a signal at the import of a module.
INTERRUPTED_IMPORT = """
import builtins, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell inherits that it is ignored
module, number, *sys.argv[1:] = sys.argv[1:]
real = builtins.__import__
def interrupted(name, *rest, **options):
    if name == module:
        builtins.__import__ = real
        os.kill(os.getpid(), int(number))
    return real(name, *rest, **options)
from probe.__main__ import run
builtins.__import__ = interrupted
run()
"""


def interrupted_import(module: str, number: signal.Signals, there: Address) -> subprocess.CompletedProcess[str]:
    serve = ["demo", "--serve", "healthy", "--listen", str(there)]
    command = [sys.executable, "-c", INTERRUPTED_IMPORT, module, str(int(number)), *serve]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRON, timeout=SOON, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("module", ["probe.config.flags", "probe.serve.sidecar", "probe.sim.vpc", "jinja2", "waitress"])
def test_a_signal_during_the_imports_is_an_orderly_end(module: str, number: signal.Signals, there: Address) -> None:
    done = interrupted_import(module, number, there)
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert (done.returncode, events) == (0, ["listening", "rehearsal", "stopped"])
    assert not Path(there.host).exists()


@pytest.mark.parametrize(
    ("module", "number", "code"),
    [
        ("signal", signal.SIGINT, 130),
        ("signal", signal.SIGTERM, -signal.SIGTERM),
        ("probe.cli", signal.SIGINT, -signal.SIGINT),
        ("probe.cli", signal.SIGTERM, -signal.SIGTERM),
    ],
)
def test_a_signal_before_the_first_import_ends_the_process_silently(
    module: str, number: signal.Signals, code: int, there: Address
) -> None:
    done = interrupted_import(module, number, there)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_round_can_be_requested_and_scrapes_before_a_signal_are_answered(there: Address) -> None:
    with demo("healthy", "--listen", str(there), "--interval", "3600") as sidecar:
        sidecar.until("round")
        with connect(there) as connection:
            connection.sendall(request("/-/run", method="POST"))
            assert read(everything(connection)).code == 202
        assert sidecar.until("round")["round"] == 2
        with ExitStack() as stack:
            scrapes = [stack.enter_context(connect(there)) for _ in range(20)]
            for scrape in scrapes:
                scrape.sendall(request())
            sidecar.process.send_signal(signal.SIGTERM)
            assert {read(everything(scrape)).code for scrape in scrapes} == {200}
        assert sidecar.process.wait(SOON) == 0


def test_without_an_image_it_serves_and_names_the_misconfiguration(there: Address) -> None:
    """The real command, outside a task: no packet is sent."""
    sidecar = Sidecar(["serve", "--listen", str(there), "--interval", "1", "--deadline", "20"])
    try:
        assert "--image" in sidecar.until("misconfigured")["message"]
        assert get(there, "/-/healthy").code == 200
        assert get(there, "/-/ready").code == 503
        assert get(there, "/verdict").code == 503
        assert b"ecr_probe_config_valid 0.0" in get(there, "/metrics").body
        assert health(ECR_PROBE_LISTEN=str(there))[0] == 0
        assert sidecar.end() < LAST
        assert sidecar.events.count("misconfigured") == 1
    finally:
        sidecar.process.kill()
        sidecar.process.communicate()


# ---- streams ---------------------------------------------------------------------------------------------------------


@contextmanager
def blocked(stream: str, there: Address, report: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes to a pipe that is full and not read."""
    read_end, write_end = full_pipe()
    argv = [
        "demo",
        "--serve",
        "healthy",
        "--listen",
        str(there),
        "--interval",
        "1",
        "--deadline",
        "20",
        "--format",
        "text",
    ]
    argv += ["--format", "json", "--output", str(report)]
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: write_end}
    with subprocess.Popen([sys.executable, "-m", "probe", *argv], env=ENVIRON, **streams) as process:
        os.close(write_end)
        try:
            yield process
        finally:
            process.kill()
            os.close(read_end)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_pipe_that_is_not_read_delays_neither_rounds_nor_the_end(stream: str, there: Address, folder: Path) -> None:
    report = folder / "verdict.json"
    with blocked(stream, there, report) as process:
        assert wait_for_rounds(there, 2)
        assert eventually(lambda: json.loads(report.read_bytes())["status"] == "pass")
        process.send_signal(signal.SIGTERM)
        assert process.wait(LAST) == 0


def wait_for_rounds(there: Address, number: int) -> bool:
    return eventually(lambda: len(json.loads(get(there, "/history").body)["rounds"]) >= number)


def eventually(true: Callable[[], bool]) -> bool:
    """Poll a condition that no log line reports. An OSError counts as False."""
    until, pause = time.monotonic() + SOON, threading.Event()
    while time.monotonic() < until:
        with suppress(OSError):
            if true():
                return True
        pause.wait(0.05)
    return False


def test_a_closed_pipe_stops_nothing(there: Address) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with demo(
        "healthy", "--listen", str(there), "--interval", "1", "--deadline", "20", "--format", "json", stdout=write_end
    ) as sidecar:
        os.close(write_end)
        sidecar.until("round", 2)
        assert sidecar.end() < LAST


def test_a_closed_stdout_matters_only_to_reports(there: Address) -> None:
    shell = f'exec {sys.executable} -m probe demo --serve healthy --listen {there} "$@" >&-'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", "--format", "json"], env=ENVIRON, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ecr-probe: stdout is closed")
    with subprocess.Popen(["sh", "-c", shell, "sh"], env=ENVIRON, stderr=subprocess.DEVNULL) as process:
        try:
            assert wait_for_rounds(there, 1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(SOON) == 0
        finally:
            process.kill()


def test_reports_on_stdout_are_whole(there: Address) -> None:
    with demo("healthy", "--listen", str(there), "--interval", "1", "--deadline", "20", "--format", "json") as sidecar:
        assert sidecar.process.stdout is not None
        documents = [json.loads(sidecar.process.stdout.readline()) for _ in range(2)]
        assert {document["status"] for document in documents} == {"pass"}
        assert len({document["started_at"] for document in documents}) == 2
        assert sidecar.end() < LAST


def test_a_report_that_cannot_be_written_is_logged_once(there: Address, folder: Path) -> None:
    place, away = folder / "reports", folder / "away"
    place.mkdir()
    argv = ["healthy", "--listen", str(there), "--interval", "1", "--deadline", "20", "--format", "text"]
    argv += ["--format", "json", "--output", str(place / "verdict.json")]
    with open("/dev/full", "w") as full, demo(*argv, stdout=full) as sidecar:
        first = sidecar.until("report-failed")
        assert (first["level"], "stdout cannot be written: no space left" in first["message"]) == ("error", True)
        place.rename(away)
        second = sidecar.until("report-failed")
        assert f"'{place}/verdict.json' was not written: no such file or directory" in second["message"]
        sidecar.until("round", 2)
        away.rename(place)
        sidecar.until("round", 2)
        assert sidecar.end() < LAST
        assert sidecar.events.count("report-failed") == 2


def test_reports_that_can_be_written_again_are_logged_once(there: Address, folder: Path) -> None:
    place, away = folder / "reports", folder / "away"
    place.mkdir()
    argv = ["--listen", str(there), "--interval", "1", "--deadline", "20", "--output", str(place / "verdict.txt")]
    with demo("healthy", *argv) as sidecar:
        sidecar.until("round")
        place.rename(away)
        sidecar.until("report-failed")
        away.rename(place)
        sidecar.until("report-written")
        sidecar.until("round", 2)
        assert sidecar.end() < LAST
        assert (sidecar.events.count("report-failed"), sidecar.events.count("report-written")) == (1, 1)


def test_metrics_for_cloudwatch_come_after_each_round(there: Address) -> None:
    """Every line on stdout is one that CloudWatch reads."""
    argv = ["healthy", "--listen", str(there), "--interval", "1", "--deadline", "20", "--format", "emf"]
    with demo(*argv) as sidecar:
        assert sidecar.process.stdout is not None
        rounds: list[Any] = []
        while len(rounds) < 2:
            line = json.loads(sidecar.process.stdout.readline())
            assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "EcrProbe"
            rounds += [line] if "PullSuccess" in line else []
        assert [document["PullSuccess"] for document in rounds] == [1, 1]
        assert rounds[0]["_aws"]["Timestamp"] < rounds[1]["_aws"]["Timestamp"]
        assert sidecar.end() < LAST


# ---- clients ---------------------------------------------------------------------------------------------------------


def test_clients_that_never_finish_delay_no_round(there: Address) -> None:
    with (
        demo("healthy", "--listen", str(there), "--interval", "1", "--deadline", "20") as sidecar,
        ExitStack() as stack,
    ):
        first = sidecar.until("round")
        for _ in range(200):
            stack.enter_context(connect(there)).sendall(request()[:-2])
        later = sidecar.until("round", 3)
        assert later["round"] == first["round"] + 3
        assert later["status"] == "pass"
        assert get(there, "/-/healthy").code == 200
        assert sidecar.end() < LAST


def test_over_tls_with_a_password_and_no_secret_anywhere(folder: Path) -> None:
    authority, certificate = trustme.CA(), folder / "tls.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    variables = {
        "ECR_PROBE_TLS_CERTIFICATE": str(certificate),
        "ECR_PROBE_BASIC_AUTH": f"prometheus:{PASSWORD}",
        "ECR_PROBE_INTERVAL": "1",
        "ECR_PROBE_DEADLINE": "20",
    }
    encoded = base64.b64encode(f"prometheus:{PASSWORD}".encode()).decode()
    shown = []
    with (
        free_port() as there,
        demo("s3-endpoint-policy", "--listen", str(there), "--format", "json", **variables) as sidecar,
    ):
        sidecar.until("round")
        assert health(ECR_PROBE_LISTEN=str(there), ECR_PROBE_TLS_CERTIFICATE=str(certificate)) == (0, "healthy\n")
        code, output = health(ECR_PROBE_LISTEN=str(there))
        assert code == 1
        assert "Traceback" not in output
        assert get(there, "/-/healthy", tls=context).code == 200
        for path in ("/", "/metrics", "/verdict", "/history"):
            assert get(there, path, tls=context).code == 401
            answer = get(there, path, f"Authorization: Basic {encoded}", tls=context)
            assert answer.code == 200
            shown.append(answer.body.decode())
        shown += [get(there, "/metrics", "Authorization: Basic bm90OnRoaXM=", tls=context).body.decode(), output]
        assert sidecar.end() < LAST
        assert sidecar.process.stdout is not None
        shown += [sidecar.process.stdout.read(), *sidecar.lines]
    everything_shown = "".join(shown)
    for secret in (PASSWORD, PASSWORD.partition(":")[2], encoded, "PRIVATE KEY", str(certificate)):
        assert secret not in everything_shown
    assert "ASIA" not in everything_shown, "an access key of the simulated cloud"
    assert "X-Amz-" not in everything_shown


SECRETS = """
import json, sys
from probe import rehearsal
seen = set()
class Stage(rehearsal.Stage):
    def measure(self, stop):
        verdict = super().measure(stop)
        seen.update(self._vpc.secrets)
        with open(sys.argv.pop(), "w") as file:
            json.dump(sorted(seen), file)
        return verdict
rehearsal.Stage = Stage
from probe.cli import main
main()
"""


def test_no_secret_of_the_simulated_account_is_shown(there: Address, folder: Path) -> None:
    """Passwords, keys and signatures that the simulated services issued in the first round."""
    handed_out = folder / "secrets.json"
    argv = ["demo", "--serve", "s3-endpoint-policy", "--listen", str(there), "--interval", "60", "--format", "text"]
    command = [sys.executable, "-c", SECRETS.replace("sys.argv.pop()", repr(str(handed_out))), *argv]
    with subprocess.Popen(command, env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert wait_for_rounds(there, 1)
            pages = [get(there, path).body.decode() for path in ("/", "/metrics", "/verdict", "/history")]
            process.send_signal(signal.SIGTERM)
            shown = "".join((*pages, *process.communicate(timeout=SOON)))
        finally:
            process.kill()
    secrets = json.loads(handed_out.read_text())
    assert len(secrets) > 6
    assert [secret for secret in secrets if secret in shown] == []


# ---- wrong options ---------------------------------------------------------------------------------------------------


def refused(argv: list[str], capfd: pytest.CaptureFixture[str], **environ: str) -> str:
    """The one line on stderr with which these arguments are refused."""
    with pytest.MonkeyPatch.context() as patch:
        for name, text in environ.items():
            patch.setenv(name, text)
        assert main(argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("ecr-probe: ")
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    assert len(err) < 400
    return err


BAD = [
    ("interval", "0", "between 1s and 24h"),
    ("interval", "0.5", "between 1s and 24h"),
    ("interval", "90000", "between 1s and 24h"),
    ("interval", "nan", "not a duration"),
    ("interval", "60sec", "not a duration"),
    ("interval", "-60", "not a duration"),
    ("listen", "9879", "ADDR:PORT"),
    ("listen", "localhost:9879", "ADDR:PORT"),
    ("listen", "127.0.0.1:0", "port 0"),
    ("listen", "unix:", "absolute path"),
    ("listen", "unix:probe.sock", "absolute path"),
    ("listen", "unix:/tmp/", "absolute path"),
    ("listen", "unix:/" + "x" * 101, "longer than 100 bytes"),
    ("listen", "unix:/" + "é" * 51, "longer than 100 bytes"),
    ("listen", "unix:///run/x\x1b[2J/", "absolute path"),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("command", [["serve"], ["demo", "--serve"]], ids=" ".join)
def test_a_bad_value_is_refused(
    command: list[str], name: str, text: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    variable = f"ECR_PROBE_{name.upper()}"
    for line in (refused([*command, f"--{name}", text], capfd), refused(command, capfd, **{variable: text})):
        assert line.startswith(f"ecr-probe: --{name} ({variable}): ")
        assert message in line
        assert f"; for example --{name} " in line


@pytest.mark.parametrize(
    "text", [PASSWORD.replace(":", ""), ":" + PASSWORD, f"{PASSWORD.partition(':')[0]}:", ":", "x"]
)
def test_a_bad_login_is_refused_and_not_repeated(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    line = refused(["demo", "--serve"], capfd, ECR_PROBE_BASIC_AUTH=text)
    assert line.startswith("ecr-probe: ECR_PROBE_BASIC_AUTH: is not USER:PASSWORD; for example ECR_PROBE_BASIC_AUTH=")
    assert "correct-horse" not in line
    assert "battery" not in line


@pytest.mark.parametrize("name", ["basic-auth", "tls-certificate", "tls-key"])
@pytest.mark.parametrize("form", ["--{}={}", "--{} {}"])
def test_a_secret_is_refused_on_the_command_line(name: str, form: str, capfd: pytest.CaptureFixture[str]) -> None:
    line = refused(["serve", *form.format(name, "user:hunter2").split()], capfd)
    assert f"there is no --{name}" in line
    assert f"for example ECR_PROBE_{name.upper().replace('-', '_')}=" in line
    assert "hunter2" not in line


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths of certificates and keys, among them pairs that do not match."""
    where = tmp_path_factory.mktemp("files")
    certificate, other = trustme.CA().issue_cert("a.example"), trustme.CA().issue_cert("b.example")
    certificate.cert_chain_pems[0].write_to_path(where / "chain")
    certificate.private_key_pem.write_to_path(where / "key")
    other.private_key_pem.write_to_path(where / "other")
    (where / "text").write_text("no certificate")
    (where / "locked").write_text(_locked(certificate.private_key_pem.bytes()))
    return {name: str(where / name) for name in ("chain", "key", "other", "text", "locked", "nothing")} | {
        "folder": str(where)
    }


def _locked(key: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    encryption = BestAvailableEncryption(b"hunter2")
    return (
        load_pem_private_key(key, None)
        .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption)
        .decode()
    )


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        ("nothing", None, "no such file or directory"),
        ("chain", "nothing", "no such file or directory"),
        ("folder", None, "is a directory"),
        ("text", None, "belong together"),
        ("chain", None, "belong together"),
        ("chain", "other", "belong together"),
        ("chain", "text", "belong together"),
        ("chain", "locked", "belong together"),
        (None, "key", "needs ECR_PROBE_TLS_CERTIFICATE as well"),
    ],
)
def test_a_bad_certificate_is_refused(
    certificate: str | None, key: str | None, message: str, files: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    variables = {"ECR_PROBE_TLS_CERTIFICATE": certificate, "ECR_PROBE_TLS_KEY": key}
    line = refused(["demo", "--serve"], capfd, **{name: files[file] for name, file in variables.items() if file})
    assert line.startswith("ecr-probe: ECR_PROBE_TLS_")
    assert message in line
    assert "_ssl.c" not in line


@pytest.mark.parametrize("text", ["perhaps", "2"])
def test_a_bad_switch_is_refused(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    line = refused(["serve"], capfd, ECR_PROBE_COMPAT_BLACKBOX=text)
    assert "--compat-blackbox (ECR_PROBE_COMPAT_BLACKBOX)" in line


def test_an_address_that_cannot_be_bound_is_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = folder / "file"
    file.write_text("precious")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for there, message in (
            (f"127.0.0.1:{taken.getsockname()[1]}", "already in use"),
            (f"unix:{file}", "already in use"),
            (f"unix:{folder}/none/s", "no such file or directory"),
            ("192.0.2.1:9879", "cannot assign requested address"),
        ):
            line = refused(["demo", "--serve", "--listen", there], capfd)
            assert line.startswith(f"ecr-probe: --listen (ECR_PROBE_LISTEN): cannot listen on {there}: ")
            assert message in line
    assert file.read_text() == "precious"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["serve", "now"], "'now'"),
        (["serve", "--drill"], "--drill"),
        (["serve", "--image", "nginx"], "is not in ECR, "),
        (["demo", "--serve", "--list"], "cannot be combined"),
        (["demo", "--serve", "--all"], "cannot be combined"),
        (["demo", "--serve", "helthy"], "did you mean healthy?"),
        (["demo", "--drill"], "--drill works only with --serve"),
        (["demo", "healthy", "--interval", "5"], "--interval works only with --serve"),
        (["demo", "--serve", "healthy", "--deadline", "0"], "--deadline"),
        (["check", "--interval", "5"], "'--interval'"),
        (["health", "--interval", "5"], "'--interval'"),
    ],
)
def test_other_wrong_options_are_refused(argv: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert message in refused(argv, capfd)


def test_unix_sockets_are_shown_as_they_are_written() -> None:
    for text in ("unix:/run/probe.sock", "unix:/a b/ü", "unix://x"):
        assert str(address(text)) == text
        assert address(text).family is socket.AF_UNIX
        assert address(text).nearest == address(text)
