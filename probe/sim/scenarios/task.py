"""The task: metadata, proxy variables, its image, its address families, and other services that it calls."""

from __future__ import annotations

from probe.sim import images
from probe.sim.changes import (
    Change,
    all_of,
    endpoint_policy,
    no_change,
    pushed_image,
    role_policy,
    serves,
    set_to,
    task_variables,
    vpc_with,
    with_nat,
    without_endpoints,
    without_task_role,
)
from probe.sim.cloud import APP, TAG
from probe.sim.configuration import identifiers as ids
from probe.sim.dns import Nameserver
from probe.sim.identity import Statement
from probe.sim.scenarios.healthy import IPV6, image
from probe.sim.scenarios.scenario import NO_ENDPOINT, PRIVATE_NAMES, degraded, failing, inconclusive, passing
from probe.sim.servers import SilentServer
from probe.sim.services import InjectedReply
from probe.sim.task import INSTANCE_ADDRESS, Container, string_error
from probe.sim.vpc import VPC, endpoint_id

CALLED = ("secretsmanager", "ssm", "kms", "sts", "ecs")  # the services of --also that a check calls
LINK_LOCAL = "169.254.169.254,169.254.170.2"


def _metadata_failing(vpc: VPC) -> None:
    """Both versions of task metadata answer with errors."""
    error = string_error(500, "unable to generate metadata for task")
    vpc.metadata.injected_replies += [InjectedReply(error, "/v4/"), InjectedReply(error, "/v3/")]


def _metadata_v4_failing(vpc: VPC) -> None:
    vpc.metadata.injected_replies.append(
        InjectedReply(string_error(500, "unable to generate metadata for task"), "/v4/")
    )


def _outside_ecs(vpc: VPC) -> None:
    """No variables of ECS; credentials are in the environment."""
    keys = vpc.cloud.task_keys
    empty = dict.fromkeys(vpc.task.environ(), "")
    credentials = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
    }
    vpc.task.variables.update(empty | credentials)


def _service_connect(vpc: VPC) -> None:
    vpc.task.containers.append(Container("ecs-service-connect-oRK9o", "amazon/ecs-service-connect-agent:1"))


def _hop_limit_of_1(vpc: VPC) -> None:
    """Connections to the instance's metadata open, and its answer to the token request is dropped on the bridge."""
    vpc.local[INSTANCE_ADDRESS, 80] = SilentServer()


def _laptop(vpc: VPC) -> None:
    _outside_ecs(vpc)
    _home_network(vpc)


def _home_network(vpc: VPC) -> None:
    """A home network: a public resolver, a NAT, and no VPC."""
    without_endpoints(*vpc.endpoints)(vpc)
    with_nat(vpc)
    vpc.gateway = None
    vpc.resolver.answering = False
    vpc.nameservers = ["192.168.1.1"]
    vpc.network.routes.ranges.append("192.168.1.0/24")
    vpc.dns_servers["192.168.1.1"] = Nameserver(vpc.public_dns.answer)


def _task_document(key: str, value: object) -> Change:
    """The task document has another value for `key`."""

    def change(vpc: VPC) -> None:
        vpc.metadata.edits.append(lambda document: document.update({key: value}) if "TaskARN" in document else None)

    return change


def _endpoints_for(*services: str) -> Change:
    """Endpoints for these services too."""

    def change(vpc: VPC) -> None:
        for service in services:
            vpc.add_endpoint(service)

    return change


def _own_image(reference: str) -> Change:
    def change(vpc: VPC) -> None:
        vpc.task.containers[0].image = reference

    return change


def _company_resolver_only(vpc: VPC) -> None:
    """enableDnsSupport is off on purpose: the company's DNS server knows the private names."""
    zones = [zone for endpoint in vpc.endpoints.values() for zone in endpoint.zones()]

    vpc.resolver.answering = False
    vpc.dns_servers["10.0.3.53"] = Nameserver(serves(zones, vpc))
    vpc.nameservers = ["10.0.3.53"]


def _ipv6_only_endpoint(vpc: VPC) -> None:
    """The registry's endpoint has only IPv6 addresses, and the task has none."""
    vpc.endpoints["ecr.dkr"].addresses = []
    vpc.network.ipv6 = vpc.task.ipv6 = vpc.task.subnet_ipv6 = None


def _ipv6_hub_endpoints(vpc: VPC) -> None:
    """Central endpoints with global IPv6 addresses of another VPC."""
    block = "2600:1f18:9999:aa01::"
    for last, endpoint in enumerate(vpc.endpoints.values(), 10):
        endpoint.addresses, endpoint.addresses_ipv6 = [], [f"{block}{last:x}"]
    vpc.network.routes.ranges.append(f"{block}/64")


TASK = (
    passing(
        "metadata-failing",
        "Task metadata answers with errors; flags supply what is missing.",
        _metadata_failing,
        findings={"task.metadata-unavailable": None},
        arguments=(*image(f"{APP}:{TAG}"), "--vpc-cidr", "10.0.0.0/16"),
    ),
    passing(
        "metadata-v4-failing",
        "Task metadata version 4 answers with errors; version 3 works.",
        _metadata_v4_failing,
        findings={"probe.retried": None},
    ),
    passing(
        "outside-ecs",
        "Not an ECS task: all settings come from flags and variables.",
        _outside_ecs,
        findings={"task.not-ecs": None},
        arguments=(*image(f"{APP}:{TAG}"), "--vpc-cidr", "10.0.0.0/16"),
    ),
    degraded(
        "outside-ecs-logs-missing",
        "Not an ECS task, and no endpoint for CloudWatch Logs: whether it is needed is unknown.",
        all_of(_outside_ecs, without_endpoints("logs")),
        findings={"dns.public-answer": "logs.endpoint-missing", "task.not-ecs": None},
        arguments=(*image(f"{APP}:{TAG}"), "--vpc-cidr", "10.0.0.0/16"),
        settled={"logs.endpoint-missing": ids.VPC_ID},
    ),
    failing(
        "laptop",
        "A laptop at home: no ECS task, no VPC; the image arrives over the internet.",
        _laptop,
        findings={"dns.public-answer": "other", "task.not-ecs": None, "dns.control-silent": None},
        pull="works",
        arguments=image(f"{APP}:{TAG}"),
    ),
    passing(
        "fault-injection",
        "Fault injection is enabled for the task.",
        _task_document("FaultInjectionEnabled", True),
        findings={"task.fault-injection": None},
    ),
    passing(
        "clock-unsynchronized",
        "ECS reports that the task's clock is not synchronized.",
        _task_document("ClockDrift", {"ClockSynchronizationStatus": "NOT_SYNCHRONIZED"}),
        findings={"task.clock-unsynchronized": None},
    ),
    passing(
        "ecs-anywhere",
        "An external instance outside any VPC pulls the image over the internet, as it should.",
        all_of(vpc_with(launch_type="EXTERNAL", network_mode="bridge"), _home_network),
        findings={"task.external-instance": None, "dns.public-answer": "other", "dns.control-silent": None},
    ),
    passing(
        "service-connect",
        "The task's Service Connect proxy is configured through ecs-agent, for which there is no endpoint.",
        _service_connect,
        findings={"task.service-connect": None},
    ),
    degraded(
        "proxy-variables",
        "HTTPS_PROXY is set, and NO_PROXY covers no host of the pull.",
        task_variables(HTTPS_PROXY="http://proxy.example:3128"),
        findings={"path.proxy": "path.proxy"},
    ),
    passing(
        "proxy-variables-covered",
        "HTTPS_PROXY is set, and NO_PROXY covers AWS and the link-local addresses.",
        task_variables(HTTPS_PROXY="http://proxy.example:3128", NO_PROXY=f"{LINK_LOCAL},.amazonaws.com"),
        findings={"path.proxy": None},
    ),
    inconclusive(
        "own-image-elsewhere",
        "The task's own image is not in ECR, and --image is not set.",
        _own_image("registry.example.com/app:1"),
        findings={"registry.image-not-in-ecr": None},
    ),
    inconclusive(
        "own-image-ecr-public",
        "The task's own image is in ECR Public, which has no endpoint.",
        _own_image("public.ecr.aws/nginx/nginx:1.27"),
        findings={"registry.image-not-in-ecr": "registry.ecr-public-no-privatelink"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    passing(
        "legacy-hostname",
        "An old SDK calls ecr.<region>, which private DNS does not cover.",
        no_change,
        findings={"dns.public-answer": "client.legacy-hostname"},
        arguments=("--also", "ecr-legacy"),
        settled={"client.legacy-hostname": endpoint_id("ecr.api")},
    ),
    passing(
        "also-ecr-fips",
        "Clients with AWS_USE_FIPS_ENDPOINT call api.ecr-fips.<region>, which private DNS of ecr.api does not cover.",
        task_variables(AWS_USE_FIPS_ENDPOINT="true"),
        findings={"dns.public-answer": "client.fips-hostname"},
        arguments=("--also", "ecr-fips"),
        settled={"endpoint.missing.other": ids.VPC_ID},
    ),
    passing(
        "fips-variable",
        "AWS_USE_FIPS_ENDPOINT is set in the task.",
        task_variables(AWS_USE_FIPS_ENDPOINT="true"),
        findings={"task.fips-endpoints": "client.fips-hostname"},
    ),
    inconclusive(
        "imds-hop-limit",
        "EC2 in bridge mode without a task role: the hop limit of the instance's metadata is 1.",
        all_of(vpc_with(launch_type="EC2", network_mode="bridge"), without_task_role, _hop_limit_of_1),
        findings={"credentials.missing": "client.imds-hop-limit", "task.metadata-unavailable": None},
        arguments=("--allow-instance-role", "--vpc-cidr", "10.0.0.0/16"),
        excludes="iam.execution-role policy.vpce.ecr",
    ),
    passing(
        "also-secretsmanager",
        "The task reads secrets, and there is no endpoint for Secrets Manager.",
        no_change,
        findings={"dns.public-answer": "endpoint.missing.secretsmanager"},
        arguments=("--also", "secretsmanager"),
        settled={"endpoint.missing.secretsmanager": ids.VPC_ID},
    ),
    passing(
        "also-ssm",
        "The task reads parameters, and there is no endpoint for Systems Manager.",
        no_change,
        findings={"dns.public-answer": "endpoint.missing.ssm"},
        arguments=("--also", "ssm"),
        settled={"endpoint.missing.ssm": ids.VPC_ID},
    ),
    passing(
        "also-sts",
        "The task calls STS, and there is no endpoint for it.",
        no_change,
        findings={"dns.public-answer": "endpoint.missing.other"},
        arguments=("--also", "sts"),
        settled={"endpoint.missing.other": ids.VPC_ID},
    ),
    passing(
        "also-secretsmanager-healthy",
        "The task reads secrets, and the endpoint for Secrets Manager exists.",
        lambda vpc: vpc.add_endpoint("secretsmanager"),
        arguments=("--also", "secretsmanager"),
    ),
    passing(
        "also-all-healthy",
        "The task calls all services that --also can call, and each has an endpoint.",
        _endpoints_for(*CALLED),
        arguments=("--also", ",".join(CALLED)),
    ),
    degraded(
        "also-secretsmanager-endpoint-policy",
        "The policy of the Secrets Manager endpoint allows only the secrets of another team.",
        all_of(
            _endpoints_for("secretsmanager"),
            endpoint_policy("secretsmanager", Statement(resources=("*:payroll/*",))),
        ),
        findings={"policy.vpce.other": "policy.vpce.other"},
        arguments=("--also", "secretsmanager"),
    ),
    degraded(
        "also-sts-endpoint-policy",
        "The policy of the STS endpoint allows only AssumeRole.",
        all_of(_endpoints_for("sts"), endpoint_policy("sts", Statement(actions=("sts:AssumeRole",)))),
        findings={"policy.vpce.other": "policy.vpce.other"},
        arguments=("--also", "sts"),
    ),
    passing(
        "also-not-permitted",
        "The role may call neither Secrets Manager nor KMS; their answers prove the endpoints.",
        all_of(
            _endpoints_for("secretsmanager", "kms"),
            role_policy(Statement(actions=("ecr:*", "logs:*"))),
        ),
        findings={"service.not-permitted": None},
        arguments=("--also", "secretsmanager,kms"),
    ),
    passing(
        "control-silent",
        "The VPC's resolver is turned off on purpose; the company's DNS server knows the private names.",
        _company_resolver_only,
        findings={"dns.control-silent": None},
    ),
    failing(
        "ipv6-endpoint-ipv4-task",
        "The registry's endpoint has only IPv6 addresses, and the task has none.",
        all_of(vpc_with(ipv6=IPV6), _ipv6_only_endpoint),
        findings={"tcp.no-route": "tcp.no-route", "path.family-skipped": None},
        settled={"tcp.no-route": endpoint_id("ecr.dkr")},
    ),
    passing(
        "central-endpoints-ipv6",
        "An IPv6-only task and central endpoints with global addresses that could belong to any network.",
        all_of(vpc_with(ipv6=IPV6, ipv4=False), _ipv6_hub_endpoints),
        findings={
            "dns.undetermined-answer": None,
            "path.family-skipped": None,
            "registry.host-form": None,
            "path.pull-over-ipv4": None,
        },
    ),
    inconclusive(
        "out-of-descriptors",
        "The process of the check has no free file descriptor, so it can send nothing.",
        set_to("descriptors_left", False),
        findings={"probe.no-resources": "other"},
        arguments=image(f"{APP}:1.0"),
    ),
    passing(
        "latest-by-default",
        "An image reference without a tag means latest.",
        pushed_image(images.index(), "latest"),
        arguments=image(APP),
    ),
)
