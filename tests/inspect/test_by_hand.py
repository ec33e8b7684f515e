"""What to do where no change is known: every object is named with what is wrong with it."""

from __future__ import annotations

import pytest

from probe.gates.opinion import refuses
from probe.inspect.by_hand import by_hand
from probe.inspect.command import evaluate
from probe.inspect.legs import Leg
from probe.inspect.options import read_options
from probe.model import Advice, GateName
from probe.operator.reading import read
from tests.inspect.vpc import REGION, START, healthy_vpc

ARN = "arn:aws:network-firewall:us-east-1:123456789012"
POLICY, GROUP = f"{ARN}:firewall-policy/p", f"{ARN}:stateful-rulegroup/g"


def advised(gate: GateName, cause: str, identity: str, element: str | None) -> Advice:
    """The advice for a refusal at the first endpoint."""
    refusal = refuses(gate, "no", cause=cause, identity=identity, element=element)
    return by_hand(refusal, _first_leg(), Advice("the usual fix"), REGION)


def _first_leg() -> Leg:
    options = read_options(START, {"AWS_REGION": REGION})
    inspection, _ = read(healthy_vpc(), lambda view: evaluate(view, options))
    return inspection.parts[0].legs[0]


@pytest.mark.parametrize(
    ("identity", "element", "text"),
    [
        (
            "pcx-1",
            "rejected",
            "replace the peering connection pcx-1, which is rejected, and lead the routes to the new",
        ),
        ("pcx-1", "active", "lead the route to another target than pcx-1"),
        (
            "tgw-attach-1",
            "available",
            "associate the attachment tgw-attach-1 with a route table of its transit gateway",
        ),
        ("tgw-attach-1", "failed", "replace the attachment tgw-attach-1, which is failed"),
        ("tgw-rtb-1", None, "add a route in tgw-rtb-1"),
        ("rtb-1", "10.1.0.0/16", "correct the route 10.1.0.0/16 of rtb-1, or replace it"),
        ("nat-1", "0.0.0.0/0", "lead the route 0.0.0.0/0 to another NAT gateway than nat-1"),
    ],
)
def test_a_way_that_leads_nowhere(identity: str, element: str | None, text: str) -> None:
    assert advised(GateName.ROUTE, "tcp.no-route", identity, element).text.startswith(text)


def test_an_attachment_is_accepted_where_its_gateway_is() -> None:
    advice = advised(GateName.ROUTE, "tcp.no-route", "tgw-attach-1", "pendingAcceptance")
    (command,) = advice.commands
    assert command.endswith(" --region us-east-1 --transit-gateway-attachment-id tgw-attach-1")
    assert advice.note == "Run it in the account of the transit gateway."


@pytest.mark.parametrize(
    ("identity", "element", "text", "command"),
    [
        (POLICY, "aws:drop", f"let TCP 443 pass the stateless rules of {POLICY}", f"--firewall-policy-arn {POLICY}"),
        (POLICY, "aws:drop_strict", f"allow api.ecr.us-east-1.amazonaws.com in a rule group of {POLICY}", POLICY),
        (GROUP, "DENYLIST .aws", f"allow api.ecr.us-east-1.amazonaws.com in {GROUP}", f"--rule-group-arn {GROUP}"),
    ],
)
def test_a_firewall_is_named_by_what_drops(identity: str, element: str, text: str, command: str) -> None:
    advice = advised(GateName.NETWORK_FIREWALL, "path.egress-firewall", identity, element)
    assert advice.text == f"{text}, or create the endpoints so that no traffic passes the firewall"
    assert advice.commands[0].endswith(command)
