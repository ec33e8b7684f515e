"""Images: ECR's answers, references with other hosts, redirects, and layers in S3."""

from __future__ import annotations

from probe.sim import images, names
from probe.sim.changes import (
    all_of,
    clock_behind,
    corrupt_layers,
    damaged_bodies,
    encrypted_with,
    endpoint_policy,
    inject_reply,
    no_change,
    pull_through_rule,
    pushed_image,
    repository,
    repository_deleted,
    set_to,
    tag_deleted,
    vpc_with,
    with_nat,
)
from probe.sim.cloud import APP, OTHER_REGION, TAG
from probe.sim.configuration import identifiers as ids
from probe.sim.ecr import key_disabled, registry_error, throttled, upstream_refused, upstream_throttled
from probe.sim.http import Damage, Reply
from probe.sim.identity import Statement
from probe.sim.network import GATEWAY_ID
from probe.sim.s3 import internal_error, key_denied, slow_down
from probe.sim.scenarios.healthy import ACCOUNT, IPV6, image
from probe.sim.scenarios.scenario import NO_ENDPOINT, WAY_OUT, degraded, failing, inconclusive, passing
from probe.sim.services import json_error
from probe.sim.vpc import VPC, endpoint_id

THROTTLING = json_error("ThrottlingException", "Rate exceeded")
API_VERSION = (("Docker-Distribution-Api-Version", "registry/2.0"),)


def _endpoints_of_another_region(vpc: VPC) -> None:
    """Interface endpoints of the other region for ECR and S3, with private DNS."""
    for service in ("ecr.api", "ecr.dkr", "s3"):
        vpc.add_endpoint(service, region=OTHER_REGION)


def _ecr_endpoints_of_another_region(vpc: VPC) -> None:
    """Without S3's: the gateway endpoint serves only the VPC's own region."""
    vpc.add_endpoint("ecr.api", region=OTHER_REGION)
    vpc.add_endpoint("ecr.dkr", region=OTHER_REGION)


def _fips_image(reference: str) -> tuple[str, str]:
    return ("--image", f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com/{reference}")


REGISTRY = (
    failing(
        "repo-not-found",
        "The repository does not exist.",
        repository_deleted,
        findings={"registry.repo-not-found": "registry.repo-not-found"},
        excludes="registry.tag-not-found registry.archived iam.repository-policy",
        settled={"registry.repo-not-found": ids.REPOSITORY},
    ),
    failing(
        "repo-not-found-pull-through",
        "The repository does not exist; a pull-through cache could create it if the role may import images.",
        no_change,
        findings={"registry.repo-not-found": "registry.repo-not-found"},
        arguments=image("docker-hub/library/nginx:1.27"),
        excludes="registry.tag-not-found registry.archived iam.repository-policy",
        settled={"registry.repo-not-found": ids.REPOSITORY.replace("team/app", "docker-hub/library/nginx")},
    ),
    failing(
        "tag-not-found",
        "A lifecycle rule has deleted the tag.",
        tag_deleted,
        findings={"registry.tag-not-found": "registry.tag-not-found"},
        excludes="registry.repo-not-found iam.repository-policy",
        settled={"registry.tag-not-found": ids.REPOSITORY},
    ),
    failing(
        "digest-not-found",
        "The task definition references a digest that no longer exists.",
        no_change,
        findings={"registry.tag-not-found": "registry.tag-not-found"},
        arguments=image(f"{APP}@sha256:{'0' * 63}1"),
        excludes="registry.repo-not-found iam.repository-policy",
        settled={"registry.tag-not-found": ids.REPOSITORY},
    ),
    failing(
        "indexed-image-gone",
        "The tag is an index, and the image in it for this machine's platform is not in the registry.",
        lambda vpc: repository(vpc).manifests.pop(images.single().top.digest),
        findings={"registry.tag-not-found": "registry.tag-not-found"},
        excludes="registry.repo-not-found iam.repository-policy",
    ),
    passing(
        "pinned-digest-gone",
        "The tag was moved after the task had started, and a lifecycle rule has deleted the image it was started from.",
        all_of(set_to("task.own.image_id", f"sha256:{'0' * 63}2"), set_to("task.service", "app")),
        findings={"registry.pinned-digest-gone": "registry.tag-not-found"},
        settled={"registry.tag-not-found": ids.REPOSITORY},
    ),
    passing(
        "pinned-digest-archived",
        "The tag was moved after the task had started, and the image it was started from was archived.",
        all_of(
            pushed_image(images.single("arm64"), "0.9"),
            lambda vpc: repository(vpc).archived.add(repository(vpc).tags["0.9"]),
            lambda vpc: setattr(vpc.task.own, "image_id", repository(vpc).tags["0.9"]),
            set_to("task.service", "app"),
        ),
        findings={"registry.pinned-digest-gone": "registry.tag-not-found"},
        settled={"registry.archived": ids.REPOSITORY},
    ),
    passing(
        "pinned-digest-kept",
        "The tag was moved after the task had started; the registry still has the image it was started from.",
        all_of(pushed_image(images.single(), TAG), set_to("task.service", "app")),
    ),
    failing(
        "image-archived",
        "The image is in the storage class ARCHIVE; the registry answers as for an image that does not exist.",
        lambda vpc: repository(vpc).archived.add(repository(vpc).tags[TAG]),
        findings={"registry.tag-not-found": "registry.tag-not-found"},
        excludes="registry.repo-not-found iam.repository-policy",
        settled={"registry.archived": ids.REPOSITORY},
    ),
    degraded(
        "no-matching-platform",
        "The image was built for s390x and ppc64le, not for this machine.",
        pushed_image(images.index(("s390x", "ppc64le")), TAG),
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        settled={"registry.no-matching-platform": ids.REPOSITORY},
    ),
    failing(
        "no-matching-platform-asked",
        "The image lacks the platform set with --platform.",
        no_change,
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
        arguments=("--platform", "linux/s390x"),
    ),
    degraded(
        "no-matching-platform-single",
        "An image without an index, built for s390x: only its config names the platform.",
        pushed_image(images.single("s390x"), TAG),
        findings={"registry.no-matching-platform": "registry.no-matching-platform"},
    ),
    inconclusive(
        "index-of-index",
        "The tag is an index, and its entries are indexes too, although they claim to be images: the pull ends there.",
        pushed_image(images.index_of_indexes(), TAG),
        findings={"probe.not-measured": None},
    ),
    passing(
        "index-in-index",
        "The tag is an index of indexes without platforms; the second has the image for this machine.",
        pushed_image(images.nested_index(), TAG),
    ),
    passing(
        "index-without-media-type",
        "The tag is an index that names no media types; clients read its content.",
        pushed_image(images.typeless_index(), TAG),
    ),
    failing(
        "schema1-image",
        "The tag is an image in the manifest format of schema 1, which current runtimes do not accept.",
        pushed_image(images.schema_1(), TAG),
        findings={"registry.not-an-image": "registry.not-an-image"},
        settled={"registry.not-an-image": ids.REPOSITORY},
    ),
    failing(
        "helm-chart",
        "The tag is a Helm chart.",
        pushed_image(images.helm_chart(), TAG),
        findings={"registry.not-an-image": "registry.not-an-image"},
        settled={"registry.not-an-image": ids.REPOSITORY},
    ),
    failing(
        "artifact",
        "The tag is an artifact, a bill of materials.",
        pushed_image(images.artifact(), TAG),
        findings={"registry.not-an-image": "registry.not-an-image"},
        settled={"registry.not-an-image": ids.REPOSITORY},
    ),
    passing(
        "throttled-once",
        "The token is throttled once and succeeds on retry.",
        inject_reply("ecr.api", THROTTLING, times=1),
        findings={"probe.retried": None},
    ),
    inconclusive(
        "throttled",
        "Every token request is throttled.",
        inject_reply("ecr.api", THROTTLING),
        findings={"aws.throttled": "throttle"},
        excludes="aws.service-error path.egress-firewall",
    ),
    inconclusive(
        "throttled-manifest",
        "The registry answers 429 to every manifest request.",
        inject_reply("ecr.dkr", throttled(), at="/manifests/"),
        findings={"aws.throttled": "throttle"},
        excludes="aws.service-error path.egress-firewall",
    ),
    failing(
        "upstream-refused",
        "The upstream registry of a pull-through cache refuses the secret of its rule.",
        all_of(pull_through_rule("docker-hub"), inject_reply("ecr.dkr", upstream_refused(), at="/manifests/")),
        findings={"registry.upstream-refused": "registry.upstream-refused"},
        arguments=image("docker-hub/library/nginx:1.27"),
    ),
    inconclusive(
        "upstream-throttled",
        "Docker Hub limits the rate of a pull-through cache's pulls.",
        all_of(pull_through_rule("docker-hub"), inject_reply("ecr.dkr", upstream_throttled(), at="/manifests/")),
        findings={"registry.upstream-refused": "throttle"},
        arguments=image("docker-hub/library/nginx:1.27"),
    ),
    failing(
        "kms-key-disabled",
        "The KMS key that encrypts the repository is disabled: manifests arrive, layers do not.",
        all_of(encrypted_with(images.Key(state="Disabled")), inject_reply("ecr.dkr", key_disabled(), at="/blobs/")),
        findings={"registry.kms-key": "kms.key"},
        excludes="policy.vpce.s3 iam.execution-role iam.scp",
        settled={"kms.key": ids.KEY_ARN},
    ),
    failing(
        "registry-rejects",
        "The registry rejects the manifest request with an error that has no class of its own.",
        inject_reply("ecr.dkr", registry_error(400, "UNSUPPORTED", "The operation is unsupported."), at="/manifests/"),
        findings={"aws.rejected": "other"},
    ),
    inconclusive(
        "service-error",
        "ECR answers with an internal error.",
        inject_reply("ecr.api", json_error("ServerException", "Internal failure", 500)),
        findings={"aws.service-error": "aws.service-error"},
        excludes="path.egress-firewall throttle",
    ),
    inconclusive(
        "service-error-empty",
        "The registry answers 503 without a body.",
        inject_reply("ecr.dkr", Reply(503, content_type="")),
        findings={"aws.service-error": "aws.service-error"},
    ),
    failing(
        "manifest-unreadable",
        "The registry returns a manifest that is not valid JSON.",
        inject_reply("ecr.dkr", Reply(200, b"{]", API_VERSION), at="GET /v2/team/app/manifests/"),
        findings={"http.unreadable": None},
    ),
    passing(
        "head-refused",
        "HEAD requests are rejected on the way; GET works.",
        inject_reply("ecr.dkr", Reply(405, b"", API_VERSION), at="HEAD "),
        findings={"registry.head-refused": None},
    ),
    inconclusive(
        "token-expired",
        "The registry rejects a new token as expired.",
        set_to("cloud.passwords.expired", True),
        findings={"registry.token-rejected": "registry.auth-token-expired"},
        excludes="path.proxy iam.execution-role",
    ),
    degraded(
        "clock-ten-minutes",
        "The task's clock is ten minutes behind; AWS still accepts its signatures.",
        clock_behind(600),
        findings={"clock.skew": "clock.skew"},
    ),
    inconclusive(
        "clock-an-hour",
        "The task's clock is an hour behind: AWS rejects the signature as expired.",
        clock_behind(3600),
        findings={"clock.skew": "clock.skew"},
        excludes="iam.credentials-rejected iam.execution-role",
    ),
    inconclusive(
        "clock-an-hour-ahead",
        "The task's clock is an hour ahead: AWS rejects the signature as not yet current.",
        clock_behind(-3600),
        findings={"clock.skew": "clock.skew"},
        excludes="iam.credentials-rejected iam.execution-role",
    ),
    failing(
        "cross-region",
        "The image is in another region, for which this VPC has no endpoints.",
        no_change,
        findings={"region.cross-region": "region.cross-region"},
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
        settled={"region.cross-region": ids.VPC_ID},
    ),
    failing(
        "cross-region-nat",
        "The image is in another region and is pulled over the internet through a NAT gateway.",
        with_nat,
        findings={"region.cross-region": "region.cross-region"},
        pull="works",
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
        excludes=WAY_OUT,
        settled={"region.cross-region": ids.VPC_ID},
    ),
    passing(
        "cross-region-endpoints",
        "The image is in another region, for which this VPC has interface endpoints of ECR and S3.",
        _endpoints_of_another_region,
        findings={"region.cross-region": None},
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
    ),
    passing(
        "cross-region-endpoints-nat",
        "The VPC has ECR's endpoints of the image's region, and the layers arrive through a NAT gateway.",
        all_of(_ecr_endpoints_of_another_region, with_nat),
        findings={"region.cross-region": None},
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
    ),
    failing(
        "cross-region-s3-missing",
        "The VPC has ECR's endpoints of the image's region but not S3's: the S3 gateway serves only its own region.",
        _ecr_endpoints_of_another_region,
        findings={"region.cross-region": "region.cross-region"},
        arguments=image(f"{APP}:{TAG}", region=OTHER_REGION),
        excludes=NO_ENDPOINT,
        settled={"region.cross-region": ids.TASK_TABLE},
    ),
    failing(
        "fips-image-host",
        "The image reference uses the FIPS host, for which there is no endpoint.",
        no_change,
        findings={"dns.public-answer": "client.fips-hostname", "registry.host-form": None},
        arguments=_fips_image(f"{APP}:{TAG}"),
        settled={"client.fips-hostname": endpoint_id("ecr.dkr")},
    ),
    passing(
        "dual-stack-image-host",
        "The image reference uses the dual-stack host, which the endpoint's private names cover.",
        no_change,
        findings={"registry.host-form": None, "path.family-skipped": None},
        arguments=("--image", f"{names.registry_dual(ACCOUNT, 'us-east-1')}/{APP}:{TAG}"),
    ),
    failing(
        "ipv6-only-classic-host",
        "An IPv6-only task with an image reference that uses the classic host, which has only IPv4 addresses.",
        all_of(vpc_with(ipv6=IPV6, ipv4=False), lambda vpc: setattr(vpc.endpoints["ecr.dkr"], "addresses_ipv6", [])),
        findings={"region.ipv6-unsupported-endpoint": "region.ipv6-unsupported-endpoint", "path.family-skipped": None},
        arguments=image(f"{APP}:{TAG}"),
        settled={"region.ipv6-unsupported-endpoint": endpoint_id("ecr.dkr")},
    ),
)


NEW_BUCKET = "prod-layers-of-tomorrow"
OWN_BUCKET_ONLY = Statement(actions=("s3:*",), resources=("arn:aws:s3:::company-data/*",))
OWN_ACCOUNT_ONLY = Statement(principals=("123456789012",))


LAYERS = (
    failing(
        "s3-endpoint-policy",
        "The policy of the S3 gateway endpoint allows only the company's bucket: manifests arrive, layers do not.",
        endpoint_policy("s3", OWN_BUCKET_ONLY),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        excludes="kms.key iam.execution-role iam.scp",
        settled={"policy.vpce.s3": GATEWAY_ID},
    ),
    failing(
        "s3-endpoint-policy-principal",
        "The policy of the S3 endpoint allows only this account, but layers are fetched with ECR's own role.",
        endpoint_policy("s3", OWN_ACCOUNT_ONLY),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        excludes="kms.key iam.execution-role iam.scp",
        settled={"policy.vpce.s3": GATEWAY_ID},
    ),
    failing(
        "s3-endpoint-policy-nat",
        "The S3 endpoint's policy denies the layers; a NAT gateway does not help, as its route comes second.",
        all_of(endpoint_policy("s3", OWN_BUCKET_ONLY), with_nat),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        excludes="kms.key iam.execution-role iam.scp",
        settled={"policy.vpce.s3": GATEWAY_ID},
    ),
    failing(
        "s3-access-denied",
        "S3 denies the layers with AccessDenied, without a reason.",
        all_of(endpoint_policy("s3", OWN_BUCKET_ONLY), set_to("cloud.layers.states_reason", False)),
        findings={"policy.vpce.s3": "policy.vpce.s3"},
        excludes="iam.execution-role iam.scp",
        settled={"policy.vpce.s3": GATEWAY_ID},
    ),
    failing(
        "s3-kms-denied",
        "S3 denies the layers because the policy of the repository's KMS key does not allow their decryption.",
        all_of(encrypted_with(images.Key(granted=False)), inject_reply("s3", key_denied())),
        findings={"registry.kms-key": "kms.key"},
        excludes="policy.vpce.s3 iam.execution-role iam.scp",
        settled={"kms.key": ids.KEY_ARN},
    ),
    failing(
        "s3-url-expired",
        "The credentials in ECR's presigned URL have expired.",
        set_to("cloud.layers.session_expired", True),
        findings={"layers.url-rejected": None},
    ),
    inconclusive(
        "s3-slow-down",
        "S3 throttles with SlowDown.",
        inject_reply("s3", slow_down()),
        findings={"aws.throttled": "throttle"},
        excludes="aws.service-error path.egress-firewall",
    ),
    inconclusive(
        "s3-error",
        "S3 answers with an internal error.",
        inject_reply("s3", internal_error()),
        findings={"aws.service-error": "aws.service-error"},
        excludes="path.egress-firewall throttle",
    ),
    failing(
        "layer-corrupt",
        "The bytes of a layer in the bucket do not match its digest.",
        corrupt_layers,
        findings={"layers.bad-digest": "registry.layer-corrupt"},
    ),
    failing(
        "layer-altered",
        "One bit of every layer changes on the way.",
        damaged_bodies("s3", Damage.FLIP),
        findings={"layers.bad-digest": "registry.layer-corrupt"},
    ),
    failing(
        "layer-missing",
        "The image exists, but its layers do not.",
        lambda vpc: repository(vpc).blobs.clear(),
        findings={"layers.missing": "registry.tag-not-found"},
    ),
    failing(
        "pull-through-redirect",
        "The first pull of a cached image: its layers are still at the upstream registry.",
        lambda vpc: setattr(repository(vpc), "upstream", "cdn.upstream.example"),
        findings={"registry.pull-through-redirect": "registry.pull-through-redirect"},
    ),
    failing(
        "redirect-insecure",
        "The registry redirects to plain HTTP.",
        inject_reply("ecr.dkr", Reply(307, b"", (("Location", "http://layers.example/blob"),), ""), at="/blobs/"),
        findings={"layers.bad-redirect": "path.egress-firewall"},
    ),
    passing(
        "new-layer-bucket",
        "The registry stores the layers in a bucket of the region with another name.",
        lambda vpc: setattr(repository(vpc), "layer_bucket", NEW_BUCKET),
        findings={"layers.new-bucket": None},
    ),
    failing(
        "new-layer-bucket-policy",
        "The layers are in another bucket, and the S3 endpoint's policy allows only the usual one.",
        all_of(
            lambda vpc: setattr(repository(vpc), "layer_bucket", NEW_BUCKET),
            endpoint_policy("s3", Statement(resources=(f"arn:aws:s3:::{names.bucket('us-east-1')}/*",))),
        ),
        findings={"layers.new-bucket": None, "policy.vpce.s3": "policy.vpce.s3"},
    ),
    passing(
        "soci-snapshotter",
        "The task's containers read their layers lazily, with the SOCI snapshotter.",
        set_to("task.snapshotter", "soci"),
        findings={"layers.lazy": None},
    ),
    degraded(
        "cross-region-layers",
        "The registry stores the layers in another region's bucket, reached through a NAT gateway.",
        all_of(lambda vpc: setattr(repository(vpc), "layer_region", OTHER_REGION), with_nat),
        findings={
            "s3.route-undetermined": None,
            "region.cross-region": "region.cross-region",
        },
    ),
    degraded(
        "foreign-layers",
        "A Windows image with base layers on its vendor's host; they are not downloaded.",
        pushed_image(images.single("amd64", foreign=2), "windows"),
        findings={"registry.foreign-layers": "registry.foreign-layers"},
        pull="unproven",
        arguments=(*image(f"{APP}:windows"), "--platform", "windows/amd64"),
    ),
)
