"""Faults of TLS: who presents which certificate, and handshakes that never end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, found, possible, settled
from probe.model import Action, CertificateSeen, Extent, Failure, Finding, Impact, Step
from probe.narration import few
from probe.records import replace

SILENT = Fault(
    "tls.silent",
    "the TLS handshake with {endpoints} gets no answer, though connections are accepted",
    "Small packets pass and the large ones of the handshake do not, or a middlebox holds them back. Groups, ACLs and "
    "routes are fine.",
    Impact.PULL,
    (causes.MTU, causes.EGRESS_FIREWALL),
)
RESET = Fault(
    "tls.reset",
    "the connection to {endpoints} is cut as soon as the host name is sent",
    "The cut comes after the ClientHello, which carries the host name: filters that allow by name do that.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL,),
)
NOT_TLS = Fault(
    "tls.not-tls",
    "what answers for {endpoints} does not speak TLS",
    "AWS always does on port 443. A proxy or some other host has this address.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.PROXY, causes.ZONE_CONFLICT),
)
INTERCEPTION = Fault(
    "tls.interception",
    "somebody between here and AWS presents certificates for {endpoints}",
    "The certificate is issued by {issuer}, not by Amazon, and this trust store does not accept it. Container "
    "runtimes will not either.",
    Impact.PULL,
    (causes.TLS_INTERCEPTION,),
)
INTERCEPTION_TRUSTED = replace(
    INTERCEPTION,
    why=(
        "The certificate is issued by {issuer}, not by Amazon. This trust store accepts it; the container runtime's "
        "may not, and somebody reads along."
    ),
    impact=Impact.PROOF,  # the pull may work; that it goes to AWS unread is not proven
    extent=Extent.PARTLY,
)
OTHER_ISSUER = replace(
    INTERCEPTION,
    title="the certificates of {endpoints} are not issued by Amazon",
    why="The issuer is {issuer}. In the partition {partition} that may be as it should be.",
    impact=Impact.NONE,
    causes=(),
    extent=Extent.NOTED,
)
UNVERIFIED = Fault(
    "tls.unverified",
    "the certificate of {endpoints} could not be verified",
    "Who issued it could not be read, so interception and an old trust store cannot be told apart.",
    Impact.PULL,
    (causes.TLS_INTERCEPTION, causes.CA_BUNDLE),
)
CA_BUNDLE = Fault(
    "tls.ca-bundle",
    "the trust store in use does not know Amazon's certificates ({endpoints})",
    "The certificate is issued by {issuer}, so it is AWS that answers; the store of trusted authorities is too old or "
    "too small.",
    Impact.PULL,
    (causes.CA_BUNDLE,),
)
EXPIRED = Fault(
    "tls.certificate-expired",
    "the certificate of {endpoints} is out of date",
    "It is valid from {not_before} to {not_after}. {clock}",
    Impact.PULL,
    (causes.CERTIFICATE_EXPIRED, causes.CLOCK_SKEW),
)
WRONG_NAME = Fault(
    "tls.wrong-name",
    "the name of {endpoints} leads to another AWS service: the certificate is for {names}",
    "Amazon issued it, but not for {hosts}. The name points at the endpoint of another service.",
    Impact.PULL,
    (causes.ZONE_CONFLICT, causes.ZONE_WRONG_NAME),
)

# Partitions whose issuer is known to be Amazon; elsewhere another issuer may be right.
_ISSUER_KNOWN = ("aws", "aws-us-gov")
_CERTIFICATE = (Failure.UNTRUSTED, Failure.WRONG_NAME, Failure.EXPIRED)


def stuck_handshakes(evidence: Evidence) -> Iterator[Finding]:
    """Handshakes that got no answer, were cut, or met something else than TLS."""
    for failure, fault in ((Failure.TLS_STALL, SILENT), (Failure.TLS_RESET, RESET), (Failure.NOT_TLS, NOT_TLS)):
        yield from _found(fault, evidence, (step for step in _handshakes(evidence) if step.failure is failure))


def refused_certificates(evidence: Evidence) -> Iterator[Finding]:
    """Certificates that were not accepted, by who issued them and what is wrong."""
    refused = [step for step in _handshakes(evidence) if step.failure in _CERTIFICATE]
    foreign = [step for step in refused if _issuer(step) is not None and not _is_amazon(step)]
    amazon = [step for step in refused if _is_amazon(step) or (evidence.is_text and _is_told(step))]
    unknown = [step for step in refused if step not in (*foreign, *amazon)]
    known = evidence.plan.partition in _ISSUER_KNOWN
    interception = settled(causes.TLS_INTERCEPTION) if known else possible(causes.TLS_INTERCEPTION, causes.CA_BUNDLE)
    yield from _found(INTERCEPTION, evidence, foreign, interception)
    yield from _found(UNVERIFIED, evidence, unknown)
    yield from _found(CA_BUNDLE, evidence, _of(amazon, Failure.UNTRUSTED), settled(causes.CA_BUNDLE))
    yield from _wrong_names(evidence, _of(amazon, Failure.WRONG_NAME))
    yield from _out_of_date(evidence, _of(amazon, Failure.EXPIRED))


def foreign_issuers(evidence: Evidence) -> Iterator[Finding]:
    """Certificates that were accepted although Amazon did not issue them."""
    verified = [step for step in evidence.of(Action.TLS) if step.ok and _issuer(step) is not None]
    fault = INTERCEPTION_TRUSTED if evidence.plan.partition in _ISSUER_KNOWN else OTHER_ISSUER
    foreign = [step for step in verified if not _is_amazon(step)]
    if foreign:
        suspects = settled(causes.TLS_INTERCEPTION) if fault is INTERCEPTION_TRUSTED else possible()
        yield found(fault, evidence, foreign, suspects=suspects)


def _is_told(step: Step) -> bool:
    """A text names no issuer, but what is wrong: a date, or names, which are AWS's where another service answers."""
    names = step.seen.names if isinstance(step.seen, CertificateSeen) else ()
    aws = bool(names) and all("amazonaws." in name or name.endswith((".aws", ".on.aws")) for name in names)
    return isinstance(step.seen, CertificateSeen) and (step.failure is Failure.EXPIRED or aws)


def _handshakes(evidence: Evidence) -> list[Step]:
    return list(evidence.failed(Action.TLS))


def _of(steps: Iterable[Step], failure: Failure) -> list[Step]:
    return [step for step in steps if step.failure is failure]


def _found(
    fault: Fault, evidence: Evidence, steps: Iterable[Step], suspects: Suspects | None = None, **values: str
) -> Iterator[Finding]:
    """One finding for the hosts that are lost, one (PARTLY) for those that have an address that is fine."""
    failed = {step.id: step for step in steps}
    fine = {step.id for visit in evidence.visits if visit.shaken for step in visit.tls}
    for extent, mine in (
        (Extent.WHOLLY, [step for name, step in failed.items() if name not in fine]),
        (Extent.PARTLY, [step for name, step in failed.items() if name in fine]),
    ):
        if mine:
            yield found(
                fault,
                evidence,
                evidence.tries(*mine),
                impact=evidence.impact(step.endpoint for step in mine),
                extent=extent,
                suspects=suspects,
                **values,
            )


def _wrong_names(evidence: Evidence, steps: list[Step]) -> Iterator[Finding]:
    names = [name for step in steps for name in _seen(step).names]
    yield from _found(WRONG_NAME, evidence, steps, names=few(names) or "other hosts")


def _out_of_date(evidence: Evidence, steps: list[Step]) -> Iterator[Finding]:
    """Out of date by our clock; where AWS's Date headers say that ours is wrong, that is why."""
    for clock, words, suspects in (
        (False, _RIGHT, settled(causes.CERTIFICATE_EXPIRED, causes.CLOCK_SKEW)),
        (True, _WRONG, settled(causes.CLOCK_SKEW, causes.CERTIFICATE_EXPIRED)),
        (None, _UNKNOWN, possible(causes.CERTIFICATE_EXPIRED, causes.CLOCK_SKEW)),
    ):
        mine = [step for step in steps if _clock_is_why(evidence, step) is clock]
        dates = [_seen(step) for step in mine]
        yield from _found(
            EXPIRED,
            evidence,
            mine,
            suspects,
            not_before=_earliest(dates, lambda seen: seen.not_before),
            not_after=_earliest(dates, lambda seen: seen.not_after),
            clock=words,
        )


_RIGHT = "AWS's Date headers agree with our clock, so it is the certificate that is wrong."
_WRONG = "By AWS's Date headers it is in date: our clock is wrong."
_UNKNOWN = "No answer of AWS told the time, so a wrong clock is possible too."


def _clock_is_why(evidence: Evidence, step: Step) -> bool | None:
    """Whether the certificate is in date by AWS's clock; None where AWS's clock is not known."""
    offset, seen = evidence.clock_offset, _seen(step)
    if offset is None:
        return None
    now = evidence.measurement.started_at + timedelta(seconds=offset)
    return (seen.not_before is None or seen.not_before <= now) and (seen.not_after is None or now <= seen.not_after)


def _earliest(dates: list[CertificateSeen], of: Callable[[CertificateSeen], datetime | None]) -> str:
    known = [when for seen in dates if (when := of(seen)) is not None]
    return f"{min(known):%Y-%m-%d %H:%M} UTC" if known else "an unknown time"


def _seen(step: Step) -> CertificateSeen:
    assert isinstance(step.seen, CertificateSeen)
    return step.seen


def _issuer(step: Step) -> str | None:
    return step.seen.issuer_organization or step.seen.issuer if isinstance(step.seen, CertificateSeen) else None


def _is_amazon(step: Step) -> bool:
    """Amazon's authorities all have the organisation "Amazon"; their names change ("RSA 2048 M01" to "M04")."""
    return isinstance(step.seen, CertificateSeen) and step.seen.issuer_organization == "Amazon"


FAULTS = (SILENT, RESET, NOT_TLS, INTERCEPTION, UNVERIFIED, CA_BUNDLE, EXPIRED, WRONG_NAME)
RULES = (stuck_handshakes, refused_certificates, foreign_issuers)
