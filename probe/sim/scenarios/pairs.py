"""Two faults in one VPC: both are found, and neither hides the other."""

from __future__ import annotations

from probe.sim.changes import (
    acl_drops,
    all_of,
    clock_behind,
    closed_security_groups,
    corrupt_layers,
    endpoint_policy,
    inject_reply,
    middlebox,
    nameserver_lines,
    repository_deleted,
    tag_deleted,
    task_variables,
    with_nat,
    without_endpoints,
    without_gateway_route,
    without_log_groups,
    without_private_dns,
    without_task_role,
)
from probe.sim.configuration import identifiers as ids
from probe.sim.identity import Statement
from probe.sim.network import GATEWAY_ID
from probe.sim.scenarios.dns import OTHER_SERVER
from probe.sim.scenarios.network import PULL_AND_LOGS, trust_store
from probe.sim.scenarios.registry import OWN_BUCKET_ONLY
from probe.sim.scenarios.scenario import degraded, failing
from probe.sim.servers import AMAZON, CORPORATE
from probe.sim.services import json_error
from probe.sim.vpc import endpoint_id

PAIRS = (
    failing(
        "groups-and-s3-route",
        "The security groups of ECR's endpoints block the task, and the subnet lacks the route to S3.",
        all_of(closed_security_groups("ecr.api", "ecr.dkr"), without_gateway_route),
        findings={"tcp.silent": "tcp.security-group", "s3.silent": "endpoint.missing.s3"},
        settled={"tcp.security-group": ids.ENDPOINT_GROUP, "s3.route-table-not-associated": GATEWAY_ID},
    ),
    failing(
        "group-and-private-dns",
        "The security group of ecr.dkr blocks the task, and private DNS of ecr.api is off.",
        all_of(closed_security_groups("ecr.dkr"), without_private_dns("ecr.api")),
        findings={"tcp.silent": "tcp.security-group", "dns.public-answer": "endpoint.missing.ecr-api"},
        settled={"tcp.security-group": ids.OTHER_GROUP, "dns.private-dns-disabled": endpoint_id("ecr.api")},
    ),
    failing(
        "s3-policy-and-log-group",
        "The S3 endpoint's policy lacks the layer bucket, and the task's log group does not exist.",
        all_of(endpoint_policy("s3", OWN_BUCKET_ONLY), without_log_groups),
        findings={"policy.vpce.s3": "policy.vpce.s3", "logs.group-missing": "logs.group-missing"},
        settled={"policy.vpce.s3": GATEWAY_ID, "logs.group-missing": "/ecs/app"},
    ),
    failing(
        "ecr-policy-and-logs-endpoint",
        "The policy of the ecr.dkr endpoint denies the pull, and the endpoint for CloudWatch Logs is missing.",
        all_of(endpoint_policy("ecr.dkr", Statement(actions=("ecr:ListImages",))), without_endpoints("logs")),
        findings={"policy.vpce.ecr": "policy.vpce.ecr", "dns.public-answer": "logs.endpoint-missing"},
        pull="unproven",
        settled={"policy.vpce.ecr": endpoint_id("ecr.dkr"), "logs.endpoint-missing": ids.VPC_ID},
    ),
    degraded(
        "interception-and-logs-nat",
        "A trusted middlebox intercepts TLS, and logs leave through a NAT gateway.",
        all_of(
            middlebox(*PULL_AND_LOGS, issuer=CORPORATE),
            trust_store(AMAZON, CORPORATE),
            without_endpoints("logs"),
            with_nat,
        ),
        findings={
            "s3.route-undetermined": None,
            "tls.interception": "tls.interception",
            "dns.public-answer": "logs.endpoint-missing",
        },
        settled={"logs.endpoint-missing": ids.VPC_ID},
    ),
    degraded(
        "clock-and-log-group",
        "The task's clock is ten minutes behind, and the log group does not exist.",
        all_of(clock_behind(600), without_log_groups),
        findings={"clock.skew": "clock.skew", "logs.group-missing": "logs.group-missing"},
        settled={"logs.group-missing": "/ecs/app"},
    ),
    failing(
        "nameserver-and-s3-route",
        "The first nameserver is dead, and the route to S3 is missing.",
        all_of(nameserver_lines(OTHER_SERVER, "vpc"), without_gateway_route),
        findings={"dns.resolver-unreachable": "dns.resolver-unreachable", "s3.silent": "endpoint.missing.s3"},
        settled={"s3.route-table-not-associated": GATEWAY_ID},
    ),
    failing(
        "proxy-and-tag",
        "HTTPS_PROXY is set without exceptions, and the tag does not exist.",
        all_of(task_variables(HTTPS_PROXY="http://proxy.example:3128"), tag_deleted),
        findings={"path.proxy": "path.proxy", "registry.tag-not-found": "registry.tag-not-found"},
        settled={"registry.tag-not-found": ids.REPOSITORY},
    ),
    failing(
        "nacl-and-corrupt-layer",
        "A network ACL blocks a zone, and the layers do not match their digests.",
        all_of(acl_drops("10.0.2.0/24"), corrupt_layers),
        findings={"tcp.partly-silent": "tcp.nacl", "layers.bad-digest": "registry.layer-corrupt"},
        settled={"tcp.nacl": ids.TASK_ACL},
    ),
    failing(
        "no-role-and-group",
        "There is no task role, and the security group of ecr.dkr blocks the task: the network is still measured.",
        all_of(without_task_role, closed_security_groups("ecr.dkr")),
        findings={"credentials.missing": "iam.no-credentials", "tcp.silent": "tcp.security-group"},
        settled={"tcp.security-group": ids.OTHER_GROUP},
    ),
    failing(
        "repo-and-logs-endpoint",
        "The repository does not exist, and the endpoint for CloudWatch Logs is missing.",
        all_of(repository_deleted, without_endpoints("logs")),
        findings={"registry.repo-not-found": "registry.repo-not-found", "dns.public-answer": "logs.endpoint-missing"},
        settled={"logs.endpoint-missing": ids.VPC_ID, "registry.repo-not-found": ids.REPOSITORY},
    ),
    failing(
        "throttled-and-s3-route",
        "Token requests are throttled, and S3 does not answer, which is an error of its own.",
        all_of(inject_reply("ecr.api", json_error("ThrottlingException", "Rate exceeded")), without_gateway_route),
        findings={"aws.throttled": "throttle", "s3.silent": "endpoint.missing.s3"},
        settled={"s3.route-table-not-associated": GATEWAY_ID},
    ),
)
