"""What happens to layers: S3's policies, redirects to other hosts, bytes that are wrong or missing."""

from __future__ import annotations

from probe.sim import images
from probe.sim.changes import (
    all_of,
    corrupt_layers,
    damaged_bodies,
    endpoint_policy,
    inject_reply,
    pushed_image,
    repository,
    with_nat,
)
from probe.sim.cloud import APP, OTHER_REGION
from probe.sim.http import Damage, Reply
from probe.sim.identity import Statement
from probe.sim.s3 import internal_error, slow_down
from probe.sim.scenarios.healthy import image
from probe.sim.scenarios.scenario import scenario
from probe.sim.vpc import VPC

OWN_BUCKET_ONLY = Statement(actions=("s3:*",), resources=("arn:aws:s3:::company-data/*",))
OWN_ACCOUNT_ONLY = Statement(principals=("123456789012",))


def _without_reason(vpc: VPC) -> None:
    vpc.cloud.layers.states_reason = False


def _urls_expired(vpc: VPC) -> None:
    vpc.cloud.layers.session_expired = True


def _still_upstream(vpc: VPC) -> None:
    repository(vpc).upstream = "cdn.upstream.example"


def _in_another_region(vpc: VPC) -> None:
    repository(vpc).layer_region = OTHER_REGION


def _without_blobs(vpc: VPC) -> None:
    repository(vpc).blobs.clear()


LAYERS = (
    scenario(
        "s3-endpoint-policy",
        "Somebody restricted the S3 gateway endpoint to the company's own bucket: manifests come, layers do not.",
        endpoint_policy("s3", OWN_BUCKET_ONLY),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-endpoint-policy-principal",
        "The S3 endpoint's policy admits the own account only, and layers are fetched in ECR's name.",
        endpoint_policy("s3", OWN_ACCOUNT_ONLY),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-endpoint-policy-nat",
        "The same with a NAT gateway, which does not help: the prefix list's route wins.",
        all_of(endpoint_policy("s3", OWN_BUCKET_ONLY), with_nat),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-access-denied",
        "S3 refuses the layers with its bare AccessDenied.",
        all_of(endpoint_policy("s3", OWN_BUCKET_ONLY), _without_reason),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
    ),
    scenario(
        "s3-url-expired",
        "The credentials within ECR's signed address are out of date.",
        _urls_expired,
        findings={"layers.url-rejected": None},
    ),
    scenario(
        "s3-slow-down",
        "S3 asks to slow down.",
        inject_reply("s3", slow_down()),
        findings={"aws.throttled": "throttle"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "s3-error",
        "S3 has a bad day.",
        inject_reply("s3", internal_error()),
        findings={"aws.service-error": "aws.service-error"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "layer-corrupt",
        "The bytes in the bucket are not those of the digest.",
        corrupt_layers,
        findings={"layers.bad-digest": "registry.layer-corrupt"},
    ),
    scenario(
        "layer-altered",
        "A bit of every layer changes on its way.",
        damaged_bodies("s3", Damage.FLIP),
        findings={"layers.bad-digest": "registry.layer-corrupt"},
    ),
    scenario(
        "layer-missing",
        "The image is there, its layers are not.",
        _without_blobs,
        findings={"layers.missing": "registry.tag-not-found"},
    ),
    scenario(
        "pull-through-redirect",
        "The first pull of a cached image: its layers are still at the upstream registry's host.",
        _still_upstream,
        findings={"registry.pull-through-redirect": "registry.pull-through-redirect"},
    ),
    scenario(
        "redirect-insecure",
        "The registry's redirect leads to plain HTTP.",
        inject_reply("ecr.dkr", Reply(307, b"", (("Location", "http://layers.example/blob"),), ""), at="/blobs/"),
        findings={"layers.bad-redirect": "path.egress-firewall"},
    ),
    scenario(
        "cross-region-layers",
        "The registry keeps the layers in another region's bucket; a NAT gateway leads there.",
        all_of(_in_another_region, with_nat),
        findings={"region.cross-region": "region.cross-region"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "foreign-layers",
        "A Windows image, whose base layers are at its vendor's host: these are not fetched.",
        pushed_image(images.single("amd64", foreign=2), "windows"),
        findings={"registry.foreign-layers": "registry.foreign-layers"},
        status="degraded",
        pull="unproven",
        arguments=(*image(f"{APP}:windows"), "--platform", "windows/amd64"),
    ),
)
