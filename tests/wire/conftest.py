"""Certificates of a trusted and an untrusted authority for the servers of these tests, and generous limits."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest
import trustme
from hypothesis import settings

from probe import push
from probe.wire import credentials, metadata
from tests.wire.servers import HOST

settings.register_profile("wire", deadline=None, database=None, derandomize=True, max_examples=60)
settings.load_profile("wire")


@pytest.fixture(autouse=True)
def _generous_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of time that are constants of a module, as generous as the budget of these tests."""
    monkeypatch.setattr(metadata, "INSTANCE_SECONDS", 60.0)
    monkeypatch.setattr(credentials, "_SECONDS", 60.0)
    monkeypatch.setattr(push, "SECONDS", 60.0)


@dataclass(frozen=True)
class Authority:
    ca: trustme.CA = field(default_factory=lambda: trustme.CA(organization_name="Amazon"))

    def server(self, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or (HOST,)), not_after=not_after).configure_cert(context)
        return context

    def trust(self) -> Callable[[], ssl.SSLContext]:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return lambda: context


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def untrusted() -> Authority:
    return Authority(trustme.CA(organization_name="Middlebox Inc"))
