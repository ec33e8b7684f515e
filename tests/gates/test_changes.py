"""Changes print one command with every id, and every kind of change is among the samples that the AWS CLI reads."""

from __future__ import annotations

import re

import pytest

from probe.gates import network_changes
from probe.gates.changes import AddSecurityGroupRule, Change
from probe.gates.network_changes import AddNetworkAclEntry
from probe.records import replace
from tests.gates.sample_changes import NETWORK_CHANGES


def test_every_change_of_the_network_has_a_sample() -> None:
    kinds = {kind for kind in vars(network_changes).values() if isinstance(kind, type) and issubclass(kind, Change)}
    assert {type(change) for change in NETWORK_CHANGES} == {*kinds, AddSecurityGroupRule} - {Change}


@pytest.mark.parametrize("change", NETWORK_CHANGES, ids=lambda change: type(change).__name__)
def test_its_command_is_complete(change: Change) -> None:
    advice = change.advice("eu-west-1")
    for command in advice.commands:
        assert command.removeprefix("until ").startswith(("aws ec2 ", "aws network-firewall "))
        assert " --region eu-west-1 " in command
        assert re.findall(r"(?<= )[A-Z_]{4,}", command) == []  # no placeholder is left
    assert change.object in advice.commands[-1]
    assert change.object in advice.text


def test_entries_that_were_found_apart_get_numbers_of_their_own() -> None:
    behind = AddNetworkAclEntry(
        object="acl-0a000000", number=110, egress=True, ports=(443, 443), cidr="10.0.2.0/24", taken=(100,)
    )
    others = [
        replace(behind, number=120, taken=(100, 110)),  # does the same
        replace(behind, cidr="0.0.0.0/0"),
        replace(behind, egress=False),
        replace(behind, object="acl-0b000000"),
        replace(behind, before=100, number=99, cidr="10.0.3.0/24"),
        replace(behind, before=100, number=99, cidr="10.0.4.0/24"),
    ]
    made: list[Change] = []
    for change in (behind, *others):
        own = change.after(made)
        made += [own] if own not in made else []
    assert [change.number for change in made if isinstance(change, AddNetworkAclEntry)] == [110, 120, 110, 110, 99, 98]
