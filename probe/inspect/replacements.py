"""`--with KIND:ID=FILE`: what a change of the reader's own would do. The file has the object in the API's own shape.

It is applied to the configuration in memory, as the changes are that `inspect` proposes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from probe.config.flags import Arguments
from probe.configuration.document import Configuration, Source
from probe.configuration.operations import (
    ENDPOINTS,
    NETWORK_ACLS,
    POLICY_VERSION,
    REPOSITORY_POLICY,
    ROLE_POLICY,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    Operation,
)
from probe.records import Record, replace
from probe.safe_words import json_bytes, quoted

Item = dict[str, Any]

# The kinds whose object is an item of a list.
_OBJECTS = {"security-group": SECURITY_GROUPS, "network-acl": NETWORK_ACLS, "route-table": ROUTE_TABLES}
_POLICY = "policy"
KINDS = (_POLICY, *_OBJECTS)
MAX_BYTES = 1024 * 1024
_FORM = f"KIND:ID=FILE, where KIND is {', '.join(KINDS[:-1])} or {KINDS[-1]}"


class Wanted(Record, frozen=True):
    """One --with, before its file is read."""

    kind: str
    identity: str
    file: str


def parse(text: str) -> Wanted:
    """Raises ValueError with one plain sentence."""
    kind, colon, rest = text.partition(":")
    # The id can be an ARN, and a file's name can contain "=" too.
    identity, equals, file = rest.partition("=")
    if kind not in KINDS or not colon or not equals or not identity or not file:
        raise ValueError(f"{quoted(text)} is not {_FORM}")
    return Wanted(kind, identity, file)


class Replacement(Record, frozen=True):
    """An object as it would be. `value` is JSON: the object's members, or the policy document."""

    kind: str
    identity: str
    value: str

    def applied(self, configuration: Configuration) -> Configuration:
        """The configuration with this object in place of the one that was read."""
        if self.kind in _OBJECTS:
            operation = _OBJECTS[self.kind]
            members = operation.kept(msgspec.json.decode(self.value))
            return configuration.edited(
                operation, self.identity, lambda item: {**item, **members, **self._key(operation)}
            )
        if self.identity.startswith("vpce-"):
            return configuration.edited(ENDPOINTS, self.identity, lambda item: {**item, "PolicyDocument": self.value})
        return replace(configuration, sources=tuple(map(self._with_policy, configuration.sources)))

    def is_part_of(self, configuration: Configuration) -> bool:
        """Whether the object was read, so that it is part of the path."""
        return any(map(self._concerns, configuration.sources))

    def _key(self, operation: Operation) -> Item:
        return {operation.key: self.identity} if operation.key else {}

    def _concerns(self, source: Source) -> bool:
        operation = ENDPOINTS if self.identity.startswith("vpce-") else _OBJECTS.get(self.kind)
        if operation is None:
            return _is_policy_of(source, self.identity)
        items = (
            (source.reply or {}).get(operation.items or "", ()) if source.question.operation == operation.name else ()
        )
        return any(item.get(operation.key) == self.identity for item in items)

    def _with_policy(self, source: Source) -> Source:
        if not _is_policy_of(source, self.identity):
            return source
        document = msgspec.json.decode(self.value)
        replies: dict[str, Callable[[], Item]] = {
            REPOSITORY_POLICY.name: lambda: {"policyText": self.value},
            ROLE_POLICY.name: lambda: {**(source.reply or {}), "PolicyDocument": document},
            POLICY_VERSION.name: lambda: {"PolicyVersion": {"Document": document}},
        }
        return replace(source, reply=replies[source.question.operation](), obstacle=None, missing=None, words=None)


def _is_policy_of(source: Source, identity: str) -> bool:
    """Whether this is the policy of a repository, "role/policy" of an inline one, or a managed policy's version."""
    parameters: Item = msgspec.json.decode(source.question.parameters)
    match source.question.operation:
        case REPOSITORY_POLICY.name:
            return bool(parameters.get("repositoryName") == identity)
        case ROLE_POLICY.name:
            return f"{parameters.get('RoleName')}/{parameters.get('PolicyName')}" == identity
        case POLICY_VERSION.name:
            return bool(parameters.get("PolicyArn") == identity)
    return False


def replacement(wanted: Wanted, document: bytes) -> Replacement:
    """Read the file of a --with. Raises ValueError with one plain sentence."""
    if len(document) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        content = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(content, dict):
        raise ValueError("is not a JSON object")
    operation = _OBJECTS.get(wanted.kind)
    if operation is not None:
        content = _item(content, operation, wanted)
    elif "Statement" not in content:
        raise ValueError("is not a policy document: it has no Statement")
    return Replacement(wanted.kind, wanted.identity, json_bytes(content).decode())


def _item(content: Item, operation: Operation, wanted: Wanted) -> Item:
    """The object of a file that has it alone, or in a reply of AWS's CLI."""
    items = content.get(operation.items or "")
    listed = items if isinstance(items, list) else [content]
    found = [
        item for item in listed if isinstance(item, dict) and item.get(str(operation.key)) in (wanted.identity, None)
    ]
    if len(found) != 1:
        raise ValueError(f"does not contain {wanted.identity}")
    if not set(found[0]) & set(operation.keep) - {operation.key}:
        raise ValueError(f"has no member of a {wanted.kind}, such as {operation.keep[-1]}")
    return found[0]


def refuse_strangers(replacements: Iterable[Replacement], configuration: Configuration, arguments: Arguments) -> None:
    """Raises UsageError for an object that is not part of the path."""
    for each in replacements:
        if not each.is_part_of(configuration):
            raise arguments.refusal(
                "with", f"{each.kind} {quoted(each.identity)} is not part of the path that was read"
            )
