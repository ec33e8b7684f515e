"""`smoke --inspect`: the configuration is read for the subnets that did not pass, and joined with their verdicts.

Where no check measured anything, the configuration predicts what one would find. The status of such a run stays that of
ECS's reason or of an exit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from probe.config.flags import UsageError
from probe.fleet import Fleet, SubnetRun, as_expected, overall
from probe.inspect.command import Inspected, inspect_each
from probe.inspect.measured import Measured
from probe.inspect.options import read_options
from probe.model import Basis, Status, Verdict
from probe.narration import few
from probe.operator.reading import Reader
from probe.records import replace
from probe.report.json import essence
from probe.smoke.options import Options
from probe.smoke.subnets import longest_document

EVERY = "all"  # the value of --inspect with which subnets that passed are read too
_UNKNOWN_INSTANCE = "ECS pulls through an instance's network interface, and no task shows which instance that would be"
_MOST_SUBNETS = 3  # in a note


class _Pulls(NamedTuple):
    """Runs that are inspected together, with the arguments of `inspect` for them.

    `by_instance`: one run, whose image is pulled through the interface of the task's container instance.
    """

    runs: tuple[SubnetRun, ...]
    arguments: tuple[str, ...]
    by_instance: bool = False

    def inspected(self) -> Inspected:
        """What is inspected, and what is joined with it. Raises UsageError."""
        joined = (
            Measured.of(run.verdict, None if self.by_instance else run.subnet) for run in self.runs if run.verdict
        )
        return Inspected(read_options(self.arguments, {}), tuple(joined))

    def by_run(self, verdicts: Mapping[str, Verdict]) -> Mapping[str, Verdict]:
        """The verdicts by the subnet of the run, in which its instance need not be."""
        return dict(zip((self.runs[0].subnet,), verdicts.values(), strict=True)) if self.by_instance else verdicts


def with_configuration(fleet: Fleet, options: Options, reader: Reader) -> Fleet:
    """The fleet with joined and predicted verdicts. A note says which runs stay as they are, and why."""
    chosen = [run for run in fleet.runs if _is_inspected(run, options)]
    unplaced = tuple(run for run in chosen if run.task_arn is None and _pulls_by_instance(run, fleet))
    pulls = list(_pulls([run for run in chosen if run not in unplaced], fleet, options))
    verdicts, notes = _read(pulls, reader) if pulls else ({}, [])
    if unplaced:
        notes.append(_not_read(unplaced, _UNKNOWN_INSTANCE))
    if not verdicts:
        return replace(fleet, notes=(*fleet.notes, *notes))
    limit = longest_document(len(fleet.runs))
    runs = tuple(_with_verdict(run, verdicts.get(run.subnet), limit) for run in fleet.runs)
    status, code = overall((run.status for run in runs), strict=options.strict)
    code = as_expected(runs, options.expected, strict=options.strict) if options.expected else code
    return replace(fleet, runs=runs, status=status, exit_code=code, notes=(*fleet.notes, *notes))


def _read(pulls: Sequence[_Pulls], reader: Reader) -> tuple[dict[str, Verdict], list[str]]:
    """The verdicts by the subnet of their run, and what could not be read."""
    try:
        results = inspect_each([each.inspected() for each in pulls], reader)
    except UsageError as error:
        return {}, [_not_read((), error)]
    verdicts: dict[str, Verdict] = {}
    notes: list[str] = []
    for each, result in zip(pulls, results, strict=True):
        if isinstance(result, UsageError):
            notes.append(_not_read(each.runs if len(pulls) > 1 else (), result))
        else:
            verdicts.update(each.by_run(result))
    return verdicts, notes


def _is_inspected(run: SubnetRun, options: Options) -> bool:
    """Of a check that passed and left an exit code alone, there is nothing to join or to predict."""
    return run.status is not Status.PASS or (options.inspect == EVERY and run.verdict is not None)


def _pulls_by_instance(run: SubnetRun, fleet: Fleet) -> bool:
    """Whether the run is about a pull through an instance's interface. A check measures that of its task.

    AWS[fargate-task-eni]
    """
    was_measured = run.verdict is not None and run.verdict.basis is Basis.MEASURED
    return fleet.launch_type != "FARGATE" and not was_measured


def _pulls(runs: Iterable[SubnetRun], fleet: Fleet, options: Options) -> Iterator[_Pulls]:
    """The runs that have a verdict, those that have none, and each of a task whose instance pulls."""
    together: dict[bool, list[SubnetRun]] = {True: [], False: []}
    for run in runs:
        if _pulls_by_instance(run, fleet) and run.task_arn is not None:
            yield _Pulls((run,), ("--cluster", options.cluster, "--task", run.task_arn), by_instance=True)
        else:
            together[run.verdict is not None].append(run)
    for has_verdict, some in together.items():
        if some:
            image = next(
                (run.verdict.plan.image for run in some if run.verdict and run.verdict.plan.image), fleet.image
            )
            yield _Pulls(tuple(some), tuple(_arguments(options, some, image, with_subnets=not has_verdict)))


def _arguments(options: Options, runs: Iterable[SubnetRun], image: str | None, *, with_subnets: bool) -> Iterator[str]:
    """What `inspect` has to know: where the pull starts, and what it pulls."""
    yield from ("--cluster", options.cluster)
    yield from ("--service", options.service) if options.service else ()
    if with_subnets or not options.service:
        yield from ("--subnets", ",".join(run.subnet for run in runs))
    yield from ("--security-groups", ",".join(options.security_groups)) if options.security_groups else ()
    yield from ("--image", image) if image else ()


def _not_read(runs: Iterable[SubnetRun], reason: object) -> str:
    subnets = few((run.subnet for run in runs), _MOST_SUBNETS)
    return f"the configuration was not read{f' for {subnets}' if subnets else ''}: {reason}"


def _with_verdict(run: SubnetRun, verdict: Verdict | None, limit: int) -> SubnetRun:
    """What was measured decides the status; that of a task which did not start is ECS's."""
    if verdict is None:
        return run
    status = verdict.status if verdict.basis is Basis.MEASURED else run.status
    return replace(run, verdict=essence(verdict, limit=limit), status=status)
