"""Faults of the client's own settings, which only error texts show: region, version, proxy, its own rate limit."""

from __future__ import annotations

import re

from probe.faults import causes, task
from probe.faults.causes import advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, confirmed, possible
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Extent, Failure, Impact, Step
from probe.records import replace

NOT_SENT = Fault(
    "client.not-sent",
    "the client did not send its request, because a setting is missing or invalid",
    "The error comes from the client itself, so network, endpoints and permissions are not involved.",
    Impact.PROOF,
    (causes.MISCONFIGURED, causes.OLD_AGENT),
    other_causes=(causes.FIPS_HOSTNAME,),
)
NOT_UNDERSTOOD = Fault(
    "client.answer-not-understood",
    "ECR answered, but the client cannot use its token for this image host",
    "The request for the token succeeded, so network and permissions work. Older clients do not know every form of "
    "the registry's host name.",
    Impact.PULL,
    (causes.OLD_AGENT, causes.UNRECOGNISED_HOST),
)
# Older versions of Docker and oras do not know the manifests or headers of OCI's registries.
TOO_OLD = NOT_UNDERSTOOD.variant(
    title="the registry answered, and the client is too old to use the answer",
    why="The registry sent the manifest, so network, permissions and the image's name are right.",
    causes=(
        replace(
            causes.OLD_AGENT,
            title="this version of the client does not know the form of the registry's answer",
            fix=advice("update the client", "docker version"),
            confirm=reads("docker version", note="Read the version of the client that reports the error."),
        ),
        causes.EGRESS_FIREWALL,
    ),
)
_ANSWER = re.compile(r"Docker-Content-Digest|missing signature key|acceptedMediaTypes", re.IGNORECASE)
PULL_LIMITED = Fault(
    "client.pull-limited",
    "the client's own rate limit stopped the pull",
    "No request was sent. The client limits how many pulls it starts per second, or how often it retries.",
    Impact.PROOF,
    (causes.PULL_LIMIT,),
    certain=True,
)
PROXY = task.PROXY.variant(
    title="the request went to a proxy and failed there",
    why="The text names the proxy's connection or answer. Requests through a proxy do not use the VPC endpoints.",
    impact=Impact.PULL,
    extent=Extent.WHOLLY,
    certain=True,
)
_PROXY_MALFORMED = replace(
    causes.PROXY,
    title="the address of the proxy in the client's settings is not valid",
    fix=advice(
        "write the proxy's address as http://HOST:PORT, without quotation marks, where HTTPS_PROXY is set",
        "export HTTPS_PROXY=http://HOST:PORT NO_PROXY={no_proxy}",
    ),
)
# The address with a quotation mark, two schemes or no host.
_BAD_PROXY = re.compile(
    r"(?:invalid|check) proxy|proxy: ?unknown scheme|proxy (?:scheme|syntax)|proxy url had|supplied scheme"
    r"|to proxy \S{0,40}(?:%E2%80%9|%22|%27|[\"'”]|://\S{0,40}://)|lookup http: |invalid domain name",
    re.IGNORECASE,
)
_FIPS = re.compile("fips", re.IGNORECASE)
# AWS[agent-settings]
AGENT_SETTINGS = NOT_SENT.variant(
    title="the ECS agent cannot read one of its settings",
    why=(
        "The error comes from the agent's start. It uses the default, so that the host may lack what tasks need, or it "
        "does not start."
    ),
    causes=(
        replace(
            causes.MISCONFIGURED,
            title="a variable of the agent has a value in another form, for example without its quotation marks",
            fix=advice(
                "write the value in the form that the error names, in /etc/ecs/ecs.config; a shell, Docker and systemd "
                "remove quotation marks that are not escaped",
                "systemctl restart ecs",
            ),
            confirm=reads("docker inspect ecs-agent --format {{{{.Config.Env}}}}", note="Run it on the host."),
        ),
        causes.OLD_AGENT,
    ),
)
NO_CLUSTER = NOT_SENT.variant(
    title="the ECS agent cannot register, because the cluster that it names does not exist",
    why="ECS answered, so the network and the credentials work. The cluster is in another region or account, or gone.",
    causes=(
        replace(
            causes.MISCONFIGURED,
            title="ECS_CLUSTER in the agent's settings names no cluster of this region and account",
            fix=advice("correct ECS_CLUSTER in /etc/ecs/ecs.config, and restart the agent", "systemctl restart ecs"),
            confirm=reads("aws ecs list-clusters --region {task_region}"),
        ),
        causes.OLD_AGENT,
    ),
)
# AWS[ecr-public-login]
PUBLIC_REGION = NOT_SENT.variant(
    title="the API of ECR Public was called in a region that does not have it",
    why="AWS answered, so network and credentials work. public.ecr.aws has no region, and its tokens "
    "come from us-east-1.",
    causes=(
        replace(
            causes.MISCONFIGURED,
            title="the client calls the API of ECR Public in its own region",
            fix=advice(
                "get the token of ECR Public in us-east-1", "aws ecr-public get-login-password --region us-east-1"
            ),
        ),
        causes.BAD_HOST,
    ),
)
_CLUSTER = re.compile("Cluster not found", re.IGNORECASE)
_OF_AGENT = re.compile(r"Invalid format for|config: invalid value|Invalid logging drivers|reading cfg|required fields")


def _setting(_evidence: Evidence, step: Step) -> Case | None:
    if says(step, _CLUSTER):
        return Case(NO_CLUSTER)
    if says(step, _OF_AGENT):
        return Case(AGENT_SETTINGS)
    if step.failure is Failure.DENIED:
        return Case(PUBLIC_REGION)
    if says(step, _FIPS):
        return Case(suspects=possible(causes.MISCONFIGURED, causes.FIPS_HOSTNAME, causes.OLD_AGENT))
    return None


# A middlebox on the way answers in the words of a proxy too.
PROXY_STATUS = PROXY.variant(causes=(causes.PROXY, causes.EGRESS_FIREWALL), certain=False)
_BY_STATUS = re.compile(r"https://\S{1,300}: (?:forbidden|restricted network)", re.IGNORECASE)


def _malformed(_evidence: Evidence, step: Step) -> Case | None:
    if says(step, _BY_STATUS):
        return Case(PROXY_STATUS)
    return Case(suspects=confirmed(_PROXY_MALFORMED)) if says(step, _BAD_PROXY) else None


def _old(_evidence: Evidence, step: Step) -> Case | None:
    return Case(TOO_OLD) if says(step, _ANSWER) else None


MEANINGS = {
    Subject.CLIENT_SETTINGS: Meaning(NOT_SENT, variants=(AGENT_SETTINGS, NO_CLUSTER, PUBLIC_REGION), case=_setting),
    Subject.CLIENT_VERSION: Meaning(NOT_UNDERSTOOD, variants=(TOO_OLD,), case=_old),
    Subject.PULL_LIMIT: Meaning(PULL_LIMITED),
    Subject.PROXY: Meaning(PROXY, variants=(PROXY_STATUS,), case=_malformed),
}
