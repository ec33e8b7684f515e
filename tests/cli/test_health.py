"""The container's health check, against servers that answer correctly, wrongly, slowly or not at all."""

from __future__ import annotations

import itertools
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from probe.cli import main
from probe.config.listen import Address, address
from probe.config.settings import parse
from probe.health import complaint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
PATIENT = 30.0  # seconds; a limit that no test reaches, so that results do not depend on how busy this machine is
SHORT = 0.2


@contextmanager
def listening(host: str = "127.0.0.1", *, backlog: int = 8) -> Iterator[tuple[socket.socket, Address]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=backlog) as listener:
        yield listener, Address(host, listener.getsockname()[1])


@contextmanager
def serving(
    *parts: bytes, host: str = "127.0.0.1", pause: float = 0.0, reset: bool = False
) -> Iterator[tuple[Address, list[bytes]]]:
    """A server that sends these parts to each client, and the requests that it received. It ends with the context."""
    requests: list[bytes] = []
    gone = threading.Event()

    def answer(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, suppress(OSError):
                    if reset:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    requests.append(client.recv(4096))
                    for part in parts:
                        client.sendall(part)
                        if pause and gone.wait(pause):
                            return

    with listening(host) as (listener, where):
        server = threading.Thread(target=answer, args=(listener,), daemon=True)
        server.start()
        try:
            yield where, requests
        finally:
            gone.set()
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread from accept
            server.join()


def health(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it as ECS does, as a separate process."""
    command = [sys.executable, "-m", "probe", "health", *argv]
    return subprocess.run(
        command, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=30
    )


# ---- the process ---------------------------------------------------------------------------------


def test_a_running_loop_is_healthy() -> None:
    with serving(OK) as (where, requests):
        done = health("--listen", str(where))
    assert (done.returncode, done.stdout, done.stderr) == (0, "healthy\n", "")
    (request,) = requests
    assert request.startswith(b"GET /-/healthy HTTP/1.0\r\n")
    assert request.endswith(b"\r\n\r\n")


def test_the_variable_sets_the_address_and_the_flag_takes_precedence() -> None:
    with serving(OK) as (alive, _), listening() as (closed, where):
        closed.close()
        assert health(ECR_PROBE_LISTEN=f"0.0.0.0:{alive.port}").returncode == 0
        assert health("--listen", str(alive), ECR_PROBE_LISTEN=str(where)).returncode == 0


def test_an_unhealthy_loop_is_reported_in_one_line_on_stderr() -> None:
    with listening() as (closed, where):
        closed.close()
        done = health("--listen", str(where))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"ecr-probe: unhealthy: nothing listens on {where}: "
        "is the command serve, with the same --listen (ECR_PROBE_LISTEN)?\n"
    )


def test_it_imports_little() -> None:
    """It runs every minute on a quarter of a CPU."""
    heavy = (
        *("botocore", "requests", "urllib3", "dns", "cryptography", "msgspec", "rich", "prometheus_client"),
        *(
            "ssl",
            "http",
            "email",
            "urllib",
            "asyncio",
            "subprocess",
            "json",
            "tempfile",
            "shutil",
            "textwrap",
            "probe.model",
            "probe.safe_words",
            "probe.config.readers",
        ),
    )
    code = (
        "import sys; from probe.cli import main; main(sys.argv[1:]); "
        f"print(*({set(heavy)!r} & set(sys.modules)), file=sys.stderr)"
    )
    with serving(OK) as (where, _):
        command = [sys.executable, "-c", code, "health", "--listen", str(where)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert (done.stdout, done.stderr) == ("healthy\n", "\n")


# ---- answers -------------------------------------------------------------------------------------

ANSWERS = [
    ((b"HTTP/1.1 503 Service Unavailable\r\n\r\n",), "answered 503: the loop has stopped"),
    ((b"HTTP/1.1 404 Not Found\r\n\r\n",), "answered 404 instead of 200: another program"),
    ((b"HTTP/1.0 301 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n",), "answered 301 instead of 200"),
    ((b"HTTP/1.1 2000 OK\r\n\r\n",), "not in HTTP: another program"),
    ((b"HTTP/1.1 200\x1b[31mOK\r\n\r\n",), "not in HTTP"),
    ((b"SSH-2.0-OpenSSH_9.6\r\n",), "not in HTTP"),
    ((b"\x00\x1b[2J\xff\xfe\n",), "not in HTTP"),
    ((b"HTTP/1.1 200 OK",), "not in HTTP"),
    ((b"HTTP/1.1 200 " + b"A" * 100_000,), "not in HTTP"),
    ((b"A" * 65536,) * 1000, "not in HTTP"),
    ((), "closed the connection without an answer: the process there is failing"),
]


@pytest.mark.parametrize(("parts", "sentence"), ANSWERS, ids=range(len(ANSWERS)))
def test_a_bad_answer(parts: tuple[bytes, ...], sentence: str) -> None:
    with serving(*parts) as (where, _):
        line = complaint(where, limit=PATIENT)
    assert line is not None
    assert sentence in line
    assert str(where) in line
    assert line.isprintable()


@pytest.mark.parametrize(
    "parts",
    [
        (OK,),
        (b"HTTP/1.0 200 \r\n\r\n",),
        (b"HTTP/1.1 200\r\n",),
        (b"HTTP/1.", b"1 20", b"0 OK\r", b"\n"),
        (OK, OK * 999),
    ],
    ids=range(5),
)
def test_a_good_answer(parts: tuple[bytes, ...]) -> None:
    with serving(*parts) as (where, _):
        assert complaint(where, limit=PATIENT) is None


def test_a_connection_that_is_reset_is_no_answer() -> None:
    with serving(reset=True) as (where, _):
        line = complaint(where, limit=PATIENT)
    assert line is not None
    assert "closed the connection" in line


def silent() -> Iterator[Address]:
    with listening() as (_, where):
        yield where


def trickling() -> Iterator[Address]:
    with serving(*itertools.repeat(b"H", 1000), pause=0.01) as (where, _):
        yield where


def full() -> Iterator[Address]:
    """A full queue of connections: the system does not answer further ones."""
    with listening(backlog=0) as (_, where):
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(where)
        yield where
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize("server", [silent, trickling, full])
def test_the_whole_check_has_a_time_limit(server: Callable[[], Iterator[Address]]) -> None:
    with contextmanager(server)() as where:
        began = time.monotonic()
        line = complaint(where, limit=SHORT)
        seconds = time.monotonic() - began
    assert line == f"{where} gave no answer within {SHORT:g} s: the process there hangs, or has too little CPU"
    assert SHORT <= seconds < 5


# ---- addresses -----------------------------------------------------------------------------------


def test_a_wildcard_address_means_loopback() -> None:
    with serving(OK) as (where, requests):
        assert complaint(Address("0.0.0.0", where.port), limit=PATIENT) is None
    assert f"Host: {where}\r\n".encode() in requests[0]


def has_ipv6() -> bool:
    try:
        with listening("::1"):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("host", ["::1", "::", "0:0:0:0:0:0:0:0"])
def test_ipv6(host: str) -> None:
    if not has_ipv6():
        assert "cannot be reached" in str(complaint(Address(host, 9879), limit=PATIENT))
        return
    with serving(OK, host="::1") as (where, requests):
        assert complaint(Address(host, where.port), limit=PATIENT) is None
    assert f"Host: [::1]:{where.port}\r\n".encode() in requests[0]


def test_an_address_that_cannot_be_reached_is_reported() -> None:
    line = complaint(Address("255.255.255.255", 9879), limit=PATIENT)
    assert line is not None
    assert line.startswith("255.255.255.255:9879 cannot be reached: ")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("0.0.0.0:9879", "0.0.0.0", 9879),
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("[::]:65535", "::", 65535),
        ("[FD00::1]:9879", "FD00::1", 9879),
        ("[::ffff:10.0.0.1]:9879", "::ffff:10.0.0.1", 9879),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert address(text) == Address(host, port)
    assert str(address(text)) == text


# ---- bad input -----------------------------------------------------------------------------------

BAD = [
    ("", "ADDR:PORT"),
    ("9879", "ADDR:PORT"),
    (":9879", "ADDR:PORT"),
    ("0.0.0.0", "ADDR:PORT"),
    ("localhost:9879", "ADDR:PORT"),
    ("::1:9879", "brackets"),
    ("[::1]", "ADDR:PORT"),
    ("[127.0.0.1]:9879", "ADDR:PORT"),
    ("[fe80::1%eth0]:9879", "ADDR:PORT"),
    ("[:::]:9879", "is not an IP address"),
    ("256.0.0.1:9879", "is not an IP address"),
    ("127.1:9879", "is not an IP address"),
    ("0.0.0.0:0", "port 0 is not between 1 and 65535"),
    ("0.0.0.0:65536", "port 65536 is not"),
    ("0.0.0.0:-1", "ADDR:PORT"),
    ("0.0.0.0:٣", "ADDR:PORT"),
    ("http://0.0.0.0:9879/", "ADDR:PORT"),
    ("0.0.0.0:98\x1b[31m", "ADDR:PORT"),
    ("0.0.0.0:9879 ", "ADDR:PORT"),
    ("1" * 100_000, "ADDR:PORT"),
]


def refused(argv: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    assert main(["health", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    return err


@pytest.mark.parametrize(("text", "sentence"), BAD, ids=range(len(BAD)))
def test_a_bad_address_is_refused(text: str, sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    line = refused(["--listen", text], capfd)
    assert line.startswith("ecr-probe: --listen (ECR_PROBE_LISTEN): ")
    assert sentence in line
    assert line.endswith("; for example --listen 127.0.0.1:9879\n")
    assert len(line) < 300


def test_a_bad_variable_is_refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ECR_PROBE_LISTEN", "9879")
    assert refused([], capfd).startswith("ecr-probe: --listen (ECR_PROBE_LISTEN): '9879' is neither ADDR:PORT")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--listen"], "--listen (ECR_PROBE_LISTEN): a value is missing"),
        (["--lisen", "127.0.0.1:9879"], "did you mean --listen (ECR_PROBE_LISTEN)?"),
        (["127.0.0.1:9879"], "for example ecr-probe health --listen 127.0.0.1:9879"),
        (["--image", "x"], "unknown argument '--image'"),
    ],
)
def test_other_mistakes(argv: list[str], sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert sentence in refused(argv, capfd)


def test_check_does_not_listen(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--listen", "127.0.0.1:9879"]) == 2
    assert "unknown argument '--listen'" in capfd.readouterr().err


def test_a_misspelt_variable_is_noted() -> None:
    assert parse([], {"ECR_PROBE_LISTN": "x"}).notes == (
        "ECR_PROBE_LISTN is not a variable of ecr-probe; did you mean ECR_PROBE_LISTEN?",
    )


@pytest.mark.parametrize("argv", [["health"], ["demo", "--list"], ["explain", "tcp.silent"]])
def test_other_commands_note_it_too(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECR_PROBE_LISTN", "x")
    main(argv)
    note = "ecr-probe: ECR_PROBE_LISTN is not a variable of ecr-probe; did you mean ECR_PROBE_LISTEN?\n"
    assert capfd.readouterr().err.startswith(note)


def test_help_shows_the_variable_and_the_default(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "--help"]) == 0
    text = " ".join(capfd.readouterr().out.split())
    assert "--listen ADDR:PORT" in text
    assert "[ECR_PROBE_LISTEN; default: 127.0.0.1:9879]" in text
