"""Where reports go: which --output belongs to which --format, whether it can be written, and writing it atomically.

What a report says is in `report/`; printing to stdout is the command line's.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from probe.config.flags import Given, UsageError
from probe.config.readers import one_of
from probe.records import Record
from probe.report import FORMATS
from probe.safe_words import quoted

STDOUT = "-"


class Output(Record, frozen=True):
    """One report. `path` None is stdout."""

    format: str
    path: str | None = None


def read_outputs(given: Given, formats: Iterable[str] = FORMATS) -> tuple[Output, ...]:
    """Pair formats with files, and check that each file can be written. Raises UsageError."""
    outputs = tuple(_output(given, form, path, formats) for form, path in _pairs(given))
    _check_places(given, outputs)
    for output in outputs:
        if output.path is not None:
            _check_writable(given, output.path)
    return outputs


def _pairs(given: Given) -> Iterator[tuple[str, str]]:
    """(format, path) pairs as given; a variable's list is paired by position."""
    order = list(given.reports)
    typed = {name for name, _ in order}
    lists = {name: [] if name in typed else _variable(given, name) for name in ("format", "output")}
    formats = [text for name, text in order if name == "format"] or lists["format"]
    paths = [text for name, text in order if name == "output"] or lists["output"]
    if len(formats) <= 1 and len(paths) <= 1:
        # One of each is a pair in whichever order it is typed.
        yield (formats or ["text"])[0], (paths or [STDOUT])[0]
    elif typed == {"format", "output"}:
        yield from _in_order(given, order)
    elif len(paths) > len(formats):
        raise given.refusal("output", "each further file needs a --format of its own before it")
    else:
        yield from zip(formats, paths + [STDOUT] * (len(formats) - len(paths)), strict=True)


def _variable(given: Given, name: str) -> list[str]:
    """A variable's list, by commas. An empty place in the middle is a report to stdout."""
    texts = given.texts.get(name, ())
    return [word.strip() or STDOUT for text in texts for word in text.split(",")]


def _in_order(given: Given, order: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    waiting: str | None = None
    for name, text in order:
        if name == "format":
            if waiting is not None:
                yield waiting, STDOUT
            waiting = text
        elif waiting is None:
            raise given.refusal("output", f"{quoted(text)} has no --format of its own before it")
        else:
            yield waiting, text
            waiting = None
    if waiting is not None:
        yield waiting, STDOUT


def _output(given: Given, form: str, path: str, formats: Iterable[str]) -> Output:
    try:
        one_of(form, formats, what="a format")
    except ValueError as error:
        raise given.refusal("format", str(error)) from None
    if not path.strip():
        raise given.refusal("output", "the file's name is empty")
    return Output(form, None if path == STDOUT else path)


def _check_places(given: Given, outputs: Sequence[Output]) -> None:
    if sum(output.path is None for output in outputs) > 1:
        raise given.refusal("format", "only one report can go to stdout; give the others an --output each")
    places = [os.path.realpath(output.path) for output in outputs if output.path is not None]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise given.refusal("output", f"two reports would be written to the same file {quoted(twice)}")


def _check_writable(given: Given, path: str) -> None:
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir() or path.endswith(os.sep):
            raise ValueError(f"{quoted(path)} is a directory")
        if target.exists() and not target.is_file():
            raise ValueError(f"{quoted(path)} is not a regular file; without --output the report goes to stdout")
        if not target.parent.is_dir():
            raise ValueError(f"the directory {quoted(str(target.parent))} does not exist")
        # The only sure test, also for root and read-only file systems, is to make a file there.
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise given.refusal("output", f"{quoted(path)} cannot be written: {reason}") from None
    except ValueError as error:
        raise given.refusal("output", str(error)) from None


def write_atomically(path: str, document: bytes) -> None:
    """Put `document` in place of `path` at once: a reader sees the old file or the new one. Raises OSError."""
    target = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)[:64]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            # mkstemp makes files that only their owner can read; other people's collectors read this one.
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


__all__ = ["Output", "UsageError", "read_outputs", "write_atomically"]
