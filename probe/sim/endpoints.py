"""VPC endpoints as resources: interfaces with groups, names and policies; the S3 gateway with its policy."""

from __future__ import annotations

from probe.records import Record, field
from probe.sim import names
from probe.sim.dns import Zone
from probe.sim.identity import ALLOW_ALL, Policy

_SUFFIX = "uz5j3lr2"  # vpce names: vpce-<17 hex>-<8 letters and digits>


class Interface(Record, eq=False):
    """An interface endpoint: an ENI in each zone. `admits`: the sources that its security group lets in on 443."""

    service: str
    region: str
    vpce_id: str
    addresses: list[str]
    addresses_ipv6: list[str] = field(default_factory=list)
    admits: list[str] = field(default_factory=list)
    private_dns: bool = True
    year: int = 2026
    policy: Policy = ALLOW_ALL

    @property
    def everything(self) -> tuple[str, ...]:
        return (*self.addresses, *self.addresses_ipv6)

    @property
    def vpce_name(self) -> str:
        return f"{self.vpce_id}-{_SUFFIX}.{names.vpce_base(self.service, self.region)}"

    def vpce_names(self) -> dict[str, tuple[str, ...]]:
        """Endpoint-specific names: public DNS gives the private addresses to anyone. One of them for each zone."""
        found = {self.vpce_name: self.everything}
        for zone, address in zip("ab", self.addresses, strict=False):
            found[self.vpce_name.replace(f"-{_SUFFIX}.", f"-{_SUFFIX}-{self.region}{zone}.")] = (address,)
        return found

    def zones(self) -> list[Zone]:
        """The private zones that "private DNS" installs: one a name, wildcards within their parent's."""
        found: dict[str, Zone] = {}
        for name in names.private_names(self.service, self.region, year=self.year):
            zone = found.setdefault(name.removeprefix("*."), Zone(name.removeprefix("*.")))
            zone.records[name] = self.everything
        return list(found.values())


class Gateway(Record, eq=False):
    """The S3 gateway endpoint: no name, no address, only a route to S3's public ranges of one region, and a policy."""

    region: str
    vpce_id: str = "vpce-0ffffaaaa22221111"
    policy: Policy = ALLOW_ALL
    service: str = "s3"
