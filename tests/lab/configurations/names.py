"""What answers for names, mutated: private DNS, zones, DNS Firewall, and the endpoints themselves."""

from __future__ import annotations

from tests.lab.cloud import HOSTS, LAYERS, REGION, ZONES
from tests.lab.configurations.variations import zone_instead_of_private_dns
from tests.lab.configurations.vpc import (
    ENDPOINTS,
    NOTHING,
    SUBNETS,
    TASK_GROUP,
    VPC,
    Confirmed,
    Generated,
    Item,
    Mutate,
    add_zone,
    confirms,
    interface_of,
    permission,
)


def _let_out_everywhere(made: Generated) -> None:
    """No configuration contains which public addresses a name has: a group that lets out to some of them decides
    nothing.
    """
    made.object(TASK_GROUP)["IpPermissionsEgress"] = [permission("-1", cidr="0.0.0.0/0")]


def _private_dns_off(made: Generated) -> Confirmed:
    _let_out_everywhere(made)
    name = made.rng.choice(list(HOSTS))
    forget_zones(made)
    for each in ENDPOINTS.values():
        made.object(each)["PrivateDnsEnabled"] = True
    made.object(ENDPOINTS[name])["PrivateDnsEnabled"] = False
    return confirms("dns.private-dns-disabled", ENDPOINTS[name])


def forget_zones(made: Generated) -> None:
    made.account.objects.pop("route53", None)
    for endpoint in ENDPOINTS.values():
        made.object(endpoint)["PrivateDnsEnabled"] = True


def _endpoints_in_another_zone(made: Generated) -> Confirmed:
    """No endpoint has an interface in the task's zone. Connections cross zones."""
    forget_zones(made)
    for name in HOSTS:
        made.objects("NetworkInterfaces").remove(made.object(interface_of("a", name)))
        own = {"NetworkInterfaceIds": [interface_of("b", name)], "SubnetIds": [SUBNETS["b"]]}
        made.object(ENDPOINTS[name]).update(own)
    return NOTHING


def _attribute_off(attribute: str) -> Mutate:
    def mutate(made: Generated) -> Confirmed:
        _let_out_everywhere(made)
        made.objects("Vpcs")[0][f"_{attribute}"] = False
        return confirms("dns.vpc-attributes-off", VPC)

    return mutate


_MISSING = {
    "ecr.api": "endpoint.missing.ecr-api",
    "ecr.dkr": "endpoint.missing.ecr-dkr",
    "logs": "logs.endpoint-missing",
}


def _missing(made: Generated) -> Confirmed:
    """An endpoint does not exist, and neither do its interfaces."""
    _let_out_everywhere(made)
    forget_zones(made)
    name = made.rng.choice(list(HOSTS))
    made.objects("VpcEndpoints").remove(made.object(ENDPOINTS[name]))
    for zone in ZONES:
        made.objects("NetworkInterfaces").remove(made.object(interface_of(zone, name)))
    return confirms(_MISSING[name], VPC)


def _pending(made: Generated) -> Confirmed:
    """An endpoint waits for its acceptance."""
    _let_out_everywhere(made)
    forget_zones(made)
    made.object(ENDPOINTS["logs"])["State"] = "pendingAcceptance"
    return confirms("endpoint.not-available", ENDPOINTS["logs"])


def _zone_without_record(made: Generated) -> Confirmed:
    forget_zones(made)
    made.object(ENDPOINTS["ecr.api"])["PrivateDnsEnabled"] = False
    add_zone(made, "Z8", f"ecr.{REGION}.amazonaws.com")
    return confirms("dns.hosted-zone-missing-record", "Z8")


def _wider_zone(made: Generated) -> Confirmed:
    """A zone of a parent domain does not hide the names of private DNS, which are more specific."""
    forget_zones(made)
    add_zone(made, "Z8", f"ecr.{REGION}.amazonaws.com")
    return NOTHING


def _two_zones(made: Generated) -> Confirmed:
    """Of two zones of the account, the more specific one has the record."""
    forget_zones(made)
    zone_instead_of_private_dns(made, "ecr.api")
    add_zone(made, "Z8", f"ecr.{REGION}.amazonaws.com")
    return NOTHING


def _stale_record(made: Generated) -> Confirmed:
    """A record still has addresses of an endpoint that was created anew."""
    forget_zones(made)
    made.object(ENDPOINTS["ecr.api"])["PrivateDnsEnabled"] = False
    values = [{"Value": f"{net}.99"} for net in ZONES.values()]
    add_zone(made, "Z8", HOSTS["ecr.api"], {"Name": f"{HOSTS['ecr.api']}.", "Type": "A", "ResourceRecords": values})
    return confirms("dns.stale-record", VPC)


def _zone_over_layers(made: Generated) -> Confirmed:
    """A zone of S3's domain hides the bucket of layers."""
    add_zone(made, "Z9", f"s3.{REGION}.amazonaws.com")
    return confirms("dns.hosted-zone-conflict", "Z9")


def _firewall(allowed_before: bool) -> Mutate:
    """DNS Firewall blocks the layers' names; a rule with a smaller number may allow them before."""

    def mutate(made: Generated) -> Confirmed:
        for priority, action, domain in ((20, "BLOCK", f"*.{REGION}.amazonaws.com"), (10, "ALLOW", LAYERS)):
            if action == "ALLOW" and not allowed_before:
                continue
            identity = f"rslvr-fdl-{priority}"
            rule: Item = {"FirewallRuleGroupId": "rslvr-frg-1", "FirewallDomainListId": identity}
            rule |= {"Priority": priority, "Action": action}
            if action == "BLOCK":
                domain = domain if not allowed_before else "*.s3.us-east-1.amazonaws.com"
                rule["BlockResponse"] = "NXDOMAIN"
            else:
                rule["FirewallDomainRedirectionAction"] = "TRUST_REDIRECTION_DOMAIN"
            made.objects("FirewallRules", "route53resolver").append(rule)
            made.objects("FirewallDomainLists", "route53resolver").append({"Id": identity})
            entry = {"_": f"{domain}.", "_FirewallDomainListId": identity}
            made.objects("Domains", "route53resolver").append(entry)
        association = {"FirewallRuleGroupId": "rslvr-frg-1", "VpcId": VPC, "Priority": 101, "Status": "COMPLETE"}
        made.objects("FirewallRuleGroupAssociations", "route53resolver").append(association)
        return NOTHING if allowed_before else confirms("dns.firewall", "rslvr-frg-1")

    return mutate


MUTATIONS: dict[str, Mutate] = {
    "names-private-dns-off": _private_dns_off,
    "names-endpoints-in-another-zone": _endpoints_in_another_zone,
    "names-hostnames-off": _attribute_off("enableDnsHostnames"),
    "names-support-off": _attribute_off("enableDnsSupport"),
    "names-endpoint-missing": _missing,
    "names-endpoint-pending": _pending,
    "names-zone-without-record": _zone_without_record,
    "names-wider-zone": _wider_zone,
    "names-two-zones": _two_zones,
    "names-stale-record": _stale_record,
    "names-zone-over-layers": _zone_over_layers,
    "names-firewall": _firewall(allowed_before=False),
    "names-firewall-allows-before": _firewall(allowed_before=True),
}
