"""What each VPC's resolver answers: private zones, private DNS of endpoints, DNS Firewall, and rules that forward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.lab.cloud import HOSTS, LAYERS, OTHER_REGION_NAMES, PUBLIC, RESOLVERS, S3_ADDRESSES
from tests.lab.configured.network import Item, Network, addresses

AMAZON = ("AmazonProvidedDNS", *RESOLVERS)
_PUBLIC = {HOSTS[name]: (address,) for name, address in PUBLIC.items()} | {LAYERS: S3_ADDRESSES}


@dataclass(frozen=True, slots=True)
class Answers:
    """The addresses of every name that the task looks up; none where the name does not exist. `forwarded` names are
    answered by another server, at its address.
    """

    addresses: Mapping[str, tuple[str, ...]]
    forwarded: Mapping[str, str]


class Resolvers:
    """The resolvers of an account's VPCs."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def servers(self) -> list[str]:
        """The name servers that the task's VPC hands out."""
        vpc = self._network.vpc(self._network.task["VpcId"])
        options = [item for item in self._network.items("DhcpOptions") if item["DhcpOptionsId"] == vpc["DhcpOptionsId"]]
        (servers,) = [
            [value["Value"] for value in entry["Values"]]
            for entry in options[0]["DhcpConfigurations"]
            if entry["Key"] == "domain-name-servers"
        ]
        return list(RESOLVERS) if servers == [AMAZON[0]] else servers

    def of(self, vpc: str) -> Answers | None:
        """What the resolver of a VPC answers; None: nothing at all."""
        item = self._network.vpc(vpc)
        if not item.get("_enableDnsSupport", True):
            return None
        zones = self._zones(vpc) if item.get("_enableDnsHostnames", True) else {}
        found: dict[str, tuple[str, ...]] = {}
        forwarded: dict[str, str] = {}
        for name, public in _PUBLIC.items():
            target = self._forwards(vpc, name, zones)
            if self._is_blocked(vpc, name):
                found[name] = ()
            elif target is not None:
                forwarded[name] = target
            else:
                found[name] = _answer(name, zones, public)
        return Answers(found | OTHER_REGION_NAMES, forwarded)

    def inbound(self) -> Iterator[tuple[str, str]]:
        """Each address of an inbound endpoint of Resolver, with its VPC."""
        for endpoint in self._network.items("ResolverEndpoints", "route53resolver"):
            for entry in self._network.items("IpAddresses", "route53resolver"):
                if endpoint["Direction"] == "INBOUND" and entry["_ResolverEndpointId"] == endpoint["Id"]:
                    yield entry["Ip"], endpoint["HostVPCId"]

    # ---- zones -----------------------------------------------------------------------------------

    def _zones(self, vpc: str) -> dict[str, dict[str, tuple[str, ...]]]:
        """The records of every private zone, those of endpoints with private DNS among them."""
        zones: dict[str, dict[str, tuple[str, ...]]] = {}
        for endpoint in self._network.items("VpcEndpoints"):
            if endpoint["VpcId"] == vpc and endpoint.get("PrivateDnsEnabled") and endpoint["State"] == "available":
                for entry in endpoint["DnsEntries"]:
                    if ".vpce." not in entry["DnsName"]:
                        zone = entry["DnsName"].removeprefix("*.")
                        zones.setdefault(zone, {})[entry["DnsName"]] = self._addresses(endpoint)
        for summary in self._network.items("HostedZoneSummaries", "route53"):
            if vpc not in summary["_VPCId"]:
                continue
            zone = zones.setdefault(summary["Name"].rstrip("."), {})
            zone.clear()
            for record in self._network.items("ResourceRecordSets", "route53"):
                if record["_HostedZoneId"] == summary["HostedZoneId"] and record["Type"] in ("A", "AAAA"):
                    name = record["Name"].rstrip(".").replace("\\052", "*")
                    zone[name] = zone.get(name, ()) + tuple(self._values(record))
        return zones

    def _addresses(self, endpoint: Item, versions: tuple[int, ...] = (4, 6)) -> tuple[str, ...]:
        own = [self._network.interfaces[identity] for identity in endpoint.get("NetworkInterfaceIds", ())]
        families = {"ipv4": (4,), "ipv6": (6,)}.get(endpoint.get("IpAddressType", "ipv4"), (4, 6))
        wanted = [version for version in versions if version in families]
        return tuple(text for version in wanted for interface in own for text in addresses(interface, version))

    def _values(self, record: Item) -> Iterator[str]:
        """The addresses of a record, or those of the endpoint to which it is an alias."""
        for value in record.get("ResourceRecords", ()):
            yield value["Value"]
        target = record.get("AliasTarget", {}).get("DNSName", "")
        for identity, endpoint in self._network.endpoints.items():
            if target.startswith(f"{identity}-"):
                yield from self._addresses(endpoint, (4,) if record["Type"] == "A" else (6,))

    # ---- Resolver rules and DNS Firewall ---------------------------------------------------------

    def _forwards(self, vpc: str, name: str, zones: Mapping[str, object]) -> str | None:
        """The first target of the rule that decides: the most specific one, which a more specific zone beats."""
        associated = [
            item["ResolverRuleId"]
            for item in self._network.items("ResolverRuleAssociations", "route53resolver")
            if item["VPCId"] == vpc
        ]
        rules = [rule for rule in self._network.items("ResolverRules", "route53resolver") if rule["Id"] in associated]
        matching = [rule for rule in rules if f".{name}".endswith(f".{_domain(rule)}")]
        best = max(matching, key=lambda rule: len(_domain(rule)), default=None)
        if best is None or best["RuleType"] != "FORWARD":
            return None
        nearest = max((zone for zone in zones if f".{name}".endswith(f".{zone}")), key=len, default="")
        return None if len(nearest) > len(_domain(best)) else str(best["TargetIps"][0]["Ip"])

    def _is_blocked(self, vpc: str, name: str) -> bool:
        """Whether DNS Firewall answers that the name does not exist. The first rule that matches decides."""
        groups = self._network.items("FirewallRuleGroupAssociations", "route53resolver")
        for group in sorted((each for each in groups if each["VpcId"] == vpc), key=lambda each: each["Priority"]):
            rules = [
                rule
                for rule in self._network.items("FirewallRules", "route53resolver")
                if rule["FirewallRuleGroupId"] == group["FirewallRuleGroupId"]
            ]
            for rule in sorted(rules, key=lambda each: each["Priority"]):
                listed = [
                    entry["_"].rstrip(".")
                    for entry in self._network.items("Domains", "route53resolver")
                    if entry["_FirewallDomainListId"] == rule["FirewallDomainListId"]
                ]
                if any(name == each or (each[0] == "*" and name.endswith(each[1:])) for each in listed):
                    assert rule["Action"] == "ALLOW" or rule["BlockResponse"] == "NXDOMAIN", "dnsmasq answers no other"
                    return bool(rule["Action"] == "BLOCK")
        return False


def _domain(rule: Item) -> str:
    return str(rule["DomainName"]).rstrip(".")


def _answer(name: str, zones: Mapping[str, Mapping[str, tuple[str, ...]]], public: tuple[str, ...]) -> tuple[str, ...]:
    """The answer of the most specific zone, by a record or a wildcard one label up; without a zone, the public one."""
    owning = [zone for zone in zones if f".{name}".endswith(f".{zone}")]
    if not owning:
        return public
    records = zones[max(owning, key=len)]
    return records.get(name) or records.get(f"*.{name.partition('.')[2]}") or ()
