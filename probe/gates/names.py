"""What a name resolves to inside the VPC, and which gate made it so.

In the order in which the VPC's resolver decides: DHCP options, the VPC's DNS attributes, DNS Firewall, resolver rules
(a rule beats a zone of the same name), hosted zones and an endpoint's private DNS, and then the public answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from typing import Any, TypeVar

from probe.addresses import AMAZON_PROVIDED_DNS
from probe.configuration.operations import DHCP_OPTIONS, ENDPOINTS, SUBNETS, VPC_ATTRIBUTE, VPCS
from probe.configuration.view import MissingError, View
from probe.endpoints import AWS_DOMAINS
from probe.gates import dns_firewall, hosted_zones, resolver_rules, vpc_endpoints
from probe.gates.changes import Change
from probe.gates.dns_changes import (
    AddRecord,
    AssociateZone,
    CreateEndpoint,
    DisassociateRule,
    EnablePrivateDns,
    NewInterface,
    SetEndpointAddressType,
    SetVpcAttribute,
    free_address,
)
from probe.gates.dns_names import is_within, labels
from probe.gates.flow import Origin
from probe.gates.hosted_zones import Zone
from probe.gates.lookup import Lookup, lookup_of
from probe.gates.opinion import Opinion, allows, depends, refuses, unknown
from probe.gates.resolver_rules import Rule
from probe.gates.vpc_endpoints import Item, PrivateName, Resolved
from probe.model import Endpoint, Failure, GateAnswer, GateName
from probe.records import Record, replace

T = TypeVar("T")

_AMAZON = ("amazonprovideddns", *AMAZON_PROVIDED_DNS)
_NO_OPTIONS = "default"  # a VPC without a set of DHCP options
_ATTRIBUTES = ("enableDnsSupport", "enableDnsHostnames")
_MOST_HOPS = 5  # of a chain of CNAMEs inside private zones
# The cause that an endpoint is missing; of any other endpoint, `_OTHER_MISSING`.
_MISSING = {
    "ecr.api": "endpoint.missing.ecr-api",
    "ecr.dkr": "endpoint.missing.ecr-dkr",
    "secretsmanager": "endpoint.missing.secretsmanager",
    "ssm": "endpoint.missing.ssm",
    "s3": "endpoint.missing.s3",
    "logs": "logs.endpoint-missing",
    "ecs": "ecs.control-plane-endpoints-missing",
    "ecs-agent": "ecs.control-plane-endpoints-missing",
    "ecs-telemetry": "ecs.control-plane-endpoints-missing",
}
_OTHER_MISSING = "endpoint.missing.other"
_OF_PULL = ("ecr.api", "ecr.dkr", "s3")


class Resolution(Record, frozen=True, kw_only=True):
    """The answer that a lookup would get: addresses, `public` ones that are not known one by one, or a failure.

    `target` is the host of a CNAME that is not AWS's, at addresses that are not known. None of the four: the answer
    cannot be known. `served_by` is the VPC endpoint that the name leads to.
    """

    opinions: tuple[Opinion, ...]
    addresses: tuple[Resolved, ...] = ()
    public: bool = False
    failure: Failure | None = None
    served_by: str | None = None
    target: str | None = None
    of_service: str | None = None  # of the endpoint that answers, if it is another service's

    @property
    def is_private(self) -> bool:
        return bool(self.addresses) and not any(opinion.refuses for opinion in self.opinions)


def resolve(view: View, origin: Origin, endpoint: Endpoint, partition: str) -> Resolution:
    """What `endpoint`'s name resolves to where `origin` is. What could not be read is an UNKNOWN gate."""
    return _Resolver(view, origin).resolve(lookup_of(origin, endpoint, partition))


def missing_cause(endpoint: str) -> str:
    """The cause that the interface endpoint does not exist."""
    return _MISSING.get(endpoint, _OTHER_MISSING)


class Sources(Record, frozen=True):
    """What could answer for a name in a VPC. `doubts` are gates with sources that could not be read."""

    rule: Rule | None
    zone: Zone | None
    private: PrivateName | None
    endpoints: tuple[Item, ...]
    doubts: dict[GateName, Opinion]

    @property
    def forwards(self) -> bool:
        """Whether the rule decides: it forwards, and no zone is more specific. AWS[resolver-rule-precedence]"""
        return self.rule is not None and self.rule.forwards and labels(self.rule.domain) >= self._specificity

    @property
    def zone_answers(self) -> bool:
        """Whether the own zone decides among the zones, the hidden ones of private DNS included."""
        return self.zone is not None and (self.private is None or labels(self.zone.name) >= _depth(self.private))

    @property
    def _specificity(self) -> int:
        depths = [labels(self.zone.name)] if self.zone else []
        return max([*depths, _depth(self.private) if self.private else -1], default=-1)


def _depth(name: PrivateName) -> int:
    """How specific the hidden zone is: that of "*.dkr.ecr.us-east-1.amazonaws.com" is named without the asterisk."""
    return labels(name.domain.removeprefix("*."))


class _Resolver:
    """Lookups from one origin."""

    def __init__(self, view: View, origin: Origin) -> None:
        self._view = view
        self._origin = origin

    def resolve(self, lookup: Lookup) -> Resolution:
        direct = vpc_endpoints.vpce_of(lookup.name)
        if direct is not None:
            return self._endpoint_answer(lookup, *direct, before=())
        servers, hub = self._dhcp(lookup)
        if hub is not None:
            return _after((servers,), self.in_vpc(hub))
        found = self.in_vpc(lookup)
        if servers.allows:
            return _after((servers,), found)
        # The custom servers may forward to this VPC's resolver or to another one, so no refusal here is certain.
        found = _softened(found, lambda _: True)
        public = found.public and lookup.public_by_design
        return _after((servers,), replace(found, public=public))

    def in_vpc(self, lookup: Lookup) -> Resolution:
        """What the resolver of the lookup's VPC answers."""
        sources = self._sources(lookup)
        attributes, hostnames = self._attributes(lookup, sources)
        if attributes.refuses and not hostnames:
            return Resolution(opinions=(attributes,), failure=Failure.NO_ANSWER)
        if attributes.refuses and not sources.forwards:
            found = Resolution(opinions=(attributes,), public=True)
            return _softened(found, lambda _: bool(sources.doubts))
        answer, chain = self._answer(lookup, sources)
        firewall = self._firewall(lookup, chain)
        if isinstance(firewall, dns_firewall.Block):
            blocked = Resolution(
                opinions=(attributes, firewall.opinion), failure=firewall.failure, target=firewall.target
            )
            # Whether a firewall's rules see what comes through an inbound endpoint is not documented.
            return _softened(blocked, lambda _: lookup.inbound)
        return _after((attributes, firewall), answer)

    # ---- DHCP options, VPC attributes -------------------------------------------------------------------------------

    def _dhcp(self, lookup: Lookup) -> tuple[Opinion, Lookup | None]:
        """Which servers the VPC hands out, and the lookup at an inbound endpoint if the first one is that."""
        gate = GateName.DHCP_OPTIONS
        try:
            vpc = self._view.item(VPCS, lookup.vpc) or {}
            identity = vpc.get("DhcpOptionsId")
            if identity in (None, _NO_OPTIONS):
                return depends(gate, f"{lookup.vpc} has no DHCP options: its resolver depends on the host"), None
            options = self._view.item(DHCP_OPTIONS, identity)
        except MissingError as error:
            return unknown(gate, error, lookup.vpc), None
        servers = _servers(options or {})
        if not servers:
            return depends(gate, f"{identity} hands out no server: the resolver depends on the host", identity), None
        first = servers[0]
        if first.lower() in (*_AMAZON, _base_plus_two(vpc)):
            return allows(gate, f"{identity} hands out {first}, the VPC's own resolver", identity, first), None
        element = f"domain-name-servers {', '.join(servers)}"
        hub = self._inbound(servers, lookup)
        if hub is not None:
            sentence = f"{identity} hands out {first}, an inbound endpoint of Resolver in {hub.vpc}"
            return allows(gate, sentence, identity, element), hub
        sentence = f"{identity} hands out {', '.join(servers)}: what these servers answer cannot be read"
        return replace(depends(gate, sentence, identity, element), cause="dns.custom-resolver"), None

    def _inbound(self, servers: Sequence[str], lookup: Lookup) -> Lookup | None:
        """The lookup in the VPC of the inbound endpoint that has the first address, unless it was there already."""
        try:
            inbound = resolver_rules.inbound_at(self._view, servers)
        except MissingError:
            return None
        if inbound is None or (inbound.vpc in lookup.visited and lookup.inbound):
            return None
        return replace(lookup, vpc=inbound.vpc, inbound=True, visited=(*lookup.visited, inbound.vpc))

    def _attributes(self, lookup: Lookup, sources: Sources) -> tuple[Opinion, bool]:
        """Whether the VPC's DNS attributes let names resolve privately; False as well: nothing resolves at all."""
        gate = GateName.VPC_DNS_ATTRIBUTES
        values: dict[str, bool] = {}
        missing: MissingError | None = None
        for attribute in _ATTRIBUTES:
            try:
                reply = self._view.reply(VPC_ATTRIBUTE, Attribute=attribute, VpcId=lookup.vpc)
                member = reply.get(f"{attribute[0].upper()}{attribute[1:]}", {})
                values[attribute] = bool(member.get("Value"))
            except MissingError as error:
                missing = error
        off = [attribute for attribute, value in values.items() if not value]
        matters = "enableDnsSupport" in off or (sources.zone or sources.private) is not None
        if off and matters:
            support = "enableDnsSupport" not in off
            effect = "private names do not resolve" if support else "its resolver answers nothing"
            opinion = refuses(
                gate,
                f"{off[0]} is off in {lookup.vpc}, so {effect}",
                cause="dns.vpc-attributes-off",
                identity=lookup.vpc,
                element=off[0],
                change=SetVpcAttribute(object=lookup.vpc, attribute=off[0]),
            )
            return opinion, support
        if missing is not None:
            return unknown(gate, missing, lookup.vpc), True
        if off:
            return allows(gate, f"{off[0]} is off in {lookup.vpc}, where no private name is needed", lookup.vpc), True
        return allows(gate, f"DNS support and DNS hostnames are on in {lookup.vpc}", lookup.vpc), True

    # ---- what answers -----------------------------------------------------------------------------------------------

    def _sources(self, lookup: Lookup) -> Sources:
        doubts: dict[GateName, Opinion] = {}

        def read(gate: GateName, reader: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
            try:
                return reader()
            except MissingError as error:
                doubts.setdefault(gate, unknown(gate, error, lookup.vpc))
                return ()

        view, vpc = self._view, lookup.vpc
        rules = (
            *read(GateName.RESOLVER_RULE, lambda: resolver_rules.own_rules(view, vpc)),
            *read(GateName.RESOLVER_RULE, lambda: resolver_rules.profile_rules(view, vpc)),
        )
        zones = (
            *read(GateName.HOSTED_ZONE, lambda: hosted_zones.own_zones(view, vpc)),
            *read(GateName.HOSTED_ZONE, lambda: hosted_zones.profile_zones(view, vpc)),
        )
        endpoints = (
            *read(GateName.ENDPOINT, lambda: vpc_endpoints.in_vpc(view, vpc)),
            *read(GateName.HOSTED_ZONE, lambda: vpc_endpoints.of_profiles(view, vpc)),
        )
        private = [name for item in endpoints for name in vpc_endpoints.private_names(item, lookup)]
        return Sources(
            resolver_rules.deciding_rule(rules, lookup.name),
            hosted_zones.owning_zone([zone for zone in zones if not _is_hidden(zone)], lookup.name),
            max(private, key=_depth, default=None),
            endpoints,
            doubts,
        )

    def _answer(self, lookup: Lookup, sources: Sources) -> tuple[Resolution, tuple[str, ...]]:
        """The answer without DNS Firewall, and the names that it leads to."""
        rule = sources.rule
        if rule is not None and sources.forwards:
            return self._forwarded(lookup, rule, sources), (lookup.name,)
        return self._unforwarded(lookup, sources)

    def _unforwarded(self, lookup: Lookup, sources: Sources) -> tuple[Resolution, tuple[str, ...]]:
        before = (sources.doubts.get(GateName.RESOLVER_RULE) or _rule_allows(lookup, sources.rule),)
        zone = sources.zone
        chain: tuple[str, ...] = (lookup.name,)
        if zone is not None and sources.zone_answers:
            found, chain = self._zone_answer(lookup, zone, sources)
        elif sources.private is not None:
            found = self._private_answer(lookup, sources.private, sources)
        else:
            found, chain = self._public_answer(lookup, sources), (lookup.name, *_public_chain(lookup))
        doubted = _softened(found, lambda _: bool({GateName.RESOLVER_RULE, GateName.HOSTED_ZONE} & set(sources.doubts)))
        return _after(before, doubted), chain

    def _firewall(self, lookup: Lookup, chain: Sequence[str]) -> Opinion | dns_firewall.Block:
        try:
            return dns_firewall.judge(self._view, lookup, chain)
        except MissingError as error:
            return unknown(GateName.RESOLVER_FIREWALL, error, lookup.vpc)

    # ---- Resolver rules ---------------------------------------------------------------------------------------------

    def _forwarded(self, lookup: Lookup, rule: Rule, sources: Sources) -> Resolution:
        """What the rule's targets answer: followed into the VPC of an inbound endpoint, else not known."""
        gate = GateName.RESOLVER_RULE
        domain = rule.domain or "."
        where = f"{rule.identity} forwards {domain} to {', '.join(rule.targets) or 'no target'}"
        hub = self._inbound(rule.targets, lookup) if rule.settled else None
        if hub is None:
            state = "" if rule.settled else ", and is not in force or has failed"
            sentence = f"{where}{state}: what answers there cannot be read"
            return Resolution(
                opinions=(replace(depends(gate, sentence, rule.identity, domain), cause="dns.resolver-rule"),)
            )
        followed = self.in_vpc(hub)
        if not followed.is_private and not lookup.public_by_design:
            without, _ = self._unforwarded(lookup, replace(sources, rule=None))
            if without.is_private:
                refusal = refuses(
                    gate,
                    f"{where} in {hub.vpc}, where {lookup.name} does not resolve to an endpoint; without the rule, it "
                    f"does in {lookup.vpc}",
                    cause="dns.resolver-rule",
                    identity=rule.identity,
                    element=domain,
                    change=DisassociateRule(object=rule.identity, vpc=lookup.vpc) if rule.direct else None,
                )
                return replace(followed, opinions=(refusal,))
        passes = allows(gate, f"{where}, an inbound endpoint of Resolver in {hub.vpc}", rule.identity, domain)
        return _after((passes,), followed)

    # ---- private hosted zones ---------------------------------------------------------------------------------------

    def _zone_answer(self, lookup: Lookup, zone: Zone, sources: Sources) -> tuple[Resolution, tuple[str, ...]]:
        gate = GateName.HOSTED_ZONE
        account = self._view.configuration.account
        if zone.owner and account and zone.owner != account:
            opinion = Opinion(
                gate=gate,
                answer=GateAnswer.UNKNOWN,
                sentence=f"zone {zone.identity} ({zone.name}) belongs to {zone.owner}; only its owner can read its "
                "records",
                object=zone.identity,
                missing=f"route53:ListResourceRecordSets in {zone.owner}",
            )
            return Resolution(opinions=(opinion,)), (lookup.name,)
        try:
            answer = hosted_zones.answer(self._view, zone, lookup.name, lookup.records)
        except MissingError as error:
            return Resolution(opinions=(unknown(gate, error, zone.identity),)), (lookup.name,)
        if answer is None or not (answer.addresses or answer.targets):
            return self._no_record(lookup, zone, sources, exists=answer is not None), (lookup.name,)
        return self._records(lookup, zone, answer, sources)

    def _no_record(self, lookup: Lookup, zone: Zone, sources: Sources, *, exists: bool) -> Resolution:
        """The zone owns the name and does not answer: missing in the right zone, a conflict where another would."""
        right = sources.private is not None
        other = f"; private DNS of {sources.private.endpoint['VpcEndpointId']} would answer" if sources.private else ""
        what = "no address" if exists else "no record"
        refusal = refuses(
            GateName.HOSTED_ZONE,
            f"zone {zone.identity} ({zone.name}) owns {lookup.name} in {lookup.vpc} and has {what} for it{other}",
            cause="dns.hosted-zone-conflict" if right else "dns.hosted-zone-missing-record",
            identity=zone.identity,
            element=lookup.name,
            change=self._record_change(lookup, zone, sources),
        )
        failure = Failure.NO_ADDRESS if exists else Failure.NXDOMAIN
        return Resolution(opinions=(refusal,), failure=failure)

    def _record_change(self, lookup: Lookup, zone: Zone, sources: Sources) -> AddRecord | None:
        """A record to the endpoint of the service in this VPC, else to the one that the zone's other records name."""
        own = vpc_endpoints.of_service(sources.endpoints, lookup)
        entry = _regional_entry(own[0]) if own and vpc_endpoints.carries(own[0]) else None
        if entry is None:
            return None
        wildcard = lookup.endpoint == "ecr.dkr" and lookup.name != zone.name
        parent = lookup.name.partition(".")[2]
        name = f"*.{parent}" if wildcard and is_within(parent, zone.name) else lookup.name
        return AddRecord(object=zone.identity, name=name, target=entry[0], target_zone=entry[1], types=lookup.records)

    def _records(
        self, lookup: Lookup, zone: Zone, answer: hosted_zones.Answer, sources: Sources
    ) -> tuple[Resolution, tuple[str, ...]]:
        gate = GateName.HOSTED_ZONE
        passes = allows(
            gate, f"zone {zone.identity} answers for {lookup.name} in {lookup.vpc}", zone.identity, answer.record
        )
        for target in answer.targets:
            endpoint = vpc_endpoints.vpce_of(target)
            if endpoint is not None:
                found = self._endpoint_answer(lookup, *endpoint, before=(passes,), zone=zone)
                return found, (lookup.name, target)
            if len(lookup.visited) < _MOST_HOPS and target != lookup.name:
                hop = replace(lookup, name=target, visited=(*lookup.visited, target))
                further = self._sources(hop)
                if further.zone is not None and further.zone_answers:
                    found, chain = self._zone_answer(hop, further.zone, further)
                    return _after((passes,), found), (lookup.name, *chain)
            return self._leads_elsewhere(lookup, zone, answer.record, target, passes), (lookup.name, target)
        try:
            addresses = vpc_endpoints.interfaces_at(self._view, answer.addresses, lookup.vpc)
        except MissingError:
            # The gate `endpoint-interface` answers whether an interface has the addresses.
            addresses = tuple(Resolved(address) for address in answer.addresses)
        interfaces = {resolved.interface for resolved in addresses}
        serving = next(
            (item for item in sources.endpoints if interfaces & set(item.get("NetworkInterfaceIds", ()))), None
        )
        found = Resolution(opinions=(passes,), addresses=addresses)
        if serving is not None:
            found = self._served(lookup, serving, found, zone)
        return found, (lookup.name,)

    def _leads_elsewhere(self, lookup: Lookup, zone: Zone, record: str, target: str, passes: Opinion) -> Resolution:
        if any(is_within(target, domain) for domain in AWS_DOMAINS):
            if lookup.public_by_design:
                return Resolution(opinions=(passes,), public=True)
            sentence = f"{record} in zone {zone.identity} leads to {target}, which is public"
            return Resolution(opinions=(_conflict(zone, record, sentence),), public=True)
        sentence = f"{record} in zone {zone.identity} leads to {target}, which is not AWS's"
        return Resolution(opinions=(_conflict(zone, record, sentence),), target=target)

    def _endpoint_answer(
        self,
        lookup: Lookup,
        identity: str,
        availability_zone: str | None,
        *,
        before: tuple[Opinion, ...],
        zone: Zone | None = None,
    ) -> Resolution:
        """The addresses of an endpoint that a record names, in this VPC or in another one."""
        try:
            item = self._view.item(ENDPOINTS, identity)
            if item is None:
                return Resolution(opinions=(*before, self._not_visible(identity)), served_by=identity)
            addresses = vpc_endpoints.addresses(self._view, item, lookup, availability_zone)
        except MissingError as error:
            opinions = (*before, unknown(GateName.ENDPOINT, error, identity))
            return Resolution(opinions=opinions, served_by=identity)
        return self._served(lookup, item, Resolution(opinions=before, addresses=addresses), zone)

    def _not_visible(self, identity: str) -> Opinion:
        account = self._view.configuration.account or "this account"
        return Opinion(
            gate=GateName.ENDPOINT,
            answer=GateAnswer.UNKNOWN,
            sentence=f"{identity} is not visible from {account}: another account owns it, or it was deleted",
            object=identity,
            missing="the account that owns the endpoint",
        )

    def _served(self, lookup: Lookup, item: Item, found: Resolution, zone: Zone | None) -> Resolution:
        """The answer with what the endpoint itself says: its service, its state, its address families."""
        identity = item["VpcEndpointId"]
        opinions = list(found.opinions)
        if zone is not None and not item.get("PrivateDnsEnabled"):
            sentence = f"private DNS of {identity} is off, and zone {zone.identity} answers for {lookup.name}"
            opinions.append(allows(GateName.PRIVATE_DNS, sentence, zone.identity, zone.name))
        available = vpc_endpoints.availability(item, self._view.configuration.region)
        if zone is not None and item.get("ServiceName") not in (None, lookup.service):
            sentence = f"zone {zone.identity} points {lookup.name} to {identity}, an endpoint of {item['ServiceName']}"
            opinions = [_conflict(zone, lookup.name, sentence, self._correction(lookup, zone))]
            found = replace(found, of_service=item["ServiceName"])
        elif available.allows and vpc_endpoints.lacks_family(item, lookup):
            opinions.append(_without_family(lookup, item))
        else:
            opinions.append(available)
        return replace(found, opinions=tuple(opinions), served_by=identity)

    def _correction(self, lookup: Lookup, zone: Zone) -> AddRecord | None:
        return self._record_change(lookup, zone, self._sources(lookup))

    # ---- private DNS of endpoints, and the public answer ------------------------------------------------------------

    def _private_answer(self, lookup: Lookup, name: PrivateName, sources: Sources) -> Resolution:
        item, gate = name.endpoint, GateName.PRIVATE_DNS
        identity = item["VpcEndpointId"]
        private = allows(gate, f"private DNS of {identity} answers for {lookup.name}", identity, name.domain)
        before = (self._zones_allow(lookup, sources), private)
        try:
            addresses = vpc_endpoints.addresses(self._view, item, lookup)
        except MissingError as error:
            opinions = (*before, unknown(GateName.ENDPOINT_INTERFACE, error, identity))
            return Resolution(opinions=opinions, served_by=identity)
        return self._served(lookup, item, Resolution(opinions=before, addresses=addresses), None)

    def _zones_allow(self, lookup: Lookup, sources: Sources) -> Opinion:
        gate = GateName.HOSTED_ZONE
        if sources.zone is not None:
            sentence = f"private DNS is more specific than zone {sources.zone.identity} ({sources.zone.name})"
            return sources.doubts.get(gate) or allows(gate, sentence, sources.zone.identity, sources.zone.name)
        return sources.doubts.get(gate) or allows(
            gate, f"no private zone of {lookup.vpc} owns {lookup.name}", lookup.vpc
        )

    def _public_answer(self, lookup: Lookup, sources: Sources) -> Resolution:
        """Nothing private answers. Where something should, the gate that stops it refuses."""
        before = (self._zones_allow(lookup, sources),)
        if lookup.public_by_design:
            return Resolution(opinions=before, public=True)
        if GateName.ENDPOINT in sources.doubts:
            return Resolution(opinions=(*before, sources.doubts[GateName.ENDPOINT]))
        own = vpc_endpoints.of_service(sources.endpoints, lookup)
        intended = self._intended_zone(lookup, own)
        if intended is not None:
            return Resolution(opinions=(intended,), public=True)
        if not own:
            return self._without_endpoint(lookup, before, sources)
        item = own[0]
        identity = item["VpcEndpointId"]
        available = vpc_endpoints.availability(item, self._view.configuration.region)
        if available.refuses:
            return Resolution(opinions=(*before, available), public=True, served_by=identity)
        refusal = _private_dns_refuses(lookup, item)
        return Resolution(opinions=(*before, refusal, available), public=True, served_by=identity)

    def _intended_zone(self, lookup: Lookup, own: Sequence[Item]) -> Opinion | None:
        """A zone that was meant to answer, and does not: with swapped labels, or not associated with this VPC."""
        try:
            return self._swapped_zone(lookup, own) or self._unassociated_zone(lookup, own)
        except MissingError:
            return None  # the account's zones are read only to find a more precise cause

    def _swapped_zone(self, lookup: Lookup, own: Sequence[Item]) -> Opinion | None:
        if lookup.mistaken is None:
            return None
        zone = hosted_zones.owning_zone(hosted_zones.own_zones(self._view, lookup.vpc), lookup.mistaken)
        if zone is None:
            return None
        off = [item for item in own if not item.get("PrivateDnsEnabled") and vpc_endpoints.carries(item)]
        return refuses(
            GateName.HOSTED_ZONE,
            f"zone {zone.identity} is named {zone.name}, with swapped labels, so it does not answer for {lookup.name}",
            cause="dns.hosted-zone-wrong-name",
            identity=zone.identity,
            element=zone.name,
            change=EnablePrivateDns(object=off[0]["VpcEndpointId"]) if off else None,
        )

    def _unassociated_zone(self, lookup: Lookup, own: Sequence[Item]) -> Opinion | None:
        """A zone of the account that leads to this VPC's endpoint, or to a central one that other VPCs share."""
        zones = [Zone(identity=key, name=name) for key, name in hosted_zones.account_zones(self._view).items()]
        fitting = [zone for zone in zones if is_within(lookup.name, zone.name) and labels(zone.name) > 2]
        for zone in sorted(fitting, key=lambda each: -labels(each.name)):
            answer = hosted_zones.answer(self._view, zone, lookup.name, lookup.records)
            if answer is not None and self._is_meant_for(lookup, zone, answer, own):
                return refuses(
                    GateName.HOSTED_ZONE,
                    f"zone {zone.identity} ({zone.name}) answers for {lookup.name}, and is not associated with "
                    f"{lookup.vpc}",
                    cause="dns.hosted-zone-not-associated",
                    identity=zone.identity,
                    element=lookup.vpc,
                    change=AssociateZone(object=zone.identity, vpc=lookup.vpc, name=zone.name),
                )
        return None

    def _is_meant_for(self, lookup: Lookup, zone: Zone, answer: hosted_zones.Answer, own: Sequence[Item]) -> bool:
        targets = [found[0] for target in answer.targets if (found := vpc_endpoints.vpce_of(target))]
        if own:
            interfaces = {each for item in own for each in item.get("NetworkInterfaceIds", ())}
            resolved = vpc_endpoints.interfaces_at(self._view, answer.addresses, lookup.vpc)
            return any(item["VpcEndpointId"] in targets for item in own) or any(
                each.interface in interfaces for each in resolved
            )
        central = self._view.some(ENDPOINTS, targets)
        homes = {item.get("VpcId") for item in central.values() if item is not None}
        return bool(homes) and not set(hosted_zones.vpcs_of(self._view, zone.identity)) <= homes

    def _without_endpoint(self, lookup: Lookup, before: tuple[Opinion, ...], sources: Sources) -> Resolution:
        gate, view = GateName.ENDPOINT, self._view
        account, owner = view.configuration.account, self._owner(lookup)
        if owner and account and owner != account:
            opinion = Opinion(
                gate=gate,
                answer=GateAnswer.UNKNOWN,
                sentence=f"an endpoint for {lookup.service} in {lookup.vpc} is not visible from account {account}; "
                f"ask {owner}, which owns the VPC",
                object=lookup.vpc,
                element=lookup.service,
                missing=f"ec2:DescribeVpcEndpoints in {owner}",
            )
            return Resolution(opinions=(*before, opinion))
        abroad = lookup.region != view.configuration.region
        others = [item for item in sources.endpoints if _service(item) == _last_labels(lookup.service) and not abroad]
        but = f"; {others[0]['VpcEndpointId']} serves {others[0].get('ServiceName')}" if others else ""
        refusal = refuses(
            gate,
            f"{lookup.vpc} has no endpoint for {lookup.service}{but}",
            cause="region.cross-region" if abroad and lookup.endpoint in _OF_PULL else missing_cause(lookup.endpoint),
            identity=lookup.vpc,
            element=lookup.service,
            change=self._creation(lookup, sources),
        )
        return Resolution(opinions=(*before, refusal), public=True)

    def _owner(self, lookup: Lookup) -> str | None:
        """The account that owns the VPC of the lookup."""
        if lookup.vpc == self._origin.vpc and self._origin.owner:
            return self._origin.owner
        try:
            return (self._view.item(VPCS, lookup.vpc) or {}).get("OwnerId")
        except MissingError:
            return None

    def _creation(self, lookup: Lookup, sources: Sources) -> Change | None:
        """A new endpoint next to those that exist: in their subnets, with their groups; else in the task's."""
        here = [item for item in sources.endpoints if item.get("VpcId") == lookup.vpc and item.get("SubnetIds")]
        origin = self._origin
        subnets = here[0]["SubnetIds"] if here else [origin.subnet] if origin.vpc == lookup.vpc else []
        groups = [group["GroupId"] for group in here[0].get("Groups", ())] if here else list(origin.groups)
        try:
            found = self._view.some(SUBNETS, subnets)
        except MissingError:
            return None
        interfaces = tuple(_interfaces(found))
        if not interfaces or not groups:
            return None
        region = self._view.configuration.region
        return CreateEndpoint(
            object=lookup.vpc,
            service=lookup.service,
            groups=tuple(groups),
            interfaces=interfaces,
            service_region=lookup.region if lookup.region != region else None,
        )


# ---- opinions -------------------------------------------------------------------------------------------------------


def _after(before: tuple[Opinion, ...], found: Resolution) -> Resolution:
    return replace(found, opinions=(*before, *found.opinions))


def _softened(found: Resolution, doubted: Callable[[Opinion], bool]) -> Resolution:
    """Where what answers is not certain, a refusal depends on it, and without an address the answer is not known."""
    if not any(opinion.refuses and doubted(opinion) for opinion in found.opinions):
        return found
    opinions = tuple(_doubtful(opinion) if doubted(opinion) else opinion for opinion in found.opinions)
    return replace(found, opinions=opinions, public=False, failure=None, target=None)


def _doubtful(opinion: Opinion) -> Opinion:
    if not opinion.refuses:
        return opinion
    sentence = f"{opinion.sentence}, unless something answers that could not be read"
    return replace(opinion, answer=GateAnswer.DEPENDS, sentence=sentence, change=None)


def _rule_allows(lookup: Lookup, rule: Rule | None) -> Opinion:
    gate = GateName.RESOLVER_RULE
    if rule is None:
        return allows(gate, f"no Resolver rule of {lookup.vpc} forwards {lookup.name}", lookup.vpc)
    domain = rule.domain or "."
    why = "a private zone is more specific" if rule.forwards else "it leaves the name to the VPC's resolver"
    return allows(gate, f"{rule.identity} for {domain} does not forward {lookup.name}: {why}", rule.identity, domain)


def _conflict(zone: Zone, element: str, sentence: str, change: Change | None = None) -> Opinion:
    return refuses(
        GateName.HOSTED_ZONE,
        sentence,
        cause="dns.hosted-zone-conflict",
        identity=zone.identity,
        element=element,
        change=change,
    )


def _private_dns_refuses(lookup: Lookup, item: Item) -> Opinion:
    """Why the private DNS of an endpoint that is available does not answer."""
    gate, identity = GateName.PRIVATE_DNS, item["VpcEndpointId"]
    if not item.get("PrivateDnsEnabled"):
        return refuses(
            gate,
            f"private DNS of {identity} is off",
            cause="dns.private-dns-disabled",
            identity=identity,
            element="PrivateDnsEnabled false",
            change=EnablePrivateDns(object=identity),
        )
    legacy = lookup.endpoint == "ecr-legacy"
    return refuses(
        gate,
        f"private DNS of {identity} does not cover {lookup.name}",
        cause="client.legacy-hostname" if legacy else "region.ipv6-unsupported-endpoint",
        identity=identity,
        element=lookup.name,
        change=None if legacy else SetEndpointAddressType(object=identity),
    )


def _without_family(lookup: Lookup, item: Item) -> Opinion:
    identity = item["VpcEndpointId"]
    kind = (item.get("DnsOptions") or {}).get("DnsRecordIpType") or item.get("IpAddressType")
    families = " and ".join({"A": "IPv4", "AAAA": "IPv6"}[record] for record in lookup.records)
    return refuses(
        GateName.ENDPOINT,
        f"{identity} has only {kind} records, and the subnet has only {families}",
        cause="region.ipv6-unsupported-endpoint",
        identity=identity,
        element=f"DnsRecordIpType {kind}",
        change=SetEndpointAddressType(object=identity),
    )


# ---- parts of what was read -----------------------------------------------------------------------------------------


def _servers(options: dict[str, Any]) -> tuple[str, ...]:
    for entry in options.get("DhcpConfigurations", ()):
        if entry.get("Key") == "domain-name-servers":
            return tuple(value.get("Value", "") for value in entry.get("Values", ()))
    return ()


def _base_plus_two(vpc: dict[str, Any]) -> str:
    """The address of the VPC's resolver: AWS[amazon-dns-addresses]."""
    cidr = vpc.get("CidrBlock")
    return str(ip_network(cidr, strict=False)[2]) if cidr else ""


def _is_hidden(zone: Zone) -> bool:
    """Whether a zone is AWS's own for the private DNS of an endpoint. The endpoint lists these names itself."""
    return zone.owner is not None and zone.owner.startswith("vpce.")


def _public_chain(lookup: Lookup) -> tuple[str, ...]:
    """The names that AWS's public name leads to, which DNS Firewall looks at too. AWS[public-cnames]"""
    parent = lookup.name.partition(".")[2]
    if lookup.name.startswith("api.ecr."):
        return (parent,)
    if ".dkr.ecr." in lookup.name:
        return (f"registry.elb.{parent.removeprefix('dkr.ecr.')}",)
    if lookup.endpoint == "s3" and parent.startswith("s3."):
        return (f"s3-r-w.{parent.removeprefix('s3.')}",)
    return ()


def _regional_entry(item: Item) -> tuple[str, str] | None:
    """The endpoint's own name, of all its zones, and the zone of Route 53 that has it."""
    for entry in item.get("DnsEntries", ()):
        found = vpc_endpoints.vpce_of(entry.get("DnsName", ""))
        if found is not None and found[1] is None and entry.get("HostedZoneId"):
            return entry["DnsName"], entry["HostedZoneId"]
    return None


def _service(item: Item) -> str:
    return _last_labels(item.get("ServiceName") or "")


def _last_labels(service: str) -> str:
    """The service without prefix and Region: "ecr.api" of "com.amazonaws.us-east-1.ecr.api"."""
    parts = service.split(".")
    regions = [place for place, part in enumerate(parts) if part[-1:].isdigit() and part.count("-") >= 2]
    return ".".join(parts[regions[-1] + 1 :]) if regions else service


def _interfaces(subnets: dict[str, dict[str, Any] | None]) -> Iterator[NewInterface]:
    for identity, subnet in subnets.items():
        address = free_address(subnet or {})
        if address is not None:
            yield NewInterface(identity, (subnet or {}).get("AvailabilityZone"), address)
