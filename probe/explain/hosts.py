"""Hosts as error texts spell them, often masked or misspelt: whose they are, and of which region and account. Pure."""

from __future__ import annotations

import re
from functools import cache

from probe.records import Record
from probe.wire.partitions import partition_of, partitions

# People mask what they post: ****, <account>, xxx, ACCOUNT_ID, REDACTED, and what was cut ends in dots.
_MASKED = re.compile(r"[*.…]*|[x*]+|<.*>?|\W*|(?i:redacted|account(?:_?id)?|region)|[A-Z_]*[A-Z]_?[A-Z_]*")
_REGION_FORM = r"[a-z]{2,}(?:-[a-z]+)+-\d+"
# Regions and suffixes may be cut off: "https://api.ecr...".
_ECR = r"ecr(?P<fips>-fips)?(?:\.(?P<region>[^.]+))?(?:\.(?P<suffix>.*))?"
_REGISTRY = re.compile(rf"(?:(?P<account>[^./]*)\.)?dkr[.-]{_ECR}", re.IGNORECASE)
_API = re.compile(rf"api\.{_ECR}", re.IGNORECASE)
_LEGACY = re.compile(r"ecr(?P<fips>-fips)?\.(?P<region>[^.]+)\.(?P<suffix>.+)")
_BUCKET = re.compile(r"prod-(?P<region>[^.]+?)-starport-layer-bucket\.s3.*")
_S3 = re.compile(r"(?:.+\.)?s3(?:-fips)?[.-](?:dualstack\.)?(?:(?P<region>[a-z0-9-]+)\.)?(?P<suffix>[a-z.]+)")
_VPCE = re.compile(
    r".*?(?:\.(?P<service>(?:[a-z0-9-]+\.)*[a-z0-9-]+))?\.(?P<region>[^.]+)\.vpce\.amazonaws\.com(?:\.cn)?"
)
_SERVICE = re.compile(rf"(?P<service>[a-z0-9-]+?)(?P<fips>-fips)?\.(?P<region>{_REGION_FORM})\.(?P<suffix>.+)")
_PUBLIC_API = re.compile(r"api\.ecr-public\.[^.]+\..+")
_GLOBAL = re.compile(r"(?P<service>[a-z0-9-]+)\.(?P<suffix>.+)")
# The agent's poll hosts are numbered; the endpoints' names are not.
_NUMBER = re.compile(r"(?<=^ecs-[at])-\d+$")
_ENDPOINTS = {"ecs-a": "ecs-agent", "ecs-t": "ecs-telemetry", "streaming-logs": "logs"}
_MORE_SUFFIXES = ("on.aws", "on.amazonwebservices.com.cn")
_GALLERY = ("public.ecr.aws", "ecr-public.aws.com")
_OF_AWS = re.compile(r"aws|ecr|account|acct|endpoint|redacted")
# Where documents and consoles are: links in a text, never what failed.
_LINKS = (
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
    """A host. `endpoint` None: not AWS's. `region` and `account` None: masked, or not part of the name."""

    name: str
    endpoint: str | None
    region: str | None = None
    account: str | None = None
    fips: bool = False
    vpce: bool = False


@cache
def _suffixes() -> frozenset[str]:
    known = (suffix for each in partitions() for suffix in (each.dns_suffix, each.dual_stack_suffix))
    return frozenset((*known, *_MORE_SUFFIXES))


@cache
def _regions() -> frozenset[str]:
    return frozenset(region for each in partitions() for region in each.regions)


def read_host(text: str) -> Host:
    """What a host's name tells."""
    name = text.strip("[]").rstrip(".").partition(":")[0]
    low = name.lower()
    if found := _VPCE.fullmatch(low):
        return Host(name, _vpce_endpoint(found["service"]), _region(found["region"]), vpce=True)
    if found := _REGISTRY.fullmatch(name):
        return _ecr(name, "ecr.dkr", found, account=found["account"] or "")
    if found := _API.fullmatch(name):
        return _ecr(name, "ecr.api", found)
    if found := _BUCKET.fullmatch(low):
        return Host(name, "s3", _region(found["region"]))
    suffix = next((each for each in sorted(_suffixes(), key=len, reverse=True) if low.endswith(f".{each}")), None)
    if suffix is None or _PUBLIC_API.fullmatch(low):
        return Host(name, None)
    if found := _LEGACY.fullmatch(low):
        dual = suffix.startswith("api.")
        return Host(name, "ecr.api" if dual else "ecr-legacy", _region(found["region"]), fips=bool(found["fips"]))
    if found := _S3.fullmatch(low):
        return Host(name, "s3", _region(found["region"] or ""))
    if found := _SERVICE.fullmatch(low):
        service = _NUMBER.sub("", found["service"])
        region = found["region"]
        return Host(name, _ENDPOINTS.get(service, service), _region(region), fips=bool(found["fips"]))
    found = _GLOBAL.fullmatch(low)
    return Host(name, found["service"] if found and not is_masked(found["service"]) else None)


def _ecr(name: str, endpoint: str, found: re.Match[str], account: str = "") -> Host:
    region, suffix = found["region"] or "", (found["suffix"] or "").lower()
    number = account if re.fullmatch(r"\d{12}", account) else None
    whole = suffix and not suffix.endswith("…") and not is_masked(region)
    region = region.lower()
    wrong_place = whole and (suffix not in _suffixes() or region not in _regions())
    return Host(name, endpoint, None if wrong_place else _region(region), number, fips=bool(found["fips"]))


def _region(text: str) -> str | None:
    """A region, also one that botocore's data does not list yet, if it has the form of one."""
    return text if re.fullmatch(_REGION_FORM, text) and partition_of(text) is not None else None


def _vpce_endpoint(service: str | None) -> str:
    if service and service.endswith(("api.ecr", "dkr.ecr")):
        return "ecr.api" if service.endswith("api.ecr") else "ecr.dkr"
    last = (service or "").rpartition(".")[2]
    return _ENDPOINTS.get(last, last or "ecr.dkr")


def is_link(name: str) -> bool:
    """Whether a host is one of documents, to which texts refer."""
    return name.lower().startswith(_LINKS)


def is_masked(name: str) -> bool:
    return _MASKED.fullmatch(name) is not None


def is_public_ecr(name: str) -> bool:
    """Whether a host is ECR Public's: its gallery, or its API."""
    return name.lower() in _GALLERY or _PUBLIC_API.fullmatch(name.lower()) is not None


def is_foreign(host: Host) -> bool:
    """Whether a host is somebody else's: a mask of stars tells nothing, one of words tells what it stands for."""
    if is_public_ecr(host.name):
        return True
    words = host.name.strip("<>").lower()
    return host.endpoint is None and bool(re.search(r"[a-wyz\d]", words)) and not _OF_AWS.search(words)
