"""The table of error patterns: which wording of an error means which failure. Pure.

Go, Python, Java, Node and curl word the same error differently, and ECS puts its own headline in front. The headline is
never used for the failure: the last match with a specific reason decides, and one that only states that a client
stopped waiting is the second choice.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from enum import IntEnum

from probe.explain import system_errors
from probe.faults.registry import HIDDEN
from probe.faults.subjects import Subject
from probe.model import Action, Failure
from probe.records import Record
from probe.wire.aws_errors import failure_of_code


class Weight(IntEnum):
    """How specific a match is.

    FAINT: a headline's hint; WRAPPING: words in front of a reason; WEAK: a client stopped waiting; STRONG: what
    happened.
    """

    FAINT = 0
    WRAPPING = 1
    WEAK = 2
    STRONG = 3


class ErrorPattern(Record, frozen=True):
    """A row of the table. The pattern is matched against the record in lower case.

    `action` is set where the wording alone identifies the step that failed. `subject` is set where the error concerns
    the task, its image or its settings instead of a round trip.
    """

    failure: Failure
    pattern: re.Pattern[str]
    action: Action | None = None
    subject: Subject | None = None
    code: str | None = None
    weight: Weight = Weight.STRONG


class PatternMatch(Record, frozen=True):
    """A match in a record, with its groups. None where a group did not match."""

    failure: Failure
    weight: Weight
    begin: int
    end: int
    action: Action | None = None
    subject: Subject | None = None
    code: str | None = None
    host: str | None = None
    server: str | None = None  # the resolver that was asked
    address: str | None = None
    port: str | None = None
    platform: str | None = None
    names: str | None = None  # of a certificate, separated by commas


DOCKER_HUB = "docker hub"  # used as the code of messages that only Docker Hub sends
INSTANCE_METADATA = "instance metadata"  # used as the code of messages about EC2's credentials endpoint
_IPV6 = r"\[[0-9a-f:.]{2,45}(?:%\w{1,16})?\]"
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_NAME = r"[\w.*<>-]{1,255}"
_DNS = rf"(?:read|write|dial) (?:udp|tcp) (?:\S{{1,80}}->)?(?P<server>{_IPV4}|{_IPV6}):53: "
_DNS_MASKED = r"(?:read|write|dial) (?:udp|tcp) \S{1,200}: "
# The remote end of a socket: an address, or the mask that replaced it before the text was posted.
_PEER = rf"(?:(?P<address>{_IPV4}|{_IPV6})|[\w.*<>…-]{{0,80}})(?::(?P<port>[\w.*]{{1,8}}))?"
_DIAL = rf"dial tcp[46]?:? ?(?:\S{{1,80}}->)?{_PEER}:? (?:connect: |connectex: )?"
_OPEN = rf"(?:read|write) tcp[46]? \S{{1,80}}->{_PEER}: (?:(?:read|write|wsarecv|wsasend): )?"
_CURL = rf"failed to connect to (?P<host>{_NAME})(?: \((?P<address>{_IPV4})\))?(?: port |:)443[^:]{{0,60}}: "
# Apache HttpClient: a cause follows "failed: "; without one, it says "timed out" or "refused".
_JAVA = (
    rf"connect to (?:https://)?(?P<host>{_NAME}):443(?: \[[^\]/]{{0,255}}/(?P<address>{_IPV4})[^\]]{{0,1000}}\])?"
    " (?:failed: )?"
)
_HYPER = "tcp connect error: "
_DOTNET = rf"\.? \((?P<host>{_NAME}):443\)"
_NETTY_PEER = rf"(?P<host>{_NAME})/(?P<address>{_IPV4}):443"
_LOOKUP = rf"lookup (?P<host>[\w.*<>${{}}%-]{{1,255}})(?: on (?P<asked>{_IPV6}|[^\s:]{{1,80}})(?::[\w.*]{{1,8}})?)?: "
_CANCELLED = "operation was canceled|context deadline exceeded|context canceled|request canceled"
_HOST_ALONE = r"[\w.*<>-]{0,64}dkr[.-]ecr[\w.*<>-]{1,100}(?::[\w.-]{1,128})?(?![\w/])"
# What shells, Go, Java, Python and jib say of a program that is not there.
_NOT_FOUND = (
    r"(?:(?:executable (?:file )?|command )?not (?:found|installed|available)|no such file|does not exist"
    r"|(?:error=2|createprocess error=2), |is not recognized as)"
)
_TIMED_OUT = "(?:connection|operation|connect) timed out"
_CONSTRAINT = r"failed to satisfy constraint: '.{1,300}?'(?= |\W*$|\W{1,4}\})"
_TIMED_OUT_AFTER = r"(?:; timed out(?: after waiting \w+)?)?"  # the ECS agent


def _status(code: str) -> str:
    """A status without its reason phrase, as libcurl (-f) and Java's HttpURLConnection state it."""
    return rf"(?:requested url returned error|returned http response code): {code}\b"


def _any(patterns: Iterable[str]) -> str:
    return "|".join(patterns)


_UNPACKING = (
    "failed to (?:register|apply) layer",
    r"failed to extract layer[^:]{0,200}(?:sha256:[0-9a-f]{1,64})?",
    "failed to (?:unpack image|prepare extraction (?:snapshot|layer)|commit snapshot|stat snapshot)",
    "adding layer with blob",  # containers/storage
    "failed to rebase layer",  # SOCI
)
_ANY_CONNECTION_ERROR = _any((*system_errors.REFUSED, *system_errors.UNREACHABLE, *system_errors.PROHIBITED))


def _round_trip(
    failure: Failure, *patterns: str, action: Action | None = None, code: str | None = None
) -> ErrorPattern:
    return ErrorPattern(failure, re.compile("|".join(patterns)), action, code=code)


def _setting(subject: Subject, failure: Failure, *patterns: str, weight: Weight = Weight.STRONG) -> ErrorPattern:
    """Of a setting: it fails before, or instead of, a round trip."""
    return ErrorPattern(failure, re.compile("|".join(patterns)), Action.ENVIRONMENT, subject, weight=weight)


def _task_start(subject: Subject, failure: Failure, *patterns: str, weight: Weight = Weight.STRONG) -> ErrorPattern:
    """Of what ECS does with a task before or after the pull."""
    return ErrorPattern(failure, re.compile("|".join(patterns)), Action.START, subject, weight=weight)


def _credentials(failure: Failure, *patterns: str, code: str) -> ErrorPattern:
    """Of a source of credentials, which is on the task or its host. `code` identifies it."""
    return ErrorPattern(failure, re.compile("|".join(patterns)), Action.CREDENTIALS, code=code)


def _helper(subject: Subject, failure: Failure, *patterns: str, weight: Weight = Weight.STRONG) -> ErrorPattern:
    """Of a program that fetches a registry's token for the client."""
    return ErrorPattern(failure, re.compile("|".join(patterns)), Action.ENVIRONMENT, subject, weight=weight)


def _no_answer(*patterns: str, weight: Weight) -> ErrorPattern:
    """Of a timeout that may be one of the lookup, the connection or the handshake."""
    return ErrorPattern(Failure.TIMEOUT, re.compile("|".join(patterns)), Action.TCP, weight=weight)


# Where matches overlap, the pattern that is listed first counts.
PATTERNS = (
    # ---- logs of what filters on the way: AWS Network Firewall and Suricata (EVE), DNS Firewall's query logs, Squid
    _setting(
        Subject.FIREWALL_LOG,
        Failure.PROHIBITED,
        rf'"action":\s?"(?:blocked|drop|reject)".{{0,2000}}?"(?:sni|hostname)":\s?"(?P<host>{_NAME})"',
        rf'"(?:sni|hostname)":\s?"(?P<host_before>{_NAME})".{{0,2000}}?"action":\s?"(?:blocked|drop|reject)"',
    ),
    _setting(
        Subject.DNS_FIREWALL_LOG,
        Failure.PROHIBITED,
        rf'"query_name":\s?"(?P<host>{_NAME})".{{0,2000}}?"firewall_rule_action":\s?"block"',
        rf'"firewall_rule_action":\s?"block".{{0,2000}}?"query_name":\s?"(?P<host_before>{_NAME})"',
    ),
    _setting(Subject.PROXY, Failure.DENIED, rf"tcp_denied\w{{0,20}}/\d{{3}} \d{{1,9}} connect (?P<host>{_NAME}):443"),
    _setting(
        Subject.PROXY,
        Failure.TIMEOUT,
        rf"(?:tcp_tunnel|tcp_miss|none)\w{{0,20}}/50\d \d{{1,9}} connect (?P<host>{_NAME}):443",
    ),
    # ---- settings, and what ECS does before and after the pull
    # All that follows these words is about the proxy, also a lookup or a certificate.
    _setting(
        Subject.PROXY,
        Failure.TIMEOUT,
        rf"proxyconnect tcp: (?:{_DIAL})?[^\"]{{0,200}}",
        r"(?:error )?connecting to proxy \S{1,300}: .{0,200}",
    ),
    _setting(Subject.PROXY, Failure.MALFORMED, *system_errors.BAD_PROXIES),
    _setting(Subject.PROXY, Failure.DENIED, *system_errors.TUNNEL_REFUSED),
    _setting(
        Subject.PROXY,
        Failure.TIMEOUT,
        "failed to connect to proxy url",
        "could not resolve proxy",
        "cannot connect to proxy",
        "proxy handshake error",
        "tunneling socket could not be established, cause=.{0,200}",  # Node.js
        r"proxyerror\(",  # Python
        "unable to connect to proxy",
        *system_errors.TUNNEL_FAILS,
    ),
    _setting(
        Subject.PROXY,
        Failure.DENIED,
        "proxy authentication required",
        r"tunnel connection failed: [45]\d\d",
        r"connect tunnel failed, response [45]\d\d",
        r"received http code [45]\d\d from proxy",
    ),
    _setting(
        Subject.EXECUTION_ROLE,
        Failure.NO_CREDENTIALS,
        "requires? (?:the )?task definition to have (?:an )?execution role",
    ),
    _setting(
        Subject.LOG_REGION,
        Failure.MALFORMED,
        "missingendpoint",
        "'endpoint' configuration is required",
        "missingregion",
        "could not find region configuration",
        "missing required option: awslogs-region",
        "must specify a value for environment variable 'aws_region' or log opt 'awslogs-region'",
        "(?:cannot determine region for awslogs driver|could not create regionfinder)(?:: .{0,400})?",
    ),
    # Docker's and the ECS agent's log drivers: their options, and servers that are not CloudWatch Logs.
    _setting(Subject.LOG_DRIVER, Failure.MALFORMED, *system_errors.LOG_OPTIONS),
    _setting(
        Subject.LOG_DRIVER,
        Failure.NO_ANSWER,
        r"(?:initialize logging driver|logger args): (?:.{0,300}: )?dial (?:tcp|udp|unix) "
        r"(?:(?!169\.254\.)\S{1,80}:(?!443:|53:)\d{1,5}|/\S{1,100}): [\w :]{1,80}",
    ),
    # CloudWatch Logs' answers about the name of a group or stream.
    _setting(
        Subject.LOG_DRIVER,
        Failure.DENIED,
        "log groups starting with aws/ are reserved(?: for aws)?",
        r"at 'log(?:group|stream)name' failed to satisfy constraint",
    ),
    _setting(
        Subject.ENDPOINT_ZONE,
        Failure.MALFORMED,
        r"endpoint service \S{1,120} does not support the availability zone of the subnet",
        "only the following availability zones are supported",
    ),
    _setting(
        Subject.ENDPOINT_SERVICE,
        Failure.NOT_FOUND,
        r"vpc endpoint service '?\S{1,120} does not exist",
        "invalidservicename",
        r"endpoint service \S{1,120} (?:was not found|not found|is not available)",
    ),
    _setting(
        Subject.PRIVATE_DNS,
        Failure.MALFORMED,
        "conflicting dns domain",
        "conflictingdomainexists",
        "private-dns-enabled cannot be set because there is already",
    ),
    # A host of ECR where a name stands: all that follows is Docker Hub's answer.
    _setting(
        Subject.HOST_WITHOUT_PATH,
        Failure.NOT_FOUND,
        rf"(?:pull access denied for|repository|failed to resolve reference) \"?{_HOST_ALONE}\"?(?=[,:\s]).{{0,400}}",
        rf"docker\.io/library/{_HOST_ALONE}(?=[,:\"\s]).{{0,400}}",
    ),
    # distribution/reference, containerd's reference and containers/image; kubelet calls it InvalidImageName.
    _setting(
        Subject.REFERENCE,
        Failure.MALFORMED,
        # The name before the words shows what is wrong with it.
        r"(?:\"[^\"\s]{0,300}\".{0,60}?)?invalid reference format(?:: repository name .{0,260}?must be lowercase)?",
        "could not parse reference",
        "couldn't parse image (?:name|reference)",
        'failed to parse (?:image|reference)(?: name)? "?',
        *system_errors.BAD_REFERENCES,
        "invalid (?:tag|digest) format",
        r"repository name (?:\([^)]{1,256}\) )?must (?:be|have|not be)",
        "invalidimagename",
        "is not a valid repository uri",
        "invalid image repository ecr uri",  # the SAM CLI
        "did not resolve to an alias",
        r"invalid character \"[${} <>%]\" in host name",
        # A registry answers 400 to a tag with a character that no tag has.
        r"/manifests/[\w.-]{0,128}[^\w.\s:\"'@?#/-][^\s:\"']{0,128}[\"']?: [\w ]{0,40}\b400\b(?: bad request)?",
    ),
    _setting(
        Subject.CLIENT_VERSION,
        Failure.MALFORMED,
        r"ecr auth: authorizationdata is \w+",
        "missing authorizationdata in ecr response",
        "empty response docker-content-digest",  # oras-go
        "invalid parameter at 'acceptedmediatypes' failed to satisfy constraint",  # ECR, of a long Accept
        "missing signature key",  # Docker, of a manifest that it takes for schema 1
        "invalid proxyendpoint returned by ecr",
        "unexpected number of results in authorizationdata",
    ),
    # The first one: Docker's helper, to which the kubelet speaks its own protocol.
    _helper(
        Subject.PROVIDER_UNFIT,
        Failure.MALFORMED,
        "error parsing the serverurl.{0,200}credentialproviderrequest.*",
        "apiversion from credential plugin response did not match.{0,200}",
        "error (?:reading gvk|decoding credential provider plugin response) from (?:response|stdout).{0,200}",
        "(?:error decoding|unsupported|failed to decode) .{0,40}credentialprovider(?:request|response).{0,200}",
        'no kind "credentialprovider(?:request|response)" is registered.{0,200}',
    ),
    _helper(
        Subject.HOST_UNRECOGNISED,
        Failure.MALFORMED,
        r"aws ecr detected with\s{1,3}region\s.{0,10}region is missing",
        "can only be used with (?:amazon (?:elastic|ec2) container registry|ecr)",
        r"error parsing the serverurl(?:: \S{1,300},)?",
        "is not a valid ecr (?:repository url|registry)",
        "invalid aws registry",  # Flux
        "invalid ecr (?:repository|registry) (?:url|uri|host)",
    ),
    _setting(Subject.CLIENT_SETTINGS, Failure.MALFORMED, *system_errors.NOT_SENT, *system_errors.UNUSABLE_SETTINGS),
    # The agent goes on without most of these settings, so that any other error counts.
    _setting(Subject.CLIENT_SETTINGS, Failure.MALFORMED, *system_errors.AGENT_SETTINGS, weight=Weight.FAINT),
    # The API of ECR Public.
    _setting(
        Subject.CLIENT_SETTINGS, Failure.DENIED, r"command is only supported in us-east-1|unsupportedcommandexception"
    ),
    # Jenkins, which names credentials by an id of its own.
    _setting(
        Subject.CLIENT_SETTINGS,
        Failure.MALFORMED,
        r"could not find (?:aws )?credentials (?:matching|entry with id|with id) \S{1,120}",
    ),
    # The helper is there, and the host cannot run it.
    _helper(
        Subject.HELPER_MISSING,
        Failure.PROHIBITED,
        r"(?:docker-credential-[\w-]{1,40}|ecr-credential-provider)(?:\.exe)?[\"']?[: ]{1,3}"
        "(?:permission denied|exec format error|is a directory)",
    ),
    _task_start(Subject.PULL_LIMIT, Failure.THROTTLED, "pull qps exceeded", "failed to get rate limit token"),
    _task_start(
        Subject.PLACEMENT, Failure.THROTTLED, "rate limit exceeded while attempting to create network interface"
    ),
    _task_start(
        Subject.PLACEMENT,
        Failure.TIMEOUT,
        "capacity is unavailable at this time",
        "insufficientfreeaddressesinsubnet",
        "attempting to create network interface",
        "timeout waiting for network interface provisioning",
        "was unable to place a task",
        "no container instances",
        "empty capacity provider",
        r"(?<![\w/])resource:(?:cpu|memory|eni|ports|gpu)\b",
        r"(?:taskfailedtostart:|\breasons? ?[:=]) ?\[?\"?(?:agent|attribute|location)\b",
    ),
    # STS, asked by a program of the user: a CI job, a pod with a web identity, another role.
    _task_start(
        Subject.ROLE,
        Failure.DENIED,
        r"not authorized to perform:? sts:(?:assumerole|tagsession|setsourceidentity)\w{0,20}"
        r"(?: on resource: \S{1,300})?(?: because no [\w-]{5,20} policy allows)?",
        "no openidconnect provider found in your account",
        "incorrect token audience",
        "couldn't retrieve verification key from your identity provider",
        "https certificate doesn't match configured thumbprint",
        r"\b(?:idprejectedclaim|idpcommunicationerror|invalididentitytoken)(?:exception)?\b",
    ),
    _task_start(
        Subject.ROLE,
        Failure.MALFORMED,
        "requested durationseconds exceeds the (?:maxsessionduration|1 hour session limit)",
        "request arn is invalid",
        "actions_id_token_request_(?:url|token)",
        "write permissions? to id-token|set the `?id-token`? permission",
        "web identity token file does not exist",
    ),
    _task_start(
        Subject.ROLE,
        Failure.DENIED,
        r"unable to assume (?:the )?(?:service.linked )?role",
        "is not authorized to assume (?:the )?role",
        "role is invalid or cannot be assumed",
        "(?:error|failed|failure) (?:in |to )?assum(?:e|ing) (?:the |iam |instance |execution |service )*role",
        "could(?: not|n't) assume (?:the )?(?:iam )?role",
        "role .{0,200}?cannot be assumed by",
        r"(?:principal \S{1,100} is )?not authorized to assume the provided role",
        "cannot assume iam role",
    ),
    _task_start(Subject.DISK, Failure.TOO_LARGE, *system_errors.DISK_FULL),
    _task_start(
        Subject.RUNTIME,
        Failure.PROHIBITED,
        r"permission denied while trying to connect to the docker (?:daemon socket|api)(?: at \S{1,200})?",
        r"(?:dial|connect) unix \S{1,200}(?:docker|containerd|crio)\S{0,20}: connect: permission denied",
        "docker client must be run with elevated privileges",
    ),
    _task_start(Subject.RUNTIME, Failure.NO_ANSWER, *system_errors.RUNTIME_DOWN),
    # Windows' Host Compute Service, where nothing more specific follows.
    _task_start(Subject.RUNTIME, Failure.MALFORMED, *system_errors.WINDOWS_RUNTIME, weight=Weight.WEAK),
    # No connection was opened: the process has no descriptor left.
    _task_start(Subject.RUNTIME, Failure.TOO_LARGE, r"\b(?:dial|lookup|socket|accept)\b.{0,200}?: too many open files"),
    _task_start(
        Subject.NETWORK_SETUP,
        Failure.NO_ANSWER,
        "netplugin failed",
        "failed to setup network for sandbox",
        "failed to create pod sandbox: .{0,200}cni",
        r"hnscall failed in win32|hns failed with error",  # Windows' Host Network Service
        "appnet agent image load failed",
        "containernetworkingerror",
    ),
    _task_start(
        Subject.MEDIA_TYPE,
        Failure.MALFORMED,
        "no processor for media-type",
        "unsupported (?:manifest )?media ?type",
        "mediatype in manifest should be",
        "failed to get stream processor",
        "number of layers and diffids don't match",
        r"media type \S{1,120} is no longer supported",
        "schema ?(?:version )?1 (?:image )?(?:manifests? )?(?:is|are|has been)? ?(?:no longer|not|deprecated)",
        "(?:image|manifest) verification failed for digest",
        "layers from manifest don't match image configuration",
        "invalid rootfs in image configuration",
        "unsupported config media type|unexpected media type",
        'media-type: cannot determine|should not have "(?:manifests|config)',
        'does not appear to be a container image|encountered remote "?application/',
        "manifest does not contain (?:a layer with mediatype|(?:the )?minimum number of descriptors)",  # Helm
        # Lambda, which takes no index
        r"image manifest,? (?:config,? )?or layer media type .{0,400}?is not supported",
        "(?:invalidimage: )?imagelayerfailure(?:: unsupportedimagelayerdetected)?",
    ),
    _task_start(Subject.EXEC, Failure.NO_PLATFORM, "exec format error"),
    _task_start(Subject.VOLUME, Failure.UNREACHABLE, "efs utils commands to set up efs volumes.*"),
    _task_start(Subject.BUILD_IMAGE, Failure.DENIED, "build_container_unable_to_pull_image"),
    _setting(
        Subject.BUILD_SETTINGS,
        Failure.MALFORMED,
        r"\b(?:cannot|must|invalid|not (?:allowed|supported|valid))\b.{0,160}imagepullcredentialstype\b.{0,40}",
    ),
    # The names and codes of botocore's model of Lambda, StateReasonCode.
    _task_start(
        Subject.SERVICE_IMAGE,
        Failure.MALFORMED,
        r"source image (?:.{1,400}? )?is not valid\b(?:\. provide a valid source image)?",
        r"image(?:uri|identifier)?' failed to satisfy constraint: member must satisfy regular expression",
        r"using non-ecr image .{1,400}? is not supported",
        r"ecr image \S{1,400} is invalid",
        r"image is not supported by app runner(?:: \S{1,400})?",  # Copilot
    ),
    _task_start(
        Subject.SERVICE_IMAGE,
        Failure.NOT_FOUND,
        r"source image (?:.{1,400}? )?does not exist\b(?:\. provide a valid source image)?",
        "ecr image doesn't exist",
        r"\bimagedeleted\b",
        r"(?:cannot|could not|unable to) find (?:the )?requested image|requested image ?\S{3,400} not found",
    ),
    _task_start(
        Subject.SERVICE_PULL,
        Failure.DENIED,
        r"(?:lambda|function|service) does not have permission to (?:access|pull) the (?:\w{2,12} )?image.*",
        r"\bimageaccessdenied\b",
        r"does not grant [\w:,* ]{5,300} permissions? to \S{1,80}(?: service)?(?: principal)?",
        r"does not have \w{5,40} permissions? (?:for|on|to) the image",
        "either the image does not exist or its permissions are incorrect.*",
        r"make sure all images included in the model .{0,300}?exist, and that .{0,100}? has permissions? to",
        "cannot initialize the provided container image",
        r"failed to (?:copy the|pull your application) image(?: from ecr)?\b",  # App Runner
        "image repository must be in the same account as the caller",
    ),
    _task_start(
        Subject.SECRET,
        Failure.NOT_FOUND,
        "secrets manager can't find the specified secret",
        "parameternotfound",
        "invalid ssm parameters?",
        r"retrieved secret .{0,200}did not contain json key",
        "asm fetching (?:authorization data|username|password): ",
    ),
    # What the host does not find there is a snapshot, a file or a parent layer of its own, never an image's tag.
    _task_start(Subject.UNPACK, Failure.MALFORMED, rf"(?:{_any(_UNPACKING)})[^\n]{{0,1000}}?: not found\b"),
    # Words of the layers' unpacking: any more specific error after them counts.
    _task_start(
        Subject.UNPACK,
        Failure.MALFORMED,
        *_UNPACKING,
        "could not get decompression stream",
        *system_errors.HOST_ERRORS,
        weight=Weight.WEAK,
    ),
    _task_start(
        Subject.SLOW_PULL,
        Failure.TIMEOUT,
        rf"could not tran(?:s|is)ition to (?:pull(?:ed|begin)|manifest_pulled){_TIMED_OUT_AFTER}",
        weight=Weight.FAINT,
    ),
    _task_start(
        Subject.SLOW_CREATE,
        Failure.TIMEOUT,
        rf"could not tran(?:s|is)ition to (?:created|inspecting|creating volume){_TIMED_OUT_AFTER}",
        weight=Weight.FAINT,
    ),
    _task_start(
        Subject.SLOW_STOP,
        Failure.TIMEOUT,
        rf"could not tran(?:s|is)ition to (?:stopped|removing)(?: image| volume)?{_TIMED_OUT_AFTER}",
        weight=Weight.FAINT,
    ),
    _task_start(
        Subject.TIMEOUT,
        Failure.TIMEOUT,
        rf"(?:dockertimeouterror: )?could not tran(?:s|is)ition to \w+{_TIMED_OUT_AFTER}",
        weight=Weight.FAINT,
    ),
    _task_start(
        Subject.ENDED,
        Failure.TRUNCATED,
        "essential container in task exited",
        "failed (?:elb|container) health checks",
        r"(?<!java\.lang\.)outofmemory(?:error)?\b",
        "scaling activity initiated by",
        "task stopped by user",
        "spot (?:capacity|interruption)",
        "your spot task was",
        "(?<!remote )(?:host|instance) .{0,80}terminated",
        weight=Weight.FAINT,
    ),
    # What deployments report about the tasks that they start; the tasks' own reasons are elsewhere.
    _task_start(
        Subject.NO_REASON,
        Failure.MALFORMED,
        "unable to consistently start tasks successfully",
        "deployment failed: tasks failed to start",
        "deployment circuit breaker was triggered",
        "deployment circuit breaker: tasks? failed to start",
        r"timeout while waiting for state to become '(?:tfstable|stable|steady_state)'",
        "(?:did not|to) (?:reach|become) (?:a )?(?:steady|stable)(?: state)?",
        "(?:did not|failed to) stabilize",
        "notstabilized",
        "waiter servicesstable failed",
        weight=Weight.FAINT,
    ),
    # ---- pushes, and services that pull by themselves
    _setting(
        Subject.TAG_IMMUTABLE,
        Failure.DENIED,
        r"image tag '[^']{1,128}' already exists in the '[^']{1,256}' repository and cannot be overwritten.*",
        r"cannot be overwritten because the (?:image )?(?:repository|tag) is immutable",
        "imagetagalreadyexistsexception",
    ),
    _setting(
        Subject.QUOTA,
        Failure.TOO_LARGE,
        r"\blimitexceeded(?:exception)?\b",
        r"already has the maximum (?:allowed )?number of [\w ]{3,40}",
        r"limit on (?:the )?(?:number|size) of [\w ]{3,40} exceeded",
        "toomanytagsexception",
    ),
    # What the registry says of a manifest that a client pushes: ECR's API, and the codes of distribution's api/errcode.
    _setting(
        Subject.REFERENCE,
        Failure.MALFORMED,
        rf"invalid parameter at '(?:repositoryname|imagetag|imagedigest|registryids?)' {_CONSTRAINT}",
        "invalid parameter at '(?:repositoryname|imagetag|imagedigest|registryids?)' failed to satisfy",
        r"\bname_invalid\b|: invalid repository name",
    ),
    _setting(
        Subject.MANIFEST_REFUSED,
        Failure.MALFORMED,
        rf"invalid parameter at '(?:imagemanifest|imagemanifestmediatype)' {_CONSTRAINT}",
        r"unsupported manifest type\b:? ?\"?[\w./+-]{0,120}\"?",
        r"manifest[ _](?:invalid|unverified|failed signature verification)\b",
        r"manifest tag did not match uri|\btag_invalid\b",
        r"unexpected status from put request to https?://\S{1,300}/manifests/\S{1,300}: (?:400|405)\b[\w ]{0,40}",
        r"\bput https?://\S{1,300}/manifests/\S{1,300}: unexpected status code (?:400|405)\b[\w ]{0,40}",
        r"failed commit on ref \S{1,300} unexpected status: (?:400|405)\b[\w ]{0,40}",
    ),
    # A rule of a pull-through cache that ECR's API refuses: the exceptions of botocore's model.
    _setting(
        Subject.UPSTREAM_RULE,
        Failure.DENIED,
        r"unsupportedupstreamregistry(?:exception)?(?:: .{1,200})?",
        "the specified upstream registry (?:requires authentication|is not supported|isn't supported).{0,200}",
        r"(?:create|update|validate)pullthroughcacherule\b.{0,300}(?:secretnotfound|unabletoaccesssecret"
        "|unabletodecryptsecretvalue)(?:exception)?.{0,200}",
    ),
    # Content that the manifest names and the repository lacks.
    _setting(
        Subject.CONTENT_MISSING,
        Failure.NOT_FOUND,
        r"layers with digests? '[^']{1,600}' required for pushing image[^.]{0,400}do(?:es)? not exist",
        r"images? with digests? '[^']{1,600}' required for pushing image[^.]{0,400}do(?:es)? not exist",
        r"(?:layersnotfound|layerinaccessible|referencedimagesnotfound|uploadnotfound)exception",
        "manifest_blob_unknown|manifest blob unknown|blob unknown to registry",
        "blob[ _]upload[ _](?:unknown|invalid)",
    ),
    _setting(
        Subject.ACCESS_ROLE,
        Failure.DENIED,
        "invalid access role in authenticationconfiguration",
        "error in assuming access role",
    ),
    # Lambda, whose exceptions name KMS.
    _round_trip(
        Failure.DENIED,
        r"can't decrypt the container image because .{0,80}",
        r"\bkms(?:accessdenied|disabled|invalidstate|notfound)exception\b",
        action=Action.BLOB,
    ),
    # Clients that say no more of a chart that they did not get, or of a login.
    _task_start(
        Subject.CUT_SHORT,
        Failure.MALFORMED,
        r"failed to download \"oci://\S{1,300}\"(?: at version \S{1,60})?",
        r"fail: docker login .{0,200} exited with error code \d{1,3}\b",  # the CDK
        weight=Weight.FAINT,
    ),
    _round_trip(
        Failure.DENIED,
        r"access denied for repository: \S{1,256} in registry id: \d{12}",
        action=Action.MANIFEST,
    ),
    # ---- credentials
    _credentials(
        Failure.NO_ANSWER,
        "no ec2 (?:imds|instance) role found",
        "ec2metadata(?:error|request)|ec2rolerequesterror",
        "failed to (?:get|load|read) .{0,40}(?:ec2 )?imds",
        "request to ec2 imds failed",
        "operation error ec2imds",
        "unable to contact ec2 metadata service",
        "error retrieving metadata",
        "failed to load (?:credentials from imds|imds session token)",
        "from ec2 instance metadata service",
        "unable to retrieve (?:instance )?metadata|failed to get instance metadata",
        "(?:to|from) instance metadata service",
        "credentials from (?:the instance profile metadata service|service endpoint)",
        "failed to connect to service endpoint",
        code=INSTANCE_METADATA,
    ),
    _credentials(Failure.NO_CREDENTIALS, "requested metadata is not found at", code=INSTANCE_METADATA),
    _round_trip(
        Failure.NO_ANSWER,
        "credentialsendpointerror",
        "failed to load credentials",
        "error when retrieving (?:credentials|token) from",
        "credential process timed out|error in credential_process",
        # The ECS agent, asked for credentials that it does not have any more, or not yet.
        r"credentials(?:v\d)?request: (?:id not found|[\w ]{3,60})|getcredentialsinvalidroletype",
        action=Action.CREDENTIALS,
    ),
    _round_trip(
        Failure.NO_CREDENTIALS,
        "nocredentialproviders",
        "unable to locate (?:credentials|authorization token)",
        "nocredentialserror",
        "no valid (?:credential )?providers",
        "unable to load (?:aws )?credentials from any",
        "could not load credentials from any providers",
        "missing credentials in config",
        "static credentials are empty",
        "partial credentials found in",
        "failed to resolve aws credentials",
        "the credential provider was not enabled|no providers in chain provided credentials",
        "uses execution credentials, but the credentials are empty",
        "unable to find execution role credentials",
        *system_errors.NO_CREDENTIALS,
        action=Action.CREDENTIALS,
    ),
    # A session that the user has to renew: no request was sent.
    _round_trip(Failure.UNAUTHENTICATED, *system_errors.SESSION_OVER, action=Action.TOKEN),
    # ---- logins, credential helpers of Docker and credential providers of the kubelet
    _helper(
        Subject.LOGIN,
        Failure.MALFORMED,
        r"login attempt to \S{1,300} failed with status: 400\b(?: bad request)?",
        r"(?:head|get) request to https://\S{0,80}dkr[.-]ecr\S{1,300}: 400 bad request",
        r"(?:docker|podman|helm|nerdctl|finch|buildah|oras|skopeo) (?:registry )?login\b.{0,200}\b400:? bad request",
        "(?:logging into|authenticating creds for|unable to retrieve auth token).{0,300}"
        r"(?:status code(?: from registry)? 400\b(?: \(bad request\))?|\b400 bad request)",
    ),
    # CodeBuild shows only the status of a command.
    _helper(
        Subject.LOGIN_EMPTY,
        Failure.NO_CREDENTIALS,
        r"error while executing command: .{0,300}\becr get-login.{0,300}?reason: exit status \d{1,3}",
        weight=Weight.FAINT,
    ),
    # What the command before the login printed is more specific, where the text contains it.
    _helper(
        Subject.LOGIN_EMPTY,
        Failure.NO_CREDENTIALS,
        "cannot perform an interactive login from a non[- ]tty device",
        "error: (?:password|non-null username) required",
        "must provide --username with --password-stdin",
        "reading password: inappropriate ioctl for device",
        weight=Weight.WEAK,
    ),
    # Options and commands that a version of Docker or of the AWS CLI does not have; argparse lists all others.
    _helper(
        Subject.LOGIN_COMMAND,
        Failure.MALFORMED,
        r"unknown shorthand flag: 'e' in -e\w*",
        "unknown flag: --password-stdin",
        r"docker login\"? requires at most 1 argument",
        "invalid choice: '?get-login(?:-password)?'?",
        r"invalid choice, valid choices are:.{0,8000}get-(?:login|authorization-token)\b.{0,8000}",
    ),
    _helper(Subject.LOGIN_STORE, Failure.MALFORMED, *system_errors.LOGIN_STORES),
    _helper(
        Subject.LOGIN_STORE,
        Failure.MALFORMED,
        "error (?:storing|erasing|listing) credentials - err: ",
        "error saving credentials",
        weight=Weight.WEAK,
    ),
    _helper(
        Subject.HELPER_MISSING,
        Failure.NOT_FOUND,
        rf"docker-credential-[\w-]{{1,40}}(?:\.\w{{2,3}})?[\"'`]?[: ]{{1,3}}{_NOT_FOUND}",
        rf"ecr-credential-provider\"?: {_NOT_FOUND}",
        r"plugin binary executable \S{1,200} did not exist",
        r"system does not have docker-credential-[\w-]{1,40}",
    ),
    _helper(
        Subject.HELPER_FAILED,
        Failure.TIMEOUT,
        r"error execing credential provider plugin \S{1,80}(?: for image \S{1,300}?)?: context deadline exceeded",
        weight=Weight.WEAK,
    ),
    _helper(
        Subject.PROVIDER_FAILED,
        Failure.NO_CREDENTIALS,
        r"error execing credential provider plugin \S{1,80}(?: for image \S{1,300}?)?: exit status \d{1,3}",
        weight=Weight.WEAK,
    ),
    _helper(
        Subject.HELPER_FAILED,
        Failure.NO_CREDENTIALS,
        r"error execing credential provider plugin \S{1,80}(?: for image \S{1,300}?)?",
        "error running credential provider plugin",
        "credentials not found in native keychain",
        "error getting credentials - err",
        "failed getting credential from external registry credential provider",
        "failed to find docker auth for repo",
        weight=Weight.WEAK,
    ),
    # ---- names
    _round_trip(Failure.NXDOMAIN, f"{_LOOKUP}no such host(?: is known)?", action=Action.DNS),
    _round_trip(
        Failure.SERVFAIL, f"{_LOOKUP}(?:{_any(system_errors.RESOLVER_FAILS)}|cannot unmarshal dns)", action=Action.DNS
    ),
    _round_trip(
        Failure.NO_ADDRESS, f"{_LOOKUP}(?:{_any(system_errors.NO_ADDRESS)}|no (?:suitable )?address)", action=Action.DNS
    ),
    _round_trip(
        Failure.NO_ANSWER,
        f"{_LOOKUP}(?:getaddrinfow: )?(?:{_DNS}|{_DNS_MASKED})?(?:connect: |read: |wsarecv: )?"
        f"(?:i/o timeout|{_any(system_errors.RESOLVER_SILENT)}|{_ANY_CONNECTION_ERROR}|{_CANCELLED})",
        action=Action.DNS,
    ),
    _round_trip(
        Failure.NO_ANSWER, rf"(?P<host>{_NAME})\.? (?:a|aaaa): {_DNS}(?:i/o timeout|\w+)", action=Action.DNS
    ),  # CoreDNS
    _round_trip(Failure.NO_ANSWER, rf"{_DNS}(?:i/o timeout|(?:read|connect|wsarecv|wsasend): \w+)", action=Action.DNS),
    _round_trip(Failure.NXDOMAIN, f"could not resolve host(?:name)?:? ?(?P<host>{_NAME})?", action=Action.DNS),
    _round_trip(Failure.NXDOMAIN, f"failed to resolve '(?P<host>{_NAME})'", action=Action.DNS),
    _round_trip(
        Failure.NXDOMAIN, f"(?:enotfound|eai_noname|unknownhostexception:) (?P<host>{_NAME})", action=Action.DNS
    ),
    _round_trip(Failure.NXDOMAIN, f"name could not be resolved: '(?P<host>{_NAME})", action=Action.DNS),  # .NET
    _round_trip(Failure.NXDOMAIN, f"bad address '(?P<host>{_NAME})'", action=Action.DNS),  # BusyBox
    # nginx, and what is built on it: the codes are its ngx_resolver_strerror.
    _round_trip(Failure.NXDOMAIN, rf"(?P<host>{_NAME}) could not be resolved \(3: ", action=Action.DNS),
    _round_trip(Failure.SERVFAIL, rf"(?P<host>{_NAME}) could not be resolved \([1245]: ", action=Action.DNS),
    _round_trip(
        Failure.NO_ANSWER,
        rf"(?P<host>{_NAME}) could not be resolved \(\d{{2,3}}: operation timed out",
        action=Action.DNS,
    ),
    _round_trip(Failure.NXDOMAIN, rf'host not found in upstream "(?P<host>{_NAME})', action=Action.DNS),
    # c-ares, as Node.js and gRPC report it
    _round_trip(
        Failure.NO_ANSWER, f"query\\w{{1,5}} e(?:timeout|connrefused|cancelled) (?P<host>{_NAME})", action=Action.DNS
    ),
    _round_trip(
        Failure.NO_ADDRESS,
        f"(?:query\\w{{1,5}} enodata|getaddrinfo eai_(?:nodata|addrfamily)) (?P<host>{_NAME})",
        action=Action.DNS,
    ),
    # systemd-resolved
    _round_trip(Failure.NXDOMAIN, f"resolve call failed: (?:name )?'(?P<host>{_NAME})' not found", action=Action.DNS),
    _round_trip(
        Failure.NO_ADDRESS, f"'(?P<host>{_NAME})' does not have any rr of the requested type", action=Action.DNS
    ),
    _round_trip(
        Failure.SERVFAIL,
        f"could not resolve '(?P<host>{_NAME})', server or network returned error \\w{{1,20}}",
        f"(?:(?P<asked_host>{_NAME}): )?resolve call failed: (?:received invalid reply|dnssec validation|cname loop"
        "|no suitable trust anchor|server does not support).{0,100}",
        action=Action.DNS,
    ),
    _round_trip(
        Failure.NO_ANSWER,
        f"(?:(?P<host>{_NAME}): )?resolve call failed: (?:no appropriate|query (?:timed out|aborted)|network is down"
        "|all (?:attempts|suitable)|configured dns server).{0,100}",
        action=Action.DNS,
    ),
    _round_trip(
        Failure.SERVFAIL,
        f"query\\w{{1,5}} e(?:servfail|refused|formerr|notimp|badresp) (?P<host>{_NAME})",
        f"getaddrinfo eai_fail (?P<asked_host>{_NAME})",
        action=Action.DNS,
    ),
    _round_trip(
        Failure.NO_ANSWER,
        f"eai_(?:again|canceled) (?P<host>{_NAME})",
        f"resource temporarily unavailable \\((?P<asked_host>{_NAME}):443\\)",  # .NET's words for EAI_AGAIN
        action=Action.DNS,
    ),
    # .NET writes the host behind the system's words.
    _round_trip(Failure.NXDOMAIN, f"(?:{_any(system_errors.NAME_UNKNOWN)}){_DOTNET}", action=Action.DNS),
    _round_trip(Failure.SERVFAIL, f"(?:{_any(system_errors.RESOLVER_FAILS)}){_DOTNET}", action=Action.DNS),
    _round_trip(
        Failure.NO_ADDRESS, f"(?:{_any(system_errors.NO_ADDRESS)}|no data available){_DOTNET}", action=Action.DNS
    ),
    _round_trip(Failure.NO_ANSWER, *system_errors.RESOLVER_SILENT, action=Action.DNS),
    _round_trip(Failure.NXDOMAIN, *system_errors.NAME_UNKNOWN, action=Action.DNS),
    _round_trip(Failure.SERVFAIL, *system_errors.RESOLVER_FAILS, action=Action.DNS),
    _round_trip(Failure.NO_ADDRESS, *system_errors.NO_ADDRESS, action=Action.DNS),
    # ---- connections
    _round_trip(
        Failure.TIMEOUT,
        f"{_DIAL}(?:i/o timeout|{_any(system_errors.TIMED_OUT)}|{_CANCELLED})",
        action=Action.TCP,
    ),
    _round_trip(Failure.REFUSED, f"{_DIAL}(?:{_any(system_errors.REFUSED)})", action=Action.TCP),
    _round_trip(Failure.RESET, f"{_DIAL}(?:{_any(system_errors.RESET)})", action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, f"{_DIAL}(?:{_any(system_errors.UNREACHABLE)})", action=Action.TCP),
    _round_trip(Failure.PROHIBITED, f"{_DIAL}.{{0,40}}(?:{_any(system_errors.PROHIBITED)})", action=Action.TCP),
    _round_trip(Failure.TIMEOUT, f"connect etimedout {_PEER}", action=Action.TCP),
    _round_trip(Failure.REFUSED, f"connect econnrefused {_PEER}", action=Action.TCP),
    _round_trip(
        Failure.UNREACHABLE,
        f"connect (?:enetunreach|ehostunreach|enetdown|ehostdown|enonet|eaddrnotavail|eafnosupport) {_PEER}",
        action=Action.TCP,
    ),
    _round_trip(Failure.PROHIBITED, f"connect (?:eacces|eperm) {_PEER}", action=Action.TCP),
    _round_trip(Failure.RESET, f"connect (?:econnreset|econnaborted|epipe) {_PEER}", action=Action.TCP),
    # hyper: the words of std::io's ErrorKind, or the system's
    _round_trip(Failure.TIMEOUT, f"{_HYPER}(?:timed out|deadline has elapsed|{_TIMED_OUT})", action=Action.TCP),
    _round_trip(Failure.RESET, f"{_HYPER}(?:connection aborted|{_any(system_errors.RESET)})", action=Action.TCP),
    _round_trip(
        Failure.UNREACHABLE,
        f"{_HYPER}(?:address not available|(?:host|network) (?:unreachable|down))",
        action=Action.TCP,
    ),
    _round_trip(Failure.PROHIBITED, f"{_HYPER}(?:{_any(system_errors.PROHIBITED)})", action=Action.TCP),
    # Java on Windows
    _round_trip(Failure.PROHIBITED, "permission denied: (?:connect|no further)", action=Action.TCP),
    _round_trip(
        Failure.TIMEOUT,
        f"{_CURL}(?:{_TIMED_OUT}|could(?:n't| not) connect to server|timeout was reached)",
        action=Action.TCP,
    ),
    _round_trip(Failure.REFUSED, f"{_CURL}connection refused", action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, f"{_CURL}(?:{_any(system_errors.UNREACHABLE)})", action=Action.TCP),
    _round_trip(Failure.TIMEOUT, f"{_JAVA}(?:{_TIMED_OUT}|timed out)", action=Action.TCP),
    _round_trip(Failure.TIMEOUT, rf"connection timed out(?: after \d{{1,9}} ms)?: {_NETTY_PEER}", action=Action.TCP),
    _round_trip(Failure.REFUSED, f"{_JAVA}(?:connection )?refused", action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, f"{_JAVA}(?:{_any(system_errors.UNREACHABLE)})", action=Action.TCP),
    _round_trip(
        Failure.TIMEOUT,
        "connect timeout on endpoint url",
        f"connection to (?P<host>{_NAME}) timed out",
        action=Action.TCP,
    ),
    _round_trip(Failure.TIMEOUT, f"(?:{_any(system_errors.TIMED_OUT)}){_DOTNET}", action=Action.TCP),
    _round_trip(Failure.REFUSED, f"(?:{_any(system_errors.REFUSED)}){_DOTNET}", action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, f"(?:{_any(system_errors.UNREACHABLE)}){_DOTNET}", action=Action.TCP),
    _round_trip(Failure.PROHIBITED, f"(?:{_any(system_errors.PROHIBITED)}){_DOTNET}", action=Action.TCP),
    _round_trip(Failure.RESET, f"(?:{_any(system_errors.RESET)}){_DOTNET}", action=Action.TCP),
    # ---- TLS
    _round_trip(Failure.TLS_STALL, *system_errors.HANDSHAKE_SILENT, action=Action.TLS),
    # Apache HttpClient, Node.js, rustls
    _round_trip(
        Failure.WRONG_NAME,
        rf"certificate for <(?P<host>{_NAME})> doesn't match any of the subject alternative names: "
        r"\[(?P<names>[^\]]{1,300})\]",
        action=Action.TLS,
    ),
    _round_trip(
        Failure.WRONG_NAME,
        rf"host: (?P<host>{_NAME})\. is not in the cert's altnames: dns:(?P<names>[\w.*-]{{1,255}})",
        action=Action.TLS,
    ),
    _round_trip(Failure.WRONG_NAME, rf'certificate not valid for name "(?P<host>{_NAME})"', action=Action.TLS),
    _round_trip(Failure.WRONG_NAME, *system_errors.WRONG_NAME, action=Action.TLS),
    _round_trip(Failure.EXPIRED, *system_errors.OUT_OF_DATE, action=Action.TLS),
    _round_trip(Failure.UNTRUSTED, *system_errors.UNTRUSTED, action=Action.TLS),
    _round_trip(Failure.NOT_TLS, *system_errors.NOT_TLS, action=Action.TLS),
    _round_trip(Failure.TLS_RESET, *system_errors.HANDSHAKE_CUT, action=Action.TLS),
    # ---- bytes
    _round_trip(
        Failure.BAD_DIGEST,
        "layer verification failed",
        "unexpected commit digest",
        "digest (?:mismatch|did not match)",
        "failed to verify .{0,80}digest",
        "(?:image )?config verification failed",
        "did not match calculated checksum",
        action=Action.LAYER,
    ),
    # The copy of a layer was cancelled when it had begun: no headers are awaited any more.
    _round_trip(
        Failure.STALLED,
        "failed to copy: context (?:canceled|deadline exceeded)",
        r"cancel pulling image \S{1,512} because of no progress in",  # containerd
        "inactivity time exceeded timeout while pulling image",  # the ECS agent
        action=Action.LAYER,
    ),
    _round_trip(Failure.TRUNCATED, *system_errors.CUT),
    _round_trip(Failure.RESET, f"{_OPEN}(?:{_any(system_errors.RESET)})"),
    _round_trip(Failure.STALLED, f"{_OPEN}(?:i/o timeout|{_any(system_errors.TIMED_OUT)})"),
    _round_trip(Failure.STALLED, *system_errors.STALLED),
    _round_trip(
        Failure.RESET,
        r"(?:[\"'/]:|retrying in \d{1,3} seconds?(?: \d{1,6} \|)?|error code \d{1,3}:|uploads/ in \S{1,255}:) eof\b",
        *system_errors.RESET,
        *system_errors.HUNG_UP,
    ),
    # ---- answers
    # Of a HEAD, whose answer has no body to be parsed.
    _round_trip(Failure.DENIED, "parsing http 403 response body: unexpected end of json input"),
    _round_trip(
        Failure.DENIED, r"parsing http 403 response body: invalid character '<'[^<]{0,80}<\?xml", action=Action.LAYER
    ),
    # An HTML page may contain "403" and "access denied" as well: all of it is one match.
    _round_trip(Failure.NOT_AWS, "<(?:!doctype|html|head|title).*"),
    _round_trip(Failure.NOT_AWS, "invalid character '<' looking for beginning of value", *system_errors.PROXY_PAGES),
    _round_trip(
        Failure.NO_CREDENTIALS,
        r"sandbox image .{0,700}(?:no basic auth credentials|\b401 unauthorized|authorization failed)",
        action=Action.CHALLENGE,
    ),
    # Both lines of Docker Hub's answer; the second one alone is any registry's.
    _round_trip(
        Failure.DENIED,
        "denied: requested access to the resource is denied unauthorized: authentication required",
        code=DOCKER_HUB,
    ),
    _round_trip(
        Failure.NO_CREDENTIALS,
        "no basic auth credentials",
        "failed to fetch anonymous token.*",
        "credential required for basic auth",
        "(?:unauthorized|/\\S{1,256}|(?:image|scanner|registry|manifest)): authentication required",
        "basic credential not found",  # oras-go
        "no auth config found for registry",  # Terraform's provider for Docker
        "no credentials available for basic auth",  # regclient
        "please login prior to (?:push|pull)",  # Docker before 1.11
        "missing username or secret",
        action=Action.CHALLENGE,
    ),
    _round_trip(Failure.CLOCK, "signature (?:expired|not yet current)"),
    # Only ECR's registry says this. AWS[ecr-expired-token]
    _round_trip(
        Failure.UNAUTHENTICATED,
        "your authorization token (?:has expired|is invalid)",
        "denied: the security token included in the request is (?:invalid|expired)",
        action=Action.MANIFEST,
    ),
    # containers/image and Nomad of any registry, whose answer is only this word.
    _round_trip(
        Failure.UNAUTHENTICATED,
        "unable to retrieve auth token: invalid username/password(?:: unauthorized: .{0,80})?",
        r"failed to pull `[^`]{1,300}`: unauthorized(?!:)",
        action=Action.MANIFEST,
    ),
    # The body of ECR's answer to a request without a token.
    _round_trip(
        Failure.UNAUTHENTICATED,
        r"\b401\b[\w ]{0,14}[:;,]? ?(?:body: ?)?[\"']?not authorized\b",
        r"unauthorized: not authorized\b",
        r"requires authentication \(401\)",
        action=Action.MANIFEST,
    ),
    # Words of AWS's APIs, also where the text leaves out which one.
    _round_trip(
        Failure.UNAUTHENTICATED,
        "security token included in the request is (?:invalid|expired)",
        "request signature we calculated does not match the signature you provided",
        "credential should be scoped to a valid region",
        action=Action.TOKEN,
    ),
    _round_trip(
        Failure.UNAUTHENTICATED,
        "(?:authorization|provided) token has expired",
        r"\b401\W{1,2}unauthorized",
        "(?:unsupported|unexpected) (?:http )?status(?: code)?:? 401",  # go-containerregistry, Docker
        r"\bunauthorized: ",
        rf"unauthorized for (?P<host>{_NAME})/",  # jib
        r"login attempt to \S{1,300} failed",
        "invalid username/password",
        r"failed to refresh url: (?:unexpected )?status(?: code)? 40[13]",
        _status("401"),
        r"request to https://public\.ecr\.aws/\S{1,300}: 400 bad request",  # AWS[ecr-public-login]
    ),
    _round_trip(
        Failure.THROTTLED,
        "toomanyrequests: you have reached your (?:unauthenticated )?pull rate limit.*",
        r"toomanyrequests: too many requests\. please see https://docs\.docker\.com.*",
        code=DOCKER_HUB,
    ),
    # ECR names the caller and the action where it denies; these words are Docker Hub's.
    _round_trip(Failure.DENIED, "denied: requested access to the resource is denied", code=DOCKER_HUB),
    # ECR's registry, in the words of its API. Other registries have words of their own.
    _round_trip(
        Failure.THROTTLED,
        "toomanyrequests(?:exception)?: (?:rate|data limit) exceeded",
        action=Action.MANIFEST,
        code="TOOMANYREQUESTS",
    ),
    _round_trip(
        Failure.THROTTLED,
        "toomanyrequests",
        "too many requests to registry",
        "rate exceeded",
        r"\b429\W{1,2}too many requests",
        _status("429"),
        "(?:pull )?rate limit exceeded",
    ),
    _round_trip(
        Failure.NO_PLATFORM,
        r"no matching manifest for (?P<platform>[\w/]{2,40})",
        r"descriptor matching platform '(?P<requested>[^']{2,40})'",
        "find a descriptor for platform",
        # What follows is containerd's word for it, not the registry's.
        r"no match for platform(?: in manifest)?(?: sha256:[0-9a-f]{1,64})?(?:: not found)?",
        "no image found in (?:manifest list|image index) for architecture",
        r"image operating system \S{1,40} cannot be used",
        r"cannot download image with operating system \S{1,40}",
        r"a windows version [\d.]{1,20}-based image is incompatible with a [\d.]{1,20} host",
        "operating system of the container does not match the operating system of the host",
        "container operating system does not match the host operating system",
        action=Action.MANIFEST,
    ),
    _round_trip(
        Failure.NOT_FOUND,
        r"repository with name '[^']{1,256}' does not exist in the registry with id",
        r"unknown: the repository .{1,300}? does not exist\b",
        "name unknown",
        action=Action.MANIFEST,
        code="NAME_UNKNOWN",
    ),
    _round_trip(
        Failure.NOT_FOUND,
        "manifest unknown(?:: requested image not found)?",
        "requested image not found",
        "image manifest does not exist for tag or digest",
        action=Action.MANIFEST,
        code="MANIFEST_UNKNOWN",
    ),
    _round_trip(Failure.NOT_FOUND, "blob unknown", action=Action.BLOB, code="BLOB_UNKNOWN"),
    _round_trip(
        Failure.NOT_FOUND,
        "specified log group does not exist",
        r"log (?:group|stream) \S{1,512} does not exist",
        action=Action.LOGS,
    ),
    _round_trip(
        Failure.NOT_FOUND,
        "pull access denied(?: for [^,]{1,512})?, repository does not exist or may require",
        r"(?:repository \S{1,512} not found: )?does not exist or no pull access",  # Docker until 17.09
        action=Action.MANIFEST,
        code=HIDDEN,
    ),
    _round_trip(
        Failure.NOT_FOUND,
        r"\S[:@]\S{1,512}: not found(?!\w)",
        r"(?:manifest for|repo|repository|image) \S{1,512} not found",
        r"content at \S{1,512} not found",
        r"\b404\W{1,2}not found",
        _status("404"),
        "unable to locate any tags in provided repository",  # Helm
        "(?:unsupported|unexpected) (?:http )?status(?: code)?:? 404",
        action=Action.MANIFEST,
    ),
    _round_trip(
        Failure.DENIED,
        "is not authorized to perform",
        r"\b403\W{1,2}forbidden",
        r"invalid status code returned when fetching [a-z ]{1,40} 403\b",
        "status(?: code)?:? 403",
        _status("403"),
        "access ?denied(?:exception)?",
        r"\bdenied: ",
        r"because no [\w -]{5,40} policy allows",
        "with an explicit deny",
    ),
    # Docker's word for any registry.
    _round_trip(Failure.SERVER_ERROR, r"unexpected http status:? 50[0-4][\w -]{0,24}", action=Action.MANIFEST),
    _round_trip(
        Failure.SERVER_ERROR,
        r"\b50[0-4]\W{1,2}(?:internal server error|bad gateway|(?:service|server) unavailable|gateway time-?out)",
        "status ?code: 50[0-4]",
        _status("50[0-4]"),
        "(?:unsupported|unexpected) status(?: code)?:? 50[0-4]",
        r'/v2/[^\s"]{0,300}"?: (?:internal server error|bad gateway|service unavailable|gateway time-?out)',
    ),
    # ---- timeouts and connections without details
    _round_trip(Failure.REFUSED, *system_errors.REFUSED, action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, *system_errors.UNREACHABLE, action=Action.TCP),
    _round_trip(
        Failure.PROHIBITED,
        system_errors.PROHIBITED[-1],
        r"new connection: \[errno \d{1,3}\] (?:permission denied|operation not permitted)",
        action=Action.TCP,
    ),
    _no_answer(*system_errors.WAITED, *system_errors.TIMED_OUT, weight=Weight.WEAK),
    _no_answer(*system_errors.NO_ANSWER, weight=Weight.WRAPPING),
    _no_answer(
        "connection issue between the task and", "check your (?:task )?network configuration", weight=Weight.FAINT
    ),
)
# Error codes: AccessDeniedException, SlowDown, NAME_UNKNOWN. A word with one capital is not a code.
_NO_HELPER = (Subject.HELPER_MISSING, Subject.HELPER_FAILED)
_NAMED = re.compile("expired|invalid|sso", re.IGNORECASE)
_CODE = re.compile(r"\b(?:[A-Z][a-z0-9]+){2,8}\b|\b[A-Z]{3,20}(?:_[A-Z]{2,20}){0,3}\b")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # unlike lower(), keeps every position


def deciding_match(record: str) -> PatternMatch | None:
    """The match that decides: of the most specific ones the last.

    A client that found no credentials asks the registry without a token, so that its answer to that decides nothing.
    """
    matches = tuple(_matches(record))
    last = max(matches, key=lambda match: (match.weight, match.end), default=None)
    if last is None or not _is_without_token(last, record):
        return last
    sources = (match for match in matches if match.action is Action.CREDENTIALS or match.subject in _NO_HELPER)
    return next(sources, last)


def _is_without_token(match: PatternMatch, record: str) -> bool:
    """Whether the registry answered a request without a token."""
    if match.action is Action.CHALLENGE:
        return match.failure is Failure.NO_CREDENTIALS
    of_registry = match.failure is Failure.UNAUTHENTICATED and match.action in (None, Action.MANIFEST)
    return of_registry and _NAMED.search(record, match.begin, match.end) is None


def _matches(record: str) -> Iterator[PatternMatch]:
    """Every match in a record, without those that overlap an earlier one."""
    accepted: list[PatternMatch] = []
    for match in (*_pattern_matches(record), *_code_matches(record)):
        if all(match.end <= other.begin or other.end <= match.begin for other in accepted):
            accepted.append(match)
            yield match


def _pattern_matches(record: str) -> Iterator[PatternMatch]:
    lower = record.translate(_LOWER)
    for row in PATTERNS:
        for match in row.pattern.finditer(lower):
            yield _pattern_match(row, match, record)


def _pattern_match(row: ErrorPattern, match: re.Match[str], record: str) -> PatternMatch:
    groups = {name: record[slice(*match.span(name))] or None for name in match.re.groupindex}
    return PatternMatch(
        failure=row.failure,
        weight=row.weight,
        begin=match.start(),
        end=match.end(),
        action=row.action,
        subject=row.subject,
        code=row.code,
        host=groups.get("host") or groups.get("asked_host") or groups.get("host_before"),
        server=groups.get("server") or groups.get("asked"),
        address=groups.get("address"),
        port=groups.get("port"),
        platform=groups.get("platform") or groups.get("requested"),
        names=groups.get("names"),
    )


# CloudFormation's own word for what a service answered, behind the answer.
_OF_HANDLER = "HandlerErrorCode: "


def _code_matches(record: str) -> Iterator[PatternMatch]:
    for match in _CODE.finditer(record):
        failure = failure_of_code(match[0], record)
        if failure is not None and not record.endswith(_OF_HANDLER, 0, match.start()):
            yield PatternMatch(failure, Weight.STRONG, match.start(), match.end(), code=match[0])
