"""Who may do what: policies, and the sentences in which AWS refuses (IAM guide, "troubleshoot access denied")."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from probe.records import Record, Unshown

ENDPOINT = "VPC endpoint policy"
SERVICE_CONTROL = "service control policy"
IDENTITY = "identity-based policy"
RESOURCE = "resource-based policy"


class Principal(Record, frozen=True):
    """A role in use. Policies name `role`, AWS's sentences the session."""

    account: str
    role: str
    session: str


class Statement(Record, frozen=True):
    actions: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    principals: tuple[str, ...] = ("*",)
    effect: str = "Allow"

    def speaks_of(self, principal: Principal, action: str, resource: str) -> bool:
        return (
            any(fnmatchcase(name, each) for each in self.principals for name in (principal.role, principal.account))
            and any(fnmatchcase(action, each) for each in self.actions)
            and any(fnmatchcase(resource, each) for each in self.resources)
        )


Policy = tuple[Statement, ...]
ALLOW_ALL: Policy = (Statement(),)  # the default policy of every endpoint, gateway or interface


class Call(Record, frozen=True):
    principal: Principal
    action: str
    resource: str
    quoted: bool = False  # S3 puts the resource in double quotes, ECR does not

    def refusal(self, checks: Iterable[tuple[str, Policy]], *, enriched: bool = True) -> str | None:
        """The sentence of the first policy that refuses; only one is ever named. None where all allow."""
        for kind, policy in checks:
            speaking = [each for each in policy if each.speaks_of(self.principal, self.action, self.resource)]
            if any(each.effect == "Deny" for each in speaking):
                article = "an" if kind[0] in "aeiou" else "a"
                return self._sentence(f" with an explicit deny in {article} {kind}", enriched)
            if not speaking:
                return self._sentence(f" because no {kind} allows the {self.action} action", enriched)
        return None

    def _sentence(self, reason: str, enriched: bool) -> str:
        resource = f'"{self.resource}"' if self.quoted else self.resource
        words = f"User: {self.principal.session} is not authorized to perform: {self.action} on resource: {resource}"
        return words + (reason if enriched else "")  # the older form ends after the resource


class Permissions(Record):
    """What stands in the policies outside endpoints. `own_endpoint_only` is an aws:SourceVpce condition on the role."""

    role: Policy = ALLOW_ALL
    organisation: Policy = ALLOW_ALL
    own_endpoint_only: bool = False
    enriched: bool = True

    def checks(
        self, *, endpoint: Policy | None, through_endpoint: bool, resource: Policy | None = None
    ) -> list[tuple[str, Policy]]:
        """The policies of one call. A `resource` policy counts where the account is another one."""
        role = () if self.own_endpoint_only and not through_endpoint else self.role
        found = [(SERVICE_CONTROL, self.organisation), (IDENTITY, role)]
        if endpoint is not None:
            found.insert(0, (ENDPOINT, endpoint))
        if resource is not None:
            found.append((RESOURCE, resource))
        return found


class Keys(Unshown, frozen=True):
    """Credentials and whose they are."""

    access_key: str
    secret_key: str
    token: str
    principal: Principal


def layer_service(partition: str, region: str) -> Principal:
    """The principal that S3 sees behind a presigned layer URL: ECR's own role, whoever pulls (from a denial)."""
    account, name = "812812325446", f"storage-access-role-prod-{region}"
    return Principal(
        account,
        f"arn:{partition}:iam::{account}:role/{name}",
        f"arn:{partition}:sts::{account}:assumed-role/{name}/ecr",
    )
