"""The reports: a verdict, or the fleet of `smoke`, in words or in numbers. Nothing here opens a file or a terminal.

--help and the health check read the table of formats, so this module imports nothing that takes long.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from probe.fleet import Fleet
    from probe.model import Verdict


class Page(NamedTuple):
    """What the reader's screen or file can show, in columns, and how much of it the reader wants.

    `pretty` concerns json, `verbose` (every cause, step and note) and `quiet` (only the verdict line) concern text.
    `settle` is the command that reads the configuration, where it is not `inspect --verdict`.
    """

    width: int = 100
    colour: bool = False
    unicode: bool = True
    pretty: bool = False
    verbose: bool = False
    quiet: bool = False
    settle: str = ""


class Format(NamedTuple):
    """One --format. Its module is `probe.report.<name>`, with a function `render(verdict, page)` and, where `fleets`
    is set, `render_fleet(fleet, page)` for `smoke`. `numeric`: metrics, which need something measured.
    """

    name: str
    about: str = ""  # for --help
    fleets: bool = True
    numeric: bool = False

    def render(self, document: Verdict | Fleet, page: Page) -> str:
        """The report. Its module is imported on first use: a run that prints JSON does not need prometheus_client."""
        from probe.fleet import Fleet

        module = import_module(f"{__name__}.{self.name}")
        render = module.render_fleet if isinstance(document, Fleet) else module.render
        text: str = render(document, page)
        return text


FORMATS = {
    row.name: row
    for row in (
        Format("text"),
        Format("json"),
        Format("prometheus", fleets=False, numeric=True),
        Format("emf", "CloudWatch metrics", fleets=False, numeric=True),
        Format("junit"),
        Format("markdown"),
        Format("github", "annotations"),
    )
}
FLEET_FORMATS = {name: row for name, row in FORMATS.items() if row.fleets}


def listed(formats: Iterable[Format]) -> str:
    """Names and explanations for --help: "text, json or github (annotations)"."""
    *names, last = (f"{row.name} ({row.about})" if row.about else row.name for row in formats)
    return f"{', '.join(names)} or {last}" if names else last
