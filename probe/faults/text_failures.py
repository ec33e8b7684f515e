"""The rule for failures that an error text reports although no round trip failed.

What a subject means is in the file of its area, in `MEANINGS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from probe.faults import (
    client_settings,
    endpoint_creation,
    firewall_logs,
    image,
    logins,
    logs,
    node,
    pulling_services,
    pushes,
    registry,
    task_events,
    unclear_texts,
)
from probe.faults.evidence import Evidence
from probe.faults.fault import finding, finds
from probe.faults.subjects import Case, Meaning, Subject
from probe.model import Action, Basis, Finding

MEANINGS: Mapping[Subject, Meaning] = {
    **task_events.MEANINGS,
    **node.MEANINGS,
    **image.MEANINGS,
    **client_settings.MEANINGS,
    **logins.MEANINGS,
    **pulling_services.MEANINGS,
    **pushes.MEANINGS,
    **registry.MEANINGS,
    **logs.MEANINGS,
    **endpoint_creation.MEANINGS,
    **firewall_logs.MEANINGS,
    **unclear_texts.MEANINGS,
}


@finds(
    *(meaning.fault for meaning in MEANINGS.values()),
    *(variant for meaning in MEANINGS.values() for variant in meaning.variants),
    basis=Basis.TEXT,
)
def text_failures(evidence: Evidence) -> Iterator[Finding]:
    """Failures of the task, its image or its settings, and texts that do not show the reason."""
    for step in evidence.failed(Action.START, Action.ENVIRONMENT):
        if step.subject in MEANINGS:
            meaning = MEANINGS[Subject(step.subject)]
            case = meaning.case(evidence, step) or Case()
            yield finding(
                case.fault or meaning.fault,
                evidence,
                evidence.tries(step),
                endpoints=case.endpoints or meaning.endpoints,
                suspects=case.suspects,
                **(case.values or {}),
            )
