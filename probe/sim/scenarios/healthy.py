"""VPCs and tasks of all kinds in which the pull works."""

from __future__ import annotations

from probe.sim import images, names
from probe.sim.changes import all_of, no_change, repository, repository_policy, set_to, task_variables, vpc_with
from probe.sim.cloud import APP, OTHER_ACCOUNT, TAG
from probe.sim.identity import ALLOW_ALL
from probe.sim.scenarios.scenario import degraded, passing
from probe.sim.vpc import HUB, VPC

IPV6 = "2600:1f18:4a3b:5600::/56"  # VPCs get such global ranges from Amazon
EC2_HOST = vpc_with(launch_type="EC2", network_mode="host")
EC2_AWSVPC = vpc_with(launch_type="EC2")
ACCOUNT = "123456789012"


def image(reference: str, *, account: str = ACCOUNT, region: str = "us-east-1") -> tuple[str, str]:
    """The flag --image with an image of a simulated registry."""
    return ("--image", f"{names.registry(account, region)}/{reference}")


def _endpoints_of_2024(vpc: VPC) -> None:
    for endpoint in vpc.endpoints.values():
        endpoint.year = 2024


def _one_address_per_endpoint(vpc: VPC) -> None:
    """One ENI for each endpoint, in the other zone."""
    for endpoint in vpc.endpoints.values():
        endpoint.addresses = endpoint.addresses[1:]


def _big_layer(vpc: VPC) -> None:
    repository(vpc).push(images.index(sizes=(300 * images.KIB, 90 * images.KIB)), TAG)


def _odd_metadata(vpc: VPC) -> None:
    """Oddities of real metadata: empty strings, a sidecar without networks, numbers as text, unknown keys."""

    def edit(document: dict[str, object]) -> None:
        containers = document.get("Containers")
        if isinstance(containers, list):
            containers.insert(0, {"Name": "aws-guardduty-agent", "Image": "", "Type": "NORMAL", "Limits": {"CPU": "0"}})
        document["Revision"] = 26
        document["UnknownKey"] = {"nested": [None]}

    vpc.metadata.edits.append(edit)


def _s3_interface(vpc: VPC) -> None:
    vpc.gateway = None
    vpc.add_endpoint("s3")


def _task_without_ipv6(vpc: VPC) -> None:
    """The endpoints are dual-stack, but the task's subnet is not."""
    vpc.network.ipv6 = vpc.task.ipv6 = vpc.task.subnet_ipv6 = None


def _dns64(vpc: VPC) -> None:
    """The resolver synthesizes IPv6 addresses, and the route to 64:ff9b::/96 is a NAT gateway."""
    vpc.resolver.dns64 = True
    vpc.network.routes.nat = vpc.network.routes.dns64 = True
    for endpoint in vpc.endpoints.values():
        endpoint.addresses_ipv6 = []


_DIGEST = images.index().top.digest
HEALTHY = (
    passing(
        "healthy", "A Fargate task, three interface endpoints in two zones, and an S3 gateway endpoint.", no_change
    ),
    passing("healthy-ec2-host", "EC2 in host network mode, which also needs the agent's three endpoints.", EC2_HOST),
    passing(
        "healthy-ec2-awsvpc",
        "EC2 in awsvpc mode: the task's network path works, but the instance pulls through its own interface.",
        EC2_AWSVPC,
        findings={"path.not-the-pull": None},
        pull="unproven",
    ),
    passing(
        "healthy-managed-instances",
        "ECS Managed Instances: the instance pulls through its own interface, as on EC2.",
        vpc_with(launch_type="MANAGED_INSTANCES"),
        findings={"path.not-the-pull": None},
        pull="unproven",
    ),
    passing(
        "healthy-20-range",
        "The VPC's range is 20.10.0.0/16, as in a widely copied Terraform module: it looks public but is private.",
        vpc_with(cidr="20.10.0.0/16"),
        arguments=("--vpc-cidr", "20.10.0.0/16"),
    ),
    passing(
        "healthy-20-range-untold",
        "The same range without --vpc-cidr: the probe infers it from the task's own address.",
        vpc_with(cidr="20.10.0.0/16"),
    ),
    passing(
        "healthy-shared-range",
        "The VPC uses 100.64.0.0/10, the shared address space of carriers.",
        vpc_with(cidr="100.64.0.0/10"),
        arguments=("--vpc-cidr", "100.64.0.0/10"),
    ),
    passing(
        "healthy-single-arch",
        "An image for one platform, without an index.",
        no_change,
        arguments=(*image(f"{APP}:amd64"), "--platform", "linux/amd64"),
    ),
    passing(
        "healthy-docker-manifest",
        "An image with Docker's media types.",
        no_change,
        arguments=(*image(f"{APP}:docker"), "--platform", "linux/amd64"),
    ),
    passing(
        "healthy-by-digest", "The image is referenced by its digest.", no_change, arguments=image(f"{APP}@{_DIGEST}")
    ),
    passing(
        "healthy-other-account",
        "A shared base image from another account with a repository policy that allows this one.",
        repository_policy(OTHER_ACCOUNT, "shared/base", ALLOW_ALL),
        arguments=image(f"shared/base:{TAG}", account=OTHER_ACCOUNT),
    ),
    passing("healthy-dual-stack", "VPC, task and endpoints have IPv4 and IPv6.", vpc_with(ipv6=IPV6)),
    passing(
        "healthy-ipv6-only",
        "A subnet without IPv4: all names are dual-stack names, and their IPv4 addresses are skipped.",
        vpc_with(ipv6=IPV6, ipv4=False),
        findings={"path.family-skipped": None, "registry.host-form": None, "path.pull-over-ipv4": None},
    ),
    passing(
        "dual-stack-endpoint-ipv4-task",
        "The endpoints also have IPv6 addresses, but the task has none, so they are skipped.",
        all_of(vpc_with(ipv6=IPV6), _task_without_ipv6),
        findings={"path.family-skipped": None},
    ),
    degraded(
        "dns64-with-route",
        "DNS64 creates IPv6 addresses for IPv4 hosts, and a NAT gateway, which S3's layers may use, reaches them.",
        all_of(vpc_with(ipv6=IPV6), _dns64),
        findings={"s3.route-undetermined": "s3.route-table-not-associated"},
    ),
    passing(
        "healthy-central-endpoints",
        "The endpoints are in the network team's VPC; --vpc-cidr gives its range.",
        vpc_with(central=True),
        arguments=("--vpc-cidr", HUB),
    ),
    passing(
        "central-endpoints-untold",
        "The endpoints are in the network team's VPC, and its range is not given: private addresses are not a fault.",
        vpc_with(central=True),
        findings={"dns.central-endpoint": None},
    ),
    passing("healthy-govcloud", "AWS GovCloud (US).", vpc_with(region="us-gov-west-1")),
    passing("healthy-china", "AWS China, with its own DNS suffix.", vpc_with(region="cn-north-1")),
    passing(
        "healthy-endpoints-of-2024",
        "Endpoints created in 2024, which lack the dual-stack private names.",
        _endpoints_of_2024,
    ),
    passing(
        "healthy-one-address",
        "Each endpoint has a single interface, in the other zone: it serves the whole VPC.",
        _one_address_per_endpoint,
    ),
    passing(
        "healthy-truncated-dns",
        "Every DNS answer over UDP is truncated; the answer over TCP is complete.",
        set_to("truncates", True),
    ),
    passing(
        "healthy-s3-interface",
        "An S3 interface endpoint with private DNS instead of a gateway endpoint.",
        _s3_interface,
    ),
    passing("healthy-odd-metadata", "Task metadata with oddities found in real tasks.", _odd_metadata),
    passing(
        "healthy-metadata-v3",
        "An old agent with task metadata version 3, which lacks launch type and log driver.",
        task_variables(ECS_CONTAINER_METADATA_URI_V4=""),
    ),
    passing(
        "healthy-pull-role",
        "The task role is also the role that pulls, and it is allowed to.",
        no_change,
        arguments=("--pull-role", f"arn:aws:iam::{ACCOUNT}:role/probe-task"),
    ),
    passing(
        "layers-all",
        "The whole pull: every layer is downloaded, in parallel.",
        no_change,
        arguments=("--layers", "all"),
    ),
    passing(
        "layers-none",
        "Everything but the layers is tested, so the pull is not proven.",
        no_change,
        findings={"layers.not-fetched": None},
        pull="unproven",
        arguments=("--layers", "none"),
    ),
    passing(
        "layer-range",
        "A large layer: only its first bytes are downloaded.",
        _big_layer,
        findings={"layers.ranged": None},
        arguments=("--layer-bytes", "65536"),
    ),
)
