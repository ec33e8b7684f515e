"""What to do about an error of AWS: the permission that is missing, and the policy file that has it."""

from __future__ import annotations

import re

from probe.config.flags import UsageError
from probe.operator.aws import ApiError, Kind
from probe.safe_words import scrub

POLICY = "task-definitions/iam/operator-up.json"
BY_HAND = "docs/by-hand.md"
_NEEDS_BOUNDARY = ("iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary")
_NOT_AUTHORIZED = re.compile(r"not authorized to perform:? (\w[\w-]*:\w+)")


def explained(reason: str) -> str:
    """AWS's sentence, scrubbed, and after a denial who allows it."""
    return with_remedy(scrub(reason), reason)


def with_remedy(text: str, reason: str) -> str:
    """`text`, and if the foreign text `reason` is a denial, who allows it."""
    denied = _NOT_AUTHORIZED.search(reason[:2000])
    return f"{text}; {_remedy(denied[1])}" if denied else text


def _remedy(action: str) -> str:
    if action in _NEEDS_BOUNDARY:
        return (
            f"{POLICY} allows {action} with --permissions-boundary (ECR_PROBE_PERMISSIONS_BOUNDARY), and {BY_HAND} is "
            "the way without it"
        )
    return f"{POLICY} allows {action}, and {BY_HAND} is the way without it"


def refusal_of(error: ApiError) -> UsageError:
    """The error for the user. Temporary errors were retried until no time was left."""
    match error.kind:
        case Kind.DENIED:
            return UsageError(
                f"{error.action} is not allowed to these credentials: {error.text}; {_remedy(error.action)}"
            )
        case Kind.CREDENTIALS:
            return UsageError(
                f"{error.text}; --profile (ECR_PROBE_PROFILE) names others, for example --profile default"
            )
    return UsageError(str(error))
