"""Elements of HTML as values. What is put into one is text and gets escaped; there is no other way to make markup.

Texts may be a hostile server's: they are also cleaned as for a terminal, so that none reverses the writing around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from probe.records import Record
from probe.report.layout import clean

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_VOID = frozenset({"br", "hr", "input", "link", "meta"})


class Element(Record, frozen=True):
    """`attributes` by name; None and False leave one out, True is one without a value."""

    name: str
    attributes: dict[str, Value]
    children: tuple[Node, ...]


class Verbatim(Record, frozen=True):
    """The text of a style or script of our own. Only `verbatim` makes one."""

    text: str


Value = str | int | float | bool | None
Node = Element | Verbatim | str | None | Iterable["Node"]


def tag(name: str, /, *children: Node, **attributes: Value) -> Element:
    """An element. `class_` is class, `aria_label` is aria-label."""
    return Element(name, {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}, children)


def verbatim(name: str, source: str) -> Element:
    """`<style>` or `<script>`, whose text HTML does not unescape."""
    if "</" in source or "<!--" in source:
        raise ValueError(f"{name} would end early")
    return Element(name, {}, (Verbatim(source),))


def document(root: Element) -> bytes:
    return ("<!doctype html>\n" + "".join(_written(root)) + "\n").encode()


def _written(node: Node) -> Iterator[str]:
    if node is None:
        return
    if isinstance(node, str):
        yield escape(_harmless(node), quote=False)
    elif isinstance(node, Verbatim):
        yield node.text
    elif isinstance(node, Element):
        yield f"<{_checked(node.name)}"
        for name, value in node.attributes.items():
            if value is True:
                yield f" {_checked(name)}"
            elif value is not None and value is not False:
                yield f' {_checked(name)}="{escape(_harmless(str(value)))}"'
        yield ">"
        if node.name not in _VOID:
            yield from _written(node.children)
            yield f"</{node.name}>"
    else:
        for child in node:
            yield from _written(child)


def _harmless(text: str) -> str:
    """A line break is one only where a style of ours says so."""
    return "\n".join(clean(line) for line in text.split("\n"))


def _checked(name: str) -> str:
    """Names come from our own source; one that is made of something else must not pass."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no element or attribute")
    return name
