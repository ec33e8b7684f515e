"""The examples are valid: by each service's own schema, and by the program's own parsers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from probe.config.settings import parse
from probe.report import FLEET_FORMATS
from probe.smoke.options import read_options
from tests.pipelines.examples import (
    APPSPEC,
    BUILDSPEC,
    FOLDER,
    GITLAB,
    WORKFLOW,
    Script,
    command_lines,
    document,
    scripts,
)

LINES = [pytest.param(argv, id=f"{where}-{number}") for number, (where, argv) in enumerate(command_lines())]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this virtual environment."""
    program = str(Path(sys.executable).with_name(command[0]))
    return subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, timeout=60, env={"PATH": os.defpath, "NO_COLOR": "1"}
    )


@pytest.mark.parametrize(
    ("path", "schema"),
    [(WORKFLOW, ["vendor.github-workflows"]), (GITLAB, ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"])],
    ids=["github", "gitlab"],
)
def test_it_matches_its_services_schema(path: Path, schema: list[str]) -> None:
    done = run("check-jsonschema", "--builtin-schema", *schema, str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_is_secure() -> None:
    """Nothing of an input reaches a shell, actions are pinned, and no permission is more than needed."""
    done = run("zizmor", "--offline", "--no-progress", "--strict-collection", "--persona", "pedantic", str(WORKFLOW))
    assert done.returncode == 0, done.stdout + done.stderr


STRINGS = {"type": "array", "minItems": 1, "items": {"type": "string"}}
# https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html; no package carries a schema of it.
PHASE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["commands"],
    "properties": {
        "run-as": {"type": "string"},
        "on-failure": {"enum": ["ABORT", "CONTINUE"]},
        "runtime-versions": {"type": "object", "additionalProperties": {"type": "string"}},
        "commands": STRINGS,
        "finally": STRINGS,
    },
}
BUILD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "phases"],
    "properties": {
        "version": {"const": 0.2},
        "env": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "shell": {"enum": ["bash", "/bin/sh"]},
                "variables": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "phases": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(("install", "pre_build", "build", "post_build"), PHASE),
        },
        "reports": {
            "type": "object",
            "maxProperties": 5,
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["files"],
                "properties": {
                    "files": STRINGS,
                    "base-directory": {"type": "string"},
                    "discard-paths": {"type": "boolean"},
                    "file-format": {"enum": ["CUCUMBERJSON", "JUNITXML", "NUNITXML", "TESTNGXML", "VISUALSTUDIOTRX"]},
                },
            },
        },
        "artifacts": {"type": "object", "required": ["files"], "properties": {"files": STRINGS}},
    },
}


def test_the_buildspec_has_only_keys_that_codebuild_documents() -> None:
    jsonschema.validate(document(BUILDSPEC), BUILD)


def test_the_report_group_reads_the_file_that_is_written() -> None:
    (group,) = document(BUILDSPEC)["reports"].values()
    assert group["file-format"] == "JUNITXML"
    written = [f"{group['base-directory']}/{name}" for name in group["files"]]
    (argv,) = [argv for where, argv in command_lines() if where == BUILDSPEC.name]
    assert argv[argv.index("junit") + 2] in written
    (job,) = [job for job in document(GITLAB).values() if isinstance(job, dict)]
    (argv,) = [argv for where, argv in command_lines() if where == GITLAB.name]
    assert argv[argv.index("junit") + 2] == job["artifacts"]["reports"]["junit"]
    assert job["artifacts"]["when"] == "always"


# https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
HOOKS = {"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}


def test_the_appspec_names_a_hook_of_ecs() -> None:
    spec = document(APPSPEC)
    assert set(spec) == {"version", "Resources", "Hooks"}
    (target,) = spec["Resources"]
    service = target["TargetService"]
    assert service["Type"] == "AWS::ECS::Service"
    assert set(service["Properties"]) == {"TaskDefinition", "LoadBalancerInfo"}
    (hook,) = spec["Hooks"]
    ((event, function),) = hook.items()
    assert event in HOOKS
    # AWSCodeDeployRoleForECS allows only such functions.
    assert function.startswith("CodeDeployHook_")


@pytest.mark.parametrize("script", list(scripts()), ids=lambda script: script.where)
def test_a_shell_can_parse_it(script: Script) -> None:
    done = subprocess.run([shutil.which("bash") or "bash", "-n"], input=script.text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("argv", LINES)
def test_the_program_accepts_the_line(argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    command, rest = argv[0], argv[1:]
    if command == "smoke":
        options = read_options(rest, {})
        assert not any("$" in text for text in (options.cluster, options.service or "", *options.subnets))
        assert all(output.format in FLEET_FORMATS for output in options.reports.outputs)
    elif command == "check":
        parse(rest, {})
    else:
        assert run("ecr-probe", command, "--help").returncode == 0


def test_there_are_command_lines_of_smoke() -> None:
    where = [where for where, argv in command_lines() if argv[0] == "smoke"]
    assert {WORKFLOW.name, BUILDSPEC.name, GITLAB.name} <= set(where)


def test_only_annotations_go_to_githubs_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (argv,) = [argv[1:] for where, argv in command_lines() if where == WORKFLOW.name]
    outputs = {output.format: output.path for output in read_options(argv, {}).reports.outputs}
    assert outputs == {"github": None, "markdown": "summary.md", "junit": "ecr-probe.xml", "json": "ecr-probe.json"}


def test_the_readme_lists_every_file_format_and_exit_code() -> None:
    text = (FOLDER / "README.md").read_text()
    listed = set(re.findall(r"^\| `?([\w.-]+)`? \|", text, re.M))
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} - {"README.md"} <= listed
    assert set(FLEET_FORMATS) <= listed
    assert {"0", "1", "2", "3"} <= listed
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert [link for link in links if not (FOLDER / link).exists()] == []


@pytest.mark.parametrize(
    "path", sorted(path for path in FOLDER.iterdir() if path.is_file()), ids=lambda path: path.name
)
def test_no_file_contains_a_path_of_a_machine_or_a_secret(path: Path) -> None:
    assert not re.search(r"/(?:home|root|work|Users)/", path.read_text())
    assert set(re.findall(r"\b\d{12}\b", path.read_text())) <= {"123456789012"}
