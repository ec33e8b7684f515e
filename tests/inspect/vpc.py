"""A healthy VPC as a simulated account, and `inspect` run on it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from probe.inspect.command import inspect
from probe.inspect.options import read_options
from probe.model import Verdict
from probe.operator.aws import error_of_response
from probe.sim.account import RefusedCallError, SimulatedAccount

REGION = "us-east-1"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1.0"
DIGEST = "sha256:" + "0" * 64
START = ("--subnets", "subnet-0a000000", "--security-groups", "sg-0a000000", "--image", IMAGE)


class Account(SimulatedAccount, kw_only=True):
    """The simulated account as a reader."""

    def pages(self, action: str, *, region: str | None = None, **parameters: Any) -> tuple[dict[str, Any], ...]:
        try:
            return (self.answer(action, parameters, region),)
        except RefusedCallError as error:
            code, message = error.args
            raise error_of_response({"Error": {"Code": code, "Message": message}}, action) from None

    def object(self, identity: str) -> dict[str, Any]:
        """The object with this id, to be changed."""
        for lists in self.objects.values():
            for items in lists.values():
                for item in items:
                    if identity in (value for key, value in item.items() if key.endswith("Id") and key != "VpcId"):
                        return item
        raise KeyError(identity)


def inspected(account: Account, *argv: str) -> Verdict:
    return inspect(read_options(argv or START, {"AWS_REGION": account.region}), account)


def dns_entries(endpoint: str, service: str, region: str = "us-east-1") -> list[dict[str, str]]:
    """The names of an endpoint, as EC2 lists them: its own, of one zone, and the private ones of its service."""
    reversed_service = ".".join(reversed(service.split("."))) if service.startswith("ecr.") else service
    domain = f"{reversed_service}.{region}"
    private = [f"{domain}.amazonaws.com", *([f"*.{domain}.amazonaws.com"] if service == "ecr.dkr" else [])]
    own = [f"{endpoint}-x1y2z3.{domain}.vpce.amazonaws.com", f"{endpoint}-x1y2z3-{region}a.{domain}.vpce.amazonaws.com"]
    return [
        *({"DnsName": name, "HostedZoneId": "Z7HUB22UULQXV"} for name in own),
        *({"DnsName": name, "HostedZoneId": "ZONEIDPENDING"} for name in private),
    ]


_ROUTE_TABLE = {
    "RouteTableId": "rtb-0a000000",
    "VpcId": "vpc-0a000000",
    "Associations": [{"Main": True, "RouteTableId": "rtb-0a000000"}],
    "Routes": [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
        {"DestinationPrefixListId": "pl-0a000003", "GatewayId": "vpce-0e000009", "State": "active"},
    ],
}
_EVERYTHING = {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
_NETWORK_ACL = {
    "NetworkAclId": "acl-0a000000",
    "VpcId": "vpc-0a000000",
    "IsDefault": True,
    "Associations": [{"NetworkAclId": "acl-0a000000", "SubnetId": "subnet-0a000000"}],
    "Entries": [{**_EVERYTHING, "Egress": True}, {**_EVERYTHING, "Egress": False}],
}


def healthy_vpc() -> Account:
    """One subnet, one group of tasks, the endpoints of a pull with private DNS, and S3's gateway endpoint."""
    interfaces = []
    endpoints = []
    for number, service in enumerate(("ecr.api", "ecr.dkr", "logs"), start=1):
        interface = f"eni-0e00000{number}"
        interfaces.append(
            {
                "NetworkInterfaceId": interface,
                "VpcId": "vpc-0a000000",
                "SubnetId": "subnet-0a000000",
                "Groups": [{"GroupId": "sg-0e000000"}],
                "PrivateIpAddress": f"10.0.1.{9 + number}",
                "PrivateIpAddresses": [{"PrivateIpAddress": f"10.0.1.{9 + number}"}],
                "InterfaceType": "vpc_endpoint",
                "Status": "in-use",
            }
        )
        endpoints.append(
            {
                "VpcEndpointId": f"vpce-0e00000{number}",
                "VpcEndpointType": "Interface",
                "VpcId": "vpc-0a000000",
                "ServiceName": f"com.amazonaws.us-east-1.{service}",
                "State": "available",
                "PrivateDnsEnabled": True,
                "NetworkInterfaceIds": [interface],
                "SubnetIds": ["subnet-0a000000"],
                "DnsEntries": dns_entries(f"vpce-0e00000{number}", service),
                "Groups": [{"GroupId": "sg-0e000000"}],
            }
        )
    endpoints.append(
        {
            "VpcEndpointId": "vpce-0e000009",
            "VpcEndpointType": "Gateway",
            "VpcId": "vpc-0a000000",
            "ServiceName": "com.amazonaws.us-east-1.s3",
            "State": "available",
            "RouteTableIds": ["rtb-0a000000"],
        }
    )
    anywhere = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    from_vpc = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]
    return Account(
        objects={
            "ec2": {
                "Subnets": [
                    {
                        "SubnetId": "subnet-0a000000",
                        "VpcId": "vpc-0a000000",
                        "CidrBlock": "10.0.1.0/24",
                        "AvailabilityZone": "us-east-1a",
                        "OwnerId": "123456789012",
                    }
                ],
                "Vpcs": [
                    {
                        "VpcId": "vpc-0a000000",
                        "CidrBlock": "10.0.0.0/16",
                        "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}],
                        "DhcpOptionsId": "dopt-0a000000",
                    }
                ],
                "SecurityGroups": [
                    {"GroupId": "sg-0a000000", "VpcId": "vpc-0a000000", "IpPermissionsEgress": anywhere},
                    {"GroupId": "sg-0e000000", "VpcId": "vpc-0a000000", "IpPermissions": from_vpc},
                ],
                "DhcpOptions": [
                    {
                        "DhcpOptionsId": "dopt-0a000000",
                        "DhcpConfigurations": [
                            {"Key": "domain-name-servers", "Values": [{"Value": "AmazonProvidedDNS"}]}
                        ],
                    }
                ],
                "NetworkInterfaces": interfaces,
                "VpcEndpoints": endpoints,
                "RouteTables": [deepcopy(_ROUTE_TABLE)],
                "NetworkAcls": [deepcopy(_NETWORK_ACL)],
                "PrefixLists": [
                    {
                        "PrefixListId": "pl-0a000003",
                        "PrefixListName": "com.amazonaws.us-east-1.s3",
                        "AddressFamily": "IPv4",
                    }
                ],
                "Entries": [
                    {"Cidr": cidr, "_PrefixListId": "pl-0a000003"} for cidr in ("52.216.0.0/15", "54.231.0.0/16")
                ],
            },
            "ecr": {
                "imageDetails": [
                    {
                        "repositoryName": "team/app",
                        "imageDigest": DIGEST,
                        "imageTags": ["1.0"],
                        "imageStatus": "ACTIVE",
                        "imageManifestMediaType": "application/vnd.oci.image.index.v1+json",
                    }
                ]
            },
        },
        replies={
            "sts:GetCallerIdentity": {"Account": "123456789012"},
            "ecr:DescribeRepositories": {
                "repositories": [
                    {"repositoryName": "team/app", "encryptionConfiguration": {"encryptionType": "AES256"}}
                ]
            },
        },
    )
