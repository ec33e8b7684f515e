"""Changes of network ACLs, routes, gateway endpoints and the public path, each the smallest that mends a gate."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Sequence

from probe.configuration.document import Configuration
from probe.configuration.operations import (
    BLOCK_PUBLIC_ACCESS_EXCLUSIONS,
    ENDPOINTS,
    INTERFACES,
    NETWORK_ACLS,
    NETWORK_FIREWALL_RULES,
    ROUTE_TABLES,
    TRANSIT_VPC_ATTACHMENTS,
)
from probe.configuration.view import Item
from probe.gates.changes import Change, adding, removing, setting
from probe.gates.dns_changes import await_deletion, delete_endpoint
from probe.model import Advice
from probe.records import replace

_LAST_NUMBER = 32766  # of an entry


class AddNetworkAclEntry(Change, frozen=True, kw_only=True):
    """Allow TCP to these ports, in one direction, in front of what denies it.

    `taken` are the numbers of the entries that exist, `before` that of the first one that denies.
    """

    number: int
    egress: bool
    ports: tuple[int, int]
    cidr: str
    taken: tuple[int, ...] = ()
    before: int | None = None

    def after(self, earlier: Sequence[Change]) -> Change:
        """With another number, if one of `earlier` has this one."""
        in_list = [
            other
            for other in earlier
            if isinstance(other, AddNetworkAclEntry) and (other.object, other.egress) == (self.object, self.egress)
        ]
        for other in in_list:
            if (other.ports, other.cidr) == (self.ports, self.cidr):
                return other
        added = [other.number for other in in_list]
        if self.number not in added:
            return self
        return replace(self, number=free_number((*self.taken, *added), self.before) or self.number)

    def applied(self, configuration: Configuration) -> Configuration:
        family = "Ipv6CidrBlock" if ":" in self.cidr else "CidrBlock"
        entry = {
            "RuleNumber": self.number,
            "Egress": self.egress,
            "Protocol": "6",
            "RuleAction": "allow",
            "PortRange": {"From": self.ports[0], "To": self.ports[1]},
            family: self.cidr,
        }
        return configuration.edited(NETWORK_ACLS, self.object, adding("Entries", entry))

    def advice(self, region: str) -> Advice:
        first, last = self.ports
        ports = f"{first}" if first == last else f"{first}-{last}"
        towards = "to" if self.egress else "from"
        family = "--ipv6-cidr-block" if ":" in self.cidr else "--cidr-block"
        return Advice(
            f"allow TCP {ports} {towards} {self.cidr} in network ACL {self.object}, as entry {self.number}",
            (
                f"aws ec2 create-network-acl-entry --region {region} --network-acl-id {self.object} "
                f"--rule-number {self.number} --protocol tcp --port-range From={first},To={last} "
                f"{family} {self.cidr} --rule-action allow {'--egress' if self.egress else '--ingress'}",
            ),
        )


def free_number(taken: Collection[int], before: int | None) -> int | None:
    """A number that no entry has: behind all of them, or the last one in front of `before`; None: none is left."""
    if before is None:
        after = max((number for number in taken if number <= _LAST_NUMBER), default=0)
        tens = (after // 10 + 1) * 10
        if tens <= _LAST_NUMBER:
            return tens
        before = _LAST_NUMBER + 1
    return next((number for number in range(before - 1, 0, -1) if number not in taken), None)


_ROUTE_OPTIONS = {
    "NatGatewayId": "--nat-gateway-id",
    "EgressOnlyInternetGatewayId": "--egress-only-internet-gateway-id",
    "VpcPeeringConnectionId": "--vpc-peering-connection-id",
    "TransitGatewayId": "--transit-gateway-id",
    "GatewayId": "--gateway-id",
}


class AddRoute(Change, frozen=True, kw_only=True):
    """Add a route to a route table. `member` is the API's name for the kind of target.

    `replaces`: the table has a route for this destination, which leads elsewhere.
    """

    destination: str
    target: str
    member: str
    replaces: bool = False

    def applied(self, configuration: Configuration) -> Configuration:
        key = "DestinationIpv6CidrBlock" if ":" in self.destination else "DestinationCidrBlock"
        route = {key: self.destination, self.member: self.target, "State": "active"}
        without = removing("Routes", lambda other: other.get(key) == self.destination)
        return _with_route(configuration.edited(ROUTE_TABLES, self.object, without), self.object, route)

    def advice(self, region: str) -> Advice:
        option = "--destination-ipv6-cidr-block" if ":" in self.destination else "--destination-cidr-block"
        verb, where = ("replace", "to lead") if self.replaces else ("create", "")
        text = f"{verb} the route for {self.destination} {where} to {self.target} in {self.object}"
        return Advice(
            " ".join(text.split()),
            (
                f"aws ec2 {verb}-route --region {region} --route-table-id {self.object} "
                f"{option} {self.destination} {_ROUTE_OPTIONS[self.member]} {self.target}",
            ),
        )


class AssociateRouteTable(Change, frozen=True, kw_only=True):
    """Associate a gateway endpoint with a route table, which puts its route there."""

    vpc: str
    table: str
    prefix_list: str

    def applied(self, configuration: Configuration) -> Configuration:
        associated = configuration.edited(ENDPOINTS, self.object, adding("RouteTableIds", self.table))
        return _with_route(associated, self.table, _gateway_route(self.prefix_list, self.object))

    def advice(self, region: str) -> Advice:
        return Advice(
            f"associate {self.object} with {self.table}",
            (
                f"aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id {self.object} "
                f"--add-route-table-ids {self.table}",
            ),
            CUTS_CONNECTIONS,
        )


class SetGatewayAddressType(Change, frozen=True, kw_only=True):
    """Let a gateway endpoint carry IPv6 too, which puts a route for it into its tables."""

    table: str
    prefix_list: str

    def applied(self, configuration: Configuration) -> Configuration:
        dualstack = configuration.edited(ENDPOINTS, self.object, setting(IpAddressType="dualstack"))
        return _with_route(dualstack, self.table, _gateway_route(self.prefix_list, self.object))

    def advice(self, region: str) -> Advice:
        return Advice(
            f"let {self.object} carry IPv6 as well",
            (
                f"aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id {self.object} "
                "--ip-address-type dualstack",
            ),
        )


# AWS[s3-gateway-cuts-connections]
CUTS_CONNECTIONS = "This interrupts the S3 connections that are open in the subnets of that route table."
NEW_GATEWAY = "vpce-new"  # an endpoint that a change would create


class CreateGatewayEndpoint(Change, frozen=True, kw_only=True):
    """Create a gateway endpoint with a route in one table. `object` is the VPC.

    `replaces` is one that does not work; with it, EC2 deletes its routes. `also` are its other tables, and `deleting`
    says that its deletion is in progress.
    """

    service: str
    table: str
    prefix_list: str
    ipv6: bool = False
    replaces: str | None = None
    also: tuple[str, ...] = ()
    deleting: bool = False

    def applied(self, configuration: Configuration) -> Configuration:
        gateway = {
            "VpcEndpointId": NEW_GATEWAY,
            "VpcEndpointType": "Gateway",
            "VpcId": self.object,
            "ServiceName": self.service,
            "State": "available",
            "RouteTableIds": [self.table, *self.also],
        }
        filters = [{"Name": "vpc-id", "Values": [self.object]}]
        if self.replaces is not None:
            deleted = removing("VpcEndpoints", lambda item: item.get("VpcEndpointId") == self.replaces)
            configuration = configuration.with_reply(ENDPOINTS, deleted, Filters=filters)
        configuration = configuration.with_reply(ENDPOINTS, adding("VpcEndpoints", gateway), Filters=filters)
        for table in (self.table, *self.also):
            if self.replaces is not None:
                without = removing("Routes", lambda route: route.get("GatewayId") == self.replaces)
                configuration = configuration.edited(ROUTE_TABLES, table, without)
            configuration = _with_route(configuration, table, _gateway_route(self.prefix_list, NEW_GATEWAY))
        return configuration

    def advice(self, region: str) -> Advice:
        family = " --ip-address-type dualstack" if self.ipv6 else ""
        before: list[str] = []
        first = ""
        if self.replaces:
            first = f"wait until {self.replaces} is deleted, and " if self.deleting else f"delete {self.replaces}, and "
            # Until it is deleted the table has a route to S3's prefix list, and EC2 refuses a second one.
            before = [await_deletion(region, self.replaces)]
            if not self.deleting:
                before.insert(0, delete_endpoint(region, self.replaces))
        tables = (self.table, *self.also)
        where = " and ".join(tables)
        return Advice(
            f"{first}create the gateway endpoint {self.service} in {self.object} with a route in {where}",
            (
                *before,
                f"aws ec2 create-vpc-endpoint --region {region} --vpc-id {self.object} --vpc-endpoint-type Gateway "
                f"--service-name {self.service} --route-table-ids {' '.join(tables)}{family}",
            ),
            CUTS_CONNECTIONS,
        )


def _gateway_route(prefix_list: str, gateway: str) -> Item:
    return {"DestinationPrefixListId": prefix_list, "GatewayId": gateway, "State": "active"}


def _with_route(configuration: Configuration, table: str, route: Item) -> Configuration:
    return configuration.edited(ROUTE_TABLES, table, adding("Routes", route))


class ExcludeFromBlock(Change, frozen=True, kw_only=True):
    """Exclude a subnet or a VPC from Block Public Access. `object` is its id."""

    mode: str = "allow-egress"

    def applied(self, configuration: Configuration) -> Configuration:
        exclusion = {
            "ExclusionId": "vpcbpa-exclude-new",
            "InternetGatewayExclusionMode": self.mode,
            "ResourceArn": self.object,
            "State": "create-complete",
        }
        edit = adding("VpcBlockPublicAccessExclusions", exclusion)
        return configuration.with_reply(BLOCK_PUBLIC_ACCESS_EXCLUSIONS, edit)

    def advice(self, region: str) -> Advice:
        option = "--subnet-id" if self.object.startswith("subnet-") else "--vpc-id"
        return Advice(
            f"exclude {self.object} from VPC Block Public Access",
            (
                f"aws ec2 create-vpc-block-public-access-exclusion --region {region} {option} {self.object} "
                f"--internet-gateway-exclusion-mode {self.mode}",
            ),
        )


class TurnOffSourceCheck(Change, frozen=True, kw_only=True):
    """Let a NAT instance's interface pass packets that are not for itself."""

    def applied(self, configuration: Configuration) -> Configuration:
        return configuration.edited(INTERFACES, self.object, setting(SourceDestCheck=False))

    def advice(self, region: str) -> Advice:
        return Advice(
            f"turn off the source and destination check of {self.object}",
            (
                f"aws ec2 modify-network-interface-attribute --region {region} "
                f"--network-interface-id {self.object} --no-source-dest-check",
            ),
        )


class AddAttachmentSubnet(Change, frozen=True, kw_only=True):
    """Let a transit gateway's attachment reach a further zone, in which this subnet is. `object` is the attachment."""

    subnet: str

    def applied(self, configuration: Configuration) -> Configuration:
        return configuration.edited(TRANSIT_VPC_ATTACHMENTS, self.object, adding("SubnetIds", self.subnet))

    def advice(self, region: str) -> Advice:
        return Advice(
            f"add {self.subnet} to the attachment {self.object}, or another subnet in its zone",
            (
                f"aws ec2 modify-transit-gateway-vpc-attachment --region {region} "
                f"--transit-gateway-attachment-id {self.object} --add-subnet-ids {self.subnet}",
            ),
        )


class ReplaceRuleGroup(Change, frozen=True, kw_only=True):
    """Replace a rule group of AWS Network Firewall. `object` is its ARN, `group` its new contents as JSON."""

    group: str
    text: str

    def applied(self, configuration: Configuration) -> Configuration:
        edit = setting(RuleGroup=json.loads(self.group))
        return configuration.with_reply(NETWORK_FIREWALL_RULES, edit, RuleGroupArn=self.object)

    def advice(self, region: str) -> Advice:
        which = f"--region {region} --rule-group-arn {self.object}"
        token = f'"$(aws network-firewall describe-rule-group {which} --query UpdateToken --output text)"'
        return Advice(
            f"{self.text} {self.object}",
            (
                f"aws network-firewall update-rule-group {which} --update-token {token} "
                f"--rule-group {shlex.quote(self.group)}",
            ),
        )
