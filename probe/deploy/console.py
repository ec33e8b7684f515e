"""What `up` and `down` write to the terminal, except the report, and the question that they ask."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from typing import TextIO

from probe.config.flags import UsageError
from probe.progress import Bar, Progress, Silent
from probe.smoke.calls import EarlyEndError

_GLANCE = 0.2  # seconds in which Ctrl-C is noticed at the question
_HANGUP = 1.0  # seconds in which SIGHUP arrives, which decides the exit code


class TerminalConsole:
    """`write_line` writes a printable line to stderr, which is `terminal`."""

    def __init__(
        self,
        write_line: Callable[[str], None],
        *,
        terminal: TextIO | None,
        keyboard: TextIO | None,
        width: int,
        stop: threading.Event,
    ) -> None:
        self._write_line, self._terminal, self._keyboard, self._stop = write_line, terminal, keyboard, stop
        self.width = min(width, 100)

    def say(self, text: str) -> None:
        self._write_line(f"ecr-probe: {text}")

    def show(self, lines: list[str]) -> None:
        for line in lines:
            self._write_line(line)

    def confirm(self, question: str) -> bool:
        terminal, keyboard = self._terminal, self._keyboard
        if keyboard is None or not keyboard.isatty() or terminal is None or not terminal.isatty():
            raise UsageError("there is no terminal to ask; --yes does it without asking, --plan only prints the plan")
        try:
            terminal.write(question)
            terminal.flush()
            while not select.select([keyboard], [], [], _GLANCE)[0]:
                if self._stop.is_set():
                    terminal.write("\n")
                    raise EarlyEndError("the run was interrupted")
            answer = keyboard.readline()
            if not answer:  # Ctrl-D, which leaves the cursor after the question
                terminal.write("\n")
                terminal.flush()
        except OSError:
            answer = ""
        if not answer and not keyboard.isatty():
            self._stop.wait(_HANGUP)
            raise EarlyEndError("the terminal was closed")
        return answer.strip().lower() in ("y", "yes")

    def transfer(self) -> Progress:
        terminal = self._terminal
        return Bar(terminal) if terminal is not None and terminal.isatty() else _Lines(self.say)


class _Lines(Silent):
    """A line for each step of a push."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def step(self, text: str) -> None:
        self._say(text)
