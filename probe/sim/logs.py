"""CloudWatch Logs: the calls that describe groups and streams."""

from __future__ import annotations

from typing import Any

from probe.sim import names
from probe.sim.http import Reply, Request
from probe.sim.services import Account, EntryPoint, Service, json_call, json_error, json_reply
from probe.sim.sigv4 import SignatureError


class Logs(Service):
    """CloudWatch Logs. `groups`: the streams of each log group in the task's region."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.groups: dict[str, list[str]] = {}

    def answer(self, request: Request, entry: EntryPoint, /) -> Reply:
        try:
            principal = self.account.authenticate(request, service="logs", region=entry.region)
        except SignatureError as error:
            return json_error(error.kind, error.message)
        operation, content = json_call(request)
        group = str(content.get("logGroupName", ""))
        arn = f"arn:{names.partition(entry.region)}:logs:{entry.region}:{self.account.id}:log-group:{group}:log-stream:"
        refusal = self.account.refusal(principal, f"logs:{operation}", arn, endpoint=entry.endpoint)
        if refusal:
            return json_error("AccessDeniedException", refusal)
        if operation == "DescribeLogGroups":
            prefix = str(content.get("logGroupNamePrefix", ""))
            groups = [{"logGroupName": name} for name in sorted(self.groups) if name.startswith(prefix)]
            return json_reply({"logGroups": groups[: content.get("limit", 50)]})
        if operation == "DescribeLogStreams":
            return self._streams(group, content)
        return json_error("UnknownOperationException", "")

    def _streams(self, group: str, content: dict[str, Any]) -> Reply:
        if group not in self.groups:
            return json_error("ResourceNotFoundException", "The specified log group does not exist.")
        prefix = str(content.get("logStreamNamePrefix", ""))
        streams = [{"logStreamName": name} for name in sorted(self.groups[group]) if name.startswith(prefix)]
        return json_reply({"logStreams": streams[: content.get("limit", 50)]})
