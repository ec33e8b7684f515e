"""Read a saved verdict. `faults` and `verdict` judge its facts again; its status is not read, and of
its findings only what `inspect` proved.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

import msgspec

from probe import __version__
from probe.faults import diagnose
from probe.fleet import Fleet, SubnetRun, as_expected, overall
from probe.model import (
    SCHEMA_VERSION,
    Action,
    Advice,
    Asker,
    Basis,
    Cause,
    ConfigurationSummary,
    JudgedFinding,
    Measurement,
    Policy,
    Status,
    Step,
    Verdict,
)
from probe.records import Record, field, replace
from probe.safe_words import scrub, shortened
from probe.verdict import judge

MAX_BYTES = 16 * 1024 * 1024  # a verdict is at most 200 KiB, but other tools may indent and wrap it
EXPECTED = "expected one JSON document written by ecr-probe check --format json"
_EXPECTED_FLEET = "expected one JSON document written by ecr-probe smoke --format json"
# Windows PowerShell's > writes UTF-16 with a byte order mark; other programs there write UTF-8 with one.
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class _OldSurroundings(Record):
    """Keys that earlier versions used."""

    told: bool = False
    remembered: bool = False
    log_drivers_told: bool = False


class _Heading(Record):
    schema_version: int
    version: str = ""
    surroundings: _OldSurroundings = field(default_factory=_OldSurroundings)


class Saved(Measurement, frozen=True, kw_only=True):
    """The facts of a verdict, and the policy that it was judged under."""

    policy: Policy

    @property
    def measurement(self) -> Measurement:
        return self


def read_saved(document: bytes) -> Saved:
    """Decode the facts of a verdict. Raises ValueError with one plain sentence."""
    if len(document) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES >> 20} MiB; {EXPECTED}")
    if not document.strip():
        raise ValueError(f"is empty; {EXPECTED}")
    try:
        document = _utf8(document)
        heading = msgspec.json.decode(document, type=_Heading)
        if heading.schema_version != SCHEMA_VERSION:
            schema = f"has schema_version {heading.schema_version}"
            raise ValueError(f"{schema}; this program, {__version__}, reads version {SCHEMA_VERSION}")
        return _facts(document, heading)
    except msgspec.ValidationError as error:
        raise ValueError(f"is JSON but not a verdict ({_message(error)}); {EXPECTED}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"is not JSON ({_message(error)}); {EXPECTED}") from error


def _message(error: Exception) -> str:
    """A decoder's message, cleaned and shortened because it quotes the file."""
    return scrub(str(error))


def _utf8(document: bytes) -> bytes:
    encoding = next((encoding for mark, encoding in _MARKS.items() if document.startswith(mark)), None)
    return document.decode(encoding).encode() if encoding else document


def _facts(document: bytes, heading: _Heading) -> Saved:
    version = heading.version
    try:
        facts = _upgraded(msgspec.json.decode(document, type=Saved), heading.surroundings)
        _check_addresses(facts)
        _check_instants(facts)
    except msgspec.ValidationError as error:
        if _numbers(version) <= _numbers(__version__):
            raise
        # A newer program may use new values within a schema version; the rules of this one cannot judge them.
        newer = f"was written by ecr-probe {shortened(version, 40)}, newer than this one, {__version__}"
        raise ValueError(f"{newer}, which does not know all of its values ({_message(error)})") from error
    return facts


def _upgraded(facts: Saved, old: _OldSurroundings) -> Saved:
    """Convert the facts of an older version, which lacks some keys and has others under old names."""
    current = facts.surroundings
    surroundings = replace(
        current,
        metadata_answered=current.metadata_answered or old.told,
        metadata_remembered=current.metadata_remembered or old.remembered,
        log_drivers_known=current.log_drivers_known or old.log_drivers_told,
    )
    if any(step.host or step.address for step in facts.steps):
        return replace(facts, surroundings=surroundings)  # a skipped step has neither in any version
    hosts = {endpoint.name: endpoint.host for endpoint in facts.plan.endpoints}
    steps: dict[str, Step] = {}
    for step in facts.steps:
        below = steps.get(step.on or "")
        # A layer is read over the connection below it, which may be to a host that a redirect named.
        host = below.host if below and step.action is Action.LAYER else hosts.get(step.endpoint)
        steps[step.id] = _with_fields(step, host)
    return replace(facts, surroundings=surroundings, steps=tuple(steps.values()))


def _with_fields(step: Step, host: str | None) -> Step:
    """Add host, address and attempt to a step of an older version, from its id and subject.

    "s3/tcp/bucket.s3.amazonaws.com/52.216.1.1#2" is the second attempt at an address of a host that a redirect named.
    """
    number = step.id.rpartition("#")[2]
    prefix, _, last = step.subject.rpartition("/")
    address = step.answer.address if step.answer else None
    address = step.large_hello.address if step.large_hello else address
    if step.names is not None:
        address = step.names.server
        host = prefix.partition("/")[0] if "/" in prefix and step.asker is not Asker.FOLLOW_UP else host
    elif step.action in (Action.TCP, Action.TLS):
        host, address = prefix or host, last or None
    return replace(step, host=host, address=address or None, attempt=int(number) if number.isdecimal() else 1)


def _numbers(version: str) -> tuple[int, ...]:
    """A version in comparable form; empty where it is not a version."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts) else ()


def _check_addresses(facts: Saved) -> None:
    """Refuse a text in the place of an address or range: the rules compute with them."""
    for text, place in _addresses(facts):
        if not text and facts.basis is Basis.TEXT and place.startswith("steps"):
            continue  # an error text does not always contain the address
        try:
            ip_network(text, strict=False) if place.endswith("cidrs") else ip_address(text)
        except ValueError:
            raise msgspec.ValidationError(f"{text[:60]!r} is not an address or range - at `$.{place}`") from None


def _check_instants(facts: Saved) -> None:
    """Refuse an instant without a time zone: it cannot be compared with one that has a zone."""
    certificates = [step.certificate for step in facts.steps if step.certificate]
    limits = [limit for seen in certificates for limit in (seen.not_before, seen.not_after) if limit is not None]
    if any(instant.tzinfo is None for instant in (facts.started_at, *limits)):
        raise msgspec.ValidationError("an instant has no time zone")


def _addresses(facts: Saved) -> Iterator[tuple[str, str]]:
    """Every text that must be an address or range, with its place in the document."""
    surroundings, plan = facts.surroundings, facts.plan
    subnets = [subnet for subnet in (surroundings.subnet_cidr, surroundings.subnet_cidr_ipv6) if subnet is not None]
    lists: dict[str, Iterable[str]] = {
        "plan.vpc_cidrs": plan.vpc_cidrs,
        "plan.presumed_cidrs": plan.presumed_cidrs,
        "surroundings.instance_cidrs": surroundings.instance_cidrs,
        "surroundings.subnet_cidrs": subnets,
        "surroundings.addresses": surroundings.addresses,
        "surroundings.resolvers": surroundings.resolvers,
    }
    yield from ((text, place) for place, texts in lists.items() for text in texts)
    for number, step in enumerate(facts.steps):
        yield from ((text, f"steps[{number}]") for text in _addresses_of(step))


def _addresses_of(step: Step) -> Iterator[str]:
    if step.action in (Action.TCP, Action.TLS) and not step.skipped:
        yield step.address or ""
    if step.names:
        yield step.names.server
        yield from (address.address for address in step.names.addresses)
    elif seen := step.connection or step.certificate or step.large_hello:
        yield seen.address


def rejudge(saved: Saved | Verdict) -> Verdict:
    """Judge the facts of `saved` by the rules of this program, under the policy of the saved verdict."""
    findings = diagnose(saved.measurement, saved.policy)
    return judge(findings, saved.measurement, saved.policy, version=__version__)


# ---- the document of inspect -----------------------------------------------------------------------------------------


class _Inspected(Record):
    configuration: ConfigurationSummary | None = None


class _Proven(Record):
    findings: tuple[JudgedFinding, ...] = ()


def _rejudged(document: bytes) -> Verdict:
    """A verdict judged again by its steps and gates. What mends a gate was proven with the whole configuration, which
    the document does not contain, so the advice is kept.

    Over several subnets it is shown as it was judged: what distinguishes the subnets is not in the document.
    """
    saved = read_saved(document)
    try:
        inspected = msgspec.json.decode(document, type=_Inspected) if b'"configuration"' in document else _Inspected()
        if inspected.configuration is not None and len(inspected.configuration.subnets) > 1:
            return msgspec.json.decode(document, type=Verdict)
    except msgspec.ValidationError as error:
        raise ValueError(f"is JSON but not a verdict ({_message(error)}); {EXPECTED}") from error
    verdict = rejudge(saved)
    if inspected.configuration is None:
        return verdict
    try:
        proven = msgspec.json.decode(document, type=_Proven).findings
    except msgspec.ValidationError:  # of a newer program, with words that this one does not know
        proven = ()
    findings = tuple(_with_advice(finding, proven) for finding in verdict.findings)
    return replace(verdict, configuration=inspected.configuration, gates=saved.gates, findings=findings)


def _with_advice(finding: JudgedFinding, saved: Iterable[JudgedFinding]) -> JudgedFinding:
    """The finding with the fixes and reads of the saved causes, in which the ids of the account are filled in."""
    advice: dict[tuple[str, str | None], tuple[Advice, Advice]] = {
        (cause.code, cause.object): (cause.fix, cause.confirm)
        for other in saved
        if (other.code, other.endpoints) == (finding.code, finding.endpoints)
        for cause in other.causes
    }

    def advised(cause: Cause) -> Cause:
        fix, confirm = advice.get((cause.code, cause.object), (cause.fix, cause.confirm))
        return replace(cause, fix=fix, confirm=confirm)

    return replace(finding, causes=tuple(map(advised, finding.causes)))


# ---- the document of smoke ------------------------------------------------------------------------------------------


class _SavedRun(Record):
    verdict: msgspec.Raw = field(default_factory=lambda: msgspec.Raw(b"null"))


class _SavedRuns(Record):
    runs: tuple[_SavedRun, ...]


def rejudge_document(document: bytes, *, is_fleet: bool) -> Verdict | Fleet:
    """Judge a saved verdict again, or every verdict of a fleet. Raises ValueError with one plain sentence."""
    return _rejudged_fleet(_utf8(document)) if is_fleet else _rejudged(_utf8(document))


def _rejudged_fleet(document: bytes) -> Fleet:
    """The fleet, with the verdict of each subnet judged again. A subnet without one keeps its reason."""
    try:
        heading = msgspec.json.decode(document, type=_Heading)
        if heading.schema_version != SCHEMA_VERSION:
            schema = f"has schema_version {heading.schema_version}"
            raise ValueError(f"{schema}; this program, {__version__}, reads version {SCHEMA_VERSION}")
        fleet = msgspec.json.decode(document, type=Fleet)
        saved = msgspec.json.decode(document, type=_SavedRuns)
    except msgspec.ValidationError as error:
        raise ValueError(f"is JSON but not a fleet ({_message(error)}); {_EXPECTED_FLEET}") from error
    runs = tuple(_rejudged_run(run, bytes(raw.verdict)) for run, raw in zip(fleet.runs, saved.runs, strict=True))
    strict = fleet.status is Status.DEGRADED and fleet.exit_code != 0
    status, code = overall((run.status for run in runs), strict=strict)
    code = as_expected(runs, fleet.expected, strict=strict) if fleet.expected else code
    return replace(fleet, runs=runs, status=status, exit_code=code, version=__version__)


def _rejudged_run(run: SubnetRun, document: bytes) -> SubnetRun:
    """The verdict of a large fleet may have lost its successful steps: it is shown as it was judged.

    A status that was not that of the verdict is kept: it is ECS's reason's, or that of an exit code.
    """
    if run.verdict is None:
        return run
    tried = {step.endpoint for step in run.verdict.steps}
    if any(summary.ok and summary.name not in tried for summary in run.verdict.endpoints):
        return run
    verdict = _rejudged(document)
    status = verdict.status if run.status is run.verdict.status and not run.is_predicted else run.status
    return replace(run, verdict=verdict, status=status)
