"""VPC Block Public Access: a setting of an account and Region that stops internet gateways. AWS[block-public-access]"""

from __future__ import annotations

from typing import Any

from probe.configuration.operations import BLOCK_PUBLIC_ACCESS, BLOCK_PUBLIC_ACCESS_EXCLUSIONS
from probe.configuration.view import View
from probe.gates.flow import Flow
from probe.gates.network_changes import ExcludeFromBlock
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.public_path import nat_of, ways_out
from probe.gates.route_tables import Hop, Way
from probe.model import GateName

_IN_FORCE = ("create-complete", "update-complete")


def block_public_access(view: View, flow: Flow) -> Opinion | None:
    """Whether it stops what an internet gateway would carry."""
    if not flow.public:
        return None
    ways = ways_out(view, flow)
    if not ways or ways[-1].hop not in (Hop.INTERNET, Hop.EGRESS_ONLY):
        return None
    options = view.reply(BLOCK_PUBLIC_ACCESS).get("VpcBlockPublicAccessOptions", {})
    mode = options.get("InternetGatewayBlockMode", "off")
    vpc = flow.origin.vpc
    outbound_only = ways[-1].hop is Hop.EGRESS_ONLY or any(found.hop is Hop.NAT for found in ways)
    if mode == "off" or (mode == "block-ingress" and outbound_only):
        return allows(GateName.BLOCK_PUBLIC_ACCESS, f"VPC Block Public Access does not stop this ({mode})", vpc, mode)
    facing = _facing_subnet(view, flow, ways)
    exclusion = _exclusion(view, mode, (vpc, facing))
    inspected = any(found.hop is Hop.INSPECTION for found in ways)
    if exclusion is not None and not inspected:
        sentence = f"{exclusion['ExclusionId']} excludes {_resource(exclusion)} from VPC Block Public Access"
        return allows(GateName.BLOCK_PUBLIC_ACCESS, sentence, vpc, exclusion["ExclusionId"])
    sentence = f"VPC Block Public Access ({mode}) stops {ways[-1].target} for {facing}"
    if exclusion is not None:  # AWS[block-public-access-inspection]
        sentence = f"VPC Block Public Access ({mode}) can stop traffic through firewall endpoints of excluded subnets"
        return depends(GateName.BLOCK_PUBLIC_ACCESS, sentence, vpc, exclusion["ExclusionId"])
    forbidden = options.get("ExclusionsAllowed") == "not-allowed" or inspected
    allowing = "allow-egress" if mode == "block-bidirectional" else "allow-bidirectional"
    return refuses(
        GateName.BLOCK_PUBLIC_ACCESS,
        sentence,
        cause="tcp.block-public-access",
        identity=vpc,
        element=mode,
        change=None if forbidden else ExcludeFromBlock(object=facing, mode=allowing),
    )


def _facing_subnet(view: View, flow: Flow, ways: tuple[Way, ...]) -> str:
    """The subnet from which packets enter the internet gateway: the NAT gateway's where there is one."""
    for found in ways:
        if found.hop is Hop.NAT:
            return str(nat_of(view, found.target, flow.origin.vpc).get("SubnetId") or flow.origin.vpc)
    return flow.origin.subnet


def _exclusion(view: View, mode: str, identities: tuple[str, ...]) -> dict[str, Any] | None:
    modes = ("allow-bidirectional", "allow-egress") if mode == "block-bidirectional" else ("allow-bidirectional",)
    return next(
        (
            exclusion
            for exclusion in view.items(BLOCK_PUBLIC_ACCESS_EXCLUSIONS)
            if exclusion.get("State") in _IN_FORCE
            and exclusion.get("InternetGatewayExclusionMode") in modes
            and _resource(exclusion) in identities
        ),
        None,
    )


def _resource(exclusion: dict[str, Any]) -> str:
    return str(exclusion.get("ResourceArn", "")).rpartition("/")[2]
