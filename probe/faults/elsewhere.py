"""Faults of images and layers that are not in private ECR, which only error texts show.

A check refuses such an image (`task`) and follows redirects of ECR's own layers (`layers`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from probe.faults import causes, layers
from probe.faults.causes import REGISTER, advice, reads
from probe.faults.evidence import ELSEWHERE, Evidence
from probe.faults.fault import Fault, Suspects, confirmed, finding, finds, possible
from probe.faults.subjects import says
from probe.model import Action, Basis, CertificateSeen, Client, Failure, Finding, ImageHost, Impact, Step
from probe.records import replace

_READ_IMAGE_THERE = reads("docker manifest inspect {image}", note="Run it from a host with internet access.")
_REGISTRY_FAILS = causes.other(
    "the other registry has an outage",
    advice("check the other registry's status page, or copy the image to ECR", "docker pull {image}"),
    _READ_IMAGE_THERE,
)
# The causes that ECR has too; there is no API of AWS for another registry.
_NO_REPOSITORY_THERE = replace(
    causes.REPOSITORY_NOT_FOUND,
    title="the image's name is wrong, or its registry shows it only to accounts that log in",
    fix=advice(
        "correct the image's name, or log in to its registry: in a task definition by repositoryCredentials",
        REGISTER,
    ),
    confirm=_READ_IMAGE_THERE,
)
_NO_TAG_THERE = replace(
    causes.TAG_NOT_FOUND,
    title="the tag or digest was never pushed there, or was removed",
    fix=advice("correct the tag or digest where the image is configured", REGISTER),
    confirm=_READ_IMAGE_THERE,
)
_NO_PLATFORM_THERE = replace(causes.NO_MATCHING_PLATFORM, confirm=_READ_IMAGE_THERE)
_LIMITED_THERE = replace(
    causes.THROTTLE,
    title="the other registry limits the rate of pulls",
    fix=advice(
        "set repositoryCredentials in the task definition to a login with a higher limit, or copy the image to ECR",
        REGISTER,
    ),
    confirm=_READ_IMAGE_THERE,
)
_DAMAGED_THERE = replace(
    causes.LAYER_CORRUPT,
    title="the other registry, or a mirror of it, serves a damaged or incomplete layer",
    fix=advice("pull past the mirror, or use another version of the image", "docker pull {image}"),
    confirm=_READ_IMAGE_THERE,
)
_CUT_THERE = replace(
    causes.TRANSFER_BROKEN,
    title="a mirror, proxy or middlebox on the way cuts, stalls or alters long transfers",
    fix=advice("pull past the mirror or proxy, or exempt the registry's hosts from inspection", "docker pull {image}"),
    confirm=_READ_IMAGE_THERE,
)
_PUBLIC_API_REGION = replace(
    causes.MISCONFIGURED,
    title="the client calls ECR Public in its own region; the API exists only in us-east-1 and us-west-2",
    fix=advice("call the API of ECR Public in us-east-1", "aws ecr-public describe-registries --region us-east-1"),
    confirm=reads("aws configure get region", note="Run get-caller-identity where the client runs."),
)
# AWS[ecr-public-login]
_ECR_PUBLIC_TOKEN = replace(
    causes.TOKEN_EXPIRED,
    title="the client sends an expired login of ECR Public, which needs none",
    fix=advice("remove the expired login of ECR Public from the client", "docker logout public.ecr.aws"),
    confirm=reads(
        "aws ecr-public get-authorization-token --region us-east-1 --query authorizationData.expiresAt",
        note="It shows how long a new token is valid; ECR Public issues tokens only in us-east-1.",
    ),
)
_TOKEN_OF_ECR = replace(
    causes.UNRECOGNISED_HOST,
    title="the client does not know ECR Public, or logs in to it with a token of private ECR",
    fix=advice(
        "log in with a token of ECR Public, or not at all, and update a plugin that logs in by itself",
        "aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin "
        "public.ecr.aws",
    ),
    confirm=_READ_IMAGE_THERE,
)
_READ_CERTIFICATE_THERE = reads(
    "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer -dates",
    note="Run get-caller-identity where the client runs.",
)
_INTERCEPTED_THERE = replace(
    causes.TLS_INTERCEPTION,
    title="a middlebox terminates TLS and presents its own certificate for {host}",
    fix=advice("exempt {host} from TLS inspection, or add the middlebox's authority to the client's trust store"),
    confirm=_READ_CERTIFICATE_THERE,
)
_CA_BUNDLE_THERE = replace(
    causes.CA_BUNDLE,
    title="the client's trust store is too old: it lacks current authorities, or follows one that has expired",
    fix=advice("install newer ca-certificates where the client runs, and restart it"),
    confirm=_READ_CERTIFICATE_THERE,
)
_EXPIRED_THERE = replace(
    causes.CERTIFICATE_EXPIRED,
    title="the host that answers for {host} presents an out-of-date certificate",
    fix=advice("find out which host answers for {host}: a middlebox, or the registry itself", "dig +short {host}"),
    confirm=_READ_CERTIFICATE_THERE,
)
_CLOCK_THERE = replace(
    causes.CLOCK_SKEW,
    title="the clock of the client's host is wrong",
    fix=advice(
        "repair time synchronization on the host",
        "timedatectl set-ntp true",
        note="Amazon's time server is 169.254.169.123; chronyc sources shows which one the host uses.",
    ),
)
FOREIGN_REGISTRY = Fault(
    "registry.elsewhere",
    "the image is not in private ECR, and its registry {how} ({which})",
    "ECR's VPC endpoints are not used to pull it: the path to its registry leads out of the VPC.",
    Impact.PULL,
    (causes.NO_ROUTE, causes.SECURITY_GROUP, causes.EGRESS_FIREWALL, _REGISTRY_FAILS),
    other_causes=(
        causes.ECR_PUBLIC,
        causes.BAD_IMAGE_REFERENCE,
        _NO_REPOSITORY_THERE,
        _NO_TAG_THERE,
        _NO_PLATFORM_THERE,
        _ECR_PUBLIC_TOKEN,
        _TOKEN_OF_ECR,
        _LIMITED_THERE,
        causes.NO_PUBLIC_IP,
        causes.NAT_DEVICE,
        causes.NETWORK_ACL,
        causes.CUSTOM_RESOLVER,
        causes.RESOLVER_UNREACHABLE,
        causes.TLS_INTERCEPTION,
        causes.CA_BUNDLE,
        causes.CERTIFICATE_EXPIRED,
        causes.CLOCK_SKEW,
        causes.PROXY,
        causes.PROXY_NEEDED,
        causes.MISCONFIGURED,
        causes.MTU,
        causes.OLD_AGENT,
        _DAMAGED_THERE,
        _CUT_THERE,
        _PUBLIC_API_REGION,
    ),
    examples=(("how", "does not answer or denies access"), ("which", "IMAGE")),
)
FOREIGN_ECR_PUBLIC = FOREIGN_REGISTRY.variant(
    why="It is in ECR Public, a separate service without a VPC endpoint for pulls: the path to it leads out of the VPC."
)
LAYER_ELSEWHERE = layers.PULL_THROUGH.variant(
    title="a layer of the image is fetched from {host}, which is not ECR's layer bucket",
    why=(
        "The image is in ECR, but this layer is not: a pull-through cache redirects clients upstream until it has "
        "the image, and layers of Windows base images are hosted by their vendor. No VPC endpoint leads there."
    ),
    causes=(causes.PULL_THROUGH, causes.FOREIGN_LAYERS, causes.EGRESS_FIREWALL),
)
_OF_WINDOWS = re.compile(r"(?:^|[.<-])(?:mcr|ms|microsoft)\b")  # only its base images have foreign layers
_NO_PATH = (
    causes.NO_ROUTE,
    causes.SECURITY_GROUP,
    causes.NO_PUBLIC_IP,
    causes.EGRESS_FIREWALL,
    causes.NAT_DEVICE,
    causes.NETWORK_ACL,
)
# Other clients than ECS run where a proxy may be the way out.
_NO_PATH_OF_CLIENT = (causes.NO_ROUTE, causes.PROXY_NEEDED, causes.SECURITY_GROUP, *_NO_PATH[3:])
_PLAIN_HTTP = replace(
    causes.MISCONFIGURED,
    title="the registry serves plain HTTP, and the client is not configured for it",
    fix=advice(
        "serve the registry over TLS, or list it as insecure where the client is configured",
        "systemctl restart docker",
        note="Docker has insecure-registries in /etc/docker/daemon.json, containerd a hosts.toml, other clients a flag "
        "such as --plain-http.",
    ),
    confirm=reads("curl --head http://{host}/v2/", note="Run it where the client runs."),
)
_WELL_KNOWN = re.compile(
    r"(?:^|\.)(?:docker\.(?:io|com)|ghcr\.io|quay\.io|gcr\.io|pkg\.dev|mcr\.microsoft\.com|ecr\.aws)$"
)
# The words of a missing tag, and "not found" behind a tag: for an unknown repository most registries ask for a login.
_OF_A_TAG = re.compile(
    r"manifest[ _]unknown|requested image not found|manifest for \S{1,300} not found|unable to locate any tags"
    r"|/[\w./-]{1,300}:[\w.-]{1,128}\"?: not found",
    re.IGNORECASE,
)
_ELSEWHERE = {
    Failure.TIMEOUT: ("does not answer", possible(*_NO_PATH)),
    Failure.UNREACHABLE: ("is unreachable", possible(causes.NO_ROUTE, causes.EGRESS_FIREWALL, causes.NAT_DEVICE)),
    Failure.THROTTLED: ("throttles requests", confirmed(_LIMITED_THERE)),
    Failure.NOT_FOUND: (
        "does not have it",
        possible(_NO_REPOSITORY_THERE, causes.BAD_IMAGE_REFERENCE, _NO_TAG_THERE, causes.OLD_AGENT),
    ),
    Failure.DENIED: (
        "denies access to it",
        possible(causes.BAD_IMAGE_REFERENCE, _NO_REPOSITORY_THERE, causes.EGRESS_FIREWALL, _REGISTRY_FAILS),
    ),
    Failure.UNAUTHENTICATED: ("denies access to it", possible(causes.BAD_IMAGE_REFERENCE, _REGISTRY_FAILS)),
    Failure.MALFORMED: (
        "answers with an error that the text cuts off",
        possible(_LIMITED_THERE, _NO_TAG_THERE, _NO_REPOSITORY_THERE, causes.BAD_IMAGE_REFERENCE),
    ),
    Failure.NO_CREDENTIALS: ("requires a login", possible(causes.BAD_IMAGE_REFERENCE, _REGISTRY_FAILS)),
    Failure.NXDOMAIN: (
        "does not resolve",
        possible(causes.BAD_IMAGE_REFERENCE, causes.CUSTOM_RESOLVER, causes.RESOLVER_UNREACHABLE),
    ),
    Failure.NO_PLATFORM: ("has it only for other platforms", confirmed(_NO_PLATFORM_THERE)),
    Failure.UNTRUSTED: ("presents an untrusted certificate", possible(_INTERCEPTED_THERE, _CA_BUNDLE_THERE)),
    Failure.WRONG_NAME: (
        "presents a certificate for another host",
        possible(_INTERCEPTED_THERE, causes.EGRESS_FIREWALL, causes.CUSTOM_RESOLVER, causes.BAD_IMAGE_REFERENCE),
    ),
    Failure.EXPIRED: (
        "presents a certificate that is out of date by the client's clock",
        possible(_EXPIRED_THERE, _CLOCK_THERE, _CA_BUNDLE_THERE, _INTERCEPTED_THERE),
    ),
    Failure.NOT_TLS: (
        "answers without TLS",
        possible(_PLAIN_HTTP, causes.PROXY, causes.EGRESS_FIREWALL, causes.BAD_IMAGE_REFERENCE),
    ),
    Failure.NO_ANSWER: (
        "was not resolved: the resolver did not answer",
        possible(causes.RESOLVER_UNREACHABLE, *_NO_PATH[:2]),
    ),
    Failure.SERVFAIL: (
        "was not resolved: the resolver reports an error",
        possible(causes.CUSTOM_RESOLVER, causes.RESOLVER_UNREACHABLE),
    ),
    Failure.REFUSED: ("refuses connections", possible(causes.EGRESS_FIREWALL, causes.PROXY, _REGISTRY_FAILS)),
    Failure.TRUNCATED: (
        "sends a layer of another length than it announced",
        possible(_CUT_THERE, _DAMAGED_THERE, causes.MTU, causes.EGRESS_FIREWALL),
    ),
    Failure.STALLED: (
        "stops in the middle of the transfer",
        possible(_CUT_THERE, causes.MTU, causes.EGRESS_FIREWALL, _REGISTRY_FAILS),
    ),
    Failure.BAD_DIGEST: (
        "sends a layer with another digest than the image names",
        possible(_DAMAGED_THERE, _CUT_THERE, causes.EGRESS_FIREWALL),
    ),
    Failure.SERVER_ERROR: ("answers with a server error", possible(_REGISTRY_FAILS, causes.PROXY)),
}
_NOT_YET_VALID = possible(_CLOCK_THERE, _EXPIRED_THERE, _INTERCEPTED_THERE)
_EXPIRED_ROOT = possible(_CA_BUNDLE_THERE, _EXPIRED_THERE, _INTERCEPTED_THERE, _CLOCK_THERE)
# When the roots expired that old trust stores still follow: DST Root CA X3 and AddTrust External CA Root.
_ENDS_OF_ROOTS = frozenset(
    (datetime(2021, 9, 30, 14, 1, 15, tzinfo=UTC), datetime(2020, 5, 30, 10, 48, 38, tzinfo=UTC))
)
_PUBLIC_API = re.compile(r"api\.ecr-public\.(?!us-east-1\.|us-west-2\.)[a-z0-9-]+\.amazonaws\.com")
_OTHERWISE = ("fails", possible(causes.EGRESS_FIREWALL, causes.MTU, _REGISTRY_FAILS))


@finds(FOREIGN_REGISTRY, FOREIGN_ECR_PUBLIC, basis=Basis.TEXT)
def other_registries(evidence: Evidence) -> Iterator[Finding]:
    """Failures at a registry that is not private ECR."""
    for step in evidence.measurement.steps:
        if step.endpoint == ELSEWHERE and step.failed and step.failure is not None:
            how, suspects = _ELSEWHERE.get(step.failure, _OTHERWISE)
            if step.failure is Failure.EXPIRED and isinstance(step.seen, CertificateSeen):
                if step.seen.not_before is not None:
                    suspects = _NOT_YET_VALID
                elif step.seen.not_after in _ENDS_OF_ROOTS:
                    suspects = _EXPIRED_ROOT
            suspects = _by_client_and_words(evidence, step, suspects)
            public = evidence.plan.image_host is ImageHost.PUBLIC_ECR
            if public and step.action is Action.TCP and causes.NO_ROUTE in suspects.causes:
                suspects = suspects.first(causes.ECR_PUBLIC)
            elif public and step.failure in (Failure.DENIED, Failure.UNAUTHENTICATED):
                suspects = possible(_ECR_PUBLIC_TOKEN, _TOKEN_OF_ECR, causes.EGRESS_FIREWALL, _REGISTRY_FAILS)
            if step.failure is Failure.NXDOMAIN and _PUBLIC_API.fullmatch(step.host or ""):
                suspects = suspects.first(_PUBLIC_API_REGION)
            fault = FOREIGN_ECR_PUBLIC if public else FOREIGN_REGISTRY
            image = evidence.plan.image if evidence.plan.reference is None else None
            which = image or "image not named"
            yield finding(fault, evidence, (step,), suspects=suspects, how=how, image=image, which=which)


def _by_client_and_words(evidence: Evidence, step: Step, suspects: Suspects) -> Suspects:
    """What the client, the host and the words of the answer make likelier."""
    well_known = _WELL_KNOWN.search(step.host or "") is not None
    by_ecs = evidence.client in (Client.ECS, Client.BATCH)
    if step.failure is Failure.TIMEOUT and not by_ecs:
        return possible(*_NO_PATH_OF_CLIENT)
    if step.failure is Failure.NOT_FOUND and says(step, _OF_A_TAG):
        return suspects.first(_NO_TAG_THERE)
    if step.failure is Failure.NOT_TLS and well_known:
        return suspects.first(causes.PROXY, causes.EGRESS_FIREWALL)
    if step.failure is Failure.NXDOMAIN and well_known:
        proxy = () if by_ecs else (causes.PROXY_NEEDED,)
        return possible(causes.CUSTOM_RESOLVER, causes.RESOLVER_UNREACHABLE, *proxy, causes.BAD_IMAGE_REFERENCE)
    return suspects


@finds(LAYER_ELSEWHERE, basis=Basis.TEXT)
def layers_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """Layers that the client fetches from a host that is not AWS's."""
    groups: dict[str | None, list[Step]] = {}
    for step in evidence.failed(Action.BLOB):
        if step.failure is Failure.REDIRECT:
            groups.setdefault(step.redirect.host if step.redirect else None, []).append(step)
    for host, steps in groups.items():
        of_windows = _OF_WINDOWS.search(host or "") is not None
        suspects = LAYER_ELSEWHERE.suspects
        suspects = suspects.first(causes.FOREIGN_LAYERS) if of_windows else suspects
        yield finding(LAYER_ELSEWHERE, evidence, steps, suspects=suspects, host=host or "no host")
