"""Seeded configurations of the laboratory's VPC: healthy in one of many ways, but for up to two mutations.

A seed always gives the same configuration, so a failing one can be tried again by its name.
"""

from __future__ import annotations

import random

from tests.lab.configurations import dual_stack, hub, names, packets, policies, routes, ways_out
from tests.lab.configurations.variations import vary
from tests.lab.configurations.vpc import Generated, Mutation, healthy

__all__ = ("all_configurations", "generated")

_COMBINED = packets.MUTATIONS | routes.MUTATIONS | names.MUTATIONS
MUTATIONS = _COMBINED | hub.MUTATIONS | dual_stack.MUTATIONS | ways_out.MUTATIONS | policies.MUTATIONS
UNDECIDED = frozenset((*packets.UNDECIDED, *routes.UNDECIDED, *hub.UNDECIDED, *ways_out.UNDECIDED))


def generated(seed: int, *mutations: str) -> Generated:
    """The configuration of this seed, with these mutations."""
    made = Generated(seed, healthy(), random.Random(seed))
    vary(made)
    made.mutations = [Mutation(name, MUTATIONS[name](made), name in UNDECIDED) for name in mutations]
    return made


def all_configurations() -> list[Generated]:
    """Some healthy ones, each mutation alone, and pairs of mutations of different areas."""
    rng = random.Random(0)
    pairs = [rng.sample(list(_COMBINED), 2) for _ in range(20)]
    chosen: list[list[str]] = [[], [], *([name] for name in MUTATIONS)]
    chosen += [[one, other] for one, other in pairs if _area(one) != _area(other)][:5]
    return [generated(seed, *names) for seed, names in enumerate(chosen)]


def _area(mutation: str) -> str:
    return mutation.partition("-")[0]
