"""The verdict as its document, the fleet as its own, and their schemas. How a long one is shortened: `folding.py`."""

from __future__ import annotations

from typing import Any

import msgspec

from probe.fleet import Fleet
from probe.model import SCHEMA_VERSION, Verdict
from probe.report import Page
from probe.report.folding import fold
from probe.safe_words import json_bytes


def render(verdict: Verdict, page: Page) -> str:
    return _laid_out(json_bytes(fold(verdict)), page)


def render_fleet(fleet: Fleet, page: Page) -> str:
    """Its verdicts were shortened as they came in."""
    return _laid_out(json_bytes(fleet), page)


def _laid_out(document: bytes, page: Page) -> str:
    return (msgspec.json.format(document, indent=2) if page.pretty else document).decode() + "\n"


def bare(what: Verdict | Fleet) -> str:
    """The document as it is, whole."""
    return json_bytes(what).decode() + "\n"


DOCUMENTS: dict[str, tuple[type[Verdict] | type[Fleet], str]] = {
    "verdict": (Verdict, "One run of ecr-probe: what was measured, what was found, and the answer."),
    "fleet": (Fleet, "One run of ecr-probe smoke: the verdict of each subnet, and the answer over all."),
}


def schema_text(name: str = "verdict") -> str:
    return msgspec.json.format(json_bytes(schema(name)), indent=2).decode() + "\n"


def schema(name: str = "verdict") -> dict[str, Any]:
    """JSON Schema of a document. Readers must tolerate keys and words beyond it; only our own enums are closed."""
    kind, description = DOCUMENTS[name]
    (reference,), components = msgspec.json.schema_components((kind,), ref_template="#/$defs/{name}")
    for component in components.values():
        if "properties" in component:
            component["required"] = list(component["properties"])  # all keys are always present
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{name.capitalize()} of ecr-probe, schema version {SCHEMA_VERSION}",
        "description": f"{description} Seconds, bytes, UTC.",
        **reference,
        "$defs": components,
    }
