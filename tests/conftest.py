"""The environment of all tests, without this machine's settings; --no-skips; and how workers share the collection."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# On a machine under load an example may take long without being slow.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A developer's own account, proxy or trust store must not decide whether a test passes.
OUTSIDE = ("AWS_", "ECR_PROBE_", "ECS_", "SSL_CERT_")
OUTSIDE_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="treat a skipped test as failed")


def pytest_configure() -> None:
    for name in list(os.environ):
        upper = name.upper()
        if upper.startswith(OUTSIDE) or upper.endswith("_PROXY") or upper in OUTSIDE_NAMES:
            del os.environ[name]
    # Without bytecode every worker and every process that a test starts would compile all modules.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ["HOME"] = "/proc/nonexistent"  # no ~/.aws, no ~/.curlrc, and none can be created


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without garbage collections: thousands of tests and modules live until the end, also when tests run."""
    with _after_the_first_worker():
        gc.disable()
        try:
            return (yield)
        finally:
            gc.freeze()
            gc.enable()


@contextmanager
def _after_the_first_worker() -> Iterator[None]:
    """Let the first worker compile all tests; the others wait for it, because each would compile them too."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    until = time.monotonic() + 60
    while worker not in (None, "gw0") and not _collected().exists() and time.monotonic() < until:
        time.sleep(0.05)
    try:
        yield
    finally:
        if worker == "gw0":
            _collected().touch()


def _collected() -> Path:
    """The file that exists once the first worker of this run has collected its tests."""
    return Path(tempfile.gettempdir(), f"ecr-probe-tests-{os.environ.get('PYTEST_XDIST_TESTRUNUID')}")


def pytest_sessionfinish() -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        _collected().unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _forbid_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report, collector.config)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    if report.skipped and config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"--no-skips: {reason}"
