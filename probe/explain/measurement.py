"""From reported failures to a `Measurement` for the rules. Pure.

Its failed steps are the failures in the text; its OK steps are those that must have succeeded before. All else is
empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from probe.addresses import can_be_aws, classify, is_ipv6, presume
from probe.endpoints import AGENT_ENDPOINTS, ROWS, Place, Row
from probe.explain.error_patterns import INSTANCE_METADATA
from probe.explain.hosts import is_public_ecr
from probe.explain.reported_failures import ReportedFailure
from probe.explain.task_context import TaskContext
from probe.faults.evidence import ELSEWHERE, UNNAMED
from probe.faults.subjects import Subject
from probe.faults.text_failures import MEANINGS
from probe.model import (
    Action,
    Address,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    Basis,
    CertificateSeen,
    Client,
    ConnectionSeen,
    CredentialsSeen,
    Endpoint,
    Failure,
    Identity,
    ImageHost,
    Impact,
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
from probe.partitions import partition_of, partitions
from probe.records import replace

_OF_THE_CLIENT = (
    Subject.REFERENCE,
    Subject.HELPER_MISSING,
    Subject.HELPER_FAILED,
    Subject.LOGIN,
    Subject.LOGIN_EMPTY,
    Subject.LOGIN_COMMAND,
    Subject.LOGIN_STORE,
)
INFERRED = "inferred: the failure in the text comes after this step"
# The round trips of a pull, in order: a failure of one proves that those before it succeeded.
_PULL_ORDER = ((Action.TOKEN, "ecr.api"), (Action.MANIFEST, "ecr.dkr"), (Action.BLOB, "ecr.dkr"), (Action.LAYER, "s3"))


def measurement_of(
    failures: tuple[ReportedFailure, ...], context: TaskContext, *, vpc_cidrs: tuple[str, ...] = (), now: datetime
) -> Measurement:
    """The measurement that a text reports. Without failures nothing in it has failed."""
    place = _place(failures, context)
    presumed = _presumed(failures, context)
    endpoints = tuple(_endpoint(name, failures, place) for name in _endpoint_names(failures))
    ranges = (*vpc_cidrs, *presumed)
    return Measurement(
        basis=Basis.TEXT,
        started_at=now,
        seconds=0.0,
        surroundings=_surroundings(failures, context),
        identity=Identity(source="none", arn=_principal(failures)),
        plan=_plan(failures, context, place, endpoints, vpc_cidrs, presumed),
        steps=tuple(_steps(failures, endpoints, ranges)),
    )


# ---- where ----------------------------------------------------------------------------------------------------------


def _place(failures: Iterable[ReportedFailure], context: TaskContext) -> Place:
    """From the image, where the text names one; else from the hosts that it names."""
    hosts = [reported.host for reported in failures if reported.host is not None]
    image = context.image
    region = image.region if image else next((host.region for host in hosts if host.region), None)
    region = region or context.named_region or context.region
    account = image.account if image else next((host.account for host in hosts if host.account), None)
    partition = partition_of(region) if region else None
    return Place(partition or partitions()[0], region or "", account or "")


def _presumed(failures: Iterable[ReportedFailure], context: TaskContext) -> tuple[str, ...]:
    """Ranges of the VPC that the task's addresses suggest, and addresses of AWS names outside AWS's ranges."""
    dialled = [
        reported.address
        for reported in failures
        if reported.address and reported.endpoint not in ("task", ELSEWHERE, UNNAMED)
    ]
    return presume((*context.addresses, *(address for address in dialled if not can_be_aws(address))))


def _endpoint_names(failures: Iterable[ReportedFailure]) -> tuple[str, ...]:
    """The endpoints that the text is about, in table order; a registry asked without a token adds ecr.api."""
    names = [
        name
        for reported in failures
        for name in (reported.endpoint, *(MEANINGS[reported.subject].endpoints if reported.subject else ()))
    ]
    names += [
        "ecr.api" for reported in failures if reported.action is Action.CHALLENGE and reported.endpoint != ELSEWHERE
    ]
    listed = [name for name in ROWS if name in names]
    return tuple(dict.fromkeys((*listed, *(name for name in names if name not in ("task", ELSEWHERE)))))


def _principal(failures: Iterable[ReportedFailure]) -> str | None:
    """The caller that AWS names in a denial; S3's layers are fetched by another."""
    denials = (reported.denial for reported in failures if reported.denial is not None and reported.endpoint != "s3")
    return next((denial.principal for denial in denials if denial.principal), None)


def _surroundings(failures: Iterable[ReportedFailure], context: TaskContext) -> Surroundings:
    failures = tuple(failures)
    by_agent = any(reported.endpoint in AGENT_ENDPOINTS for reported in failures)
    # ECS logs in by itself and names itself in what it reports: an error of a login that does not is another client's.
    usual = Client.RUNTIME if failures and all(map(_is_of_login, failures)) else Client.ECS
    return Surroundings(
        client=context.client or usual,
        path=Path.INSTANCE_ENI if by_agent else Path.UNKNOWN,  # the agent runs on the instance
        region=context.region,
        account=context.account,
        launch_type=context.launch_type,
        cluster=context.cluster,
        service=context.service,
        task_arn=context.task_arn,
        image=context.image.text if context.image else context.other_image,
        addresses=context.addresses,
    )


def _is_of_login(reported: ReportedFailure) -> bool:
    """Whether the client had no token, no credentials for one, or no name of an image that it could use."""
    if reported.subject in _OF_THE_CLIENT:
        return True
    if reported.failure is Failure.UNAUTHENTICATED:
        return reported.action in (Action.MANIFEST, Action.BLOB)
    return reported.action is Action.CREDENTIALS or (
        reported.action is Action.CHALLENGE and reported.failure is Failure.NO_CREDENTIALS
    )


def _endpoint(name: str, failures: Iterable[ReportedFailure], place: Place) -> Endpoint:
    row = ROWS.get(name)
    host = next(
        (
            reported.host
            for reported in failures
            if reported.endpoint == name and reported.host and reported.host.endpoint
        ),
        None,
    )
    where = Place(
        place.partition,
        "" if host and host.misspelt else (host.region if host else None) or place.region,
        (host.account if host else None) or place.account,
    )
    if row is None:
        template = "HOST" if name == UNNAMED else f"{name}.{{region}}.{{suffix}}"
        row = Row(name, template, template)
    # The text proves that the task called this endpoint.
    impact = row.if_called if row.impact is Impact.NONE else row.impact
    return row.endpoint(where, host=host.name if host else where.fill(row.host), required=True, impact=impact)


def _plan(
    failures: tuple[ReportedFailure, ...],
    context: TaskContext,
    place: Place,
    endpoints: tuple[Endpoint, ...],
    vpc_cidrs: tuple[str, ...],
    presumed: tuple[str, ...],
) -> Plan:
    image = context.image
    platform = next((reported.platform for reported in failures if reported.platform), None) or context.platform
    elsewhere = next(
        (reported.host.name for reported in failures if reported.endpoint == ELSEWHERE and reported.host), None
    )
    public = elsewhere is not None and is_public_ecr(elsewhere)
    return Plan(
        endpoints=endpoints,
        omitted=(),
        region=place.region,
        partition=place.partition.name,
        dns_suffix=place.partition.dns_suffix,
        account=place.account,
        layer_host=place.fill(ROWS["s3"].host),
        image=image.text if image else context.other_image or elsewhere,
        reference=image,
        image_host=ImageHost.PUBLIC_ECR if public else ImageHost.PRIVATE_ECR if image else context.other_kind,
        image_given=False,
        platform=platform or "",
        platform_given=platform is not None,
        vpc_cidrs=vpc_cidrs,
        presumed_cidrs=presumed,
        log_group=next((reported.log_group for reported in failures if reported.log_group), None),
        controls=False,
    )


# ---- steps ----------------------------------------------------------------------------------------------------------


def _steps(
    failures: tuple[ReportedFailure, ...], endpoints: tuple[Endpoint, ...], ranges: tuple[str, ...]
) -> Iterator[Step]:
    """Steps of the task and of other registries, then those of each endpoint in the order of the pull."""
    steps: dict[str, Step] = {}
    for step in (
        *_inferred_steps(failures, endpoints),
        *(step for reported in failures for step in _reported_steps(reported, failures, endpoints, ranges)),
    ):
        steps.setdefault(step.id, step)
    order = ("task", ELSEWHERE, *(name for _, name in _PULL_ORDER), *(endpoint.name for endpoint in endpoints))
    yield from sorted(steps.values(), key=lambda step: order.index(step.endpoint))


def _inferred_steps(failures: tuple[ReportedFailure, ...], endpoints: tuple[Endpoint, ...]) -> Iterator[Step]:
    """The round trips of the pull that must have succeeded before the last one that failed."""
    failed = {reported.endpoint for reported in failures}
    hosts = {endpoint.name: endpoint.host for endpoint in endpoints}
    for action, name in _PULL_ORDER[: max(map(_position, failures), default=0)]:
        if name not in failed or (name == "ecr.dkr" and action is Action.MANIFEST):
            yield _step(name, action, _ANSWER_WRAPPERS[action](AnswerSeen(), ""), host=hosts.get(name), detail=INFERRED)


def _position(reported: ReportedFailure) -> int:
    """How many round trips of the pull precede the one that failed. The challenge needs no token before it."""
    if reported.endpoint == "s3":
        return 0 if reported.action is Action.REQUEST else 3  # an environment file is read before the pull
    if reported.endpoint == "ecr.dkr" and reported.action is not Action.CHALLENGE:
        return 2 if reported.action is Action.BLOB else 1
    return 0


def _reported_steps(
    reported: ReportedFailure,
    failures: tuple[ReportedFailure, ...],
    endpoints: tuple[Endpoint, ...],
    ranges: tuple[str, ...],
) -> Iterator[Step]:
    """The step that failed; before a failed connection the lookup that returned its address."""
    endpoint = next((endpoint for endpoint in endpoints if endpoint.name == reported.endpoint), None)
    name = endpoint.lookup if endpoint else reported.host.name if reported.host else ""
    if reported.address is not None and reported.action is Action.TCP and not _is_unknown(reported):
        dialled = dict.fromkeys(
            other.address for other in failures if other.endpoint == reported.endpoint and other.address
        )
        addresses = tuple(Address(address, classify(address, ranges)) for address in dialled if address)
        host = endpoint.host if endpoint else name
        record = "AAAA" if all(is_ipv6(entry.address) for entry in addresses) else "A"
        seen = _names(name, "", addresses, record)
        yield _step(reported.endpoint, Action.DNS, seen, host=host or None, detail=INFERRED)
    subject = (
        reported.subject
        or reported.resolver
        or (reported.address if reported.action in (Action.TCP, Action.TLS) else None)
    )
    step = _step(
        reported.endpoint,
        reported.action,
        _seen(reported, name, ranges),
        subject=subject or "",
        host=endpoint.host if endpoint else name or None,
        detail=reported.error_text or None,
    )
    address = reported.resolver if reported.action is Action.DNS else reported.address
    yield replace(step, address=address, outcome=Outcome.FAILED, failure=reported.failure)


def _step(
    endpoint: str, action: Action, seen: AnySeen, *, subject: str = "", host: str | None, detail: str | None
) -> Step:
    """A step that succeeded."""
    return Step(
        id="/".join(part for part in (endpoint, action, subject) if part),
        endpoint=endpoint,
        action=action,
        subject=subject,
        host=host,
        on=None,
        outcome=Outcome.OK,
        failure=None,
        detail=detail,
        seconds=None,
        seen=seen,
        blocked_by=None,
    )


def _is_unknown(reported: ReportedFailure) -> bool:
    """Whether a public address is all that is known of a host: no name resolved to it as far as the text shows."""
    address = reported.address
    return reported.endpoint == UNNAMED and address is not None and can_be_aws(address)


def _names(name: str, server: str, addresses: tuple[Address, ...] = (), record: str = "A") -> NamesSeen:
    return NamesSeen(server=server, asker=Asker.CONFIGURED, order=0, name=name, record=record, addresses=addresses)


def _seen(reported: ReportedFailure, name: str, ranges: tuple[str, ...]) -> AnySeen:
    """What the failed step observed: nothing for a connection or handshake without an address."""
    address_class = classify(reported.address, ranges) if reported.address else AddressClass.UNKNOWN
    match reported.action:
        case Action.DNS:
            return _names(name, reported.resolver or "")
        case Action.TCP if reported.address and not _is_unknown(reported):
            return ConnectionSeen(address=reported.address, address_class=address_class)
        case Action.TLS if reported.address or reported.certificate_names or reported.failure is Failure.EXPIRED:
            address = reported.address or ""
            return CertificateSeen(
                address=address,
                address_class=address_class,
                names=reported.certificate_names,
                not_before=reported.not_before,
                not_after=reported.not_after,
            )
        case Action.CREDENTIALS:
            source = "iam-role" if reported.code == INSTANCE_METADATA else None  # botocore's name of the provider
            return CredentialsSeen(source=source, status=reported.status)
        case Action.TCP | Action.TLS | Action.START | Action.ENVIRONMENT:
            return Nothing()
        case Action.BLOB if reported.failure is Failure.REDIRECT:
            host = reported.host.name if reported.host else None
            return RedirectSeen(answer=_answer(reported), digest="", target=RedirectTarget.FOREIGN, host=host)
        case Action.LOGS:
            return LogsSeen(answer=_answer(reported), group=reported.log_group)
        case _:
            wrap = _ANSWER_WRAPPERS.get(reported.action)
            return wrap(_answer(reported), reported.digest or "") if wrap else _answer(reported)


def _answer(reported: ReportedFailure) -> AnswerSeen:
    return AnswerSeen(
        status=reported.status,
        aws=reported.is_aws,
        code=reported.code,
        topic=reported.topic,
        denial=reported.denial,
        signed_at=reported.signed_at,
        server_time=reported.server_time,
    )


# The type of `Step.seen` for each round trip, from its answer and digest.
_ANSWER_WRAPPERS: dict[Action, Callable[[AnswerSeen, str], AnySeen]] = {
    Action.TOKEN: lambda answer, _: answer,
    Action.MANIFEST: lambda answer, _: ManifestSeen(answer=answer),
    Action.BLOB: lambda answer, digest: RedirectSeen(answer=answer, digest=digest),
    Action.LAYER: lambda answer, digest: LayerSeen(answer=answer, digest=digest, what="layer"),
}
