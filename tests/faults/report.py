"""A failure that somebody reported, as a measurement, with the cause that it turned out to be."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.world import World


@dataclass(frozen=True)
class Reported:
    """`how`: "confirmed", "first" or "among" the causes named."""

    story: str
    world: World
    cause: str
    how: str = "among"
