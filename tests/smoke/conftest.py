"""A fake AWS for each test, and `smoke` that runs against it in virtual time."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from botocore.loaders import create_loader

from probe.operator.aws import Account
from tests.smoke.aws import CREDENTIALS, REGION, Aws, served
from tests.smoke.runs import Bench, FakeAccount, VirtualWorkers


@pytest.fixture(autouse=True, scope="session")
def service_descriptions() -> Iterator[None]:
    """Read botocore's descriptions of the services once for all clients."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("probe.operator.aws.create_loader", lambda _search_path: loader)
        yield


@pytest.fixture
def workers(aws: Aws) -> VirtualWorkers:
    workers = VirtualWorkers()
    aws.now = workers.now
    return workers


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def bench(aws: Aws, workers: VirtualWorkers) -> Bench:
    """For tests of decisions: calls reach the fake AWS without HTTP, and retries have the same pauses."""
    random.seed(0)
    return Bench(aws, workers, FakeAccount(aws))


@pytest.fixture
def http_bench(aws: Aws, workers: VirtualWorkers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """With HTTP and real botocore clients, which find the fake AWS by botocore's own variables."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with served(aws) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield Bench(aws, workers, Account(region=REGION, profile=None))
