"""`inspect` as a whole: read until the gates want nothing more, predict, diagnose, settle, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from probe import __version__
from probe.config.flags import UsageError
from probe.configuration.document import Configuration
from probe.configuration.view import MissingError, View
from probe.faults import diagnose
from probe.gates.changes import Change
from probe.gates.flow import Origin
from probe.gates.opinion import in_words
from probe.inspect.cross_check import cross_check
from probe.inspect.legs import Leg, Request, leg
from probe.inspect.measured import Measured
from probe.inspect.options import Options
from probe.inspect.prediction import predict
from probe.inspect.remedies import Evaluation, Remedy, remedy, together, with_remedies
from probe.inspect.replacements import Replacement, refuse_strangers
from probe.inspect.subnets import Judged, answers, over_all
from probe.inspect.target import Target, other_registries, read_target
from probe.model import CrossCheck, Endpoint, GateAnswer, ImageReference, Measurement, Plan, Policy, Verdict
from probe.operator.reading import Reader, read
from probe.records import Record, field, replace
from probe.verdict import judge


class Part(Record, frozen=True, kw_only=True):
    """The images of one Region: the gates of every leg, and what would make them allow, by endpoint."""

    target: Target
    legs: tuple[Leg, ...]
    remedies: dict[str, Remedy]


class Inspection(Record, frozen=True, kw_only=True):
    """What the gates say. Without parts the target could not be read, for the reason `obstacle`.

    `measured` are the joined measurements by subnet.
    """

    parts: tuple[Part, ...] = ()
    measured: dict[str, Measured] = field(default_factory=dict)
    cross_check: tuple[CrossCheck, ...] = ()
    obstacle: MissingError | None = None

    @property
    def target(self) -> Target | None:
        """The target with the first image."""
        return self.parts[0].target if self.parts else None


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


class Inspected(NamedTuple):
    """What is inspected together with others, and the runs that are joined with it."""

    options: Options
    measured: tuple[Measured, ...] = ()


def inspect_each(every: Sequence[Inspected], reader: Reader) -> list[dict[str, Verdict] | UsageError]:
    """For each the verdicts by subnet, with what was read for all, or why there is none.

    Raises UsageError where AWS does not accept the credentials.
    """

    def evaluated(view: View, each: Inspected) -> Inspection | UsageError:
        try:
            return evaluate(view, each.options, each.measured)
        except UsageError as error:
            return error

    def verdicts(result: Inspection | UsageError, options: Options) -> dict[str, Verdict] | UsageError:
        if isinstance(result, UsageError):
            return result
        try:
            _check(result)
        except UsageError as error:
            return error
        return _by_subnet(result, configuration, strict=options.strict)

    results, configuration = read(reader, lambda view: [evaluated(view, each) for each in every])
    return [verdicts(result, each.options) for result, each in zip(results, every, strict=True)]


def _by_subnet(inspection: Inspection, configuration: Configuration, *, strict: bool) -> dict[str, Verdict]:
    """The verdict in each subnet, on the images of the first Region."""
    part = inspection.parts[0]
    return {
        origin.subnet: replace(
            _verdict_in(origin, part, inspection.measured.get(origin.subnet), configuration, strict=strict),
            configuration=configuration.summary,
            gates=tuple(gate for each in part.legs if each.origin is origin for gate in each.gates),
        )
        for origin in part.target.origins
    }


def _judged(inspection: Inspection, configuration: Configuration, options: Options) -> Verdict:
    _check(inspection)
    return verdict_of(inspection, configuration, strict=options.strict)


def _check(inspection: Inspection) -> None:
    """Raises UsageError where it could not be read what is to be inspected."""
    if inspection.obstacle is not None:
        words = f" ({inspection.obstacle.words})" if inspection.obstacle.words else ""
        raise UsageError(f"nothing can be inspected: {in_words(inspection.obstacle)}{words}")


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
        return Inspection(obstacle=error)
    targets = (target, *other_registries(target))
    parts: list[Part] = []
    for each in targets:
        made = [mend.change for part in parts for found in part.remedies.values() for mend in found.mends]
        parts.append(_part(view, each, by_subnet, made))
    legs = [each for part in parts for each in part.legs] if options.cross_check else []
    return Inspection(parts=tuple(parts), measured=by_subnet, cross_check=cross_check(view, legs))


def _part(view: View, target: Target, measured: Mapping[str, Measured], earlier: Sequence[Change]) -> Part:
    """`earlier` are the changes for the parts before. All of them can be made, in any order."""
    made = list(earlier)
    legs: list[Leg] = []
    remedies: dict[str, Remedy] = {}
    evaluations: dict[str, Evaluation] = {}
    for endpoint in target.plan.endpoints:
        now = _gates_of(target, endpoint, measured)(view)
        legs += now
        evaluations[endpoint.name] = _gates_of(target, endpoint, measured, now)
        if (found := remedy(view, evaluations[endpoint.name], made)) is not None:
            remedies[endpoint.name] = found
            made += [mend.change for mend in found.mends]
    return Part(target=target, legs=tuple(legs), remedies=together(view, evaluations, remedies))


def _gates_of(
    target: Target, endpoint: Endpoint, measured: Mapping[str, Measured], unchanged: Sequence[Leg] = ()
) -> Callable[[View], tuple[Leg, ...]]:
    """What evaluates the legs of one endpoint, one for each subnet; `unchanged` are those before a change."""

    def legs(view: View) -> Iterator[Leg]:
        for number, origin in enumerate(target.origins):
            run = measured.get(origin.subnet)
            dialled = run.dialled(endpoint.name) if run else ()
            before = unchanged[number] if unchanged else None
            yield leg(view, origin, endpoint, target.plan, target.calls, dialled, before)

    return lambda view: tuple(legs(view))


def verdict_of(inspection: Inspection, configuration: Configuration, *, strict: bool) -> Verdict:
    """The verdict that the gates predict, or that was measured, with the causes that they settle: for each subnet, and
    over all.
    """
    judged = [
        Judged(
            _label(origin, part.target, several=len(inspection.parts) > 1),
            origin,
            _verdict_in(origin, part, inspection.measured.get(origin.subnet), configuration, strict=strict),
        )
        for part in inspection.parts
        for origin in part.target.origins
    ]
    summary = replace(configuration.summary, subnets=answers(judged), cross_check=inspection.cross_check)
    gates = tuple(gate for part in inspection.parts for each in part.legs for gate in each.gates)
    return replace(over_all(judged, strict=strict), configuration=summary, gates=gates)


def _label(origin: Origin, target: Target, *, several: bool) -> str:
    """The subnet, with the groups of its instances and the Region of the images where there are several."""
    alike = [each for each in target.origins if each.subnet == origin.subnet]
    label = f"{origin.subnet} ({', '.join(origin.groups)})" if len(alike) > 1 else origin.subnet
    return f"{label}/{target.plan.region}" if several else label


def _verdict_in(
    origin: Origin, part: Part, run: Measured | None, configuration: Configuration, *, strict: bool
) -> Verdict:
    target, legs = part.target, [each for each in part.legs if each.origin is origin]
    if run is None:
        policy = Policy(pull_role=target.role, strict=strict)
        around = target.surroundings_in(origin)
        plan = _plan_of_refused(target, legs)
        measurement = predict(legs, plan, around, principal=target.role, read_at=configuration.read_at)
    else:
        policy = replace(run.facts.policy, strict=strict)
        measurement = replace(_facts(run), gates=tuple(gate for each in legs for gate in each.gates))
    findings = with_remedies(diagnose(measurement, policy), legs, part.remedies, configuration.region)
    return judge(findings, measurement, policy, version=__version__)


def _plan_of_refused(target: Target, legs: Sequence[Leg]) -> Plan:
    """The plan of the image that a gate refuses, else of the first: findings name the image of the plan."""
    requests = [request for leg in legs for request in leg.requests if request.answer is GateAnswer.REFUSES]
    for request in [request for request in requests if request.call.repository][:1]:
        refused = (request.call.owner, request.call.region, request.call.repository)
        for image in target.images:
            if (image.account, image.region, image.repository) == refused:
                asked_for = _refused_image(image, request)
                return replace(target.plan, account=image.account, image=asked_for.text, reference=asked_for)
    return target.plan


def _refused_image(image: ImageReference, request: Request) -> ImageReference:
    """The image as ECS asks for it: by a digest, where it pinned one."""
    version = next((opinion.version for opinion in request.opinions if opinion.refuses and opinion.version), None)
    if version is None or not version.startswith("sha256:") or version == image.digest:
        return image
    name = image.text.partition("@")[0].removesuffix(f":{image.tag}")
    return replace(image, text=f"{name}@{version}", digest=version)


def _facts(run: Measured) -> Measurement:
    """The measurement alone, without the policy that is saved with it."""
    facts = run.facts
    return Measurement(**{name: getattr(facts, name) for name in Measurement.__struct_fields__})
