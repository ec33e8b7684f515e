"""The steps that measuring would record in a world: what depends on a failed step is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from probe.addresses import classify
from probe.model import (
    Action,
    Address,
    AnySeen,
    Asker,
    CertificateSeen,
    ConnectionSeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    MetadataSeen,
    NamesSeen,
    Outcome,
    Plan,
    RedirectSeen,
    RedirectTarget,
    Step,
)
from tests.faults.behaviour import AGENT, CONFIG, DIGEST, OK, PRIVATE, Answer, Host, Reply, private, public
from tests.faults.plans import REGION, ROLE, SECOND
from tests.steps import skipped, step

if TYPE_CHECKING:
    from tests.faults.world import World


@dataclass
class WorldSteps:
    """The steps of a world, in the order of measuring."""

    world: World
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
            made = list(self._host(name, endpoint.lookup, self.world.hosts.get(name, usual), endpoint.mistaken))
            yield from made
            tls = [each for each in made if each.action is Action.TLS and each.ok]
            ends = [each for each in made if each.action in (Action.TCP, Action.TLS)] or made
            ready[name] = (tls[0].subject if tls else None, tls[0].id if tls else _first_bad(ends))
        yield from self._conversation(ready)
        if self.world.other_region is not None:
            control = ControlSeen(
                host="s3.eu-central-1.amazonaws.com", address="52.219.0.1", reached=self.world.other_region
            )
            yield step("s3/control/other-region", control)
        if self.world.nobody is not None:
            seen = ControlSeen(host="192.0.2.1", address="192.0.2.1", reached=self.world.nobody)
            yield step("task/control/transparent-proxy", seen)

    def _task(self) -> Iterator[Step]:
        world = self.world
        yield from self._attempts("task/metadata/task", world.metadata, MetadataSeen(version="v4"))
        if world.instance is not None:
            yield from self._attempts("task/metadata/instance", world.instance, MetadataSeen(version="instance"))
        yield step("task/environment/proxy", world.proxies)
        for family in {host.unused for host in world.hosts.values() if host.unused}:
            yield step(f"task/environment/{family}", failure=Failure.UNREACHABLE, detail=f"no route for {family}")
        credentials = world.replies.get("credentials", OK)
        nobody = credentials.failure is Failure.NO_CREDENTIALS
        source = credentials.seen.get("source", None if nobody else "container-role")
        yield from self._attempts("task/credentials/chain", credentials, CredentialsSeen(source=source, arn=ROLE))

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
            for record, found in (("A", answer), ("AAAA", ipv6 if not isinstance(answer, Failure) else answer)):
                yield self._lookup(
                    f"{name}/dns/{prefix}{server}/{record}", server, asker, order, lookup, record, found, on
                )
        if host.mistaken is not None and mistaken:
            made = (f"{name}/dns/{host.server}/{mistaken}/A", host.server, Asker.FOLLOW_UP, 100, mistaken, "A")
            yield self._lookup(*made, host.mistaken, f"{name}/dns/{host.server}/A")
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
        found = answer if isinstance(answer, tuple) else ()
        ranges = (*self.plan.vpc_cidrs, *self.plan.presumed_cidrs)
        seen = NamesSeen(
            server=server,
            asker=asker,
            order=order,
            name=name,
            record=record,
            addresses=tuple(Address(address, classify(address, ranges)) for address in found),
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
            made = CertificateSeen(address=address, address_class=kind, **facts)
            yield step(tls, made, failure=broken, on=tcp)

    # ---- the conversation ------------------------------------------------------------------------------------------

    def _conversation(self, ready: dict[str, tuple[str | None, str]]) -> Iterator[Step]:
        """Token to layer, each unless the one before it failed; and CloudWatch Logs beside it."""
        bad = "task/credentials/chain" if self.world.replies.get("credentials", OK).failure else None
        yield from self._logs(ready, bad)
        address, on = ready.get("ecr.api", (None, "ecr.api/dns"))
        blocked: str | None = bad or (None if address else on)
        for each in self._ask(
            "ecr.api/token", address, "token", on, blocked, lambda reply: reply.answer("ecr:GetAuthorizationToken")
        ):
            blocked = (
                each.id if each.outcome is Outcome.FAILED else blocked if each.outcome is Outcome.SKIPPED else None
            )
            yield each
        address, on = ready.get("ecr.dkr", (None, "ecr.dkr/dns"))
        challenge = list(
            self._ask(
                "ecr.dkr/challenge", address, "challenge", on, None if address else on, lambda reply: reply.answer("")
            )
        )
        yield from challenge
        blocked = next((each.id for each in challenge if each.failed), None if address else on) or blocked
        yield from self._image(challenge[-1].id, blocked, ready["s3"])

    def _ask(
        self, identity: str, address: str | None, name: str, on: str, blocked: str | None, seen: Any
    ) -> Iterator[Step]:
        if blocked is not None:
            yield skipped(identity, blocked)
            return
        reply = self.world.replies.get(name, OK)
        yield from self._attempts(f"{identity}/{address}", reply, seen(reply), on)

    def _image(self, challenge: str, blocked: str | None, bucket: tuple[str | None, str]) -> Iterator[Step]:
        if self.plan.reference is None:
            for identity in ("ecr.dkr/manifest/HEAD", "ecr.dkr/blob", "s3/layer"):
                yield skipped(identity, None, "the image is not in private ECR")
            return
        manifests = {"HEAD": self.world.replies.get("head", OK), "GET": self.world.replies.get("manifest", OK)}
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
        reply, name = self.world.replies.get("blob", OK), f"ecr.dkr/blob/{digest[:19]}"
        target, host, region = self.world.redirect or (RedirectTarget.LAYER_BUCKET, self.plan.layer_host, REGION)
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
        if self.world.redirected is not None:
            made = list(self._host("s3", host, self.world.redirected, None, on=name))
            yield from made if what == "config" else ()
            tls = [each for each in made if each.action is Action.TLS and each.ok]
            ends = [each for each in made if each.action in (Action.TCP, Action.TLS)] or made
            address, on = (tls[0].subject, tls[0].id) if tls else (None, _first_bad(ends))
        if address is None:
            yield skipped(layer, on)
            return
        reply = self.world.replies.get("layer", OK)
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
            reply = self.world.replies.get("logs", OK)
            seen = LogsSeen(answer=reply.answer("logs:DescribeLogStreams"), **(group | dict(reply.seen)))
            yield from self._ask("logs/logs", address, "logs", on, bad or (None if address else on), lambda _: seen)


def _failure(of: Failure | Mapping[str, Failure], address: str) -> Failure | None:
    return of if isinstance(of, Failure) else of.get(address)


def _is_passed_over(answer: Answer) -> bool:
    return isinstance(answer, Failure) and answer not in (Failure.NXDOMAIN, Failure.NO_ADDRESS)


def _first_bad(steps: list[Step]) -> str:
    return next((each.id for each in steps if each.failed), steps[0].id)
