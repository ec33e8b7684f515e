from __future__ import annotations

import pytest

from probe.partitions import partition_of, partitions


@pytest.mark.parametrize(
    ("region", "name", "suffix", "dual"),
    [
        ("eu-west-1", "aws", "amazonaws.com", "api.aws"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com", "api.aws"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"),
        ("eu-brandnew-9", "aws", "amazonaws.com", "api.aws"),
    ],
)
def test_the_partition_of_a_region(region: str, name: str, suffix: str, dual: str) -> None:
    partition = partition_of(region)
    assert partition is not None
    assert (partition.name, partition.dns_suffix, partition.dual_stack_suffix) == (name, suffix, dual)


@pytest.mark.parametrize(
    "region", ["", "aws-global", "eu-west", "mars-west-1", "eu-west-1\n", "xeu-west-1", "EU-WEST-1"]
)
def test_text_that_is_not_a_region(region: str) -> None:
    assert partition_of(region) is None


def test_every_partition_lists_regions() -> None:
    assert len(partitions()) >= 8
    assert all(partition.regions for partition in partitions())
    assert not [region for partition in partitions() for region in partition.regions if "global" in region]
