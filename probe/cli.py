"""The command line: runs a command, prints its reports and returns the exit code. No other module prints.

Functions import what they need, so that --version and --help are fast and a check does not load the simulator.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TextIO, TypeVar

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
    import re

    from probe.config.flags import Arguments, UsageError
    from probe.config.settings import Reports
    from probe.configuration.document import Configuration
    from probe.deploy.console import TerminalConsole
    from probe.fleet import Fleet
    from probe.inspect.replacements import Replacement, Wanted
    from probe.model import Verdict
    from probe.push import Gateway
    from probe.report import Page
    from probe.serve.loop import Measure
    from probe.serve.options import Options
    from probe.smoke.options import Options as SmokeOptions

T = TypeVar("T")
UNHEALTHY = 1
USAGE = 2
GOOD_FILE = "for example ecr-probe explain verdict.json"
FLUSHING = 1.0  # seconds
WRITING = 1.0  # seconds that a stream which is not read is waited for at least


class Runner(NamedTuple):
    run: Callable[[Sequence[str], Stop], int]
    stoppable: bool = False  # after a signal it still prints its document


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; with `argv` None, run that of the process and end it."""
    if argv is None:
        end_quietly_on_ctrl_c()
        fill_closed_streams()
        _leave(_guarded(sys.argv[1:]))
    return _guarded(list(argv))


def _guarded(argv: Sequence[str]) -> int:
    stop, runner = Stop(), RUNNERS.get(argv[0]) if argv else None
    try:
        # Before any import, since imports take long enough for a signal to arrive.
        with stop_on_signals(stop) if runner is not None and runner.stoppable else keyboard_interrupts():
            return _dispatch(argv, stop)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        _complain(_error_text(error))
        return USAGE


def _error_text(error: Exception) -> str:
    try:
        from probe.config.flags import UsageError
        from probe.safe_words import printable

        if isinstance(error, UsageError):
            return printable(str(error))
        from probe.crash import described
        from probe.shortage import is_shortage

        if is_shortage(error):
            return f"this process is out of file descriptors, memory or threads: {described(error)}"
        description = described(error)
    except OSError as shortage:  # not even these modules can be opened
        return f"this process cannot read its own files: {shortage.strerror or error}"
    except Exception:  # these modules may need what is broken, such as an installation without a library
        description = type(error).__name__
    # A bug outside a run has no document. A traceback would exit with 1, as if the check had failed.
    return f"a bug of ecr-probe: {description}; please report it"


def _leave(code: int) -> NoReturn:
    """Flush and exit even if a thread or the reader of a pipe hangs."""
    flushing = threading.Thread(target=_flush, daemon=True)
    with suppress(RuntimeError):  # no further thread; reports have been flushed already
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
    from probe.config import commands

    width = min(_width(), 160)
    if not argv:
        _say(commands.overview(width).rstrip())
        return USAGE
    name, rest = argv[0], argv[1:]
    if name in ("--help", "-h", "help"):
        return _print(commands.help_of(rest[0], width) if rest and rest[0] in RUNNERS else commands.overview(width))
    if name not in RUNNERS:
        raise _no_command(name)
    if "--help" in rest or "-h" in rest:
        return _print(commands.help_of(name, width))
    return RUNNERS[name].run(rest, stop)


def _no_command(name: str) -> UsageError:
    from probe.config.flags import UsageError, with_example
    from probe.config.readers import one_of
    from probe.safe_words import quoted, without_login

    if name.startswith("-"):
        example = f"for example ecr-probe check {without_login(name)}"
        return UsageError(f"unknown option {quoted(name)} before the command; {example}")
    try:
        one_of(name, RUNNERS, what="a command")
    except ValueError as error:
        return UsageError(with_example(str(error), "ecr-probe check --help"))
    raise AssertionError(name)


def _check(argv: Sequence[str], stop: Stop) -> int:
    gc.disable()  # collection would take a tenth of the run, which leaves few cycles
    try:
        return _check_once(argv, stop)
    finally:
        gc.enable()


def _check_once(argv: Sequence[str], stop: Stop) -> int:
    from probe.config.settings import parse
    from probe.crash import verdict_in_any_case
    from probe.progress import progress_on

    settings = parse(argv)
    _check_stdout(settings.reports)
    for note in settings.notes:
        _complain(note)
    progress = progress_on(sys.stderr)

    def run() -> Verdict:
        from probe.run import run as run_once
        from probe.wire import real_wire

        return run_once(settings, real_wire(settings.ca_bundle), progress=progress, stop=stop)

    try:
        verdict = verdict_in_any_case(settings, run, stop=stop)
    finally:
        progress.close()
    code = _deliver(verdict, settings.reports, until=settings.started + settings.budget.deadline)
    if settings.push_gateway is not None:
        _push(verdict, settings.push_gateway, settings.ca_bundle)
    return code


def _push(verdict: Verdict, gateway: Gateway, ca_bundle: str | None) -> None:
    """Push after the report. A failure does not change the exit code, which is about the image's path."""
    from probe.push import push
    from probe.wire import real_wire

    try:
        complaint = push(verdict, gateway, real_wire(ca_bundle))
    except Exception as error:
        from probe.crash import described

        complaint = f"a bug of ecr-probe: {described(error)}"
    if complaint is not None:
        _complain(f"--push-gateway (ECR_PROBE_PUSH_GATEWAY): the run was not pushed: {complaint}")


def _explain(argv: Sequence[str], _stop: Stop) -> int:
    from probe.config.settings import Reports, arguments_of, notes, read_reports
    from probe.fleet import Fleet
    from probe.model import Basis, Verdict
    from probe.report import FORMATS

    arguments = arguments_of("explain", argv)
    for note in notes():
        _complain(note)
    if (page := _page_of_code(arguments.positional)) is not None:
        _refuse_flags(arguments)
        _check_stdout(Reports())
        return _print(page)
    reports = read_reports(arguments)
    _check_stdout(reports)
    verdict = _explained(arguments, arguments.positional)
    numeric = [output.format for output in reports.outputs if FORMATS[output.format].numeric]
    if numeric and isinstance(verdict, Fleet):
        raise arguments.refusal("format", f"{numeric[0]} reports one run, and this file has one for each subnet")
    if numeric and isinstance(verdict, Verdict) and verdict.basis is not Basis.MEASURED:
        source = "an error text" if verdict.basis is Basis.TEXT else "a configuration"
        raise arguments.refusal("format", f"{numeric[0]} reports measurements, and {source} has none")
    return _deliver(verdict, reports)


def _page_of_code(name: str | None) -> str | None:
    """The page of a finding or cause if `name` is its code. A file with that name takes precedence."""
    if name is None or os.path.lexists(name):
        return None
    from probe.report.finding_page import finding_page

    try:
        return finding_page(name).rstrip("\n") + "\n"
    except KeyError:
        return None


def _refuse_flags(arguments: Arguments) -> None:
    """Refuse every flag next to a code. Variables may be set for other commands, and have no effect on the page."""
    from probe.config.flags import UsageError

    typed = next(filter(arguments.on_command_line, arguments.texts), None)
    if typed is not None:
        command = f"explain {arguments.positional}"
        sentence = f"{command} prints the page of a code, so --{typed} has no effect"
        raise UsageError(f"{sentence}; for example ecr-probe {command}")


def _explained(arguments: Arguments, name: str | None) -> Verdict | Fleet:
    from probe.config import readers
    from probe.config.flags import UsageError
    from probe.explain import MAX_BYTES, explain_document
    from probe.explain.task_context import TaskContext
    from probe.safe_words import quoted

    context = TaskContext(image=arguments.value("image", readers.image))
    ranges = arguments.values("vpc-cidr", readers.cidr)
    if arguments.on_command_line("inspect") and "task" not in arguments:
        raise arguments.refusal("inspect", "works only with --task (ECR_PROBE_TASK)", example="--task ARN --inspect")
    if name is not None and arguments.on_command_line("task"):
        raise arguments.refusal("task", f"cannot be combined with the file {quoted(name)}")
    if name is None and "task" in arguments:
        from probe.operator import stopped

        arn, profile = arguments.value("task", stopped.task_arn), arguments.value("profile", str)
        verdict = stopped.explain_task(arn, context, ranges, profile=profile)
        return _settled(verdict, arn, profile) if arguments.on("inspect") and arn is not None else verdict
    if name is None:
        raise UsageError(f"FILE is missing; {GOOD_FILE}, or - for standard input")
    source = "standard input" if name == "-" else quoted(name)
    try:
        return explain_document(_read(name, MAX_BYTES + 1), context, ranges)
    except FileNotFoundError as error:
        raise UsageError(f"{source} {_nearest_code(name) or _unreadable(error)}") from None
    except OSError as error:
        raise UsageError(f"{source} {_unreadable(error)}") from None
    except ValueError as error:
        raise UsageError(f"{source} {error}") from None


def _settled(verdict: Verdict, arn: re.Match[str], profile: str | None) -> Verdict:
    from probe.inspect.stopped_task import settled
    from probe.operator.reading import reading_account

    verdict, complaint = settled(verdict, reading_account(region=arn["region"], profile=profile), arn[0])
    if complaint is not None:
        _complain(complaint)
    return verdict


def _unreadable(error: OSError) -> str:
    return f"cannot be read: {_reason(error)}; {GOOD_FILE}"


def _nearest_code(name: str) -> str | None:
    """Suggest the code that a name which is no file may mean."""
    from difflib import get_close_matches

    from probe.config.flags import with_example
    from probe.report.finding_page import CODES

    near = get_close_matches(name.lower(), CODES, n=1, cutoff=0.7)
    if not near:
        return None
    return with_example(f"is neither a file nor a code; did you mean {near[0]}?", f"ecr-probe explain {near[0]}")


def _read(name: str, limit: int) -> bytes:
    if name == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        if sys.stdin.isatty():
            _complain("reading from the terminal; finish with Ctrl-D on a line of its own")
        return sys.stdin.buffer.read(limit)
    with open(name, "rb") as file:
        return file.read(limit)


def _health(argv: Sequence[str], _stop: Stop) -> int:
    from probe import health
    from probe.config.listen import address
    from probe.config.settings import arguments_of, notes

    arguments = arguments_of("health", argv)
    for note in notes():
        _complain(note)
    listen = arguments.value_or_default("listen", address)
    complaint = health.complaint(listen, tls="tls-certificate" in arguments)
    if complaint is None:
        return _print("healthy\n")
    _complain(f"unhealthy: {complaint}")
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
        _say(event("warning", "note", message=note))

    def deliver(verdict: Verdict) -> tuple[str, ...]:
        complaints: list[str] = []
        try:
            _deliver(verdict, reports, complaints.append)
        except UsageError as error:
            complaints.append(str(error))
        return tuple(complaints)

    return serve(options, measure, stop=stop, say=_log, deliver=deliver)


def _smoke(argv: Sequence[str], stop: Stop) -> int:
    from probe.operator.aws import Account
    from probe.safe_words import printable
    from probe.smoke.calls import CONCURRENT_CALLS, WorkerThreads
    from probe.smoke.command import Smoke
    from probe.smoke.options import read_options
    from probe.smoke.progress import progress_on

    options = read_options(argv)
    _check_stdout(options.reports)
    for note in options.notes:
        _complain(note)
    account = Account(region=options.region, profile=options.profile, concurrent_calls=CONCURRENT_CALLS)
    progress = progress_on(sys.stderr, lambda line: _say(printable(line)))
    fleet = Smoke(options, account, WorkerThreads(), stop=stop, progress=progress).run()
    if options.inspect is not None and not stop.is_set():
        progress.note("reading the configuration")
        fleet = _with_configuration(fleet, options)
    code = _deliver(fleet, options.reports)
    if stop.is_set() and code != USAGE:
        _complain("interrupted")
    return code


def _up(argv: Sequence[str], stop: Stop) -> int:
    from probe.config.settings import variables
    from probe.deploy.command import Up
    from probe.deploy.options import read_up_options
    from probe.operator.aws import Account
    from probe.safe_words import printable
    from probe.smoke.calls import CONCURRENT_CALLS, WorkerThreads
    from probe.smoke.progress import progress_on

    options = read_up_options(argv)
    _check_stdout(options.reports)
    for note in options.notes:
        _complain(note)

    def deliver(fleet: Fleet) -> int:
        if options.smoke.inspect is not None and not stop.is_set():
            fleet = _with_configuration(fleet, options.smoke)
        return _deliver(fleet, options.reports)

    code = Up(
        options,
        Account(region=options.region, profile=options.profile, concurrent_calls=CONCURRENT_CALLS),
        WorkerThreads(),
        stop=stop,
        console=_console(stop),
        progress=progress_on(sys.stderr, lambda line: _say(printable(line))),
        deliver=deliver,
        environ=variables(),
    ).run()
    return stop.exit_code if stop.is_set() else code


def _down(argv: Sequence[str], stop: Stop) -> int:
    from probe.deploy.command import Down
    from probe.deploy.options import read_down_options
    from probe.operator.aws import Account
    from probe.smoke.calls import CONCURRENT_CALLS, WorkerThreads

    options = read_down_options(argv)
    for note in options.notes:
        _complain(note)
    account = Account(region=options.region, profile=options.profile, concurrent_calls=CONCURRENT_CALLS)
    code = Down(options, account, WorkerThreads(), stop=stop, console=_console(stop)).run()
    return stop.exit_code if stop.is_set() else code


def _console(stop: Stop) -> TerminalConsole:
    from probe.deploy.console import TerminalConsole
    from probe.safe_words import printable

    return TerminalConsole(
        lambda line: _say(printable(line)), terminal=sys.stderr, keyboard=sys.stdin, width=_width(), stop=stop
    )


def _with_configuration(fleet: Fleet, options: SmokeOptions) -> Fleet:
    from probe.operator.reading import reading_account
    from probe.smoke.inspection import with_configuration

    return with_configuration(fleet, options, reading_account(region=fleet.region, profile=options.profile))


def _inspect(argv: Sequence[str], _stop: Stop) -> int:
    from probe.configuration import saved
    from probe.explain import MAX_BYTES
    from probe.inspect.command import inspect
    from probe.inspect.measured import read_measured
    from probe.inspect.options import read_options
    from probe.operator.reading import reading_account

    options = read_options(argv)
    _check_stdout(options.reports)
    for note in options.notes:
        _complain(note)
    measured = _of_file(options.arguments, "verdict", read_measured, MAX_BYTES) or ()
    known = _of_file(options.arguments, "configuration", saved.from_bytes, saved.MAX_BYTES)
    source = known or reading_account(region=options.region, profile=options.profile, agreed=options.agreed)
    changes = tuple(_of_change(options.arguments, wanted) for wanted in options.changes)
    configurations: list[Configuration] = []
    verdict = inspect(options, source, measured, configurations.append, changes)
    if options.save is not None:
        _save(options.save, configurations[0], options.arguments)
    return _deliver(verdict, options.reports)


def _of_change(arguments: Arguments, wanted: Wanted) -> Replacement:
    from probe.inspect.replacements import MAX_BYTES, replacement

    return _of_name(arguments, "with", wanted.file, lambda document: replacement(wanted, document), MAX_BYTES)


def _of_file(arguments: Arguments, flag: str, read: Callable[[bytes], T], limit: int) -> T | None:
    """What `read` makes of the file that a flag names; None without the flag. Raises UsageError."""
    name = arguments.value(flag, str)
    return None if name is None else _of_name(arguments, flag, name, read, limit)


def _of_name(arguments: Arguments, flag: str, name: str, read: Callable[[bytes], T], limit: int) -> T:
    from probe.safe_words import quoted

    source = "standard input" if name == "-" else quoted(name)
    try:
        return read(_read(name, limit + 1))
    except OSError as error:
        raise arguments.refusal(flag, f"{source} cannot be read: {_reason(error)}") from None
    except ValueError as error:
        raise arguments.refusal(flag, f"{source} {error}") from None


def _save(path: str, configuration: Configuration, arguments: Arguments) -> None:
    from probe.config.outputs import write_atomically
    from probe.configuration import saved
    from probe.safe_words import quoted

    try:
        write_atomically(path, saved.to_bytes(configuration))
    except ValueError as error:
        raise arguments.refusal("save", str(error)) from None
    except OSError as error:
        sentence = f"{quoted(path)} was not written: {_reason(error)}; an existing file is unchanged"
        raise arguments.refusal("save", sentence) from None


def _schema(argv: Sequence[str], _stop: Stop) -> int:
    from probe.config.flags import UsageError, with_example
    from probe.config.readers import one_of
    from probe.config.settings import arguments_of
    from probe.report.json import DOCUMENTS, schema_text

    name = arguments_of("schema", argv).positional or "verdict"
    try:
        return _print(schema_text(one_of(name, DOCUMENTS, what="a document")))
    except ValueError as error:
        raise UsageError(with_example(str(error), "ecr-probe schema fleet")) from None


def _demo(argv: Sequence[str], stop: Stop) -> int:
    from probe import demo
    from probe.config.settings import notes

    request = demo.read(argv)
    if request.sidecar is not None:
        stage = demo.stage(request)
        try:
            return _sidecar(request.sidecar, stage.measure, stop)
        finally:
            stage.close()
    for note in notes():
        _complain(note)
    if not (request.listing or request.everything):
        _check_stdout(request.reports)
    # Next to a report that a program reads, everything else goes to stderr.
    write = _say if request.for_programs else _line
    as_expected, code = True, 0
    for scene in demo.scenes(request, width=_width(), stop=stop):
        for line in scene.before:
            write(line)
        if scene.verdict is not None:
            code = _deliver(scene.verdict, request.reports, settle=scene.settle)
            if code == USAGE:
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
    """Refuse a report to a closed stdout before the work begins."""
    from probe.config.flags import UsageError

    if sys.stdout is None and any(output.path is None for output in reports.outputs):
        raise UsageError("stdout is closed; write the report to a file with --output (ECR_PROBE_OUTPUT) verdict.json")


def _complain(text: str) -> None:
    _say(f"ecr-probe: {text}")


def _deliver(
    document: Verdict | Fleet,
    reports: Reports,
    complain: Callable[[str], None] = _complain,
    *,
    until: float | None = None,
    settle: str = "",
) -> int:
    """Write every report, files first, and return the exit code. `until` limits how long stdout may block."""
    from probe.config.outputs import write_atomically
    from probe.crash import report_in_any_case
    from probe.report import Page
    from probe.runbook import linked
    from probe.safe_words import without_login

    document = linked(document, reports.runbook_base)
    code = document.exit_code
    for output in sorted(reports.outputs, key=lambda output: output.path is None):
        if output.path is None:
            screen = _screen(reports)._replace(settle=settle)
            _print(report_in_any_case(document, output.format, screen, complain), until=until)
            continue
        try:
            page = Page(pretty=reports.pretty, verbose=reports.verbose, quiet=reports.quiet, settle=settle)
            report = report_in_any_case(document, output.format, page, complain)
            write_atomically(output.path, report.encode(errors="replace"))
        except OSError as error:
            complain(
                f"--output (ECR_PROBE_OUTPUT): {without_login(output.path)!r} was not written: {_reason(error)}; "
                "an existing file is unchanged"
            )
            code = USAGE
    return code


def _screen(reports: Reports) -> Page:
    """What stdout can display, and how much of it is wanted."""
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
    """Columns of the terminal. Without one, or if it reports 0 as a serial line does, those of COLUMNS, else 100."""
    from probe.config.settings import columns as columns_by_variable

    columns = 0
    if sys.stdout is not None and sys.stdout.isatty():
        with suppress(OSError, ValueError):
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(columns, 60) if columns else columns_by_variable() or 100


def _print(text: str, *, until: float | None = None) -> int:
    """Write `text` to stdout. A pipe or terminal that is closed, or not read until the instant `until`, does not change
    the exit code."""
    try:
        if sys.stdout is not None:
            # As bytes, since a document is UTF-8 in any locale.
            data = text.encode(errors="replace")
            if until is None:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            elif not _write_until(sys.stdout, data, until):
                _complain("stdout was not read until the deadline, so the report is incomplete")
    except OSError as error:
        if isinstance(error, BrokenPipeError) or _is_closed_terminal(sys.stdout, error):
            # Python flushes again at exit, and would report the error then.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        from probe.config.flags import UsageError

        raise UsageError(f"stdout cannot be written: {_reason(error)}") from None
    return 0


def _is_closed_terminal(stream: TextIO, error: OSError) -> bool:
    """Its session has ended. It is a character device still, but no terminal any more; a file with this error is
    damaged."""
    return error.errno == errno.EIO and stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)


def _write_until(stream: TextIO, data: bytes, until: float) -> bool:
    """Write to a stream and give up at an instant, but not sooner than after WRITING; whether all was written.

    Without a thread, since there may be none left, and without O_NONBLOCK, which other processes would share: a pipe
    that select() reports as writable takes PIPE_BUF bytes at once.
    """
    try:
        stream.flush()
        descriptor = stream.fileno()
    except (AttributeError, ValueError):  # not a file
        stream.write(data.decode())
        return True
    until, rest = max(until, time.monotonic() + WRITING), memoryview(data)
    while rest:
        if not select.select([], [descriptor], [], max(0.0, until - time.monotonic()))[1]:
            return False
        rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]
    return True


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _line(text: str) -> None:
    _print(text + "\n")


def _log(text: str) -> None:
    """Print a line on stderr, and wait for its reader. The sidecar does so on a thread of its own."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    """Print a line on stderr, where everything goes that is not a report. It is lost if the stream is not read."""
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            _write_until(sys.stderr, f"{text}\n".encode(errors="replace"), 0.0)


RUNNERS = {
    "check": Runner(_check, stoppable=True),
    "demo": Runner(_demo, stoppable=True),
    "explain": Runner(_explain),
    "health": Runner(_health),
    "serve": Runner(_serve, stoppable=True),
    "smoke": Runner(_smoke, stoppable=True),
    "up": Runner(_up, stoppable=True),
    "down": Runner(_down, stoppable=True),
    "inspect": Runner(_inspect),
    "schema": Runner(_schema),
}
