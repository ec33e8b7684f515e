"""The commands of the README files, as they are written, against the AWS of `aws.py`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.smoke.aws import CREDENTIALS, GROUP, REGION, Aws, Life, served, subnet

ROOT = Path(__file__).parents[2]


def commands(file: str, section: str) -> Iterator[str]:
    _, _, rest = (ROOT / file).read_text().partition(f"\n## {section}\n")
    for block in re.findall(r"^```sh\n(.*?)^```$", rest.partition("\n## ")[0], re.M | re.S):
        yield from (line.partition("  #")[0] for line in block.splitlines() if line.startswith("ecr-probe smoke"))


COMMANDS = [*commands("README.md", "In a pipeline"), *commands("task-definitions/README.md", "From a pipeline")]


def test_the_readmes_contain_commands() -> None:
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_as_written(command: str, tmp_path: Path) -> None:
    drill = "--expect" in command
    aws = Aws(lives=lambda *_: Life.fails(pending=0.1, running=0.1) if drill else Life(pending=0.1, running=0.1))
    (tmp_path / "ecr-probe").write_text(f'#!/bin/sh\nexec {sys.executable} -m probe "$@"\n')
    (tmp_path / "ecr-probe").chmod(0o755)
    with served(aws) as url:
        own = {
            **os.environ,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "CLUSTER": "main",
            "SUBNETS": f"{subnet(0)},{subnet(1)}",
            "SUBNET": subnet(0),
            "GROUP": GROUP,
        }
        done = subprocess.run(
            ("bash", "-euo", "pipefail", "-c", command),
            cwd=tmp_path,
            env=own,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert aws.running() == []
    for file, start in (("ecr-probe.xml", "<?xml"), ("fleet.json", "{")):
        assert (file in command) == (tmp_path / file).exists()
        if file in command:
            assert (tmp_path / file).read_text().startswith(start)
    if "fleet.json" in command:
        assert json.loads((tmp_path / "fleet.json").read_text())["exit_code"] == 0
    else:
        assert ("as expected (fail:tcp.silent)" in done.stdout) == drill
