"""The facts about the task apart from the failure: in an error text, and in ECS's description of the task. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from probe import arns
from probe.explain.clients import client_of
from probe.explain.documents import Event, time_of
from probe.explain.hosts import is_masked, read_host
from probe.images import OtherImage, parse_image
from probe.model import Client, ImageHost, ImageReference
from probe.partitions import partition_of
from probe.records import Record, fields, replace

_NAME_CHARACTER = r"[\w.*<>-]"
_TAG = r"(?::[\w.*-]{1,128})?(?:@sha256:[0-9a-f]{64})?"
_ECR_IMAGE = re.compile(
    rf"(?<![\w./-]){_NAME_CHARACTER}{{0,64}}\bdkr[.-]ecr{_NAME_CHARACTER}{{1,128}}/[\w./*<>-]{{1,256}}{_TAG}", re.ASCII
)
_ANY_IMAGE = rf"\"?(?P<image>{_NAME_CHARACTER}{{1,255}}(?::\d+(?=/))?(?:/{_NAME_CHARACTER}{{1,255}}){{0,8}}{_TAG})"
# Images of any registry, found by the words before them.
_NAMED_IMAGE = re.compile(
    r"(?:(?:resolve ref(?:erence)?|manifest for|pull access denied for|from flag value|cannot pull|image) "
    rf"|\bdocker://|\boci://){_ANY_IMAGE}",
    re.ASCII | re.IGNORECASE,
)
_DENIED_IMAGE = re.compile(rf"pull access denied for {_ANY_IMAGE}, repository does not exist", re.ASCII | re.IGNORECASE)
_MISSING_IMAGE = re.compile(rf"(?:repository|image) {_ANY_IMAGE} not found", re.ASCII | re.IGNORECASE)
_AWS_HOST = re.compile(
    r"(?<![\w.@:-])(?:[a-z0-9-]{1,63}\.){1,6}(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws)\b", re.ASCII
)
_ECR_HOST = re.compile(r"\bdkr[.-]ecr\b")
_PLATFORM = re.compile(r"(?:linux|windows|darwin|freebsd)/\w{2,10}(?:/v\d)?")
_PUBLIC_ECR_IMAGE = re.compile(rf"(?<![\w./-])(?P<image>public\.ecr\.aws/[\w./-]{{1,256}}{_TAG})", re.ASCII)
# The resource of a denial names the repository; so does an ARN in a policy.
_REPOSITORY_ARN = re.compile(
    r"arn:[\w-]{3,20}:ecr:(?P<region>[a-z0-9-]{5,20}):(?P<account>\d{12}):repository/(?P<repository>[a-z0-9._/-]{2,256})"
)
_LAYER_BUCKET = re.compile(r"\bprod-(?P<region>[a-z0-9-]{5,20}?)-starport-layer-bucket")
_CLOUDTRAIL_REGION = re.compile(r"\bawsRegion\W{1,5}(?P<region>[a-z0-9-]{5,20})")
# The region that a login command asks for a token.
_LOGIN_REGION = re.compile(
    r"\becr get-(?:login(?:-password)?|authorization-token)\b[^|\n]{0,200}?"
    r"--region[= ]['\"]?(?P<region>[a-z0-9-]{5,20})"
    r"|--region[= ]['\"]?(?P<before>[a-z0-9-]{5,20})['\"]? ecr get-(?:login|authorization-token)"
)
_S3_ERROR = re.compile(r"<(?:\?xml|Error>).{0,4000}")  # its principal is ECR's own
_SERVICE = re.compile(
    r"\(service (?P<service>[\w-]{1,255})[),]|\b[Ss]ervice (?:ARN )?\S{0,200}:service/(?P<arn>[\w/-]{1,512})"
)
_CLUSTER = re.compile(r"\bcluster[ /:='\"]{1,3}(?P<cluster>[\w-]{1,255})")


class TaskContext(Record, frozen=True):
    """What is known of the task. None where the text does not say.

    `account` is the caller's, `region` the task's own, `named_region` any region that the text names.
    """

    image: ImageReference | None = None
    other_image: str | None = None  # of another registry, as written
    other_kind: ImageHost = ImageHost.OTHER
    region: str | None = None
    named_region: str | None = None
    account: str | None = None
    task_arn: str | None = None
    launch_type: str | None = None
    platform: str | None = None
    cluster: str | None = None
    service: str | None = None
    client: Client | None = None  # who pulls or pushes
    addresses: tuple[str, ...] = ()

    def or_else(self, other: TaskContext) -> TaskContext:
        """A copy with empty fields filled from `other`."""
        names = [field.name for field in fields(self) if field.name != "other_kind"]
        values = {name: getattr(self, name) or getattr(other, name) for name in names}
        kind = self.other_kind if self.other_image else other.other_kind
        return TaskContext(**values, other_kind=kind)


def read_context(records: Iterable[str]) -> TaskContext:
    """The first image, region, account and task that the records name."""
    records = tuple(records)
    text = "\n".join(records)
    images = list(_images(text)) or list(_images_of_arns(text))
    other = next(_other_images(text), None)
    task = next((arn for arn in arns.ECS.finditer(text) if arn["kind"] == "task"), None)
    identity = next(
        (
            arn
            for arn in arns.ANY.finditer(_S3_ERROR.sub("", text))
            if arn["service"] in ("iam", "sts") and arn["account"]
        ),
        None,
    )
    service, cluster = _SERVICE.search(text), _CLUSTER.search(text)
    return TaskContext(
        image=images[0] if images else None,
        other_image=other.text if other and not images else None,
        other_kind=other.host if other else ImageHost.OTHER,
        region=task["region"] if task else _login_region(text),
        named_region=next(_regions(text), None),
        account=identity["account"] if identity else task["account"] if task else None,
        task_arn=task[0] if task else None,
        cluster=cluster["cluster"] if cluster else None,
        service=(service["service"] or service["arn"].rpartition("/")[2]) if service else None,
        client=client_of(text),
    )


def _login_region(text: str) -> str | None:
    match = _LOGIN_REGION.search(text)
    region = (match["region"] or match["before"]) if match else None
    return region if region and partition_of(region) is not None else None


def image_of(record: str) -> str | None:
    """The first image that a record names, without its digest."""
    image = next(_images(record), None) or next(_other_images(record), None)
    return image.text.partition("@")[0] if image else None


def _images_of_arns(text: str) -> Iterator[ImageReference]:
    """Repositories that ARNs name, as references without a tag."""
    for match in _REPOSITORY_ARN.finditer(text):
        partition = partition_of(match["region"])
        if partition is None:
            continue
        host = f"{match['account']}.dkr.ecr.{match['region']}.{partition.dns_suffix}"
        image = parse_image(f"{host}/{match['repository'].rstrip('./-')}", listed_regions=False)
        if not isinstance(image, OtherImage):
            yield replace(image, tag=None)


def _images(text: str) -> Iterator[ImageReference]:
    """Complete references to private ECR; a masked one is not a reference."""
    for match in _ECR_IMAGE.finditer(text):
        try:
            image = parse_image(match[0].rstrip(".:/-"), listed_regions=False)
        except ValueError:
            continue
        if not isinstance(image, OtherImage):
            yield image


def _other_images(text: str) -> Iterator[OtherImage]:
    """References to other registries."""
    named = (match["image"].rstrip(".:/-") for match in _NAMED_IMAGE.finditer(text))
    # "image configuration" and "image manifest" are not images: only a missing image may be a bare word.
    qualified = (
        reference for reference in named if re.search("[/:@]", reference) and not _PLATFORM.fullmatch(reference)
    )
    public = (match["image"].rstrip(".:/-") for match in _PUBLIC_ECR_IMAGE.finditer(text))
    missing = (*_MISSING_IMAGE.finditer(text), *_DENIED_IMAGE.finditer(text))
    unmasked = (match["image"].rstrip(".:/-") for match in missing if not is_masked(match["image"]))
    for reference in (*public, *qualified, *unmasked):
        try:
            image = parse_image(reference.replace("<", "").replace(">", ""))
        except ValueError:
            continue
        if isinstance(image, OtherImage) and not _ECR_HOST.search(reference):
            yield image


def _regions(text: str) -> Iterator[str]:
    hosts = (read_host(match[0]) for match in _AWS_HOST.finditer(text))
    yield from (host.region for host in hosts if host.region)
    yield from (match["region"] for match in _LAYER_BUCKET.finditer(text))
    yield from (match["region"] for match in _CLOUDTRAIL_REGION.finditer(text))
    yield from (arn["region"] for arn in arns.ANY.finditer(text) if arn["region"])


_MAX_DEPTH, _MAX_TASKS = 6, 1000
_ARCHITECTURES = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


class TaskDescription(Record, frozen=True):
    """Why tasks stopped and that others started, and facts about the last that stopped. `missing`: ECS knows none."""

    events: tuple[Event, ...]
    context: TaskContext
    running: bool = False
    missing: bool = False


def read_task_description(document: object) -> TaskDescription | None:
    """The tasks in a decoded JSON document; None where it is not one of ECS."""
    tasks = list(_tasks(document, _MAX_DEPTH))[:_MAX_TASKS]
    if tasks:
        stopped = [task for task in tasks if task.get("stoppedReason") or _reasons(task)]
        events = [event for task in tasks for event in _events(task)]
        last = max(stopped or tasks, key=lambda task: time_of(task.get("stoppedAt")) or 0.0)
        return TaskDescription(tuple(dict.fromkeys(events)), _context(last), running=not stopped)
    failures = document.get("failures") if isinstance(document, dict) else None
    return TaskDescription((), TaskContext(), missing=True) if failures and isinstance(failures, list) else None


def _tasks(document: object, depth: int) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        if isinstance(document.get("taskArn"), str) and ("containers" in document or "stoppedReason" in document):
            yield document
        elif depth:
            for value in document.values():
                yield from _tasks(value, depth - 1)
    elif isinstance(document, list) and depth:
        for value in document[:_MAX_TASKS]:
            yield from _tasks(value, depth - 1)


def _events(task: dict[str, Any]) -> Iterator[Event]:
    """The reasons of a stopped task; that it started, of a running one. A service's tasks are about one image."""
    group = task.get("group")
    scope = group if isinstance(group, str) and group.startswith("service:") else None
    reasons = _reasons(task)
    for reason in reasons:
        yield Event(reason, time_of(task.get("stoppedAt")), scope)
    started = time_of(task.get("startedAt"))
    if not reasons and task.get("lastStatus") == "RUNNING" and started is not None:
        yield Event(f"task {task['taskArn']} is RUNNING", started, scope)


def _reasons(task: dict[str, Any]) -> list[str]:
    """The task's stopped reason, and the reason of each container."""
    containers = _dictionaries(task.get("containers"))
    reasons = [task.get("stoppedReason"), *(container.get("reason") for container in containers)]
    return [reason for reason in reasons if isinstance(reason, str) and reason.strip()]


def _context(task: dict[str, Any]) -> TaskContext:
    # The image of a container that failed comes first.
    containers = sorted(_dictionaries(task.get("containers")), key=lambda container: not container.get("reason"))
    images = [f"image {container['image']}" for container in containers if isinstance(container.get("image"), str)]
    context = read_context((f"{task['taskArn']}", *images))
    launch_type = task.get("launchType")
    is_plain = isinstance(launch_type, str) and launch_type.isidentifier() and len(launch_type) < 40
    return TaskContext(
        image=context.image,
        other_image=context.other_image,
        other_kind=context.other_kind,
        region=context.region,
        account=context.account,
        task_arn=context.task_arn,
        launch_type=launch_type if is_plain else None,
        platform=_platform(task),
        client=Client.ECS,
        addresses=tuple(dict.fromkeys(_addresses(task))),
    )


def _platform(task: dict[str, Any]) -> str | None:
    attributes = {item.get("name"): item.get("value") for item in _dictionaries(task.get("attributes"))}
    architecture = attributes.get("ecs.cpu-architecture")
    return _ARCHITECTURES.get(architecture) if isinstance(architecture, str) else None


def _addresses(task: dict[str, Any]) -> Iterator[str]:
    for attachment in _dictionaries(task.get("attachments")):
        for detail in _dictionaries(attachment.get("details")):
            if detail.get("name") in ("privateIPv4Address", "ipv6Address"):
                try:
                    yield str(ip_address(str(detail.get("value"))))
                except ValueError:
                    continue


def _dictionaries(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
