"""The form that the text report of every verdict has: its last lines, its length, and that what is copied is whole."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from probe.model import Severity, Standing, Verdict
from probe.report import FORMATS, Page
from probe.report.layout import cells

WIDTHS = (60, 80, 100, 160)
WIDE = 10_000
_PUNCTUATION = ".,;:()“”…"
SCREEN = 40  # rows of 100 columns


def text(verdict: Verdict, **page: object) -> str:
    return FORMATS["text"].render(verdict, Page(**page))  # type: ignore[arg-type]


def check_form(verdict: Verdict) -> None:
    ends_with_the_verdict_and_its_fix(verdict)
    the_fix_names_its_object(verdict)
    a_single_fault_fits_a_screen(verdict)
    verbose = {width: text(verdict, verbose=True, width=width) for width in (*WIDTHS, WIDE)}
    nothing_is_broken_but_at_blanks(verdict, verbose)
    commands_can_be_pasted(verdict, verbose)


def ends_with_the_verdict_and_its_fix(verdict: Verdict) -> None:
    lines = text(verdict).splitlines()
    faults = [finding for finding in verdict.findings if finding.severity is not Severity.INFO]
    end = lines[-2:] if faults and lines[-1].startswith("fix:  ") else lines[-1:]
    assert end[0].startswith(f"{verdict.status}: ")
    assert len(end) == (2 if faults else 1)
    assert len(lines) == len(end) or lines[-len(end) - 1] == ""
    assert text(verdict, quiet=True) == f"{end[0]}\n"
    assert text(verdict, verbose=True).splitlines()[-len(end) :] == end
    assert not faults or any(finding.title in end[0] for finding in faults)


def the_fix_names_its_object(verdict: Verdict) -> None:
    fix = text(verdict).splitlines()[-1]
    assert not fix.startswith("fix:  ") or names_its_object(fix.removeprefix("fix:  ")), fix


def names_its_object(fix: str) -> bool:
    """The last line is read alone: "create it" names nothing, "create the log group /app" does."""
    before_pronoun = re.split(r"\b(?:it|its|they|them|both|all (?:two|three))\b", fix)[0]
    return re.search(r"\b(?:the|a|an) |[A-Z]{2}|\w[./-]\w|--", before_pronoun) is not None


def a_single_fault_fits_a_screen(verdict: Verdict) -> None:
    if sum(finding.severity is not Severity.INFO for finding in verdict.findings) <= 1:
        assert rows(text(verdict), 100) <= SCREEN


def rows(report: str, width: int) -> int:
    """The rows on a terminal, which folds lines that are too long."""
    return sum(max(1, -(-cells(line) // width)) for line in report.splitlines())


def nothing_is_broken_but_at_blanks(verdict: Verdict, verbose: Mapping[int, str]) -> None:
    """Words, addresses, digests, hosts and arguments are the same on a narrow page as on a very wide one."""
    whole = words(verbose[WIDE])
    short = words(text(verdict, width=WIDE))
    for width in WIDTHS:
        assert words(verbose[width]) == whole
        shown = words(text(verdict, width=width)) - short
        unbroken = {word.strip(_PUNCTUATION) for word in whole}
        assert {word.strip(_PUNCTUATION) for word in shown if len(word) > len("interface;")} <= unbroken


def words(report: str) -> Counter[str]:
    return Counter(word for word in report.split() if word != "\\")


def commands_can_be_pasted(verdict: Verdict, verbose: Mapping[int, str]) -> None:
    expected = [arguments(command) for command in commands_of(verdict)]
    for width in WIDTHS:
        printed = [arguments(command) for command in commands_in(verbose[width])]
        assert all(command in printed for command in expected)


def arguments(command: str) -> list[str]:
    """The arguments as a shell reads them: a backslash at the end of a line continues it."""
    return list(_split(command.replace("\\\n", "")))


@cache
def _split(command: str) -> tuple[str, ...]:
    return tuple(shlex.split(command))


def commands_of(verdict: Verdict) -> Iterator[str]:
    """The commands in the advice of a verdict's causes."""
    for finding in verdict.findings:
        for cause in finding.causes:
            if cause.standing is not Standing.RULED_OUT:
                yield from cause.fix.commands
                if cause.standing is not Standing.CONFIRMED:
                    yield from cause.confirm.commands


def commands_in(report: str) -> Iterator[str]:
    """The blocks in the column of commands, with their line breaks."""
    block = ""
    for line in report.splitlines():
        if not block and re.match(r" {14}[a-z-]+ ", line):
            block = line.strip()
        elif block.endswith("\\"):
            block = f"{block}\n{line}"
        if block and not block.endswith("\\"):
            if _is_closed(block):
                yield block
            block = ""


def _is_closed(block: str) -> bool:
    """Whether every quote is closed. A note with an apostrophe has an open one."""
    try:
        return bool(arguments(block))
    except ValueError:
        return False
