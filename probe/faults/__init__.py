"""What the evidence shows: rules over a whole measurement. Pure: no clock, no socket, no environment.

A rule yields findings; the last one is a safety net. Rules do not know of each other: they ask `Evidence` what belongs
to whom, so that each step is claimed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType

from probe.faults import (
    answers,
    configuration,
    credentials,
    elsewhere,
    internal,
    layers,
    logins,
    logs,
    names,
    network,
    other_regions,
    pushes,
    registry,
    resolvers,
    services,
    task,
    text_failures,
    tls,
    unknown_addresses,
)
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, Rule
from probe.faults.settling import settle
from probe.model import Basis, Finding, Measurement, Policy
from probe.records import replace

# In causal order: what comes first explains what comes later.
_AREAS = (
    internal,
    task,
    credentials,
    resolvers,
    names,
    other_regions,
    network,
    tls,
    answers,
    registry,
    layers,
    logs,
    pushes,
    text_failures,
    unknown_addresses,
    logins,
    elsewhere,
    services,
    configuration,
)


def _rules(area: ModuleType) -> tuple[Rule, ...]:
    """The rules of a file, in the order in which they are written."""
    return tuple(value for value in vars(area).values() if isinstance(value, Rule))


def _by_code(faults: Iterable[Fault]) -> dict[str, tuple[Fault, ...]]:
    wordings: dict[str, dict[Fault, None]] = {}
    for fault in faults:
        wordings.setdefault(fault.code, {}).update(dict.fromkeys(fault.wordings))
    return {code: tuple(faults) for code, faults in wordings.items()}


RULES = tuple(rule for area in _AREAS for rule in _rules(area))
# Every wording of each code, the usual one first.
WORDINGS: Mapping[str, tuple[Fault, ...]] = _by_code(
    (*(fault for rule in RULES for fault in rule.faults), internal.UNEXPLAINED)
)
FAULTS = tuple(wordings[0] for wordings in WORDINGS.values())
# Codes that only an error text can show: a check never finds them.
TEXT_ONLY = frozenset(fault.code for rule in RULES if rule.basis is Basis.TEXT for fault in rule.faults) - frozenset(
    fault.code for rule in RULES if rule.basis is not Basis.TEXT for fault in rule.faults
)
# Codes that need the gates of the outside view: a check alone never finds them.
OF_CONFIGURATION = frozenset(fault.code for rule in _rules(configuration) for fault in rule.faults)
_ABOUT_GATES = frozenset(fault.code for fault in FAULTS if fault.about_gates)

_PREDICTED = "Nothing was sent; this is what a check would find. "


def diagnose(measurement: Measurement, policy: Policy) -> tuple[Finding, ...]:
    """Everything that the measurement shows, in causal order; a finding names every failed step.

    Where the configuration was read, its gates settle the causes.
    """
    evidence = Evidence(measurement, policy)
    is_predicted = measurement.basis is Basis.CONFIGURATION
    findings = [
        replace(finding, why=f"{_PREDICTED}{finding.why}") if is_predicted and rule.basis is None else finding
        for rule in RULES
        for finding in rule(evidence)
    ]
    findings += internal.unexplained(evidence, findings)
    return settle(findings, measurement, _ABOUT_GATES)
