"""The part of the documentation site that MkDocs cannot do by itself: pages and files from outside docs/.

MkDocs loads this module as a hook (`hooks` in mkdocs.yml). READMEs stay next to what they describe, and their links are
paths in the repository, so that they also work there. On the site each of them is a page, a link to a page leads to it,
and a link to any other file or folder leads to a copy. The build fails where a link of the finished site
leads nowhere, or where a page would load anything from another host.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = "docs"
COMMANDS = "commands"  # in docs/, and in the navigation
COPIES = "files"  # the folder of the site for copies of files
# Documents outside docs/ by their place on the site. A folder stands for all READMEs in it.
OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "container/README.md": "container.md",
    "container/observability": "observability",
    "task-definitions": "task-definitions",
}
_LINK = re.compile(r"(?<=\]\()(?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]*)?(?=\))")


def pages() -> dict[str, str]:
    """The place on the site of every page, by its path in the repository."""
    inside = (path.relative_to(ROOT).as_posix() for path in (ROOT / DOCS).rglob("*.md"))
    return {path: path.removeprefix(f"{DOCS}/") for path in inside} | dict(_outside())


def _outside() -> Iterator[tuple[str, str]]:
    for source, place in OUTSIDE.items():
        if source.endswith(".md"):
            yield source, place
            continue
        for path in sorted((ROOT / source).rglob("README.md")):
            yield path.relative_to(ROOT).as_posix(), f"{place}/{path.relative_to(ROOT / source).as_posix()}"


def targets(markdown: str, source: str) -> Iterator[str]:
    """The paths in the repository to which the page at `source` links."""
    for link in _LINK.finditer(markdown):
        yield _resolved(link["path"], source)


def for_site(markdown: str, source: str) -> str:
    """The page at `source` with links for the site."""
    places = pages() | {"README.md": "README.md"}  # the repository's front page has the same purpose as the site's

    def replaced(link: re.Match[str]) -> str:
        target = _resolved(link["path"], source)
        is_folder = (ROOT / target).is_dir()
        place = places.get(f"{target}/README.md" if is_folder else target) or _place_of_file(target)
        place += "/README.md" if is_folder and not place.endswith(".md") else ""
        return posixpath.relpath(place, posixpath.dirname(places[source]) or ".") + (link["anchor"] or "")

    return _LINK.sub(replaced, markdown)


def _resolved(path: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), path))


def _place_of_file(path: str) -> str:
    return path.removeprefix(f"{DOCS}/") if path.startswith(f"{DOCS}/") else f"{COPIES}/{path}"


# ---- MkDocs calls these ----------------------------------------------------------------------------------------------


def on_config(config: MkDocsConfig) -> None:
    """Replace the folder of the commands in the navigation by its pages: they are generated, one for each command."""
    for section in (entry for entry in config.nav or () if isinstance(entry, dict)):
        for entries in section.values():
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict) and entry.get("Commands") == COMMANDS:
                    entry["Commands"] = commands()


def commands() -> list[dict[str, str]]:
    """The navigation of the commands' pages."""
    names = sorted(path.stem for path in (ROOT / DOCS / COMMANDS).glob("[a-z]*.md"))
    return [{"Overview": f"{COMMANDS}/README.md"}, *({name: f"{COMMANDS}/{name}.md"} for name in names)]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside docs/, and every file that a page links to."""
    from mkdocs.structure.files import File

    places = pages()
    for source, place in _outside():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    linked = {target for source in places for target in targets((ROOT / source).read_text(), source)}
    folders = {target for target in linked if (ROOT / target).is_dir() and f"{target}/README.md" not in places}
    for folder in sorted(folders):
        files.append(File.generated(config, f"{_place_of_file(folder)}/README.md", content=_listing(ROOT / folder)))
        linked |= {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).iterdir() if path.is_file()}
    for target in sorted(linked - places.keys() - {"README.md"}):
        if (ROOT / target).is_file() and not target.startswith(f"{DOCS}/"):
            files.append(File.generated(config, _place_of_file(target), abs_src_path=str(ROOT / target)))
    return files


def _listing(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return "\n".join([f"# {folder.name}/", "", *(f"- [{name}]({name})" for name in names), ""])


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn links into those of the site."""
    sources = {place: source for source, place in pages().items()}
    source = sources.get(page.file.src_uri)
    return markdown if source is None else for_site(markdown, source)


def on_post_build(config: MkDocsConfig) -> None:
    """Read the finished site as a browser would."""
    from mkdocs.exceptions import PluginError

    mistakes = list(broken(Path(config.site_dir)))
    if mistakes:
        raise PluginError("\n".join(mistakes))


# ---- the finished site -----------------------------------------------------------------------------------------------


class _References(HTMLParser):
    """What a page links to, and what it loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(values["href"])
        elif "src" in values:
            self.loaded.append(values["src"])


def broken(site: Path) -> Iterator[str]:
    """A sentence for each link that leads nowhere, and for each file that a page loads from another host."""
    for page in sorted(site.rglob("*.html")):
        if page.name == "404.html":
            continue  # its links are relative to the site's root
        references = _References(page.read_text())
        for url in references.loaded:
            if urlsplit(url).netloc:
                yield f"{page.relative_to(site)} loads {url} from another host"
        for url in (*references.links, *references.loaded):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            target = page.parent / unquote(parts.path)
            if not (target / "index.html" if target.is_dir() else target).is_file():
                yield f"{page.relative_to(site)} links to {url}, which does not exist"
