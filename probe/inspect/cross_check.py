"""`--cross-check`: the pulling role's calls, asked of IAM's own simulator and compared with what the gates say.

iam:SimulatePrincipalPolicy evaluates identity policies, the boundary and service control policies; it knows neither
endpoint policies nor, for a role, those of resources: AWS[simulate-principal-policy]. A difference is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from probe.configuration.operations import SIMULATION
from probe.configuration.view import Item, MissingError, View
from probe.gates.calls import Call
from probe.gates.opinion import in_words
from probe.inspect.legs import Leg, Request, combined
from probe.model import CrossCheck, GateAnswer, GateName

_ALLOWED = "allowed"
# What the simulator evaluates too.
_COMPARED = (GateName.IDENTITY_POLICY, GateName.PERMISSIONS_BOUNDARY, GateName.SERVICE_CONTROL_POLICY)


def cross_check(view: View, legs: Iterable[Leg]) -> tuple[CrossCheck, ...]:
    """One comparison for each call of the role. What cannot be simulated says why."""
    requests = {request.call: request for leg in legs for request in leg.requests if request.call.principal is not None}
    by_action = {(call.principal, call.action, call.resource): request for call, request in requests.items()}
    return tuple(_compared(view, request) for request in by_action.values())


def _compared(view: View, request: Request) -> CrossCheck:
    call, gates = request.call, [opinion for opinion in request.opinions if opinion.gate in _COMPARED]
    answer = combined(gates)
    try:
        results = _simulated(view, call)
    except MissingError as error:
        return CrossCheck(action=call.action, resource=call.resource, gates=answer, problem=in_words(error))
    decisions = tuple(dict.fromkeys(str(result.get("EvalDecision")) for result in results))
    missing = sorted({key for result in results for key in result.get("MissingContextValues", ())})
    return CrossCheck(
        action=call.action,
        resource=call.resource,
        gates=answer,
        simulator=", ".join(decisions),
        agrees=_agree(answer, decisions, missing),
        problem=f"the simulator lacks {', '.join(missing)}" if missing else None,
    )


def _simulated(view: View, call: Call) -> Sequence[Item]:
    asked = {"ActionNames": [call.action], "ResourceArns": [call.resource]}
    return view.items(SIMULATION, PolicySourceArn=call.principal, **asked)


def _agree(answer: GateAnswer, decisions: Sequence[str], missing: Sequence[str]) -> bool | None:
    """None where one of the two does not decide."""
    if missing or not decisions or answer not in (GateAnswer.ALLOWS, GateAnswer.REFUSES):
        return None
    return (decisions == (_ALLOWED,)) == (answer is GateAnswer.ALLOWS)
