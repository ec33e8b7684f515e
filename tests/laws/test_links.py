"""Links in the documents lead to files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.documentation import pages

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "container", "task-definitions")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])


def targets(document: Path) -> set[str]:
    """Relative links and pictures, without their fragments."""
    links = re.findall(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"", document.read_text())
    texts = {markdown or html for markdown, html in links}
    return {text.partition("#")[0] for text in texts if "://" not in text} - {""}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    assert [target for target in sorted(targets(document)) if not (document.parent / target).exists()] == []


def test_the_readme_shows_a_failing_run_and_the_page_in_three_states() -> None:
    pictures = {"docs/failing-run.svg", "docs/page-healthy.png", "docs/page-failing.png", "docs/page-half-dead.png"}
    assert pictures <= targets(ROOT / "README.md")


def test_every_page_of_the_site_is_in_its_navigation() -> None:
    """The pages of findings are reached from their list, those of commands as a folder, all others from `nav`."""
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    listed = set(re.findall(r"[\w./-]+\.md", navigation))
    places = {place for place in pages().values() if not re.match(r"findings/(?!README)|commands/", place)}
    assert (sorted(places - listed), sorted(listed - places)) == ([], [])
