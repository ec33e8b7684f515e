"""The page of a finding or a cause: what it means, what can cause it, how to fix and how to confirm it.

It is made of the faults and causes themselves, without a measurement: as data for the sidecar's HTML, and as Markdown
that reads well in a terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from probe.faults import TEXT_ONLY, WORDINGS
from probe.faults.causes import CAUSES, OTHER, CauseText
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, agreement
from probe.faults.placeholders import values_of
from probe.model import (
    Advice,
    Cause,
    Endpoint,
    Extent,
    Identity,
    ImageHost,
    Impact,
    Kind,
    Measurement,
    Plan,
    Policy,
    Standing,
    Surroundings,
)
from probe.records import Record
from probe.report import Page
from probe.report.layout import command

CODES = (*WORDINGS, *CAUSES)  # of findings and of causes
_WIDTH = 100
_SCREEN = Page(width=_WIDTH)
_MEANINGS = {
    (Impact.PULL, Extent.WHOLLY): "**error**: ECS cannot pull the image",
    (Impact.PULL, Extent.PARTLY): "**warning**: the pull works in part, or not every time",
    (Impact.START, Extent.WHOLLY): "**error**: tasks do not start, even if the pull works",
    (Impact.ROUTE, Extent.WHOLLY): (
        "**error** for ecr.api and ecr.dkr, **warning** for other endpoints: the pull works, but not through the VPC "
        "endpoint"
    ),
    (Impact.ROUTE, Extent.PARTLY): "**warning**: traffic bypasses, or may bypass, the VPC endpoint",
    (Impact.LOGS, Extent.WHOLLY): "**error**: containers that log there do not start",
    (Impact.LOGS, Extent.PARTLY): "**warning**: containers that log there may not start",
    (Impact.PROOF, Extent.WHOLLY): "**error**: nothing is known to be broken, but the pull is not proven",
    (Impact.PROOF, Extent.PARTLY): "**warning**: the pull is proven only in part",
}
ONLY_IN_TEXTS = "This is found only in an error text (ecr-probe explain), never by a check."
ORDER_OF_CAUSES = "The usual ones come first. A verdict shows which of them are confirmed or ruled out."
_INFO = "**info**: no impact; for information"


class CauseGroup(Record, frozen=True):
    """Causes that share fix and confirmation: their codes and titles.

    `fix_of_deny` is the fix where AWS's answer names an explicit deny, None if it is the same.
    """

    codes: tuple[str, ...]
    titles: tuple[str, ...]
    fix: Advice
    confirm: Advice
    fix_of_deny: Advice | None


class CodePage(Record, frozen=True, kw_only=True):
    """The page of a code as data.

    A finding's page has `meanings`, and `titles` with the explanations of each; `only_in_texts`: no check finds it. A
    cause's page has one group and `findings`, the codes and titles of the findings that can name it.
    """

    code: str
    causes: tuple[CauseGroup, ...]
    meanings: tuple[str, ...] = ()
    only_in_texts: bool = False
    titles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    findings: tuple[tuple[str, str], ...] = ()

    @property
    def has_several_causes(self) -> bool:
        """Whether the order of the causes means something."""
        return sum(len(group.codes) for group in self.causes) > 1


def has_page(code: str) -> bool:
    """Whether it is the code of a finding or of a cause."""
    return code in WORDINGS or code in CAUSES


def code_page(code: str) -> CodePage:
    """The page of a finding's code, or of a cause's. Raises KeyError for an unknown code."""
    return _of_finding(code) if code in WORDINGS else _of_cause(CAUSES[code])


def finding_page(code: str) -> str:
    """The page as Markdown. Raises KeyError for an unknown code."""
    page = code_page(code)
    return "\n".join(_finding_lines(page) if code in WORDINGS else _cause_page_lines(page)) + "\n"


def title_of(code: str) -> str:
    """The usual title of a finding, with words in capitals for what only a run knows."""
    return _filled(WORDINGS[code][0], WORDINGS[code][0].title)


def meanings(code: str) -> tuple[str, ...]:
    """How severe a finding can be, and what that means, the gravest first."""
    pairs = {(fault.impact, fault.extent) for fault in WORDINGS[code]}
    noted = any(extent is Extent.NOTED or impact is Impact.NONE for impact, extent in pairs)
    return (*(text for pair, text in _MEANINGS.items() if pair in pairs), *((_INFO,) if noted else ()))


def causes_of(code: str) -> tuple[CauseText, ...]:
    """Every cause that a finding of this code can name: the usual ones, likeliest first, then the others."""
    wordings = WORDINGS[code]
    usual = [cause for fault in wordings for cause in fault.causes]
    others = [cause for fault in wordings for cause in fault.other_causes]
    return tuple(sorted(dict.fromkeys((*usual, *others)), key=lambda cause: cause is OTHER))


# ---- a finding ------------------------------------------------------------------------------------------------------


def _of_finding(code: str) -> CodePage:
    explanations: dict[str, dict[str, None]] = {}
    for fault in WORDINGS[code]:
        title = _capitalised(_filled(fault, fault.title))
        explanations.setdefault(title, {})[_filled(fault, fault.why)] = None
    groups: dict[tuple[Advice, Advice, Advice | None], list[Cause]] = {}
    for cause in causes_of(code):
        filled = cause.filled(Standing.POSSIBLE, _unknown())
        groups.setdefault((filled.fix, filled.confirm, _fix_of_deny(cause)), []).append(filled)
    return CodePage(
        code=code,
        meanings=meanings(code),
        only_in_texts=code in TEXT_ONLY,
        titles=tuple((title, tuple(whys)) for title, whys in explanations.items()),
        causes=tuple(_group(causes, deny) for (_, _, deny), causes in groups.items()),
    )


def _of_cause(text: CauseText) -> CodePage:
    return CodePage(
        code=text.code,
        causes=(_group([text.filled(Standing.POSSIBLE, _unknown())], _fix_of_deny(text)),),
        findings=tuple(
            (code, title_of(code)) for code in WORDINGS if any(cause.code == text.code for cause in causes_of(code))
        ),
    )


def _fix_of_deny(cause: CauseText) -> Advice | None:
    if cause.fix_of_deny is None:
        return None
    return cause.filled(Standing.POSSIBLE, {**_unknown(), "is_explicit_deny": True}).fix


def _group(causes: list[Cause], fix_of_deny: Advice | None) -> CauseGroup:
    codes, titles = zip(*((cause.code, _capitalised(cause.title)) for cause in causes), strict=True)
    return CauseGroup(codes, titles, causes[0].fix, causes[0].confirm, fix_of_deny)


# ---- as Markdown ----------------------------------------------------------------------------------------------------


def _finding_lines(page: CodePage) -> Iterator[str]:
    yield f"# {page.code}\n"
    yield from (f"- {meaning}" for meaning in page.meanings)
    if page.only_in_texts:
        yield f"\n{ONLY_IN_TEXTS}"
    for title, explanations in page.titles:
        yield f"\n## {title}"
        yield from (f"\n{_wrapped(text)}" for text in explanations)
    if page.causes:
        yield "\n## Possible causes"
        if page.has_several_causes:
            yield f"\n{_wrapped(ORDER_OF_CAUSES)}"
    for group in page.causes:
        yield "\n### " + ", ".join(group.codes)
        yield from _group_lines(group)


def _cause_page_lines(page: CodePage) -> Iterator[str]:
    yield f"# {page.code}"
    yield from _group_lines(page.causes[0])
    yield "\nFindings that can name it:\n"
    yield from (f"- `{code}`: {title}" for code, title in page.findings)


def _group_lines(group: CauseGroup) -> Iterator[str]:
    yield f"\n{_wrapped('. '.join(group.titles))}."
    yield from _advice_lines("Fix", group.fix)
    if group.fix_of_deny is not None:
        yield from _advice_lines("Fix of an explicit deny", group.fix_of_deny)
    yield from _advice_lines("Confirm with", group.confirm)


def _advice_lines(label: str, advice: Advice) -> Iterator[str]:
    """The text, the commands as one block that pastes as it is, and the note."""
    yield f"\n{_wrapped(f'**{label}:** {advice.text}'.rstrip())}"
    if advice.commands:
        yield from ("\n```sh", *_block(advice.commands), "```")
    if advice.note is not None:
        yield f"\n{_wrapped(advice.note)}"


def _block(commands: Iterable[str]) -> Iterator[str]:
    for text in commands:
        for line in command(text, indent=0, page=_SCREEN):
            yield "".join(part for _, part in line).rstrip()


# ---- texts without a measurement ------------------------------------------------------------------------------------


class _Capitals(dict[str, Any]):
    """Values by placeholder; the placeholder's own name in capitals where there is none."""

    def __missing__(self, name: str) -> str:
        return name.upper()


@cache
def _unknown() -> dict[str, Any]:
    """The values of a measurement of which nothing is known, with words in capitals for the reader to fill in."""
    endpoint = Endpoint(
        name="ENDPOINT",
        host="HOST",
        lookup="HOST",
        kind=Kind.INTERFACE,
        region="REGION",
        required=True,
        impact=Impact.PULL,
    )
    plan = Plan(
        endpoints=(endpoint,),
        omitted=(),
        region="IMAGE_REGION",
        partition="aws",
        dns_suffix="amazonaws.com",
        account="ACCOUNT",
        layer_host="HOST",
        image="IMAGE",
        reference=None,
        image_host=ImageHost.PRIVATE_ECR,
        image_given=True,
        platform="PLATFORM",
        platform_given=True,
    )
    measurement = Measurement(
        started_at=datetime.min.replace(tzinfo=UTC),
        seconds=0.0,
        surroundings=Surroundings(region="REGION", resolvers=("RESOLVER",)),
        identity=Identity(source="none"),
        plan=plan,
        steps=(),
    )
    values = values_of(Evidence(measurement, Policy()), (), (endpoint.name,))
    return _Capitals(values | agreement(1) | {"endpoints": "ENDPOINT", "affected": "ENDPOINT", "issuer": "ISSUER"})


def _filled(fault: Fault, template: str) -> str:
    return template.format_map(_Capitals(_unknown() | dict(fault.examples)))


def _capitalised(text: str) -> str:
    """As the beginning of a sentence, unless it begins with a name or a flag."""
    first = text.split(" ", 1)[0].rstrip(",:'s")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
