"""Every command that the program prints is one that the AWS CLI, botocore and bash accept. Nothing is sent."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from probe import demo
from probe.model import Verdict
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from tests.deployment.definitions import filled
from tests.faults.commands import (
    PLAYED,
    calls_of,
    commands_of,
    fault_of_text,
    filled_in,
    form_of,
    known_commands,
    unreadable,
)
from tests.gates.sample_changes import NETWORK_CHANGES
from tests.lab.cloud import SERVERS
from tests.scenarios.remedies import all_printed_commands

pytestmark = pytest.mark.skipif(not (SERVERS / "aws").exists(), reason="make test-lab installs the AWS CLI")
SCRIPT = Path(__file__).with_name("cli_without_network.py")
# Operations that the locked AWS CLI does not know yet. Remove one when it does.
NEWER = ("start-replication-backfill",)
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
    """Every distinct command of all cases, samples, pages and scenarios with forms of their own."""
    scenarios = {scenario.name: scenario for scenario in SCENARIOS}
    played = (finding for name in PLAYED for finding in play(scenarios[name]).findings)
    return tuple(sorted(known_commands() | commands_of(played)))


def play(scenario: Scenario) -> Verdict:
    return demo.play(scenario, demo.read((scenario.name,)), threading.Event())


def faults_of(commands: Iterable[str], folder: Path) -> dict[str, str]:
    """Why a command cannot be run as it is printed, by command."""
    faults = {command: fault for command in commands if (fault := fault_of_text(command))}
    faults |= dict.fromkeys(unreadable(sorted(commands)), "bash cannot read it")
    calls = [(command, words) for command in commands for words in calls_of(command) if words[1] not in NEWER]
    for name, content in FILES.items():
        (folder / name).write_text(json.dumps(content))
    forms = {form_of(words): (command, words) for command, words in calls}
    answers = run_cli([list(map(filled_in, words)) for _, words in forms.values()], folder)
    for (command, _), fault in zip(forms.values(), answers, strict=True):
        if fault is not None:
            faults.setdefault(command, fault)
    return faults


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


def test_the_commands_of_changes_can_be_run(tmp_path: Path) -> None:
    printed = {command for change in NETWORK_CHANGES for command in change.advice("us-east-1").commands}
    printed |= all_printed_commands()
    assert faults_of(printed, tmp_path) == {}


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
