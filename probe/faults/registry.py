"""Faults in what AWS answers: denials, things not found, limits, and answers that are not AWS's at all."""

from __future__ import annotations

from dataclasses import replace

from probe.faults.fault import Fault
from probe.model import Extent, Impact

ENDPOINT_POLICY = Fault(
    "policy.vpce.ecr",
    "the policy of the {endpoints} VPC endpoint refuses {action} to {who}",
    "AWS says that a VPC endpoint policy denies it. Network, names and TLS are fine.",
    Impact.PULL,
    ("policy.vpce.ecr",),
)
DENIED = Fault(
    "iam.denied",
    "{who} may not {action}",
    "AWS answered, so the network is fine. {reason} {role}",
    Impact.PROOF,
    ("iam.execution-role", "policy.vpce.ecr"),
)
TOKEN_REJECTED = Fault(
    "registry.token-rejected",
    "the registry does not accept the token that ecr.api has just given",
    "Token and registry answered, so the network is fine; the token is expired, of another region, or was altered on the way.",
    Impact.PROOF,
    ("registry.auth-token-expired", "iam.credentials-rejected", "path.proxy"),
)
REPO_NOT_FOUND = Fault(
    "registry.repo-not-found",
    "the repository {repository} does not exist in account {account}, region {region}",
    "The registry answered 404: network and credentials are fine. {prefix}",
    Impact.PULL,
    ("registry.repo-not-found",),
)
TAG_NOT_FOUND = Fault(
    "registry.tag-not-found",
    "the repository {repository} has no image {version}",
    "The registry answered 404: network, credentials and repository are fine. {prefix}",
    Impact.PULL,
    ("registry.tag-not-found",),
)
THROTTLED = Fault(
    "aws.throttled",
    "AWS limits the rate of requests to {endpoints}",
    "It answered with a rate limit twice. Nothing is broken; many pulls at once reach it.",
    Impact.PROOF,
    ("throttle",),
)
SERVICE_ERROR = Fault(
    "aws.service-error",
    "{endpoints} answered with a server error, twice",
    "The network carried question and answer. {mark}",
    Impact.PROOF,
    ("aws.service-error",),
)
NOT_AWS = Fault(
    "http.not-aws",
    "something between here and AWS answers for {endpoints}",
    "The answer carries no request id and none of AWS's forms: a block page or a proxy's words.",
    Impact.PULL,
    ("path.egress-firewall", "path.proxy"),
)
UNREADABLE = Fault(
    "http.unreadable",
    "the answer of {endpoints} makes no sense",
    "It is not what AWS answers to this request. What makes it so is not known.",
    Impact.PULL,
    ("other", "path.egress-firewall"),
)
BROKEN_TRANSFER = Fault(
    "path.transfer-broken",
    "data from {endpoints} stops coming in the middle",
    "Name, TCP and TLS are fine; the conversation on top of them is cut or stalls. Large packets that get lost, and idle limits of a NAT or firewall, do that.",
    Impact.PULL,
    ("path.transfer-broken", "path.mtu", "path.egress-firewall"),
)
NO_PLATFORM = Fault(
    "registry.no-matching-platform",
    "the image has nothing for {platform}",
    "It offers {offered}. A task of that platform cannot pull it, or cannot run it.",
    Impact.PULL,
    ("registry.no-matching-platform",),
)
OTHER_PLATFORM = replace(
    NO_PLATFORM,
    why="It offers {offered}; {chosen} was pulled in its place to prove the path. --platform says which one the tasks need.",
    extent=Extent.PARTLY,
)
HEAD_REFUSED = Fault(
    "registry.head-refused",
    "the registry refused HEAD for the manifest but answered GET",
    "A HEAD answer has no body, so GET's words count. Clients that ask with HEAD only may stop here.",
    Impact.NONE,
    extent=Extent.NOTED,
)
HOST_FORM = Fault(
    "registry.host-form",
    "the image is named by the {form} host of the registry, {host}",
    "{meaning}",
    Impact.NONE,
    ("client.unrecognised-ecr-host",),
    Extent.NOTED,
)
CROSS_REGION = Fault(
    "region.cross-region",
    "the image is in {region}, the task in {task_region}",
    "Names of the other region answer privately and its layers arrive, so a way is provided. It costs transfer between regions.",
    Impact.NONE,
    extent=Extent.NOTED,
)
