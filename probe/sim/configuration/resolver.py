"""What Route 53 describes: hosted zones, Resolver rules, DNS Firewall and Profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from probe.sim.configuration import identifiers as ids
from probe.sim.configuration.network import block_public_access, has_hub, hub_subnet, is_central
from probe.sim.dns import DnsHandler, Forward, Zone
from probe.sim.vpc import HUB_SERVER, VPC

Item = dict[str, Any]
Lists = dict[str, dict[str, list[Item]]]


def resolver_of(vpc: VPC) -> Lists:
    """The lists of objects of Route 53 and its Resolver."""
    zones = _Zones(vpc)
    resolver, profile = vpc.resolver, vpc.resolver.profile
    rules = list(_rules(vpc, {**profile.forwards, **resolver.forwards}))
    groups = [(ids.RULE_GROUP, _rules_of(resolver.blocked)), (ids.PROFILE_RULE_GROUP, profile.blocked)]
    resources = list(_profile_resources(vpc, zones, [rule["Id"] for rule in rules[: len(profile.forwards)]]))
    return {
        "route53": {
            "HostedZoneSummaries": list(zones.summaries()),
            "HostedZones": list(zones.listed()),
            "ResourceRecordSets": list(zones.records()),
        },
        "route53resolver": {
            "ResolverRules": rules,
            "ResolverRuleAssociations": [
                {
                    "Id": f"rslvr-rrassoc-0a00000{place}",
                    "ResolverRuleId": rule["Id"],
                    "VPCId": ids.VPC_ID,
                    "Status": "COMPLETE",
                }
                for place, rule in enumerate(rules)
                if place >= len(profile.forwards)
            ],
            "ResolverEndpoints": _inbound(vpc, _inbound_endpoint()),
            "IpAddresses": _inbound(
                vpc, {"IpId": "rni-0b000001", "SubnetId": hub_subnet(0), "Ip": HUB_SERVER, "Status": "ATTACHED"}
            ),
            "FirewallRuleGroupAssociations": [
                {
                    "Id": "rslvr-frgassoc-0a000001",
                    "FirewallRuleGroupId": ids.RULE_GROUP,
                    "VpcId": ids.VPC_ID,
                    "Priority": 101,
                    "Status": "COMPLETE",
                }
            ]
            if groups[0][1]
            else [],
            "FirewallRules": [rule for group, blocked in groups for rule in _firewall_rules(group, blocked)],
            "FirewallDomainLists": [
                {"Id": _list(group, place), "Name": f"list-{place}"}
                for group, blocked in groups
                for place in range(len(blocked))
            ],
            "Domains": [domain for group, blocked in groups for domain in _domains(group, blocked)],
        },
        "route53profiles": {
            "ProfileAssociations": [
                {"Id": "rpassoc-0a000001", "ProfileId": ids.PROFILE, "ResourceId": ids.VPC_ID, "Status": "COMPLETE"}
            ]
            if resources
            else [],
            "ProfileResourceAssociations": resources,
        },
    }


def replies_of(vpc: VPC) -> dict[str, Item]:
    """The replies that describe one object."""
    zones = _Zones(vpc)
    return {
        "ec2:DescribeVpcBlockPublicAccessOptions": block_public_access(vpc),
        "route53resolver:GetFirewallConfig": {"FirewallConfig": {"FirewallFailOpen": "DISABLED"}},
        **{
            f"route53:GetHostedZone {identity}": {
                "HostedZone": {"Id": f"/hostedzone/{identity}", "Name": f"{zone.name}."},
                "VPCs": [{"VPCRegion": vpc.region, "VPCId": each} for each in vpcs],
            }
            for identity, zone, vpcs in zones.all
        },
    }


def _inbound_endpoint() -> Item:
    return {"Id": "rslvr-in-0b000001", "Direction": "INBOUND", "HostVPCId": ids.HUB_ID, "Status": "OPERATIONAL"}


def _inbound(vpc: VPC, item: Item) -> list[Item]:
    """Of the inbound endpoint in the hub."""
    return [item] if has_hub(vpc) else []


# ---- hosted zones ----------------------------------------------------------------------------------------------------


class _Zones:
    """Every private zone with its id and its VPCs. The hub has the zones of its endpoints, which it can share."""

    def __init__(self, vpc: VPC) -> None:
        self._vpc = vpc
        central = [endpoint for endpoint in vpc.endpoints.values() if is_central(vpc, endpoint)]
        profile = {zone.name for zone in vpc.resolver.profile.zones}
        shared = {zone.name for zone in vpc.zones}
        # Private DNS of an endpoint in another VPC answers here only by zones of the same names.
        shared |= {zone.name for endpoint in central if endpoint.private_dns for zone in endpoint.zones()}
        of_hub = [zone for endpoint in central for zone in endpoint.zones()]
        names = {zone.name for zone in of_hub}
        own = [zone for zone in vpc.zones if zone.name not in names]
        self.all: list[tuple[str, Zone, list[str]]] = [
            *((ids.ZONE.format(number), zone, [ids.VPC_ID]) for number, zone in enumerate(own, 1)),
            *(
                (
                    ids.HUB_ZONE.format(number),
                    zone,
                    [ids.HUB_ID, ids.SPOKE_ID, *([ids.VPC_ID] if zone.name in shared else [])],
                )
                for number, zone in enumerate(of_hub, 1)
            ),
        ]
        self.of_profile = [identity for identity, zone, _ in self.all if zone.name in profile]

    def summaries(self) -> Iterator[Item]:
        for identity, zone, vpcs in self.all:
            owner = {"OwningAccount": self._vpc.task.account}
            yield {"HostedZoneId": identity, "Name": f"{zone.name}.", "Owner": owner, "_VPCId": vpcs}

    def listed(self) -> Iterator[Item]:
        for identity, zone, _ in self.all:
            yield {"Id": f"/hostedzone/{identity}", "Name": f"{zone.name}."}

    def records(self) -> Iterator[Item]:
        for identity, zone, _ in self.all:
            for name, addresses in zone.records.items():
                for record in self._records(addresses):
                    yield {"Name": f"{name}.", **record, "_HostedZoneId": identity}

    def _records(self, addresses: tuple[str, ...]) -> Iterator[Item]:
        """An alias where a record has the addresses of an endpoint, as people write it."""
        for endpoint in self._vpc.endpoints.values():
            if set(addresses) == set(endpoint.all_addresses):
                alias = {
                    "HostedZoneId": "Z7HUB22UULQXV",
                    "DNSName": f"{endpoint.vpce_name}.",
                    "EvaluateTargetHealth": False,
                }
                for kind, own in (("A", endpoint.addresses), ("AAAA", endpoint.addresses_ipv6)):
                    if own:
                        yield {"Type": kind, "AliasTarget": alias}
                return
        for kind, colon in (("A", False), ("AAAA", True)):
            values = [{"Value": address} for address in addresses if (":" in address) is colon]
            if values:
                yield {"Type": kind, "TTL": 60, "ResourceRecords": values}


# ---- rules -----------------------------------------------------------------------------------------------------------


def _rules(vpc: VPC, forwards: Mapping[str, Forward]) -> Iterator[Item]:
    for number, (domain, forward) in enumerate(forwards.items(), 1):
        yield {
            "Id": ids.RULE.format(number),
            "DomainName": f"{domain}.",
            "RuleType": "FORWARD",
            "Status": "COMPLETE",
            "TargetIps": [{"Ip": forward.target, "Port": 53}],
            "ResolverEndpointId": "rslvr-out-0a000001",
            "OwnerId": vpc.task.account,
        }


def _rules_of(blocked: Mapping[str, DnsHandler]) -> dict[str, DnsHandler]:
    """Without what no rule of DNS Firewall does, which is to answer with addresses. AWS[dns-firewall-responses]"""
    return {
        domain: response
        for domain, response in blocked.items()
        if (answer := response(domain, "A")).chain or not answer.addresses
    }


def _firewall_rules(group: str, blocked: Mapping[str, DnsHandler]) -> Iterator[Item]:
    for place, (domain, response) in enumerate(blocked.items()):
        yield {
            "FirewallRuleGroupId": group,
            "FirewallDomainListId": _list(group, place),
            "Priority": 100 + place,
            "Action": "BLOCK",
            "FirewallDomainRedirectionAction": "INSPECT_REDIRECTION_DOMAIN",
            "Status": "COMPLETE",
            **_response(response, domain),
        }


def _response(response: DnsHandler, domain: str) -> Item:
    answer = response(domain, "A")
    if answer.chain:
        override = {"BlockOverrideDomain": answer.chain[-1], "BlockOverrideDnsType": "CNAME", "BlockOverrideTtl": 60}
        return {"BlockResponse": "OVERRIDE", **override}
    return {"BlockResponse": "NXDOMAIN" if answer.rcode == "NXDOMAIN" else "NODATA"}


def _list(group: str, place: int) -> str:
    return f"rslvr-fdl-{group[-2:]}00000{place}"


def _domains(group: str, blocked: Mapping[str, DnsHandler]) -> Iterator[Item]:
    """A rule of the simulator covers a domain and all below it."""
    for place, domain in enumerate(blocked):
        for entry in (domain, f"*.{domain}"):
            yield {"_": f"{entry}.", "_FirewallDomainListId": _list(group, place)}


def _profile_resources(vpc: VPC, zones: _Zones, rules: list[str]) -> Iterator[Item]:
    kinds = [
        *(("route53", f"hostedzone/{identity}", "PRIVATE_HOSTED_ZONE", "") for identity in zones.of_profile),
        *(("route53resolver", f"resolver-rule/{rule}", "RESOLVER_RULE", "") for rule in rules),
    ]
    if vpc.resolver.profile.blocked:
        group = f"firewall-rule-group/{ids.PROFILE_RULE_GROUP}"
        kinds.append(("route53resolver", group, "FIREWALL_RULE_GROUP", '{"priority": 102}'))
    for number, (service, name, kind, properties) in enumerate(kinds):
        region, account = ("", "") if service == "route53" else (vpc.region, vpc.task.account)
        yield {
            "Id": f"rpr-0a00000{number}",
            "ProfileId": ids.PROFILE,
            "ResourceArn": f"arn:{vpc.task.partition}:{service}:{region}:{account}:{name}",
            "ResourceType": kind,
            "ResourceProperties": properties,
            "OwnerId": vpc.task.account,
            "Status": "COMPLETE",
        }
