"""What a fault is: a constant beside its rule. `findings.py` makes findings of it, `causes.py` knows its causes."""

from __future__ import annotations

from probe.faults.causes import CauseText
from probe.model import Extent, Impact
from probe.records import Record


class Fault(Record, frozen=True):
    """What the evidence can show. Texts hold {placeholders} for a finding's values; `causes` come likeliest first.

    `impact`, `extent` and `causes` are the usual ones: a rule says where the evidence tells of others. The same fault
    in other words is `replace(FAULT, title=…, why=…)`, so that a code belongs to one constant.
    """

    code: str
    title: str
    why: str
    impact: Impact
    causes: tuple[CauseText, ...] = ()
    extent: Extent = Extent.WHOLLY
