"""The verdict as its document, and the document's schema. How a long one is shortened is in `folding.py`."""

from __future__ import annotations

from typing import Any

import msgspec

from probe.model import SCHEMA_VERSION, Verdict
from probe.report import Page
from probe.report.folding import fold


def render(verdict: Verdict, page: Page) -> str:
    document = msgspec.json.encode(fold(verdict))
    return (msgspec.json.format(document, indent=2) if page.pretty else document).decode() + "\n"


def bare(verdict: Verdict) -> str:
    """The document as it is, whole."""
    return msgspec.json.encode(verdict).decode() + "\n"


def schema_text() -> str:
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def schema() -> dict[str, Any]:
    """JSON Schema of the document. Readers must tolerate keys and words beyond it; only our own enums are closed."""
    (reference,), components = msgspec.json.schema_components((Verdict,), ref_template="#/$defs/{name}")
    for component in components.values():
        if "properties" in component:
            component["required"] = list(component["properties"])  # all keys are always present
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Verdict of ecr-probe, schema version {SCHEMA_VERSION}",
        "description": "One run of ecr-probe: what was measured, what was found, and the answer. Seconds, bytes, UTC.",
        **reference,
        "$defs": components,
    }
