"""DNS Firewall: the first rule that matches decides, by the priority of its group and then by its own.

It looks at every name of a CNAME chain, unless the rule trusts redirections: AWS[dns-firewall-redirection]. The answer
of a blocking rule: AWS[dns-firewall-responses]. Order: AWS[dns-firewall-order].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from probe.configuration.document import Obstacle
from probe.configuration.operations import (
    FIREWALL_ASSOCIATIONS,
    FIREWALL_CONFIG,
    FIREWALL_DOMAIN_LISTS,
    FIREWALL_DOMAINS,
    FIREWALL_RULES,
)
from probe.configuration.view import MissingError, View
from probe.gates import profiles
from probe.gates.dns_changes import EditDomainList
from probe.gates.dns_names import plain
from probe.gates.lookup import Lookup
from probe.gates.opinion import Opinion, allows, refuses
from probe.model import Failure, GateName
from probe.records import Record

_QUERY_TYPES = {"A": "A", "TYPE1": "A", "AAAA": "AAAA", "TYPE28": "AAAA"}
_FAILURES = {"NODATA": Failure.NO_ADDRESS, "NXDOMAIN": Failure.NXDOMAIN}
GATE = GateName.RESOLVER_FIREWALL


class Rule(Record, frozen=True):
    """A rule in its place. `domains` None: its list is AWS's own, or it is not about a list, and cannot be read."""

    group: str
    item: dict[str, Any]
    domains: tuple[str, ...] | None
    unread: MissingError | None = None

    @property
    def element(self) -> str:
        """How the rule is found in its group."""
        return f"priority {self.item.get('Priority')}"

    @property
    def domain_list(self) -> str | None:
        return self.item.get("FirewallDomainListId")

    @property
    def trusts_redirections(self) -> bool:
        return self.item.get("FirewallDomainRedirectionAction") == "TRUST_REDIRECTION_DOMAIN"

    @property
    def blocks(self) -> bool:
        return self.item.get("Action") == "BLOCK"


class Block(Record, frozen=True):
    """What a blocking rule does: the gate's opinion, and what the lookup gets instead of its answer."""

    opinion: Opinion
    failure: Failure | None
    target: str | None = None  # of the CNAME with which OVERRIDE answers


def judge(view: View, lookup: Lookup, chain: Iterable[str]) -> Opinion | Block:
    """Whether the lookup and each name that its answer leads to pass. Raises MissingError."""
    groups = _groups(view, lookup.vpc)
    if not groups:
        return allows(GATE, f"{lookup.vpc} has no rules of DNS Firewall", lookup.vpc)
    rules = _rules(view, groups)
    hidden = [rule for rule in rules if rule.domains is None and rule.blocks]
    allowing: Rule | None = None
    for name in chain:
        rule = _first_match(rules, name, lookup.records, redirected=name != lookup.name)
        if rule is None:
            continue
        if rule.blocks:
            return _block(rule, rules, name, lookup)
        allowing = allowing or rule
        if rule.trusts_redirections:
            break
    note = ", lists of AWS and threat rules aside, which cannot be read" if hidden else ""
    failing = "" if _is_fail_open(view, lookup.vpc) else " (no fail-open: while it is impaired, it blocks every name)"
    if allowing is None:
        return allows(GATE, f"no rule of DNS Firewall blocks {lookup.name}{note}{failing}", groups[0])
    sentence = f"DNS Firewall allows {lookup.name} by {allowing.group}, {allowing.element}{note}{failing}"
    return allows(GATE, sentence, allowing.group, allowing.element)


def _block(rule: Rule, rules: list[Rule], name: str, lookup: Lookup) -> Block:
    response = rule.item.get("BlockResponse") or "NODATA"
    target = plain(rule.item.get("BlockOverrideDomain") or "") or None if response == "OVERRIDE" else None
    instead = f"a CNAME to {target}" if target else response
    over = "" if name == lookup.name else f", to which {lookup.name} leads"
    opinion = refuses(
        GATE,
        f"DNS Firewall blocks {name}{over} by {rule.group}, {rule.element}, and answers {instead}",
        cause="dns.firewall",
        identity=rule.group,
        element=rule.element,
        change=_change(rule, rules, name),
    )
    return Block(opinion, None if target else _FAILURES.get(response, Failure.NO_ADDRESS), target)


def _change(rule: Rule, rules: list[Rule], name: str) -> EditDomainList | None:
    """The smallest opening: the name in a list that is allowed before, or out of the list that is blocked."""
    for other in rules[: rules.index(rule)]:
        if other.item.get("Action") == "ALLOW" and other.domain_list and other.domains is not None:
            return EditDomainList(object=other.domain_list, domain=name, add=True)
    entry = next((entry for entry in rule.domains or () if _matches(entry, name)), None)
    return EditDomainList(object=rule.domain_list, domain=entry, add=False) if rule.domain_list and entry else None


def _groups(view: View, vpc: str) -> list[str]:
    """The rule groups in the order in which they are evaluated; those of a Profile among the VPC's own."""
    try:
        own = view.items(FIREWALL_ASSOCIATIONS, VpcId=vpc)
    except MissingError as error:
        if error.obstacle is Obstacle.UNSUPPORTED:
            return []
        raise
    in_force = [item for item in own if item.get("Status", "COMPLETE") != "DELETING"]
    found = [(item.get("Priority", 0), item["FirewallRuleGroupId"]) for item in in_force]
    of_profiles = profiles.resources(view, vpc, "firewall-rule-group")
    found += [(resource.priority or 0, resource.identity) for resource in of_profiles]
    return list(dict.fromkeys(group for _, group in sorted(found)))


def _rules(view: View, groups: list[str]) -> list[Rule]:
    """Every rule in order. All that is missing is noted down before MissingError is raised."""
    missing: MissingError | None = None
    rules: list[Rule] = []
    for group in groups:
        try:
            items = view.items(FIREWALL_RULES, FirewallRuleGroupId=group)
            rules += [_rule(view, group, item) for item in _in_force(items)]
        except MissingError as error:
            missing = error
    if missing is not None:
        raise missing
    return rules


def _rule(view: View, group: str, item: dict[str, Any]) -> Rule:
    """A rule with a list that cannot be read matters only to names that no earlier rule matches."""
    try:
        return Rule(group, item, _domains(view, item))
    except MissingError as error:
        return Rule(group, item, (), error)


def _in_force(items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    enforced = (item for item in items if item.get("Status") in (None, "COMPLETE"))
    yield from sorted(enforced, key=lambda item: int(item.get("Priority", 0)))


def _domains(view: View, item: dict[str, Any]) -> tuple[str, ...] | None:
    identity = item.get("FirewallDomainListId")
    if identity is None:
        return None
    lists = {entry["Id"]: entry for entry in view.items(FIREWALL_DOMAIN_LISTS)}
    if lists.get(identity, {}).get("ManagedOwnerName"):
        return None
    domains = view.reply(FIREWALL_DOMAINS, FirewallDomainListId=identity).get("Domains", ())
    return tuple(plain(domain) for domain in domains)


def _first_match(rules: Iterable[Rule], name: str, records: Iterable[str], *, redirected: bool) -> Rule | None:
    """The first rule for a name. One that trusts redirections is not about the names to which a name leads."""
    asked = next(iter(records))  # A where both are: without it, a client that has IPv4 gets nothing to dial
    for rule in rules:
        if redirected and rule.trusts_redirections:
            continue
        query_type = rule.item.get("Qtype")
        if query_type and _QUERY_TYPES.get(query_type) != asked:
            continue
        if rule.unread is not None:
            raise rule.unread
        if any(_matches(entry, name) for entry in rule.domains or ()):
            return rule
    return None


def _matches(entry: str, name: str) -> bool:
    """An entry is a name, or an asterisk and the end of names. AWS[dns-firewall-domains]"""
    return name.endswith(entry[1:]) if entry.startswith("*") else name == entry


def _is_fail_open(view: View, vpc: str) -> bool:
    try:
        config = view.reply(FIREWALL_CONFIG, ResourceId=vpc).get("FirewallConfig", {})
    except MissingError:
        return True  # it matters only while the firewall is impaired
    return bool(config.get("FirewallFailOpen") == "ENABLED")
