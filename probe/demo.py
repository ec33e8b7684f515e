"""The demo: the real check, run in the simulated VPC, and whether it came out as the scenario tells.

The simulator is imported here and nowhere else in the program. Printing is the command line's.
"""

from __future__ import annotations

import argparse
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING

from probe.config.flags import FLAGS, LISTEN, REPORT_FLAGS, SERVE_FLAGS, Given, UsageError
from probe.config.readers import one_of
from probe.config.settings import Reports, Settings, given_to, parse, read_reports
from probe.crash import verdict_in_any_case
from probe.model import Verdict
from probe.records import Record, replace

if TYPE_CHECKING:
    from probe.rehearsal import Stage
    from probe.serve.options import Options
    from probe.sim.scenarios import Scenario

SHOWN = ("healthy", "s3-gateway-missing")
GOOD = "for example ecr-probe demo healthy"
GOOD_SERVED = "for example ecr-probe demo --serve s3-gateway-missing"
INTERRUPTED = "interrupted; scenario not checked"
_AT_ONCE = 12  # most of a scenario's time is waiting
_PROSE = 120  # columns; longer lines are hard to read however wide the screen is


class Wanted(Record, frozen=True):
    """What to show: `everything` in one line each, `listing` without running, else each of `scenarios` in full.

    With `sidecar` it is served over the first scenario, or (`drill`) over health and each of the scenarios by turns.
    """

    scenarios: tuple[Scenario, ...]
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    reports: Reports
    listing: bool = False
    everything: bool = False
    sidecar: Options | None = None
    drill: bool = False

    @property
    def for_programs(self) -> bool:
        on_stdout = [output.format for output in self.reports.outputs if output.path is None]
        return not (self.listing or self.everything) and on_stdout not in ([], ["text"])


class Scene(Record, frozen=True):
    """Lines before a report, the verdict to report (None: no report), lines after it."""

    before: tuple[str, ...] = ()
    verdict: Verdict | None = None
    after: tuple[str, ...] = ()
    as_told: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO", help="its name; without one, two are shown")
    parser.add_argument("--list", action="store_true", help="list all scenarios without running them")
    parser.add_argument("--all", action="store_true", help="run all, a line each")
    parser.add_argument("--serve", action="store_true", help="the sidecar in the simulated VPC, until Ctrl-C")
    parser.add_argument("--drill", action="store_true", help="with --serve: faults come and go, a few rounds each")


def read(argv: Sequence[str]) -> Wanted:
    """Read the demo's arguments. Raises UsageError.

    The variables of check's flags count too, below a scenario's own arguments; all others do not: the simulated task
    has an environment of its own.
    """
    given = given_to("ecr-probe demo", argv, flags=(*FLAGS, *SERVE_FLAGS), positional=add_arguments)
    if given.rest.serve:
        return _served(given)
    _refuse_serving(given)
    name, listing, everything = given.rest.scenario, given.rest.list, given.rest.all
    alone = [word for word, present in ((name, name), ("--list", listing), ("--all", everything)) if present]
    if len(alone) > 1:
        raise UsageError(f"{' and '.join(map(repr, alone))} cannot be combined; {GOOD}")
    scenarios = _scenarios()
    arguments, variables = tuple(_typed(given)), _variables(given)
    if listing or everything:
        useless = [flag.name for flag in REPORT_FLAGS if flag.name in set(given.texts) - given.by_variable]
        if useless:
            raise UsageError(f"{alone[0]} prints a line for each scenario, so --{useless[0]} has no effect; {GOOD}")
        return _checked(Wanted(scenarios, arguments, variables, Reports(), listing, everything))
    if name is None and (given.reports or {"format", "output"} & given.by_variable):
        raise UsageError("without a name the demo shows two reports; name one for --format or --output; " + GOOD)
    chosen = tuple(_named(each, scenarios) for each in (SHOWN if name is None else (name,)))
    return _checked(Wanted(chosen, arguments, variables, read_reports(given)))


LISTEN_LOCALLY = replace(LISTEN, default=LISTEN.example)  # a rehearsal is for this machine alone
INTERVAL = 10.0  # seconds; nobody pays for these rounds


def _served(given: Given) -> Wanted:
    from probe.rehearsal import FAULTS
    from probe.serve.options import options

    if given.rest.list or given.rest.all:
        raise UsageError(f"--serve and {'--list' if given.rest.list else '--all'} cannot be combined; {GOOD_SERVED}")
    scenarios = _scenarios()
    names = (given.rest.scenario,) if given.rest.scenario else FAULTS if given.rest.drill else ("healthy",)
    chosen = tuple(_named(name, scenarios) for name in names)
    wanted = Wanted(chosen, tuple(_typed(given)), _variables(given), read_reports(given), drill=given.rest.drill)
    check = _settings(chosen[0], wanted, {})
    sidecar = options(given, check, listen=LISTEN_LOCALLY, interval=INTERVAL)
    return _checked(replace(wanted, sidecar=replace(sidecar, rehearsal=True)))


def _refuse_serving(given: Given) -> None:
    alone = ["--drill"] if given.rest.drill else []
    alone += [f"--{flag.name}" for flag in SERVE_FLAGS if flag.name in given and flag.name not in given.by_variable]
    if alone:
        raise UsageError(f"{alone[0]} works only with --serve; {GOOD_SERVED}")


def _named(name: str, scenarios: Sequence[Scenario]) -> Scenario:
    try:
        known = one_of(name, [scenario.name for scenario in scenarios], what="a scenario")
    except ValueError as error:
        raise UsageError(f"{error}; ecr-probe demo --list tells all, {GOOD}") from None
    return next(scenario for scenario in scenarios if scenario.name == known)


def stage(wanted: Wanted) -> Stage:
    """Where the rounds of the sidecar take place."""
    from probe.rehearsal import Stage, phases
    from probe.serve.options import LAYER_BYTES

    assert wanted.sidecar is not None
    rounds = phases(_named("healthy", _scenarios()), wanted.scenarios, drill=wanted.drill)
    budget = wanted.sidecar.check.budget
    return Stage(
        rounds,
        arguments=wanted.arguments,
        variables=wanted.variables,
        deadline=budget.deadline,
        layer_bytes=max(LAYER_BYTES, budget.layer_bytes),  # a smaller one is among the arguments, or one scenario's own
    )


def _checked(wanted: Wanted) -> Wanted:
    """A mistake in the flags of check is said before the first story is told."""
    for scenario in wanted.scenarios:
        _settings(scenario, wanted, {})
    return wanted


def _settings(scenario: Scenario, wanted: Wanted, environ: Mapping[str, str]) -> Settings:
    environ = {**wanted.variables, **environ, **scenario.environ}
    return parse([*scenario.arguments, *wanted.arguments], environ, started=time.monotonic())


_BESIDE_THE_CHECK = frozenset(flag.name for flag in (*REPORT_FLAGS, *SERVE_FLAGS))


def _variables(given: Given) -> dict[str, str]:
    """The variables that concern the check."""
    return {given.flags[name].variable: given.texts[name][0] for name in given.by_variable - _BESIDE_THE_CHECK}


def _typed(given: Given) -> Iterator[str]:
    """The flags of the command line that concern the check, to be handed on to it."""
    for name, texts in given.texts.items():
        if name in given.by_variable or name in _BESIDE_THE_CHECK:
            continue
        flag = given.flags[name]
        for text in texts:
            yield f"--{flag.opposite if text == 'false' else name}" if flag.switch else f"--{name}={text}"


def _scenarios() -> tuple[Scenario, ...]:
    if find_spec("trustme") is None:
        raise UsageError(
            "the simulated VPC is not part of this installation, which lacks trustme, as the container image and the "
            "one-file build do; on a workstation: pip install 'ecr-probe[demo]'"
        )
    from probe.sim.scenarios import SCENARIOS

    return tuple(SCENARIOS)


def scenes(wanted: Wanted, *, width: int, stop: threading.Event) -> Iterator[Scene]:
    """Show what is wanted, as it comes, until `stop` is set; lines of prose take at most `width` columns."""
    width = min(width, _PROSE)
    if wanted.listing:
        column = max(len(scenario.name) for scenario in wanted.scenarios) + 2
        for one in wanted.scenarios:
            yield Scene(before=tuple(_wrapped(one.name.ljust(column), one.description, width=width)))
    elif wanted.everything:
        yield from _all(wanted, stop)
    else:
        for number, scenario in enumerate(wanted.scenarios):
            if stop.is_set():
                yield Scene(before=(INTERRUPTED,), as_told=False)
                return
            story = _wrapped(f"scenario {scenario.name}: ", scenario.description, width=width, hang=2)
            yield Scene(before=(*([""] if number else []), *story, ""))
            verdict = play(scenario, wanted, stop)
            if stop.is_set():
                yield Scene(verdict=verdict, after=("", INTERRUPTED), as_told=False)
                return
            outcome, as_told = _outcome(scenario, verdict, width), not differences(scenario, verdict)
            yield Scene(verdict=verdict, after=("", *outcome), as_told=as_told)


def _all(wanted: Wanted, stop: threading.Event) -> Iterator[Scene]:
    right = 0
    width = max(len(scenario.name) for scenario in wanted.scenarios)
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        played = pool.map(lambda scenario: play(scenario, wanted, stop), wanted.scenarios)
        for scenario, verdict in zip(wanted.scenarios, played, strict=True):
            if stop.is_set():
                yield Scene(before=(INTERRUPTED,), as_told=False)
                return
            wrong = differences(scenario, verdict)
            right += not wrong
            found = ", ".join(finding.code for finding in verdict.findings) or "nothing to find"
            words = f"{verdict.status:<12}  {found}" if not wrong else f"NOT AS EXPECTED: {'; '.join(wrong)}"
            yield Scene(before=(f"{scenario.name:<{width}}  {words}",), as_told=not wrong)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C must not wait for those in line
    yield Scene(before=(f"{right} of {len(wanted.scenarios)} scenarios matched",))


def play(scenario: Scenario, wanted: Wanted, stop: threading.Event) -> Verdict:
    """Run the check in the scenario's VPC."""
    from probe.run import run
    from probe.sim.vpc import VPC

    with VPC() as vpc:
        scenario.change(vpc)
        settings = _settings(scenario, wanted, vpc.environ)
        return verdict_in_any_case(settings, lambda: run(settings, vpc.wire(), stop=stop), stop=stop)


def differences(scenario: Scenario, verdict: Verdict) -> list[str]:
    """What came out otherwise than the scenario tells."""
    codes = {finding.code for finding in verdict.findings}
    first = {finding.code: finding.causes[0].code for finding in verdict.findings if finding.causes}
    told, found = set(scenario.expected_findings), codes
    wrong = [f"{code} is missing" for code in sorted(told - found)]
    wrong += [f"{code} is too much" for code in sorted(found - told)]
    wrong += [
        f"{code}'s first cause is {first.get(code)}, expected {cause}"
        for code, cause in scenario.expected_first_causes.items()
        if code in codes and first.get(code) != cause
    ]
    if str(verdict.status) != str(scenario.expected_status):
        wrong.append(f"status is {verdict.status}, expected {scenario.expected_status}")
    if str(verdict.pull) != str(scenario.expected_pull):
        wrong.append(f"pull is {verdict.pull}, expected {scenario.expected_pull}")
    return wrong


def _outcome(scenario: Scenario, verdict: Verdict, width: int) -> list[str]:
    wrong = differences(scenario, verdict)
    if wrong:
        return _wrapped("NOT as expected: ", "; ".join(wrong), width=width, hang=2)
    found = ", ".join(sorted(scenario.expected_findings)) or "nothing to find"
    return _wrapped("as expected: ", f"{verdict.status}, {found}", width=width, hang=2)


def _wrapped(label: str, text: str, *, width: int, hang: int | None = None) -> list[str]:
    indent = " " * (len(label) if hang is None else hang)
    words = " ".join(text.split())
    return textwrap.wrap(words, width, initial_indent=label, subsequent_indent=indent, break_on_hyphens=False)
