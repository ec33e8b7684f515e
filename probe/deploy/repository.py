"""The ECR repository of the probe's image: what is in it, its login, and the removal of images that we pushed."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probe.deploy.stack import OWNER_TAG
from probe.images import OtherImage, parse_image
from probe.operator.aws import ApiError, Kind
from probe.records import Record
from probe.registries.authorization import LoginCallback
from probe.registries.logins import Login, read_login
from probe.safe_words import scrub
from probe.smoke.calls import Calls

MOST_IMAGES = 10_000  # that are listed of one repository
_IMAGES_PER_CALL = 100  # of BatchDeleteImage
_STACK_TAG = "aws:cloudformation:stack-name"


class StoredImage(Record, frozen=True):
    """A manifest in the repository. `size` is in bytes, 0 for an index."""

    digest: str
    tags: tuple[str, ...] = ()
    size: int = 0


class Repository(Record, frozen=True):
    """`stack` is the name of the stack by which `up` has created it, also if that stack is gone; empty for others."""

    name: str
    uri: str
    images: tuple[StoredImage, ...] = ()
    stack: str = ""

    def image(self, digest: str) -> StoredImage | None:
        return next((image for image in self.images if image.digest == digest), None)

    def tagged(self, tag: str) -> StoredImage | None:
        return next((image for image in self.images if tag in image.tags), None)


def tag_of(digest: str) -> str:
    """The tag of an image that `up` pushes. It follows from the digest, so it is never moved to another image."""
    return f"up-{digest.partition(':')[2][:12]}"


def read_repository(calls: Calls, name: str) -> Repository | None:
    """None if it does not exist. Raises ApiError and EarlyEndError."""
    try:
        reply = calls.call("ecr:DescribeRepositories", repositoryNames=[name])
        description = (reply.get("repositories") or [{}])[0]
        return Repository(
            name=name,
            uri=str(description.get("repositoryUri") or ""),
            images=tuple(_read_images(calls, name)),
            stack=_read_stack(calls, str(description.get("repositoryArn") or "")),
        )
    except ApiError as error:
        if error.code == "RepositoryNotFoundException":
            return None
        raise


def _read_stack(calls: Calls, arn: str) -> str:
    """From tags that only CloudFormation can set: AWS[cfn-system-tags]. Without the right to read them it counts as
    the repository of others."""
    try:
        reply = calls.call("ecr:ListTagsForResource", resourceArn=arn)
    except ApiError as error:
        if error.kind is Kind.DENIED:
            return ""
        raise
    tags = {str(tag.get("Key")): str(tag.get("Value")) for tag in reply.get("tags") or ()}
    return tags.get(_STACK_TAG, "") if OWNER_TAG in tags else ""


def _read_images(calls: Calls, name: str) -> Iterator[StoredImage]:
    page: dict[str, Any] = {}
    number = 0
    while True:
        reply = calls.call("ecr:DescribeImages", repositoryName=name, maxResults=1000, **page)
        for detail in reply.get("imageDetails") or ():
            number += 1
            yield StoredImage(
                digest=str(detail.get("imageDigest")),
                tags=tuple(map(str, detail.get("imageTags") or ())),
                size=int(detail.get("imageSizeInBytes") or 0),
            )
        if not reply.get("nextToken"):
            return
        if number >= MOST_IMAGES:
            text = f"repository {name} has more than {MOST_IMAGES} images"
            raise ApiError(Kind.TOO_LARGE, "ecr:DescribeImages", Kind.TOO_LARGE, text)
        page = {"nextToken": str(reply["nextToken"])}


class RegistryLogin:
    """The login of the account's registry. `endpoint` is the URL at which it is valid: AWS[ecr-proxy-endpoint].

    It is called again after the 12 hours of a token. Raises ApiError and EarlyEndError.
    """

    def __init__(self, calls: Calls, *, region: str | None = None) -> None:
        """`region` None: the account's."""
        self._calls, self._region = calls, region
        self._first: Login | None
        self.endpoint, self._first = self._read()

    def __call__(self) -> Login:
        login, self._first = self._first, None
        return login or self._read()[1]

    def _read(self) -> tuple[str, Login]:
        reply = self._calls.call("ecr:GetAuthorizationToken", region=self._region)
        data = (reply.get("authorizationData") or [{}])[0]
        try:
            user, _, password = base64.b64decode(str(data["authorizationToken"]), validate=True).decode().partition(":")
            return str(data["proxyEndpoint"]), Login(user=user, password=password)
        except (KeyError, ValueError):
            action = "ecr:GetAuthorizationToken"
            raise ApiError(Kind.UNAVAILABLE, action, "no token", "the reply has no token") from None


def source_login(reference: str, calls: Calls, environ: Mapping[str, str]) -> LoginCallback | None:
    """The login for an image in private ECR: docker's, and without one that of the AWS credentials, which are valid for
    the registries of all accounts that let them read (AWS[ecr-token-scope]). None: another registry."""
    try:
        image = parse_image(reference, listed_regions=False)
    except ValueError:
        return None
    if isinstance(image, OtherImage):
        return None
    region = image.region

    def login() -> Login:
        return read_login(image.host, image.repository, environ) or RegistryLogin(calls, region=region)()

    return login


# ---- removal ---------------------------------------------------------------------------------------------------------


class Removal(Record, frozen=True):
    """What `down` does with one image that we pushed: remove it, or only our tag where it has others too."""

    image: StoredImage
    foreign_tags: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.foreign_tags


def removals(repository: Repository, pushed: Sequence[str]) -> tuple[Removal, ...]:
    """Indexes come before their images, as in `pushed`: an image that an index still lists cannot be removed
    (AWS[ecr-delete-referenced])."""
    return tuple(
        Removal(image=image, foreign_tags=tuple(tag for tag in image.tags if tag != tag_of(digest)))
        for digest in pushed
        if (image := repository.image(digest)) is not None
    )


def remove_images(calls: Calls, repository: Repository, planned: Sequence[Removal]) -> dict[str, str]:
    """Returns the reason for each image that is left. Raises ApiError and EarlyEndError."""
    waiting = list(planned)
    while True:
        reasons = [(removal, _remove_image(calls, repository, removal)) for removal in waiting]
        left = {removal.image.digest: reason for removal, reason in reasons if reason is not None}
        if not left or len(left) == len(waiting):
            return left
        # An index that listed one of them may be gone now.
        waiting = [removal for removal in waiting if removal.image.digest in left]


def _remove_image(calls: Calls, repository: Repository, removal: Removal) -> str | None:
    """Why it is left; None if it is gone."""
    tag = tag_of(removal.image.digest)
    if removal.whole:
        ids = {"imageDigest": removal.image.digest}
    elif tag in removal.image.tags:
        ids = {"imageTag": tag}
    else:
        return None
    reply = calls.call("ecr:BatchDeleteImage", repositoryName=repository.name, imageIds=[ids])
    for failure in reply.get("failures") or ():
        if failure.get("failureCode") != "ImageNotFound":
            return scrub(str(failure.get("failureReason") or failure.get("failureCode")))
    return None


def remove_repository(calls: Calls, name: str) -> bool:
    """Whether it is gone. Without `force` ECR removes an empty repository only: AWS[ecr-delete-empty]."""
    try:
        calls.call("ecr:DeleteRepository", repositoryName=name)
    except ApiError as error:
        if error.code == "RepositoryNotFoundException":
            return True
        if error.code == "RepositoryNotEmptyException":
            return False
        raise
    return True
