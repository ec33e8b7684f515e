"""The files under task-definitions/ with their placeholders filled in."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "task-definitions"
ACCOUNT, REGION = "123456789012", "us-east-1"
VALUES = {
    "ACCOUNT_ID": ACCOUNT,
    "REGION": REGION,
    "VPC_CIDR": "10.0.0.0/16",
    "CLUSTER": "main",
    "VPC_ID": "vpc-0a1b2c3d4e5f60718",
    "SUBNET_ID": "subnet-0a1b2c3d4e5f60718",
    "ECR_API_ENDPOINT_ID": "vpce-0a1b2c3d4e5f60718",
    "ECR_DKR_ENDPOINT_ID": "vpce-0b1c2d3e4f5a60718",
}
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def filled(name: str) -> Any:
    """A JSON file by its path without the suffix. Raises KeyError for an unknown placeholder."""
    return json.loads(string.Template((FOLDER / f"{name}.json").read_text()).substitute(VALUES))


def placeholders(path: Path) -> set[str]:
    """The names between `${` and `}`; CloudFormation templates have other placeholders."""
    return set(re.findall(r"\$\{(\w+)\}", path.read_text()))


def probe_container(definition: dict[str, Any]) -> dict[str, Any]:
    (container,) = [item for item in definition["containerDefinitions"] if item["name"] == "ecr-probe"]
    return dict(container)


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container["environment"]}
