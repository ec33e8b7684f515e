"""Cases of what AWS, or somebody else, answers: denials, limits, strange words; and CloudWatch Logs."""

from __future__ import annotations

from probe.model import DenialReason, Failure, Identity, LogDestination, Policy
from tests.faults.behaviour import Reply, public
from tests.faults.case import Case
from tests.faults.plans import OWN_ROLE, PULL_ROLE
from tests.faults.world import STRICTEST, World

PROOF = ("inconclusive", "unproven")
FINE = ("pass", "works")
PULLS = Policy(pull_role=OWN_ROLE)
OTHER_PULLS = Policy(pull_role=PULL_ROLE)
NAMELESS = Identity(source="container-role", arn=None)
NAT = {"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}


def denied(reason: DenialReason | None = None, *, status: int = 403, sentence: bool = True) -> Reply:
    return Reply(Failure.DENIED, status, code="AccessDeniedException", reason=reason, sentence=sentence)


def world(policy: Policy = STRICTEST, **replies: Reply) -> World:
    return World(replies=replies, policy=policy)


DENIALS = (
    Case(
        "the role may not, and AWS says so",
        world(token=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role iam.source-vpce-condition"},
        *PROOF,
        {"iam.denied": "error"},
    ),
    Case(
        "the pulling role may not",
        world(PULLS, manifest=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role"},
    ),
    Case(
        "the pulling role may not, known by the sentence alone",
        World(replies={"token": denied(DenialReason.IDENTITY)}, policy=PULLS, identity=NAMELESS),
        {"iam.denied": "iam.execution-role"},
    ),
    Case(
        "another role than the pulling one may not",
        world(OTHER_PULLS, manifest=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role"},
        *PROOF,
    ),
    Case(
        "the role may not, on a public way",
        World(NAT, {"manifest": denied(DenialReason.IDENTITY)}),
        {
            "iam.denied": "iam.source-vpce-condition iam.execution-role",
            "dns.public-answer": "endpoint.missing.ecr-api endpoint.missing.ecr-dkr",
        },
        "fail",
        "unproven",
    ),
    Case(
        "a denial without a reason",
        world(token=denied()),
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
        *PROOF,
    ),
    Case(
        "a denial without any sentence",
        world(blob=denied(sentence=False)),
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
        *PROOF,
    ),
    Case(
        "a denial without a reason, by another account's registry",
        World(replies={"manifest": denied()}, around={"account": "999999999999"}),
        {"iam.denied": "iam.execution-role policy.vpce.ecr iam.repository-policy"},
        *PROOF,
    ),
    Case(
        "a denial without a reason, on a public way",
        World(NAT, {"token": denied()}),
        {"iam.denied": "iam.execution-role iam.source-vpce-condition -policy.vpce.ecr", "dns.public-answer": ""},
        "fail",
        "unproven",
    ),
    Case(
        "the repository's policy",
        world(manifest=denied(DenialReason.RESOURCE)),
        {"iam.denied": "=iam.repository-policy"},
        *PROOF,
    ),
    Case(
        "a service control policy",
        world(token=denied(DenialReason.SERVICE_CONTROL)),
        {"iam.denied": "=iam.scp"},
        *PROOF,
    ),
    Case(
        "a resource control policy",
        world(blob=denied(DenialReason.RESOURCE_CONTROL)),
        {"iam.denied": "=iam.scp"},
        *PROOF,
    ),
    Case(
        "a permissions boundary",
        world(token=denied(DenialReason.BOUNDARY)),
        {"iam.denied": "iam.execution-role"},
        *PROOF,
    ),
    Case(
        "HEAD refused without words, GET with them",
        world(head=Reply(Failure.DENIED, 403), manifest=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role"},
        *PROOF,
    ),
    Case(
        "an endpoint policy of ECR", world(token=denied(DenialReason.ENDPOINT)), {"policy.vpce.ecr": "=policy.vpce.ecr"}
    ),
    Case(
        "an endpoint policy, and another role pulls",
        world(OTHER_PULLS, manifest=denied(DenialReason.ENDPOINT)),
        {"policy.vpce.ecr": "=policy.vpce.ecr"},
        *PROOF,
    ),
    Case(
        "an endpoint policy, and this very role pulls",
        world(PULLS, blob=denied(DenialReason.ENDPOINT)),
        {"policy.vpce.ecr": "=policy.vpce.ecr"},
    ),
)
ANSWERS = (
    Case(
        "throttled twice",
        world(token=Reply(Failure.THROTTLED, 400, first=Failure.THROTTLED)),
        {"aws.throttled": "=throttle"},
        *PROOF,
    ),
    Case("throttled once", world(token=Reply(first=Failure.THROTTLED)), {"probe.retried": ""}, *FINE),
    Case(
        "S3 says SlowDown",
        world(layer=Reply(Failure.THROTTLED, 503, code="SlowDown")),
        {"aws.throttled": "=throttle"},
        *PROOF,
    ),
    Case(
        "AWS answers with 500 and its request id",
        world(manifest=Reply(Failure.SERVER_ERROR, 500, first=Failure.SERVER_ERROR)),
        {"aws.service-error": "=aws.service-error"},
        *PROOF,
    ),
    Case(
        "an empty 503",
        world(token=Reply(Failure.SERVER_ERROR, 503, aws=False)),
        {"aws.service-error": "aws.service-error path.egress-firewall"},
        *PROOF,
    ),
    Case(
        "a block page for the token",
        world(token=Reply(Failure.NOT_AWS, 403, aws=False)),
        {"http.not-aws": "path.egress-firewall path.proxy"},
    ),
    Case(
        "a captive portal",
        world(challenge=Reply(Failure.REDIRECT, 302, aws=False)),
        {"http.not-aws": "path.egress-firewall"},
    ),
    Case(
        "a page in the place of a layer",
        world(layer=Reply(Failure.NOT_AWS, 200, aws=False)),
        {"http.not-aws": "path.egress-firewall"},
    ),
    Case(
        "a block page for logs",
        world(logs=Reply(Failure.NOT_AWS, 403, aws=False)),
        {"http.not-aws": "path.egress-firewall"},
        "fail",
        "works",
    ),
    Case(
        "an answer without sense",
        world(token=Reply(Failure.MALFORMED)),
        {"http.unreadable": "other path.egress-firewall"},
    ),
    Case("a manifest without end", world(manifest=Reply(Failure.TOO_LARGE)), {"http.unreadable": "other"}),
    Case("404 for the token", world(token=Reply(Failure.NOT_FOUND, 404)), {"http.unreadable": "other"}),
    Case(
        "a layer that stops",
        world(layer=Reply(Failure.STALLED)),
        {"path.transfer-broken": "path.transfer-broken path.mtu path.egress-firewall"},
    ),
    Case("a layer cut short", world(layer=Reply(Failure.TRUNCATED)), {"path.transfer-broken": "path.transfer-broken"}),
    Case(
        "the token request is reset, twice",
        world(token=Reply(Failure.RESET, first=Failure.RESET)),
        {"path.transfer-broken": "path.transfer-broken"},
    ),
    Case(
        "the manifest request gets no answer",
        world(manifest=Reply(Failure.TIMEOUT)),
        {"path.transfer-broken": "path.transfer-broken"},
    ),
)
LOGS = (
    Case("may not look at log groups", world(logs=denied(DenialReason.IDENTITY)), {"logs.not-permitted": ""}, *FINE),
    Case("denied without a reason", world(logs=denied()), {"logs.not-permitted": ""}, *FINE),
    Case(
        "the logs endpoint's policy refuses",
        world(logs=denied(DenialReason.ENDPOINT)),
        {"policy.vpce.other": "=policy.vpce.other"},
        "degraded",
        "works",
    ),
    Case(
        "the log group is missing",
        world(logs=Reply(Failure.NOT_FOUND, 400, seen={"group_exists": False})),
        {"logs.group-missing": "=logs.group-missing"},
        "degraded",
        "works",
    ),
    Case(
        "the log group is missing in another region",
        World(
            replies={"logs": Reply(Failure.NOT_FOUND, 400, seen={"group_exists": False})},
            planned={"logs_region": "us-east-1"},
        ),
        {"logs.group-missing": "logs.group-missing logs.misconfigured-region"},
        "degraded",
        "works",
    ),
    Case(
        "the log stream is missing",
        world(logs=Reply(seen={"stream_exists": False})),
        {"logs.stream-missing": ""},
        *FINE,
    ),
    Case(
        "logs throttled: its endpoint is proven all the same",
        world(logs=Reply(Failure.THROTTLED, 400)),
        {"aws.throttled": "=throttle"},
        "degraded",
        "works",
    ),
    Case(
        "awslogs-region is a host name",
        World(
            around={
                "log_destinations": (
                    LogDestination(container="web", region="example.com", group="/ecs/app", stream=None, own=False),
                )
            }
        ),
        {"logs.misconfigured-region": "=logs.misconfigured-region"},
        "fail",
        "works",
    ),
)
CASES = (*DENIALS, *ANSWERS, *LOGS)
