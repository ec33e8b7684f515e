"""Verdicts in which every string is hostile."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

PAYLOADS = (
    "<img src=x onerror=\"window.harmed='img'\">",
    "<script>window.harmed='script'</script>",
    "</script><script>window.harmed='script'</script>",
    "</title></style></svg></noscript></pre><svg/onload=window.harmed='svg'>",
    '" onfocus="window.harmed=\'focus\'" autofocus tabindex="1',
    "' onmouseover='window.harmed=1' x='",
    "<!-- --><base href=//evil.example/><meta http-equiv=refresh content='0;url=//evil.example'>",
    "javascript:window.harmed='link'",
    "&lt;b&gt; &#60;i&#62; &amp;lt; &",
    "]]><![CDATA[<u>",
    "\x00<\x00b\x00>\ud800",
    "\u202egnp.exe\u2066 \u2028 \r\n\t",
    "`${window.harmed=1}` {{7*7}}",
)


def spoilt(value: T, spoil: Callable[[str], str]) -> T:
    """`value` with each of its strings changed by `spoil`; members of closed vocabularies stay as they are."""
    changed: Any = _spoilt(value, spoil)
    return changed  # type: ignore[no-any-return]


def _spoilt(value: Any, spoil: Callable[[str], str]) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return spoil(value)
    if isinstance(value, msgspec.Struct):
        fields = {name: _spoilt(getattr(value, name), spoil) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if isinstance(value, tuple | list):
        return type(value)(_spoilt(item, spoil) for item in value)
    if isinstance(value, dict):
        return {_spoilt(key, spoil): _spoilt(item, spoil) for key, item in value.items()}
    return value
