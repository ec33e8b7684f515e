"""Every promise of SECURITY.md's threat model names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import probe

ROOT = Path(probe.__file__).parents[1]
MODEL = (ROOT / "SECURITY.md").read_text().partition("\n## Threat model\n")[2].partition("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in MODEL.splitlines() if line.startswith("| ") and "`tests/" in line]
ATTACKERS = re.findall(r"^### (.+)$", MODEL, re.M)
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+::\w+)`", MODEL)))


@cache
def functions_of(path: str) -> set[str]:
    """The functions of a file that pytest runs."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("node", NAMED)
def test_the_named_test_exists(node: str) -> None:
    path, _, name = node.partition("::")
    assert name in functions_of(path)


def test_every_attacker_has_promises_and_every_promise_a_test() -> None:
    sections = re.split(r"^### .+$", MODEL, flags=re.M)[1:]
    for attacker, section in zip(ATTACKERS, sections, strict=True):
        rows = [line for line in section.splitlines() if re.match(r"\| (?!promise |---)", line)]
        assert rows, attacker
        assert all(re.search(r"\| `tests/[^|]+` \|$", row) for row in rows), attacker
    assert len(ROWS) == MODEL.count("\n| ") - len(ATTACKERS)
    words = ("network", "registry", "metadata", "stranger", "error text", "verdict", "archive")
    assert all(any(word in attacker for attacker in ATTACKERS) for word in words)
