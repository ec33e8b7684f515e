"""Knowing less makes nothing more certain: each call that names need is refused in turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.gates.names import Resolution
from tests.gates.resolution import (
    API,
    HUB,
    REGION,
    VPC,
    add_firewall_rule,
    add_hub,
    add_profile,
    add_rule,
    add_zone,
    addresses,
    alias,
    endpoint_item,
    own,
    plain_record,
    resolved,
    without_endpoint,
)
from tests.inspect.vpc import Account, healthy_vpc

Build = Callable[[], Account]
# A more precise cause of the same public answer, which only the account's zones and rules show.
PRECISER = {"dns.hosted-zone-not-associated", "dns.resolver-rule", "dns.hosted-zone-wrong-name"}
PUBLIC = {"dns.private-dns-disabled", "endpoint.missing.ecr-api"}


def _with(*changes: Callable[[Account], object]) -> Build:
    def build() -> Account:
        account = healthy_vpc()
        for change in changes:
            change(account)
        return account

    return build


def _private_dns_off(account: Account) -> None:
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False


def _custom_server(account: Account) -> None:
    (options,) = own(account, "ec2", "DhcpOptions")
    options["DhcpConfigurations"] = [{"Key": "domain-name-servers", "Values": [{"Value": "10.9.0.53"}]}]


BUILDS: dict[str, Build] = {
    "healthy": _with(),
    "no endpoint": _with(without_endpoint),
    "private DNS off": _with(_private_dns_off),
    "an own zone": _with(_private_dns_off, lambda account: add_zone(account, API, alias(API, "vpce-0e000001"))),
    "an own zone with addresses": _with(
        _private_dns_off, lambda account: add_zone(account, API, plain_record(API, "10.0.1.10", "10.0.1.99"))
    ),
    "a zone without the record": _with(_private_dns_off, lambda account: add_zone(account, API)),
    "a zone with swapped labels": _with(
        _private_dns_off, lambda account: add_zone(account, f"ecr.api.{REGION}.amazonaws.com")
    ),
    "a zone that is not associated": _with(
        _private_dns_off, lambda account: add_zone(account, API, alias(API, "vpce-0e000001"), vpcs=())
    ),
    "a zone of a Profile": _with(
        _private_dns_off,
        lambda account: add_zone(account, API, alias(API, "vpce-0e000001"), vpcs=()),
        lambda account: add_profile(account, "arn:aws:route53:::hostedzone/Z0A"),
    ),
    "a central zone": _with(
        without_endpoint,
        add_hub,
        lambda account: add_zone(account, API, alias(API, "vpce-0b000001"), vpcs=(HUB, VPC)),
    ),
    "a rule to the hub": _with(
        without_endpoint,
        lambda account: add_hub(account, private_dns=True),
        lambda account: add_rule(account, "amazonaws.com", "10.9.0.53"),
    ),
    "a rule to a hub where the name is public": _with(add_hub, lambda account: add_rule(account, API, "10.9.0.53")),
    "a rule to servers of one's own": _with(lambda account: add_rule(account, API, "10.1.0.53")),
    "the hub's resolver": _with(without_endpoint, lambda account: add_hub(account, private_dns=True), _custom_server),
    "a firewall": _with(
        lambda account: add_firewall_rule(account, "ALLOW", "*.amazonaws.com", priority=1),
        lambda account: add_firewall_rule(account, "BLOCK", "*", priority=2),
    ),
    "a firewall that blocks": _with(lambda account: add_firewall_rule(account, "BLOCK", API, priority=1)),
}


@pytest.mark.parametrize("case", BUILDS)
def test_a_call_that_is_refused_makes_nothing_more_certain(case: str) -> None:
    account = BUILDS[case]()
    whole = resolved(account)
    for call in sorted(set(account.calls)):
        poorer = BUILDS[case]()
        poorer.denied.add(call)
        less = resolved(poorer)
        assert _refusals(less) <= _refusals(whole) | (PUBLIC if _refusals(whole) & PRECISER else set()), call
        assert not _all_allow(less) or _all_allow(whole), call
        # Addresses that the whole would not give are predicted only next to a gate that is unknown.
        assert less.is_doubted or set(addresses(less)) <= set(addresses(whole)) or not _all_allow(less), call


def _refusals(resolution: Resolution) -> set[str | None]:
    return {opinion.cause for opinion in resolution.opinions if opinion.refuses}


def _all_allow(resolution: Resolution) -> bool:
    return all(opinion.allows for opinion in resolution.opinions)
