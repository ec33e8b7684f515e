"""The log group into which the awslogs driver writes."""

from __future__ import annotations

from probe.configuration.operations import LOG_GROUPS
from probe.configuration.view import MissingError, View
from probe.gates.call import Call
from probe.gates.opinion import Opinion, allows, refuses
from probe.gates.policy_changes import CreateLogGroup
from probe.model import GateName


def group(view: View, call: Call) -> Opinion | None:
    """Whether the log group exists or is created by the driver; None for calls that write no log."""
    if call.log_group is None or call.action != "logs:CreateLogStream":
        return None
    name = call.log_group
    if _exists(view, call):
        return allows(GateName.LOG_GROUP, f"the log group {name} exists", name)
    if call.creates_log_group:
        return allows(GateName.LOG_GROUP, f"the log driver creates the log group {name}", name, "awslogs-create-group")
    return refuses(
        GateName.LOG_GROUP,
        f"the log group {name} does not exist in {call.region}",
        cause="logs.group-missing",
        identity=name,
        change=CreateLogGroup(object=name, region=call.region, elsewhere=_region(view, call)),
    )


def spares(view: View, call: Call) -> bool:
    """Whether the call is not made, since the group that it would create exists."""
    try:
        return call.action == "logs:CreateLogGroup" and _exists(view, call)
    except MissingError:
        return False


def _exists(view: View, call: Call) -> bool:
    found = view.items(LOG_GROUPS, _region(view, call), logGroupNamePrefix=call.log_group)
    return any(item.get("logGroupName") == call.log_group for item in found)


def _region(view: View, call: Call) -> str | None:
    return None if call.region == view.configuration.region else call.region
