"""A VPC, and ways in for clients that know nothing of it: a file with its root certificate and a CONNECT proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.sim.tls import authority_pem
from probe.sim.vpc import VPC
from tests.sim.gateway import Gateway


@pytest.fixture
def vpc() -> Iterator[VPC]:
    with VPC() as world:
        yield world


@pytest.fixture
def proxy(vpc: VPC) -> Iterator[str]:
    """The URL of an HTTP proxy whose CONNECT asks the VPC's resolver and dials within the VPC."""
    with Gateway(vpc) as gateway:
        yield gateway.url


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("authority") / "amazon.pem"
    path.write_bytes(authority_pem())
    return str(path)
