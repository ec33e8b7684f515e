"""Expected verdicts on the task, its credentials and its clock, and on the run itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from probe.model import AnswerSeen, Denial, DenialReason, Failure, Identity, ImageHost, Layers, Path, ProxySeen
from tests.faults.expectation import Expected
from tests.faults.expected_answers import FINE, PROOF, run_with
from tests.faults.fake_hosts import CUSTOM, PRIVATE, REGION, ROLE, Host, Reply, private, public
from tests.faults.fake_run import FakeRun
from tests.steps import skipped, step

SECONDS_BEHIND = 900.0
VPCE = "vpce-0a1b-c2d3.{}.eu-west-1.vpce.amazonaws.com"


def clock_off_by(seconds: float) -> dict[str, Reply]:
    names = ("token", "challenge", "head", "manifest", "blob", "layer", "logs")
    return {name: Reply(offset=seconds) for name in names}


def image_at(kind: ImageHost) -> FakeRun:
    return FakeRun(image="registry.example.com/app:1", planned={"reference": None, "image_host": kind})


def launched_as(launch: str, **around: Any) -> FakeRun:
    return FakeRun(around={"launch_type": launch, **around})


def off_ecs(hosts: Mapping[str, Host] | None = None, *, ranges: tuple[str, ...] = ()) -> FakeRun:
    """A host without ECS metadata, such as a laptop."""
    unknown = dict.fromkeys(("region", "account", "launch_type", "network_mode", "cluster", "task_arn", "subnet_cidr"))
    around = {**unknown, "metadata_answered": False, "path": Path.UNKNOWN, "addresses": ()}
    return FakeRun(hosts or {}, around=around, planned={"vpc_cidrs": ranges}, metadata=None)


HOME = {
    name: public(name, server="192.168.1.1", control=Failure.NO_ANSWER) for name in ("ecr.api", "ecr.dkr", "logs")
} | {"s3": private("s3", server="192.168.1.1")}
EXTERNAL = {
    **off_ecs().around,
    "metadata_answered": True,
    "launch_type": "EXTERNAL",
    "path": Path.INSTANCE_ENI,
}
ENI = "10.0.1.17"


def denied_at(service: str, reason: DenialReason | None, action: str) -> FakeRun:
    """The call that --also makes at this service is denied."""
    denial = Denial(reason=reason, principal=ROLE, action=action)
    seen = AnswerSeen(address=ENI, status=400, aws=True, code="AccessDeniedException", denial=denial)
    request = step(f"{service}/request/{ENI}", seen, failure=Failure.DENIED)
    return FakeRun({service: Host((ENI,))}, also=(service,), extra=(request,))


TASK = (
    Expected("a host outside ECS with endpoints", off_ecs(), {"task.not-ecs": ""}, *FINE),
    Expected(
        "a laptop",
        off_ecs(HOME),
        {"task.not-ecs": "", "dns.public-answer": "other dns.custom-resolver"},
        "fail",
        "works",
    ),
    Expected(
        "a host outside ECS whose range is given",
        off_ecs(HOME, ranges=("10.0.0.0/16",)),
        {"task.not-ecs": "", "dns.public-answer": "dns.custom-resolver"},
        "fail",
        "works",
    ),
    Expected(
        "an endpoint policy denies the call of --also",
        denied_at("secretsmanager", DenialReason.ENDPOINT, "secretsmanager:GetSecretValue"),
        {"policy.vpce.other": "=policy.vpce.other"},
        "degraded",
        "works",
        {"policy.vpce.other": "warning"},
        {"policy.vpce.other": "secretsmanager"},
    ),
    Expected(
        "an endpoint policy denies the call of STS",
        denied_at("sts", DenialReason.ENDPOINT, "sts:GetCallerIdentity"),
        {"policy.vpce.other": "=policy.vpce.other"},
        "degraded",
        "works",
        {"policy.vpce.other": "warning"},
    ),
    Expected(
        "the role may not make the call of --also",
        denied_at("kms", DenialReason.IDENTITY, "kms:ListAliases"),
        {"service.not-permitted": ""},
        *FINE,
    ),
    Expected(
        "the call of --also is denied without a reason",
        denied_at("ssm", None, "ssm:GetParameters"),
        {"service.not-permitted": ""},
        *FINE,
    ),
    Expected(
        "the call of --also is throttled",
        FakeRun(
            {"ssm": Host((ENI,))},
            also=("ssm",),
            extra=(step(f"ssm/request/{ENI}", AnswerSeen(status=400, aws=True), failure=Failure.THROTTLED),),
        ),
        {"aws.throttled": "=throttle"},
        "degraded",
        "works",
    ),
    Expected("metadata fails", FakeRun(metadata=Reply(Failure.SERVER_ERROR)), {"task.metadata-unavailable": ""}, *FINE),
    Expected(
        "instance metadata is silent",
        FakeRun(instance=Reply(Failure.TIMEOUT)),
        {"task.metadata-unavailable": ""},
        *FINE,
    ),
    Expected("EC2 with awsvpc", launched_as("EC2"), {"path.not-the-pull": ""}, "pass", "unproven"),
    Expected(
        "EC2 with awsvpc, metadata of an earlier round",
        replace(launched_as("EC2", metadata_remembered=True), metadata=Reply(Failure.TIMEOUT)),
        {"path.not-the-pull": "", "task.metadata-unavailable": ""},
        "pass",
        "unproven",
    ),
    Expected("managed instances", launched_as("MANAGED_INSTANCES"), {"path.not-the-pull": ""}, "pass", "unproven"),
    Expected("a Lambda function", launched_as("", path=Path.LAMBDA_ENI), {"path.not-the-pull": ""}, "pass", "unproven"),
    Expected(
        "ECS Anywhere outside any VPC",
        FakeRun(HOME, around=EXTERNAL, planned={"vpc_cidrs": ()}),
        {"task.external-instance": "", "dns.public-answer": "other"},
        *FINE,
    ),
    Expected(
        "ECS Anywhere outside any VPC, an image of another region",
        FakeRun(HOME, around={**EXTERNAL, "region": REGION}, planned={"vpc_cidrs": (), "region": "us-west-2"}),
        {"task.external-instance": "", "dns.public-answer": "other region.cross-region"},
        *FINE,
    ),
    Expected(
        "ECS Anywhere with a VPN, and a name that leaves it",
        FakeRun(
            {"ecr.api": public("ecr.api")},
            around={"launch_type": "EXTERNAL", "path": Path.INSTANCE_ENI},
        ),
        {"task.external-instance": "", "dns.public-answer": "endpoint.missing.ecr-api"},
        "fail",
        "works",
    ),
    Expected(
        "AWS_USE_FIPS_ENDPOINT",
        FakeRun(around={"fips_endpoints": True}),
        {"task.fips-endpoints": "client.fips-hostname"},
        *FINE,
    ),
    Expected("Service Connect", FakeRun(around={"service_connect": True}), {"task.service-connect": ""}, *FINE),
    Expected(
        "Service Connect where ecs-agent is measured",
        FakeRun(around={"service_connect": True}, agent=True),
        {},
        *FINE,
    ),
    Expected(
        "Fargate with IPv6 only and the dual-stack host",
        FakeRun(
            around={"addresses": ("2600:1f13::5",)},
            planned={"hosts": {"ecr.dkr": "123456789012.dkr-ecr.eu-west-1.on.aws"}},
        ),
        {"path.pull-over-ipv4": "", "registry.host-form": "client.unrecognised-ecr-host"},
        *FINE,
    ),
    Expected("EC2 on the host's network", launched_as("EC2", path=Path.INSTANCE_ENI), {}, *FINE),
    Expected(
        "EC2 with awsvpc, and endpoints that allow only instances",
        FakeRun({"ecr.api": private("ecr.api", tcp=Failure.TIMEOUT)}, around={"launch_type": "EC2"}),
        {"path.not-the-pull": "", "tcp.silent": "tcp.security-group"},
        "fail",
        "unproven",
    ),
    Expected(
        "fault injection is enabled", FakeRun(around={"fault_injection": True}), {"task.fault-injection": ""}, *FINE
    ),
    Expected(
        "the clock is not synchronized",
        FakeRun(around={"clock_synchronized": False}),
        {"task.clock-unsynchronized": ""},
        *FINE,
    ),
    Expected(
        "a proxy without exceptions",
        FakeRun(proxies=ProxySeen(variables=("HTTPS_PROXY",), bypassed=False, uncovered=("169.254.170.2",))),
        {"path.proxy": "path.proxy"},
        "degraded",
        "works",
    ),
    Expected(
        "a proxy with exceptions",
        FakeRun(proxies=ProxySeen(variables=("HTTPS_PROXY",), bypassed=True)),
        {"path.proxy": ""},
        *FINE,
    ),
    Expected(
        "a transparent proxy",
        FakeRun(transparent_proxy=True),
        {"path.proxy": "path.proxy"},
        "degraded",
        "works",
    ),
    Expected("no transparent proxy", FakeRun(transparent_proxy=False), {}, *FINE),
    Expected(
        "--endpoint-dns for all endpoints of the pull",
        FakeRun(planned={"lookups": {name: VPCE.format(name) for name in ("ecr.api", "ecr.dkr", "s3")}}),
        {"path.endpoint-dns-override": "dns.private-dns-disabled"},
        "degraded",
        "unproven",
    ),
    Expected(
        "the task's image is in ECR Public",
        image_at(ImageHost.PUBLIC_ECR),
        {"registry.image-not-in-ecr": "registry.ecr-public-no-privatelink"},
        *PROOF,
    ),
    Expected(
        "the task's image is at a vpce name",
        image_at(ImageHost.VPC_ENDPOINT),
        {"registry.image-not-in-ecr": "client.vpce-hostname"},
        *PROOF,
    ),
    Expected(
        "the task's image is in another registry",
        image_at(ImageHost.OTHER),
        {"registry.image-not-in-ecr": "other registry.bad-image-reference"},
        *PROOF,
    ),
    Expected(
        "the task's image is in another registry, --layers none",
        FakeRun(planned={"reference": None, "image_host": ImageHost.OTHER, "layers": Layers.NONE}),
        {"registry.image-not-in-ecr": "other registry.bad-image-reference"},
        *PROOF,
    ),
)
CREDENTIALS = (
    Expected(
        "no credentials",
        run_with(credentials=Reply(Failure.NO_CREDENTIALS)),
        {"credentials.missing": "=iam.no-credentials"},
        *PROOF,
    ),
    Expected(
        "no credentials on a host outside ECS",
        replace(off_ecs(), replies={"credentials": Reply(Failure.NO_CREDENTIALS)}),
        {"task.not-ecs": "", "credentials.missing": "=iam.no-credentials"},
        *PROOF,
    ),
    *(
        Expected(
            f"the instance's metadata is silent on {launch_type} in network mode {mode}",
            FakeRun(
                replies={"credentials": Reply(Failure.NO_CREDENTIALS, seen={"source": "iam-role"})},
                around={"launch_type": launch_type, "path": path, "network_mode": mode},
                silent_instance=True,
            ),
            {"credentials.missing": causes, **others},
            *PROOF,
        )
        for launch_type, mode, path, causes, others in (
            ("EC2", "bridge", Path.INSTANCE_ENI, "client.imds-hop-limit iam.no-credentials", {}),
            ("EC2", "host", Path.INSTANCE_ENI, "=iam.no-credentials", {}),
            ("EC2", "awsvpc", Path.TASK_ENI, "iam.no-credentials client.imds-hop-limit", {"path.not-the-pull": ""}),
            ("FARGATE", "awsvpc", Path.TASK_ENI, "=iam.no-credentials", {}),
        )
    ),
    Expected(
        "no credentials, and S3 silent",
        FakeRun({"s3": private("s3", tcp=Failure.TIMEOUT)}, {"credentials": Reply(Failure.NO_CREDENTIALS)}),
        {"credentials.missing": "=iam.no-credentials", "s3.silent": "endpoint.missing.s3"},
    ),
    Expected(
        "an access key without its secret in the environment",
        run_with(credentials=Reply(Failure.NO_CREDENTIALS, detail="partial credentials", seen={"source": "env"})),
        {"credentials.unavailable": "iam.credentials-rejected"},
        *PROOF,
    ),
    Expected(
        "credentials not ready",
        run_with(credentials=Reply(Failure.SERVER_ERROR)),
        {"credentials.unavailable": "iam.credentials-rejected other"},
        *PROOF,
    ),
    Expected(
        "credentials throttled",
        run_with(credentials=Reply(Failure.THROTTLED)),
        {"credentials.unavailable": "throttle"},
        *PROOF,
    ),
    Expected(
        "credentials silent", run_with(credentials=Reply(Failure.TIMEOUT)), {"credentials.unavailable": "other"}, *PROOF
    ),
    Expected(
        "credentials at the second try",
        run_with(credentials=Reply(first=Failure.SERVER_ERROR)),
        {"probe.retried": ""},
        *FINE,
    ),
    Expected(
        "credentials expired",
        run_with(token=Reply(Failure.UNAUTHENTICATED, 400), logs=Reply(Failure.UNAUTHENTICATED, 400)),
        {"credentials.rejected": "iam.credentials-rejected"},
        *PROOF,
        endpoints={"credentials.rejected": "ecr.api logs"},
    ),
    Expected(
        "the instance's role", FakeRun(identity=Identity(source="iam-role")), {"credentials.instance-role": ""}, *FINE
    ),
    Expected(
        "a signature refused because of the clock",
        run_with(token=Reply(Failure.CLOCK, 400, offset=1200.0)),
        {"clock.skew": "=clock.skew"},
        *PROOF,
    ),
    Expected(
        "the task's clock is behind",
        FakeRun(replies=clock_off_by(SECONDS_BEHIND)),
        {"clock.skew": "=clock.skew"},
        "degraded",
        "works",
    ),
    Expected("the task's clock is a little behind", FakeRun(replies=clock_off_by(200.0)), {}, *FINE),
)
RUN = (
    Expected(
        "a bug in ecr-probe",
        FakeRun(extra=(step("task/environment/probe", failure=Failure.BUG, detail="KeyError"),)),
        {"probe.bug": "other"},
        *PROOF,
    ),
    Expected(
        "no descriptor is left for the token request",
        run_with(token=Reply(Failure.NO_RESOURCES)),
        {"probe.no-resources": "other"},
        *PROOF,
    ),
    Expected(
        "no descriptor is left for the query to the second nameserver, the first one fails",
        FakeRun({"s3": private("s3", answer=Failure.SERVFAIL, second=Failure.NO_RESOURCES)}),
        {"probe.no-resources": "other"},
        *PROOF,
    ),
    Expected(
        "no descriptor is left for a connection",
        FakeRun({"ecr.api": Host(PRIVATE["ecr.api"], tcp=Failure.NO_RESOURCES)}),
        {"probe.no-resources": "other"},
        *PROOF,
    ),
    Expected(
        "the deadline ends a layer download",
        run_with(layer=Reply(Failure.DEADLINE)),
        {"probe.deadline": "other"},
        *PROOF,
    ),
    Expected(
        "the deadline ends a retry",
        run_with(token=Reply(Failure.DEADLINE, first=Failure.THROTTLED)),
        {"probe.deadline": "other"},
        *PROOF,
    ),
    Expected(
        "the deadline ends a control",
        FakeRun(extra=(step("s3/control/other-region#2", failure=Failure.DEADLINE),)),
        {"probe.deadline": "other"},
        *FINE,
    ),
    Expected(
        "the deadline, and a security group that blocks",
        FakeRun({"ecr.api": Host(PRIVATE["ecr.api"], tcp=Failure.TIMEOUT)}, {"logs": Reply(Failure.DEADLINE)}),
        {"probe.deadline": "other", "tcp.silent": "tcp.security-group"},
    ),
    Expected(
        "a signal ends the A query, AAAA is answered already",
        FakeRun({"s3": private("s3", answer=Failure.DEADLINE, ipv6=Failure.NXDOMAIN)}, interrupted=True),
        {"probe.deadline": "other"},
        *PROOF,
    ),
    Expected(
        "the deadline ends the A query, AAAA has no address",
        FakeRun({"ecr.api": private("ecr.api", answer=Failure.DEADLINE, ipv6=Failure.NO_ADDRESS)}),
        {"probe.deadline": "other"},
        *PROOF,
    ),
    Expected(
        "the deadline ends the A query to the second nameserver, the first one fails",
        FakeRun({"s3": private("s3", answer=Failure.SERVFAIL, second=Failure.DEADLINE, second_ipv6=Failure.NXDOMAIN)}),
        {"probe.deadline": "other"},
        *PROOF,
    ),
    Expected(
        "the deadline ends the query to a custom resolver, the VPC's has answered",
        FakeRun({"s3": private("s3", answer=Failure.DEADLINE, server=CUSTOM, control=Failure.NXDOMAIN)}),
        {"probe.deadline": "other"},
        *PROOF,
    ),
    Expected(
        "the deadline ends the AAAA query, A says that the name does not exist",
        FakeRun({"s3": private("s3", answer=Failure.NXDOMAIN, ipv6=Failure.DEADLINE)}),
        {"probe.deadline": "other", "dns.name-missing": ""},
    ),
    Expected(
        "a step of the pull that was skipped without a failure",
        FakeRun(extra=(skipped("s3/layer/sha256:feed", "ecr.dkr/manifest/GET", "an index inside an index"),)),
        {"probe.not-measured": "other"},
        *PROOF,
    ),
    Expected(
        "a failure that no rule knows",
        run_with(token=Reply(Failure.NXDOMAIN)),
        {"unexplained": "other"},
        "fail",
        "broken",
    ),
    Expected(
        "a failed control that no rule knows",
        FakeRun(extra=(step("s3/control/other-region#2", failure=Failure.MALFORMED),)),
        {"unexplained": "other"},
        *FINE,
    ),
)
EXPECTED = (*TASK, *CREDENTIALS, *RUN)
