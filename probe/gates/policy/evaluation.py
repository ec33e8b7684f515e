"""What policy documents say about a request: the statement that decides, and what it depends on.

IAM user guide, "Policy evaluation logic", "IAM JSON policy elements reference". AWS[explicit-deny]
AWS[policy-language]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

from probe.gates.policy import condition
from probe.gates.policy.condition import MalformedError
from probe.gates.policy.pattern import UNKNOWN_PART, compiled, matches
from probe.gates.policy.truth import NO, YES, AwsOwned, Lookup, Truth, all_of, any_of
from probe.model import GateAnswer
from probe.records import Record

MOST_CHARACTERS = 65536  # AWS's longest, that of a KMS key, has 32 KiB
VARIABLES_SINCE = "2012-10-17"
_VERSIONS = (VARIABLES_SINCE, "2008-10-17", None)
_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_LONGEST_SID = 100
_ACCOUNT = re.compile(r"(?:arn:[a-z-]{1,20}:iam::)?(\d{12})(?::root)?", re.ASCII)
_SESSION = re.compile(r"arn:[a-z-]{1,20}:sts::(\d{12}):assumed-role/([^/]{1,64})/(.{1,64})", re.ASCII)


class PolicyKind(StrEnum):
    """Which elements a document has, and how its Principal is read."""

    IDENTITY = "identity"  # also boundaries and service control policies: no Principal
    RESOURCE = "resource"  # of one resource: Resource may be missing
    ENDPOINT = "endpoint"
    GATEWAY = "gateway"  # of a gateway endpoint: only the Principal "*" is every principal AWS[gateway-principals]


class Principal(Record, frozen=True, kw_only=True):
    """Who makes a request: a role in a session, a service, or `aws`, a principal of AWS's own in no account of `ours`.

    `bounded`: the role has a permissions boundary. None of all: it is not known.
    """

    role: str | None = None  # its ARN
    service: str | None = None
    aws: AwsOwned | None = None
    bounded: bool | None = False

    @property
    def account(self) -> str | None:
        return self.role.split(":")[4] if self.role else None


class Request(Record, frozen=True, kw_only=True):
    """One request. `resource` is an ARN, which may contain UNKNOWN_PART, or "*". `lookup` knows the condition keys."""

    action: str
    resource: str
    principal: Principal
    lookup: Lookup


class Document(Record, frozen=True):
    """A policy document, under the name by which messages refer to it."""

    name: str
    text: str

    @staticmethod
    def of(name: str, content: Any) -> Document:
        """`content` is the document's text, or what that is parsed to."""
        return Document(name, content if isinstance(content, str) else json.dumps(content))


class Ruling(Record, frozen=True, kw_only=True):
    """What documents say together. `policy` and `statement` name what decided: of an implicit denial the statement that
    comes closest, with the element of it that does not match.

    `explicit`: by a Deny. `keys` are the condition keys that matter: those on which the answer depends, those of the
    denying statement, or those that do not match. `delegated`: an account is allowed, which still has to allow
    its role. `problem`: why a document could not be evaluated.
    """

    answer: GateAnswer
    explicit: bool = False
    policy: str | None = None
    statement: str | None = None
    index: int | None = None
    keys: tuple[str, ...] = ()
    mismatch: str | None = None
    delegated: bool = False
    problem: str | None = None


class _Statement(Record, frozen=True):
    label: str
    index: int
    elements: dict[str, Any]
    variables: bool

    @property
    def denies(self) -> bool:
        return bool(self.elements["Effect"] == "Deny")


class _Match(Record, frozen=True):
    document: str
    statement: _Statement
    truth: Truth
    delegated: bool = False


def evaluate(
    documents: Iterable[Document], request: Request, kind: PolicyKind, *, allowed_elsewhere: bool = False
) -> Ruling:
    """The answer of all documents together: one Deny refuses, and without an Allow nothing is allowed.

    `allowed_elsewhere`: another policy allows it, so that only what denies counts here.
    """
    denials: list[_Match] = []
    allowances: list[_Match] = []
    problem: Ruling | None = None
    statements: list[tuple[str, _Statement]] = []
    for document in documents:
        try:
            parsed = statements_of(document.text, kind)
        except MalformedError as error:
            problem = Ruling(answer=GateAnswer.UNKNOWN, policy=document.name, problem=str(error.args[0]))
            continue
        for statement in parsed:
            statements.append((document.name, statement))
            match = _match(document.name, statement, request, kind)
            if match.truth.value is not False:
                (denials if statement.denies else allowances).append(match)
    for match in denials:
        if match.truth.value:
            return _ruling(GateAnswer.REFUSES, match, explicit=True)
    if problem is not None:
        return problem
    if not allowances and not allowed_elsewhere:
        return _closest(statements, request, kind)
    if denials:
        return _ruling(GateAnswer.DEPENDS, denials[0], explicit=True)
    if allowed_elsewhere:
        return Ruling(answer=GateAnswer.ALLOWS)
    certain = [match for match in allowances if match.truth.value]
    certain.sort(key=lambda match: match.delegated)
    return _ruling(GateAnswer.ALLOWS, certain[0]) if certain else _ruling(GateAnswer.DEPENDS, allowances[0])


def _ruling(answer: GateAnswer, match: _Match, *, explicit: bool = False) -> Ruling:
    return Ruling(
        answer=answer,
        explicit=explicit,
        policy=match.document,
        statement=match.statement.label,
        index=match.statement.index,
        keys=match.truth.keys or (_condition_keys(match.statement) if explicit else ()),
        delegated=match.delegated,
    )


def _condition_keys(statement: _Statement) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for keys in statement.elements.get("Condition", {}).values() for key in keys))


def _closest(statements: Sequence[tuple[str, _Statement]], request: Request, kind: PolicyKind) -> Ruling:
    """The implicit denial, with the Allow that lacks least."""
    best: tuple[int, Ruling] = (0, Ruling(answer=GateAnswer.REFUSES))
    for name, statement in statements:
        if statement.denies:
            continue
        parts = list(_parts(statement, request, kind))
        fitting = next((number for number, (_, part) in enumerate(parts) if part.value is False), len(parts))
        if best[0] < fitting < len(parts):
            element = parts[fitting][0]
            keys = _failing_keys(statement, request) if element == "Condition" else ()
            ruling = Ruling(
                answer=GateAnswer.REFUSES,
                policy=name,
                statement=statement.label,
                index=statement.index,
                keys=keys,
                mismatch=f"Condition on {' and '.join(keys)}" if keys else element,
            )
            best = (fitting, ruling)
    return best[1]


def _failing_keys(statement: _Statement, request: Request) -> tuple[str, ...]:
    block = statement.elements["Condition"]
    return tuple(dict.fromkeys(condition.failing(block, request.lookup, variables=statement.variables)))


def _match(document: str, statement: _Statement, request: Request, kind: PolicyKind) -> _Match:
    found = all_of(part for _, part in _parts(statement, request, kind))
    delegated = (
        found.value is not False
        and "Principal" in statement.elements
        and _is_delegated(statement.elements["Principal"], request.principal)
    )
    return _Match(document, statement, found, delegated)


def _parts(statement: _Statement, request: Request, kind: PolicyKind) -> Iterator[tuple[str, Truth]]:
    """Each element of the statement, and whether it matches, the cheapest ones first."""
    elements = statement.elements
    lookup = request.lookup if statement.variables else None
    for element, negated in (("Action", False), ("NotAction", True)):
        if element in elements:
            found = any_of(_action(text, request.action) for text in _texts(elements[element]))
            yield element, found.negated() if negated else found
    for element, negated in (("Resource", False), ("NotResource", True)):
        if element in elements:
            found = any_of(_resource(text, request.resource, lookup) for text in _texts(elements[element]))
            yield element, found.negated() if negated else found
    if "Principal" in elements:
        yield (
            "Principal",
            any_of(
                _principal(sort, text, request.principal, kind) for sort, text in _principals(elements["Principal"])
            ),
        )
    if "NotPrincipal" in elements:
        yield "NotPrincipal", _not_principal(list(_principals(elements["NotPrincipal"])), request.principal)
    if "Condition" in elements:
        yield "Condition", condition.holds(elements["Condition"], request.lookup, variables=statement.variables)


def _action(text: str, action: str) -> Truth:
    return matches(compiled(text.lower(), None), action.lower(), "the action")


def _resource(text: str, resource: str, lookup: Lookup | None) -> Truth:
    return matches(compiled(text, lookup), resource, "the resource's name")


# ---- principals ------------------------------------------------------------------------------------------------------


def _principals(value: Any) -> Iterator[tuple[str, str]]:
    """The kinds and names of a Principal. "*" is everybody."""
    if value == "*":
        yield "*", "*"
        return
    for sort, names in value.items():
        for name in _texts(names):
            yield sort, name


def _principal(sort: str, name: str, principal: Principal, kind: PolicyKind) -> Truth:
    if name == "*" and sort in ("*", "AWS"):
        return YES if principal.service is None or sort == "*" else Truth(None, ("Principal",))
    if principal.service is not None:
        return YES if sort == "Service" and name == principal.service else NO
    if sort != "AWS" or kind is PolicyKind.GATEWAY:
        return NO
    if principal.aws is not None:
        return NO if principal.aws.differs_from(name) or not _ACCOUNT.match(name) else Truth(None, ("Principal",))
    if principal.role is None:
        return Truth(None, ("Principal",))
    return _same(name, principal.role)


def _same(name: str, role: str) -> Truth:
    """Whether this is the role, its account, or one of its sessions. AWS[principal-forms]"""
    account, role_name = role.split(":")[4], role.rpartition("/")[2]
    if name == role or _account(name) == account:
        return YES
    session = _SESSION.fullmatch(name)
    if session and (session[1], session[2]) == (account, role_name):
        return Truth(None, ("the role's session name",))
    return NO


def _account(name: str) -> str | None:
    match = _ACCOUNT.fullmatch(name)
    return match[1] if match and name.startswith("arn:") == name.endswith(":root") else None


def _is_delegated(value: Any, principal: Principal) -> bool:
    """Whether the role matches by its account alone."""
    if principal.role is None:
        return False
    names = [name for sort, name in _principals(value) if sort in ("*", "AWS")]
    account = principal.account
    return not any(name in ("*", principal.role) for name in names) and any(_account(name) == account for name in names)


def _not_principal(listed: Sequence[tuple[str, str]], principal: Principal) -> Truth:
    """Whether the principal is not excepted. A role is excepted for certain only where its account is listed too, and
    never where it has a permissions boundary. AWS[not-principal]"""
    names = [name for sort, name in listed if sort in ("*", "AWS")]
    if "*" in names:
        return NO
    if principal.service is not None:
        return NO if ("Service", principal.service) in listed else YES
    if principal.aws is not None:
        return all_of(
            YES if principal.aws.differs_from(name) or not _ACCOUNT.match(name) else Truth(None, ("NotPrincipal",))
            for name in names
        )
    if principal.role is None:
        return Truth(None, ("NotPrincipal",))
    if principal.bounded:
        return YES
    if principal.role in names and any(_account(name) == principal.account for name in names):
        return Truth(None, ("the role's permissions boundary",)) if principal.bounded is None else NO
    is_listed = any(_same(name, principal.role).value is not False for name in names)
    return Truth(None, ("NotPrincipal",)) if is_listed else YES


# ---- documents -------------------------------------------------------------------------------------------------------


@lru_cache(64)
def statements_of(text: str, kind: PolicyKind) -> tuple[_Statement, ...]:
    """The statements of a document. Raises MalformedError."""
    if len(text) > MOST_CHARACTERS:
        raise MalformedError(f"the document has more than {MOST_CHARACTERS} characters")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedError("the document is not JSON") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise MalformedError("the document has no Statement")
    if document.get("Version") not in _VERSIONS:
        raise MalformedError("the document has a Version that IAM does not have")
    listed = document["Statement"]
    variables = document.get("Version") == VARIABLES_SINCE
    return tuple(
        _statement(entry, index, kind, variables=variables)
        for index, entry in enumerate(listed if isinstance(listed, list) else [listed])
    )


def _statement(entry: Any, index: int, kind: PolicyKind, *, variables: bool) -> _Statement:
    if not isinstance(entry, dict) or not entry.keys() <= _ELEMENTS:
        raise MalformedError(f"Statement[{index}] has an element that IAM does not have")
    sid = entry.get("Sid")
    is_shown = isinstance(sid, str) and 0 < len(sid) <= _LONGEST_SID and sid.isprintable()
    label = str(sid) if is_shown else f"Statement[{index}]"
    if entry.get("Effect") not in ("Allow", "Deny"):
        raise MalformedError(f"{label} has no Effect")
    _check_one(entry, "Action", label, needed=True)
    _check_one(entry, "Resource", label, needed=kind is not PolicyKind.RESOURCE)
    has_principal = "Principal" in entry or "NotPrincipal" in entry
    if has_principal is (kind is PolicyKind.IDENTITY) or ("Principal" in entry and "NotPrincipal" in entry):
        raise MalformedError(f"{label} has {'a' if has_principal else 'no'} Principal")
    for element in ("Principal", "NotPrincipal"):
        if element in entry:
            _check_principal(entry[element], label)
    if "Condition" in entry:
        condition.check(entry["Condition"])
    return _Statement(label, index, entry, variables)


def _check_one(entry: dict[str, Any], element: str, label: str, *, needed: bool) -> None:
    """One of the element and its negation, not both, with texts."""
    names = [name for name in (element, f"Not{element}") if name in entry]
    if len(names) > 1 or (needed and not names):
        raise MalformedError(f"{label} has {'two kinds of' if names else 'no'} {element}")
    for name in names:
        _check_texts(entry[name], label)


def _check_texts(value: Any, label: str) -> None:
    texts = _texts(value)
    if not texts or not all(isinstance(text, str) and text and UNKNOWN_PART not in text for text in texts):
        raise MalformedError(f"{label} has an element that is not a text")


def _check_principal(value: Any, label: str) -> None:
    if value == "*":
        return
    if not isinstance(value, dict) or not value or not value.keys() <= set(_PRINCIPALS):
        raise MalformedError(f"{label} has a Principal that IAM does not have")
    for names in value.values():
        _check_texts(names, label)


def _texts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
