"""An AWS on loopback for each test, where botocore finds it by its own variables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.smoke.aws import CREDENTIALS, Aws, served
from tests.smoke.runs import Bench, Clockwork


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def bench(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    hands = Clockwork()
    aws.now = hands.now
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with served(aws) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield Bench(aws, hands)
