"""Faults of connections: addresses that stay silent, refuse or cannot be routed to."""

from __future__ import annotations

from dataclasses import replace

from probe.faults.fault import Fault
from probe.model import Extent, Impact

SILENT = Fault(
    "tcp.silent",
    "nothing answers on port 443 of {endpoints}",
    "Packets to {where} are dropped, not refused. A security group of the endpoints, the task's own group and a network ACL look the same from inside; the reads below decide.",
    Impact.PULL,
    ("tcp.security-group", "tcp.nacl"),
)
PARTLY_SILENT = Fault(
    "tcp.partly-silent",
    "some addresses of {endpoints} do not answer on port 443, others do",
    "Each was tried twice. What admits one zone and not the other is a subnet's network ACL or a group that names addresses.",
    Impact.PULL,
    ("tcp.nacl", "tcp.security-group", "tcp.az-without-eni"),
    Extent.PARTLY,
)
S3_SILENT = Fault(
    "s3.silent",
    "nothing answers on port 443 of S3, where ECR keeps the layers",
    "{host} has public addresses, which is right with a gateway endpoint, but no packet comes back. A missing route and a closed group look the same from inside.",
    Impact.PULL,
    (
        "endpoint.missing.s3",
        "s3.route-table-not-associated",
        "tcp.security-group-s3-egress",
        "tcp.nacl",
        "endpoint.s3-interface-not-gateway",
        "path.egress-firewall",
    ),
)
REFUSED = Fault(
    "tcp.refused",
    "connections to {endpoints} are refused",
    "AWS never refuses: groups and network ACLs drop. A firewall or host in between answered.",
    Impact.PULL,
    ("path.egress-firewall",),
)
REFUSED_PARTLY = replace(
    REFUSED,
    title="connections to some addresses of {endpoints} are refused, others work",
    extent=Extent.PARTLY,
)
NO_ROUTE = Fault(
    "tcp.no-route",
    "the task has no route to {endpoints}",
    "The connection failed at once, before a packet left: this host knows no way to {addresses}.",
    Impact.PULL,
    ("tcp.no-route",),
)
IPV6_ONLY = Fault(
    "region.ipv6-unsupported-endpoint",
    "{endpoints} has only IPv4 addresses, and this task has only IPv6",
    "The name {hosts} is IPv4 only where this task asks.",
    Impact.PULL,
    ("region.ipv6-unsupported-endpoint",),
)
