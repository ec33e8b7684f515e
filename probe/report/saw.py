"""The words for what was seen: the steps that a finding names, in a sentence or two. Facts only, no inference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from probe.model import (
    Action,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    CertificateSeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    Finding,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    MetadataSeen,
    NamesSeen,
    Outcome,
    ProxySeen,
    RedirectSeen,
    Step,
)

_MOST = 4  # sentences, before the rest is only counted
_NOUNS = {
    Action.METADATA: "metadata request",
    Action.CREDENTIALS: "request for credentials",
    Action.ENVIRONMENT: "look at the environment",
    Action.DNS: "lookup",
    Action.TCP: "connection",
    Action.TLS: "handshake",
    Action.TOKEN: "token request",
    Action.CHALLENGE: "request to /v2/",
    Action.MANIFEST: "manifest request",
    Action.BLOB: "blob request",
    Action.LAYER: "download",
    Action.LOGS: "request to CloudWatch Logs",
    Action.CONTROL: "control connection",
    Action.REQUEST: "request",
    Action.START: "start of the task",
}
_VERBS = {
    Failure.NXDOMAIN: "found that no such name exists",
    Failure.NO_ADDRESS: "found the name without an address",
    Failure.SERVFAIL: "ended in SERVFAIL",
    Failure.REFUSED_QUERY: "ended in REFUSED",
    Failure.NO_ANSWER: "got no answer",
    Failure.TIMEOUT: "timed out",
    Failure.REFUSED: "met a refusal",
    Failure.RESET: "met a reset",
    Failure.UNREACHABLE: "found no route",
    Failure.PROHIBITED: "met a prohibition",
    Failure.TLS_STALL: "fell silent",
    Failure.TLS_RESET: "met a reset",
    Failure.UNTRUSTED: "met a certificate that is not trusted",
    Failure.WRONG_NAME: "met a certificate for another name",
    Failure.EXPIRED: "met a certificate out of date",
    Failure.NOT_TLS: "met something that does not speak TLS",
    Failure.DENIED: "met a denial",
    Failure.UNAUTHENTICATED: "came back as not authenticated",
    Failure.NOT_FOUND: "came back as not found",
    Failure.THROTTLED: "met a rate limit",
    Failure.SERVER_ERROR: "met a server error",
    Failure.NOT_AWS: "got an answer that is not AWS's",
    Failure.BAD_DIGEST: "got bytes that do not match their digest",
    Failure.TRUNCATED: "got a body that was cut short",
    Failure.STALLED: "stalled",
    Failure.TOO_LARGE: "got a body beyond the limit",
    Failure.MALFORMED: "got an answer that cannot be read",
    Failure.REDIRECT: "met a redirect that is not followed",
    Failure.CLOCK: "met a refusal that names two times",
    Failure.NO_CREDENTIALS: "found none",
    Failure.NO_PLATFORM: "found no matching platform",
    Failure.DEADLINE: "did not end before the deadline",
    Failure.BUG: "ran into a mistake of ecr-probe's own",
}
_ASKERS = {
    Asker.CONFIGURED: "",
    Asker.CONTROL: " (the VPC's own resolver)",
    Asker.FOLLOW_UP: " (asked besides, with labels swapped)",
}
_BARE_STATUS = re.compile(r"status (\d{3})")
_SILENT = (Failure.TIMEOUT, Failure.TLS_STALL, Failure.NO_ANSWER, Failure.STALLED)


def duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.9995 else f"{seconds * 1000:.0f} ms"


def size(count: int) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def few(words: Iterable[str], most: int = 3) -> str:
    """The first few, and a sign that there are more."""
    known = tuple(dict.fromkeys(words))
    return ", ".join(known[:most]) + (", …" if len(known) > most else "")


def answer_of(seen: AnySeen) -> AnswerSeen | None:
    if isinstance(seen, AnswerSeen):
        return seen
    return seen.answer if isinstance(seen, ManifestSeen | RedirectSeen | LayerSeen | LogsSeen) else None


def saw(finding: Finding, steps: Sequence[Step]) -> list[str]:
    """Sentences about the steps that `finding` names, likest together."""
    named = {step.id: step for step in steps if step.id in set(finding.because)}
    groups: dict[tuple[Action, Asker, Outcome, Failure | None], list[Step]] = {}
    for step in named.values():
        groups.setdefault((step.action, asker(step), step.outcome, step.failure), []).append(step)
    sentences = list(dict.fromkeys(sentence for group in groups.values() for sentence in _sentences(group, steps)))
    rest = len(sentences) - _MOST
    return sentences if rest <= 0 else [*sentences[:_MOST], f"and {rest} more like these"]


def said(finding: Finding, steps: Sequence[Step]) -> list[str]:
    """The words of a text that `finding` goes by, and where the addresses lie that it names."""
    named = [step for step in steps if step.id in set(finding.because)]
    words = dict.fromkeys(f"“{step.detail}”" for step in named if step.failed and step.detail)
    lie = [addresses(step.seen) for step in named if step.ok and isinstance(step.seen, NamesSeen)]
    return [*list(words)[:_MOST], *lie]


def _sentences(group: Sequence[Step], steps: Sequence[Step]) -> Iterator[str]:
    first = group[0]
    if first.outcome is Outcome.FAILED:
        # Several answers of one kind say the same with other request ids: one step's words will do.
        speaker = next((step for step in group if step.detail and not _BARE_STATUS.fullmatch(step.detail)), first)
        if asker(first) is Asker.FOLLOW_UP:
            yield _follow_up(group)
            return
        said = _failed(group, steps, speaker)
        yield said
        if _is_worth_quoting(speaker, said):
            yield f"“{speaker.detail}”"
    elif first.outcome is Outcome.SKIPPED:
        why = f": {first.detail}" if first.detail else ""
        yield f"{few(_name(step) for step in group)} not tried{why}"
    else:
        yield from (sentence for step in group for sentence in _fine(step))


def _is_worth_quoting(step: Step, said: str) -> bool:
    """A connection's failure has no words of its own, and a bare status is no news where it was just said."""
    bare = _BARE_STATUS.fullmatch(step.detail or "")
    return bool(step.detail) and step.action is not Action.TCP and not (bare and bare[1] in said.split())


def asker(step: Step) -> Asker:
    """Who looked up; whatever is no lookup counts as configured."""
    return step.seen.asker if isinstance(step.seen, NamesSeen) else Asker.CONFIGURED


def _follow_up(group: Sequence[Step]) -> str:
    """That a name with swapped labels is not served is no fault: nobody needs it."""
    failure = group[0].failure or Failure.BUG
    subject = "the lookup" if len(group) == 1 else "the lookups"
    return f"asked besides, with labels swapped: {subject} {_VERBS[failure]}{_where(group)}"


def _failed(group: Sequence[Step], steps: Sequence[Step], speaker: Step) -> str:
    first = group[0]
    failure = first.failure or Failure.BUG
    kinds = {_kind(step) for step in group}
    tried = [step for step in steps if step.outcome is not Outcome.SKIPPED and _kind(step) in kinds]
    count, total = distinct(group), max(distinct(tried), 1)
    noun = f"{'control ' if asker(first) is Asker.CONTROL else ''}{_NOUNS[first.action]}"
    subject = f"the {noun}" if total == 1 else f"{count} of {total} {_plural(noun)}"
    took = [step.seconds for step in group if step.seconds is not None]
    after = f" after {duration(max(took))}" if failure in _SILENT and took else ""
    if failure is Failure.NO_ANSWER and not any(step.seconds for step in group):
        after = ""
    return f"{subject} {_VERBS[failure]}{after}{_where(group)}{_facts(speaker)}"


def _kind(step: Step) -> tuple[str, Action, Asker]:
    return step.endpoint, step.action, asker(step)


def _plural(noun: str) -> str:
    head, space, tail = noun.partition(" ")
    if tail.startswith(("to ", "for ", "at ")):
        return f"{head}s{space}{tail}"
    return f"{noun}s"


def distinct(steps: Iterable[Step]) -> int:
    """Retries ("#2") are the same thing tried again."""
    return len({step.target for step in steps})


def _where(group: Sequence[Step]) -> str:
    seen = [step.seen for step in group]
    names = [one.name for one in seen if isinstance(one, NamesSeen)]
    if names:
        servers = few(one.server for one in seen if isinstance(one, NamesSeen) and one.server)
        return f" for {few(names)}" + (f" at {servers}" if servers else "")
    if group[0].action in (Action.TCP, Action.TLS) and any(step.subject for step in group):
        return f" ({few(step.subject for step in group)})"
    return ""


def _facts(step: Step) -> str:
    seen = step.seen
    answer = answer_of(seen)
    if answer is not None and answer.status is not None:
        return f": {answer.status} {answer.code or ''}".rstrip()
    if isinstance(seen, CertificateSeen) and step.failure is Failure.UNTRUSTED and seen.issuer:
        return f": issued by {seen.issuer}"
    if isinstance(seen, CertificateSeen) and step.failure is Failure.WRONG_NAME and seen.names:
        return f": it names {few(seen.names)}"
    if isinstance(seen, CertificateSeen) and step.failure is Failure.EXPIRED and seen.not_after:
        return f": valid until {seen.not_after:%Y-%m-%d}"
    if isinstance(seen, LayerSeen) and seen.size:
        return f": {size(seen.received)} of {size(seen.size)}"
    if isinstance(seen, CredentialsSeen) and seen.status:
        return f": {seen.status}"
    return ""


def _name(step: Step) -> str:
    return f"{step.endpoint} {step.action}"


def _fine(step: Step) -> Iterator[str]:
    """What an OK step saw, where that is worth a sentence."""
    seen = step.seen
    if isinstance(seen, NamesSeen):
        where = f" at {seen.server}{_ASKERS[seen.asker]}" if seen.server else ""
        yield f"{seen.name} is {addresses(seen) or f'without {seen.record}'}{where}"
    elif isinstance(seen, CertificateSeen):
        yield f"{step.endpoint}'s certificate at {seen.address} is issued by {seen.issuer or 'nobody who is named'}"
    elif isinstance(seen, ProxySeen):
        uncovered = (
            f", and NO_PROXY leaves out {few(seen.uncovered)}" if seen.uncovered else ", and NO_PROXY covers our hosts"
        )
        yield f"{few(seen.variables)} set{uncovered}" if seen.variables else "no proxy variable is set"
    elif isinstance(seen, ControlSeen):
        reached = {True: "could be reached", False: "could not be reached", None: "was not tried to the end"}[
            seen.reached
        ]
        yield f"{seen.address or seen.host} {reached}"
    elif isinstance(seen, RedirectSeen):
        yield f"the blob request is redirected to {seen.host or 'an unnamed host'}"
    elif isinstance(seen, MetadataSeen):
        yield f"{seen.version} metadata answered"
    elif isinstance(seen, CredentialsSeen) and seen.source:
        yield f"the credentials are those of {seen.arn or seen.source}"
    elif isinstance(seen, ManifestSeen) and seen.foreign_layers:
        yield f"{seen.foreign_layers} of the image's {seen.layers or seen.foreign_layers} layers are foreign"
    elif isinstance(seen, ManifestSeen) and seen.platforms:
        yield f"the image offers {few(seen.platforms, 6)}"
    elif isinstance(seen, LogsSeen):
        yield from _logs(seen)
    elif (offset := _clock_offset(seen)) is not None:
        yield f"{step.endpoint}'s clock is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} ours"
    else:
        yield f"{_name(step)} {step.detail or 'went well'}"


def _clock_offset(seen: AnySeen) -> float | None:
    """The offset of an answer's Date, where it is more than a slow answer explains."""
    answer = answer_of(seen)
    offset = answer.clock_offset if answer is not None else None
    return offset if offset is not None and abs(offset) >= 60 else None


def _logs(seen: LogsSeen) -> Iterator[str]:
    if seen.group and seen.group_exists is False:
        yield f"the log group {seen.group} does not exist"
    elif seen.stream and seen.stream_exists is False:
        yield f"the log stream {seen.stream} does not exist"
    elif seen.answer.status is not None:
        yield f"CloudWatch Logs answered {seen.answer.status} {seen.answer.code or ''}".rstrip()


def addresses(seen: NamesSeen) -> str:
    """Addresses and their class, "10.0.1.15, 10.0.2.15 (vpc)"."""
    groups: dict[AddressClass, list[str]] = {}
    for one in seen.addresses:
        groups.setdefault(one.address_class, []).append(one.address)
    return ", ".join(f"{few(known)} ({kind})" for kind, known in groups.items())
