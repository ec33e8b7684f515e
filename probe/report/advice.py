"""Advice with shell commands in it: commands are kept fit for pasting, what is said around them is wrapped as prose."""

from __future__ import annotations

from collections.abc import Iterator

from probe.report import Page
from probe.report.layout import Line, Span, cells, command, wrapped


def advice(label: Span, text: str, *, indent: int, page: Page) -> Iterator[Line]:
    """`text` behind `label`: a command, or prose, a colon and a command; either with a remark in parentheses
    after it.
    """
    prose, commands, remark = _parts(text)
    column = indent + cells(label[1])
    if not commands:
        yield from wrapped(label, text, indent=indent, page=page) if text else ()
        return
    if prose:
        yield from wrapped(label, prose, indent=indent, page=page)
        label, indent = ("", ""), column
    for line in commands:
        yield from command(label, line, indent=indent, page=page)
        label, indent = ("dim", "then "), column
    if remark:
        yield from wrapped(("", ""), remark, indent=column, page=page, style="dim")


def _parts(text: str) -> tuple[str, list[str], str]:
    """Prose, commands and remark; no commands where the sentence goes on after one."""
    prose, _, rest = text.partition("aws ")
    line, parenthesis, remark = rest.partition(" (")
    commands = [one.removeprefix("aws ") for one in line.split(", then ")]
    goes_on = any(mark in one for one in commands for mark in (", ", "; ", ": "))
    unclosed = parenthesis and not remark.endswith(")")
    if not rest or (prose and not prose.endswith(": ")) or goes_on or unclosed:
        return text, [], ""
    return prose.strip(), [f"aws {one}" for one in commands], f"({remark}" if parenthesis else ""
