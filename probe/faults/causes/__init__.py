"""The causes of faults: one constant per cause, in one file per area. Rules write `causes.SECURITY_GROUP`."""

from __future__ import annotations

from collections.abc import Mapping

from probe.faults.causes.access import *
from probe.faults.causes.cause import *
from probe.faults.causes.clients import *
from probe.faults.causes.endpoints import *
from probe.faults.causes.images import *
from probe.faults.causes.names import *
from probe.faults.causes.network import *
from probe.faults.causes.services import *
from probe.model import Advice
from probe.records import replace

CAUSES: Mapping[str, CauseText] = {text.code: text for text in tuple(globals().values()) if isinstance(text, CauseText)}
_MISSING = {endpoint: text for text in CAUSES.values() for endpoint in text.absence_of}


def missing(endpoint: str) -> CauseText:
    """The cause that this endpoint does not exist."""
    return _MISSING.get(endpoint, MISSING_OTHER)


def other(title: str, fix: Advice, confirm: Advice) -> CauseText:
    """A cause of one fault alone, which has the code `other`."""
    return replace(OTHER, title=title, fix=fix, confirm=confirm)
