"""A configuration as a file: saved, and read again on another machine. What is read is checked like a foreign answer.

Saved and read again it gives the same result, since only JSON's values are kept on reading AWS's answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from probe.arns import REGION
from probe.configuration.document import FORM, Configuration, Question, Source
from probe.configuration.operations import NAMED
from probe.records import Record
from probe.safe_words import json_bytes, scrub

MAX_BYTES = 64 * 1024 * 1024
EXPECTED = "expected a file written by ecr-probe inspect --save"


class _Heading(Record):
    form: int


def to_bytes(configuration: Configuration) -> bytes:
    """The file. Raises ValueError where it would be too large to be read again."""
    document = json_bytes(configuration)
    if len(document) > MAX_BYTES:
        raise ValueError(f"the configuration has more than {MAX_BYTES >> 20} MiB")
    return document


def from_bytes(document: bytes) -> Configuration:
    """Raises ValueError with one plain sentence, which follows the file's name."""
    if len(document) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES >> 20} MiB; {EXPECTED}")
    try:
        form = msgspec.json.decode(document, type=_Heading).form
        if form != FORM:
            newer = "a newer ecr-probe wrote it" if form > FORM else EXPECTED
            raise ValueError(f"has the form {form}, and this program reads {FORM}; {newer}")
        configuration = msgspec.json.decode(document, type=Configuration)
        _check(configuration)
    except msgspec.ValidationError as error:
        raise ValueError(f"is JSON but not a configuration ({scrub(str(error))}); {EXPECTED}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"is not JSON ({scrub(str(error))}); {EXPECTED}") from error
    return configuration


def _check(configuration: Configuration) -> None:
    if configuration.read_at.tzinfo is None:
        raise msgspec.ValidationError("read_at has no time zone")
    if configuration.account is not None and re.fullmatch(r"\d{12}", configuration.account, re.ASCII) is None:
        raise msgspec.ValidationError("account is not an account")
    regions = (configuration.region, *(source.question.region for source in configuration.sources))
    if any(region is not None and re.fullmatch(REGION, region, re.ASCII) is None for region in regions):
        raise msgspec.ValidationError("a region is not a region")
    for number, source in enumerate(configuration.sources):
        if problem := next(_problems(source), None):
            raise msgspec.ValidationError(f"{problem} - at `$.sources[{number}]`")


def _problems(source: Source) -> Iterator[str]:
    if (source.reply is None) == (source.obstacle is None):
        yield "either a reply or an obstacle is expected"
    if not _is_object(source.question):
        yield "parameters are not a JSON object"
    operation = NAMED.get((source.question.service, source.question.operation))
    if operation is None or operation.items is None or source.reply is None:
        return
    items = source.reply.get(operation.items)
    if not isinstance(items, list) or not all(isinstance(item, dict | str) for item in items):
        yield f"{operation.items} is not a list of objects"
    elif operation.key and not all(
        isinstance(item, dict) and isinstance(item.get(operation.key), str) for item in items
    ):
        yield f"an object has no {operation.key}"


def _is_object(question: Question) -> bool:
    try:
        msgspec.json.decode(question.parameters, type=dict[str, Any])
    except msgspec.DecodeError:
        return False
    return True
