"""The pages for people: `/` shows a snapshot, `/findings/CODE` explains a finding or a cause. Pure functions.

The markup is `page.html` and `finding.html`, both with `parts.html` and `page.css`; here is what the templates show.
`page.js` keeps the first page up to date, `copy.js` copies commands. Both pages can be read without a script: all times
are absolute.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from probe import history
from probe.arns import NAME, ecs_arn
from probe.faults.causes.lookups import lookups_of
from probe.history import Colour, Snapshot
from probe.model import Advice, JudgedFinding, Layers, Outcome, Path, Pull, Severity, Standing, Status, Verdict
from probe.narration import duration, observations
from probe.records import Record
from probe.report import Page
from probe.report.finding_page import ONLY_IN_TEXTS, ORDER_OF_CAUSES, code_page, has_page
from probe.report.layout import command
from probe.report.markdown import of_finding
from probe.report.measured import cluster, service
from probe.report.summary import can_be_settled, certainty, fault_counts, measured_path, settling_command, subject
from probe.report.table import Row, blocks, not_needed
from probe.safe_words import printable_lines
from probe.serve.path_view import UNMEASURED, path_view
from probe.serve.timeline import LATENCY_HEIGHT, LINE, WIDTH, hour
from probe.verdict import weight

REHEARSAL = "A rehearsal in a simulated VPC: nothing here was measured in AWS or in your network."
_COLUMNS = 76  # of a command
_TIME, _DATE = "%H:%M:%S UTC", "%Y-%m-%d %H:%M UTC"
_LATE = 2.0  # intervals without a round, beyond its deadline, after which the page is called out of date
_SEVERITIES = {Severity.ERROR: Colour.ERROR, Severity.WARNING: Colour.WARNING, Severity.INFO: Colour.UNKNOWN}
_OUTCOMES = {Outcome.OK: Colour.OK, Outcome.FAILED: Colour.ERROR, Outcome.SKIPPED: Colour.UNKNOWN}
_BY_GRAVITY = (Colour.ERROR, Colour.WARNING, Colour.UNKNOWN, Colour.OK)
# Each state also has a shape of its own: the sign in it, and its outline.
_MARKS = {
    Colour.OK: ("M4.6 8.3l2.3 2.3 4.6-4.9", "M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0z"),
    Colour.WARNING: (
        "M8 5.8v3.8M8 12.2v.01",
        "M8 .8q.9 0 1.4.8l6.2 11.2q.5 1-.1 1.7-.5.7-1.3.7H1.8q-.8 0-1.3-.7-.6-.7-.1-1.7L6.6 1.6Q7.1.8 8 .8z",
    ),
    Colour.ERROR: ("M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2", "M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z"),
    Colour.UNKNOWN: (
        "M6.2 6.3a1.9 1.9 0 1 1 2.7 1.7c-.6.3-.9.8-.9 1.4M8 12v.01",
        "M3 0h10a3 3 0 0 1 3 3v10a3 3 0 0 1-3 3H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z",
    ),
}
_HUES = {Colour.OK: "#1f8a55", Colour.WARNING: "#b87400", Colour.ERROR: "#c42b3a", Colour.UNKNOWN: "#6b7480"}
_CODE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


# ---- the template ----------------------------------------------------------------------------------------------------


def _source(name: str) -> str:
    return files("probe.serve").joinpath(name).read_text(encoding="utf-8")


def verbatim(source: str) -> Markup:
    """The text of a `<style>` or `<script>` of our own, which HTML does not unescape."""
    if "</" in source or "<!--" in source:
        raise ValueError("the element would end early")
    return Markup(source)


def harmless(value: Any) -> Any:
    """What every value passes on its way into the page: text without control or format characters, so that none
    reverses the writing around it. Line breaks are kept; escaping comes after it."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable_lines(value)


def _folded(text: str) -> str:
    """A command in lines of a readable length, which a shell takes as one."""
    lines = command(text, indent=0, page=Page(width=_COLUMNS))
    return "\n".join("".join(part for _, part in line) for line in lines)


def environment() -> Environment:
    """Escapes everything that is put into a template, and refuses a name that is not there."""
    templates = Environment(
        loader=FunctionLoader(lambda name: dense(_source(name))),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["folded"] = _folded
    return templates


def dense(source: str) -> str:
    """A template without the line breaks next to its tags: the script compares the page's nodes one by one, and white
    space between elements would be nodes too."""
    return re.sub(r"(?<=[>}])\n\s*|\n\s*(?=[<{])", "", source)


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _headers(script: str) -> tuple[tuple[str, str], ...]:
    """The headers of a page with this script. `web` adds what every response carries (nosniff, no-cache)."""
    return (
        (
            "Content-Security-Policy",
            f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(script)}; img-src data:; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("Referrer-Policy", "same-origin"),  # without a referrer a form has no Origin either, which `web` checks
        ("Cross-Origin-Resource-Policy", "same-origin"),
    )


_STYLE, _COPY_SCRIPT = verbatim(_source("page.css")), verbatim(_source("copy.js"))
_SCRIPT = _COPY_SCRIPT + verbatim(_source("page.js"))
HEADERS, FINDING_HEADERS = _headers(_SCRIPT), _headers(_COPY_SCRIPT)
_TEMPLATES = environment()
_PAGE = _TEMPLATES.get_template("page.html")


def finding_html(code: str) -> bytes:
    """The page of a finding's or a cause's code. Raises KeyError for an unknown code."""
    text: str = _TEMPLATES.get_template("finding.html").render(
        style=_STYLE,
        script=_COPY_SCRIPT,
        page=code_page(code),
        only_in_texts=ONLY_IN_TEXTS,
        order_of_causes=ORDER_OF_CAUSES,
    )
    return f"{text}\n".encode()


def html(snapshot: Snapshot, *, now: datetime, rehearsal: bool = False) -> bytes:
    """`now` decides which times are shown with their date."""
    verdict = snapshot.verdict
    hero = _hero(snapshot)
    image = _image(verdict)
    findings = _findings(snapshot)
    title = ("Rehearsal" if rehearsal else "", hero.state, image, "ecr-probe")
    text: str = _PAGE.render(
        style=_STYLE,
        script=_SCRIPT,
        title=" · ".join(part for part in title if part),
        icon=_icon(hero.colour),
        marks=_MARKS,
        clock=lambda instant: (
            f"{instant:%H:%M:%S UTC}" if instant.date() == now.date() else f"{instant:%Y-%m-%d %H:%M UTC}"
        ),
        element_id=element_id,
        rehearsal=REHEARSAL if rehearsal else "",
        image=image,
        task=_task(verdict),
        snapshot=snapshot,
        verdict=verdict,
        hero=hero,
        path=path_view(verdict) if verdict else UNMEASURED,
        worst=_worst,
        findings=[finding for finding in findings if finding.colour is not Colour.UNKNOWN],
        notes=[finding for finding in findings if finding.colour is Colour.UNKNOWN],
        hour=hour(snapshot) if verdict and snapshot.strip else None,
        strip_size=(WIDTH, 2 * LINE),
        latency_size=(WIDTH, LATENCY_HEIGHT),
        limits=list(_limits(verdict)) if verdict else [],
        blocks=blocks(verdict) if verdict else [],
        row_colour=_row_colour,
        subject=subject(verdict) if verdict else "",
    )
    return f"{text}\n".encode()


def element_id(kind: str, *parts: str) -> str:
    """An id that stays the same from round to round, and is valid for names with any characters."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
    return f"{kind}-{digest[:10]}"


def _icon(colour: Colour) -> str:
    sign, outline = _MARKS[colour]
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path fill='{_HUES[colour]}' d='{outline}'/>"
        f"<path fill='none' stroke='#fff' stroke-width='1.8' stroke-linecap='round' d='{sign}'/></svg>"
    )
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _worst(colours: Iterable[Colour]) -> Colour:
    return min(colours, key=_BY_GRAVITY.index, default=Colour.OK)


def _row_colour(row: Row) -> Colour:
    """A control that failed is evidence and no fault."""
    return Colour.UNKNOWN if row.mark[1] == "no" else _OUTCOMES[row.outcome]


# ---- the state in words ----------------------------------------------------------------------------------------------


class Hero(Record, frozen=True):
    """The state in a word and a sentence, with a note. `late`: the instant after which the page is out of date."""

    colour: Colour
    state: str
    sentence: str
    note: str = ""
    ended: datetime | None = None
    due: datetime | None = None
    late: datetime | None = None
    took: str = ""
    counts: str = ""
    interval: str = ""


def _hero(snapshot: Snapshot) -> Hero:
    verdict = snapshot.verdict
    if verdict is None and snapshot.misconfigured is not None:
        return Hero(Colour.UNKNOWN, "Not measuring", snapshot.misconfigured)
    if verdict is None:
        return Hero(Colour.UNKNOWN, "Waiting", "The first round has not ended yet.")
    colour, state = _state(verdict)
    ended = verdict.started_at + timedelta(seconds=verdict.seconds)
    is_eased = snapshot.interval > snapshot.base_interval
    return Hero(
        colour=colour,
        state=state,
        sentence=f"{verdict.summary[:1].upper()}{verdict.summary[1:]}.",
        note="First found in this round: may be transient." if _may_be_transient(snapshot) else "",
        ended=ended,
        due=max(verdict.started_at + timedelta(seconds=snapshot.interval), ended),
        late=ended + timedelta(seconds=_LATE * snapshot.interval + verdict.plan.budget.deadline),
        took=duration(verdict.seconds),
        counts=fault_counts(verdict.findings),
        interval=f"every {snapshot.interval:.0f} s while AWS throttles, " if is_eased else "",
    )


def _state(verdict: Verdict) -> tuple[Colour, str]:
    if verdict.pull is Pull.BROKEN:
        return Colour.ERROR, "Broken"
    if verdict.status is Status.FAIL:
        return Colour.ERROR, "Failing"
    word = "Works" if verdict.pull is Pull.WORKS else "Unproven"
    if verdict.status is Status.DEGRADED:
        return Colour.WARNING, f"{word}, with warnings"
    if verdict.status is Status.PASS and verdict.pull is Pull.WORKS:
        return Colour.OK, word
    return Colour.UNKNOWN, "Unproven" if verdict.pull is Pull.UNPROVEN else "Works, not all proven"


def _may_be_transient(snapshot: Snapshot) -> bool:
    """Whether every error was found in the last round only, and earlier rounds were without it."""
    errors = [entry for entry in snapshot.current if entry.finding.severity is Severity.ERROR]
    return bool(errors) and all(entry.may_be_transient for entry in errors) and snapshot.totals.rounds > 1


def _image(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    reference = verdict.plan.reference
    if reference is None:
        return verdict.plan.image or ""
    tag = f":{reference.tag}" if reference.tag and not reference.digest else ""
    return f"{reference.repository}{tag}{f'@{reference.digest[:19]}' if reference.digest else ''}"


def _task(verdict: Verdict | None) -> str:
    """Which of many sidecars this is: its cluster and service, platform and region."""
    if verdict is None:
        return ""
    where = "/".join(name for name in (cluster(verdict), service(verdict)) if name)
    return " · ".join(part for part in (where, subject(verdict).rpartition(" (")[2].rstrip(")")) if part)


# ---- findings --------------------------------------------------------------------------------------------------------


class CauseView(Record, frozen=True):
    """A cause as it is shown. `reads`: what the commands of `confirm` are for. `same_as`: the title of an earlier cause
    that is confirmed by the same command.
    """

    word: str
    title: str
    fix: Advice | None = None
    confirm: Advice | None = None
    reads: str = "confirm with"
    same_as: str = ""


class FindingView(Record, frozen=True):
    """A finding as it is shown.

    `anchor` is its id within the page, `markdown` its part of the Markdown report, `settle` how to decide
    between its causes.
    """

    anchor: str
    colour: Colour
    entry: history.CurrentFinding
    saw: tuple[str, ...]
    causes: tuple[CauseView, ...]
    is_confirmed: bool
    is_new: bool
    markdown: str
    settle: Advice | None = None

    @property
    def finding(self) -> JudgedFinding:
        return self.entry.finding

    @property
    def runbook(self) -> str | None:
        """The published page, where --runbook-base says where it is."""
        return self.finding.url if self.finding.is_published else None

    @property
    def has_page(self) -> bool:
        return has_page(self.finding.code)


def _findings(snapshot: Snapshot) -> list[FindingView]:
    """All findings, the most serious first."""
    if snapshot.verdict is None:
        return []
    views: list[FindingView] = []
    anchors: dict[str, int] = {}
    for entry in sorted(snapshot.current, key=lambda entry: weight(entry.finding)):
        finding = entry.finding
        anchor = finding.code if _CODE.fullmatch(finding.code) else element_id("finding", finding.code)
        anchors[anchor] = anchors.get(anchor, 0) + 1
        views.append(
            FindingView(
                anchor=anchor if anchors[anchor] == 1 else f"{anchor}-{anchors[anchor]}",
                colour=_SEVERITIES[finding.severity],
                entry=entry,
                saw=tuple(observations(finding.because, snapshot.verdict)),
                causes=tuple(_causes(finding)),
                is_confirmed=any(cause.standing is Standing.CONFIRMED for cause in finding.causes),
                is_new=entry.may_be_transient and snapshot.totals.rounds > 1,
                markdown=of_finding(finding, snapshot.verdict),
                settle=_settling(snapshot.verdict) if can_be_settled(finding) else None,
            )
        )
    return views


def _settling(verdict: Verdict) -> Advice | None:
    """What settles the causes, with the task and its cluster."""
    offer = settling_command(verdict, file="verdict.json")
    task = ecs_arn(verdict.surroundings.task_arn or "", "task")
    name = cluster(verdict) or ""
    if task is not None and task["cluster"] is None and re.fullmatch(NAME, name, re.ASCII):
        offer += f" --cluster {name}"  # an older account's ARN does not contain it
    if task is not None:
        offer += f" --task {task[0]}"
    text = "save this page's Verdict as verdict.json, and read the configuration with the credentials of an operator"
    return Advice(text, (offer,)) if settling_command(verdict) else None


def _causes(finding: JudgedFinding) -> Iterator[CauseView]:
    first_titles: dict[Advice, str] = {}  # of the causes that are confirmed by the same advice
    for cause in finding.causes:
        word = certainty(cause, finding)
        if cause.standing is Standing.RULED_OUT:
            yield CauseView(word, cause.title)
        elif cause.standing is Standing.CONFIRMED:
            lookups = lookups_of(cause)
            yield CauseView(word, cause.title, cause.fix, lookups if lookups.commands else None, "look up")
        elif (first := first_titles.setdefault(cause.confirm, cause.title)) == cause.title:
            yield CauseView(word, cause.title, cause.fix, cause.confirm)
        else:
            yield CauseView(word, cause.title, cause.fix, same_as=first)


# ---- what is not known -----------------------------------------------------------------------------------------------


def _limits(verdict: Verdict) -> Iterator[str]:
    task = verdict.surroundings.task_arn
    yield f"This was {measured_path(verdict)}{f', in {task}' if task else ''}."
    other_path = [finding.why for finding in verdict.findings if finding.code == "path.not-the-pull" and finding.why]
    yield from other_path
    own, pulls = verdict.identity.arn, verdict.policy.pull_role
    if verdict.path in (Path.TASK_ENI, Path.INSTANCE_ENI) and own is not None and pulls != own:
        yield "ECS pulls with the execution role. Its permissions are not measured with the task role."
    if verdict.pull is Pull.UNPROVEN and verdict.plan.layers is Layers.NONE:
        yield "Layers were not fetched (--layers none), so the pull is not proven."
    elif verdict.pull is Pull.UNPROVEN and not other_path:
        yield "The pull is not proven: see the findings for the reason."
    unproven = [summary.name for summary in verdict.endpoints if history.colour(verdict, summary) is Colour.UNKNOWN]
    if unproven:
        yield f"Not proven to work: {', '.join(unproven)}."
    left_out = not_needed(verdict)
    if left_out:
        yield f"Not needed here, so not measured: {', '.join(left_out)}."
    yield "The zone of an address cannot be measured from inside a task, only whether it is in the task's own subnet."
