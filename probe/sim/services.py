"""What AWS's services share (account, entry points, injected replies, JSON protocol), and CloudWatch Logs."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from probe.records import Record, field
from probe.sim import names
from probe.sim.http import Reply, Request
from probe.sim.identity import Call, Keys, Permissions, Policy, Principal, SignatureError, verify_signature

AMAZON_JSON = "application/x-amz-json-1.1"


class PolicedEndpoint(Protocol):
    """A VPC endpoint with an id and a policy."""

    vpce_id: str
    policy: Policy


class Account(Record, eq=False):
    """The caller's account: its keys, its policies, and AWS's clock."""

    id: str
    keys: dict[str, Keys]
    permissions: Permissions = field(default_factory=Permissions)
    session_expired: bool = False
    clock_ahead: float = 0.0  # seconds by which AWS's clock is ahead of the task's

    def now(self) -> float:
        return time.time() + self.clock_ahead

    def authenticate(self, request: Request, *, service: str, region: str) -> Principal:
        """The caller of a signed request. Raises SignatureError."""
        return verify_signature(
            request, self.keys, service=service, region=region, now=self.now(), expired=self.session_expired
        )

    def refusal(
        self,
        principal: Principal,
        action: str,
        resource: str,
        *,
        endpoint: PolicedEndpoint | None,
        owner: Policy | None = None,
    ) -> str | None:
        """AWS's sentence for a denied call through `endpoint` (None: the Internet); None where it is allowed.

        `owner` is the resource policy of another account.
        """
        checks = self.permissions.checks(
            endpoint=endpoint.policy if endpoint else None, through_endpoint=endpoint is not None, resource=owner
        )
        return Call(principal, action, resource).refusal(checks, states_reason=self.permissions.states_reason)


class InjectedReply(Record):
    """A reply in place of the real one, where the request line or X-Amz-Target contains `at`; `times` None: always."""

    reply: Reply
    at: str = ""
    times: int | None = None

    def matches(self, request: Request) -> bool:
        if (
            self.times == 0
            or self.at not in f"{request.method} {request.target} {request.headers.get('x-amz-target', '')}"
        ):
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Service:
    """One AWS service in all regions. `injected_replies` take precedence."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.injected_replies: list[InjectedReply] = []

    def reply(self, request: Request, entry: EntryPoint) -> Reply:
        for injected in self.injected_replies:
            if injected.matches(request):
                return injected.reply
        return self.answer(request, entry)

    def answer(self, _request: Request, _door: EntryPoint, /) -> Reply:
        """The default for services that are only connected to: an AWS error proves that they answer."""
        return json_error("UnknownOperationException", "")


class EntryPoint(Record, frozen=True):
    """The entry point of a service in a region: a VPC endpoint, or the Internet (None)."""

    service: Service
    region: str
    endpoint: PolicedEndpoint | None = None

    def __call__(self, request: Request) -> Reply:
        return self.service.reply(request, self)


def json_reply(content: Mapping[str, Any], status: int = 200) -> Reply:
    """An answer of AWS's JSON protocol, with a request id as all of them."""
    body = json.dumps(content).encode()
    return Reply(status, body, (("x-amzn-RequestId", str(uuid4())),), AMAZON_JSON)


def json_error(kind: str, message: str, status: int = 400) -> Reply:
    """An error of AWS's JSON protocol; all errors of the client have status 400."""
    return json_reply({"__type": kind, "message": message}, status)


def json_call(request: Request) -> tuple[str, dict[str, Any]]:
    """The operation in X-Amz-Target, and the decoded body."""
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    content = json.loads(request.body or b"{}")
    return operation, content if isinstance(content, dict) else {}


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


_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class OtherApi(Service):
    """Secrets Manager, Systems Manager, KMS, ECS or STS, as far as a check calls them.

    `secrets` are the secrets of Secrets Manager and the parameters of Systems Manager, by name. They include the names
    that a check asks for, so that a value would appear in an output if the check read one.
    """

    def __init__(self, account: Account, name: str) -> None:
        super().__init__(account)
        self.name = name
        asked = {"secretsmanager": "ecr-probe/no-such-secret", "ssm": "/ecr-probe/no-such-parameter"}
        self.secrets = {asked[name]: secrets.token_urlsafe(30)} if name in asked else {}

    def answer(self, request: Request, entry: EntryPoint, /) -> Reply:
        operation, content = self._operation(request)
        try:
            principal = self.account.authenticate(request, service=self.name, region=entry.region)
        except SignatureError as error:
            return self._error(error.kind, error.message, 403)
        arn = f"arn:{names.partition(entry.region)}:{self.name}:{entry.region}:{self.account.id}"
        # Everybody may call GetCallerIdentity: only the policy of an endpoint can deny it.
        asks_nobody = operation == "GetCallerIdentity"
        policies = Permissions() if asks_nobody else self.account.permissions
        checks = policies.checks(
            endpoint=entry.endpoint.policy if entry.endpoint else None, through_endpoint=entry.endpoint is not None
        )
        call = Call(principal, f"{self.name}:{operation}", f"{arn}:{self._resource(content)}")
        if refusal := call.refusal(checks, states_reason=self.account.permissions.states_reason):
            return self._error("AccessDeniedException", refusal, 403)
        return self._reply(operation, content, principal)

    def _operation(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The operation and its input: STS has the query protocol, the others JSON."""
        if self.name == "sts":
            fields = dict(parse_qsl(request.body.decode()))
            return fields.get("Action", ""), fields
        return json_call(request)

    def _resource(self, content: Mapping[str, Any]) -> str:
        names_asked = content.get("Names") or ["*"]
        return str(content.get("SecretId") or names_asked[0])

    def _reply(self, operation: str, content: Mapping[str, Any], principal: Principal) -> Reply:
        if operation == "GetSecretValue":
            value = self.secrets.get(str(content.get("SecretId")))
            if value is None or "VersionId" in content:
                message = "Secrets Manager can't find the specified secret."
                return json_error("ResourceNotFoundException", message)
            return json_reply({"Name": content["SecretId"], "SecretString": value})
        if operation == "GetParameters":
            asked = list(content.get("Names", ()))
            found = [{"Name": name, "Value": self.secrets[name]} for name in asked if name in self.secrets]
            missing = [name for name in asked if name not in self.secrets]
            return json_reply({"Parameters": found, "InvalidParameters": missing})
        if operation == "ListAliases":
            return json_reply({"Aliases": [{"AliasName": "alias/aws/ecr"}], "Truncated": False})
        if operation == "DescribeClusters":
            return json_reply({"clusters": [{"clusterName": "main"}], "failures": []})
        if operation == "GetCallerIdentity":
            result = f"<GetCallerIdentityResult><Arn>{principal.session}</Arn></GetCallerIdentityResult>"
            return self._xml(
                f'<GetCallerIdentityResponse xmlns="{_STS_NAMESPACE}">{result}</GetCallerIdentityResponse>'
            )
        return json_error("UnknownOperationException", "")

    def _error(self, kind: str, message: str, status: int) -> Reply:
        if self.name != "sts":
            return json_error(kind, message)
        code = kind.removesuffix("Exception")
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        return self._xml(f'<ErrorResponse xmlns="{_STS_NAMESPACE}">{error}</ErrorResponse>', status)

    def _xml(self, text: str, status: int = 200) -> Reply:
        return Reply(status, text.encode(), (("x-amzn-RequestId", str(uuid4())),), "text/xml")
