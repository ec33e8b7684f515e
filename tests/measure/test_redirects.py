"""The owner of the host in a blob redirect, in every spelling of S3."""

from __future__ import annotations

import pytest

from probe.measure.layers import judge_redirect
from probe.model import ImageHost, Plan, RedirectTarget

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "prod-us-east-1-starport-layer-bucket"
OWN, OTHER, FOREIGN = RedirectTarget.LAYER_BUCKET, RedirectTarget.OTHER_REGION, RedirectTarget.FOREIGN
NEW = RedirectTarget.NEW_BUCKET


def plan(region: str = "us-east-1", partition: str = "aws", suffix: str = "amazonaws.com") -> Plan:
    return Plan(
        endpoints=(),
        omitted=(),
        region=region,
        partition=partition,
        dns_suffix=suffix,
        account="123456789012",
        layer_host=f"prod-{region}-starport-layer-bucket.s3.{region}.{suffix}",
        image=None,
        reference=None,
        image_host=ImageHost.PRIVATE_ECR,
        image_given=True,
        platform="linux/amd64",
        platform_given=False,
    )


@pytest.mark.parametrize(
    ("location", "target", "region"),
    [
        (f"https://{BUCKET}.s3.us-east-1.amazonaws.com/key?X-Amz-Signature=1", OWN, "us-east-1"),
        (f"https://{BUCKET}.s3.amazonaws.com/key", OWN, "us-east-1"),
        (f"https://{BUCKET}.s3.dualstack.us-east-1.amazonaws.com/key", OWN, "us-east-1"),
        (f"https://{BUCKET}.s3-fips.us-east-1.amazonaws.com/key", OWN, "us-east-1"),
        (f"https://{BUCKET}.s3-fips.dualstack.us-east-1.amazonaws.com/key", OWN, "us-east-1"),
        (f"https://{BUCKET}.s3-us-east-1.amazonaws.com/key", OWN, "us-east-1"),
        (f"https://s3.us-east-1.amazonaws.com/{BUCKET}/key", OWN, "us-east-1"),
        (f"https://s3.amazonaws.com/{BUCKET}/key", OWN, "us-east-1"),
        (f"https://{BUCKET.upper()}.S3.us-east-1.amazonaws.com/key", OWN, "us-east-1"),
        ("https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/key", OTHER, "eu-west-1"),
        ("https://prod-eu-west-1-starport-layer-bucket.s3.amazonaws.com/key", OTHER, "eu-west-1"),
        ("https://new.s3.us-east-1.amazonaws.com/key", NEW, "us-east-1"),
        ("https://new.s3.dualstack.us-east-1.amazonaws.com/key", NEW, "us-east-1"),
        ("https://s3.us-east-1.amazonaws.com/new/key", NEW, "us-east-1"),
        ("https://new.s3.amazonaws.com/key", NEW, "us-east-1"),
        ("https://new.s3.eu-west-1.amazonaws.com/key", OTHER, "eu-west-1"),
        ("https://s3.us-east-1.amazonaws.com/", FOREIGN, "us-east-1"),
        ("https://new.s3-accelerate.amazonaws.com/key", FOREIGN, None),
        ("https://cdn.example.com/key", FOREIGN, None),
        (f"https://{BUCKET}.s3.us-east-1.amazonaws.com.example.com/key", FOREIGN, None),
        (f"https://{BUCKET}.s3.us-east-1.amazonaws.com:8443/key", FOREIGN, None),
        (f"http://{BUCKET}.s3.us-east-1.amazonaws.com/key", RedirectTarget.INSECURE, None),
        (f"https://{REGISTRY}/v2/again", RedirectTarget.LOOP, None),
        ("/v2/relative", RedirectTarget.LOOP, None),
        ("https://[bad/key", FOREIGN, None),
        ("https://ho%20st/key", FOREIGN, None),
    ],
)
def test_targets(location: str, target: RedirectTarget, region: str | None) -> None:
    redirect = judge_redirect(location, plan(), registry=REGISTRY)
    assert (redirect.kind, redirect.region) == (target, region)


def test_where_the_bucket_name_is_not_known_any_s3_host_of_the_region_will_do() -> None:
    china = plan("cn-north-1", "aws-cn", "amazonaws.com.cn")
    location = "https://some-bucket.s3.cn-north-1.amazonaws.com.cn/key"
    assert judge_redirect(location, china, registry=REGISTRY).kind is OWN
    location = "https://some-bucket.s3.cn-northwest-1.amazonaws.com.cn/key"
    assert judge_redirect(location, china, registry=REGISTRY).kind is OTHER


def test_the_secret_query_is_kept_for_the_request_alone() -> None:
    redirect = judge_redirect(
        f"https://{BUCKET}.s3.us-east-1.amazonaws.com/a/b?X-Amz-Signature=secret", plan(), registry=REGISTRY
    )
    assert redirect.path == "/a/b?X-Amz-Signature=secret"
    assert redirect.host == f"{BUCKET}.s3.us-east-1.amazonaws.com"
