"""`ecr-probe up` and `down` as a new user runs them: the built wheel in a fresh virtual environment, without Docker.

moto judges CloudFormation, ECR, ECS, IAM, EC2 and CloudWatch Logs, CNCF distribution receives the push, and the AWS CLI
lists what is left. `front.py` has what moto lacks.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.account import Account, simulated_account
from tests.lab.cloud import CREDENTIALS, SERVERS
from tests.lab.front import Front, served
from tests.lab.images import MIB, write_layout
from tests.lab.network import ENVIRONMENT, environment, run
from tests.lab.test_registries import PASSWORD, USER, distribution
from tests.smoke.aws import REGION, Aws

NEEDED = ("docker-registry", "htpasswd", "skopeo")
ROOT = Path(__file__).parents[2]
REGION_VARIABLES = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


class Place:
    """An account with a service and its VPC, and an installed ecr-probe."""

    def __init__(self, account: Account, front: Front, port: int, program: Path) -> None:
        self.account, self.front, self._port, self._program = account, front, port, program

    def aws(self, arguments: str) -> Any:
        return self.account.aws(arguments, **REGION_VARIABLES)

    def probe(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        own = {
            **CREDENTIALS,
            **REGION_VARIABLES,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "HOME": str(self.account.folder),
        }
        return subprocess.run(
            (self._program, *arguments),
            env=environment(own),
            cwd=self.account.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def left(self) -> dict[str, list[str]]:
        """What the AWS CLI and the registry list, by kind."""
        stacks = self.aws("cloudformation list-stacks")["StackSummaries"]
        listed = {
            "stacks": [item["StackName"] for item in stacks if item["StackStatus"] != "DELETE_COMPLETE"],
            "repositories": [item["repositoryName"] for item in self.aws("ecr describe-repositories")["repositories"]],
            "images": sorted(self.front.images("ecr-probe")),
            "roles": [item["RoleName"] for item in self.aws("iam list-roles")["Roles"]],
            "log groups": [item["logGroupName"] for item in self.aws("logs describe-log-groups")["logGroups"]],
            "task definitions": [
                arn.rpartition("/")[2]
                for arn in self.aws("ecs list-task-definitions --family-prefix ecr-probe-smoke")["taskDefinitionArns"]
            ],
            "schedules": [item["Name"] for item in self.aws("scheduler list-schedules")["Schedules"]],
        }
        return {kind: names for kind, names in listed.items() if names}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by flit and installed as pipx does: in an environment of its own, with the locked libraries."""
    missing = [name for name in NEEDED if not shutil.which(name, path=ENVIRONMENT["PATH"])]
    missing += [name for name in ("moto_server", "aws") if not (SERVERS / name).exists()]
    if missing:
        pytest.skip(f"missing here: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("pipx")
    own = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "SOURCE_DATE_EPOCH": "315532800"}

    def python(program: str | Path, *arguments: str) -> None:
        subprocess.run((program, "-m", *arguments), env=own, check=True, capture_output=True, timeout=600)

    code = "import sys; from flit_core import buildapi; print(buildapi.build_wheel(sys.argv[1]))"
    subprocess.run((sys.executable, "-c", code, str(folder)), cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("ecr_probe-*.whl")
    python(sys.executable, "venv", str(folder / "venv"))
    installed = folder / "venv/bin/python"
    lock = str(ROOT / "requirements/runtime.txt")
    python(installed, "pip", "install", "--quiet", "--require-hashes", "-r", lock)
    python(installed, "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    return folder / "venv/bin/ecr-probe"


@pytest.fixture
def place(program: Path, tmp_path: Path) -> Iterator[Place]:
    with (
        simulated_account(tmp_path) as account,
        distribution(tmp_path / "registry", "basic") as registry,
    ):
        ecs = Aws()
        front = Front(account.port, registry.port, tmp_path / "registry/storage", (USER, PASSWORD), ecs)
        with served(front) as port:
            place = Place(account, front, port, program)
            subnets = place.aws("ec2 describe-subnets")["Subnets"][:2]
            ecs.subnets = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
            vpc = subnets[0]["VpcId"]
            groups = place.aws(f"ec2 describe-security-groups --filters Name=vpc-id,Values={vpc}")["SecurityGroups"]
            place.aws("ecs create-cluster --cluster-name main")
            container = [{"name": "shop", "image": "shop", "memory": 256}]
            place.aws(
                "ecs register-task-definition --family shop --network-mode awsvpc "
                f"--container-definitions '{json.dumps(container)}'"
            )
            network = {"subnets": [*ecs.subnets], "securityGroups": [groups[0]["GroupId"]]}
            place.aws(
                "ecs create-service --cluster main --service-name shop --task-definition shop --desired-count 1 "
                f"--launch-type FARGATE --network-configuration '{json.dumps({'awsvpcConfiguration': network})}'"
            )
            place.account.skip_waiting("ecs::task")
            yield place


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    write_layout(folder, "ecr-probe:0.1.0", [3 * MIB, MIB])
    file = tmp_path / "ecr-probe.tar"
    run("tar", "-cf", str(file), "-C", str(folder), ".")
    return file


def test_from_nothing_to_a_verdict_and_back(place: Place, archive: Path) -> None:
    before, began = place.left(), time.monotonic()
    up = place.probe("up", "--cluster", "main", "--service", "shop", "--image-archive", str(archive), "--yes")
    assert up.returncode == 0, up.stderr
    seconds = time.monotonic() - began
    print(f"from nothing to a verdict: 1 command, {seconds:.1f} s", up.stderr, up.stdout, sep="\n")
    assert "pass" in up.stdout
    (stack,) = place.aws("cloudformation describe-stacks --stack-name ecr-probe")["Stacks"]
    assert {"Key": "ecr-probe", "Value": "0.1.0"} in stack["Tags"]
    made = place.left()
    assert made["stacks"] == made["repositories"] == ["ecr-probe"]
    assert len(made["images"]) == 1
    assert (len(made["roles"]), made["log groups"]) == (2, ["/ecs/ecr-probe"])
    # skopeo reads what was pushed
    reference = f"docker://127.0.0.1:{place.front.registry}/ecr-probe@{made['images'][0]}"
    inspected = run("skopeo", "inspect", "--tls-verify=false", "--creds", f"{USER}:{PASSWORD}", reference)
    assert json.loads(inspected)["Digest"] == made["images"][0]
    assert PASSWORD not in up.stdout + up.stderr

    again = place.probe("up", "--cluster", "main", "--service", "shop", "--yes")
    assert again.returncode == 0, again.stderr
    assert place.left() == made

    down = place.probe("down", "--yes")
    assert down.returncode == 0, down.stderr
    assert place.left() == before


def test_once_leaves_nothing(place: Place, archive: Path) -> None:
    before = place.left()
    once = ("--image-archive", str(archive), "--once", "--yes", "--format", "json")
    done = place.probe("up", "--cluster", "main", "--service", "shop", *once)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "pass"
    assert place.left() == before


def test_plan_changes_nothing(place: Place, archive: Path) -> None:
    done = place.probe("up", "--cluster", "main", "--service", "shop", "--image-archive", str(archive), "--plan")
    assert (done.returncode, done.stdout) == (0, "")
    assert "create  stack" in done.stderr
    assert place.left() == {}
