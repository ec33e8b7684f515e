"""The table of steps: one block for each endpoint, one row for what went alike. Healthy addresses share a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from probe.model import (
    Action,
    Asker,
    Basis,
    CertificateSeen,
    ControlSeen,
    CredentialsSeen,
    EndpointSummary,
    LayerSeen,
    ManifestSeen,
    NamesSeen,
    Outcome,
    ProxySeen,
    RedirectSeen,
    RedirectTarget,
    Route,
    Step,
    Verdict,
)
from probe.records import Record
from probe.report import Page
from probe.report.layout import Line, columns, cut, pad, plain
from probe.report.saw import addresses, answer_of, asker, duration, few, size

_INFERRED = ("dim", "(ok)")  # what the words of an error only let infer
# A control and a follow-up are evidence: that they came to nothing is no fault.
_NO_FAULT = ("dim", "no")
_MARKS = {Outcome.OK: ("good", "ok"), Outcome.FAILED: ("error", "FAIL"), Outcome.SKIPPED: ("dim", "skip")}
ROUTES = {
    Route.ENDPOINT: "through the endpoint",
    Route.PUBLIC: "by public addresses",
    Route.UNDETERMINED: "gateway endpoint or NAT",
}
_MOST_ADDRESSES = 3
_MARGIN = 2 + 4 + 4 * 2  # indent, mark and gaps


class Row(Record, frozen=True):
    """What went alike. `mark` is a style and a word."""

    outcome: Outcome
    action: str
    what: str
    facts: str
    time: str
    mark: tuple[str, str]

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return self.action, self.what, self.facts, self.time


class Block(Record, frozen=True):
    """An endpoint and its rows. `about` is its host and how it was reached."""

    name: str
    about: tuple[str, ...]
    rows: tuple[Row, ...]


def blocks(verdict: Verdict) -> list[Block]:
    summaries = {summary.name: summary for summary in verdict.endpoints}
    return [
        Block(name, tuple(_about(summaries[name])) if name in summaries else (), tuple(_rows(steps, verdict.basis)))
        for name, steps in _by_endpoint(verdict.steps)
        if not _left_out(steps)
    ]


def not_needed(verdict: Verdict) -> list[str]:
    """The endpoints outside the plan."""
    return [name for name, steps in _by_endpoint(verdict.steps) if _left_out(steps)]


def table(verdict: Verdict, page: Page) -> Iterator[Line]:
    """All blocks, columns aligned throughout and cut to the page's width."""
    known = blocks(verdict)
    widths = _widths([row for block in known for row in block.rows], page)
    for block in known:
        yield ("strong", block.name), ("dim", "  " + " · ".join(block.about))
        for row in block.rows:
            style, mark = row.mark
            cells = [pad(cut(cell, width, page), width) for cell, width in zip(row.cells, widths, strict=True)]
            cells[-1] = row.time.rjust(widths[-1])
            dim = "dim" if row.outcome is Outcome.SKIPPED else ""
            yield ("", "  "), (style, pad(mark, 4)), (dim, "  " + "  ".join(cells))
    left_out = not_needed(verdict)
    if left_out:
        yield plain(f"not needed here: {', '.join(left_out)}", "dim")


def _widths(rows: Sequence[Row], page: Page) -> list[int]:
    widths = columns([row.cells for row in rows])
    if widths:
        widths[1] = min(widths[1], page.width // 3)
        widths[2] = max(min(widths[2], page.width - _MARGIN - widths[0] - widths[1] - widths[3]), 8)
    return widths


def _by_endpoint(steps: Iterable[Step]) -> list[tuple[str, list[Step]]]:
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.endpoint, []).append(step)
    return list(groups.items())


def _left_out(steps: Sequence[Step]) -> bool:
    """An endpoint outside the plan is one skipped lookup."""
    return (
        len(steps) == 1
        and steps[0].outcome is Outcome.SKIPPED
        and steps[0].action is Action.DNS
        and not steps[0].subject
    )


def _about(summary: EndpointSummary) -> Iterator[str]:
    yield summary.host
    if summary.route is not None:
        yield ROUTES[summary.route]
    if summary.reached < summary.resolved:
        yield f"{summary.reached} of {summary.resolved} addresses answer"


def _rows(steps: Sequence[Step], basis: Basis) -> list[Row]:
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        groups.setdefault(_likeness(step), []).append(step)
    return [_row(group, basis) for group in groups.values()]


def _likeness(step: Step) -> tuple[object, ...]:
    """What steps must have in common to share a row."""
    base: tuple[object, ...] = (step.action, step.outcome, step.failure)
    seen = step.seen
    if step.outcome is Outcome.SKIPPED:
        return (*base, _prevented_by(step), step.detail)
    if isinstance(seen, NamesSeen):
        return (*base, seen.server, seen.name, seen.asker)
    if step.action in (Action.TCP, Action.TLS, Action.BLOB, Action.LAYER):
        return (*base, seen.what) if isinstance(seen, LayerSeen) else base
    return (*base, step.id)


def _prevented_by(step: Step) -> str:
    """In short: "tcp" for what stands on this endpoint's own connection, "ecr.api tcp" for another's."""
    endpoint, _, rest = (step.blocked_by or "").partition("/")
    action = rest.partition("/")[0]
    return action if endpoint == step.endpoint else f"{endpoint} {action}".strip()


def _row(group: Sequence[Step], basis: Basis) -> Row:
    first = group[0]
    mark = _INFERRED if first.ok and basis is Basis.TEXT else _MARKS[first.outcome]
    seconds = [step.seconds for step in group if step.seconds is not None]
    failure = f"{first.failure}" if first.failure else ""
    facts = failure if first.outcome is Outcome.FAILED else _facts(group)
    extra = _answer(first) if first.outcome is Outcome.FAILED else ""
    return Row(
        outcome=first.outcome,
        action=str(first.action),
        what=_what(group),
        facts=f"{facts} {extra}".strip(),
        time=duration(max(seconds)) if seconds and first.outcome is not Outcome.SKIPPED else "",
        mark=_NO_FAULT if first.failed and asker(first) is not Asker.CONFIGURED else mark,
    )


def _what(group: Sequence[Step]) -> str:
    first = group[0]
    if isinstance(first.seen, NamesSeen):
        records = "+".join(dict.fromkeys(step.seen.record for step in group if isinstance(step.seen, NamesSeen)))
        name = f" {first.seen.name}" if first.seen.asker is Asker.FOLLOW_UP else ""
        return f"{first.seen.server} {'control' if first.seen.asker is Asker.CONTROL else records}{name}".strip()
    if isinstance(first.seen, LayerSeen):
        return f"{len(group)} {first.seen.what}s" if len(group) > 1 else f"{first.seen.what} {first.subject}"
    if isinstance(first.seen, RedirectSeen) and len(group) > 1:
        return f"{len(group)} blobs"
    if first.action in (Action.TCP, Action.TLS):
        return _address_list([step.subject for step in group])
    return few((step.subject for step in group if step.subject), 2)


def _address_list(subjects: Sequence[str]) -> str:
    if len(subjects) <= _MOST_ADDRESSES:
        return ", ".join(subjects)
    return f"{', '.join(subjects[:_MOST_ADDRESSES])}, … ({len(subjects)})"


def _answer(step: Step) -> str:
    answer = answer_of(step.seen)
    return f"{answer.status or ''} {answer.code or ''}".strip() if answer else ""


def _facts(group: Sequence[Step]) -> str:
    first, seen = group[0], group[0].seen
    if first.outcome is Outcome.SKIPPED:
        prevented_by = _prevented_by(first)
        return f"for want of {prevented_by}" if prevented_by else first.detail or "not asked for"
    if isinstance(seen, NamesSeen):
        known = [addresses(step.seen) for step in group if isinstance(step.seen, NamesSeen)]
        return ", ".join(one for one in known if one) or "no address"
    if isinstance(seen, CertificateSeen):
        return _certificate([step.seen for step in group if isinstance(step.seen, CertificateSeen)])
    if isinstance(seen, LayerSeen):
        return _layers([step.seen for step in group if isinstance(step.seen, LayerSeen)])
    if isinstance(seen, RedirectSeen):
        return f"→ {few(_target(step.seen) for step in group if isinstance(step.seen, RedirectSeen))}"
    if isinstance(seen, ManifestSeen):
        layers = f"{seen.layers} layer{'' if seen.layers == 1 else 's'}" if seen.layers is not None else ""
        return ", ".join(part for part in (layers, seen.platform) if part) or _answer(first)
    if isinstance(seen, CredentialsSeen):
        role = f"as {seen.arn.rpartition(':')[2]}" if seen.arn else ""
        return " ".join(part for part in (seen.source, role) if part)
    if isinstance(seen, ProxySeen):
        return few(seen.variables) or "no proxy variable"
    if isinstance(seen, ControlSeen):
        return {True: "reached", False: "silent", None: "not learnt"}[seen.reached]
    return _answer(first)


def _target(seen: RedirectSeen) -> str:
    return "the layer bucket" if seen.target is RedirectTarget.LAYER_BUCKET else seen.host or "an unnamed host"


def _certificate(seen: Sequence[CertificateSeen]) -> str:
    first = seen[0]
    ends = [one.not_after for one in seen if one.not_after is not None]
    issuer = first.issuer_organization or (first.issuer or "").rpartition("CN=")[2]
    return ", ".join(part for part in (first.version, issuer, f"until {min(ends):%Y-%m-%d}" if ends else "") if part)


def _layers(seen: Sequence[LayerSeen]) -> str:
    received = sum(one.received for one in seen)
    rates = [one.bytes_per_second for one in seen if one.bytes_per_second]
    words = (
        "verified"
        if all(one.verified for one in seen)
        else "a range"
        if all(one.ranged for one in seen)
        else "in part verified"
    )
    return ", ".join([size(received), words, *([f"{size(int(max(rates)))}/s"] if rates else [])])
