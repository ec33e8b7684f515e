"""What a fault is, and how a rule declares which faults it can find.

A fault is one constant beside its rule. Special cases have a wording of their own, which is a variant of that constant:
a code belongs to one fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from probe.faults.causes import CauseText
from probe.model import Extent, Finding, Impact
from probe.records import Record, replace

if TYPE_CHECKING:
    from probe.faults.evidence import Evidence


class Wording(Record, frozen=True, kw_only=True):
    """What a special case of a fault says differently; None keeps what the fault says."""

    title: str | None = None
    why: str | None = None
    impact: Impact | None = None
    causes: tuple[CauseText, ...] | None = None
    extent: Extent | None = None


class Fault(Record, frozen=True):
    """What the evidence can show. Texts hold {placeholders} for a finding's values.

    `causes` are the usual ones, likeliest first; `other_causes` those that a rule adds where the evidence suggests
    them. `in_texts` is the wording where an error text was read and nothing was measured. `examples` are what a page
    about the fault says for placeholders whose name in capitals would not do.
    """

    code: str
    title: str
    why: str
    impact: Impact
    causes: tuple[CauseText, ...] = ()
    extent: Extent = Extent.WHOLLY
    other_causes: tuple[CauseText, ...] = ()
    in_texts: Wording | None = None
    examples: tuple[tuple[str, str], ...] = ()

    def variant(self, **changes: Any) -> Fault:
        """The same fault in the wording of a special case. `changes` are fields of a `Wording`."""
        return self.worded(Wording(**changes))

    def worded(self, wording: Wording) -> Fault:
        changes = {name: getattr(wording, name) for name in wording.__struct_fields__}
        return replace(self, in_texts=None, **{name: value for name, value in changes.items() if value is not None})

    def for_evidence(self, *, is_text: bool) -> Fault:
        """The wording for what was measured, or for what a text says."""
        return self.worded(self.in_texts) if is_text and self.in_texts is not None else self

    @property
    def wordings(self) -> tuple[Fault, ...]:
        return (self, self.worded(self.in_texts)) if self.in_texts is not None else (self,)


class Rule(Record, frozen=True):
    """A rule over the evidence, and every fault that it can find."""

    find: Callable[[Evidence], Iterator[Finding]]
    faults: tuple[Fault, ...]


def finds(*faults: Fault) -> Callable[[Callable[[Evidence], Iterator[Finding]]], Rule]:
    """Declare a rule and the faults, with all their variants, that it can find."""
    return lambda find: Rule(find, faults)
