"""Expected verdicts on answers: denials, throttling, answers of other hosts; and CloudWatch Logs."""

from __future__ import annotations

from typing import Any

from probe.model import DenialReason, Failure, Identity, LogDestination, Policy
from tests.faults.expectation import Expected
from tests.faults.fake_hosts import OWN_ROLE, PULL_ROLE, Reply, public
from tests.faults.fake_run import STRICTEST, FakeRun

PROOF = ("inconclusive", "unproven")
FINE = ("pass", "works")
PULLS = Policy(pull_role=OWN_ROLE)
OTHER_PULLS = Policy(pull_role=PULL_ROLE)
NAMELESS = Identity(source="container-role", arn=None)
NAT = {"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}


def denied(reason: DenialReason | None = None, *, status: int = 403, sentence: bool = True, **words: Any) -> Reply:
    """A denial; `words` are other fields of its `Denial`."""
    return Reply(Failure.DENIED, status, code="AccessDeniedException", reason=reason, sentence=sentence, words=words)


def run_with(policy: Policy = STRICTEST, **replies: Reply) -> FakeRun:
    return FakeRun(replies=replies, policy=policy)


DENIALS = (
    Expected(
        "an identity policy denies the role",
        run_with(token=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role iam.source-vpce-condition"},
        *PROOF,
        {"iam.denied": "error"},
    ),
    Expected(
        "an identity policy denies the pulling role",
        run_with(PULLS, manifest=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role"},
    ),
    Expected(
        "an identity policy denies the pulling role, which only the denial names",
        FakeRun(replies={"token": denied(DenialReason.IDENTITY)}, policy=PULLS, identity=NAMELESS),
        {"iam.denied": "iam.execution-role"},
    ),
    Expected(
        "an identity policy denies a role that does not pull",
        run_with(OTHER_PULLS, manifest=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role"},
        *PROOF,
    ),
    Expected(
        "an identity policy denies the role, on a public path",
        FakeRun(NAT, {"manifest": denied(DenialReason.IDENTITY)}),
        {
            "iam.denied": "iam.source-vpce-condition iam.execution-role",
            "dns.public-answer": "endpoint.missing.ecr-api endpoint.missing.ecr-dkr",
        },
        "fail",
        "unproven",
    ),
    Expected(
        "a denial without a reason",
        run_with(token=denied()),
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
        *PROOF,
    ),
    Expected(
        "a denial without any sentence",
        run_with(blob=denied(sentence=False)),
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
        *PROOF,
    ),
    Expected(
        "a denial without a reason, by another account's registry",
        FakeRun(replies={"manifest": denied()}, planned={"account": "999999999999"}),
        {"iam.denied": "iam.execution-role iam.repository-policy policy.vpce.ecr"},
        *PROOF,
    ),
    Expected(
        "a denial without a reason, on a public path",
        FakeRun(NAT, {"token": denied()}),
        {"iam.denied": "iam.execution-role iam.source-vpce-condition -policy.vpce.ecr", "dns.public-answer": ""},
        "fail",
        "unproven",
    ),
    Expected(
        "a resource-based policy of the own account: the repository's or the registry's",
        run_with(manifest=denied(DenialReason.RESOURCE)),
        {"iam.denied": "iam.repository-policy iam.registry-policy"},
        *PROOF,
    ),
    Expected(
        "no resource-based policy of another account allows: also the answer for a repository that does not exist",
        FakeRun(replies={"manifest": denied(DenialReason.RESOURCE)}, planned={"account": "999999999999"}),
        {"iam.denied": "iam.repository-policy registry.repo-not-found iam.registry-policy"},
        *PROOF,
    ),
    Expected(
        "no resource-based policy of another account allows, and metadata names no account",
        FakeRun(
            replies={"manifest": denied(DenialReason.RESOURCE)},
            planned={"account": "999999999999"},
            around={"account": None},
        ),
        {"iam.denied": "iam.repository-policy registry.repo-not-found iam.registry-policy"},
        *PROOF,
    ),
    Expected(
        "an explicit Deny in a resource-based policy of another account",
        FakeRun(
            replies={"manifest": denied(DenialReason.RESOURCE, explicit=True)}, planned={"account": "999999999999"}
        ),
        {"iam.denied": "iam.repository-policy iam.registry-policy"},
        *PROOF,
    ),
    Expected(
        "a service control policy",
        run_with(token=denied(DenialReason.SERVICE_CONTROL)),
        {"iam.denied": "=iam.scp"},
        *PROOF,
    ),
    Expected(
        "a resource control policy",
        run_with(blob=denied(DenialReason.RESOURCE_CONTROL)),
        {"iam.denied": "=iam.scp"},
        *PROOF,
    ),
    Expected(
        "a permissions boundary",
        run_with(token=denied(DenialReason.BOUNDARY)),
        {"iam.denied": "=iam.permissions-boundary"},
        *PROOF,
    ),
    Expected("a session policy", run_with(token=denied(DenialReason.SESSION)), {"iam.denied": "=other"}, *PROOF),
    Expected(
        "HEAD denied without a reason, GET with one",
        run_with(head=Reply(Failure.DENIED, 403), manifest=denied(DenialReason.IDENTITY)),
        {"iam.denied": "iam.execution-role"},
        *PROOF,
    ),
    Expected(
        "an endpoint policy of ECR denies a role that may not be the pull's",
        run_with(token=denied(DenialReason.ENDPOINT)),
        {"policy.vpce.ecr": "=policy.vpce.ecr"},
        *PROOF,
        {"policy.vpce.ecr": "error"},
    ),
    Expected(
        "an endpoint policy denies a role that does not pull",
        run_with(OTHER_PULLS, manifest=denied(DenialReason.ENDPOINT)),
        {"policy.vpce.ecr": "=policy.vpce.ecr"},
        *PROOF,
    ),
    Expected(
        "an endpoint policy denies the role that pulls",
        run_with(PULLS, blob=denied(DenialReason.ENDPOINT)),
        {"policy.vpce.ecr": "=policy.vpce.ecr"},
    ),
)
ANSWERS = (
    Expected(
        "throttled twice",
        run_with(token=Reply(Failure.THROTTLED, 400, first=Failure.THROTTLED)),
        {"aws.throttled": "=throttle"},
        *PROOF,
    ),
    Expected("throttled once", run_with(token=Reply(first=Failure.THROTTLED)), {"probe.retried": ""}, *FINE),
    Expected(
        "S3 answers SlowDown",
        run_with(layer=Reply(Failure.THROTTLED, 503, code="SlowDown")),
        {"aws.throttled": "=throttle"},
        *PROOF,
    ),
    Expected(
        "AWS answers with 500 and its request id",
        run_with(manifest=Reply(Failure.SERVER_ERROR, 500, first=Failure.SERVER_ERROR)),
        {"aws.service-error": "=aws.service-error"},
        *PROOF,
    ),
    Expected(
        "an empty 503",
        run_with(token=Reply(Failure.SERVER_ERROR, 503, aws=False)),
        {"aws.service-error": "aws.service-error path.egress-firewall"},
        *PROOF,
    ),
    Expected(
        "a block page for the token",
        run_with(token=Reply(Failure.NOT_AWS, 403, aws=False)),
        {"http.not-aws": "path.egress-firewall path.proxy"},
    ),
    Expected(
        "a captive portal",
        run_with(challenge=Reply(Failure.REDIRECT, 302, aws=False)),
        {"http.not-aws": "path.egress-firewall"},
    ),
    Expected(
        "an HTML page instead of a layer",
        run_with(layer=Reply(Failure.NOT_AWS, 200, aws=False)),
        {"http.not-aws": "path.egress-firewall"},
    ),
    Expected(
        "a block page for logs",
        run_with(logs=Reply(Failure.NOT_AWS, 403, aws=False)),
        {"http.not-aws": "path.egress-firewall"},
        "fail",
        "works",
    ),
    Expected(
        "a malformed answer",
        run_with(token=Reply(Failure.MALFORMED)),
        {"http.unreadable": "other path.egress-firewall"},
    ),
    Expected(
        "an error of AWS without a class",
        run_with(token=Reply(Failure.MALFORMED, 400, code="InvalidParameterException")),
        {"aws.rejected": "other"},
    ),
    Expected(
        "an error of the registry without a class",
        run_with(blob=Reply(Failure.MALFORMED, 405, code="UNSUPPORTED")),
        {"aws.rejected": "other"},
    ),
    Expected(
        "404 of AWS for the token",
        run_with(token=Reply(Failure.NOT_FOUND, 404, code="RepositoryNotFoundException")),
        {"aws.rejected": "other"},
    ),
    Expected("a manifest that is too large", run_with(manifest=Reply(Failure.TOO_LARGE)), {"http.unreadable": "other"}),
    Expected("404 for the token", run_with(token=Reply(Failure.NOT_FOUND, 404)), {"http.unreadable": "other"}),
    Expected(
        "a layer download stalls",
        run_with(layer=Reply(Failure.STALLED)),
        {"path.transfer-broken": "path.transfer-broken path.mtu path.egress-firewall"},
    ),
    Expected(
        "a layer download is truncated",
        run_with(layer=Reply(Failure.TRUNCATED)),
        {"path.transfer-broken": "path.transfer-broken"},
    ),
    Expected(
        "the token request is reset, twice",
        run_with(token=Reply(Failure.RESET, first=Failure.RESET)),
        {"path.transfer-broken": "path.transfer-broken"},
    ),
    Expected(
        "the manifest request gets no answer",
        run_with(manifest=Reply(Failure.TIMEOUT)),
        {"path.transfer-broken": "path.transfer-broken"},
    ),
)
LOGS = (
    Expected(
        "the role may not list log streams",
        run_with(logs=denied(DenialReason.IDENTITY)),
        {"logs.not-permitted": ""},
        *FINE,
    ),
    Expected("denied without a reason", run_with(logs=denied()), {"logs.not-permitted": ""}, *FINE),
    Expected(
        "the policy of the logs endpoint denies",
        run_with(logs=denied(DenialReason.ENDPOINT)),
        {"policy.vpce.other": "=policy.vpce.other"},
        "degraded",
        "works",
    ),
    Expected(
        "the log group is missing",
        run_with(logs=Reply(Failure.NOT_FOUND, 400, seen={"group_exists": False})),
        {"logs.group-missing": "=logs.group-missing"},
        "degraded",
        "works",
    ),
    Expected(
        "the log group is missing in another region",
        FakeRun(
            replies={"logs": Reply(Failure.NOT_FOUND, 400, seen={"group_exists": False})},
            planned={"logs_region": "us-east-1"},
        ),
        {"logs.group-missing": "logs.group-missing logs.misconfigured-region"},
        "degraded",
        "works",
    ),
    Expected(
        "the log stream is missing",
        run_with(logs=Reply(seen={"stream_exists": False})),
        {"logs.stream-missing": ""},
        *FINE,
    ),
    Expected(
        "logs throttled, which proves its endpoint",
        run_with(logs=Reply(Failure.THROTTLED, 400)),
        {"aws.throttled": "=throttle"},
        "degraded",
        "works",
    ),
    Expected(
        "awslogs-region is a host name",
        FakeRun(
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
EXPECTED = (*DENIALS, *ANSWERS, *LOGS)
