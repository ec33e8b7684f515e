"""Prometheus's own check of metrics in its text format. It does not read OpenMetrics."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def assert_promtool_likes(exposition: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
