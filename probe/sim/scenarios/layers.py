"""Layers: S3's policies, redirects to other hosts, wrong or missing bytes."""

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


def _denials_without_reason(vpc: VPC) -> None:
    vpc.cloud.layers.states_reason = False


def _expired_urls(vpc: VPC) -> None:
    vpc.cloud.layers.session_expired = True


def _blobs_upstream(vpc: VPC) -> None:
    repository(vpc).upstream = "cdn.upstream.example"


def _layers_in_another_region(vpc: VPC) -> None:
    repository(vpc).layer_region = OTHER_REGION


def _without_blobs(vpc: VPC) -> None:
    repository(vpc).blobs.clear()


LAYERS = (
    scenario(
        "s3-endpoint-policy",
        "The policy of the S3 gateway endpoint allows only the company's bucket: manifests arrive, layers do not.",
        endpoint_policy("s3", OWN_BUCKET_ONLY),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-endpoint-policy-principal",
        "The policy of the S3 endpoint allows only this account, but layers are fetched with ECR's own role.",
        endpoint_policy("s3", OWN_ACCOUNT_ONLY),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-endpoint-policy-nat",
        "The S3 endpoint's policy denies the layers; a NAT gateway does not help, as its route comes second.",
        all_of(endpoint_policy("s3", OWN_BUCKET_ONLY), with_nat),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-access-denied",
        "S3 denies the layers with AccessDenied, without a reason.",
        all_of(endpoint_policy("s3", OWN_BUCKET_ONLY), _denials_without_reason),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
    ),
    scenario(
        "s3-url-expired",
        "The credentials in ECR's presigned URL have expired.",
        _expired_urls,
        findings={"layers.url-rejected": None},
    ),
    scenario(
        "s3-slow-down",
        "S3 throttles with SlowDown.",
        inject_reply("s3", slow_down()),
        findings={"aws.throttled": "throttle"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "s3-error",
        "S3 answers with an internal error.",
        inject_reply("s3", internal_error()),
        findings={"aws.service-error": "aws.service-error"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "layer-corrupt",
        "The bytes of a layer in the bucket do not match its digest.",
        corrupt_layers,
        findings={"layers.bad-digest": "registry.layer-corrupt"},
    ),
    scenario(
        "layer-altered",
        "One bit of every layer changes on the way.",
        damaged_bodies("s3", Damage.FLIP),
        findings={"layers.bad-digest": "registry.layer-corrupt"},
    ),
    scenario(
        "layer-missing",
        "The image exists, but its layers do not.",
        _without_blobs,
        findings={"layers.missing": "registry.tag-not-found"},
    ),
    scenario(
        "pull-through-redirect",
        "The first pull of a cached image: its layers are still at the upstream registry.",
        _blobs_upstream,
        findings={"registry.pull-through-redirect": "registry.pull-through-redirect"},
    ),
    scenario(
        "redirect-insecure",
        "The registry redirects to plain HTTP.",
        inject_reply("ecr.dkr", Reply(307, b"", (("Location", "http://layers.example/blob"),), ""), at="/blobs/"),
        findings={"layers.bad-redirect": "path.egress-firewall"},
    ),
    scenario(
        "cross-region-layers",
        "The registry stores the layers in another region's bucket, reached through a NAT gateway.",
        all_of(_layers_in_another_region, with_nat),
        findings={"region.cross-region": "region.cross-region"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "foreign-layers",
        "A Windows image with base layers on its vendor's host; they are not downloaded.",
        pushed_image(images.single("amd64", foreign=2), "windows"),
        findings={"registry.foreign-layers": "registry.foreign-layers"},
        status="degraded",
        pull="unproven",
        arguments=(*image(f"{APP}:windows"), "--platform", "windows/amd64"),
    ),
)
