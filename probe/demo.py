"""`ecr-probe demo`: run the real check in the simulated VPC and compare the verdict with what the scenario expects.

With --inspect, the configuration of the simulated account is then joined with what was measured. Only this module,
`rehearsal` and `simulated_inspection` import the simulator. `cli` prints.
"""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from importlib.util import find_spec
from typing import TYPE_CHECKING

from probe.config.flags import DEMO_FLAGS, DEMO_SERVE_FLAGS, REPORT_FLAGS, Arguments, UsageError, with_example
from probe.config.settings import Reports, Settings, arguments_of, notes, parse, read_reports
from probe.crash import verdict_in_any_case
from probe.model import Standing, Verdict
from probe.records import Record, replace
from probe.safe_words import quoted

if TYPE_CHECKING:
    from probe.rehearsal import Stage
    from probe.serve.options import Options
    from probe.sim.account import SimulatedAccount
    from probe.sim.scenarios import Scenario
    from probe.sim.vpc import VPC

SHOWN = ("healthy", "s3-gateway-missing")
GOOD = "for example ecr-probe demo healthy"
GOOD_INSPECTED = "for example ecr-probe demo --inspect security-group"
GOOD_SERVED = "for example ecr-probe demo --serve s3-gateway-missing"
INTERRUPTED = "interrupted; scenario not checked"
_CONCURRENT = 12  # scenarios; most of their time is waiting
_LONGEST_LINE = 120  # columns; longer lines of prose are hard to read on any screen


class Request(Record, frozen=True):
    """What `demo` was asked to show.

    `listing`: describe the scenarios without running them. `everything`: run all, one line each. Otherwise each of
    `scenarios` runs and is reported in full. `ambiguous`: the name that these scenarios match, which is not a scenario.
    `sidecar`: serve the first scenario or, with `drill`, health and each of the scenarios in turn.
    `inspecting`: read the account's configuration after the check. `verdict_exit_code`: exit as `check` would, instead
    of 0 for a verdict as expected.
    """

    scenarios: tuple[Scenario, ...]
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    reports: Reports
    listing: bool = False
    everything: bool = False
    ambiguous: str | None = None
    sidecar: Options | None = None
    drill: bool = False
    inspecting: bool = False
    verdict_exit_code: bool = False

    @property
    def for_programs(self) -> bool:
        on_stdout = [output.format for output in self.reports.outputs if output.path is None]
        return not self.everything and on_stdout not in ([], ["text"])


class Scene(Record, frozen=True):
    """Lines before a report, the verdict to report (None: no report), lines after it. `settle` is the command that
    settles its causes."""

    before: tuple[str, ...] = ()
    verdict: Verdict | None = None
    settle: str = ""
    after: tuple[str, ...] = ()
    as_expected: bool = True


# ---- arguments -----------------------------------------------------------------------------------


def read(argv: Sequence[str]) -> Request:
    """Read the demo's arguments. Raises UsageError.

    Variables of check's flags apply too, below a scenario's own arguments. Other variables do not: the simulated task
    has an environment of its own.
    """
    arguments = arguments_of("demo", argv)
    if arguments.positional == "":
        raise UsageError(f"the name of the scenario is empty; {GOOD}")
    if arguments.on("serve"):
        return _read_served(arguments)
    _refuse_flags_of_serve(arguments)
    name, listing, everything = arguments.positional, arguments.on("list"), arguments.on("all")
    if everything and (name or listing):
        raise UsageError(f"'--all' and {quoted(name or '--list')} cannot be combined; {GOOD}")
    scenarios = all_scenarios()
    request = Request(scenarios, tuple(_typed(arguments)), _variables(arguments), Reports(), listing, everything)
    if listing or everything:
        mode = "--list" if listing else "--all"
        useless = [flag.name for flag in REPORT_FLAGS if arguments.on_command_line(flag.name)]
        useless += [name for name in ("exit-code", "inspect") if arguments.on(name)]
        if useless:
            raise UsageError(f"{mode} prints a line for each scenario, so --{useless[0]} has no effect; {GOOD}")
        return _checked(replace(request, scenarios=_matching(name, scenarios) if name else scenarios))
    if name is None and (arguments.reports or {"format", "output"} & arguments.by_variable):
        raise UsageError(f"without a name the demo shows two reports; name a scenario for --format or --output; {GOOD}")
    if name is None and arguments.on("exit-code"):
        raise UsageError(f"--exit-code needs the name of a scenario; {GOOD} --exit-code")
    if name is None and arguments.on("inspect"):
        raise UsageError(f"--inspect needs the name of a scenario; {GOOD_INSPECTED}")
    request = replace(
        request,
        reports=read_reports(arguments),
        verdict_exit_code=arguments.on("exit-code"),
        inspecting=arguments.on("inspect"),
    )
    if name is None:
        return _checked(replace(request, scenarios=tuple(scenario_named(name, scenarios) for name in SHOWN)))
    matching = _matching(name, scenarios)
    if matching[0].name != name:
        return replace(request, scenarios=matching, listing=True, ambiguous=name)
    return _checked(replace(request, scenarios=matching))


def _read_served(arguments: Arguments) -> Request:
    from probe.rehearsal import FAULTS
    from probe.serve.options import options

    for flag in DEMO_FLAGS:
        if arguments.on(flag.name):
            raise UsageError(f"--serve and --{flag.name} cannot be combined; {GOOD_SERVED}")
    names = (arguments.positional,) if arguments.positional else FAULTS if arguments.on("drill") else ("healthy",)
    scenarios = all_scenarios()
    request = Request(
        tuple(scenario_named(name, scenarios) for name in names),
        tuple(_typed(arguments)),
        _variables(arguments),
        read_reports(arguments),
        drill=arguments.on("drill"),
    )
    check = replace(_settings(request.scenarios[0], request, {}), notes=notes())
    sidecar = options(arguments, check)
    return _checked(replace(request, sidecar=replace(sidecar, rehearsal=True)))


def _refuse_flags_of_serve(arguments: Arguments) -> None:
    for flag in DEMO_SERVE_FLAGS:
        if arguments.on_command_line(flag.name):
            raise UsageError(f"--{flag.name} works only with --serve; {GOOD_SERVED}")


def _matching(text: str, scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """The scenario of this name; otherwise those that have it in their name or expect this finding or cause."""
    for scenario in scenarios:
        if scenario.name == text:
            return (scenario,)
    matching = tuple(
        scenario
        for scenario in scenarios
        if text.lower() in scenario.name
        or text in scenario.expected_findings
        or text in scenario.expected_first_causes.values()
    )
    return matching or (scenario_named(text, scenarios),)


def scenario_named(name: str, scenarios: Sequence[Scenario]) -> Scenario:
    names = [scenario.name for scenario in scenarios]
    matching = [other for other in names if name.lower() in other]
    if name not in names and matching:
        raise UsageError(f"{quoted(name)} is not a scenario; ecr-probe demo --list {name} lists those that match")
    if name not in names:
        near = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
        sentence = f"{quoted(name)} is not a scenario"
        if near:
            raise UsageError(with_example(f"{sentence}; did you mean {near[0]}?", f"ecr-probe demo {near[0]}"))
        raise UsageError(f"{sentence}; see ecr-probe demo --list")
    return scenarios[names.index(name)]


def ambiguous(request: Request) -> UsageError:
    """Say that nothing ran: the text is no scenario's name, but matches those that have been listed."""
    example, number = request.scenarios[0].name, len(request.scenarios)
    text = quoted(request.ambiguous or "")
    if number == 1:
        return UsageError(f"one scenario matches {text}; run it with ecr-probe demo {example}")
    return UsageError(f"{number} scenarios match {text}; run one, for example ecr-probe demo {example}")


def _checked(request: Request) -> Request:
    """Refuse a mistake in the flags of check before anything is printed."""
    for scenario in request.scenarios:
        _settings(scenario, request, {})
    return request


def _settings(scenario: Scenario, request: Request, environ: Mapping[str, str]) -> Settings:
    environ = {**request.variables, **environ}
    return parse([*scenario.arguments, *request.arguments], environ, started=time.monotonic())


_NOT_FOR_THE_CHECK = frozenset(flag.name for flag in (*REPORT_FLAGS, *DEMO_FLAGS, *DEMO_SERVE_FLAGS))


def _variables(arguments: Arguments) -> dict[str, str]:
    """The variables that concern the check."""
    return {
        arguments.flags[name].variable: arguments.texts[name][0] for name in arguments.by_variable - _NOT_FOR_THE_CHECK
    }


def _typed(arguments: Arguments) -> Iterator[str]:
    """The flags of the command line that concern the check, in a form that `parse` reads."""
    for name, texts in arguments.texts.items():
        if name in arguments.by_variable or name in _NOT_FOR_THE_CHECK:
            continue
        flag = arguments.flags[name]
        for text in texts:
            yield f"--{flag.opposite if text == 'false' else name}" if flag.switch else f"--{name}={text}"


def all_scenarios() -> tuple[Scenario, ...]:
    if find_spec("trustme") is None:
        raise UsageError(
            "the simulated VPC is not part of this installation, which lacks trustme, as the container image and the "
            "one-file build do; on a workstation, in a clone of the repository: make demo"
        )
    from probe.sim.scenarios import SCENARIOS

    return tuple(SCENARIOS)


# ---- scenes --------------------------------------------------------------------------------------


def stage(request: Request) -> Stage:
    """The simulated VPC in which the rounds of the sidecar take place."""
    from probe.rehearsal import Stage, phases
    from probe.serve.options import LAYER_BYTES

    assert request.sidecar is not None
    rounds = phases(scenario_named("healthy", all_scenarios()), request.scenarios, drill=request.drill)
    budget = request.sidecar.check.budget
    return Stage(
        rounds,
        arguments=request.arguments,
        variables=request.variables,
        deadline=budget.deadline,
        layer_bytes=max(LAYER_BYTES, budget.layer_bytes),  # smaller values come from the arguments or the scenario
    )


def scenes(request: Request, *, width: int, stop: threading.Event) -> Iterator[Scene]:
    """Yield what was requested as it becomes available, until `stop` is set; prose takes at most `width` columns."""
    width = min(width, _LONGEST_LINE)
    if request.listing:
        yield Scene(before=tuple(_list(request.scenarios, width)))
    elif request.everything:
        yield from _run_all(request, stop)
    else:
        for number, scenario in enumerate(request.scenarios):
            if stop.is_set():
                yield Scene(before=(INTERRUPTED,), as_expected=False)
                return
            story = _wrapped(f"scenario {scenario.name}: ", scenario.description, width=width, hang=2)
            yield Scene(before=(*([""] if number else []), *story, ""))
            verdict, account = _described(scenario, request, stop)
            if stop.is_set():
                yield Scene(verdict=verdict, after=("", INTERRUPTED), as_expected=False)
                return
            differing = differences(scenario, verdict)
            alone = not (request.inspecting and request.for_programs)  # a program reads one document
            outcome = ("", *_outcome(scenario, differing, width))
            yield Scene(
                verdict=verdict if alone else None,
                settle=f"ecr-probe demo {scenario.name} --inspect",
                after=outcome,
                as_expected=not differing,
            )
            if account is not None:
                yield _inspected(scenario, verdict, account, width)


def _inspected(scenario: Scenario, verdict: Verdict, account: SimulatedAccount, width: int) -> Scene:
    """The second report: what was measured, joined with the configuration of the simulated account."""
    from probe.simulated_inspection import joined, settled

    story = "inspect reads the simulated account's configuration and joins it with what was measured:"
    try:
        found = joined(account, verdict, role=pull_role(scenario))
    except UsageError as error:  # nothing of the pull goes through this account
        lines = _wrapped("nothing to inspect: ", str(error), width=width, hang=2)
        return Scene(before=("", *lines), as_expected=not scenario.settled)
    confirmed = settled(found)
    named = "; ".join(f"{cause} in {identity}" for cause, identity in confirmed.items()) or "no cause"
    expected = confirmed == dict(scenario.settled)
    label = "as expected, the configuration confirms: " if expected else "NOT as expected, the configuration confirms: "
    return Scene(
        before=("", *_wrapped("", story, width=width), ""),
        verdict=found,
        after=("", *_wrapped(label, named, width=width, hang=2)),
        as_expected=expected,
    )


def pull_role(scenario: Scenario) -> str | None:
    """The role that the scenario says pulls, if not the task's execution role."""
    flags = iter(scenario.arguments)
    return next((next(flags, None) for flag in flags if flag == "--pull-role"), None)


def _list(scenarios: Sequence[Scenario], width: int) -> Iterator[str]:
    from probe.sim.scenarios import AREAS

    for area, members in AREAS.items():
        listed = [scenario for scenario in members if scenario in scenarios]
        if not listed:
            continue
        yield area
        for scenario in listed:
            label = f"  {scenario.name:<30}  "
            yield from _wrapped(label, "  ".join(f"{text:<12}" for text in _expected(scenario)), width=width)
            yield from _wrapped("      ", scenario.description, width=width)
        yield ""


def _run_all(request: Request, stop: threading.Event) -> Iterator[Scene]:
    matched = 0
    width = max(len(scenario.name) for scenario in request.scenarios)
    pool = ThreadPoolExecutor(_CONCURRENT)
    try:
        verdicts = pool.map(lambda scenario: play(scenario, request, stop), request.scenarios)
        for scenario, verdict in zip(request.scenarios, verdicts, strict=True):
            if stop.is_set():
                yield Scene(before=(INTERRUPTED,), as_expected=False)
                return
            differing = differences(scenario, verdict)
            matched += not differing
            codes = ", ".join(finding.code for finding in verdict.findings) or "no findings"
            result = f"NOT AS EXPECTED: {'; '.join(differing)}" if differing else f"{verdict.status:<12}  {codes}"
            yield Scene(before=(f"{scenario.name:<{width}}  {result}",), as_expected=not differing)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C must not wait for scenarios that have not started
    yield Scene(before=(f"{matched} of {len(request.scenarios)} scenarios matched",))


def play(scenario: Scenario, request: Request, stop: threading.Event) -> Verdict:
    """Run the check in the scenario's VPC."""
    from probe.sim.vpc import VPC

    with VPC() as vpc:
        return _checked_in(vpc, scenario, request, stop)


def _described(scenario: Scenario, request: Request, stop: threading.Event) -> tuple[Verdict, SimulatedAccount | None]:
    """The verdict, and the configuration of its VPC where it is inspected."""
    if not request.inspecting:
        return play(scenario, request, stop), None
    from probe.sim.configuration import account_of
    from probe.sim.vpc import VPC

    with VPC() as vpc:
        return _checked_in(vpc, scenario, request, stop), account_of(vpc)


def _checked_in(vpc: VPC, scenario: Scenario, request: Request, stop: threading.Event) -> Verdict:
    from probe.run import run

    scenario.change(vpc)
    settings = _settings(scenario, request, vpc.environ)
    return verdict_in_any_case(settings, lambda: run(settings, vpc.wire(), stop=stop), stop=stop)


def differences(scenario: Scenario, verdict: Verdict) -> list[str]:
    """How the verdict differs from what the scenario expects."""
    codes = {finding.code for finding in verdict.findings}
    first_causes = {finding.code: finding.causes[0].code for finding in verdict.findings if finding.causes}
    differing = [f"{code} is missing" for code in sorted(scenario.expected_findings - codes)]
    differing += [f"{code} was not expected" for code in sorted(codes - scenario.expected_findings)]
    differing += [
        f"{code}'s first cause is {first_causes.get(code)}, expected {cause}"
        for code, cause in scenario.expected_first_causes.items()
        if code in codes and first_causes.get(code) != cause
    ]
    listed = {
        cause.code
        for finding in verdict.findings
        for cause in finding.causes
        if cause.standing is not Standing.RULED_OUT
    }
    differing += [
        f"the cause {code} is listed although the evidence excludes it"
        for code in sorted(scenario.excluded_causes & listed)
    ]
    if str(verdict.status) != scenario.expected_status:
        differing.append(f"status is {verdict.status}, expected {scenario.expected_status}")
    if str(verdict.pull) != scenario.expected_pull:
        differing.append(f"pull is {verdict.pull}, expected {scenario.expected_pull}")
    return differing


def _outcome(scenario: Scenario, differing: Sequence[str], width: int) -> list[str]:
    if differing:
        return _wrapped("NOT as expected: ", "; ".join(differing), width=width, hang=2)
    return _wrapped("as expected: ", ", ".join(_expected(scenario)), width=width, hang=2)


def _expected(scenario: Scenario) -> list[str]:
    """The status, and the findings if there are any worth listing."""
    codes = ", ".join(sorted(scenario.expected_findings))
    return [scenario.expected_status, codes] if codes else [scenario.expected_status]


def _wrapped(label: str, text: str, *, width: int, hang: int | None = None) -> list[str]:
    indent = " " * (len(label) if hang is None else hang)
    return textwrap.wrap(text, width, initial_indent=label, subsequent_indent=indent, break_on_hyphens=False)
