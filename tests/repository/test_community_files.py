"""The files around the program: workflows, issue forms, the changelog, and what SECURITY.md promises."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import probe
from tests.pipelines.test_examples import run

ROOT = Path(probe.__file__).parents[1]
GITHUB = ROOT / ".github"
SCHEMAS = {
    "workflows/*.yml": "vendor.github-workflows",
    "dependabot.yml": "vendor.dependabot",
    "ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    "ISSUE_TEMPLATE/[!c]*.yml": "vendor.github-issue-forms",
}
# Private parts of these are used; pyproject.toml gives the place and the reason for each.
BOUNDED = {"boto3", "requests", "urllib3", "waitress"}


@pytest.mark.parametrize(("pattern", "schema"), SCHEMAS.items())
def test_files_of_github_are_valid(pattern: str, schema: str) -> None:
    paths = sorted(GITHUB.glob(pattern))
    assert paths
    result = run("check-jsonschema", "--builtin-schema", schema, *map(str, paths))
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_file_of_github_has_a_schema() -> None:
    covered = {path for pattern in SCHEMAS for path in GITHUB.glob(pattern)}
    assert set(GITHUB.rglob("*.yml")) == covered


def test_workflows_pass_the_security_linter() -> None:
    result = run("zizmor", "--offline", "--no-progress", "--strict-collection", "--persona", "pedantic", str(GITHUB))
    assert result.returncode == 0, result.stdout + result.stderr


def commands(workflow: str) -> list[str]:
    document = yaml.safe_load((GITHUB / "workflows" / workflow).read_text())
    return [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("workflow", ["audit.yml", "ci.yml", "release.yml"])
def test_commands_of_a_workflow_exist(workflow: str) -> None:
    """A shell parses them; their modules and make's targets exist, since a release is the first time that they run."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for text in commands(workflow):
        done = subprocess.run(("bash", "-n"), input=text, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert set(re.findall(r"\bmake (?!>)([a-z-]+)\b", text)) - {"git"} <= targets
        for module in re.findall(r"python3 -m ([a-z_.]+)", text):
            assert (ROOT / f"{module.replace('.', '/')}.py").exists()


def test_a_release_is_refused_for_a_base_that_is_not_pinned() -> None:
    (line,) = [text for text in commands("release.yml") if text.startswith("grep")]
    assert subprocess.run(("bash", "-c", line), cwd=ROOT, check=False).returncode == 0
    unpinned = line.replace("container/base.Dockerfile", "<(echo FROM python:3.13-slim)")
    assert subprocess.run(("bash", "-c", unpinned), cwd=ROOT, check=False).returncode == 1


@pytest.mark.parametrize("workflow", sorted(path.name for path in (GITHUB / "workflows").glob("*.yml")))
def test_a_job_that_can_sign_runs_no_code_of_the_build(workflow: str) -> None:
    """Neither the repository nor its build dependencies are there: a compromised one could sign as the release."""
    document = yaml.safe_load((GITHUB / "workflows" / workflow).read_text())
    for name, job in document["jobs"].items():
        if "write" in (job["permissions"].get("id-token"), job["permissions"].get("packages")):
            assert not [step for step in job["steps"] if "actions/checkout" in step.get("uses", "")], name
            assert not [step for step in job["steps"] if "make " in step.get("run", "")], name


def test_the_gate_runs_in_continuous_integration() -> None:
    assert "bash .ci/run" in (GITHUB / "workflows" / "ci.yml").read_text()


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog 1.1.0: versions as second-level headings, newest first; kinds of change as third-level ones."""
    headings = re.findall(r"^(##+) (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    versions = [title for level, title in headings if level == "##"]
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", title) for title in versions[1:])
    kinds = {title for level, title in headings if level == "###"}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize("name", ["SECURITY.md", "CONTRIBUTING.md"])
def test_paths_that_a_document_refers_to_exist(name: str) -> None:
    paths = re.findall(
        r"`((?:\.ci|\.github|container|docs|probe|requirements|tests|tools)/[\w./-]*)`", (ROOT / name).read_text()
    )
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_module_that_the_design_lists_exists() -> None:
    files = {path.name for folder in ("probe", "container", "tools", "tests") for path in (ROOT / folder).rglob("*")}
    names = re.findall(r"`[\w/]*?([\w]+\.(?:py|html|css|js))`", (ROOT / "docs" / "design.md").read_text())
    assert len(names) > 20
    assert sorted(set(names) - files) == []


def test_libraries_whose_private_parts_are_used_have_an_upper_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    bounded = {
        name
        for name, requirement in requirements.items()
        if any(specifier.operator in ("<", "<=", "~=", "==") for specifier in requirement.specifier)
    }
    assert bounded == BOUNDED
    assert all(requirements[name].specifier.contains(version(name)) for name in BOUNDED)


def test_the_package_is_marked_as_typed() -> None:
    assert (ROOT / "probe" / "py.typed").exists()


def test_make_help_describes_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (help .+)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    described = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert phony - {"lab-image"} == described
