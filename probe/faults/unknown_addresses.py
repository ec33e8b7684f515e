"""Connections, or earlier steps, that failed at an address that the error text does not contain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.endpoints import AGENT_ENDPOINTS
from probe.faults import causes, network
from probe.faults.causes import advice
from probe.faults.evidence import REFUSALS, UNNAMED, Evidence
from probe.faults.fault import Fault, Suspects, finding, finds, possible
from probe.faults.name_suspects import fips_hostname, malformation
from probe.model import Action, Basis, Client, Endpoint, Failure, Finding, Impact, Kind, Nothing
from probe.records import replace

NO_ANSWER = Fault(
    "path.no-answer",
    "{endpoints} did not answer, and the text does not contain the address",
    "The client stopped waiting. The text does not show whether the lookup, the connection or the handshake timed out; "
    "the full text (dial tcp …) or a check from the same subnet does.",
    Impact.PULL,
    (
        causes.NO_ROUTE,
        causes.SECURITY_GROUP,
        causes.PRIVATE_DNS_OFF,
        causes.NETWORK_ACL,
        causes.NO_PUBLIC_IP,
        causes.EGRESS_FIREWALL,
        causes.NAT_DEVICE,
        causes.CUSTOM_RESOLVER,
    ),
    other_causes=(
        *(cause for cause in causes.CAUSES.values() if cause.absence_of or cause is causes.MISSING_OTHER),
        *network.S3_SILENT.causes,
        causes.CROSS_REGION,
        causes.FIPS_HOSTNAME,
        causes.FIPS_HOSTNAME_OF_SERVICE,
        causes.LEGACY_HOSTNAME,
        causes.PROXY_NEEDED,
        causes.RESOLVER_UNREACHABLE,
    ),
    examples=(("reason", "A word stands where the host has its region."),),
)
_WRONG_REGION = replace(
    causes.MISCONFIGURED,
    title="the region or the endpoint's address in the client's settings is wrong",
    fix=advice(
        "set the region (AWS_REGION, the profile, or the code that makes the client) to one like eu-west-1",
        "aws configure list",
    ),
)
NO_SUCH_HOST = NO_ANSWER.variant(
    title="{endpoints} is called by a host name that AWS does not have",
    why="{reason} The name cannot resolve, so network, endpoints and permissions are not involved.",
    causes=(_WRONG_REGION, causes.BAD_HOST),
)
NO_ANSWER_UNNAMED = NO_ANSWER.variant(
    title="a host that the text does not name did not answer",
    why="The address is a public one, and the text does not name its host: it can be any service of AWS, or another.",
)
REFUSED = network.REFUSED.variant(title="connections to {endpoints} are refused; the text does not contain the address")
NO_ROUTE = network.NO_ROUTE.variant(
    title="the client has no route to {endpoints}; the text does not contain the address",
    why="The connection failed immediately, before any packet was sent.",
)
# Docker's first request to a registry. Where Docker pulls for a task, the token came by another path, so that this
# request is the first one that needs the subnet's way out.
_PING = re.compile(r"dkr[.-]ecr\S{1,80}/v2/\"?: ")
# Go up to 1.5 reports a lookup that timed out so: no address was dialed yet.
_BARE_DIAL = re.compile(r"\bdial tcp: i/o timeout\b")


@finds(REFUSED, NO_ROUTE, NO_ANSWER, NO_ANSWER_UNNAMED, NO_SUCH_HOST, basis=Basis.TEXT)
def unanswered(evidence: Evidence) -> Iterator[Finding]:
    """Connections, or earlier steps, that failed at an address that the text does not contain."""
    for step in evidence.failed(Action.TCP):
        if not isinstance(step.seen, Nothing):
            continue
        names = (step.endpoint,)
        impact = evidence.impact(names)
        endpoint = evidence.plan.endpoint(step.endpoint)
        if step.failure in REFUSALS:
            yield finding(REFUSED, evidence, (step,), endpoints=names, impact=impact)
        elif step.failure is Failure.UNREACHABLE:
            is_gateway = endpoint is not None and endpoint.kind is Kind.GATEWAY
            suspects = possible(causes.MISSING_S3, causes.S3_ROUTE_TABLE, causes.NO_ROUTE) if is_gateway else None
            yield finding(NO_ROUTE, evidence, (step,), endpoints=names, impact=impact, suspects=suspects)
        elif endpoint is not None and (reason := malformation(evidence, endpoint)) is not None:
            yield finding(NO_SUCH_HOST, evidence, (step,), endpoints=names, impact=impact, reason=reason)
        elif endpoint is not None:
            suspects = _suspects_without_answer(evidence, endpoint)
            if evidence.client is Client.ECS and _PING.search(step.detail or ""):
                suspects = suspects.first(causes.NO_ROUTE, causes.NO_PUBLIC_IP, causes.SECURITY_GROUP)
            if _BARE_DIAL.search(step.detail or ""):
                first, *others = suspects.causes
                suspects = possible(first, causes.RESOLVER_UNREACHABLE, *others)
            fault = NO_ANSWER_UNNAMED if endpoint.name == UNNAMED and step.subject else NO_ANSWER
            yield finding(fault, evidence, (step,), endpoints=names, impact=impact, suspects=suspects)


def _suspects_without_answer(evidence: Evidence, endpoint: Endpoint) -> Suspects:
    foreign = (causes.CROSS_REGION,) if evidence.is_foreign(endpoint) else ()
    if endpoint.kind is Kind.GATEWAY:
        return possible(*foreign, *network.S3_SILENT.causes)
    if endpoint.name == UNNAMED:
        named_only = (causes.PRIVATE_DNS_OFF, causes.CUSTOM_RESOLVER)
        likely = (cause for cause in NO_ANSWER.causes if cause not in named_only)
        return possible(*likely, causes.PROXY_NEEDED)
    fips = fips_hostname(endpoint)
    legacy = (causes.LEGACY_HOSTNAME,) if endpoint.name == "ecr-legacy" else ()
    # Only ECS assigns public addresses for each task; other clients run where a proxy may be the way out.
    by_task = evidence.client in (Client.ECS, Client.BATCH) and endpoint.name not in (*AGENT_ENDPOINTS, "ecs")
    by_client = causes.NO_PUBLIC_IP if by_task else causes.PROXY_NEEDED
    likeliest = (causes.missing(endpoint.name), causes.NO_ROUTE, causes.SECURITY_GROUP, by_client)
    return possible(*fips, *legacy, *foreign, *likeliest, *NO_ANSWER.causes)
