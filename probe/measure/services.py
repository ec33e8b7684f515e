"""The services of --also: one signed call each, which changes nothing and reads no secret. Does a policy deny it?"""

from __future__ import annotations

from functools import partial

from probe.measure.http_request import answer_in, call_aws
from probe.measure.reach import Reached
from probe.measure.recorder import Attempt, Run, Target
from probe.model import Action, AnswerSeen, Endpoint, Failure
from probe.wire.aws_calls import SERVICE_CALLS
from probe.wire.credentials import FoundCredentials
from probe.wire.errors import WireError

# AWS's answers to a request for something that does not exist: they prove the path, and that no policy denies it.
_ANSWERED = (Failure.NOT_FOUND, Failure.MALFORMED)


def expected(endpoint: Endpoint) -> Target:
    """The step of this endpoint's call, without the address to which it goes."""
    return Target(endpoint.name, Action.REQUEST)


def service(run: Run, credentials: Attempt[FoundCredentials], reached: Reached) -> None:
    """Make the call of this endpoint (`Endpoint.call`)."""
    endpoint = reached.endpoint
    if not reached.ready:
        run.recorder.skip(expected(endpoint), blocked_by=reached.blocked_by)
        return
    if credentials.value is None:
        run.recorder.skip(expected(endpoint), blocked_by=credentials.step.id)
        return
    ready = reached.ready[0]
    target = Target(endpoint.name, Action.REQUEST, ready.address, endpoint.host, ready.address, on=ready.step)
    call = partial(_call, run, credentials.value, reached)
    run.with_retry(partial(run.recorder.attempt, target, call, seen=AnswerSeen(address=ready.address, method="POST")))


def _call(run: Run, caller: FoundCredentials, reached: Reached) -> tuple[AnswerSeen, None]:
    """Any answer of AWS but a denial is good. The body of a good one is never read: it could hold what is secret."""
    endpoint = reached.endpoint
    assert endpoint.call is not None, "the plan asks for it"
    call = SERVICE_CALLS[endpoint.call]
    try:
        response = call_aws(
            run, endpoint, reached.ready[0], caller, service=call.service, target=call.target, body=call.body
        )
    except WireError as error:
        seen = answer_in(error, AnswerSeen())
        if seen.aws and error.failure in _ANSWERED:
            return seen, None
        raise
    if not response.seen.aws:
        raise WireError(Failure.NOT_AWS, f"status {response.answer.status}, not from AWS", seen=response.seen)
    return response.seen, None
