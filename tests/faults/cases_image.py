"""Cases of the image: the registry's words about it, its redirects and its layers."""

from __future__ import annotations

from typing import Any

from probe.model import DenialReason, Failure, Layers, RedirectTarget
from tests.faults.behaviour import PUBLIC, Host, Reply
from tests.faults.case import S3_ROUTE, Case
from tests.faults.cases_answers import FINE, PROOF, world
from tests.faults.world import World

OTHER = "prod-us-west-2-starport-layer-bucket.s3.us-west-2.amazonaws.com"
ELSEWHERE = (RedirectTarget.OTHER_REGION, OTHER, "us-west-2")
INDEX = {"platforms": ("linux/arm64", "windows/amd64")}
UNKNOWN_TAG = Reply(Failure.NOT_FOUND, 404, code="MANIFEST_UNKNOWN")
UNKNOWN_NAME = Reply(Failure.NOT_FOUND, 404, code="NAME_UNKNOWN")


def blob(target: RedirectTarget | None, host: str | None, **changes: Any) -> World:
    return world(blob=Reply(Failure.REDIRECT, seen={"target": target, "host": host}, **changes))


CASES = (
    Case("no such repository", world(manifest=UNKNOWN_NAME), {"registry.repo-not-found": "=registry.repo-not-found"}),
    Case(
        "no such repository, whose name may be a cache's",
        World(replies={"manifest": UNKNOWN_NAME}, planned={"repository": "docker-hub/library/nginx"}),
        {"registry.repo-not-found": "registry.repo-not-found registry.pull-through-redirect iam.execution-role"},
    ),
    Case(
        "no such tag",
        world(manifest=UNKNOWN_TAG, head=Reply(Failure.NOT_FOUND, 404)),
        {"registry.tag-not-found": "=registry.tag-not-found"},
    ),
    Case(
        "404 without a code",
        world(manifest=Reply(Failure.NOT_FOUND, 404)),
        {"registry.tag-not-found": "registry.tag-not-found registry.repo-not-found"},
    ),
    Case("HEAD is refused and GET works", world(head=Reply(Failure.DENIED, 403)), {"registry.head-refused": ""}, *FINE),
    Case(
        "a fresh token is not accepted",
        world(manifest=Reply(Failure.UNAUTHENTICATED, 403, code="DENIED")),
        {"registry.token-rejected": "registry.auth-token-expired iam.credentials-rejected"},
        *PROOF,
    ),
    Case(
        "nothing for the platform asked for",
        World(replies={"manifest": Reply(Failure.NO_PLATFORM, seen=INDEX)}, planned={"platform_given": True}),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
    ),
    Case(
        "nothing for this machine's platform",
        world(manifest=Reply(seen=INDEX | {"platform": "linux/arm64"})),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
        "degraded",
        "works",
    ),
    Case(
        "a variant fits",
        world(manifest=Reply(seen={"platforms": ("linux/amd64/v2",), "platform": "linux/amd64/v2"})),
        {},
        *FINE,
    ),
    Case(
        "an image without index, built for another platform",
        world(layer=Reply(seen={"platform": "linux/arm64"})),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
        "degraded",
        "works",
    ),
    Case(
        "the same where the platform was asked for",
        World(replies={"layer": Reply(seen={"platform": "linux/arm64"})}, planned={"platform_given": True}),
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
    ),
    Case(
        "the dual-stack host",
        World(planned={"hosts": {"ecr.dkr": "123456789012.dkr-ecr.eu-west-1.on.aws"}}),
        {"registry.host-form": "client.unrecognised-ecr-host"},
        *FINE,
    ),
    Case(
        "the FIPS host, private all the same",
        World(planned={"hosts": {"ecr.dkr": "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"}}),
        {"registry.host-form": "client.fips-hostname"},
        *FINE,
    ),
    Case(
        "an image of another region that arrives privately",
        World(planned={"region": "us-west-2"}),
        {"region.cross-region": ""},
        *FINE,
    ),
    Case(
        "layers in another region, reached",
        World(redirect=ELSEWHERE, redirected=Host(("52.217.0.9",))),
        {"region.cross-region": "region.cross-region"},
        "degraded",
        "works",
        {"region.cross-region": "warning"},
    ),
    Case(
        "layers in another region, silent",
        World(redirect=ELSEWHERE, redirected=Host(("52.217.0.9",), tcp=Failure.TIMEOUT)),
        {"region.cross-region": "region.cross-region tcp.no-route"},
    ),
    Case(
        "layers in another region, whose name does not exist here",
        World(redirect=ELSEWHERE, redirected=Host(Failure.NXDOMAIN)),
        {"region.cross-region": "region.cross-region"},
    ),
    Case(
        "layers at a dual-stack spelling of the own bucket, silent",
        World(
            redirect=(
                RedirectTarget.LAYER_BUCKET,
                "prod-eu-west-1-starport-layer-bucket.s3.dualstack.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            redirected=Host(PUBLIC["logs"], tcp=Failure.TIMEOUT),
        ),
        {"s3.silent": "endpoint.missing.s3"},
    ),
    Case(
        "the registry sends us upstream",
        blob(RedirectTarget.FOREIGN, "cdn.example.com"),
        {"registry.pull-through-redirect": "=registry.pull-through-redirect"},
    ),
    Case(
        "somebody sends us elsewhere",
        blob(RedirectTarget.FOREIGN, "cdn.example.com", aws=False),
        {"registry.pull-through-redirect": "registry.pull-through-redirect path.egress-firewall"},
    ),
    Case(
        "a redirect without TLS",
        blob(RedirectTarget.INSECURE, "bucket.example.com"),
        {"layers.bad-redirect": "path.egress-firewall"},
    ),
    Case(
        "a redirect in a circle",
        blob(RedirectTarget.LOOP, "registry.example.com"),
        {"layers.bad-redirect": "path.egress-firewall"},
    ),
    Case("no redirect", blob(None, None), {"layers.bad-redirect": "path.egress-firewall"}),
    Case(
        "S3 redirects once more",
        world(layer=Reply(Failure.REDIRECT, 301)),
        {"layers.bad-redirect": "path.egress-firewall"},
    ),
    Case(
        "S3's endpoint policy, in its own words",
        world(layer=Reply(Failure.DENIED, 403, code="AccessDenied", reason=DenialReason.ENDPOINT)),
        {"policy.vpce.s3": "=policy.vpce.s3"},
    ),
    Case(
        "S3 refuses without words",
        world(layer=Reply(Failure.DENIED, 403, code="AccessDenied")),
        {"policy.vpce.s3": "policy.vpce.s3 iam.scp other"},
    ),
    Case(
        "S3 refuses by an organisation's policy",
        world(layer=Reply(Failure.DENIED, 403, code="AccessDenied", reason=DenialReason.RESOURCE_CONTROL)),
        {"policy.vpce.s3": "=iam.scp"},
    ),
    Case(
        "S3 does not accept the signed address",
        world(layer=Reply(Failure.UNAUTHENTICATED, 403, code="SignatureDoesNotMatch")),
        {"layers.url-rejected": "path.egress-firewall"},
    ),
    Case(
        "a blob that is not there",
        world(blob=Reply(Failure.NOT_FOUND, 404)),
        {"layers.missing": "registry.tag-not-found registry.layer-corrupt"},
    ),
    Case(
        "a layer with other bytes",
        world(layer=Reply(Failure.BAD_DIGEST)),
        {"layers.bad-digest": "registry.layer-corrupt path.egress-firewall"},
    ),
    Case(
        "a manifest with other bytes",
        world(manifest=Reply(Failure.BAD_DIGEST)),
        {"layers.bad-digest": "registry.layer-corrupt"},
    ),
    Case(
        "foreign layers",
        world(manifest=Reply(seen={"foreign_layers": 2})),
        {"registry.foreign-layers": "registry.foreign-layers"},
        "degraded",
        "unproven",
    ),
    Case(
        "a range of a large layer",
        world(layer=Reply(seen={"ranged": True, "size": 3 << 30})),
        {"layers.ranged": ""},
        *FINE,
    ),
    Case("no layers asked for", World(planned={"layers": Layers.NONE}), {"layers.not-fetched": ""}, "pass", "unproven"),
    Case(
        "S3's route, without a control", World(), {S3_ROUTE: "s3.route-table-not-associated endpoint.missing.s3"}, *FINE
    ),
    Case(
        "S3's route, the control silent", World(other_region=False), {S3_ROUTE: "s3.route-table-not-associated"}, *FINE
    ),
    Case(
        "S3's route, the control reached", World(other_region=True), {S3_ROUTE: "s3.route-table-not-associated"}, *FINE
    ),
    Case("S3 by an interface endpoint", World({"s3": Host(("10.0.1.19",))}), {}, *FINE),
)
