"""No reply leaves a secret in the configuration: whatever its members contain, only those that are needed are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from botocore.model import Shape

from probe.cli import main
from probe.configuration.operations import OPERATIONS, Operation
from probe.operator.reading import read
from tests.configuration.test_operations import model
from tests.inspect.test_target import with_service
from tests.inspect.vpc import REGION
from tests.operator.endpoint import CREDENTIALS, Endpoint, served

SENTINEL = "s3nt1nel"
# Members that may hold a secret, or what people write: the path of a member ends with one of these or goes through it.
_SECRET = re.compile(
    r"(?i)tag(s|set|list)?\b|user_?data|environment|command|entrypoint|label|descri|comment|secret|passw|credential"
    r"|valuefrom|healthcheck|plaintext|keyname|startedby|statusreason|stoppedreason|private_?key"
)
_HARMLESS = ("InstanceMetadataTags", "HttpTokens", "imageTags", "HealthCheckId")


def reply_of(shape: Shape, path: str = "", seen: tuple[str, ...] = ()) -> Any:
    """A reply with every member of its shape; a string is its own path, with the sentinel where it may be a secret."""
    match shape.type_name:
        case "structure":
            members = {} if shape.name in seen else shape.members
            return {name: reply_of(part, f"{path}.{name}", (*seen, shape.name)) for name, part in members.items()}
        case "list":
            return [reply_of(shape.member, path, seen)]
        case "map":
            return {f"{path}.key": reply_of(shape.value, f"{path}.value", seen)}
        case "string":
            return f"{path} {SENTINEL}" if _SECRET.search(path) and not path.endswith(_HARMLESS) else path
        case _:
            return None


class OneReply:
    """A reader that answers every call with the same reply."""

    region = REGION

    def __init__(self, reply: Any) -> None:
        self.reply = reply

    def pages(self, action: str, *, region: str | None = None, **_: Any) -> Iterator[Any]:
        assert (action, region) != ("", "")
        yield self.reply


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service}:{operation.name}")
def test_no_member_that_may_hold_a_secret_is_kept(operation: Operation) -> None:
    reply = reply_of(model(operation.service, operation.name).output_shape)

    def ask(view: Any) -> None:
        view.reply(operation)

    def evaluate(view: Any) -> None:
        try:
            ask(view)
        except Exception:
            return

    _, configuration = read(OneReply(reply), evaluate)
    kept = next(each.reply for each in configuration.sources if each.question.operation == operation.name)
    assert kept
    assert SENTINEL not in json.dumps(kept), re.findall(rf"[\w.\[\]]+ {SENTINEL}", json.dumps(kept))


def spoiled() -> Any:
    """A service whose containers and objects have the sentinel wherever a secret may be."""
    account = with_service()
    tagged = ("Subnets", "Vpcs", "SecurityGroups", "VpcEndpoints", "RouteTables", "NetworkAcls")
    for kind in (*tagged, "NetworkInterfaces"):
        for item in account.objects["ec2"][kind]:
            item["Tags" if kind in tagged else "TagSet"] = [{"Key": SENTINEL, "Value": SENTINEL}]
    account.objects["ecs"]["services"][0]["tags"] = [{"key": SENTINEL, "value": SENTINEL}]
    for group in account.objects["ec2"]["SecurityGroups"]:
        group["Description"] = SENTINEL
        for permission in group.get("IpPermissions", ()):
            permission["IpRanges"][0]["Description"] = SENTINEL
    definition = deepcopy(account.replies["ecs:DescribeTaskDefinition"])
    secret = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{SENTINEL}-AbCdEf:{SENTINEL}::"
    definition["taskDefinition"]["containerDefinitions"][0] |= {
        "environment": [{"name": SENTINEL, "value": SENTINEL}],
        "environmentFiles": [{"value": f"arn:aws:s3:::bucket/{SENTINEL}", "type": "s3"}],
        "command": [SENTINEL],
        "entryPoint": [SENTINEL],
        "dockerLabels": {SENTINEL: SENTINEL},
        "healthCheck": {"command": [SENTINEL]},
        "secrets": [{"name": SENTINEL, "valueFrom": secret}, {"name": "X", "valueFrom": f"/{SENTINEL}/parameter"}],
        "repositoryCredentials": {"credentialsParameter": secret},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/shop", "awslogs-region": REGION, "awslogs-datetime-format": SENTINEL},
            "secretOptions": [{"name": SENTINEL, "valueFrom": secret}],
        },
    }
    definition["tags"] = [{"key": SENTINEL, "value": SENTINEL}]
    account.replies["ecs:DescribeTaskDefinition"] = definition
    return account


def test_no_secret_reaches_a_file_or_a_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name, value in {**CREDENTIALS, "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    argv = ["inspect", "--cluster", "main", "--service", "shop", "-v", "--save", "saved.json"]
    for form in ("json", "text", "markdown", "junit", "github"):
        argv += ["--format", form, *(("--output", f"report.{form}") if form != "text" else ())]
    with served(Endpoint(spoiled())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert main(argv) in (0, 1, 3)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(written) == 5
    out, err = capfdbinary.readouterr()
    for name, content in {**written, "stdout": out, "stderr": err}.items():
        for secret in (SENTINEL, *list(CREDENTIALS.values())[:2]):
            assert secret.encode() not in content, name
