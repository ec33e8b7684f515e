"""The written forms of regions and ARNs, each stated once. `REGION` and `NAME` are patterns for re.ASCII.

IAM user guide, "IAM identifiers"; ECS developer guide, "Account settings" (ARN formats); AWS general reference.
"""

from __future__ import annotations

import re

REGION = r"[a-z]{2,}(?:-[a-z]+)+-\d+"  # a form, not a list: new regions are accepted
_PREFIX = r"arn:aws[a-z-]*"
_ACCOUNT = r"(?P<account>\d{12})"
NAME = r"[\w-]{1,255}"  # of a cluster, service or family of task definitions
_ROLE_NAME = r"(?P<name>[\w+=,.@-]{1,64})"
# The start of any ARN, to find one in a text. Some services' ARNs have no region or no account.
ANY = re.compile(rf"{_PREFIX}:(?P<service>[a-z][\w-]*):(?P<region>{REGION})?:(?:{_ACCOUNT}:)?", re.ASCII)
# Older accounts' ARNs of tasks and services do not contain the cluster.
ECS = re.compile(
    rf"{_PREFIX}:ecs:(?P<region>{REGION}):{_ACCOUNT}:(?P<kind>[a-z-]+)/(?:(?P<cluster>{NAME})/)?{NAME}(?::\d+)?",
    re.ASCII,
)
# A role's path is part of its ARN, and missing in the ARN of its sessions.
_ROLE = re.compile(rf"{_PREFIX}:iam::{_ACCOUNT}:role/(?:[\x21-\x7e]+/)?{_ROLE_NAME}", re.ASCII)
_USER = re.compile(rf"{_PREFIX}:iam::{_ACCOUNT}:user/(?:[\x21-\x7e]+/)?{_ROLE_NAME}", re.ASCII)
_SESSION = re.compile(rf"{_PREFIX}:sts::{_ACCOUNT}:assumed-role/{_ROLE_NAME}/[\w+=,.@-]{{2,64}}", re.ASCII)


def ecs_arn(text: str, kind: str) -> re.Match[str] | None:
    """Match the ARN of an ECS resource, such as a "task"."""
    match = ECS.fullmatch(text)
    return match if match is not None and match["kind"] == kind else None


def role_of(arn: str) -> tuple[str, str] | None:
    """Account and name of the role in its ARN, or in the ARN of one of its sessions."""
    match = _ROLE.fullmatch(arn) or _SESSION.fullmatch(arn)
    return (match["account"], match["name"]) if match else None


def user_of(arn: str) -> str | None:
    """Name of the IAM user in its ARN."""
    match = _USER.fullmatch(arn)
    return match["name"] if match else None
