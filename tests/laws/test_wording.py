"""Plain words: what people read uses the terms of the field, in texts, docstrings, comments and documents."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("probe", "container", "tools") for path in (ROOT / folder).rglob("*.py"))
DOCUMENTS = sorted(
    path for part in ("docs", "container", "task-definitions") for path in (ROOT / part).rglob("*.md")
) + sorted(ROOT.glob("*.md"))
# Words for people, where the field has its own: a server answers or returns, a call is denied, a task starts.
AVOIDED = re.compile(
    r"\b(tells?|told|telling|said|hears?|heard|whoever|whatever|whichever|nobody|somebody|besides?|anew|thereby|hence"
    r"|for want of|as it is told|fell silent|settle it|make it:)\b",
    re.IGNORECASE,
)


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module by line: comments, docstrings, and strings of several words."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) > 2:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_uses_plain_words(path: Path) -> None:
    assert [(line, text) for line, text in texts_of(path) if AVOIDED.search(text)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_uses_plain_words(path: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [line for line in prose.splitlines() if AVOIDED.search(line)] == []


@pytest.mark.parametrize("text", ["nobody answers", "ECS tells why", "as was said"])
def test_a_word_to_avoid_is_noticed(text: str) -> None:
    assert AVOIDED.search(text)
    assert not AVOIDED.search("a teller, a foretold storm and an unsaid word")
