"""An AWS account simulated by moto on the loopback interface, and AWS's linter of templates."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3

from tests.deployment.definitions import FOLDER
from tests.lab.cloud import CREDENTIALS, REGION, SERVERS
from tests.lab.network import Host, environment
from tests.lab.servers import moto


class ThisMachine(Host):
    """Runs programs outside any namespace."""

    def wrapped(self, *command: str) -> tuple[str, ...]:
        return command


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account simulated by moto. `shell` runs a script that can use AWS's CLI, `aws` one command of it."""

    port: int
    folder: Path

    def shell(self, script: str, **more: str) -> str:
        own = {
            **CREDENTIALS,
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_PAGER": "",
            "PATH": f"{SERVERS}:/usr/local/bin:/usr/bin:/bin",
        }
        done = subprocess.run(
            ("bash", "-euo", "pipefail", "-c", script),
            cwd=FOLDER,
            env=environment(own | more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def aws(self, arguments: str, **more: str) -> Any:
        return json.loads(self.shell(f"aws {arguments} --output json", **more) or "null")

    def client(self, service: str) -> Any:
        """boto3's client of this service, for calls that the AWS CLI would make too slowly."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def skip_waiting(self, model: str) -> None:
        """Let this model change its state at every read: a task is stopped as soon as it is described."""
        self.post("state-manager/set-transition", {"model_name": model, "transition": {"progression": "immediate"}})

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Configure moto by its own API."""
        url = f"http://127.0.0.1:{self.port}/moto-api/{path}"
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=10) as answer:
            assert answer.status == 201


@contextmanager
def simulated_account(folder: Path) -> Iterator[Account]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = moto(ThisMachine("this machine", ("127.0.0.1",)), folder, SERVERS / "moto_server", port=port)
    try:
        yield Account(port, folder)
    finally:
        server.stop()


def assert_cfn_lint_finds_nothing(template: Path) -> None:
    done = subprocess.run(
        (SERVERS / "cfn-lint", "--non-zero-exit-code", "informational", "--", template),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment({}),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
