"""Identifiers in printed fixes that no printed read shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from probe.faults.causes.lookups import LOOKUPS
from probe.model import Cause, Standing, Verdict
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
    """The reads of confirmed causes whose fix has words in capitals; the text report must print them."""
    report = " ".join(FORMATS["text"].render(verdict, PAGE).split())
    for finding in verdict.findings:
        for cause in finding.causes:
            if cause.standing is Standing.CONFIRMED and cause.fix.open_words:
                yield from (command for command in cause.confirm.commands if _plain(command) not in report)


def _plain(command: str) -> str:
    return re.sub(r"\s+", " ", command)
