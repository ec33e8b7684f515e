"""What the steps behind a finding saw, in a sentence for its value `saw`, and the small words that findings share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from probe.faults.evidence import Evidence
from probe.model import Action, CertificateSeen, ControlSeen, Failure, Outcome, Step

_MOST = 4
_NOUNS = {Action.LOGS: "request", Action.TOKEN: "token request", Action.CHALLENGE: "request for /v2/"}
_ADDRESSED = {Action.TCP: "connections", Action.TLS: "handshakes"}
_HOW = {
    Failure.TIMEOUT: "timed out",
    Failure.TLS_STALL: "got no answer",
    Failure.REFUSED: "were refused",
    Failure.RESET: "were reset",
    Failure.PROHIBITED: "were prohibited",
    Failure.UNREACHABLE: "had no route",
    Failure.TLS_RESET: "were reset after the ClientHello",
    Failure.UNTRUSTED: "met a certificate that is not trusted",
    Failure.WRONG_NAME: "met a certificate for other names",
    Failure.EXPIRED: "met a certificate out of date",
    Failure.NOT_TLS: "met no TLS",
}
_UNHEARD = (Failure.NO_ANSWER, Failure.TIMEOUT, Failure.UNREACHABLE, Failure.REFUSED, Failure.RESET)
_SILENT = (Failure.TIMEOUT, Failure.TLS_STALL, Failure.NO_ANSWER, Failure.STALLED)


def listed(words: Iterable[str]) -> str:
    """ "a, b and c"."""
    *most, last = tuple(dict.fromkeys(words)) or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def few(words: Iterable[str], most: int = 3) -> str:
    """The first few, and a sign that more would follow."""
    known = tuple(dict.fromkeys(words))
    return ", ".join(known[:most]) + (", …" if len(known) > most else "")


def seconds(amount: float) -> str:
    return f"{amount:.1f} s" if amount < 120 else f"{amount / 60:.0f} minutes"


def size(count: int) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"


def saw(evidence: Evidence, steps: Sequence[Step]) -> str:
    """What was measured, likest together; never an opinion."""
    groups: dict[tuple[Action, Outcome, Failure | None], list[Step]] = {}
    for step in steps:
        groups.setdefault((step.action, step.outcome, step.failure), []).append(step)
    sentences = list(dict.fromkeys(sentence for group in groups.values() for sentence in _group(evidence, group)))
    more = len(sentences) - _MOST
    return "; ".join(sentences[:_MOST]) + (f"; and {more} more like these" if more > 0 else "")


def _group(evidence: Evidence, group: list[Step]) -> Iterator[str]:
    first = group[0]
    if first.action in _ADDRESSED and first.failed:
        yield _addressed(evidence, group)
    elif first.action is Action.TCP and first.ok:
        yield f"{len(group)} connections worked ({few(map(_address, group))})"
    elif first.action is Action.DNS and first.failed:
        yield from _failed_lookups(group)
    elif first.action is Action.DNS:
        yield from (sentence for step in group if (sentence := _lookup(step)))
    else:
        yield from map(_one, group)


def _addressed(evidence: Evidence, group: list[Step]) -> str:
    """ "6 of 6 connections timed out after 3.0 s (10.0.1.10, 10.0.2.10, …)"."""
    action, failure = group[0].action, group[0].failure or Failure.BUG
    endpoints = {step.endpoint for step in group}
    tried = {
        (step.endpoint, step.subject)
        for step in evidence.of(action)
        if step.endpoint in endpoints and step.outcome is not Outcome.SKIPPED
    }
    met = {(step.endpoint, step.subject) for step in group}
    took = [step.seconds for step in group if step.seconds is not None]
    after = f" after {seconds(max(took))}" if failure in _SILENT and took else ""
    where = few(filter(None, map(_address, group))) or "at an address that is not told"
    how = _HOW.get(failure, f"ended in {failure}")
    return f"{len(met)} of {len(tried)} {_ADDRESSED[action]} {how}{after} ({where})" + _issuer(group[0])


def _issuer(step: Step) -> str:
    seen = step.seen
    return f", issued by {seen.issuer}" if isinstance(seen, CertificateSeen) and seen.issuer else ""


def _address(step: Step) -> str:
    return step.address or ""


def _failed_lookups(group: list[Step]) -> Iterator[str]:
    """One sentence for each server."""
    servers: dict[str, list[str]] = {}
    for step in group:
        seen = step.names
        servers.setdefault((seen.server if seen else "") or "the resolver", []).append(
            seen.name if seen else step.endpoint
        )
    failure = group[0].failure or Failure.BUG
    for server, names in servers.items():
        how = "did not answer" if failure in _UNHEARD else f"answered {failure}"
        yield f"{server} {how} for {few(names)}"


def _lookup(step: Step) -> str | None:
    seen = step.names
    if seen is None:
        return f"{step.endpoint} lookup: {step.detail or 'not tried'}"
    found = few(f"{address.address} ({address.address_class})" for address in seen.addresses)
    return f"{seen.name} is {found}" + (f" at {seen.server}" if seen.server else "") if found else None


def _one(step: Step) -> str:
    what = f"{step.endpoint} {_NOUNS.get(step.action, step.action)}"
    if step.outcome is Outcome.SKIPPED:
        return f"{what} was not tried" + (f": {step.detail}" if step.detail else "")
    if isinstance(step.seen, ControlSeen) and step.ok:
        reached = {True: "could be reached", False: "could not be reached", None: "was not tried to the end"}[
            step.seen.reached
        ]
        return f"{step.seen.address or step.seen.host} {reached}"
    if step.ok:
        return f"{what}{_issuer(step) or ' worked'}"
    answer = step.answer
    status = f" with {answer.status} {answer.code or ''}".rstrip() if answer and answer.status else ""
    return f"{what} failed ({step.failure}){status}" + (f": {step.detail}" if step.detail else "")
