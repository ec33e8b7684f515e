"""The Terraform modules, judged by checkov, which has a virtual environment of its own."""

from __future__ import annotations

import json
import subprocess

from tests.deployment.definitions import FOLDER
from tests.lab.cloud import ROOT
from tests.lab.network import environment

CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"


def test_checkov_finds_nothing() -> None:
    done = subprocess.run(
        (
            CHECKOV,
            "--directory",
            FOLDER / "terraform",
            "--framework",
            "terraform",
            "--output",
            "json",
            "--skip-download",
        ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment({}),
    )
    report = json.loads(done.stdout)
    assert [(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]] == []
    assert report["results"]["parsing_errors"] == []
    assert report["summary"]["passed"] > 0
    # A skip is written in the module, with its reason.
    assert all(check["check_result"]["suppress_comment"] for check in report["results"]["skipped_checks"])
