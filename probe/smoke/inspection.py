"""`smoke --inspect`: the configuration is read for the subnets that did not pass, and joined with their verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from probe.config.flags import UsageError
from probe.fleet import Fleet, SubnetRun, as_expected, overall
from probe.inspect.command import inspect_each
from probe.inspect.measured import Measured
from probe.inspect.options import read_options
from probe.model import Basis, Status, Verdict
from probe.operator.reading import Reader
from probe.records import replace
from probe.report.json import essence
from probe.smoke.options import Options
from probe.smoke.subnets import longest_document

EVERY = "all"  # the value of --inspect with which subnets that passed are read too


def with_configuration(fleet: Fleet, options: Options, reader: Reader) -> Fleet:
    """The fleet with the joined verdicts. Where nothing can be read, a note says why, and the fleet stays as it is."""
    chosen = [run for run in fleet.runs if options.inspect == EVERY or run.status is not Status.PASS]
    measured = [Measured.of(run.verdict, run.subnet) for run in chosen if run.verdict is not None]
    if not measured:
        return fleet
    try:
        joined = inspect_each(read_options(tuple(_arguments(options, measured)), {}), reader, measured)
    except UsageError as error:
        return replace(fleet, notes=(*fleet.notes, f"the configuration was not read: {error}"))
    limit = longest_document(len(fleet.runs))
    runs = tuple(_joined(run, joined.get(run.subnet), limit) for run in fleet.runs)
    status, code = overall((run.status for run in runs), strict=options.strict)
    code = as_expected(runs, options.expected, strict=options.strict) if options.expected else code
    return replace(fleet, runs=runs, status=status, exit_code=code)


def _arguments(options: Options, measured: Sequence[Measured]) -> Iterator[str]:
    """What `inspect` has to know: where the pull starts, and what it pulls."""
    yield from ("--cluster", options.cluster)
    if options.service:
        yield from ("--service", options.service)
        return
    yield from ("--subnets", ",".join(options.subnets))
    yield from ("--security-groups", ",".join(options.security_groups)) if options.security_groups else ()
    image = next((run.facts.plan.image for run in measured if run.facts.plan.image), options.image)
    yield from ("--image", image) if image else ()


def _joined(run: SubnetRun, verdict: Verdict | None, limit: int) -> SubnetRun:
    """What was measured decides the status; that of a task which did not start is ECS's."""
    if verdict is None:
        return run
    status = verdict.status if verdict.basis is Basis.MEASURED else run.status
    return replace(run, verdict=essence(verdict, limit=limit), status=status)
