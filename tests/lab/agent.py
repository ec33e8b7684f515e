"""The ECS agent at 169.254.170.2, and an ecr.api that checks signatures, which moto does not. Both use the simulator.

It runs in a host of the laboratory as `python -m tests.lab.agent FILE`; the file is an `AgentConfig` in JSON.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from pathlib import Path

import msgspec

from probe.sim.cloud import temporary_keys
from probe.sim.ecr import EcrApi, Passwords
from probe.sim.http import Connection, Handler, Reply
from probe.sim.identity import Statement
from probe.sim.images import Repositories
from probe.sim.services import Account, EntryPoint
from probe.sim.task import CREDENTIALS_ADDRESS, Task, TaskMetadata

METADATA_PORT, FOREIGN_METADATA_PORT, STRICT_API_PORT, FORBIDDING_API_PORT = 80, 81, 5002, 5003
# What another platform could answer at the variable's URL: a JSON object without the fields of ECS.
FOREIGN = Reply(200, b'{"kind": "Pod", "apiVersion": "v1", "Containers": {"app": null}, "Networks": "none"}')


class AgentConfig(msgspec.Struct, frozen=True):
    """The task that the agent describes, and the address at which the APIs listen behind the endpoints."""

    task: Task
    api_address: str


def main(file: str) -> None:
    config = msgspec.json.decode(Path(file).read_bytes(), type=AgentConfig)
    task = config.task
    keys = temporary_keys(task.account, task.role_arn, task.session_arn)
    strict, forbidding = (Account(task.account, {keys.access_key: keys}) for _ in range(2))
    forbidding.permissions.role = (Statement(("logs:*",)),)
    _serve(CREDENTIALS_ADDRESS, METADATA_PORT, TaskMetadata(task, keys).answer)
    _serve(CREDENTIALS_ADDRESS, FOREIGN_METADATA_PORT, lambda _: FOREIGN)
    for account, port in ((strict, STRICT_API_PORT), (forbidding, FORBIDDING_API_PORT)):
        _serve(config.api_address, port, EntryPoint(EcrApi(account, Passwords(), Repositories()), task.region))
    threading.Event().wait()


def _serve(address: str, port: int, handler: Handler) -> None:
    listener = socket.create_server((address, port))

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=converse, args=(sock,), daemon=True).start()

    def converse(sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError, ValueError):
            Connection(sock, handler, threading.Event()).serve()

    threading.Thread(target=accept, daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
