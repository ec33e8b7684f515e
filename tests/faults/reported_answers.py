"""What people reported of refusals, limits and images, in our own words."""

from __future__ import annotations

from probe.model import DenialReason, Failure, ImageHost, LogDestination, RedirectTarget
from tests.faults.behaviour import Reply, public
from tests.faults.cases_answers import denied, world
from tests.faults.cases_task import elsewhere, off
from tests.faults.report import Reported
from tests.faults.world import World

SILENT = Failure.TIMEOUT
ANSWERS = (
    Reported(
        "403 for the manifest, the role lacks the right",
        world(manifest=denied(DenialReason.IDENTITY)),
        "iam.execution-role",
        "first",
    ),
    Reported(
        "cross-account: repository policy there, role's own rights not",
        world(token=denied(DenialReason.IDENTITY)),
        "iam.execution-role",
        "first",
    ),
    Reported("a typo in the role: denied at once", world(token=denied()), "iam.execution-role", "first"),
    Reported(
        "403 without words for the manifest", world(manifest=Reply(Failure.DENIED, 403)), "iam.execution-role", "first"
    ),
    Reported("no role at all", world(credentials=Reply(Failure.NO_CREDENTIALS)), "iam.no-credentials", "confirmed"),
    Reported("an explicit deny of nobody knows which policy", world(token=denied()), "policy.vpce.ecr"),
    Reported(
        "the repository's policy does not know the other account",
        world(manifest=denied(DenialReason.RESOURCE)),
        "iam.repository-policy",
        "confirmed",
    ),
    Reported(
        "the organisation limits regions", world(token=denied(DenialReason.SERVICE_CONTROL)), "iam.scp", "confirmed"
    ),
    Reported(
        "a condition on the endpoint, and calls that do not pass it",
        World(
            {"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}, {"manifest": denied(DenialReason.IDENTITY)}
        ),
        "iam.source-vpce-condition",
        "first",
    ),
    Reported(
        "an endpoint policy of denials alone",
        world(token=denied(DenialReason.ENDPOINT)),
        "policy.vpce.ecr",
        "confirmed",
    ),
    Reported(
        "the policy of another service's endpoint",
        world(logs=denied(DenialReason.ENDPOINT)),
        "policy.vpce.other",
        "confirmed",
    ),
    Reported(
        "layers refused with XML, in the VPC only",
        world(layer=Reply(Failure.DENIED, 403, code="AccessDenied")),
        "policy.vpce.s3",
        "first",
    ),
    Reported(
        "S3's gateway got a list of buckets; layers refused",
        world(layer=Reply(Failure.DENIED, 403, code="AccessDenied")),
        "policy.vpce.s3",
        "first",
    ),
    Reported(
        "S3's own words name the endpoint policy",
        world(layer=Reply(Failure.DENIED, 403, reason=DenialReason.ENDPOINT)),
        "policy.vpce.s3",
        "confirmed",
    ),
    Reported("bursts of launches: rate exceeded", world(token=Reply(Failure.THROTTLED, 400)), "throttle", "confirmed"),
    Reported(
        "too many requests, says the registry", world(manifest=Reply(Failure.THROTTLED, 429)), "throttle", "confirmed"
    ),
    Reported("signature not yet current", world(token=Reply(Failure.CLOCK, 400)), "clock.skew", "confirmed"),
    Reported(
        "the host's clock is twenty minutes off and nothing broke yet",
        World(replies=off(1200.0)),
        "clock.skew",
        "confirmed",
    ),
    Reported(
        "401 hours after the start",
        world(manifest=Reply(Failure.UNAUTHENTICATED, 401)),
        "registry.auth-token-expired",
        "first",
    ),
    Reported(
        "keys of long ago in the environment",
        world(token=Reply(Failure.UNAUTHENTICATED, 400)),
        "iam.credentials-rejected",
        "first",
    ),
    Reported("AWS has a bad day", world(token=Reply(Failure.SERVER_ERROR, 500)), "aws.service-error", "confirmed"),
    Reported(
        "the log group was never made",
        world(logs=Reply(Failure.NOT_FOUND, 400, seen={"group_exists": False})),
        "logs.group-missing",
        "confirmed",
    ),
    Reported(
        "a web site's address as the log driver's region",
        World(
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
        "a name that this registry does not know",
        world(manifest=Reply(Failure.NOT_FOUND, 404, code="NAME_UNKNOWN")),
        "registry.repo-not-found",
        "confirmed",
    ),
    Reported(
        "an old scheduled task and a cleaned-up tag",
        world(manifest=Reply(Failure.NOT_FOUND, 404, code="MANIFEST_UNKNOWN")),
        "registry.tag-not-found",
        "confirmed",
    ),
    Reported(
        "a lifecycle rule counted too far",
        world(manifest=Reply(Failure.NOT_FOUND, 404, code="MANIFEST_UNKNOWN")),
        "registry.tag-not-found",
        "confirmed",
    ),
    Reported(
        "no descriptor for this platform",
        world(manifest=Reply(seen={"platforms": ("linux/arm64",), "platform": "linux/arm64"})),
        "registry.no-matching-platform",
        "confirmed",
    ),
    Reported(
        "exec format error: an image of another architecture",
        world(layer=Reply(seen={"platform": "linux/s390x"})),
        "registry.no-matching-platform",
        "confirmed",
    ),
    Reported(
        "Windows base layers at their vendor's",
        world(manifest=Reply(seen={"foreign_layers": 1})),
        "registry.foreign-layers",
        "first",
    ),
    Reported(
        "a pull-through cache sends nodes without internet upstream",
        world(blob=Reply(Failure.REDIRECT, seen={"target": RedirectTarget.FOREIGN, "host": "cdn.example.com"})),
        "registry.pull-through-redirect",
        "confirmed",
    ),
    Reported(
        "layer verification failed for its digest",
        world(layer=Reply(Failure.BAD_DIGEST)),
        "registry.layer-corrupt",
        "first",
    ),
    Reported(
        "an image of ECR Public in a VPC with ECR's endpoints",
        elsewhere(ImageHost.PUBLIC_ECR),
        "registry.ecr-public-no-privatelink",
        "first",
    ),
    Reported(
        "the endpoint's own name as a registry", elsewhere(ImageHost.VPC_ENDPOINT), "client.vpce-hostname", "first"
    ),
    Reported("a mistyped registry host", elsewhere(ImageHost.OTHER), "registry.bad-image-reference"),
    Reported(
        "an image of another region, out of reach",
        World({"ecr.dkr": public("ecr.dkr", tcp=SILENT)}, planned={"region": "us-west-2"}),
        "region.cross-region",
        "first",
    ),
    Reported(
        "an old agent calls ecr.<region>",
        World({"ecr-legacy": public("", tcp=SILENT)}, also=("ecr-legacy",)),
        "client.legacy-hostname",
        "first",
    ),
    Reported(
        "FIPS images in an isolated VPC",
        World(
            {"ecr.dkr": public("ecr.dkr", tcp=SILENT)},
            planned={"hosts": {"ecr.dkr": "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"}},
        ),
        "client.fips-hostname",
        "first",
    ),
    Reported(
        "login at one spelling of the host, pull from the other",
        World(planned={"hosts": {"ecr.dkr": "123456789012.dkr-ecr.eu-west-1.on.aws"}}),
        "client.unrecognised-ecr-host",
        "first",
    ),
)
