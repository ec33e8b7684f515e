"""`inspect` and real clients: the AWS CLI reads the simulated account, and `inspect` reads moto."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import create_loader

from probe.configuration.operations import OPERATIONS
from probe.inspect.command import evaluate
from probe.inspect.options import read_options
from probe.operator.reading import _kept, read, reading_account
from probe.safe_words import json_bytes
from probe.sim.account import SimulatedAccount
from tests.configuration.test_operations import model
from tests.inspect.test_policies import with_service
from tests.lab.account import Account
from tests.lab.cloud import CREDENTIALS, SERVERS
from tests.lab.network import environment
from tests.operator.endpoint import Endpoint, served
from tests.operator.test_protocols import example, required

pytestmark = pytest.mark.skipif(not (SERVERS / "aws").exists(), reason="make test-lab installs the AWS CLI")

# Runs many commands of the AWS CLI in one process. It prints what each printed, as JSON.
_CLI = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
printed = []
for argv in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = create_clidriver().main(argv)
    printed.append(json.loads(out.getvalue() or "null") if code == 0 else f"exit code {code}")
print(json.dumps(printed))
"""


def cli(url: str, *commands: tuple[str, str, dict[str, Any]]) -> list[Any]:
    """What the AWS CLI makes of the replies to (service, operation, parameters)."""
    argv = [
        [service, xform_name(name, "-"), "--cli-input-json", json.dumps(parameters), "--output", "json"]
        for service, name, parameters in commands
    ]
    own = {**CREDENTIALS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": url, "AWS_PAGER": ""}
    done = subprocess.run(
        (SERVERS / "python", "-c", _CLI),
        input=json.dumps(argv),
        capture_output=True,
        text=True,
        env=environment(own),
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed: list[Any] = json.loads(done.stdout)
    return printed


class Whole(SimulatedAccount, kw_only=True):
    """Answers every operation with a reply that has all members."""

    def answer(self, action: str, _parameters: Any, _region: str | None = None) -> dict[str, Any]:
        service, _, name = action.partition(":")
        reply: dict[str, Any] = example(model(service, name).output_shape)
        return reply


@pytest.mark.slow
def test_the_aws_cli_reads_every_reply_of_the_list() -> None:
    """Page by page, where it has a paginator."""
    commands = []
    for operation in OPERATIONS:
        parameters = required(model(operation.service, operation.name).input_shape)
        commands.append((operation.service, operation.name, parameters))
    with served(Endpoint(Whole(), page_size=1)) as url:
        printed = cli(url, *commands)
    for operation, reply in zip(OPERATIONS, printed, strict=True):
        assert isinstance(reply, dict), (operation.name, reply)
        expected = Whole().answer(f"{operation.service}:{operation.name}", {})
        pages = create_loader().load_service_model(operation.service, "paginators-1")["pagination"]
        if operation.items is not None and operation.name not in pages:
            expected[operation.items] = expected[operation.items][: len(reply[operation.items])]
        assert not list(differences(reply, expected)), operation.name
        kept = _kept(operation, [expected])
        printed_of_kept = _kept(operation, [reply])
        missing = kept.keys() - printed_of_kept.keys()
        for one, other in zip(*(each.get(operation.items or "", ()) for each in (kept, printed_of_kept)), strict=True):
            missing |= one.keys() - other.keys() if isinstance(one, dict) else set()
        assert missing <= _NEWER, operation.name


# The locked AWS CLI is older than botocore. It leaves out members that its models do not have.
_NEWER = {"Priority"}


def differences(printed: Any, sent: Any, place: str = "") -> Iterator[str]:
    """Where a printed reply is another than the one that was sent, and the client knows the member."""
    if printed is None:
        return
    if isinstance(sent, dict) and isinstance(printed, dict):
        for key in sent:
            yield from differences(printed.get(key), sent[key], f"{place}.{key}")
    elif isinstance(sent, list) and isinstance(printed, list) and len(sent) == len(printed):
        for one, other in zip(printed, sent, strict=True):
            yield from differences(one, other, place)
    elif printed != sent:
        yield place


def test_the_aws_cli_reads_what_an_inspection_reads() -> None:
    """With its filters, ids and pages: the same objects as the simulated account has."""
    account = with_service()
    options = read_options(("--cluster", "main", "--service", "shop"), {"AWS_REGION": account.region})
    _, configuration = read(account, lambda view: evaluate(view, options))
    asked = [
        (source.question.service, source.question.operation, json.loads(source.question.parameters))
        for source in configuration.sources
        if source.reply is not None
    ]
    expected = [
        json.loads(json_bytes(account.answer(f"{service}:{name}", parameters))) for service, name, parameters in asked
    ]
    with served(Endpoint(account, page_size=2)) as url:
        printed = cli(url, *asked)
    assert len(printed) > 20
    for command, seen, reply in zip(asked, printed, expected, strict=True):
        assert {key: seen.get(key) for key in reply} == reply, command


# ---- moto ------------------------------------------------------------------------------------------------------------

_VPC = """
vpc=$(aws ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
aws ec2 modify-vpc-attribute --vpc-id $vpc --enable-dns-hostnames
for zone in a b; do
  eval "$zone=\\$(aws ec2 create-subnet --vpc-id $vpc --cidr-block 10.0.$(( $(printf %d "'$zone") )).0/24 \
    --availability-zone us-east-1$zone --query Subnet.SubnetId --output text)"
done
group=$(aws ec2 create-security-group --group-name tasks --description tasks --vpc-id $vpc \
  --query GroupId --output text)
for name in api dkr; do
  eval "$name=\\$(aws ec2 create-vpc-endpoint --vpc-id $vpc --vpc-endpoint-type Interface --private-dns-enabled \
    --service-name com.amazonaws.us-east-1.ecr.$name --subnet-ids $a $b --security-group-ids $group \
    --query VpcEndpoint.VpcEndpointId --output text)"
done
aws ec2 create-vpc-endpoint --vpc-id $vpc --service-name com.amazonaws.us-east-1.s3 >/dev/null
aws ecr create-repository --repository-name team/app >/dev/null
printf '{"subnets": "%s", "group": "%s", "ecr.api": "%s", "ecr.dkr": "%s"}' "$a,$b" "$group" "$api" "$dkr"
"""
# What moto does not implement, which it answers with an error page, and what does not exist there.
_UNANSWERED = {
    "ecr:DescribeImages",
    "ecr:DescribePullThroughCacheRules",
    "ecr:GetRegistryPolicy",
    "ecr:GetRepositoryPolicy",
    "organizations:DescribeOrganization",
    "route53profiles:ListProfileAssociations",
    "route53resolver:ListFirewallRuleGroupAssociations",
}


def test_inspect_reads_moto(account: Account) -> None:
    """An independent implementation of the API: every call is one that it understands, or does not implement."""
    made = json.loads(account.shell(_VPC))
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1"
    own = {**CREDENTIALS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{account.port}"}
    command = ("inspect", "--subnets", made["subnets"], "--security-groups", made["group"], "--image", image)
    done = subprocess.run(
        (sys.executable, "-m", "probe", *command, "--format", "json"),
        capture_output=True,
        text=True,
        env=environment(own),
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1, 3), done.stderr
    verdict = json.loads(done.stdout)
    sources = verdict["configuration"]["sources"]
    assert {f"{each['service']}:{each['operation']}" for each in sources if not each["ok"]} <= _UNANSWERED
    assert sum(each["ok"] for each in sources) >= 10
    assert {gate["subnet"] for gate in verdict["gates"]} == set(made["subnets"].split(","))
    exists = {
        (gate["endpoint"], gate["answer"], gate["object"]) for gate in verdict["gates"] if gate["gate"] == "endpoint"
    }
    assert {(name, "allows", made[name]) for name in ("ecr.api", "ecr.dkr")} <= exists


def test_inspect_reads_every_page_of_moto(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    url, zones = f"http://127.0.0.1:{account.port}", 103  # a page of Route 53 has 100
    names = [{"Name": f"zone-{number}.example.", "CallerReference": str(number)} for number in range(zones)]
    cli(url, *(("route53", "CreateHostedZone", parameters) for parameters in names))
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url}.items():
        monkeypatch.setenv(name, value)
    pages = list(reading_account(region="us-east-1", profile=None).pages("route53:ListHostedZones"))
    assert [len(page["HostedZones"]) for page in pages] == [100, zones - 100]
