"""The command line of `smoke`: reports, exit codes, messages, and the commands in the READMEs."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import jsonschema
import pytest

from probe.cli import main
from probe.report.json import schema
from tests.smoke.aws import CREDENTIALS, GROUP, REGION, Aws, Error, Life, served, subnet
from tests.smoke.runs import Bench, subnets

ROOT = Path(__file__).parents[2]


class Output(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Output]


@pytest.fixture
def real_account(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], bench: Bench) -> Run:
    """Run `ecr-probe smoke` in this process and in virtual time."""
    monkeypatch.setattr("probe.smoke.calls.WorkerThreads", lambda: bench.workers)

    def run(*arguments: str) -> Output:
        code = main(["smoke", "--cluster", "main", *arguments])
        return Output(code, *capfd.readouterr())

    return run


@pytest.fixture
def smoke(monkeypatch: pytest.MonkeyPatch, real_account: Run, bench: Bench) -> Run:
    """The same with a fake account."""
    monkeypatch.setattr("probe.operator.aws.Account", lambda **_: bench.account)
    return real_account


# ---- reports and exit codes ------------------------------------------------------------------------------------------


def test_the_text_report_and_a_progress_line_for_each_subnet(smoke: Run, aws: Aws) -> None:
    life, failing = Life(pending=3.0, running=1.0), Life.fails(pending=3.0, running=1.0)
    aws.lives = lambda where, _: failing if where == subnet(1) else life
    code, out, err = smoke(*subnets(3))
    assert code == 1
    assert err.splitlines()[0] == "ecr-probe: 3 subnets"
    assert sorted(re.sub(r"^ecr-probe: \d", "", line) for line in err.splitlines()[1:]) == [
        f"/3 {subnet(0)} (eu-west-1a): pass",
        f"/3 {subnet(1)} (eu-west-1b): fail: tcp.silent",
        f"/3 {subnet(2)} (eu-west-1c): pass",
    ]
    lines = out.splitlines()
    assert lines[0].startswith("error[tcp.silent]: ")
    subject = lines.index("ecr-probe-smoke:7 in cluster main (eu-west-1)")
    assert re.fullmatch(r"zone +subnet +ecr\.api +ecr\.dkr +s3 +logs +verdict", lines[subject + 1])
    assert lines[-2].startswith("fail: 3 subnets of cluster main: 1 fail, 2 pass; ")
    assert lines[-1].startswith("fix:  ")


def test_json_on_stdout_is_one_valid_document(smoke: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.json"
    code, out, _ = smoke(*subnets(2), "--format", "json", "--output", str(file), "--format", "json", "--output", "-")
    assert code == 0
    (line,) = out.splitlines()
    document = json.loads(line)
    jsonschema.Draft202012Validator(schema("fleet")).validate(document)
    assert json.loads(file.read_text()) == document
    assert document["cluster"] == "main"


def test_all_options_may_come_from_variables(smoke: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "SUBNETS": subnet(0),
        "SECURITY_GROUPS": "sg-0a1b2c3d",
        "FORMAT": "json",
        "TASK_DEFINITION": "ecr-probe-smoke",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ECR_PROBE_{name}", value)
    code, out, _ = smoke()
    assert (code, len(json.loads(out)["runs"])) == (0, 1)


# ---- the commands in the READMEs -------------------------------------------------------------------------------------


def commands(file: str, section: str) -> Iterator[str]:
    _, _, rest = (ROOT / file).read_text().partition(f"\n## {section}\n")
    for block in re.findall(r"^```sh\n(.*?)^```$", rest.partition("\n## ")[0], re.M | re.S):
        yield from (line.partition("  #")[0] for line in block.splitlines() if line.startswith("ecr-probe smoke"))


COMMANDS = [
    *commands("README.md", "In your tasks and pipelines"),
    *commands("task-definitions/README.md", "From a pipeline"),
]
VARIABLES = {"CLUSTER": "main", "SUBNETS": f"{subnet(0)},{subnet(1)}", "SUBNET": subnet(0), "GROUP": GROUP}


def test_the_readmes_contain_commands() -> None:
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_as_written(
    command: str, smoke: Run, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = "--expect" in command
    aws.lives = lambda *_: Life.fails() if drill else Life()
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    code, out, err = smoke(*shlex.split(os.path.expandvars(command))[2:])
    assert code == 0, out + err
    assert aws.running() == []
    for file, start in (("ecr-probe.xml", "<?xml"), ("fleet.json", "{")):
        assert (file in command) == (tmp_path / file).exists()
        if file in command:
            assert (tmp_path / file).read_text().startswith(start)
    if "fleet.json" in command:
        assert json.loads((tmp_path / "fleet.json").read_text())["exit_code"] == 0
    else:
        assert ("as expected (fail:tcp.silent)" in out) == drill


# ---- errors ----------------------------------------------------------------------------------------------------------


def test_a_misspelt_variable_is_reported(smoke: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_SUBNET", "subnet-0a1b2c3d")
    assert (
        "ECR_PROBE_SUBNET is not a variable of ecr-probe; did you mean ECR_PROBE_SUBNETS?"
        in smoke("--service", "shop").err
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "--subnets (ECR_PROBE_SUBNETS): give these or --service"),
        (("--service", "unknown"), "'unknown' is not in cluster main in eu-west-1"),
        ((*subnets(1), "--format", "prometheus"), "--format (ECR_PROBE_FORMAT): 'prometheus' is not a format"),
        ((*subnets(1), "--output", "/nowhere/x"), "--output (ECR_PROBE_OUTPUT)"),
    ],
)
def test_a_usage_error_is_one_line_on_stderr(smoke: Run, aws: Aws, arguments: tuple[str, ...], complaint: str) -> None:
    code, out, err = smoke(*arguments)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("ecr-probe: ")
    assert complaint in line
    assert aws.tasks == {}


@pytest.mark.parametrize(
    ("arguments", "missing", "complaint"),
    [
        ((), "", "no region is configured; give --region (ECR_PROBE_REGION) or set AWS_REGION"),
        (("--profile", "unknown"), "", "--profile (ECR_PROBE_PROFILE): 'unknown' is not in the AWS CLI's files"),
        (("--region", REGION), "AWS_ACCESS_KEY_ID", "no usable AWS credentials were found (NoCredentialsError)"),
    ],
)
def test_an_incomplete_configuration_is_one_line_on_stderr(
    real_account: Run, arguments: tuple[str, ...], missing: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    code, out, err = real_account(*subnets(1), *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"ecr-probe: {complaint}")


def test_secrets_are_never_shown(real_account: Run, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    token = "IQoJb3JpZ2luX2VjEXAMPLETOKEN/of+many=letters0123456789abcdef"
    secrets = (CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], token[:20])
    aws.errors = lambda *_: Error("AccessDeniedException", f"not authorized {CREDENTIALS['AWS_SECRET_ACCESS_KEY']}")
    with served(aws) as url:
        for name, value in {**CREDENTIALS, "AWS_SESSION_TOKEN": token, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        code, out, err = real_account(*subnets(1), "--region", REGION)
    assert code == 2
    assert not [secret for secret in secrets if secret in out + err]
