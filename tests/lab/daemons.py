"""Programs that run while the tests run: in a host, with a log file, and ended with the tests."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.lab.network import Host, environment

STARTING = 20.0
STOPPING = 5.0


class Daemon:
    """A program, started on construction. `log` is the file with its output; `stop` ends it by its process id."""

    def __init__(
        self, name: str, host: Host, command: tuple[str, ...], *, logs: Path, more: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.host = name, host
        self.log = logs / f"{name}.log"
        # A log file, never a pipe: a daemon that keeps our stdout open would block the reader of it.
        # The kernel ends the daemon if this process is killed.
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                host.wrapped("setpriv", "--pdeathsig", "TERM", *command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C must not reach it; the tests end daemons in order
                env=environment(more or {}),
            )

    @property
    def pid(self) -> int:
        """The program's process id: `ip netns exec` and `setpriv` replace themselves by it."""
        return self._process.pid

    def wait_until_it_listens(self, *ports: int) -> None:
        """Wait until it listens on all of these TCP ports of its host."""
        until = time.monotonic() + STARTING
        while not set(ports) <= self._listening():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not listen on {ports}; its output: {self.output()}")
            time.sleep(0.02)

    def _listening(self) -> set[int]:
        rows = self.host.run("ss", "-Hltn").splitlines()
        return {int(row.split()[3].rsplit(":", 1)[1]) for row in rows}

    def output(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        if self._process.poll() is not None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOPPING)
            return
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOPPING)
