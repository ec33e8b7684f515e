"""From gates to the steps that a check would see. From there on the rules of a check find the same findings.

A gate that is not known to allow is predicted as if it allowed; `settling` then says that it is undecided. Nothing
here has a duration, since nothing was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_network

from probe.addresses import AMAZON_PROVIDED_DNS, classify, is_ipv6
from probe.gates.call import Call
from probe.gates.flow import SOMEWHERE_PUBLIC
from probe.gates.network_firewall import failure_of
from probe.gates.opinion import Opinion
from probe.inspect.legs import Leg, Passage, Request
from probe.model import (
    Action,
    Address,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    Basis,
    CertificateSeen,
    ConnectionSeen,
    ControlSeen,
    Denial,
    DenialReason,
    Failure,
    GateAnswer,
    GateName,
    Identity,
    Kind,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    Measurement,
    NamesSeen,
    Nothing,
    Outcome,
    Plan,
    RedirectSeen,
    RedirectTarget,
    Step,
    Surroundings,
    Topic,
)
from probe.records import replace

_IMAGE = "image"  # stands for the digest of what a pull would read
# The policy that AWS names in a denial, by the gate that refuses.
_REASONS = {
    GateName.ENDPOINT_POLICY: DenialReason.ENDPOINT,
    GateName.IDENTITY_POLICY: DenialReason.IDENTITY,
    GateName.PERMISSIONS_BOUNDARY: DenialReason.BOUNDARY,
    GateName.SERVICE_CONTROL_POLICY: DenialReason.SERVICE_CONTROL,
    GateName.RESOURCE_CONTROL_POLICY: DenialReason.RESOURCE_CONTROL,
    GateName.REPOSITORY_POLICY: DenialReason.RESOURCE,
    GateName.REGISTRY_POLICY: DenialReason.RESOURCE,
}


def predict(
    legs: Sequence[Leg], plan: Plan, surroundings: Surroundings, *, principal: str | None, read_at: datetime
) -> Measurement:
    """What a check in the subnet of `legs` would measure."""
    return Measurement(
        basis=Basis.CONFIGURATION,
        started_at=read_at,
        seconds=0.0,
        surroundings=surroundings,
        identity=Identity(source="configuration", arn=principal),
        plan=plan,
        gates=tuple(gate for leg in legs for gate in leg.gates),
        steps=tuple(_Walk(plan).steps(legs)),
    )


class _Walk:
    """The steps of one subnet. A request is predicted only where the one before it works."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ranges = (*plan.vpc_cidrs, *plan.presumed_cidrs)
        self._pull_goes_on = True

    def steps(self, legs: Iterable[Leg]) -> Iterator[Step]:
        for leg in legs:
            yield from self._leg(leg)

    def _leg(self, leg: Leg) -> Iterator[Step]:
        lookup = self._lookup(leg)
        yield lookup
        handshakes: list[Step] = []
        for passage in leg.passages if lookup.ok else ():
            connection = self._connection(leg, passage, lookup)
            yield connection
            if connection.ok:
                handshake = self._handshake(leg, passage, connection)
                yield handshake
                if handshake.ok:
                    handshakes.append(handshake)
        if _leaves(leg) and self._plan.control_host is not None:
            yield self._control(leg, self._plan.control_host)
        if not leg.passages and any(opinion.refuses for opinion in leg.resolution.opinions):
            yield from self._unsendable(leg, lookup)
        if handshakes:
            yield from self._requests(leg, handshakes[0])
        elif leg.endpoint.name in _REQUESTS:
            self._pull_goes_on = self._pull_goes_on and leg.endpoint.name not in _OF_THE_PULL

    def _lookup(self, leg: Leg) -> Step:
        resolution, server = leg.resolution, leg.resolution.server or _resolver(self._plan)
        found = [passage.flow.address for passage in leg.passages]
        found += [resolved.address for resolved in resolution.addresses if resolved.address not in found]
        if not found and (resolution.public or resolution.target):
            found = [SOMEWHERE_PUBLIC[4]]
        addresses = tuple(Address(address, self._class(address)) for address in found)
        record = "AAAA" if addresses and all(is_ipv6(entry.address) for entry in addresses) else "A"
        seen = NamesSeen(
            server=server, asker=Asker.CONFIGURED, order=0, name=leg.endpoint.lookup, record=record,
            addresses=addresses, cnames=(resolution.target,) if resolution.target else (),
        )  # fmt: skip
        # An endpoint without an address of a family that the subnet has.
        nothing = not addresses and any(opinion.refuses for opinion in resolution.opinions)
        failure = resolution.failure or (Failure.NO_ADDRESS if nothing else None)
        step = _step(leg, Action.DNS, f"{server}/{record}", seen, failure=failure, address=server)
        if addresses or failure:
            return step
        return replace(step, outcome=Outcome.SKIPPED, seen=Nothing(), detail="what the name resolves to is not known")

    def _connection(self, leg: Leg, passage: Passage, lookup: Step) -> Step:
        address = passage.flow.address
        failure = Failure.TIMEOUT if passage.answer is GateAnswer.REFUSES and not _after_hello(passage) else None
        seen = ConnectionSeen(address=address, address_class=self._class(address))
        return _step(leg, Action.TCP, address, seen, failure=failure, address=address, on=lookup)

    def _control(self, leg: Leg, host: str) -> Step:
        """S3 of another region is reached where S3's packets leave the VPC: at an address that is public as well."""
        address = leg.passages[0].flow.address
        seen = ControlSeen(host=host, address=address, reached=True)
        return _step(leg, Action.CONTROL, "other-region", seen, address=address)

    def _unsendable(self, leg: Leg, lookup: Step) -> Iterator[Step]:
        """Connections to addresses of a family that the task does not have."""
        for resolved in leg.resolution.addresses:
            address = resolved.address
            seen = ConnectionSeen(address=address, address_class=self._class(address))
            yield _step(leg, Action.TCP, address, seen, failure=Failure.UNREACHABLE, address=address, on=lookup)

    def _handshake(self, leg: Leg, passage: Passage, connection: Step) -> Step:
        address, other = connection.address or "", leg.resolution.of_service
        seen = CertificateSeen(
            address=address, address_class=self._class(address), verified=other is None, issuer="O=Amazon",
            issuer_organization="Amazon", names=(leg.endpoint.host if other is None else f"a host of {other}",),
        )  # fmt: skip
        failure = _after_hello(passage) or (None if other is None else Failure.WRONG_NAME)
        return _step(leg, Action.TLS, address, seen, failure=failure, address=address, on=connection)

    def _requests(self, leg: Leg, handshake: Step) -> Iterator[Step]:
        """The requests to this endpoint, in order, up to the first that is refused."""
        before = handshake
        others = dict.fromkeys(request.call.step for request in leg.requests)
        for action in _REQUESTS.get(leg.endpoint.name, others):
            if leg.endpoint.name in _OF_THE_PULL and not self._pull_goes_on:
                return
            step = self._request(leg, action, before, _refusal(leg.requests, action))
            yield step
            if step.failed:
                self._pull_goes_on = self._pull_goes_on and leg.endpoint.name not in _OF_THE_PULL
                return
            before = step

    def _request(self, leg: Leg, action: Action, before: Step, refusal: tuple[Call, Opinion] | None) -> Step:
        answer = AnswerSeen(address=before.address, method="POST", status=200, aws=True)
        failure, answer = (None, answer) if refusal is None else _refused(*refusal, answer)
        subject, seen = self._seen(action, answer)
        if failure is Failure.MALFORMED and isinstance(seen, ManifestSeen) and refusal is not None:
            seen = replace(seen, artifact=refusal[1].element)
        elif failure is Failure.NO_PLATFORM and isinstance(seen, ManifestSeen) and refusal is not None:
            seen = replace(seen, platforms=tuple((refusal[1].element or "").split(", ")))
        return _step(leg, action, subject, seen, failure=failure, address=before.address, on=before)

    def _seen(self, action: Action, answer: AnswerSeen) -> tuple[str, AnySeen]:
        address = answer.address or ""
        match action:
            case Action.CHALLENGE:
                return address, replace(answer, status=401, method="GET")
            case Action.MANIFEST:
                return "GET", ManifestSeen(answer=replace(answer, method="GET"), layers=1)
            case Action.BLOB:
                target, host = RedirectTarget.LAYER_BUCKET, self._plan.layer_host
                return _IMAGE, RedirectSeen(answer=answer, digest=_IMAGE, target=target, host=host)
            case Action.LAYER:
                return _IMAGE, LayerSeen(answer=answer, digest=_IMAGE, what="layer", verified=answer.status == 200)
            case Action.LOGS:
                group, stream = self._plan.log_group, self._plan.log_stream
                exists = None if answer.status == 200 else answer.code != _NO_LOG_GROUP
                return address, LogsSeen(answer=answer, group=group, stream=stream, group_exists=exists)
            case _:
                return address, answer

    def _class(self, address: str) -> AddressClass:
        # The address that stands for any public one is not globally routable.
        return AddressClass.PUBLIC if address in SOMEWHERE_PUBLIC.values() else classify(address, self._ranges)


# The requests of a check to each endpoint, in order.
_REQUESTS = {
    "ecr.api": (Action.TOKEN,),
    "ecr.dkr": (Action.CHALLENGE, Action.MANIFEST, Action.BLOB),
    "s3": (Action.LAYER,),
    "logs": (Action.LOGS,),
    "secretsmanager": (Action.REQUEST,),
    "ssm": (Action.REQUEST,),
}
# Gates that refuse since something does not exist.
_OF_THE_PULL = ("ecr.api", "ecr.dkr", "s3")


def _leaves(leg: Leg) -> bool:
    """Whether S3's packets leave the VPC another way than through its gateway endpoint, and arrive."""
    ways = [passage for passage in leg.passages if passage.flow.public and passage.flow.gateway is None]
    path = (opinion.gate is GateName.PUBLIC_PATH and opinion.allows for each in ways for opinion in each.opinions)
    arrive = all(passage.answer is GateAnswer.ALLOWS for passage in ways)
    return leg.endpoint.kind is Kind.GATEWAY and bool(ways) and arrive and any(path)


def _after_hello(passage: Passage) -> Failure | None:
    """How a firewall stops the connection once it has seen the server name; None: it does not, or earlier."""
    refusals = (
        opinion for opinion in passage.opinions if opinion.refuses and opinion.gate is GateName.NETWORK_FIREWALL
    )
    failures = (failure_of(refusal) for refusal in refusals)
    return next((failure for failure in failures if failure is not Failure.TIMEOUT), None)


_NO_LOG_GROUP = "ResourceNotFoundException"


def _refusal(requests: Iterable[Request], action: Action) -> tuple[Call, Opinion] | None:
    """The first refusal of the calls of this step."""
    refusals = (
        (request.call, opinion)
        for request in requests
        if request.call.step is action
        for opinion in request.opinions
        if opinion.refuses
    )
    return next(refusals, None)


def _refused(call: Call, refusal: Opinion, answer: AnswerSeen) -> tuple[Failure, AnswerSeen]:
    """The failure and the answer that a check would see."""
    match refusal.gate, refusal.cause:
        case GateName.IMAGE, "registry.not-an-image":
            return Failure.MALFORMED, answer
        case GateName.IMAGE, "registry.no-matching-platform":
            return Failure.NO_PLATFORM, answer
        case GateName.IMAGE, cause:
            code = "NAME_UNKNOWN" if cause == "registry.repo-not-found" else "MANIFEST_UNKNOWN"
            return Failure.NOT_FOUND, replace(answer, status=404, code=code)
        case GateName.LOG_GROUP, _:
            return Failure.NOT_FOUND, replace(answer, status=400, code=_NO_LOG_GROUP)
        case GateName.KMS_KEY, _:
            return Failure.DENIED, replace(answer, status=400, code="KmsException", topic=Topic.KEY)
        case GateName.TRUST_POLICY, _:
            return Failure.DENIED, replace(answer, status=403, code="AccessDenied", topic=Topic.ROLE)
    denial = Denial(
        reason=_REASONS.get(refusal.gate),
        explicit=refusal.explicit,
        principal=None if call.by_ecr else call.principal,
        action=call.action,
        resource=call.resource,
    )
    return Failure.DENIED, replace(answer, status=403, code="AccessDenied", denial=denial)


def _resolver(plan: Plan) -> str:
    """AmazonProvidedDNS, at the base of the VPC's first range plus two."""
    ranges = (ip_network(text, strict=False) for text in plan.vpc_cidrs)
    return next((str(network[2]) for network in ranges if network.version == 4), AMAZON_PROVIDED_DNS[0])


def _step(
    leg: Leg,
    action: Action,
    subject: str,
    seen: AnySeen,
    *,
    failure: Failure | None = None,
    address: str | None,
    on: Step | None = None,
) -> Step:
    return Step(
        id=f"{leg.endpoint.name}/{action}/{subject}",
        endpoint=leg.endpoint.name,
        action=action,
        subject=subject,
        host=leg.endpoint.host,
        address=address,
        on=on.id if on else None,
        outcome=Outcome.FAILED if failure else Outcome.OK,
        failure=failure,
        detail=None,
        seconds=None,
        seen=seen,
        blocked_by=None,
    )
