"""The configuration of a simulated VPC, as AWS's API would describe it.

What a scenario breaks physically is what the configuration says: it is derived from the same attributes of `VPC` that
decide about packets and names. What no configuration of AWS shows (a firewall appliance, a proxy, the clock, lost or
corrupted bytes) is not in it.
"""

from __future__ import annotations

from probe.sim.account import SimulatedAccount
from probe.sim.configuration.network import network_of
from probe.sim.configuration.resolver import replies_of, resolver_of
from probe.sim.configuration.tasks import tasks_of
from probe.sim.vpc import VPC

__all__ = ("account_of",)


def account_of(vpc: VPC) -> SimulatedAccount:
    """The account of the task, with everything that it has in the Region."""
    account, replies = resolver_of(vpc), replies_of(vpc)
    tasks, definition = tasks_of(vpc)
    return SimulatedAccount(
        region=vpc.region,
        account=vpc.task.account,
        objects={"ec2": network_of(vpc), **account, "ecs": tasks},
        replies={**replies, "ecs:DescribeTaskDefinition": definition},
    )
