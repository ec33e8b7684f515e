"""Subnets, and mostly endpoints, of both address families, and rules for IPv4 only."""

from __future__ import annotations

from tests.lab.cloud import ENIS_IPV6, HOSTS, TASK_IPV6, ZONES
from tests.lab.configurations.vpc import (
    DEFAULT_ACL,
    ENDPOINT_GROUP,
    ENDPOINTS,
    NOTHING,
    SUBNETS,
    TASK_GROUP,
    TASK_INTERFACE,
    TASK_SUBNET,
    Confirmed,
    Generated,
    Item,
    Mutate,
    acl_entry,
    confirms,
    healthy,
    interface_of,
    permission,
)

RANGE = "2600:1f18:4a3b:5600::/56"
# The interfaces of the endpoints have one range for each interface in the laboratory.
_SUBNETS = {TASK_SUBNET: ["2600:1f18:4a3b:5601::/64"]}


def _block(cidr: str) -> Item:
    return {"Ipv6CidrBlock": cidr, "Ipv6CidrBlockState": {"State": "associated"}}


def _dual_stack(made: Generated) -> Confirmed:
    """Everything has both families, and rules for both."""
    made.account = healthy()
    made.objects("Vpcs")[0]["Ipv6CidrBlockAssociationSet"] = [_block(RANGE)]
    ranges = {identity: list(cidrs) for identity, cidrs in _SUBNETS.items()}
    for (zone, name), address in ENIS_IPV6.items():
        ranges.setdefault(SUBNETS[zone], []).append(f"{address.removesuffix('10')}/64")
        made.object(interface_of(zone, name))["Ipv6Addresses"] = [{"Ipv6Address": address}]
    for identity, cidrs in ranges.items():
        made.object(identity)["Ipv6CidrBlockAssociationSet"] = [_block(cidr) for cidr in cidrs]
    made.object(TASK_INTERFACE)["Ipv6Addresses"] = [{"Ipv6Address": TASK_IPV6}]
    for table in made.objects("RouteTables"):
        table["Routes"].append({"DestinationIpv6CidrBlock": RANGE, "GatewayId": "local", "State": "active"})
    for endpoint in map(made.object, ENDPOINTS.values()):
        endpoint |= {"IpAddressType": "dualstack", "DnsOptions": {"DnsRecordIpType": "dualstack"}}
    made.object(DEFAULT_ACL)["Entries"] += [_ipv6_entry(egress) for egress in (True, False)]
    made.object(ENDPOINT_GROUP)["IpPermissions"].append(_ipv6_rule(RANGE))
    made.object(TASK_GROUP)["IpPermissionsEgress"].append(_ipv6_rule("::/0"))
    return NOTHING


def _ipv6_entry(egress: bool) -> Item:
    entry = acl_entry(101, egress, "-1", "")
    del entry["CidrBlock"]
    return {**entry, "Ipv6CidrBlock": "::/0"}


def _ipv6_rule(cidr: str) -> Item:
    return {**permission(), "Ipv6Ranges": [{"CidrIpv6": cidr}]}


def _group_of_ipv4(made: Generated) -> Confirmed:
    _dual_stack(made)
    made.object(ENDPOINT_GROUP)["IpPermissions"].pop()
    return confirms("tcp.security-group", ENDPOINT_GROUP)


def _group_reference(made: Generated) -> Confirmed:
    """A rule that names a group is for both families."""
    _dual_stack(made)
    made.object(ENDPOINT_GROUP)["IpPermissions"] = [permission(group=TASK_GROUP)]
    return NOTHING


def _egress_of_ipv4(made: Generated) -> Confirmed:
    _dual_stack(made)
    made.object(TASK_GROUP)["IpPermissionsEgress"].pop()
    return confirms("tcp.security-group", TASK_GROUP)


def _acl_of_ipv4(made: Generated) -> Confirmed:
    """The default ACL has no entry for the family, as that of a VPC that got IPv6 later has."""
    _dual_stack(made)
    acl = made.object(DEFAULT_ACL)
    acl["Entries"] = [entry for entry in acl["Entries"] if "CidrBlock" in entry]
    return confirms("tcp.nacl", DEFAULT_ACL)


def _acl_replies_of_ipv4(made: Generated) -> Confirmed:
    """Requests leave by both families, and replies arrive by one."""
    _dual_stack(made)
    acl = made.object(DEFAULT_ACL)
    acl["Entries"] = [entry for entry in acl["Entries"] if entry["Egress"] or "CidrBlock" in entry]
    return confirms("tcp.nacl", DEFAULT_ACL)


def _endpoints_of_ipv4(made: Generated) -> Confirmed:
    """The endpoints' names have no address of the family, so rules for it are not needed."""
    _dual_stack(made)
    for name in HOSTS:
        made.object(ENDPOINTS[name]).update(IpAddressType="ipv4", DnsOptions={"DnsRecordIpType": "ipv4"})
        for zone in ZONES:
            made.object(interface_of(zone, name))["Ipv6Addresses"] = []
    made.object(ENDPOINT_GROUP)["IpPermissions"].pop()
    return NOTHING


MUTATIONS: dict[str, Mutate] = {
    "dual-stack": _dual_stack,
    "dual-stack-group-reference": _group_reference,
    "dual-stack-group-of-ipv4": _group_of_ipv4,
    "dual-stack-egress-of-ipv4": _egress_of_ipv4,
    "dual-stack-acl-of-ipv4": _acl_of_ipv4,
    "dual-stack-acl-replies-of-ipv4": _acl_replies_of_ipv4,
    "dual-stack-endpoints-of-ipv4": _endpoints_of_ipv4,
}
