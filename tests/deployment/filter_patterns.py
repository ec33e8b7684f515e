"""Evaluate a JSON filter pattern of CloudWatch Logs on a log line: AWS[log-filter-patterns].

Comparisons of strings with = and !=, joined by &&, || and parentheses. moto stores patterns and does not evaluate them.
"""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(r'\s*(\(|\)|&&|\|\||!=|=|\$(?:\.\w+)+|"[^"]*"|\w+)')


def matches(pattern: str, line: str) -> bool:
    assert (pattern[0], pattern[-1]) == ("{", "}"), "a pattern for JSON is in braces"
    try:
        document = json.loads(line)
    except ValueError:
        return False
    tokens = _tokens(pattern[1:-1].strip())
    result = _any(tokens, document)
    assert not tokens, f"left over: {tokens}"
    return result


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        assert found, f"not understood: {text[position:]}"
        tokens.append(found[1])
        position = found.end()
    return tokens


def _any(tokens: list[str], document: Any) -> bool:
    result = _all(tokens, document)
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        result = _all(tokens, document) or result
    return result


def _all(tokens: list[str], document: Any) -> bool:
    result = _comparison(tokens, document)
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        result = _comparison(tokens, document) and result
    return result


def _comparison(tokens: list[str], document: Any) -> bool:
    if tokens[0] == "(":
        tokens.pop(0)
        result = _any(tokens, document)
        assert tokens.pop(0) == ")"
        return result
    selector, operator, value = tokens.pop(0), tokens.pop(0), tokens.pop(0).strip('"')
    for name in selector.split(".")[1:]:
        document = document.get(name) if isinstance(document, dict) else None
    if not isinstance(document, str):
        return False
    assert operator in ("=", "!="), operator
    return (document == value) is (operator == "=")
