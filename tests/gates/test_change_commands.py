"""The command of a change: what bash and the AWS CLI's options accept, with every id in it."""

from __future__ import annotations

import botocore.session
import pytest
from botocore import xform_name

from probe.gates.changes import Change
from probe.gates.dns_changes import (
    AddRecord,
    AssociateRule,
    AssociateZone,
    AwaitEndpoint,
    CreateEndpoint,
    DeleteZone,
    DisassociateRule,
    DisassociateZone,
    EditDomainList,
    EnablePrivateDns,
    NewInterface,
    ReplaceEndpoint,
    SetEndpointAddressType,
    SetVpcAttribute,
)
from tests.faults.commands import calls_of, fault_of_text, unreadable

SERVICE = "com.amazonaws.eu-west-1.ecr.api"
CHANGES: tuple[Change, ...] = (
    EnablePrivateDns(object="vpce-0a1b2c3d"),
    SetEndpointAddressType(object="vpce-0a1b2c3d"),
    SetVpcAttribute(object="vpc-0a1b2c3d", attribute="enableDnsSupport"),
    SetVpcAttribute(object="vpc-0a1b2c3d", attribute="enableDnsHostnames"),
    CreateEndpoint(
        object="vpc-0a1b2c3d",
        service=SERVICE,
        groups=("sg-0a1b2c3d",),
        interfaces=(
            NewInterface("subnet-0a1b2c3d", "us-east-1a", "10.0.1.254"),
            NewInterface("subnet-0b1b2c3d", "us-east-1b", "10.0.2.254"),
        ),
        service_region="eu-west-1",
    ),
    ReplaceEndpoint(
        object="vpce-0a1b2c3d",
        vpc="vpc-0a1b2c3d",
        service=SERVICE,
        subnets=("subnet-0a1b2c3d",),
        groups=("sg-0a1b2c3d", "sg-0b1b2c3d"),
        private_dns=True,
        service_region="eu-west-1",
    ),
    ReplaceEndpoint(
        object="vpce-0a1b2c3d",
        vpc="vpc-0a1b2c3d",
        service=SERVICE,
        subnets=("subnet-0a1b2c3d",),
        groups=(),
        private_dns=False,
        deleting=True,
    ),
    AwaitEndpoint(object="vpce-0a1b2c3d"),
    AddRecord(
        object="Z0A1B2C3D",
        name="*.dkr.ecr.us-east-1.amazonaws.com",
        target="vpce-0a1b2c3d-x1y2z3.dkr.ecr.us-east-1.vpce.amazonaws.com",
        target_zone="Z7HUB22UULQXV",
        types=("A", "AAAA"),
    ),
    AddRecord(
        object="Z0A1B2C3D",
        name="api.ecr.us-east-1.amazonaws.com",
        target="vpce-0a1b2c3d-x1y2z3.api.ecr.us-east-1.vpce.amazonaws.com",
        target_zone="Z7HUB22UULQXV",
        replaced=('{"Name":"api.ecr.us-east-1.amazonaws.com.","Type":"CNAME","TTL":60,"ResourceRecords":[]}',),
    ),
    DeleteZone(
        object="Z0A1B2C3D",
        vpc="vpc-0a1b2c3d",
        name="api.ecr.us-east-1.amazonaws.com",
        records=('{"Name":"api.ecr.us-east-1.amazonaws.com.","Type":"A","TTL":60,"ResourceRecords":[]}',),
    ),
    AssociateZone(object="Z0A1B2C3D", vpc="vpc-0a1b2c3d", name="amazonaws.com"),
    DisassociateZone(object="Z0A1B2C3D", vpc="vpc-0a1b2c3d", name="amazonaws.com"),
    AssociateRule(object="rslvr-rr-0a1b2c3d", vpc="vpc-0a1b2c3d", domain=""),
    DisassociateRule(object="rslvr-rr-0a1b2c3d", vpc="vpc-0a1b2c3d"),
    EditDomainList(object="rslvr-fdl-0a1b2c3d", domain="*.amazonaws.com", add=True),
    EditDomainList(object="rslvr-fdl-0a1b2c3d", domain="*.amazonaws.com", add=False),
)
each = pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)


@each
def test_the_commands_are_readable_and_name_the_object(change: Change) -> None:
    commands = change.advice("us-east-1").commands
    assert unreadable(list(commands)) == []
    assert [fault for command in commands if (fault := fault_of_text(command))] == []
    assert any(change.object in command for command in commands)


@each
def test_the_options_are_members_of_the_operations(change: Change) -> None:
    session = botocore.session.Session()
    for command in change.advice("us-east-1").commands:
        for service, operation, *words in calls_of(command):
            model = session.get_service_model(service)
            names = {xform_name(name, "-"): name for name in model.operation_names}
            shape = model.operation_model(names[operation]).input_shape
            members = {xform_name(name, "-"): name for name in shape.members}
            options = {word.removeprefix("--") for word in words if word.startswith("--")} - {
                "region",
                "query",
                "output",
            }
            assert options <= set(members)
            needed = {xform_name(name, "-") for name in shape.required_members}
            assert needed <= options | {"creator-request-id"}


@each
def test_a_change_can_be_compared_and_counted(change: Change) -> None:
    assert len({change, *CHANGES}) == len(CHANGES)


def test_every_change_of_names_is_here() -> None:
    made = {kind for kind in Change.__subclasses__() if kind.__module__ == "probe.gates.dns_changes"}
    assert made == {type(change) for change in CHANGES}
