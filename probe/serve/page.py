"""The page at `/`: a snapshot as HTML for people. Pure: the same snapshot gives the same bytes.

Its style and its script are files beside this one. The script keeps the page up to date; what there is to know stands
in the HTML already, in absolute times, so that it can be read without one.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.resources import files

from probe import history
from probe.history import Colour, Passed, Snapshot
from probe.model import (
    Advice,
    Cause,
    JudgedFinding,
    Layers,
    Outcome,
    Path,
    Pull,
    Severity,
    Standing,
    Status,
    Verdict,
)
from probe.report import Page
from probe.report.layout import command
from probe.report.measured import cluster, service
from probe.report.saw import duration, saw
from probe.report.summary import answer, found, measured, standing, subject, weight
from probe.report.table import Block, Row, blocks, not_needed
from probe.serve.markup import Element, Node, document, tag, verbatim
from probe.serve.path_view import UNMEASURED, Fact, Hop, Walk, walk
from probe.serve.timeline import WIDTH, Cell, Hour, Strip, hour

_STYLE = files("probe.serve").joinpath("page.css").read_text(encoding="utf-8")
_SCRIPT = files("probe.serve").joinpath("page.js").read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


# What every answer of the sidecar carries (nosniff, no-cache) is `web`'s.
HEADERS: tuple[tuple[str, str], ...] = (
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; img-src data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "same-origin"),  # with none a form has no Origin either, and `web` asks for it
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

# Whoever takes it for an outage of their own would act on it.
REHEARSAL = "A rehearsal in a simulated VPC: nothing here is measured at AWS or in a network of yours."
_COLUMNS = 76  # of a command
_REFRESH = 15  # seconds, without a script
_LATE = 2.0  # intervals without a round, beyond its deadline, after which what stands here is called old
_COLOURS = {Severity.ERROR: Colour.ERROR, Severity.WARNING: Colour.WARNING, Severity.INFO: Colour.UNKNOWN}
_MARKED = {Outcome.OK: Colour.OK, Outcome.FAILED: Colour.ERROR, Outcome.SKIPPED: Colour.UNKNOWN}
_WORDS = {Colour.OK: "fine", Colour.WARNING: "warning", Colour.ERROR: "fails", Colour.UNKNOWN: "unknown"}
# Each state has a shape of its own, for eyes and printers without its colour.
_SHAPES = {
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


def html(snapshot: Snapshot, *, now: datetime, rehearsal: bool = False) -> bytes:
    """`now` decides which times need their date said."""
    headline = _headline(snapshot)
    image = _image(snapshot.verdict)
    title = ("Rehearsal" if rehearsal else "", headline[1], image, "ecr-probe")
    return document(
        tag(
            "html",
            tag(
                "head",
                tag("meta", charset="utf-8"),
                tag("title", " · ".join(word for word in title if word)),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                tag("meta", name="color-scheme", content="light dark"),
                tag("noscript", tag("meta", http_equiv="refresh", content=str(_REFRESH))),
                tag("link", rel="icon", href=_icon(headline[0])),
                verbatim("style", _STYLE),
            ),
            tag("body", _body(snapshot, headline, image, now, rehearsal=rehearsal), verbatim("script", _SCRIPT)),
            lang="en",
        )
    )


def _body(
    snapshot: Snapshot, headline: tuple[Colour, str, str], image: str, now: datetime, *, rehearsal: bool
) -> Iterator[Node]:
    verdict = snapshot.verdict
    yield _symbols()
    yield tag("a", "Skip to the content", class_="skip", href="#main")
    yield tag(
        "header",
        tag("p", tag("strong", "ecr-probe"), tag("span", image) if image else None, class_="name"),
        tag("p", _place(verdict), class_="where") if verdict else None,
        tag("p", REHEARSAL, class_="rehearsal") if rehearsal else None,
        id="top",
    )
    yield tag("p", id="notice", hidden=True)
    yield tag("p", id="voice", role="status", class_="unseen")
    sections: list[Node] = [_hero(snapshot, headline, now), _path(verdict)]
    if verdict is not None:
        sections += [
            _findings(snapshot, verdict, now),
            _last_hour(snapshot),
            _passed(snapshot.passed, now),
            _notes(verdict),
            _unknown(verdict),
            _steps(verdict),
        ]
    yield tag("main", sections, id="main", tabindex="-1")
    yield _footer(verdict)


# ---- the state in words ----------------------------------------------------------------------------------------------


def _headline(snapshot: Snapshot) -> tuple[Colour, str, str]:
    """Colour, a word or two, and a sentence."""
    verdict = snapshot.verdict
    if verdict is None and snapshot.misconfigured is not None:
        return Colour.UNKNOWN, "Not measuring", snapshot.misconfigured
    if verdict is None:
        return Colour.UNKNOWN, "Waiting", "The first round has not ended yet, so nothing is known."
    sentence = answer(verdict)
    rest = " What was measured works." if verdict.pull is Pull.UNPROVEN and verdict.status is Status.PASS else ""
    return *_state(verdict), f"{sentence[:1].upper()}{sentence[1:]}.{rest}"


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


def _hero(snapshot: Snapshot, headline: tuple[Colour, str, str], now: datetime) -> Element:
    colour, words, sentence = headline
    verdict = snapshot.verdict
    facts: list[Node] = []
    late = None
    if verdict is None:
        facts.append(_fact("since", _when(snapshot.started_at, now, tick="ago")))
    else:
        ended = verdict.started_at + timedelta(seconds=verdict.seconds)
        due = max(verdict.started_at + timedelta(seconds=snapshot.interval), ended)
        late = ended + timedelta(seconds=_LATE * snapshot.interval + verdict.plan.budget.deadline)
        facts += [
            _fact("since", _when(snapshot.since or verdict.started_at, now, tick="ago")),
            _fact("last round", _when(verdict.started_at, now, tick="ago")),
            _fact("took", duration(verdict.seconds)),
            _fact("found", counts) if (counts := found(verdict.findings)) else None,
            _fact("next round", [_about(snapshot), _when(due, now, tick="in")]),
        ]
    return tag(
        "section",
        _mark(colour, "large"),
        tag(
            "div",
            tag("h1", words, id="state"),
            tag("p", sentence, _but_passing(snapshot), _reason(snapshot), class_="lead", id="lead"),
            tag("dl", facts, class_="facts"),
        ),
        class_=f"hero {colour}",
        id="hero",
        aria_labelledby="state",
        data_late=late.isoformat() if late else None,
    )


def _about(snapshot: Snapshot) -> str:
    eased = snapshot.interval > snapshot.base_interval
    return f"every {snapshot.interval:.0f} s while AWS asks for fewer calls, about " if eased else "about "


def _but_passing(snapshot: Snapshot) -> str:
    """An error of one round is nobody's alarm yet."""
    errors = [one for one in snapshot.standing if one.finding.severity is Severity.ERROR]
    alone = errors and all(one.passing for one in errors) and snapshot.totals.rounds > 1
    return " Seen in one round only so far, so it may be passing." if alone else ""


def _reason(snapshot: Snapshot) -> Node:
    """What is wrong first of all, and the way to it."""
    first = next(iter(_grave(snapshot)), None)
    return tag("a", first.finding.title, href="#findings", class_="reason") if first else None


def _fact(name: str, value: Node) -> Element:
    return tag("div", tag("dt", name), tag("dd", value))


def _image(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    reference = verdict.plan.reference
    if reference is None:
        return verdict.plan.image or ""
    tagged = f":{reference.tag}" if reference.tag and not reference.digest else ""
    return f"{reference.repository}{tagged}{f'@{reference.digest[:19]}' if reference.digest else ''}"


def _place(verdict: Verdict) -> str:
    """Which of many sidecars this is."""
    here = "/".join(word for word in (cluster(verdict), service(verdict)) if word)
    return " · ".join(word for word in (here, subject(verdict).rpartition(" (")[2].rstrip(")")) if word)


def _when(instant: datetime, now: datetime, *, tick: str | None = None) -> Node:
    """An instant; with `tick` the script says beside it how far away that is: "ago" or "in"."""
    pattern = "%H:%M:%S UTC" if instant.date() == now.date() else "%Y-%m-%d %H:%M UTC"
    iso = instant.isoformat()
    shown = tag("time", f"{instant:{pattern}}", datetime=iso)
    return [shown, tag("span", data_tick=tick, data_at=iso)] if tick else shown


# ---- marks -----------------------------------------------------------------------------------------------------------


def _symbols() -> Element:
    symbols = [
        tag(
            "symbol",
            tag("path", d=shape, class_="shape"),
            tag("path", d=sign, class_="sign"),
            id=f"mark-{colour}",
            viewBox="0 0 16 16",
        )
        for colour, (sign, shape) in _SHAPES.items()
    ]
    return tag("svg", symbols, class_="unseen", aria_hidden="true")


def _mark(colour: Colour, size: str = "") -> Element:
    """Beside a word that says the same."""
    return tag(
        "svg",
        tag("use", href=f"#mark-{colour}"),
        class_=f"mark {colour} {size}".strip(),
        aria_hidden="true",
    )


def _icon(colour: Colour) -> str:
    sign, shape = _SHAPES[colour]
    drawn = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path fill='{_HUES[colour]}' d='{shape}'/>"
        f"<path fill='none' stroke='#fff' stroke-width='1.8' stroke-linecap='round' d='{sign}'/></svg>"
    )
    return f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"


# ---- the path --------------------------------------------------------------------------------------------------------


def _path(verdict: Verdict | None) -> Element:
    known = walk(verdict) if verdict is not None else UNMEASURED
    beside: Node = [
        tag("h3", "Beside the pull", id="beside-heading"),
        tag("ul", [_hop(hop.name, hop) for hop in known.beside], class_="beside", aria_labelledby="beside-heading"),
    ]
    path = tag("ol", _hops(known), class_="path")
    return _section("path", "The path of a pull", path, beside if known.beside else None)


def _hops(known: Walk) -> Iterator[Node]:
    yield _hop("task", known.task)
    yield _hop("resolver", known.resolver)
    worst = _worst(hop.colour for hop in known.endpoints)
    yield tag(
        "li",
        tag("h3", "Endpoints", class_="unseen"),
        tag("ul", [_hop(hop.name, hop, "h4") for hop in known.endpoints], class_="stack"),
        class_=f"to-{worst}",
        id="endpoints",
    )
    yield _hop("registry", known.registry)
    yield _hop("s3", known.layers)


def _worst(colours: Iterable[Colour]) -> Colour:
    known = set(colours)
    return next((one for one in (Colour.ERROR, Colour.WARNING, Colour.UNKNOWN) if one in known), Colour.OK)


def _hop(key: str, hop: Hop, heading: str = "h3") -> Element:
    return tag(
        "li",
        tag(heading, _mark(hop.colour), tag("span", hop.name), tag("span", _WORDS[hop.colour], class_="word")),
        tag("p", hop.about, class_="about") if hop.about else None,
        tag("ul", [_seen(fact) for fact in hop.facts], class_="seen") if hop.facts else None,
        class_=f"hop {hop.colour} to-{hop.colour}",
        id=_id("hop", key),
    )


def _seen(fact: Fact) -> Element:
    return tag(
        "li",
        _mark(fact.colour),
        tag(
            "span",
            tag("span", fact.words, class_="what"),
            tag("span", f" ({_WORDS[fact.colour]})", class_="unseen"),
            tag("span", f" {fact.note}", class_="note") if fact.note else None,
        ),
        tag("span", fact.time, class_="time") if fact.time else None,
    )


# ---- findings --------------------------------------------------------------------------------------------------------


def _findings(snapshot: Snapshot, verdict: Verdict, now: datetime) -> Node:
    articles = [_finding(one, verdict, snapshot, now) for one in _grave(snapshot)]
    if not articles:
        return None
    return _section("findings", "What is wrong", articles)


def _grave(snapshot: Snapshot) -> list[history.Standing]:
    """Errors and warnings that stand, the gravest first."""
    grave = [one for one in snapshot.standing if one.finding.severity is not Severity.INFO]
    return sorted(grave, key=lambda one: weight(one.finding))


def _finding(one: history.Standing, verdict: Verdict, snapshot: Snapshot, now: datetime) -> Element:
    finding = one.finding
    name = _id("finding", *history.identity(finding)[:2], *finding.endpoints)
    return tag(
        "article",
        tag(
            "h3",
            _mark(_COLOURS[finding.severity]),
            tag("span", f"{finding.severity}: ", class_="word"),
            finding.title,
            id=f"{name}-title",
        ),
        tag("p", tag("code", finding.code), " · ", _age(one, snapshot, now), class_="about"),
        tag(
            "dl",
            _fact("saw", tag("ul", [tag("li", sentence) for sentence in saw(finding, verdict.steps)])),
            _fact("why", finding.why) if finding.why else None,
            class_="told",
        ),
        tag("h4", "What can cause it" if _open(finding) else "The cause") if finding.causes else None,
        tag("ol", _causes(finding), class_="causes") if finding.causes else None,
        class_=f"finding {_COLOURS[finding.severity]}",
        id=name,
        aria_labelledby=f"{name}-title",
    )


def _age(one: history.Standing, snapshot: Snapshot, now: datetime) -> Node:
    if one.passing and snapshot.totals.rounds > 1:
        return [tag("strong", "first seen this round: may be passing"), ", ", _when(one.since, now, tick="ago")]
    rounds = f", {one.rounds} rounds in a row" if one.rounds > 1 else ", the first round"
    return ["since ", _when(one.since, now, tick="ago"), rounds]


def _open(finding: JudgedFinding) -> bool:
    return not any(cause.standing is Standing.CONFIRMED for cause in finding.causes)


def _causes(finding: JudgedFinding) -> Iterator[Element]:
    """The likeliest is open, the others wait behind their titles."""
    told: dict[Advice, str] = {}  # by read, the cause at which it was told
    for number, cause in enumerate(finding.causes):
        word = standing(cause, finding)
        title: Node = [tag("span", word, class_=f"standing {word.replace(' ', '-')}"), " ", tag("span", cause.title)]
        if cause.standing is Standing.RULED_OUT:
            yield tag("li", tag("p", title))
            continue
        yield tag("li", tag("details", tag("summary", title), _remedy(cause, told), open=number == 0))


def _remedy(cause: Cause, told: dict[Advice, str], heading: str = "h5") -> Iterator[Node]:
    yield tag(heading, "fix")
    yield _advice(cause.fix)
    if cause.standing is not Standing.CONFIRMED:
        yield tag(heading, "confirm with")
        first = told.setdefault(cause.confirm, cause.title)
        yield _advice(cause.confirm) if first == cause.title else tag("p", f"the same read as for: {first}")


def _advice(advice: Advice) -> Iterator[Node]:
    """The text, each command with a button to copy it, and the note on them."""
    if advice.text:
        yield tag("p", advice.text)
    yield from map(_command, advice.commands)
    if advice.note is not None:
        yield tag("p", advice.note)


def _command(text: str) -> Element:
    lines = command(("", ""), text, indent=0, page=Page(width=_COLUMNS))
    shown = [["\n" if number else "", *(words for _, words in line)] for number, line in enumerate(lines)]
    return tag(
        "div",
        tag("pre", tag("code", shown)),
        tag(
            "button",
            "Copy",
            tag("span", f" {' '.join(text.split()[:3])}", class_="unseen"),
            type="button",
            class_="copy",
        ),
        class_="command",
    )


# ---- the last hour ---------------------------------------------------------------------------------------------------


def _last_hour(snapshot: Snapshot) -> Node:
    if not snapshot.strip:
        return None
    known = hour(snapshot)
    legend = tag(
        "p",
        "One cell for each round. ",
        [tag("span", tag("i", class_=f"key {colour}"), words) for colour, words in _LEGEND.items()],
        class_="legend",
    )
    rows = tag("ul", [_strip(strip) for strip in known.strips], class_="strips")
    return _section("hour", known.words, rows, _scale(known), legend)


_LEGEND = {Colour.OK: "fine", Colour.WARNING: "with warnings", Colour.ERROR: "failed", Colour.UNKNOWN: "not proven"}


def _strip(strip: Strip) -> Element:
    lines = [
        tag("path", class_=str(colour), d="".join(_drawn(cells)))
        for colour in (Colour.UNKNOWN, Colour.OK, Colour.WARNING, Colour.ERROR)
        if (cells := [cell for cell in strip.cells if cell.colour is colour])
    ]
    return tag(
        "li",
        tag("span", strip.name, class_="what", aria_hidden="true"),
        tag(
            "svg",
            lines,
            viewBox=f"0 0 {WIDTH} {2 * _LINE}",
            preserveAspectRatio="none",
            role="img",
            aria_label=strip.spoken,
        ),
        tag("span", strip.short, class_=f"short {strip.worst}", aria_hidden="true"),
        id=_id("strip", strip.name),
    )


def _drawn(cells: Iterable[Cell]) -> Iterator[str]:
    at, height = 0, _LINE
    for cell in cells:
        yield f"m{cell.start - at} {height}h{cell.width}"
        at, height = cell.start + cell.width, 0


_LINE = 12  # half the height of a strip, so that what is wrong stands out on both sides


def _scale(known: Hour) -> Element:
    middle = known.begin + (known.end - known.begin) / 2
    ticks = [tag("span", f"{instant:%H:%M} UTC") for instant in (known.begin, middle, known.end)]
    return tag("p", ticks, class_="scale", aria_hidden="true")


def _passed(passed: Sequence[Passed], now: datetime) -> Node:
    if not passed:
        return None
    rows = [
        tag(
            "li",
            _mark(Colour.OK),
            tag(
                "span",
                tag("span", f"passed {one.severity}: ", class_="word"),
                one.title,
                tag("span", " ", _spell(one, now), class_="about"),
            ),
        )
        for one in passed
    ]
    return _section("passed", "Passed in the last hour", tag("ul", rows, class_="passed"))


def _spell(one: Passed, now: datetime) -> Node:
    rounds = "one round only" if one.rounds == 1 else f"{one.rounds} rounds"
    return [tag("code", one.code), " ", _when(one.since, now), " to ", _when(one.until, now), f", {rounds}"]


# ---- what else is known, and what is not -----------------------------------------------------------------------------


def _notes(verdict: Verdict) -> Node:
    notes = sorted((one for one in verdict.findings if one.severity is Severity.INFO), key=weight)
    if not notes:
        return None
    rows = [
        tag(
            "li",
            tag(
                "details",
                tag("summary", one.title),
                tag("p", one.why) if one.why else None,
                tag("p", "saw: ", "; ".join(saw(one, verdict.steps))) if one.because else None,
                [_remedy(cause, {}, "h3") for cause in one.causes],
                tag("p", tag("code", one.code), class_="about"),
            ),
            id=_id("note", one.code, *one.endpoints),
        )
        for one in notes
    ]
    return _section("notes", "Worth knowing", tag("ul", rows, class_="notes"))


def _unknown(verdict: Verdict) -> Element:
    rows = tag("ul", [tag("li", sentence) for sentence in _limits(verdict)], class_="limits")
    return _section("limits", "What this tells, and what not", rows)


def _limits(verdict: Verdict) -> Iterator[str]:
    task = verdict.surroundings.task_arn
    yield f"This was {measured(verdict)}{f', in {task}' if task else ''}."
    other_path = [one.why for one in verdict.findings if one.code == "path.not-the-pull" and one.why]
    yield from other_path
    own, pulls = verdict.identity.arn, verdict.policy.pull_role
    if verdict.path in (Path.TASK_ENI, Path.INSTANCE_ENI) and own is not None and pulls != own:
        yield "ECS pulls with the execution role; what that role may do is not measured with the task's."
    if verdict.pull is Pull.UNPROVEN and verdict.plan.layers is Layers.NONE:
        yield "Layers were not fetched (--layers none), so the pull is not proven."
    elif verdict.pull is Pull.UNPROVEN and not other_path:
        yield "The pull is not proven: what stopped the proof is among the findings."
    dark = [summary.name for summary in verdict.endpoints if history.colour(verdict, summary) is Colour.UNKNOWN]
    if dark:
        yield f"Nothing is known of {', '.join(dark)}."
    left_out = not_needed(verdict)
    if left_out:
        yield f"Not needed here, so not measured: {', '.join(left_out)}."
    yield "Which zone an address is in cannot be seen from inside a task; the task's own subnet is all that is told."


# ---- the table of steps ----------------------------------------------------------------------------------------------


def _steps(verdict: Verdict) -> Element:
    head = tag("tr", [tag("th", words, scope="col") for words in ("step", "of", "what it showed", "time")])
    table = tag(
        "table",
        tag("caption", f"Steps of {subject(verdict)}", class_="unseen"),
        tag("thead", head),
        [_block(block) for block in blocks(verdict)],
    )
    scrolled = tag("div", table, class_="scrolled", tabindex="0", role="region", aria_label="Table of steps")
    return tag(
        "section",
        tag("details", tag("summary", tag("h2", "All steps of the last round")), scrolled),
        id="steps",
        class_="panel",
    )


def _block(block: Block) -> Element:
    heading = tag("th", tag("strong", block.name), " ", " · ".join(block.about), colspan="4", scope="rowgroup")
    return tag("tbody", tag("tr", heading, class_="block"), [_row(row) for row in block.rows])


def _row(row: Row) -> Element:
    word = row.mark[1]
    colour = _MARKED[row.outcome] if word != "no" else Colour.UNKNOWN
    return tag(
        "tr",
        tag("td", _mark(colour), tag("span", word.lower(), class_="word"), " ", row.action),
        tag("td", row.what),
        tag("td", row.facts),
        tag("td", row.time, class_="time"),
        class_=str(row.outcome),
    )


# ---- the frame -------------------------------------------------------------------------------------------------------


def _section(name: str, heading: str, *children: Node) -> Element:
    title = f"{name}-heading"
    return tag("section", tag("h2", heading, id=title), children, id=name, class_="panel", aria_labelledby=title)


def _footer(verdict: Verdict | None) -> Element:
    links = {"metrics": "Metrics", "verdict": "Verdict", "history": "History"}
    return tag(
        "footer",
        tag("nav", [tag("a", words, href=address) for address, words in links.items()], aria_label="For programs"),
        tag(
            "form",
            tag("button", "Measure now"),
            tag("span", id="asked", role="status"),
            method="post",
            action="-/run",
            id="run",
        ),
        tag("p", f"ecr-probe {verdict.version}") if verdict else None,
    )


def _id(kind: str, *words: str) -> str:
    """The same thing has the same id in every round, whatever its name is made of."""
    digest = hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()
    return f"{kind}-{digest[:10]}"
