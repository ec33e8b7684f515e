"""What a scenario is: a world, broken in one way or two, and what the probe has to say about it."""

from __future__ import annotations

from collections.abc import Mapping

from probe.records import Record, field
from probe.sim.changes import Change

S3_ROUTE = "s3.route-undetermined"


class Scenario(Record, frozen=True):
    """`finds` are all findings, infos too; `first_causes` the likeliest cause of those where it is settled.

    `status` and `pull` follow from the rules of judgement, and were written before the program was run.
    """

    name: str
    story: str
    breaks: Change
    finds: frozenset[str] = frozenset()
    first_causes: Mapping[str, str] = field(default_factory=dict)
    status: str = "fail"
    pull: str = "broken"
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


def scenario(
    name: str,
    story: str,
    breaks: Change,
    *,
    finds: Mapping[str, str | None] | None = None,
    status: str = "fail",
    pull: str = "broken",
    arguments: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
    s3_reached: bool = True,
) -> Scenario:
    """`finds`: finding code → its first cause; None where there is none, or each of several endpoints has its own.

    Where S3 is reached by its public addresses, an info says that the wire does not tell gateway from NAT.
    """
    finds = {**(finds or {}), **({S3_ROUTE: None} if s3_reached else {})}
    causes = {code: cause for code, cause in finds.items() if cause}
    return Scenario(name, story, breaks, frozenset(finds), causes, status, pull, arguments, environ or {})
