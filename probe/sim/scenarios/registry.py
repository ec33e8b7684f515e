"""What ECR answers: things that are not there, limits, clocks that differ; and images named by other hosts."""

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

RATE = json_error("ThrottlingException", "Rate exceeded")
API_VERSION = (("Docker-Distribution-Api-Version", "registry/2.0"),)


def _passwords_expired(vpc: VPC) -> None:
    vpc.cloud.passwords.expired = True


def _endpoint_without_ipv6(vpc: VPC) -> None:
    vpc.endpoints["ecr.dkr"].addresses_ipv6 = []


def _other_region_endpoints(vpc: VPC) -> None:
    """Cross-region PrivateLink for ECR; the other region's layers come through a NAT gateway."""
    vpc.add_endpoint("ecr.api", region=OTHER_REGION)
    vpc.add_endpoint("ecr.dkr", region=OTHER_REGION)
    vpc.network.routes.nat = True


def _fips(reference: str) -> tuple[str, str]:
    return ("--image", f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com/{reference}")


REGISTRY = (
    scenario(
        "repo-not-found",
        "The repository is not there.",
        repository_deleted,
        findings={"registry.repo-not-found": "registry.repo-not-found"},
    ),
    scenario(
        "repo-not-found-pull-through",
        "A repository that a pull-through cache could create, if the role might import.",
        no_change,
        findings={"registry.repo-not-found": "registry.repo-not-found"},
        arguments=image("docker-hub/library/nginx:1.27"),
    ),
    scenario(
        "tag-not-found",
        "A lifecycle rule has cleaned the tag away.",
        tag_deleted,
        findings={"registry.tag-not-found": "registry.tag-not-found"},
    ),
    scenario(
        "digest-not-found",
        "The task definition names a digest that is gone.",
        no_change,
        findings={"registry.tag-not-found": "registry.tag-not-found"},
        arguments=image(f"{APP}@sha256:{'0' * 63}1"),
    ),
    scenario(
        "no-matching-platform",
        "The image was built for s390x and ppc64le; this machine is neither.",
        pushed_image(images.index(("s390x", "ppc64le")), TAG),
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "no-matching-platform-asked",
        "The platform that is asked for is not in the image.",
        no_change,
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        arguments=("--platform", "linux/s390x"),
    ),
    scenario(
        "no-matching-platform-single",
        "An image without an index, built for s390x: only its config tells.",
        pushed_image(images.single("s390x"), TAG),
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "index-of-index",
        "The tag is an index whose entries are indexes again, under the name of images: the pull ends there.",
        pushed_image(images.index_of_indexes(), TAG),
        findings={"probe.not-measured": None},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "throttled-once",
        "The token is refused for its rate once, and given at the second try.",
        inject_reply("ecr.api", RATE, times=1),
        findings={"probe.retried": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "throttled",
        "Tokens are refused for their rate, again and again.",
        inject_reply("ecr.api", RATE),
        findings={"aws.throttled": "throttle"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "throttled-manifest",
        "The registry answers 429 to every manifest.",
        inject_reply("ecr.dkr", throttled(), at="/manifests/"),
        findings={"aws.throttled": "throttle"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "service-error",
        "ECR has a bad day.",
        inject_reply("ecr.api", json_error("ServerException", "Internal failure", 500)),
        findings={"aws.service-error": "aws.service-error"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "service-error-empty",
        "The registry's address answers 503 and nothing else.",
        inject_reply("ecr.dkr", Reply(503, content_type="")),
        findings={"aws.service-error": "aws.service-error"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "manifest-unreadable",
        "The registry gives something that is no manifest.",
        inject_reply("ecr.dkr", Reply(200, b"{]", API_VERSION), at="GET /v2/team/app/manifests/"),
        findings={"http.unreadable": None},
    ),
    scenario(
        "head-refused",
        "Something on the way forbids HEAD; GET passes.",
        inject_reply("ecr.dkr", Reply(405, b"", API_VERSION), at="HEAD "),
        findings={"registry.head-refused": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "token-expired",
        "The registry calls the fresh token expired.",
        _passwords_expired,
        findings={"registry.token-rejected": "registry.auth-token-expired"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "clock-ten-minutes",
        "The task's clock is ten minutes behind: signatures are still accepted.",
        clock_behind(600),
        findings={"clock.skew": "clock.skew"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "clock-an-hour",
        "The clock is an hour behind: AWS calls the signature expired.",
        clock_behind(3600),
        findings={"clock.skew": "clock.skew"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "clock-an-hour-ahead",
        "The clock is an hour ahead: the signature is not yet current.",
        clock_behind(-3600),
        findings={"clock.skew": "clock.skew"},
        status="inconclusive",
        pull="unproven",
    ),
    scenario(
        "cross-region",
        "The image is in another region, to whose names no endpoint of this VPC leads.",
        no_change,
        findings={"dns.public-answer": "region.cross-region", "s3.silent": None},
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
        s3_reached=False,
    ),
    scenario(
        "cross-region-nat",
        "The same with a NAT gateway: it works, over the Internet.",
        with_nat,
        findings={"dns.public-answer": "region.cross-region"},
        pull="works",
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
    ),
    scenario(
        "cross-region-endpoints",
        "The image is in another region, and endpoints for that region are here too.",
        _other_region_endpoints,
        findings={"region.cross-region": None},
        status="pass",
        pull="works",
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
    ),
    scenario(
        "fips-image-host",
        "The image is named by the FIPS host, for which there is no endpoint.",
        no_change,
        findings={"dns.public-answer": "client.fips-hostname", "registry.host-form": None},
        arguments=_fips(f"{APP}:{TAG}"),
    ),
    scenario(
        "dual-stack-image-host",
        "The image is named by the dual-stack host; the endpoint's private names cover it.",
        no_change,
        findings={"registry.host-form": None, "path.family-skipped": None},
        status="pass",
        pull="works",
        arguments=("--image", f"{names.registry_dual(ACCOUNT, 'us-east-1')}/{APP}:{TAG}"),
    ),
    scenario(
        "ipv6-only-classic-host",
        "An IPv6-only task whose image is named by the classic host: that has IPv4 addresses only.",
        all_of(vpc_with(ipv6=IPV6, ipv4=False), _endpoint_without_ipv6),
        findings={
            "region.ipv6-unsupported-endpoint": "region.ipv6-unsupported-endpoint",
            "path.family-skipped": None,
        },
        arguments=image(f"{APP}:{TAG}"),
    ),
)
