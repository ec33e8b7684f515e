"""Why a name resolves to the wrong address, or to none: suspects by what each resolver answered."""

from __future__ import annotations

import re
from typing import Any

from probe.endpoints import AWS_DOMAINS, ROWS
from probe.faults import causes
from probe.faults.causes import DESCRIBE_TASK_INTERFACE, CauseText, advice, reads
from probe.faults.evidence import NO_EVIDENCE, NOT_THERE, Evidence, HostFacts, addresses_of, class_of, is_inside
from probe.faults.fault import Fault, Suspects, confirmed, finding_of_hosts, possible
from probe.model import AddressClass, Endpoint, Failure, Finding, GateAnswer, Impact, Kind, Step

_SPELLED_OUT = re.compile(
    r"(?:(?P<account>\d+)\.dkr[.-]ecr(?:-fips)?|[a-z0-9.-]+?)\.(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d+)\.(?P<suffix>[a-z.-]+)"
)
# A host of one of AWS's regional services with another word where the region stands.
_WITHOUT_REGION = re.compile(r"(?:[a-z0-9-]+\.){1,2}(?P<label>[a-z][a-z0-9-]*)\.amazonaws\.com(?:\.cn)?")
# What a variable leaves that is not set, or that nothing replaced.
_UNSET = r"(?:\$\{?[\w.-]{0,60}\}?|%\w{1,40}%|\{\{[^}]{0,60}\}\}|undefined|null|nil|none|)"
_UNSET_ACCOUNT = re.compile(rf"(?P<part>{_UNSET})\.dkr[.-]ecr\b.*")
_UNSET_REGION = re.compile(rf"(?:.*\bdkr[.-]|api\.)ecr(?:-fips)?\.(?P<part>{_UNSET})\.amazonaws\.com(?:\.cn)?")
_REGIONAL = frozenset(ROWS) - {"s3"}
_NO_LABELS = ("s3", "ecr", "dkr", "api", "vpce", "dualstack")
_MASK = re.compile(r"region|redact|mask|example|x{2,}|y{2,}")
_NUMBERED = re.compile(r"ecs-[at]-\d+\..+")  # hosts that DiscoverPollEndpoint returns outside the ecs endpoint

OUTSIDE_VPC = causes.other(
    "this host is outside the VPC, where these names have public addresses",
    advice(
        "run ecr-probe inside the VPC",
        "ecr-probe smoke --cluster CLUSTER --subnets SUBNET_ID --security-groups GROUP_ID",
    ),
    reads(
        DESCRIBE_TASK_INTERFACE,
        note="ADDRESS is this host's address. An empty list means that no VPC of the account has it.",
    ),
)
# Why a name is public, where the configuration was read; what a check sees does not lead there.
_BY_GATES = {cause.code: cause for cause in (causes.NOT_AVAILABLE, causes.ZONE_CONFLICT, causes.IPV4_ONLY)}
EXTERNAL_INSTANCE = causes.other(
    "this instance is outside the VPC (ECS Anywhere), where these names have public addresses",
    advice(
        "accept the public path with --allow-public, or lead a VPN or Direct Connect to the VPC and forward the names "
        "of {endpoints} to an inbound endpoint of Route 53 Resolver there",
        "aws route53resolver list-resolver-endpoints --region {task_region} --filters Name=Direction,Values=INBOUND",
    ),
    reads(
        "aws ecs list-container-instances --region {task_region} --cluster {cluster} "
        '--filter "attribute:ecs.capability.external"'
    ),
)


def other_answers(evidence: Evidence, host: HostFacts) -> tuple[Step, ...]:
    """Answers that can prove the cause: of the VPC's own resolver, and for the name with swapped labels."""
    return (*evidence.vpc_answers(host), *evidence.mistaken_answers(host))


def resolves_in_vpc(evidence: Evidence, host: HostFacts) -> bool:
    """Whether the VPC's own resolver, asked in addition, returns what it should: S3's public addresses are right."""
    addresses = addresses_of(evidence.vpc_answers(host))
    return is_inside(class_of(addresses)) or (host.endpoint.kind is Kind.GATEWAY and bool(addresses))


def proven_cause(evidence: Evidence, host: HostFacts, *others: CauseText) -> Suspects | None:
    """The cause that another answer proves: a right one of the VPC's resolver, or a private one for swapped labels.

    The VPC's own resolver has several addresses, and base+2 of an unknown range may be one: where the resolver in use
    can be the same one, the other answer only excludes what would make both wrong.
    """
    if resolves_in_vpc(evidence, host):
        servers = [host.line.server] if host.line else [line.server for line in host.lines]
        if not any(map(evidence.may_be_vpc_resolver, servers)):
            return confirmed(causes.CUSTOM_RESOLVER, *others)
        custom = () if all(map(evidence.is_vpc_resolver, servers)) else (causes.CUSTOM_RESOLVER,)
        alive = (causes.RESOLVER_RULE, *custom, causes.OTHER)
        out = tuple(other for other in others if other not in alive)
        return Suspects((*alive, *out), ruled_out=frozenset(out))
    if is_inside(class_of(addresses_of(step for step in evidence.mistaken_answers(host) if step.ok))):
        return confirmed(causes.ZONE_WRONG_NAME, *others)
    return None


def is_abroad(evidence: Evidence, host: HostFacts) -> bool:
    """A host of the pull in another region than the task's, to which only public addresses lead, or none that answers.

    `other_regions` judges it, unless another answer proves that the region does not matter.
    """
    endpoint = host.endpoint
    of_pull = endpoint.impact is Impact.PULL and not host.redirected and endpoint.lookup == endpoint.host
    if evidence.is_text or evidence.is_outside_vpc or not of_pull or not evidence.is_foreign(endpoint):
        return False
    if evidence.leads_elsewhere(host):
        return False
    lost = (Failure.TIMEOUT, Failure.UNREACHABLE)
    tries = host.last_tries
    silent = bool(tries) and all(step.failure in lost for step in tries) and not evidence.is_ipv4_only(host)
    of_s3 = endpoint.kind is Kind.GATEWAY and host.address_class is AddressClass.PUBLIC and silent
    mixed = any(is_inside(address.address_class) for address in host.addresses)
    return of_s3 or (evidence.leaks(host) and not mixed and proven_cause(evidence, host) is None)


def public_answer_suspects(evidence: Evidence, host: HostFacts) -> Suspects:
    """Why an interface endpoint's name resolves to public addresses."""
    name = host.endpoint.name
    swapped = (causes.ZONE_WRONG_NAME,) if host.endpoint.mistaken else ()
    usual = (
        causes.missing(name),
        causes.PRIVATE_DNS_OFF,
        causes.VPC_ATTRIBUTES_OFF,
        causes.ZONE_NOT_ASSOCIATED,
        causes.RESOLVER_RULE,
        *swapped,
    )
    proof = proven_cause(evidence, host, *usual)
    if proof is not None:
        return proof
    suspects = Suspects(usual, ruled_out=_excluded(evidence, host))
    server = host.line.server if host.line else ""
    if not server:
        suspects = suspects.then(causes.CUSTOM_RESOLVER)
    elif not evidence.is_vpc_resolver(server):
        suspects = _with_custom_resolver(evidence, host, suspects)
    if evidence.is_foreign(host.endpoint):
        suspects = suspects.first(causes.LOG_REGION if name == "logs" else causes.CROSS_REGION)
    suspects = suspects.first(*fips_hostname(host.endpoint))
    if name == "ecr-legacy":
        suspects = suspects.first(causes.LEGACY_HOSTNAME)
    suspects = suspects.then(*_refusing(evidence, host, suspects.causes))
    if not evidence.is_outside_vpc:
        return suspects
    return suspects.first(EXTERNAL_INSTANCE if evidence.is_external else OUTSIDE_VPC)


def _refusing(evidence: Evidence, host: HostFacts, known: tuple[CauseText, ...]) -> tuple[CauseText, ...]:
    """Causes that only the configuration shows: those of the gates of names that refuse."""
    codes = {cause.code for cause in known}
    gates = (gate for gate in evidence.measurement.gates if gate.endpoint == host.endpoint.name)
    refusing = dict.fromkeys(gate.cause for gate in gates if gate.answer is GateAnswer.REFUSES and gate.cause)
    return tuple(_BY_GATES[code] for code in refusing if code in _BY_GATES and code not in codes)


def _with_custom_resolver(evidence: Evidence, host: HostFacts, suspects: Suspects) -> Suspects:
    """A custom resolver is the first suspect, unless the VPC's own resolver answers publicly too."""
    if class_of(addresses_of(evidence.vpc_answers(host))) is AddressClass.PUBLIC:
        return Suspects(
            (*suspects.causes, causes.CUSTOM_RESOLVER),
            suspects.confirmed,
            suspects.ruled_out | {causes.CUSTOM_RESOLVER},
        )
    return suspects.first(causes.CUSTOM_RESOLVER)


def _excluded(evidence: Evidence, host: HostFacts) -> frozenset[CauseText]:
    """What other answers exclude: VPC attributes that are off, and a zone with swapped labels."""
    served = frozenset({causes.VPC_ATTRIBUTES_OFF}) if _serves_private_names(evidence) else frozenset()
    missing = any(step.failure is Failure.NXDOMAIN for step in evidence.mistaken_answers(host))
    return served | frozenset({causes.ZONE_WRONG_NAME}) if missing else served


def _serves_private_names(evidence: Evidence) -> bool:
    """Whether the VPC's own resolver returned a private address, except for a vpce name, which is in public DNS.

    A private answer of another resolver proves nothing about this VPC's attributes.
    """
    return any(
        evidence.is_vpc_resolver(line.server) and is_inside(class_of(line.addresses))
        for host in evidence.hosts
        if host.endpoint.kind is Kind.INTERFACE and host.endpoint.lookup == host.endpoint.host
        for line in (*host.lines, *((host.control,) if host.control else ()))
    )


def missing_name_suspects(evidence: Evidence, host: HostFacts, *usual: CauseText) -> Suspects:
    """Why a name does not exist here, or has no address."""
    if evidence.foreign_targets(host.line):
        return possible(causes.DNS_FIREWALL, causes.ZONE_CONFLICT)
    proof = proven_cause(evidence, host, *usual)
    if proof is not None:
        return proof
    suspects = possible(*usual)
    if host.endpoint.kind is Kind.GATEWAY:
        suspects = suspects.first(causes.DNS_FIREWALL)  # by design no private zone owns a name of S3
    agreed = host.control is not None and host.control.failure in NOT_THERE
    server = host.line.server if host.line is not None else None
    if server is not None and not evidence.is_vpc_resolver(server) and not agreed:
        # A resolver that is not the VPC's own is the first suspect; an error text that names none leaves it open.
        suspects = suspects.first(causes.CUSTOM_RESOLVER) if server else suspects.then(causes.CUSTOM_RESOLVER)
    suspects = suspects.first(*fips_hostname(host.endpoint))
    if host.endpoint.name == "ecr-legacy":
        suspects = suspects.then(causes.LEGACY_HOSTNAME)
    if host.endpoint.name == "logs":
        # A region other than the task's is more likely mistyped than its zone hidden.
        typo = causes.LOG_REGION
        return suspects.first(typo) if evidence.is_foreign(host.endpoint) else suspects.then(typo)
    return suspects


def foreign_answer_suspects(evidence: Evidence, host: HostFacts) -> Suspects:
    """Why a name leads to a host that is not AWS's."""
    usual = (causes.DNS_FIREWALL, causes.ZONE_CONFLICT)
    proof = proven_cause(evidence, host, *usual)
    if proof is not None:
        return proof
    server = host.line.server if host.line else ""
    suspects = possible(*usual)
    if server and not evidence.is_vpc_resolver(server):
        agreed = host.control is not None and evidence.is_elsewhere(host.control)
        suspects = suspects.then(causes.CUSTOM_RESOLVER) if agreed else suspects.first(causes.CUSTOM_RESOLVER)
    # The name can also be one's own for an endpoint whose group does not allow the task in.
    silent = any(step.failure is Failure.TIMEOUT for step in host.last_tries)
    return suspects.then(causes.SECURITY_GROUP) if silent and host.address_class is AddressClass.VPC else suspects


def fips_hostname(endpoint: Endpoint) -> tuple[CauseText, ...]:
    """The cause of a FIPS host that is not private, empty for other hosts."""
    if "-fips." not in endpoint.host:
        return ()
    of_ecr = endpoint.name in ("ecr.api", "ecr.dkr", "ecr-fips")
    return (causes.FIPS_HOSTNAME if of_ecr else causes.FIPS_HOSTNAME_OF_SERVICE,)


def is_numbered(host: HostFacts) -> bool:
    """A host of ecs-agent or ecs-telemetry with a number, which no VPC endpoint serves. AWS[agent-poll-endpoint]"""
    return _NUMBERED.fullmatch(host.endpoint.host.lower()) is not None


def malformation(evidence: Evidence, endpoint: Endpoint) -> str | None:
    """Why AWS has no host of this name. Only an error text can spell one out; a check plans none."""
    host = endpoint.host.lower()
    for pattern, value in ((_UNSET_ACCOUNT, "account id"), (_UNSET_REGION, "region")):
        if evidence.is_text and (unset := pattern.fullmatch(host)):
            return f"The {value} in the host is {_as_unset(unset['part'])}: a variable is not set, or not replaced."
    match, without_region = (pattern.fullmatch(host) for pattern in (_SPELLED_OUT, _WITHOUT_REGION))
    if not evidence.is_text:
        return None
    if match is None:
        label = without_region["label"] if without_region and endpoint.name in _REGIONAL else None
        unmasked = label is not None and label not in _NO_LABELS and not _MASK.search(label)
        return f"{label} stands where the host has its region." if unmasked else None
    account, region, suffix = match["account"], match["region"], match["suffix"]
    if account and len(account) != 12:
        return f"The account id {account} has {len(account)} digits, not 12."
    china, ours = region.startswith("cn-"), evidence.plan.dns_suffix
    # A partition with a domain of its own has no hosts in that of the others.
    of_others = region == evidence.plan.region and suffix == "amazonaws.com" != ours
    if suffix not in (*AWS_DOMAINS, ours) or suffix.endswith(".cn") is not china or of_others:
        ours = "amazonaws.com.cn" if china else ours
        return f"Hosts of AWS in {region} end in {ours}, not in {suffix}."
    return None if endpoint.region else f"{region} is not a region of AWS that ecr-probe knows."


def _as_unset(part: str) -> str:
    return part.strip("${}%") or "empty"


def failing_resolver_suspects(evidence: Evidence, host: HostFacts) -> Suspects:
    """Why no nameserver returns an answer for a host."""
    failures = {line.failure for line in host.lines}
    silent = not failures & {Failure.SERVFAIL, Failure.REFUSED_QUERY}
    servers = [line.server for line in host.lines]
    if all(map(evidence.is_vpc_resolver, servers)):
        return (
            _silent_vpc_resolver(evidence, host) if silent else failing_server_suspects(evidence, servers[0], failures)
        )
    if resolves_in_vpc(evidence, host) and not any(map(evidence.may_be_vpc_resolver, servers)):
        # The VPC's resolver would answer, so use that one; the other may also be down or unreachable.
        proven = confirmed(causes.CUSTOM_RESOLVER, causes.FORWARDING_TARGET_UNREACHABLE, causes.OTHER)
        return Suspects((causes.CUSTOM_RESOLVER, causes.RESOLVER_UNREACHABLE), proven.confirmed) if silent else proven
    if silent:
        return possible(causes.RESOLVER_UNREACHABLE, causes.CUSTOM_RESOLVER, causes.RESOLVER_SECURITY_GROUP)
    return failing_server_suspects(evidence, servers[0], failures)


def failing_server_suspects(evidence: Evidence, server: str, failures: set[Failure | None]) -> Suspects:
    """Why a nameserver that is reached answers SERVFAIL or REFUSED."""
    rule, custom = (causes.FAILING_RULE,), (causes.CUSTOM_RESOLVER,)
    if evidence.is_vpc_resolver(server):
        first: tuple[CauseText, ...] = rule
    else:
        first = (*rule, *custom) if evidence.may_be_vpc_resolver(server) or not server else custom
    behind = () if Failure.REFUSED_QUERY in failures else (causes.FORWARDING_TARGET_UNREACHABLE,)
    return possible(*first, *behind, causes.OTHER)


def _silent_vpc_resolver(evidence: Evidence, host: HostFacts) -> Suspects:
    """Why the VPC's own resolver is silent: an attribute of the VPC, unless it answered anything at all.

    Silence for some names only is the silence of the servers that a rule sends these names to.
    """
    unreachable, attributes = causes.VPC_RESOLVER_UNREACHABLE, causes.VPC_ATTRIBUTES_OFF
    if not evidence.vpc_resolver_answers:
        return possible(attributes, unreachable)
    servers = {line.server for line in host.lines}
    selective = any(step.names and step.names.server in servers for step in evidence.vpc_resolver_answers)
    truncated = any(step.names and step.names.tcp for line in host.lines for step in line.steps)
    first = (causes.FAILING_RULE,) if selective and not truncated else ()
    return Suspects((*first, unreachable, attributes), ruled_out=frozenset({attributes}))


# ---- findings of several hosts --------------------------------------------------------------------------------------


def failed_lookups(evidence: Evidence, host: HostFacts, failures: tuple[Failure, ...]) -> tuple[Step, ...]:
    """The lookups that show why a name fails: those with these failures, and the control and follow-up lookups."""
    lines = tuple(
        step
        for line in host.lines
        for step in line.failed
        if step.failure in failures or line.server == _answering_server(host)
    )
    control = host.control.failed if host.control else ()
    evidence_of = (*lines, *control, *other_answers(evidence, host))
    return tuple(step for step in evidence_of if step.failure not in NO_EVIDENCE)


def _answering_server(host: HostFacts) -> str | None:
    return host.line.server if host.line else None


def lookup_finding(
    fault: Fault, evidence: Evidence, hosts: list[HostFacts], steps: tuple[Step, ...], suspects: Suspects, **values: Any
) -> Finding:
    """One finding about several hosts, with the nameservers that failed."""
    servers = tuple(dict.fromkeys(line.server for host in hosts for line in host.lines if line.failed))
    return finding_of_hosts(fault, evidence, hosts, steps, suspects=suspects, servers=servers, **values)
