"""The progress bar: only on a terminal, only for long downloads, and wiped away at the end."""

from __future__ import annotations

import io

from probe.progress import Bar, Silent, progress_on


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_a_terminal_gets_a_bar() -> None:
    assert isinstance(progress_on(io.StringIO()), Silent)
    assert isinstance(progress_on(None), Silent)
    assert isinstance(progress_on(Terminal()), Bar)


def test_silent_accepts_every_event() -> None:
    progress = Silent()
    progress.layer_started("a", 10)
    progress.layer_advanced("a", 5)
    progress.close()


def test_a_short_download_shows_nothing() -> None:
    terminal = Terminal()
    bar = Bar(terminal, patience=60)
    bar.layer_started("a", 1 << 20)
    bar.layer_advanced("a", 1 << 20)
    bar.close()
    assert terminal.getvalue() == ""


def test_a_long_download_shows_all_layers_together_until_it_is_wiped_away() -> None:
    terminal = Terminal()
    bar = Bar(terminal, patience=0)
    bar.layer_started("a", 3 << 20)
    bar.layer_started("b", 1 << 20)
    bar.layer_advanced("a", 1 << 20)
    bar.layer_advanced("b", 1 << 20)
    bar.close()
    written = terminal.getvalue()
    assert "2.1/4.2 MB" in written
    assert written.endswith("\x1b[2K")
    assert "\x1b[?25h" in written
    bar.layer_advanced("a", 1)
    bar.close()
    assert terminal.getvalue() == written


def test_a_retried_layer_is_counted_once() -> None:
    terminal = Terminal()
    bar = Bar(terminal, patience=0)
    for _ in range(2):
        bar.layer_started("a", 2_000_000)
        bar.layer_advanced("a", 1_000_000)
    bar.close()
    assert "1.0/2.0 MB" in terminal.getvalue()
    assert "2.0/2.0 MB" not in terminal.getvalue()


def test_a_layer_of_unknown_size_is_accepted() -> None:
    bar = Bar(Terminal(), patience=0)
    bar.layer_started("a", None)
    bar.layer_advanced("a", 1)
    bar.close()
