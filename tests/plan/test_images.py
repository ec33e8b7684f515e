"""Image references: the grammar, and the kinds of registry hosts."""

from __future__ import annotations

import pytest

from probe.images import GOOD_IMAGE, OtherImage, parse_image
from probe.model import ImageHost, ImageReference

DIGEST = "sha256:" + "0f" * 32


def private(text: str) -> ImageReference:
    image = parse_image(text)
    assert isinstance(image, ImageReference)
    return image


def test_the_example_in_error_messages_is_valid() -> None:
    image = private(GOOD_IMAGE)
    assert (image.account, image.region, image.repository, image.tag) == ("123456789012", "eu-west-1", "app", "1.0")


def test_a_reference_without_a_tag_means_latest() -> None:
    assert private("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app").tag == "latest"


def test_a_digest_takes_precedence_over_a_tag() -> None:
    image = private(f"123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1@{DIGEST}")
    assert (image.tag, image.digest) == (None, DIGEST)


@pytest.mark.parametrize(
    ("host", "region", "partition", "fips", "dual_stack"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "us-east-1", "aws", False, False),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "aws-us-gov", True, False),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1", "aws", False, True),
        ("123456789012.dkr-ecr-fips.us-east-2.on.aws", "us-east-2", "aws", True, True),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn", False, False),
        ("123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1", "aws-cn", False, True),
        ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "aws-iso", False, False),
        ("123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", "aws-iso-b", False, False),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "aws-eusc", False, False),
    ],
)
def test_private_hosts_of_every_partition(host: str, region: str, partition: str, fips: bool, dual_stack: bool) -> None:
    image = private(f"{host}/app:1")
    assert (image.host, image.region, image.partition, image.fips, image.dual_stack) == (
        host,
        region,
        partition,
        fips,
        dual_stack,
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("public.ecr.aws/nginx/nginx:1", ImageHost.PUBLIC_ECR),
        ("nginx", ImageHost.OTHER),
        ("library/nginx:latest", ImageHost.OTHER),
        ("registry.example.com:5000/app:1", ImageHost.OTHER),
        ("vpce-0abc12345678901de-abcdefgh.dkr.ecr.us-east-1.vpce.amazonaws.com/app:1", ImageHost.VPC_ENDPOINT),
    ],
)
def test_other_registries_are_recognised(text: str, kind: ImageHost) -> None:
    image = parse_image(text)
    assert isinstance(image, OtherImage)
    assert image.host is kind


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "HOST/NAME:TAG, and this is empty"),
        ("with blank/app:1", "printable"),
        ("https://123456789012.dkr.ecr.us-east-1.amazonaws.com/app", "https://"),
        ("12345678901.dkr.ecr.us-east-1.amazonaws.com/app", "12-digit"),
        ("dkr.ecr.us-east-1.amazonaws.com/app", "12-digit"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/", "repository is missing"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "repository is missing"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com:1.0", "repository is missing"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com:443/app", "names a port, 443"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/App", "repository"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:", "tag"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:-x", "tag"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/app@sha256:12", "digest"),
        ("123456789012.dkr.ecr.us-esat-1.amazonaws.com/app", "did you mean us-"),
        ("123456789012.dkr.ecr.mars-north-1.amazonaws.com/app", "not an AWS region"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com.cn/app", "amazonaws.com"),
        ("-bad-.example.com/app", "registry host"),
    ],
)
def test_malformed_references_are_refused_in_one_sentence(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        parse_image(text)
    assert word in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_unlisted_region_is_accepted_only_from_the_task_itself() -> None:
    text = "123456789012.dkr.ecr.eu-west-99.amazonaws.com/app:1"
    with pytest.raises(ValueError, match="not an AWS region"):
        parse_image(text)
    assert isinstance(parse_image(text, listed_regions=False), ImageReference)
