"""Signs in a report that a placeholder came out empty."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from probe.model import Verdict
from probe.report import FORMATS, Page

# Wide enough that no line is wrapped within a sign.
PAGE = Page(width=10_000, verbose=True)
SIGNS = (
    r"\(\s*\)",
    r"“\s*”",
    r"\bNone\b",
    r"\s[,;)]",
    r"[(,] *[,;]",
    r"\{\w*\}",
    r"\bresolver[^()]* \(the resolver\)",
)


def signs_of_empty_placeholders(verdict: Verdict) -> list[str]:
    """The lines of the reports, and the texts of the findings, that show one."""
    lines = [line for form in ("text", "markdown", "junit") for line in FORMATS[form].render(verdict, PAGE).split("\n")]
    # Reports lay lines out, which adds blanks or takes them away: doubled ones are looked for in the texts themselves.
    findings = msgspec.to_builtins((verdict.summary, verdict.findings))
    texts = [text for text in _texts(findings) if "  " in text or text != text.strip()]
    return [line.strip() for line in lines if any(re.search(sign, line.strip()) for sign in SIGNS)] + texts


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
