"""A call to AWS's API: what a pull asks for, as which principal, through which endpoint."""

from __future__ import annotations

from probe.gates.pinned_images import Pin
from probe.model import Action
from probe.records import Record

TASKS = "ecs-tasks.amazonaws.com"


class Call(Record, frozen=True, kw_only=True):
    """One call. `action` is IAM's name. `resource` is its ARN, in which `*` is a part that is not known, or "*" alone
    for an action without resources.

    `principal` is the calling role's ARN, None where it is not known; `owner` the account of the resource. `step` is
    the step of a check that makes the call. `together` are all actions of the pull on this resource at this endpoint.
    """

    endpoint: str
    step: Action
    action: str
    resource: str
    principal: str | None
    owner: str | None
    region: str
    partition: str = "aws"
    together: tuple[str, ...] = ()
    assumed_by: tuple[str, ...] = (TASKS,)
    of_role: tuple[tuple[str, str], ...] = ()
    repository: str | None = None
    versions: tuple[str, ...] = ()  # tags and digests of the repository's images that are pulled
    pins: tuple[Pin, ...] = ()  # what ECS may have resolved the tags to
    platform: str | None = None  # that the task needs, os/architecture
    reads_manifest: bool = False  # the reader agreed to it
    log_group: str | None = None
    creates_log_group: bool = False  # the log driver creates the group if it is missing
    by_ecr: bool = False  # with ECR's presigned URL: the principal is AWS's own
    vpc_endpoint: str | None = None  # through which it goes
    public: bool = False  # it goes to a public address, past every endpoint
    sources: tuple[str, ...] = ()  # the caller's addresses, or the ranges of its subnet

    @property
    def caller_account(self) -> str | None:
        return self.principal.split(":")[4] if self.principal else None

    @property
    def crosses_accounts(self) -> bool:
        return None not in (self.caller_account, self.owner) and self.caller_account != self.owner

    @property
    def words(self) -> str:
        """The call in a sentence."""
        on = "" if self.resource == "*" else f" on {self.resource}"
        whom = " to ECR's own principal" if self.by_ecr else ""
        return f"{self.action}{on}{whom}"
