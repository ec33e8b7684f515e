"""The nouns of ecr-probe: plain frozen values that pass between the stages.

Facts are `Step` and `Measurement`, opinions are `Finding`, the answer is `Verdict`. Nothing here opens a socket, reads
a clock or depends on a library. Units are seconds and bytes; instants in documents are UTC.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from probe.records import Record, field

SCHEMA_VERSION = 1


class Ranked(StrEnum):
    """Words in an order: the one declared first is the most serious."""

    @property
    def rank(self) -> int:
        """The position in that order, from 0."""
        return type(self)._member_names_.index(self.name)


class Kind(StrEnum):
    """How PrivateLink carries an endpoint: by network interfaces with private DNS, or by a route (S3)."""

    INTERFACE = "interface"
    GATEWAY = "gateway"


class Action(StrEnum):
    """What a step tries. One action is one round trip."""

    METADATA = "metadata"
    CREDENTIALS = "credentials"
    ENVIRONMENT = "environment"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    TOKEN = "token"
    CHALLENGE = "challenge"
    MANIFEST = "manifest"
    BLOB = "blob"
    LAYER = "layer"
    LOGS = "logs"
    CONTROL = "control"
    REQUEST = "request"  # to another AWS API: of --also; in error texts also others, such as for a secret
    START = "start"  # ECS places a task or starts its container; only in error texts


class Outcome(StrEnum):
    """How a step ended. SKIPPED is neither good nor bad: it was not tried."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Failure(StrEnum):
    """Every way in which a step can fail. `wire` maps each error of a library to one of these, in one place."""

    NXDOMAIN = "nxdomain"
    NO_ADDRESS = "no-address"
    SERVFAIL = "servfail"
    REFUSED_QUERY = "refused-query"
    NO_ANSWER = "no-answer"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    PROHIBITED = "prohibited"
    TLS_STALL = "tls-stall"
    TLS_RESET = "tls-reset"
    UNTRUSTED = "untrusted"
    WRONG_NAME = "wrong-name"
    EXPIRED = "expired"
    NOT_TLS = "not-tls"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    NOT_FOUND = "not-found"
    THROTTLED = "throttled"
    SERVER_ERROR = "server-error"
    NOT_AWS = "not-aws"
    BAD_DIGEST = "bad-digest"
    TRUNCATED = "truncated"
    STALLED = "stalled"
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    REDIRECT = "redirect"
    CLOCK = "clock"
    NO_CREDENTIALS = "no-credentials"
    NO_PLATFORM = "no-platform"
    NO_RESOURCES = "no-resources"  # this process is short of descriptors, memory or threads
    DEADLINE = "deadline"
    BUG = "bug"


# Failures of a lookup that a stub resolver accepts as an answer (None: no failure); on any other, glibc asks the next
# nameserver line. Measuring and judging must pick the same line.
ANSWERED = (None, Failure.NXDOMAIN, Failure.NO_ADDRESS)


class AddressClass(StrEnum):
    """Where an address lies. VPC: inside a known range. PRIVATE: not globally routable, outside the known ranges.

    UNKNOWN: a global IPv6 address outside the known ranges; endpoint ENIs have such addresses, so it is not a fault by
    itself.
    """

    VPC = "vpc"
    PRIVATE = "private"
    PUBLIC = "public"
    UNKNOWN = "unknown"


class Impact(Ranked):
    """What a fault breaks. START: what a task needs to start, other than its image. PROOF: only our proof that the pull
    works. NONE: nothing.
    """

    PULL = "pull"
    START = "start"
    ROUTE = "route"
    LOGS = "logs"
    AGENT = "agent"
    PROOF = "proof"
    NONE = "none"


class Standing(Ranked):
    """How certain a cause is."""

    CONFIRMED = "confirmed"
    POSSIBLE = "possible"
    RULED_OUT = "ruled-out"


class Severity(Ranked):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Basis(StrEnum):
    """What a document is based on. TEXT: an error text; nothing was measured. Its failed steps are those that the text
    reports, its OK steps those that must have succeeded before. CONFIGURATION: the account's configuration was read;
    its steps are what a check would see.
    """

    MEASURED = "measured"
    TEXT = "text"
    CONFIGURATION = "configuration"


class Client(StrEnum):
    """Who pulls or pushes the image. A check is about ECS; an error text may be about another one.

    RUNTIME: Docker, Podman, BuildKit, a CI runner or the like. API: a request to ECR's API that is neither.
    """

    ECS = "ecs"
    LAMBDA = "lambda"
    APP_RUNNER = "app-runner"
    SAGEMAKER = "sagemaker"
    CODEBUILD = "codebuild"
    BATCH = "batch"
    KUBERNETES = "kubernetes"
    RUNTIME = "runtime"
    PUSH = "push"
    API = "api"


class Status(Ranked):
    """The verdict in one word."""

    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    DEGRADED = "degraded"
    PASS = "pass"


class Pull(StrEnum):
    """Could ECS pull the image on the measured path with the measured role?"""

    WORKS = "works"
    BROKEN = "broken"
    UNPROVEN = "unproven"


class Path(StrEnum):
    """Which network interface was measured."""

    TASK_ENI = "task-eni"
    INSTANCE_ENI = "instance-eni"
    LAMBDA_ENI = "lambda-eni"
    UNKNOWN = "unknown"


class Route(StrEnum):
    """How an endpoint was reached. UNDETERMINED: a gateway endpoint and a NAT look the same on the wire."""

    ENDPOINT = "endpoint"
    PUBLIC = "public"
    UNDETERMINED = "undetermined"


class Layers(StrEnum):
    """Which layers of the image are fetched."""

    SMALLEST = "smallest"
    ALL = "all"
    NONE = "none"


class Partition(Record, frozen=True):
    """One of AWS's partitions. `regions` are those that botocore lists; a newer one belongs by its form."""

    name: str  # "aws", "aws-cn"
    dns_suffix: str  # "amazonaws.com"
    dual_stack_suffix: str  # "api.aws"
    regions: tuple[str, ...]


# ---- where we are ----------------------------------------------------------------------------------------------------


class Identity(Record, frozen=True, kw_only=True):
    """Which credentials were used. `source` is botocore's name of the provider, "none" without any; never a secret."""

    source: str
    arn: str | None = None


class LogDestination(Record, frozen=True, kw_only=True):
    """Where a container of this task logs with awslogs. `own` marks the container that ecr-probe runs in."""

    container: str
    region: str | None
    group: str | None
    stream: str | None
    own: bool


class Surroundings(Record, frozen=True, kw_only=True):
    """What the task knows about itself, from task metadata and the environment. None means unknown."""

    metadata_answered: bool = False
    metadata_remembered: bool = False  # from an earlier round of the sidecar; metadata failed in this one
    log_drivers_known: bool = False  # metadata names the log driver of each container
    path: Path = Path.UNKNOWN
    client: Client = Client.ECS
    region: str | None = None
    account: str | None = None
    launch_type: str | None = None
    network_mode: str | None = None
    availability_zone: str | None = None
    cluster: str | None = None
    service: str | None = None  # its name; the task definition's family where the task belongs to none; the function's
    task_arn: str | None = None
    container: str | None = None
    image: str | None = None
    image_id: str | None = None  # the digest by which ECS identifies the image
    snapshotter: str | None = None  # of this task's containers: "overlayfs", "soci"
    log_destinations: tuple[LogDestination, ...] = ()
    subnet_cidr: str | None = None
    subnet_cidr_ipv6: str | None = None
    instance_cidrs: tuple[str, ...] = ()  # the VPC's ranges, from EC2 instance metadata
    addresses: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()  # names of the variables that are set, never their values
    clock_synchronized: bool | None = None
    fault_injection: bool = False
    service_connect: bool = False  # the task has Service Connect's proxy
    fips_endpoints: bool = False  # AWS_USE_FIPS_ENDPOINT is on in our own environment


# ---- what is to be measured ------------------------------------------------------------------------------------------


class ImageReference(Record, frozen=True, kw_only=True):
    """A parsed image reference in private ECR. Where the text has a tag and a digest, the digest counts and `tag` is
    None.
    """

    text: str
    host: str
    account: str
    region: str
    partition: str
    repository: str
    tag: str | None
    digest: str | None
    fips: bool = False
    dual_stack: bool = False


class ImageHost(StrEnum):
    """What kind of registry an image reference names."""

    PRIVATE_ECR = "private-ecr"
    PUBLIC_ECR = "public-ecr"
    VPC_ENDPOINT = "vpc-endpoint"  # a vpce-… name, with which docker login fails
    OTHER = "other"


class Endpoint(Record, frozen=True, kw_only=True):
    """One AWS endpoint to reach: a row of the table in `endpoints.py`, filled in for a region and an account.

    `host` is what clients call: SNI, Host header and signature. `lookup` is the name that is resolved; it
    differs from `host` only with --endpoint-dns. `mistaken` is the name, with labels swapped, that hosted zones often
    have by mistake. `call` is the IAM action of the signed call that --also makes there, None for a handshake only.
    """

    name: str
    host: str
    lookup: str
    kind: Kind
    region: str
    required: bool
    impact: Impact
    port: int = 443
    mistaken: str | None = None
    call: str | None = None


class Budget(Record, frozen=True, kw_only=True):
    """Every limit of a run, in seconds and bytes. `deadline` counts from process start."""

    deadline: float = 30.0
    connect: float = 3.0
    tls: float = 3.0
    request: float = 10.0
    stall: float = 5.0
    dns_try: float = 2.0
    dns_tries: int = 2
    dns_total: float = 5.0
    metadata: float = 3.0
    control: float = 0.4
    retry_wait: float = 2.0
    retries: int = 1
    manifest_bytes: int = 4 * 1024 * 1024
    error_bytes: int = 64 * 1024
    metadata_bytes: int = 1024 * 1024
    layer_bytes: int = 64 * 1024 * 1024


class Plan(Record, frozen=True, kw_only=True):
    """What one run is to measure, in table order. `omitted` lists the endpoints that this task does not need."""

    endpoints: tuple[Endpoint, ...]
    omitted: tuple[str, ...]
    region: str
    partition: str
    dns_suffix: str
    account: str
    layer_host: str
    image: str | None  # the reference as written
    reference: ImageReference | None  # None where the image is not in private ECR
    image_host: ImageHost
    image_given: bool  # by --image; False: the image of the container, from task metadata
    pinned_digest: str | None = None  # to which ECS probably resolved the tag of the container's own image
    platform: str
    platform_given: bool
    layers: Layers = Layers.SMALLEST
    vpc_cidrs: tuple[str, ...] = ()  # known ranges: flags, instance metadata, the task's subnet
    presumed_cidrs: tuple[str, ...] = ()  # a guess, from the task's own addresses
    log_group: str | None = None
    log_stream: str | None = None
    other_log_groups: tuple[str, ...] = ()  # of other containers, in the same region
    other_log_regions: tuple[str, ...] = ()  # of other containers; named, not measured
    controls: bool = True
    control_host: str | None = None  # S3 of another region of the partition: reachable only through NAT or the internet
    budget: Budget = field(default_factory=Budget)

    def endpoint(self, name: str) -> Endpoint | None:
        return next((e for e in self.endpoints if e.name == name), None)


class Policy(Record, frozen=True, kw_only=True):
    """What the operator accepts. It changes severities, never what is measured."""

    allow_public: tuple[str, ...] = ()
    pull_role: str | None = None
    strict: bool = False


# ---- facts -----------------------------------------------------------------------------------------------------------


class Address(Record, frozen=True):
    address: str
    address_class: AddressClass = field(name="class")


class Seen(Record, frozen=True, kw_only=True, tag_field="type"):
    """What a step showed, as typed facts. The subclasses below form the union `AnySeen`."""


class Nothing(Seen, frozen=True, kw_only=True, tag="nothing"):
    """A step that was skipped, or that failed before it got any answer."""


class MetadataSeen(Seen, frozen=True, kw_only=True, tag="metadata"):
    version: str  # "v4", "v3", "instance"
    status: int | None = None


class ProxySeen(Seen, frozen=True, kw_only=True, tag="proxy"):
    variables: tuple[str, ...]
    bypassed: bool
    uncovered: tuple[str, ...] = ()  # hosts and addresses that NO_PROXY does not cover


class CredentialsSeen(Seen, frozen=True, kw_only=True, tag="credentials"):
    source: str | None = None
    arn: str | None = None
    status: int | None = None  # HTTP status of the container credentials endpoint, where it refused
    unanswered: bool = False  # the provider's address sent nothing back


class Asker(StrEnum):
    """Why a name was looked up at this resolver."""

    CONFIGURED = "configured"  # it is a nameserver line of the system
    CONTROL = "control"  # it is AmazonProvidedDNS, asked in addition to the configured ones
    FOLLOW_UP = "follow-up"  # the name is a common misspelling of the right one


class ControlSeen(Seen, frozen=True, kw_only=True, tag="control"):
    """A bare connect to a host outside the plan. Both results are good; `reached` None means there is none."""

    host: str
    address: str | None = None
    reached: bool | None = None


class NamesSeen(Seen, frozen=True, kw_only=True, tag="dns"):
    """One answer of one resolver. `order` is the position of the nameserver line, from 0."""

    server: str
    asker: Asker
    order: int
    name: str
    record: str  # "A" or "AAAA"
    addresses: tuple[Address, ...] = ()
    cnames: tuple[str, ...] = ()
    ttl: int | None = None
    rcode: str | None = None
    tcp: bool = False  # the answer over UDP was truncated, so TCP was tried


class ConnectionSeen(Seen, frozen=True, kw_only=True, tag="tcp"):
    address: str
    address_class: AddressClass = field(name="class")


class CertificateSeen(Seen, frozen=True, kw_only=True, tag="tls"):
    """A handshake. `verified` False with an issuer: a second handshake without verification read the certificate;
    nothing was sent over it.
    """

    address: str
    address_class: AddressClass = field(name="class")
    verified: bool = False
    version: str | None = None
    issuer: str | None = None  # "O=Amazon, CN=Amazon RSA 2048 M02"
    issuer_organization: str | None = None
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None


class LargeHelloSeen(Seen, frozen=True, kw_only=True, tag="large-hello"):
    """A control handshake with a large ClientHello, of which only the first record of an answer is read.

    `hello_bytes` is the size of its TLS record. `answer` is "ServerHello" or "alert", None where none came.
    """

    address: str
    hello_bytes: int | None = None
    answer: str | None = None


class DenialReason(StrEnum):
    """The policy that denied access, as AWS's own sentence names it (IAM guide, "troubleshoot access denied")."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    ENDPOINT = "VPC endpoint policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


class Denial(Record, frozen=True, kw_only=True):
    """A parsed access-denied sentence. `reason` None: AWS does not name the kind of policy; `policy`: its ARN."""

    reason: DenialReason | None = None
    explicit: bool = False
    principal: str | None = None
    action: str | None = None
    resource: str | None = None  # an ARN or "*", of characters that are safe in a command
    policy: str | None = None

    @property
    def is_of_key(self) -> bool:
        """Whether an action on a KMS key was denied."""
        return (self.action or "").startswith("kms:")


class Topic(StrEnum):
    """What an error of AWS concerns, where only its words say so."""

    KEY = "kms-key"
    UPSTREAM = "upstream-registry"  # of a pull-through cache
    ROLE = "role"  # that cannot be assumed


class AnswerSeen(Seen, frozen=True, kw_only=True, tag="http"):
    """One HTTP answer. `aws`: it carries a mark of AWS: a request id, a registry error envelope or S3's XML."""

    address: str | None = None
    method: str = "GET"
    status: int | None = None
    aws: bool = False
    code: str | None = None  # AccessDeniedException, NAME_UNKNOWN, AccessDenied …
    topic: Topic | None = None
    request_id: str | None = None
    denial: Denial | None = None
    clock_offset: float | None = None  # seconds by which the answer's Date is ahead of our clock
    signed_at: datetime | None = None  # the two times of a refused signature
    server_time: datetime | None = None
    body_bytes: int | None = None


PINNED = "pinned"  # the subject of the request for the digest that ECS pinned
SCHEMA_1 = "schema 1"  # the artifact that a manifest of Docker's first format is taken for


class ManifestSeen(Seen, frozen=True, kw_only=True, tag="manifest"):
    answer: AnswerSeen
    media_type: str | None = None
    digest: str | None = None
    platforms: tuple[str, ...] = ()  # that an index offers
    platform: str | None = None  # the one that was chosen
    layers: int | None = None
    layers_bytes: int | None = None
    foreign_layers: int = 0
    artifact: str | None = None  # the type of content that is no image, such as a chart


class RedirectTarget(StrEnum):
    """The owner of the host in a blob redirect."""

    LAYER_BUCKET = "layer-bucket"  # the layer bucket of the image's own region
    NEW_BUCKET = "new-bucket"  # S3 of the image's region, a bucket with another name
    OTHER_REGION = "other-region"  # S3, another region
    FOREIGN = "foreign"  # not S3
    INSECURE = "insecure"  # not https
    LOOP = "loop"  # the registry itself again, or a second redirect


class RedirectSeen(Seen, frozen=True, kw_only=True, tag="redirect"):
    answer: AnswerSeen
    digest: str
    target: RedirectTarget | None = None
    host: str | None = None
    region: str | None = None


class LayerSeen(Seen, frozen=True, kw_only=True, tag="layer"):
    answer: AnswerSeen
    digest: str
    what: str  # "config" or "layer"
    size: int | None = None  # according to the manifest
    received: int = 0
    ranged: bool = False  # only the first bytes were requested; the digest cannot be verified
    verified: bool = False
    bytes_per_second: float | None = None
    platform: str | None = None  # for which the image was built, as its config states


class LogsSeen(Seen, frozen=True, kw_only=True, tag="logs"):
    answer: AnswerSeen
    group: str | None = None
    stream: str | None = None
    group_exists: bool | None = None
    stream_exists: bool | None = None


AnySeen = (
    Nothing
    | MetadataSeen
    | ProxySeen
    | CredentialsSeen
    | ControlSeen
    | NamesSeen
    | ConnectionSeen
    | CertificateSeen
    | LargeHelloSeen
    | AnswerSeen
    | ManifestSeen
    | RedirectSeen
    | LayerSeen
    | LogsSeen
)


S = TypeVar("S", bound=Seen)


class Step(Record, frozen=True, kw_only=True):
    """One round trip and its result.

    `host` is the host to be reached: the endpoint's, or the one that a redirect named. `address` is where the packets
    went: the resolver of a lookup, the address of a connection or request. `attempt` counts from 1; a retry is 2.
    `subject` distinguishes steps of one endpoint and action, and `id` is composed of all three: read the fields, never
    a part of these two.
    `on` is the step this one builds on (tcp on dns, tls on tcp); `blocked_by` the step that prevented a SKIPPED one,
    None where it was not requested. `detail` holds the raw text, scrubbed and at most 200 characters.
    """

    id: str
    endpoint: str
    action: Action
    subject: str
    host: str | None = None
    address: str | None = None
    attempt: int = 1
    on: str | None
    outcome: Outcome
    failure: Failure | None
    detail: str | None
    seconds: float | None
    seen: AnySeen
    blocked_by: str | None

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def failed(self) -> bool:
        return self.outcome is Outcome.FAILED

    @property
    def skipped(self) -> bool:
        return self.outcome is Outcome.SKIPPED

    @property
    def target(self) -> tuple[str, Action, str]:
        """What was tried: the same for every attempt at it."""
        return self.endpoint, self.action, self.subject

    @property
    def answer(self) -> AnswerSeen | None:
        """The HTTP answer, of any request."""
        if isinstance(self.seen, ManifestSeen | RedirectSeen | LayerSeen | LogsSeen):
            return self.seen.answer
        return self._seen_as(AnswerSeen)

    @property
    def denial(self) -> Denial | None:
        """The access-denied sentence in the answer."""
        return self.answer.denial if self.answer else None

    @property
    def names(self) -> NamesSeen | None:
        """The answer to a lookup."""
        return self._seen_as(NamesSeen)

    @property
    def asker(self) -> Asker:
        """Why a name was looked up; CONFIGURED for every step that is no lookup."""
        return self.names.asker if self.names else Asker.CONFIGURED

    @property
    def connection(self) -> ConnectionSeen | None:
        return self._seen_as(ConnectionSeen)

    @property
    def certificate(self) -> CertificateSeen | None:
        """The handshake and the certificate."""
        return self._seen_as(CertificateSeen)

    @property
    def large_hello(self) -> LargeHelloSeen | None:
        """The control handshake with a large ClientHello."""
        return self._seen_as(LargeHelloSeen)

    @property
    def manifest(self) -> ManifestSeen | None:
        return self._seen_as(ManifestSeen)

    @property
    def redirect(self) -> RedirectSeen | None:
        return self._seen_as(RedirectSeen)

    @property
    def layer(self) -> LayerSeen | None:
        return self._seen_as(LayerSeen)

    @property
    def log_request(self) -> LogsSeen | None:
        return self._seen_as(LogsSeen)

    @property
    def credentials(self) -> CredentialsSeen | None:
        return self._seen_as(CredentialsSeen)

    @property
    def control(self) -> ControlSeen | None:
        return self._seen_as(ControlSeen)

    @property
    def proxies(self) -> ProxySeen | None:
        return self._seen_as(ProxySeen)

    def _seen_as(self, kind: type[S]) -> S | None:
        return self.seen if isinstance(self.seen, kind) else None


class GateName(StrEnum):
    """A place that can stop a name, a packet or a call on its way to an endpoint. The list is closed."""

    DHCP_OPTIONS = "dhcp-options"
    VPC_DNS_ATTRIBUTES = "vpc-dns-attributes"
    RESOLVER_FIREWALL = "resolver-firewall"
    RESOLVER_RULE = "resolver-rule"
    HOSTED_ZONE = "hosted-zone"
    PRIVATE_DNS = "private-dns"
    ENDPOINT = "endpoint"
    ENDPOINT_INTERFACE = "endpoint-interface"
    ENDPOINT_ZONE = "endpoint-zone"
    SECURITY_GROUP_EGRESS = "security-group-egress"
    NACL_EGRESS = "nacl-egress"
    ROUTE = "route"
    PUBLIC_PATH = "public-path"
    BLOCK_PUBLIC_ACCESS = "block-public-access"
    NETWORK_FIREWALL = "network-firewall"
    NACL_INGRESS = "nacl-ingress"
    SECURITY_GROUP_INGRESS = "security-group-ingress"
    NACL_RETURN_EGRESS = "nacl-return-egress"
    NACL_RETURN_INGRESS = "nacl-return-ingress"
    ENDPOINT_POLICY = "endpoint-policy"
    IDENTITY_POLICY = "identity-policy"
    PERMISSIONS_BOUNDARY = "permissions-boundary"
    SERVICE_CONTROL_POLICY = "service-control-policy"
    RESOURCE_CONTROL_POLICY = "resource-control-policy"
    REPOSITORY_POLICY = "repository-policy"
    REGISTRY_POLICY = "registry-policy"
    KMS_KEY = "kms-key"
    TRUST_POLICY = "trust-policy"
    LOG_GROUP = "log-group"
    SECRET_ENDPOINT = "secret-endpoint"
    IMAGE = "image"
    PULL_THROUGH_RULE = "pull-through-rule"


class GateAnswer(StrEnum):
    """What a gate does. DEPENDS: on a value that cannot be known, such as a condition key of a policy. UNKNOWN: its
    configuration could not be read. Neither is ever guessed to be ALLOWS.
    """

    ALLOWS = "allows"
    REFUSES = "refuses"
    DEPENDS = "depends"
    UNKNOWN = "unknown"


# The platform of an image is read only with this flag of `inspect`, since reading it can count as a pull.
READ_MANIFEST = "--read-manifest"
PLATFORM = "platform"  # the element of an image whose platform is not known


def fits_platform(offered: str, needed: str) -> bool:
    """Whether an image for one platform runs on another. One without variant fits any variant, and any fits it."""
    return offered == needed or offered.startswith(f"{needed}/") or needed.startswith(f"{offered}/")


def is_unread_platform(gate: GateName, answer: GateAnswer, element: str | None) -> bool:
    """Whether the answer is only that the platform of an image is not known, which alone is no reason for doubt."""
    return (gate, answer, element) == (GateName.IMAGE, GateAnswer.UNKNOWN, PLATFORM)


class Gate(Record, frozen=True, kw_only=True):
    """The answer of one gate, for a packet to `address` or for a call.

    `object` is the id of the AWS object that decided, `element` the very part of it: a rule's id, an entry's number, a
    route's destination, a statement's Sid or index. `cause` is the cause that a refusal confirms. `missing` is the IAM
    action, or the reason, for which its configuration is unknown.
    """

    endpoint: str
    address: str | None = None
    gate: GateName
    answer: GateAnswer
    object: str | None = None
    element: str | None = None
    sentence: str
    subnet: str | None = None  # of the task, where several are inspected
    cause: str | None = None
    missing: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not known to allow, and that is a reason for doubt."""
        return self.answer is not GateAnswer.ALLOWS and not self.is_unread_platform

    @property
    def is_unread_platform(self) -> bool:
        """Whether only the platform of an image is not known."""
        return is_unread_platform(self.gate, self.answer, self.element)


class Measurement(Record, frozen=True, kw_only=True):
    """All facts of one run: enough to diagnose it again on another machine. Steps are in plan order."""

    basis: Basis = Basis.MEASURED
    interrupted: bool = False  # by a signal, before everything was measured
    started_at: datetime
    seconds: float
    surroundings: Surroundings
    identity: Identity
    plan: Plan
    gates: tuple[Gate, ...] = ()  # of the configuration, if it was read
    steps: tuple[Step, ...]


# ---- opinions --------------------------------------------------------------------------------------------------------


_CAPITALS = re.compile(r"(?<![\w.$-])[A-Z][A-Z0-9_]+(?![\w.(])")


class Advice(Record, frozen=True):
    """What to do: a text, then commands in order that can be pasted as they are, then a note on them.

    Words in capitals are for the reader to fill in. `text` is empty if the commands suffice.
    """

    text: str
    commands: tuple[str, ...] = ()
    note: str | None = None

    @property
    def open_words(self) -> frozenset[str]:
        """The words in capitals of the commands; names of files are none. AWS's own constants are among them."""
        return frozenset(word for command in self.commands for word in _CAPITALS.findall(command))


class Cause(Record, frozen=True, kw_only=True):
    """A possible cause of a fault. `code` is from the shared vocabulary; `confirm` is how to prove or refute it.

    `object` and `element` name the AWS object and its wrong part if the configuration was read.
    """

    code: str
    standing: Standing
    title: str
    fix: Advice
    confirm: Advice
    object: str | None = None
    element: str | None = None


class Extent(StrEnum):
    """How much of it a fault breaks. PARTLY: some of several addresses. NOTED: nothing."""

    WHOLLY = "wholly"
    PARTLY = "partly"
    NOTED = "noted"


class Finding(Record, frozen=True, kw_only=True):
    """A fault that the evidence shows. `because` holds the ids of the steps that show it; all texts are filled in."""

    code: str
    impact: Impact
    extent: Extent
    endpoints: tuple[str, ...]
    title: str
    why: str
    because: tuple[str, ...]
    values: dict[str, Any]
    causes: tuple[Cause, ...]


# ---- the answer ------------------------------------------------------------------------------------------------------


# Where the pages of the findings are, for links in reports; CODE is replaced with the code of a finding. A path in the
# repository, because the documentation is not published yet: once it is, this is its URL. --runbook-base replaces it.
RUNBOOK_BASE = "docs/findings/CODE.md"


def finding_url(code: str, base: str = RUNBOOK_BASE) -> str:
    """The address of a finding's page: `base` with the code in place of its last CODE."""
    before, _, after = base.rpartition("CODE")
    return f"{before}{code}{after}"


class JudgedFinding(Finding, frozen=True, kw_only=True):
    """A finding with its weight, and the address of its page: a URL, or a path in the repository."""

    severity: Severity
    url: str

    @property
    def is_published(self) -> bool:
        """Whether `url` can be opened anywhere."""
        return self.url.startswith(("https://", "http://"))


class EndpointSummary(Record, frozen=True, kw_only=True):
    """`resolved` counts the addresses of the name, `reached` those with a verified TLS handshake.

    `ok` is false if the endpoint fails, and also if it was not tried to the end: see `status` and `findings`.
    """

    name: str
    host: str
    kind: Kind
    required: bool
    route: Route | None
    resolved: int
    reached: int
    ok: bool


class SourceSummary(Record, frozen=True, kw_only=True):
    """A call to AWS's API and whether it was answered. `failure` is one word: "denied", "unsupported", "no-reply" …"""

    service: str
    operation: str
    ok: bool
    failure: str | None = None


class CrossCheck(Record, frozen=True, kw_only=True):
    """What IAM's policy simulator says of a call of the pulling role, next to what the gates say.

    `agrees` None: one of the two does not decide, for the reason `problem` if there is one.
    """

    action: str
    resource: str
    gates: GateAnswer
    simulator: str | None = None  # its decisions: "allowed", "implicitDeny", "explicitDeny"
    agrees: bool | None = None
    problem: str | None = None


class SubnetAnswer(Record, frozen=True, kw_only=True):
    """The verdict on one subnet, where several were inspected."""

    subnet: str
    zone: str | None
    status: Status
    summary: str


class ConfigurationSummary(Record, frozen=True, kw_only=True):
    """Where and when the configuration was read, and the answer of each subnet that was inspected."""

    read_at: datetime
    account: str | None
    region: str
    sources: tuple[SourceSummary, ...]
    subnets: tuple[SubnetAnswer, ...] = ()
    cross_check: tuple[CrossCheck, ...] = ()  # with --cross-check


class Verdict(Record, frozen=True, kw_only=True):
    """The document. Field names and meanings are the contract of schema version 1.

    `causes` are the codes of all possible causes, over all findings, likeliest first. `configuration` and `gates` are
    of the outside view; a check has neither.
    """

    schema_version: int
    version: str
    basis: Basis = Basis.MEASURED
    interrupted: bool = False  # by a signal, before everything was measured
    summary: str  # the verdict in one sentence
    status: Status
    pull: Pull
    exit_code: int
    started_at: datetime
    seconds: float
    path: Path
    identity: Identity
    surroundings: Surroundings
    plan: Plan
    policy: Policy
    endpoints: tuple[EndpointSummary, ...]
    findings: tuple[JudgedFinding, ...]
    causes: tuple[str, ...] = ()
    configuration: ConfigurationSummary | None = None
    gates: tuple[Gate, ...] = ()
    steps: tuple[Step, ...]

    @property
    def measurement(self) -> Measurement:
        return Measurement(
            basis=self.basis,
            interrupted=self.interrupted,
            started_at=self.started_at,
            seconds=self.seconds,
            surroundings=self.surroundings,
            identity=self.identity,
            plan=self.plan,
            gates=self.gates,
            steps=self.steps,
        )
