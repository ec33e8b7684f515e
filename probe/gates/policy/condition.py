"""The Condition element: operators, missing keys, sets of values. AWS[iam-conditions]

IAM user guide, "IAM JSON policy elements: Condition operators", "Condition", "Multivalued context keys".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from probe.gates.policy.pattern import UNKNOWN_PART, Pattern, arn_matches, compiled, matches, of_aws
from probe.gates.policy.truth import NO, YES, AwsOwned, Lookup, Truth, Values, all_of, any_of, known, truth
from probe.records import Record


class MalformedError(Exception):
    """The document is not one that AWS would accept, or is too large. `args[0]` is the reason."""


# Compares one value of the request with one of the policy.
Compare = Callable[[str | AwsOwned, str, str, Lookup | None], Truth]


def holds(block: Any, lookup: Lookup, *, variables: bool) -> Truth:
    """Whether a Condition element holds: all keys of all operators. Raises MalformedError."""
    if not isinstance(block, dict):
        raise MalformedError("Condition is not an object")
    return all_of(list(_conditions(block, lookup, variables=variables)))


def _conditions(block: dict[str, Any], lookup: Lookup, *, variables: bool) -> Iterator[Truth]:
    for name, keys in block.items():
        operator = _operator(name)
        if not isinstance(keys, dict):
            raise MalformedError(f"{name} of a Condition is not an object")
        for key, values in keys.items():
            yield operator.holds(key, _texts(values), lookup, variables=variables)


def check(block: Any) -> None:
    """Raise MalformedError where a Condition has an operator that does not exist or values of a wrong form."""
    holds(block, lambda _: (), variables=False)


def failing(block: dict[str, Any], lookup: Lookup, *, variables: bool) -> tuple[str, ...]:
    """The keys on which a Condition certainly fails."""
    return tuple(
        key
        for name, keys in block.items()
        for key, values in keys.items()
        if _operator(name).holds(key, _texts(values), lookup, variables=variables).value is False
    )


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(value) for value in (values if isinstance(values, list) else [values]))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise MalformedError("a value of a Condition is not a text")


class _Operator(Record, frozen=True):
    """One operator. `every` and `any_one`: ForAllValues and ForAnyValue. `if_exists`: an absent key satisfies it."""

    compare: Compare | None  # None: Null
    negated: bool = False
    every: bool = False
    any_one: bool = False
    if_exists: bool = False

    def holds(self, key: str, expected: tuple[str, ...], lookup: Lookup, *, variables: bool) -> Truth:
        values = known(key, lookup)
        if self.compare is None:
            return _null(values, expected, key)
        _check_values(self.compare, expected)
        inner = lookup if variables else None
        if values is None or self._compares_texts_of_a_range(key, values):
            return Truth(None, (key,))
        if isinstance(values, AwsOwned):
            answer = self._judge(values, expected, key, inner)
            without = values.optional and self._holds_without_a_key()
            return Truth(None, (key,)) if without and answer.value is False else answer
        if not values:
            return YES if self._holds_without_a_key() else NO
        answers = [self._judge(value, expected, key, inner) for value in values]
        if self.every or (self.negated and not self.any_one):
            return all_of(answers)
        return any_of(answers)

    def _compares_texts_of_a_range(self, key: str, values: Values) -> bool:
        """Whether the caller's address is known only as a range, which says nothing to operators for texts."""
        is_range = (
            key.lower() == "aws:vpcsourceip"
            and not isinstance(values, AwsOwned)
            and any("/" in value for value in values)
        )
        return is_range and self.compare is not _address

    def _judge(self, value: str | AwsOwned, expected: tuple[str, ...], key: str, lookup: Lookup | None) -> Truth:
        assert self.compare is not None
        found = any_of([self.compare(value, text, key, lookup) for text in expected])
        return found.negated() if self.negated else found

    def _holds_without_a_key(self) -> bool:
        return self.if_exists or self.every or (self.negated and not self.any_one)


def _null(values: Values | None, expected: tuple[str, ...], key: str) -> Truth:
    wanted = {text.lower() for text in expected}
    if not wanted <= {"true", "false"}:
        raise MalformedError("Null compares with something other than true and false")
    if values is None or (isinstance(values, AwsOwned) and values.optional):
        return Truth(None, (key,))
    return truth(("true" if values == () else "false") in wanted, key)


# ---- comparisons ---------------------------------------------------------------------------------------------------


def _equal(value: str | AwsOwned, text: str, key: str, lookup: Lookup | None) -> Truth:
    if isinstance(value, AwsOwned):
        return of_aws(value, text, key)
    return matches(compiled(text, lookup, wildcards=False), value, key)


def _equal_in_any_case(value: str | AwsOwned, text: str, key: str, lookup: Lookup | None) -> Truth:
    if isinstance(value, AwsOwned):
        return of_aws(value, text, key)
    pattern = compiled(text, lookup, wildcards=False)
    if pattern is None:
        return NO
    if pattern.unknown:
        return Truth(None, pattern.unknown)
    return matches(Pattern(tuple("".join(pattern.tokens).lower())), value.lower(), key)


def _like(value: str | AwsOwned, text: str, key: str, lookup: Lookup | None) -> Truth:
    if isinstance(value, AwsOwned):
        return of_aws(value, text, key)
    return matches(compiled(text, lookup), value, key)


def _arn(value: str | AwsOwned, text: str, key: str, lookup: Lookup | None) -> Truth:
    if isinstance(value, AwsOwned):
        return of_aws(value, text, key)
    return arn_matches(text, lookup, value, key)


def _bool(value: str | AwsOwned, text: str, key: str, _: Lookup | None) -> Truth:
    if isinstance(value, AwsOwned) or UNKNOWN_PART in value:
        return Truth(None, (key,))
    return YES if value.lower() == text.lower() else NO


def _binary(value: str | AwsOwned, text: str, key: str, _: Lookup | None) -> Truth:
    if isinstance(value, AwsOwned) or UNKNOWN_PART in value:
        return Truth(None, (key,))
    return YES if value == text else NO


def _address(value: str | AwsOwned, text: str, key: str, _: Lookup | None) -> Truth:
    """The value may be a range: then all of it has to be inside."""
    wanted = _network(text)
    if isinstance(value, AwsOwned) or UNKNOWN_PART in value or wanted is None:
        return Truth(None, (key,))
    network = _network(value)
    if network is None or network.version != wanted.version:
        return NO
    if network.subnet_of(wanted):  # type: ignore[arg-type]
        return YES
    return truth(None if network.overlaps(wanted) else False, key)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


_Order = Callable[[Any, Any], bool]


def _ordered(order: _Order, read: Callable[[str], Decimal | float | None]) -> Compare:
    """Compares two values as `read` understands them; what it does not understand does not match."""

    def compare(value: str | AwsOwned, text: str, key: str, _: Lookup | None) -> Truth:
        if isinstance(value, AwsOwned) or UNKNOWN_PART in value:
            return Truth(None, (key,))
        found, wanted = read(value), read(text)
        return NO if found is None or wanted is None else truth(order(found, wanted), key)

    return compare


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text) if len(text) <= 64 else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _instant(text: str) -> float | None:
    """Seconds since 1970, of an ISO 8601 date or of a number."""
    number = _decimal(text)
    if number is not None:
        return float(number)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


_ORDERS: dict[str, _Order] = {
    "equals": lambda value, wanted: bool(value == wanted),
    "lessthan": lambda value, wanted: bool(value < wanted),
    "lessthanequals": lambda value, wanted: bool(value <= wanted),
    "greaterthan": lambda value, wanted: bool(value > wanted),
    "greaterthanequals": lambda value, wanted: bool(value >= wanted),
}
_OPERATORS: dict[str, tuple[Compare | None, bool]] = {
    "stringequals": (_equal, False),
    "stringnotequals": (_equal, True),
    "stringequalsignorecase": (_equal_in_any_case, False),
    "stringnotequalsignorecase": (_equal_in_any_case, True),
    "stringlike": (_like, False),
    "stringnotlike": (_like, True),
    "arnequals": (_arn, False),
    "arnlike": (_arn, False),
    "arnnotequals": (_arn, True),
    "arnnotlike": (_arn, True),
    "bool": (_bool, False),
    "binaryequals": (_binary, False),
    "ipaddress": (_address, False),
    "notipaddress": (_address, True),
    "null": (None, False),
    "numericnotequals": (_ordered(_ORDERS["equals"], _decimal), True),
    "datenotequals": (_ordered(_ORDERS["equals"], _instant), True),
    **{f"numeric{name}": (_ordered(order, _decimal), False) for name, order in _ORDERS.items()},
    **{f"date{name}": (_ordered(order, _instant), False) for name, order in _ORDERS.items()},
}


def _operator(name: str) -> _Operator:
    lowered = name.lower()
    prefix, _, rest = lowered.rpartition(":")
    if_exists = rest.endswith("ifexists")
    compare = _OPERATORS.get(rest.removesuffix("ifexists"))
    if compare is None or prefix not in ("", "forallvalues", "foranyvalue") or (if_exists and compare[0] is None):
        raise MalformedError("a Condition has an operator that IAM does not have")
    return _Operator(*compare, every=prefix == "forallvalues", any_one=prefix == "foranyvalue", if_exists=if_exists)


def _check_values(compare: Compare, expected: tuple[str, ...]) -> None:
    if compare is _address and any(_network(text) is None for text in expected):
        raise MalformedError("a Condition compares an address with something that is no range")
