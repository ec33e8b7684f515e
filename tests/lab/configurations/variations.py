"""Ways to be healthy: other rules, entries, tables and zones that let a pull through too."""

from __future__ import annotations

from tests.lab.cloud import ACCOUNT, ENIS, HOSTS, TASK, ZONES
from tests.lab.configurations.vpc import (
    ENDPOINT_ACL,
    ENDPOINT_GROUP,
    ENDPOINTS,
    GATEWAY,
    MAIN_TABLE,
    OTHER_GROUP,
    OUT_BY_NAT,
    OWN_LIST,
    PRIVATE_TABLE,
    RANGE,
    S3_LIST,
    SUBNETS,
    TASK_ACL,
    TASK_GROUP,
    TASK_SUBNET,
    TO_GATEWAY,
    Generated,
    Item,
    acl_entry,
    add_zone,
    network_acl,
    permission,
    route_table,
    table_of_task,
)


def vary(made: Generated) -> None:
    """Choose other rules, entries, tables and zones that admit a pull too."""
    rng = made.rng
    made.object(ENDPOINT_GROUP)["IpPermissions"] = rng.choice(_ADMITTING)
    made.object(TASK_GROUP)["IpPermissionsEgress"] = rng.choice(_LETTING_OUT)
    if rng.random() < 0.3:  # the union of two groups counts
        made.object(OTHER_GROUP)["IpPermissions"] = [
            permission("-1", group=OTHER_GROUP),
            permission("udp", cidr="0.0.0.0/0"),
        ]
        _join(made, ENDPOINT_GROUP, OTHER_GROUP)
    if rng.random() < 0.5:
        own_acl(made, TASK_ACL, TASK_SUBNET)
    if rng.random() < 0.5:
        own_acl(made, ENDPOINT_ACL, *SUBNETS.values())
    if rng.random() < 0.4:
        _own_table(made)
    if rng.random() < 0.3:
        made.object(table_of_task(made))["Routes"].append(dict(OUT_BY_NAT))
    if rng.random() < 0.3:
        zone_instead_of_private_dns(made, rng.choice(list(HOSTS)))


# Each list admits 443 from the task, the last by two rules of which either is too narrow for the subnet.
_ADMITTING: tuple[list[Item], ...] = (
    [permission(cidr=RANGE)],
    [permission("6", cidr="10.0.1.0/24")],
    [permission("-1", cidr=f"{TASK}/32")],
    [permission(group=TASK_GROUP)],
    [permission(prefix_list=OWN_LIST)],
    [permission("udp", cidr=RANGE), permission("tcp", (0, 65535), cidr="10.0.0.0/23")],
    [
        permission(cidr="10.0.1.0/26"),
        permission(ports=(80, 443), cidr="10.0.1.64/26"),
        permission(ports=(22, 22), cidr=RANGE),
    ],
)
_LETTING_OUT: tuple[list[Item], ...] = (
    [permission("-1", cidr="0.0.0.0/0")],
    [permission(cidr="0.0.0.0/0")],
    [permission(cidr=RANGE), permission(prefix_list=S3_LIST)],
    [permission(group=ENDPOINT_GROUP), permission(cidr="52.216.0.0/15"), permission(cidr="54.231.0.0/16")],
    [permission("6", (1, 1023), cidr="0.0.0.0/1"), permission(cidr="128.0.0.0/1")],
)


def _join(made: Generated, with_group: str, group: str) -> None:
    """Give a further group to every interface that has `with_group`."""
    for interface in made.objects("NetworkInterfaces"):
        if {"GroupId": with_group} in interface["Groups"]:
            interface["Groups"].append({"GroupId": group})


def own_acl(made: Generated, identity: str, *subnets: str) -> None:
    """An ACL with only what is needed, in one of two styles."""
    tasks = identity == TASK_ACL
    entries = [
        acl_entry(100, tasks, "6", "0.0.0.0/0", (443, 443)),
        acl_entry(100, not tasks, "6", "0.0.0.0/0", (1024, 65535)),
        acl_entry(90, tasks, "17", "0.0.0.0/0", allow=False),  # UDP is not TCP
        acl_entry(50, False, "6", "10.9.0.0/16", allow=False),  # no host is there
    ]
    if made.rng.random() < 0.5:
        entries = [
            *(acl_entry(200, egress, "-1", "0.0.0.0/0") for egress in (True, False)),
            acl_entry(300, tasks, "6", "0.0.0.0/0", (443, 443), allow=False),  # too late to count
            acl_entry(110, not tasks, "6", "0.0.0.0/0", (22, 22), allow=False),
        ]
    made.rng.shuffle(entries)  # the API promises no order
    made.objects("NetworkAcls").append(network_acl(identity, *subnets, entries=entries))


def _own_table(made: Generated) -> None:
    """A table of the task's subnet, while the main one leads nowhere."""
    made.object(MAIN_TABLE)["Routes"].pop()
    made.objects("RouteTables").append(route_table(PRIVATE_TABLE, dict(TO_GATEWAY), subnet=TASK_SUBNET))
    made.object(GATEWAY)["RouteTableIds"] = [PRIVATE_TABLE]


def zone_instead_of_private_dns(made: Generated, name: str) -> None:
    """A hosted zone with the endpoint's names, as an alias or as addresses."""
    made.object(ENDPOINTS[name])["PrivateDnsEnabled"] = False
    host = HOSTS[name]
    zone = host.removeprefix(f"{ACCOUNT}.")
    record: Item = {"Name": f"{host}.", "Type": "A", "TTL": 60}
    if name == "ecr.dkr" and made.rng.random() < 0.5:
        record["Name"] = f"\\052.{zone}."
    if made.rng.random() < 0.5:
        own = next(entry["DnsName"] for entry in made.object(ENDPOINTS[name])["DnsEntries"])
        record["AliasTarget"] = {"HostedZoneId": "Z7HUB22UULQXV", "DNSName": own, "EvaluateTargetHealth": False}
    else:
        record["ResourceRecords"] = [{"Value": ENIS[part, name]} for part in ZONES]
    add_zone(made, f"Z{list(HOSTS).index(name)}", zone, record)
