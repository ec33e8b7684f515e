"""The files around the program: workflows, issue forms, the changelog, and what SECURITY.md promises."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
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
