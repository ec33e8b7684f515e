"""The links of a document's findings to their pages, where --runbook-base sets the place of the pages.

A verdict is judged without knowing where its readers have the documentation, so the links are set before it is shown.
"""

from __future__ import annotations

from typing import TypeVar

from probe.fleet import Fleet
from probe.model import Verdict, finding_url
from probe.records import replace

Document = TypeVar("Document", bound=Verdict | Fleet)


def linked(document: Document, base: str | None) -> Document:
    """The document with `url` of every finding at `base`, which contains CODE; unchanged where it is None."""
    if base is None:
        return document
    if isinstance(document, Fleet):
        return replace(
            document,
            runs=tuple(
                run if run.verdict is None else replace(run, verdict=linked(run.verdict, base)) for run in document.runs
            ),
        )
    findings = (replace(finding, url=finding_url(finding.code, base)) for finding in document.findings)
    return replace(document, findings=tuple(findings))
