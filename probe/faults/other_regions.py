"""Faults of images and layers in another region than the task's.

An endpoint serves one region: the VPC's own, or the one that it was created for. Since November 2025 an interface
endpoint of ecr.api, ecr.dkr and S3 can be of another region; S3's gateway endpoint cannot
(AWS[cross-region-endpoints], AWS[s3-gateway-regional]).
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.endpoints import service_name
from probe.faults import causes
from probe.faults.causes import CauseText, advice, reads
from probe.faults.evidence import REFUSALS, Evidence, HostFacts, is_inside
from probe.faults.fault import Fault, Suspects, finding, finding_of_hosts, finds, merged, noted, possible
from probe.faults.name_suspects import is_abroad, public_answer_suspects
from probe.faults.names import leak_steps
from probe.model import Action, AddressClass, Extent, Failure, Finding, Impact, Kind, RedirectTarget, Route, Step
from probe.records import replace

CROSS_REGION = noted(
    "region.cross-region",
    "the image is in {region}, the task in {task_region}",
    "Names of the other region resolve to private addresses and its layers arrive, so the pull works. Transfer between "
    "regions is charged.",
)
CROSS_REGION_S3_OUT = CROSS_REGION.variant(
    why=(
        "ECR's names of the other region resolve to private addresses. Its layers come from S3's public addresses, "
        "over NAT or an internet gateway: a gateway endpoint serves only its own region. Transfer between regions is "
        "charged."
    )
)
_READ_ENDPOINTS_ABROAD = reads(
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-region,Values={region} "
    '--query "VpcEndpoints[].[VpcId,ServiceName,VpcEndpointType,VpcEndpointId,State,PrivateDnsEnabled]"',
    note="An empty list in an account that does not own the VPC proves nothing.",
)
# AWS[cross-region-private-names]
_ON_CROSS_REGION_ENDPOINTS = (
    "The caller needs vpce:AllowMultiRegion, which a service control policy may deny; some zones do not offer it "
    "(use1-az3, usw1-az2, apne1-az3, apne2-az2, apne2-az4). How private DNS names of another region are set up was not "
    "verified: test with this check."
)


def _absent_abroad(cause: CauseText, what: str, service: str) -> CauseText:
    """An interface endpoint of the image's region that this VPC lacks. `service`: its placeholder."""
    of_s3 = "The S3 gateway endpoint serves only {task_region}. " if what.startswith("S3") else ""
    return replace(
        cause,
        title=f"this VPC has no {what} endpoint of {{region}}",
        fix=advice(
            f"create an interface endpoint of {{region}} for {what.partition(' ')[0]} in this VPC",
            "aws ec2 create-vpc-endpoint --region {task_region} --service-region {region} --vpc-id VPC_ID "
            f"--vpc-endpoint-type Interface --service-name {{{service}}} --subnet-ids SUBNET_ID "
            "--security-group-ids GROUP_ID",
            note=of_s3 + _ON_CROSS_REGION_ENDPOINTS,
        ),
        confirm=_READ_ENDPOINTS_ABROAD,
    )


_ABSENT = {
    "ecr.api": _absent_abroad(causes.MISSING_ECR_API, "ecr.api", "api_abroad"),
    "ecr.dkr": _absent_abroad(causes.MISSING_ECR_DKR, "ecr.dkr", "dkr_abroad"),
    "s3": _absent_abroad(causes.MISSING_S3, "S3 interface", "s3_abroad"),
}
LAYERS_ABROAD = replace(
    causes.CROSS_REGION,
    title="the layers are in {region}, which an S3 gateway endpoint in {task_region} does not serve",
    fix=_ABSENT["s3"].fix,
    confirm=_READ_ENDPOINTS_ABROAD,
)
CROSS_REGION_LAYERS = CROSS_REGION.variant(
    title="the registry keeps this image's layers in another region ({layer_region})",
    why=(
        "They are at {host}. An S3 gateway endpoint carries only traffic to its own region's buckets, so these bytes "
        "take another path."
    ),
    impact=Impact.ROUTE,
    causes=(LAYERS_ABROAD,),
    extent=Extent.PARTLY,
)
CROSS_REGION_SILENT = CROSS_REGION.variant(
    title="the registry keeps this image's layers in another region ({layer_region}), which is unreachable",
    why=(
        "{host} does not answer. An S3 gateway endpoint carries only traffic to its own region's buckets, so these "
        "bytes need another path."
    ),
    impact=Impact.PULL,
    causes=(LAYERS_ABROAD, causes.NO_ROUTE, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL),
    extent=Extent.WHOLLY,
)
# What can keep packets from public addresses of another region.
_NO_PATH_OUT = (causes.NO_ROUTE, causes.SECURITY_GROUP, causes.NETWORK_ACL, causes.EGRESS_FIREWALL)
UNREACHABLE = Fault(
    CROSS_REGION.code,
    "the image is in {region}, the task in {task_region}, and {endpoints} of {region} {do} not answer",
    "Their names have public addresses here, and nothing answers there. An endpoint serves one region: the VPC's own, "
    "or the one that it was created for.",
    Impact.PULL,
    (causes.CROSS_REGION, *_ABSENT.values()),
    other_causes=(
        causes.PRIVATE_DNS_OFF,
        causes.VPC_ATTRIBUTES_OFF,
        causes.ZONE_NOT_ASSOCIATED,
        causes.RESOLVER_RULE,
        causes.ZONE_WRONG_NAME,
        causes.RESOLVER_RULE,
        causes.CUSTOM_RESOLVER,
        causes.FIPS_HOSTNAME,
        *_NO_PATH_OUT,
    ),
)
PUBLIC = UNREACHABLE.variant(
    title="the image is in {region}, the task in {task_region}, and traffic to {endpoints} leaves the VPC",
    why=(
        "Their names have public addresses here. The pull works today only through NAT or an internet gateway. An "
        "endpoint serves one region: the VPC's own, or the one that it was created for."
    ),
    impact=Impact.ROUTE,
)
_LOST = (Failure.TIMEOUT, Failure.UNREACHABLE, *REFUSALS)


@finds(UNREACHABLE, PUBLIC)
def unserved_regions(evidence: Evidence) -> Iterator[Finding]:
    """The pull's hosts of another region that only public addresses lead to: one finding for all of them."""
    if evidence.is_text:
        return
    abroad = [host for host in evidence.hosts if is_abroad(evidence, host)]
    for fault, hosts in (
        (UNREACHABLE, [host for host in abroad if not host.connected]),
        (PUBLIC, [host for host in abroad if host.connected]),
    ):
        if hosts:
            steps = merged(*(_steps(evidence, host) for host in hosts))
            suspects = _suspects(evidence, hosts, reached=fault is PUBLIC)
            yield finding_of_hosts(fault, evidence, hosts, steps, impact=fault.impact, suspects=suspects)


def _steps(evidence: Evidence, host: HostFacts) -> tuple[Step, ...]:
    if host.endpoint.kind is Kind.INTERFACE:
        return leak_steps(evidence, host)
    return host.unconnected(_LOST)


def _suspects(evidence: Evidence, hosts: list[HostFacts], *, reached: bool) -> Suspects:
    """The region first, then the endpoints that are missing, then what else can hide private names."""
    absent = tuple(_ABSENT[host.endpoint.name] for host in hosts)
    names = [host for host in hosts if host.endpoint.kind is Kind.INTERFACE]
    usual = public_answer_suspects(evidence, names[0]) if names else possible()
    codes = {cause.code for cause in (causes.CROSS_REGION, *_ABSENT.values())}
    hiding = tuple(cause for cause in usual.causes if cause.code not in codes)
    path = () if reached else tuple(cause for cause in _NO_PATH_OUT if cause not in hiding)
    return Suspects((causes.CROSS_REGION, *absent, *hiding, *path), ruled_out=usual.ruled_out)


@finds(CROSS_REGION_LAYERS, CROSS_REGION_SILENT)
def other_regions(evidence: Evidence) -> Iterator[Finding]:
    """Layers that the registry keeps in another region's S3, reached past the gateway endpoint or not at all."""
    redirects: dict[str, list[Step]] = {}
    for step in evidence.of(Action.BLOB):
        if (redirect := step.redirect) and redirect.target is RedirectTarget.OTHER_REGION and redirect.host:
            redirects.setdefault(redirect.host, []).append(step)
    for name, steps in redirects.items():
        host = next((host for host in evidence.hosts if host.redirected and host.name == name), None)
        lost = _lost(host) if host else ()
        region = steps[0].redirect.region if steps[0].redirect else None
        fault = CROSS_REGION_SILENT if host and not host.connected else CROSS_REGION_LAYERS
        where = region or "REGION"
        service = service_name("s3", evidence.plan.partition, where, interface=True)
        yield finding(
            fault,
            evidence,
            merged(steps, lost),
            layer_region=where,
            region=where,
            host=name,
            s3_abroad=service,
        )


def _lost(host: HostFacts) -> tuple[Step, ...]:
    """The lookups and connections that failed for that host."""
    asked = (*host.lines, *((host.control,) if host.control else ()))
    names = tuple(step for line in asked for step in line.failed) if not host.addresses else ()
    return (*names, *host.unconnected(_LOST))


@finds(CROSS_REGION, CROSS_REGION_S3_OUT)
def cross_region(evidence: Evidence) -> Iterator[Finding]:
    """An image of another region that is reached at private addresses, with layers that arrive."""
    pull = [host for host in evidence.hosts if host.endpoint.name in ("ecr.api", "ecr.dkr") and not host.redirected]
    if not any(evidence.is_foreign(host.endpoint) for host in pull):
        return
    private = all(evidence.route(host) is Route.ENDPOINT and is_inside(host.address_class) for host in pull)
    layers = [step for step in evidence.of(Action.LAYER) if step.ok]
    if private and layers:
        names = tuple(step for host in pull for step in (host.line.steps if host.line else ()) if step.ok)
        store = evidence.host("s3")
        is_public = store is not None and store.address_class is AddressClass.PUBLIC
        yield finding(CROSS_REGION_S3_OUT if is_public else CROSS_REGION, evidence, (*names, *layers))
