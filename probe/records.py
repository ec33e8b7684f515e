"""Records: the plain values of the program. They are msgspec's Structs under a name of our own.

Why not dataclasses: creating a dataclass takes forty times as long, and a check starts with some fifty of them. Only
`flags` and `settings` use dataclasses, because --help and the health check import them, and importing msgspec would
take those two longer.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from msgspec import Struct as Record
from msgspec import field, structs
from msgspec.structs import fields

__all__ = ("Record", "Unshown", "field", "fields", "replace")

T = TypeVar("T")


class Unshown(Record, frozen=True):
    """A record with secrets or megabytes in it: its repr, and with it any exception text, is the type's name alone."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


def replace(value: T, **changes: Any) -> T:
    """Copy a record or a dataclass with some fields changed, as `copy.replace` does from Python 3.13 on."""
    copied: T = (structs if isinstance(value, Record) else dataclasses).replace(value, **changes)
    return copied
