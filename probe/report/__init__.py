"""The ways to put a verdict into words. Pure functions of a verdict: nothing here opens a file or a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from probe.model import Verdict


@dataclass(frozen=True, slots=True)
class Page:
    """What the reader's screen or file can show."""

    width: int = 100
    colour: bool = False
    unicode: bool = True
    pretty: bool = False


# Each format is imported when it is used: a run that prints JSON has no use for prometheus_client.
def _text(verdict: Verdict, page: Page) -> str:
    from probe.report.text import render

    return render(verdict, page)


def _json(verdict: Verdict, page: Page) -> str:
    from probe.report.json import render

    return render(verdict, page)


def _prometheus(verdict: Verdict, page: Page) -> str:
    from probe.report.prometheus import render

    return render(verdict, page)


def _emf(verdict: Verdict, page: Page) -> str:
    from probe.report.emf import render

    return render(verdict, page)


FORMATS: dict[str, Callable[[Verdict, Page], str]] = {
    "text": _text,
    "json": _json,
    "prometheus": _prometheus,
    "emf": _emf,
}
