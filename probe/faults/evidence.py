"""Queries about a measurement: what was measured at each host, and what several rules need to know. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from probe.addresses import AMAZON_PROVIDED_DNS, classify, embedded, is_ipv6, is_sinkhole
from probe.arns import role_of
from probe.endpoints import AWS_DOMAINS
from probe.model import (
    ANSWERED,
    Action,
    Address,
    AddressClass,
    Asker,
    Basis,
    Client,
    DenialReason,
    Endpoint,
    Failure,
    Impact,
    Kind,
    Measurement,
    Path,
    Plan,
    Policy,
    RedirectTarget,
    Route,
    Step,
    Surroundings,
)
from probe.records import Record

NOT_THERE = (Failure.NXDOMAIN, Failure.NO_ADDRESS)
_INSIDE = (AddressClass.VPC, AddressClass.PRIVATE)


def addresses_of(steps: Iterable[Step]) -> tuple[Address, ...]:
    """The addresses in these answers, each once."""
    answers = (address for step in steps if step.names for address in step.names.addresses)
    return tuple({address.address: address for address in answers}.values())


def class_of(addresses: Iterable[Address]) -> AddressClass | None:
    """The class that counts: one public address is a leak; a global IPv6 address counts only if there is no other."""
    classes = {address.address_class for address in addresses}
    order = (AddressClass.PUBLIC, AddressClass.VPC, AddressClass.PRIVATE, AddressClass.UNKNOWN)
    return next((address_class for address_class in order if address_class in classes), None)


def is_inside(address_class: AddressClass | None) -> bool:
    return address_class in _INSIDE


def is_ipv4(address: str) -> bool:
    """IPv4, also inside a DNS64 address."""
    return ip_address(embedded(address)).version == 4


class Line(Record, frozen=True):
    """The answers of one nameserver line, A and AAAA, for one host."""

    server: str
    steps: tuple[Step, ...]

    @property
    def main(self) -> Step:
        """The answer that counts: A, if it was asked."""
        return next((step for step in self.steps if step.names and step.names.record == "A"), self.steps[0])

    @property
    def answered(self) -> bool:
        return (self.main.failure in ANSWERED and not self.cut_off) or bool(addresses_of(self.steps))

    @property
    def addresses(self) -> tuple[Address, ...]:
        return addresses_of(self.steps)

    @property
    def cut_off(self) -> bool:
        """Whether the run ended before the answer that counts, or could not ask for it: the other answer alone proves
        nothing. After an empty A the AAAA counts."""
        ended = (Failure.DEADLINE, Failure.NO_RESOURCES)
        empty = self.failure is Failure.NO_ADDRESS and any(step.failure in ended for step in self.steps)
        return (empty or self.failure in ended) and not self.addresses

    @property
    def failed(self) -> tuple[Step, ...]:
        return () if self.cut_off else tuple(step for step in self.steps if step.failed)

    @property
    def failure(self) -> Failure | None:
        return self.main.failure

    @property
    def cnames(self) -> tuple[str, ...]:
        """The hosts that the answers lead to, each once."""
        return tuple(dict.fromkeys(name for step in self.steps if step.names for name in step.names.cnames))


class HostFacts(Record, frozen=True):
    """The lookups and connections of an endpoint's host, or of a host that a redirect named (`redirected`)."""

    endpoint: Endpoint
    name: str
    redirected: bool
    lookups: tuple[Step, ...]
    tcp: tuple[Step, ...]
    tls: tuple[Step, ...]

    def asked(self, asker: Asker) -> tuple[Step, ...]:
        return tuple(step for step in self.lookups if step.asker is asker)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The configured nameservers, in the order of resolv.conf, each with its last answer for A and for AAAA."""
        servers: dict[tuple[int, str], dict[str, Step]] = {}
        for step in self.asked(Asker.CONFIGURED):
            names = step.names
            assert names is not None
            servers.setdefault((names.order, names.server), {})[names.record] = step
        return tuple(Line(server, tuple(servers[order, server].values())) for order, server in sorted(servers))

    @property
    def line(self) -> Line | None:
        """The line that counts: the first that answers."""
        return next((line for line in self.lines if line.answered), None)

    @property
    def control(self) -> Line | None:
        steps = self.asked(Asker.CONTROL)
        names = steps[0].names if steps else None
        return Line(names.server, steps) if names else None

    @property
    def is_undecided(self) -> bool:
        """Whether the run ended before it was clear what the nameservers answer."""
        return self.line is None and (not self.lines or any(line.cut_off for line in self.lines))

    @property
    def undecided(self) -> tuple[Step, ...]:
        """Lookups that prove nothing: the run ended when their name, or their nameserver, was only half asked."""
        if self.is_undecided:
            return self.lookups
        lines = (*self.lines, self.control) if self.control else self.lines
        return tuple(step for line in lines if line.cut_off for step in line.steps)

    @property
    def addresses(self) -> tuple[Address, ...]:
        return self.line.addresses if self.line else ()

    @property
    def address_class(self) -> AddressClass | None:
        return class_of(self.addresses)

    @property
    def last_tries(self) -> tuple[Step, ...]:
        """The last attempt to connect to each address."""
        return tuple({step.address: step for step in self.tcp if not step.skipped}.values())

    @property
    def connected(self) -> tuple[Step, ...]:
        return tuple(step for step in self.last_tries if step.ok)

    def unconnected(self, failures: Iterable[Failure]) -> tuple[Step, ...]:
        """All failed attempts at the addresses that in the end failed in one of these ways."""
        lost = {step.address for step in self.last_tries if step.failure in tuple(failures)}
        return tuple(step for step in self.tcp if step.address in lost and step.failed)

    @property
    def verified_handshakes(self) -> tuple[Step, ...]:
        """Handshakes that were verified."""
        return tuple(step for step in self.tls if step.ok)


def hosts_of(endpoint: Endpoint, steps: Iterable[Step]) -> list[HostFacts]:
    """One for the planned host, and one for each host that a redirect named."""
    ours = [step for step in steps if step.endpoint == endpoint.name]
    redirected = (step.host for step in ours if step.names and step.host not in (None, endpoint.host))
    return [_host_facts(endpoint, name, ours) for name in dict.fromkeys((None, *redirected))]


def _host_facts(endpoint: Endpoint, redirected: str | None, steps: list[Step]) -> HostFacts:
    """For the host that a redirect named, or for the planned one."""
    names = (redirected,) if redirected else (endpoint.host, None)
    ours = [step for step in steps if step.host in names]
    return HostFacts(
        endpoint=endpoint,
        name=redirected or endpoint.lookup,
        redirected=redirected is not None,
        lookups=tuple(step for step in ours if step.names),
        tcp=tuple(step for step in ours if step.connection),
        tls=tuple(step for step in ours if step.certificate),
    )


# Caused by ecr-probe or by the end of the run: no evidence of any other fault.
NO_EVIDENCE = (Failure.BUG, Failure.NO_RESOURCES, Failure.DEADLINE)
REFUSALS = (Failure.REFUSED, Failure.RESET, Failure.PROHIBITED)
CONVERSATION = (Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB, Action.LAYER, Action.LOGS, Action.REQUEST)
# Endpoints that only error texts have: a registry other than private ECR, and a host that the text does not name.
ELSEWHERE, UNNAMED = "registry", "unnamed-host"


def worst(impacts: Iterable[Impact]) -> Impact:
    return min(impacts, key=lambda impact: impact.rank, default=Impact.NONE)


class Evidence(Record, frozen=True, dict=True):  # a dict, for cached_property
    """A measurement, and what the operator accepts."""

    measurement: Measurement
    policy: Policy

    @property
    def is_text(self) -> bool:
        """Based on an error text of the pull itself; nothing was measured."""
        return self.measurement.basis is Basis.TEXT

    # ---- what was planned -------------------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        return self.measurement.plan

    @property
    def surroundings(self) -> Surroundings:
        return self.measurement.surroundings

    @property
    def is_off_ecs(self) -> bool:
        """Measured on a host without any sign of ECS or Lambda: no metadata variable, no execution environment."""
        around = self.surroundings
        signs = (around.metadata_answered, around.metadata_remembered, around.launch_type, around.task_arn)
        documents = self.of(Action.METADATA)
        return (
            not self.is_text
            and around.path is Path.UNKNOWN
            and not any(signs)
            and bool(documents)
            and all(step.skipped for step in documents)
        )

    @cached_property
    def shows_vpc(self) -> bool:
        """Whether anything shows a VPC: a range that was given, an answer of AmazonProvidedDNS, or a private answer for
        an interface endpoint.
        """
        answers = [step for step in self.of(Action.DNS) if step.names and step.failure in ANSWERED and not step.skipped]
        amazon = any(step.names.server in AMAZON_PROVIDED_DNS for step in answers if step.names)
        inside = any(host.endpoint.kind is Kind.INTERFACE and is_inside(host.address_class) for host in self.hosts)
        return bool(self.plan.vpc_cidrs) or amazon or inside

    @property
    def is_outside_vpc(self) -> bool:
        """Measured on a host that shows no VPC and is no ECS task, or one of ECS Anywhere."""
        return (self.is_off_ecs or self.is_external) and not self.shows_vpc

    @property
    def is_external(self) -> bool:
        """The task runs on an external instance (ECS Anywhere): AWS[ecs-anywhere]."""
        return not self.is_text and self.surroundings.launch_type == "EXTERNAL"

    @property
    def client(self) -> Client:
        return self.surroundings.client

    def is_push(self, step: Step) -> bool:
        """Whether this is a request of a push; a check makes none."""
        return self.client is Client.PUSH and step.endpoint == "ecr.dkr" and step.action is Action.REQUEST

    @property
    def task_region(self) -> str:
        return self.surroundings.region or self.plan.region

    def is_foreign(self, endpoint: Endpoint) -> bool:
        """In another region than the task, so that this VPC's endpoints may not serve it."""
        return self.surroundings.region is not None and endpoint.region != self.surroundings.region

    def impact(self, endpoints: Iterable[str]) -> Impact:
        """What fails without these endpoints."""
        planned = map(self.plan.endpoint, endpoints)
        return worst(endpoint.impact for endpoint in planned if endpoint is not None)

    # ---- steps ------------------------------------------------------------------------------------------------------

    @cached_property
    def _tries(self) -> dict[tuple[str, Action, str], list[Step]]:
        """The attempts at the same thing, in order."""
        tries: dict[tuple[str, Action, str], list[Step]] = {}
        for step in self.measurement.steps:
            tries.setdefault(step.target, []).append(step)
        return {target: sorted(same, key=lambda step: step.attempt) for target, same in tries.items()}

    @cached_property
    def survived(self) -> tuple[Step, ...]:
        """Failed attempts after which a retry worked, or a name server at least answered."""
        answered = (same for same in self._tries.values() if _is_success(same[-1]))
        return tuple(step for same in answered for step in same[:-1] if step.failed)

    def tries(self, *steps: Step) -> tuple[Step, ...]:
        """These failed steps and the failed attempts before them; for the GET of a manifest also its HEAD."""
        attempts = [attempt for step in steps for attempt in self._tries[step.target] if attempt.failed]
        if any(step.action is Action.MANIFEST and step.subject == "GET" for step in steps):
            attempts += [step for step in self.of(Action.MANIFEST) if step.subject == "HEAD" and step.failed]
        return tuple(dict.fromkeys(attempts))

    def of(self, *actions: Action) -> tuple[Step, ...]:
        return tuple(step for step in self.measurement.steps if step.action in actions)

    def failed(self, *actions: Action) -> Iterator[Step]:
        """Failures that no retry overcame and that are evidence. A HEAD is judged by the GET that follows it."""
        last = {same[-1].id for same in self._tries.values()}
        got = any(step.subject == "GET" and not step.skipped for step in self.of(Action.MANIFEST))
        for step in self.of(*actions):
            head = step.action is Action.MANIFEST and step.subject == "HEAD" and got
            ours = step.endpoint != ELSEWHERE
            if step.failed and step.id in last and not head and ours and step.failure not in NO_EVIDENCE:
                yield step

    @cached_property
    def clock_offset(self) -> float | None:
        """Seconds by which AWS's clock is ahead of ours, the median of its Date headers; None without any."""
        answers = [answer for step in self.measurement.steps if (answer := step.answer) and answer.aws]
        offsets = [answer.clock_offset for answer in answers if answer.clock_offset is not None]
        return sorted(offsets)[len(offsets) // 2] if offsets else None

    # ---- hosts and routes -------------------------------------------------------------------------------------------

    @cached_property
    def hosts(self) -> tuple[HostFacts, ...]:
        return tuple(host for endpoint in self.plan.endpoints for host in hosts_of(endpoint, self.measurement.steps))

    def host(self, endpoint: str) -> HostFacts | None:
        return next((host for host in self.hosts if host.endpoint.name == endpoint and not host.redirected), None)

    def is_ipv4_only(self, host: HostFacts) -> bool:
        """A name with only IPv4 addresses, which a task with only IPv6 addresses cannot reach."""
        own, tries = self.surroundings.addresses, host.last_tries
        dead = bool(tries) and all(step.failure is Failure.UNREACHABLE for step in tries)
        return dead and bool(own) and all(map(is_ipv6, own)) and all(is_ipv4(entry.address) for entry in host.addresses)

    def is_other_region(self, host: HostFacts) -> bool:
        """A host of S3 in another region, to which the registry redirected."""
        redirects = (step.redirect for step in self.of(Action.BLOB) if step.redirect)
        return any(
            redirect.host == host.name and redirect.target is RedirectTarget.OTHER_REGION for redirect in redirects
        )

    def leaks(self, host: HostFacts) -> bool:
        """An interface endpoint's name that resolves publicly. S3's public addresses are right with a gateway."""
        if host.redirected or host.endpoint.kind is not Kind.INTERFACE or self.is_ipv4_only(host):
            return False
        if self.leads_elsewhere(host):
            return False
        return host.address_class is AddressClass.PUBLIC

    def foreign_targets(self, line: Line | None) -> tuple[str, ...]:
        """The hosts outside AWS's domains that the CNAMEs of these answers lead to."""
        domains = tuple(f".{domain}" for domain in (*AWS_DOMAINS, self.plan.dns_suffix))
        return tuple(name for name in line.cnames if not f".{name.lower()}".endswith(domains)) if line else ()

    def leads_elsewhere(self, host: HostFacts) -> bool:
        """A name that leads to a host outside AWS or to no possible one, where no handshake proves that AWS answers.

        A CNAME to one's own name for an endpoint works, and its certificate proves it.
        """
        return host.line is not None and self.is_elsewhere(host.line) and not host.verified_handshakes

    def is_elsewhere(self, line: Line) -> bool:
        """Whether these answers have addresses, and none that AWS could have behind its own names."""
        nowhere = all(is_sinkhole(entry.address) for entry in line.addresses)
        return bool(line.addresses) and (nowhere or bool(self.foreign_targets(line)))

    def route(self, host: HostFacts) -> Route | None:
        """How the host was reached; None if it was not."""
        if not host.connected:
            return None
        if self.leads_elsewhere(host):
            return Route.UNDETERMINED
        if is_inside(host.address_class) or (host.endpoint.kind is Kind.GATEWAY and self.s3_policy_denied):
            return Route.ENDPOINT
        if host.endpoint.kind is Kind.INTERFACE and host.address_class is AddressClass.PUBLIC:
            return Route.PUBLIC
        return Route.UNDETERMINED

    @property
    def s3_policy_denied(self) -> bool:
        """S3's denial names a VPC endpoint policy, so its requests do pass an endpoint."""
        denials = (step.denial for step in self.of(Action.LAYER))
        return any(denial is not None and denial.reason is DenialReason.ENDPOINT for denial in denials)

    @cached_property
    def controls_outside(self) -> tuple[Step, ...]:
        """Controls that reached a public address, each of which proves a way out of the VPC.

        One that answers inside proves none: S3 of another region can have an interface endpoint
        AWS[cross-region-endpoints]. Behind a transparent proxy every control is answered.
        """
        answered = [
            (step, control)
            for step in self.of(Action.CONTROL)
            if step.ok and (control := step.control) and control.reached and control.address
        ]
        if any(step.endpoint == "task" for step, _ in answered):
            return ()
        public = AddressClass.PUBLIC
        return tuple(step for step, control in answered if classify(control.address or "", self._vpc_ranges) is public)

    def is_public(self, endpoint: str) -> bool:
        host = self.host(endpoint)
        return host is not None and self.route(host) is Route.PUBLIC

    # ---- resolvers --------------------------------------------------------------------------------------------------

    @cached_property
    def _vpc_resolvers(self) -> frozenset[str]:
        """AmazonProvidedDNS: its fixed addresses, and base+2 of every range that the VPC could have."""
        resolvers = set(AMAZON_PROVIDED_DNS)
        for text in self._vpc_ranges:
            network = _network(text)
            if network.version == 4:
                wider = range(min(16, network.prefixlen), network.prefixlen + 1)
                resolvers |= {str(network.supernet(new_prefix=length)[2]) for length in wider if length <= 30}
        return frozenset(resolvers)

    def is_vpc_resolver(self, server: str) -> bool:
        if self.is_text and not self._vpc_ranges:
            # The ranges are unknown, and base+2 of nearly every range ends in 2.
            return server in AMAZON_PROVIDED_DNS or server.endswith(".2")
        return server in self._vpc_resolvers

    def may_be_vpc_resolver(self, server: str) -> bool:
        """Whether it is the VPC's own resolver, or could be: base+2 of a range of the VPC that is not known.

        A task in a subnet of a secondary range has the resolver of the primary one. AWS[amazon-dns-addresses]
        """
        if self.is_vpc_resolver(server):
            return True
        return server.endswith(".2") and classify(server, ()) is AddressClass.PRIVATE and not self.knows_whole_vpc

    @property
    def knows_whole_vpc(self) -> bool:
        """Whether ranges other than the task's own subnets are known: from --vpc-cidr or instance metadata."""
        own_subnets = {self.surroundings.subnet_cidr, self.surroundings.subnet_cidr_ipv6}
        return bool(set(self.plan.vpc_cidrs) - own_subnets)

    @cached_property
    def vpc_resolver_answers(self) -> tuple[Step, ...]:
        """Every answer that the VPC's own resolver gave, errors and answers too large for UDP included."""
        lookups = (step for host in self.hosts for step in host.lookups if step.names)
        return tuple(
            step for step in lookups if step.names and self.is_vpc_resolver(step.names.server) and _has_answered(step)
        )

    @property
    def _vpc_ranges(self) -> tuple[str, ...]:
        return (*self.plan.vpc_cidrs, *self.plan.presumed_cidrs)

    def vpc_answers(self, host: HostFacts) -> tuple[Step, ...]:
        """Answers of the VPC's resolver, if another one counts."""
        lines = [line for line in host.lines if line != host.line and self.is_vpc_resolver(line.server)]
        counting = host.line.server if host.line else None
        control = [host.control] if host.control and host.control.server != counting else []
        answers = (step for line in (*lines, *control) if not self.is_elsewhere(line) for step in line.steps)
        return tuple(step for step in answers if step.ok and addresses_of((step,)))

    def mistaken_answers(self, host: HostFacts) -> tuple[Step, ...]:
        return host.asked(Asker.FOLLOW_UP)

    # ---- identity ---------------------------------------------------------------------------------------------------

    @cached_property
    def principal(self) -> str | None:
        """Our ARN: from the credentials document, else from a denial of one of our own requests."""
        if self.measurement.identity.arn:
            return self.measurement.identity.arn
        ours = (step for step in self.measurement.steps if step.action is not Action.LAYER)
        return next((denial.principal for step in ours if (denial := step.denial) and denial.principal), None)

    @cached_property
    def holds_pull_role(self) -> bool | None:
        """Whether our identity is the role that pulls; None if that role is unknown.

        A text is about the pull, and of a configuration that role's calls are judged: a refusal is one for any role.
        """
        if self.is_text or self.measurement.basis is Basis.CONFIGURATION:
            return True
        if self.policy.pull_role is None or self.principal is None:
            return None
        return role_of(self.principal) == (role_of(self.policy.pull_role) or ("", self.policy.pull_role))

    @property
    def pulls_elsewhere(self) -> bool:
        """ECS pulls over another interface: the instance's for EC2 awsvpc and managed instances; none of Lambda's."""
        path, launch = self.surroundings.path, self.surroundings.launch_type
        return path is Path.LAMBDA_ENI or (path is Path.TASK_ENI and launch in ("EC2", "MANAGED_INSTANCES"))

    def is_presumed(self, address: str) -> bool:
        """Inside a range that is only presumed to belong to the VPC."""
        parsed = ip_address(address)
        within_known, within_presumed = (
            any(parsed in network for network in map(_network, ranges) if network.version == parsed.version)
            for ranges in (self.plan.vpc_cidrs, self.plan.presumed_cidrs)
        )
        return within_presumed and not within_known


def _has_answered(step: Step) -> bool:
    """Whether any packet came back from the nameserver."""
    errors = (Failure.SERVFAIL, Failure.REFUSED_QUERY)
    truncated = step.names is not None and step.names.tcp
    return step.ok or step.failure in (*ANSWERED, *errors) or truncated


def _is_success(step: Step) -> bool:
    return step.ok or (step.action is Action.DNS and step.failed and step.failure in ANSWERED)


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)
