"""The documentation: the pages generated from the tables of flags and types, and the site's own part of MkDocs."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from probe.config.commands import COMMANDS
from probe.config.flags import Flag
from tools import documentation, reference
from tools.documentation import ROOT, broken, for_site, pages

PAGES = {name: (ROOT / "docs" / "commands" / f"{name}.md").read_text() for name in COMMANDS}


# ---- the reference of the commands, and the schemas ------------------------------------------------------------------


def test_the_generated_pages_are_up_to_date() -> None:
    written = reference.write()
    committed = {
        path.relative_to(reference.DOCS).as_posix(): path.read_text()
        for path in (*(reference.DOCS / "commands").iterdir(), *(reference.DOCS / "schemas").glob("*.json"))
    }
    assert committed == written, "make findings"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_has_every_example_and_flag_of_its_command(name: str) -> None:
    """Found by reading the page alone: each flag's section has its variable, default and example."""
    page, command = PAGES[name], COMMANDS[name]
    examples = re.findall(r"^ecr-probe (.+)$", page, re.M)
    assert examples == list(command.examples)
    sections = dict(re.findall(r"^### `([^`]+)`\n(.*?)(?=^### |^## |^---|\Z)", page, re.M | re.S))
    assert len(sections) == len(command.flags)
    for flag in command.flags:
        (title,) = [title for title in sections if re.split(r"[ =\[]", title)[0] in (f"--{flag.name}", flag.variable)]
        assert_complete(sections[title].replace("\\", ""), flag)


def assert_complete(section: str, flag: Flag) -> None:
    assert flag.help_text[1:] in section
    if flag.has_variable:
        assert flag.variable in section or not flag.on_command_line
        assert f"- default: {flag.default_text}\n" in section
    if flag.example:
        assert f"{flag.example}`" in section
    if flag.switch:
        assert f"`--{flag.opposite}`" in section


def test_the_index_lists_every_command_and_variable() -> None:
    index = reference.write()["commands/README.md"]
    assert set(re.findall(r"^\| \[(\w+)\]", index, re.M)) == set(COMMANDS)
    variables = {flag.variable for command in COMMANDS.values() for flag in command.flags if flag.has_variable}
    assert re.findall(r"^\| `(\w+)`", index, re.M) == sorted(variables)


@pytest.mark.parametrize("name", ["verdict", "fleet"])
def test_a_schema_is_valid(name: str) -> None:
    text = (ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text()
    jsonschema.Draft202012Validator.check_schema(yaml.safe_load(text))


# ---- the site --------------------------------------------------------------------------------------------------------


def test_readmes_outside_docs_are_pages() -> None:
    outside = {path.relative_to(ROOT).as_posix() for path in (ROOT / "task-definitions").rglob("README.md")}
    outside |= {"container/observability/README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"}
    assert outside <= pages().keys()
    assert len(set(pages().values())) == len(pages())


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("docs/README.md", "../task-definitions/README.md#run-once", "task-definitions/README.md#run-once"),
        ("container/observability/README.md", "../../docs/findings/README.md", "../findings/README.md"),
        ("container/observability/README.md", "alerts.yaml", "../files/container/observability/alerts.yaml"),
        ("docs/pipelines/README.md", "buildspec.yml", "buildspec.yml"),
        ("task-definitions/README.md", "iam/", "iam/README.md"),
        ("task-definitions/README.md", "cloudformation/", "../files/task-definitions/cloudformation/README.md"),
        ("SECURITY.md", "README.md", "README.md"),
        ("docs/design.md", "https://example.com/a.md", "https://example.com/a.md"),
        ("docs/design.md", "#decisions", "#decisions"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(source: str, link: str, expected: str) -> None:
    assert for_site(f"see [it]({link}), and", source) == f"see [it]({expected}), and"


def test_every_command_is_in_the_navigation() -> None:
    listed = [place for entry in documentation.commands() for place in entry.values()]
    assert set(listed) == {"commands/README.md", *(f"commands/{name}.md" for name in COMMANDS)}


def test_a_site_with_a_broken_link_or_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text('<a href="..">up</a>')
    (tmp_path / "index.html").write_text(
        '<a href="other/#x">good</a><a href="https://example.com">elsewhere</a><a href="gone/">bad</a>'
        '<script src="https://cdn.example.com/track.js"></script><link rel="stylesheet" href="//fonts.example.com/a">'
    )
    assert list(broken(tmp_path)) == [
        "index.html loads https://cdn.example.com/track.js from another host",
        "index.html loads //fonts.example.com/a from another host",
        "index.html links to gone/, which does not exist",
    ]


def test_the_build_is_strict_and_part_of_the_gate() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    for line in ("strict: true", "font: false", f"hooks: [tools/{Path(documentation.__file__).name}]", "anchors: warn"):
        assert line in text
    assert "analytics" not in text
    makefile = (ROOT / "Makefile").read_text()
    assert "mkdocs build --strict" in makefile  # and without --quiet, which would count no warning
    assert re.search(r"^lint:.* site\b", makefile, re.M)
    assert "make lint" in (ROOT / ".ci" / "run").read_text()
