"""A private zone's record lists an address that no network interface has any more."""

from __future__ import annotations

from probe.model import Standing
from tests.inspect.vpc import Account, healthy_vpc, inspected

HOST, ZONE = "api.ecr.us-east-1.amazonaws.com", "Z0A00000000000"


def with_zone(*addresses: str) -> Account:
    """Private DNS of ecr.api is off, and an own zone answers with these addresses."""
    account = healthy_vpc()
    account.object("vpce-0e000001")["PrivateDnsEnabled"] = False
    owner = {"OwningAccount": account.account}
    zone = {"HostedZoneId": ZONE, "Name": f"{HOST}.", "Owner": owner, "_VPCId": "vpc-0a000000"}
    values = [{"Value": address} for address in addresses]
    record = {"Name": f"{HOST}.", "Type": "A", "ResourceRecords": values, "_HostedZoneId": ZONE}
    account.objects["route53"] = {"HostedZoneSummaries": [zone], "ResourceRecordSets": [record]}
    return account


def test_the_record_is_corrected() -> None:
    verdict = inspected(with_zone("10.0.1.99"))
    (finding,) = [finding for finding in verdict.findings if finding.code == "tcp.silent"]
    first = finding.causes[0]
    assert (first.code, first.standing, first.element) == ("dns.stale-record", Standing.CONFIRMED, "10.0.1.99")
    (command,) = first.fix.commands
    assert command.startswith(f"aws route53 change-resource-record-sets --hosted-zone-id {ZONE} ")
    assert '"Action":"UPSERT"' in command
    assert first.fix.note is not None
    assert "every gate allows" in first.fix.note


def test_a_record_with_the_endpoints_address_confirms_nothing() -> None:
    assert not [finding for finding in inspected(with_zone("10.0.1.10")).findings if finding.code == "tcp.silent"]
