"""`inspect` as a whole: read until the gates want nothing more, predict, diagnose, settle, judge."""

from __future__ import annotations

from collections.abc import Callable

from probe import __version__
from probe.config.flags import UsageError
from probe.configuration.document import Configuration
from probe.configuration.view import MissingError, View
from probe.faults import diagnose
from probe.gates.flow import Origin
from probe.inspect.legs import Leg, leg
from probe.inspect.options import Options
from probe.inspect.prediction import predict
from probe.inspect.remedies import Remedy, remedy, with_remedies
from probe.inspect.subnets import answers, over_all
from probe.inspect.target import Target, read_target
from probe.model import Endpoint, Policy, Verdict
from probe.operator.reading import Reader, read
from probe.records import Record, field, replace
from probe.verdict import judge


class Inspection(Record, frozen=True, kw_only=True):
    """The gates of every leg, and what would make them allow, by endpoint.

    `target` None: its description could not be read.
    """

    target: Target | None
    legs: tuple[Leg, ...] = ()
    remedies: dict[str, Remedy] = field(default_factory=dict)
    obstacle: MissingError | None = None


def inspect(options: Options, reader: Reader) -> Verdict:
    """Raises UsageError for what the user must change."""
    inspection, configuration = read(reader, lambda view: evaluate(view, options))
    if inspection.target is None:
        assert inspection.obstacle is not None
        raise UsageError(f"nothing can be inspected: {inspection.obstacle.operation.permission} was not answered")
    return verdict_of(inspection.target, inspection, configuration, strict=options.strict)


def evaluate(view: View, options: Options) -> Inspection:
    """The gates as far as the configuration goes. Pure."""
    try:
        target = read_target(view, options)
    except MissingError as error:
        return Inspection(target=None, obstacle=error)
    found = ((endpoint.name, remedy(view, _gates_of(target, endpoint))) for endpoint in target.plan.endpoints)
    return Inspection(
        target=target,
        legs=tuple(each for endpoint in target.plan.endpoints for each in _gates_of(target, endpoint)(view)),
        remedies={name: each for name, each in found if each is not None},
    )


def _gates_of(target: Target, endpoint: Endpoint) -> Callable[[View], tuple[Leg, ...]]:
    """What evaluates the legs of one endpoint, one for each subnet."""
    return lambda view: tuple(leg(view, origin, endpoint, target.plan, target.calls) for origin in target.origins)


def verdict_of(target: Target, inspection: Inspection, configuration: Configuration, *, strict: bool) -> Verdict:
    """The verdict that the gates predict, with the causes that they settle: for each subnet, and over all."""
    policy = Policy(pull_role=target.role, strict=strict)
    judged = [(origin, _verdict_in(origin, target, inspection, configuration, policy)) for origin in target.origins]
    summary = replace(configuration.summary, subnets=answers(judged))
    gates = tuple(gate for each in inspection.legs for gate in each.gates)
    return replace(over_all(judged, strict=strict), configuration=summary, gates=gates)


def _verdict_in(
    origin: Origin, target: Target, inspection: Inspection, configuration: Configuration, policy: Policy
) -> Verdict:
    legs = [each for each in inspection.legs if each.origin is origin]
    measurement = predict(
        legs, target.plan, target.surroundings_in(origin), principal=target.role, read_at=configuration.read_at
    )
    findings = with_remedies(diagnose(measurement, policy), legs, inspection.remedies, configuration.region)
    return judge(findings, measurement, policy, version=__version__)
