"""The values that fill the placeholders of a fault's and a cause's texts; every placeholder always has one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from probe.addresses import LINK_LOCAL_SERVICES, embedded, is_ipv6
from probe.endpoints import DUAL_STACK_REGISTRY_SUFFIXES, service_name
from probe.faults.evidence import ELSEWHERE, UNNAMED, Evidence, is_inside
from probe.faults.permissions import permission_values
from probe.model import AddressClass, Asker, Client, Endpoint, ImageReference, Kind, Step
from probe.narration import few, listed
from probe.records import Record


class Ranges(Record, frozen=True):
    """Ranges that a security group allows. `{name:tcp/443}` are the options of the AWS CLI that allow them."""

    ipv4: str | None = None
    ipv6: str | None = None

    def __format__(self, rule: str) -> str:
        protocol, port = rule.split("/")
        if self.ipv6 is None:
            return f"--protocol {protocol} --port {port} --cidr {self.ipv4}"
        ipv4 = f",IpRanges=[{{CidrIp={self.ipv4}}}]" if self.ipv4 else ""
        fields = f"IpProtocol={protocol},FromPort={port},ToPort={port}{ipv4},Ipv6Ranges=[{{CidrIpv6={self.ipv6}}}]"
        return f'--ip-permissions "{fields}"'


def values_of(evidence: Evidence, steps: tuple[Step, ...], names: Iterable[str]) -> dict[str, Any]:
    """The values of one finding. A word in capitals, such as REGION, is unknown and for the reader to fill in."""
    endpoints = tuple(endpoint for name in names if (endpoint := evidence.plan.endpoint(name)) is not None)
    return {
        **_places(evidence, endpoints),
        **_hosts(evidence, steps, endpoints),
        **_image(evidence, steps),
        **permission_values(evidence, steps, endpoints),
        "source": evidence.measurement.identity.source,
        **_logs(evidence, steps),
    }


def service_of(endpoint: Endpoint, partition: str) -> str:
    """The name under which PrivateLink offers it. ECR has services for its FIPS hosts: AWS[ecr-fips-endpoints]."""
    interface = endpoint.kind is Kind.INTERFACE
    name = endpoint.name
    if name in ("ecr.api", "ecr.dkr") and "-fips." in endpoint.host:
        name = name.replace("ecr.", "ecr-fips.")
    return service_name(name, partition, endpoint.region, interface=interface)


def service_options(evidence: Evidence, endpoint: Endpoint) -> str:
    """The options of create-vpc-endpoint for this endpoint's service, and for addresses that the task can use."""
    own = evidence.surroundings.addresses
    region = f" --service-region {endpoint.region}" if evidence.is_foreign(endpoint) and endpoint.region else ""
    addresses = " --ip-address-type dualstack" if own and all(map(is_ipv6, own)) else ""
    return f"{service_of(endpoint, evidence.plan.partition)}{region}{addresses}"


def _places(evidence: Evidence, endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    plan, around = evidence.plan, evidence.surroundings
    named = [endpoint for endpoint in endpoints if endpoint.name != UNNAMED]
    services = [service_of(endpoint, plan.partition) for endpoint in named] or ["SERVICE"]
    own = next(iter(around.addresses), None)
    abroad = [
        service_name(name, plan.partition, plan.region or "REGION", interface=True)
        for name in ("ecr.api", "ecr.dkr", "s3")
    ]
    subnet = around.subnet_cidr or around.subnet_cidr_ipv6
    return {
        "region": plan.region or "REGION",
        "task_region": evidence.task_region or "REGION",
        "partition": plan.partition,
        "suffix": plan.dns_suffix,
        "dual_suffix": DUAL_STACK_REGISTRY_SUFFIXES.get(plan.partition, "on.aws"),
        "account": plan.account or "ACCOUNT",
        "caller_account": around.account or plan.account or "ACCOUNT",
        "own_subnet": f"the task's subnet {subnet}" if subnet else "the task's subnet",
        "by_own_address": _by_address((own,) if own else ()),
        "vpc_endpoints": "VPC endpoint",
        "service": services[0],
        "each_service": (service_options(evidence, named[0]) if named else "SERVICE",),
        "services": ",".join(services),
        "s3_service": service_name("s3", plan.partition, evidence.task_region, interface=False),
        "endpoint_address_type": "ipv6" if around.subnet_cidr_ipv6 and not around.subnet_cidr else "dualstack",
        "s3_services": ",".join(
            dict.fromkeys(
                service_name("s3", plan.partition, evidence.task_region, interface=interface)
                for interface in (False, True)
            )
        ),
        **dict(zip(("api_abroad", "dkr_abroad", "s3_abroad"), abroad, strict=True)),
        "cluster": around.cluster or "CLUSTER",
        "task_service": around.service or "SERVICE",
        "task": (around.task_arn or "TASK_ID").rpartition("/")[2],
        "ranges": few(plan.vpc_cidrs) or "RANGES",
        "deadline": f"{plan.budget.deadline:g}",
    }


def _hosts(evidence: Evidence, steps: tuple[Step, ...], endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    answers = [step.names for step in steps if step.names]
    planned = [endpoint.host for endpoint in endpoints]
    hosts = planned or [names.name for names in answers] or [_other_host(evidence, steps)]
    asked = [names.server for names in answers if names.server and names.asker is not Asker.CONTROL]
    servers = asked or list(evidence.surroundings.resolvers)
    custom = [server for server in servers if not evidence.is_vpc_resolver(server)]
    mistaken = [endpoint for endpoint in endpoints if endpoint.mistaken]
    zones = list(dict.fromkeys(map(_zone_of, [endpoint.host for endpoint in mistaken] or hosts[:1])))
    addresses, inside = _addresses(steps), _inside(steps)
    own = evidence.surroundings.addresses[:1]
    classes = [host.address_class for endpoint in endpoints if (host := evidence.host(endpoint.name))]
    issuers = [step.certificate.issuer for step in steps if step.certificate and step.certificate.issuer]
    return {
        "endpoint": ("called" if endpoints[0].name == UNNAMED else endpoints[0].name) if endpoints else "task",
        "host": hosts[0],
        "hosts": listed(hosts),
        "domains": " ".join(dict.fromkeys(hosts)),
        "each_zone": tuple(zone for zone, _ in zones),
        "zones": listed(f"{zone} with a record for {record}" for zone, record in zones),
        "records": listed(dict.fromkeys(record for _, record in map(_zone_of, hosts))),
        "host_address": addresses[0] if addresses else "ADDRESS",
        "mistaken": listed(f"{endpoint.mistaken} in place of {endpoint.host}" for endpoint in mistaken)
        or "ecr.api in place of api.ecr",
        "server": servers[0] if servers else "RESOLVER",
        "servers": listed(servers) or "the resolver",
        "of_servers": f" ({listed(servers)})" if servers else "",  # an error text may name none
        "of_custom": f" ({listed(custom)})" if custom else "",
        "addresses": few(addresses) or "ADDRESSES",
        "address_list": tuple(addresses[:32]),
        "by_address": _by_address(inside or own),
        "by_dialed": _by_address(inside) if inside or not addresses else _by_public_address(addresses),
        "whose_interface": _FOUND_BY_ADDRESS if inside or not own else "It is the network interface of the task",
        **_families(evidence, addresses, custom),
        # Traffic to private addresses goes to endpoints already.
        "around_middlebox": "route the traffic around it"
        if any(map(is_inside, classes))
        else "create the endpoints so that no traffic passes it",
        "theirs": f", and those of {few(inside)}" if inside else "",
        "issuer": few(issuers) or "an unknown issuer",
        "no_proxy": ",".join((*_link_local(evidence), *(endpoint.host for endpoint in evidence.plan.endpoints))),
    }


def _link_local(evidence: Evidence) -> tuple[str, ...]:
    """The link-local services that a client asks. AWS[pod-identity-address]"""
    own = ("169.254.170.23",) if evidence.client is Client.KUBERNETES else ()
    return (*LINK_LOCAL_SERVICES, *own)


def _zone_of(host: str) -> tuple[str, str]:
    """The private zone for a host, and the record that it needs there.

    Only a registry's name is below its zone's. A wildcard does not cover the name of the zone itself.
    """
    zone = host.partition(".")[2] if host[:1].isdigit() else host
    return zone, host if zone == host else f"*.{zone}"


def _other_host(evidence: Evidence, steps: Iterable[Step]) -> str:
    """The registry of an image that is not in private ECR, else the host of ECR's layers."""
    if any(step.endpoint == ELSEWHERE for step in steps):
        host, slash, _ = (evidence.plan.image or "").partition("/")
        return host if slash and "." in host else "the registry of the image"
    return evidence.plan.layer_host


def _addresses(steps: Iterable[Step]) -> list[str]:
    """Addresses that the steps dialed, else those that lookups returned."""
    dialled = [seen.address for step in steps if (seen := step.connection or step.certificate) and seen.address]
    returned = [entry.address for step in steps if step.names for entry in step.names.addresses]
    return list(dict.fromkeys(dialled or returned))


def _inside(steps: Iterable[Step]) -> list[str]:
    """Dialed addresses that can be network interfaces of ours: AWS's public addresses are in no VPC."""
    dialled = [seen for step in steps if (seen := step.connection or step.certificate) and seen.address]
    return list(dict.fromkeys(seen.address for seen in dialled if seen.address_class is not AddressClass.PUBLIC))


_OWN_SUBNET = "the task's subnet"
_FOUND_BY_ADDRESS = (
    "Run the first one in the account that owns the endpoints. An empty answer there means that no network interface "
    "has the address"
)


def _by_address(addresses: Iterable[str]) -> str:
    """The filter of describe-network-interfaces that finds the interfaces with these addresses."""
    some = [embedded(address) for address in addresses][:8]
    ipv4 = [address for address in some if not is_ipv6(address)]
    if some and not ipv4:
        return f"Name=ipv6-addresses.ipv6-address,Values={','.join(some)}"
    return f"Name=addresses.private-ip-address,Values={','.join(ipv4) or 'ADDRESS'}"


def _by_public_address(addresses: Iterable[str]) -> str:
    ipv4 = [address for address in map(embedded, addresses) if not is_ipv6(address)][:8]
    return f"Name=association.public-ip,Values={','.join(ipv4) or 'ADDRESS'}"


def _families(evidence: Evidence, dialed: list[str], resolvers: list[str]) -> dict[str, Any]:
    """The options that differ for IPv4 and IPv6: by the addresses that were dialed, else by the task's own."""
    around = evidence.surroundings
    addresses = [embedded(address) for address in dialed or around.addresses]
    ipv4 = any(not is_ipv6(address) for address in addresses) or not addresses
    ipv6 = any(map(is_ipv6, addresses))
    ranges = Ranges(
        ipv4=(around.subnet_cidr or "SUBNET_CIDR") if ipv4 else None,
        ipv6=(around.subnet_cidr_ipv6 or "SUBNET_IPV6_CIDR") if ipv6 else None,
    )
    server = resolvers[0] if resolvers else "RESOLVER"
    to_server = Ranges(ipv6=f"{server}/128") if ":" in server else Ranges(ipv4=f"{server}/32")
    dns64 = [address for address in dialed if embedded(address) != address]
    # A NAT gateway carries IPv4 and DNS64's addresses: AWS[ipv6-egress].
    route = "--destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id EIGW_ID"
    if dns64:
        route = "--destination-ipv6-cidr-block 64:ff9b::/96 --nat-gateway-id NAT_ID"
    elif not ipv6:
        route = "--destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT_ID"
    only_ipv6 = ipv6 and not ipv4
    return {
        "from_subnet": ranges,
        "subnet": " and ".join(
            _OWN_SUBNET if cidr.startswith("SUBNET") else cidr for cidr in (ranges.ipv4, ranges.ipv6) if cidr
        ),
        "to_server": to_server,
        "to_endpoints": "Ipv6Ranges=[{CidrIpv6=ENDPOINT_IPV6_CIDR}]"
        if only_ipv6
        else "IpRanges=[{CidrIp=ENDPOINT_CIDR}]",
        "gateway_address_type": " --ip-address-type dualstack" if only_ipv6 else "",  # AWS[gateway-ip-address-type]
        "acl_range": "--ipv6-cidr-block CIDR" if only_ipv6 else "--cidr-block CIDR",
        "route_out": route,
    }


def _image(evidence: Evidence, steps: Iterable[Step]) -> dict[str, Any]:
    plan, reference = evidence.plan, evidence.plan.reference
    digests = [seen.digest for step in steps if (seen := step.layer or step.redirect) and seen.digest]
    registry = plan.endpoint("ecr.dkr")
    bucket = f"prod-{plan.region or 'REGION'}-starport-layer-bucket"
    return {
        "image": plan.image or "IMAGE",
        "repository": reference.repository if reference else "REPOSITORY",
        "image_id": _image_id(reference),
        "tag": (reference.tag if reference else None) or "TAG",
        "version": (reference.digest or reference.tag if reference else None) or "TAG",
        "registry": registry.host if registry else "REGISTRY",
        "platform": plan.platform or "OS/ARCH",
        "bucket": bucket,
        # In titles, which no reader fills in.
        "named_bucket": f"the bucket {bucket}" if plan.region else "ECR's layer bucket",
        "named_repository": f"the repository {reference.repository}" if reference else "the repository",
        "named_image": f"the image {reference.repository}" if reference else "the image",
        "digest": digests[0] if digests else "DIGEST",
    }


def _image_id(reference: ImageReference | None) -> str:
    """The image, as the ECR API names it."""
    if reference is not None and reference.digest:
        return f"imageDigest={reference.digest}"
    return f"imageTag={(reference.tag if reference else None) or 'TAG'}"


def _logs(evidence: Evidence, steps: Iterable[Step]) -> dict[str, Any]:
    request = next((step.log_request for step in steps if step.log_request), None)
    logs = evidence.plan.endpoint("logs")
    return {
        "group": (request.group if request else None) or evidence.plan.log_group or "LOG_GROUP",
        "stream": (request.stream if request else None) or evidence.plan.log_stream or "LOG_STREAM",
        "log_region": (logs.region if logs else evidence.task_region) or "REGION",
    }
