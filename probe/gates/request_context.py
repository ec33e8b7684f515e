"""What is known about a call when policies are evaluated: its principal and its condition keys.

A key that is not known here makes a policy that has it depend on it. AWS[request-context]
"""

from __future__ import annotations

from typing import Any

from probe.configuration.operations import CALLER_IDENTITY, ENDPOINTS, ORGANIZATION, ROLE
from probe.configuration.view import MissingError, View
from probe.gates.call import Call
from probe.gates.policy import UNKNOWN_PART, AwsOwned, Principal, Request
from probe.gates.policy.truth import Values

_ABSENT = ()
# Of a call that a role makes itself: no service calls on its behalf, or for a resource.
_OF_A_ROLE: dict[str, tuple[str, ...]] = {
    "aws:principaltype": ("AssumedRole",),
    "aws:principalisawsservice": ("false",),
    "aws:viaawsservice": ("false",),
    **dict.fromkeys(
        (
            "aws:calledvia",
            "aws:calledviafirst",
            "aws:calledvialast",
            "aws:principalservicename",
            "aws:principalservicenameslist",
            "aws:sourceaccount",
            "aws:sourcearn",
            "aws:sourceorgid",
            "aws:sourceorgpaths",
            "aws:username",
        ),
        _ABSENT,
    ),
}
_OF_AN_ENDPOINT = (
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
)


def caller_account(view: View) -> str:
    """The account of the reader, which is inspected. Raises MissingError."""
    return view.configuration.account or str(view.reply(CALLER_IDENTITY)["Account"])


def request_of(view: View, call: Call) -> Request:
    """The request of a call, in the form in which policies are evaluated."""
    resource = call.resource if call.resource == "*" else call.resource.replace("*", UNKNOWN_PART)
    context = _Context(view, call)
    return Request(action=call.action, resource=resource, principal=context.principal, lookup=context.lookup)


class _Context:
    def __init__(self, view: View, call: Call) -> None:
        self._view = view
        self._call = call
        self._values = self._simple_values()

    @property
    def principal(self) -> Principal:
        if self._call.by_ecr:
            return Principal(aws=self._aws())
        return Principal(role=self._call.principal, bounded=self._bounded())

    def _bounded(self) -> bool | None:
        """Whether the role has a permissions boundary, as far as that was read for another gate."""
        if self._call.principal is None:
            return None
        source = self._view.known(ROLE, RoleName=self._call.principal.rpartition("/")[2])
        return None if source is None else "PermissionsBoundary" in source.get("Role", {})

    def lookup(self, key: str) -> Values | None:
        """The values of a key. Raises MissingError where they have yet to be read."""
        if key in self._values:
            return self._values[key]
        return self._of_organization(key)

    def _simple_values(self) -> dict[str, Values]:
        call, read_at = self._call, self._view.configuration.read_at
        values: dict[str, Values] = {
            "aws:requestedregion": (call.region,),
            "aws:securetransport": ("true",),
            "aws:currenttime": (read_at.isoformat(),),
            "aws:epochtime": (str(int(read_at.timestamp())),),
            **self._of_endpoint(),
        }
        if call.by_ecr and call.action.startswith("kms:"):
            # With which principal ECR calls KMS is not documented. The key is the repository's account's.
            return {**values, "aws:resourceaccount": (call.owner,)} if call.owner is not None else values
        if call.by_ecr:
            for key in ("aws:principalarn", "aws:principalaccount", "aws:resourceaccount", "s3:resourceaccount"):
                values[key] = self._aws()
            for key in ("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid", "aws:resourceorgpaths"):
                values[key] = AwsOwned(self._aws().ours, True)
            return values
        if call.principal is not None:
            values |= _OF_A_ROLE
            values |= {"aws:principalarn": (call.principal,), "aws:principalaccount": (call.principal.split(":")[4],)}
        # Which account is that of an action without resources was not found, except within one account.
        if call.owner is not None and (call.resource != "*" or not call.crosses_accounts):
            values["aws:resourceaccount"] = (call.owner,)
        return values

    def _of_endpoint(self) -> dict[str, Values]:
        call = self._call
        if call.public:
            return dict.fromkeys(_OF_AN_ENDPOINT, _ABSENT)
        if call.vpc_endpoint is None:
            return {}
        # aws:SourceIp is absent where the request comes through an endpoint.
        values: dict[str, Values] = {"aws:sourcevpce": (call.vpc_endpoint,), "aws:sourceip": _ABSENT}
        if len(call.sources) == 1:
            values["aws:vpcsourceip"] = call.sources
        endpoint = self._endpoint() or {}
        vpc, owner = endpoint.get("VpcId"), endpoint.get("OwnerId")
        if vpc:
            values["aws:sourcevpc"] = (vpc,)
        if vpc and owner and call.action.startswith("ecr:"):  # AWS[vpce-condition-keys]
            region = self._view.configuration.region
            values["aws:sourcevpcarn"] = (f"arn:{call.partition}:ec2:{region}:{owner}:vpc/{vpc}",)
            values["aws:vpceaccount"] = (owner,)
        return values

    def _endpoint(self) -> dict[str, Any] | None:
        try:
            return self._view.item(ENDPOINTS, self._call.vpc_endpoint or "")
        except MissingError:
            return None

    def _of_organization(self, key: str) -> Values | None:
        """The organization of the caller's account, where the principal, the resource or the endpoint is in it."""
        call = self._call
        account = {
            "aws:principalorgid": call.caller_account,
            "aws:resourceorgid": call.owner,
            "aws:vpceorgid": (self._endpoint() or {}).get("OwnerId") if call.action.startswith("ecr:") else None,
        }.get(key)
        if account is None:
            return None
        try:
            if account != caller_account(self._view):
                return None
            return (str(self._view.reply(ORGANIZATION)["Organization"]["Id"]),)
        except MissingError as error:
            if error.obstacle is None:
                raise
            return _ABSENT if error.is_absence else None

    def _aws(self) -> AwsOwned:
        """What is AWS's own belongs neither to the reader's account nor to the endpoint's."""
        account: str | None = None
        try:
            account = caller_account(self._view)
        except MissingError as error:
            if error.obstacle is None:
                raise
        owner = (self._endpoint() or {}).get("OwnerId")
        return AwsOwned(frozenset(each for each in (account, owner) if each))
