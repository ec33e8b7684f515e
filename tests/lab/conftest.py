"""One laboratory with an image per session, one AWS account per file. Tests are skipped where programs are missing."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.lab import containers
from tests.lab.account import Account, simulated_account
from tests.lab.cloud import NEEDED, SERVERS, Cloud
from tests.lab.containers import IMAGE, Engine, Task, one_off
from tests.lab.images import KIB, Layout, write_layout
from tests.lab.network import ENVIRONMENT, Host, Network


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that measure in the laboratory, and group all tests for `--dist loadgroup`.

    The laboratory is one group: one worker runs its tests one by one, which mostly wait, and the other workers run
    the rest by file. A file that names its own group gets a second laboratory, in another worker.
    """
    if "cloud" in getattr(item, "fixturenames", ()):
        item.add_marker("laboratory")
    if item.get_closest_marker("xdist_group"):
        return
    group = "laboratory" if item.get_closest_marker("laboratory") else item.path.stem
    item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces need root on Linux")
    missing = [name for name in NEEDED if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    missing += [name for name in ("moto_server", "aws") if not (SERVERS / name).exists()]
    if missing:
        pytest.skip(f"missing here: {', '.join(missing)}; .ci/run installs what Debian has, make test-lab the rest")
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that SIGTERM cleans up as Ctrl-C does
    try:
        with Cloud(SERVERS) as cloud:
            yield cloud
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def alone() -> Iterator[Host]:
    """A host without a route to any other."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces need root on Linux")
    network = Network()
    try:
        network.build()
        yield network.host("alone", "10.0.1.77")
    finally:
        network.remove()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with simulated_account(tmp_path_factory.mktemp("moto")) as account:
        yield account


@pytest.fixture(scope="session")
def image(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A small image of two layers, in the registry."""
    layout = write_layout(tmp_path_factory.mktemp("image") / "app", "app:1", (100 * KIB, 300 * KIB))
    cloud.push(f"oci:{layout.folder}", layout.reference)
    return layout


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The container engine that has the built image in its storage."""
    missing = [name for name in containers.NEEDED if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    if missing or os.geteuid() != 0:
        pytest.skip(f"containers need root and {', '.join(containers.NEEDED)}")
    with Engine.at() as engine:
        if not engine.run("podman", "images", "--quiet", IMAGE):
            pytest.skip("the image is not built: make lab-image")
        yield engine


@pytest.fixture(scope="session")
def task(cloud: Cloud, engine: Engine) -> Task:
    return one_off(cloud, engine)
