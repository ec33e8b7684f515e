"""Faults of what was read: gates that leave the pull undecided, and gates that a measurement contradicts.

They need the gates of the outside view, so a check alone never finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probe.faults import causes
from probe.faults.answers import concern
from probe.faults.causes import advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, finding, finds, possible
from probe.faults.registry import PINNED_DIGEST_GONE
from probe.faults.task_events import ROLE_NOT_ASSUMED
from probe.model import Action, Basis, Extent, Finding, Gate, GateAnswer, GateName, Impact, Step, Topic
from probe.narration import few, listed

_UNREAD = causes.other(
    "the caller may not read it: {missing}",
    advice("allow the operator these reads, as task-definitions/iam/operator-inspect.json does, and run inspect again"),
    reads(
        "aws sts get-caller-identity --region {task_region}", note="This is the identity that needs the permissions."
    ),
)
_OPEN_VALUE = causes.other(
    "it depends on a value that no configuration contains: {sentence}",
    advice("compare the value with what the pulling role and the endpoint send, or run a check from the subnet"),
    advice("read the element that is named, and run ecr-probe check in the subnet: it measures what decides"),
)
UNDECIDED = Fault(
    "configuration.undecided",
    "the configuration does not decide whether {endpoints} can be reached",
    "{what}. Nothing that was read refuses the pull, and nothing that is unknown is taken for an allow.",
    Impact.PROOF,
    (_UNREAD, _OPEN_VALUE),
    examples=(
        ("what", "Not decided: nacl-egress and endpoint-policy"),
        ("missing", "ec2:DescribeNetworkAcls"),
        ("sentence", "aws:PrincipalTag"),
    ),
    about_gates=True,
)
_CHANGED = causes.other(
    "the configuration changed between the measurement and the reading, or another subnet was read",
    advice("measure and read again, one right after the other, and compare subnet and VPC"),
    reads(
        "aws cloudtrail lookup-events --region {task_region} "
        "--lookup-attributes AttributeKey=ReadOnly,AttributeValue=false"
    ),
)
_HIDDEN = causes.EGRESS_FIREWALL
CONTRADICTION = Fault(
    "configuration.contradiction",
    "the measurement and the configuration disagree about {endpoints}",
    "{what}. What was measured decides the verdict.",
    Impact.PROOF,
    (_HIDDEN, _CHANGED),
    Extent.PARTLY,
    examples=(("what", "Every gate allows the packets, and nothing answers"),),
    about_gates=True,
)

# AWS[ecs-version-consistency]
OTHER_IMAGE = CONTRADICTION.variant(
    title="ECS pulls the image by a digest that it pinned, and cannot; this check pulled it by its tag",
    why="The check pulled the tag. ECS resolves it once for each deployment of a service and starts all its tasks from "
    "that digest. The running tasks are not affected; the next ones do not start.",
    causes=(PINNED_DIGEST_GONE, causes.ARCHIVED),
)
NOT_ASSUMED = ROLE_NOT_ASSUMED.variant(
    title="ECS cannot assume the execution role of the task",
    why="ECS assumes the role before it starts the task. Without the role it requests no token and no image.",
)

# Unreadable in a usual member account, so alone no reason to doubt.
_OFTEN_HIDDEN = (GateName.SERVICE_CONTROL_POLICY, GateName.RESOURCE_CONTROL_POLICY)
_OPEN = (GateAnswer.DEPENDS, GateAnswer.UNKNOWN)
_MOST = 5  # of what is missing, named in one sentence


@finds(UNDECIDED, basis=Basis.CONFIGURATION)
def undecided(evidence: Evidence) -> Iterator[Finding]:
    """Gates that a needed endpoint depends on and that are not known to allow."""
    waiting = [gate for gate in evidence.measurement.gates if gate.answer in _OPEN and _counts(gate, evidence)]
    endpoints = tuple(dict.fromkeys(gate.endpoint for gate in waiting))
    if not waiting:
        return
    missing = dict.fromkeys(gate.missing for gate in waiting if gate.missing)
    depends = [gate for gate in waiting if gate.answer is GateAnswer.DEPENDS]
    suspects = possible(*((_UNREAD,) if missing or not depends else ()), *((_OPEN_VALUE,) if depends else ()))
    names = listed(dict.fromkeys(f"{gate.gate}" for gate in waiting))
    yield finding(
        UNDECIDED,
        evidence,
        _first_steps(evidence, endpoints),
        endpoints=endpoints,
        suspects=suspects,
        what=f"Not decided: {names}",
        missing=few(tuple(missing), _MOST) if missing else "its reads were not answered",
        sentence=depends[0].sentence if depends else None,
    )


@finds(NOT_ASSUMED, basis=Basis.CONFIGURATION)
def roles_not_assumed(evidence: Evidence) -> Iterator[Finding]:
    """Calls that are not made, since the role does not trust ECS."""
    steps = [step for step in evidence.measurement.steps if step.failed and concern(step) is Topic.ROLE]
    if steps:
        yield finding(NOT_ASSUMED, evidence, steps)


def _counts(gate: Gate, evidence: Evidence) -> bool:
    endpoint = evidence.plan.endpoint(gate.endpoint)
    hidden = gate.answer is GateAnswer.UNKNOWN and gate.gate in _OFTEN_HIDDEN
    return endpoint is not None and endpoint.required and not hidden and gate.is_open


@finds(CONTRADICTION, basis=Basis.MEASURED)
def contradictions(evidence: Evidence) -> Iterator[Finding]:
    """Connections that were measured otherwise than the gates of their address have it."""
    refused = [step for step, gates in _with_gates(evidence, Action.TCP) if step.ok and any(map(_stops_packets, gates))]
    refused += [step for step, gates in _with_gates(evidence, Action.TLS) if step.ok and any(map(_stops_hellos, gates))]
    silent = [
        step
        for step, gates in _with_gates(evidence, Action.TCP)
        if step.failed and gates and _all_allow(gates) and step not in evidence.survived
    ]
    if refused:
        what = "A gate refuses packets that were answered: the reading was of another VPC, or the check ran elsewhere"
        yield finding(CONTRADICTION, evidence, refused, suspects=possible(_CHANGED), what=what)
    if silent:
        # The failed connections belong to the finding of the silence.
        lookups = [step for step in evidence.of(Action.DNS) if step.id in {connection.on for connection in silent}]
        what = "Every gate that was read allows the packets, and nothing answers"
        yield finding(CONTRADICTION, evidence, lookups, what=what)


@finds(OTHER_IMAGE, basis=Basis.MEASURED)
def pinned_images(evidence: Evidence) -> Iterator[Finding]:
    """The digest that ECS pinned cannot be pulled, and the tag was."""
    pulled = [step for step in evidence.of(Action.MANIFEST) if step.ok]
    codes = [cause.code for cause in OTHER_IMAGE.causes]
    for gate in evidence.measurement.gates:
        if gate.gate is GateName.IMAGE and gate.answer is GateAnswer.REFUSES and gate.cause in codes and pulled:
            yield finding(OTHER_IMAGE, evidence, pulled[:1])
            return


def _with_gates(evidence: Evidence, action: Action) -> Iterator[tuple[Step, list[Gate]]]:
    """The steps of an action with the gates of their addresses."""
    for step in evidence.of(action):
        yield (
            step,
            [
                gate
                for gate in evidence.measurement.gates
                if (gate.endpoint, gate.address) == (step.endpoint, step.address)
            ],
        )


def _stops_packets(gate: Gate) -> bool:
    return gate.answer is GateAnswer.REFUSES and not _stops_hellos(gate)


def _stops_hellos(gate: Gate) -> bool:
    """Whether a firewall refuses by the server name, for which it has to let a connection open first."""
    return gate.gate is GateName.NETWORK_FIREWALL and gate.answer is GateAnswer.REFUSES


def _all_allow(gates: Iterable[Gate]) -> bool:
    return all(gate.answer is GateAnswer.ALLOWS for gate in gates)


def _first_steps(evidence: Evidence, endpoints: Iterable[str]) -> list[Step]:
    found = (next((step for step in evidence.measurement.steps if step.endpoint == name), None) for name in endpoints)
    return [step for step in found if step is not None]
