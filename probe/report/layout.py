"""Layout of text: styled spans, wrapped to a width and painted. Only this module writes escape sequences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from probe.report import Page
from probe.safe_words import printable

SCREEN = 36  # rows: a screen of 40 also has the prompt, or the description of a demo

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
# An argument of a shell command, with its quotes.
_ARGUMENT = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\]|["'])+""", re.DOTALL)
_OPERATORS = ("|", "||", "&&", ";")
# Characters within a table are replaced by one each, so that its columns stay aligned.
_ASCII = str.maketrans(
    {"…": "...", "→": ">", "·": "-", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "×": "x", "≥": ">="}
)


def plain(text: str, style: str = "") -> Line:
    return ((style, text),)


def cells(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def wrapped(label: Span, text: str, *, indent: int, page: Page, style: str = "", hang: int | None = None) -> list[Line]:
    """`label` and `text` after `indent` blanks; later lines begin under the first word of the text, or at `hang`.

    Lines are broken at blanks only. A word longer than a line, such as a host name, is left whole: the terminal folds
    it, and it can still be copied.
    """
    return filled(label, text.split(), indent=indent, page=page, style=style, hang=hang)


def filled(
    label: Span, words: Iterable[str], *, indent: int, page: Page, style: str = "", hang: int | None = None
) -> list[Line]:
    """The same with words that may contain blanks, at which lines are not broken."""
    start = indent + cells(label[1])
    column = start if hang is None else hang
    width = min(page.width, _PROSE)
    lines: list[Line] = []
    head: tuple[Span, ...] = (("", " " * indent), label)
    row, used = "", start
    for word in words:
        if row and used + 1 + cells(word) > width:
            lines.append((*head, (style, row)))
            head, row, used = (("", " " * column),), "", column
        row, used = (f"{row} {word}", used + 1 + cells(word)) if row else (word, used + cells(word))
    return [*lines, (*head, (style, row))]


def command(text: str, *, indent: int, page: Page) -> list[Line]:
    """A shell command on lines of its own, ready to paste: it is broken before options, after a backslash, and never
    within an argument."""
    if "\n" in text:
        return [(("", " " * indent), ("command", line)) for line in text.split("\n")]
    lines: list[Line] = []
    column, row = indent, ""
    options = _options(text)
    for option in options:
        is_wide = cells(option) > page.width - indent - 4
        for number, part in enumerate(_ARGUMENT.findall(option) if is_wide else [option]):
            mark = 0 if option is options[-1] and not is_wide else 2  # the backslash, on every line but the last
            fits = column + cells(row) + 1 + cells(part) + mark <= page.width
            if row and (not fits or (is_wide and number == 0 and part.startswith("-"))):
                lines.append((("", " " * column), ("command", f"{row} \\")))
                column, row = indent + 2, ""
            row = f"{row} {part}" if row else part
    return [*lines, (("", " " * column), ("command", row))]


def _options(text: str) -> list[str]:
    """A command in parts that stay on a line: the program and its action, each option with its values, each pipe."""
    options: list[str] = []
    for argument in _ARGUMENT.findall(text):
        if not options or argument.startswith("-") or argument in _OPERATORS:
            options.append(argument)
        else:
            options[-1] += f" {argument}"
    return options


def first_on_a_screen(reports: Iterable[Iterable[Line]], page: Page) -> list[Line]:
    """The first of these reports that fits a screen, or the last."""
    lines: list[Line] = []
    for report in reports:
        lines = list(report)
        if _rows(lines, page) <= SCREEN:
            break
    return lines


def _rows(lines: Iterable[Line], page: Page) -> int:
    """How many rows the lines take on the page, which folds lines that are too long."""
    widths = (sum(cells(text) for _, text in line) for line in lines)
    return sum(max(1, -(-width // page.width)) for width in widths)


def columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column."""
    return [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)] if rows else []


def pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def block(lines: Iterable[Line], most: int) -> str:
    """The lines for a file, without colors: as many whole lines as fit into `most` characters."""
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
    text = printable(text)
    return text if page.unicode else text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
