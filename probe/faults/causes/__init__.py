"""The causes of faults: one constant per cause, in one file per area. Rules write `causes.SECURITY_GROUP`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from probe.faults.causes.access import *
from probe.faults.causes.cause import *
from probe.faults.causes.clients import *
from probe.faults.causes.endpoints import *
from probe.faults.causes.images import *
from probe.faults.causes.names import *
from probe.faults.causes.network import *
from probe.faults.causes.nodes import *
from probe.faults.causes.services import *
from probe.model import Advice
from probe.records import replace


def _by_code(texts: Iterable[object]) -> dict[str, CauseText]:
    """The usual text of each code: the first one. Others are wordings for special cases."""
    usual: dict[str, CauseText] = {}
    for text in texts:
        if isinstance(text, CauseText):
            usual.setdefault(text.code, text)
    return usual


CAUSES: Mapping[str, CauseText] = _by_code(tuple(globals().values()))
_MISSING = {endpoint: text for text in CAUSES.values() for endpoint in text.absence_of}


def missing(endpoint: str) -> CauseText:
    """The cause that this endpoint does not exist."""
    return _MISSING.get(endpoint, MISSING_OTHER)


def other(title: str, fix: Advice, confirm: Advice) -> CauseText:
    """A cause of one fault alone, which has the code `other`."""
    return replace(OTHER, title=title, fix=fix, confirm=confirm)
