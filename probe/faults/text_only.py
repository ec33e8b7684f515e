"""Faults that only an error text can tell: what happens around the pull, and what its words leave open.

A failed step of a text whose `subject` is a `Subject` is looked up in a table;
round trips that failed without a known address, without a token or at another registry have rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from probe.faults import denials, logs, network, registry, task
from probe.faults.absence import missing
from probe.faults.causes.texts import CauseText
from probe.faults.evidence import ELSEWHERE, REFUSALS, UNNAMED, Evidence, denial_of
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, found, possible, settled
from probe.model import Action, DenialReason, Endpoint, Extent, Failure, Finding, ImageHost, Impact, Kind, Nothing
from probe.records import Record, replace


class Subject(StrEnum):
    """What an error text is about where no round trip failed: the `subject` of a step START or ENVIRONMENT.

    A new kind of text is a member here, its fault in `_SUBJECTS`, and the pattern that finds it in
    `probe/explain/error_patterns.py`.
    """

    VPCE_HOST = "vpce-host"
    PROXY = "proxy"
    EXECUTION_ROLE = "execution-role"
    LOG_REGION = "log-region"
    REFERENCE = "reference"
    ENDPOINT_ZONE = "endpoint-zone"
    PRIVATE_DNS = "private-dns"
    PLACEMENT = "placement"
    DISK = "disk"
    MEDIA_TYPE = "media-type"
    EXEC = "exec"
    VOLUME = "volume"
    BUILD_IMAGE = "build-image"
    SECRET = "secret"
    TIMEOUT = "timeout"
    ENDED = "ended"
    CUT_SHORT = "cut-short"
    UNRECOGNISED = "unclassified"
    NOT_DESCRIBED = "not-described"


_DESCRIBE = "aws ecs describe-tasks --region {task_region} --cluster {cluster} --tasks {task}"

NO_ANSWER = Fault(
    "path.no-answer",
    "no answer came from {endpoints}, and the text does not say at which address",
    "Whoever wrote it gave up waiting. Whether the name, the connection or the handshake got no answer is not told; "
    "an address in the whole text (dial tcp …), or a check from the same subnet, narrows it.",
    Impact.PULL,
    (
        "tcp.no-route",
        "tcp.security-group",
        "dns.private-dns-disabled",
        "tcp.nacl",
        "tcp.no-public-ip",
        "path.egress-firewall",
        "tcp.nat-device",
        "dns.custom-resolver",
    ),
)
REFUSED = replace(network.REFUSED, title="connections to {endpoints} are refused, at an address that is not told")
NO_ROUTE = replace(
    network.NO_ROUTE,
    title="whoever wrote the text has no route to {endpoints}",
    why="The connection failed at once, before a packet left; to which address is not told.",
)
NO_TOKEN = Fault(
    "registry.no-token",
    "the registry was asked without a token",
    "The registry answers, so the way to it is fine. It is the login before it that brought no token: the call of "
    "ecr.api got no answer, the role may not make it, or the client logged in at another spelling of the host.",
    Impact.PULL,
    (
        "iam.execution-role",
        "endpoint.missing.ecr-api",
        "tcp.no-route",
        "client.unrecognised-ecr-host",
        "registry.auth-token-expired",
        "client.legacy-hostname",
    ),
)
FOREIGN_REGISTRY = Fault(
    "registry.elsewhere",
    "the image is not in private ECR, and its registry {how} ({image})",
    "{kind}",
    Impact.PULL,
    ("tcp.no-route", "tcp.security-group", "path.egress-firewall"),
    other=CauseText(
        "the other registry fails of itself",
        "ask its status page, or copy the image to ECR: aws ecr create-repository --repository-name NAME",
        "docker pull {image} (from where there is a way out)",
    ),
)
VPCE_HOST = Fault(
    "registry.vpce-host",
    "the registry is called by an endpoint's own name, at which no login works",
    "A registry is known by the account in its host, and a vpce name has none.",
    Impact.PULL,
    ("client.vpce-hostname", "dns.private-dns-disabled"),
)
PROXY = replace(
    task.PROXY,
    title="the request went to a proxy, and failed there",
    why="The text names the proxy's connection or answer. What goes to a proxy does not take the VPC endpoints.",
    impact=Impact.PULL,
    extent=Extent.WHOLLY,
)
EXECUTION_ROLE = Fault(
    "iam.no-execution-role",
    "the task definition names no execution role, and pulls from ECR need one",
    "ECS refuses the task definition before anything is sent.",
    Impact.START,
    ("iam.execution-role",),
)
LOG_REGION = replace(
    logs.BAD_REGION,
    title="the log driver has no endpoint to call: its awslogs-region is no region",
    why="The SDK says so before a packet leaves, so the network has no part in it.",
    impact=Impact.START,
)
BAD_REFERENCE = Fault(
    "registry.bad-reference",
    "the image's name cannot be read as a reference",
    "It is refused before anything is sent.",
    Impact.PULL,
    ("registry.bad-image-reference",),
)
NOT_IN_ZONE = Fault(
    "endpoint.not-in-zone",
    "the service is not offered in the zone of one of the endpoint's subnets",
    "The endpoint was refused when it was made. Tasks of that zone can use its interfaces in other zones.",
    Impact.PROOF,
    ("tcp.az-without-eni",),
)
DOMAIN_CONFLICT = Fault(
    "dns.conflicting-domain",
    "the endpoint's private name was refused: something in this VPC owns it already",
    "Another endpoint of the service, or a private zone of that name, is associated with the VPC.",
    Impact.PROOF,
    ("dns.hosted-zone-conflict",),
)
NOT_PLACED = Fault(
    "task.not-placed",
    "ECS could not place the task, so its pull was never tried",
    "Capacity, addresses or network interfaces are missing, or too many were asked for at once. That says nothing of "
    "the image or the endpoints.",
    Impact.PROOF,
    ("other",),
    other=CauseText(
        "capacity or free addresses are missing where the task should run",
        "free some, or name other subnets: aws ecs update-service --network-configuration …",
        "aws ec2 describe-subnets --region {task_region} --query "
        '"Subnets[].[SubnetId,AvailableIpAddressCount]" (and aws ecs describe-services for the events of the service)',
    ),
)
DISK = Fault(
    "task.disk-full",
    "the disk is full where the image is unpacked",
    "The layers came, so the network is fine.",
    Impact.START,
    ("other",),
    other=CauseText(
        "the image is larger than the free disk",
        "give it more: aws ecs register-task-definition --ephemeral-storage sizeInGiB=50 … (on EC2 a larger volume, or "
        "remove old images)",
        "aws ecr describe-images --region {region} --registry-id {account} --repository-name {repository}",
    ),
)
UNREADABLE_IMAGE = Fault(
    "registry.unreadable-image",
    "the container runtime cannot unpack what the image's reference names",
    "Its bytes came. They are of a kind that is no file system, such as an attestation that was pushed as an image.",
    Impact.PULL,
    ("other",),
    other=CauseText(
        "the tag names something else than an image",
        "push it again without attestations: docker buildx build --provenance=false --push …",
        "aws ecr batch-get-image --region {region} --registry-id {account} --repository-name {repository} --image-ids "
        "imageTag={tag}",
    ),
)
EXEC_FORMAT = replace(
    registry.NO_PLATFORM,
    title="the image came, and the program in it is of another platform",
    why="The pull works. A script without an interpreter in its first line fails with the same words.",
    impact=Impact.START,
    other=CauseText(
        "the entry point is a script without an interpreter",
        "begin it with #!/bin/sh, build and docker push the image again",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.[runtimePlatform,containerDefinitions[].entryPoint]"',
    ),
)
VOLUME = Fault(
    "task.volume",
    "a volume of the task could not be mounted",
    "ECS mounts EFS before the container starts; the image has no part in it.",
    Impact.START,
    ("other",),
    other=CauseText(
        "the file system is not reached on port 2049, its name is not found, or its policy refuses",
        "open TCP 2049 from the task's group: aws ec2 authorize-security-group-ingress --region {task_region} "
        "--group-id GROUP_ID --protocol tcp --port 2049 --cidr {cidr}",
        "aws efs describe-mount-targets --region {task_region} --file-system-id FILE_SYSTEM_ID",
    ),
)
BUILD_IMAGE = Fault(
    "codebuild.build-image",
    "CodeBuild could not pull the build's image, which it does outside your VPC",
    "The endpoints of the VPC have no part in it. The image must be in the project's region, and its repository must "
    "admit codebuild.amazonaws.com or the project's role.",
    Impact.PROOF,
    ("client.pull-not-in-vpc", "region.cross-region", "iam.repository-policy"),
)
SECRET_MISSING = Fault(
    "task.secret-missing",
    "a secret or parameter of the task does not exist, or lacks the key that is named",
    "The service answered, so the network is fine.",
    Impact.START,
    ("other",),
    other=CauseText(
        "the secret's name, region or key is wrong, or it is gone",
        "correct it in the task definition: aws ecs register-task-definition …",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.containerDefinitions[].secrets"',
    ),
)
START_TIMEOUT = Fault(
    "task.start-timeout",
    "the container did not start in time",
    "The image is there. What a start waits for is above all the log driver, which calls CloudWatch Logs first.",
    Impact.START,
    ("logs.endpoint-missing", "tcp.security-group", "dns.vpc-attributes-off", "other"),
    other=CauseText(
        "the host is too busy, or the image too large to start in time",
        "give it more time or processor: aws ecs register-task-definition --cpu …",
        _DESCRIBE,
    ),
)
ENDED = Fault(
    "task.ended",
    "the task ran and was stopped; that is no failure of its start",
    "A container that ran had its image, so there is nothing here about pull or endpoints.",
    Impact.PROOF,
    ("other",),
    other=CauseText(
        "the program ended, its health checks failed, or somebody stopped it",
        "read its logs: aws logs tail LOG_GROUP --region {task_region}",
        _DESCRIBE,
    ),
)
CUT_SHORT = Fault(
    "text.cut-short",
    "the text stops before it says what went wrong",
    "Its headline stands over failures of network, names and permissions alike; only the end of the text tells them "
    "apart.",
    Impact.PROOF,
    ("tcp.no-route", "endpoint.missing.ecr-api", "iam.execution-role", "tcp.no-public-ip", "tcp.security-group"),
)
UNCLASSIFIED = Fault(
    "text.unclassified",
    "this text is not one that ecr-probe can class",
    "It may be an error of something else than the start of a task. A check from the task's subnet does not depend on "
    "anybody's words.",
    Impact.PROOF,
    ("other",),
    other=CauseText(
        "it is not known: the text holds no words that tell",
        "run ecr-probe check where the task runs; read the whole reason: " + _DESCRIBE,
        _DESCRIBE,
    ),
)
NOT_DESCRIBED = Fault(
    "task.not-described",
    "AWS did not answer, so why the task stopped is not known",
    "ECS was asked from where ecr-probe explain runs, so this tells nothing of the task or its network.",
    Impact.PROOF,
    ("other",),
    other=CauseText(
        "AWS's API is not reached from here, or not well",
        "try again soon, or give explain the words of the console: ecr-probe explain -",
        _DESCRIBE,
    ),
)
ENDPOINT_POLICY = replace(
    logs.ENDPOINT_POLICY,
    title="the policy of the {endpoints} VPC endpoint refuses {action} to {who}",
    why="AWS says that a VPC endpoint policy denies it. Network, names and TLS are fine.",
    extent=Extent.WHOLLY,
)


class _About(Record, frozen=True):
    """What a subject means. `endpoints` are those that the finding speaks of."""

    fault: Fault
    suspects: Suspects
    endpoints: tuple[str, ...] = ()


_SUBJECTS = {
    Subject.VPCE_HOST: _About(VPCE_HOST, possible(*VPCE_HOST.causes), ("ecr.dkr",)),
    Subject.PROXY: _About(PROXY, settled(*PROXY.causes)),
    Subject.EXECUTION_ROLE: _About(EXECUTION_ROLE, settled(*EXECUTION_ROLE.causes)),
    Subject.LOG_REGION: _About(LOG_REGION, settled(*LOG_REGION.causes), ("logs",)),
    Subject.REFERENCE: _About(BAD_REFERENCE, settled(*BAD_REFERENCE.causes)),
    Subject.ENDPOINT_ZONE: _About(NOT_IN_ZONE, settled(*NOT_IN_ZONE.causes)),
    Subject.PRIVATE_DNS: _About(DOMAIN_CONFLICT, settled(*DOMAIN_CONFLICT.causes)),
    Subject.PLACEMENT: _About(NOT_PLACED, possible(*NOT_PLACED.causes)),
    Subject.DISK: _About(DISK, possible(*DISK.causes)),
    Subject.MEDIA_TYPE: _About(UNREADABLE_IMAGE, possible(*UNREADABLE_IMAGE.causes)),
    Subject.EXEC: _About(EXEC_FORMAT, possible("registry.no-matching-platform", "other")),
    Subject.VOLUME: _About(VOLUME, possible(*VOLUME.causes)),
    Subject.BUILD_IMAGE: _About(BUILD_IMAGE, possible(*BUILD_IMAGE.causes)),
    Subject.SECRET: _About(SECRET_MISSING, possible(*SECRET_MISSING.causes)),
    Subject.TIMEOUT: _About(START_TIMEOUT, possible(*START_TIMEOUT.causes), ("logs",)),
    Subject.ENDED: _About(ENDED, possible(*ENDED.causes)),
    Subject.CUT_SHORT: _About(CUT_SHORT, possible(*CUT_SHORT.causes), ("ecr.api",)),
    Subject.UNRECOGNISED: _About(UNCLASSIFIED, possible(*UNCLASSIFIED.causes)),
    Subject.NOT_DESCRIBED: _About(NOT_DESCRIBED, possible(*NOT_DESCRIBED.causes)),
}
# Endpoints of which a subject speaks, so that a plan has them.
SUBJECT_ENDPOINTS = {subject: about.endpoints for subject, about in _SUBJECTS.items()}

_NO_WAY = (
    "tcp.no-route",
    "tcp.security-group",
    "path.egress-firewall",
    "tcp.no-public-ip",
    "tcp.nat-device",
    "tcp.nacl",
)
_ELSEWHERE = {
    Failure.TIMEOUT: ("does not answer", possible(*_NO_WAY)),
    Failure.UNREACHABLE: ("cannot be routed to", possible(*_NO_WAY)),
    Failure.THROTTLED: ("limits the rate of requests", settled("throttle")),
    Failure.NOT_FOUND: (
        "does not know it",
        possible(
            "registry.repo-not-found", "registry.bad-image-reference", "registry.tag-not-found", "client.old-agent"
        ),
    ),
    Failure.DENIED: (
        "refuses it",
        possible("registry.bad-image-reference", "registry.repo-not-found", "path.egress-firewall", "other"),
    ),
    Failure.UNAUTHENTICATED: ("refuses it", possible("registry.bad-image-reference", "other")),
    Failure.NO_CREDENTIALS: ("asks for a login", possible("registry.bad-image-reference", "other")),
    Failure.NXDOMAIN: ("has no such name", possible("registry.bad-image-reference", "dns.custom-resolver")),
    Failure.NO_PLATFORM: ("has it for other platforms", settled("registry.no-matching-platform")),
    Failure.UNTRUSTED: ("presents a certificate that is not trusted", possible("tls.interception", "tls.ca-bundle")),
    Failure.NO_ANSWER: ("is not looked up: the resolver is silent", possible("dns.resolver-unreachable", *_NO_WAY[:2])),
}
_OTHERWISE = ("fails", possible("path.egress-firewall", "path.mtu", "other"))
_KINDS = {
    ImageHost.PUBLIC_ECR: "It is in ECR Public, another service, which has no VPC endpoint for pulls: the way to it "
    "leads out of the VPC.",
}
_ANY_KIND = "No VPC endpoint of ECR has a part in pulling it: the way to its registry leads out of the VPC."


def subjects(evidence: Evidence) -> Iterator[Finding]:
    """What a text tells of the task, its image or its settings."""
    for step in evidence.failed(Action.START, Action.ENVIRONMENT):
        if evidence.is_text and step.subject in _SUBJECTS:
            about = _SUBJECTS[Subject(step.subject)]
            throttled = step.failure is Failure.THROTTLED
            suspects = settled("throttle") if throttled else about.suspects
            names = about.endpoints or ("task",)
            yield found(about.fault, evidence, evidence.tries(step), endpoints=names, suspects=suspects)


def unanswered(evidence: Evidence) -> Iterator[Finding]:
    """Connections that failed at an address that is not told, or not even that far."""
    for step in evidence.failed(Action.TCP):
        if not isinstance(step.seen, Nothing) or not evidence.is_text:
            continue
        names = (step.endpoint,)
        impact = evidence.impact(names)
        endpoint = evidence.plan.endpoint(step.endpoint)
        if step.failure in REFUSALS:
            yield found(REFUSED, evidence, (step,), endpoints=names, impact=impact)
        elif step.failure is Failure.UNREACHABLE:
            yield found(NO_ROUTE, evidence, (step,), endpoints=names, impact=impact)
        elif endpoint is not None:
            suspects = _of_silence(evidence, endpoint)
            yield found(NO_ANSWER, evidence, (step,), endpoints=names, impact=impact, suspects=suspects)


def _of_silence(evidence: Evidence, endpoint: Endpoint) -> Suspects:
    foreign = ("region.cross-region",) if evidence.is_foreign(endpoint) else ()
    if endpoint.kind is Kind.GATEWAY:
        return possible(*foreign, *network.S3_SILENT.causes)
    if endpoint.name == UNNAMED:
        return possible(*(code for code in NO_ANSWER.causes if code != "dns.private-dns-disabled"))
    fips = ("client.fips-hostname",) if "-fips." in endpoint.host else ()
    legacy = ("client.legacy-hostname",) if endpoint.name == "ecr-legacy" else ()
    return possible(*fips, *legacy, *foreign, missing(endpoint.name), *NO_ANSWER.causes)


def missing_tokens(evidence: Evidence) -> Iterator[Finding]:
    """A registry that was asked without a token."""
    steps = [step for step in evidence.failed(Action.CHALLENGE) if step.failure is Failure.NO_CREDENTIALS]
    if steps:
        dual = any("dkr-ecr." in endpoint.host for endpoint in evidence.plan.endpoints)
        suspects = possible(*NO_TOKEN.causes)
        suspects = suspects.first("client.unrecognised-ecr-host") if dual else suspects
        yield found(NO_TOKEN, evidence, steps, endpoints=("ecr.api", "ecr.dkr"), suspects=suspects)


def other_registries(evidence: Evidence) -> Iterator[Finding]:
    """What fails at a registry that is not private ECR."""
    for step in evidence.measurement.steps:
        if step.endpoint == ELSEWHERE and step.failed and step.failure is not None:
            how, suspects = _ELSEWHERE.get(step.failure, _OTHERWISE)
            public = evidence.plan.image_host is ImageHost.PUBLIC_ECR
            if public and "tcp.no-route" in suspects.codes:
                suspects = suspects.first("registry.ecr-public-no-privatelink")
            elif public and step.failure in (Failure.DENIED, Failure.UNAUTHENTICATED):
                suspects = possible("registry.auth-token-expired", "path.egress-firewall", "other")
            kind = _KINDS.get(evidence.plan.image_host, _ANY_KIND)
            image = (evidence.plan.reference is None and evidence.plan.image) or "no image is named"
            yield found(FOREIGN_REGISTRY, evidence, (step,), suspects=suspects, how=how, kind=kind, image=image)


def refused_requests(evidence: Evidence) -> Iterator[Finding]:
    """Denials beside the pull: of secrets, of the log driver and of other AWS APIs."""
    for step in evidence.failed(Action.REQUEST, Action.LOGS):
        if step.failure is not Failure.DENIED or not evidence.is_text:
            continue
        denial, impact = denial_of(step), evidence.impact((step.endpoint,))
        action = (denial.action if denial else None) or "the request"
        if denial is not None and denial.reason is DenialReason.ENDPOINT:
            yield found(
                ENDPOINT_POLICY, evidence, (step,), impact=impact, suspects=settled("policy.vpce.other"), action=action
            )
            continue
        yield found(
            denials.DENIED,
            evidence,
            (step,),
            impact=impact,
            suspects=denials.suspects_of(evidence, step),
            action=action,
            reason=denials.words_of(denial),
            role=denials.whose(evidence),
        )


FAULTS = (
    NO_ANSWER,
    NO_TOKEN,
    FOREIGN_REGISTRY,
    VPCE_HOST,
    EXECUTION_ROLE,
    BAD_REFERENCE,
    NOT_IN_ZONE,
    DOMAIN_CONFLICT,
    NOT_PLACED,
    DISK,
    UNREADABLE_IMAGE,
    VOLUME,
    BUILD_IMAGE,
    SECRET_MISSING,
    START_TIMEOUT,
    ENDED,
    CUT_SHORT,
    UNCLASSIFIED,
    NOT_DESCRIBED,
)
RULES = (subjects, unanswered, missing_tokens, other_registries, refused_requests)
