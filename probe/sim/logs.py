"""CloudWatch Logs: the calls that look at groups and streams, and change nothing."""

from __future__ import annotations

from typing import Any

from probe.sim import names
from probe.sim.http import Reply, Request
from probe.sim.services import Account, Door, Service, json_call, json_error, json_reply
from probe.sim.sigv4 import SignatureError


class Logs(Service):
    """`groups`: the streams of each log group, in the region of the task."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.groups: dict[str, list[str]] = {}

    def answer(self, request: Request, door: Door, /) -> Reply:
        try:
            principal = self.account.authenticate(request, service="logs", region=door.region)
        except SignatureError as refused:
            return json_error(refused.kind, refused.message)
        operation, content = json_call(request)
        group = str(content.get("logGroupName", ""))
        arn = f"arn:{names.partition(door.region)}:logs:{door.region}:{self.account.id}:log-group:{group}:log-stream:"
        refusal = self.account.refusal(principal, f"logs:{operation}", arn, endpoint=door.endpoint)
        if refusal:
            return json_error("AccessDeniedException", refusal)
        if operation == "DescribeLogGroups":
            prefix = str(content.get("logGroupNamePrefix", ""))
            found = [{"logGroupName": name} for name in sorted(self.groups) if name.startswith(prefix)]
            return json_reply({"logGroups": found[: content.get("limit", 50)]})
        if operation == "DescribeLogStreams":
            return self._streams(group, content)
        return json_error("UnknownOperationException", "")

    def _streams(self, group: str, content: dict[str, Any]) -> Reply:
        if group not in self.groups:
            return json_error("ResourceNotFoundException", "The specified log group does not exist.")
        prefix = str(content.get("logStreamNamePrefix", ""))
        found = [{"logStreamName": name} for name in sorted(self.groups[group]) if name.startswith(prefix)]
        return json_reply({"logStreams": found[: content.get("limit", 50)]})
