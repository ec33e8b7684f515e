"""From clues to a `Measurement` for the rules: its failed steps are what the text tells, those that are OK what must
have gone before. Nothing else is made up: what a text does not tell is empty. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from probe.addresses import can_be_aws, classify, presume
from probe.endpoints import AGENT_ENDPOINTS, ROWS, Row
from probe.explain.hosts import is_public_ecr
from probe.explain.reported_failures import ReportedFailure
from probe.explain.task_context import TaskContext
from probe.faults.evidence import ELSEWHERE, UNNAMED
from probe.faults.text_only import SUBJECT_ENDPOINTS
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
    CredentialsSeen,
    Endpoint,
    Failure,
    Identity,
    ImageHost,
    Impact,
    Kind,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    Measurement,
    NamesSeen,
    Nothing,
    Outcome,
    Path,
    Plan,
    RedirectSeen,
    RedirectTarget,
    Step,
    Surroundings,
)
from probe.records import Record
from probe.wire.partitions import Partition, partition_of, partitions

INFERRED = "inferred: what the text tells comes after it"
# What a reader has to fill in himself, as in all texts of faults and causes.
_REGION, _ACCOUNT = "REGION", "ACCOUNT"
# The order of the pull: that one of these failed says that those before it did not.
_PULL = (
    (Action.TOKEN, "ecr.api"),
    (Action.MANIFEST, "ecr.dkr"),
    (Action.BLOB, "ecr.dkr"),
    (Action.LAYER, "s3"),
)
# A task whose secret cannot be fetched does not start; KMS decrypts secrets and images.
_STARTERS = ("secretsmanager", "ssm", "kms")


class _Place(Record, frozen=True):
    """Where an endpoint is, as far as the text tells."""

    partition: Partition
    region: str | None
    account: str | None

    def fill(self, template: str) -> str:
        return template.format(
            region=self.region or _REGION,
            account=self.account or _ACCOUNT,
            suffix=self.partition.dns_suffix,
            dual=self.partition.dual_stack_suffix,
        )


def measurement_of(
    clues: tuple[ReportedFailure, ...], context: TaskContext, *, vpc_cidrs: tuple[str, ...] = (), now: datetime
) -> Measurement:
    """The measurement that clues make; with none, one in which nothing is known to have failed."""
    place = _place(clues, context)
    presumed = _presumed(clues, context)
    endpoints = tuple(_endpoint(name, clues, place) for name in _endpoint_names(clues))
    ranges = (*vpc_cidrs, *presumed)
    return Measurement(
        basis=Basis.TEXT,
        started_at=now,
        seconds=0.0,
        surroundings=_surroundings(clues, context),
        identity=Identity(source="none", arn=_principal(clues)),
        plan=_plan(clues, context, place, endpoints, vpc_cidrs, presumed),
        steps=tuple(_steps(clues, endpoints, ranges)),
    )


# ---- where ----------------------------------------------------------------------------------------------------------


def _place(clues: Iterable[ReportedFailure], context: TaskContext) -> _Place:
    """Of the image, where the text names one; else of the hosts that it names."""
    hosts = [clue.host for clue in clues if clue.host is not None]
    image = context.image
    region = image.region if image else next((host.region for host in hosts if host.region), None)
    region = region or context.place or context.region
    account = image.account if image else next((host.account for host in hosts if host.account), None)
    partition = partition_of(region) if region else None
    return _Place(partition or partitions()[0], region, account)


def _presumed(clues: Iterable[ReportedFailure], context: TaskContext) -> tuple[str, ...]:
    """The VPC's ranges, as the task's own addresses suggest them, and those of AWS names that AWS cannot have."""
    given = [clue.address for clue in clues if clue.address and clue.endpoint not in ("task", ELSEWHERE, UNNAMED)]
    return presume((*context.addresses, *(address for address in given if not can_be_aws(address))))


def _endpoint_names(clues: Iterable[ReportedFailure]) -> tuple[str, ...]:
    """The endpoints that the text speaks of, in table order; a registry without a token speaks of the token's."""
    names = [
        name for clue in clues for name in (clue.endpoint, *(SUBJECT_ENDPOINTS[clue.subject] if clue.subject else ()))
    ]
    names += ["ecr.api" for clue in clues if clue.action is Action.CHALLENGE and clue.endpoint != ELSEWHERE]
    known = [name for name in ROWS if name in names]
    return tuple(dict.fromkeys((*known, *(name for name in names if name not in ("task", ELSEWHERE)))))


def _principal(clues: Iterable[ReportedFailure]) -> str | None:
    ours = (clue.denial for clue in clues if clue.denial is not None and clue.endpoint != "s3")
    return next((denial.principal for denial in ours if denial.principal), None)


def _surroundings(clues: Iterable[ReportedFailure], context: TaskContext) -> Surroundings:
    of_agent = any(clue.endpoint in AGENT_ENDPOINTS for clue in clues)
    return Surroundings(
        path=Path.INSTANCE_ENI if of_agent else Path.UNKNOWN,  # the agent runs on the instance
        region=context.region,
        account=context.account,
        launch_type=context.launch_type,
        task_arn=context.task_arn,
        image=context.image.text if context.image else context.other_image,
        addresses=context.addresses,
    )


def _endpoint(name: str, clues: Iterable[ReportedFailure], place: _Place) -> Endpoint:
    row = ROWS.get(name)
    host = next((clue.host for clue in clues if clue.endpoint == name and clue.host and clue.host.endpoint), None)
    region = (host.region if host else None) or place.region
    here = _Place(place.partition, region, (host.account if host else None) or place.account)
    template = row.host if row else "HOST" if name == UNNAMED else f"{name}.{{region}}.{{suffix}}"
    spelled = host.name if host else here.fill(template)
    return Endpoint(
        name=name,
        host=spelled,
        lookup=spelled,
        kind=row.kind if row else Kind.INTERFACE,
        region=region or "",
        required=True,
        impact=_impact(name, row),
        mistaken=here.fill(row.mistaken) if row and row.mistaken else None,
    )


def _impact(name: str, row: Row | None) -> Impact:
    """What is lost without it: the text is of somebody who needed it."""
    if name in _STARTERS:
        return Impact.START
    if name == "ecr-legacy":
        return Impact.PULL
    return row.impact if row is not None and row.impact is not Impact.NONE else Impact.PROOF


def _plan(
    clues: tuple[ReportedFailure, ...],
    context: TaskContext,
    place: _Place,
    endpoints: tuple[Endpoint, ...],
    vpc_cidrs: tuple[str, ...],
    presumed: tuple[str, ...],
) -> Plan:
    image = context.image
    platform = next((clue.platform for clue in clues if clue.platform), None) or context.platform
    elsewhere = next((clue.host.name for clue in clues if clue.endpoint == ELSEWHERE and clue.host), None)
    public = elsewhere is not None and is_public_ecr(elsewhere)
    return Plan(
        endpoints=endpoints,
        omitted=(),
        region=place.region or "",
        partition=place.partition.name,
        dns_suffix=place.partition.dns_suffix,
        account=place.account or "",
        layer_host=place.fill(ROWS["s3"].host),
        image=image.text if image else context.other_image or elsewhere,
        reference=image,
        image_host=ImageHost.PUBLIC_ECR if public else ImageHost.PRIVATE_ECR if image else context.other_kind,
        image_given=False,
        platform=platform or "",
        platform_given=platform is not None,
        vpc_cidrs=vpc_cidrs,
        presumed_cidrs=presumed,
        log_group=next((clue.log_group for clue in clues if clue.log_group), None),
        controls=False,
    )


# ---- steps ----------------------------------------------------------------------------------------------------------


def _steps(
    clues: tuple[ReportedFailure, ...], endpoints: tuple[Endpoint, ...], ranges: tuple[str, ...]
) -> Iterator[Step]:
    """Those of the task and of other registries, then each endpoint's in the order of the pull."""
    made: dict[str, Step] = {}
    for step in (*_before(clues), *(step for clue in clues for step in _told(clue, clues, endpoints, ranges))):
        made.setdefault(step.id, step)
    order = ("task", ELSEWHERE, *(name for _, name in _PULL), *(endpoint.name for endpoint in endpoints))
    yield from sorted(made.values(), key=lambda step: order.index(step.endpoint))


def _before(clues: tuple[ReportedFailure, ...]) -> Iterator[Step]:
    """The round trips of the pull that must have gone well before the furthest one that failed."""
    failed = {clue.endpoint for clue in clues}
    for action, name in _PULL[: max(map(_way, clues), default=0)]:
        if name not in failed or (name == "ecr.dkr" and action is Action.MANIFEST):
            yield _step(name, action, _OF_ANSWER[action](AnswerSeen(), ""), detail=INFERRED)


def _way(clue: ReportedFailure) -> int:
    """How many round trips of the pull came before the one that failed. A registry is asked without a token too."""
    if clue.endpoint == "s3":
        return 3
    if clue.endpoint == "ecr.dkr" and clue.action is not Action.CHALLENGE:
        return 2 if clue.action is Action.BLOB else 1
    return 0


def _told(
    clue: ReportedFailure, clues: tuple[ReportedFailure, ...], endpoints: tuple[Endpoint, ...], ranges: tuple[str, ...]
) -> Iterator[Step]:
    """The step that failed; below a connection the lookup that gave its address."""
    endpoint = next((each for each in endpoints if each.name == clue.endpoint), None)
    name = endpoint.lookup if endpoint else clue.host.name if clue.host else ""
    if clue.address is not None and clue.action is Action.TCP:
        dialled = dict.fromkeys(each.address for each in clues if each.endpoint == clue.endpoint and each.address)
        addresses = tuple(Address(address, classify(address, ranges)) for address in dialled if address)
        yield _step(clue.endpoint, Action.DNS, _names(name, "", addresses), detail=INFERRED)
    subject = clue.subject or clue.server or (clue.address if clue.action in (Action.TCP, Action.TLS) else None)
    yield Step(
        id="/".join(part for part in (clue.endpoint, clue.action, subject) if part),
        endpoint=clue.endpoint,
        action=clue.action,
        subject=subject or "",
        on=None,
        outcome=Outcome.FAILED,
        failure=clue.failure,
        detail=clue.words or None,
        seconds=None,
        seen=_seen(clue, name, ranges),
        blocked_by=None,
    )


def _step(endpoint: str, action: Action, seen: AnySeen, *, detail: str) -> Step:
    return Step(
        id=f"{endpoint}/{action}",
        endpoint=endpoint,
        action=action,
        subject="",
        on=None,
        outcome=Outcome.OK,
        failure=None,
        detail=detail,
        seconds=None,
        seen=seen,
        blocked_by=None,
    )


def _names(name: str, server: str, addresses: tuple[Address, ...] = ()) -> NamesSeen:
    return NamesSeen(server=server, asker=Asker.CONFIGURED, order=0, name=name, record="A", addresses=addresses)


def _seen(clue: ReportedFailure, name: str, ranges: tuple[str, ...]) -> AnySeen:
    """What the failed step saw. Where no address is told, a connection and a handshake saw nothing."""
    kind = classify(clue.address, ranges) if clue.address else AddressClass.UNKNOWN
    match clue.action:
        case Action.DNS:
            return _names(name, clue.server or "")
        case Action.TCP if clue.address:
            return ConnectionSeen(address=clue.address, address_class=kind)
        case Action.TLS if clue.address or clue.names or clue.not_after:
            address = clue.address or ""
            return CertificateSeen(address=address, address_class=kind, names=clue.names, not_after=clue.not_after)
        case Action.CREDENTIALS:
            return CredentialsSeen(status=clue.status)
        case Action.TCP | Action.TLS | Action.START | Action.ENVIRONMENT:
            return Nothing()
        case Action.BLOB if clue.failure is Failure.REDIRECT:
            host = clue.host.name if clue.host else None
            return RedirectSeen(answer=_answer(clue), digest="", target=RedirectTarget.FOREIGN, host=host)
        case Action.LOGS:
            return LogsSeen(answer=_answer(clue), group=clue.log_group)
        case _:
            make = _OF_ANSWER.get(clue.action)
            return make(_answer(clue), clue.digest or "") if make else _answer(clue)


def _answer(clue: ReportedFailure) -> AnswerSeen:
    return AnswerSeen(
        status=clue.status,
        aws=clue.aws,
        code=clue.code,
        denial=clue.denial,
        signed_at=clue.signed_at,
        server_time=clue.server_time,
    )


_OF_ANSWER: dict[Action, Callable[[AnswerSeen, str], AnySeen]] = {
    Action.TOKEN: lambda answer, _: answer,
    Action.MANIFEST: lambda answer, _: ManifestSeen(answer=answer),
    Action.BLOB: lambda answer, digest: RedirectSeen(answer=answer, digest=digest),
    Action.LAYER: lambda answer, digest: LayerSeen(answer=answer, digest=digest, what="layer"),
}
