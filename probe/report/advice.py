"""Advice with shell commands in it: commands are kept fit for pasting, what is said around them is wrapped as prose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.report import Page
from probe.report.layout import Line, Span, cells, command, wrapped

# Where a command may begin and where it ends. A comma within a value has no blank after it.
_BEGIN = re.compile(r"(?:^|(?<=: )|(?<=; )|(?<=\()|(?<=then ))aws (?=[a-z])")
_END = re.compile(r"[,;:] | \(|\)(?=\W)|\)?$")
# Other programs are only ever a whole advice, but for a remark in parentheses.
_WHOLE = re.compile(r"((?:openssl|curl|ping) .*?)( \(.*\))?")
_PLAIN_WORD = re.compile(r"[a-z]+")


def advice(label: Span, text: str, *, indent: int, page: Page) -> Iterator[Line]:
    """`text` behind `label`, each command in it on lines of its own."""
    column = indent + cells(label[1])
    told = False  # whether a command stands above
    for is_command, part in parts(text):
        if is_command:
            yield from command(label, part, indent=indent, page=page)
        elif part == "then":
            label = ("dim", "then ")
            continue
        else:
            yield from wrapped(label, part, indent=indent, page=page, style="dim" if told else "")
        label, indent, told = ("", ""), column, told or is_command


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """The commands in `text` (True), and the prose between them."""
    whole = _WHOLE.fullmatch(text)
    spans = [whole.span(1)] if whole else list(_commands(text))
    position = 0
    for begin, end in spans:
        # A colon takes the place of the parenthesis before a command; after one, punctuation has nothing to close.
        prose = _between(text[position:begin])
        if prose:
            yield False, prose
        yield True, text[begin:end]
        position = end
    rest = _between(text[position:]) if spans else text
    if rest:
        yield False, rest


def _commands(text: str) -> Iterator[tuple[int, int]]:
    """Where in `text` the commands are."""
    position = 0
    while begin := _BEGIN.search(text, position):
        end = _END.search(text, begin.end())
        position = end.start() if end else len(text)
        in_parentheses = text[: begin.start()].endswith("(")
        closed = text[position : position + 1] == ")"
        # A remark on a command is no command, nor is a sentence about one.
        if in_parentheses == closed and _is_command(text[begin.start() : position]):
            yield begin.start(), position


def _is_command(text: str) -> bool:
    """Whether nothing but a command stands there: a sentence goes on in plain words that no option takes."""
    head, *options = text.partition(" | ")[0].split(" --")
    after = [word for option in options for word in option.split()[2:]]
    return all(word == "…" for word in head.split()[3:]) and not any(map(_PLAIN_WORD.fullmatch, after))


def _between(text: str) -> str:
    opened = text.endswith("(")
    text = text.removesuffix("(").strip()
    if text.startswith(")"):
        text = text[1:]
    text = text.lstrip(",;: ")
    return f"{text.rstrip(' :')}:" if opened and text else text
