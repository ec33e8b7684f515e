"""Reported failures of permissions, limits and images."""

from __future__ import annotations

from probe.model import DenialReason, Failure, ImageHost, LogDestination, RedirectTarget
from tests.faults.expectation import Reported
from tests.faults.expected_answers import denied, run_with
from tests.faults.expected_task import clock_off_by, image_at
from tests.faults.fake_hosts import Reply, public
from tests.faults.fake_run import FakeRun

SILENT = Failure.TIMEOUT
ANSWERS = (
    Reported(
        "403 for the manifest, the role lacks the permission",
        run_with(manifest=denied(DenialReason.IDENTITY)),
        "iam.execution-role",
        "first",
    ),
    Reported(
        "cross-account: the repository policy allows it, the role does not",
        run_with(token=denied(DenialReason.IDENTITY)),
        "iam.execution-role",
        "first",
    ),
    Reported(
        "a typo in the role's policy: denied immediately", run_with(token=denied()), "iam.execution-role", "first"
    ),
    Reported(
        "403 without a reason for the manifest",
        run_with(manifest=Reply(Failure.DENIED, 403)),
        "iam.execution-role",
        "first",
    ),
    Reported(
        "the permissions boundary of the role leaves the action out",
        run_with(token=denied(DenialReason.BOUNDARY)),
        "iam.permissions-boundary",
        "confirmed",
    ),
    Reported(
        "the task has no role", run_with(credentials=Reply(Failure.NO_CREDENTIALS)), "iam.no-credentials", "confirmed"
    ),
    Reported("an explicit deny in an unknown policy", run_with(token=denied()), "policy.vpce.ecr"),
    Reported(
        "the repository's policy lacks the other account",
        run_with(manifest=denied(DenialReason.RESOURCE)),
        "iam.repository-policy",
        "first",
    ),
    Reported(
        "the organization limits regions", run_with(token=denied(DenialReason.SERVICE_CONTROL)), "iam.scp", "confirmed"
    ),
    Reported(
        "a condition on the endpoint, and calls that do not pass through it",
        FakeRun(
            {"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}, {"manifest": denied(DenialReason.IDENTITY)}
        ),
        "iam.source-vpce-condition",
        "first",
    ),
    Reported(
        "an endpoint policy with nothing but a Deny",
        run_with(token=denied(DenialReason.ENDPOINT)),
        "policy.vpce.ecr",
        "confirmed",
    ),
    Reported(
        "the policy of another service's endpoint",
        run_with(logs=denied(DenialReason.ENDPOINT)),
        "policy.vpce.other",
        "confirmed",
    ),
    Reported(
        "layers denied with XML, in the VPC only",
        run_with(layer=Reply(Failure.DENIED, 403, code="AccessDenied")),
        "policy.vpce.s3",
        "first",
    ),
    Reported(
        "S3's gateway endpoint allows a list of buckets; layers are denied",
        run_with(layer=Reply(Failure.DENIED, 403, code="AccessDenied")),
        "policy.vpce.s3",
        "first",
    ),
    Reported(
        "S3's denial names the endpoint policy",
        run_with(layer=Reply(Failure.DENIED, 403, reason=DenialReason.ENDPOINT)),
        "policy.vpce.s3",
        "confirmed",
    ),
    Reported(
        "bursts of launches: rate exceeded", run_with(token=Reply(Failure.THROTTLED, 400)), "throttle", "confirmed"
    ),
    Reported(
        "the registry answers 429, too many requests",
        run_with(manifest=Reply(Failure.THROTTLED, 429)),
        "throttle",
        "confirmed",
    ),
    Reported("signature not yet current", run_with(token=Reply(Failure.CLOCK, 400)), "clock.skew", "confirmed"),
    Reported(
        "the host's clock is twenty minutes off, and nothing fails yet",
        FakeRun(replies=clock_off_by(1200.0)),
        "clock.skew",
        "confirmed",
    ),
    Reported(
        "401 hours after the start",
        run_with(manifest=Reply(Failure.UNAUTHENTICATED, 401)),
        "registry.auth-token-expired",
        "first",
    ),
    Reported(
        "old access keys in the environment",
        run_with(token=Reply(Failure.UNAUTHENTICATED, 400)),
        "iam.credentials-rejected",
        "first",
    ),
    Reported("AWS has an outage", run_with(token=Reply(Failure.SERVER_ERROR, 500)), "aws.service-error", "confirmed"),
    Reported(
        "the log group was never created",
        run_with(logs=Reply(Failure.NOT_FOUND, 400, seen={"group_exists": False})),
        "logs.group-missing",
        "confirmed",
    ),
    Reported(
        "a web address as the log driver's region",
        FakeRun(
            around={
                "log_destinations": (
                    LogDestination(container="app", region="www.example.com", group="g", stream=None, own=True),
                )
            }
        ),
        "logs.misconfigured-region",
        "confirmed",
    ),
)
IMAGES = (
    Reported(
        "a repository name that this registry lacks",
        run_with(manifest=Reply(Failure.NOT_FOUND, 404, code="NAME_UNKNOWN")),
        "registry.repo-not-found",
        "first",
    ),
    Reported(
        "an old scheduled task, and a tag that was deleted",
        run_with(manifest=Reply(Failure.NOT_FOUND, 404, code="MANIFEST_UNKNOWN")),
        "registry.tag-not-found",
        "first",
    ),
    Reported(
        "a lifecycle rule deleted too many images",
        run_with(manifest=Reply(Failure.NOT_FOUND, 404, code="MANIFEST_UNKNOWN")),
        "registry.tag-not-found",
        "first",
    ),
    Reported(
        "no descriptor for this platform",
        run_with(manifest=Reply(seen={"platforms": ("linux/arm64",), "platform": "linux/arm64"})),
        "registry.no-matching-platform",
        "confirmed",
    ),
    Reported(
        "exec format error: an image of another architecture",
        run_with(layer=Reply(seen={"platform": "linux/s390x"})),
        "registry.no-matching-platform",
        "confirmed",
    ),
    Reported(
        "Windows base layers at their vendor",
        run_with(manifest=Reply(seen={"layers": 5, "foreign_layers": 1})),
        "registry.foreign-layers",
        "first",
    ),
    Reported(
        "a pull-through cache redirects nodes without internet upstream",
        run_with(blob=Reply(Failure.REDIRECT, seen={"target": RedirectTarget.FOREIGN, "host": "cdn.example.com"})),
        "registry.pull-through-redirect",
        "confirmed",
    ),
    Reported(
        "layer verification failed: wrong digest",
        run_with(layer=Reply(Failure.BAD_DIGEST)),
        "registry.layer-corrupt",
        "first",
    ),
    Reported(
        "an image of ECR Public in a VPC with ECR's endpoints",
        image_at(ImageHost.PUBLIC_ECR),
        "registry.ecr-public-no-privatelink",
        "first",
    ),
    Reported(
        "the endpoint's vpce name as a registry", image_at(ImageHost.VPC_ENDPOINT), "client.vpce-hostname", "first"
    ),
    Reported("a mistyped registry host", image_at(ImageHost.OTHER), "registry.bad-image-reference"),
    Reported(
        "an image of another region, unreachable",
        FakeRun({"ecr.dkr": public("ecr.dkr", tcp=SILENT)}, planned={"region": "us-west-2"}),
        "region.cross-region",
        "first",
    ),
    Reported(
        "an old agent calls ecr.<region>",
        FakeRun({"ecr-legacy": public("", tcp=SILENT)}, also=("ecr-legacy",)),
        "client.legacy-hostname",
        "first",
    ),
    Reported(
        "a FIPS image host in an isolated VPC",
        FakeRun(
            {"ecr.dkr": public("ecr.dkr", tcp=SILENT)},
            planned={"hosts": {"ecr.dkr": "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"}},
        ),
        "client.fips-hostname",
        "first",
    ),
    Reported(
        "login at one form of the host, pull from the other",
        FakeRun(planned={"hosts": {"ecr.dkr": "123456789012.dkr-ecr.eu-west-1.on.aws"}}),
        "client.unrecognised-ecr-host",
        "first",
    ),
)
