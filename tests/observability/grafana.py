"""Grafana's own schema of a dashboard, from its SDK: unknown keys are dropped, known ones are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

_OURS = "grafana_foundation_sdk."


def complaints(document: dict[str, Any]) -> list[str]:
    """Unknown keys, and values of the wrong type."""
    register_default_plugins()
    return list(_read(document, Dashboard, "dashboard"))


def _read(document: dict[str, Any], kind: Any, path: str) -> Iterator[str]:
    read = kind.from_json(document)
    yield from _lost(document, json.loads(JSONEncoder().encode(read)), path)
    yield from _mistyped(read, kind, path)


def _lost(original: Any, kept: Any, path: str) -> Iterator[str]:
    if isinstance(original, dict) and isinstance(kept, dict):
        for key, value in original.items():
            if key not in kept:
                yield f"{path}.{key} is not known"
            else:
                yield from _lost(value, kept[key], f"{path}.{key}")
    elif isinstance(original, list) and isinstance(kept, list) and len(original) == len(kept):
        for place, (item, other) in enumerate(zip(original, kept, strict=True)):
            yield from _lost(item, other, f"{path}[{place}]")
    elif original != kept:
        yield f"{path} became {kept!r}"


def _mistyped(value: Any, hint: Any, path: str) -> Iterator[str]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        options = [option for option in arguments if (option is NoneType) == (value is None)]
        yield from min((list(_mistyped(value, option, path)) for option in options), key=len, default=())
    elif origin is Literal:
        if value not in arguments:
            yield f"{path} is {value!r}, not one of {arguments}"
    elif origin is list and isinstance(value, list):
        for place, item in enumerate(value):
            yield from _mistyped(item, arguments[0], f"{path}[{place}]")
    elif origin is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from _mistyped(item, arguments[1], f"{path}.{key}")
    elif type(value).__module__.startswith(_OURS) and not isinstance(value, Enum):
        # Take the more specific class: a panel's options and queries are declared as Any.
        for name, inner in get_type_hints(type(value)).items():
            yield from _mistyped(getattr(value, name), inner, f"{path}.{name}")
    elif isinstance(value, dict) and hasattr(hint, "from_json"):
        yield from _read(value, hint, path)  # which the SDK does not decode
    elif not _is(value, hint):
        yield f"{path} is {value!r}, not {hint}"


def _is(value: Any, hint: Any) -> bool:
    if hint in (object, Any):
        return True
    if hint is NoneType or hint is None:
        return value is None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value in [member.value for member in hint]
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(hint, type) and isinstance(value, hint)
