"""The owner of the host in a blob redirect, judged by bucket and region in any spelling of S3. Pure."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from probe.model import Plan, RedirectTarget
from probe.records import Unshown
from probe.wire.partitions import REGION_FORM

# S3's spellings (S3 guide, "methods for accessing a bucket"): s3.<r>, s3-<r>, s3.dualstack.<r>, s3-fips.<r>,
# s3-fips.dualstack.<r> and the global s3, before the partition's suffix; the bucket in front of it or first in the
# path.
_S3 = re.compile(
    rf"(?:(?P<bucket>[a-z0-9][a-z0-9.-]*)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-](?P<region>{REGION_FORM}))?", re.ASCII
)
_LAYER_BUCKET = re.compile(r"prod-(?P<region>[a-z0-9-]+)-starport-layer-bucket")
# In other partitions the layer bucket's name is not verified, so any S3 host of the region is accepted.
_BUCKET_KNOWN = ("aws", "aws-us-gov")


class Redirect(Unshown, frozen=True):
    """Where the registry redirected to. `path` holds a secret query and must never be shown."""

    kind: RedirectTarget
    host: str | None
    region: str | None = None
    path: str = ""


def judge(location: str, plan: Plan, *, registry: str) -> Redirect:
    """Parse a Location header. One that cannot be parsed is FOREIGN with no host."""
    try:
        url = urlsplit(location)
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        return Redirect(RedirectTarget.FOREIGN, None)
    if not url.netloc or host == registry:
        return Redirect(RedirectTarget.LOOP, registry)
    if not re.fullmatch(r"[a-z0-9.-]{1,253}", host):
        return Redirect(RedirectTarget.FOREIGN, None)
    if url.scheme != "https":
        return Redirect(RedirectTarget.INSECURE, host)
    if port not in (None, 443):
        return Redirect(RedirectTarget.FOREIGN, host)
    kind, region = _owner(url, host, plan)
    return Redirect(kind, host, region, _target(url))


def _owner(url: SplitResult, host: str, plan: Plan) -> tuple[RedirectTarget, str | None]:
    suffix = f".{plan.dns_suffix}"
    spelling = _S3.fullmatch(host.removesuffix(suffix)) if host.endswith(suffix) else None
    if spelling is None:
        return RedirectTarget.FOREIGN, None
    bucket = spelling["bucket"] or url.path.lstrip("/").partition("/")[0]
    layers = _LAYER_BUCKET.fullmatch(bucket)
    region = spelling["region"] or (layers["region"] if layers else None)
    if layers is None and plan.partition in _BUCKET_KNOWN:
        return RedirectTarget.FOREIGN, region
    if (region is not None and region != plan.region) or (layers is not None and layers["region"] != plan.region):
        return RedirectTarget.OTHER_REGION, layers["region"] if layers else region
    return RedirectTarget.LAYER_BUCKET, plan.region


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")
