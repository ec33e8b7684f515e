"""Firewalls on the route: AWS Network Firewall's domain lists are decided, other appliances are named.

A domain list looks at the server name of a ClientHello. AWS[network-firewall-domain-lists]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from probe.configuration.operations import (
    FIREWALL,
    FIREWALL_POLICY,
    FIREWALLS,
    NETWORK_FIREWALL_RULES,
)
from probe.configuration.view import View
from probe.gates.flow import PORT, Flow
from probe.gates.network_changes import ReplaceRuleGroup
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.public_path import endpoint_of, nat_of, ways_out
from probe.gates.ranges import common, covered, networks, span
from probe.gates.route_tables import Hop, Way, way_of
from probe.model import Failure, GateName
from probe.safe_words import json_bytes

_GATE = GateName.NETWORK_FIREWALL
_DENYING = ("DENYLIST", "REJECTLIST")
_DROP_FIRST_PACKET = ("aws:drop", "aws:drop_strict")


def network_firewall(view: View, flow: Flow) -> Opinion:
    """Whether a firewall to which the routes lead lets the connection through."""
    ways = _ways(view, flow)
    opinions = [opinion for found in ways if (opinion := _at(view, flow, found)) is not None]
    stops = next((opinion for opinion in opinions if opinion.refuses), None)
    stops = stops or next((opinion for opinion in opinions if not opinion.allows), None)
    if stops is not None:
        return stops
    return opinions[0] if opinions else allows(_GATE, f"no firewall is on the route to {flow.place}")


def failure_of(refusal: Opinion) -> Failure:
    """What a client measures where this gate refuses: a list decides when it has seen the server name."""
    if refusal.element in _DROP_FIRST_PACKET:
        return Failure.TIMEOUT
    return Failure.TLS_RESET if str(refusal.element).startswith("REJECTLIST") else Failure.TLS_STALL


def _ways(view: View, flow: Flow) -> tuple[Way, ...]:
    if flow.is_within_subnet:
        return ()
    if flow.public:
        return ways_out(view, flow)
    found = way_of(view, flow)
    return (found,) if found is not None else ()


def _at(view: View, flow: Flow, found: Way) -> Opinion | None:
    """What happens at the target of one route; None: nothing is inspected there."""
    vpc = flow.origin.vpc
    if found.hop is Hop.DEVICE and not flow.public:
        sentence = f"{found.table} leads through {found.target}; what it forwards is not in this configuration"
        return depends(_GATE, sentence, found.target, found.destination)
    if found.hop is Hop.NAT:
        appliances = nat_of(view, found.target, vpc).get("AttachedAppliances", ())
        proxy = next((entry for entry in appliances if entry.get("AttachmentState") == "attached"), None)
        if proxy is not None:
            sentence = f"{found.target} passes connections to {proxy.get('Type')}; its rules are not read"
            return depends(_GATE, sentence, proxy.get("ApplianceArn") or found.target)
    if found.hop is not Hop.INSPECTION:
        return None
    firewall = _firewall_of(view, found.target, vpc)
    if firewall is None:
        service = endpoint_of(view, found.target, vpc).get("ServiceName")
        sentence = f"{found.target} leads to a gateway load balancer ({service}); its appliances' rules are not AWS's"
        return depends(_GATE, sentence, found.target, found.destination)
    return _judge(view, flow, firewall)


def _firewall_of(view: View, endpoint: str, vpc: str) -> dict[str, Any] | None:
    """The firewall that this endpoint belongs to; None where it is none of AWS Network Firewall."""
    for listed in view.items(FIREWALLS, VpcIds=[vpc]):
        reply = view.reply(FIREWALL, FirewallArn=listed["FirewallArn"])
        states = reply.get("FirewallStatus", {}).get("SyncStates", {})
        if any(state.get("Attachment", {}).get("EndpointId") == endpoint for state in states.values()):
            return dict(reply.get("Firewall", {}))
    return None


def _judge(view: View, flow: Flow, firewall: dict[str, Any]) -> Opinion:
    arn = firewall["FirewallPolicyArn"]
    name = firewall.get("FirewallName")
    policy = view.reply(FIREWALL_POLICY, FirewallPolicyArn=arn).get("FirewallPolicy", {})
    stateless = _stateless_actions(view, flow, policy)
    if stateless is None:
        return depends(_GATE, f"stateless rules of firewall {name} match a part of these packets", arn)
    if "aws:pass" in stateless:
        return allows(_GATE, f"firewall {name} passes these packets without inspection", arn)
    if "aws:drop" in stateless:
        return _stops(f"firewall {name} drops these packets by a stateless rule", arn, "aws:drop")
    if "aws:forward_to_sfe" not in stateless:
        return depends(_GATE, f"firewall {name} has stateless actions that are not known: {', '.join(stateless)}", arn)
    strict = policy.get("StatefulEngineOptions", {}).get("RuleOrder") == "STRICT_ORDER"
    return (_in_order if strict else _by_action)(view, flow, policy, arn, str(name))


def _stops(sentence: str, identity: str, element: str, change: ReplaceRuleGroup | None = None) -> Opinion:
    return refuses(_GATE, sentence, cause="path.egress-firewall", identity=identity, element=element, change=change)


# ---- stateful: domain lists ----------------------------------------------------------------------------------------


_LONGEST_COMMAND = 4000  # characters of a rule group that a terminal takes


def _edited(view: View, arn: str, host: str) -> ReplaceRuleGroup | None:
    """The change of a domain list that lets the host pass: it is added to an allow list, or what denies it removed."""
    group = view.reply(NETWORK_FIREWALL_RULES, RuleGroupArn=arn).get("RuleGroup", {})
    source = group.get("RulesSource", {})
    listed = source.get("RulesSourceList", {})
    allowing = listed.get("GeneratedRulesType") == "ALLOWLIST"
    others = [target for target in listed.get("Targets", ()) if _matched({"Targets": [target]}, host) is None]
    targets = [*listed.get("Targets", ()), host] if allowing else others
    if not targets:
        return None  # a list cannot be empty
    new = {**group, "RulesSource": {**source, "RulesSourceList": {**listed, "Targets": targets}}}
    encoded = json_bytes(new).decode()
    text = f"allow {host} in rule group" if allowing else f"take what denies {host} out of rule group"
    return ReplaceRuleGroup(object=arn, group=encoded, text=text) if len(encoded) <= _LONGEST_COMMAND else None


def _groups(view: View, flow: Flow, policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The stateful rule groups in order: ARN and domain list; None: rules of another kind, or a list that is not known
    to inspect these packets.

    AWS's own groups list hosts of malware, and are left out.
    """
    references = policy.get("StatefulRuleGroupReferences", ())
    for reference in sorted(references, key=lambda entry: int(entry.get("Priority", 0))):
        arn = reference["ResourceArn"]
        if ":aws-managed:" in arn:
            continue
        group = view.reply(NETWORK_FIREWALL_RULES, RuleGroupArn=arn).get("RuleGroup", {})
        listed = group.get("RulesSource", {}).get("RulesSourceList")
        if listed is None or not _is_home(flow, policy, group):
            yield arn, None
        elif "TLS_SNI" in listed.get("TargetTypes", ()):
            yield arn, listed


def _is_home(flow: Flow, policy: dict[str, Any], group: dict[str, Any]) -> bool:
    """Whether HOME_NET, whose packets domain lists inspect, has the sender. AWS[network-firewall-home-net]"""
    senders = [span(each) for each in flow.origin.networks(flow.version)]
    variables = (
        policy.get("PolicyVariables", {}).get("RuleVariables", {}),
        group.get("RuleVariables", {}).get("IPSets", {}),
    )
    homes = [each["HOME_NET"].get("Definition", ()) for each in variables if "HOME_NET" in each]
    return all(covered(senders, map(span, networks(home, flow.version))) for home in homes)


def _matched(listed: dict[str, Any], host: str) -> str | None:
    """The entry that contains the host: a name, or a domain with its subdomains after a leading dot."""
    for target in listed.get("Targets", ()):
        name = str(target).lower()
        if host == name or (name.startswith(".") and (host == name[1:] or host.endswith(name))):
            return str(target)
    return None


def _not_decided(name: str) -> str:
    return f"firewall {name} has rules that are not domain lists, or lists for another HOME_NET"


def _by_action(view: View, flow: Flow, policy: dict[str, Any], arn: str, name: str) -> Opinion:
    """The default order: every pass comes before every drop. AWS[network-firewall-order]"""
    host = flow.host.lower()
    groups = list(_groups(view, flow, policy))
    for group, listed in groups:
        if listed and listed.get("GeneratedRulesType") == "ALLOWLIST" and (target := _matched(listed, host)):
            return allows(_GATE, f"{target} in a list of firewall {name} allows {host}", group, target)
    if any(listed is None for _, listed in groups):
        return depends(_GATE, _not_decided(name), arn)
    for group, listed in groups:
        kind = (listed or {}).get("GeneratedRulesType")
        target = _matched(listed or {}, host)
        if kind in _DENYING and target:
            sentence = f"{target} in a list of firewall {name} denies {host}"
            return _stops(sentence, group, f"{kind} {target}", _edited(view, group, host))
        if kind == "ALLOWLIST":
            sentence = f"the list of firewall {name} that allows hosts does not contain {host}"
            return _stops(sentence, group, kind, _edited(view, group, host))
    return allows(_GATE, f"no rule of firewall {name} denies {host}", arn)


def _in_order(view: View, flow: Flow, policy: dict[str, Any], arn: str, name: str) -> Opinion:
    """The strict order: the first group that matches, else the policy's default action."""
    host = flow.host.lower()
    allowing = None
    for group, listed in _groups(view, flow, policy):
        if listed is None:
            return depends(_GATE, _not_decided(name), arn, group)
        kind, target = listed.get("GeneratedRulesType"), _matched(listed, host)
        allowing = allowing or (group if kind == "ALLOWLIST" else None)
        if target and kind == "ALLOWLIST":
            return allows(_GATE, f"{target} in a list of firewall {name} allows {host}", group, target)
        if target and kind in _DENYING:
            sentence = f"{target} in a list of firewall {name} denies {host}"
            return _stops(sentence, group, f"{kind} {target}", _edited(view, group, host))
    drops = [action for action in policy.get("StatefulDefaultActions", ()) if action.startswith("aws:drop")]
    if drops:
        sentence = f"no list of firewall {name} contains {host}, and its default is {drops[0]}"
        return _stops(sentence, arn, drops[0], _edited(view, allowing, host) if allowing else None)
    return allows(_GATE, f"no rule of firewall {name} denies {host}", arn)


# ---- stateless -----------------------------------------------------------------------------------------------------


def _stateless_actions(view: View, flow: Flow, policy: dict[str, Any]) -> Sequence[str] | None:
    """The actions of the first stateless rule that matches, else the default ones; None: one matches in part."""
    references = policy.get("StatelessRuleGroupReferences", ())
    for reference in sorted(references, key=lambda entry: int(entry.get("Priority", 0))):
        reply = view.reply(NETWORK_FIREWALL_RULES, RuleGroupArn=reference["ResourceArn"])
        source = reply.get("RuleGroup", {}).get("RulesSource", {}).get("StatelessRulesAndCustomActions", {})
        for rule in sorted(source.get("StatelessRules", ()), key=lambda entry: int(entry["Priority"])):
            definition = rule.get("RuleDefinition", {})
            matches = _matches(definition.get("MatchAttributes", {}), flow)
            if matches is None:
                return None
            if matches:
                return tuple(definition.get("Actions", ()))
    return tuple(policy.get("StatelessDefaultActions", ()))


def _matches(attributes: dict[str, Any], flow: Flow) -> bool | None:
    """Whether a stateless rule matches all of the packets; None: a part of them."""
    protocols = attributes.get("Protocols", ())
    if protocols and 6 not in protocols:
        return False
    ports = attributes.get("DestinationPorts", ())
    if ports and not any(entry["FromPort"] <= PORT <= entry["ToPort"] for entry in ports):
        return False
    sources = [span(network) for network in flow.origin.networks(flow.version)]
    targets = [span(network) for network in flow.destinations]
    parts = (
        _within(sources, attributes.get("Sources", ()), flow.version),
        _within(targets, attributes.get("Destinations", ()), flow.version),
        None if attributes.get("SourcePorts") or attributes.get("TCPFlags") else True,
    )
    if False in parts:
        return False
    return None if None in parts else True


def _within(spans: Sequence[tuple[int, int]], listed: Iterable[dict[str, Any]], version: int) -> bool | None:
    definitions = [entry["AddressDefinition"] for entry in listed]
    if not definitions:
        return True
    parts = [span(network) for network in networks(definitions, version)]
    if covered(spans, parts) and spans:
        return True
    return None if any(common(one, other) for one in spans for other in parts) else False
