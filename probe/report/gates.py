"""The gates of the configuration: a row for each endpoint and subnet, and what could not be read.

Without --verbose the gates of one kind share a word of the row, and the one that refuses is shown with its sentence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from probe.model import ConfigurationSummary, Gate, GateAnswer, GateName, Verdict
from probe.narration import counted
from probe.report import Page
from probe.report.layout import Line, command, pad, plain, wrapped

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
_MOST_ROWS = 24
_ABSENT = "not-found"  # an answer too: there is no such policy, key or image


def rows(verdict: Verdict, page: Page) -> Iterator[Line]:
    """A row for each endpoint, or for each endpoint and subnet where the subnets differ."""
    groups = by_leg(verdict.gates)
    width = max((len(name) for name, _ in groups), default=0)
    for name, gates in groups[:_MOST_ROWS]:
        yield from wrapped(("strong", f"{pad(name, width)}  "), row(gates), indent=0, page=page, hang=width + 2)
    if len(groups) > _MOST_ROWS:
        yield plain(f"{len(groups) - _MOST_ROWS} more rows (-v)", "dim")


def details(verdict: Verdict, page: Page) -> Iterator[Line]:
    """Every gate with its object and element."""
    for name, gates in by_leg(verdict.gates):
        yield plain(name, "strong")
        for gate in gates:
            where = " ".join(filter(None, (gate.address, gate.object, f"({gate.element})" if gate.element else None)))
            label = f"{pad(str(gate.answer), 8)} {pad(str(gate.gate), 24)} "
            text = f"{where}: {gate.sentence}" if where else gate.sentence
            yield from wrapped((_STYLES[gate.answer], label), text, indent=2, page=page, hang=11)


def reading(configuration: ConfigurationSummary, gates: Sequence[Gate], page: Page) -> Iterator[Line]:
    """What was read, and what could not be read with the statement that would allow it."""
    account = f"account {configuration.account}, " if configuration.account else ""
    unanswered = [source for source in configuration.sources if not source.ok and source.failure != _ABSENT]
    names = sorted({f"{source.service}:{source.operation}" for source in unanswered})
    text = (
        f"configuration of {account}{configuration.region}, read {configuration.read_at:%Y-%m-%d %H:%M} UTC with "
        f"{counted(len(configuration.sources), 'call')}"
    )
    yield from wrapped(("dim", ""), text, indent=0, page=page, style="dim")
    missing = sorted({gate.missing for gate in gates if gate.missing and ":" in gate.missing})
    if missing:
        statement = {"Sid": "Inspect", "Effect": "Allow", "Action": missing, "Resource": "*"}
        yield from wrapped(
            ("warning", "not read: "), f"{', '.join(missing)}; this statement allows it:", indent=0, page=page
        )
        yield from command(json.dumps(statement), indent=2, page=page)
    elif names:
        yield from wrapped(("warning", "not answered: "), ", ".join(names), indent=0, page=page)


def by_leg(gates: Iterable[Gate]) -> list[tuple[str, tuple[Gate, ...]]]:
    """The gates by endpoint; by endpoint and subnet where the subnets of an endpoint differ."""
    by_endpoint: dict[str, dict[str | None, list[Gate]]] = {}
    for gate in gates:
        by_endpoint.setdefault(gate.endpoint, {}).setdefault(gate.subnet, []).append(gate)
    found = []
    for endpoint, by_subnet in by_endpoint.items():
        alike: dict[str, list[str]] = {}
        for subnet, some in by_subnet.items():
            alike.setdefault(row(some), []).append(subnet or "")
        for subnets in alike.values():
            name = endpoint if len(alike) == 1 else f"{endpoint} from {', '.join(subnets)}"
            found.append((name, tuple(by_subnet[subnets[0] or None])))
    return found


def row(gates: Sequence[Gate]) -> str:
    """The gates of one leg in one line."""
    by_word: dict[str, list[Gate]] = {}
    for gate in gates:
        by_word.setdefault(_WORD_OF[gate.gate], []).append(gate)
    return " · ".join(_in_a_word(word, by_word[word]) for word in _WORDS if word in by_word)


def _in_a_word(word: str, gates: Sequence[Gate]) -> str:
    answer = next(answer for answer in _WORST if any(gate.answer is answer for gate in gates))
    worst = next(gate for gate in gates if gate.answer is answer)
    if answer is GateAnswer.ALLOWS:
        objects = [gate.object for gate in gates if gate.object and not gate.object.startswith("subnet-")]
        return " ".join([word, *(objects[:1] if word in _WITH_OBJECT else ()), "ok"])
    subject = f"{word} {worst.object}" if worst.object else word
    same = [gate for gate in gates if gate.gate is worst.gate]
    in_part = worst.address and any(gate.answer is GateAnswer.ALLOWS for gate in same)
    part = f" at {worst.address}" if in_part else ""
    loud = str(answer).upper() if answer is GateAnswer.REFUSES else str(answer)
    return f"{subject} {loud}{part}: {worst.sentence}"
