"""Security groups and network ACLs, mutated."""

from __future__ import annotations

from tests.lab.cloud import ENIS, ZONES
from tests.lab.configurations.vpc import (
    ENDPOINT_ACL,
    ENDPOINT_GROUP,
    NOTHING,
    OTHER_GROUP,
    RANGE,
    S3_LIST,
    SUBNETS,
    TASK_ACL,
    TASK_GROUP,
    TASK_INTERFACE,
    TASK_SUBNET,
    Confirmed,
    Generated,
    Item,
    Mutate,
    acl_entry,
    confirms,
    interface_of,
    network_acl,
    permission,
)


def _ingress(*rules: Item) -> Mutate:
    """The endpoints' group admits only this."""

    def mutate(made: Generated) -> Confirmed:
        made.object(ENDPOINT_GROUP)["IpPermissions"] = list(rules)
        return confirms("tcp.security-group", ENDPOINT_GROUP)

    return mutate


_GROUP, _GROUP_OF_S3 = "tcp.security-group", "tcp.security-group-s3-egress"


def _egress(causes: tuple[str, ...], *rules: Item) -> Mutate:
    """The task's group lets only this out."""

    def mutate(made: Generated) -> Confirmed:
        made.object(TASK_GROUP)["IpPermissionsEgress"] = list(rules)
        return frozenset((cause, TASK_GROUP) for cause in causes)

    return mutate


def _ingress_of_one(made: Generated) -> Confirmed:
    """One endpoint has another group, without a rule."""
    for zone in ZONES:
        made.object(interface_of(zone, "ecr.dkr"))["Groups"] = [{"GroupId": OTHER_GROUP}]
    made.object(OTHER_GROUP)["IpPermissions"] = [permission(group=OTHER_GROUP)]
    made.object(TASK_GROUP)["IpPermissionsEgress"] = [permission("-1", cidr="0.0.0.0/0")]
    return confirms("tcp.security-group", OTHER_GROUP)


def _task_in_group(made: Generated) -> Confirmed:
    """A group that refers to itself admits the task, which has it too."""
    made.object(ENDPOINT_GROUP)["IpPermissions"] = [permission("-1", group=ENDPOINT_GROUP)]
    made.object(TASK_INTERFACE)["Groups"].append({"GroupId": ENDPOINT_GROUP})
    return NOTHING


def _denying(subnets: str, egress: bool, cidr: str, ports: tuple[int, int], *, harmless: bool = False) -> Mutate:
    """A new ACL of the task's or the endpoints' subnets denies this and allows everything else."""

    def mutate(made: Generated) -> Confirmed:
        identity = TASK_ACL if subnets == "task" else ENDPOINT_ACL
        acls = made.objects("NetworkAcls")
        acls[:] = [acl for acl in acls if acl["NetworkAclId"] != identity]
        entries = [
            acl_entry(100, True, "-1", "0.0.0.0/0"),
            acl_entry(100, False, "-1", "0.0.0.0/0"),
            acl_entry(90, egress, "6", cidr, ports, allow=False),
        ]
        own = (TASK_SUBNET,) if subnets == "task" else tuple(SUBNETS.values())
        acls.append(network_acl(identity, *own, entries=entries))
        return NOTHING if harmless else confirms("tcp.nacl", identity)

    return mutate


def _empty_acl(made: Generated) -> Confirmed:
    """An ACL without any entry of its own, as a new one has none, of one zone's endpoints."""
    acls = made.objects("NetworkAcls")
    acls[:] = [acl for acl in acls if acl["NetworkAclId"] != ENDPOINT_ACL]
    acls.append(network_acl(ENDPOINT_ACL, SUBNETS["b"], entries=[]))
    return confirms("tcp.nacl", ENDPOINT_ACL)


MUTATIONS: dict[str, Mutate] = {
    "ingress-of-another-range": _ingress(permission(cidr="10.0.2.0/24")),
    "ingress-of-other-addresses": _ingress(permission(cidr="10.0.1.0/26")),
    "ingress-of-another-protocol": _ingress(permission("17", cidr="0.0.0.0/0")),
    "ingress-of-itself": _ingress(permission("-1", group=ENDPOINT_GROUP)),
    "ingress-of-another-group": _ingress(permission(group=OTHER_GROUP)),
    "ingress-of-one-endpoint": _ingress_of_one,
    "ingress-by-a-common-group": _task_in_group,
    "egress-empty": _egress((_GROUP, _GROUP_OF_S3)),
    "egress-to-the-vpc": _egress((_GROUP_OF_S3,), permission(cidr=RANGE)),
    "egress-to-s3": _egress((_GROUP,), permission(prefix_list=S3_LIST)),
    "egress-of-half-the-world": _egress((_GROUP,), permission("-1", cidr="32.0.0.0/3")),
    "acl-request-leaves": _denying("task", True, "0.0.0.0/0", (443, 443)),
    "acl-request-to-one-interface": _denying("task", True, f"{ENIS['a', 'logs']}/32", (443, 443)),
    "acl-request-arrives": _denying("endpoints", False, "10.0.1.0/24", (0, 65535)),
    "acl-reply-leaves": _denying("endpoints", True, "10.0.0.0/23", (1024, 65535)),
    "acl-reply-arrives": _denying("task", False, "0.0.0.0/0", (1024, 65535)),
    "acl-reply-of-s3": _denying("task", False, "52.216.0.0/14", (32768, 60999)),
    "acl-unused-ports": _denying("task", False, "0.0.0.0/0", (1024, 30000), harmless=True),
    "acl-empty": _empty_acl,
}

# No configuration contains which of S3's addresses the name has, or from which port the task connects.
UNDECIDED = ("acl-reply-of-s3", "acl-unused-ports")
