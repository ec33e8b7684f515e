"""What to do by hand where no change of the configuration is known that mends a refusal, with the ids that are known.

A refusal that is not listed here keeps the usual fix of its cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from shlex import quote

from probe.gates.call import Call
from probe.gates.opinion import Opinion
from probe.inspect.legs import Leg
from probe.model import Advice, GateName
from probe.records import replace

_PLACEHOLDER = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
_NOTHING_KNOWN = "No change of this configuration alone is known to mend it."


def by_hand(refusal: Opinion, leg: Leg, usual: Advice, region: str) -> Advice:
    """The advice for a refusal of this leg; `usual` is that of its cause."""
    advise = _BY_CAUSE.get(refusal.cause or "") or _BY_GATE.get(refusal.gate)
    advice = advise(refusal, leg, region) if advise is not None else None
    return advice or filled(usual, leg, refusal.object)


# ---- packets ---------------------------------------------------------------------------------------------------------


def _way(refusal: Opinion, _: Leg, region: str) -> Advice | None:
    """A way that leads nowhere. A default route, which the usual fix adds, does not mend it."""
    if refusal.cause != "tcp.no-route":
        return None
    identity, element = str(refusal.object), refusal.element
    if identity.startswith("pcx-") and element == "pending-acceptance":
        command = f"aws ec2 accept-vpc-peering-connection --region {region} --vpc-peering-connection-id {identity}"
        return Advice(
            f"accept the peering connection {identity}", (command,), "Run it in the account of the other VPC."
        )
    if identity.startswith("tgw-attach-") and element == "pendingAcceptance":
        target = f"--region {region} --transit-gateway-attachment-id {identity}"
        command = f"aws ec2 accept-transit-gateway-vpc-attachment {target}"
        return Advice(f"accept the attachment {identity}", (command,), "Run it in the account of the transit gateway.")
    return Advice(_correction(identity, element), note=_NOTHING_KNOWN)


def _correction(identity: str, element: str | None) -> str:
    """What to do about an object of a way; `element` is its state, or a destination of a route table."""
    match identity.partition("-")[0]:
        case "nat":
            return f"lead the route {element} to another NAT gateway than {identity}, one that is public and available"
        case "pcx" if element == "active":
            return f"lead the route to another target than {identity}, one that leads to the other VPC"
        case "pcx":
            return f"replace the peering connection {identity}, which is {element}, and lead the routes to the new one"
        case "tgw" if identity.startswith("tgw-attach-") and element == "available":
            return f"associate the attachment {identity} with a route table of its transit gateway"
        case "tgw" if identity.startswith("tgw-attach-"):
            return f"replace the attachment {identity}, which is {element}"
    return f"correct the route {element} of {identity}, or replace it" if element else f"add a route in {identity}"


def _no_public_address(refusal: Opinion, leg: Leg, _: str) -> Advice:
    route = f"the route {refusal.element} of {leg.origin.subnet}"
    return Advice(
        f"lead {route} to a NAT gateway, or run the task with assignPublicIp=ENABLED",
        note="Tasks on EC2 in awsvpc mode get no public address: they need the NAT gateway.",
    )


def _blocked_public_access(_: Opinion, __: Leg, ___: str) -> Advice:
    return Advice(
        "create the VPC endpoints that are missing, which VPC Block Public Access does not stop",
        note="An exclusion does not help here: exclusions are forbidden, or do not cover firewall endpoints.",
    )


def _network_firewall(refusal: Opinion, leg: Leg, region: str) -> Advice:
    """A policy without a list of allowed hosts, a list that cannot be edited here, or a stateless rule."""
    identity = str(refusal.object)
    kind = "firewall-policy" if ":firewall-policy/" in identity else "rule-group"
    if refusal.element == "aws:drop":
        what = f"let TCP 443 pass the stateless rules of {identity}"
    elif kind == "firewall-policy":
        what = f"allow {leg.endpoint.host} in a rule group of {identity}"
    else:
        what = f"allow {leg.endpoint.host} in {identity}"
    return Advice(
        f"{what}, or create the endpoints so that no traffic passes the firewall",
        (f"aws network-firewall describe-{kind} --region {region} --{kind}-arn {identity}",),
    )


def _network_acl(refusal: Opinion, _: Leg, __: str) -> Advice:
    return Advice(
        f"renumber the entries of {refusal.object}, and allow the packets in front of entry {refusal.element}",
        note="No number is free in front of the entry that denies them.",
    )


# ---- calls -----------------------------------------------------------------------------------------------------------


def _key(refusal: Opinion, leg: Leg, _: str) -> Advice | None:
    call = _call_of(refusal, leg)
    if call is None:
        return None
    target = f"--region {call.region} --key-id {quote(str(refusal.object))}"
    if refusal.element == "Grants":
        repository = f"{call.repository}-2"
        return Advice(
            f"create a repository with the key, such as {repository}, push the images to it, and use it in the task "
            "definition",
            (
                f"aws kms list-grants {target}",
                f"aws ecr create-repository --region {call.region} --repository-name {repository} "
                f"--encryption-configuration encryptionType=KMS,kmsKey={refusal.object}",
            ),
            "ECR creates its grants only with a repository. Once they are revoked or retired, it cannot decrypt the "
            "images any more.",
        )
    state = (refusal.element or "").removeprefix("KeyState ")
    by_state = {
        "Unavailable": ("connect the custom key store of the key again", "CustomKeyStoreId"),
        "PendingImport": ("import the material of the key again", "Origin"),
    }
    if state not in by_state:
        return Advice(
            f"wait until the key is enabled, or create a repository with another key: it is {state}",
            (f"aws kms describe-key {target} --query KeyMetadata.KeyState",),
        )
    what, member = by_state[state]
    return Advice(what, (f"aws kms describe-key {target} --query KeyMetadata.{member}",))


def _call_of(refusal: Opinion, leg: Leg) -> Call | None:
    return next((request.call for request in leg.requests if refusal in request.opinions), None)


_Advise = Callable[[Opinion, Leg, str], Advice | None]
_BY_CAUSE: dict[str, _Advise] = {"tcp.no-public-ip": _no_public_address}
_BY_GATE: dict[GateName, _Advise] = {
    GateName.ROUTE: _way,
    GateName.PUBLIC_PATH: _way,
    GateName.BLOCK_PUBLIC_ACCESS: _blocked_public_access,
    GateName.NETWORK_FIREWALL: _network_firewall,
    GateName.KMS_KEY: _key,
    **dict.fromkeys(
        (GateName.NACL_EGRESS, GateName.NACL_INGRESS, GateName.NACL_RETURN_EGRESS, GateName.NACL_RETURN_INGRESS),
        _network_acl,
    ),
}


# ---- the usual fix ---------------------------------------------------------------------------------------------------

# What stands for an id in a command, by the beginning of such an id.
_PLACEHOLDERS = (
    ("VPCE_ID", "vpce-"),
    ("VPC_ID", "vpc-"),
    ("SUBNET_ID", "subnet-"),
    ("RTB_ID", "rtb-"),
    ("ACL_ID", "acl-"),
    ("NAT_ID", "nat-"),
    ("ZONE_ID", "Z"),
    ("RULE_ID", "rslvr-rr-"),
    ("WRONG_RULE_ID", "rslvr-rr-"),
)


def filled(advice: Advice, leg: Leg, identity: str | None = None) -> Advice:
    """The advice with the ids of the subnet and of an object, except for those that its note explains."""
    known = (leg.origin.vpc, leg.origin.subnet, identity or "")
    ids = {name: found for name, start in _PLACEHOLDERS for found in known if found.startswith(start)}
    ids = {name: found for name, found in ids.items() if name not in (advice.note or "")}
    commands = (_PLACEHOLDER.sub(lambda match: ids.get(match[0], match[0]), command) for command in advice.commands)
    return replace(advice, commands=tuple(commands))
