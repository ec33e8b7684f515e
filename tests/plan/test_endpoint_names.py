"""The table of host names against botocore's endpoint rules, which AWS publishes."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider

from probe.endpoints import ROWS, Place, service_name
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


@pytest.fixture(scope="module")
def endpoint_data() -> dict[str, Any]:
    data = botocore.session.Session().get_component("data_loader").load_data("endpoints")
    assert isinstance(data, dict)
    return data


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
        assert place.fill(ROWS[row].dual_stack) == host(providers[row], region, dual_stack=True)


@pytest.mark.parametrize("partition", partitions(), ids=lambda partition: partition.name)
def test_the_fips_host_of_ecr_matches_botocores(partition: Partition, providers: dict[str, EndpointProvider]) -> None:
    for region in partition.regions if partition.name in ("aws", "aws-us-gov") else ():
        endpoint = providers["ecr.api"].resolve_endpoint(Region=region, UseFIPS=True, UseDualStack=False)
        place = Place(partition, region, "123456789012")
        assert f"https://{place.fill(ROWS['ecr-fips'].host)}" == endpoint.url


def test_partitions_match_botocores_older_table(endpoint_data: dict[str, Any]) -> None:
    """botocore has regions and suffixes twice; the other table lists a new region later."""
    ours = {partition.name: partition for partition in partitions()}
    assert set(ours) == {entry["partition"] for entry in endpoint_data["partitions"]}
    for entry in endpoint_data["partitions"]:
        partition = ours[entry["partition"]]
        assert partition.dns_suffix == entry["dnsSuffix"]
        assert set(entry["regions"]) <= set(partition.regions)
        dual = {suffix for variant in entry["defaults"]["variants"] if "dualstack" in variant["tags"]
                for suffix in (variant["dnsSuffix"],)}  # fmt: skip
        assert dual <= {partition.dual_stack_suffix}


@pytest.mark.parametrize("partition", partitions(), ids=lambda partition: partition.name)
def test_names_of_the_registry(partition: Partition, endpoint_data: dict[str, Any]) -> None:
    """botocore's older table has the registry's host name of some regions as an endpoint "dkr-<region>"."""
    (entry,) = (entry for entry in endpoint_data["partitions"] if entry["partition"] == partition.name)
    for name, endpoint in entry["services"]["api.ecr"]["endpoints"].items():
        if name.startswith("dkr-") and "hostname" in endpoint:
            place = Place(partition, endpoint["credentialScope"]["region"], "123456789012")
            assert place.fill(ROWS["ecr.dkr"].host).removeprefix("123456789012.") == endpoint["hostname"]


@pytest.mark.parametrize(
    ("partition", "region", "dual_stack"),
    [
        ("aws", "eu-west-1", "1.dkr-ecr.eu-west-1.on.aws"),
        ("aws-us-gov", "us-gov-west-1", "1.dkr-ecr.us-gov-west-1.on.aws"),
        ("aws-cn", "cn-north-1", "1.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn"),
        ("aws-eusc", "eusc-de-east-1", "1.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
        ("aws-iso", "us-iso-east-1", "1.dkr.ecr.us-iso-east-1.c2s.ic.gov"),
    ],
)
def test_the_dual_stack_registry_has_no_guessed_name(partition: str, region: str, dual_stack: str) -> None:
    place = Place(next(item for item in partitions() if item.name == partition), region, "1")
    assert place.fill(ROWS["ecr.dkr"].dual_stack) == dual_stack


EVERY_SERVICE = {name for name in ROWS if name not in ("s3", "ecr-legacy", "ecr-fips")}


@pytest.mark.parametrize(
    ("partition", "prefix", "services"),
    [
        ("aws", "com.amazonaws", EVERY_SERVICE),
        ("aws-us-gov", "com.amazonaws", EVERY_SERVICE),
        ("aws-cn", "cn.com.amazonaws", {"ecr.api", "ecr.dkr", "sts"}),
        ("aws-eusc", "eu.amazonaws", {"ecr.api", "ecr.dkr"}),
        ("aws-iso", "gov.ic.c2s", {"ecr.api", "ecr.dkr"}),
        ("aws-iso-b", "gov.sgov.sc2s", {"ecr.api", "ecr.dkr"}),
        ("aws-iso-e", "uk.adc-e.cloud", {"ecr.api", "ecr.dkr"}),
        ("aws-iso-f", "gov.ic.hci.csp", {"ecr.api", "ecr.dkr"}),
    ],
)
def test_names_of_privatelink_services(partition: str, prefix: str, services: set[str]) -> None:
    """As aws-cdk has them (vpc-endpoint.ts, getDefaultEndpointPrefix)."""
    for service in EVERY_SERVICE:
        expected = prefix if service in services else "com.amazonaws"
        assert service_name(service, partition, "REGION") == f"{expected}.REGION.{service}"
    assert service_name("ecr-legacy", partition, "r") == service_name("ecr.api", partition, "r")
    assert service_name("ecr-fips", partition, "r") == "com.amazonaws.r.ecr-fips.api"
    assert service_name("s3", partition, "r", interface=False) == "com.amazonaws.r.s3"
    interface = "cn.com.amazonaws" if partition == "aws-cn" else "com.amazonaws"
    assert service_name("s3", partition, "r", interface=True) == f"{interface}.r.s3"


def test_every_partition_has_its_service_names_tested() -> None:
    marks = test_names_of_privatelink_services.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == {partition.name for partition in partitions()}


def test_the_list_of_regions_contains_only_regions() -> None:
    assert all("global" not in region for partition in partitions() for region in partition.regions)
    assert {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"} <= {partition.name for partition in partitions()}
