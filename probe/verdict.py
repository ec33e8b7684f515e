"""From findings to a verdict: severity, status, pull, routes, exit code. Pure functions of facts and policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from probe.faults.evidence import Evidence, HostFacts
from probe.model import (
    SCHEMA_VERSION,
    Action,
    Basis,
    Cause,
    Client,
    EndpointSummary,
    Extent,
    Finding,
    Impact,
    JudgedFinding,
    Kind,
    Layers,
    Measurement,
    Path,
    Plan,
    Policy,
    Pull,
    Severity,
    Standing,
    Status,
    Verdict,
    finding_url,
)
from probe.narration import CLIENTS, counted

_ROUTE_MATTERS = ("ecr.api", "ecr.dkr")  # S3's public addresses are right behind a gateway endpoint
_BREAKING = (Impact.PULL, Impact.START, Impact.ROUTE, Impact.LOGS, Impact.AGENT)
_CONNECTING = (Action.DNS, Action.TCP, Action.TLS)
_ENDED = "task.ended"  # an error text about a task that had started
_NO_PULL = (Client.PUSH, Client.API)  # their failures prove nothing about a pull
_WITH_TASKS = (Client.ECS, Client.BATCH)
_NOT_THE_PULL = "path.not-the-pull"
_LARGE_HELLO = "path.large-client-hello"  # of other clients: the check's own ClientHello is small
_AGENT = ("ecs", "ecs-agent", "ecs-telemetry")
_ELSEWHERE = "because ECS pulls through another network interface"
OFF_ECS = "task.not-ecs"  # every report begins with it
_BASES = {
    Basis.TEXT: "based on the error text only",
    Basis.CONFIGURATION: "based on the configuration only; nothing was measured",
}
_EXIT_CODES = {Status.PASS: 0, Status.DEGRADED: 0, Status.FAIL: 1, Status.INCONCLUSIVE: 3}


def judge(findings: tuple[Finding, ...], measurement: Measurement, policy: Policy, *, version: str) -> Verdict:
    """The document: every finding with its severity, and status, pull and exit code of the run."""
    evidence = Evidence(measurement, policy)
    judged = tuple(_judged(finding, evidence) for finding in findings)
    status, pull = _status(judged, evidence), _pull(judged, evidence)
    return Verdict(
        schema_version=SCHEMA_VERSION,
        version=version,
        basis=measurement.basis,
        interrupted=measurement.interrupted,
        summary=summary(status, pull, judged, measurement),
        status=status,
        pull=pull,
        exit_code=exit_code(status, strict=policy.strict),
        started_at=measurement.started_at,
        seconds=measurement.seconds,
        path=measurement.surroundings.path,
        identity=measurement.identity,
        surroundings=measurement.surroundings,
        plan=measurement.plan,
        policy=policy,
        endpoints=tuple(_summary(host, judged, evidence) for host in evidence.hosts if not host.redirected),
        findings=judged,
        causes=tuple(cause.code for cause in likeliest(judged)),
        steps=measurement.steps,
    )


def exit_code(status: Status, *, strict: bool) -> int:
    """The exit code of the contract, the same for every command."""
    return 1 if status is Status.DEGRADED and strict else _EXIT_CODES[status]


# ---- in one sentence ------------------------------------------------------------------------------------------------

PULLS = {pull: CLIENTS[Client.ECS].sentence(pull) for pull in Pull}
_DOWNLOADS = {
    Pull.WORKS: "it can download the image",
    Pull.BROKEN: "it cannot download the image",
    Pull.UNPROVEN: "it is not proven whether it can download the image",
}


def summary(status: Status, pull: Pull, findings: Sequence[JudgedFinding], measurement: Measurement) -> str:
    """Whether ECS, or off ECS this host, can pull the image, the worst finding, the number of others, and what was not
    proven. Off ECS the sentence begins with that.
    """
    faults = [finding for finding in findings if finding.severity is not Severity.INFO]
    lead = leading_finding(findings)
    place = next((finding for finding in findings if finding.code == OFF_ECS), None)
    client = measurement.surroundings.client
    pulls = {each: CLIENTS[client].sentence(each) for each in Pull} if place is None else _DOWNLOADS
    elsewhere = any(finding.code == _NOT_THE_PULL for finding in findings)
    if lead and lead.code == _LARGE_HELLO:
        sentence = _of_other_clients(lead, measurement)
    elif lead and measurement.basis is Basis.TEXT:
        sentence = _of_text(pulls, pull, lead, client)
    elif lead:
        sentence = _with_title(pulls, pull, lead, elsewhere=elsewhere)
    else:
        sentence = _without_fault(pulls, status, pull, measurement)
    counts = Counter(finding.severity for finding in faults if finding is not lead)
    others = (counted(counts[kind], f"more {kind}") for kind in Severity if counts[kind])
    basis = _BASES.get(measurement.basis, "")
    if measurement.basis is Basis.TEXT and measurement.gates:
        basis = "based on the error text and the configuration"
    unread = _unread(measurement) if pull is Pull.WORKS or (lead and lead.code == _LARGE_HELLO) else ""
    text = "; ".join(
        part for part in (place.title if place else "", sentence, " and ".join(others), unread, basis) if part
    )
    return " ".join(text.split())  # a title may quote a server, with line breaks


def weight(finding: JudgedFinding) -> tuple[int, int, bool]:
    """The sort key of findings: errors first, and among them what breaks the pull, and that of every client before that
    of some clients.
    """
    return finding.severity.rank, finding.impact.rank, finding.code == _LARGE_HELLO


def leading_finding(findings: Sequence[JudgedFinding]) -> JudgedFinding | None:
    """The most serious error or warning."""
    return min((finding for finding in findings if finding.severity is not Severity.INFO), key=weight, default=None)


def _of_other_clients(lead: JudgedFinding, measurement: Measurement) -> str:
    """What is proven where only a large ClientHello fails: not whether ECS sends one."""
    layers = [step for step in measurement.steps if step.action is Action.LAYER]
    arrived = bool(layers) and all(step.ok for step in layers)
    title = f"this check can download the image, but {lead.title}" if arrived else lead.title
    return f"{title}; it is not known whether ECS is one of them"


def _of_text(pulls: Mapping[Pull, str], pull: Pull, lead: JudgedFinding, client: Client) -> str:
    """What failed in an error text. Of logs, the agent or another request it says nothing about the pull."""
    if lead.code == _ENDED:
        return f"nothing to explain: {lead.title}"
    if client in _NO_PULL:
        return lead.title if lead.impact is Impact.PROOF else f"{pulls[Pull.BROKEN]}: {lead.title}"
    if lead.impact is Impact.START:
        return f"the task cannot start: {lead.title}" if client in _WITH_TASKS else lead.title
    if lead.impact is Impact.LOGS or lead.endpoints == ("logs",):
        return f"the task's logs cannot be sent: {lead.title}"
    if lead.impact is Impact.AGENT or (lead.endpoints and set(lead.endpoints) <= set(_AGENT)):
        return f"the ECS agent's requests fail: {lead.title}"
    return lead.title if pull is Pull.UNPROVEN else f"{pulls[pull]}: {lead.title}"


def _with_title(pulls: Mapping[Pull, str], pull: Pull, lead: JudgedFinding, *, elsewhere: bool) -> str:
    if pull is Pull.WORKS:
        return f"{pulls[pull]}, but {lead.title}"
    if pull is Pull.UNPROVEN and lead.severity is Severity.ERROR and lead.impact is Impact.PULL:
        return f"the measured path fails, and ECS pulls through another network interface: {lead.title}"
    if pull is Pull.UNPROVEN and lead.impact is not Impact.PROOF:
        # The lead is not the reason.
        return f"{lead.title}; {pulls[pull]}{f', {_ELSEWHERE}' if elsewhere else ''}"
    return f"{pulls[pull]}: {lead.title}"


def _without_fault(pulls: Mapping[Pull, str], status: Status, pull: Pull, measurement: Measurement) -> str:
    if pull is not Pull.UNPROVEN or status is not Status.PASS:
        return pulls[pull]
    if measurement.plan.layers is Layers.NONE:
        return f"the measured path works, but {pulls[pull]}: no layer was read"
    owner = "function" if measurement.surroundings.path is Path.LAMBDA_ENI else "task"
    return f"the {owner}'s own path works, and pass proves only that; {pulls[pull]}, {_ELSEWHERE}"


def _unread(measurement: Measurement) -> str:
    """How much of the image was read, where that is not all of it: "config and 1 of 4 layers read"."""
    total = max((step.manifest.layers or 0 for step in measurement.steps if step.ok and step.manifest), default=0)
    layers = {
        step.layer.digest: step.layer
        for step in measurement.steps
        if step.ok and step.layer is not None and step.layer.what == "layer"
    }
    in_part = any(layer.ranged for layer in layers.values())
    if len(layers) >= total and not in_part:
        return ""
    number = f"{len(layers)} of {total} layers" if total > 1 else "the layer"
    read = f"config and {'the beginning of ' if in_part else ''}{number} read"
    return read if measurement.plan.layers is Layers.ALL else f"{read} (--layers all reads all)"


# ---- severity -------------------------------------------------------------------------------------------------------


def severity(finding: Finding, plan: Plan, policy: Policy, path: Path) -> Severity:
    """The severity of a finding. It depends only on the finding's impact, endpoints and extent, the plan and policy."""
    if finding.extent is Extent.NOTED:
        return Severity.INFO
    full = _full_severity(finding, plan, policy, path)
    return Severity.WARNING if finding.extent is Extent.PARTLY and full is Severity.ERROR else full


def _full_severity(finding: Finding, plan: Plan, policy: Policy, path: Path) -> Severity:
    match finding.impact:
        case Impact.PULL | Impact.START | Impact.PROOF:
            return Severity.ERROR
        case Impact.ROUTE:
            weights = [_route_severity(name, plan, policy) for name in finding.endpoints]
            return min(weights, key=lambda severity: severity.rank, default=Severity.WARNING)
        case Impact.LOGS:
            # Required: a container of the task logs there, or --also names it.
            planned = [endpoint for name in finding.endpoints if (endpoint := plan.endpoint(name))]
            required = any(endpoint.required for endpoint in planned if endpoint.impact is Impact.LOGS)
            return Severity.ERROR if required else Severity.WARNING
        case Impact.AGENT:
            needed = any(endpoint.required for name in finding.endpoints if (endpoint := plan.endpoint(name)))
            return Severity.ERROR if path is Path.INSTANCE_ENI and needed else Severity.WARNING
        case Impact.NONE:
            return Severity.INFO


def _route_severity(name: str, plan: Plan, policy: Policy) -> Severity:
    endpoint = plan.endpoint(name)
    if name in policy.allow_public or (endpoint is not None and endpoint.impact is Impact.NONE):
        return Severity.INFO
    if endpoint is not None and endpoint.kind is Kind.INTERFACE and name in _ROUTE_MATTERS:
        return Severity.ERROR
    return Severity.WARNING


def _judged(finding: Finding, evidence: Evidence) -> JudgedFinding:
    weight = severity(finding, evidence.plan, evidence.policy, evidence.surroundings.path)
    facts = {name: getattr(finding, name) for name in finding.__struct_fields__}
    return JudgedFinding(**facts, severity=weight, url=finding_url(finding.code))


# ---- causes ---------------------------------------------------------------------------------------------------------

_SHARES = {Severity.ERROR: 1.0, Severity.WARNING: 0.25}  # weight of a finding in the likelihood of its causes; notes: 0


def likeliest(findings: tuple[JudgedFinding, ...]) -> tuple[Cause, ...]:
    """The possible causes of all findings in one order: confirmed ones first, then by how many findings name them and
    how early.
    """
    causes: dict[str, Cause] = {}
    likelihood: dict[str, float] = {}
    for finding in sorted(findings, key=lambda finding: finding.severity.rank):
        possible = [cause for cause in finding.causes if cause.standing is not Standing.RULED_OUT]
        for place, cause in enumerate(possible if finding.severity in _SHARES else (), start=1):
            earlier = causes.setdefault(cause.code, cause)
            if cause.standing is Standing.CONFIRMED and earlier.standing is not Standing.CONFIRMED:
                causes[cause.code] = cause
            likelihood[cause.code] = likelihood.get(cause.code, 0.0) + _SHARES[finding.severity] / place
    order = sorted(causes, key=lambda code: (causes[code].standing is not Standing.CONFIRMED, -likelihood[code]))
    return tuple(causes[code] for code in order)


# ---- status, pull, endpoints ----------------------------------------------------------------------------------------


def _status(findings: tuple[JudgedFinding, ...], evidence: Evidence) -> Status:
    errors = _errors(findings)
    if any(finding.impact in _BREAKING for finding in errors):
        return Status.FAIL
    if errors or not any(step.ok and evidence.plan.endpoint(step.endpoint) for step in evidence.measurement.steps):
        return Status.INCONCLUSIVE
    warned = any(finding.severity is Severity.WARNING for finding in findings)
    return Status.DEGRADED if warned else Status.PASS


def _errors(findings: tuple[JudgedFinding, ...]) -> list[JudgedFinding]:
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def _pull(findings: tuple[JudgedFinding, ...], evidence: Evidence) -> Pull:
    """Could ECS pull the image on the measured path with the measured role?"""
    if evidence.pulls_elsewhere or evidence.client in _NO_PULL:
        return Pull.UNPROVEN
    if any(finding.impact is Impact.PULL for finding in _errors(findings)):
        return Pull.BROKEN
    return Pull.WORKS if _is_proven(findings, evidence) else Pull.UNPROVEN


def _is_proven(findings: tuple[JudgedFinding, ...], evidence: Evidence) -> bool:
    """Whether all requested layers arrived, and by the names that ECS uses."""
    layers = [step for step in evidence.of(Action.LAYER) if step not in evidence.survived]
    complete = bool(layers) and all(step.ok for step in layers) and evidence.plan.layers is not Layers.NONE
    not_for_the_pull = (Impact.LOGS, Impact.AGENT, Impact.NONE)
    others = {endpoint.name for endpoint in evidence.plan.endpoints if endpoint.impact in not_for_the_pull}
    doubted = any(
        finding.impact is Impact.PROOF and not set(finding.endpoints) <= others for finding in _errors(findings)
    )
    renamed = any(
        endpoint.lookup != endpoint.host for endpoint in evidence.plan.endpoints if endpoint.impact is Impact.PULL
    )
    foreign = any(finding.code == "registry.foreign-layers" for finding in findings)
    return complete and not doubted and not renamed and not foreign


def _summary(host: HostFacts, findings: tuple[JudgedFinding, ...], evidence: Evidence) -> EndpointSummary:
    endpoint, name = host.endpoint, host.endpoint.name
    reached = len({step.address for step in host.verified_handshakes})
    # A failure that only prevents the proof (a role, a rate limit) is no fault of the endpoint.
    faulty = any(name in finding.endpoints for finding in _errors(findings) if finding.impact is not Impact.PROOF)
    # An endpoint is known to work only if its requests were made: a failure elsewhere may have prevented them.
    requests = [step for step in evidence.measurement.steps if step.endpoint == name and step.action not in _CONNECTING]
    prevented = any(step.blocked_by for step in requests)
    return EndpointSummary(
        name=name,
        host=endpoint.host,
        kind=endpoint.kind,
        required=endpoint.required,
        route=evidence.route(host),
        resolved=len(host.addresses),
        reached=reached,
        ok=reached > 0 and not faulty and not prevented,
    )
