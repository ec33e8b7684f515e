"""The input of `explain`: a saved verdict, the output of `aws ecs describe-tasks`, or the text of an error. Pure."""

from __future__ import annotations

import codecs
from typing import Any

import msgspec

from probe.explain import explain_records, saved_verdict, unrecognised_text
from probe.explain.describe_tasks import TaskDescription, read_task_description
from probe.explain.task_context import TaskContext
from probe.explain.text_records import MAX_CHARACTERS, mentions_error, split_records
from probe.model import Verdict

MAX_BYTES = saved_verdict.MAX_BYTES
EXPECTED = (
    "expected a verdict (ecr-probe check --format json), the output of aws ecs describe-tasks, or the text of an error"
)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def explain_document(document: bytes, context: TaskContext, vpc_cidrs: tuple[str, ...] = ()) -> Verdict:
    """The verdict on a file's content. Raises ValueError with one plain sentence where there is nothing to explain."""
    if len(document) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES >> 20} MiB; {EXPECTED}")
    if not document.strip():
        raise ValueError(f"is empty; {EXPECTED}")
    text = _decode_text(document)
    content = _decode_json(text)
    if isinstance(content, dict) and "schema_version" in content:
        return saved_verdict.rejudge(saved_verdict.read_saved(document))
    if content is None and text.lstrip().startswith("{") and '"schema_version"' in text[:1000]:
        saved_verdict.read_saved(document)  # a truncated or damaged verdict: raises an error with the position
    description = read_task_description(content)
    if description is not None:
        return explain_tasks(description, context, vpc_cidrs)
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has more than {MAX_CHARACTERS >> 20} MiB of text; pass only the lines around the error")
    return _explain_records(split_records(text), context, vpc_cidrs)


def explain_tasks(description: TaskDescription, context: TaskContext, vpc_cidrs: tuple[str, ...] = ()) -> Verdict:
    """The verdict on the stopped reasons of tasks. Raises ValueError with one plain sentence where there are none."""
    if description.missing:
        raise ValueError("has no tasks: ECS knows no such task; it keeps stopped tasks for about an hour")
    if not description.reasons:
        raise ValueError("describes no stopped task, so there is nothing to explain yet")
    records = tuple(record for reason in description.reasons for record in split_records(reason))
    return _explain_records(records, description.context.or_else(context), vpc_cidrs)


def _explain_records(records: tuple[str, ...], context: TaskContext, vpc_cidrs: tuple[str, ...]) -> Verdict:
    verdict = explain_records(records, context, vpc_cidrs=vpc_cidrs)
    if verdict is not None:
        return verdict
    if not any(map(mentions_error, records)):
        raise ValueError(f"contains no error; {EXPECTED}")
    return unrecognised_text(records, context)


def _decode_text(document: bytes) -> str:
    """Decode a text. Invalid bytes are replaced, since logs contain some; a binary file is refused."""
    if document.startswith(_UTF16_MARKS):
        return document.decode("utf-16", errors="replace")
    if b"\0" in document:
        raise ValueError(f"is not text; {EXPECTED}")
    return document.decode("utf-8-sig", errors="replace")


def _decode_json(text: str) -> Any:
    """The decoded JSON; None for any other text."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
