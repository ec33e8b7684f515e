"""JSON in UTF-8 of whatever a text holds: a variable of the environment may be any bytes."""

from __future__ import annotations

from typing import Any

import msgspec


def json_of(value: Any) -> bytes:
    """In the place of what UTF-8 has no bytes for stands a question mark.

    "##", with which a command to GitHub's runner may begin wherever it stands, is spelt in another way, which is the
    same to whoever reads JSON.
    """
    try:
        document = msgspec.json.encode(value)
    except UnicodeEncodeError:
        document = msgspec.json.encode(_repaired(msgspec.to_builtins(value)))
    return document.replace(b"##", rb"#\u0023")


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_repaired(key): _repaired(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_repaired(each) for each in value]
    return value
