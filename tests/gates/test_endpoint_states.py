"""An endpoint that exists and is not available: what is said and printed in each of its states. AWS[endpoint-states]"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from probe.model import JudgedFinding, Standing
from tests.inspect.vpc import Account, healthy_vpc, inspected

INTERFACE, GATEWAY = "vpce-0e000001", "vpce-0e000009"
# What the commands of the fix do, in order. An endpoint that is on its way is awaited and never created again.
STATES = {
    "pending": ["describe"],
    "PendingAcceptance": ["describe"],
    "failed": ["delete", "until", "create"],
    "rejected": ["delete", "until", "create"],
    "expired": ["delete", "until", "create"],
    "deleting": ["until", "create"],
}
OF_GATEWAYS = {"pending": ["describe"], "failed": ["delete", "until", "create"], "deleting": ["until", "create"]}


def in_state(identity: str, state: str) -> Account:
    account = healthy_vpc()
    account.object(identity)["State"] = state
    return account


def verbs(finding: JudgedFinding) -> list[str]:
    commands = finding.causes[0].fix.commands
    return ["until" if each.startswith("until ") else each.split()[2].partition("-")[0] for each in commands]


# An AWS CLI that notes its operation, and finds the endpoint as long as there are lines in the file "left".
_AWS = """#!/bin/sh
echo "$2" >> calls
case "$2" in
  describe-vpc-endpoints)
    read -r count < left || exit 254
    sed -i 1d left
    case "$count" in error) echo "An error occurred" >&2; exit 254;; *) echo "$count";; esac;;
esac
"""


def test_the_new_endpoint_is_created_after_the_deletion(tmp_path: Path) -> None:
    """The whole block pasted at once, in sh; a read that fails ends no waiting."""
    for name, text in (("aws", _AWS), ("sleep", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "left").write_text("1\nerror\n1\n0\n")
    (finding,) = inspected(in_state(INTERFACE, "failed")).findings
    script = "\n".join(finding.causes[0].fix.commands)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=20)
    reads = ["describe-vpc-endpoints"] * 4
    assert (tmp_path / "calls").read_text().split() == ["delete-vpc-endpoints", *reads, "create-vpc-endpoint"]


@pytest.mark.parametrize("state", STATES)
def test_the_fix_of_an_interface_endpoint_that_is_not_available(state: str) -> None:
    (finding,) = inspected(in_state(INTERFACE, state)).findings
    cause = finding.causes[0]
    assert (cause.code, cause.standing, cause.object) == ("endpoint.not-available", Standing.CONFIRMED, INTERFACE)
    assert cause.element == f"State {state}"
    assert verbs(finding) == STATES[state]
    assert all(INTERFACE in command for command in cause.fix.commands if "create-" not in command)
    assert "With this change every gate allows." in (cause.fix.note or "")


@pytest.mark.parametrize("state", OF_GATEWAYS)
def test_the_fix_of_a_gateway_endpoint_that_is_not_available(state: str) -> None:
    account = in_state(GATEWAY, state)
    (finding,) = inspected(account).findings
    cause = finding.causes[0]
    assert (cause.code, cause.object, cause.element) == ("endpoint.not-available", GATEWAY, f"State {state}")
    assert verbs(finding) == OF_GATEWAYS[state]
    assert "With this change every gate allows." in (cause.fix.note or "")


@pytest.mark.parametrize(("identity", "state"), [(INTERFACE, "pending"), (GATEWAY, "deleting")])
def test_another_endpoint_of_the_service_serves(identity: str, state: str) -> None:
    """An endpoint that was replaced is still listed for a while."""
    account = in_state(identity, state)
    old = account.object(identity)
    account.objects["ec2"]["VpcEndpoints"].append({**old, "VpcEndpointId": "vpce-0e0000aa", "State": "available"})
    for route in account.objects["ec2"]["RouteTables"][0]["Routes"]:
        if route.get("GatewayId") == identity:
            route["GatewayId"] = "vpce-0e0000aa"
    assert inspected(account).exit_code == 0


def test_a_pending_endpoint_counts_before_one_that_is_being_deleted() -> None:
    account = in_state(INTERFACE, "deleting")
    old = account.object(INTERFACE)
    account.objects["ec2"]["VpcEndpoints"].append({**old, "VpcEndpointId": "vpce-0e0000aa", "State": "pending"})
    (finding,) = inspected(account).findings
    assert finding.causes[0].object == "vpce-0e0000aa"
    assert verbs(finding) == ["describe"]
