"""Host names in error texts, often masked or misspelled: their endpoint, region and account. Pure."""

from __future__ import annotations

import re
from functools import cache

from probe.arns import REGION
from probe.endpoints import DUAL_STACK_REGISTRY_SUFFIXES
from probe.partitions import partition_of, partitions
from probe.records import Record

# Masks of posted texts: ****, <account>, xxx, ACCOUNT_ID, REDACTED; a shortened name ends in dots.
_MASKED = re.compile(r"[*.…]*|[x*]+|<.*>?|\W*|(?i:redacted|account(?:_?id)?|region)|[A-Z_]*[A-Z]_?[A-Z_]*")
# Region and suffix may be missing: "https://api.ecr...".
_ECR = r"ecr(?P<fips>-fips)?(?:\.(?P<region>[^.]+))?(?:\.(?P<suffix>.*))?"
_REGISTRY = re.compile(rf"(?:(?P<account>[^./]*)\.)?dkr[.-]{_ECR}", re.IGNORECASE)
_API = re.compile(rf"api\.{_ECR}", re.IGNORECASE)
_LEGACY = re.compile(r"ecr(?P<fips>-fips)?\.(?P<region>[^.]+)\.(?P<suffix>.+)")
_BUCKET = re.compile(r"prod-(?P<region>[^.]+?)-starport-layer-bucket\.s3.*")
_S3 = re.compile(r"(?:.+\.)?s3(?:-fips)?[.-](?:dualstack\.)?(?:(?P<region>[a-z0-9-]+)\.)?(?P<suffix>[a-z.]+)")
_VPCE = re.compile(
    r".*?(?:\.(?P<service>(?:[a-z0-9-]+\.)*[a-z0-9-]+))?\.(?P<region>[^.]+)\.vpce\.amazonaws\.com(?:\.cn)?"
)
_SERVICE = re.compile(rf"(?P<service>[a-z0-9-]+?)(?P<fips>-fips)?\.(?P<region>{REGION})\.(?P<suffix>.+)")
_PUBLIC_API = re.compile(r"api\.ecr-public\.[^.]+\..+")
_GLOBAL = re.compile(r"(?P<service>[a-z0-9-]+)\.(?P<suffix>.+)")
# The hosts that the ECS agent polls are numbered; the endpoint names are not.
_NUMBER = re.compile(r"(?<=^ecs-[at])-\d+$")
_ENDPOINTS = {"ecs-a": "ecs-agent", "ecs-t": "ecs-telemetry", "streaming-logs": "logs"}
_PUBLIC_HOSTS = ("public.ecr.aws", "ecr-public.aws.com")
_AWS_WORD = re.compile(r"aws|(?<!azur)ecr|account|acct|endpoint|redacted")
# A placeholder that may stand for any host, in contrast to <docker-hub-host>.
_ANY_HOST = re.compile(
    r"<(?:(?:my|your|the|private)[-_ ]?)?(?:repo|repository|image|ur[il])"
    r"(?:[-_ ]?(?:name|ur[il]|id|here))?>",
    re.IGNORECASE,
)
# Sites of documentation: links in a text, never the host that failed.
_LINK_PREFIXES = (
    "docs.",
    "aws.amazon.com",
    "repost.aws",
    "github.com",
    "www.docker.com",
    "kubernetes.io",
    "golang.org",
    "go.dev",
)


class Host(Record, frozen=True):
    """A host name. `endpoint` None: not one of AWS. `region` and `account` None: masked, or not part of the name."""

    name: str
    endpoint: str | None
    region: str | None = None
    account: str | None = None
    fips: bool = False
    vpce: bool = False
    misspelt: bool = False  # its region, or the suffix of a host of ECR, is none that AWS has


@cache
def _suffixes() -> frozenset[str]:
    listed = (suffix for partition in partitions() for suffix in (partition.dns_suffix, partition.dual_stack_suffix))
    return frozenset((*listed, *DUAL_STACK_REGISTRY_SUFFIXES.values()))


@cache
def _regions() -> frozenset[str]:
    return frozenset(region for partition in partitions() for region in partition.regions)


def read_host(text: str) -> Host:
    """Read endpoint, region and account from a host name."""
    name = text.strip("[]").rstrip(".").partition(":")[0]
    lower = name.lower()
    if match := _VPCE.fullmatch(lower):
        return Host(name, _vpce_endpoint(match["service"]), _region(match["region"]), vpce=True)
    if match := _REGISTRY.fullmatch(name):
        return _ecr(name, "ecr.dkr", match, account=match["account"] or "")
    if match := _API.fullmatch(name):
        return _ecr(name, "ecr.api", match)
    if match := _BUCKET.fullmatch(lower):
        return Host(name, "s3", _region(match["region"]))
    suffix = next(
        (suffix for suffix in sorted(_suffixes(), key=len, reverse=True) if lower.endswith(f".{suffix}")), None
    )
    if suffix is None or _PUBLIC_API.fullmatch(lower):
        return Host(name, None)
    if match := _LEGACY.fullmatch(lower):
        dual = suffix.startswith("api.")
        return Host(name, "ecr.api" if dual else "ecr-legacy", _region(match["region"]), fips=bool(match["fips"]))
    if match := _S3.fullmatch(lower):
        return Host(name, "s3", _region(match["region"] or ""))
    if match := _SERVICE.fullmatch(lower):
        service = _NUMBER.sub("", match["service"])
        region = match["region"]
        misspelt = region not in _regions()
        return Host(
            name, _ENDPOINTS.get(service, service), _region(region), fips=bool(match["fips"]), misspelt=misspelt
        )
    match = _GLOBAL.fullmatch(lower)
    return Host(name, match["service"] if match and not is_masked(match["service"]) else None)


def _ecr(name: str, endpoint: str, match: re.Match[str], account: str = "") -> Host:
    region, suffix = match["region"] or "", (match["suffix"] or "").lower()
    account_id = account if re.fullmatch(r"\d{12}", account) else None
    complete = suffix and not suffix.endswith("…") and not is_masked(region)
    region = region.lower()
    misspelt = bool(complete) and (suffix not in _suffixes() or region not in _regions())
    known = None if misspelt else _region(region)
    return Host(name, endpoint, known, account_id, fips=bool(match["fips"]), misspelt=misspelt)


def _region(text: str) -> str | None:
    """A region by its form, so that one that botocore does not list yet is accepted."""
    return text if re.fullmatch(REGION, text, re.ASCII) and partition_of(text) is not None else None


def _vpce_endpoint(service: str | None) -> str:
    if service and service.endswith(("api.ecr", "dkr.ecr")):
        return "ecr.api" if service.endswith("api.ecr") else "ecr.dkr"
    last = (service or "").rpartition(".")[2]
    return _ENDPOINTS.get(last, last or "ecr.dkr")


def is_link(name: str) -> bool:
    """Whether a host is a documentation site that a text refers to."""
    return name.lower().startswith(_LINK_PREFIXES)


def is_masked(name: str) -> bool:
    """Whether a name was replaced by a mask."""
    return _MASKED.fullmatch(name) is not None


def is_public_ecr(name: str) -> bool:
    """Whether a host belongs to ECR Public: its registry or its API."""
    return name.lower() in _PUBLIC_HOSTS or _PUBLIC_API.fullmatch(name.lower()) is not None


def is_foreign(host: Host) -> bool:
    """Whether a host is certainly not AWS's. A mask of stars may hide any host; one in words names what it hides."""
    if is_public_ecr(host.name):
        return True
    if _ANY_HOST.fullmatch(host.name):
        return False
    unmasked = host.name.strip("<>").lower()
    return host.endpoint is None and bool(re.search(r"[a-wyz\d]", unmasked)) and not _AWS_WORD.search(unmasked)
