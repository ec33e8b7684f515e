"""Every command in README and docs runs as written: in bash, with this program, against a simulated account and VPC."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from tests.documents.commands import ROOT, Command, commands
from tests.inspect.test_target import measured, task, with_service
from tests.inspect.vpc import Account
from tests.operator.endpoint import CREDENTIALS, Endpoint, served

COMMANDS = list(commands())
STOPPED = (
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref app:1.0: not found"
)
# What a reader's own variables and programs give.
VARIABLES = {"ACCOUNT_ID": "123456789012", "TASK": "0123456789abcdef0123456789abcdef"}
PROGRAMS = {
    "pbpaste": f"echo '{STOPPED}'",
    "aws": "echo '" + json.dumps({"tasks": [{"stoppedReason": STOPPED, "lastStatus": "STOPPED"}]}) + "'",
    "make": f'grep -q "^$1:.*## " {ROOT / "Makefile"}',  # the target exists; it is not built here
    "ecr-probe": f'exec {sys.executable} -m tests.documents.program "$@"',
}
# Tested where their fakes are: with virtual time, and with a registry.
ELSEWHERE = {
    "smoke": "tests/smoke/test_command_line.py",
    "up": "tests/deploy/test_documents.py",
    "down": "tests/deploy/test_documents.py",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the program, and with the reader's programs, on the PATH of its commands."""
    bin_folder = tmp_path / ".venv/bin"
    bin_folder.mkdir(parents=True)
    for name, text in PROGRAMS.items():
        script = bin_folder / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    return tmp_path


# The account of the tests, renamed to what the documents say.
NAMES = {
    "us-east-1": "eu-west-1",
    "subnet-0a000000": "subnet-0a1b2c3d4e5f60718",
    "sg-0a000000": "sg-0a1b2c3d4e5f60718",
    "team/app": "app",
}


def renamed(value: Any) -> Any:
    text = json.dumps(value)
    for name, other in NAMES.items():
        text = text.replace(name, other)
    return json.loads(text)


@pytest.fixture
def account() -> Account:
    """The service, the task, the subnet and the image that the documents mention."""
    account = with_service()
    account.objects["ecs"]["tasks"] = [task()]
    return Account(region="eu-west-1", objects=renamed(account.objects), replies=renamed(account.replies))


def environ(folder: Path) -> dict[str, str]:
    path = f"{folder}/.venv/bin:{os.environ['PATH']}"
    known = {"PATH": path, "HOME": str(folder), "PYTHONPATH": str(ROOT), "AWS_REGION": "eu-west-1", "COLUMNS": "100"}
    return {**known, **VARIABLES, **CREDENTIALS}


def ran(line: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    (folder / "verdict.json").write_text(json.dumps(renamed(measured())))
    return subprocess.run(
        ("bash", "-o", "pipefail", "-c", line),
        cwd=folder,
        env=environ(folder) | {"AWS_ENDPOINT_URL": url},
        capture_output=True,
        text=True,
        input=STOPPED,
        timeout=120,
    )


def stopped_once_it_listens(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that runs until a signal ends it: SIGTERM after its first line that says that it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        ("bash", "-c", f"exec {line}"),
        cwd=folder,
        env=environ(folder) | {"ECR_PROBE_LISTEN": listen},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        lines = [next(line for line in process.stderr if "listen" in line)]
        process.terminate()
        out, rest = process.communicate(timeout=60)
    return subprocess.CompletedProcess(line, process.returncode, out, "".join(lines) + rest)


def subcommand(line: str) -> str | None:
    """Of ecr-probe, in this line."""
    match = re.search(r"ecr-probe ([a-z]+)", line)
    return match[1] if match else None


def is_endless(line: str) -> bool:
    return "ecr-probe serve" in line or "--serve" in line


RUN = [command for command in COMMANDS if subcommand(command.line) not in ELSEWHERE]


@pytest.mark.parametrize("command", RUN, ids=lambda command: command.name)
def test_a_command_runs_as_written(command: Command, folder: Path, account: Account) -> None:
    line = command.line
    if is_endless(line):
        done = stopped_once_it_listens(line, folder)
    else:
        with served(Endpoint(account)) as url:
            done = ran(line, folder, url)
    # A verdict of a check or of the broken document may be a failure; a usage error never.
    assert done.returncode in ((0,) if subcommand(line) in (None, "demo", "serve", "schema") else (0, 1, 3)), done
    assert "Traceback" not in done.stderr
    if subcommand(line) is not None:
        assert done.stdout or is_endless(line)


def test_each_other_command_has_its_own_test() -> None:
    others = {subcommand(command.line) for command in COMMANDS} - {subcommand(command.line) for command in RUN}
    assert others <= set(ELSEWHERE)
    assert all((ROOT / ELSEWHERE[str(name)]).exists() for name in others)


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.line.startswith("aws ")], ids=lambda command: command.name
)
def test_a_call_of_the_aws_cli_exists(command: Command) -> None:
    _, service, operation, *words = shlex.split(command.line.split("|")[0])
    model = botocore.session.get_session().get_service_model(service)
    name = next(name for name in model.operation_names if xform_name(name, "-") == operation)
    members = {f"--{xform_name(member, '-')}" for member in model.operation_model(name).input_shape.members}
    assert {word for word in words if word.startswith("--")} <= members
