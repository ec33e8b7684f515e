"""The gates of the configuration in words: a row for each endpoint, the answer of each subnet, and what was not read.

The gates of one kind share a word of the row, and the one that refuses is shown with its sentence. Subnets whose gates
answer alike share a row. Markdown and JUnit use the same words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import groupby
from typing import NamedTuple

from probe.model import ConfigurationSummary, Gate, GateAnswer, GateName, Status, SubnetAnswer, Verdict
from probe.narration import counted, few
from probe.report import Page
from probe.report.layout import Line, filled, pad, plain, wrapped
from probe.report.summary import TONES

# The words of a row, each for several gates, in the order in which they are met.
_WORDS: Mapping[str, tuple[GateName, ...]] = {
    "names": (
        GateName.DHCP_OPTIONS,
        GateName.VPC_DNS_ATTRIBUTES,
        GateName.RESOLVER_FIREWALL,
        GateName.RESOLVER_RULE,
        GateName.HOSTED_ZONE,
        GateName.PRIVATE_DNS,
    ),
    "endpoint": (GateName.ENDPOINT, GateName.SECRET_ENDPOINT, GateName.ENDPOINT_INTERFACE, GateName.ENDPOINT_ZONE),
    "egress": (GateName.SECURITY_GROUP_EGRESS,),
    "acl": (GateName.NACL_EGRESS, GateName.NACL_INGRESS, GateName.NACL_RETURN_EGRESS, GateName.NACL_RETURN_INGRESS),
    "route": (GateName.ROUTE, GateName.PUBLIC_PATH, GateName.BLOCK_PUBLIC_ACCESS, GateName.NETWORK_FIREWALL),
    "ingress": (GateName.SECURITY_GROUP_INGRESS,),
    "policies": (
        GateName.ENDPOINT_POLICY,
        GateName.IDENTITY_POLICY,
        GateName.PERMISSIONS_BOUNDARY,
        GateName.SERVICE_CONTROL_POLICY,
        GateName.RESOURCE_CONTROL_POLICY,
        GateName.REPOSITORY_POLICY,
        GateName.REGISTRY_POLICY,
        GateName.TRUST_POLICY,
    ),
    "key": (GateName.KMS_KEY,),
    "log group": (GateName.LOG_GROUP,),
    "image": (GateName.IMAGE, GateName.PULL_THROUGH_RULE),
}
_WORD_OF = {gate: word for word, gates in _WORDS.items() for gate in gates}
_STYLES = {
    GateAnswer.ALLOWS: "good",
    GateAnswer.REFUSES: "error",
    GateAnswer.DEPENDS: "warning",
    GateAnswer.UNKNOWN: "warning",
}
# From the worst to the best: a word shows the worst answer of its gates.
_WORST = (GateAnswer.REFUSES, GateAnswer.UNKNOWN, GateAnswer.DEPENDS, GateAnswer.ALLOWS)
_WITH_OBJECT = ("endpoint", "egress", "ingress", "route")
_MOST_SUBNETS = 2  # named in a row
_MOST_PLACES = 8
_LONGEST_PART = 60  # columns; a shorter part of a row is not broken
_MOST_RIGHTS = 60
_RIGHT = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
_AS_USUAL = (None, "denied", "not-found")  # what is denied is listed by its right; many objects need not exist


class Leg(NamedTuple):
    """The gates of an endpoint, from all subnets in which they answer alike. `of`: how many subnets there are."""

    endpoint: str
    subnets: tuple[str, ...]
    of: int
    gates: tuple[Gate, ...]

    @property
    def where(self) -> str:
        """The subnets, where they are not all."""
        if len(self.subnets) == self.of:
            return ""
        return f"in {few(self.subnets, _MOST_SUBNETS)} ({len(self.subnets)} of {self.of} subnets)"


class Brevity(Enum):
    """How rows are shortened. BRIEF: without the objects of what allows. TERSE: only what does not allow, and without
    sentences. NONE: no rows.
    """

    FULL = auto()
    BRIEF = auto()
    TERSE = auto()
    NONE = auto()


_MOST_ROWS = {Brevity.FULL: 24, Brevity.BRIEF: 8, Brevity.TERSE: 4, Brevity.NONE: 0}


def rows(verdict: Verdict, page: Page, brevity: Brevity) -> Iterator[Line]:
    """One for each endpoint, and one more for each group of subnets that differs. Of too many, those in which every
    gate allows are counted, and then the last ones.
    """
    legs, most = legs_of(verdict.gates), _MOST_ROWS[brevity]
    shown = legs if len(legs) <= most else [leg for leg in legs if worst(leg.gates) is not GateAnswer.ALLOWS][:most]
    grouped = _with_one_row(shown, brevity)
    width = max((len(names) for names, _ in grouped), default=0)
    sentences: set[str] = set()
    for number, (names, leg) in enumerate(grouped):
        name = names if number == 0 or grouped[number - 1][0] != names else ""
        parts = list(_parts(leg.gates, brevity, sentences))
        parts = [f"{part} ·" for part in parts[:-1]] + parts[-1:]
        where = [f"{leg.where}:"] if leg.where else []
        label = (_STYLES[worst(leg.gates)], f"{pad(name, width)}  ")
        yield from filled(label, [*where, *_unbroken(parts)], indent=0, page=page, hang=width + 2)
    left = [leg for leg in legs if leg not in shown]
    if left:
        allow = all(worst(leg.gates) is GateAnswer.ALLOWS for leg in left)
        hidden = counted(len(left), "more row" if shown else "row")
        yield plain(f"{hidden} of gates{', which all allow' if allow else ''} (-v)", "dim")


def details(verdict: Verdict, page: Page) -> Iterator[Line]:
    """Every gate with its object and element."""
    for leg in legs_of(verdict.gates, _exactly):
        yield plain(f"{leg.endpoint} {leg.where}".rstrip(), "strong")
        for gate in leg.gates:
            where = " ".join(filter(None, (gate.address, gate.object, f"({gate.element})" if gate.element else None)))
            label = f"{pad(str(gate.answer), 8)} {pad(str(gate.gate), 24)} "
            text = f"{where}: {gate.sentence}" if where else gate.sentence
            yield from wrapped((_STYLES[gate.answer], label), text, indent=2, page=page, hang=11)


def heading(configuration: ConfigurationSummary, page: Page) -> Iterator[Line]:
    """What was read and, of several subnets, which of them pass."""
    yield from wrapped(("dim", ""), what_was_read(configuration), indent=0, page=page, style="dim")
    for status, sentence in subnets_by_status(configuration):
        yield from wrapped((TONES[status], f"{status}: "), sentence, indent=0, page=page, hang=2)


def subnets_by_status(configuration: ConfigurationSummary) -> Iterator[tuple[Status, str]]:
    """ "2 of 3 subnets: subnet-0a (us-east-1a), …" for each status, the worst first."""
    answers = configuration.subnets
    if len(answers) < 2:
        return
    for status in Status:
        places = [_place(answer) for answer in answers if answer.status is status]
        if places:
            more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
            number = f"{len(places)} of {counted(len(answers), 'subnet')}"
            yield status, f"{number}: {', '.join(places[:_MOST_PLACES])}{more}"


def open_gates(gates: Iterable[Gate]) -> list[tuple[Gate, tuple[str, ...]]]:
    """The gates that do not allow, the worst first, each once with its endpoints."""
    found: dict[Hashable, tuple[Gate, dict[str, None]]] = {}
    for gate in sorted(gates, key=lambda gate: _WORST.index(gate.answer)):
        if gate.answer is not GateAnswer.ALLOWS:
            key = gate.gate, gate.answer, gate.object, gate.element, gate.sentence
            found.setdefault(key, (gate, {}))[1][gate.endpoint] = None
    return [(gate, tuple(names)) for gate, names in found.values()]


def _place(answer: SubnetAnswer) -> str:
    return f"{answer.subnet} ({answer.zone})" if answer.zone else answer.subnet


# ---- what was read ---------------------------------------------------------------------------------------------------


def unread(configuration: ConfigurationSummary, gates: Sequence[Gate], page: Page) -> Iterator[Line]:
    """What could not be read, with the statement that would allow it."""
    yield from _cross_check(configuration, page)
    for text in unanswered(configuration):
        yield from wrapped(("warning", "not read: "), text, indent=0, page=page)
    missing = missing_rights(gates)
    if missing:
        text = f"{counted(len(missing), 'right')} missing; this statement allows them:"
        yield from wrapped(("warning", "not read: "), text, indent=0, page=page)
        for line in statement(missing, page.width):
            yield (("", "  "), ("command", line))


def _cross_check(configuration: ConfigurationSummary, page: Page) -> Iterator[Line]:
    for number, text in enumerate(cross_checked(configuration)):
        yield from wrapped(("dim" if number == 0 else "warning", ""), text, indent=0, page=page, hang=2)


def cross_checked(configuration: ConfigurationSummary) -> Iterator[str]:
    """How far IAM's policy simulator agrees, and each call for which it does not."""
    checks = configuration.cross_check
    if not checks:
        return
    agreeing = sum(check.agrees is True for check in checks)
    yield f"IAM's policy simulator agrees on {agreeing} of {counted(len(checks), 'call')} of the pulling role"
    for check in checks:
        if check.agrees is not True:
            verb = "disagrees" if check.agrees is False else "does not decide"
            words = f"{verb}: {check.action}: the gates say {check.gates}, the simulator {check.simulator or 'nothing'}"
            yield f"{words} ({check.problem})" if check.problem else words


def what_was_read(configuration: ConfigurationSummary) -> str:
    account = f"account {configuration.account}, " if configuration.account else ""
    when = f"{configuration.read_at:%Y-%m-%d %H:%M} UTC"
    calls = counted(len(configuration.sources), "call")
    return f"configuration of {account}{configuration.region}, read {when} with {calls}"


def unanswered(configuration: ConfigurationSummary) -> Iterator[str]:
    """The calls that failed, by reason, other than those that need a right."""
    by_failure: dict[str, dict[str, None]] = {}
    for source in configuration.sources:
        if source.failure not in _AS_USUAL:
            by_failure.setdefault(str(source.failure), {})[f"{source.service}:{source.operation}"] = None
    for failure, calls in by_failure.items():
        yield f"{few(calls, _MOST_PLACES)} ({failure})"


def missing_rights(gates: Iterable[Gate]) -> list[str]:
    """The IAM actions that the caller lacks, so that gates are unknown."""
    return sorted({gate.missing for gate in gates if gate.missing and _RIGHT.fullmatch(gate.missing)})[:_MOST_RIGHTS]


def statement(actions: Sequence[str], width: int) -> Iterator[str]:
    """The lines of a policy statement that allows these actions, each at most about `width` wide."""
    yield '{"Sid": "Inspect", "Effect": "Allow", "Resource": "*", "Action": ['
    row = ""
    for number, action in enumerate(actions):
        text = json.dumps(action) + ("," if number + 1 < len(actions) else "]}")
        if row and len(row) + len(text) + 5 > width:
            yield f"  {row}"
            row = ""
        row = f"{row} {text}" if row else text
    yield f"  {row}"


# ---- rows ------------------------------------------------------------------------------------------------------------


def by_word(gates: Iterable[Gate]) -> list[tuple[str, tuple[Gate, ...]]]:
    """The gates by the word that they share, in the order in which they are met."""
    found: dict[str, list[Gate]] = {}
    for gate in gates:
        found.setdefault(_WORD_OF[gate.gate], []).append(gate)
    return [(word, tuple(found[word])) for word in _WORDS if word in found]


def worst(gates: Sequence[Gate]) -> GateAnswer:
    """The worst answer of some gates."""
    answers = {gate.answer for gate in gates if gate.is_open}
    return next((answer for answer in _WORST if answer in answers), GateAnswer.ALLOWS)


def _alike(gates: Sequence[Gate]) -> Hashable:
    """What distinguishes the rows of two subnets: nothing that allows."""
    differing = ((gate.gate, gate.object, gate.element) for gate in gates if gate.is_open)
    return frozenset(word for word, _ in by_word(gates)), tuple(differing)


def _exactly(gates: Sequence[Gate]) -> Hashable:
    return tuple((gate.gate, gate.address, gate.answer, gate.object, gate.element) for gate in gates)


def legs_of(gates: Iterable[Gate], key: Callable[[Sequence[Gate]], Hashable] = _alike) -> list[Leg]:
    """The gates by endpoint, those of subnets with the same `key` together."""
    by_endpoint: dict[str, dict[str, list[Gate]]] = {}
    for gate in gates:
        by_endpoint.setdefault(gate.endpoint, {}).setdefault(gate.subnet or "", []).append(gate)
    found = []
    for endpoint, by_subnet in by_endpoint.items():
        groups: dict[Hashable, list[str]] = {}
        for subnet, own in by_subnet.items():
            groups.setdefault(key(own), []).append(subnet)
        for names in groups.values():
            # With -v each gate is shown once, so the first subnet stands for all that have the same.
            kept = names if key is _alike else names[:1]
            of_all = tuple(gate for name in kept for gate in by_subnet[name])
            found.append(Leg(endpoint, tuple(names), len(by_subnet), of_all))
    return found


def _parts(gates: Iterable[Gate], brevity: Brevity, shown: set[str]) -> Iterator[str]:
    """The words of a row, each with its worst answer. Those that allow are listed, unless the row is FULL.

    What refuses behind an earlier refusal explains nothing: it is shown with -v alone.
    """
    words = by_word(gates)
    first = next((word for word, own in words if worst(own) is GateAnswer.REFUSES), None)
    kept = [(word, own) for word, own in words if word == first or not _is_behind(own)]
    if brevity is Brevity.TERSE:
        still_open = [word for word in kept if worst(word[1]) is not GateAnswer.ALLOWS]
        yield from (_open(*word, brevity, shown) for word in still_open)
        yield "all else ok" if still_open else "ok"
        return
    for allow, group in groupby(kept, key=lambda word: worst(word[1]) is GateAnswer.ALLOWS):
        if allow and brevity is not Brevity.FULL:
            yield f"{', '.join(word for word, _ in group)} ok"
        elif allow:
            yield from (_allowed(*word) for word in group)
        else:
            yield from (_open(*word, brevity, shown) for word in group)


def _is_behind(gates: Iterable[Gate]) -> bool:
    """Whether some refuse, and none of them is the cause of anything."""
    refusals = [gate for gate in gates if gate.answer is GateAnswer.REFUSES]
    return bool(refusals) and all(gate.cause is None for gate in refusals)


def _with_one_row(legs: Iterable[Leg], brevity: Brevity) -> list[tuple[str, Leg]]:
    """The first leg of those with the same row, and the names of their endpoints."""
    alike: dict[Hashable, list[Leg]] = {}
    for leg in legs:
        alike.setdefault((leg.where, *_parts(leg.gates, brevity, set())), []).append(leg)
    return [(", ".join(leg.endpoint for leg in same), same[0]) for same in alike.values()]


def _allowed(word: str, gates: Sequence[Gate]) -> str:
    objects = {gate.object for gate in gates if gate.gate is gates[0].gate}
    only = next(iter(objects)) if len(objects) == 1 and word in _WITH_OBJECT else None
    return f"{word} {only} ok" if only and not only.startswith("subnet-") else f"{word} ok"


def _open(word: str, gates: Sequence[Gate], brevity: Brevity, shown: set[str]) -> str:
    """The worst answer, with its object and, the first time in the report, its sentence."""
    answer = worst(gates)
    first = next(gate for gate in gates if gate.answer is answer and gate.is_open)
    subject = f"{word} {first.object}" if first.object else word
    same = [gate for gate in gates if gate.gate is first.gate]
    in_part = first.address and any(gate.answer is GateAnswer.ALLOWS for gate in same)
    part = f" at {first.address}" if in_part else ""
    loud = str(answer).upper() if answer is GateAnswer.REFUSES else str(answer)
    if brevity is Brevity.TERSE:
        return f"{subject} {loud}{part}"
    sentence = "as above" if first.sentence in shown else first.sentence
    shown.add(first.sentence)
    return f"{subject} {loud}{part}: {sentence}"


def _unbroken(parts: Iterable[str]) -> Iterator[str]:
    """The words of the parts; a short part is one word, so that a line breaks before or after it."""
    for part in parts:
        yield from [part] if len(part) <= _LONGEST_PART else part.split()
