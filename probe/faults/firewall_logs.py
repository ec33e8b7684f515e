"""Faults that the log of a firewall shows: Network Firewall and Suricata, DNS Firewall's query log."""

from __future__ import annotations

import re

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.subjects import Case, Meaning, Subject
from probe.model import Impact, Step

FIREWALL_LOG = Fault(
    "path.firewall-log",
    "a firewall's log shows that it blocks a connection to {host}",
    "The log names the host and the action, so the firewall is on the way to it.",
    Impact.PROOF,
    (causes.EGRESS_FIREWALL,),
    certain=True,
)
DNS_FIREWALL_LOG = Fault(
    "dns.firewall-log",
    "a query log shows that a DNS firewall blocks {host}",
    "The log names the host and the action, so the rule applies to this name.",
    Impact.PROOF,
    (causes.DNS_FIREWALL,),
    certain=True,
)
_LOGGED_HOST = re.compile(r'"(?:sni|hostname|query_name)":\s?"(?P<host>[\w.-]{1,255}?)\.?"')


def _logged(_evidence: Evidence, step: Step) -> Case | None:
    logged = _LOGGED_HOST.search(step.detail or "")
    return Case(values={"host": logged["host"], "hosts": (logged["host"],)}) if logged else None


MEANINGS = {
    Subject.FIREWALL_LOG: Meaning(FIREWALL_LOG, case=_logged),
    Subject.DNS_FIREWALL_LOG: Meaning(DNS_FIREWALL_LOG, case=_logged),
}
