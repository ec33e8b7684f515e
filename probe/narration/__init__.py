"""Steps in words, the same for JSON, text, table, page, JUnit, Markdown and the pages of findings.

A step appears in three lengths: a sentence (`observations`), a table cell (`result_cell`), and the few words of a
failure (`failure_cell`). All of them state what was measured and conclude nothing.
"""

from __future__ import annotations

from probe.narration.cells import object_cell, result_cell
from probe.narration.clients import CLIENTS
from probe.narration.phrases import address_list, counted, duration, few, listed, size
from probe.narration.sentences import observations
from probe.narration.vocabulary import action_label, failure_cell, http_status, skip_reason

__all__ = [
    "CLIENTS",
    "action_label",
    "address_list",
    "counted",
    "duration",
    "failure_cell",
    "few",
    "http_status",
    "listed",
    "object_cell",
    "observations",
    "result_cell",
    "size",
    "skip_reason",
]
