"""Reading a saved verdict back. Its facts are judged anew by `faults` and `verdict`; its opinions count for nothing."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from probe import __version__
from probe.faults import diagnose
from probe.model import SCHEMA_VERSION, Verdict
from probe.report.layout import clean
from probe.verdict import judge

LIMIT = 16 * 1024 * 1024  # bytes; ours are at most 200 KiB, other people's tools may have indented and wrapped them
EXPECTED = "expected is one document that ecr-probe check --format json has written"


class _Version(Struct):
    schema_version: int


def read(document: bytes) -> Verdict:
    """The verdict in `document`. Raises ValueError with one plain sentence."""
    if len(document) > LIMIT:
        raise ValueError(f"is larger than {LIMIT >> 20} MiB; {EXPECTED}")
    if not document.strip():
        raise ValueError(f"is empty; {EXPECTED}")
    try:
        version = msgspec.json.decode(document, type=_Version).schema_version
        if version > SCHEMA_VERSION:
            raise ValueError(
                f"has schema_version {version}; this program, {__version__}, reads up to version {SCHEMA_VERSION}"
            )
        return msgspec.json.decode(document, type=Verdict)
    except msgspec.ValidationError as error:
        raise ValueError(f"is JSON but not a verdict ({_words(error)}); {EXPECTED}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is not JSON ({_words(error)}); {EXPECTED}") from error


def _words(error: Exception) -> str:
    """A decoder's complaint repeats the file's words, and those are anybody's."""
    return clean(str(error))[:200]


def rejudged(saved: Verdict) -> Verdict:
    """What the facts of `saved` say to the rules of this program, under the policy of then."""
    findings = diagnose(saved.measurement, saved.policy)
    return judge(findings, saved.measurement, saved.policy, version=__version__)
