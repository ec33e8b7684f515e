"""The commands of docs/by-hand.md, run as they stand: the AWS CLI against moto, and pushes to CNCF distribution.

Two programs are missing here. `docker` is podman, whose `build` makes a small image of the platform instead of that of
the probe, which other tests build. `crane` accepts the two commands that the page uses, in the spelling of crane's own
documentation, and pushes with skopeo. The shim of `aws` makes up for what moto lacks: its containers write no log, so
`logs get-log-events` first writes what the task would have logged; and it deletes a repository that a stack retains, so
`ecr delete-repository` first creates it again.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hcl2
import pytest

from tests.deployment.definitions import ACCOUNT, filled
from tests.lab.account import Account, ThisMachine
from tests.lab.cloud import ROOT, SERVERS
from tests.lab.containers import Engine
from tests.lab.daemons import Daemon
from tests.lab.network import run
from tests.registries import layouts

PAGE = (ROOT / "docs" / "by-hand.md").read_text()
REGION = "eu-west-1"  # that of the page
TAG = "ecr-probe:0.1.0"
PLATFORMS = {"linux/amd64": "amd64", "linux/arm64": "arm64"}
_DOCKER = """\
#!/bin/bash
if [ "$1" = build ]; then
    echo "$*" >>"$HOME/docker-build"
    while [ $# -gt 0 ]; do case "$1" in --platform) platform=$2 ;; --tag) tag=$2 ;; esac; shift; done
    echo 'FROM scratch' >"$HOME/Containerfile"
    exec podman build --quiet --platform "$platform" --tag "$tag" --file "$HOME/Containerfile" "$HOME"
fi
exec podman "$@"
"""
_CRANE = """\
#!/bin/bash
set -eu
case "$*" in
"auth login --username AWS --password-stdin $REGISTRY") skopeo login --username AWS --password-stdin "$REGISTRY" ;;
"push /"*" $REGISTRY/"*)
    [ $# = 3 ] && [ -f "$2/index.json" ] # a folder with a layout, of one image or index
    python3 -c 'import json, sys; assert len(json.load(open(sys.argv[1]))["manifests"]) == 1' "$2/index.json"
    skopeo copy --all --quiet "oci:$2" "docker://$3" ;;
*) echo "crane has no command $*" >&2; exit 2 ;;
esac
"""
_AWS = """\
#!/bin/bash
if [ "$1 $2" = "logs get-log-events" ]; then
    stream=$(sed 's/.*--log-stream-name \\([^ ]*\\).*/\\1/' <<<"$*")
    SERVERS/aws logs create-log-stream --log-group-name /ecs/ecr-probe --log-stream-name "$stream"
    SERVERS/aws logs put-log-events --log-group-name /ecs/ecr-probe --log-stream-name "$stream" \\
        --log-events "file://$HOME/logged.json" >/dev/null
fi
if [ "$1 $2" = "ecr delete-repository" ]; then
    SERVERS/aws ecr create-repository --repository-name ecr-probe >/dev/null 2>&1 || true
fi
exec SERVERS/aws "$@"
"""


def block(title: str, number: int = 0, language: str = "sh") -> str:
    """A block of the section with this title."""
    section = re.split(rf"^##+ {re.escape(title)}$", PAGE, flags=re.M)[1]
    blocks: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```$", re.split(r"^##+ ", section, flags=re.M)[0], re.M | re.S
    )
    return blocks[number]


class Reader(NamedTuple):
    """Pastes blocks into a shell in the repository. `more` replaces settings of the page."""

    account: Account
    more: dict[str, str]

    def paste(self, *blocks: str, **more: str) -> str:
        settings = "\n".join(f"export {name}={value!r}" for name, value in {**self.more, **more}.items())
        script = "\n".join((f"cd {str(ROOT)!r}", block("1. Settings"), settings, *blocks))
        return self.account.shell(
            script, PATH=f"{self.account.folder}/shims:{Path(sys.executable).parent}:{SERVERS}:{_BIN}"
        )


_BIN = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def reader(account: Account) -> Reader:
    shims = account.folder / "shims"
    shims.mkdir(exist_ok=True)
    for name, text in {"docker": _DOCKER, "crane": _CRANE, "aws": _AWS.replace("SERVERS", str(SERVERS))}.items():
        (shims / name).write_text(text)
        (shims / name).chmod(0o755)
    region = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    subnet = account.aws("ec2 describe-subnets", **region)["Subnets"][0]
    groups = account.aws(f"ec2 describe-security-groups --filters Name=vpc-id,Values={subnet['VpcId']}", **region)
    network = {"SUBNET": subnet["SubnetId"], "SECURITY_GROUP": groups["SecurityGroups"][0]["GroupId"]}
    return Reader(account, {"ACCOUNT_ID": ACCOUNT, **network})


@pytest.fixture
def registry(account: Account, tmp_path: Path) -> Iterator[str]:
    """The host of a registry that accepts the login of moto's ECR."""
    missing = [name for name in ("docker-registry", "htpasswd", "podman", "skopeo") if not shutil.which(name)]
    if missing:
        pytest.skip(f"missing here: {', '.join(missing)}; .ci/run installs what Debian has")
    password = account.shell(f"aws ecr get-login-password --region {REGION}").strip()
    users = tmp_path / "users"
    users.write_text(run("htpasswd", "-Bbn", "AWS", password))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "blobs")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "auth": {"htpasswd": {"realm": "lab", "path": str(users)}},
    }
    file = tmp_path / "registry.json"  # which is YAML too
    file.write_text(json.dumps(configuration))
    host = ThisMachine("this machine", ("127.0.0.1",))
    daemon = Daemon("registry", host, ("docker-registry", "serve", str(file)), logs=tmp_path)
    daemon.wait_until_it_listens(port)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        daemon.stop()


@pytest.fixture
def pushing(reader: Reader, registry: str, tmp_path: Path) -> Reader:
    """A reader whose registry is the laboratory's, which has no TLS."""
    plain = reader.account.folder / ".config" / "containers" / "registries.conf"
    plain.parent.mkdir(parents=True, exist_ok=True)
    plain.write_text(f'unqualified-search-registries = []\n[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    more = {"REGISTRY": registry, "REGISTRY_AUTH_FILE": str(tmp_path / "logins"), **Engine.at().own}
    return reader._replace(more={**reader.more, **more})


def pushed(reader: Reader) -> dict[str, Any]:
    """The manifest of the pushed tag, read by another client with the login of the test."""
    raw = reader.paste(f'skopeo inspect --raw "docker://$REGISTRY/{TAG}"')
    return dict(json.loads(raw))


# ---- push ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("platform", "architecture"), PLATFORMS.items())
def test_docker_pushes_an_image_of_the_chosen_platform(pushing: Reader, platform: str, architecture: str) -> None:
    pushing.paste(block("With docker"), PLATFORM=platform)
    config = json.loads(pushing.paste(f'skopeo inspect --config "docker://$REGISTRY/{TAG}"'))
    assert (config["os"], config["architecture"]) == ("linux", architecture)
    built = (pushing.account.folder / "docker-build").read_text().splitlines()[-1]
    assert built.startswith(
        f"build --file container/Dockerfile --tag {pushing.more['REGISTRY']}/{TAG} --platform {platform} "
    )


@pytest.mark.parametrize("program", ["skopeo", "crane"])
def test_an_archive_is_pushed_with_all_its_platforms(pushing: Reader, program: str, tmp_path: Path) -> None:
    archive = layouts.write_tar(tmp_path, layouts.two_platforms())
    commands = block(f"With {program}")
    export, _, rest = commands.partition("\n")
    assert export == "export ARCHIVE=dist/ecr-probe-image.tar"
    pushing.paste(rest, ARCHIVE=str(archive))
    entries = pushed(pushing)["manifests"]
    assert {entry["platform"]["architecture"] for entry in entries} >= {"amd64", "arm64"}


def test_the_archive_of_the_page_is_the_one_that_make_builds() -> None:
    built = re.search(r"^IMAGE_ARCHIVE \?= (\S+)$", (ROOT / "Makefile").read_text(), re.M)
    assert built is not None
    assert {built[1]} == set(re.findall(r"ARCHIVE=(\S+)", PAGE))


# ---- create, run, remove ---------------------------------------------------------------------------------------------


def test_from_nothing_to_a_verdict_and_back(reader: Reader) -> None:
    account, region = reader.account, {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    account.aws("ecs create-cluster --cluster-name main", **region)
    account.skip_waiting("ecs::task")
    reader.paste(block("With CloudFormation"), ARCHITECTURE="ARM64")
    (stack,) = account.aws("cloudformation describe-stacks --stack-name ecr-probe", **region)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    assert (given["CpuArchitecture"], given["VpcCidr"]) == ("ARM64", "10.0.0.0/16")
    assert repositories(account) == ["ecr-probe"]
    account.aws("ecs describe-task-definition --task-definition ecr-probe-smoke", **region)
    # moto runs no task without the memory of a container, which Fargate does not need.
    runnable = filled("smoke")
    runnable["containerDefinitions"][0]["memory"] = 256
    account.aws(f"ecs register-task-definition --cli-input-json '{json.dumps(runnable)}'", **region)

    verdict = run(sys.executable, "-m", "probe", "demo", "healthy", "--format", "json")
    logged = [{"timestamp": int(time.time() * 1000), "message": verdict.strip()}]
    (account.folder / "logged.json").write_text(json.dumps(logged))
    report = reader.paste(block("4. Run it once"))
    assert report.splitlines()[-1].startswith("pass: ECS can pull the image")

    reader.paste(block("5. Remove everything"))
    assert (
        account.aws("cloudformation list-stacks --stack-status-filter CREATE_COMPLETE", **region)["StackSummaries"]
        == []
    )
    assert repositories(account) == []
    roles = account.aws("iam list-roles")["Roles"]
    assert [role["RoleName"] for role in roles if "ecr-probe" in role["RoleName"]] == []
    assert account.aws("logs describe-log-groups --log-group-name-prefix /ecs/ecr-probe", **region)["logGroups"] == []


def repositories(account: Account) -> list[str]:
    found = account.aws(f"ecr describe-repositories --region {REGION}")["repositories"]
    return [repository["repositoryName"] for repository in found]


def test_a_repository_can_be_created_alone(reader: Reader) -> None:
    reader.paste(block("With CloudFormation", 1))
    (repository,) = reader.account.aws(f"ecr describe-repositories --region {REGION}")["repositories"]
    assert (repository["repositoryName"], repository["imageTagMutability"]) == ("ecr-probe", "IMMUTABLE")
    reader.account.aws(f"ecr delete-repository --region {REGION} --repository-name ecr-probe")


def test_a_task_that_did_not_start_is_explained(reader: Reader) -> None:
    """The document of a task that ECS stopped, which moto does not make."""
    stopped = {
        "tasks": [
            {
                "lastStatus": "STOPPED",
                "stopCode": "TaskFailedToStart",
                "stoppedReason": "CannotPullContainerError: image Manifest does not contain descriptor matching "
                "platform 'linux/amd64'",
                "containers": [{"name": "ecr-probe", "lastStatus": "STOPPED"}],
            }
        ]
    }
    shim = reader.account.folder / "shims" / "aws"
    shim.write_text(f"#!/bin/bash\n[ \"$1 $2\" = 'ecs describe-tasks' ] && cat <<'EOF'\n{json.dumps(stopped)}\nEOF\n")
    with pytest.raises(AssertionError):  # exit code 1, as the verdict is fail
        reader.paste(block("4. Run it once", 1), task="arn")
    report = reader.paste(f"({block('4. Run it once', 1).strip()}) || [ $? = 1 ]", task="arn")
    assert "registry.no-matching-platform" in report


def test_every_block_is_run_by_a_test() -> None:
    source = Path(__file__).read_text()
    titles = {title for title, text in re.findall(r"^##+ (.+?)$(.*?)(?=^##|\Z)", PAGE, re.M | re.S) if "```sh" in text}
    assert titles == {
        "1. Settings",
        "With CloudFormation",
        "With docker",
        "With skopeo",
        "With crane",
        "4. Run it once",
        "5. Remove everything",
    }
    assert all(f'"{title}"' in source for title in titles)
    assert subprocess.run(["bash", "-n"], input=block("4. Run it once"), text=True, check=False).returncode == 0


def test_the_block_of_terraform_fits_the_module() -> None:
    document = hcl2.loads(block("With Terraform", language="hcl"))
    (module,) = (arguments for entry in document["module"] for arguments in entry.values())
    folder = ROOT / module.pop("source").strip('"')
    variables = {name.strip('"'): body for item in _variables(folder) for name, body in item.items()}
    required = {name for name, body in variables.items() if "default" not in body}
    given = {name for name in module if not name.startswith("__")}
    assert required <= given <= variables.keys()


def _variables(module: Path) -> list[dict[str, Any]]:
    return list(hcl2.loads((module / "variables.tf").read_text())["variable"])
