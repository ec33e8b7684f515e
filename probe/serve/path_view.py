"""The path of a verdict as a row of hops: task → resolver → endpoints → registry → layers. Pure.

A hop has the colour of the worst finding that names one of its steps. What was not tried is unknown, and what a zone is
cannot be seen on the wire: only whether an address lies in the task's own subnet is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_network

from probe.history import Colour, colour
from probe.model import (
    Action,
    AddressClass,
    Asker,
    CertificateSeen,
    ConnectionSeen,
    EndpointSummary,
    Impact,
    Kind,
    LayerSeen,
    ManifestSeen,
    NamesSeen,
    Outcome,
    RedirectSeen,
    RedirectTarget,
    Severity,
    Step,
    Verdict,
)
from probe.records import Record
from probe.report.saw import answer_of, asker, duration, few, size
from probe.report.table import ROUTES

S3 = "s3"
_MOST_ADDRESSES = 6
_LAUNCH_TYPES = {"FARGATE": "Fargate", "EC2": "EC2", "MANAGED_INSTANCES": "Managed Instances"}
_TALK = {Action.TOKEN: "token", Action.CHALLENGE: "challenge", Action.MANIFEST: "manifest", Action.BLOB: "redirect"}
_HOME, _AWAY = "task's subnet", "other subnet"
_PLACES = (_HOME, _AWAY, "")


class Fact(Record, frozen=True):
    """One thing that a hop showed: an address, a request."""

    words: str
    colour: Colour
    note: str = ""
    time: str = ""


class Hop(Record, frozen=True):
    """`about`: where it is, or how it was reached; in lines."""

    name: str
    about: str
    colour: Colour
    facts: tuple[Fact, ...] = ()


class Walk(Record, frozen=True):
    """`beside`: endpoints that the task needs and the pull does not."""

    task: Hop
    resolver: Hop
    endpoints: tuple[Hop, ...]
    beside: tuple[Hop, ...]
    registry: Hop
    layers: Hop


UNMEASURED = Walk(
    task=Hop("Task", "", Colour.UNKNOWN),
    resolver=Hop("Resolver", "", Colour.UNKNOWN),
    endpoints=(Hop("ecr.api", "", Colour.UNKNOWN), Hop("ecr.dkr", "", Colour.UNKNOWN)),
    beside=(),
    registry=Hop("Registry", "", Colour.UNKNOWN),
    layers=Hop("S3", "", Colour.UNKNOWN),
)


def walk(verdict: Verdict) -> Walk:
    impacts = {endpoint.name: endpoint.impact for endpoint in verdict.plan.endpoints}
    reached = {one.name: _endpoint(verdict, one) for one in verdict.endpoints}
    return Walk(
        task=_task(verdict),
        resolver=_resolver(verdict),
        endpoints=tuple(
            hop for name, hop in reached.items() if name != S3 and impacts.get(name, Impact.PULL) is Impact.PULL
        ),
        beside=tuple(hop for name, hop in reached.items() if impacts.get(name, Impact.PULL) is not Impact.PULL),
        registry=_registry(verdict),
        layers=reached.get(S3, UNMEASURED.layers),
    )


def _worst(verdict: Verdict, steps: Sequence[Step]) -> Colour:
    ids = {step.id for step in steps}
    named = {finding.severity for finding in verdict.findings if ids.intersection(finding.because)}
    if Severity.ERROR in named:
        return Colour.ERROR
    if Severity.WARNING in named:
        return Colour.WARNING
    return Colour.OK if any(step.ok for step in steps) else Colour.UNKNOWN


def _outcome(steps: Sequence[Step]) -> Colour:
    """Several tries of one thing: the last one that was made counts."""
    made = [step for step in steps if step.outcome is not Outcome.SKIPPED]
    if not made:
        return Colour.UNKNOWN
    return Colour.OK if made[-1].ok else Colour.ERROR


def _words_of(step: Step) -> str:
    """What failed, as the table of steps says it."""
    answer = answer_of(step.seen)
    told = (step.failure, answer.status if answer else None, answer.code if answer else None)
    return " ".join(str(word) for word in told if word)


def _time(steps: Iterable[Step]) -> str:
    seconds = [step.seconds for step in steps if step.seconds is not None and step.outcome is not Outcome.SKIPPED]
    return duration(sum(seconds)) if seconds else ""


# ---- the task and its resolvers --------------------------------------------------------------------------------------


def _task(verdict: Verdict) -> Hop:
    here = verdict.surroundings
    steps = [step for step in verdict.steps if step.endpoint == "task" and step.action is not Action.CONTROL]
    launch = _LAUNCH_TYPES.get(here.launch_type or "", here.launch_type)
    place = " · ".join(word for word in (launch, here.availability_zone or here.region) if word)
    about = "\n".join(line for line in (place, *here.addresses[:2]) if line)
    facts = []
    asked = [step for step in steps if step.action is Action.CREDENTIALS]
    if asked:
        arn = verdict.identity.arn
        role = arn.rpartition(":")[2] if arn else verdict.identity.source
        known = asked[-1].ok
        words = role if known else "credentials"
        facts.append(Fact(words, _outcome(asked), "" if known else _words_of(asked[-1]), _time(asked[-1:])))
    for step in steps:
        if step.failed and step.action is not Action.CREDENTIALS:
            facts.append(Fact(f"{step.action} {step.subject}".strip(), Colour.UNKNOWN, _words_of(step), _time([step])))
    return Hop("Task", about, _worst(verdict, steps), tuple(facts))


def _resolver(verdict: Verdict) -> Hop:
    asked = [step for step in verdict.steps if isinstance(step.seen, NamesSeen)]
    configured = [step for step in asked if asker(step) is Asker.CONFIGURED]
    lookups = [step for step in verdict.steps if step.action is Action.DNS]
    servers: dict[str, list[Step]] = {}
    for step in configured:
        servers.setdefault(_server(step), []).append(step)
    facts = tuple(_lookups(verdict, server, steps) for server, steps in servers.items())
    about = "what resolv.conf names" if facts else ""
    return Hop("Resolver", about, _worst(verdict, lookups), facts)


def _server(step: Step) -> str:
    return step.seen.server if isinstance(step.seen, NamesSeen) else ""


def _lookups(verdict: Verdict, server: str, steps: Sequence[Step]) -> Fact:
    failed = [step for step in steps if step.failed]
    slowest = duration(max((step.seconds or 0.0 for step in steps), default=0.0))
    if failed:
        note = f"{len(failed)} of {len(steps)} lookups: {few(str(step.failure) for step in failed)}"
        return Fact(server, Colour.ERROR if len(failed) == len(steps) else Colour.WARNING, note, slowest)
    names = {step.seen.name for step in steps if isinstance(step.seen, NamesSeen)}
    public = _public(verdict, steps)
    note = f"{len(names)} name{'' if len(names) == 1 else 's'}{f', {len(public)} public' if public else ''}"
    return Fact(server, _worst(verdict, steps), note, slowest)


def _public(verdict: Verdict, steps: Sequence[Step]) -> set[str]:
    """The names with public addresses, but for S3's, which is right to have such."""
    interfaces = {endpoint.name for endpoint in verdict.plan.endpoints if endpoint.kind is Kind.INTERFACE}
    return {
        step.seen.name
        for step in steps
        if isinstance(step.seen, NamesSeen) and step.endpoint in interfaces
        if any(address.address_class is AddressClass.PUBLIC for address in step.seen.addresses)
    }


# ---- endpoints -------------------------------------------------------------------------------------------------------


def _endpoint(verdict: Verdict, summary: EndpointSummary) -> Hop:
    steps = [step for step in verdict.steps if step.endpoint == summary.name]
    facts = [*_addresses(verdict, steps), *_layers(steps), *_log_requests(steps)]
    if not facts:
        facts = [_nameless(steps)]
    name = "S3" if summary.name == S3 else summary.name
    return Hop(name, ROUTES[summary.route] if summary.route else "", colour(verdict, summary), tuple(facts))


def _nameless(steps: Sequence[Step]) -> Fact:
    failed = next((step for step in steps if step.failed and asker(step) is Asker.CONFIGURED), None)
    if failed is None:
        return Fact("not tried", Colour.UNKNOWN)
    return Fact("no address", Colour.ERROR, _words_of(failed), _time([failed]))


def _addresses(verdict: Verdict, steps: Sequence[Step]) -> list[Fact]:
    """Where there are many, those that do not answer come first: none of them may be among the ones left out."""
    tried: dict[str, list[Step]] = {}
    for step in steps:
        if step.action in (Action.TCP, Action.TLS):
            tried.setdefault(step.subject, []).append(step)
    known = [(_place(verdict, address, alike), address, alike) for address, alike in tried.items()]
    known.sort(key=lambda one: (_outcome(one[2]) is Colour.OK, _PLACES.index(one[0])))
    more = known[_MOST_ADDRESSES:]
    facts = [_address(*one) for one in sorted(known[:_MOST_ADDRESSES], key=lambda one: _PLACES.index(one[0]))]
    if more:
        failing = sum(_outcome(alike) is not Colour.OK for _, _, alike in more)
        note = f"{failing} of them fail" if failing else "all answer"
        facts.append(Fact(f"and {len(more)} more", Colour.ERROR if failing else Colour.OK, note))
    return facts


def _address(place: str, address: str, steps: Sequence[Step]) -> Fact:
    known = _outcome(steps)
    if known is Colour.OK:
        return Fact(address, known, place, _time(step for step in steps if step.ok))
    last = next((step for step in reversed(steps) if step.failed), None)
    note, time = (_words_of(last), _time([last])) if last else ("not tried", "")
    return Fact(address, known, ", ".join(word for word in (note, place) if word), time)


def _place(verdict: Verdict, address: str, steps: Sequence[Step]) -> str:
    seen = [step.seen for step in steps if isinstance(step.seen, ConnectionSeen | CertificateSeen)]
    if not seen or seen[0].address_class not in (AddressClass.VPC, AddressClass.PRIVATE):
        return ""
    here = verdict.surroundings
    try:
        own = [ip_network(cidr, strict=False) for cidr in (here.subnet_cidr, here.subnet_cidr_ipv6) if cidr]
        one = ip_address(address)
    except ValueError:  # metadata may say anything
        return ""
    known = [subnet for subnet in own if subnet.version == one.version]
    if not known:
        return ""
    return _HOME if any(one in subnet for subnet in known) else _AWAY


def _layers(steps: Sequence[Step]) -> Iterator[Fact]:
    for step in steps:
        if step.action is not Action.LAYER:
            continue
        seen = step.seen
        if isinstance(seen, LayerSeen):
            known = "verified" if seen.verified else "only a range" if seen.ranged else ""
            note = ", ".join(word for word in (size(seen.received), known) if word)
            words = seen.what
        else:
            note, words = "", "layer"
        note = _words_of(step) if step.failed else note if step.ok else "not tried"
        yield Fact(words, _outcome([step]), note, _time([step]))


def _log_requests(steps: Sequence[Step]) -> Iterator[Fact]:
    asked = [step for step in steps if step.action is Action.LOGS]
    if asked:
        last = asked[-1]
        note = "not tried" if last.outcome is Outcome.SKIPPED else _words_of(last) if last.failed else "answered"
        yield Fact("request", _outcome(asked), note, _time(asked[-1:]))


# ---- the registry ----------------------------------------------------------------------------------------------------


def _registry(verdict: Verdict) -> Hop:
    steps = [step for step in verdict.steps if step.action in _TALK]
    facts = []
    for action, words in _TALK.items():
        alike = [step for step in steps if step.action is action]
        if alike:
            facts.append(Fact(words, _outcome(alike), _said(alike), _time(alike)))
    return Hop("Registry", f"account {verdict.plan.account}", _worst(verdict, steps), tuple(facts))


def _said(steps: Sequence[Step]) -> str:
    made = [step for step in steps if step.outcome is not Outcome.SKIPPED]
    if not made:
        return "not tried"
    if made[-1].failed:
        return _words_of(made[-1])
    seen = [step.seen for step in made]
    manifests = [one for one in seen if isinstance(one, ManifestSeen)]
    layers = [one.layers for one in manifests if one.layers is not None]
    if layers:
        return f"{layers[-1]} layer{'' if layers[-1] == 1 else 's'}"
    targets = [one for one in seen if isinstance(one, RedirectSeen)]
    if targets:
        own = all(one.target is RedirectTarget.LAYER_BUCKET for one in targets)
        return "to S3" if own else f"to {few(one.host or 'an unnamed host' for one in targets)}"
    return ""
