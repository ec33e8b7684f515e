"""Route 53 Resolver rules: which of them forwards a name, and whether its targets can be followed.

The most specific rule decides, and it comes before a private zone of the same name: AWS[resolver-rule-precedence].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from probe.configuration.operations import (
    RESOLVER_ENDPOINT_ADDRESSES,
    RESOLVER_ENDPOINTS,
    RESOLVER_RULE,
    RESOLVER_RULE_ASSOCIATIONS,
    RESOLVER_RULES,
)
from probe.configuration.view import MissingError, View
from probe.gates import profiles
from probe.gates.dns_names import is_within, labels, plain
from probe.records import Record

_AUTODEFINED = "rslvr-autodefined"  # Resolver's own rules, such as the one for the internet
_NOT_IN_FORCE = ("FAILED", "OVERRIDDEN", "DELETING")


class Rule(Record, frozen=True, kw_only=True):
    """A rule of a VPC. `direct`: it is associated with the VPC itself, not by a Profile. `settled`: neither rule nor
    association is being created or has failed."""

    identity: str
    domain: str
    forwards: bool
    targets: tuple[str, ...]
    direct: bool
    settled: bool
    order: int = 0


class Inbound(Record, frozen=True):
    """An inbound endpoint of Route 53 Resolver, which answers as the resolver of its VPC does."""

    identity: str
    vpc: str


def deciding_rule(rules: Iterable[Rule], name: str) -> Rule | None:
    """The most specific rule for a name; of two for one domain, the VPC's own: AWS[profile-priority]."""
    fitting = [rule for rule in rules if is_within(name, rule.domain)]
    return max(fitting, key=lambda rule: (labels(rule.domain), rule.direct, -rule.order), default=None)


def own_rules(view: View, vpc: str) -> tuple[Rule, ...]:
    """The rules that are associated with the VPC itself. Raises MissingError."""
    filters = [{"Name": "VPCId", "Values": [vpc]}]
    associations = [
        item
        for item in view.items(RESOLVER_RULE_ASSOCIATIONS, Filters=filters)
        if not item["ResolverRuleId"].startswith(_AUTODEFINED) and item.get("Status") not in _NOT_IN_FORCE
    ]
    settled = {item["ResolverRuleId"]: item.get("Status", "COMPLETE") == "COMPLETE" for item in associations}
    return tuple(
        _rule(item, direct=True, settled=settled[identity]) for identity, item in _items(view, tuple(settled)).items()
    )


def account_rules(view: View) -> tuple[Rule, ...]:
    """All rules of the account, wherever they are associated. Raises MissingError."""
    items = (item for item in view.items(RESOLVER_RULES) if not item["Id"].startswith(_AUTODEFINED))
    return tuple(_rule(item, direct=False, settled=True) for item in items)


def profile_rules(view: View, vpc: str) -> tuple[Rule, ...]:
    """The rules that the VPC has by its Profiles. Raises MissingError."""
    found = profiles.resources(view, vpc, "resolver-rule")
    orders = {resource.identity: resource.order for resource in found}
    return tuple(
        _rule(item, direct=False, settled=True, order=orders[identity])
        for identity, item in _items(view, tuple(orders)).items()
    )


def inbound_at(view: View, addresses: Iterable[str]) -> Inbound | None:
    """The inbound endpoint that has the first of the addresses, None where it is no endpoint of this account.

    Raises MissingError.
    """
    first = next(iter(addresses), None)
    filters = [{"Name": "Direction", "Values": ["INBOUND"]}]
    missing: MissingError | None = None
    for endpoint in view.items(RESOLVER_ENDPOINTS, Filters=filters) if first else ():
        try:
            own = view.items(RESOLVER_ENDPOINT_ADDRESSES, ResolverEndpointId=endpoint["Id"])
        except MissingError as error:
            missing = error
            continue
        if any(first in (entry.get("Ip"), entry.get("Ipv6")) for entry in own):
            return Inbound(endpoint["Id"], endpoint["HostVPCId"])
    if missing is not None:
        raise missing
    return None


def _items(view: View, identities: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Rules by id: the account's own in one call, each shared one by itself."""
    if not identities:
        return {}
    listed = {item["Id"]: item for item in view.items(RESOLVER_RULES)}
    found = {identity: listed[identity] for identity in identities if identity in listed}
    missing: MissingError | None = None
    for identity in identities:
        if identity not in listed:
            try:
                found[identity] = view.reply(RESOLVER_RULE, ResolverRuleId=identity)["ResolverRule"]
            except MissingError as error:
                missing = error
    if missing is not None:
        raise missing
    return found


def _rule(item: dict[str, Any], *, direct: bool, settled: bool, order: int = 0) -> Rule:
    return Rule(
        identity=item["Id"],
        domain=plain(item.get("DomainName") or ""),
        forwards=item.get("RuleType") == "FORWARD",
        targets=tuple(_targets(item)),
        direct=direct,
        settled=settled and item.get("Status", "COMPLETE") in ("COMPLETE", "UPDATING"),
        order=order,
    )


def _targets(item: dict[str, Any]) -> Iterator[str]:
    for target in item.get("TargetIps", ()):
        yield target.get("Ip") or target.get("Ipv6") or ""
