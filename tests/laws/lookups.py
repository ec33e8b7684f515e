"""Identifiers in printed fixes that no printed read shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probe.faults.causes.lookups import LOOKUPS, lookups_of
from probe.model import Cause, Verdict
from probe.report import FORMATS, Page

PAGE = Page(width=10_000, verbose=True)
# AWS's, Docker's and Kubernetes' own words.
CONSTANTS = {
    *("ADD", "AWS", "AWS_PROFILE", "DRAINING", "ENABLED", "HTTPS_PROXY", "INBOUND", "MUTABLE", "NO_PROXY"),
    *("RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY", "STANDARD", "STATEFUL", "STOPPED"),
}
# Values that the reader decides or configured, and not identifiers of AWS.
CHOSEN = {
    *("ARCH", "GATEWAY", "HOST", "IMAGE_URI", "NEW", "NEW_NAME", "NEW_POLICY_NAME", "NODE", "NUMBER", "OS"),
    *("PLATFORM", "PORT", "PROFILE", "PROXY", "SERVICE_NAME", "UPSTREAM_HOST", "VALUE"),
}
# Parts of the image's name and of the error, which the reader of an error text has.
IN_THE_TEXT = {"ACCOUNT", "ADDRESS", "IMAGE", "NAME", "REGION", "REGISTRY", "REPOSITORY", "RESOURCE_ARN", "TAG"}
SHOWN_BY = {name: lookup.shown_by for lookup in LOOKUPS for name in lookup.names}


def words_without_read(causes: Iterable[Cause]) -> Iterator[str]:
    """The words in capitals of fixes that neither the fix nor the reads of the same cause show."""
    for cause in causes:
        commands = (*cause.fix.commands, *cause.confirm.commands)
        for word in sorted(cause.fix.open_words - CONSTANTS - CHOSEN - IN_THE_TEXT):
            shown_by = SHOWN_BY.get(word)
            if shown_by is None or not any(map(shown_by.search, commands)):
                yield f"{cause.code}: {word}"


def reads_that_are_not_printed(verdict: Verdict) -> Iterator[str]:
    """The causes whose fix the text report prints, with or without -v, and for which a read is missing there."""
    causes = [cause for finding in verdict.findings for cause in finding.causes]
    for page in (PAGE, Page()):
        report = _plain(FORMATS["text"].render(verdict, page))
        printed = {cause.title: False for cause in causes if _is_printed(cause, report)}
        for cause in causes:  # several findings may have the same cause, and print it once
            if cause.title in printed:
                printed[cause.title] |= all(_plain(command) in report for command in lookups_of(cause).commands)
        yield from (title for title, complete in printed.items() if not complete)


def _is_printed(cause: Cause, report: str) -> bool:
    commands = cause.fix.commands
    shown = f"cause: {_plain(cause.title)} (" in report
    return shown and bool(commands) and all(_plain(command) in report for command in commands)


def _plain(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split())
