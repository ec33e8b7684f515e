"""Faults of TLS: who presents which certificate, and handshakes that never end."""

from __future__ import annotations

from dataclasses import replace

from probe.faults.fault import Fault
from probe.model import Extent, Impact

SILENT = Fault(
    "tls.silent",
    "{endpoints} accepts connections, but the TLS handshake gets no answer",
    "Small packets pass and the large ones of the handshake do not, or a middlebox holds them back. Groups, ACLs and routes are fine.",
    Impact.PULL,
    ("path.mtu", "path.egress-firewall"),
)
RESET = Fault(
    "tls.reset",
    "the connection to {endpoints} is cut as soon as the host name is sent",
    "The cut comes after the ClientHello, which carries the host name: filters that allow by name do that.",
    Impact.PULL,
    ("path.egress-firewall",),
)
NOT_TLS = Fault(
    "tls.not-tls",
    "what answers for {endpoints} does not speak TLS",
    "AWS always does on port 443. A proxy or some other host has this address.",
    Impact.PULL,
    ("path.egress-firewall", "path.proxy", "dns.hosted-zone-conflict"),
)
INTERCEPTION = Fault(
    "tls.interception",
    "somebody between here and AWS presents certificates for {endpoints}",
    "The certificate is issued by {issuer}, not by Amazon, and this trust store does not accept it. Container runtimes will not either.",
    Impact.PULL,
    ("tls.interception",),
)
INTERCEPTION_TRUSTED = replace(
    INTERCEPTION,
    why="The certificate is issued by {issuer}, not by Amazon. This trust store accepts it; the container runtime's may not, and somebody reads along.",
    impact=Impact.ROUTE,
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
    ("tls.interception", "tls.ca-bundle"),
)
CA_BUNDLE = Fault(
    "tls.ca-bundle",
    "the trust store in use does not know Amazon's certificates ({endpoints})",
    "The certificate is issued by {issuer}, so it is AWS that answers; the store of trusted authorities is too old or too small.",
    Impact.PULL,
    ("tls.ca-bundle",),
)
EXPIRED = Fault(
    "tls.certificate-expired",
    "the certificate of {endpoints} is out of date",
    "It is valid from {not_before} to {not_after}. {clock}",
    Impact.PULL,
    ("tls.certificate-expired", "clock.skew"),
)
WRONG_NAME = Fault(
    "tls.wrong-name",
    "{endpoints} leads to another AWS service: the certificate names {names}",
    "Amazon issued it, but not for {hosts}. The name points at the endpoint of another service.",
    Impact.PULL,
    ("dns.hosted-zone-conflict", "dns.hosted-zone-wrong-name"),
)
