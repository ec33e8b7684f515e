"""Files of reports: which --output belongs to which --format, whether it can be written, and writing it atomically.

`report/` renders the reports; `cli` prints those that go to stdout.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from probe.config.flags import Arguments, UsageError
from probe.config.readers import one_of
from probe.records import Record
from probe.report import FORMATS
from probe.safe_words import quoted

STDOUT = "-"
_ENDINGS = {"json": "json", "junit": "xml", "markdown": "md", "prometheus": "prom"}  # of files in examples


class Output(Record, frozen=True):
    """One report. `path` None is stdout."""

    format: str
    path: str | None = None


def read_outputs(arguments: Arguments, formats: Iterable[str] = FORMATS) -> tuple[Output, ...]:
    """Pair formats with files, and check that each file can be written. Raises UsageError."""
    outputs = tuple(_output(arguments, form, path, formats) for form, path in _pairs(arguments))
    _check_places(arguments, outputs)
    for output in outputs:
        if output.path is not None:
            check_writable(arguments, "output", output.path)
    return outputs


def _pairs(arguments: Arguments) -> Iterator[tuple[str, str]]:
    """Pairs of format and path in the order of the command line; the lists of variables are paired by position."""
    order = list(arguments.reports)
    typed = {name for name, _ in order}
    lists = {name: [] if name in typed else _variable(arguments, name) for name in ("format", "output")}
    formats = [text for name, text in order if name == "format"] or lists["format"]
    paths = [text for name, text in order if name == "output"] or lists["output"]
    if len(formats) <= 1 and len(paths) <= 1:
        # One of each is a pair in either order.
        yield (formats or ["text"])[0], (paths or [STDOUT])[0]
    elif typed == {"format", "output"}:
        yield from _in_order(arguments, order)
    elif len(paths) > len(formats):
        raise arguments.refusal("output", "every file after the first needs its own --format before it")
    else:
        yield from zip(formats, paths + [STDOUT] * (len(formats) - len(paths)), strict=True)


def _variable(arguments: Arguments, name: str) -> list[str]:
    """A variable's list, separated by commas. An empty item is a report to stdout."""
    texts = arguments.texts.get(name, ())
    return [item.strip() or STDOUT for text in texts for item in text.split(",")]


def _in_order(arguments: Arguments, order: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    waiting: str | None = None
    for name, text in order:
        if name == "format":
            if waiting is not None:
                yield waiting, STDOUT
            waiting = text
        elif waiting is None:
            raise arguments.refusal("output", f"{quoted(text)} needs its own --format before it")
        else:
            yield waiting, text
            waiting = None
    if waiting is not None:
        yield waiting, STDOUT


def _output(arguments: Arguments, form: str, path: str, formats: Iterable[str]) -> Output:
    try:
        one_of(form, formats, what="a format")
    except ValueError as error:
        raise arguments.refusal("format", str(error)) from None
    if not path.strip():
        raise arguments.refusal("output", "the file's name is empty")
    return Output(form, None if path == STDOUT else path)


def _check_places(arguments: Arguments, outputs: Sequence[Output]) -> None:
    if sum(output.path is None for output in outputs) > 1:
        first, second = [output.format for output in outputs if output.path is None][:2]
        example = f"--format {first} --output {'report.' + _ENDINGS.get(first, 'txt')} --format {second}"
        raise arguments.refusal(
            "format", "only one report can go to stdout; set --output for the others", example=example
        )
    places = [os.path.realpath(output.path) for output in outputs if output.path is not None]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise arguments.refusal("output", f"two reports would be written to the same file {quoted(twice)}")


def check_writable(arguments: Arguments, name: str, path: str) -> None:
    """Refuse a file that cannot be written, before the work begins. `name` is the flag's. Raises UsageError."""
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir() or path.endswith(os.sep):
            raise ValueError(f"{quoted(path)} is a directory")
        if target.exists() and not target.is_file():
            hint = "; without --output the report goes to stdout" if name == "output" else ""
            raise ValueError(f"{quoted(path)} is not a regular file{hint}")
        if not target.parent.is_dir():
            raise ValueError(f"the directory {quoted(str(target.parent))} does not exist")
        # Only creating a file proves it, even for root and on read-only file systems.
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise arguments.refusal(name, f"{quoted(path)} cannot be written: {reason}") from None
    except ValueError as error:
        raise arguments.refusal(name, str(error)) from None


def write_atomically(path: str, document: bytes) -> None:
    """Replace the file with `document`, so that a reader sees the old file or the new one. Raises OSError."""
    target = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)[:64]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            # mkstemp creates files that only their owner can read, but collectors run as other users.
            os.fchmod(file.fileno(), _mode(target))
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _mode(target: str) -> int:
    try:
        return os.stat(target).st_mode & 0o777
    except OSError:
        return 0o644


__all__ = ["Output", "UsageError", "check_writable", "read_outputs", "write_atomically"]
