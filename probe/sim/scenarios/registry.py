"""ECR's answers: missing objects, throttling, clock skew; and image references with other hosts."""

from __future__ import annotations

from probe.sim import images, names
from probe.sim.changes import (
    all_of,
    clock_behind,
    inject_reply,
    no_change,
    pushed_image,
    repository_deleted,
    tag_deleted,
    vpc_with,
    with_nat,
)
from probe.sim.cloud import APP, OTHER_REGION, TAG
from probe.sim.http import Reply
from probe.sim.registry import throttled
from probe.sim.scenarios.healthy import ACCOUNT, IPV6, image
from probe.sim.scenarios.scenario import scenario
from probe.sim.services import json_error
from probe.sim.vpc import VPC

THROTTLING = json_error("ThrottlingException", "Rate exceeded")
API_VERSION = (("Docker-Distribution-Api-Version", "registry/2.0"),)


def _passwords_expired(vpc: VPC) -> None:
    vpc.cloud.passwords.expired = True


def _endpoint_without_ipv6(vpc: VPC) -> None:
    vpc.endpoints["ecr.dkr"].addresses_ipv6 = []


def _endpoints_of_another_region(vpc: VPC) -> None:
    """Cross-region PrivateLink for ECR; the other region's layers are reached through a NAT gateway."""
    vpc.add_endpoint("ecr.api", region=OTHER_REGION)
    vpc.add_endpoint("ecr.dkr", region=OTHER_REGION)
    vpc.network.routes.nat = True


def _fips_image(reference: str) -> tuple[str, str]:
    return ("--image", f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com/{reference}")


REGISTRY = (
    scenario(
        "repo-not-found",
        "The repository does not exist.",
        repository_deleted,
        findings={"registry.repo-not-found": "registry.repo-not-found"},
    ),
    scenario(
        "repo-not-found-pull-through",
        "The repository does not exist; a pull-through cache could create it if the role may import images.",
        no_change,
        findings={"registry.repo-not-found": "registry.repo-not-found"},
        arguments=image("docker-hub/library/nginx:1.27"),
    ),
    scenario(
        "tag-not-found",
        "A lifecycle rule has deleted the tag.",
        tag_deleted,
        findings={"registry.tag-not-found": "registry.tag-not-found"},
    ),
    scenario(
        "digest-not-found",
        "The task definition references a digest that no longer exists.",
        no_change,
        findings={"registry.tag-not-found": "registry.tag-not-found"},
        arguments=image(f"{APP}@sha256:{'0' * 63}1"),
    ),
    scenario(
        "no-matching-platform",
        "The image was built for s390x and ppc64le, not for this machine.",
        pushed_image(images.index(("s390x", "ppc64le")), TAG),
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "no-matching-platform-asked",
        "The image lacks the platform set with --platform.",
        no_change,
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        arguments=("--platform", "linux/s390x"),
    ),
    scenario(
        "no-matching-platform-single",
        "An image without an index, built for s390x: only its config names the platform.",
        pushed_image(images.single("s390x"), TAG),
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "index-of-index",
        "The tag is an index, and its entries are indexes too, although they claim to be images: the pull ends there.",
        pushed_image(images.index_of_indexes(), TAG),
        findings={"probe.not-measured": None},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "throttled-once",
        "The token is throttled once and succeeds on retry.",
        inject_reply("ecr.api", THROTTLING, times=1),
        findings={"probe.retried": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "throttled",
        "Every token request is throttled.",
        inject_reply("ecr.api", THROTTLING),
        findings={"aws.throttled": "throttle"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "throttled-manifest",
        "The registry answers 429 to every manifest request.",
        inject_reply("ecr.dkr", throttled(), at="/manifests/"),
        findings={"aws.throttled": "throttle"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "service-error",
        "ECR answers with an internal error.",
        inject_reply("ecr.api", json_error("ServerException", "Internal failure", 500)),
        findings={"aws.service-error": "aws.service-error"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "service-error-empty",
        "The registry answers 503 without a body.",
        inject_reply("ecr.dkr", Reply(503, content_type="")),
        findings={"aws.service-error": "aws.service-error"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "manifest-unreadable",
        "The registry returns a manifest that is not valid JSON.",
        inject_reply("ecr.dkr", Reply(200, b"{]", API_VERSION), at="GET /v2/team/app/manifests/"),
        findings={"http.unreadable": None},
    ),
    scenario(
        "head-refused",
        "HEAD requests are rejected on the way; GET works.",
        inject_reply("ecr.dkr", Reply(405, b"", API_VERSION), at="HEAD "),
        findings={"registry.head-refused": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "token-expired",
        "The registry rejects a new token as expired.",
        _passwords_expired,
        findings={"registry.token-rejected": "registry.auth-token-expired"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "clock-ten-minutes",
        "The task's clock is ten minutes behind; AWS still accepts its signatures.",
        clock_behind(600),
        findings={"clock.skew": "clock.skew"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "clock-an-hour",
        "The task's clock is an hour behind: AWS rejects the signature as expired.",
        clock_behind(3600),
        findings={"clock.skew": "clock.skew"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "clock-an-hour-ahead",
        "The task's clock is an hour ahead: AWS rejects the signature as not yet current.",
        clock_behind(-3600),
        findings={"clock.skew": "clock.skew"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "cross-region",
        "The image is in another region, for which this VPC has no endpoints.",
        no_change,
        findings={"dns.public-answer": "region.cross-region", "s3.silent": None},
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
        s3_reached=False,
    ),
    scenario(
        "cross-region-nat",
        "The image is in another region and is pulled over the internet through a NAT gateway.",
        with_nat,
        findings={"dns.public-answer": "region.cross-region"},
        pull="works",
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
    ),
    scenario(
        "cross-region-endpoints",
        "The image is in another region, for which this VPC has endpoints too.",
        _endpoints_of_another_region,
        findings={"region.cross-region": None},
        status="pass",
        pull="works",
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
    ),
    scenario(
        "fips-image-host",
        "The image reference uses the FIPS host, for which there is no endpoint.",
        no_change,
        findings={"dns.public-answer": "client.fips-hostname", "registry.host-form": None},
        arguments=_fips_image(f"{APP}:{TAG}"),
    ),
    scenario(
        "dual-stack-image-host",
        "The image reference uses the dual-stack host, which the endpoint's private names cover.",
        no_change,
        findings={"registry.host-form": None, "path.family-skipped": None},
        status="pass",
        pull="works",
        arguments=("--image", f"{names.registry_dual(ACCOUNT, 'us-east-1')}/{APP}:{TAG}"),
    ),
    scenario(
        "ipv6-only-classic-host",
        "An IPv6-only task with an image reference that uses the classic host, which has only IPv4 addresses.",
        all_of(vpc_with(ipv6=IPV6, ipv4=False), _endpoint_without_ipv6),
        findings={
            "region.ipv6-unsupported-endpoint": "region.ipv6-unsupported-endpoint",
            "path.family-skipped": None,
        },
        arguments=image(f"{APP}:{TAG}"),
    ),
)
