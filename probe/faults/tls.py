"""Faults of TLS: certificates that are wrong or not Amazon's, and handshakes that do not complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from probe.faults import causes
from probe.faults.causes import advice, reads
from probe.faults.evidence import CONVERSATION, Evidence, is_inside
from probe.faults.fault import Fault, Suspects, Wording, confirmed, finding, finds, possible
from probe.model import Action, AddressClass, CertificateSeen, Extent, Failure, Finding, Impact, Step
from probe.narration import few, listed

SILENT = Fault(
    "tls.silent",
    "the TLS handshake with {affected} times out, although connections are accepted",
    "Small packets pass and the large ones of the handshake do not, or a middlebox drops them. Security groups, "
    "network ACLs and routes are fine.",
    Impact.PULL,
    (causes.MTU, causes.EGRESS_FIREWALL, causes.LARGE_CLIENT_HELLO),
)
# Which clients send a ClientHello of that size is known of libraries, not of the agent that ECS runs on Fargate.
LARGE_HELLO = Fault(
    "path.large-client-hello",
    "clients that send a ClientHello of two packets cannot connect to {endpoints}",
    "One of the usual size is answered there, one of {hello_bytes} bytes is not. Programs built with Go 1.23 or newer, "
    "or OpenSSL 3.5 or newer, send such a large one by default. Whether the agent of ECS does depends on its version "
    "of Go or OpenSSL, which cannot be read from here.",
    Impact.PULL,
    (causes.LARGE_CLIENT_HELLO,),
    certain=True,
    other_causes=(causes.MTU, causes.EGRESS_FIREWALL),
    examples=(("hello_bytes", "1800"),),
)
RESET = Fault(
    "tls.reset",
    "the connection to {affected} is reset as soon as the host name is sent",
    "The reset follows the ClientHello, which contains the host name. Firewalls that filter by host name do that.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL,),
    # A text does not show how much of the handshake came before the reset.
    in_texts=Wording(causes=(causes.EGRESS_FIREWALL, causes.PROXY, causes.MTU)),
)
NOT_TLS = Fault(
    "tls.not-tls",
    "the host that answers for {affected} does not speak TLS",
    "AWS always speaks TLS on port 443. A proxy or another host has this address.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.PROXY, causes.ZONE_CONFLICT),
)
INTERCEPTION = Fault(
    "tls.interception",
    "TLS to {affected} is intercepted",
    "The certificate is issued by {issuer}, not by Amazon, and this trust store does not accept it. Container runtimes "
    "will not accept it either.",
    Impact.PULL,
    (causes.TLS_INTERCEPTION,),
    other_causes=(causes.CA_BUNDLE,),
)
INTERCEPTION_TRUSTED = INTERCEPTION.variant(
    why=(
        "The certificate is issued by {issuer}, not by Amazon. This trust store accepts it, but the container "
        "runtime's may not, and the traffic is decrypted on the way."
    ),
    impact=Impact.PROOF,  # the pull may work, but not privately
    extent=Extent.PARTLY,
    certain=True,
)
OTHER_ISSUER = INTERCEPTION.variant(
    title="the certificates of {endpoints} are not issued by Amazon",
    why="The issuer is {issuer}. In the partition {partition} that may be normal.",
    impact=Impact.NONE,
    causes=(),
    extent=Extent.NOTED,
)
UNVERIFIED = Fault(
    "tls.unverified",
    "the certificate of {affected} could not be verified",
    "Its issuer could not be read, so interception and an old trust store look the same.",
    Impact.PULL,
    (causes.TLS_INTERCEPTION, causes.CA_BUNDLE),
    examples=(("verified", "ENDPOINTS"), ("names", "other hosts")),
)
OTHER_NAME = UNVERIFIED.variant(
    title="the certificate of {endpoints} is for {names}",
    why=(
        "These names are not AWS's: a middlebox or a proxy presents its own certificate, or the host's name "
        "resolves to another host."
    ),
    causes=(causes.TLS_INTERCEPTION, causes.ZONE_CONFLICT, causes.PROXY),
)
UNVERIFIED_AMAZON = UNVERIFIED.variant(
    title="the certificate of {affected} claims to be Amazon's and could not be verified",
    why=(
        "The same trust store verified Amazon's certificates ({verified}), so it is not too old. Either the host that "
        "answers does not send the whole chain, or Amazon did not issue its certificate."
    ),
    causes=(
        causes.TLS_INTERCEPTION,
        causes.other(
            "the host that answers is not AWS's, or sends an incomplete certificate chain",
            advice(
                "find the owner of the address {host_address}, which answers for {host}",
                "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} "
                '--query "NetworkInterfaces[].[NetworkInterfaceId,InterfaceType,Description,RequesterId]"',
                note="An address of AWS outside your VPCs has no network interface of yours.",
            ),
            reads(
                "openssl s_client -connect {host_address}:443 -servername {host} -showcerts </dev/null",
                note="Run it in the task's subnet: AWS sends the certificates between its own one and the root.",
            ),
        ),
    ),
)
UNVERIFIED_AMAZON_INSIDE = UNVERIFIED_AMAZON.variant(causes=(causes.ZONE_CONFLICT, *UNVERIFIED_AMAZON.causes))
CA_BUNDLE = Fault(
    "tls.ca-bundle",
    "the trust store in use does not accept Amazon's certificates ({affected})",
    "The certificate is issued by {issuer}, so AWS answers. The list of trusted authorities is too old or incomplete.",
    Impact.PULL,
    (causes.CA_BUNDLE,),
    certain=True,
)
EXPIRED = Fault(
    "tls.certificate-expired",
    "the certificate of {affected} is out of date",
    "It is valid from {not_before} to {not_after}. AWS returned no Date header, so the local clock may be wrong "
    "instead.",
    Impact.PULL,
    (causes.CERTIFICATE_EXPIRED, causes.CLOCK_SKEW),
    examples=(("not_before", "DATE"), ("not_after", "DATE")),
)
# AWS installs no certificate before it is valid, so an error text that says so is one of a wrong clock.
NOT_YET_VALID = EXPIRED.variant(
    title="the certificate of {endpoints} is not valid yet by the client's clock",
    why="It is valid from {not_before}. The client's clock is behind, or another host answers.",
    causes=(causes.CLOCK_SKEW, causes.CERTIFICATE_EXPIRED),
)
EXPIRED_BY_AWS_CLOCK = EXPIRED.variant(
    why="It is valid from {not_before} to {not_after}. By AWS's Date headers the clock here is correct.", certain=True
)
VALID_BY_AWS_CLOCK = EXPIRED.variant(
    why="It is valid from {not_before} to {not_after}. By AWS's Date headers that is now, so the clock here is wrong.",
    causes=(causes.CLOCK_SKEW, causes.CERTIFICATE_EXPIRED),
    certain=True,
)
_REUSED_ADDRESS = causes.STALE_RECORD.variant(
    title="a private zone's record has an address that another endpoint has now: the old endpoint was deleted"
)
_WRONG_CERTIFICATE = causes.AWS_OUTAGE.variant(title="AWS itself presents a wrong certificate at this address")
WRONG_NAME = Fault(
    "tls.wrong-name",
    "the host that answers for {endpoints} has the certificate of another AWS host: {names}",
    "Amazon issued it, but not for {hosts}. The name leads to the endpoint of another service, or AWS presents a wrong "
    "certificate.",
    Impact.PULL,
    (causes.ZONE_CONFLICT, causes.ZONE_WRONG_NAME, _REUSED_ADDRESS, _WRONG_CERTIFICATE),
    examples=(("names", "other hosts"),),
)
WRONG_NAME_PUBLIC = WRONG_NAME.variant(
    why=(
        "Amazon issued it, but not for {hosts}. The address is public, so AWS presents a wrong certificate there, or "
        "the name leads to a wrong address."
    ),
    causes=(_WRONG_CERTIFICATE, causes.ZONE_CONFLICT),
)
# *.dkr.starport.REGION.amazonaws.com: ECR's own servers, which present it for no public name.
WRONG_NAME_OF_REGISTRY = WRONG_NAME.variant(
    title="a server of ECR's registry presents a certificate without the registry's public name: {names}",
    why=(
        "Amazon issued it for ECR's own servers, so the name leads to ECR, and AWS presents a wrong certificate there. "
        "It does not show what else could lead {hosts} to such a server."
    ),
    causes=(_WRONG_CERTIFICATE, causes.ZONE_CONFLICT, _REUSED_ADDRESS),
)
WRONG_NAME_PARTLY = WRONG_NAME.variant(
    title="some addresses of {endpoints} have the certificate of another AWS host ({names}), others the right one",
    why=(
        "Amazon issued it, but not for {hosts}. A record with an old address, which another endpoint has now, looks "
        "like this, and so does a wrong certificate at one of AWS's own addresses."
    ),
    causes=(_REUSED_ADDRESS, _WRONG_CERTIFICATE, causes.ZONE_CONFLICT),
    extent=Extent.PARTLY,
)
WRONG_NAME_PARTLY_PUBLIC = WRONG_NAME_PARTLY.variant(
    why=(
        "Amazon issued it, but not for {hosts}. The address is public, so AWS presents a wrong certificate there, or a "
        "record has an old address."
    ),
    causes=(_WRONG_CERTIFICATE, _REUSED_ADDRESS, causes.ZONE_CONFLICT),
)

# In these partitions Amazon is known to be the issuer; elsewhere another issuer may be right.
_ISSUER_KNOWN = ("aws", "aws-us-gov")
_BROKEN_PATH = (Failure.TIMEOUT, Failure.STALLED, Failure.RESET, Failure.TLS_STALL, Failure.TLS_RESET)
_CERTIFICATE = (Failure.UNTRUSTED, Failure.WRONG_NAME, Failure.EXPIRED)


@finds(SILENT, RESET, NOT_TLS)
def stuck_handshakes(evidence: Evidence) -> Iterator[Finding]:
    """Handshakes that timed out, were reset, or got an answer other than TLS."""
    for failure, fault in ((Failure.TLS_STALL, SILENT), (Failure.TLS_RESET, RESET), (Failure.NOT_TLS, NOT_TLS)):
        yield from _host_findings(fault, evidence, (step for step in _handshakes(evidence) if step.failure is failure))


@finds(LARGE_HELLO)
def large_hellos(evidence: Evidence) -> Iterator[Finding]:
    """Addresses where a large ClientHello is silent or reset, and where one of the usual size has just passed."""
    verified = {step.id for step in evidence.of(Action.TLS) if step.ok}
    unanswered = (step for step in evidence.failed(Action.CONTROL) if step.large_hello and step.on in verified)
    steps = [step for step in unanswered if step.failure in (Failure.TLS_STALL, Failure.TLS_RESET)]
    if not steps:
        return
    # Where requests over small handshakes fail too, the path may have failed as a whole after the first handshakes.
    broken = {step.endpoint for step in evidence.failed(*CONVERSATION) if step.failure in _BROKEN_PATH}
    suspects = possible(causes.LARGE_CLIENT_HELLO, causes.MTU, causes.EGRESS_FIREWALL)
    yield finding(
        LARGE_HELLO,
        evidence,
        evidence.tries(*steps),
        suspects=suspects if broken.intersection(step.endpoint for step in steps) else None,
        hello_bytes=max(step.large_hello.hello_bytes or 0 for step in steps if step.large_hello),
    )


@finds(
    INTERCEPTION,
    UNVERIFIED,
    UNVERIFIED_AMAZON,
    UNVERIFIED_AMAZON_INSIDE,
    OTHER_NAME,
    CA_BUNDLE,
    EXPIRED,
    NOT_YET_VALID,
    EXPIRED_BY_AWS_CLOCK,
    VALID_BY_AWS_CLOCK,
    WRONG_NAME,
    WRONG_NAME_PUBLIC,
    WRONG_NAME_OF_REGISTRY,
    WRONG_NAME_PARTLY,
    WRONG_NAME_PARTLY_PUBLIC,
)
def refused_certificates(evidence: Evidence) -> Iterator[Finding]:
    """Certificates that were not accepted, by issuer and by what is wrong."""
    refused = [step for step in _handshakes(evidence) if step.failure in _CERTIFICATE]
    foreign = [step for step in refused if _issuer(step) is not None and not _is_amazon(step)]
    amazon = [step for step in refused if _is_amazon(step) or (evidence.is_text and _is_clear_in_text(step))]
    unknown = [step for step in refused if step not in (*foreign, *amazon)]
    suspects = possible(causes.TLS_INTERCEPTION, causes.CA_BUNDLE)
    if evidence.plan.partition in _ISSUER_KNOWN:
        suspects = confirmed(causes.TLS_INTERCEPTION)
    yield from _host_findings(INTERCEPTION, evidence, foreign, suspects)
    named = [step for step in unknown if evidence.is_text and step.certificate and step.certificate.names]
    names = [name for step in named for name in _certificate(step).names]
    yield from _host_findings(OTHER_NAME, evidence, named, names=few(names))
    yield from _host_findings(UNVERIFIED, evidence, (step for step in unknown if step not in named))
    yield from _unverified_amazon(evidence, _of(amazon, Failure.UNTRUSTED))
    yield from _wrong_names(evidence, _of(amazon, Failure.WRONG_NAME))
    yield from _out_of_date(evidence, _of(amazon, Failure.EXPIRED))


@finds(INTERCEPTION_TRUSTED, OTHER_ISSUER)
def foreign_issuers(evidence: Evidence) -> Iterator[Finding]:
    """Certificates that were accepted although Amazon did not issue them."""
    verified = [step for step in evidence.of(Action.TLS) if step.ok and _issuer(step) is not None]
    fault = INTERCEPTION_TRUSTED if evidence.plan.partition in _ISSUER_KNOWN else OTHER_ISSUER
    foreign = [step for step in verified if not _is_amazon(step)]
    if foreign:
        yield finding(fault, evidence, foreign)


def _unverified_amazon(evidence: Evidence, steps: list[Step]) -> Iterator[Finding]:
    """Certificates that claim to be Amazon's: the trust store is too old only if it verified none of Amazon's."""
    verified = [step for step in evidence.of(Action.TLS) if step.ok and _is_amazon(step)]
    if not verified:
        yield from _host_findings(CA_BUNDLE, evidence, steps)
        return
    names = listed(dict.fromkeys(step.endpoint for step in verified))
    inside = [step for step in steps if is_inside(_certificate(step).address_class)]
    public = [step for step in steps if step not in inside]
    for fault, matching in ((UNVERIFIED_AMAZON_INSIDE, inside), (UNVERIFIED_AMAZON, public)):
        yield from _host_findings(fault, evidence, matching, verified=names)


def _is_clear_in_text(step: Step) -> bool:
    """A text contains no issuer, but what is wrong: the date, or names that are AWS's where another service answers."""
    if step.certificate is None:
        return False
    names = step.certificate.names
    aws = bool(names) and all("amazonaws." in name or name.endswith((".aws", ".on.aws")) for name in names)
    return step.failure is Failure.EXPIRED or aws


def _handshakes(evidence: Evidence) -> list[Step]:
    """Failed handshakes, except with hosts outside AWS that a name leads to: `names` judges those."""
    elsewhere = {step.id for host in evidence.hosts if evidence.leads_elsewhere(host) for step in host.tls}
    return [step for step in evidence.failed(Action.TLS) if step.id not in elsewhere]


def _of(steps: Iterable[Step], failure: Failure) -> list[Step]:
    return [step for step in steps if step.failure is failure]


def _host_findings(
    fault: Fault, evidence: Evidence, steps: Iterable[Step], suspects: Suspects | None = None, **values: str
) -> Iterator[Finding]:
    """One finding for the hosts that are lost, one (PARTLY) for those with another address that works."""
    failed = {step.id: step for step in steps}
    fine = {step.id for host in evidence.hosts if host.verified_handshakes for step in host.tls}
    for extent, matching in (
        (Extent.WHOLLY, [step for name, step in failed.items() if name not in fine]),
        (Extent.PARTLY, [step for name, step in failed.items() if name in fine]),
    ):
        if matching:
            yield finding(
                fault,
                evidence,
                evidence.tries(*matching),
                impact=evidence.impact(step.endpoint for step in matching),
                extent=extent,
                suspects=suspects,
                **values,
            )


def _wrong_names(evidence: Evidence, steps: list[Step]) -> Iterator[Finding]:
    """Certificates of other AWS hosts, by where they are presented."""
    fine = {step.id for host in evidence.hosts if host.verified_handshakes for step in host.tls}
    groups: dict[Fault, list[Step]] = {}
    for step in steps:
        public = _certificate(step).address_class is AddressClass.PUBLIC
        if step.id in fine:
            fault = WRONG_NAME_PARTLY_PUBLIC if public else WRONG_NAME_PARTLY
        elif step.endpoint == "ecr.dkr" and any("dkr.starport." in name for name in _certificate(step).names):
            fault = WRONG_NAME_OF_REGISTRY
        else:
            fault = WRONG_NAME_PUBLIC if public else WRONG_NAME
        groups.setdefault(fault, []).append(step)
    for fault, matching in groups.items():
        names = [name for step in matching for name in _certificate(step).names]
        yield from _host_findings(fault, evidence, matching, names=few(names) or "other hosts")


def _out_of_date(evidence: Evidence, steps: list[Step]) -> Iterator[Finding]:
    """Certificates out of date by our clock, and whether AWS's Date headers show that the clock is wrong."""
    early = [step for step in steps if evidence.is_text and _certificate(step).not_before is not None]
    not_before = _earliest(map(_certificate, early), lambda certificate: certificate.not_before)
    yield from _host_findings(NOT_YET_VALID, evidence, early, not_before=not_before)
    steps = [step for step in steps if step not in early]
    for is_clock_wrong, fault in ((False, EXPIRED_BY_AWS_CLOCK), (True, VALID_BY_AWS_CLOCK), (None, EXPIRED)):
        matching = [step for step in steps if _is_clock_wrong(evidence, step) is is_clock_wrong]
        certificates = [_certificate(step) for step in matching]
        yield from _host_findings(
            fault,
            evidence,
            matching,
            not_before=_earliest(certificates, lambda certificate: certificate.not_before),
            not_after=_earliest(certificates, lambda certificate: certificate.not_after),
        )


def _is_clock_wrong(evidence: Evidence, step: Step) -> bool | None:
    """Whether the certificate is in date by AWS's clock; None where AWS's clock is not known."""
    offset, certificate = evidence.clock_offset, _certificate(step)
    if offset is None:
        return None
    now = evidence.measurement.started_at + timedelta(seconds=offset)
    return (certificate.not_before is None or certificate.not_before <= now) and (
        certificate.not_after is None or now <= certificate.not_after
    )


def _earliest(certificates: Iterable[CertificateSeen], of: Callable[[CertificateSeen], datetime | None]) -> str:
    instants = [instant for certificate in certificates if (instant := of(certificate)) is not None]
    return f"{min(instants):%Y-%m-%d %H:%M} UTC" if instants else "an unknown time"


def _certificate(step: Step) -> CertificateSeen:
    assert step.certificate is not None
    return step.certificate


def _issuer(step: Step) -> str | None:
    return step.certificate.issuer_organization or step.certificate.issuer if step.certificate else None


def _is_amazon(step: Step) -> bool:
    """Amazon's authorities all have the organization "Amazon"; their names change ("RSA 2048 M01" to "M04")."""
    return step.certificate is not None and step.certificate.issuer_organization == "Amazon"
