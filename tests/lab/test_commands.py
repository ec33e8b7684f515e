"""Every command that the program prints is one that the AWS CLI, botocore and bash accept. Nothing is sent."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from probe import demo
from probe.model import Cause, Verdict
from probe.report.finding_page import CODES, code_page
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from tests.deployment.definitions import filled
from tests.faults.expected import EXPECTED
from tests.faults.reported import REPORTED
from tests.faults.test_laws import PROGRAMS
from tests.lab.cloud import SERVERS

pytestmark = pytest.mark.skipif(not (SERVERS / "aws").exists(), reason="make test-lab installs the AWS CLI")
SCRIPT = Path(__file__).with_name("cli_without_network.py")
# Services without regions in their names, whose commands need no --region.
GLOBAL = ("iam", "organizations", "route53")
LOCAL = ("--version", "configure")  # these call no service
# Operations that the locked AWS CLI does not know yet. Remove one when it does.
NEWER = ("start-replication-backfill",)
_VALUES = re.compile(r"[\w./:-]*\d[\w./:-]*(?:,[\w./:-]*\d[\w./:-]*)*")
_NAMES = {
    "--cluster",
    "--log-group-name",
    "--log-group-name-prefix",
    "--registry-id",
    "--repository-name",
    "--repository-names",
    "--role-name",
    "--user-name",
}
# What the reader puts in for a word in capitals where the CLI accepts no other word.
WORDS = {"NUMBER": "100", "VALUE": "5", "IMAGE_REGION": "us-west-2", "REGION": "eu-west-1"}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
FILES: dict[str, Any] = {
    "POLICY.json": POLICY,
    "TRUST_POLICY.json": POLICY,
    "TASK_DEFINITION.json": filled("fargate-check"),
    "REPLICATION.json": {"rules": [{"destinations": [{"region": "eu-west-1", "registryId": "123456789012"}]}]},
    "ENVIRONMENT.json": {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_SMALL",
        "imagePullCredentialsType": "CODEBUILD",
    },
    "RULES.json": {"RulesSource": {"RulesString": "pass tls any any -> any any (sid:1;)"}},
    "TLS_INSPECTION.json": {"ServerCertificateConfigurations": [{"Scopes": [{"Protocols": [6]}]}]},
    "FIREWALL_POLICY.json": {
        "StatelessDefaultActions": ["aws:forward_to_sfe"],
        "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "StatefulDefaultActions": ["aws:drop_established_app_layer_to_server"],
    },
    "RECORD.json": {
        "Changes": [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": "dkr.ecr.eu-west-1.amazonaws.com",
                    "Type": "A",
                    "AliasTarget": {
                        "HostedZoneId": "Z1",
                        "DNSName": "vpce-0a1b.dkr.ecr.eu-west-1.vpce.amazonaws.com",
                        "EvaluateTargetHealth": False,
                    },
                },
            }
        ]
    },
}


@pytest.fixture(scope="module")
def commands() -> tuple[str, ...]:
    """Every distinct command of all cases, samples, scenarios and pages."""
    advices = [advice for cause in causes() for advice in (cause.fix, cause.confirm)]
    for code in CODES:
        groups = code_page(code).causes
        advices += [advice for group in groups for advice in (group.fix, group.confirm, group.fix_of_deny) if advice]
    return tuple(sorted({command for advice in advices for command in advice.commands}))


def causes() -> Iterator[Cause]:
    runs = (*(case.run for case in EXPECTED), *(case.run for case in REPORTED))
    yield from (cause for run in runs for finding in run.findings() for cause in finding.causes)
    with ThreadPoolExecutor(24) as pool:  # they wait most of the time
        for verdict in pool.map(play, SCENARIOS):
            yield from (cause for finding in verdict.findings for cause in finding.causes)


def play(scenario: Scenario) -> Verdict:
    quick = () if "--connect-timeout" in scenario.arguments else ("--connect-timeout", "1.5")
    return demo.play(scenario, demo.read((scenario.name, *quick)), threading.Event())


def words_of(command: str) -> list[list[str]]:
    """The words of each program in a pipeline, without its redirections."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|<>;&")
    lexer.whitespace_split = True
    programs: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if set(word) <= set("|;&"):
            programs.append([])
        elif set(word) <= set("<>"):
            next(words)
        else:
            programs[-1].append(word)
    return programs


def faults_of(commands: Iterable[str], folder: Path) -> dict[str, str]:
    """Why a command cannot be run as it is printed, by command."""
    faults = {command: fault for command in commands if (fault := fault_of_text(command))}
    faults |= dict.fromkeys(unreadable(sorted(commands)), "bash cannot read it")
    calls = [(command, words[1:]) for command in commands for words in words_of(command) if words[0] == "aws"]
    calls = [(command, words) for command, words in calls if words[0] not in LOCAL and words[1] not in NEWER]
    for name, content in FILES.items():
        (folder / name).write_text(json.dumps(content))
    forms = {form_of(words): (command, words) for command, words in calls}
    answers = run_cli([list(map(filled_in, words)) for _, words in forms.values()], folder)
    for (command, _), fault in zip(forms.values(), answers, strict=True):
        if fault is not None:
            faults.setdefault(command, fault)
    return faults


def filled_in(word: str) -> str:
    """The word with values for words in capitals."""
    word = re.sub(r"\b[A-Z_]+_ARN\b", "arn:aws:iam::123456789012:role/of-fifty-characters-or-more", word)
    return re.sub(rf"\b(?:{'|'.join(WORDS)})\b", lambda match: WORDS[match[0]], word)


def form_of(words: list[str]) -> str:
    """Commands that differ only in regions, addresses, names and numbers have one form, of which one is run."""
    service, operation, *options = map(filled_in, words)
    names = [option in _NAMES for option in ("", *options)]
    values = ["0" if named else re.sub(_VALUES, "0", word) for word, named in zip(options, names, strict=False)]
    return " ".join((service, operation, *values))


def unreadable(commands: list[str]) -> list[str]:
    """The commands that bash does not parse; all at once, and each alone only if one is bad."""
    script = "\n".join(commands)
    if not subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False).returncode:
        return []
    return commands if len(commands) == 1 else [bad for command in commands for bad in unreadable([command])]


def fault_of_text(command: str) -> str | None:
    """What is wrong whatever the program."""
    if re.search(r"…|\.\.\.|\{[a-z_]*\}|\bNone\b", command):
        return "an ellipsis or a placeholder is left"
    for words in words_of(command):
        if words[0] not in PROGRAMS:
            return f"unknown program {words[0]}"
        if words[0] == "aws" and words[1] not in (*GLOBAL, *LOCAL) and "--region" not in words:
            return "no --region"
    return None


def run_cli(arguments: list[list[str]], folder: Path) -> list[str | None]:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder)}
    done = subprocess.run(
        [str(SERVERS / "python"), str(SCRIPT)],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **keys, **nowhere},
    )
    assert done.returncode == 0, done.stderr
    answers: list[str | None] = json.loads(done.stdout)
    return answers


def test_every_command_can_be_run(commands: tuple[str, ...], tmp_path: Path) -> None:
    faults = faults_of(commands, tmp_path)
    assert len(commands) > 500
    assert "\n".join(f"{command}: {fault}" for command, fault in faults.items()) == ""


BAD = {
    "aws ec2 describe-vpcs --region r --vpc-names VPC_ID": "Unknown options",
    "aws ec2 describe-vpc --region r": "Invalid choice",
    "aws ecr describe-images --region r": "--repository-name",
    "aws ecs describe-tasks --region r": "--tasks",
    "aws ec2 create-vpn-gateway --region r --type ipsec.1 --tag-specifications Tags=[{Key=a,Value=b}],Type=x": "Type",
    "aws ec2 create-vpc-endpoint --region r --vpc-id V --service-name s --vpc-endpoint-type Gate": "Gate is no",
    "aws ecr put-replication-configuration --region r --replication-configuration FILE": "Expected",
    "aws ec2 describe-vpcs --region r --filters Name=vpc,Values=VPC_ID": "no filter vpc",
    'aws ec2 describe-vpcs --region r --query "Vpcs[].[VpcId,Name]"': "does not have",
    "aws ec2 describe-vpcs --vpc-ids VPC_ID": "no --region",
    "aws ec2 describe-vpcs --region {region}": "left",
    "aws ec2 describe-vpcs --region r …": "left",
    "docker login | (": "bash",
    "vi policy.json": "unknown program",
}
GOOD = (
    "aws ec2 describe-vpcs --region r --vpc-ids VPC_ID > VPC.json",
    "aws ec2 modify-instance-attribute --region r --instance-id I --no-source-dest-check",
    "aws ec2 modify-vpc-attribute --region r --vpc-id V --enable-dns-support",
)


@pytest.mark.parametrize("operation", NEWER)
def test_the_cli_does_not_know_a_newer_operation(operation: str, tmp_path: Path) -> None:
    (fault,) = run_cli([["ecr", operation, "--region", "r"]], tmp_path)
    assert fault is not None
    assert "Invalid choice" in fault


def test_commands_that_cannot_be_run_are_noticed(tmp_path: Path) -> None:
    faults = faults_of((*BAD, *GOOD), tmp_path)
    assert {command: fault for command, fault in BAD.items() if fault not in faults.get(command, "no fault")} == {}
    assert set(faults) == set(BAD)
