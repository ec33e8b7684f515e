"""An AWS for each test, and `smoke` that runs against it by virtual time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.smoke.aws import CREDENTIALS, Aws, served
from tests.smoke.runs import Bench, Clockwork, FakeAccount, real_account


@pytest.fixture
def clock(aws: Aws) -> Clockwork:
    clock = Clockwork()
    aws.now = clock.now
    return clock


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def bench(aws: Aws, clock: Clockwork) -> Bench:
    """Decisions alone: calls reach the AWS without HTTP."""
    return Bench(aws, clock, FakeAccount(aws))


@pytest.fixture
def http_bench(aws: Aws, clock: Clockwork, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The same over HTTP, by real botocore clients, which find the AWS by botocore's own variables."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with served(aws) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield Bench(aws, clock, real_account())
