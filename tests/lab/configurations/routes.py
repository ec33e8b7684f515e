"""Routes, gateway endpoints and NAT gateways, mutated."""

from __future__ import annotations

from tests.lab.configurations.vpc import (
    GATEWAY,
    NAT,
    NOTHING,
    OUT_BY_NAT,
    PRIVATE_TABLE,
    SUBNETS,
    TASK_INTERFACE,
    TASK_SUBNET,
    TO_GATEWAY,
    VPC,
    Confirmed,
    Generated,
    Mutate,
    confirms,
    route_table,
    set_routes,
    table_of_task,
)


def _no_gateway_route(made: Generated) -> Confirmed:
    set_routes(made)
    made.object(GATEWAY)["RouteTableIds"] = []
    return confirms("s3.route-table-not-associated", GATEWAY)


def _other_table(made: Generated) -> Confirmed:
    """The gateway endpoint's route is in the main table, and the task's subnet has one of its own."""
    if table_of_task(made) == PRIVATE_TABLE:
        return _no_gateway_route(made)
    made.objects("RouteTables").append(route_table(PRIVATE_TABLE, subnet=TASK_SUBNET))
    return confirms("s3.route-table-not-associated", GATEWAY)


def without_gateway(made: Generated) -> Confirmed:
    set_routes(made)
    endpoints = made.objects("VpcEndpoints")
    endpoints.remove(made.object(GATEWAY))
    return confirms("endpoint.missing.s3", VPC)


def _by_nat(made: Generated) -> Confirmed:
    """No gateway endpoint, and a NAT gateway instead: S3 is reached, which costs more."""
    missing = without_gateway(made)
    set_routes(made, OUT_BY_NAT)
    return missing


def _by_deleted_nat(made: Generated) -> Confirmed:
    """A narrower route than that of the gateway endpoint leads to a NAT gateway that no longer exists."""
    narrower = {**OUT_BY_NAT, "DestinationCidrBlock": "52.216.0.0/16", "State": "blackhole"}
    table = set_routes(made, TO_GATEWAY, narrower)
    return confirms("tcp.no-route", table)


def _by_nat_that(**members: str) -> Mutate:
    """The NAT gateway, instead of a gateway endpoint, cannot carry packets to public addresses."""

    def mutate(made: Generated) -> Confirmed:
        missing = _by_nat(made)
        made.object(NAT).update(members)
        return missing | confirms("tcp.no-route", NAT)

    return mutate


def _replies_nowhere(made: Generated) -> Confirmed:
    """In the table of one zone's endpoints, a route to the tasks' subnet that leads to an interface of the past."""
    back = {"DestinationCidrBlock": "10.0.1.0/24", "NetworkInterfaceId": "eni-0f000000", "State": "blackhole"}
    made.objects("RouteTables").append(route_table("rtb-0d000000", back, subnet=SUBNETS["b"]))
    return confirms("tcp.no-route", "rtb-0d000000")


def _wider_blackhole(made: Generated) -> Confirmed:
    """The prefix list of the gateway endpoint is more specific than a default route that leads nowhere."""
    set_routes(made, {**OUT_BY_NAT, "State": "blackhole"}, TO_GATEWAY)
    return NOTHING


def _by_internet_gateway(made: Generated) -> Confirmed:
    """The task's subnet has a way to the internet gateway, and the task no public address."""
    without_gateway(made)
    set_routes(made, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a000000", "State": "active"})
    return frozenset({("tcp.no-public-ip", TASK_INTERFACE), ("endpoint.missing.s3", VPC)})


MUTATIONS: dict[str, Mutate] = {
    "route-of-gateway-missing": _no_gateway_route,
    "route-in-another-table": _other_table,
    "route-gateway-endpoint-missing": without_gateway,
    "route-by-nat": _by_nat,
    "route-by-deleted-nat": _by_deleted_nat,
    "route-by-private-nat": _by_nat_that(ConnectivityType="private"),
    "route-by-failed-nat": _by_nat_that(State="failed"),
    "route-of-replies": _replies_nowhere,
    "route-wider-blackhole": _wider_blackhole,
    "route-by-internet-gateway": _by_internet_gateway,
}

# No configuration contains which of S3's addresses the name has.
UNDECIDED = ("route-by-deleted-nat",)
