"""The ways to put a verdict into words. Pure functions of a verdict: nothing here opens a file or a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from probe.model import Verdict
from probe.records import Record

if TYPE_CHECKING:
    from probe.fleet import Fleet


class Page(Record, frozen=True):
    """What the reader's screen or file can show. `ranked`: causes in one order over all findings."""

    width: int = 100
    colour: bool = False
    unicode: bool = True
    pretty: bool = False
    ranked: bool = False


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


def _junit(verdict: Verdict, page: Page) -> str:
    from probe.report.junit import render

    return render(verdict, page)


def _markdown(verdict: Verdict, page: Page) -> str:
    from probe.report.markdown import render

    return render(verdict, page)


def _github(verdict: Verdict, page: Page) -> str:
    from probe.report.github import render

    return render(verdict, page)


def _fleet_text(fleet: Fleet, page: Page) -> str:
    from probe.report.matrix import render

    return render(fleet, page)


def _fleet_json(fleet: Fleet, page: Page) -> str:
    from probe.report.json import render_fleet

    return render_fleet(fleet, page)


def _fleet_junit(fleet: Fleet, page: Page) -> str:
    from probe.report.junit import render_fleet

    return render_fleet(fleet, page)


def _fleet_markdown(fleet: Fleet, page: Page) -> str:
    from probe.report.markdown import render_fleet

    return render_fleet(fleet, page)


def _fleet_github(fleet: Fleet, page: Page) -> str:
    from probe.report.github import render_fleet

    return render_fleet(fleet, page)


FORMATS: dict[str, Callable[[Verdict, Page], str]] = {
    "text": _text,
    "json": _json,
    "prometheus": _prometheus,
    "emf": _emf,
    "junit": _junit,
    "markdown": _markdown,
    "github": _github,
}
# The formats of `smoke`. A name that stands in both tables means the same kind of document in both.
FLEET_FORMATS: dict[str, Callable[[Fleet, Page], str]] = {
    "text": _fleet_text,
    "json": _fleet_json,
    "junit": _fleet_junit,
    "markdown": _fleet_markdown,
    "github": _fleet_github,
}
