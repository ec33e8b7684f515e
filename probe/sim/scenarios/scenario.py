"""A scenario: a VPC with one or two changes, and what the probe must find in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from probe.records import Record
from probe.sim.changes import Change


class Scenario(Record, frozen=True):
    """A scenario. `expected_findings` are the codes of all findings, those of severity info too.

    `expected_first_causes` has the likeliest cause by finding code, where it is fixed. `expected_status` and
    `expected_pull` follow from the rules of judgment and were written before the program was run.
    """

    name: str
    description: str
    change: Change
    expected_findings: frozenset[str]
    expected_first_causes: Mapping[str, str]
    expected_status: str
    expected_pull: str
    arguments: tuple[str, ...]


def _scenario(
    name: str,
    description: str,
    change: Change,
    *,
    status: str,
    pull: str,
    findings: Mapping[str, str | None] | None = None,
    arguments: tuple[str, ...] = (),
) -> Scenario:
    """Create a scenario.

    `findings` maps codes to first causes: None where a finding has no cause, or each endpoint has its own.
    """
    findings = dict(findings or {})
    causes = {code: cause for code, cause in findings.items() if cause}
    return Scenario(name, description, change, frozenset(findings), causes, status, pull, arguments)


# Scenarios by the status that they must end with; `pull` can be set to another value.
failing = partial(_scenario, status="fail", pull="broken")
passing = partial(_scenario, status="pass", pull="works")
degraded = partial(_scenario, status="degraded", pull="works")
inconclusive = partial(_scenario, status="inconclusive", pull="unproven")
