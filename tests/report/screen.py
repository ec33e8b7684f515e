"""The form of a text report that holds for every verdict: what the last lines are, that it fits a screen, that nothing
is broken that somebody wants to copy."""

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
    """The last line is read alone: "create it" names nothing, "create the log group /app" does."""
    fix = text(verdict).splitlines()[-1]
    if fix.startswith("fix:  "):
        before_pronoun = re.split(r"\b(?:it|its|they|them|both|all (?:two|three))\b", fix.removeprefix("fix:  "))[0]
        assert re.search(r"\b(?:the|a|an) |[A-Z]{2}|\w[./-]\w|--", before_pronoun), fix


def a_single_fault_fits_a_screen(verdict: Verdict) -> None:
    if sum(finding.severity is not Severity.INFO for finding in verdict.findings) <= 1:
        assert rows(text(verdict), 100) <= SCREEN


def rows(report: str, width: int) -> int:
    """The rows on a terminal, which folds lines that are too long."""
    return sum(max(1, -(-cells(line) // width)) for line in report.splitlines())


def nothing_is_broken_but_at_blanks(verdict: Verdict, verbose: Mapping[int, str]) -> None:
    """Words, addresses, digests, hosts and arguments: the same on a narrow page as on one where each line fits."""
    whole = words(verbose[WIDE])
    short = words(text(verdict, width=WIDE))
    for width in WIDTHS:
        assert words(verbose[width]) == whole
        shown = words(text(verdict, width=width)) - short
        known = {word.strip(_PUNCTUATION) for word in whole}
        assert {word.strip(_PUNCTUATION) for word in shown if len(word) > len("interface;")} <= known


def words(report: str) -> Counter[str]:
    return Counter(word for word in report.split() if word != "\\")


def commands_can_be_pasted(verdict: Verdict, verbose: Mapping[int, str]) -> None:
    expected = [arguments(command) for command in commands_of(verdict)]
    for width in WIDTHS:
        printed = [arguments(command) for command in commands_in(verbose[width])]
        assert all(command in printed for command in expected)


def arguments(command: str) -> list[str]:
    """What a shell makes of it: a backslash at the end of a line joins the next one to it."""
    return list(_split(command.replace("\\\n", "")))


@cache
def _split(command: str) -> tuple[str, ...]:
    return tuple(shlex.split(command))


def commands_of(verdict: Verdict) -> Iterator[str]:
    """What the causes of a verdict advise to run."""
    for finding in verdict.findings:
        for cause in finding.causes:
            if cause.standing is not Standing.RULED_OUT:
                yield from cause.fix.commands
                if cause.standing is not Standing.CONFIRMED:
                    yield from cause.confirm.commands


def commands_in(report: str) -> Iterator[str]:
    """What stands alone in the column of commands, with its line breaks."""
    block = ""
    for line in report.splitlines():
        if not block and re.match(r" {14}[a-z]+ ", line):
            block = line.strip()
        elif block.endswith("\\"):
            block = f"{block}\n{line}"
        if block and not block.endswith("\\"):
            if _is_closed(block):
                yield block
            block = ""


def _is_closed(block: str) -> bool:
    """Whether every quote is closed: the rest is a note, with an apostrophe."""
    try:
        return bool(arguments(block))
    except ValueError:
        return False
