"""Expected verdicts where the configuration was read: gates settle causes, or leave the pull undecided."""

from __future__ import annotations

from typing import Any

from probe.model import Basis, Failure, Gate, GateAnswer, GateName
from tests.faults.expectation import Expected
from tests.faults.fake_hosts import PRIVATE, private
from tests.faults.fake_run import FakeRun

SILENT = {"ecr.api": private("ecr.api", tcp=Failure.TIMEOUT)}
ADDRESSES = PRIVATE["ecr.api"]


def gate(name: GateName, answer: GateAnswer, **fields: Any) -> Gate:
    values = {"endpoint": "ecr.api", "sentence": f"{name} {answer}"} | fields
    return Gate(gate=name, answer=answer, **values)


def packets(name: GateName, answer: GateAnswer, **fields: Any) -> tuple[Gate, ...]:
    """The same answer at every address."""
    return tuple(gate(name, answer, address=address, **fields) for address in ADDRESSES)


ALLOWS = packets(GateName.SECURITY_GROUP_EGRESS, GateAnswer.ALLOWS)
REFUSES = packets(GateName.SECURITY_GROUP_INGRESS, GateAnswer.REFUSES, object="sg-0e000000", cause="tcp.security-group")
FIREWALL = packets(GateName.NETWORK_FIREWALL, GateAnswer.REFUSES, object="arn:list", cause="path.egress-firewall")

EXPECTED = (
    Expected(
        "a group refuses, so it is the cause and the only one",
        FakeRun(SILENT, basis=Basis.CONFIGURATION, gates=(*ALLOWS, *REFUSES)),
        {"tcp.silent": "=tcp.security-group -tcp.nacl -dns.stale-record -endpoint.not-available"},
    ),
    Expected(
        "a group that is measured silent and refuses by configuration",
        FakeRun(SILENT, gates=(*ALLOWS, *REFUSES)),
        {"tcp.silent": "=tcp.security-group -tcp.nacl"},
    ),
    Expected(
        "every gate allows, and nothing answers",
        FakeRun(SILENT, gates=ALLOWS),
        {"tcp.silent": "tcp.nacl dns.stale-record", "configuration.contradiction": "path.egress-firewall other"},
        severities={"configuration.contradiction": "warning"},
    ),
    Expected(
        "a gate refuses, and everything answers",
        FakeRun(gates=(*ALLOWS, *REFUSES)),
        {"configuration.contradiction": "other"},
        "degraded",
        "works",
    ),
    Expected(
        "the image that ECS pinned is gone, and its tag was pulled",
        FakeRun(
            gates=(
                gate(
                    GateName.IMAGE,
                    GateAnswer.REFUSES,
                    endpoint="ecr.dkr",
                    object="arn:aws:ecr:us-east-1:123456789012:repository/team/app",
                    cause="registry.tag-not-found",
                ),
            )
        ),
        {"configuration.contradiction": "=registry.tag-not-found -registry.archived"},
        "degraded",
        "works",
    ),
    Expected(
        "a firewall refuses the server name, and connections open before it sees one",
        FakeRun({"ecr.api": private("ecr.api", tls=Failure.TLS_STALL)}, gates=(*ALLOWS, *FIREWALL)),
        {"tls.silent": "=path.egress-firewall"},
    ),
    Expected(
        "a firewall refuses the server name, and everything answers",
        FakeRun(gates=(*ALLOWS, *FIREWALL)),
        {"configuration.contradiction": "other"},
        "degraded",
        "works",
    ),
    Expected(
        "a gate could not be read",
        FakeRun(
            basis=Basis.CONFIGURATION,
            gates=(gate(GateName.ROUTE, GateAnswer.UNKNOWN, missing="ec2:DescribeRouteTables"),),
        ),
        {"configuration.undecided": "other"},
        "inconclusive",
        "unproven",
        endpoints={"configuration.undecided": "ecr.api"},
    ),
    Expected(
        "a policy depends on a tag",
        FakeRun(
            basis=Basis.CONFIGURATION,
            gates=(gate(GateName.ENDPOINT_POLICY, GateAnswer.DEPENDS, sentence="it depends on aws:PrincipalTag/team"),),
        ),
        {"configuration.undecided": "other"},
        "inconclusive",
        "unproven",
    ),
    Expected(
        "an unreadable policy of the organization alone decides nothing",
        FakeRun(
            basis=Basis.CONFIGURATION,
            gates=(gate(GateName.SERVICE_CONTROL_POLICY, GateAnswer.UNKNOWN, missing="organizations:DescribePolicy"),),
        ),
        {},
        "pass",
        "works",
    ),
)
