"""Faults of layers: the registry's redirect, S3's answer, the bytes, and by what way S3 is reached."""

from __future__ import annotations

from dataclasses import replace

from probe.faults.fault import Fault
from probe.model import Extent, Impact

S3_POLICY = Fault(
    "policy.vpce.s3",
    "S3 refuses ECR's layers: the S3 endpoint policy does not allow the bucket {bucket}",
    "Token and manifest came, so the role is fine. ECR signed the address itself, and the principal there is ECR's own: only an endpoint policy, or an organisation's, refuses that.",
    Impact.PULL,
    ("policy.vpce.s3", "iam.scp", "other"),
)
URL_REJECTED = Fault(
    "layers.url-rejected",
    "S3 does not accept the signed address that ECR gave",
    "The address was used at once and unchanged. Something on the way alters the request, or it took too long.",
    Impact.PULL,
    ("path.egress-firewall", "path.proxy", "other"),
)
BLOB_MISSING = Fault(
    "layers.missing",
    "the image names layers that are not there",
    "The manifest came and its blob did not: 404. Network and permissions are fine.",
    Impact.PULL,
    ("registry.tag-not-found", "registry.layer-corrupt"),
)
BAD_DIGEST = Fault(
    "layers.bad-digest",
    "the bytes of {what} do not match their digest",
    "All of it arrived and its sha256 is wrong: the image is damaged, or somebody changes bytes on the way.",
    Impact.PULL,
    ("registry.layer-corrupt", "path.egress-firewall"),
)
CROSS_REGION_LAYERS = Fault(
    "region.cross-region-layers",
    "the registry keeps this image's layers in another region ({layer_region}), at {host}",
    "An S3 gateway endpoint carries only its own region's buckets, so these bytes take another way.",
    Impact.ROUTE,
    ("region.cross-region",),
    Extent.PARTLY,
)
PULL_THROUGH = Fault(
    "registry.pull-through-redirect",
    "the registry sends the layers' download to {host}, which is not AWS",
    "The repository seems to be a pull-through cache whose layers are still upstream. No VPC endpoint leads there; it was not fetched.",
    Impact.PULL,
    ("registry.pull-through-redirect", "path.egress-firewall"),
)
BAD_REDIRECT = Fault(
    "layers.bad-redirect",
    "the registry's redirect to the layers cannot be followed",
    "{kind}",
    Impact.PULL,
    ("path.egress-firewall", "other"),
)
FOREIGN_LAYERS = Fault(
    "registry.foreign-layers",
    "{count} of the image's layers are not in ECR and were left out",
    "They are foreign (non-distributable) layers, as Windows base images have them: clients fetch them from their vendor's host, to which no VPC endpoint leads.",
    Impact.PULL,
    ("registry.foreign-layers",),
    Extent.PARTLY,
)
RANGED = Fault(
    "layers.ranged",
    "only the first {received} of a layer of {size} were fetched, so its digest is not verified",
    "It is larger than --layer-bytes. --layers all fetches and verifies everything.",
    Impact.NONE,
    extent=Extent.NOTED,
)
NOT_FETCHED = Fault(
    "layers.not-fetched",
    "no layer was fetched, as --layers none asks, so the pull is not proven",
    "Layers come from S3, by another way than the manifest.",
    Impact.NONE,
    extent=Extent.NOTED,
)
S3_ROUTE = Fault(
    "s3.route-undetermined",
    "S3 is reached, by a gateway endpoint or by NAT: the wire does not tell which",
    "A gateway endpoint keeps S3's public addresses. aws ec2 describe-route-tables decides.",
    Impact.NONE,
    ("s3.route-table-not-associated", "endpoint.missing.s3"),
    Extent.NOTED,
)
S3_ROUTE_LIKELY = replace(
    S3_ROUTE,
    title="S3 is reached by public addresses, probably through a gateway endpoint",
    why="S3 of another region ({control}) stays silent, so there seems to be no NAT. aws ec2 describe-route-tables proves it.",
)
S3_ROUTE_NAT = replace(
    S3_ROUTE,
    title="S3 is reached, but whether by a gateway endpoint or by the NAT cannot be told: there is a way out",
    why="S3 of another region ({control}) is reached too, so there is a NAT or internet gateway. aws ec2 describe-route-tables decides which way the layers take.",
)
