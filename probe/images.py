"""Image references: which of them are in private ECR, and what their host name contains. Pure.

The grammar is distribution's (reference package); the host forms are those that AWS's own credential helper recognizes.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from probe.endpoints import DUAL_STACK_REGISTRY_SUFFIXES
from probe.model import ImageHost, ImageReference
from probe.partitions import partition_of, partitions
from probe.records import Record
from probe.safe_words import quoted

GOOD_IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REGISTRY = re.compile(
    r"(?P<account>\d{12})\.dkr(?P<dual>[.-])ecr(?P<fips>-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z0-9.-]+)"
)
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?::\d{1,5})?"
)
_ECR_HOST = re.compile(r"\bdkr[.-]ecr\b")
_PUBLIC_GALLERY = ("public.ecr.aws", "ecr-public.aws.com")


class OtherImage(Record, frozen=True):
    """A well-formed reference that is not in private ECR."""

    text: str
    host: ImageHost


def parse_image(text: str, *, listed_regions: bool = True) -> ImageReference | OtherImage:
    """Parse a reference. Raises ValueError with a one-line reason if it is malformed.

    `listed_regions` False accepts a region that botocore's data does not list yet, for an image that ECS has pulled.
    """
    host, name, tag, digest = split_reference(text)
    kind = _kind(host)
    if kind is not ImageHost.PRIVATE_ECR:
        return OtherImage(text=text, host=kind)
    _check_region(host, listed=listed_regions)
    return _private(text, host, name, tag, digest)


def split_reference(text: str) -> tuple[str, str, str | None, str | None]:
    """Host, repository, tag and digest of a reference to any registry; docker.io without one. Raises ValueError."""
    host, path = _split_host(text)
    if not path:
        raise ValueError(f"the repository is missing after {quoted(host)}: HOST/NAME:TAG")
    name, digest = _cut_digest(path)
    name, tag = _cut_tag(name)
    if len(name) > 255 or not _REPOSITORY.fullmatch(name):
        raise ValueError(
            f"{quoted(name)} is not a repository name: lower-case letters, digits and single . _ - / between them"
        )
    return host, name, tag, digest


def _split_host(text: str) -> tuple[str, str]:
    if not text:
        raise ValueError("an image reference is HOST/NAME:TAG, and this is empty")
    if len(text) > 1024 or not text.isprintable() or " " in text:
        raise ValueError("an image reference has no spaces or unprintable characters, and at most 1024 characters")
    if "://" in text:
        raise ValueError("an image reference has no scheme such as https://")
    first, slash, rest = text.partition("/")
    if not slash and _ECR_HOST.search(first):
        return first.lower(), ""
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return "docker.io", text
    if not _HOST.fullmatch(first):
        raise ValueError(f"{quoted(first)} is not a registry host")
    return first.lower(), rest


def _cut_digest(path: str) -> tuple[str, str | None]:
    name, at, digest = path.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError(f"{quoted(digest)} is not a digest: sha256: and 64 hexadecimal digits")
    return name, digest or None


def _cut_tag(name: str) -> tuple[str, str | None]:
    repository, colon, tag = name.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError(f"{quoted(tag)} is not a tag: at most 128 letters, digits, . _ and -")
    return repository, tag or None


def _kind(host: str) -> ImageHost:
    if host in _PUBLIC_GALLERY:
        return ImageHost.PUBLIC_ECR
    if ".vpce." in host:
        return ImageHost.VPC_ENDPOINT
    if _REGISTRY.fullmatch(host):
        return ImageHost.PRIVATE_ECR
    name, colon, port = host.partition(":")
    if colon and _REGISTRY.fullmatch(name):
        raise ValueError(
            f"{quoted(host)} names a port, {port}: private ECR answers on 443 only, and references leave it out"
        )
    if _ECR_HOST.search(host):
        raise ValueError(
            f"{quoted(host)} is not a private ECR host: "
            "it begins with a 12-digit account id and ends in a region's suffix"
        )
    return ImageHost.OTHER


def _check_region(host: str, *, listed: bool) -> None:
    match = _REGISTRY.fullmatch(host)
    assert match is not None
    region = match["region"]
    partition = partition_of(region)
    if partition is None or (listed and region not in partition.regions):
        regions = [name for partition in partitions() for name in partition.regions]
        close = get_close_matches(region, regions, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"{quoted(region)} is not an AWS region{hint}")


def _private(text: str, host: str, repository: str, tag: str | None, digest: str | None) -> ImageReference:
    match = _REGISTRY.fullmatch(host)
    assert match is not None
    region, dual_stack = match["region"], match["dual"] == "-"
    partition = partition_of(region)
    assert partition is not None
    suffix = DUAL_STACK_REGISTRY_SUFFIXES.get(partition.name) if dual_stack else partition.dns_suffix
    if match["suffix"] != suffix:
        raise ValueError(
            f"{quoted(host)} does not end in {suffix or 'a known suffix'}, as private ECR of {region} does"
        )
    return ImageReference(
        text=text,
        host=host,
        account=match["account"],
        region=region,
        partition=partition.name,
        repository=repository,
        tag=None if digest else tag or "latest",
        digest=digest,
        fips=match["fips"] is not None,
        dual_stack=dual_stack,
    )
