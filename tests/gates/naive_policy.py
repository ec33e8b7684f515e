"""A second evaluator of policies, deliberately naive and written apart from the first: two-valued, all keys known.

It follows the wording of the IAM user guide: regular expressions for wildcards, and one function for each sentence.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Any

Context = dict[str, list[str]]  # by lower-case key; an absent key is not in it


def is_allowed(
    policies: list[Any], action: str, resource: str, role: str | None, context: Context, *, gateway: bool = False
) -> bool:
    """`role` None: an identity policy, whose statements have no Principal."""
    effects = [
        statement["Effect"]
        for policy in policies
        for statement in as_list(policy["Statement"])
        if applies(statement, policy.get("Version") == "2012-10-17", action, resource, role, context, gateway)
    ]
    return "Deny" not in effects and "Allow" in effects


def applies(
    statement: Any, new: bool, action: str, resource: str, role: str | None, context: Context, gateway: bool
) -> bool:
    if "Action" in statement and not any(wild(a.lower(), action.lower()) for a in as_list(statement["Action"])):
        return False
    if "NotAction" in statement and any(wild(a.lower(), action.lower()) for a in as_list(statement["NotAction"])):
        return False
    if "Resource" in statement and not any(
        wild_with(r, resource, context, new) for r in as_list(statement["Resource"])
    ):
        return False
    if "NotResource" in statement and any(
        wild_with(r, resource, context, new) for r in as_list(statement["NotResource"])
    ):
        return False
    if "Principal" in statement and not is_principal(statement["Principal"], role or "", gateway):
        return False
    for operator, tests in statement.get("Condition", {}).items():
        for key, wanted in tests.items():
            if not test(operator, context.get(key.lower()), as_list(wanted), context, new):
                return False
    return True


def is_principal(value: Any, role: str, gateway: bool) -> bool:
    names = as_list(value if value == "*" else value.get("AWS", []))
    if "*" in names:
        return True
    if gateway:
        return False
    account = role.split(":")[4]
    return role in names or account in names or f"arn:aws:iam::{account}:root" in names


def test(operator: str, have: list[str] | None, wanted: list[Any], context: Context, new: bool) -> bool:
    if operator == "Null":
        return (have is None) == (str(wanted[0]).lower() == "true")
    if operator.endswith("IfExists"):
        return have is None or test(operator[: -len("IfExists")], have, wanted, context, new)
    if operator.startswith("ForAllValues:"):
        return all(one(operator[len("ForAllValues:") :], value, wanted, context, new) for value in have or [])
    if operator.startswith("ForAnyValue:"):
        return any(one(operator[len("ForAnyValue:") :], value, wanted, context, new) for value in have or [])
    if "Not" in operator:
        return all(one(operator, value, wanted, context, new) for value in have or [])
    return any(one(operator, value, wanted, context, new) for value in have or [])


def one(operator: str, value: str, wanted: list[Any], context: Context, new: bool) -> bool:
    if "Not" in operator:
        return not one(
            operator.replace("Not", "", 1) if operator != "NotIpAddress" else "IpAddress", value, wanted, context, new
        )
    return any(equal(operator, value, text(entry), context, new) for entry in wanted)


def equal(operator: str, value: str, wanted: str, context: Context, new: bool) -> bool:
    match operator:
        case "StringEquals":
            return wild_with(wanted, value, context, new, wildcards=False)
        case "StringEqualsIgnoreCase":
            return wild_with(
                wanted.lower(),
                value.lower(),
                {k: [e.lower() for e in v] for k, v in context.items()},
                new,
                wildcards=False,
            )
        case "StringLike":
            return wild_with(wanted, value, context, new)
        case "ArnEquals" | "ArnLike":
            theirs, ours = wanted.split(":", 5), value.split(":", 5)
            return len(ours) == 6 and all(wild_with(a, b, context, new) for a, b in zip(theirs, ours, strict=True))
        case "Bool":
            return value.lower() == wanted.lower()
        case "IpAddress":
            return ip_address(value) in ip_network(wanted, strict=False)
        case "NumericEquals":
            return float(value) == float(wanted)
        case "NumericLessThan":
            return float(value) < float(wanted)
        case "NumericLessThanEquals":
            return float(value) <= float(wanted)
        case "NumericGreaterThan":
            return float(value) > float(wanted)
        case "NumericGreaterThanEquals":
            return float(value) >= float(wanted)
        case "DateLessThan":
            return value < wanted  # of one written form
        case "DateGreaterThan":
            return value > wanted
    raise AssertionError(operator)


def wild(pattern: str, value: str) -> bool:
    return (
        re.fullmatch(
            "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern), value, re.DOTALL
        )
        is not None
    )


def wild_with(pattern: str, value: str, context: Context, new: bool, *, wildcards: bool = True) -> bool:
    """The same with policy variables, which only the new version has."""
    expression = ""
    for part in re.split(r"(\$\{[^}]*\})" if new else r"(?!)", pattern):
        if new and part.startswith("${"):
            name, _, default = part[2:-1].partition(",")
            if name in ("*", "?", "$"):
                expression += re.escape(name)
                continue
            values = context.get(name.strip().lower(), [default.strip().strip("'")] if default else [])
            if len(values) != 1:
                return False
            expression += re.escape(values[0])
        else:
            expression += "".join(
                {"*": ".*", "?": "."}.get(letter, re.escape(letter)) if wildcards else re.escape(letter)
                for letter in part
            )
    return re.fullmatch(expression, value, re.DOTALL) is not None


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
