"""Faults of CloudWatch Logs, once its endpoint answers. That it does not answer is a fault of names, network or TLS."""

from __future__ import annotations

from probe.faults.fault import Fault
from probe.model import Extent, Impact

ENDPOINT_POLICY = Fault(
    "policy.vpce.other",
    "the policy of the logs VPC endpoint refuses {action} to {who}",
    "CloudWatch Logs answered and named the endpoint policy. What the awslogs driver calls may be refused by it as well.",
    Impact.LOGS,
    ("policy.vpce.other",),
    Extent.PARTLY,
)
NOT_PERMITTED = Fault(
    "logs.not-permitted",
    "CloudWatch Logs answers; {who} may not look at log groups",
    "The answer proves the endpoint. The log driver writes with the execution role, not with this one.",
    Impact.NONE,
    extent=Extent.NOTED,
)
GROUP_MISSING = Fault(
    "logs.group-missing",
    "the log group {group} of this task does not exist in {region}",
    "CloudWatch Logs answered and does not know it. Unless awslogs-create-group is on, containers that log there do not start.",
    Impact.LOGS,
    ("logs.group-missing", "logs.misconfigured-region"),
    Extent.PARTLY,
)
STREAM_MISSING = Fault(
    "logs.stream-missing",
    "the log stream {stream} does not exist yet",
    "The log driver makes it when the container starts.",
    Impact.NONE,
    extent=Extent.NOTED,
)
BAD_REGION = Fault(
    "logs.misconfigured-region",
    "the log option awslogs-region of container {container} is not a region: {option}",
    "Task metadata shows it. The SDK refuses it before a packet leaves.",
    Impact.LOGS,
    ("logs.misconfigured-region",),
)
