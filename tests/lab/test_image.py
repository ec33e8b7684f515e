"""The built image: its contents, and its behavior in a locked-down task with good and with bad input."""

from __future__ import annotations

import json
import mmap
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import probe
from container.finish import UNREAD
from probe import __version__
from probe.configuration.operations import OPERATIONS
from probe.fleet import Fleet
from probe.model import Outcome, Pull, Severity, Status, Verdict
from probe.model import Path as NetworkPath
from probe.wire.aws_calls import SERVICE_CALLS
from tests.lab import faults
from tests.lab.agent import FOREIGN_METADATA_PORT
from tests.lab.cloud import LOG_GROUP, OWN_IMAGE, REGISTRY, ROOT, S3, Cloud
from tests.lab.containers import BASE, CA_SECRET, HOME, IMAGE, PIP_SECRET, SOURCE, Engine, Task
from tests.lab.network import environment, run

SOON = 15.0  # seconds from SIGTERM to the end; a check whose layer trickles lasts 30
NO_METADATA = {"ECS_CONTAINER_METADATA_URI_V4": None, "ECS_CONTAINER_METADATA_URI": None}
# An endpoint of AWS's API where nothing listens, and static keys.
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
}
TASK = "arn:aws:ecs:us-east-1:123456789012:task/main/0123456789abcdef0123456789abcdef"
IMAGE_GIVEN = {"ECR_PROBE_IMAGE": f"{REGISTRY}/{OWN_IMAGE}"}


def inside(engine: Engine, script: str, *, image: str = IMAGE) -> str:
    """Run a script in the image's shell as the image's user, and return its output."""
    return engine.run("podman", "run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", script)


def inspected(engine: Engine) -> dict[str, object]:
    (description,) = json.loads(engine.run("podman", "image", "inspect", IMAGE))
    return dict(description)


# ---- contents --------------------------------------------------------------------------------------------------------


def test_its_configuration(engine: Engine) -> None:
    configuration = inspected(engine)["Config"]
    assert isinstance(configuration, dict)
    assert configuration["Entrypoint"] == ["ecr-probe"]
    assert configuration["Cmd"] == ["check", "--format", "json"]
    assert (configuration["User"], configuration["StopSignal"]) == ("65532:65532", "SIGTERM")
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in configuration["Labels"].items()}
    assert (labels["version"], labels["licenses"], labels["title"]) == (__version__, "Apache-2.0", "ecr-probe")
    assert re.fullmatch("[0-9a-f]{40}(-dirty)?", labels["revision"])
    assert labels["source"] == SOURCE


@pytest.mark.parametrize(
    ("remote", "label"),
    [
        ("https://user:word@git.example/probe.git", "https://git.example/probe.git"),
        ("/srv/probe.git", None),
        (None, None),
    ],
)
def test_the_source_label_is_the_url_of_the_remote_without_its_login(
    tmp_path: Path, remote: str | None, label: str | None
) -> None:
    own = ("git", f"--git-dir={tmp_path}")
    run(*own, "init", "--quiet")
    if remote:
        run(*own, "remote", "add", "origin", remote)
    command = ("make", "-C", str(ROOT), "--just-print", "image", "ENGINE=buildah")
    printed = run(*command, env=environment({"GIT_DIR": str(tmp_path)}))
    assert re.findall(r"--label org\.opencontainers\.image\.source=(\S+)", printed) == ([label] if label else [])


def test_what_it_adds_is_small_and_not_writable(engine: Engine) -> None:
    assert int(inside(engine, f"du -sk {HOME}").split()[0]) * 1024 <= 60e6
    added = engine.run("podman", "run", "--rm", "--network=none", "--entrypoint=find", IMAGE, HOME, "-writable")
    assert added == ""
    both = [set(inside(engine, _WRITABLE_BY_ALL, image=image).splitlines()) for image in (IMAGE, BASE)]
    assert both[0] == both[1]  # the base has its /tmp
    assert inside(engine, f"find {HOME} -perm /6000").strip() == ""


_WRITABLE_BY_ALL = "find / -xdev -perm -0002 ! -type l -not -path '/proc/*' 2>/dev/null || true"


def test_nothing_that_built_it_is_left(engine: Engine) -> None:
    installed = inside(engine, f"cd {HOME}/lib/python3*/site-packages; find . -maxdepth 2 | sort").split()
    assert {"./probe/cli.py", "./botocore/data"} <= set(installed)
    gone = ("pip", "setuptools", "wheel", "flit_core", *UNREAD)
    assert not {f"./{name}" for name in gone} & set(installed)
    assert inside(engine, "ls -d /src /build /wheel 2>/dev/null || true") == ""
    assert inside(engine, "ls -A /run/secrets /root/.cache 2>/dev/null || true") == ""


def test_pip_is_removed_even_that_of_the_base(engine: Engine) -> None:
    pips = "find / -xdev '(' -name pip -o -name 'pip[-0-9]*' -o -name ensurepip ')' -not -path '/proc/*' 2>/dev/null"
    assert inside(engine, f"{pips} || true", image=BASE) != ""
    assert inside(engine, f"{pips} || true") == ""
    for python in (f"{HOME}/bin/python", "python3"):
        for module in ("pip", "ensurepip"):
            missing = f"import importlib.util; print(importlib.util.find_spec('{module}'))"
            assert inside(engine, f'{python} -c "{missing}"') == "None\n"


def test_the_build_secrets_leave_no_trace(engine: Engine, tmp_path: Path) -> None:
    """Neither in a layer, even if a later one hides it, nor in the configuration and the history."""
    archive = tmp_path / "image.tar"
    engine.run("podman", "save", "--quiet", "--format=docker-archive", f"--output={archive}", IMAGE, timeout=120)
    with archive.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        for content in (Path(probe.__file__).read_bytes(), SOURCE.encode()):  # the archive is not compressed
            assert whole.find(content) >= 0
        for secret in (PIP_SECRET, CA_SECRET):
            assert whole.find(secret.encode()) == -1, secret
    archive.unlink()


def test_the_package_is_installed_and_not_copied(engine: Engine) -> None:
    where = "import probe, importlib.metadata as m; print(probe.__file__, m.version('ecr-probe'))"
    file, version = inside(engine, f'cd /; {HOME}/bin/python -c "{where}"').split()
    assert "/site-packages/probe/" in file
    assert version == __version__


def test_wheels_of_the_locked_versions_exist_for_arm64_too(tmp_path: Path) -> None:
    platforms = [f"--platform=manylinux{name}_aarch64" for name in ("_2_34", "_2_28", "_2_17", "2014")]
    command = (sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--require-hashes", *platforms)
    wanted = ("--only-binary=:all:", "--python-version=3.13", "--target", str(tmp_path), "-r")
    done = subprocess.run(
        (*command, *wanted, str(ROOT / "requirements" / "runtime.txt")), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ---- what still works ------------------------------------------------------------------------------------------------


# The services that the program calls by botocore, or that botocore calls for credentials, each with one operation.
CALLS: dict[str, tuple[str, dict[str, object]]] = {
    "cloudformation": ("describe_stacks", {}),
    "ec2": ("describe_subnets", {}),
    "ecr": ("get_authorization_token", {}),
    "ecs": ("list_clusters", {}),
    "iam": ("list_roles", {}),
    "kms": ("list_keys", {}),
    "logs": ("describe_log_groups", {}),
    "network-firewall": ("list_firewalls", {}),
    "organizations": ("describe_organization", {}),
    "route53": ("list_hosted_zones", {}),
    "route53profiles": ("list_profiles", {}),
    "route53resolver": ("list_resolver_rules", {}),
    "s3": ("list_buckets", {}),
    "signin": ("create_o_auth2_token", {"tokenInput": {"clientId": "a", "grantType": "refresh_token"}}),
    "sso": ("list_accounts", {"accessToken": "a"}),
    "sso-oidc": ("register_client", {"clientName": "a", "clientType": "public"}),
    "sts": ("get_caller_identity", {}),
}


def python(engine: Engine, script: str) -> str:
    """Run a Python script in the image without a network, and return its output."""
    command = ("podman", "run", "--rm", "--network=none", "--read-only", f"--entrypoint={HOME}/bin/python", IMAGE)
    return engine.run(*command, "-c", script)


def test_every_call_of_a_client_reaches_the_network(engine: Engine) -> None:
    """Client, endpoint, signature and waiter need botocore's data; the data of other services is removed."""
    script = f"""
import botocore.config, botocore.exceptions, botocore.session
session = botocore.session.get_session()
session.set_credentials("AKIAIOSFODNN7EXAMPLE", "secret")
once = botocore.config.Config(retries={{"total_max_attempts": 1}})
for name, (call, parameters) in {CALLS}.items():
    try:
        getattr(session.create_client(name, region_name="eu-west-1", config=once), call)(**parameters)
    except botocore.exceptions.EndpointConnectionError:
        print(name)
session.create_client("ecs", region_name="eu-west-1").get_waiter("tasks_stopped")
session.create_client("logs", region_name="eu-west-1").get_paginator("filter_log_events")
print(session.get_available_services())
"""
    *called, available = python(engine, script).splitlines()
    assert called == list(CALLS)
    assert available == str(list(CALLS))


def test_the_source_calls_no_other_service() -> None:
    """Calls are named by IAM actions in the source; the image has the data of all services that clients call.

    The calls of --also are only signed, which needs no data of their services.
    """
    actions = (re.findall(r'"([a-z0-9-]+):[A-Z][a-z]\w+"', file.read_text()) for file in ROOT.glob("probe/**/*.py"))
    services = {service for names in actions for service in names}
    only_signed = {call.service for call in SERVICE_CALLS.values()}
    # Condition keys, and ECS's groups of tasks, are written alike.
    assert {"ecr", "logs"} <= services - {"aws", "service"} <= set(CALLS) | only_signed
    assert {operation.service for operation in OPERATIONS} <= set(CALLS)


def test_the_progress_bar_works(engine: Engine) -> None:
    script = """
import sys
from probe.progress import Bar
bar = Bar(sys.stderr, patience=0)
bar.layer_started("sha256:a", 100)
bar.layer_advanced("sha256:a", 50)
bar.close()
print("done")
"""
    assert python(engine, script) == "done\n"


def test_no_source_is_compiled_at_run_time(task: Task) -> None:
    """PYTHONVERBOSE lists the file of every module: always bytecode, never a source."""
    lines = task.run(variables={"PYTHONVERBOSE": "1"}).err.splitlines()
    loaded = [line for line in lines if line.startswith("# code object from ")]
    assert len(loaded) > 300
    assert [line for line in loaded if not line.endswith(".pyc'")] == []


def test_every_command_answers(task: Task, tmp_path: Path) -> None:
    assert task.run("--version").out == f"ecr-probe {__version__}\n"
    assert json.loads(task.run("schema").out)["$schema"]
    document = task.run("check", "--format", "json")
    saved = tmp_path / "verdict.json"
    saved.write_text(document.out)
    explained = task.run("explain", "/lab/verdict.json", "--format", "json", mounts={"/lab/verdict.json": str(saved)})
    verdicts = [msgspec.json.decode(ended.out, type=Verdict) for ended in (document, explained)]
    assert verdicts[0].findings == verdicts[1].findings
    text = (
        "CannotPullContainerError: dial tcp 10.0.1.10:443: i/o timeout reading https://api.ecr.us-east-1.amazonaws.com/"
    )
    (reason := tmp_path / "reason.txt").write_text(text)
    explained = task.run("explain", "/lab/reason.txt", mounts={"/lab/reason.txt": str(reason)})
    assert (explained.code, explained.err) == (1, "")
    assert "error[tcp.silent]" in explained.out
    stopped = task.run("explain", "--task", TASK, "--format", "json", variables=NOWHERE)
    assert (stopped.code, stopped.err) == (3, ""), stopped.err
    assert msgspec.json.decode(stopped.out, type=Verdict).findings[0].code == "task.not-described"
    subnet = ("--subnets", "subnet-0a1b2c3d", "--security-groups", "sg-0a1b2c3d")
    smoke = task.run("smoke", *subnet, "--timeout", "2", "--format", "json", variables=NOWHERE)
    assert smoke.code == 3, smoke.err
    (subnet_run,) = msgspec.json.decode(smoke.out, type=Fleet).runs
    assert subnet_run.status is Status.INCONCLUSIVE
    assert "did not answer" in smoke.out
    unhealthy = task.run("health")
    assert (unhealthy.code, unhealthy.err.count("\n")) == (1, 1)
    assert "nothing listens" in unhealthy.err
    demo = task.run("demo")
    assert (demo.code, demo.err.count("\n")) == (2, 1)
    assert "not part of this installation" in demo.err


# ---- in a task -------------------------------------------------------------------------------------------------------


def test_without_arguments_it_detects_its_settings(task: Task) -> None:
    container = {name: value for name, value in task.container.items() if name not in ("command", "environment")}
    bare = replace(task, definition={**task.definition, "containerDefinitions": [container]})
    ended = bare.run()
    verdict = msgspec.json.decode(ended.out, type=Verdict)
    assert (ended.code, ended.err, verdict.status, verdict.pull) == (0, "", Status.PASS, Pull.WORKS)
    assert ended.out.count("\n") == 1  # one line for the log driver
    assert verdict.plan.image == f"{REGISTRY}/{OWN_IMAGE}"
    assert verdict.plan.log_group == LOG_GROUP
    assert verdict.path is NetworkPath.TASK_ENI
    assert verdict.identity.source == "container-role"
    assert {step.outcome for step in verdict.steps} <= {Outcome.OK, Outcome.SKIPPED}


@pytest.mark.parametrize("init", [True, False], ids=["under-init", "as-pid-1"])
def test_after_sigterm_it_prints_the_document_and_ends_soon(cloud: Cloud, task: Task, init: bool) -> None:
    container = {**task.container, "linuxParameters": {**task.container["linuxParameters"], "initProcessEnabled": init}}
    own = replace(task, definition={**task.definition, "containerDefinitions": [container]})
    with (
        faults.layers_trickle(cloud),
        subprocess.Popen(
            own.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=task.engine.environment
        ) as process,
    ):
        try:
            cloud.wait_for_connection("established", S3)
            process.send_signal(signal.SIGTERM)  # podman forwards it
            out, err = process.communicate(timeout=SOON)
        finally:
            process.kill()
    assert err == ""
    verdict = msgspec.json.decode(out, type=Verdict)
    assert (process.returncode, verdict.status, verdict.pull) == (3, Status.INCONCLUSIVE, Pull.UNPROVEN)


# ---- bad input -------------------------------------------------------------------------------------------------------


def test_without_metadata_an_image_is_required(task: Task) -> None:
    ended = task.run(variables=NO_METADATA)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "--image (ECR_PROBE_IMAGE" in ended.err


def test_without_metadata_and_with_an_image_the_network_is_proven(task: Task) -> None:
    verdict = verdict_with(task, {**NO_METADATA, **IMAGE_GIVEN})
    assert (verdict.status, verdict.pull, verdict.path) == (Status.PASS, Pull.WORKS, NetworkPath.TASK_ENI)


@pytest.mark.parametrize("uri", [f"http://169.254.170.2:{FOREIGN_METADATA_PORT}/v4/x", "http://169.254.170.2/v4/none"])
def test_metadata_of_another_platform_only_needs_an_image(task: Task, uri: str) -> None:
    foreign = {"ECS_CONTAINER_METADATA_URI_V4": uri, "ECS_CONTAINER_METADATA_URI": None}
    refused = task.run(variables=foreign)
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "--image (ECR_PROBE_IMAGE" in refused.err
    verdict = verdict_with(task, {**foreign, **IMAGE_GIVEN})
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)


def test_without_a_task_role_the_network_is_proven_and_the_pull_is_not(task: Task) -> None:
    verdict = verdict_with(task, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": None}, code=3)
    assert (verdict.status, verdict.pull) == (Status.INCONCLUSIVE, Pull.UNPROVEN)
    (error,) = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
    assert error.code == "credentials.missing"
    assert {endpoint.name for endpoint in verdict.endpoints if endpoint.reached} >= {"s3"}


def test_without_a_region_it_follows_from_the_image(task: Task) -> None:
    verdict = verdict_with(task, {"AWS_REGION": None, "AWS_DEFAULT_REGION": None, **NO_METADATA, **IMAGE_GIVEN})
    assert (verdict.status, verdict.plan.region) == (Status.PASS, "us-east-1")


def verdict_with(task: Task, variables: dict[str, str | None], *, code: int = 0) -> Verdict:
    """Run it, and return its document; nothing may be on stderr."""
    ended = task.run(variables=variables)
    assert (ended.code, ended.err) == (code, "")
    verdict = msgspec.json.decode(ended.out, type=Verdict)
    assert verdict.exit_code == code
    return verdict


def test_a_bundle_that_cannot_be_read(task: Task, tmp_path: Path) -> None:
    secret = tmp_path / "ca.pem"
    secret.write_text("")
    secret.chmod(0o600)
    for bundle in ("/lab/none.pem", "/lab/secret.pem"):
        ended = task.run(variables={"AWS_CA_BUNDLE": bundle}, mounts={"/lab/secret.pem": str(secret)})
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert "AWS_CA_BUNDLE" in ended.err
        assert bundle in ended.err


def test_a_report_in_a_folder_that_is_not_writable(task: Task) -> None:
    ended = task.run("check", "--format", "json", "--output", "/var/verdict.json")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "--output (ECR_PROBE_OUTPUT" in ended.err


def test_an_unknown_command(task: Task) -> None:
    ended = task.run("chekc")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "did you mean check?" in ended.err
