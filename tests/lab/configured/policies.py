"""Policies of endpoints: the laboratory's servers refuse the calls that a policy does not allow.

An evaluator of its own decides, `tests.gates.naive_policy`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.gates.naive_policy import applies, as_list, is_allowed
from tests.lab.cloud import ACCOUNT, HOSTS, REGION
from tests.lab.configured.network import Item, Network

_REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app"
# ECR reads layers for its callers, by a role and from a bucket of its own.
_STORAGE_ROLE = f"arn:aws:iam::812812325446:role/storage-access-role-prod-{REGION}"
_STORAGE_SESSION = f"arn:aws:sts::812812325446:assumed-role/storage-access-role-prod-{REGION}/ecr"
_LAYER = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/1/layer"


class Policies:
    """What the policies of the account's endpoints refuse to a role. Through which endpoint a call goes is not decided
    here: nothing but the gateway endpoint of the task's table leads to S3, and each name to its own endpoint.
    """

    def __init__(self, network: Network, role: str) -> None:
        self._network = network
        self._role = role

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Names with the directives of nginx that refuse calls there."""
        for name in HOSTS:
            endpoint = self._endpoint(name)
            found = [] if endpoint is None else list(self._at(endpoint, name))
            if found:
                yield name, " ".join(found)
        gateway = self._endpoint("s3")
        reason = None if gateway is None else self._refusal(gateway, "s3:GetObject", _LAYER)
        if reason is not None:
            message = (
                f"User: {_STORAGE_SESSION} is not authorized to perform: s3:GetObject on resource: {_LAYER} {reason}"
            )
            body = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
            headers = "add_header x-amz-request-id 4442587FB7D0A2F9 always; add_header x-amz-id-2 lab= always;"
            yield "s3", f"default_type application/xml; {headers} return 403 '{body}';"

    def _endpoint(self, name: str) -> Item | None:
        service = f"com.amazonaws.{REGION}.{name}"
        found = [item for item in self._network.items("VpcEndpoints") if item["ServiceName"] == service]
        return found[0] if found and "PolicyDocument" in found[0] else None

    def _at(self, endpoint: Item, name: str) -> Iterator[str]:
        if name == "ecr.dkr":
            for action, path in (("ecr:BatchGetImage", "manifests"), ("ecr:GetDownloadUrlForLayer", "blobs")):
                reason = self._refusal(endpoint, action, _REPOSITORY)
                if reason is not None:
                    error = {"errors": [{"code": "DENIED", "message": self._sentence(action, _REPOSITORY, reason)}]}
                    yield f"if ($uri ~ ^/v2/app/{path}/) {{ return 403 '{json.dumps(error)}'; }}"
        elif name == "ecr.api":
            action = "ecr:GetAuthorizationToken"
            reason = self._refusal(endpoint, action, "*")
            if reason is not None:
                denial = {"__type": "AccessDeniedException", "Message": self._sentence(action, "*", reason)}
                yield f"return 400 '{json.dumps(denial)}';"

    def _refusal(self, endpoint: Item, action: str, resource: str) -> str | None:
        """Why the call is refused, in the words of AWS's errors; None: it is allowed."""
        document = json.loads(endpoint["PolicyDocument"])
        role = _STORAGE_ROLE if action == "s3:GetObject" else self._role
        gateway = endpoint["VpcEndpointType"] == "Gateway"
        account = role.split(":")[4]
        context = {
            "aws:principalarn": [role],
            "aws:principalaccount": [account],
            "aws:resourceaccount": [account],
            "aws:sourcevpc": [endpoint["VpcId"]],
            "aws:sourcevpce": [endpoint["VpcEndpointId"]],
            "aws:securetransport": ["true"],
            "aws:requestedregion": [REGION],
        }
        if is_allowed([document], action, resource, role, context, gateway=gateway):
            return None
        new = document.get("Version") == "2012-10-17"
        denies = any(
            statement["Effect"] == "Deny" and applies(statement, new, action, resource, role, context, gateway)
            for statement in as_list(document["Statement"])
        )
        if denies:
            return "with an explicit deny in a VPC endpoint policy"
        return f"because no VPC endpoint policy allows the {action} action"

    def _sentence(self, action: str, resource: str, reason: str) -> str:
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{self._role.rpartition('/')[2]}/task"
        return _sentence(session, action, resource, reason)


def _sentence(session: str, action: str, resource: str, reason: str) -> str:
    return f"User: {session} is not authorized to perform: {action} on resource: {resource} {reason}"
