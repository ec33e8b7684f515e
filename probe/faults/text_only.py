"""Faults that only an error text shows: events around the pull, and failures that a text leaves partly open.

A failed step of a text with a `Subject` is looked up in a table. Round trips that failed without a known
address, without a token or at another registry have their own rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum

from probe.faults import answers, causes, layers, logins, logs, network, pulling_services, pushes, registry, task
from probe.faults.causes import (
    DESCRIBE_TASK,
    REGISTER,
    CauseText,
    advice,
    read_task_definition,
    reads,
    service_network,
)
from probe.faults.evidence import ELSEWHERE, REFUSALS, UNNAMED, Evidence
from probe.faults.fault import Fault, Suspects, confirmed, finding, finds, possible
from probe.faults.name_suspects import fips_hostname, malformation
from probe.model import (
    Action,
    Basis,
    CertificateSeen,
    Client,
    DenialReason,
    Endpoint,
    Extent,
    Failure,
    Finding,
    ImageHost,
    Impact,
    Kind,
    Nothing,
    Step,
)
from probe.records import replace


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
    HOST_WITHOUT_PATH = "host-without-path"
    ENDPOINT_ZONE = "endpoint-zone"
    PRIVATE_DNS = "private-dns"
    PLACEMENT = "placement"
    DISK = "disk"
    MEDIA_TYPE = "media-type"
    EXEC = "exec"
    VOLUME = "volume"
    BUILD_IMAGE = "build-image"
    SERVICE_PULL = "service-pull"
    SERVICE_IMAGE = "service-image"
    BUILD_SETTINGS = "build-settings"
    SECRET = "secret"
    TAG_IMMUTABLE = "tag-immutable"
    QUOTA = "quota"
    MANIFEST_REFUSED = "manifest-refused"
    CONTENT_MISSING = "content-missing"
    ACCESS_ROLE = "access-role"
    TIMEOUT = "timeout"
    SLOW_PULL = "slow-pull"
    SLOW_CREATE = "slow-create"
    SLOW_STOP = "slow-stop"
    UNPACK = "unpack"
    RUNTIME = "runtime"
    NETWORK_SETUP = "network-setup"
    ROLE = "role"
    LOGIN_STORE = "login-store"
    ENDPOINT_SERVICE = "endpoint-service"
    CLIENT_SETTINGS = "client-settings"
    CLIENT_VERSION = "client-version"
    HELPER_MISSING = "helper-missing"
    HELPER_FAILED = "helper-failed"
    PROVIDER_FAILED = "provider-failed"
    PROVIDER_UNFIT = "provider-unfit"
    HOST_UNRECOGNISED = "host-unrecognised"
    LOGIN = "login"
    LOGIN_EMPTY = "login-empty"
    LOGIN_COMMAND = "login-command"
    PULL_LIMIT = "pull-limit"
    NO_REASON = "no-reason"
    ENDED = "ended"
    UPSTREAM_RULE = "upstream-rule"
    FIREWALL_LOG = "firewall-log"
    DNS_FIREWALL_LOG = "dns-firewall-log"
    RECOVERED = "recovered"
    CUT_SHORT = "cut-short"
    CUT_ANSWER = "cut-answer"
    UNKNOWN_REASON = "unknown-reason"
    UNRECOGNISED = "unclassified"
    NOT_DESCRIBED = "not-described"


NO_ANSWER = Fault(
    "path.no-answer",
    "{endpoints} did not answer, and the text does not contain the address",
    "The client stopped waiting. The text does not show whether the lookup, the connection or the handshake timed out; "
    "the full text (dial tcp …) or a check from the same subnet does.",
    Impact.PULL,
    (
        causes.NO_ROUTE,
        causes.SECURITY_GROUP,
        causes.PRIVATE_DNS_OFF,
        causes.NETWORK_ACL,
        causes.NO_PUBLIC_IP,
        causes.EGRESS_FIREWALL,
        causes.NAT_DEVICE,
        causes.CUSTOM_RESOLVER,
    ),
    other_causes=(
        *(cause for cause in causes.CAUSES.values() if cause.absence_of or cause is causes.MISSING_OTHER),
        *network.S3_SILENT.causes,
        causes.CROSS_REGION,
        causes.FIPS_HOSTNAME,
        causes.FIPS_HOSTNAME_OF_SERVICE,
        causes.LEGACY_HOSTNAME,
    ),
    examples=(("reason", "A word stands where the host has its region."),),
)
_WRONG_REGION = replace(
    causes.MISCONFIGURED,
    title="the region or the endpoint's address in the client's settings is wrong",
    fix=advice(
        "set the region (AWS_REGION, the profile, or the code that makes the client) to one like eu-west-1",
        "aws configure list",
    ),
)
NO_SUCH_HOST = NO_ANSWER.variant(
    title="{endpoints} is called by a host name that AWS does not have",
    why="{reason} The name cannot resolve, so network, endpoints and permissions are not involved.",
    causes=(_WRONG_REGION, causes.BAD_HOST),
)
NO_ANSWER_UNNAMED = NO_ANSWER.variant(
    title="a host that the text does not name did not answer",
    why="The address is a public one, and the text does not name its host: it can be any service of AWS, or another.",
)
REFUSED = network.REFUSED.variant(title="connections to {endpoints} are refused; the text does not contain the address")
NO_ROUTE = network.NO_ROUTE.variant(
    title="the client has no route to {endpoints}; the text does not contain the address",
    why="The connection failed immediately, before any packet was sent.",
)
NO_TOKEN = Fault(
    "registry.no-token",
    "the request to the registry carried no token",
    "The registry answers, so the network path to it works. The login before it returned no token: ecr.api did not "
    "answer, the role may not call it, or the client logged in under another spelling of the host.",
    Impact.PULL,
    (
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.NO_ROUTE,
        causes.UNRECOGNISED_HOST,
        causes.TOKEN_EXPIRED,
        causes.LEGACY_HOSTNAME,
    ),
    other_causes=(causes.NO_CREDENTIAL_PROVIDER,),
)
# ECS logs in by itself; other clients need a helper, a provider or a login that the user configured.
NO_LOGIN = NO_TOKEN.variant(
    why=(
        "The registry answers, so the network path to it works. The client has no login for this host: no credential "
        "helper or provider is configured for it, or the helper could not fetch a token."
    ),
    causes=(
        causes.NO_CREDENTIAL_PROVIDER,
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.UNRECOGNISED_HOST,
        causes.NO_ROUTE,
        causes.TOKEN_EXPIRED,
        causes.LEGACY_HOSTNAME,
    ),
)
# containerd pulls the sandbox image by itself, without the kubelet's credentials.
NO_LOGIN_OF_SANDBOX = NO_LOGIN.variant(
    title="the container runtime has no token for its sandbox image",
    why=(
        "The registry answers, so the network path to it works. The container runtime pulls its sandbox image by "
        "itself: the node fetches it once with a login that is valid for 12 hours, and after that the image must stay "
        "on the node."
    ),
    causes=(
        replace(
            causes.TOKEN_EXPIRED,
            title="the sandbox image was removed from the node after the login of the boot had expired",
            fix=advice(
                "replace the node, or pull the image again there with a new login; update the node's image, which pins "
                "the sandbox image in newer releases",
                "kubectl get nodes --output wide",
                note="The command shows the versions of the nodes' images and container runtimes.",
            ),
            confirm=reads(
                "journalctl --unit containerd --since '-1 hour'", note="Run it on the node, which removed the image."
            ),
        ),
        causes.NO_CREDENTIAL_PROVIDER,
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.NO_ROUTE,
    ),
)
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
        "correct the image in the task definition, or set repositoryCredentials there to a login of its registry",
        REGISTER,
    ),
    confirm=_READ_IMAGE_THERE,
)
_NO_TAG_THERE = replace(
    causes.TAG_NOT_FOUND,
    title="the tag or digest was never pushed there, or was removed",
    fix=advice("correct the tag or digest in the task definition", REGISTER),
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
    confirm=reads("aws configure get region", note="Run it where the client runs."),
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
VPCE_HOST = Fault(
    "registry.vpce-host",
    "the registry is called by an endpoint's vpce name, where no login works",
    "ECR finds the registry by the account in its host name, and a vpce name contains none.",
    Impact.PULL,
    (causes.VPCE_HOSTNAME, causes.PRIVATE_DNS_OFF),
)
PROXY = task.PROXY.variant(
    title="the request went to a proxy and failed there",
    why="The text names the proxy's connection or answer. Requests through a proxy do not use the VPC endpoints.",
    impact=Impact.PULL,
    extent=Extent.WHOLLY,
    certain=True,
)
_NO_EXECUTION_ROLE = replace(
    causes.EXECUTION_ROLE,
    title="the task definition names no execution role",
    fix=advice("set executionRoleArn in the task definition", REGISTER),
    fix_of_deny=None,
    confirm=read_task_definition("executionRoleArn"),
)
EXECUTION_ROLE = Fault(
    "iam.no-execution-role",
    "the task definition has no execution role, and pulls from ECR need one",
    "ECS refuses the task definition before any request is sent.",
    Impact.START,
    (_NO_EXECUTION_ROLE,),
    certain=True,
)
LOG_REGION = logs.BAD_REGION.variant(
    title="the log driver has no endpoint to call: its awslogs-region is not a region",
    why="The SDK fails before sending anything, so the network is not involved.",
    impact=Impact.START,
)
BAD_REFERENCE = Fault(
    "registry.bad-reference",
    "the image name is not a valid reference",
    "It is refused before any request is sent.",
    Impact.PULL,
    (causes.BAD_IMAGE_REFERENCE,),
    certain=True,
    other_causes=(causes.MISCONFIGURED,),
)
_NO_IMAGE_NAMED = replace(
    causes.MISCONFIGURED,
    title="the client passes an empty or incomplete image name: a variable is not set, or the client has a bug",
    fix=advice("set the image's name in full, with its registry, where the client reads it", REGISTER),
)
_EMPTY_REFERENCE = re.compile(
    r"(?:hostname|object) required|must be specified|cannot be blank|empty image reference|reference \"\"",
    re.IGNORECASE,
)
# Docker and containerd complete a name without a path to one of Docker Hub: docker.io/library/HOST.
HOST_WITHOUT_PATH = BAD_REFERENCE.variant(
    title="the image name is only the registry's host, without a repository",
    why="The client took the host for the name of an image at Docker Hub, so ECR was not asked.",
)
# ECR's helper, asked for a host that does not have ECR's form.
_FOREIGN_HELP = re.compile(r"(?is)\A(?!.*\bdkr[.-]ecr\b).*(?:serverurl|login.{0,200}can only be used with amazon)")
# The address with a quotation mark, two schemes or no host.
_BAD_PROXY = re.compile(
    r"(?:invalid|check) proxy|proxy: ?unknown scheme|proxy (?:scheme|syntax)|proxy url had|supplied scheme"
    r"|to proxy \S{0,40}(?:%E2%80%9|%22|%27|[\"'”]|://\S{0,40}://)|lookup http: |invalid domain name",
    re.IGNORECASE,
)
NOT_IN_ZONE = Fault(
    "endpoint.not-in-zone",
    "the endpoint's service is not offered in the zone of one of its subnets",
    "Creating the endpoint failed. Tasks in that zone can use its interfaces in other zones.",
    Impact.PROOF,
    (causes.ZONE_WITHOUT_INTERFACE,),
    certain=True,
)
DOMAIN_CONFLICT = Fault(
    "dns.conflicting-domain",
    "private DNS for the endpoint was refused: the name already exists in this VPC",
    "Another endpoint of the service, or a private hosted zone with that name, is associated with the VPC.",
    Impact.PROOF,
    (causes.ZONE_CONFLICT,),
    certain=True,
)
NOT_PLACED = Fault(
    "task.not-placed",
    "ECS could not place the task, so it did not try to pull the image",
    "ECS ran out of capacity, addresses or network interfaces, or too many tasks were requested at once. The image and "
    "the endpoints are not involved.",
    Impact.PROOF,
    (
        causes.other(
            "the cluster or the subnets lack capacity or free addresses",
            service_network("subnets=[SUBNET_ID],securityGroups=[GROUP_ID]").to(
                "free capacity or addresses in the subnets, or use other subnets"
            ),
            reads(
                "aws ec2 describe-subnets --region {task_region} "
                '--query "Subnets[].[SubnetId,AvailableIpAddressCount]"',
                "aws ecs describe-services --region {task_region} --cluster {cluster} --services SERVICE "
                '--query "services[].events"',
            ),
        ),
    ),
    other_causes=(causes.THROTTLE,),
)
DISK = Fault(
    "task.disk-full",
    "the disk is full where the image is unpacked",
    "The layers arrived, so the network works.",
    Impact.START,
    (causes.DISK_FULL,),
    certain=True,
)
UNREADABLE_IMAGE = Fault(
    "registry.unreadable-image",
    "the container runtime cannot unpack the content that the image reference points to",
    "All bytes arrived. They are not an image of a format that this runtime supports: for example an attestation that "
    "was pushed as an image, a chart, or an image in the old format (schema 1).",
    Impact.PULL,
    (causes.NOT_AN_IMAGE,),
    other_causes=(causes.OLD_AGENT, causes.LAYER_CORRUPT),
)
EXEC_FORMAT = registry.NO_PLATFORM.variant(
    title="the image was pulled, but its program is built for another platform",
    why="The pull works. A script without an interpreter in its first line fails with the same message.",
    impact=Impact.START,
    certain=False,
    causes=(
        causes.NO_MATCHING_PLATFORM,
        causes.other(
            "the entry point is a script without an interpreter line",
            advice("begin the script with #!/bin/sh, then build and push the image again"),
            read_task_definition("[runtimePlatform,containerDefinitions[].entryPoint]"),
        ),
    ),
)
VOLUME = Fault(
    "task.volume",
    "a volume of the task could not be mounted",
    "ECS mounts EFS before the container starts; the image is not involved.",
    Impact.START,
    (
        causes.other(
            "the file system is unreachable on port 2049, its name does not resolve, or its policy denies the mount",
            advice(
                "allow TCP 2049 from the task's security group",
                "aws ec2 authorize-security-group-ingress --region {task_region} --group-id GROUP_ID "
                "{from_subnet:tcp/2049}",
            ),
            reads("aws efs describe-mount-targets --region {task_region} --file-system-id FILE_SYSTEM_ID"),
        ),
    ),
)
BUILD_IMAGE = Fault(
    "codebuild.build-image",
    "CodeBuild could not pull the build image; it pulls outside your VPC",
    "The endpoints of the VPC are not involved. The image must be in the project's region, and its repository must "
    "allow codebuild.amazonaws.com or the project's role.",
    Impact.PROOF,
    (causes.PULL_OUTSIDE_VPC, causes.CROSS_REGION, causes.REPOSITORY_POLICY),
)
SERVICE_PULL = Fault(
    "service.image-denied",
    "a service of AWS may not pull the image, or the image does not exist",
    "Lambda and SageMaker pull outside your VPC, so its endpoints are not involved. The repository must allow the "
    "service, and exist in the same region.",
    Impact.PULL,
    (causes.REPOSITORY_POLICY, causes.REPOSITORY_NOT_FOUND, causes.EXECUTION_ROLE, causes.PULL_OUTSIDE_VPC),
)
SECRET_MISSING = Fault(
    "task.secret-missing",
    "a secret or parameter of the task does not exist, or lacks the key that the task uses",
    "The service answered, so the network works.",
    Impact.START,
    (
        causes.other(
            "the secret's name, region or key is wrong, or the secret was deleted",
            advice("correct the secret's reference in the task definition", REGISTER),
            read_task_definition("containerDefinitions[].secrets"),
        ),
    ),
)
START_TIMEOUT = Fault(
    "task.start-timeout",
    "the container did not start in time",
    "The image was pulled. A slow start is usually the log driver waiting for CloudWatch Logs.",
    Impact.START,
    (
        causes.MISSING_LOGS,
        causes.SECURITY_GROUP,
        causes.VPC_ATTRIBUTES_OFF,
        causes.other(
            "the host is too busy, or the image is too large to start in time",
            advice("give the task more CPU, or a longer start timeout, in the task definition", REGISTER),
            reads(DESCRIBE_TASK),
        ),
    ),
)
SLOW_PULL = Fault(
    "task.slow-pull",
    "the image was not pulled in time",
    "The text does not name the request that was slow. The registry was reached, or the pull would have failed earlier "
    "with an error of its own.",
    Impact.PULL,
    (causes.TRANSFER_BROKEN, causes.SLOW_RUNTIME, causes.MISSING_S3, causes.MTU),
)
SLOW_CREATE = START_TIMEOUT.variant(
    title="the container runtime did not create the container in time",
    why="The image was pulled. Creating a container needs the host's disk and CPU, and no network.",
    causes=(causes.SLOW_RUNTIME, causes.DISK_FULL),
)
SLOW_STOP = START_TIMEOUT.variant(
    title="the container runtime did not stop or remove the container in time",
    why="The container had started, so this is not a failure of its start.",
    impact=Impact.PROOF,
    causes=(causes.SLOW_RUNTIME,),
)
NOT_UNPACKED = Fault(
    "task.unpack",
    "the host could not unpack a layer",
    "The layer arrived, so network and permissions work. The error is one of the host's disk, memory or system.",
    Impact.START,
    (causes.UNPACK, causes.LAYER_CORRUPT, causes.DISK_FULL),
)
NOT_UNPACKED_ON_WINDOWS = NOT_UNPACKED.variant(
    why=(
        "The layer arrived, so network and permissions work. A Windows host unpacks only images whose base has the "
        "host's version."
    ),
    causes=(causes.UNPACK, causes.NO_MATCHING_PLATFORM, causes.DISK_FULL),
)
_BY_LAMBDA = re.compile(r"(?i)layer media type|ImageLayerFailure")
_MASKED_ECR_IMAGE = re.compile(r"(?i)source image \S{0,200}dkr[.-]ecr\b")
# Docker's first request to a registry. Where Docker pulls for a task, the token came by another path, so that this
# request is the first one that needs the subnet's way out.
_PING = re.compile(r"dkr[.-]ecr\S{1,80}/v2/\"?: ")
_SANDBOX_OF_EKS = re.compile(r"sandbox image .{0,200}/pause\b")
_NOT_BY_ECS = re.compile(
    r"WebIdentity|OIDC|OpenIDConnect|\bsts:|[Pp]rincipal '?(?!ecs)[a-z]|audience|identity provider|thumbprint|\bID[Pp]"
    r"|ID_TOKEN|id-token|DurationSeconds|Request ARN|identity token|IAM [Rr]ole"
)
_TASKS = (Client.ECS, Client.BATCH)
_ON_WINDOWS = re.compile(r"hcsshim|windowsfilter|[A-Z]:\\|Win32|system (?:cannot find|resources exist)")
RUNTIME_DOWN = Fault(
    "task.runtime-down",
    "the container runtime of the host does not answer",
    "The error is one of a socket on the host. No request left the host.",
    Impact.START,
    (causes.SLOW_RUNTIME, causes.DISK_FULL),
)
NETWORK_SETUP = Fault(
    "task.network-setup",
    "the network of the task could not be set up on its host",
    "This happens on the host, before the image is pulled. Endpoints and permissions of the pull are not involved.",
    Impact.START,
    (
        causes.other(
            "the network plugin of the host failed",
            advice(
                "update the host's agent and network plugin, and replace the host",
                "aws ecs update-container-instances-state --region {task_region} --cluster {cluster} "
                "--container-instances INSTANCE --status DRAINING",
            ),
            reads("journalctl --since '-1 hour'", note="Run it on the host."),
        ),
        causes.SLOW_RUNTIME,
    ),
)
ROLE_NOT_ASSUMED = Fault(
    "iam.role-not-assumed",
    "ECS could not assume a role of the task",
    "ECS needs the role before it starts the task, so the image was not requested.",
    Impact.START,
    (causes.TRUST_POLICY,),
)
UNKNOWN_SERVICE = Fault(
    "endpoint.unknown-service",
    "the endpoint was not created: its service name does not exist here",
    "EC2 refused to create the endpoint. Names differ between partitions and regions.",
    Impact.PROOF,
    (causes.SERVICE_NAME,),
    certain=True,
)
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
NO_HELPER = Fault(
    "credentials.no-helper",
    "the credential helper for ECR is not installed where the client looks for it",
    "The client could not start it, so it sent no request for a token.",
    Impact.PULL,
    (causes.NO_CREDENTIAL_PROVIDER,),
    certain=True,
)
HELPER_FAILED = Fault(
    "credentials.helper-failed",
    "the credential helper returned no token",
    "The text does not contain the helper's own error. It needs credentials of AWS and a path to ecr.api.",
    Impact.PULL,
    (
        causes.NO_CREDENTIALS,
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.NO_CREDENTIAL_PROVIDER,
        causes.NO_ROUTE,
    ),
)
HELPER_SILENT = HELPER_FAILED.variant(
    why="The client stopped waiting for it. The helper waited for credentials of AWS or for ecr.api.",
    causes=(
        causes.NO_CREDENTIALS,
        causes.MISSING_ECR_API,
        causes.NO_ROUTE,
        causes.IMDS_HOP_LIMIT,
        causes.SECURITY_GROUP,
        causes.PROXY,
    ),
)
_STORE_CLOSED = replace(
    causes.MISCONFIGURED,
    title="the client keeps logins in a store (credsStore) that is locked, missing or cannot be written here",
    fix=advice(
        "remove credsStore from ~/.docker/config.json, so that logins are kept in this file, or unlock the store; with "
        "ECR's own helper leave out docker login, because the helper stores nothing",
        "docker logout {registry}",
        note="A session without a screen, such as a CI job or SSH, cannot unlock a keychain.",
    ),
    confirm=reads("docker-credential-ecr-login version", note="Read credsStore and credHelpers in config.json."),
)
LOGIN_STORE = Fault(
    "credentials.login-store",
    "the client cannot use the store in which it keeps logins",
    "The error is one of the store on the client's host: a keychain, pass, or a helper that stores nothing. Network "
    "and permissions are not involved, and the login itself may have succeeded.",
    Impact.PULL,
    (_STORE_CLOSED, causes.NO_CREDENTIAL_PROVIDER),
)
_PROXY_MALFORMED = replace(
    causes.PROXY,
    title="the address of the proxy in the client's settings is not valid",
    fix=advice(
        "write the proxy's address as http://HOST:PORT, without quotation marks, where HTTPS_PROXY is set",
        "export HTTPS_PROXY=http://HOST:PORT NO_PROXY={no_proxy}",
    ),
)
PULL_LIMITED = Fault(
    "client.pull-limited",
    "the client's own rate limit stopped the pull",
    "No request was sent. The client limits how many pulls it starts per second, or how often it retries.",
    Impact.PROOF,
    (causes.PULL_LIMIT,),
    certain=True,
)
NO_REASON = Fault(
    "text.no-reason",
    "the text reports that tasks do not start, but not why",
    "A deployment reports only its own state. The reason is in the tasks that it stopped.",
    Impact.PROOF,
    (
        causes.other(
            "the reason of the stopped tasks shows the cause",
            advice(
                "read the reasons of the stopped tasks, and pass them to ecr-probe",
                "aws ecs list-tasks --region {task_region} --cluster {cluster} --service-name {task_service} "
                "--desired-status STOPPED",
                "ecr-probe explain --task TASK_ARN",
                note="ECS keeps stopped tasks for about an hour.",
            ),
            reads(
                "aws ecs describe-services --region {task_region} --cluster {cluster} --services {task_service} "
                '--query "services[].events[:10].message"'
            ),
        ),
    ),
)
ENDED = Fault(
    "task.ended",
    "the task started, so this is not a start failure",
    "A container that ran already had its image, so neither the pull nor the endpoints failed.",
    Impact.PROOF,
    (
        causes.other(
            "the program ended, its health checks failed, or the task was stopped on request",
            advice(
                "read the container's logs",
                "aws logs filter-log-events --region {task_region} --log-group-name LOG_GROUP --limit 100",
            ),
            reads(DESCRIBE_TASK),
        ),
    ),
)
ACCESS_ROLE = Fault(
    "iam.access-role",
    "App Runner cannot use the access role of the service",
    "It refuses the role before it pulls the image, so ECR was not asked.",
    Impact.PULL,
    (causes.TRUST_POLICY, causes.EXECUTION_ROLE),
)
UPSTREAM_RULE = Fault(
    "registry.upstream-rule-refused",
    "ECR refuses the rule of a pull-through cache",
    "ECR's API answered, so the network works. A rule for an upstream registry that requires a login needs a secret.",
    Impact.PROOF,
    (
        causes.UPSTREAM_REFUSED.variant(
            title="the rule names no secret for its upstream registry, or one that ECR cannot read",
            fix=advice(
                "store the upstream registry's login in a secret, and name it in the rule",
                "aws ecr create-pull-through-cache-rule --region {region} --ecr-repository-prefix PREFIX "
                "--upstream-registry-url UPSTREAM_HOST --credential-arn SECRET_ARN",
            ),
            confirm=reads("aws ecr describe-pull-through-cache-rules --region {region} --registry-id {account}"),
        ),
    ),
)
FIREWALL_LOG = Fault(
    "path.firewall-log",
    "a firewall's log shows that it blocks a connection to {host}",
    "The log names the host and the action, so the firewall is on the way to it.",
    Impact.PROOF,
    (causes.EGRESS_FIREWALL,),
    certain=True,
)
DNS_FIREWALL_LOG = Fault(
    "dns.firewall-log",
    "a query log shows that a DNS firewall blocks {host}",
    "The log names the host and the action, so the rule applies to this name.",
    Impact.PROOF,
    (causes.DNS_FIREWALL,),
    certain=True,
)
RECOVERED = Fault(
    "task.recovered",
    "a later pull or start succeeded, so this failure is over",
    "The events were compared by their times. The text reports a success after the last failure, so what caused the "
    "failure was corrected, or it does not last.",
    Impact.PROOF,
    (
        causes.other(
            "the cause was removed, or it comes and goes",
            advice("if the failure returns, pass only the lines of that failure", "ecr-probe explain -"),
            reads(DESCRIBE_TASK),
        ),
    ),
)
CUT_SHORT = Fault(
    "text.cut-short",
    "the text ends before the reason",
    "Its headline is the same for failures of network, DNS and permissions; only the end of the text distinguishes "
    "them. ecr-probe explain --task TASK_ARN reads the full text from ECS.",
    Impact.PROOF,
    (causes.NO_ROUTE, causes.MISSING_ECR_API, causes.EXECUTION_ROLE, causes.NO_PUBLIC_IP, causes.SECURITY_GROUP),
    other_causes=(
        *(cause for cause in causes.CAUSES.values() if cause.absence_of or cause is causes.MISSING_OTHER),
        causes.S3_ROUTE_TABLE,
        causes.SECURITY_GROUP_S3_EGRESS,
        causes.S3_ENDPOINT_POLICY,
        causes.TAG_NOT_FOUND,
        causes.LOG_GROUP_MISSING,
        causes.THROTTLE,
    ),
    examples=(("request", "request to an endpoint"),),
)
CUT_SHORT_AT = CUT_SHORT.variant(
    title="the text ends before the reason why the {request} failed",
    why=(
        "Its headline names the {request}. Only the end of the text distinguishes network, DNS and permissions; "
        "ecr-probe explain --task TASK_ARN reads the full text from ECS."
    ),
)
CUT_ANSWER = CUT_SHORT.variant(
    title="the text ends before the status that {endpoints} answered",
    why="The server answered with an error, so the network works. The status, which the text lacks, shows the cause.",
    causes=(causes.EXECUTION_ROLE, causes.TAG_NOT_FOUND, causes.ECR_ENDPOINT_POLICY),
)
UNCLASSIFIED = Fault(
    "text.unclassified",
    "ecr-probe does not recognize this error text",
    "It may be the error of something other than the start of a task. A check from the task's subnet does not depend "
    "on an error text.",
    Impact.PROOF,
    (
        causes.other(
            "unknown: the text matches no known error",
            advice("run ecr-probe check where the task runs, or read the full reason", DESCRIBE_TASK),
            reads(DESCRIBE_TASK),
        ),
    ),
    examples=(("request", "request to an endpoint"),),
)
UNKNOWN_REASON = UNCLASSIFIED.variant(
    title="the {request} failed for a reason that ecr-probe does not know",
    why="The headline of the text names the {request}; its last clause matches no known error.",
)
NOT_DESCRIBED = Fault(
    "task.not-described",
    "AWS did not answer, so the reason for the stop is unknown",
    "The call to ECS came from the machine that runs ecr-probe explain, so it shows nothing about the task's network.",
    Impact.PROOF,
    (
        causes.other(
            "AWS's API is unreachable from here, or fails",
            advice("run ecr-probe explain again later, or paste the reason from the console", "ecr-probe explain -"),
            reads(DESCRIBE_TASK),
        ),
    ),
    other_causes=(causes.THROTTLE,),
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
ENDPOINT_POLICY = logs.ENDPOINT_POLICY.variant(
    title="the policy of the {endpoint} VPC endpoint denies {action} to {who}",
    why="AWS answered that a VPC endpoint policy denies this request. Network, names and TLS work.",
    causes=(causes.OTHER_ENDPOINT_POLICY,),
    extent=Extent.WHOLLY,
)


_SUBJECTS = {
    Subject.VPCE_HOST: VPCE_HOST,
    Subject.PROXY: PROXY,
    Subject.EXECUTION_ROLE: EXECUTION_ROLE,
    Subject.LOG_REGION: LOG_REGION,
    Subject.REFERENCE: BAD_REFERENCE,
    Subject.HOST_WITHOUT_PATH: HOST_WITHOUT_PATH,
    Subject.ENDPOINT_ZONE: NOT_IN_ZONE,
    Subject.PRIVATE_DNS: DOMAIN_CONFLICT,
    Subject.PLACEMENT: NOT_PLACED,
    Subject.DISK: DISK,
    Subject.MEDIA_TYPE: UNREADABLE_IMAGE,
    Subject.EXEC: EXEC_FORMAT,
    Subject.VOLUME: VOLUME,
    Subject.BUILD_IMAGE: BUILD_IMAGE,
    Subject.SERVICE_PULL: SERVICE_PULL,
    Subject.SERVICE_IMAGE: pulling_services.IMAGE_INVALID,
    Subject.BUILD_SETTINGS: pulling_services.BUILD_SETTINGS,
    Subject.SECRET: SECRET_MISSING,
    Subject.TAG_IMMUTABLE: pushes.TAG_IMMUTABLE,
    Subject.QUOTA: pushes.QUOTA,
    Subject.MANIFEST_REFUSED: pushes.MANIFEST_REFUSED,
    Subject.CONTENT_MISSING: pushes.CONTENT_MISSING,
    Subject.ACCESS_ROLE: ACCESS_ROLE,
    Subject.TIMEOUT: START_TIMEOUT,
    Subject.SLOW_PULL: SLOW_PULL,
    Subject.SLOW_CREATE: SLOW_CREATE,
    Subject.SLOW_STOP: SLOW_STOP,
    Subject.UNPACK: NOT_UNPACKED,
    Subject.RUNTIME: RUNTIME_DOWN,
    Subject.NETWORK_SETUP: NETWORK_SETUP,
    Subject.ROLE: ROLE_NOT_ASSUMED,
    Subject.LOGIN_STORE: LOGIN_STORE,
    Subject.ENDPOINT_SERVICE: UNKNOWN_SERVICE,
    Subject.CLIENT_SETTINGS: NOT_SENT,
    Subject.CLIENT_VERSION: NOT_UNDERSTOOD,
    Subject.HELPER_MISSING: NO_HELPER,
    Subject.HELPER_FAILED: HELPER_FAILED,
    Subject.PROVIDER_FAILED: logins.PROVIDER_FAILED,
    Subject.PROVIDER_UNFIT: logins.PROVIDER_UNFIT,
    Subject.HOST_UNRECOGNISED: logins.HOST_UNRECOGNISED,
    Subject.LOGIN: logins.LOGIN_MALFORMED,
    Subject.LOGIN_EMPTY: logins.LOGIN_EMPTY,
    Subject.LOGIN_COMMAND: logins.LOGIN_COMMAND,
    Subject.PULL_LIMIT: PULL_LIMITED,
    Subject.NO_REASON: NO_REASON,
    Subject.ENDED: ENDED,
    Subject.UPSTREAM_RULE: UPSTREAM_RULE,
    Subject.FIREWALL_LOG: FIREWALL_LOG,
    Subject.DNS_FIREWALL_LOG: DNS_FIREWALL_LOG,
    Subject.RECOVERED: RECOVERED,
    Subject.CUT_SHORT: CUT_SHORT,
    Subject.CUT_ANSWER: CUT_ANSWER,
    Subject.UNKNOWN_REASON: UNKNOWN_REASON,
    Subject.UNRECOGNISED: UNCLASSIFIED,
    Subject.NOT_DESCRIBED: NOT_DESCRIBED,
}
# The endpoints that the finding of a subject is about, so that the plan contains them.
SUBJECT_ENDPOINTS: Mapping[Subject, tuple[str, ...]] = {
    Subject.VPCE_HOST: ("ecr.dkr",),
    Subject.LOGIN: ("ecr.dkr",),
    Subject.TAG_IMMUTABLE: ("ecr.dkr",),
    Subject.QUOTA: ("ecr.dkr",),
    Subject.MANIFEST_REFUSED: ("ecr.dkr",),
    Subject.CONTENT_MISSING: ("ecr.dkr",),
    Subject.LOG_REGION: ("logs",),
    Subject.TIMEOUT: ("logs",),
}
_LOGS_OF_FILTERS = (Subject.FIREWALL_LOG, Subject.DNS_FIREWALL_LOG)
_LOGGED_HOST = re.compile(r'"(?:sni|hostname|query_name)":\s?"(?P<host>[\w.-]{1,255}?)\.?"')
_OF_A_REQUEST = (Subject.CUT_SHORT, Subject.CUT_ANSWER, Subject.UNKNOWN_REASON)
_REQUESTS = {
    "ecr.api": "request for the registry's token",
    "ecr.dkr": "request for the image's manifest",
    "s3": "download of layers",
    "logs": "request to CloudWatch Logs",
    "secretsmanager": "request for a secret",
    "ssm": "request for a parameter",
}
_OTHER_REGISTRY = (causes.NO_ROUTE, causes.THROTTLE, causes.SECURITY_GROUP, causes.NO_PUBLIC_IP, causes.EXECUTION_ROLE)

_NO_PATH = (
    causes.NO_ROUTE,
    causes.SECURITY_GROUP,
    causes.EGRESS_FIREWALL,
    causes.NO_PUBLIC_IP,
    causes.NAT_DEVICE,
    causes.NETWORK_ACL,
)
_READ_CERTIFICATE_THERE = reads(
    "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer -dates",
    note="Run it where the client runs.",
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
_ELSEWHERE = {
    Failure.TIMEOUT: ("does not answer", possible(*_NO_PATH)),
    Failure.UNREACHABLE: ("is unreachable", possible(*_NO_PATH)),
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
    Failure.NXDOMAIN: ("does not resolve", possible(causes.BAD_IMAGE_REFERENCE, causes.CUSTOM_RESOLVER)),
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
        possible(causes.PROXY, causes.EGRESS_FIREWALL, causes.BAD_IMAGE_REFERENCE),
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


@finds(
    *_SUBJECTS.values(),
    SLOW_CREATE,
    SLOW_STOP,
    HELPER_SILENT,
    NOT_UNPACKED_ON_WINDOWS,
    CUT_SHORT_AT,
    pushes.QUOTA_OF_PUBLIC,
    logins.LOGIN_OF_OTHER_REGION,
    pulling_services.IMAGE_OF_ECR_INVALID,
    pulling_services.IMAGE_MISSING,
    pulling_services.FORMAT_REFUSED,
    pulling_services.ROLE_REFUSED,
    logins.HELPER_OF_ALL,
    basis=Basis.TEXT,
)
def subjects(evidence: Evidence) -> Iterator[Finding]:
    """Failures of the task, its image or its settings, and headlines without a reason."""
    for step in evidence.failed(Action.START, Action.ENVIRONMENT):
        if step.subject not in _SUBJECTS:
            continue
        subject = Subject(step.subject)
        if subject in _OF_A_REQUEST:
            yield _without_reason(evidence, step, subject)
            continue
        fault, suspects = _SUBJECTS[subject], None
        if subject is Subject.HELPER_FAILED and step.failure is Failure.TIMEOUT:
            fault = HELPER_SILENT
        elif subject is Subject.LOGIN and any(map(evidence.is_foreign, evidence.plan.endpoints)):
            fault = logins.LOGIN_OF_OTHER_REGION
        elif subject is Subject.SERVICE_IMAGE:
            fault = _fault_of_service_image(evidence, step)
        elif subject is Subject.MEDIA_TYPE and _BY_LAMBDA.search(step.detail or ""):
            fault = pulling_services.FORMAT_REFUSED
        elif subject is Subject.ROLE and (evidence.client not in _TASKS or _NOT_BY_ECS.search(step.detail or "")):
            fault, suspects = pulling_services.ROLE_REFUSED, _suspects_without_role(step)
        elif subject is Subject.UNPACK and _ON_WINDOWS.search(step.detail or ""):
            fault = NOT_UNPACKED_ON_WINDOWS
        elif step.failure is Failure.THROTTLED and subject is not Subject.PULL_LIMIT:
            suspects = confirmed(causes.THROTTLE)
        elif subject is Subject.CLIENT_SETTINGS and "fips" in (step.detail or "").lower():
            suspects = possible(causes.MISCONFIGURED, causes.FIPS_HOSTNAME, causes.OLD_AGENT)
        elif subject is Subject.HOST_UNRECOGNISED and _FOREIGN_HELP.search(step.detail or ""):
            fault = logins.HELPER_OF_ALL
        elif subject in _LOGS_OF_FILTERS and (logged := _LOGGED_HOST.search(step.detail or "")):
            names, host = SUBJECT_ENDPOINTS.get(subject, ("task",)), logged["host"]
            yield finding(fault, evidence, evidence.tries(step), endpoints=names, host=host, hosts=(host,))
            continue
        elif subject is Subject.PROXY and _BAD_PROXY.search(step.detail or ""):
            suspects = confirmed(_PROXY_MALFORMED)
        elif subject is Subject.QUOTA and evidence.plan.image_host is ImageHost.PUBLIC_ECR:
            fault = pushes.QUOTA_OF_PUBLIC
        elif subject is Subject.REFERENCE and _EMPTY_REFERENCE.search(step.detail or ""):
            suspects = possible(_NO_IMAGE_NAMED, causes.BAD_IMAGE_REFERENCE)
        elif subject is Subject.MEDIA_TYPE and "verification failed" in (step.detail or ""):
            # An agent with this error asked by tag and digest for an image in the old format.
            suspects = possible(causes.OLD_AGENT, causes.NOT_AN_IMAGE, causes.LAYER_CORRUPT)
        names = SUBJECT_ENDPOINTS.get(subject, ("task",))
        yield finding(fault, evidence, evidence.tries(step), endpoints=names, suspects=suspects)


def _fault_of_service_image(evidence: Evidence, step: Step) -> Fault:
    if step.failure is Failure.NOT_FOUND:
        return pulling_services.IMAGE_MISSING
    of_ecr = evidence.plan.reference is not None or _MASKED_ECR_IMAGE.search(step.detail or "")
    return pulling_services.IMAGE_OF_ECR_INVALID if of_ecr else pulling_services.IMAGE_INVALID


def _suspects_without_role(step: Step) -> Suspects | None:
    """Why a program of the user got no credentials of a role; None for the usual causes."""
    if step.failure is Failure.MALFORMED:
        return possible(pulling_services.BAD_ROLE_REQUEST, *pulling_services.ROLE_REFUSED.causes)
    usual = pulling_services.ROLE_REFUSED.suspects
    return usual.first(pulling_services.MAY_NOT_ASSUME) if "no identity-based policy" in (step.detail or "") else None


def _without_reason(evidence: Evidence, step: Step, subject: Subject) -> Finding:
    """A headline whose reason is missing or unknown, with what its request can fail from."""
    fault, suspects = _SUBJECTS[subject], None
    request = _REQUESTS.get(step.endpoint, f"request to {step.endpoint}")
    if step.endpoint == "task":
        request = "start of the task"
        if subject is Subject.CUT_SHORT and evidence.plan.image_host in (ImageHost.OTHER, ImageHost.PUBLIC_ECR):
            suspects = possible(*_OTHER_REGISTRY) if evidence.plan.image else None
    elif subject is Subject.CUT_SHORT:
        fault, suspects = CUT_SHORT_AT, possible(*_usual_causes(step.endpoint))
    return finding(fault, evidence, (step,), endpoints=(step.endpoint,), suspects=suspects, request=request)


def _usual_causes(endpoint: str) -> tuple[CauseText, ...]:
    """Why a request to this endpoint fails most often."""
    absent = causes.missing(endpoint)
    match endpoint:
        case "ecr.api":
            return CUT_SHORT.causes
        case "ecr.dkr":
            return absent, causes.NO_ROUTE, causes.TAG_NOT_FOUND, causes.EXECUTION_ROLE, causes.SECURITY_GROUP
        case "s3":
            return (*network.S3_SILENT.causes[:3], causes.S3_ENDPOINT_POLICY, causes.NO_ROUTE)
        case "logs":
            return absent, causes.LOG_GROUP_MISSING, causes.EXECUTION_ROLE, causes.SECURITY_GROUP
    return absent, causes.NO_ROUTE, causes.SECURITY_GROUP, causes.EXECUTION_ROLE


@finds(REFUSED, NO_ROUTE, NO_ANSWER, NO_ANSWER_UNNAMED, NO_SUCH_HOST, basis=Basis.TEXT)
def unanswered(evidence: Evidence) -> Iterator[Finding]:
    """Connections, or earlier steps, that failed at an address that the text does not contain."""
    for step in evidence.failed(Action.TCP):
        if not isinstance(step.seen, Nothing):
            continue
        names = (step.endpoint,)
        impact = evidence.impact(names)
        endpoint = evidence.plan.endpoint(step.endpoint)
        if step.failure in REFUSALS:
            yield finding(REFUSED, evidence, (step,), endpoints=names, impact=impact)
        elif step.failure is Failure.UNREACHABLE:
            is_gateway = endpoint is not None and endpoint.kind is Kind.GATEWAY
            suspects = possible(causes.MISSING_S3, causes.S3_ROUTE_TABLE, causes.NO_ROUTE) if is_gateway else None
            yield finding(NO_ROUTE, evidence, (step,), endpoints=names, impact=impact, suspects=suspects)
        elif endpoint is not None and (reason := malformation(evidence, endpoint)) is not None:
            yield finding(NO_SUCH_HOST, evidence, (step,), endpoints=names, impact=impact, reason=reason)
        elif endpoint is not None:
            suspects = _suspects_without_answer(evidence, endpoint)
            if evidence.client is Client.ECS and _PING.search(step.detail or ""):
                suspects = suspects.first(causes.NO_ROUTE, causes.NO_PUBLIC_IP)
            fault = NO_ANSWER_UNNAMED if endpoint.name == UNNAMED and step.subject else NO_ANSWER
            yield finding(fault, evidence, (step,), endpoints=names, impact=impact, suspects=suspects)


def _suspects_without_answer(evidence: Evidence, endpoint: Endpoint) -> Suspects:
    foreign = (causes.CROSS_REGION,) if evidence.is_foreign(endpoint) else ()
    if endpoint.kind is Kind.GATEWAY:
        return possible(*foreign, *network.S3_SILENT.causes)
    if endpoint.name == UNNAMED:
        named_only = (causes.PRIVATE_DNS_OFF, causes.CUSTOM_RESOLVER)
        return possible(*(cause for cause in NO_ANSWER.causes if cause not in named_only))
    fips = fips_hostname(endpoint)
    legacy = (causes.LEGACY_HOSTNAME,) if endpoint.name == "ecr-legacy" else ()
    return possible(*fips, *legacy, *foreign, causes.missing(endpoint.name), *NO_ANSWER.causes)


@finds(NO_TOKEN, NO_LOGIN, NO_LOGIN_OF_SANDBOX)
def missing_tokens(evidence: Evidence) -> Iterator[Finding]:
    """Requests to a registry without a token."""
    steps = [step for step in evidence.failed(Action.CHALLENGE) if step.failure is Failure.NO_CREDENTIALS]
    if steps:
        dual = any("dkr-ecr." in endpoint.host for endpoint in evidence.plan.endpoints)
        fault = NO_TOKEN if evidence.client is Client.ECS else NO_LOGIN
        if any(_SANDBOX_OF_EKS.search(step.detail or "") for step in steps):
            fault = NO_LOGIN_OF_SANDBOX
        suspects = fault.suspects.first(causes.UNRECOGNISED_HOST) if dual else fault.suspects
        yield finding(fault, evidence, steps, endpoints=("ecr.api", "ecr.dkr"), suspects=suspects)


@finds(FOREIGN_REGISTRY, FOREIGN_ECR_PUBLIC)
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
            public = evidence.plan.image_host is ImageHost.PUBLIC_ECR
            if public and causes.NO_ROUTE in suspects.causes:
                suspects = suspects.first(causes.ECR_PUBLIC)
            elif public and step.failure in (Failure.DENIED, Failure.UNAUTHENTICATED):
                suspects = possible(_ECR_PUBLIC_TOKEN, causes.EGRESS_FIREWALL, _REGISTRY_FAILS)
            if step.failure is Failure.NXDOMAIN and _PUBLIC_API.fullmatch(step.host or ""):
                suspects = suspects.first(_PUBLIC_API_REGION)
            fault = FOREIGN_ECR_PUBLIC if public else FOREIGN_REGISTRY
            image = evidence.plan.image if evidence.plan.reference is None else None
            which = image or "image not named"
            yield finding(fault, evidence, (step,), suspects=suspects, how=how, image=image, which=which)


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


@finds(ENDPOINT_POLICY, answers.DENIED, basis=Basis.TEXT)
def refused_requests(evidence: Evidence) -> Iterator[Finding]:
    """Denials outside the pull: of secrets, of the log driver and of other AWS APIs."""
    for step in evidence.failed(Action.REQUEST, Action.LOGS):
        if step.failure is not Failure.DENIED or evidence.is_push(step):
            continue
        # S3's impact is the pull's, but a REQUEST to it reads an environment file.
        of_file = step.endpoint == "s3"
        denial, impact = step.denial, Impact.START if of_file else evidence.impact((step.endpoint,))
        action = (denial.action if denial else None) or "the request"
        if denial is not None and denial.reason is DenialReason.ENDPOINT:
            yield finding(ENDPOINT_POLICY, evidence, (step,), impact=impact, action=action)
            continue
        yield finding(
            answers.DENIED,
            evidence,
            (step,),
            impact=impact,
            suspects=answers.denial_suspects(evidence, step),
            action=action,
            reason=answers.policy_sentence(denial),
            role=answers.role_sentence(evidence),
        )
