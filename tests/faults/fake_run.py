"""Measurements made by hand: `FakeRun()` is a healthy task on Fargate, changed by keyword.

Its steps are those that measuring would record: what depends on a failed step is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from probe.addresses import classify, presume
from probe.faults import diagnose
from probe.model import (
    Action,
    Address,
    AnySeen,
    Asker,
    Basis,
    CertificateSeen,
    ConnectionSeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    Finding,
    Gate,
    Identity,
    LargeHelloSeen,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    Measurement,
    MetadataSeen,
    NamesSeen,
    Path,
    Plan,
    Policy,
    ProxySeen,
    RedirectSeen,
    RedirectTarget,
    Step,
    Surroundings,
)
from probe.records import replace
from tests.faults.fake_hosts import (
    AGENT,
    CONFIG,
    DIGEST,
    NOON,
    OK,
    PRIVATE,
    REGION,
    ROLE,
    SECOND,
    VPC_DNS,
    Answer,
    Host,
    Reply,
    make_plan,
    private,
    public,
)
from tests.steps import skipped, step

NO_PROXY = ProxySeen(variables=(), bypassed=False)
IDENTITY = Identity(source="container-role", arn=ROLE)
STRICTEST = Policy()


@dataclass(frozen=True)
class FakeRun:
    """Everything that a run can measure. `hosts` and `replies` hold what differs from a healthy task on Fargate."""

    hosts: Mapping[str, Host] = field(default_factory=dict)
    # By token, challenge, head, manifest, blob, layer, logs and credentials.
    replies: Mapping[str, Reply] = field(default_factory=dict)
    around: Mapping[str, Any] = field(default_factory=dict)
    planned: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    agent: bool = False
    image: str | None = None
    other_region: bool | None = None  # the S3 control
    control_address: str = "52.219.0.1"
    transparent_proxy: bool | None = None  # whether the control for it connects
    large_hello: Mapping[str, Failure | None] = field(default_factory=dict)  # by endpoint, where it was sent
    proxies: ProxySeen = NO_PROXY
    metadata: Reply | None = OK  # None: there is no metadata variable
    instance: Reply | None = None
    silent_instance: bool = False  # where credentials were sought at the instance
    redirect: tuple[RedirectTarget, str, str] | None = None
    redirected: Host | None = None
    identity: Identity = IDENTITY
    extra: tuple[Step, ...] = ()
    interrupted: bool = False
    policy: Policy = STRICTEST
    basis: Basis = Basis.MEASURED
    gates: tuple[Gate, ...] = ()

    def surroundings(self) -> Surroundings:
        usual: dict[str, Any] = {
            "metadata_answered": True,
            "path": Path.TASK_ENI,
            "region": REGION,
            "account": "123456789012",
            "launch_type": "FARGATE",
            "network_mode": "awsvpc",
            "cluster": "main",
            "task_arn": f"arn:aws:ecs:{REGION}:123456789012:task/main/0c1b2a39",
            "subnet_cidr": "10.0.1.0/24",
            "addresses": ("10.0.1.77",),
            "resolvers": (VPC_DNS,),
        }
        return Surroundings(**(usual | dict(self.around)))

    def plan(self) -> Plan:
        presumed = presume(self.surroundings().addresses)
        return make_plan(self.also, self.agent, self.image, {"presumed_cidrs": presumed, **self.planned})

    def measure(self) -> Measurement:
        return Measurement(
            basis=self.basis,
            gates=self.gates,
            interrupted=self.interrupted,
            started_at=NOON,
            seconds=1.0,
            surroundings=self.surroundings(),
            identity=self.identity,
            plan=self.plan(),
            steps=(*FakeRunSteps(self, self.plan()).steps(), *self.extra),
        )

    def findings(self) -> tuple[Finding, ...]:
        return diagnose(self.measure(), self.policy)


@dataclass
class FakeRunSteps:
    """The steps of a run, in the order of measuring."""

    run: FakeRun
    plan: Plan

    def steps(self) -> Iterator[Step]:
        yield from self._task()
        ready: dict[str, tuple[str | None, str]] = {}
        for endpoint in self.plan.endpoints:
            name = endpoint.name
            usual = (
                public(name)
                if name == "ecr-legacy"
                else private(name)
                if name in (*PRIVATE, *AGENT, "s3")
                else public(name)
            )
            steps = list(self._host(name, endpoint.lookup, self.run.hosts.get(name, usual), endpoint.mistaken))
            yield from steps
            tls = [step for step in steps if step.action is Action.TLS and step.ok]
            ends = [step for step in steps if step.action in (Action.TCP, Action.TLS)] or steps
            ready[name] = (tls[0].subject if tls else None, tls[0].id if tls else _first_bad(ends))
        yield from self._conversation(ready)
        if self.run.other_region is not None:
            host, at = "s3.eu-central-1.amazonaws.com", self.run.control_address
            control = ControlSeen(host=host, address=at, reached=self.run.other_region)
            yield step("s3/control/other-region", control)
        for name, failure in self.run.large_hello.items():
            address, on = ready[name]
            hello = LargeHelloSeen(address=address or "", hello_bytes=1800, answer=None if failure else "ServerHello")
            yield step(f"{name}/control/large-client-hello", hello, failure=failure, on=on, address=address)
        if self.run.transparent_proxy is not None:
            seen = ControlSeen(host="192.0.2.1", address="192.0.2.1", reached=self.run.transparent_proxy)
            yield step("task/control/transparent-proxy", seen)

    def _task(self) -> Iterator[Step]:
        run = self.run
        if run.metadata is None:
            yield skipped("task/metadata/task", None, "no ECS_CONTAINER_METADATA_URI_V4 in the environment")
        else:
            yield from self._attempts("task/metadata/task", run.metadata, MetadataSeen(version="v4"))
        if run.instance is not None:
            yield from self._attempts("task/metadata/instance", run.instance, MetadataSeen(version="instance"))
        yield step("task/environment/proxy", run.proxies)
        for family in {host.unused for host in run.hosts.values() if host.unused}:
            yield step(f"task/environment/{family}", failure=Failure.UNREACHABLE, detail=f"no route for {family}")
        credentials = run.replies.get("credentials", OK)
        missing = credentials.failure is Failure.NO_CREDENTIALS
        source = credentials.seen.get("source", None if missing else "container-role")
        seen = CredentialsSeen(source=source, arn=ROLE, unanswered=run.silent_instance)
        yield from self._attempts("task/credentials/chain", credentials, seen)

    def _attempts(self, identity: str, reply: Reply, seen: AnySeen, on: str | None = None) -> Iterator[Step]:
        if reply.first is not None:
            yield step(identity, seen, failure=reply.first, on=on)
            identity += "#2"
        yield step(identity, seen, failure=reply.failure, on=on, detail=reply.detail)

    # ---- names and addresses ---------------------------------------------------------------------------------------

    def _host(self, name: str, lookup: str, host: Host, mistaken: str | None, on: str | None = None) -> Iterator[Step]:
        prefix = f"{lookup}/" if on else ""
        asked = [(host.server, Asker.CONFIGURED, 0, host.answer, host.ipv6)]
        if host.second is not None:
            asked.append((SECOND, Asker.CONFIGURED, 1, host.second, host.second_ipv6))
        if host.control is not None:
            asked.append(("169.254.169.253", Asker.CONTROL, 99, host.control, ()))
        for server, asker, order, answer, ipv6 in asked:
            for record, addresses in (
                ("A", answer),
                ("AAAA", ipv6 if ipv6 or not isinstance(answer, Failure) else answer),
            ):
                found = self._lookup(
                    f"{name}/dns/{prefix}{server}/{record}", server, asker, order, lookup, record, addresses, on
                )
                if order == 0 and found.names:
                    found = replace(found, seen=replace(found.names, cnames=host.cnames, tcp=host.truncated))
                yield found
        if host.mistaken is not None and mistaken:
            follow_up = (f"{name}/dns/{host.server}/{mistaken}/A", host.server, Asker.FOLLOW_UP, 100, mistaken, "A")
            yield self._lookup(*follow_up, host.mistaken, f"{name}/dns/{host.server}/A")
        counting = next((answer for server, _, _, answer, _ in asked[:2] if not _is_passed_over(answer)), None)
        ipv6 = host.ipv6 if isinstance(host.ipv6, tuple) else ()
        addresses = (*counting, *ipv6) if isinstance(counting, tuple) else ipv6
        yield from self._addresses(name, prefix, host, addresses)

    def _lookup(
        self,
        identity: str,
        server: str,
        asker: Asker,
        order: int,
        name: str,
        record: str,
        answer: Answer,
        on: str | None,
    ) -> Step:
        addresses = answer if isinstance(answer, tuple) else ()
        ranges = (*self.plan.vpc_cidrs, *self.plan.presumed_cidrs)
        seen = NamesSeen(
            server=server,
            asker=asker,
            order=order,
            name=name,
            record=record,
            addresses=tuple(Address(address, classify(address, ranges)) for address in addresses),
        )
        redirected = name if on is not None and asker is not Asker.FOLLOW_UP else None
        failure = answer if isinstance(answer, Failure) else None
        return step(identity, seen, failure=failure, on=on, host=redirected)

    def _addresses(self, name: str, prefix: str, host: Host, addresses: tuple[str, ...]) -> Iterator[Step]:
        ranges = (*self.plan.vpc_cidrs, *self.plan.presumed_cidrs)
        for address in addresses:
            tcp, tls = f"{name}/tcp/{prefix}{address}", f"{name}/tls/{prefix}{address}"
            kind = classify(address, ranges)
            if host.unused == ("ipv6" if ":" in address else "ipv4"):
                yield skipped(tcp, f"task/environment/{host.unused}")
                continue
            failure = _failure(host.tcp, address)
            seen = ConnectionSeen(address=address, address_class=kind)
            yield step(tcp, seen, failure=failure, on=f"{name}/dns/{host.server}/A")
            if failure is not None:
                yield skipped(tls, tcp)
                if not host.again:
                    continue
                tcp, tls = f"{tcp}#2", f"{tls}#2"
                yield step(tcp, seen)
            broken = _failure(host.tls, address)
            usual: dict[str, Any] = {"issuer": "O=Amazon, CN=Amazon RSA 2048 M02", "issuer_organization": "Amazon"}
            facts = usual | {"verified": broken is None} | dict(host.certificate)
            certificate = CertificateSeen(address=address, address_class=kind, **facts)
            yield step(tls, certificate, failure=broken, on=tcp)

    # ---- the conversation ------------------------------------------------------------------------------------------

    def _conversation(self, ready: dict[str, tuple[str | None, str]]) -> Iterator[Step]:
        """The requests from token to layer, until one fails, and those to CloudWatch Logs."""
        bad = "task/credentials/chain" if self.run.replies.get("credentials", OK).failure else None
        yield from self._logs(ready, bad)
        address, on = ready.get("ecr.api", (None, "ecr.api/dns"))
        blocked: str | None = bad or (None if address else on)
        for attempt in self._ask(
            "ecr.api/token", address, "token", on, blocked, lambda reply: reply.answer("ecr:GetAuthorizationToken")
        ):
            blocked = attempt.id if attempt.failed else blocked if attempt.skipped else None
            yield attempt
        address, on = ready.get("ecr.dkr", (None, "ecr.dkr/dns"))
        challenge = list(
            self._ask(
                "ecr.dkr/challenge", address, "challenge", on, None if address else on, lambda reply: reply.answer("")
            )
        )
        yield from challenge
        blocked = next((attempt.id for attempt in challenge if attempt.failed), None if address else on) or blocked
        yield from self._image(challenge[-1].id, blocked, ready["s3"])

    def _ask(
        self, identity: str, address: str | None, name: str, on: str, blocked: str | None, seen: Any
    ) -> Iterator[Step]:
        if blocked is not None:
            yield skipped(identity, blocked)
            return
        reply = self.run.replies.get(name, OK)
        yield from self._attempts(f"{identity}/{address}", reply, seen(reply), on)

    def _image(self, challenge: str, blocked: str | None, bucket: tuple[str | None, str]) -> Iterator[Step]:
        if self.plan.reference is None:
            for identity in ("ecr.dkr/manifest/HEAD", "ecr.dkr/blob", "s3/layer"):
                yield skipped(identity, None, "the image is not in private ECR")
            return
        manifests = {"HEAD": self.run.replies.get("head", OK), "GET": self.run.replies.get("manifest", OK)}
        for method, reply in manifests.items() if blocked is None else ():
            seen = ManifestSeen(answer=reply.answer("ecr:BatchGetImage"), digest=DIGEST, **reply.seen)
            yield from self._attempts(f"ecr.dkr/manifest/{method}", reply, seen, challenge)
        if blocked is not None:
            yield skipped("ecr.dkr/manifest/HEAD", blocked)
        blocked = "ecr.dkr/manifest/GET" if blocked is None and manifests["GET"].failure else blocked
        none = str(self.plan.layers) == "none"
        if blocked is not None or none:
            yield skipped("ecr.dkr/blob", blocked, "not asked for (--layers none)" if none and not blocked else None)
            yield skipped("s3/layer", blocked, "not asked for (--layers none)" if none and not blocked else None)
            return
        for digest, what in ((CONFIG, "config"), (DIGEST, "layer")):
            yield from self._blob(digest, what, bucket)

    def _blob(self, digest: str, what: str, bucket: tuple[str | None, str]) -> Iterator[Step]:
        reply, name = self.run.replies.get("blob", OK), f"ecr.dkr/blob/{digest[:19]}"
        target, host, region = self.run.redirect or (RedirectTarget.LAYER_BUCKET, self.plan.layer_host, REGION)
        answer = reply.answer("ecr:GetDownloadUrlForLayer")
        seen = RedirectSeen(
            answer=answer, digest=digest, **({"target": target, "host": host, "region": region} | dict(reply.seen))
        )
        yield from self._attempts(name, reply, seen, "ecr.dkr/manifest/GET")
        layer = f"s3/layer/{digest[:19]}"
        if reply.failure is not None:
            yield skipped(layer, name)
            return
        address, on = bucket
        if self.run.redirected is not None:
            steps = list(self._host("s3", host, self.run.redirected, None, on=name))
            yield from steps if what == "config" else ()
            tls = [step for step in steps if step.action is Action.TLS and step.ok]
            ends = [step for step in steps if step.action in (Action.TCP, Action.TLS)] or steps
            address, on = (tls[0].subject, tls[0].id) if tls else (None, _first_bad(ends))
        if address is None:
            yield skipped(layer, on)
            return
        reply = self.run.replies.get("layer", OK)
        facts: dict[str, Any] = {"answer": reply.answer("s3:GetObject"), "digest": digest, "what": what, "size": 70_000}
        yield from self._attempts(layer, reply, LayerSeen(**(facts | {"received": 70_000} | dict(reply.seen))), on)

    def _logs(self, ready: dict[str, tuple[str | None, str]], bad: str | None) -> Iterator[Step]:
        if "logs" in ready:
            address, on = ready["logs"]
            group: dict[str, Any] = {
                "group": "/ecs/app",
                "stream": "ecs/app/0c1b",
                "group_exists": True,
                "stream_exists": True,
            }
            reply = self.run.replies.get("logs", OK)
            seen = LogsSeen(answer=reply.answer("logs:DescribeLogStreams"), **(group | dict(reply.seen)))
            yield from self._ask("logs/logs", address, "logs", on, bad or (None if address else on), lambda _: seen)


def _failure(of: Failure | Mapping[str, Failure], address: str) -> Failure | None:
    return of if isinstance(of, Failure) else of.get(address)


def _is_passed_over(answer: Answer) -> bool:
    return isinstance(answer, Failure) and answer not in (Failure.NXDOMAIN, Failure.NO_ADDRESS)


def _first_bad(steps: list[Step]) -> str:
    return next((step.id for step in steps if step.failed), steps[0].id)
