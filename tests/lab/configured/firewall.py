"""The domain lists of AWS Network Firewall, as rules for `tests.lab.server_name_filter`."""

from __future__ import annotations

from typing import Any

from tests.lab.configured.network import Network


def rules_of(network: Network) -> dict[str, Any] | None:
    """The lists of the account's firewall in order, and what happens to names that none contains."""
    if not network.items("Firewalls", "network-firewall"):
        return None
    policy = network.reply("network-firewall:DescribeFirewallPolicy")["FirewallPolicy"]
    references = sorted(policy["StatefulRuleGroupReferences"], key=lambda entry: entry.get("Priority", 0))
    lists = []
    for reference in references:
        reply = network.reply(f"network-firewall:DescribeRuleGroup {reference['ResourceArn']}")
        listed = reply["RuleGroup"]["RulesSource"]["RulesSourceList"]
        lists.append({"kind": listed["GeneratedRulesType"], "targets": listed["Targets"]})
    strict = policy.get("StatefulEngineOptions", {}).get("RuleOrder") == "STRICT_ORDER"
    drops = any(action.startswith("aws:drop") for action in policy.get("StatefulDefaultActions", ()))
    return {"strict": strict, "lists": lists, "drops_others": strict and drops}
