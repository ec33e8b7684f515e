"""A scenario: a VPC with one or two changes, and what the probe must find in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from probe.records import Record
from probe.sim.changes import Change

# Causes that belong together, for `excludes`.
WAY_OUT = "tcp.no-route tcp.no-public-ip tcp.nat-device tcp.block-public-access"
NO_ENDPOINT = "endpoint.missing.ecr-api endpoint.missing.ecr-dkr logs.endpoint-missing"
PRIVATE_NAMES = (
    "dns.private-dns-disabled dns.vpc-attributes-off dns.hosted-zone-not-associated dns.resolver-rule "
    "dns.hosted-zone-wrong-name"
)
PACKETS = "tcp.security-group tcp.nacl"


class Scenario(Record, frozen=True):
    """A scenario. `expected_findings` are the codes of all findings, those of severity info too.

    `expected_first_causes` has the likeliest cause by finding code, where it is fixed. `excluded_causes` are codes that
    what can be measured excludes: no finding may list one, unless as ruled out. `expected_status` and
    `expected_pull` follow from the rules of judgment and were written before the program was run. `settled` are the
    causes that the account's configuration confirms, with the object that each of them names.
    """

    name: str
    description: str
    change: Change
    expected_findings: frozenset[str]
    expected_first_causes: Mapping[str, str]
    excluded_causes: frozenset[str]
    expected_status: str
    expected_pull: str
    arguments: tuple[str, ...]
    settled: Mapping[str, str]


def _scenario(
    name: str,
    description: str,
    change: Change,
    *,
    status: str,
    pull: str,
    findings: Mapping[str, str | None] | None = None,
    excludes: str = "",
    arguments: tuple[str, ...] = (),
    settled: Mapping[str, str] | None = None,
) -> Scenario:
    """Create a scenario.

    `findings` maps codes to first causes: None where a finding has no cause, or each endpoint has its own. `excludes`
    are the codes of excluded causes, with blanks between them.
    """
    findings = dict(findings or {})
    causes = {code: cause for code, cause in findings.items() if cause}
    excluded = frozenset(excludes.split())
    return Scenario(
        name, description, change, frozenset(findings), causes, excluded, status, pull, arguments, settled or {}
    )


# Scenarios by the status that they must end with; `pull` can be set to another value.
failing = partial(_scenario, status="fail", pull="broken")
passing = partial(_scenario, status="pass", pull="works")
degraded = partial(_scenario, status="degraded", pull="works")
inconclusive = partial(_scenario, status="inconclusive", pull="unproven")
