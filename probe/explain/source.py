"""What `explain` was given: a saved verdict, ECS's description of a task, or the words of an error. Pure."""

from __future__ import annotations

import codecs
from typing import Any

import msgspec

from probe.explain import read_records, saved, unclassified
from probe.explain.context import Context
from probe.explain.tasks import Described, read_tasks
from probe.explain.words import LIMIT, is_error, records
from probe.model import Verdict

MOST = saved.LIMIT  # bytes
EXPECTED = (
    "expected is a verdict (ecr-probe check --format json), what aws ecs describe-tasks prints, or the text of an error"
)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def explained(document: bytes, known: Context, vpc_cidrs: tuple[str, ...] = ()) -> Verdict:
    """What a file's bytes say. Raises ValueError with one plain sentence where they say nothing."""
    if len(document) > MOST:
        raise ValueError(f"is larger than {MOST >> 20} MiB; {EXPECTED}")
    if not document.strip():
        raise ValueError(f"is empty; {EXPECTED}")
    text = _text(document)
    decoded = _json(text)
    if isinstance(decoded, dict) and "schema_version" in decoded:
        return saved.rejudged(saved.read(document))
    if decoded is None and text.lstrip().startswith("{") and '"schema_version"' in text[:1000]:
        saved.read(document)  # a verdict that was cut off or damaged: it says where
    described = read_tasks(decoded)
    if described is not None:
        return of_tasks(described, known, vpc_cidrs)
    if len(text) > LIMIT:
        raise ValueError(f"is a text of more than {LIMIT >> 20} MiB; give the lines around the error")
    return _of_words(records(text), known, vpc_cidrs)


def of_tasks(described: Described, known: Context, vpc_cidrs: tuple[str, ...] = ()) -> Verdict:
    """What the reasons of tasks say. Raises ValueError with one plain sentence where there are none."""
    if described.unknown:
        raise ValueError("tells that ECS knows no such task; stopped tasks are kept for an hour or so")
    if not described.reasons:
        raise ValueError("tells of no task that stopped, so there is nothing to explain yet")
    lines = tuple(line for reason in described.reasons for line in records(reason))
    return _of_words(lines, described.context.over(known), vpc_cidrs)


def _of_words(lines: tuple[str, ...], known: Context, vpc_cidrs: tuple[str, ...]) -> Verdict:
    verdict = read_records(lines, known, vpc_cidrs=vpc_cidrs)
    if verdict is not None:
        return verdict
    if not any(map(is_error, lines)):
        raise ValueError(f"tells of no error; {EXPECTED}")
    return unclassified(lines, known)


def _text(document: bytes) -> str:
    """Bytes as text: a log may hold a few bad letters, a binary file is no text at all."""
    if document.startswith(_UTF16):
        return document.decode("utf-16", errors="replace")
    if b"\0" in document:
        raise ValueError(f"is no text; {EXPECTED}")
    return document.decode("utf-8-sig", errors="replace")


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
