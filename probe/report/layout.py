"""How text is laid out: spans of styled words, wrapped to a width and painted. Only here do escape sequences arise.

What is said is in `text.py`, `saw.py` and `table.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from probe.model import Advice
from probe.report import Page

Span = tuple[str, str]  # style, text
Line = tuple[Span, ...]

_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "good": "32",
    "strong": "1",
    "dim": "2",
    "command": "36",
}
_FILE = Page()
_PROSE = 120  # columns; longer lines are hard to read however wide the screen is
_WORD = re.compile(r'"[^"]*"|\S+')
# What those who keep a log take for a command: GitHub's runner "::name …::" at the beginning of a line and "##[name"
# anywhere in it, Azure's agent "##vso[", TeamCity "##teamcity[".
_COMMAND = re.compile(r"^(\s*):(?=:[\w-]+(?: .*)?::)|(?<=#)#(?=\w*\[)")
# One for one where a table's columns would suffer else.
_ASCII = str.maketrans(
    {"…": "...", "→": ">", "·": "-", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "×": "x", "≥": ">="}
)


def plain(text: str, style: str = "") -> Line:
    return ((style, text),)


def cells(text: str) -> int:
    """Columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def clean(text: str) -> str:
    """Words of a server, as a terminal or a log may have them: no escape sequence, no line break, no reversed writing,
    and no command to whoever keeps the log."""
    if not (text.isprintable() and text.isascii()):
        text = "".join(_harmless(letter) for letter in text)
    return _COMMAND.sub(r"\1?", text) if "::" in text or "##" in text else text


def shortened(text: str, most: int) -> str:
    """Clean words, at most so many characters of them: for files, whose readers have other limits than a line's."""
    text = clean(text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def _harmless(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    # Cc and Cf: control and format characters (ESC, C1, bidirectional overrides); Zl and Zp: line separators.
    category = unicodedata.category(letter)
    return "?" if category[0] == "C" or category in ("Zl", "Zp") else letter


def wrapped(label: Span, text: str, *, indent: int, page: Page, style: str = "", hang: int | None = None) -> list[Line]:
    """`label` and `text` behind `indent` blanks; later lines stand under the first word of the text."""
    start = indent + cells(label[1])
    column = start if hang is None else hang
    width = min(page.width, _PROSE)
    lines: list[Line] = []
    head: tuple[Span, ...] = (("", " " * indent), label)
    row, used = "", start
    for word in _words(text, width - max(start, column)):
        if row and used + 1 + cells(word) > width:
            lines.append((*head, (style, row)))
            head, row, used = (("", " " * column),), "", column
        row, used = (f"{row} {word}", used + 1 + cells(word)) if row else (word, used + cells(word))
    return [*lines, (*head, (style, row))]


def _words(text: str, most: int) -> Iterator[str]:
    """Words; one that is longer than a line in pieces, since a terminal would break it at its own margin."""
    for word in text.split():
        rest = word
        while most > 0 and cells(rest) > most:
            yield rest[:most]
            rest = rest[most:]
        yield rest


def command(label: Span, text: str, *, indent: int, page: Page) -> list[Line]:
    """A shell command, broken so that it can be pasted as it stands: before options, with a backslash."""
    column = indent + cells(label[1])
    inner = page.width - column - 4  # further lines stand two columns deeper and end in a backslash
    lines: list[Line] = []
    head: tuple[Span, ...] = (("", " " * indent), label)
    row = ""
    for part in (piece for option in text.replace(" --", "\n--").split("\n") for piece in _pieces(option, inner)):
        if row and (len(part) > 1 or column + cells(row) + 1 + cells(part[0]) + 2 > page.width):
            lines.append((*head, ("command", row + " \\")))
            head, row = (("", " " * (column + 2)),), ""
        for line in part[:-1]:
            lines.append((*head, ("command", line)))
            head = (("", " " * (column + 4)),)
        row = f"{row} {part[-1]}" if row else part[-1]
    return [*lines, (*head, ("command", row))]


def advice(label: Span, given: Advice, *, indent: int, page: Page) -> Iterator[Line]:
    """`label`, the text, each command on lines of its own, and the note on them."""
    column = indent + cells(label[1])
    if given.text:
        colon = ":" if given.commands else ""
        yield from wrapped(label, given.text + colon, indent=indent, page=page)
        label, indent = ("", ""), column
    for number, text in enumerate(given.commands):
        yield from command(label if number == 0 else ("", ""), text, indent=indent, page=page)
        label, indent = ("", ""), column
    if given.note is not None:
        yield from wrapped(label, given.note, indent=indent, page=page, style="dim")


def _pieces(option: str, width: int) -> Iterator[list[str]]:
    """Whole where it fits into a line, else its words; one of several lines is a quoted list."""
    name, _, value = option.partition(" ")
    if cells(option) <= width:
        yield [option]
    elif name == "--filters" and " " not in value and "," in value.partition(",Values=")[2]:
        with_name = _quoted_list(f'{name} "{value}"', width)
        yield from [with_name] if cells(with_name[0]) <= width else [[name], _quoted_list(f'"{value}"', width)]
    else:
        yield from ([word] for word in _WORD.findall(option))


def _quoted_list(text: str, width: int) -> list[str]:
    """Broken after commas: the AWS CLI skips white space there in a list of values."""
    lines = [""]
    for value in text.split(","):
        if lines[-1] and cells(lines[-1]) + cells(value) + 1 > width:
            lines.append("")
        lines[-1] += f"{value},"
    return [*lines[:-1], lines[-1].removesuffix(",")]


def columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column."""
    return [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)] if rows else []


def cut(text: str, width: int, page: Page) -> str:
    """The beginning of a text that is too wide, and a sign that more would follow."""
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 1:
        text = text[:-1]
    return text.rstrip(" ,") + ("…" if page.unicode else "~")


def pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def block(lines: Iterable[Line], most: int) -> str:
    """Lines for a file, without colours: at most so many characters, whole lines of them."""
    kept: list[str] = []
    for line in lines:
        text = _paint_line(line, _FILE)
        most -= len(text) + 1
        if most < 0:
            kept.append("…")
            break
        kept.append(text)
    return "\n".join(kept)


def paint(lines: Iterable[Line], page: Page) -> str:
    return "".join(_paint_line(line, page) + "\n" for line in lines)


def _paint_line(line: Line, page: Page) -> str:
    texts = [(style, _shown(text, page)) for style, text in line]
    while texts and not texts[-1][1].rstrip():
        texts.pop()
    if texts:
        texts[-1] = (texts[-1][0], texts[-1][1].rstrip())
    if not page.colour:
        return "".join(text for _, text in texts)
    return "".join(f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and text else text for style, text in texts)


def _shown(text: str, page: Page) -> str:
    text = clean(text)
    return text if page.unicode else text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
