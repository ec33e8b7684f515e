"""Bare connects to hosts that are not planned: whether they answer tells of the ways out of the VPC. Nothing
is sent on them.
"""

from __future__ import annotations

import time

from probe.measure.recorder import Run
from probe.model import Action, ControlSeen, Failure
from probe.wire import names
from probe.wire.errors import WireError
from probe.wire.sockets import connect

# TEST-NET-1 (RFC 5737): no host has it, so whoever answers is a transparent proxy.
NOBODY = "192.0.2.1"


def other_region(run: Run) -> None:
    """S3 of another region: a gateway endpoint routes only its own region's prefixes, a NAT carries all."""
    host = run.plan.control_host
    if host is None:
        return

    ends = time.monotonic() + run.plan.budget.control  # the name's lookup included: a control must not hold the verdict

    def call() -> tuple[ControlSeen, None]:
        address = _address(run, host, until=min(run.until, ends))
        reached = _answers(run, address, seconds=ends - time.monotonic()) if address else None
        return ControlSeen(host=host, address=address, reached=reached), None

    run.recorder.attempt("s3", Action.CONTROL, "other-region", call=call, host=host, seen=ControlSeen(host=host))


def transparent_proxy(run: Run) -> None:
    """An address that nobody has."""

    def call() -> tuple[ControlSeen, None]:
        return ControlSeen(
            host=NOBODY, address=NOBODY, reached=_answers(run, NOBODY, seconds=run.plan.budget.control)
        ), None

    run.recorder.attempt(
        "task", Action.CONTROL, "transparent-proxy", call=call, address=NOBODY, seen=ControlSeen(host=NOBODY)
    )


def _address(run: Run, host: str, *, until: float) -> str | None:
    servers = run.wire.resolvers()
    if not servers:
        return None
    try:
        found = names.lookup(run.wire, servers[0], host, "A", budget=run.plan.budget, tries=1, until=until)
    except WireError:
        return None
    return found.addresses[0] if found.addresses else None


def _answers(run: Run, address: str, *, seconds: float) -> bool:
    """A refusal counts as silence: it is the way out that is looked for, and a firewall's refusal is none."""
    timeout = max(0.1, min(seconds, run.plan.budget.connect))
    try:
        connect(run.wire, address, 443, timeout=timeout, until=run.until).close()
    except WireError as error:
        if error.failure is Failure.DEADLINE:
            raise
        return False
    return True
