"""`inspect` as a whole: read until the gates want nothing more, predict, diagnose, settle, judge."""

from __future__ import annotations

from collections.abc import Sequence

from probe import __version__
from probe.config.flags import UsageError
from probe.configuration.document import Configuration
from probe.configuration.view import MissingError, View
from probe.faults import diagnose
from probe.inspect.legs import Leg, leg
from probe.inspect.options import Options
from probe.inspect.prediction import predict
from probe.inspect.settling import settle
from probe.inspect.target import Target, read_target
from probe.model import Policy, Verdict
from probe.operator.reading import Reader, read
from probe.records import Record, replace
from probe.verdict import judge


class Inspection(Record, frozen=True, kw_only=True):
    """The gates of every leg. `target` None: its description could not be read yet."""

    target: Target | None
    legs: tuple[Leg, ...] = ()
    obstacle: MissingError | None = None


def inspect(options: Options, reader: Reader) -> Verdict:
    """Raises UsageError for what the user must change."""
    inspection, configuration = read(reader, lambda view: evaluate(view, options))
    if inspection.target is None:
        assert inspection.obstacle is not None
        raise UsageError(f"nothing can be inspected: {inspection.obstacle.operation.permission} was not answered")
    return verdict_of(inspection.target, inspection.legs, configuration, Policy(strict=options.strict))


def evaluate(view: View, options: Options) -> Inspection:
    """The gates as far as the configuration goes. Pure."""
    try:
        target = read_target(view, options)
    except MissingError as error:
        return Inspection(target=None, obstacle=error)
    legs = tuple(
        leg(view, origin, endpoint, target.plan, target.calls)
        for origin in target.origins
        for endpoint in target.plan.endpoints
    )
    return Inspection(target=target, legs=legs)


def verdict_of(target: Target, legs: Sequence[Leg], configuration: Configuration, policy: Policy) -> Verdict:
    """The verdict that the gates predict, with the causes that they settle."""
    measurement = predict(legs, target.plan, target.surroundings, principal=target.role, read_at=configuration.read_at)
    findings = settle(diagnose(measurement, policy), legs, configuration.region)
    verdict = judge(findings, measurement, policy, version=__version__)
    gates = tuple(gate for each in legs for gate in each.gates)
    return replace(verdict, configuration=configuration.summary, gates=gates)
