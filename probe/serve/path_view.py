"""The path of a pull as a row of hops: task → resolver → endpoints → registry → layers. Pure.

A hop has the color of the worst finding that names one of its steps. A hop is gray if its requests were not tried,
even if its connections worked. Zones are not shown, since they cannot be measured; only whether an address is in the
task's own subnet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_network

from probe.history import Colour, colour
from probe.model import (
    Action,
    AddressClass,
    Asker,
    EndpointSummary,
    Impact,
    Kind,
    Outcome,
    RedirectTarget,
    Severity,
    Step,
    Verdict,
)
from probe.narration import counted, duration, failure_cell, few, result_cell, size
from probe.records import Record
from probe.report.table import ROUTES

S3 = "s3"
_NOT_TRIED = "not tried"
_MOST_ADDRESSES = 6
_LAUNCH_TYPES = {"FARGATE": "Fargate", "EC2": "EC2", "MANAGED_INSTANCES": "Managed Instances"}
_REQUESTS = {Action.TOKEN: "token", Action.CHALLENGE: "challenge", Action.MANIFEST: "manifest", Action.BLOB: "redirect"}
_OWN_SUBNET, _OTHER_SUBNET = "task's subnet", "other subnet"
_PLACES = (_OWN_SUBNET, _OTHER_SUBNET, "")


class Fact(Record, frozen=True):
    """One thing that was tried at a hop: an address or a request."""

    name: str
    colour: Colour
    note: str = ""
    time: str = ""


class Hop(Record, frozen=True):
    """`about`: where it is, or how it was reached; one line each."""

    name: str
    about: str
    colour: Colour
    facts: tuple[Fact, ...] = ()


class PathView(Record, frozen=True):
    """`also_checked`: endpoints that the task needs and the pull does not."""

    task: Hop
    resolver: Hop
    endpoints: tuple[Hop, ...]
    also_checked: tuple[Hop, ...]
    registry: Hop
    layers: Hop


UNMEASURED = PathView(
    task=Hop("Task", "", Colour.UNKNOWN),
    resolver=Hop("Resolver", "", Colour.UNKNOWN),
    endpoints=(Hop("ecr.api", "", Colour.UNKNOWN), Hop("ecr.dkr", "", Colour.UNKNOWN)),
    also_checked=(),
    registry=Hop("Registry", "", Colour.UNKNOWN),
    layers=Hop("S3", "", Colour.UNKNOWN),
)


def path_view(verdict: Verdict) -> PathView:
    others = {endpoint.name for endpoint in verdict.plan.endpoints if endpoint.impact is not Impact.PULL}
    hops = {summary.name: _endpoint(verdict, summary) for summary in verdict.endpoints}
    return PathView(
        task=_task(verdict),
        resolver=_resolver(verdict),
        endpoints=tuple(hop for name, hop in hops.items() if name != S3 and name not in others),
        also_checked=tuple(hop for name, hop in hops.items() if name in others),
        registry=_registry(verdict),
        layers=hops.get(S3, UNMEASURED.layers),
    )


def _worst(verdict: Verdict, steps: Sequence[Step]) -> Colour:
    ids = {step.id for step in steps}
    severities = {finding.severity for finding in verdict.findings if ids.intersection(finding.because)}
    if Severity.ERROR in severities:
        return Colour.ERROR
    if Severity.WARNING in severities:
        return Colour.WARNING
    return Colour.OK if any(step.ok for step in steps) else Colour.UNKNOWN


def _outcome(steps: Sequence[Step]) -> Colour:
    """The outcome of several tries of one thing: that of the last try."""
    tried = _tried(steps)
    if not tried:
        return Colour.UNKNOWN
    return Colour.OK if tried[-1].ok else Colour.ERROR


def _tried(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.outcome is not Outcome.SKIPPED]


def _failure_text(step: Step) -> str:
    """The failure as the table of steps shows it."""
    return result_cell([step], {})


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
    credentials = [step for step in steps if step.action is Action.CREDENTIALS]
    if credentials:
        last = credentials[-1]
        arn = verdict.identity.arn
        role = arn.rpartition(":")[2] if arn else verdict.identity.source
        name, note = (role, "") if last.ok else ("credentials", _failure_text(last))
        facts.append(Fact(name, _outcome(credentials), note, _time([last])))
    for step in steps:
        if step.failed and step.action is not Action.CREDENTIALS:
            name = f"{step.action} {step.subject}".strip()
            facts.append(Fact(name, Colour.UNKNOWN, _failure_text(step), _time([step])))
    return Hop("Task", about, _worst(verdict, steps), tuple(facts))


def _resolver(verdict: Verdict) -> Hop:
    lookups = [step for step in verdict.steps if step.action is Action.DNS]
    servers: dict[str, list[Step]] = {}
    for step in lookups:
        if step.names and step.asker is Asker.CONFIGURED:
            servers.setdefault(step.names.server, []).append(step)
    facts = tuple(_lookups(verdict, server, steps) for server, steps in servers.items())
    return Hop("Resolver", "from resolv.conf" if facts else "", _worst(verdict, lookups), facts)


def _lookups(verdict: Verdict, server: str, steps: Sequence[Step]) -> Fact:
    failed = [step for step in steps if step.failed]
    slowest = duration(max((step.seconds or 0.0 for step in steps), default=0.0))
    if failed:
        failures = few(failure_cell(step.failure) for step in failed if step.failure)
        note = f"{len(failed)} of {len(steps)} lookups: {failures}"
        return Fact(server, Colour.ERROR if len(failed) == len(steps) else Colour.WARNING, note, slowest)
    names = {step.names.name for step in steps if step.names}
    public = _public(verdict, steps)
    note = f"{counted(len(names), 'name')}{f', {len(public)} public' if public else ''}"
    return Fact(server, _worst(verdict, steps), note, slowest)


def _public(verdict: Verdict, steps: Sequence[Step]) -> set[str]:
    """The names that resolve to public addresses, without S3's, which should."""
    interfaces = {endpoint.name for endpoint in verdict.plan.endpoints if endpoint.kind is Kind.INTERFACE}
    return {
        step.names.name
        for step in steps
        if step.names and step.endpoint in interfaces
        if any(address.address_class is AddressClass.PUBLIC for address in step.names.addresses)
    }


# ---- endpoints -------------------------------------------------------------------------------------------------------


def _endpoint(verdict: Verdict, summary: EndpointSummary) -> Hop:
    steps = [step for step in verdict.steps if step.endpoint == summary.name]
    facts = [*_addresses(verdict, steps), *_layers(steps), *_log_requests(steps)] or [_unresolved(steps)]
    name = "S3" if summary.name == S3 else summary.name
    return Hop(name, ROUTES[summary.route] if summary.route else "", colour(verdict, summary), tuple(facts))


def _unresolved(steps: Sequence[Step]) -> Fact:
    failed = next((step for step in steps if step.failed and step.asker is Asker.CONFIGURED), None)
    if failed is None:
        return Fact(_NOT_TRIED, Colour.UNKNOWN)
    return Fact("no address", Colour.ERROR, _failure_text(failed), _time([failed]))


def _addresses(verdict: Verdict, steps: Sequence[Step]) -> list[Fact]:
    """The first addresses. Those that do not answer are listed before others are left out."""
    tried: dict[str, list[Step]] = {}
    for step in steps:
        if step.action in (Action.TCP, Action.TLS):
            tried.setdefault(step.address or step.subject, []).append(step)
    rows = [(_place(verdict, address, tries), address, tries) for address, tries in tried.items()]
    rows.sort(key=lambda row: (_outcome(row[2]) is Colour.OK, _PLACES.index(row[0])))
    more = rows[_MOST_ADDRESSES:]
    facts = [_address(*row) for row in sorted(rows[:_MOST_ADDRESSES], key=lambda row: _PLACES.index(row[0]))]
    if more:
        failing = sum(_outcome(tries) is not Colour.OK for _, _, tries in more)
        note = f"{failing} of them fail" if failing else "all answer"
        facts.append(Fact(f"and {len(more)} more", Colour.ERROR if failing else Colour.OK, note))
    return facts


def _address(place: str, address: str, steps: Sequence[Step]) -> Fact:
    outcome = _outcome(steps)
    if outcome is Colour.OK:
        return Fact(address, outcome, place, _time(step for step in steps if step.ok))
    last = next((step for step in reversed(steps) if step.failed), None)
    note, time = (_failure_text(last), _time([last])) if last else (_NOT_TRIED, "")
    return Fact(address, outcome, ", ".join(word for word in (note, place) if word), time)


def _place(verdict: Verdict, address: str, steps: Sequence[Step]) -> str:
    connected = [connection for step in steps if (connection := step.connection or step.certificate)]
    if not connected or connected[0].address_class not in (AddressClass.VPC, AddressClass.PRIVATE):
        return ""
    here = verdict.surroundings
    try:
        subnets = [ip_network(cidr, strict=False) for cidr in (here.subnet_cidr, here.subnet_cidr_ipv6) if cidr]
        parsed = ip_address(address)
    except ValueError:  # metadata may hold anything
        return ""
    same_family = [subnet for subnet in subnets if subnet.version == parsed.version]
    if not same_family:
        return ""
    return _OWN_SUBNET if any(parsed in subnet for subnet in same_family) else _OTHER_SUBNET


def _layers(steps: Sequence[Step]) -> Iterator[Fact]:
    for step in steps:
        if step.action is not Action.LAYER:
            continue
        note, name = "", "layer"
        if layer := step.layer:
            proof = "verified" if layer.verified else "first bytes only" if layer.ranged else ""
            note, name = ", ".join(part for part in (size(layer.received), proof) if part), layer.what
        note = _failure_text(step) if step.failed else note if step.ok else _NOT_TRIED
        yield Fact(name, _outcome([step]), note, _time([step]))


def _log_requests(steps: Sequence[Step]) -> Iterator[Fact]:
    requests = [step for step in steps if step.action is Action.LOGS]
    if requests:
        last = requests[-1]
        note = _NOT_TRIED if last.outcome is Outcome.SKIPPED else _failure_text(last) if last.failed else "answered"
        yield Fact("request", _outcome(requests), note, _time([last]))


# ---- the registry ----------------------------------------------------------------------------------------------------


def _registry(verdict: Verdict) -> Hop:
    steps = [step for step in verdict.steps if step.action in _REQUESTS]
    facts = []
    for action, name in _REQUESTS.items():
        tries = [step for step in steps if step.action is action]
        if tries:
            facts.append(Fact(name, _outcome(tries), _result(tries), _time(tries)))
    colour = _worst(verdict, steps)
    if colour is Colour.OK and any(step.blocked_by for step in steps):
        colour = Colour.UNKNOWN
    return Hop("Registry", f"account {verdict.plan.account}", colour, tuple(facts))


def _result(steps: Sequence[Step]) -> str:
    tried = _tried(steps)
    if not tried:
        return _NOT_TRIED
    if tried[-1].failed:
        return _failure_text(tried[-1])
    layers = [step.manifest.layers for step in tried if step.manifest]
    if layers and layers[-1] is not None:
        return counted(layers[-1], "layer")
    redirects = [step.redirect for step in tried if step.redirect]
    if redirects:
        to_s3 = all(redirect.target is RedirectTarget.LAYER_BUCKET for redirect in redirects)
        return "to S3" if to_s3 else f"to {few(redirect.host or 'no host' for redirect in redirects)}"
    return ""
