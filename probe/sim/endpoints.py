"""VPC endpoints: interface endpoints with security group, names and policy; the S3 gateway endpoint with its policy."""

from __future__ import annotations

from probe.records import Record, field
from probe.sim import names
from probe.sim.dns import Zone
from probe.sim.identity import ALLOW_ALL, Policy

_SUFFIX = "uz5j3lr2"  # vpce names: vpce-<17 hex>-<8 letters and digits>


class Interface(Record, eq=False):
    """An interface endpoint: an ENI in each zone. `allowed_sources`: ranges that its security group allows on 443."""

    service: str
    region: str
    vpce_id: str
    addresses: list[str]
    addresses_ipv6: list[str] = field(default_factory=list)
    allowed_sources: list[str] = field(default_factory=list)
    private_dns: bool = True
    year: int = 2026  # of its creation: older endpoints have fewer private names
    policy: Policy = ALLOW_ALL

    @property
    def all_addresses(self) -> tuple[str, ...]:
        return (*self.addresses, *self.addresses_ipv6)

    @property
    def vpce_name(self) -> str:
        return f"{self.vpce_id}-{_SUFFIX}.{names.vpce_base(self.service, self.region)}"

    def vpce_names(self) -> dict[str, tuple[str, ...]]:
        """Endpoint-specific names, one per zone: public DNS returns their private addresses to every client."""
        addresses = {self.vpce_name: self.all_addresses}
        for zone, address in zip("ab", self.addresses, strict=False):
            addresses[self.vpce_name.replace(f"-{_SUFFIX}.", f"-{_SUFFIX}-{self.region}{zone}.")] = (address,)
        return addresses

    def zones(self) -> list[Zone]:
        """The private zones that "private DNS" creates: one per name, with wildcards inside their parent's zone."""
        zones: dict[str, Zone] = {}
        for name in names.private_names(self.service, self.region, year=self.year):
            zone = zones.setdefault(name.removeprefix("*."), Zone(name.removeprefix("*.")))
            zone.records[name] = self.all_addresses
        return list(zones.values())


class Gateway(Record, eq=False):
    """The S3 gateway endpoint: a route to S3's public ranges of one region and a policy, without name or address."""

    region: str
    vpce_id: str = "vpce-0ffffaaaa22221111"
    policy: Policy = ALLOW_ALL
    service: str = "s3"
