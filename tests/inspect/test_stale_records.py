"""A private zone's record lists an address that no network interface has any more."""

from __future__ import annotations

import pytest

from probe.gates.lookup import Lookup
from probe.gates.zone_corrections import _is_about
from probe.model import Advice, Standing
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


def fix_of(account: Account) -> Advice:
    """The fix of the one cause that is confirmed for ecr.api."""
    causes = [cause for finding in inspected(account).findings for cause in finding.causes]
    (fix,) = {cause.fix for cause in causes if cause.standing is Standing.CONFIRMED}
    return fix


def of_vpcs(account: Account, *vpcs: str) -> Account:
    """The zone is associated with these."""
    account.replies[f"route53:GetHostedZone {ZONE}"] = {"VPCs": [{"VPCId": vpc} for vpc in vpcs]}
    record = account.objects["route53"]["ResourceRecordSets"][0]
    record["TTL"] = 60
    return account


def test_without_an_endpoint_a_zone_of_this_name_alone_is_deleted_and_the_endpoint_created() -> None:
    account = of_vpcs(with_zone("10.0.1.99"), "vpc-0a000000")
    account.objects["ec2"]["VpcEndpoints"] = account.objects["ec2"]["VpcEndpoints"][1:]
    fix = fix_of(account)
    assert [command.split()[2] for command in fix.commands] == [
        "change-resource-record-sets",
        "delete-hosted-zone",
        "create-vpc-endpoint",
    ]
    assert '"Action":"DELETE"' in fix.commands[0]
    assert (fix.note or "").endswith("every gate allows.")


@pytest.mark.parametrize("record", ["TXT", "NS"])
def test_a_zone_with_records_of_other_types_is_not_deleted(record: str) -> None:
    """Route 53 would refuse, after the records that are known are gone."""
    account = of_vpcs(with_zone("10.0.1.99"), "vpc-0a000000")
    account.objects["ec2"]["VpcEndpoints"] = account.objects["ec2"]["VpcEndpoints"][1:]
    other = {"Name": f"below.{HOST}.", "Type": record, "TTL": 60, "ResourceRecords": [{"Value": "x"}]}
    account.objects["route53"]["ResourceRecordSets"].append({**other, "_HostedZoneId": ZONE})
    commands = " ".join(fix_of(account).commands)
    assert "DELETE" not in commands
    assert "delete-hosted-zone" not in commands


def test_a_record_for_every_service_of_the_region_is_not_taken_away() -> None:
    lookup = Lookup(
        name="logs.us-east-1.amazonaws.com", vpc="vpc-0a000000", endpoint="logs", region="us-east-1", records=("A",),
        service="com.amazonaws.us-east-1.logs",
    )  # fmt: skip
    for name, about in (("logs", True), ("*", False)):
        assert _is_about({"Name": f"{name}.us-east-1.amazonaws.com."}, lookup) is about
    assert not _is_about({"Name": "us-east-1.amazonaws.com."}, lookup)


def test_the_deletion_of_a_record_repeats_its_place() -> None:
    account = of_vpcs(with_zone("10.0.1.99"), "vpc-0a000000")
    account.objects["route53"]["ResourceRecordSets"][0] |= {"SetIdentifier": "all", "GeoLocation": {"CountryCode": "*"}}
    (command,) = fix_of(account).commands
    assert '"GeoLocation":{"CountryCode":"*"}' in command


def test_a_zone_of_other_vpcs_is_taken_from_this_one_alone() -> None:
    account = of_vpcs(with_zone("10.0.1.99"), "vpc-0a000000", "vpc-0b000000")
    account.objects["ec2"]["VpcEndpoints"] = account.objects["ec2"]["VpcEndpoints"][1:]
    assert fix_of(account).commands[0].startswith("aws route53 disassociate-vpc-from-hosted-zone ")


def test_a_cname_makes_room_for_the_alias() -> None:
    """Route 53 refuses an alias next to a CNAME of the same name."""
    account = of_vpcs(with_zone(), "vpc-0a000000")
    record = account.objects["route53"]["ResourceRecordSets"][0]
    record |= {"Type": "CNAME", "ResourceRecords": [{"Value": "sinkhole.example.com"}]}
    (command,) = fix_of(account).commands
    assert command.index('"Action":"DELETE"') < command.index('"Type":"CNAME"') < command.index('"Action":"UPSERT"')
    del record["TTL"]  # the deletion has to repeat it
    assert "UPSERT" not in " ".join(fix_of(account).commands)
