"""The Terraform modules: their language, their arguments, and the same resources as the CloudFormation stacks.

No Terraform runs here. `terraform.Module` evaluates the modules, and provider_arguments.json lists the arguments of the
resource types that they use: from the AWS provider 6.25.0, as CDK for Terraform publishes its schema, and of
aws_ecr_pull_time_update_exclusion from the provider's documentation (6.28.0).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.definitions import FOLDER, VALUES
from tests.deployment.templates import Template, decoded
from tests.deployment.terraform import Block, Module

TERRAFORM = FOLDER / "terraform"
MODULES = sorted(path.parent for path in TERRAFORM.glob("*/versions.tf"))
EXAMPLES = sorted(path.parent for path in TERRAFORM.glob("examples/*/main.tf"))
ARGUMENTS = json.loads((Path(__file__).parent / "provider_arguments.json").read_text())

# ---- equal parameters and variables ----------------------------------------------------------------------------------

ENDPOINTS = {
    "VpcId": VALUES["VPC_ID"],
    "SubnetIds": ["subnet-0a1b", "subnet-0b1c"],
    "RouteTableIds": ["rtb-0a1b"],
    "ClientCidr": "10.0.0.0/16,100.64.0.0/16",
}
EVERYTHING = dict.fromkeys(("EcsEndpoints", "SecretsManagerEndpoint", "SsmEndpoint", "KmsEndpoint"), "true")
# Parameters of a stack with a variable of another name.
VARIABLES = {
    "ClientCidr": "client_cidrs",
    "ClientCidrIpv6": "client_cidrs_ipv6",
    "SecretsManagerEndpoint": "secretsmanager_endpoint",
}
# Parameters that are a list in Terraform.
LISTS = {"ClientCidr", "ClientCidrIpv6"}

# ---- equal types and properties --------------------------------------------------------------------------------------

TYPES = {
    "AWS::EC2::VPCEndpoint": "aws_vpc_endpoint",
    "AWS::EC2::SecurityGroup": "aws_security_group",
    "AWS::EC2::SecurityGroupIngress": "aws_vpc_security_group_ingress_rule",
}
# Properties with an argument of another name than the property in lower case.
PROPERTIES = {
    "CidrIp": "cidr_ipv4",
    "CidrIpv6": "cidr_ipv6",
    "GroupDescription": "description",
    "GroupId": "security_group_id",
    "PolicyDocument": "policy",
}
# Arguments that the stacks leave to CloudFormation: names, and tags that show the endpoint in the console.
TERRAFORM_ONLY = {"name_prefix", "tags"}
# Resources by the name in the stack.
ADDRESSES = {
    "EndpointSecurityGroup": "aws_security_group.endpoints",
}


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def variables(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of the module for the parameters of the stack."""
    made: dict[str, Any] = {}
    for name, value in parameters.items():
        in_terraform = VARIABLES.get(name, snake_case(name))
        if name in LISTS:
            made[in_terraform] = value.split(",") if value else []
        else:
            made[in_terraform] = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    return made


def module(name: str, parameters: Mapping[str, Any], **where: str) -> Module:
    return Module(TERRAFORM / name, variables(parameters), **where)


def as_terraform(value: Any, key: str = "") -> Any:
    """A property of a stack as the argument of a resource: documents as they are, objects as nested blocks."""
    if key == "PolicyDocument":
        return value
    if isinstance(value, dict):
        return [{PROPERTIES.get(name, snake_case(name)): as_terraform(inner, name) for name, inner in value.items()}]
    if isinstance(value, list):
        return [as_terraform(item) for item in value]
    return address(value)


def address(value: Any) -> Any:
    """The address in Terraform for a reference to a resource of the stack."""
    name, _, attribute = value.partition(".") if isinstance(value, str) else ("", "", "")
    if name not in ADDRESSES or attribute not in ("", "Arn", "GroupId"):
        return value
    return f"{ADDRESSES[name]}.{'arn' if attribute == 'Arn' else 'id'}"


def of_stack(template: Template) -> list[dict[str, Any]]:
    """The resources of a stack in Terraform's terms. Rules inside a security group become resources of their own."""
    made = []
    for name, properties in template.resources().items():
        rules = properties.pop("SecurityGroupIngress", [])
        properties.pop("SecurityGroupEgress", None)
        for rule in [*rules, properties]:
            kind = rule.pop("Type", "AWS::EC2::SecurityGroupIngress")
            group = {"security_group_id": f"{ADDRESSES[name]}.id"} if rule is not properties else {}
            (arguments,) = as_terraform(rule)
            made.append({"type": TYPES[kind], **arguments, **group})
    return made


def of_module(made: Module) -> list[dict[str, Any]]:
    """The resources of a module without what the stacks leave to CloudFormation, and with decoded documents."""
    return [
        {
            name: json.loads(value) if name in ("policy", "assume_role_policy") else value
            for name, value in arguments.items()
            if name not in TERRAFORM_ONLY
        }
        for arguments in made.resources.values()
    ]


def in_order(resources: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(resource, sort_keys=True) for resource in resources)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        EVERYTHING,
        {"EcrPolicy": "pull-only", "S3Policy": "ecr-only", "OrganizationId": "o-a1b2c3d4e5"},
        {"OrganizationId": "o-a1b2c3d4e5", "ClientCidr": "10.0.0.0/16"},
        EVERYTHING | {"IpAddressType": "dualstack", "ClientCidrIpv6": "2600:1f18::/56"},
    ],
)
@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-eusc", "eusc-de-east-1")]
)
def test_the_endpoints_are_those_of_the_stack(parameters: dict[str, str], partition: str, region: str) -> None:
    values = ENDPOINTS | parameters
    stack = Template(decoded(FOLDER / "cloudformation/endpoints.yaml"), values, partition, region)
    terraform = module("endpoints", values, partition=partition, region=region)
    assert in_order(of_module(terraform)) == in_order(of_stack(stack))


def test_the_group_of_the_endpoints_lets_nothing_out() -> None:
    """The stack needs a rule that allows nothing; Terraform removes AWS's own rule, so that none is left."""
    stack = Template(decoded(FOLDER / "cloudformation/endpoints.yaml"), ENDPOINTS)
    ((rule,),) = [group["SecurityGroupEgress"] for group in stack.of_type("AWS::EC2::SecurityGroup")]
    assert rule["CidrIp"] == "255.255.255.255/32"
    made = module("endpoints", ENDPOINTS).resources
    assert "egress" not in made["aws_security_group.endpoints"]
    assert not [address for address in made if "egress" in address]


def test_ecrs_prefix_is_known_in_every_partition_of_the_stack() -> None:
    stack = decoded(FOLDER / "cloudformation/endpoints.yaml")
    for partition, mapping in stack["Mappings"]["Partitions"].items():
        made = module("endpoints", ENDPOINTS, partition=partition, region="xx-east-1").resources
        assert made['aws_vpc_endpoint.interface["ecr.api"]']["service_name"] == (
            f"{mapping['EcrPrefix']}.xx-east-1.ecr.api"
        )


def test_the_endpoints_of_the_agent_are_created_in_order() -> None:
    blocks = {block.labels[1]: block for block in module("endpoints", ENDPOINTS).of_type("resource")}
    for name, before in (("ecs_telemetry", "ecs_agent"), ("ecs", "ecs_telemetry")):
        tokens = [str(token) for token in blocks[name].attributes["depends_on"].scan_values(lambda _: True)]  # type: ignore[union-attr]
        assert before in tokens


# ---- variables -------------------------------------------------------------------------------------------------------

STACKS = {"endpoints": FOLDER / "cloudformation/endpoints.yaml"}


@pytest.mark.parametrize("name", STACKS)
def test_the_variables_are_the_stacks_parameters(name: str) -> None:
    parameters = decoded(STACKS[name])["Parameters"]
    blocks = {block.labels[0]: block for block in Module(TERRAFORM / name, {}).of_type("variable")}
    assert set(blocks) - TERRAFORM_ONLY == {VARIABLES.get(parameter, snake_case(parameter)) for parameter in parameters}
    evaluated = Module(TERRAFORM / name, variables(ENDPOINTS))
    for parameter, content in parameters.items():
        if "Default" in content:
            ((variable, default),) = variables({parameter: content["Default"]}).items()
            assert evaluated.variable(variable) == default, variable


@pytest.mark.parametrize("name", STACKS)
def test_a_variable_describes_itself_as_the_parameter_does(name: str) -> None:
    """So that a warning of the stack cannot be missing in the module. Words that name the form of a value differ."""
    for parameter, content in decoded(STACKS[name])["Parameters"].items():
        described = Module(TERRAFORM / name, {}).description(VARIABLES.get(parameter, snake_case(parameter)))
        if parameter not in LISTS:
            assert plain(described) == plain(content["Description"])


def plain(text: str) -> str:
    return " ".join(text.replace('"', "").split())


@pytest.mark.parametrize(
    ("name", "variable", "bad"),
    [
        ("endpoints", "vpc_id", "10.0.0.0/16"),
        ("endpoints", "subnet_ids", []),
        ("endpoints", "subnet_ids", ["vpc-0a1b"]),
        ("endpoints", "route_table_ids", ["rtb-"]),
        ("endpoints", "ip_address_type", "both"),
        ("endpoints", "client_cidrs", []),
        ("endpoints", "client_cidrs", ["10.0.0.0/33"]),
        ("endpoints", "client_cidrs", ["2600:1f18::/56"]),
        ("endpoints", "client_cidrs_ipv6", ["10.0.0.0/16"]),
        ("endpoints", "s3_policy", "none"),
        ("endpoints", "ecr_policy", "pull"),
        ("endpoints", "organization_id", "a1b2c3d4e5"),
    ],
)
def test_a_bad_value_is_refused_with_the_variables_name(name: str, variable: str, bad: Any) -> None:
    good = variables(ENDPOINTS)
    assert Module(TERRAFORM / name, good).invalid() == []
    (message,) = Module(TERRAFORM / name, good | {variable: bad}).invalid()
    assert message.startswith(f"{variable} is ")


# ---- every module ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", MODULES, ids=lambda path: path.name)
def test_every_variable_and_output_is_documented(folder: Path) -> None:
    for block in Module(folder, {}).of_type("variable"):
        assert {"description", "type"} <= set(block.attributes), block.labels
    for block in Module(folder, {}).of_type("output"):
        assert {"description", "value"} <= set(block.attributes), block.labels


@pytest.mark.parametrize("folder", MODULES, ids=lambda path: path.name)
def test_the_provider_has_every_argument(folder: Path) -> None:
    for block in Module(folder, {}).of_type("resource"):
        assert list(wrong_arguments(block, ARGUMENTS[block.labels[0]])) == [], block.labels


def wrong_arguments(block: Block, known: Mapping[str, Any]) -> Iterator[str]:
    """Arguments and nested blocks that the provider does not have, and required ones that are missing."""
    named = {name.rstrip("*"): kind for name, kind in known.items()}
    meta = {"count", "for_each", "depends_on"}
    present = set(block.attributes) - meta
    for inner in block.blocks:
        kind, content = inner.type, inner
        if inner.type == "dynamic":
            (kind,) = inner.labels
            content = next(part for part in inner.blocks if part.type == "content")
        if kind == "lifecycle":
            continue
        present.add(kind)
        fields = named.get(kind)
        fields = fields[0] if isinstance(fields, list) else fields
        if not isinstance(fields, dict) or "*" in fields:
            yield f"{kind} is no nested block"
        else:
            yield from (f"{kind}.{wrong}" for wrong in wrong_arguments(content, fields))
    for name in block.attributes:
        if isinstance(named.get(name), dict) and "*" not in named[name]:
            yield f"{name} is a nested block"
    yield from sorted(present - set(named))
    yield from sorted(name for name in known if name.endswith("*") and name.rstrip("*") not in present)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_an_example_sets_the_variables_of_its_module(folder: Path) -> None:
    for block in Module(folder, {}).of_type("module"):
        made = Module(folder, {}).called(block)
        assert made.folder in MODULES
        known = {inner.labels[0]: inner for inner in made.of_type("variable")}
        assert set(made.values) <= set(known)
        assert {name for name, inner in known.items() if "default" not in inner.attributes} <= set(made.values)
        assert made.invalid() == []


CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}


def fits(value: Any, kind: Any) -> bool:
    """Whether a value has the argument's type. A number may be given as a text, as Terraform converts it."""
    if isinstance(kind, str):
        return CHECKS[kind](value) or (kind == "string" and CHECKS["number"](value))
    if isinstance(kind, list):
        return isinstance(value, list) and all(fits(item, kind[0]) for item in value)
    if "*" in kind:
        return isinstance(value, dict) and all(fits(item, kind["*"]) for item in value.values())
    named = {name.rstrip("*"): inner for name, inner in kind.items()}
    return all(
        fits(inner, named[name])
        for item in (value if isinstance(value, list) else [value])
        for name, inner in item.items()
    )


@pytest.mark.parametrize("name", STACKS)
def test_every_value_has_the_arguments_type(name: str) -> None:
    for parameters in (ENDPOINTS, ENDPOINTS | EVERYTHING | {"IpAddressType": "ipv6"}):
        for where, arguments in module(name, parameters).resources.items():
            known = {key.rstrip("*"): kind for key, kind in ARGUMENTS[arguments["type"]].items()}
            assert [key for key, value in arguments.items() if key != "type" and not fits(value, known[key])] == [], (
                where
            )
