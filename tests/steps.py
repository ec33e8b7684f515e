"""Steps built by hand, by the id that the recorder would give them."""

from __future__ import annotations

from typing import Any

from probe.model import Action, AnySeen, Nothing, Outcome, Step
from probe.records import replace


def step(identity: str, seen: AnySeen | None = None, **fields: Any) -> Step:
    """The step "endpoint/action/subject", with "#2" its second attempt. It is FAILED where `failure` is given.

    `address` is by default what is seen, else the last part of a connection's subject; `host` the rest of it.
    """
    target, _, number = identity.partition("#")
    endpoint, action, *rest = target.split("/", 2)
    subject = rest[0] if rest else ""
    failed = fields.get("failure") is not None
    values: dict[str, Any] = {
        "id": identity,
        "endpoint": endpoint,
        "action": Action(action),
        "subject": subject,
        "attempt": int(number or 1),
        "on": None,
        "outcome": Outcome.FAILED if failed else Outcome.OK,
        "failure": None,
        "detail": None,
        "seconds": 3.0 if failed else 0.01,
        "seen": seen or Nothing(),
        "blocked_by": None,
    }
    built = Step(**(values | fields))
    return built if "address" in fields else _with_address(built)


def _with_address(built: Step) -> Step:
    if built.names is not None:
        return replace(built, address=built.names.server)
    if built.action in (Action.TCP, Action.TLS):
        host, _, address = built.subject.rpartition("/")
        return replace(built, host=built.host or host or None, address=address or None)
    return replace(built, address=built.answer.address if built.answer else None)


def skipped(identity: str, blocked_by: str | None = None, detail: str | None = None, **fields: Any) -> Step:
    return step(identity, outcome=Outcome.SKIPPED, blocked_by=blocked_by, detail=detail, seconds=None, **fields)
