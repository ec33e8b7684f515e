"""Independent readers of the reports for pipelines. They accept a report only in its intended form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import cmarkgfm
import xmlschema
from cmarkgfm.cmark import Options
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from markdown_it import MarkdownIt


@cache
def _schema() -> Any:
    return xmlschema.XMLSchema(str(Path(__file__).with_name("junit.xsd")))


def suites(text: str) -> list[TestSuite]:
    """The suites of a JUnit document. It must be valid, and its counts must match its cases."""
    _schema().validate(text)
    all_suites = list(JUnitXml.fromstring(text.encode()))
    for suite in all_suites:
        kinds = [type(result) for case in suite for result in case.result]
        counts = {Failure: suite.failures, Error: suite.errors, Skipped: suite.skipped}
        assert counts == {kind: kinds.count(kind) for kind in counts}
        assert suite.tests == len(list(suite))
    return all_suites


def outputs(text: str) -> list[str]:
    """The output of each suite."""
    return [suite.findtext("system-out") or "" for suite in ElementTree.fromstring(text)]


def properties(text: str) -> list[dict[str, str]]:
    return [
        {element.attrib["name"]: element.attrib["value"] for element in suite.iter("property")}
        for suite in ElementTree.fromstring(text)
    ]


def marks(suite: TestSuite) -> dict[str, tuple[str, str, str, str]]:
    """Element, type, message and text of each case that did not pass, by its name."""
    return {case.name: _mark(case) for case in suite if case.result}


def _mark(case: TestCase) -> tuple[str, str, str, str]:
    (result,) = case.result
    return type(result).__name__.lower(), result.type, result.message, result.text or ""


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    message: str


def commands(text: str) -> list[Command]:
    """The lines as GitHub's runner reads them. Each must be a command."""
    assert text.endswith("\n")
    return [_command(line) for line in text[:-1].split("\n")]


def _command(line: str) -> Command:
    assert line.splitlines() == [line]
    assert line.startswith("::")
    about, separator, data = line[2:].partition("::")
    assert separator
    name, _, rest = about.partition(" ")
    pairs = [pair.partition("=") for pair in rest.strip().split(",") if pair]
    properties = {key: _unescaped(value, "\r\n:,%") for key, equals, value in pairs if equals and value}
    return Command(name, properties, _unescaped(data, "\r\n%"))


def _unescaped(text: str, letters: str) -> str:
    """The percent sign comes last, as in the runner."""
    for letter in letters:
        text = text.replace(f"%{ord(letter):02X}", letter)
    return text


@dataclass
class Shown(HTMLParser):
    """Rendered Markdown: its elements, the text in code, and the text outside of code."""

    tags: set[str] = field(default_factory=set)
    attributes: set[tuple[str, str, str | None]] = field(default_factory=set)
    tables: list[list[int]] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    outside: str = ""
    _within: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name, value) for name, value in attrs}
        self._within.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append(0)
        elif tag in ("td", "th"):
            self.tables[-1][-1] += 1
        elif tag == "code":
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._within.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self._within:
            self.code[-1] += data
        else:
            self.outside += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


OUR_TAGS = {"h2", "p", "code", "pre", "details", "summary", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
OUR_ATTRIBUTES = {
    ("details", "open", None),
    ("details", "open", ""),
    ("code", "class", "language-text"),
    ("pre", "lang", "text"),
}


def shown(text: str) -> Shown:
    """The Markdown as GitHub's own parser and another one show it. Both must find only the report's own elements."""
    github, commonmark = Shown(), Shown()
    github.feed(cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE))
    commonmark.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    for rendered in (github, commonmark):
        rendered.close()
        assert rendered.tags <= OUR_TAGS
        assert rendered.attributes <= OUR_ATTRIBUTES
        assert not rendered._within
        assert all(len(set(cells)) == 1 for cells in rendered.tables)
    assert github.code == commonmark.code
    assert github.outside.split() == commonmark.outside.split()
    return github
