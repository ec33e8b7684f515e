"""An operator who runs the printed commands: each changes the objects of a simulated account as AWS's API would.

Nothing of the program is used here, so that the commands, not the edits in memory, are what is proven.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any

from probe.sim.account import SimulatedAccount

Item = dict[str, Any]
Flags = dict[str, list[str]]


class NotAChangeError(Exception):
    """The command changes nothing that the simulated account has, such as a file of the reader's own."""


def run(account: SimulatedAccount, commands: Iterable[str]) -> None:
    """Run the commands that change something, in order. Raises NotAChangeError for one that is unknown here."""
    for command in commands:
        words = shlex.split(command, comments=True)
        if words[:1] == ["aws"] and not words[2].startswith(("describe-", "get-", "list-")):
            service, operation = words[1:3]
            change = _CHANGES.get((service, operation))
            if change is None:
                raise NotAChangeError(command)
            change(account, _flags(words[3:]))


def _flags(words: Iterable[str]) -> Flags:
    found: Flags = {}
    for word in words:
        if word.startswith("--"):
            values = found[word[2:]] = []
        else:
            values.append(word)
    return found


def _object(account: SimulatedAccount, kind: str, key: str, identity: str) -> Item:
    return next(item for item in account.objects["ec2"][kind] if item[key] == identity)


# ---- EC2 -------------------------------------------------------------------------------------------------------------


def _authorize(member: str) -> Callable[[SimulatedAccount, Flags], None]:
    def change(account: SimulatedAccount, flags: Flags) -> None:
        group = _object(account, "SecurityGroups", "GroupId", flags["group-id"][0])
        group[member] = [*group[member], *json.loads(flags["ip-permissions"][0])]

    return change


def _create_acl_entry(account: SimulatedAccount, flags: Flags) -> None:
    acl = _object(account, "NetworkAcls", "NetworkAclId", flags["network-acl-id"][0])
    ports = dict(pair.split("=") for pair in flags["port-range"][0].split(","))
    family = "Ipv6CidrBlock" if "ipv6-cidr-block" in flags else "CidrBlock"
    entry = {
        "RuleNumber": int(flags["rule-number"][0]),
        "Egress": "egress" in flags,
        "Protocol": "6",
        "RuleAction": flags["rule-action"][0],
        "PortRange": {name: int(port) for name, port in ports.items()},
        family: flags["ipv6-cidr-block" if family[0] == "I" else "cidr-block"][0],
    }
    assert entry["RuleNumber"] not in [
        other["RuleNumber"] for other in acl["Entries"] if other["Egress"] is entry["Egress"]
    ]
    acl["Entries"] = [*acl["Entries"], entry]


def _modify_endpoint(account: SimulatedAccount, flags: Flags) -> None:
    endpoint = _object(account, "VpcEndpoints", "VpcEndpointId", flags["vpc-endpoint-id"][0])
    if "private-dns-enabled" in flags:
        endpoint["PrivateDnsEnabled"] = True
    if "policy-document" in flags:
        endpoint["PolicyDocument"] = flags["policy-document"][0]
    if "reset-policy" in flags:
        endpoint.pop("PolicyDocument", None)
    for table in flags.get("add-route-table-ids", ()):
        endpoint["RouteTableIds"] = [*endpoint.get("RouteTableIds", ()), table]
    if "ip-address-type" in flags:
        endpoint["IpAddressType"] = flags["ip-address-type"][0]
        endpoint["DnsOptions"] = {"DnsRecordIpType": flags["ip-address-type"][0]}
        for identity in endpoint.get("NetworkInterfaceIds", ()):
            _give_both_families(account, _object(account, "NetworkInterfaces", "NetworkInterfaceId", identity))
    _route_to_gateways(account)


def _give_both_families(account: SimulatedAccount, interface: Item) -> None:
    subnet = _object(account, "Subnets", "SubnetId", interface["SubnetId"])
    for entry in () if interface["Ipv6Addresses"] else subnet["Ipv6CidrBlockAssociationSet"]:
        interface["Ipv6Addresses"] = [{"Ipv6Address": str(ip_network(entry["Ipv6CidrBlock"])[0x99])}]
    if not interface.get("PrivateIpAddress") and subnet.get("CidrBlock"):
        _give_ipv4(interface, str(ip_network(subnet["CidrBlock"])[99]))


def _give_ipv4(interface: Item, address: str) -> None:
    interface["PrivateIpAddress"] = address
    interface["PrivateIpAddresses"] = [{"PrivateIpAddress": address, "Primary": True}]


def _route_to_gateways(account: SimulatedAccount) -> None:
    """AWS keeps the routes of gateway endpoints in their tables."""
    lists = {item["AddressFamily"]: item["PrefixListId"] for item in account.objects["ec2"]["PrefixLists"]}
    for endpoint in account.objects["ec2"]["VpcEndpoints"]:
        families = ["IPv4", "IPv6"] if endpoint.get("IpAddressType") == "dualstack" else ["IPv4"]
        for table in endpoint.get("RouteTableIds", ()):
            routes = _object(account, "RouteTables", "RouteTableId", table)["Routes"]
            for family in families:
                route = {
                    "DestinationPrefixListId": lists[family],
                    "GatewayId": endpoint["VpcEndpointId"],
                    "State": "active",
                }
                if route not in routes:
                    routes.append(route)


def _create_endpoint(account: SimulatedAccount, flags: Flags) -> None:
    service = flags["service-name"][0]
    identity = f"vpce-{len(account.objects['ec2']['VpcEndpoints']) + 1:08x}"
    endpoint: Item = {
        "VpcEndpointId": identity,
        "VpcEndpointType": flags["vpc-endpoint-type"][0],
        "VpcId": flags["vpc-id"][0],
        "ServiceName": service,
        "ServiceRegion": flags.get("service-region", [account.region])[0],
        "State": "available",
        "OwnerId": account.account,
        "IpAddressType": flags.get("ip-address-type", ["ipv4"])[0],
        "RouteTableIds": flags.get("route-table-ids", []),
    }
    if endpoint["VpcEndpointType"] == "Interface":
        groups = [{"GroupId": group} for group in flags["security-group-ids"]]
        interfaces = [_new_interface(account, identity, subnet, groups) for subnet in flags["subnet-ids"]]
        account.objects["ec2"]["NetworkInterfaces"] += interfaces
        endpoint |= {
            "SubnetIds": flags["subnet-ids"],
            "Groups": groups,
            "PrivateDnsEnabled": "private-dns-enabled" in flags,
            "NetworkInterfaceIds": [interface["NetworkInterfaceId"] for interface in interfaces],
            "DnsEntries": [],
        }
    account.objects["ec2"]["VpcEndpoints"].append(endpoint)
    _route_to_gateways(account)


def _new_interface(account: SimulatedAccount, endpoint: str, subnet: str, groups: list[Item]) -> Item:
    place = _object(account, "Subnets", "SubnetId", subnet)
    interface: Item = {
        "NetworkInterfaceId": f"eni-{endpoint[5:]}{subnet[-2:]}",
        "VpcId": place["VpcId"],
        "SubnetId": subnet,
        "AvailabilityZone": place["AvailabilityZone"],
        "InterfaceType": "vpc_endpoint",
        "Status": "in-use",
        "Groups": groups,
        "Ipv6Addresses": [],
    }
    _give_ipv4(interface, str(ip_network(place["CidrBlock"])[100 + len(account.objects["ec2"]["NetworkInterfaces"])]))
    return interface


def _modify_attribute(account: SimulatedAccount, flags: Flags) -> None:
    vpc = _object(account, "Vpcs", "VpcId", flags["vpc-id"][0])
    for option, member in (
        ("enable-dns-support", "_enableDnsSupport"),
        ("enable-dns-hostnames", "_enableDnsHostnames"),
    ):
        if option in flags:
            vpc[member] = True


# ---- Route 53 --------------------------------------------------------------------------------------------------------


def _associate_zone(account: SimulatedAccount, flags: Flags) -> None:
    vpc = dict(pair.split("=") for pair in flags["vpc"][0].split(","))["VPCId"]
    for summary in account.objects["route53"]["HostedZoneSummaries"]:
        if summary["HostedZoneId"] == flags["hosted-zone-id"][0]:
            summary["_VPCId"] = [*summary["_VPCId"], vpc]


def _disassociate_zone(account: SimulatedAccount, flags: Flags) -> None:
    vpc = dict(pair.split("=") for pair in flags["vpc"][0].split(","))["VPCId"]
    for summary in account.objects["route53"]["HostedZoneSummaries"]:
        if summary["HostedZoneId"] == flags["hosted-zone-id"][0]:
            summary["_VPCId"] = [other for other in summary["_VPCId"] if other != vpc]


def _change_records(account: SimulatedAccount, flags: Flags) -> None:
    zone = flags["hosted-zone-id"][0]
    records = account.objects["route53"]["ResourceRecordSets"]
    for change in json.loads(flags["change-batch"][0])["Changes"]:
        new = change["ResourceRecordSet"]
        key = (zone, new["Name"].rstrip("."), new["Type"])
        records[:] = [
            item for item in records if (item["_HostedZoneId"], item["Name"].rstrip("."), item["Type"]) != key
        ]
        if change["Action"] != "DELETE":
            records.append({**new, "_HostedZoneId": zone})


def _key(record: Item) -> tuple[str, str, str]:
    return record["_HostedZoneId"], record["Name"].rstrip("."), record["Type"]


def _update_domains(account: SimulatedAccount, flags: Flags) -> None:
    identity = flags["firewall-domain-list-id"][0]
    domains = account.objects["route53resolver"]["Domains"]
    named = {name.rstrip(".") for name in flags["domains"]}
    if flags["operation"] == ["ADD"]:
        domains += [{"_": f"{name}.", "_FirewallDomainListId": identity} for name in named]
    else:
        domains[:] = [
            item for item in domains if item["_FirewallDomainListId"] != identity or item["_"].rstrip(".") not in named
        ]


# ---- policies, keys, log groups --------------------------------------------------------------------------------------


def _put_role_policy(account: SimulatedAccount, flags: Flags) -> None:
    role, name = flags["role-name"][0], flags["policy-name"][0]
    names = account.replies[f"iam:ListRolePolicies {role}"]["PolicyNames"]
    account.replies[f"iam:ListRolePolicies {role}"] = {"PolicyNames": [*names, *([] if name in names else [name])]}
    document = {"PolicyName": name, "RoleName": role, "PolicyDocument": flags["policy-document"][0]}
    account.replies[f"iam:GetRolePolicy {name} {role}"] = document


def _update_organization(account: SimulatedAccount, flags: Flags) -> None:
    account.replies[f"organizations:DescribePolicy {flags['policy-id'][0]}"] = {
        "Policy": {"Content": flags["content"][0]}
    }


def _enable_key(account: SimulatedAccount, flags: Flags) -> None:
    metadata = account.replies["kms:DescribeKey"]["KeyMetadata"]
    if flags["key-id"][0] != metadata["Arn"]:
        raise NotAChangeError("the key is not named")
    metadata["KeyState"] = "Enabled"


def _create_log_group(account: SimulatedAccount, flags: Flags) -> None:
    account.replies["logs:DescribeLogGroups"]["logGroups"].append({"logGroupName": flags["log-group-name"][0]})


def _restore_image(account: SimulatedAccount, flags: Flags) -> None:
    tag = flags["image-id"][0].partition("=")[2]
    for image in account.objects["ecr"]["imageDetails"]:
        if tag in image["imageTags"]:
            image["imageStatus"] = "ACTIVE"


def _deploy_again(account: SimulatedAccount, flags: Flags) -> None:
    """A new revision, whose first task has yet to resolve the tags."""
    (service,) = account.objects["ecs"]["services"]
    if flags["service"][0] != service["serviceName"] or not service["clusterArn"].endswith(f"/{flags['cluster'][0]}"):
        raise NotAChangeError("the service is not named")
    for revision in account.objects["ecs"]["serviceRevisions"]:
        revision["containerImages"] = []


_CHANGES: dict[tuple[str, str], Callable[[SimulatedAccount, Flags], None]] = {
    ("ec2", "authorize-security-group-ingress"): _authorize("IpPermissions"),
    ("ec2", "authorize-security-group-egress"): _authorize("IpPermissionsEgress"),
    ("ec2", "create-network-acl-entry"): _create_acl_entry,
    ("ec2", "create-vpc-endpoint"): _create_endpoint,
    ("ec2", "modify-vpc-endpoint"): _modify_endpoint,
    ("ec2", "modify-vpc-attribute"): _modify_attribute,
    ("route53", "associate-vpc-with-hosted-zone"): _associate_zone,
    ("route53", "disassociate-vpc-from-hosted-zone"): _disassociate_zone,
    ("route53", "change-resource-record-sets"): _change_records,
    ("route53resolver", "update-firewall-domains"): _update_domains,
    ("iam", "put-role-policy"): _put_role_policy,
    ("organizations", "update-policy"): _update_organization,
    ("kms", "enable-key"): _enable_key,
    ("logs", "create-log-group"): _create_log_group,
    ("ecr", "update-image-storage-class"): _restore_image,
    ("ecs", "update-service"): _deploy_again,
}
