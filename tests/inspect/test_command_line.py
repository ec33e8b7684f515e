"""`ecr-probe inspect` as a whole: with botocore's clients against an endpoint, and offline with what was saved."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from probe.cli import main
from probe.operator import reading
from tests.inspect.test_target import with_service
from tests.inspect.vpc import REGION, START, Account, healthy_vpc
from tests.operator.endpoint import CREDENTIALS, Endpoint, Error, served

SERVICE = ("inspect", "--cluster", "main", "--service", "shop")
JSON = ("--format", "json")


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**CREDENTIALS, "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setattr(reading, "ATTEMPTS", 1)
    monkeypatch.chdir(tmp_path)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def command(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return command


def shut(account: Account) -> Account:
    """The endpoints' group admits no address."""
    account.object("sg-0e000000")["IpPermissions"] = []
    return account


@pytest.mark.parametrize("change", [shut, lambda account: account], ids=["shut", "healthy"])
@pytest.mark.parametrize("form", ["json", "text", "markdown", "junit"])
def test_what_was_saved_gives_the_same_result(
    change: Callable[[Account], Account], form: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(Endpoint(change(with_service()))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        live = run(*SERVICE, "--format", form, "--save", "saved.json", "-v")
    assert live[0] in (0, 1, 3), live[2]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in (*CREDENTIALS, "AWS_REGION"):
        monkeypatch.delenv(name)
    assert run(*SERVICE, "--format", form, "--configuration", "saved.json", "-v") == live


def test_what_the_file_does_not_contain_is_unknown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Endpoint(healthy_vpc())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        run("inspect", *START, "--save", "saved.json")
    document = json.loads(Path("saved.json").read_text())
    document["sources"] = [
        source for source in document["sources"] if source["question"]["operation"] != "DescribeSecurityGroups"
    ]
    Path("saved.json").write_text(json.dumps(document))
    code, out, _ = run("inspect", *START, *JSON, "--configuration", "saved.json")
    gates = [gate for gate in json.loads(out)["gates"] if gate["gate"] == "security-group-egress"]
    assert code == 3
    assert {(gate["answer"], gate["missing"]) for gate in gates} == {("unknown", "not-read")}
    assert "does not contain ec2:DescribeSecurityGroups" in gates[0]["sentence"]


@pytest.mark.parametrize(
    ("content", "argv", "complaint"),
    [
        (None, (), "--configuration (ECR_PROBE_CONFIGURATION): 'x.json' cannot be read: no such file"),
        (b"what", (), "'x.json' is not JSON"),
        (b'{"form": 2}', (), "a newer ecr-probe wrote it"),
        ({}, ("--region", "eu-west-1"), "--region (ECR_PROBE_REGION): the saved configuration is of us-east-1"),
        ({}, ("--save", "y.json"), "--save (ECR_PROBE_SAVE): a saved configuration is not changed"),
        ({}, ("--subnets", "subnet-0b000000"), "does not contain ec2:DescribeSubnets"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_line(
    content: Any, argv: tuple[str, ...], complaint: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(content, dict):
        with served(Endpoint(healthy_vpc())) as url:
            monkeypatch.setenv("AWS_ENDPOINT_URL", url)
            run("inspect", *START, "--save", "x.json")
    elif content is not None:
        Path("x.json").write_bytes(content)
    code, out, err = run("inspect", *START, "--configuration", "x.json", *argv)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert complaint in err


def test_answers_of_a_foreign_shape_are_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Endpoint(healthy_vpc())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        run("inspect", *START, "--save", "x.json")
    whole = json.loads(Path("x.json").read_text())
    for number, source in enumerate(whole["sources"]):
        values: tuple[Any, ...] = ("text", 7, [], {}, None)
        for value in values:
            changed = msgspec.json.decode(msgspec.json.encode(whole))
            items = next(iter((source["reply"] or {"x": ""}).values()))
            if not isinstance(items, list) or not items or not isinstance(items[0], dict):
                continue
            (listed,) = changed["sources"][number]["reply"].values()
            identity = {key: item for key, item in listed[0].items() if isinstance(item, str) and key.endswith("Id")}
            listed[0] = dict.fromkeys(listed[0], value) | identity
            Path("x.json").write_bytes(msgspec.json.encode(changed))
            code, out, err = run("inspect", *START, *JSON, "--configuration", "x.json")
            assert code == 2 or json.loads(out), (source["question"], value)
            assert "bug" not in err + out, (source["question"], value, err, out[:300])


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_refused_credentials_are_one_line(code: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint(with_service(), errors=lambda *_: Error(code))
    with served(endpoint) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        result = run(*SERVICE, "--save", "saved.json", "--output", "out.txt")
    assert (result[0], result[1], len(result[2].splitlines())) == (2, "", 1)
    assert code in result[2]
    assert not list(Path().iterdir()), "nothing is written"
    assert len(endpoint.calls) <= 2


def test_a_profile_that_does_not_exist_is_one_line(run: Run) -> None:
    code, out, err = run(*SERVICE, "--profile", "unknown")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "--profile (ECR_PROBE_PROFILE): 'unknown' is not in" in err


def test_a_start_that_may_not_be_read_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = (
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ecs:DescribeServices on resource: x"
    )
    errors = {"ecs:DescribeServices": Error("AccessDeniedException", sentence)}
    with served(Endpoint(with_service(), errors=lambda action, _: errors.get(action))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        code, _, err = run(*SERVICE)
    assert code == 2
    assert f"ecs:DescribeServices is not allowed to the caller ({sentence})" in err


def test_a_file_that_cannot_be_saved_is_refused_before_any_call(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint(with_service())
    with served(endpoint) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        code, _, err = run(*SERVICE, "--save", "no/such/folder.json")
    assert (code, endpoint.calls) == (2, [])
    assert "--save (ECR_PROBE_SAVE): the directory" in err


def test_ctrl_c_ends_it_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = threading.Event()

    def errors(_action: str, _nth: int) -> None:
        arrived.set()

    with served(Endpoint(with_service(), latency=30.0, errors=errors)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        process = subprocess.Popen(
            (sys.executable, "-m", "probe", *SERVICE, "--save", "saved.json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert arrived.wait(20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, b"", b"")
    assert not list(Path().iterdir())
