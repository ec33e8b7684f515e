"""What a text tells of the task whatever failed: its image, region, account and addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from probe.explain.hosts import is_masked, read_host
from probe.images import OtherImage, parse_image
from probe.model import ImageHost, ImageReference
from probe.records import Record, fields

_LETTERS = r"[\w.*<>-]"
_TAG = r"(?::[\w.*-]{1,128})?(?:@sha256:[0-9a-f]{64})?"
_ECR_IMAGE = re.compile(
    rf"(?<![\w./-]){_LETTERS}{{0,64}}\bdkr[.-]ecr{_LETTERS}{{1,128}}/[\w./*<>-]{{1,256}}{_TAG}", re.ASCII
)
_IMAGE = rf"\"?(?P<image>{_LETTERS}{{1,255}}(?::\d+(?=/))?(?:/{_LETTERS}{{1,255}}){{0,8}}{_TAG})"
# Images of any registry, by the words around them.
_NAMED_IMAGE = re.compile(
    rf"(?:resolve ref(?:erence)?|manifest for|pull access denied for|from flag value|cannot pull|image) {_IMAGE}",
    re.ASCII | re.IGNORECASE,
)
_DENIED_IMAGE = re.compile(rf"pull access denied for {_IMAGE}, repository does not exist", re.ASCII | re.IGNORECASE)
_MISSING_IMAGE = re.compile(rf"(?:repository|image) {_IMAGE} not found", re.ASCII | re.IGNORECASE)
_TASK = re.compile(r"arn:aws[\w-]*:ecs:([a-z0-9-]{5,25}):(\d{12}):task/[\w/-]{1,300}", re.ASCII)
_ARN = re.compile(r"arn:aws[\w-]*:[a-z][\w-]*:([a-z]{2,}(?:-[a-z]+)+-\d+):", re.ASCII)
_PRINCIPAL = re.compile(r"arn:aws[\w-]*:(?:sts|iam)::(\d{12}):", re.ASCII)
_BARE = re.compile(r"(?<![\w.@:-])(?:[a-z0-9-]{1,63}\.){1,6}(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws)\b", re.ASCII)
_HOW_ECR_LOOKS = re.compile(r"\bdkr[.-]ecr\b")


class TaskContext(Record, frozen=True):
    """None where nothing tells. `account` is the asker's, `region` the task's own, `place` a region that is named."""

    image: ImageReference | None = None
    other_image: str | None = None  # of another registry, as written
    other_kind: ImageHost = ImageHost.OTHER
    region: str | None = None
    place: str | None = None
    account: str | None = None
    task_arn: str | None = None
    launch_type: str | None = None
    platform: str | None = None
    addresses: tuple[str, ...] = ()

    def over(self, other: TaskContext) -> TaskContext:
        """This, and where it tells nothing what `other` tells."""
        names = [each.name for each in fields(self) if each.name != "other_kind"]
        told = {name: getattr(self, name) or getattr(other, name) for name in names}
        kind = self.other_kind if self.other_image else other.other_kind
        return TaskContext(**told, other_kind=kind)


def read_context(records: Iterable[str]) -> TaskContext:
    """The first that the records tell of each."""
    text = "\n".join(records)
    images = list(_images(text))
    other = next(_other_images(text), None)
    task, principal = _TASK.search(text), _PRINCIPAL.search(text)
    return TaskContext(
        image=images[0] if images else None,
        other_image=other.text if other and not images else None,
        other_kind=other.host if other else ImageHost.OTHER,
        region=task[1] if task else None,
        place=next(_regions(text), None),
        account=principal[1] if principal else task[2] if task else None,
        task_arn=task[0] if task else None,
    )


def _images(text: str) -> Iterator[ImageReference]:
    """References of private ECR that are whole: masked ones are no references."""
    for found in _ECR_IMAGE.finditer(text):
        try:
            image = parse_image(found[0].rstrip(".:/-"), listed_regions=False)
        except ValueError:
            continue
        if not isinstance(image, OtherImage):
            yield image


def _other_images(text: str) -> Iterator[OtherImage]:
    named = (found["image"].rstrip(".:/-") for found in _NAMED_IMAGE.finditer(text))
    denied = (*_MISSING_IMAGE.finditer(text), *_DENIED_IMAGE.finditer(text))
    missing = (found["image"].rstrip(".:/-") for found in denied if not is_masked(found["image"]))
    # "image configuration" and "image manifest" are no images: only what is said to be missing may be a bare word.
    for words in (*(each for each in named if re.search("[/:@]", each)), *missing):
        try:
            image = parse_image(words.replace("<", "").replace(">", ""))
        except ValueError:
            continue
        if isinstance(image, OtherImage) and not _HOW_ECR_LOOKS.search(words):
            yield image


def _regions(text: str) -> Iterator[str]:
    hosts = (read_host(found[0]) for found in _BARE.finditer(text))
    yield from (host.region for host in hosts if host.region)
    yield from (found[1] for found in _ARN.finditer(text))
