"""Facts of a text apart from its failure: image, account, region, service, and what pulled."""

from __future__ import annotations

import pytest

from probe.explain.task_context import read_context

DENIED = (
    "User: arn:aws:sts::111111111111:assumed-role/app/0 is not authorized to perform: ecr:BatchGetImage on resource: "
    "arn:aws:ecr:eu-north-1:222222222222:repository/shop/cart"
)


def test_the_resource_of_a_denial_names_the_repository_and_the_principal_the_account() -> None:
    context = read_context((DENIED,))
    assert context.image is not None
    assert (context.image.account, context.image.region, context.image.repository, context.image.tag) == (
        "222222222222",
        "eu-north-1",
        "shop/cart",
        None,
    )
    assert context.account == "111111111111"


def test_the_principal_of_s3s_error_is_not_the_readers() -> None:
    error = (
        '"<?xml version="1.0"?><Error><Message>User: arn:aws:sts::999999999999:assumed-role/ecr/0 is not authorized to '
        "perform: s3:GetObject on resource: arn:aws:s3:::prod-eu-north-1-starport-layer-bucket/9c</Message></Error>"
    )
    context = read_context((error,))
    assert (context.account, context.named_region) == (None, "eu-north-1")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Get https://prod-eu-north-1-starport-layer-bucket.s3.amazonaws.com/9c", "eu-north-1"),
        ('{"eventName": "BatchGetImage", "awsRegion": "ap-south-1"}', "ap-south-1"),
    ],
)
def test_the_region_is_read_from_buckets_and_events(text: str, region: str) -> None:
    assert read_context((text,)).named_region == region


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("failed to solve: public.ecr.aws/shop/cart:7: unexpected status", "public.ecr.aws/shop/cart:7"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", None),
        ("no matching manifest for windows/amd64 in the manifest list entries", None),
    ],
)
def test_images_of_other_registries_are_read_whole_and_platforms_are_none(text: str, image: str | None) -> None:
    assert read_context((text,)).other_image == image


def test_the_service_and_the_cluster_are_read_from_events() -> None:
    context = read_context(("(service shop-web) was unable to place a task in cluster 'main'",))
    assert (context.service, context.cluster) == ("shop-web", "main")
