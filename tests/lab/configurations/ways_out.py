"""S3 past its gateway endpoint: NAT gateways, public addresses, Block Public Access, AWS Network Firewall."""

from __future__ import annotations

from tests.lab.cloud import ACCOUNT, LAYERS, REGION
from tests.lab.configurations.routes import without_gateway
from tests.lab.configurations.vpc import (
    DEFAULT_ACL,
    NAT_SUBNET,
    NOTHING,
    OUT_BY_NAT,
    TASK_INTERFACE,
    VPC,
    Confirmed,
    Generated,
    Item,
    Mutate,
    acl_entry,
    confirms,
    healthy,
    network_acl,
    route_table,
    set_routes,
    subnet_item,
)

NAT_ACL, FIREWALL_SUBNET, FIREWALL_ENDPOINT = "acl-0d000000", "subnet-0a000040", "vpce-0f000000"
_ARN = f"arn:aws:network-firewall:{REGION}:{ACCOUNT}"
POLICY, LIST, OTHER_LIST = (
    f"{_ARN}:firewall-policy/egress",
    f"{_ARN}:stateful-rulegroup/hosts",
    f"{_ARN}:stateful-rulegroup/more",
)
S3 = f".s3.{REGION}.amazonaws.com"


def _by_nat(made: Generated) -> Confirmed:
    made.account = healthy()
    missing = without_gateway(made)
    set_routes(made, OUT_BY_NAT)
    return missing


# ---- the NAT gateway's subnet ----------------------------------------------------------------------------------------


def _nat_acl(*denied: Item) -> Mutate:
    """The NAT gateway's subnet has an ACL that denies this and allows everything else."""

    def make(made: Generated) -> Confirmed:
        missing = _by_nat(made)
        everything = [acl_entry(100, egress, "-1", "0.0.0.0/0") for egress in (True, False)]
        made.object(DEFAULT_ACL)["Associations"] = []
        made.objects("NetworkAcls").append(network_acl(NAT_ACL, NAT_SUBNET, entries=[*denied, *everything]))
        return missing | (confirms("tcp.nacl", NAT_ACL) if denied else NOTHING)

    return make


# ---- public addresses and Block Public Access ------------------------------------------------------------------------


def _by_public_address(made: Generated) -> Confirmed:
    made.account = healthy()
    missing = without_gateway(made)
    set_routes(made, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a000000", "State": "active"})
    made.object(TASK_INTERFACE)["Association"] = {"PublicIp": "198.51.100.7"}
    return missing


def _blocked(mode: str, way: Mutate, *, stops: bool, excluded: str | None = None) -> Mutate:
    """VPC Block Public Access in this mode, with an exclusion of a subnet."""

    def make(made: Generated) -> Confirmed:
        confirmed = way(made)
        options = {"InternetGatewayBlockMode": mode, "State": "update-complete", "ExclusionsAllowed": "allowed"}
        made.account.replies["ec2:DescribeVpcBlockPublicAccessOptions"] = {"VpcBlockPublicAccessOptions": options}
        if excluded is not None:
            made.objects("VpcBlockPublicAccessExclusions").append(
                {
                    "ExclusionId": "vpcbpa-exclude-0a000000",
                    "ResourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/{excluded}",
                    "InternetGatewayExclusionMode": "allow-egress",
                    "State": "create-complete",
                }
            )
        return confirmed | (confirms("tcp.block-public-access", VPC) if stops else NOTHING)

    return make


def _healthy(made: Generated) -> Confirmed:
    made.account = healthy()
    return NOTHING


# ---- AWS Network Firewall --------------------------------------------------------------------------------------------


def _behind_firewall(*lists: tuple[str, str, list[str]], strict: bool = False, stops: str | None = None) -> Mutate:
    """The way out leads through a firewall with these domain lists: ARN, kind, targets."""

    def make(made: Generated) -> Confirmed:
        missing = _by_nat(made)
        set_routes(made, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": FIREWALL_ENDPOINT, "State": "active"})
        made.objects("Subnets").append(subnet_item(FIREWALL_SUBNET, "10.0.40.0/24", "a"))
        made.objects("RouteTables").append(route_table("rtb-0f000000", OUT_BY_NAT, subnet=FIREWALL_SUBNET))
        made.object(DEFAULT_ACL)["Associations"].append({"SubnetId": FIREWALL_SUBNET})
        made.objects("VpcEndpoints").append(
            {
                "VpcEndpointId": FIREWALL_ENDPOINT,
                "VpcEndpointType": "GatewayLoadBalancer",
                "VpcId": VPC,
                "ServiceName": f"com.amazonaws.vpce.{REGION}.vpce-svc-0f000000",
                "State": "available",
                "SubnetIds": [FIREWALL_SUBNET],
            }
        )
        _firewall(made, lists, strict=strict)
        # A connection that stays silent after its handshake explains itself by the firewall alone.
        return confirms("path.egress-firewall", stops) if stops else missing

    return make


def _firewall(made: Generated, lists: tuple[tuple[str, str, list[str]], ...], *, strict: bool) -> None:
    firewall = f"{_ARN}:firewall/egress"
    made.objects("Firewalls", "network-firewall").append({"FirewallArn": firewall, "FirewallName": "egress"})
    attachment = {f"{REGION}a": {"Attachment": {"EndpointId": FIREWALL_ENDPOINT, "SubnetId": FIREWALL_SUBNET}}}
    references = [{"ResourceArn": arn, "Priority": number} for number, (arn, _, _) in enumerate(lists, 1)]
    policy: Item = {
        "StatelessDefaultActions": ["aws:forward_to_sfe"],
        "StatefulRuleGroupReferences": references if strict else [{"ResourceArn": arn} for arn, _, _ in lists],
    }
    if strict:
        policy |= {
            "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"},
            "StatefulDefaultActions": ["aws:drop_established_app_layer_to_server"],
        }
    made.account.replies |= {
        "network-firewall:DescribeFirewall": {
            "Firewall": {"FirewallName": "egress", "FirewallPolicyArn": POLICY},
            "FirewallStatus": {"SyncStates": attachment},
        },
        "network-firewall:DescribeFirewallPolicy": {"FirewallPolicy": policy},
    }
    for arn, kind, targets in lists:
        source = {"Targets": targets, "TargetTypes": ["TLS_SNI", "HTTP_HOST"], "GeneratedRulesType": kind}
        made.account.replies[f"network-firewall:DescribeRuleGroup {arn}"] = {
            "RuleGroup": {"RulesSource": {"RulesSourceList": source}}
        }


_EVERYTHING_BEHIND = (1024, 65535)
MUTATIONS: dict[str, Mutate] = {
    "out-by-nat-with-own-acl": _nat_acl(),
    "out-nat-acl-request": _nat_acl(acl_entry(90, False, "6", "10.0.1.0/24", (443, 443), allow=False)),
    "out-nat-acl-onward": _nat_acl(acl_entry(90, True, "6", "52.0.0.0/8", (1, 1023), allow=False)),
    "out-nat-acl-reply": _nat_acl(acl_entry(90, False, "6", "0.0.0.0/0", _EVERYTHING_BEHIND, allow=False)),
    "out-by-public-address": _by_public_address,
    "out-blocked-both-ways": _blocked("block-bidirectional", _by_nat, stops=True),
    "out-blocked-inwards": _blocked("block-ingress", _by_nat, stops=False),
    "out-blocked-inwards-by-address": _blocked("block-ingress", _by_public_address, stops=True),
    "out-blocked-and-excluded": _blocked("block-bidirectional", _by_nat, stops=False, excluded=NAT_SUBNET),
    "out-blocked-and-not-needed": _blocked("block-bidirectional", _healthy, stops=False),
    "firewall-that-allows": _behind_firewall((LIST, "ALLOWLIST", [S3])),
    "firewall-that-allows-others": _behind_firewall((LIST, "ALLOWLIST", [".example.com"]), stops=LIST),
    "firewall-that-denies": _behind_firewall((LIST, "DENYLIST", [".amazonaws.com"]), stops=LIST),
    "firewall-that-denies-others": _behind_firewall((LIST, "DENYLIST", ["s3.amazonaws.com", ".example.com"])),
    "firewall-that-rejects": _behind_firewall((LIST, "REJECTLIST", [LAYERS]), stops=LIST),
    "firewall-pass-before-drop": _behind_firewall(
        (LIST, "DENYLIST", [".amazonaws.com"]), (OTHER_LIST, "ALLOWLIST", [LAYERS])
    ),
    "firewall-in-strict-order": _behind_firewall(
        (LIST, "DENYLIST", [".amazonaws.com"]), (OTHER_LIST, "ALLOWLIST", [LAYERS]), strict=True, stops=LIST
    ),
    "firewall-default-drop": _behind_firewall((LIST, "DENYLIST", [".example.com"]), strict=True, stops=POLICY),
}

# No configuration contains which of S3's addresses the name has.
UNDECIDED = ("out-nat-acl-onward",)
