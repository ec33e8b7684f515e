"""Records: the plain values that everything here is made of. msgspec's Structs, under a name of our own.

Why no dataclasses: making the class of one takes forty times as long, and a check begins with some fifty of them. Only
`flags` and `settings` have some, which --help and the health check import: msgspec would cost those two more.
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
    """A record with secrets in it, or with bytes by the megabyte: its repr, and so an exception's words, names the
    type alone."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


def replace(value: T, **changes: Any) -> T:
    """A copy with other values in some fields, of a record or a dataclass: Python's `copy.replace`, from 3.13 on."""
    copied: T = (structs if isinstance(value, Record) else dataclasses).replace(value, **changes)
    return copied
