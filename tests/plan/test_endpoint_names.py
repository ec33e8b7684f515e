"""The table of host names against botocore's endpoint rules, which AWS publishes."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider

from probe.endpoints import ROWS, Place
from probe.model import Partition
from probe.partitions import partitions

# Row → botocore's service. The ecs-a and ecs-t hosts, the registry and the layer bucket are in no rule set.
SERVICES = {
    "ecr.api": "ecr",
    "logs": "logs",
    "ecs": "ecs",
    "secretsmanager": "secretsmanager",
    "ssm": "ssm",
    "kms": "kms",
    "sts": "sts",
}
# Partitions with IPv6-only tasks, which use dual-stack names.
WITH_IPV6 = ("aws", "aws-us-gov", "aws-cn")


@pytest.fixture(scope="module")
def providers() -> dict[str, EndpointProvider]:
    loader = botocore.session.Session().get_component("data_loader")
    partition_data = loader.load_data("partitions")
    return {
        name: EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partition_data)
        for name, service in SERVICES.items()
    }


def host(provider: EndpointProvider, region: str, *, dual_stack: bool) -> str:
    endpoint = provider.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=dual_stack)
    return str(endpoint.url).removeprefix("https://")


@pytest.mark.parametrize("partition", partitions(), ids=lambda partition: partition.name)
@pytest.mark.parametrize("row", SERVICES)
def test_endpoint_names_match_botocores(row: str, partition: Partition, providers: dict[str, EndpointProvider]) -> None:
    assert partition.regions
    for region in partition.regions:
        place = Place(partition, region, "123456789012")
        plain = host(providers[row], region, dual_stack=False)
        # botocore's ECR rules give the API's own name with the "api." prefix from the service model, as clients call
        # it.
        expected = {plain, f"api.{plain}"} if row == "ecr.api" else {plain}
        assert place.fill(ROWS[row].host) in expected
        if partition.name in WITH_IPV6:
            assert place.fill(ROWS[row].dual_stack) == host(providers[row], region, dual_stack=True)


def test_the_list_of_regions_contains_only_regions() -> None:
    assert all("global" not in region for partition in partitions() for region in partition.regions)
    assert {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"} <= {partition.name for partition in partitions()}
