"""AWS's host names and public addresses, spelled by hand: an oracle that is independent of the program's own table."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from zlib import crc32

from probe.records import Record

CORE = ("ecr.api", "ecr.dkr", "logs")
AGENT = ("ecs", "ecs-agent", "ecs-telemetry")
# Regions that opened after 2023-12-23, where every task needs them: AWS[agent-endpoints-new-regions].
NEW_REGIONS = ("ca-west-1", "ap-southeast-5", "ap-southeast-7", "mx-central-1", "ap-east-2", "ap-southeast-6")
# The service's name and the label of its host differ for these two AWS[ecs-labels].
_LABELS = {"ecs-agent": "ecs-a", "ecs-telemetry": "ecs-t"}


def suffix(region: str) -> str:
    """The partition's DNS suffix."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def dual_suffix(region: str) -> str:
    return "api.amazonwebservices.com.cn" if region.startswith("cn-") else "api.aws"


def pull_suffix(region: str) -> str:
    """The suffix of dual-stack registry names, which differs from that of dual-stack API names."""
    return "on.amazonwebservices.com.cn" if region.startswith("cn-") else "on.aws"


def partition(region: str) -> str:
    """The partition in ARNs."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def label(service: str) -> str:
    return _LABELS.get(service, service)


def api(region: str) -> str:
    return f"api.ecr.{region}.{suffix(region)}"


def registry(account: str, region: str) -> str:
    return f"{account}.dkr.ecr.{region}.{suffix(region)}"


def registry_dual(account: str, region: str) -> str:
    return f"{account}.dkr-ecr.{region}.{pull_suffix(region)}"


def bucket(region: str) -> str:
    return f"prod-{region}-starport-layer-bucket"


def layers(region: str, *, dual: bool = False) -> str:
    """The host of the bucket that holds image layers AWS[ecr-layer-bucket]."""
    return f"{bucket(region)}.s3.{'dualstack.' if dual else ''}{region}.{suffix(region)}"


def host(service: str, region: str) -> str:
    """The host name of an interface endpoint; for ecr.dkr the parent of all registries."""
    if service == "ecr.api":
        return api(region)
    if service == "ecr.dkr":
        return f"dkr.ecr.{region}.{suffix(region)}"
    return f"{label(service)}.{region}.{suffix(region)}"


def endpoint_service(service: str, region: str) -> str:
    """The name under which PrivateLink offers a service; in China some have another prefix."""
    prefix = "cn." if region.startswith("cn-") and service in ("ecr.api", "ecr.dkr", "sts", "s3") else ""
    return f"{prefix}com.amazonaws.{region}.{service}"


def private_names(service: str, region: str, *, year: int = 2026) -> tuple[str, ...]:
    """The names for which an interface endpoint creates private zones, as DescribeVpcEndpoints lists them.

    Captures of 2024 lack the dual-stack names.
    """
    classic = host(service, region)
    dual, pull = dual_suffix(region), pull_suffix(region)
    names = {
        "ecr.api": (classic, f"ecr.{region}.{dual}"),
        "ecr.dkr": (classic, f"*.{classic}", f"dkr-ecr.{region}.{pull}", f"*.dkr-ecr.{region}.{pull}"),
        "logs": (
            classic,
            f"logs.{region}.{dual}",
            f"streaming-logs.{region}.{dual}",
            f"streaming-logs.{region}.{suffix(region)}",
        ),
        "s3": (classic, f"*.{classic}"),
        "ssm": (classic, f"ssm.{region}.{dual}"),
    }.get(service, (classic,))
    return names if year >= 2026 else tuple(name for name in names if name.endswith(suffix(region)))


def vpce_base(service: str, region: str) -> str:
    """The public zone of endpoint-specific names."""
    return host(service, region).removesuffix(suffix(region)) + f"vpce.{suffix(region)}"


def certificate_names(service: str, region: str) -> tuple[str, ...]:
    """The subject alternative names of a service's certificate; `*.dkr.ecr` does not cover the bare `dkr.ecr`."""
    base = vpce_base(service, region)
    if service == "s3":
        names = (f"s3.{region}.{suffix(region)}", f"s3.dualstack.{region}.{suffix(region)}", f"s3.{suffix(region)}")
        return tuple(name for host_name in names for name in (host_name, f"*.{host_name}"))
    if service == "ecr.dkr":
        pull = pull_suffix(region)
        fips = f"*.dkr.ecr-fips.{region}.{suffix(region)}"
        return (f"*.{host(service, region)}", f"*.{base}", f"*.dkr-ecr.{region}.{pull}", fips)
    classic = host(service, region)
    legacy = (
        (f"ecr.{region}.{suffix(region)}", f"api.ecr-fips.{region}.{suffix(region)}") if service == "ecr.api" else ()
    )
    dual = f"{'ecr' if service == 'ecr.api' else label(service)}.{region}.{dual_suffix(region)}"
    return (classic, f"*.{base}", dual, *legacy)


class AwsHost(Record, frozen=True):
    """A public AWS host name. `account`: of registries only. `dual`: it has AAAA records too."""

    service: str
    region: str
    account: str = ""
    dual: bool = False


_REGION = r"(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d)"
_SUFFIX = r"amazonaws\.com(?:\.cn)?"
_DUAL = r"api\.(?:aws|amazonwebservices\.com\.cn)"
_ON = r"on\.(?:aws|amazonwebservices\.com\.cn)"
_PATTERNS = tuple(
    (re.compile(pattern), service, dual)
    for pattern, service, dual in (
        (rf"(?:api\.)?ecr\.{_REGION}\.{_SUFFIX}", "ecr.api", False),
        (rf"(?:api\.)?ecr-fips\.{_REGION}\.{_SUFFIX}", "ecr.api", False),
        (rf"ecr\.{_REGION}\.{_DUAL}", "ecr.api", True),
        (rf"(?:(?P<account>\d{{12}})\.)?dkr\.ecr(?:-fips)?\.{_REGION}\.{_SUFFIX}", "ecr.dkr", False),
        (rf"(?:(?P<account>\d{{12}})\.)?dkr-ecr\.{_REGION}\.{_ON}", "ecr.dkr", True),
        (rf"(?:[a-z0-9-]+\.)?s3\.{_REGION}\.{_SUFFIX}", "s3", False),
        (rf"(?:[a-z0-9-]+\.)?s3\.dualstack\.{_REGION}\.{_SUFFIX}", "s3", True),
        (rf"(?P<label>[a-z-]+)\.{_REGION}\.{_SUFFIX}", "", False),
        (rf"(?P<label>[a-z-]+)\.{_REGION}\.{_DUAL}", "", True),
    )
)
# Regions in public DNS; any other label in their place is a misspelling.
_REGIONS = frozenset(
    f"{area}-{number}"
    for area, numbers in {
        "us-east": (1, 2), "us-west": (1, 2), "ca-central": (1,), "ca-west": (1,), "sa-east": (1,), "mx-central": (1,),
        "eu-west": (1, 2, 3), "eu-central": (1, 2), "eu-north": (1,), "eu-south": (1, 2), "il-central": (1,),
        "me-south": (1,), "me-central": (1,), "af-south": (1,), "ap-east": (1, 2), "ap-south": (1, 2),
        "ap-northeast": (1, 2, 3), "ap-southeast": (1, 2, 3, 4, 5, 6, 7), "us-gov-west": (1,), "us-gov-east": (1,),
        "cn-north": (1,), "cn-northwest": (1,),
    }.items()
    for number in numbers
)  # fmt: skip
# Other services by the first label of their host; "ecs-agent" and "ecs-telemetry" are service names, not labels.
_BY_LABEL = {label: label for label in ("logs", "ecs", "secretsmanager", "ssm", "kms", "sts")} | {
    "ecs-a": "ecs-agent",
    "ecs-t": "ecs-telemetry",
    "streaming-logs": "logs",
}


def parse_host(name: str) -> AwsHost | None:
    """Parse a public AWS host name; None where AWS has no such name."""
    for pattern, service, dual in _PATTERNS:
        match = pattern.fullmatch(name)
        if match is None:
            continue
        groups = match.groupdict()
        if groups["region"] not in _REGIONS:
            return None
        name_of_service = service or _BY_LABEL.get(groups.get("label", ""))
        if name_of_service:
            return AwsHost(name_of_service, groups["region"], groups.get("account") or "", dual)
    return None


DNS64 = IPv6Network("64:ff9b::/96")  # RFC 6052, used by Route 53 Resolver's DNS64
LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fd00:ec2::/32"))

_SERVICES = ("ecr.api", "ecr.dkr", "logs", "ecs", "ecs-agent", "ecs-telemetry", "secretsmanager", "ssm", "kms", "sts")
# fmt: off
_NUMBERED_REGIONS = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "us-gov-west-1", "cn-north-1",
)
# fmt: on


def _octet(region: str) -> int:
    return _NUMBERED_REGIONS.index(region) + 1 if region in _NUMBERED_REGIONS else 100 + crc32(region.encode()) % 150


class Internet:
    """Public addresses by service and region, and back."""

    def __init__(self) -> None:
        self._owners: dict[str, AwsHost] = {}

    def v4(self, host: AwsHost) -> tuple[str, ...]:
        """IPv4 addresses: several of S3, one of the other services (as captured)."""
        octet = _octet(host.region)
        if host.service == "s3":
            return self._own(host, *(f"52.216.{octet}.{last}" for last in (8, 40)))
        return self._own(host, f"44.{200 + _SERVICES.index(host.service)}.{octet}.9")

    def v6(self, host: AwsHost) -> tuple[str, ...]:
        """IPv6 addresses; only dual-stack names have some."""
        if not host.dual:
            return ()
        octet = _octet(host.region)
        number = 0xFF if host.service == "s3" else _SERVICES.index(host.service)
        return self._own(host, f"2600:1fa0:{octet:x}:{number:x}::9")

    def owner(self, address: str) -> AwsHost | None:
        return self._owners.get(address)

    def _own(self, host: AwsHost, *addresses: str) -> tuple[str, ...]:
        for address in addresses:
            self._owners[address] = host
        return addresses


def is_link_local(address: str) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in LINK_LOCAL if network.version == parsed.version)


def inside(address: str, ranges: tuple[str, ...] | list[str]) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in map(ip_network, ranges) if network.version == parsed.version)


def embedded(address: str) -> str:
    """The IPv4 address inside a DNS64 address; any other address unchanged."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed in DNS64:
        return str(IPv4Address(int(parsed) & 0xFFFFFFFF))
    return address


def synthesised(address: str) -> str:
    """The DNS64 form of an IPv4 address."""
    return str(IPv6Address(int(DNS64.network_address) + int(IPv4Address(address))))
