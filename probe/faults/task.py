"""Faults of the task and its surroundings: metadata, network path, proxies, the name override, an image elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import NO_EVIDENCE, Evidence
from probe.faults.fault import Fault
from probe.faults.findings import found, possible
from probe.model import (
    Action,
    ControlSeen,
    Endpoint,
    Extent,
    Finding,
    ImageHost,
    Impact,
    Outcome,
    Path,
    ProxySeen,
    Step,
)
from probe.narration import few, listed
from probe.records import replace

METADATA = Fault(
    "task.metadata-unavailable",
    "{documents} metadata could not be read",
    "What it would have told is missing from this verdict; flags can say it.",
    Impact.NONE,
    extent=Extent.NOTED,
)
METADATA_REMEMBERED = replace(
    METADATA,
    title="{documents} metadata could not be read; what it told in an earlier round stands in",
    why="The image, the network interface and the logging of a task stay the same as long as it lives.",
)
FAMILY_SKIPPED = Fault(
    "path.family-skipped",
    "the task has no {family} route, so {family} addresses were left out",
    "The names answered addresses of the other family too, and those were tried.",
    Impact.NONE,
    extent=Extent.NOTED,
)
OTHER_PATH = Fault(
    "path.not-the-pull",
    "ECS pulls this task's image by another network interface than the one measured here",
    "On {launch} the instance's own interface carries image pulls and awslogs, with its own subnet and security "
    "groups. Run the probe "
    "with networkMode host to measure that path.",
    Impact.NONE,
    extent=Extent.NOTED,
)
OTHER_PATH_LAMBDA = replace(
    OTHER_PATH,
    title="ECS pulls images by another network interface than this function's",
    why=(
        "{launch} gives the function an interface of its own, with its own security group. Names and routes of the "
        "subnet are the same."
    ),
)
FAULT_INJECTION = Fault(
    "task.fault-injection",
    "fault injection is enabled for this task",
    "Delays, losses and silences that this run saw may be made on purpose.",
    Impact.NONE,
    extent=Extent.NOTED,
)
CLOCK_UNSYNCHRONIZED = Fault(
    "task.clock-unsynchronized",
    "ECS says that this task's clock is not synchronised",
    "Signatures are accepted up to 5 minutes off, so nothing is lost yet.",
    Impact.NONE,
    extent=Extent.NOTED,
)
PROXY = Fault(
    "path.proxy",
    "{variables} is set and NO_PROXY does not cover {uncovered}",
    "No connection of ecr-probe uses a proxy, but agents, SDKs and container runtimes with these variables send those "
    "hosts to it, past the endpoints.",
    Impact.ROUTE,
    (causes.PROXY,),
    Extent.PARTLY,
)
PROXY_COVERED = replace(
    PROXY,
    title="{variables} is set; NO_PROXY covers the hosts of the pull",
    why="Clients that honour NO_PROXY go to the endpoints directly, as ecr-probe did.",
    causes=(),
    extent=Extent.NOTED,
)
TRANSPARENT_PROXY = replace(
    PROXY,
    title="something between here and the network answers for every address: a transparent proxy",
    why=(
        "{host} belongs to nobody, yet a connection to its port 443 was accepted. Whatever accepts it may accept the "
        "pull's connections too."
    ),
    causes=(causes.PROXY, causes.EGRESS_FIREWALL),
)
ENDPOINT_DNS = Fault(
    "path.endpoint-dns-override",
    "--endpoint-dns: {endpoints} measured at endpoints' own names, which ECS pulls do not use",
    "This proves the endpoints behind {lookups}, not the names that clients ask for. {clients}",
    Impact.PROOF,
    (causes.PRIVATE_DNS_OFF,),
    Extent.PARTLY,
)
NOT_ECR = Fault(
    "registry.image-not-in-ecr",
    "the task's own image is not in private ECR ({image}), so no pull could be measured",
    "{kind} Name an image in private ECR with --image to prove the pull.",
    Impact.PROOF,
    (causes.OTHER,),
)

_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}
_KINDS = {
    ImageHost.PUBLIC_ECR: ("It is in ECR Public, which is another service.", causes.ECR_PUBLIC),
    ImageHost.VPC_ENDPOINT: (
        "It is named by an endpoint's own name, at which no registry login works.",
        causes.VPCE_HOSTNAME,
    ),
    ImageHost.OTHER: ("No VPC endpoint of ECR has a part in pulling it.", causes.BAD_IMAGE_REFERENCE),
    ImageHost.PRIVATE_ECR: ("Its reference could not be read.", causes.BAD_IMAGE_REFERENCE),
}


def silent_metadata(evidence: Evidence) -> Iterator[Finding]:
    """Metadata that is there by its variable and does not answer well. It is a convenience, not the path."""
    steps = list(evidence.failed(Action.METADATA))
    if steps:
        documents = listed("instance" if step.subject == "instance" else "task" for step in steps)
        fault = METADATA_REMEMBERED if evidence.surroundings.metadata_remembered else METADATA
        yield found(fault, evidence, evidence.tries(*steps), documents=documents)


def skipped_families(evidence: Evidence) -> Iterator[Finding]:
    """An address family for which the task has no route, while the other one is used."""
    for step in evidence.of(Action.ENVIRONMENT):
        if step.failed and step.subject in _FAMILIES and step.failure not in NO_EVIDENCE:
            yield found(FAMILY_SKIPPED, evidence, evidence.tries(step), family=_FAMILIES[step.subject])


def other_path(evidence: Evidence) -> Iterator[Finding]:
    """The measured interface is not the one that ECS pulls by."""
    steps = _metadata(evidence)
    if not evidence.pulls_elsewhere or not steps:
        return
    around = evidence.surroundings
    on_lambda = around.path is Path.LAMBDA_ENI
    launch = "Lambda" if on_lambda else f"{around.launch_type} with awsvpc"
    yield found(OTHER_PATH_LAMBDA if on_lambda else OTHER_PATH, evidence, steps, launch=launch)


def oddities(evidence: Evidence) -> Iterator[Finding]:
    """What the task's metadata tells and a reader should know."""
    steps = _metadata(evidence)
    if steps and evidence.surroundings.fault_injection:
        yield found(FAULT_INJECTION, evidence, steps)
    if steps and evidence.surroundings.clock_synchronized is False:
        yield found(CLOCK_UNSYNCHRONIZED, evidence, steps)


def _metadata(evidence: Evidence) -> tuple[Step, ...]:
    """The step that told of the task, else the first one."""
    told = [step for step in evidence.of(Action.METADATA) if step.outcome is not Outcome.FAILED]
    return tuple(told[:1]) or evidence.measurement.steps[:1]


def proxies(evidence: Evidence) -> Iterator[Finding]:
    """Proxy variables, with and without their exceptions; and a proxy that no variable names."""
    for step in evidence.of(Action.ENVIRONMENT, Action.CONTROL):
        seen = step.seen
        if isinstance(seen, ProxySeen) and seen.variables and step.ok:
            fault = PROXY_COVERED if seen.bypassed else PROXY
            yield found(fault, evidence, (step,), variables=listed(seen.variables), uncovered=few(seen.uncovered))
        elif isinstance(seen, ControlSeen) and step.endpoint == "task" and step.ok and seen.reached:
            yield found(TRANSPARENT_PROXY, evidence, (step,), host=seen.host)


def overridden_names(evidence: Evidence) -> Iterator[Finding]:
    """Endpoints that were measured at an address of another name."""
    chosen = [endpoint for endpoint in evidence.plan.endpoints if endpoint.lookup != endpoint.host]
    steps = [step for endpoint in chosen if (visit := evidence.visit(endpoint.name)) for step in visit.lookups]
    if steps:
        yield found(
            ENDPOINT_DNS,
            evidence,
            steps,
            endpoints=tuple(endpoint.name for endpoint in chosen),
            lookups=tuple(endpoint.lookup for endpoint in chosen),
            clients=_clients(chosen),
        )


def _clients(chosen: list[Endpoint]) -> str:
    """Which clients can use an endpoint without its private name, and which cannot."""
    names = {endpoint.name for endpoint in chosen}
    able = [endpoint for endpoint in chosen if endpoint.name not in ("ecr.dkr", "s3")]
    words = (
        [f"Clients of {listed(one.name for one in able)} need --endpoint-url (https://{able[0].lookup})."]
        if able
        else []
    )
    if "ecr.dkr" in names:
        words.append(
            "ecr.dkr cannot do without private DNS: a registry is known by its host, and logins to a vpce name fail."
        )
    if "s3" in names:
        words.append("Layers come from the host that ECR signs, so S3 cannot be redirected either.")
    return " ".join(words)


def images_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """The task's own image is not in private ECR, so there is nothing to pull."""
    if evidence.plan.reference is not None or evidence.is_text:
        return
    steps = [step for step in evidence.of(Action.MANIFEST) if step.outcome is Outcome.SKIPPED] or _metadata(evidence)
    kind, cause = _KINDS[evidence.plan.image_host]
    suspects = possible(cause) if cause != causes.BAD_IMAGE_REFERENCE else possible(causes.OTHER, cause)
    yield found(NOT_ECR, evidence, steps, endpoints=("ecr.dkr",), suspects=suspects, kind=kind)


FAULTS = (
    METADATA,
    FAMILY_SKIPPED,
    OTHER_PATH,
    FAULT_INJECTION,
    CLOCK_UNSYNCHRONIZED,
    PROXY,
    ENDPOINT_DNS,
    NOT_ECR,
)
RULES = (silent_metadata, skipped_families, other_path, oddities, proxies, overridden_names, images_elsewhere)
