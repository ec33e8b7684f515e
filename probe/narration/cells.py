"""Groups of similar steps, as the cells of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from probe.model import (
    Action,
    Asker,
    CertificateSeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    LargeHelloSeen,
    LayerSeen,
    ManifestSeen,
    NamesSeen,
    Nothing,
    ProxySeen,
    RedirectSeen,
    RedirectTarget,
    Step,
)
from probe.narration.phrases import address_list, counted, few, size
from probe.narration.vocabulary import failure_cell, http_status, skip_reason

_MOST_ADDRESSES = 3


def object_cell(group: Sequence[Step]) -> str:
    """The object of similar steps: the resolver, the addresses, the layer."""
    first = group[0]
    if first.names:
        records = "+".join(dict.fromkeys(step.names.record for step in group if step.names))
        name = f" {first.names.name}" if first.asker is Asker.FOLLOW_UP else ""
        return f"{first.names.server} {'control' if first.asker is Asker.CONTROL else records}{name}".strip()
    if first.layer:
        return f"{len(group)} {first.layer.what}s" if len(group) > 1 else f"{first.layer.what} {first.subject}"
    if first.redirect and len(group) > 1:
        return f"{len(group)} blobs"
    if first.action in (Action.TCP, Action.TLS):
        addresses = list(dict.fromkeys(step.address or step.subject for step in group))
        count = f", … ({len(addresses)})" if len(addresses) > _MOST_ADDRESSES else ""
        return f"{', '.join(addresses[:_MOST_ADDRESSES])}{count}"
    subjects = (step.subject for step in group if step.subject)
    return few((subject.replace("-", " ") for subject in subjects) if _is_event(first) else subjects, 2)


def result_cell(group: Sequence[Step], steps: Mapping[str, Step]) -> str:
    """The result of similar steps: "timed out", "denied, HTTP 400 AccessDeniedException", "3 layers, linux/amd64"."""
    first = group[0]
    if first.skipped:
        return f"skipped: {skip_reason(first, steps)}"
    if first.failed and _is_event(first):
        return ""  # its object says it
    if first.failed:
        facts = [failure_cell(first.failure or Failure.BUG), http_status(first.answer)]
        return ", ".join(fact for fact in facts if fact)
    of_kind = _RESULTS.get(type(first.seen))
    return (of_kind([step.seen for step in group]) if of_kind else "") or http_status(first.answer)


def _is_event(step: Step) -> bool:
    """Whether the step is an event in an error text: its subject is the failure."""
    return step.action in (Action.START, Action.ENVIRONMENT) and bool(step.subject) and isinstance(step.seen, Nothing)


def _names_result(group: Sequence[NamesSeen]) -> str:
    return ", ".join(filter(None, map(address_list, group))) or "no address"


def _certificate_result(group: Sequence[CertificateSeen]) -> str:
    first = group[0]
    ends = [seen.not_after for seen in group if seen.not_after is not None]
    issuer = first.issuer_organization or (first.issuer or "").rpartition("CN=")[2]
    return ", ".join(part for part in (first.version, issuer, f"until {min(ends):%Y-%m-%d}" if ends else "") if part)


def _layer_result(group: Sequence[LayerSeen]) -> str:
    if all(seen.verified for seen in group):
        proof = "verified"
    elif all(seen.ranged for seen in group):
        proof = "first bytes only"
    else:
        proof = "partly verified"
    rates = [seen.bytes_per_second for seen in group if seen.bytes_per_second]
    speed = [f"{size(int(max(rates)))}/s"] if rates else []
    return ", ".join([size(sum(seen.received for seen in group)), proof, *speed])


def _redirect_result(group: Sequence[RedirectSeen]) -> str:
    ours = RedirectTarget.LAYER_BUCKET
    return f"→ {few('the layer bucket' if seen.target is ours else seen.host or 'no host' for seen in group)}"


def _manifest_result(group: Sequence[ManifestSeen]) -> str:
    seen = group[0]
    return ", ".join(filter(None, (counted(seen.layers, "layer") if seen.layers is not None else "", seen.platform)))


def _credentials_result(group: Sequence[CredentialsSeen]) -> str:
    seen = group[0]
    return " ".join(filter(None, (seen.source, f"as {seen.arn.rpartition(':')[2]}" if seen.arn else "")))


def _proxy_result(group: Sequence[ProxySeen]) -> str:
    return few(group[0].variables) or "no proxy variable"


def _large_hello_result(group: Sequence[LargeHelloSeen]) -> str:
    return f"{group[0].hello_bytes} bytes answered with {group[0].answer}"


def _control_result(group: Sequence[ControlSeen]) -> str:
    seen = group[0]
    # The host of one control is an address that no host has, that of the other is S3 of another region.
    reason = "as it should be" if seen.host == seen.address else "so no NAT is proven"
    return {True: "reached", False: f"not reached, {reason}", None: "not tried"}[seen.reached]


_RESULTS: dict[type, Callable[[Any], str]] = {
    NamesSeen: _names_result,
    CertificateSeen: _certificate_result,
    LayerSeen: _layer_result,
    RedirectSeen: _redirect_result,
    ManifestSeen: _manifest_result,
    CredentialsSeen: _credentials_result,
    ProxySeen: _proxy_result,
    ControlSeen: _control_result,
    LargeHelloSeen: _large_hello_result,
}
