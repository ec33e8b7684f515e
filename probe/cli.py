"""The command line: which command, where its report goes, and the exit code. The only place that prints.

Imports happen inside the commands: --version and --help answer at once, and a demo's simulator is no part of a check.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe import __version__

if TYPE_CHECKING:
    import argparse

    from probe.model import Verdict
    from probe.report import Page
    from probe.settings import Reports

USAGE = 2
INTERRUPTED = 130  # what shells call a process that Ctrl-C ended


@dataclass(frozen=True, slots=True)
class Command:
    summary: str
    run: Callable[[Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. With `argv` None we are the process, which is gone at once."""
    code = _guarded(sys.argv[1:] if argv is None else list(argv))
    if argv is None:
        _leave(code)
    return code


def _guarded(argv: Sequence[str]) -> int:
    try:
        return _dispatch(argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        _say(f"ecr-probe: {_words(error)}")
        return USAGE


def _words(error: Exception) -> str:
    from probe.flags import UsageError

    if isinstance(error, UsageError):
        return str(error)
    from probe.mishap import described  # ours, outside a run: no document, and no traceback either

    return f"a mistake of ecr-probe's own: {described(error)}; please report it"


def _leave(code: int) -> None:
    """Flush and be gone: threads that hang in a socket must not keep the process beyond its deadline."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


# ---- commands ------------------------------------------------------------------------------------


def _dispatch(argv: Sequence[str]) -> int:
    if not argv:
        _say(_overview())
        return USAGE
    name, rest = argv[0], argv[1:]
    if name == "--version":
        return _print(f"ecr-probe {__version__}\n")
    if name in ("--help", "-h"):
        return _print(_overview() + "\n")
    from probe.flags import UsageError
    from probe.values import one_of

    if name.startswith("-"):
        raise UsageError(f"{name!r} stands where a command is expected; for example ecr-probe check {name}")
    try:
        command = COMMANDS[one_of(name, COMMANDS, what="a command")]
    except ValueError as error:
        raise UsageError(f"{error}; for example ecr-probe check --help") from None
    if "--help" in rest or "-h" in rest:
        return _print(_help(name))
    return command.run(rest)


def _overview() -> str:
    rows = "\n".join(f"    {name:<8} {command.summary}" for name, command in COMMANDS.items())
    return (
        "ecr-probe proves that ECS can pull an image from ECR through PrivateLink, or names what is in the way.\n\n"
        f"usage: ecr-probe COMMAND ...\n\n{rows}\n\n"
        "ecr-probe COMMAND --help tells more; --version the version.\n"
        "exit codes: 0 pass or degraded, 1 fail, 2 usage or configuration, 3 inconclusive"
    )


def _check(argv: Sequence[str]) -> int:
    from probe.mishap import verdict_in_any_case
    from probe.progress import progress_on
    from probe.settings import parse
    from probe.signals import stop_on_signals

    settings = parse(argv)
    for note in settings.notes:
        _say(f"ecr-probe: {note}")
    stop, progress = threading.Event(), progress_on(sys.stderr)

    def run() -> Verdict:
        from probe.run import run as run_once
        from probe.wire import real_wire

        return run_once(settings, real_wire(settings.ca_bundle), progress=progress, stop=stop)

    with stop_on_signals(stop):
        try:
            verdict = verdict_in_any_case(settings, run, stop=stop)
        finally:
            progress.close()
        return _deliver(verdict, settings.reports)


def _explain(argv: Sequence[str]) -> int:
    from probe import saved
    from probe.flags import UsageError
    from probe.settings import given_to, read_reports

    given = given_to("ecr-probe explain", argv, positional=_takes_file)
    reports = read_reports(given)
    name: str | None = given.rest.file
    if name is None:
        raise UsageError("FILE is missing; for example ecr-probe explain verdict.json, or - for stdin")
    try:
        verdict = saved.read(_read(name, saved.LIMIT + 1))
    except OSError as error:
        raise UsageError(
            f"{name!r} cannot be read: {_reason(error)}; for example ecr-probe explain verdict.json"
        ) from None
    except ValueError as error:
        raise UsageError(f"{name!r} {error}") from None
    return _deliver(saved.rejudged(verdict), reports)


def _takes_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="a saved verdict; - is stdin")


def _read(name: str, limit: int) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(limit)
    with open(name, "rb") as file:
        return file.read(limit)


def _schema(argv: Sequence[str]) -> int:
    from probe.flags import UsageError
    from probe.report.json import schema_text

    if argv:
        raise UsageError(f"schema takes no arguments, but {argv[0]!r} was given; for example ecr-probe schema")
    return _print(schema_text())


def _demo(argv: Sequence[str]) -> int:
    from probe import demo

    wanted = demo.read(argv)
    # Around a report that a program reads, the story goes to stderr.
    tell = _say if wanted.for_programs else _line
    right = True
    for scene in demo.scenes(wanted):
        for line in scene.before:
            tell(line)
        if scene.verdict is not None and _deliver(scene.verdict, wanted.reports) == USAGE:
            return USAGE
        for line in scene.after:
            tell(line)
        right = right and scene.as_told
    return 0 if right else 1


# ---- output --------------------------------------------------------------------------------------


def _deliver(verdict: Verdict, reports: Reports) -> int:
    """Write every report, files first, and return the exit code."""
    from probe.outputs import write_atomically
    from probe.report import Page

    code = verdict.exit_code
    for output in sorted(reports.outputs, key=lambda output: output.path is None):
        if output.path is None:
            _print(_rendered(verdict, output.format, _screen(reports)))
            continue
        try:
            page = Page(pretty=reports.pretty)
            write_atomically(output.path, _rendered(verdict, output.format, page).encode(errors="replace"))
        except OSError as error:
            _say(
                f"ecr-probe: --output (ECR_PROBE_OUTPUT): {output.path!r} was not written: {_reason(error)}; "
                "an older file is untouched"
            )
            code = USAGE
    return code


def _rendered(verdict: Verdict, form: str, page: Page) -> str:
    """A report. Where the words fail us, the bare document stands in: what was measured must not be lost."""
    from probe.report import FORMATS

    try:
        return FORMATS[form](verdict, page)
    except Exception as error:
        from probe.mishap import described
        from probe.report.json import bare

        _say(f"ecr-probe: a mistake of ecr-probe's own in the {form} report: {described(error)}; here is the document")
        return bare(verdict)


def _screen(reports: Reports) -> Page:
    """What stdout can show."""
    from probe.report import Page

    width, terminal = 100, sys.stdout is not None and sys.stdout.isatty()
    if terminal:
        with suppress(OSError, ValueError):
            width = max(os.get_terminal_size(sys.stdout.fileno()).columns, 60)
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return Page(
        width=width,
        colour=terminal if reports.colour is None else reports.colour,
        unicode=encoding == "utf8",
        pretty=reports.pretty or terminal,
    )


def _print(text: str) -> int:
    """Put `text` on stdout whole. A reader that has gone is no fault of ours: the exit code stays."""
    try:
        if sys.stdout is not None:
            # Bytes, since a document is UTF-8 whatever the locale says.
            sys.stdout.buffer.write(text.encode(errors="replace"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes once more at exit and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        from probe.flags import UsageError

        raise UsageError(f"stdout cannot be written: {_reason(error)}") from None
    return 0


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _line(text: str) -> None:
    _print(text + "\n")


def _say(text: str) -> None:
    """One line on stderr, the place of everything that is not a report."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _help(name: str) -> str:
    from probe.flags import FLAGS, REPORT_FLAGS, parser_for

    flags = {"check": FLAGS, "demo": FLAGS, "explain": REPORT_FLAGS}.get(name, ())
    parser = parser_for(f"ecr-probe {name}", flags, description=COMMANDS[name].summary)
    if name == "explain":
        _takes_file(parser)
    elif name == "demo":
        from probe.demo import add_arguments

        add_arguments(parser)
    return parser.format_help()


COMMANDS = {
    "check": Command("one run, one verdict", _check),
    "demo": Command("the same check in a simulated VPC: no AWS account needed", _demo),
    "explain": Command("re-diagnose a saved verdict (json), offline", _explain),
    "schema": Command("print the JSON Schema of the verdict", _schema),
}
