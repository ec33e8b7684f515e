"""Faults of the task and its surroundings: metadata, network path, proxies, --endpoint-dns, images elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from probe.addresses import is_ipv6
from probe.faults import causes
from probe.faults.causes import advice
from probe.faults.evidence import NO_EVIDENCE, Evidence
from probe.faults.fault import Fault, finding, finds, noted
from probe.model import Action, Basis, Endpoint, Extent, Finding, ImageHost, Impact, Outcome, Path, Step
from probe.narration import few, listed

NOT_ECS = noted(
    "task.not-ecs",
    "this host is not an ECS task",
    "There is no ECS metadata here. The verdict is about this host's own network path and credentials, not about those "
    "of a task.",
)
NO_VPC = NOT_ECS.variant(
    title="this host is not an ECS task, and nothing shows that it is in a VPC",
    why=(
        "There is no ECS metadata here, 169.254.169.253 does not answer DNS, and no endpoint has a private address. "
        "The verdict is about this host's own path and credentials. Run ecr-probe in the VPC to test its endpoints."
    ),
)
EXTERNAL = noted(
    "task.external-instance",
    "this task runs on an external instance (ECS Anywhere)",
    "Such an instance is outside any VPC, unless a VPN or Direct Connect leads to one. Without that, public addresses "
    "are right here, and no VPC endpoint carries the pull.",
)
SERVICE_CONNECT = noted(
    "task.service-connect",
    "this task uses Service Connect, whose proxy is configured through ecs-agent",
    "Without an ecs-agent endpoint in the VPC the proxy needs a way out to public addresses. The pull does not depend "
    "on it. --also ecs-agent checks that endpoint.",
)
PULL_OVER_IPV4 = noted(
    "path.pull-over-ipv4",
    "Fargate may pull over IPv4, although this task has only IPv6 and the image names the dual-stack host",
    "Public reports of 2025 and 2026 show such pulls failing at IPv4 addresses of ecr.api. Whether tasks in IPv6-only "
    "subnets are affected was not verified: prove it with a task that uses this image.",
)
FIPS_ENDPOINTS = noted(
    "task.fips-endpoints",
    "AWS_USE_FIPS_ENDPOINT is set here: SDKs with it call FIPS hosts, such as api.ecr-fips.{region}.{suffix}",
    "These hosts have endpoints of their own, such as com.amazonaws.{region}.ecr-fips.api: the private DNS of ecr.api "
    "and ecr.dkr does not cover them, and few regions have them. This check calls the standard hosts; --also ecr-fips "
    "checks the FIPS host of ecr.api.",
    (causes.FIPS_HOSTNAME,),
)
METADATA = noted(
    "task.metadata-unavailable",
    "{documents} metadata could not be read",
    "What it contains is missing from this verdict; flags can supply it.",
    examples=(("documents", "task or instance"),),
)
METADATA_REMEMBERED = METADATA.variant(
    title="{documents} metadata could not be read; the answer of an earlier round is used",
    why="The image, the network interface and the logging of a task do not change while it runs.",
)
FAMILY_SKIPPED = noted(
    "path.family-skipped",
    "the task has no {family} route, so {family} addresses were left out",
    "The names also resolve to addresses of the other family, and those were tried.",
    examples=(("family", "IPv6"),),
)
OTHER_PATH = noted(
    "path.not-the-pull",
    "ECS pulls this task's image through a different network interface from the one measured here",
    "On {launch}, image pulls and awslogs use the instance's own network interface, with its own subnet and security "
    "groups. Run the probe with networkMode host to measure that path.",
    examples=(("launch", "this launch type"),),
)
OTHER_PATH_LAMBDA = OTHER_PATH.variant(
    title="ECS pulls images through a different network interface from this function's",
    why=(
        "Lambda gives the function its own network interface, with its own security group. DNS and routes of the "
        "subnet are the same."
    ),
)
FAULT_INJECTION = noted(
    "task.fault-injection", "fault injection is enabled for this task", "Delays and losses in this run may be intended."
)
CLOCK_UNSYNCHRONIZED = noted(
    "task.clock-unsynchronized",
    "ECS reports that this task's clock is not synchronized",
    "AWS accepts signatures up to 5 minutes off, so nothing fails yet.",
)
PROXY = Fault(
    "path.proxy",
    "{variables} is set and NO_PROXY does not cover {uncovered}",
    "ecr-probe itself uses no proxy. Agents, SDKs and container runtimes with these variables send requests for those "
    "hosts to the proxy, past the endpoints.",
    Impact.ROUTE,
    (causes.PROXY,),
    Extent.PARTLY,
    examples=(("variables", "a proxy variable"), ("uncovered", "HOSTS")),
)
PROXY_COVERED = PROXY.variant(
    title="{variables} is set, and NO_PROXY covers the hosts of the pull",
    why="Clients that honor NO_PROXY go to the endpoints directly, as ecr-probe did.",
    causes=(),
    extent=Extent.NOTED,
)
TRANSPARENT_PROXY = PROXY.variant(
    title="a transparent proxy answers for every address",
    why=(
        "No host has the address {host}, yet a connection to its port 443 was accepted. The same proxy may accept the "
        "pull's connections."
    ),
    causes=(causes.TRANSPARENT_PROXY,),
)
ENDPOINT_DNS = Fault(
    "path.endpoint-dns-override",
    "{endpoints} measured at the endpoints' own names (--endpoint-dns), which ECS pulls do not use",
    "This proves the endpoints behind {lookups}, not the names that clients resolve. {clients}",
    Impact.PROOF,
    (causes.PRIVATE_DNS_OFF,),
    Extent.PARTLY,
    examples=(("clients", "The finding lists the clients that could use them."), ("lookups", "these names")),
)
NOT_ECR = Fault(
    "registry.image-not-in-ecr",
    "the task's own image is not in private ECR ({image}), so no pull could be measured",
    "No VPC endpoint of ECR is involved in pulling it. To prove the pull, pass an image in private ECR with --image.",
    Impact.PROOF,
    (
        causes.other(
            "the image is in another registry",
            advice(
                "pass an image in private ECR with --image (ECR_PROBE_IMAGE)",
                "ecr-probe check --image ACCOUNT.dkr.ecr.REGION.{suffix}/NAME:TAG",
            ),
            causes.READ_IMAGE_FIELD,
        ),
        causes.BAD_IMAGE_REFERENCE,
    ),
)
IN_ECR_PUBLIC = NOT_ECR.variant(
    why="It is in ECR Public, a different service. To prove the pull, pass an image in private ECR with --image.",
    causes=(causes.ECR_PUBLIC,),
)
AT_VPCE_HOST = NOT_ECR.variant(
    why=(
        "Its host is an endpoint's own name, where no registry login works. To prove the pull, pass an image in "
        "private ECR with --image."
    ),
    causes=(causes.VPCE_HOSTNAME,),
)
UNREADABLE_REFERENCE = NOT_ECR.variant(
    why="Its reference could not be read. To prove the pull, pass an image in private ECR with --image."
)

_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}
_BY_IMAGE_HOST = {
    ImageHost.PUBLIC_ECR: IN_ECR_PUBLIC,
    ImageHost.VPC_ENDPOINT: AT_VPCE_HOST,
    ImageHost.OTHER: NOT_ECR,
    ImageHost.PRIVATE_ECR: UNREADABLE_REFERENCE,
}


@finds(NOT_ECS, NO_VPC)
def other_places(evidence: Evidence) -> Iterator[Finding]:
    """A host that is no ECS task, and perhaps in no VPC."""
    if evidence.is_off_ecs:
        yield finding(NOT_ECS if evidence.shows_vpc else NO_VPC, evidence, evidence.of(Action.METADATA))


@finds(FIPS_ENDPOINTS)
def fips_variables(evidence: Evidence) -> Iterator[Finding]:
    """AWS_USE_FIPS_ENDPOINT in our own environment, which clients in this task obey: AWS[ecr-fips-hosts]."""
    if evidence.surroundings.fips_endpoints and evidence.plan.endpoint("ecr-fips") is None:
        yield finding(FIPS_ENDPOINTS, evidence, _metadata(evidence))


@finds(EXTERNAL, SERVICE_CONNECT, PULL_OVER_IPV4)
def kinds_of_tasks(evidence: Evidence) -> Iterator[Finding]:
    """ECS Anywhere, Service Connect (AWS[service-connect-agent]) and IPv6-only tasks on Fargate (AWS[fargate-ipv4])."""
    around, reference, steps = evidence.surroundings, evidence.plan.reference, _metadata(evidence)
    if evidence.is_text or not steps:
        return
    if evidence.is_external:
        yield finding(EXTERNAL, evidence, steps)
    if around.service_connect and evidence.plan.endpoint("ecs-agent") is None:
        yield finding(SERVICE_CONNECT, evidence, steps)
    ipv6_only = bool(around.addresses) and all(map(is_ipv6, around.addresses))
    if around.launch_type == "FARGATE" and ipv6_only and reference is not None and reference.dual_stack:
        yield finding(PULL_OVER_IPV4, evidence, steps)


@finds(METADATA, METADATA_REMEMBERED)
def silent_metadata(evidence: Evidence) -> Iterator[Finding]:
    """Metadata that could not be read although its variable is set. The pull does not depend on it."""
    steps = list(evidence.failed(Action.METADATA))
    if steps:
        documents = listed("instance" if step.subject == "instance" else "task" for step in steps)
        fault = METADATA_REMEMBERED if evidence.surroundings.metadata_remembered else METADATA
        yield finding(fault, evidence, evidence.tries(*steps), documents=documents)


@finds(FAMILY_SKIPPED)
def skipped_families(evidence: Evidence) -> Iterator[Finding]:
    """An address family for which the task has no route, while the other one is used."""
    for step in evidence.of(Action.ENVIRONMENT):
        if step.failed and step.subject in _FAMILIES and step.failure not in NO_EVIDENCE:
            yield finding(FAMILY_SKIPPED, evidence, evidence.tries(step), family=_FAMILIES[step.subject])


@finds(OTHER_PATH, OTHER_PATH_LAMBDA)
def other_path(evidence: Evidence) -> Iterator[Finding]:
    """The measured network interface is not the one that ECS pulls through."""
    steps = _metadata(evidence)
    if not evidence.pulls_elsewhere or not steps:
        return
    around = evidence.surroundings
    on_lambda = around.path is Path.LAMBDA_ENI
    launch = "Lambda" if on_lambda else f"{around.launch_type} with awsvpc"
    yield finding(OTHER_PATH_LAMBDA if on_lambda else OTHER_PATH, evidence, steps, launch=launch)


@finds(FAULT_INJECTION, CLOCK_UNSYNCHRONIZED)
def task_settings(evidence: Evidence) -> Iterator[Finding]:
    """Settings of the task that explain other findings."""
    steps = _metadata(evidence)
    if steps and evidence.surroundings.fault_injection:
        yield finding(FAULT_INJECTION, evidence, steps)
    if steps and evidence.surroundings.clock_synchronized is False:
        yield finding(CLOCK_UNSYNCHRONIZED, evidence, steps)


def _metadata(evidence: Evidence) -> tuple[Step, ...]:
    """The step that read the task's metadata, or another one where it failed, since `silent_metadata` finds that."""
    steps = [step for step in evidence.measurement.steps if not step.failed]
    metadata = [step for step in steps if step.action is Action.METADATA]
    return tuple((metadata or steps)[:1])


@finds(PROXY, PROXY_COVERED, TRANSPARENT_PROXY)
def proxies(evidence: Evidence) -> Iterator[Finding]:
    """Proxy variables, with and without exceptions, and a transparent proxy."""
    for step in evidence.of(Action.ENVIRONMENT, Action.CONTROL):
        if (proxies := step.proxies) and proxies.variables and step.ok:
            fault = PROXY_COVERED if proxies.bypassed else PROXY
            variables, uncovered = listed(proxies.variables), few(proxies.uncovered)
            yield finding(fault, evidence, (step,), variables=variables, uncovered=uncovered)
        elif (control := step.control) and step.endpoint == "task" and step.ok and control.reached:
            yield finding(TRANSPARENT_PROXY, evidence, (step,), host=control.host)


@finds(ENDPOINT_DNS)
def overridden_names(evidence: Evidence) -> Iterator[Finding]:
    """Endpoints that were measured at the addresses of another name (--endpoint-dns)."""
    chosen = [endpoint for endpoint in evidence.plan.endpoints if endpoint.lookup != endpoint.host]
    steps = [step for endpoint in chosen if (host := evidence.host(endpoint.name)) for step in host.lookups]
    if steps:
        yield finding(
            ENDPOINT_DNS,
            evidence,
            steps,
            endpoints=tuple(endpoint.name for endpoint in chosen),
            lookups=tuple(endpoint.lookup for endpoint in chosen),
            clients=_clients(chosen),
        )


def _clients(chosen: list[Endpoint]) -> str:
    """Which clients can use an endpoint without private DNS, and which cannot."""
    names = {endpoint.name for endpoint in chosen}
    able = [endpoint for endpoint in chosen if endpoint.name not in ("ecr.dkr", "s3")]
    sentences = []
    if able:
        services = listed(endpoint.name for endpoint in able)
        sentences.append(f"Clients of {services} need --endpoint-url (https://{able[0].lookup}).")
    if "ecr.dkr" in names:
        sentences.append("ecr.dkr needs private DNS: logins to a vpce name fail, because it contains no account.")
    if "s3" in names:
        sentences.append("Layers come from the host that ECR signs, so S3 cannot be redirected either.")
    return " ".join(sentences)


@finds(NOT_ECR, IN_ECR_PUBLIC, AT_VPCE_HOST, UNREADABLE_REFERENCE, basis=Basis.MEASURED)
def images_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """The task's own image is not in private ECR, so no pull can be measured."""
    if evidence.plan.reference is not None:
        return
    steps = [step for step in evidence.of(Action.MANIFEST) if step.outcome is Outcome.SKIPPED] or _metadata(evidence)
    yield finding(_BY_IMAGE_HOST[evidence.plan.image_host], evidence, steps, endpoints=("ecr.dkr",))
