"""`inspect` as a whole: read until the gates want nothing more, predict, diagnose, settle, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from probe import __version__
from probe.config.flags import UsageError
from probe.configuration.document import Configuration
from probe.configuration.view import MissingError, View
from probe.faults import diagnose
from probe.gates.flow import Origin
from probe.gates.opinion import in_words
from probe.inspect.legs import Leg, leg
from probe.inspect.measured import Measured
from probe.inspect.options import Options
from probe.inspect.prediction import predict
from probe.inspect.remedies import Remedy, remedy, with_remedies
from probe.inspect.replacements import Replacement, refuse_strangers
from probe.inspect.subnets import answers, over_all
from probe.inspect.target import Target, read_target
from probe.model import Endpoint, Measurement, Policy, Verdict
from probe.operator.reading import Reader, read
from probe.records import Record, field, replace
from probe.verdict import judge


class Inspection(Record, frozen=True, kw_only=True):
    """The gates of every leg, and what would make them allow, by endpoint.

    `target` None: its description could not be read. `measured` are the joined measurements by subnet.
    """

    target: Target | None
    legs: tuple[Leg, ...] = ()
    remedies: dict[str, Remedy] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    obstacle: MissingError | None = None


def inspect(
    options: Options,
    source: Reader | Configuration,
    measured: Sequence[Measured] = (),
    keep: Callable[[Configuration], None] | None = None,
    changes: Sequence[Replacement] = (),
) -> Verdict:
    """Inspect what `source` answers: AWS's API, or a saved configuration. `measured` is joined with what is read.

    `keep` receives the configuration that was read, without `changes`, which are the reader's own. Raises UsageError
    for what the user must change.
    """
    if not isinstance(source, Configuration):
        inspection, configuration = read(source, lambda view: evaluate(view, options, measured, changes))
        refuse_strangers(changes, configuration, options.arguments)
        if keep is not None and inspection.target is not None:
            keep(configuration)
        return _judged(inspection, configuration, options)
    if "region" in options.arguments and options.region != source.region:
        raise options.arguments.refusal("region", f"the saved configuration is of {source.region}")
    refuse_strangers(changes, source, options.arguments)
    try:
        return _judged(evaluate(View(source, complete=True), options, measured, changes), source, options)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # A file that was written or changed by hand can have any shape.
        sentence = f"its answers do not have the shape of AWS's ({type(error).__name__})"
        raise options.arguments.refusal("configuration", sentence) from error


def _judged(inspection: Inspection, configuration: Configuration, options: Options) -> Verdict:
    if inspection.target is None:
        assert inspection.obstacle is not None
        words = f" ({inspection.obstacle.words})" if inspection.obstacle.words else ""
        raise UsageError(f"nothing can be inspected: {in_words(inspection.obstacle)}{words}")
    return verdict_of(inspection.target, inspection, configuration, strict=options.strict)


def evaluate(
    view: View, options: Options, measured: Sequence[Measured] = (), changes: Sequence[Replacement] = ()
) -> Inspection:
    """The gates as far as the configuration goes, as it would be with `changes`. Pure."""
    edited = view.edited(changes)
    inspection = _evaluate(edited, options, measured)
    view.want_also(edited)
    return inspection


def _evaluate(view: View, options: Options, measured: Sequence[Measured]) -> Inspection:
    try:
        target, by_subnet = read_target(view, options, measured)
    except MissingError as error:
        return Inspection(target=None, obstacle=error)
    found = (
        (endpoint.name, remedy(view, _gates_of(target, endpoint, by_subnet))) for endpoint in target.plan.endpoints
    )
    return Inspection(
        target=target,
        legs=tuple(each for endpoint in target.plan.endpoints for each in _gates_of(target, endpoint, by_subnet)(view)),
        remedies={name: each for name, each in found if each is not None},
        measured=by_subnet,
    )


def _gates_of(
    target: Target, endpoint: Endpoint, measured: Mapping[str, Measured]
) -> Callable[[View], tuple[Leg, ...]]:
    """What evaluates the legs of one endpoint, one for each subnet."""

    def legs(view: View) -> Iterator[Leg]:
        for origin in target.origins:
            run = measured.get(origin.subnet)
            yield leg(view, origin, endpoint, target.plan, target.calls, run.dialled(endpoint.name) if run else ())

    return lambda view: tuple(legs(view))


def verdict_of(target: Target, inspection: Inspection, configuration: Configuration, *, strict: bool) -> Verdict:
    """The verdict that the gates predict, or that was measured, with the causes that they settle: for each subnet, and
    over all.
    """
    policy = Policy(pull_role=target.role, strict=strict)
    judged = [(origin, _verdict_in(origin, target, inspection, configuration, policy)) for origin in target.origins]
    summary = replace(configuration.summary, subnets=answers(judged))
    gates = tuple(gate for each in inspection.legs for gate in each.gates)
    return replace(over_all(judged, strict=strict), configuration=summary, gates=gates)


def _verdict_in(
    origin: Origin, target: Target, inspection: Inspection, configuration: Configuration, policy: Policy
) -> Verdict:
    legs = [each for each in inspection.legs if each.origin is origin]
    run = inspection.measured.get(origin.subnet)
    if run is None:
        around = target.surroundings_in(origin)
        measurement = predict(legs, target.plan, around, principal=target.role, read_at=configuration.read_at)
    else:
        gates = tuple(gate for each in legs for gate in each.gates)
        measurement = replace(_facts(run), gates=gates)
        policy = replace(run.facts.policy, strict=policy.strict)
    findings = with_remedies(diagnose(measurement, policy), legs, inspection.remedies, configuration.region)
    return judge(findings, measurement, policy, version=__version__)


def _facts(run: Measured) -> Measurement:
    """The measurement alone, without the policy that is saved with it."""
    facts = run.facts
    return Measurement(**{name: getattr(facts, name) for name in Measurement.__struct_fields__})
