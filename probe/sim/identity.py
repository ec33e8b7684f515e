"""Policies, and AWS's sentences for denied calls (IAM guide, "troubleshoot access denied")."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from probe.records import Record, Unshown

ENDPOINT = "VPC endpoint policy"
SERVICE_CONTROL = "service control policy"
IDENTITY = "identity-based policy"
RESOURCE = "resource-based policy"


class Principal(Record, frozen=True):
    """A role session. Policies name `role`, AWS's sentences name `session`."""

    account: str
    role: str
    session: str


class Statement(Record, frozen=True):
    actions: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    principals: tuple[str, ...] = ("*",)
    effect: str = "Allow"

    def applies_to(self, principal: Principal, action: str, resource: str) -> bool:
        return (
            any(
                fnmatchcase(name, pattern)
                for pattern in self.principals
                for name in (principal.role, principal.account)
            )
            and any(fnmatchcase(action, pattern) for pattern in self.actions)
            and any(fnmatchcase(resource, pattern) for pattern in self.resources)
        )


Policy = tuple[Statement, ...]
ALLOW_ALL: Policy = (Statement(),)  # the default policy of every endpoint, gateway or interface


class Call(Record, frozen=True):
    principal: Principal
    action: str
    resource: str
    quoted: bool = False  # S3 puts the resource in double quotes, ECR does not

    def refusal(self, checks: Iterable[tuple[str, Policy]], *, states_reason: bool = True) -> str | None:
        """AWS's sentence, which names the first policy that denies; None where all allow."""
        for kind, policy in checks:
            statements = [rule for rule in policy if rule.applies_to(self.principal, self.action, self.resource)]
            if any(rule.effect == "Deny" for rule in statements):
                article = "an" if kind[0] in "aeiou" else "a"
                return self._sentence(f" with an explicit deny in {article} {kind}", states_reason)
            if not statements:
                return self._sentence(f" because no {kind} allows the {self.action} action", states_reason)
        return None

    def _sentence(self, reason: str, states_reason: bool) -> str:
        resource = f'"{self.resource}"' if self.quoted else self.resource
        denied = f"User: {self.principal.session} is not authorized to perform: {self.action} on resource: {resource}"
        return denied + (reason if states_reason else "")  # the older form ends after the resource


class Permissions(Record):
    """The policies apart from those of endpoints. `own_endpoint_only`: an aws:SourceVpce condition on the role."""

    role: Policy = ALLOW_ALL
    organisation: Policy = ALLOW_ALL
    own_endpoint_only: bool = False
    states_reason: bool = True  # denials name the kind of policy

    def checks(
        self, *, endpoint: Policy | None, through_endpoint: bool, resource: Policy | None = None
    ) -> list[tuple[str, Policy]]:
        """The policies that apply to a call, in AWS's order. `resource`: of a repository in another account."""
        role = () if self.own_endpoint_only and not through_endpoint else self.role
        policies = [(SERVICE_CONTROL, self.organisation), (IDENTITY, role)]
        if endpoint is not None:
            policies.insert(0, (ENDPOINT, endpoint))
        if resource is not None:
            policies.append((RESOURCE, resource))
        return policies


class Keys(Unshown, frozen=True):
    """Credentials and their principal."""

    access_key: str
    secret_key: str
    token: str
    principal: Principal


def layer_service(partition: str, region: str) -> Principal:
    """The principal of a presigned layer URL: ECR's own role, not the caller's (from a captured denial)."""
    account, name = "812812325446", f"storage-access-role-prod-{region}"
    return Principal(
        account,
        f"arn:{partition}:iam::{account}:role/{name}",
        f"arn:{partition}:sts::{account}:assumed-role/{name}/ecr",
    )
