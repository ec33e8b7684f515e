"""A page, parsed as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "input"}


@dataclass
class Node:
    name: str
    attributes: dict[str, str | None]
    children: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, name: str, **wanted: str) -> list[Node]:
        """`class_` names one of an element's classes."""
        return [node for node in self.walk() if node.name == name and all(map(node._has, wanted, wanted.values()))]

    def _has(self, name: str, value: str) -> bool:
        attribute = self.attributes.get(name.rstrip("_").replace("_", "-")) or ""
        return value in attribute.split() if name == "class_" else attribute == value

    def by_id(self, identity: str) -> Node:
        (node,) = [node for node in self.walk() if node.attributes.get("id") == identity]
        return node

    @property
    def text(self) -> str:
        """All text except styles and scripts, with white space collapsed."""
        return " ".join("".join(self.texts(between=" ")).split())

    def texts(self, between: str = "") -> Iterator[str]:
        """The text unchanged, with `between` after each element."""
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.name not in ("style", "script"):
                yield from child.texts(between)
                yield between


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag} repeats an attribute"
        node = Node(tag, dict(attrs))
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag, f"{tag} closes what is not open"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def close(self) -> None:
        super().close()
        assert self._open == [self.root], f"{self._open[-1].name} stays open"


def parse(page: bytes) -> Node:
    """Parse a page. Raises AssertionError if elements are not properly nested and closed."""
    builder = _Builder()
    builder.feed(page.decode())
    builder.close()
    return builder.root
