"""A step's id and subject are never parsed: the step has fields for what they are composed of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import probe

ROOT = Path(probe.__file__).parent
TOOLS = ROOT.parent / "tools"
# Documents of older versions lack the fields; this module adds them.
EXCEPTIONS = {"saved_verdict.py"}
NAMES = {"id", "subject", "on", "blocked_by"}
PARSERS = {"partition", "rpartition", "split", "rsplit", "removeprefix", "removesuffix", "startswith", "endswith"}


def parsed_names(path: Path) -> Iterator[str]:
    """Where an attribute `id`, `subject`, `on` or `blocked_by` is taken apart: "step.id.partition"."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PARSERS:
            names = {name.attr for name in ast.walk(node.func.value) if isinstance(name, ast.Attribute)}
            if names & NAMES:
                yield f"{path.name}:{node.lineno}: {ast.unparse(node)}"


def test_no_part_of_a_steps_id_or_subject_is_parsed() -> None:
    files = [*ROOT.rglob("*.py"), *TOOLS.rglob("*.py")]
    assert len(files) > 100
    assert [line for path in files if path.name not in EXCEPTIONS for line in parsed_names(path)] == []
