"""Expected verdicts on images: the registry's answers, redirects and layers."""

from __future__ import annotations

from typing import Any

from probe.model import (
    PINNED,
    SCHEMA_1,
    AnswerSeen,
    DenialReason,
    Failure,
    Layers,
    ManifestSeen,
    Policy,
    RedirectSeen,
    RedirectTarget,
    Step,
    Topic,
)
from tests.faults.expectation import Expected
from tests.faults.expected_answers import FINE, PROOF, run_with
from tests.faults.fake_hosts import PUBLIC, Host, Reply, public
from tests.faults.fake_run import FakeRun
from tests.steps import step

OTHER = "prod-us-west-2-starport-layer-bucket.s3.us-west-2.amazonaws.com"
ELSEWHERE = (RedirectTarget.OTHER_REGION, OTHER, "us-west-2")
S3_ROUTE = "s3.route-undetermined"
ROUTE_UNKNOWN = ("degraded", "works")
INDEX = {"platforms": ("linux/arm64", "windows/amd64")}
UNKNOWN_TAG = Reply(Failure.NOT_FOUND, 404, code="MANIFEST_UNKNOWN")
UNKNOWN_NAME = Reply(Failure.NOT_FOUND, 404, code="NAME_UNKNOWN")


def blob(target: RedirectTarget | None, host: str | None, **changes: Any) -> FakeRun:
    return run_with(blob=Reply(Failure.REDIRECT, seen={"target": target, "host": host}, **changes))


def pinned(status: int) -> Step:
    """The request for the digest that ECS pinned."""
    answer = AnswerSeen(method="HEAD", status=status, aws=True)
    return step(f"ecr.dkr/manifest/{PINNED}", ManifestSeen(answer=answer, digest=f"sha256:{'5e' * 32}"))


LAYER_ELSEWHERE = step(
    "ecr.dkr/blob/sha256:feed",
    RedirectSeen(
        answer=AnswerSeen(status=307, aws=True),
        digest=f"sha256:{'f' * 64}",
        target=RedirectTarget.OTHER_REGION,
        host=OTHER,
        region="us-west-2",
    ),
)
ARCHIVED = "registry.archived"
NEW_BUCKET = "layers-of-tomorrow.s3.eu-west-1.amazonaws.com"

EXPECTED = (
    Expected(
        "no such repository: any name can be a pull-through cache's",
        run_with(manifest=UNKNOWN_NAME),
        {"registry.repo-not-found": "registry.repo-not-found registry.pull-through-redirect iam.execution-role"},
    ),
    Expected(
        "no such repository, with a name that can be a pull-through cache's",
        FakeRun(replies={"manifest": UNKNOWN_NAME}, planned={"repository": "docker-hub/library/nginx"}),
        {"registry.repo-not-found": "registry.repo-not-found registry.pull-through-redirect iam.execution-role"},
    ),
    Expected(
        "no such tag",
        run_with(manifest=UNKNOWN_TAG, head=Reply(Failure.NOT_FOUND, 404)),
        {"registry.tag-not-found": f"registry.tag-not-found {ARCHIVED} registry.pull-through-redirect"},
    ),
    Expected(
        "no such digest",
        FakeRun(replies={"manifest": UNKNOWN_TAG}, planned={"digest": f"sha256:{'5e' * 32}"}),
        {"registry.tag-not-found": f"registry.tag-not-found {ARCHIVED} registry.pull-through-redirect"},
    ),
    Expected(
        "the digest that ECS pinned is gone",
        FakeRun(extra=(pinned(404),)),
        {"registry.pinned-digest-gone": f"registry.tag-not-found {ARCHIVED}"},
        *FINE,
    ),
    Expected("the digest that ECS pinned is there", FakeRun(extra=(pinned(200),)), {}, *FINE),
    Expected("the request for the digest that ECS pinned is throttled", FakeRun(extra=(pinned(429),)), {}, *FINE),
    Expected(
        "404 without a code",
        run_with(manifest=Reply(Failure.NOT_FOUND, 404)),
        {"registry.tag-not-found": f"registry.tag-not-found registry.repo-not-found {ARCHIVED}"},
    ),
    Expected(
        "HEAD is refused and GET works", run_with(head=Reply(Failure.DENIED, 403)), {"registry.head-refused": ""}, *FINE
    ),
    Expected(
        "a new token is rejected",
        run_with(manifest=Reply(Failure.UNAUTHENTICATED, 403, code="DENIED")),
        {"registry.token-rejected": "registry.auth-token-expired iam.credentials-rejected path.egress-firewall"},
        *PROOF,
        excludes={"registry.token-rejected": "path.proxy client.no-credential-provider"},
    ),
    Expected(
        "no image for the platform of --platform",
        FakeRun(replies={"manifest": Reply(Failure.NO_PLATFORM, seen=INDEX)}, planned={"platform_given": True}),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
    ),
    Expected(
        "no image for this machine's platform",
        run_with(manifest=Reply(seen=INDEX | {"platform": "linux/arm64"})),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
        "degraded",
        "works",
    ),
    Expected(
        "a variant fits",
        run_with(manifest=Reply(seen={"platforms": ("linux/amd64/v2",), "platform": "linux/amd64/v2"})),
        {},
        *FINE,
    ),
    Expected(
        "an image without index, built for another platform",
        run_with(layer=Reply(seen={"platform": "linux/arm64"})),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
        "degraded",
        "works",
    ),
    Expected(
        "an image without index, built for another platform than --platform",
        FakeRun(replies={"layer": Reply(seen={"platform": "linux/arm64"})}, planned={"platform_given": True}),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
    ),
    Expected(
        "a WebAssembly module under the tag, whose config names a platform",
        run_with(
            manifest=Reply(seen={"artifact": "application/vnd.wasm.config.v0+json"}),
            layer=Reply(seen={"platform": "wasip1/wasm"}),
        ),
        {"registry.not-an-image": "=registry.not-an-image"},
    ),
    Expected(
        "a chart under the tag",
        run_with(manifest=Reply(seen={"artifact": "application/vnd.cncf.helm.config.v1+json"})),
        {"registry.not-an-image": "=registry.not-an-image"},
    ),
    Expected(
        "an artifact of an unknown type under the tag",
        run_with(manifest=Reply(seen={"artifact": "application/x-thing"})),
        {"registry.not-an-image": "=registry.not-an-image"},
    ),
    Expected(
        "schema 1 under the tag",
        run_with(manifest=Reply(Failure.MALFORMED, 200, seen={"artifact": SCHEMA_1})),
        {"registry.not-an-image": "=registry.not-an-image"},
    ),
    Expected(
        "the dual-stack host",
        FakeRun(planned={"hosts": {"ecr.dkr": "123456789012.dkr-ecr.eu-west-1.on.aws"}}),
        {"registry.host-form": "client.unrecognised-ecr-host"},
        *FINE,
    ),
    Expected(
        "the FIPS host, at private addresses",
        FakeRun(planned={"hosts": {"ecr.dkr": "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"}}),
        {"registry.host-form": "client.fips-hostname"},
        *FINE,
    ),
    Expected(
        "an image of another region that arrives privately",
        FakeRun(planned={"region": "us-west-2"}),
        {"region.cross-region": ""},
        *FINE,
    ),
    Expected(
        "layers in a bucket of the region with another name",
        FakeRun(redirect=(RedirectTarget.NEW_BUCKET, NEW_BUCKET, "eu-west-1"), redirected=Host(("52.217.0.9",))),
        {"layers.new-bucket": ""},
        *FINE,
    ),
    Expected(
        "layers in a bucket with another name, which an endpoint policy denies",
        FakeRun(
            redirect=(RedirectTarget.NEW_BUCKET, NEW_BUCKET, "eu-west-1"),
            redirected=Host(("52.217.0.9",)),
            replies={"layer": Reply(Failure.DENIED, 403, code="AccessDenied", reason=DenialReason.ENDPOINT)},
        ),
        {"layers.new-bucket": "", "policy.vpce.s3": "=policy.vpce.s3"},
    ),
    Expected(
        "layers in a bucket with another name, denied without a reason",
        FakeRun(
            redirect=(RedirectTarget.NEW_BUCKET, NEW_BUCKET, "eu-west-1"),
            redirected=Host(("52.217.0.9",)),
            replies={"layer": Reply(Failure.DENIED, 403, code="AccessDenied")},
        ),
        {"layers.new-bucket": "", "policy.vpce.s3": "policy.vpce.s3 path.egress-firewall other"},
    ),
    Expected("lazily read layers", FakeRun(around={"snapshotter": "soci"}), {"layers.lazy": ""}, *FINE),
    Expected("layers that are all read first", FakeRun(around={"snapshotter": "overlayfs"}), {}, *FINE),
    Expected(
        "layers in another region, reached",
        FakeRun(redirect=ELSEWHERE, redirected=Host(("52.217.0.9",))),
        {"region.cross-region": "region.cross-region"},
        "degraded",
        "works",
        {"region.cross-region": "warning"},
    ),
    Expected(
        "one layer in another region, reached",
        FakeRun(extra=(LAYER_ELSEWHERE,)),
        {"region.cross-region": "region.cross-region"},
        "degraded",
        "works",
    ),
    Expected(
        "layers in another region, silent",
        FakeRun(redirect=ELSEWHERE, redirected=Host(("52.217.0.9",), tcp=Failure.TIMEOUT)),
        {"region.cross-region": "region.cross-region tcp.no-route"},
    ),
    Expected(
        "layers in another region, NXDOMAIN for their host",
        FakeRun(redirect=ELSEWHERE, redirected=Host(Failure.NXDOMAIN)),
        {"region.cross-region": "region.cross-region"},
    ),
    Expected(
        "layers at the dual-stack host of the region's bucket, silent",
        FakeRun(
            redirect=(
                RedirectTarget.LAYER_BUCKET,
                "prod-eu-west-1-starport-layer-bucket.s3.dualstack.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            redirected=Host(PUBLIC["logs"], tcp=Failure.TIMEOUT),
        ),
        {"s3.silent": "endpoint.missing.s3"},
    ),
    Expected(
        "AWS redirects to an upstream registry",
        blob(RedirectTarget.FOREIGN, "cdn.example.com"),
        {"registry.pull-through-redirect": "=registry.pull-through-redirect"},
    ),
    Expected(
        "a host other than AWS redirects to a foreign host",
        blob(RedirectTarget.FOREIGN, "cdn.example.com", aws=False),
        {"registry.pull-through-redirect": "registry.pull-through-redirect path.egress-firewall"},
    ),
    Expected(
        "a redirect without TLS",
        blob(RedirectTarget.INSECURE, "bucket.example.com"),
        {"layers.bad-redirect": "path.egress-firewall"},
    ),
    Expected(
        "a redirect back to the registry",
        blob(RedirectTarget.LOOP, "registry.example.com"),
        {"layers.bad-redirect": "path.egress-firewall"},
    ),
    Expected("no redirect", blob(None, None), {"layers.bad-redirect": "path.egress-firewall"}),
    Expected(
        "S3 redirects again",
        run_with(layer=Reply(Failure.REDIRECT, 301)),
        {"layers.bad-redirect": "path.egress-firewall"},
    ),
    Expected(
        "S3 names the endpoint policy in its denial",
        run_with(layer=Reply(Failure.DENIED, 403, code="AccessDenied", reason=DenialReason.ENDPOINT)),
        {"policy.vpce.s3": "=policy.vpce.s3"},
    ),
    Expected(
        "S3 denies without a reason",
        run_with(layer=Reply(Failure.DENIED, 403, code="AccessDenied")),
        {"policy.vpce.s3": "policy.vpce.s3 kms.key other"},
    ),
    Expected(
        "S3 names an organization's policy in its denial, which cannot apply to ECR's principal and bucket",
        run_with(layer=Reply(Failure.DENIED, 403, code="AccessDenied", reason=DenialReason.RESOURCE_CONTROL)),
        {"policy.vpce.s3": "policy.vpce.s3 kms.key other"},
    ),
    Expected(
        "S3 denies kms:Decrypt by the key's policy",
        run_with(
            layer=Reply(
                Failure.DENIED,
                403,
                code="AccessDenied",
                topic=Topic.KEY,
                reason=DenialReason.RESOURCE,
                words={"action": "kms:Decrypt"},
            )
        ),
        {"registry.kms-key": "=kms.key"},
    ),
    Expected(
        "S3 denies kms:Decrypt by an organization's policy, which is on the key",
        run_with(
            layer=Reply(
                Failure.DENIED,
                403,
                code="AccessDenied",
                topic=Topic.KEY,
                reason=DenialReason.RESOURCE_CONTROL,
                words={"action": "kms:Decrypt"},
            )
        ),
        {"registry.kms-key": "=kms.key"},
    ),
    Expected(
        "S3 answers that the key is disabled",
        run_with(layer=Reply(Failure.MALFORMED, 400, code="KMS.DisabledException", topic=Topic.KEY)),
        {"registry.kms-key": "=kms.key"},
    ),
    Expected(
        "the registry answers that the key is disabled",
        run_with(blob=Reply(Failure.MALFORMED, 400, code="KmsException", topic=Topic.KEY)),
        {"registry.kms-key": "=kms.key"},
    ),
    Expected(
        "the registry denies kms:Decrypt to the probe's role by its own policies",
        run_with(
            manifest=Reply(
                Failure.DENIED,
                403,
                code="DENIED",
                topic=Topic.KEY,
                reason=DenialReason.IDENTITY,
                words={"action": "kms:Decrypt"},
            )
        ),
        {"iam.denied": "iam.execution-role kms.key"},
        *PROOF,
    ),
    Expected(
        "the upstream registry refuses the pull-through rule's secret",
        run_with(manifest=Reply(Failure.DENIED, 403, code="DENIED", topic=Topic.UPSTREAM)),
        {"registry.upstream-refused": "=registry.upstream-refused"},
    ),
    Expected(
        "the upstream registry does not know the image",
        run_with(manifest=Reply(Failure.NOT_FOUND, 404, code="MANIFEST_UNKNOWN", topic=Topic.UPSTREAM)),
        {"registry.upstream-refused": "=registry.upstream-refused"},
    ),
    Expected(
        "the upstream registry limits pulls",
        run_with(
            manifest=Reply(
                Failure.THROTTLED, 429, code="TOOMANYREQUESTS", topic=Topic.UPSTREAM, first=Failure.THROTTLED
            )
        ),
        {"registry.upstream-refused": "=throttle registry.upstream-refused"},
        *PROOF,
    ),
    Expected(
        "S3 rejects the signed URL",
        run_with(layer=Reply(Failure.UNAUTHENTICATED, 403, code="SignatureDoesNotMatch")),
        {"layers.url-rejected": "path.egress-firewall"},
    ),
    Expected(
        "a blob that does not exist",
        run_with(blob=Reply(Failure.NOT_FOUND, 404)),
        {"layers.missing": "registry.tag-not-found registry.layer-corrupt"},
    ),
    Expected(
        "a layer with a wrong digest",
        run_with(layer=Reply(Failure.BAD_DIGEST)),
        {"layers.bad-digest": "registry.layer-corrupt path.egress-firewall"},
    ),
    Expected(
        "a manifest with a wrong digest",
        run_with(manifest=Reply(Failure.BAD_DIGEST)),
        {"layers.bad-digest": "registry.layer-corrupt"},
    ),
    Expected(
        "foreign layers",
        run_with(manifest=Reply(seen={"layers": 5, "foreign_layers": 2})),
        {"registry.foreign-layers": "registry.foreign-layers"},
        "degraded",
        "unproven",
    ),
    Expected(
        "a range of a large layer",
        run_with(layer=Reply(seen={"ranged": True, "size": 3 << 30})),
        {"layers.ranged": ""},
        *FINE,
    ),
    Expected("--layers none", FakeRun(planned={"layers": Layers.NONE}), {"layers.not-fetched": ""}, "pass", "unproven"),
    Expected("S3's route, without a control", FakeRun(), {}, *FINE),
    Expected("S3's route, the control silent", FakeRun(other_region=False), {}, *FINE),
    Expected(
        "S3's route, the control reached at a public address",
        FakeRun(other_region=True),
        {S3_ROUTE: "s3.route-table-not-associated endpoint.missing.s3"},
        *ROUTE_UNKNOWN,
        {S3_ROUTE: "warning"},
    ),
    Expected(
        "S3's route, the control reached at an address of the VPC",
        FakeRun(other_region=True, control_address="10.0.1.33"),
        {},
        *FINE,
    ),
    Expected(
        "S3's route, the control reached, and a public path to S3 is accepted",
        FakeRun(other_region=True, policy=Policy(allow_public=("s3",))),
        {S3_ROUTE: ""},
        *FINE,
        {S3_ROUTE: "info"},
    ),
    Expected(
        "S3's route, the control reached, and another finding reports the way out",
        FakeRun({"logs": public("logs")}, other_region=True),
        {"dns.public-answer": "logs.endpoint-missing", S3_ROUTE: ""},
        *ROUTE_UNKNOWN,
        {S3_ROUTE: "info"},
    ),
    Expected(
        "S3's route, the control reached by a transparent proxy",
        FakeRun(other_region=True, transparent_proxy=True),
        {"path.proxy": "path.proxy"},
        *ROUTE_UNKNOWN,
    ),
    Expected("S3 by an interface endpoint", FakeRun({"s3": Host(("10.0.1.19",))}), {}, *FINE),
)
