"""A VPC, and access for ordinary clients: a file with its root certificate and a CONNECT proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.sim.servers import authority_pem
from probe.sim.vpc import VPC
from tests.sim.connect_proxy import ConnectProxy


@pytest.fixture
def vpc() -> Iterator[VPC]:
    with VPC() as vpc:
        yield vpc


@pytest.fixture
def proxy(vpc: VPC) -> Iterator[str]:
    """The URL of an HTTP proxy that resolves and dials inside the VPC."""
    with ConnectProxy(vpc) as server:
        yield server.url


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("authority") / "amazon.pem"
    path.write_bytes(authority_pem())
    return str(path)
