"""`inspect` on a simulated account: the gate that refuses is named with its object and its command."""

from __future__ import annotations

import re

from probe.model import Severity, Standing
from tests.inspect.vpc import healthy_vpc, inspected


def test_a_healthy_vpc_confirms_nothing() -> None:
    verdict = inspected(healthy_vpc())
    assert not [finding for finding in verdict.findings if finding.severity is Severity.ERROR], verdict.summary


def test_a_group_that_admits_nobody_is_the_confirmed_cause() -> None:
    account = healthy_vpc()
    account.object("sg-0e000000")["IpPermissions"] = []
    verdict = inspected(account)
    (finding,) = [finding for finding in verdict.findings if finding.code == "tcp.silent"]
    cause = finding.causes[0]
    assert (cause.code, cause.standing, cause.object) == ("tcp.security-group", Standing.CONFIRMED, "sg-0e000000")
    assert re.search(r"authorize-security-group-ingress .* --group-id sg-0e000000", cause.fix.commands[0])
