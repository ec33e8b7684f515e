"""Patterns of policies: `*` and `?`, and policy variables. Matching takes time in proportion to the text.

IAM user guide, "IAM JSON policy elements: Resource" (wildcards) and "Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.gates.policy.truth import NO, YES, AwsOwned, Lookup, Truth, known, truth
from probe.records import Record

UNKNOWN_PART = "\0"  # in a text to be matched: any text, none of which is known
_ANY, _ONE, _HOLE = "any", "one", "hole"  # tokens; all others are single letters
_VARIABLE = re.compile(r"\$\{([^{}]{1,256})\}")
_DEFAULT = re.compile(r"\s*([^,\s]{1,128})\s*,\s*'([^']{0,256})'\s*")
_ESCAPES = ("*", "?", "$")  # ${*} is the letter itself


class Pattern(Record, frozen=True):
    """A pattern with its variables filled in. `unknown` are the keys of variables that cannot be known; a hole stands
    for each."""

    tokens: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def compiled(text: str, lookup: Lookup | None, *, wildcards: bool = True) -> Pattern | None:
    """The pattern, None where a variable of it has no value: then it matches nothing.

    `lookup` None: the policy's version has no variables, and `${` is plain text.
    """
    tokens: list[str] = []
    unknown: list[str] = []
    position = 0
    for match in _VARIABLE.finditer(text) if lookup is not None else ():
        tokens += _tokens(text[position : match.start()], wildcards=wildcards)
        position = match.end()
        if match[1] in _ESCAPES:
            tokens.append(match[1])
            continue
        default = _DEFAULT.fullmatch(match[1])
        key = default[1] if default else match[1].strip()
        assert lookup is not None
        values = known(key, lookup)
        if values == () and default is not None:
            values = (default[2],)
        if values is None or isinstance(values, AwsOwned) or any(UNKNOWN_PART in value for value in values):
            tokens.append(_HOLE)
            unknown.append(key)
        elif len(values) != 1:
            return None  # absent, or of several values
        else:
            tokens += values[0]
    return Pattern((*tokens, *_tokens(text[position:], wildcards=wildcards)), tuple(unknown))


def _tokens(text: str, *, wildcards: bool) -> Iterator[str]:
    for letter in text:
        yield {"*": _ANY, "?": _ONE}.get(letter, letter) if wildcards else letter


def matches(pattern: Pattern | None, text: str, key: str) -> Truth:
    """Whether all of `text` matches. Unknown parts, of the pattern or of the text (then named `key`), leave it open
    only where they decide."""
    if pattern is None:
        return NO
    if _walk(pattern.tokens, text, generous=False):
        return YES
    if not pattern.unknown and UNKNOWN_PART not in text:
        return NO
    if not _walk(pattern.tokens, text, generous=True):
        return NO
    return Truth(None, pattern.unknown or (key,))


def _walk(tokens: tuple[str, ...], text: str, *, generous: bool) -> bool:
    """Walk through the text with all positions of the pattern that are possible, as the bits of a number.

    Where `generous`, unknown parts are what fits; otherwise only `*` takes in an unknown part of the text.
    """
    letters: dict[str, int] = {}
    one = loops = length = 0
    for token in tokens:
        if token == _ANY or (token == _HOLE and generous):
            loops |= 1 << length
            continue
        if token == _ONE:
            one |= 1 << length
        elif token != _HOLE:
            letters[token] = letters.get(token, 0) | 1 << length
        length += 1
    positions = 1
    for letter in text:
        if letter != UNKNOWN_PART:
            positions = (positions & (letters.get(letter, 0) | one)) << 1 | positions & loops
        elif generous:
            lowest = positions & -positions
            positions = (1 << length + 1) - lowest
        else:
            positions &= loops
        if not positions:
            return False
    return bool(positions >> length & 1)


def arn_matches(text: str, lookup: Lookup | None, arn: str, key: str) -> Truth:
    """Whether an ARN matches, each of its six parts by itself. A pattern of fewer parts is not documented."""
    found, expected = arn.split(":", 5), text.split(":", 5)
    if len(expected) != 6:
        return Truth(None, (key,))
    if len(found) != 6:
        return matches(compiled(text, lookup), arn, key) if UNKNOWN_PART in arn else NO
    answers = [matches(compiled(part, lookup), value, key) for part, value in zip(expected, found, strict=True)]
    if any(answer.value is False for answer in answers):
        return NO
    return next((answer for answer in answers if answer.value is None), YES)


def of_aws(value: AwsOwned, pattern: str, key: str) -> Truth:
    """Whether a value of AWS's own matches."""
    return truth(False if value.differs_from(pattern) else None, key)
