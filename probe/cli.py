"""The command line: which command, where its report goes, and the exit code. The only place that prints.

Imports happen inside the commands: --version and --help answer at once, and a demo's simulator is no part of a check.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from probe import __version__
from probe.signals import (
    INTERRUPTED,
    Stop,
    end_quietly_on_ctrl_c,
    fill_closed_streams,
    keyboard_interrupts,
    stop_on_signals,
)

if TYPE_CHECKING:
    from probe.config.flags import Given
    from probe.config.settings import Reports
    from probe.fleet import Fleet
    from probe.model import Verdict
    from probe.push import Gateway
    from probe.report import Page
    from probe.serve.loop import Measure
    from probe.serve.options import Options

UNHEALTHY = 1
USAGE = 2
GOOD_FILE = "for example ecr-probe explain verdict.json"
FLUSHING = 1.0  # seconds


class Command(NamedTuple):
    summary: str
    run: Callable[[Sequence[str], Stop], int]
    stoppable: bool = False  # a signal asks it to end, and it still prints its document


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. With `argv` None we are the process, which ends here."""
    if argv is None:
        end_quietly_on_ctrl_c()
        fill_closed_streams()
        _leave(_guarded(sys.argv[1:]))
    return _guarded(list(argv))


def _guarded(argv: Sequence[str]) -> int:
    stop, command = Stop(), COMMANDS.get(argv[0]) if argv else None
    try:
        # First of all: imports take long enough for an early signal to arrive during them.
        with stop_on_signals(stop) if command is not None and command.stoppable else keyboard_interrupts():
            return _dispatch(argv, stop)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        _say(f"ecr-probe: {_words(error)}")
        return USAGE


def _words(error: Exception) -> str:
    try:
        from probe.config.flags import UsageError
        from probe.safe_words import printable

        if isinstance(error, UsageError):
            return printable(str(error))
        from probe.crash import described

        what = described(error)
    except Exception:  # what broke may be what these modules need, such as an installation that lacks a library
        what = type(error).__name__
    # Ours, outside a run: no document, and no traceback either, whose code 1 would say that the check failed.
    return f"a mistake of ecr-probe's own: {what}; please report it"


def _leave(code: int) -> NoReturn:
    """Flush and exit even if a thread or the reader of a pipe hangs."""
    flushing = threading.Thread(target=_flush, daemon=True)
    flushing.start()
    flushing.join(FLUSHING)
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


# ---- commands ------------------------------------------------------------------------------------


def _dispatch(argv: Sequence[str], stop: Stop) -> int:
    if argv and argv[0] == "--version":
        return _print(f"ecr-probe {__version__}\n")
    from probe.config.flags import UsageError
    from probe.config.help import help_of, overview

    summaries = {name: command.summary for name, command in COMMANDS.items()}
    if not argv:
        _say(overview(summaries))
        return USAGE
    name, rest = argv[0], argv[1:]
    if name in ("--help", "-h"):
        return _print(overview(summaries) + "\n")
    if name.startswith("-"):
        from probe.safe_words import without_login

        name = without_login(name)
        raise UsageError(f"{name!r} stands where a command is expected; for example ecr-probe check {name}")
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(f"{_no_command(name)}; for example ecr-probe check --help")
    if "--help" in rest or "-h" in rest:
        return _print(help_of(name, command.summary))
    return command.run(rest, stop)


def _no_command(name: str) -> str:
    from probe.config.readers import one_of

    try:
        return one_of(name, COMMANDS, what="a command")
    except ValueError as error:
        return str(error)


def _check(argv: Sequence[str], stop: Stop) -> int:
    gc.disable()  # looking for cycles would cost a tenth of the whole, and one run leaves few
    try:
        return _checked(argv, stop)
    finally:
        gc.enable()


def _checked(argv: Sequence[str], stop: Stop) -> int:
    from probe.config.settings import parse
    from probe.crash import verdict_in_any_case
    from probe.progress import progress_on

    settings = parse(argv)
    _check_stdout(settings.reports)
    for note in settings.notes:
        _say(f"ecr-probe: {note}")
    progress = progress_on(sys.stderr)

    def run() -> Verdict:
        from probe.run import run as run_once
        from probe.wire import real_wire

        return run_once(settings, real_wire(settings.ca_bundle), progress=progress, stop=stop)

    try:
        verdict = verdict_in_any_case(settings, run, stop=stop)
    finally:
        progress.close()
    code = _deliver(verdict, settings.reports)
    if settings.push_gateway is not None:
        _push(verdict, settings.push_gateway, settings.ca_bundle)
    return code


def _push(verdict: Verdict, gateway: Gateway, ca_bundle: str | None) -> None:
    """After the report, and no matter for the exit code: the verdict is on the image's path, not on the gateway's."""
    from probe.push import push
    from probe.wire import real_wire

    try:
        complaint = push(verdict, gateway, real_wire(ca_bundle))
    except Exception as error:
        from probe.crash import described

        complaint = f"a mistake of ecr-probe's own: {described(error)}"
    if complaint is not None:
        _say(f"ecr-probe: --push-gateway (ECR_PROBE_PUSH_GATEWAY): the run was not pushed: {complaint}")


def _explain(argv: Sequence[str], _stop: Stop) -> int:
    from probe.config.flags import EXPLAIN_FLAGS
    from probe.config.help import takes_file
    from probe.config.settings import given_to, read_reports
    from probe.model import Basis
    from probe.report import FORMATS

    given = given_to("ecr-probe explain", argv, flags=EXPLAIN_FLAGS, positional=takes_file)
    reports = read_reports(given)
    _check_stdout(reports)
    if (page := _page_of_a_code(given.rest.file)) is not None:
        return _print(page)
    verdict = _explained(given, given.rest.file)
    numeric = [output.format for output in reports.outputs if FORMATS[output.format].numeric]
    if numeric and verdict.basis is Basis.TEXT:
        raise given.refusal("format", f"{numeric[0]} shows what was measured, and an error text measures nothing")
    return _deliver(verdict, reports)


def _page_of_a_code(name: str | None) -> str | None:
    """The page of a finding or a cause, where `name` is such a code. A file of that name comes first."""
    if name is None or os.path.lexists(name):
        return None
    from probe.report.finding_page import finding_page

    try:
        return finding_page(name).rstrip("\n") + "\n"
    except KeyError:
        return None


def _explained(given: Given, name: str | None) -> Verdict:
    from probe.config import readers
    from probe.config.flags import UsageError
    from probe.explain.document import MAX_BYTES, explain_document
    from probe.explain.task_context import TaskContext

    known, ranges = TaskContext(image=given.one("image", readers.image)), given.many("vpc-cidr", readers.cidr)
    if "task" in given and name is not None and "task" not in given.by_variable:
        raise given.refusal("task", f"the file {name!r} is named as well; leave one of them out")
    if "task" in given and name is None:
        from probe.operator import stopped

        return stopped.explain_task(
            given.one("task", stopped.task_arn), known, ranges, profile=given.one("profile", str)
        )
    if name is None:
        raise UsageError(f"FILE is missing; {GOOD_FILE}, or - for standard input")
    shown = "standard input" if name == "-" else repr(name)
    try:
        return explain_document(_read(name, MAX_BYTES + 1), known, ranges)
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {_reason(error)}; {GOOD_FILE}") from None
    except ValueError as error:
        raise UsageError(f"{shown} {error}") from None


def _read(name: str, limit: int) -> bytes:
    if name == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        if sys.stdin.isatty():
            _say("ecr-probe: reading from the terminal; Ctrl-D on a line of its own ends it")
        return sys.stdin.buffer.read(limit)
    with open(name, "rb") as file:
        return file.read(limit)


def _health(argv: Sequence[str], _stop: Stop) -> int:
    from probe import health
    from probe.config.flags import LISTEN, TLS_CERTIFICATE
    from probe.config.listen import address
    from probe.config.settings import given_to

    given = given_to("ecr-probe health", argv, flags=(LISTEN, TLS_CERTIFICATE))
    listen = given.one("listen", address) or address(LISTEN.default)
    complaint = health.complaint(listen, tls=TLS_CERTIFICATE.name in given)
    if complaint is None:
        return _print("healthy\n")
    _say(f"ecr-probe: unhealthy: {complaint}")
    return UNHEALTHY


def _serve(argv: Sequence[str], stop: Stop) -> int:
    from probe.serve.loop import Rounds
    from probe.serve.options import read
    from probe.wire import real_wire

    options = read(argv)
    return _sidecar(options, Rounds(options.check, real_wire(options.check.ca_bundle)).measure, stop)


def _sidecar(options: Options, measure: Measure, stop: Stop) -> int:
    from probe.config.flags import UsageError
    from probe.records import replace
    from probe.serve.log_lines import event
    from probe.serve.sidecar import serve

    reports = replace(options.check.reports, outputs=options.outputs)
    _check_stdout(reports)
    for note in options.check.notes:
        _say(event("warning", "note", words=note))

    def deliver(verdict: Verdict) -> tuple[str, ...]:
        complaints: list[str] = []
        try:
            _deliver(verdict, reports, complaints.append)
        except UsageError as error:
            complaints.append(str(error))
        return tuple(complaints)

    return serve(options, measure, stop=stop, say=_say, deliver=deliver)


def _smoke(argv: Sequence[str], stop: Stop) -> int:
    from probe.operator.aws import Account
    from probe.safe_words import printable
    from probe.smoke.command import Smoke
    from probe.smoke.options import read
    from probe.smoke.progress import watch_on
    from probe.smoke.workers import NUMBER, Threads

    options = read(argv)
    _check_stdout(options.reports)
    for note in options.notes:
        _say(f"ecr-probe: {note}")
    account = Account(region=options.region, profile=options.profile, at_once=NUMBER)
    watch = watch_on(sys.stderr, lambda words: _say(printable(words)))
    fleet = Smoke(options, account, Threads(), stop=stop, watch=watch).run()
    return _deliver(fleet, options.reports)


def _schema(argv: Sequence[str], _stop: Stop) -> int:
    from probe.config.flags import UsageError
    from probe.config.readers import one_of
    from probe.report.json import DOCUMENTS, schema_text

    if len(argv) > 1:
        raise UsageError(f"schema takes one argument, but {argv[1]!r} was given as well; for example ecr-probe schema")
    try:
        return _print(schema_text(one_of(argv[0], DOCUMENTS, what="a document") if argv else "verdict"))
    except ValueError as error:
        raise UsageError(f"{error}; for example ecr-probe schema fleet") from None


def _demo(argv: Sequence[str], stop: Stop) -> int:
    from probe import demo

    request = demo.read(argv)
    if request.sidecar is not None:
        stage = demo.stage(request)
        try:
            return _sidecar(request.sidecar, stage.measure, stop)
        finally:
            stage.close()
    if not (request.listing or request.everything):
        _check_stdout(request.reports)
    # Next to a report that a program reads, everything else goes to stderr.
    write = _say if request.for_programs else _line
    as_expected, code = True, 0
    for scene in demo.scenes(request, width=_width(), stop=stop):
        for line in scene.before:
            write(line)
        if scene.verdict is not None and (code := _deliver(scene.verdict, request.reports)) == USAGE:
            return USAGE
        for line in scene.after:
            write(line)
        as_expected = as_expected and scene.as_expected
    if stop.is_set():
        return stop.exit_code
    if request.ambiguous is not None:
        raise demo.ambiguous(request)
    return code if request.verdict_exit_code else 0 if as_expected else 1


# ---- output --------------------------------------------------------------------------------------


def _check_stdout(reports: Reports) -> None:
    """Before the work: a report that nobody can receive is a mistake of the caller."""
    from probe.config.flags import UsageError

    if sys.stdout is None and any(output.path is None for output in reports.outputs):
        raise UsageError("stdout is closed; for a report to a file --output (ECR_PROBE_OUTPUT) verdict.json")


def _complain(words: str) -> None:
    _say(f"ecr-probe: {words}")


def _deliver(what: Verdict | Fleet, reports: Reports, complain: Callable[[str], None] = _complain) -> int:
    """Write every report, files first, and return the exit code."""
    from probe.config.outputs import write_atomically
    from probe.crash import report_in_any_case
    from probe.report import Page

    code = what.exit_code
    for output in sorted(reports.outputs, key=lambda output: output.path is None):
        if output.path is None:
            _print(report_in_any_case(what, output.format, _screen(reports), complain))
            continue
        try:
            page = Page(pretty=reports.pretty, verbose=reports.verbose, quiet=reports.quiet)
            document = report_in_any_case(what, output.format, page, complain).encode(errors="replace")
            write_atomically(output.path, document)
        except OSError as error:
            complain(
                f"--output (ECR_PROBE_OUTPUT): {output.path!r} was not written: {_reason(error)}; "
                "an older file is untouched"
            )
            code = USAGE
    return code


def _screen(reports: Reports) -> Page:
    """What stdout can show."""
    from probe.report import Page

    terminal = sys.stdout is not None and sys.stdout.isatty()
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return Page(
        width=_width(),
        colour=terminal if reports.colour is None else reports.colour,
        unicode=encoding == "utf8",
        pretty=reports.pretty or terminal,
        verbose=reports.verbose,
        quiet=reports.quiet,
    )


def _width() -> int:
    """Columns of the screen; 100 where it is none, or does not know (a serial line says 0)."""
    columns = 0
    if sys.stdout is not None and sys.stdout.isatty():
        with suppress(OSError, ValueError):
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(columns, 60) if columns else 100


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
        from probe.config.flags import UsageError

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


COMMANDS = {
    "check": Command("one run, one verdict", _check, stoppable=True),
    "demo": Command("the same check in a simulated VPC: no AWS account needed", _demo, stoppable=True),
    "explain": Command("what an error text or a stopped task tells, or a saved verdict again", _explain),
    "health": Command("the container's health check: exits 0 while the loop of serve is alive, else 1", _health),
    "serve": Command("the sidecar: the same check on a schedule, with a page and /metrics", _serve, stoppable=True),
    "smoke": Command(
        "the check as an ECS task in each subnet, from outside: one verdict over all", _smoke, stoppable=True
    ),
    "schema": Command("print the JSON Schema of the verdict, or with `schema fleet` of what smoke writes", _schema),
}
