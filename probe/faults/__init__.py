"""What the evidence shows: rules over a whole measurement. Pure: no clock, no socket, no environment.

A rule yields findings; the last one is a safety net. Rules do not know of each other: what belongs to whom is asked of
`Evidence`, so that a step is claimed once.
"""

from __future__ import annotations

from probe.faults import (
    answers,
    credentials,
    denials,
    internal,
    layers,
    logs,
    names,
    network,
    redirects,
    registry,
    resolvers,
    task,
    text_only,
    tls,
)
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.model import Finding, Measurement, Policy

# In causal order: what stands further up explains what stands below.
_AREAS = (
    internal,
    task,
    credentials,
    resolvers,
    names,
    network,
    tls,
    answers,
    denials,
    registry,
    redirects,
    layers,
    logs,
    text_only,
)
FAULTS: tuple[Fault, ...] = tuple(fault for area in _AREAS for fault in area.FAULTS)
RULES = tuple(rule for area in _AREAS for rule in area.RULES)


def diagnose(measurement: Measurement, policy: Policy) -> tuple[Finding, ...]:
    """Everything that the measurement shows, in causal order; every failed step is named by a finding."""
    evidence = Evidence(measurement, policy)
    findings = [finding for rule in RULES for finding in rule(evidence)]
    findings += internal.unexplained(evidence, findings)
    return tuple(findings)
