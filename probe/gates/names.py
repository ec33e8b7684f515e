"""What a name resolves to inside the VPC, and which gate made it so.

In the order in which the VPC's resolver decides: DHCP options, the VPC's DNS attributes, DNS Firewall, resolver rules
(a rule beats a zone of the same name), hosted zones and an endpoint's private DNS, and then the public answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import TypeVar

from probe.configuration.operations import ENDPOINTS
from probe.configuration.view import MissingError, View
from probe.endpoints import AWS_DOMAINS
from probe.gates import (
    dns_firewall,
    hosted_zones,
    name_servers,
    resolver_rules,
    unserved_names,
    vpc_endpoints,
    vpc_resolver,
    zone_corrections,
)
from probe.gates.changes import Change
from probe.gates.dns_changes import DisassociateRule
from probe.gates.dns_names import is_within, labels
from probe.gates.flow import Origin
from probe.gates.hosted_zones import Zone
from probe.gates.lookup import Lookup, lookup_of
from probe.gates.opinion import Opinion, allows, depends, refuses, unknown
from probe.gates.resolver_rules import Rule
from probe.gates.vpc_endpoints import Item, PrivateName, Resolved
from probe.model import Endpoint, Failure, GateAnswer, GateName
from probe.partitions import is_listed
from probe.records import Record, replace

T = TypeVar("T")

_SOURCES = (GateName.DHCP_OPTIONS, GateName.RESOLVER_RULE, GateName.HOSTED_ZONE)
# What only the owner of a VPC can list. AWS[shared-vpc-participants]
_OF_OWNER = {
    GateName.RESOLVER_FIREWALL: ("the DNS Firewall rules of", "route53resolver:ListFirewallRuleGroupAssociations"),
    GateName.RESOLVER_RULE: ("the Resolver rules of", "route53resolver:ListResolverRuleAssociations"),
}
_MOST_HOPS = 5  # of a chain of CNAMEs inside private zones


class Resolution(Record, frozen=True, kw_only=True):
    """The answer that a lookup would get: addresses, `public` ones that are not known one by one, or a failure.

    `target` is the host of a CNAME that is not AWS's, at addresses that are not known. None of the four: the answer
    cannot be known. `served_by` is the VPC endpoint that the name leads to, and `correction` would correct a record
    that lists addresses.
    """

    opinions: tuple[Opinion, ...]
    addresses: tuple[Resolved, ...] = ()
    public: bool = False
    failure: Failure | None = None
    served_by: str | None = None
    target: str | None = None
    of_service: str | None = None  # of the endpoint that answers, if it is another service's
    correction: Change | None = None
    chosen: bool = False  # Route 53 answers with some of the addresses
    server: str | None = None  # that is asked, if it is not the VPC's own resolver

    @property
    def answer(self) -> tuple[object, ...]:
        """What the lookup would get, without the reasons."""
        return (self.addresses, self.public, self.failure, self.target)

    @property
    def is_reachable(self) -> bool:
        """Whether the lookup succeeds, as far as every gate of names is known to allow it."""
        return self.failure is None and all(opinion.allows for opinion in self.opinions)

    @property
    def is_doubted(self) -> bool:
        """Whether something else may answer: a source of names that could not be read, or another record."""
        return self.chosen or any(
            opinion.gate in _SOURCES and opinion.answer is GateAnswer.UNKNOWN for opinion in self.opinions
        )

    @property
    def is_private(self) -> bool:
        return bool(self.addresses) and not any(opinion.refuses for opinion in self.opinions)


def resolve(view: View, origin: Origin, endpoint: Endpoint, partition: str) -> Resolution:
    """What `endpoint`'s name resolves to where `origin` is. What could not be read is an UNKNOWN gate."""
    return _Resolver(view, origin).resolve(lookup_of(origin, endpoint, partition))


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
        servers, hub = vpc_resolver.dhcp_options(self._view, lookup)
        if hub is not None:
            way = name_servers.path_to(self._view, self._origin, hub.server or "", servers)
            if way.refuses:
                return Resolution(opinions=(way,), failure=Failure.NO_ANSWER, server=hub.server)
            found = replace(self.in_vpc(hub), server=hub.server)
            return _after((way,), found if way.allows else _softened(found, lambda _: True))
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
        private = (sources.zone or sources.private) is not None
        attributes = vpc_resolver.dns_attributes(self._view, lookup, private=private)
        if vpc_resolver.is_silent(attributes):
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
        return self._of_shared_vpc(lookup, _after((attributes, firewall), answer))

    def _of_shared_vpc(self, lookup: Lookup, found: Resolution) -> Resolution:
        """In a VPC of another account, that no rule was listed does not mean that there is none.

        AWS[shared-vpc-participants]
        """
        owner = unserved_names.other_owner(self._view, self._origin, lookup)
        if owner is None:
            return found

        def seen(opinion: Opinion) -> Opinion:
            if not opinion.allows or opinion.object != lookup.vpc or opinion.gate not in _OF_OWNER:
                return opinion
            what, operation = _OF_OWNER[opinion.gate]
            missing = f"{operation} in {owner}"
            hidden = unserved_names.not_visible(self._view, opinion.gate, f"{what} {lookup.vpc} are", owner, missing)
            return replace(hidden, object=lookup.vpc)

        doubted = _softened(found, lambda opinion: opinion.gate is not GateName.VPC_DNS_ATTRIBUTES)
        return replace(doubted, opinions=tuple(map(seen, doubted.opinions)))

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
        hub = vpc_resolver.at_inbound_endpoint(self._view, rule.targets, lookup) if rule.settled else None
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
        found, chain = self._records(lookup, zone, answer, sources)
        if not answer.chosen:
            return found, chain
        return replace(_softened(found, lambda _: True), chosen=True), chain

    def _no_record(self, lookup: Lookup, zone: Zone, sources: Sources, *, exists: bool) -> Resolution:
        """The zone owns the name and does not answer: missing in the right zone, a conflict where another would."""
        right = sources.private is not None or lookup.public_by_design
        other = f"; private DNS of {sources.private.endpoint['VpcEndpointId']} would answer" if sources.private else ""
        what = "no address" if exists else "no record"
        refusal = refuses(
            GateName.HOSTED_ZONE,
            f"zone {zone.identity} ({zone.name}) owns {lookup.name} in {lookup.vpc} and has {what} for it{other}",
            cause="dns.hosted-zone-conflict" if right else "dns.hosted-zone-missing-record",
            identity=zone.identity,
            element=lookup.name,
            change=zone_corrections.removal(self._view, lookup, zone)
            if lookup.public_by_design
            else self._correction(lookup, zone, sources),
        )
        failure = Failure.NO_ADDRESS if exists else Failure.NXDOMAIN
        return Resolution(opinions=(refusal,), failure=failure)

    def _correction(self, lookup: Lookup, zone: Zone, sources: Sources, record: str | None = None) -> Change | None:
        return zone_corrections.correction(self._view, lookup, zone, sources.endpoints, record)

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
            elsewhere = self._leads_elsewhere(lookup, zone, answer.record, target, passes, sources)
            return elsewhere, (lookup.name, target)
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
        public = [text for text in answer.addresses if ip_address(text).is_global and text not in _held(addresses)]
        if public and not lookup.public_by_design:
            stale = self._public_record(lookup, zone, answer.record, public, sources)
            found = replace(found, opinions=(stale, *found.opinions[1:]))
        change = self._correction(lookup, zone, sources, answer.record)
        return replace(found, correction=change), (lookup.name,)

    def _public_record(
        self, lookup: Lookup, zone: Zone, record: str, public: Sequence[str], sources: Sources
    ) -> Opinion:
        return refuses(
            GateName.HOSTED_ZONE,
            f"{record} in zone {zone.identity} lists public addresses ({', '.join(public)}), which no endpoint has",
            cause="dns.stale-record",
            identity=zone.identity,
            element=record,
            change=self._correction(lookup, zone, sources, record),
        )

    def _leads_elsewhere(
        self, lookup: Lookup, zone: Zone, record: str, target: str, passes: Opinion, sources: Sources
    ) -> Resolution:
        if any(is_within(target, domain) for domain in AWS_DOMAINS):
            if lookup.public_by_design:
                return Resolution(opinions=(passes,), public=True)
            sentence = f"{record} in zone {zone.identity} leads to {target}, which is public"
            change = self._correction(lookup, zone, sources, record)
            return Resolution(opinions=(_conflict(zone, record, sentence, change),), public=True)
        sentence = f"{record} in zone {zone.identity} leads to {target}, which is not AWS's"
        change = self._correction(lookup, zone, sources, record)
        return Resolution(opinions=(_conflict(zone, record, sentence, change),), target=target)

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
        """The answer with what the endpoint adds: its service, its state, its address families."""
        identity = item["VpcEndpointId"]
        opinions = list(found.opinions)
        if zone is not None and not item.get("PrivateDnsEnabled"):
            sentence = f"private DNS of {identity} is off, and zone {zone.identity} answers for {lookup.name}"
            opinions.append(allows(GateName.PRIVATE_DNS, sentence, zone.identity, zone.name))
        available = vpc_endpoints.availability(item, self._view.configuration.region)
        if zone is not None and item.get("ServiceName") not in (None, lookup.service):
            sentence = f"zone {zone.identity} points {lookup.name} to {identity}, an endpoint of {item['ServiceName']}"
            change = self._correction(lookup, zone, self._sources(lookup), lookup.name)
            opinions = [_conflict(zone, lookup.name, sentence, change)]
            found = replace(found, of_service=item["ServiceName"])
        elif available.allows and vpc_endpoints.lacks_family(item, lookup):
            opinions.append(unserved_names.without_family(lookup, item))
        else:
            opinions.append(available)
        return replace(found, opinions=tuple(opinions), served_by=identity)

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
        view, own = self._view, vpc_endpoints.of_service(sources.endpoints, lookup)
        intended = unserved_names.intended(view, self._origin, lookup, own, lambda hub: self.in_vpc(hub).is_private)
        if intended is not None:
            kept = before if intended.gate is not GateName.HOSTED_ZONE else ()
            return Resolution(opinions=(*kept, intended), public=True)
        if not own and lookup.region != view.configuration.region and not is_listed(lookup.region):
            return Resolution(opinions=(*before, unserved_names.in_unlisted_region(lookup)))
        if not own:
            opinion = unserved_names.without_endpoint(view, self._origin, lookup, sources.endpoints)
            return Resolution(opinions=(*before, opinion), public=opinion.refuses)
        identity = own[0]["VpcEndpointId"]
        available = vpc_endpoints.availability(own[0], view.configuration.region)
        if available.refuses:
            return Resolution(opinions=(*before, available), public=True, served_by=identity)
        refusal = unserved_names.without_private_dns(lookup, own[0])
        return Resolution(opinions=(*before, refusal, available), public=True, served_by=identity)


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


def _held(addresses: Sequence[Resolved]) -> tuple[str, ...]:
    """The addresses that an interface has."""
    return tuple(resolved.address for resolved in addresses if resolved.interface)


def _conflict(zone: Zone, element: str, sentence: str, change: Change | None) -> Opinion:
    return refuses(
        GateName.HOSTED_ZONE,
        sentence,
        cause="dns.hosted-zone-conflict",
        identity=zone.identity,
        element=element,
        change=change,
    )


# ---- parts of what was read -----------------------------------------------------------------------------------------


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
