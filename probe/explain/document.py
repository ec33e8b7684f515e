"""What `explain` was given: a saved verdict, ECS's description of a task, or the words of an error. Pure."""

from __future__ import annotations

import codecs
from typing import Any

import msgspec

from probe.explain import explain_records, saved_verdict, unrecognised_text
from probe.explain.describe_tasks import TaskDescription, read_task_description
from probe.explain.task_context import TaskContext
from probe.explain.text_records import LIMIT, mentions_error, split_records
from probe.model import Verdict

MOST = saved_verdict.LIMIT  # bytes
EXPECTED = (
    "expected is a verdict (ecr-probe check --format json), what aws ecs describe-tasks prints, or the text of an error"
)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def explain_document(document: bytes, known: TaskContext, vpc_cidrs: tuple[str, ...] = ()) -> Verdict:
    """What a file's bytes say. Raises ValueError with one plain sentence where they say nothing."""
    if len(document) > MOST:
        raise ValueError(f"is larger than {MOST >> 20} MiB; {EXPECTED}")
    if not document.strip():
        raise ValueError(f"is empty; {EXPECTED}")
    text = _text(document)
    decoded = _json(text)
    if isinstance(decoded, dict) and "schema_version" in decoded:
        return saved_verdict.rejudge(saved_verdict.read_saved(document))
    if decoded is None and text.lstrip().startswith("{") and '"schema_version"' in text[:1000]:
        saved_verdict.read_saved(document)  # a verdict that was cut off or damaged: it says where
    described = read_task_description(decoded)
    if described is not None:
        return explain_tasks(described, known, vpc_cidrs)
    if len(text) > LIMIT:
        raise ValueError(f"is a text of more than {LIMIT >> 20} MiB; give the lines around the error")
    return _of_words(split_records(text), known, vpc_cidrs)


def explain_tasks(described: TaskDescription, known: TaskContext, vpc_cidrs: tuple[str, ...] = ()) -> Verdict:
    """What the reasons of tasks say. Raises ValueError with one plain sentence where there are none."""
    if described.unknown:
        raise ValueError("tells that ECS knows no such task; stopped tasks are kept for an hour or so")
    if not described.reasons:
        raise ValueError("tells of no task that stopped, so there is nothing to explain yet")
    lines = tuple(line for reason in described.reasons for line in split_records(reason))
    return _of_words(lines, described.context.over(known), vpc_cidrs)


def _of_words(lines: tuple[str, ...], known: TaskContext, vpc_cidrs: tuple[str, ...]) -> Verdict:
    verdict = explain_records(lines, known, vpc_cidrs=vpc_cidrs)
    if verdict is not None:
        return verdict
    if not any(map(mentions_error, lines)):
        raise ValueError(f"tells of no error; {EXPECTED}")
    return unrecognised_text(lines, known)


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
