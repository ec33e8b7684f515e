"""Steps in sentences: facts only, no conclusions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from probe.model import (
    PINNED,
    Action,
    Basis,
    CertificateSeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    LargeHelloSeen,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    Measurement,
    MetadataSeen,
    NamesSeen,
    ProxySeen,
    RedirectSeen,
    Step,
    Verdict,
)
from probe.narration.phrases import address_list, counted, duration, few, size
from probe.narration.vocabulary import (
    FAILURES,
    NAME_NOTES,
    OF_RESOLVERS,
    RESOLVER_ANSWERS,
    SERVER_NOTES,
    SILENT,
    http_status,
    is_dialled,
    noun,
    skip_reason,
)

_MOST = 4  # sentences; the rest is counted


def observations(ids: Iterable[str], document: Measurement | Verdict) -> list[str]:
    """The results of the steps with these ids, similar ones in one sentence; for an error text, its own clauses."""
    wanted, steps = set(ids), document.steps
    cited = [step for step in steps if step.id in wanted]
    if document.basis is Basis.TEXT and (quotations := _quotations(cited)):
        return quotations
    alike: dict[tuple[object, ...], list[Step]] = {}
    for step in cited:
        alike.setdefault((*_kind(step), step.outcome, step.failure), []).append(step)
    sentences = list(dict.fromkeys(sentence for part in alike.values() for sentence in _sentences(part, steps)))
    rest = len(sentences) - _MOST
    return sentences if rest <= 0 else [*sentences[:_MOST], f"and {rest} more"]


def _kind(step: Step) -> tuple[object, ...]:
    """What sentences count together."""
    return step.action, step.asker, noun(step)


def _quotations(steps: Sequence[Step]) -> list[str]:
    """Clauses of an error text, and the classes of the addresses in it."""
    clauses = list(dict.fromkeys(f"“{step.detail}”" for step in steps if step.failed and step.detail))
    return [*clauses[:_MOST], *(address_list(step.names) for step in steps if step.ok and step.names)]


def _sentences(group: Sequence[Step], steps: Sequence[Step]) -> Iterator[str]:
    first = group[0]
    if first.failed:
        # Several answers of one kind differ in their request ids alone: one of them is enough.
        cited = next((step for step in group if _adds(step)), first)
        yield from _failed_lookups(group) if first.names else [_failed(group, steps, cited)]
        if _adds(cited) and first.action is not Action.TCP and not first.large_hello:
            yield f"“{cited.detail}”" if _is_of_server(cited) else f"{cited.detail}"
    elif first.skipped:
        by_id = {step.id: step for step in steps}
        reasons: dict[str, list[Step]] = {}
        for step in group:
            reasons.setdefault(skip_reason(step, by_id), []).append(step)
        for reason, alike in reasons.items():
            yield f"{few(map(_name, alike))} skipped: {reason}"
    elif first.action is Action.TCP:
        yield f"{_share(group, steps)} succeeded{_addresses(group)}"
    elif first.certificate:
        yield from _certificates(group)
    else:
        yield from (_success(step) for step in group)


def _adds(step: Step) -> bool:
    """Whether a failed step's detail adds to the sentence about its failure."""
    if not step.detail:
        return False
    if step.names and step.failure in RESOLVER_ANSWERS:
        return step.failure is Failure.SERVFAIL and not step.detail.endswith("SERVFAIL")  # but, for example, FORMERR
    return not (step.answer and step.detail == f"status {step.answer.status}")


def _is_of_server(step: Step) -> bool:
    """Whether the detail is the error text of an HTTP answer, and not a sentence of our own or of a library."""
    status = (step.answer.status if step.answer else None) or 0
    return status >= 400 and step.failure is not Failure.NOT_AWS and not (step.detail or "").startswith("status ")


def _failed(group: Sequence[Step], steps: Sequence[Step], cited: Step) -> str:
    """ "6 of 6 connections timed out after 3.0 s (10.0.1.10, …)", "the token request was denied: HTTP 400 …"."""
    first = group[0]
    failure = first.failure or Failure.BUG
    total = _total(group, steps)
    dialled = [step.address for step in group if step.address] if is_dialled(first) else []
    to = " to" if first.action is Action.TCP else " with"
    place = f"{to} {dialled[0]}" if total == 1 and dialled else ""
    verb = FAILURES[failure].verb.format(was="was" if len({step.target for step in group}) == 1 else "were")
    facts = _facts(cited)
    joint = ", " if ":" in verb else ": "
    where = _addresses(group) if total > 1 else ""
    result = f"{where} {verb}" if ":" in verb else f" {verb}{_after(group)}{where}"
    return f"{_share(group, steps)}{place}{result}{joint + facts if facts else ''}"


def _share(group: Sequence[Step], steps: Sequence[Step]) -> str:
    """ "6 of 6 connections", "the token request"."""
    total = _total(group, steps)
    if total == 1:
        return f"the {_name(group[0])}"
    return f"{len({step.target for step in group})} of {total} {noun(group[0])}s"


def _total(group: Sequence[Step], steps: Sequence[Step]) -> int:
    """How many such things were tried at these endpoints; a retry is the same thing again."""
    kinds = {(step.endpoint, *_kind(step)) for step in group}
    tried = {step.target for step in steps if not step.skipped and (step.endpoint, *_kind(step)) in kinds}
    return len(tried | {step.target for step in group})


def _name(step: Step) -> str:
    name = noun(step)
    return f"{step.endpoint} {name}" if step.action is Action.REQUEST or step.skipped else name


def _after(group: Sequence[Step]) -> str:
    took = max((step.seconds or 0.0 for step in group), default=0.0)
    return f" after {duration(took)}" if took and group[0].failure in SILENT else ""


def _addresses(group: Sequence[Step]) -> str:
    """ " (10.0.1.10, 10.0.2.10, …)" for connections and handshakes."""
    if not is_dialled(group[0]):
        return ""
    addresses = few(step.address for step in group if step.address)
    return f" ({addresses})" if addresses else ""


def _failed_lookups(group: Sequence[Step]) -> Iterator[str]:
    """ "10.0.0.2 answered NXDOMAIN for api.ecr…", one sentence for each resolver."""
    failure = group[0].failure or Failure.BUG
    servers: dict[str, list[Step]] = {}
    for step in group:
        servers.setdefault(step.names.server if step.names else "", []).append(step)
    verb = FAILURES[failure].verb.format(was="was")
    for server, asked in servers.items():
        names = few(step.names.name for step in asked if step.names and step.names.name) or asked[0].endpoint
        names += NAME_NOTES.get(asked[0].asker, "")
        resolver = f"{server or 'the resolver'}{SERVER_NOTES.get(asked[0].asker, '')}"
        if failure in OF_RESOLVERS:
            yield f"{resolver} {verb} for {names}{_after(asked).replace('after', 'within')}"
        else:
            yield f"the lookup of {names} at {resolver} {verb}{_after(asked)}"


def _facts(step: Step) -> str:
    """What a failed step showed that its verb does not say."""
    if status := http_status(step.answer):
        return status
    match step.seen:
        case CertificateSeen(issuer=str(issuer)) if step.failure is Failure.UNTRUSTED:
            return f"issued by {issuer}"
        case CertificateSeen() as seen if step.failure is Failure.WRONG_NAME and seen.names:
            return f"issued for {few(seen.names)}"
        case CertificateSeen() as seen if step.failure is Failure.EXPIRED and seen.not_after:
            return f"valid until {seen.not_after:%Y-%m-%d}"
        case LayerSeen() as seen if seen.size:
            return f"{size(seen.received)} of {size(seen.size)}"
        case CredentialsSeen() as seen if seen.status:
            return f"HTTP {seen.status}"
    return ""


def _certificates(group: Sequence[Step]) -> Iterator[str]:
    issuers: dict[str, list[str]] = {}
    for step in group:
        if step.certificate:
            issuers.setdefault(step.certificate.issuer or "an unnamed authority", []).append(step.certificate.address)
    for issuer, addresses in issuers.items():
        yield f"{group[0].endpoint} presents a certificate issued by {issuer} ({few(addresses)})"


def _success(step: Step) -> str:
    """What an OK step showed."""
    match step.seen:
        case NamesSeen() as names:
            at = f" at {names.server}{SERVER_NOTES.get(names.asker, '')}" if names.server else ""
            addresses = address_list(names)
            answer = f"resolves to {addresses}" if addresses else f"has no {names.record} record"
            return f"{names.name}{NAME_NOTES.get(names.asker, '')} {answer}{at}"
        case ProxySeen(variables=()):
            return "no proxy variable is set"
        case ProxySeen() as proxies:
            covered = f"does not cover {few(proxies.uncovered)}" if proxies.uncovered else "covers the hosts checked"
            return f"{few(proxies.variables)} set; NO_PROXY {covered}"
        case ControlSeen() as control:
            reached = {True: "is reachable", False: "is not reachable", None: "was not tried"}[control.reached]
            address = f" ({control.address})" if control.address not in (None, control.host) else ""
            return f"{control.host}{address} {reached}"
        case LargeHelloSeen() as hello:
            return f"{hello.address} answered a ClientHello of {hello.hello_bytes} bytes with {hello.answer}"
        case RedirectSeen() as redirect:
            return f"the blob request was redirected to {redirect.host or 'no host'}"
        case MetadataSeen() as metadata:
            return f"metadata {metadata.version} answered"
        case CredentialsSeen() as credentials if credentials.source:
            return f"the credentials are those of {credentials.arn or credentials.source}"
        case ManifestSeen() as manifest if step.subject == PINNED:
            return f"the registry answered {http_status(manifest.answer)} for {manifest.digest}"
        case ManifestSeen() as manifest if manifest.foreign_layers:
            return f"{manifest.foreign_layers} of {counted(manifest.layers or 0, 'layer')} are foreign"
        case ManifestSeen() as manifest if manifest.platforms:
            return f"the image offers {few(manifest.platforms, 6)}"
        case LogsSeen() as logs if logs.group and logs.group_exists is False:
            return f"the log group {logs.group} does not exist"
        case LogsSeen() as logs if logs.stream and logs.stream_exists is False:
            return f"the log stream {logs.stream} does not exist"
        case LogsSeen() as logs if logs.answer.status is not None:
            return f"CloudWatch Logs answered {http_status(logs.answer)}"
    offset = step.answer.clock_offset if step.answer else None
    if offset is not None and abs(offset) >= 60:  # more than a slow answer explains
        return f"the clock of {step.endpoint} is {duration(abs(offset))} {'ahead of' if offset > 0 else 'behind'} ours"
    return f"the {_name(step)} succeeded" + (f": {step.detail}" if step.detail else "")
