"""The built image: what is in it and what is not, and how it behaves in a locked-down task of good and of bad input."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from container.finish import SERVICES, UNREAD
from probe import __version__
from probe.model import Outcome, Pull, Severity, Status, Verdict
from probe.model import Path as NetworkPath
from tests.lab import faults
from tests.lab.agent import FOREIGN_METADATA_PORT
from tests.lab.cloud import LOG_GROUP, OWN_IMAGE, REGISTRY, ROOT, S3, Cloud
from tests.lab.containers import BASE, HOME, IMAGE, Engine, Task

SOON = 1.0  # seconds from SIGTERM to the end
NO_METADATA = {"ECS_CONTAINER_METADATA_URI_V4": None, "ECS_CONTAINER_METADATA_URI": None}
IMAGE_GIVEN = {"ECR_PROBE_IMAGE": f"{REGISTRY}/{OWN_IMAGE}"}


def inside(engine: Engine, script: str, *, image: str = IMAGE) -> str:
    """What a shell of the image prints, as the image's own user."""
    return engine.run("podman", "run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", script)


def inspected(engine: Engine) -> dict[str, object]:
    (found,) = json.loads(engine.run("podman", "image", "inspect", IMAGE))
    return dict(found)


# ---- what it is made of ----------------------------------------------------------------------------------------------


def test_its_configuration(engine: Engine) -> None:
    configuration = inspected(engine)["Config"]
    assert isinstance(configuration, dict)
    assert configuration["Entrypoint"] == ["ecr-probe"]
    assert configuration["Cmd"] == ["check", "--format", "json"]
    assert (configuration["User"], configuration["StopSignal"]) == ("65532:65532", "SIGTERM")
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in configuration["Labels"].items()}
    assert (labels["version"], labels["licenses"], labels["title"]) == (__version__, "Apache-2.0", "ecr-probe")
    assert re.fullmatch("[0-9a-f]{40}(-dirty)?", labels["revision"])
    assert "source" in labels


def test_what_it_adds_is_small_and_nobody_may_change_it(engine: Engine) -> None:
    assert int(inside(engine, f"du -sk {HOME}").split()[0]) * 1024 <= 60e6
    added = engine.run("podman", "run", "--rm", "--network=none", "--entrypoint=find", IMAGE, HOME, "-writable")
    assert added == ""
    both = [set(inside(engine, _WRITABLE_BY_ALL, image=image).splitlines()) for image in (IMAGE, BASE)]
    assert both[0] == both[1]  # a base has its /tmp
    assert inside(engine, f"find {HOME} -perm /6000").strip() == ""


_WRITABLE_BY_ALL = "find / -xdev -perm -0002 ! -type l -not -path '/proc/*' 2>/dev/null || true"


def test_nothing_that_built_it_is_left(engine: Engine) -> None:
    found = inside(engine, f"ls {HOME}/bin; ls {HOME}/lib/python3*/site-packages; ls /src /build /wheel 2>&1 || true")
    assert "ecr-probe" in found.split()
    assert not {"pip", "pip3", "setuptools", "wheel", "flit_core", *UNREAD} & set(found.split())
    history = json.dumps(inspected(engine)["History"])
    assert "pip.conf" not in history
    assert inside(engine, "ls -A /run/secrets /root/.cache 2>/dev/null || true") == ""


def test_the_package_is_installed_and_not_copied_beside(engine: Engine) -> None:
    where = "import probe, importlib.metadata as m; print(probe.__file__, m.version('ecr-probe'))"
    file, version = inside(engine, f'cd /; {HOME}/bin/python -c "{where}"').split()
    assert "/site-packages/probe/" in file
    assert version == __version__


def test_wheels_of_the_locked_versions_exist_for_arm64_too(tmp_path: Path) -> None:
    platforms = [f"--platform=manylinux{name}_aarch64" for name in ("_2_34", "_2_28", "_2_17", "2014")]
    command = (sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--require-hashes", *platforms)
    wanted = ("--only-binary=:all:", "--python-version=3.13", "--target", str(tmp_path), "-r")
    subprocess.run((*command, *wanted, str(ROOT / "requirements" / "runtime.txt")), check=True, capture_output=True)


# ---- what still works in it ------------------------------------------------------------------------------------------


def test_what_was_dropped_is_missed_by_no_call(engine: Engine) -> None:
    script = f"""
import os, sys
import botocore.session
session = botocore.session.get_session()
for name in {SERVICES}:
    client = session.create_client(name, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert client.meta.service_model.operation_names, name
from probe.progress import Bar
bar = Bar(sys.stderr, patience=0)
bar.layer_started("sha256:a", 100)
bar.layer_advanced("sha256:a", 50)
bar.layer_done("sha256:a")
bar.close()
print("done")
"""
    command = ("podman", "run", "--rm", "--network=none", "--read-only", f"--entrypoint={HOME}/bin/python", IMAGE)
    assert engine.run(*command, "-c", script).splitlines()[-1] == "done"


def test_no_bytecode_is_made_at_run_time(task: Task) -> None:
    """Python tells from where it takes each module: never from a source."""
    told = task.run(variables={"PYTHONVERBOSE": "1"}).err.splitlines()
    loaded = [line for line in told if line.startswith("# code object from ")]
    assert len(loaded) > 300
    assert [line for line in loaded if not line.endswith(".pyc'")] == []


def test_every_command_answers(task: Task) -> None:
    assert task.run("--version").out == f"ecr-probe {__version__}\n"
    assert json.loads(task.run("schema").out)["$schema"]
    document = task.run("check", "--format", "json")
    saved = ROOT / ".venv" / "containers" / "verdict.json"
    saved.write_text(document.out)
    explained = task.run("explain", "/lab/verdict.json", "--format", "json", mounts={"/lab/verdict.json": str(saved)})
    verdicts = [msgspec.json.decode(each.out, type=Verdict) for each in (document, explained)]
    assert verdicts[0].findings == verdicts[1].findings
    unhealthy = task.run("health")
    assert (unhealthy.code, unhealthy.err.count("\n")) == (1, 1)
    assert "nothing listens" in unhealthy.err
    demo = task.run("demo")
    assert (demo.code, demo.err.count("\n")) == (2, 1)
    assert "ecr-probe[demo]" in demo.err


# ---- in a task -------------------------------------------------------------------------------------------------------


def test_without_any_argument_it_finds_out_everything_by_itself(task: Task) -> None:
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
def test_sigterm_ends_it_soon_and_the_document_is_printed(cloud: Cloud, task: Task, init: bool) -> None:
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
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)  # podman hands it on
            out, err = process.communicate(timeout=20)
            seconds = time.monotonic() - began
        finally:
            process.kill()
    assert err == ""
    verdict = msgspec.json.decode(out, type=Verdict)
    assert (process.returncode, verdict.status, verdict.pull) == (3, Status.INCONCLUSIVE, Pull.UNPROVEN)
    assert seconds < SOON + 0.5  # half a second is podman's


# ---- bad input -------------------------------------------------------------------------------------------------------


def test_without_metadata_an_image_must_be_named(task: Task) -> None:
    ended = task.run(variables=NO_METADATA)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "--image (ECR_PROBE_IMAGE" in ended.err


def test_without_metadata_and_with_an_image_the_network_is_proven(task: Task) -> None:
    verdict = passed(task, {**NO_METADATA, **IMAGE_GIVEN})
    assert (verdict.status, verdict.pull, verdict.path) == (Status.PASS, Pull.WORKS, NetworkPath.TASK_ENI)


@pytest.mark.parametrize("uri", [f"http://169.254.170.2:{FOREIGN_METADATA_PORT}/v4/x", "http://169.254.170.2/v4/none"])
def test_metadata_that_is_not_of_ecs_is_worth_knowing_and_no_more(task: Task, uri: str) -> None:
    foreign = {"ECS_CONTAINER_METADATA_URI_V4": uri, "ECS_CONTAINER_METADATA_URI": None}
    refused = task.run(variables=foreign)
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "--image (ECR_PROBE_IMAGE" in refused.err
    verdict = passed(task, {**foreign, **IMAGE_GIVEN})
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)


def test_without_a_task_role_the_network_is_proven_and_the_pull_is_not(task: Task) -> None:
    verdict = passed(task, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": None}, code=3)
    assert (verdict.status, verdict.pull) == (Status.INCONCLUSIVE, Pull.UNPROVEN)
    (error,) = [each for each in verdict.findings if each.severity is Severity.ERROR]
    assert error.code == "credentials.missing"
    assert {one.name for one in verdict.endpoints if one.ok} >= {"s3"}


def test_without_a_region_the_image_tells_it(task: Task) -> None:
    verdict = passed(task, {"AWS_REGION": None, "AWS_DEFAULT_REGION": None, **NO_METADATA, **IMAGE_GIVEN})
    assert (verdict.status, verdict.plan.region) == (Status.PASS, "us-east-1")


def passed(task: Task, variables: dict[str, str | None], *, code: int = 0) -> Verdict:
    """A run that ends with a document, and with nothing on stderr."""
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


def test_a_report_where_nothing_can_be_written(task: Task) -> None:
    ended = task.run("check", "--format", "json", "--output", "/var/verdict.json")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "--output (ECR_PROBE_OUTPUT" in ended.err


def test_a_command_that_there_is_not(task: Task) -> None:
    ended = task.run("chekc")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "did you mean check?" in ended.err
