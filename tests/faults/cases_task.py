"""Cases of the task, its credentials and its clock, and of our own run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from probe.model import Failure, Identity, ImageHost, Path, ProxySeen
from tests.faults.behaviour import PRIVATE, Host, Reply, private
from tests.faults.case import Case
from tests.faults.cases_answers import FINE, PROOF, world
from tests.faults.plans import NOON
from tests.faults.world import World
from tests.steps import skipped, step

BEHIND = 900.0
TOLD_TIMES = {"signed_at": NOON, "server_time": NOON + timedelta(minutes=20)}
VPCE = "vpce-0a1b-c2d3.{}.eu-west-1.vpce.amazonaws.com"


def off(seconds: float) -> dict[str, Reply]:
    names = ("token", "challenge", "head", "manifest", "blob", "layer", "logs")
    return {name: Reply(offset=seconds) for name in names}


def elsewhere(kind: ImageHost) -> World:
    return World(image="registry.example.com/app:1", planned={"reference": None, "image_host": kind})


def on(launch: str, **around: Any) -> World:
    return World(around={"launch_type": launch, **around})


TASK = (
    Case("metadata fails", World(metadata=Reply(Failure.SERVER_ERROR)), {"task.metadata-unavailable": ""}, *FINE),
    Case(
        "instance metadata is silent", World(instance=Reply(Failure.TIMEOUT)), {"task.metadata-unavailable": ""}, *FINE
    ),
    Case("EC2 with awsvpc", on("EC2"), {"path.not-the-pull": ""}, "pass", "unproven"),
    Case("managed instances", on("MANAGED_INSTANCES"), {"path.not-the-pull": ""}, "pass", "unproven"),
    Case("a Lambda function", on("", path=Path.LAMBDA_ENI), {"path.not-the-pull": ""}, "pass", "unproven"),
    Case("EC2 on the host's network", on("EC2", path=Path.INSTANCE_ENI), {}, *FINE),
    Case(
        "EC2 with awsvpc whose endpoints admit only instances",
        World({"ecr.api": private("ecr.api", tcp=Failure.TIMEOUT)}, around={"launch_type": "EC2"}),
        {"path.not-the-pull": "", "tcp.silent": "tcp.security-group"},
        "fail",
        "unproven",
    ),
    Case("faults are injected", World(around={"fault_injection": True}), {"task.fault-injection": ""}, *FINE),
    Case(
        "the clock is not synchronised",
        World(around={"clock_synchronized": False}),
        {"task.clock-unsynchronized": ""},
        *FINE,
    ),
    Case(
        "a proxy without exceptions",
        World(proxies=ProxySeen(variables=("HTTPS_PROXY",), bypassed=False, uncovered=("169.254.170.2",))),
        {"path.proxy": "path.proxy"},
        "degraded",
        "works",
    ),
    Case(
        "a proxy with exceptions",
        World(proxies=ProxySeen(variables=("HTTPS_PROXY",), bypassed=True)),
        {"path.proxy": ""},
        *FINE,
    ),
    Case(
        "a transparent proxy",
        World(nobody=True),
        {"path.proxy": "path.proxy path.egress-firewall"},
        "degraded",
        "works",
    ),
    Case("nobody answers for nobody", World(nobody=False), {}, *FINE),
    Case(
        "addresses of the endpoints' own names",
        World(planned={"lookups": {name: VPCE.format(name) for name in ("ecr.api", "ecr.dkr", "s3")}}),
        {"path.endpoint-dns-override": "dns.private-dns-disabled"},
        "degraded",
        "unproven",
    ),
    Case(
        "the own image is in ECR Public",
        elsewhere(ImageHost.PUBLIC_ECR),
        {"registry.image-not-in-ecr": "registry.ecr-public-no-privatelink"},
        *PROOF,
    ),
    Case(
        "the own image has an endpoint's name",
        elsewhere(ImageHost.VPC_ENDPOINT),
        {"registry.image-not-in-ecr": "client.vpce-hostname"},
        *PROOF,
    ),
    Case(
        "the own image is elsewhere",
        elsewhere(ImageHost.OTHER),
        {"registry.image-not-in-ecr": "other registry.bad-image-reference"},
        *PROOF,
    ),
)
CREDENTIALS = (
    Case(
        "no credentials",
        world(credentials=Reply(Failure.NO_CREDENTIALS)),
        {"credentials.missing": "=iam.no-credentials"},
        *PROOF,
    ),
    Case(
        "no credentials, and S3 is closed",
        World({"s3": private("s3", tcp=Failure.TIMEOUT)}, {"credentials": Reply(Failure.NO_CREDENTIALS)}),
        {"credentials.missing": "=iam.no-credentials", "s3.silent": "endpoint.missing.s3"},
    ),
    Case(
        "half a key in the variables",
        world(credentials=Reply(Failure.NO_CREDENTIALS, detail="partial credentials", seen={"source": "env"})),
        {"credentials.unavailable": "iam.credentials-rejected"},
        *PROOF,
    ),
    Case(
        "credentials not ready",
        world(credentials=Reply(Failure.SERVER_ERROR)),
        {"credentials.unavailable": "iam.credentials-rejected other"},
        *PROOF,
    ),
    Case(
        "credentials throttled",
        world(credentials=Reply(Failure.THROTTLED)),
        {"credentials.unavailable": "throttle"},
        *PROOF,
    ),
    Case("credentials silent", world(credentials=Reply(Failure.TIMEOUT)), {"credentials.unavailable": "other"}, *PROOF),
    Case(
        "credentials at the second try",
        world(credentials=Reply(first=Failure.SERVER_ERROR)),
        {"probe.retried": ""},
        *FINE,
    ),
    Case(
        "credentials expired",
        world(token=Reply(Failure.UNAUTHENTICATED, 400), logs=Reply(Failure.UNAUTHENTICATED, 400)),
        {"credentials.rejected": "iam.credentials-rejected"},
        *PROOF,
        endpoints={"credentials.rejected": "ecr.api logs"},
    ),
    Case("the instance's role", World(identity=Identity(source="iam-role")), {"credentials.instance-role": ""}, *FINE),
    Case(
        "a signature from another time",
        world(token=Reply(Failure.CLOCK, 400, offset=1200.0)),
        {"clock.skew": "=clock.skew"},
        *PROOF,
    ),
    Case("our clock is behind", World(replies=off(BEHIND)), {"clock.skew": "=clock.skew"}, "degraded", "works"),
    Case("our clock is a little behind", World(replies=off(200.0)), {}, *FINE),
)
RUN = (
    Case(
        "a bug of ours",
        World(extra=(step("task/environment/probe", failure=Failure.BUG, detail="KeyError"),)),
        {"probe.bug": "other"},
        *PROOF,
    ),
    Case("the deadline cuts a layer", world(layer=Reply(Failure.DEADLINE)), {"probe.deadline": "other"}, *PROOF),
    Case(
        "the deadline cuts a second try",
        world(token=Reply(Failure.DEADLINE, first=Failure.THROTTLED)),
        {"probe.deadline": "other"},
        *PROOF,
    ),
    Case(
        "the deadline cuts a control",
        World(extra=(step("s3/control/other-region#2", failure=Failure.DEADLINE),)),
        {"probe.deadline": "other"},
        *FINE,
    ),
    Case(
        "the deadline, and a closed group",
        World({"ecr.api": Host(PRIVATE["ecr.api"], tcp=Failure.TIMEOUT)}, {"logs": Reply(Failure.DEADLINE)}),
        {"probe.deadline": "other", "tcp.silent": "tcp.security-group"},
    ),
    Case(
        "a link of the pull that nothing prevented",
        World(extra=(skipped("s3/layer/sha256:feed", "ecr.dkr/manifest/GET", "an index inside an index"),)),
        {"probe.not-measured": "other"},
        *PROOF,
    ),
    Case(
        "a failure that no rule knows", world(token=Reply(Failure.NXDOMAIN)), {"unexplained": "other"}, "fail", "broken"
    ),
    Case(
        "a failed step beside the path that no rule knows",
        World(extra=(step("s3/control/other-region#2", failure=Failure.MALFORMED),)),
        {"unexplained": "other"},
        *FINE,
    ),
)
CASES = (*TASK, *CREDENTIALS, *RUN)
