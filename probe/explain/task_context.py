"""The facts about the task in a text, apart from the failure: its image, region, account and addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from probe.explain.hosts import is_masked, read_host
from probe.images import OtherImage, parse_image
from probe.model import ImageHost, ImageReference
from probe.records import Record, fields
from probe.wire.partitions import REGION_FORM

_NAME_CHARACTER = r"[\w.*<>-]"
_TAG = r"(?::[\w.*-]{1,128})?(?:@sha256:[0-9a-f]{64})?"
_ECR_IMAGE = re.compile(
    rf"(?<![\w./-]){_NAME_CHARACTER}{{0,64}}\bdkr[.-]ecr{_NAME_CHARACTER}{{1,128}}/[\w./*<>-]{{1,256}}{_TAG}", re.ASCII
)
_ANY_IMAGE = rf"\"?(?P<image>{_NAME_CHARACTER}{{1,255}}(?::\d+(?=/))?(?:/{_NAME_CHARACTER}{{1,255}}){{0,8}}{_TAG})"
# Images of any registry, found by the words before them.
_NAMED_IMAGE = re.compile(
    rf"(?:resolve ref(?:erence)?|manifest for|pull access denied for|from flag value|cannot pull|image) {_ANY_IMAGE}",
    re.ASCII | re.IGNORECASE,
)
_DENIED_IMAGE = re.compile(rf"pull access denied for {_ANY_IMAGE}, repository does not exist", re.ASCII | re.IGNORECASE)
_MISSING_IMAGE = re.compile(rf"(?:repository|image) {_ANY_IMAGE} not found", re.ASCII | re.IGNORECASE)
_TASK_ARN = re.compile(r"arn:aws[\w-]*:ecs:([a-z0-9-]{5,25}):(\d{12}):task/[\w/-]{1,300}", re.ASCII)
_ANY_ARN = re.compile(rf"arn:aws[\w-]*:[a-z][\w-]*:({REGION_FORM}):", re.ASCII)
_PRINCIPAL = re.compile(r"arn:aws[\w-]*:(?:sts|iam)::(\d{12}):", re.ASCII)
_AWS_HOST = re.compile(
    r"(?<![\w.@:-])(?:[a-z0-9-]{1,63}\.){1,6}(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws)\b", re.ASCII
)
_ECR_HOST = re.compile(r"\bdkr[.-]ecr\b")


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
    addresses: tuple[str, ...] = ()

    def or_else(self, other: TaskContext) -> TaskContext:
        """A copy with empty fields filled from `other`."""
        names = [field.name for field in fields(self) if field.name != "other_kind"]
        values = {name: getattr(self, name) or getattr(other, name) for name in names}
        kind = self.other_kind if self.other_image else other.other_kind
        return TaskContext(**values, other_kind=kind)


def read_context(records: Iterable[str]) -> TaskContext:
    """The first image, region, account and task that the records name."""
    text = "\n".join(records)
    images = list(_images(text))
    other = next(_other_images(text), None)
    task, principal = _TASK_ARN.search(text), _PRINCIPAL.search(text)
    return TaskContext(
        image=images[0] if images else None,
        other_image=other.text if other and not images else None,
        other_kind=other.host if other else ImageHost.OTHER,
        region=task[1] if task else None,
        named_region=next(_regions(text), None),
        account=principal[1] if principal else task[2] if task else None,
        task_arn=task[0] if task else None,
    )


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
    qualified = (reference for reference in named if re.search("[/:@]", reference))
    missing = (*_MISSING_IMAGE.finditer(text), *_DENIED_IMAGE.finditer(text))
    unmasked = (match["image"].rstrip(".:/-") for match in missing if not is_masked(match["image"]))
    for reference in (*qualified, *unmasked):
        try:
            image = parse_image(reference.replace("<", "").replace(">", ""))
        except ValueError:
            continue
        if isinstance(image, OtherImage) and not _ECR_HOST.search(reference):
            yield image


def _regions(text: str) -> Iterator[str]:
    hosts = (read_host(match[0]) for match in _AWS_HOST.finditer(text))
    yield from (host.region for host in hosts if host.region)
    yield from (match[1] for match in _ANY_ARN.finditer(text))
