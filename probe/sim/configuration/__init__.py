"""The configuration of a simulated VPC, as AWS's API would describe it.

What a scenario breaks physically is broken in the configuration: it is derived from the same attributes of `VPC` that
decide about packets and names. What no configuration of AWS shows (a firewall appliance, a proxy, the clock, lost or
corrupted bytes) is not in it.
"""

from __future__ import annotations

from probe.sim.account import SimulatedAccount
from probe.sim.cloud import OTHER_REGION
from probe.sim.configuration.access import DENIED, access_of, registry_of, repository_policies
from probe.sim.configuration.network import network_of, prefix_lists
from probe.sim.configuration.resolver import replies_of, resolver_of
from probe.sim.configuration.tasks import tasks_of
from probe.sim.vpc import VPC

__all__ = ("account_of",)


def account_of(vpc: VPC) -> SimulatedAccount:
    """The account of the task, with everything that it has in the Region."""
    tasks, definition = tasks_of(vpc)
    return SimulatedAccount(
        region=vpc.region,
        account=vpc.task.account,
        objects={"ec2": network_of(vpc), **resolver_of(vpc), "ecr": registry_of(vpc, vpc.region), "ecs": tasks},
        replies={**replies_of(vpc), **access_of(vpc), "ecs:DescribeTaskDefinition": definition},
        denied=set(DENIED),
        elsewhere={OTHER_REGION: _elsewhere(vpc, OTHER_REGION)},
    )


def _elsewhere(vpc: VPC, region: str) -> SimulatedAccount:
    """The same account in another Region."""
    return SimulatedAccount(
        region=region,
        account=vpc.task.account,
        objects={"ec2": prefix_lists(region), "ecr": registry_of(vpc, region)},
        replies=repository_policies(vpc, region),
        denied=set(DENIED),
    )
