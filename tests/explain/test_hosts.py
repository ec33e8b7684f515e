"""Host names as people write them: complete, masked, cut off, misspelled, and endpoint-specific names."""

from __future__ import annotations

import pytest

from probe.explain.hosts import is_foreign, is_link, is_masked, is_public_ecr, read_host

ACCOUNT = "444455556666"
WEST = "eu-west-1"


@pytest.mark.parametrize(
    ("name", "endpoint", "region", "account"),
    [
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", "ecr.dkr", WEST, ACCOUNT),
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com:443", "ecr.dkr", WEST, ACCOUNT),
        (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com.", "ecr.dkr", WEST, ACCOUNT),
        (f"{ACCOUNT}.DKR.ECR.EU-WEST-1.AMAZONAWS.COM", "ecr.dkr", WEST, ACCOUNT),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr.dkr", "cn-north-1", ACCOUNT),
        (f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws", "ecr.dkr", WEST, ACCOUNT),
        ("****.dkr.ecr.eu-west-1.amazonaws.com", "ecr.dkr", WEST, None),
        ("<account>.dkr.ecr.<region>.amazonaws.com", "ecr.dkr", None, None),
        ("ACCOUNT.dkr.ecr.REGION.amazonaws.com", "ecr.dkr", None, None),
        ("dkr.ecr.eu-west-1.amazonaws.com", "ecr.dkr", WEST, None),
        (f"{ACCOUNT}.dkr.ecr.eu-w…", "ecr.dkr", None, ACCOUNT),
        (f"{ACCOUNT}.dkr.ecr", "ecr.dkr", None, ACCOUNT),
        ("api.ecr.eu-west-1.amazonaws.com", "ecr.api", WEST, None),
        ("ecr.eu-west-1.api.aws", "ecr.api", WEST, None),
        ("api.ecr...", "ecr.api", None, None),
        ("ecr.eu-west-1.amazonaws.com", "ecr-legacy", WEST, None),
        ("prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com", "s3", WEST, None),
        ("prod-REGION-starport-layer-bucket.s3.REGION.amazonaws.com", "s3", None, None),
        ("s3.eu-west-1.amazonaws.com", "s3", WEST, None),
        ("mine.s3-eu-west-1.amazonaws.com", "s3", WEST, None),
        ("mine.s3.dualstack.eu-west-1.amazonaws.com", "s3", WEST, None),
        ("mine.s3.amazonaws.com", "s3", None, None),
        ("logs.eu-west-1.amazonaws.com", "logs", WEST, None),
        ("streaming-logs.eu-west-1.amazonaws.com", "logs", WEST, None),
        ("ecs-a-3.eu-west-1.amazonaws.com", "ecs-agent", WEST, None),
        ("ecs-t-12.eu-west-1.amazonaws.com", "ecs-telemetry", WEST, None),
        ("secretsmanager.eu-west-1.amazonaws.com", "secretsmanager", WEST, None),
        ("sts.amazonaws.com", "sts", None, None),
        ("public.ecr.aws", None, None, None),
        ("api.ecr-public.us-east-1.amazonaws.com", None, None, None),
        ("registry-1.docker.io", None, None, None),
        ("10.0.3.7", None, None, None),
        ("", None, None, None),
    ],
)
def test_endpoint_region_and_account_of_a_host(
    name: str, endpoint: str | None, region: str | None, account: str | None
) -> None:
    host = read_host(name)
    assert (host.endpoint, host.region, host.account) == (endpoint, region, account)
    assert not host.vpce
    assert not host.fips


@pytest.mark.parametrize(
    "name",
    [
        f"{ACCOUNT}.dkr.ecr.eu-wset-1.amazonaws.com",  # no such region
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonws.com",  # not AWS's domain
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com.corp.example",  # with a search domain appended
    ],
)
def test_a_misspelt_registry_has_no_region(name: str) -> None:
    host = read_host(name)
    assert (host.endpoint, host.region) == ("ecr.dkr", None)


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        (f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "ecr.dkr"),
        ("api.ecr-fips.us-gov-west-1.amazonaws.com", "ecr.api"),
        ("ecr-fips.us-gov-west-1.api.aws", "ecr.api"),
        ("logs-fips.us-gov-west-1.amazonaws.com", "logs"),
    ],
)
def test_fips_names(name: str, endpoint: str) -> None:
    host = read_host(name)
    assert (host.endpoint, host.region, host.fips) == (endpoint, "us-gov-west-1", True)


@pytest.mark.parametrize(
    ("name", "endpoint", "region"),
    [
        ("vpce-0a1b-2c.api.ecr.eu-west-1.vpce.amazonaws.com", "ecr.api", WEST),
        ("vpce-0a1b-2c.dkr.ecr.eu-west-1.vpce.amazonaws.com", "ecr.dkr", WEST),
        ("vpce-0a1b-2c.logs.eu-west-1.vpce.amazonaws.com", "logs", WEST),
        ("vpce-0a1b-2c.ecs-agent.eu-west-1.vpce.amazonaws.com", "ecs-agent", WEST),
        ("bucket.vpce-0a1b-2c.s3.eu-west-1.vpce.amazonaws.com", "s3", WEST),
        ("vpce-0a1b-2c.eu-west-1.vpce.amazonaws.com", "ecr.dkr", WEST),
        ("vpce-0a1b-2c.dkr.ecr.cn-north-1.vpce.amazonaws.com.cn", "ecr.dkr", "cn-north-1"),
    ],
)
def test_endpoint_specific_names(name: str, endpoint: str, region: str) -> None:
    host = read_host(name)
    assert (host.endpoint, host.region, host.vpce) == (endpoint, region, True)


@pytest.mark.parametrize("name", ["****", "xxx", "***.***", "<account>", "REDACTED", "redacted", "ACCOUNT_ID", "…", ""])
def test_masks(name: str) -> None:
    assert is_masked(name)


@pytest.mark.parametrize("name", ["registry", "a.example", ACCOUNT, "xy", "shop-api"])
def test_names_that_are_not_masks(name: str) -> None:
    assert not is_masked(name)


@pytest.mark.parametrize("name", ["ghcr.io", "proxy.corp.example", "10.0.3.7", "<registry-host>", "public.ecr.aws"])
def test_hosts_outside_aws(name: str) -> None:
    assert is_foreign(read_host(name))


@pytest.mark.parametrize(
    "name", ["****", "x.x.x.x", "<account>", "<ECR URL>", "aws-endpoint", "logs.eu-west-1.amazonaws.com"]
)
def test_hosts_that_may_belong_to_aws(name: str) -> None:
    assert not is_foreign(read_host(name))


def test_links_are_not_what_failed() -> None:
    assert is_link("docs.aws.amazon.com")
    assert is_link("repost.aws")
    assert not is_link("logs.eu-west-1.amazonaws.com")


def test_ecr_public() -> None:
    assert is_public_ecr("public.ecr.aws")
    assert is_public_ecr("API.ecr-public.us-east-1.amazonaws.com")
    assert not is_public_ecr("api.ecr.us-east-1.amazonaws.com")
