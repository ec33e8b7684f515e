"""Changes of names and endpoints that mend a refusing gate."""

from __future__ import annotations

import json
from ipaddress import ip_network
from shlex import quote

from probe.configuration.document import Configuration
from probe.configuration.operations import (
    ENDPOINTS,
    FIREWALL_DOMAINS,
    INTERFACES,
    RECORDS,
    RESOLVER_RULE_ASSOCIATIONS,
    VPC_ATTRIBUTE,
    ZONES_OF_VPC,
)
from probe.configuration.view import Item
from probe.gates.changes import Change, adding, removing, setting
from probe.model import Advice
from probe.records import Record

_CONFLICT = (
    "EC2 refuses this while a private zone of the same name is associated with the VPC; disassociate that zone first."
)


# AWS[last-vpc-of-zone]
_LAST_VPC = (
    " Route 53 keeps the last VPC of a zone: associate another VPC first, or move its other records and delete it."
)


class EnablePrivateDns(Change, frozen=True, kw_only=True):
    """Turn on private DNS of an endpoint, for all queries in the VPC."""

    def applied(self, configuration: Configuration) -> Configuration:
        return configuration.edited(ENDPOINTS, self.object, setting(PrivateDnsEnabled=True))

    def advice(self, region: str) -> Advice:
        return Advice(
            f"turn on private DNS of {self.object}",
            (f"aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id {self.object} --private-dns-enabled",),
            _CONFLICT,
        )


class SetEndpointAddressType(Change, frozen=True, kw_only=True):
    """Give an endpoint IPv6 addresses and records as well."""

    def applied(self, configuration: Configuration) -> Configuration:
        def edit(item: Item) -> Item:
            options = {**(item.get("DnsOptions") or {}), "DnsRecordIpType": "dualstack"}
            return {**item, "IpAddressType": "dualstack", "DnsOptions": options}

        return configuration.edited(ENDPOINTS, self.object, edit)

    def advice(self, region: str) -> Advice:
        return Advice(
            f"give {self.object} addresses of both families",
            (
                f"aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id {self.object} "
                "--ip-address-type dualstack --dns-options DnsRecordIpType=dualstack",
            ),
            "EC2 accepts dualstack only if all subnets of the endpoint have both address families.",
        )


class SetVpcAttribute(Change, frozen=True, kw_only=True):
    """Turn on a DNS attribute of a VPC: "enableDnsSupport" or "enableDnsHostnames"."""

    attribute: str

    def applied(self, configuration: Configuration) -> Configuration:
        member = f"{self.attribute[0].upper()}{self.attribute[1:]}"
        edit = setting(**{member: {"Value": True}})
        return configuration.with_reply(VPC_ATTRIBUTE, edit, Attribute=self.attribute, VpcId=self.object)

    def advice(self, region: str) -> Advice:
        option = {"enableDnsSupport": "--enable-dns-support", "enableDnsHostnames": "--enable-dns-hostnames"}
        return Advice(
            f"turn on {self.attribute} in {self.object}",
            (f"aws ec2 modify-vpc-attribute --region {region} --vpc-id {self.object} {option[self.attribute]}",),
        )


class NewInterface(Record, frozen=True):
    """An interface that a new endpoint would have: any free address of the subnet."""

    subnet: str
    zone: str | None
    address: str

    def item(self, number: int, vpc: str, groups: tuple[str, ...]) -> Item:
        return {
            "NetworkInterfaceId": f"eni-new{number}",
            "VpcId": vpc,
            "SubnetId": self.subnet,
            "AvailabilityZone": self.zone,
            "InterfaceType": "vpc_endpoint",
            "Status": "in-use",
            "Groups": [{"GroupId": group} for group in groups],
            "PrivateIpAddress": self.address,
            "PrivateIpAddresses": [{"PrivateIpAddress": self.address}],
        }


def free_address(subnet: Item) -> str | None:
    """An address of the subnet that EC2 does not reserve: the last one but one. Any other would do."""
    cidr = subnet.get("CidrBlock")
    return str(ip_network(cidr, strict=False)[-2]) if cidr else None


class CreateEndpoint(Change, frozen=True, kw_only=True):
    """Create the interface endpoint of a service with private DNS. `object` is the VPC."""

    service: str
    groups: tuple[str, ...]
    interfaces: tuple[NewInterface, ...]
    service_region: str | None = None  # where it is not the VPC's

    @property
    def identity(self) -> str:
        """Of the endpoint in memory."""
        return f"vpce-new-{self.service.rpartition('.')[2]}"

    def applied(self, configuration: Configuration) -> Configuration:
        interfaces = [each.item(number, self.object, self.groups) for number, each in enumerate(self.interfaces)]
        for item in interfaces:
            item["NetworkInterfaceId"] += f"-{self.service}"
        endpoint = {
            "VpcEndpointId": self.identity,
            "VpcEndpointType": "Interface",
            "VpcId": self.object,
            "ServiceName": self.service,
            "ServiceRegion": self.service_region,
            "State": "available",
            "PrivateDnsEnabled": True,
            "SubnetIds": [each.subnet for each in self.interfaces],
            "Groups": [{"GroupId": group} for group in self.groups],
            "NetworkInterfaceIds": [item["NetworkInterfaceId"] for item in interfaces],
        }
        filters = [{"Name": "vpc-id", "Values": [self.object]}]
        with_endpoint = configuration.with_reply(ENDPOINTS, adding("VpcEndpoints", endpoint), Filters=filters)
        return with_endpoint.with_items(INTERFACES, interfaces)

    def advice(self, region: str) -> Advice:
        subnets = " ".join(each.subnet for each in self.interfaces)
        abroad = f" --service-region {self.service_region}" if self.service_region else ""
        groups = " ".join(self.groups)
        return Advice(
            f"create the interface endpoint {self.service} in {self.object}",
            (
                f"aws ec2 create-vpc-endpoint --region {region} --vpc-id {self.object} --vpc-endpoint-type Interface "
                f"--service-name {self.service}{abroad} --subnet-ids {subnets} --security-group-ids {groups} "
                "--private-dns-enabled",
            ),
        )


class AwaitEndpoint(Change, frozen=True, kw_only=True):
    """Wait for an endpoint whose state AWS is about to change. It is created already. AWS[endpoint-states]"""

    accepted: bool = True  # by its service

    def applied(self, configuration: Configuration) -> Configuration:
        return configuration.edited(ENDPOINTS, self.object, setting(State="available"))

    def advice(self, region: str) -> Advice:
        until = "is available" if self.accepted else "is accepted by its service and available"
        note = "Do not create another endpoint: this one exists."
        return Advice(f"wait until {self.object} {until}", (read_state(region, self.object),), note)


class ReplaceEndpoint(Change, frozen=True, kw_only=True):
    """Delete an endpoint that cannot become available, and create it again in the same subnets. AWS[endpoint-states]"""

    vpc: str
    service: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    private_dns: bool
    service_region: str | None = None  # where it is not the VPC's
    deleting: bool = False  # its deletion is in progress

    def applied(self, configuration: Configuration) -> Configuration:
        return configuration.edited(ENDPOINTS, self.object, setting(State="available"))

    def advice(self, region: str) -> Advice:
        abroad = f" --service-region {self.service_region}" if self.service_region else ""
        groups = f" --security-group-ids {' '.join(self.groups)}" if self.groups else ""
        private = " --private-dns-enabled" if self.private_dns else ""
        delete = () if self.deleting else (delete_endpoint(region, self.object),)
        first = f"wait until {self.object} is deleted" if self.deleting else f"delete {self.object}"
        create = (
            f"aws ec2 create-vpc-endpoint --region {region} --vpc-id {self.vpc} --vpc-endpoint-type Interface "
            f"--service-name {self.service}{abroad} --subnet-ids {' '.join(self.subnets)}{groups}{private}"
        )
        return Advice(
            f"{first}, and create the endpoint {self.service} again",
            (*delete, await_deletion(region, self.object), create),
            f"The loop waits until {self.object} is deleted: until then its private DNS names conflict with those of "
            "the new endpoint.",
        )


def delete_endpoint(region: str, identity: str) -> str:
    """The command that deletes an endpoint."""
    return f"aws ec2 delete-vpc-endpoints --region {region} --vpc-endpoint-ids {identity}"


def await_deletion(region: str, identity: str) -> str:
    """The command that ends when an endpoint is deleted. It goes on where the state cannot be read."""
    # EC2 and its model spell the state differently, and list the endpoint as deleted for a while.
    return (
        f"until aws ec2 describe-vpc-endpoints --region {region} --filters Name=vpc-endpoint-id,Values={identity} "
        "--query \"length(VpcEndpoints[?State!='deleted'&&State!='Deleted'])\" --output text | grep -qx 0; "
        "do sleep 10; done"
    )


def read_state(region: str, identity: str) -> str:
    """The command that reads the state of an endpoint, and why it failed."""
    return (
        f"aws ec2 describe-vpc-endpoints --region {region} --vpc-endpoint-ids {identity} "
        '--query "VpcEndpoints[].[State,LastError.Message]"'
    )


class AddRecord(Change, frozen=True, kw_only=True):
    """Add alias records to a private zone. `object` is the zone, `target` and `target_zone` are the endpoint's.

    `replaced` are record sets of the name, as JSON, that Route 53 does not keep next to an alias: they are deleted.
    """

    name: str
    target: str
    target_zone: str
    types: tuple[str, ...] = ("A",)
    replaced: tuple[str, ...] = ()

    def _record(self, record_type: str) -> Item:
        alias = {"HostedZoneId": self.target_zone, "DNSName": self.target, "EvaluateTargetHealth": False}
        return {"Name": self.name, "Type": record_type, "AliasTarget": alias}

    def applied(self, configuration: Configuration) -> Configuration:
        records = [self._record(each) for each in self.types]
        return configuration.with_reply(
            RECORDS,
            lambda reply: {**reply, "ResourceRecordSets": [*_others(reply, self.name), *records]},
            HostedZoneId=self.object,
        )

    def advice(self, region: str) -> Advice:  # noqa: ARG002  Route 53 has no Region
        changes = [
            *({"Action": "DELETE", "ResourceRecordSet": json.loads(each)} for each in self.replaced),
            *({"Action": "UPSERT", "ResourceRecordSet": self._record(each)} for each in self.types),
        ]
        return Advice(f"point {self.name} in zone {self.object} to {self.target}", (_batch(self.object, changes),))


def _batch(zone: str, changes: list[Item]) -> str:
    batch = json.dumps({"Changes": changes}, separators=(",", ":"))
    return f"aws route53 change-resource-record-sets --hosted-zone-id {zone} --change-batch {quote(batch)}"


def _others(reply: Item, name: str) -> list[Item]:
    return [item for item in reply.get("ResourceRecordSets", ()) if item["Name"].rstrip(".") != name]


class AssociateZone(Change, frozen=True, kw_only=True):
    """Associate a private zone with a VPC. `object` is the zone."""

    vpc: str
    name: str

    def applied(self, configuration: Configuration) -> Configuration:
        zone = {"HostedZoneId": self.object, "Name": f"{self.name}.", "Owner": {"OwningAccount": configuration.account}}
        edit = adding("HostedZoneSummaries", zone)
        return configuration.with_reply(ZONES_OF_VPC, edit, VPCId=self.vpc, VPCRegion=configuration.region)

    def advice(self, region: str) -> Advice:
        return Advice(
            f"associate zone {self.object} ({self.name}) with {self.vpc}",
            (
                f"aws route53 associate-vpc-with-hosted-zone --hosted-zone-id {self.object} "
                f"--vpc VPCRegion={region},VPCId={self.vpc}",
            ),
        )


class DisassociateZone(Change, frozen=True, kw_only=True):
    """Take a private zone from a VPC. `object` is the zone. `is_last`: no other VPC has it."""

    vpc: str
    name: str
    is_last: bool = False

    def applied(self, configuration: Configuration) -> Configuration:
        return _without_zone(configuration, self.object, self.vpc)

    def advice(self, region: str) -> Advice:
        return Advice(
            f"disassociate zone {self.object} ({self.name}) from {self.vpc}",
            (
                f"aws route53 disassociate-vpc-from-hosted-zone --hosted-zone-id {self.object} "
                f"--vpc VPCRegion={region},VPCId={self.vpc}",
            ),
            f"All other names in {self.name} are then public in this VPC too.{_LAST_VPC if self.is_last else ''}",
        )


class DeleteZone(Change, frozen=True, kw_only=True):
    """Delete a private zone with its `records`, as JSON: its last VPC cannot be taken from it.

    `object` is the zone.
    """

    vpc: str
    name: str
    records: tuple[str, ...]

    def applied(self, configuration: Configuration) -> Configuration:
        return _without_zone(configuration, self.object, self.vpc)

    def advice(self, region: str) -> Advice:  # noqa: ARG002  Route 53 has no Region
        deletions = [{"Action": "DELETE", "ResourceRecordSet": json.loads(each)} for each in self.records]
        return Advice(
            f"delete zone {self.object} ({self.name}) with its records",
            (
                *([_batch(self.object, deletions)] if deletions else []),
                f"aws route53 delete-hosted-zone --id {self.object}",
            ),
            f"No other VPC uses the zone. All names in {self.name} are then public in this VPC.",
        )


def _without_zone(configuration: Configuration, zone: str, vpc: str) -> Configuration:
    edit = removing("HostedZoneSummaries", lambda item: item["HostedZoneId"] == zone)
    return configuration.with_reply(ZONES_OF_VPC, edit, VPCId=vpc, VPCRegion=configuration.region)


class AssociateRule(Change, frozen=True, kw_only=True):
    """Associate a Resolver rule with a VPC. `object` is the rule."""

    vpc: str
    domain: str

    def applied(self, configuration: Configuration) -> Configuration:
        association = {"Id": f"new-{self.object}", "ResolverRuleId": self.object, "VPCId": self.vpc}
        filters = [{"Name": "VPCId", "Values": [self.vpc]}]
        edit = adding("ResolverRuleAssociations", association)
        return configuration.with_reply(RESOLVER_RULE_ASSOCIATIONS, edit, Filters=filters)

    def advice(self, region: str) -> Advice:
        return Advice(
            f"associate Resolver rule {self.object} ({self.domain or '.'}) with {self.vpc}",
            (
                f"aws route53resolver associate-resolver-rule --region {region} --resolver-rule-id {self.object} "
                f"--vpc-id {self.vpc}",
            ),
        )


class DisassociateRule(Change, frozen=True, kw_only=True):
    """Take a Resolver rule from a VPC. `object` is the rule."""

    vpc: str

    def applied(self, configuration: Configuration) -> Configuration:
        edit = removing("ResolverRuleAssociations", lambda item: item.get("ResolverRuleId") == self.object)
        filters = [{"Name": "VPCId", "Values": [self.vpc]}]
        return configuration.with_reply(RESOLVER_RULE_ASSOCIATIONS, edit, Filters=filters)

    def advice(self, region: str) -> Advice:
        return Advice(
            f"disassociate Resolver rule {self.object} from {self.vpc}",
            (
                f"aws route53resolver disassociate-resolver-rule --region {region} --resolver-rule-id {self.object} "
                f"--vpc-id {self.vpc}",
            ),
        )


class EditDomainList(Change, frozen=True, kw_only=True):
    """Add a domain to a list of DNS Firewall, or remove one. `object` is the list."""

    domain: str
    add: bool

    def applied(self, configuration: Configuration) -> Configuration:
        def edit(reply: Item) -> Item:
            others = [domain for domain in reply.get("Domains", ()) if domain.rstrip(".").lower() != self.domain]
            return {**reply, "Domains": [*others, self.domain] if self.add else others}

        return configuration.with_reply(FIREWALL_DOMAINS, edit, FirewallDomainListId=self.object)

    def advice(self, region: str) -> Advice:
        verb, where = ("ADD", "to") if self.add else ("REMOVE", "from")
        return Advice(
            f"{verb.lower()} {self.domain} {where} domain list {self.object}",
            (
                f"aws route53resolver update-firewall-domains --region {region} "
                f"--firewall-domain-list-id {self.object} --operation {verb} --domains '{self.domain}'",
            ),
        )
