"""The README files describe every file, and name none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe import __version__
from probe.config.flags import FLAGS, SERVE_FLAGS
from tests.deployment.definitions import FOLDER, NAMES, VALUES, placeholders
from tests.deployment.policies import statements

READMES = sorted(FOLDER.rglob("README.md"))
MAIN = FOLDER / "README.md"


def section(path: Path, title: str) -> str:
    """The text under a heading, up to the next one."""
    _, _, rest = path.read_text().partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The rows of tables, without the headings."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and not line.startswith("|---") and cells[0] not in ("Sid", "placeholder", "file"):
            yield cells


def named_files(path: Path) -> set[str]:
    """The files that a README names."""
    return set(re.findall(r"`([\w./-]+\.(?:json|yaml))`", path.read_text()))


def test_the_main_readme_names_every_task_definition_and_template() -> None:
    templates = {f"cloudformation/{path.name}" for path in (FOLDER / "cloudformation").iterdir()}
    assert {f"{name}.json" for name in NAMES} | templates <= named_files(MAIN)


def test_every_policy_is_explained_in_its_folder() -> None:
    titles = set(re.findall(r"^## (\S+\.json)$", (FOLDER / "iam/README.md").read_text(), re.M))
    assert titles == {path.name for path in (FOLDER / "iam").glob("*.json")}
    folder = FOLDER / "policies"
    assert named_files(folder / "README.md") == {str(path.relative_to(folder)) for path in folder.rglob("*.json")}


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_named_file_exists(path: Path) -> None:
    assert [
        name for name in named_files(path) if not (path.parent / name).exists() and not (FOLDER / name).exists()
    ] == []
    linked = re.findall(r"\]\(([^)#]+)\)", path.read_text())
    assert [link for link in linked if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", sorted((FOLDER / "iam").glob("*.json")), ids=lambda path: path.stem)
def test_every_statement_has_a_reason(path: Path) -> None:
    explained = list(rows(section(FOLDER / "iam/README.md", path.name)))
    assert [sid for sid, _ in explained] == [item["Sid"] for item in statements(f"iam/{path.stem}")]
    assert all(len(reason) > 20 for _, reason in explained)


def test_the_readme_lists_the_placeholders_of_the_files() -> None:
    listed = {name.strip("`${}"): where for name, _, where in rows(section(MAIN, "Fill in and register"))}
    assert set(listed) == set(VALUES)
    for name, where in listed.items():
        users = {path for path in FOLDER.rglob("*.json") if name in placeholders(path)}
        if where == "task definitions":
            assert users == {FOLDER / f"{definition}.json" for definition in NAMES}
        elif where != "all":
            assert {f"`{path.relative_to(FOLDER)}`" for path in users} == set(where.split(", "))
        assert users


def test_variables_and_version_are_those_of_the_program() -> None:
    text = MAIN.read_text()
    assert set(re.findall(r"ECR_PROBE_[A-Z_]+", text)) <= {flag.variable for flag in (*FLAGS, *SERVE_FLAGS)}
    assert set(re.findall(r"(?:ecr-probe:|imageTag=)(\d[\w.]*\d)", text)) == {__version__}


@pytest.mark.parametrize("path", [path for path in FOLDER.rglob("*") if path.is_file()], ids=lambda path: path.name)
def test_no_file_contains_a_path_of_a_machine(path: Path) -> None:
    assert not re.search(r"/(?:home|root|work|Users|tmp)/", path.read_text())
