"""Faults of the task itself and of our own run: metadata, credentials, proxies, clock, path, deadline, bugs."""

from __future__ import annotations

from dataclasses import replace

from probe.faults.fault import Fault
from probe.model import Extent, Impact

BUG = Fault(
    "probe.bug",
    "ecr-probe itself failed in {steps}, so that part is not proven",
    "This is a mistake of ecr-probe and says nothing about the network or AWS.",
    Impact.PROOF,
    ("other",),
)
DEADLINE = Fault(
    "probe.deadline",
    "the run was over before {count} were done",
    "The deadline of {deadline} s passed, or the run was stopped. What was cut off is neither proven nor refuted.",
    Impact.PROOF,
    ("other",),
)
NOT_MEASURED = Fault(
    "probe.not-measured",
    "the pull was not walked to its end: {detail}",
    "No step failed, but what comes after it was not tried, so the pull is not proven.",
    Impact.PROOF,
    ("other",),
)
RETRIED = Fault(
    "probe.retried",
    "{steps} failed at first and worked at the second try",
    "One lost packet or one busy moment is no fault; when it comes often, it is.",
    Impact.NONE,
    extent=Extent.NOTED,
)
METADATA = Fault(
    "task.metadata-unavailable",
    "{documents} metadata could not be read",
    "What it would have told is missing from this verdict; flags can say it.",
    Impact.NONE,
    extent=Extent.NOTED,
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
    "On {launch} the instance's own interface carries image pulls and awslogs, with its own subnet and security groups. Run the probe "
    "with networkMode host to measure that path.",
    Impact.NONE,
    extent=Extent.NOTED,
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
CLOCK = Fault(
    "clock.skew",
    "AWS refused a signature because this task's clock is wrong",
    "AWS named two times in its refusal: {times}. Nothing that needs a signature can be proven until the clock is right.",
    Impact.PROOF,
    ("clock.skew",),
)
CLOCK_OFF = replace(
    CLOCK,
    title="this task's clock is {offset} {direction} AWS's",
    why="The Date headers of {endpoints} say so. Signatures further off than 5 to 15 minutes are refused, and certificates may seem out of date.",
    extent=Extent.PARTLY,
)
NO_CREDENTIALS = Fault(
    "credentials.missing",
    "the task has no credentials, so token, manifest and layers could not be tried",
    "No provider has any: no task role, no variables, no profile. The network was measured all the same; ECS itself pulls with the execution role.",
    Impact.PROOF,
    ("iam.no-credentials",),
)
CREDENTIALS_UNAVAILABLE = Fault(
    "credentials.unavailable",
    "the credentials endpoint of the task did not give credentials",
    "It is link-local and serves the task role; no endpoint, group or network ACL lies on that way.",
    Impact.PROOF,
    ("iam.credentials-rejected", "other"),
)
CREDENTIALS_REJECTED = Fault(
    "credentials.rejected",
    "AWS does not accept the credentials held here (from {source})",
    "{endpoints} answered, so the network is fine; the keys are expired, invalid or of another partition.",
    Impact.PROOF,
    ("iam.credentials-rejected",),
)
INSTANCE_ROLE = Fault(
    "credentials.instance-role",
    "the credentials come from instance metadata: {role}",
    "The task has no role of its own, so the instance's was used.",
    Impact.NONE,
    extent=Extent.NOTED,
)
PROXY = Fault(
    "path.proxy",
    "{variables} is set and NO_PROXY does not cover {uncovered}",
    "No connection of ecr-probe uses a proxy, but agents, SDKs and container runtimes with these variables send those hosts to it, past the endpoints.",
    Impact.ROUTE,
    ("path.proxy",),
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
    why="{host} belongs to nobody, yet a connection to its port 443 was accepted. Whatever accepts it may accept the pull's connections too.",
    causes=("path.proxy", "path.egress-firewall"),
)
ENDPOINT_DNS = Fault(
    "path.endpoint-dns-override",
    "{endpoints} was measured at the address of {lookups}, which ECS pulls do not use",
    "--endpoint-dns proves the endpoint, not the name. {clients}",
    Impact.PROOF,
    ("dns.private-dns-disabled",),
    Extent.PARTLY,
)
NOT_ECR = Fault(
    "registry.image-not-in-ecr",
    "the task's own image is not in private ECR ({image}), so no pull could be measured",
    "{kind} Name an image in private ECR with --image to prove the pull.",
    Impact.PROOF,
    ("other",),
)
