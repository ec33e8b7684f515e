"""Route tables as routes of Linux, one table for each subnet and address family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from tests.lab.cloud import AWS, MIDDLEBOX
from tests.lab.configured.network import Item, Network, is_inside, is_ipv6, ranges

_NOWHERE = "blackhole"


class Routes:
    """What the router does with packets of each subnet. `throw` is its own table, which knows where every host is."""

    def __init__(self, network: Network) -> None:
        self._network = network
        # The subnets of NAT gateways, whose ACLs packets pass too. Routes through the Nth have the realm N, from 1.
        self.realms: list[str] = list(
            dict.fromkeys(item["SubnetId"] for item in network.items("NatGateways") if "SubnetId" in item)
        )

    def tables(self) -> Iterator[tuple[str, list[str]]]:
        """Each range of a subnet with its routes, in the notation of `ip route add`."""
        for subnet in self._network.items("Subnets"):
            for version in (4, 6):
                routes = list(self._of_subnet(subnet, version))
                for cidr in ranges(subnet, version):
                    yield cidr, routes

    def _of_subnet(self, subnet: Item, version: int) -> Iterator[str]:
        if version == 4:
            yield "throw 169.254.0.0/16"
        yield f"{_NOWHERE} default metric 1000"
        for route in self._network.table(subnet)["Routes"]:
            for cidr in self._destinations(route):
                if is_ipv6(cidr) is (version == 6):
                    yield self._route(cidr, route, subnet)

    def _destinations(self, route: Item) -> list[str]:
        single = [route[key] for key in ("DestinationCidrBlock", "DestinationIpv6CidrBlock") if key in route]
        return single or self._network.entries(route["DestinationPrefixListId"])

    def _route(self, cidr: str, route: Item, subnet: Item) -> str:
        if route.get("GatewayId") == "local":
            return f"throw {cidr}"
        if route["State"] != "active":
            return f"{_NOWHERE} {cidr}"
        for member, follow in (
            ("VpcPeeringConnectionId", self._over_peering),
            ("TransitGatewayId", self._over_transit),
        ):
            if member in route:
                beyond = follow(route[member], subnet, cidr)
                assert beyond is None or is_inside(cidr, beyond), "a route to a part of a VPC is not translated"
                return f"throw {cidr}" if beyond else f"{_NOWHERE} {cidr}"
        return self._way_out(cidr, route, subnet["VpcId"])

    # ---- to another VPC --------------------------------------------------------------------------

    def _over_peering(self, identity: str, subnet: Item, cidr: str) -> list[str] | None:
        """The ranges of the VPC on the other side; None: the packets end here."""
        for peering in self._network.items("VpcPeeringConnections"):
            if peering["VpcPeeringConnectionId"] == identity and peering["Status"]["Code"] == "active":
                sides = {peering[side]["VpcId"] for side in ("RequesterVpcInfo", "AccepterVpcInfo")}
                return self._ranges_in(cidr, sides - {subnet["VpcId"]})
        return None

    def _over_transit(self, identity: str, subnet: Item, cidr: str) -> list[str] | None:
        attachments = {
            item["ResourceId"]: item
            for item in self._network.items("TransitGatewayAttachments")
            if item["TransitGatewayId"] == identity and item["State"] == "available"
        }
        own = attachments.get(subnet["VpcId"])
        if own is None or not self._is_attached_in_zone(own["TransitGatewayAttachmentId"], subnet):
            return None
        table = own["Association"]["TransitGatewayRouteTableId"]
        matching = [
            route
            for route in self._network.items("Routes")
            if route["_TransitGatewayRouteTableId"] == table and is_inside(cidr, [route["DestinationCidrBlock"]])
        ]
        best = max(matching, key=lambda route: ip_network(route["DestinationCidrBlock"]).prefixlen, default=None)
        if best is None or best["State"] != "active":
            return None
        return self._ranges_in(cidr, {entry["ResourceId"] for entry in best["TransitGatewayAttachments"]})

    def _is_attached_in_zone(self, attachment: str, subnet: Item) -> bool:
        for item in self._network.items("TransitGatewayVpcAttachments"):
            if item["TransitGatewayAttachmentId"] == attachment:
                attached = [self._network.subnet(identity) for identity in item["SubnetIds"]]
                return any(other["AvailabilityZone"] == subnet["AvailabilityZone"] for other in attached)
        return False

    def _ranges_in(self, cidr: str, vpcs: set[str]) -> list[str] | None:
        """The ranges of these VPCs; None where the destination is not in them, and packets are dropped there."""
        version = ip_address(cidr.partition("/")[0]).version
        known = [item for item in self._network.items("Vpcs") if item["VpcId"] in vpcs]
        found = [text for item in known for text in ranges(item, version)]
        return found if is_inside(cidr, found) else None

    # ---- out of the VPC --------------------------------------------------------------------------

    def _way_out(self, cidr: str, route: Item, vpc: str) -> str:
        """A route to AWS's public addresses: by a gateway endpoint, or by what leads to an internet gateway."""
        endpoint = self._network.endpoints.get(route.get("GatewayId", ""), {})
        if endpoint.get("VpcEndpointType") == "Gateway":
            return f"{cidr} via {AWS}" if endpoint["State"] == "available" else f"{_NOWHERE} {cidr}"
        nats: list[str] = []
        if not self._leads_out(route, vpc, nats):
            return f"{_NOWHERE} {cidr}"
        realm = f" realm {self.realms.index(nats[0]) + 1}" if nats else ""
        if endpoint.get("VpcEndpointType") == "GatewayLoadBalancer":
            return f"{cidr} via {MIDDLEBOX}{realm}"
        return f"{cidr} via {AWS}{realm}"

    def _leads_out(self, route: Item, vpc: str, nats: list[str]) -> bool:
        """Whether packets come to an internet gateway that translates them. `nats` gets the NAT gateways' subnets."""
        if route["State"] != "active":
            return False
        if route.get("GatewayId", "").startswith("igw-"):
            return (bool(nats) or "Association" in self._network.task) and not self._is_blocked(vpc, nats)
        endpoint = self._network.endpoints.get(route.get("GatewayId", ""))
        if endpoint is not None:
            return self._goes_on(endpoint["SubnetIds"][0], vpc, nats)
        for gateway in self._network.items("NatGateways"):
            if gateway["NatGatewayId"] == route.get("NatGatewayId"):
                usable = (gateway["State"], gateway["ConnectivityType"]) == ("available", "public")
                nats.append(gateway["SubnetId"])
                return usable and self._goes_on(gateway["SubnetId"], vpc, nats)
        return False

    def _goes_on(self, subnet: str, vpc: str, nats: list[str]) -> bool:
        routes = self._network.table(self._network.subnet(subnet))["Routes"]
        default = [route for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
        return any(self._leads_out(route, vpc, nats) for route in default)

    def _is_blocked(self, vpc: str, nats: Sequence[str]) -> bool:
        """Whether VPC Block Public Access stops the internet gateway for the subnet that faces it."""
        options = self._network.reply("ec2:DescribeVpcBlockPublicAccessOptions")["VpcBlockPublicAccessOptions"]
        mode = options["InternetGatewayBlockMode"]
        if mode == "off" or (mode == "block-ingress" and nats):
            return False
        facing = nats[-1] if nats else self._network.task["SubnetId"]
        for exclusion in self._network.items("VpcBlockPublicAccessExclusions"):
            resource = exclusion["ResourceArn"].rpartition("/")[2]
            if resource in (vpc, facing) and exclusion["State"] in ("create-complete", "update-complete"):
                wide = exclusion["InternetGatewayExclusionMode"] == "allow-bidirectional"
                if wide or nats:  # connections that start inside
                    return False
        return True
