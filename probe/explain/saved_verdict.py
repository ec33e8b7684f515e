"""Reading a saved verdict back. Its facts are judged anew by `faults` and `verdict`; its opinions are not even read."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

import msgspec

from probe import __version__
from probe.faults import diagnose
from probe.model import (
    SCHEMA_VERSION,
    Action,
    Basis,
    CertificateSeen,
    ConnectionSeen,
    Measurement,
    NamesSeen,
    Outcome,
    Policy,
    Step,
    Verdict,
)
from probe.records import Record
from probe.report.layout import clean
from probe.verdict import judge

LIMIT = 16 * 1024 * 1024  # bytes; ours are at most 200 KiB, other people's tools may have indented and wrapped them
EXPECTED = "expected is one document that ecr-probe check --format json has written"
# Windows PowerShell's > writes UTF-16 with a mark, other programs there put a mark before UTF-8.
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class _Heading(Record):
    schema_version: int
    version: str = ""


class Saved(Measurement, frozen=True, kw_only=True):
    """The facts of a verdict, and the policy of then."""

    policy: Policy

    @property
    def measurement(self) -> Measurement:
        return self


def read_saved(document: bytes) -> Saved:
    """The facts in `document`. Raises ValueError with one plain sentence."""
    if len(document) > LIMIT:
        raise ValueError(f"is larger than {LIMIT >> 20} MiB; {EXPECTED}")
    if not document.strip():
        raise ValueError(f"is empty; {EXPECTED}")
    try:
        document = _utf8(document)
        heading = msgspec.json.decode(document, type=_Heading)
        if heading.schema_version != SCHEMA_VERSION:
            theirs = f"has schema_version {heading.schema_version}"
            raise ValueError(f"{theirs}; this program, {__version__}, reads version {SCHEMA_VERSION}")
        return _facts(document, heading.version)
    except msgspec.ValidationError as error:
        raise ValueError(f"is JSON but not a verdict ({_words(error)}); {EXPECTED}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"is not JSON ({_words(error)}); {EXPECTED}") from error


def _words(error: Exception) -> str:
    """A decoder's complaint repeats the file's words, and those are anybody's."""
    return clean(str(error))[:200]


def _utf8(document: bytes) -> bytes:
    encoding = next((encoding for mark, encoding in _MARKS.items() if document.startswith(mark)), None)
    return document.decode(encoding).encode() if encoding else document


def _facts(document: bytes, version: str) -> Saved:
    try:
        facts = msgspec.json.decode(document, type=Saved)
        _check_addresses(facts)
        _check_instants(facts)
    except msgspec.ValidationError as error:
        if _numbers(version) <= _numbers(__version__):
            raise
        # Within a schema version new words may appear; those of facts cannot be judged by rules that do not know them.
        words = f"was written by ecr-probe {clean(version)[:40]}, newer than this one, {__version__}"
        raise ValueError(f"{words}, which does not know all of its words ({_words(error)})") from error
    return facts


def _numbers(version: str) -> tuple[int, ...]:
    """A version in comparable form; empty where it is none."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts) else ()


def _check_addresses(facts: Saved) -> None:
    """The rules compute with addresses and ranges, which in a document are any text."""
    for text, place in _addresses(facts):
        if not text and facts.basis is Basis.TEXT and place.startswith("steps"):
            continue  # the words of an error do not always tell the address
        try:
            ip_network(text, strict=False) if place.endswith("cidrs") else ip_address(text)
        except ValueError:
            raise msgspec.ValidationError(f"{text[:60]!r} is no address or range - at `$.{place}`") from None


def _check_instants(facts: Saved) -> None:
    """An instant without a zone cannot be compared with one that has it, and ours have it."""
    certificates = [step.seen for step in facts.steps if isinstance(step.seen, CertificateSeen)]
    ends = [end for one in certificates for end in (one.not_before, one.not_after) if end is not None]
    if any(instant.tzinfo is None for instant in (facts.started_at, *ends)):
        raise msgspec.ValidationError("an instant has no time zone")


def _addresses(facts: Saved) -> Iterator[tuple[str, str]]:
    """(text, place) of each."""
    here, plan = facts.surroundings, facts.plan
    subnets = [subnet for subnet in (here.subnet_cidr, here.subnet_cidr_ipv6) if subnet is not None]
    lists: dict[str, Iterable[str]] = {
        "plan.vpc_cidrs": plan.vpc_cidrs,
        "plan.presumed_cidrs": plan.presumed_cidrs,
        "surroundings.instance_cidrs": here.instance_cidrs,
        "surroundings.subnet_cidrs": subnets,
        "surroundings.addresses": here.addresses,
        "surroundings.resolvers": here.resolvers,
    }
    yield from ((text, place) for place, texts in lists.items() for text in texts)
    for number, step in enumerate(facts.steps):
        yield from ((text, f"steps[{number}]") for text in _addresses_of(step))


def _addresses_of(step: Step) -> Iterator[str]:
    seen = step.seen
    if step.action in (Action.TCP, Action.TLS) and step.outcome is not Outcome.SKIPPED:
        yield step.subject.rpartition("/")[2]
    if isinstance(seen, NamesSeen):
        yield seen.server
        yield from (one.address for one in seen.addresses)
    elif isinstance(seen, ConnectionSeen | CertificateSeen):
        yield seen.address


def rejudge(saved: Saved | Verdict) -> Verdict:
    """What the facts of `saved` say to the rules of this program, under the policy of then."""
    findings = diagnose(saved.measurement, saved.policy)
    return judge(findings, saved.measurement, saved.policy, version=__version__)
