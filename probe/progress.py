"""A progress bar for long downloads and uploads: only on a terminal, only after a second, and wiped away at the end."""

# ruff: noqa: ARG002 - Silent has the methods of Bar

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

PATIENCE = 1.0  # seconds; shorter downloads need no bar


class Progress(Protocol):
    """Receives the progress of layers from several threads."""

    def layer_started(self, digest: str, size: int | None) -> None: ...

    def layer_advanced(self, digest: str, count: int) -> None:
        """`count` bytes more; a negative number if bytes have to be sent again."""

    def step(self, text: str) -> None:
        """A step has ended; `text` is a line for a log."""

    def close(self) -> None: ...


class Silent:
    """No output; used for logs and tests."""

    def layer_started(self, digest: str, size: int | None) -> None:
        return

    def layer_advanced(self, digest: str, count: int) -> None:
        return

    def step(self, text: str) -> None:
        return

    def close(self) -> None:
        return


def closable(terminal: TextIO) -> TextIO:
    """The terminal for bars. It may be closed at any time, as with an SSH session; then what is written is lost."""
    return cast("TextIO", _Closable(terminal))


class _Closable:
    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._terminal.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._terminal.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


class Bar:
    """One bar for all layers together."""

    def __init__(self, terminal: TextIO, *, patience: float = PATIENCE) -> None:
        self._terminal = terminal
        self._patience = patience
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._received: dict[str, int] = {}
        self._began: float | None = None
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._closed = False

    def layer_started(self, digest: str, size: int | None) -> None:
        with self._lock:
            self._sizes[digest], self._received[digest] = size or 0, 0  # also for a retry
            self._began = self._began or time.monotonic()

    def layer_advanced(self, digest: str, count: int) -> None:
        with self._lock:
            self._received[digest] = self._received.get(digest, 0) + count
            if self._closed or self._began is None or time.monotonic() - self._began < self._patience:
                return
            if self._bars is None:
                self._show()
            if self._bars is not None and self._task is not None:
                total = sum(self._sizes.values()) or None
                self._bars.update(self._task, completed=sum(self._received.values()), total=total)

    def step(self, text: str) -> None:
        """Nothing: the bar shows it."""

    def close(self) -> None:
        """Wipe the bar away, and ignore later events."""
        with self._lock:
            self._closed = True
            if self._bars is not None:
                self._bars.stop()
                self._bars = None

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn
        from rich.progress import Progress as Bars

        console = Console(file=closable(self._terminal), force_terminal=True)
        self._bars = Bars(
            "layers", BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console, transient=True
        )
        self._task = self._bars.add_task("layers", total=None)
        self._bars.start()


def progress_on(terminal: TextIO | None) -> Progress:
    """A bar if `terminal` is a terminal, otherwise no output."""
    return Bar(terminal) if terminal is not None and terminal.isatty() else Silent()
