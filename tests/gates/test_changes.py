"""Changes print one command with every id, and every kind of change is among the samples that the AWS CLI reads."""

from __future__ import annotations

import re

import pytest

from probe.gates import network_changes
from probe.gates.changes import AddSecurityGroupRule, Change
from tests.gates.sample_changes import NETWORK_CHANGES


def test_every_change_of_the_network_has_a_sample() -> None:
    kinds = {kind for kind in vars(network_changes).values() if isinstance(kind, type) and issubclass(kind, Change)}
    assert {type(change) for change in NETWORK_CHANGES} == {*kinds, AddSecurityGroupRule} - {Change}


@pytest.mark.parametrize("change", NETWORK_CHANGES, ids=lambda change: type(change).__name__)
def test_its_command_is_complete(change: Change) -> None:
    advice = change.advice("eu-west-1")
    (command,) = advice.commands
    assert command.startswith(("aws ec2 ", "aws network-firewall "))
    assert " --region eu-west-1 " in command
    assert change.object in command
    assert change.object in advice.text
    assert re.findall(r"(?<= )[A-Z_]{4,}", command) == []  # no placeholder is left
