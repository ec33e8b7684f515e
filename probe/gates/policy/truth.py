"""Three-valued logic: yes, no, or a value that depends on keys that cannot be known. And the values of such keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from probe.records import Record


class Truth(Record, frozen=True):
    """`value` None: it depends on `keys`."""

    value: bool | None
    keys: tuple[str, ...] = ()

    def negated(self) -> Truth:
        return self if self.value is None else Truth(not self.value)


YES, NO = Truth(True), Truth(False)


def truth(value: bool | None, key: str) -> Truth:
    """`value`, or what depends on `key`."""
    return YES if value else Truth(None, (key,)) if value is None else NO


def all_of(parts: Iterable[Truth]) -> Truth:
    """Whether all parts hold. Parts behind one that does not are not looked at."""
    keys: dict[str, None] = {}
    for part in parts:
        if part.value is False:
            return NO
        keys.update(dict.fromkeys(part.keys))
    return Truth(None, tuple(keys)) if keys else YES


def any_of(parts: Iterable[Truth]) -> Truth:
    """Whether one part holds. Parts behind one that does are not looked at."""
    keys: dict[str, None] = {}
    for part in parts:
        if part.value is True:
            return YES
        keys.update(dict.fromkeys(part.keys))
    return Truth(None, tuple(keys)) if keys else NO


class AwsOwned(Record, frozen=True):
    """The value of a key about a principal or a resource of AWS's own: unknown, but nothing of `ours`, which are
    account numbers. No customer's organization is AWS's. `optional`: the request may lack the key."""

    ours: frozenset[str]
    optional: bool = False

    def differs_from(self, pattern: str) -> bool:
        """Whether the value is certainly not what `pattern` describes."""
        parts = pattern.split(":")
        is_organization = pattern.startswith("o-") and not any(letter in pattern.split("/")[0] for letter in "*?$")
        return is_organization or any(part in self.ours for part in parts)


# The values that a key has in a request: none where it is absent. A value may contain UNKNOWN_PART.
Values = tuple[str, ...] | AwsOwned
# Returns the values of a key, in lower case; None where they cannot be known.
Lookup = Callable[[str], Values | None]


def known(key: str, lookup: Lookup) -> Values | None:
    """The values of a key. Those of tags are never read, so they are never known."""
    lowered = key.lower()
    return None if "tag/" in lowered or lowered.endswith("tagkeys") else lookup(lowered)
