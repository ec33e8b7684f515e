"""A fake AWS with its registry for each test, and `up` and `down` that run against it in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.aws import DeployedAws
from tests.deploy.registry import served
from tests.deploy.runs import Bench
from tests.registries import layouts


@pytest.fixture
def aws() -> Iterator[DeployedAws]:
    aws = DeployedAws()
    with served(aws.registry):
        yield aws


@pytest.fixture
def bench(aws: DeployedAws) -> Bench:
    return Bench(aws)


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """An image of two platforms, each with an attestation."""
    return layouts.write_tar(tmp_path, layouts.two_platforms())
