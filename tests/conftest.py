"""What every test may rely on: an environment without this machine's settings, and with --no-skips that it ran."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# On a machine under load an example may take long without being slow.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A developer's own account, proxy or trust store must not decide whether a test passes.
OUTSIDE = ("AWS_", "ECR_PROBE_", "ECS_", "SSL_CERT_")
OUTSIDE_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure: nothing may be missing here")


def pytest_configure() -> None:
    for name in list(os.environ):
        upper = name.upper()
        if upper.startswith(OUTSIDE) or upper.endswith("_PROXY") or upper in OUTSIDE_NAMES:
            del os.environ[name]
    # Otherwise every worker and every process that a test starts compiles everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    gc.disable()  # until all tests are collected, which leaves no garbage
    os.environ["HOME"] = "/proc/nonexistent"  # no ~/.aws, no ~/.curlrc, and nobody can make one


def pytest_collection_finish() -> None:
    gc.freeze()  # thousands of tests and modules live until the end; no later collection looks at them
    gc.enable()


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
