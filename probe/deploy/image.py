"""The probe's image that `up` deploys: from an archive, from another registry, or the one that is in the repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from posixpath import basename
from threading import Event

from probe import __version__
from probe.config.flags import Arguments, UsageError
from probe.deploy.options import PLATFORMS, UpOptions
from probe.deploy.placement import Placement
from probe.deploy.repository import Repository, StoredImage
from probe.deploy.stack import Stack
from probe.narration import few, listed
from probe.progress import Progress
from probe.records import Unshown
from probe.registries.archive import open_archive
from probe.registries.authorization import LoginCallback
from probe.registries.reference import open_reference
from probe.registries.source import CopyError, Source, StoppedError


class ProbeImage(Unshown, frozen=True):
    """`manifests` are the digests of all its manifests, an index before what it lists; `size` is in bytes. Without a
    `source` it is in the repository already."""

    digest: str
    platforms: tuple[str, ...]
    manifests: tuple[str, ...]
    size: int
    origin: str
    source: Source | None = None


def read_archive(path: str, arguments: Arguments, progress: Progress, stop: Event) -> ProbeImage:
    """The image of `--image-archive`. Raises UsageError and StoppedError; the caller closes the source."""
    try:
        return _of_source(open_archive(path, progress=progress, stop=stop), basename(path.rstrip("/")))
    except StoppedError:
        raise
    except CopyError as error:
        raise arguments.refusal("image-archive", str(error)) from None


def read_image(
    options: UpOptions,
    repository: Repository | None,
    stack: Stack | None,
    environ: Mapping[str, str],
    open_stored: Callable[[Repository, str], Source],
    stop: Event,
    until: float,
    login: LoginCallback | None = None,
) -> ProbeImage:
    """The image of `--image-from`, or the repository's. `open_stored` opens an image of the repository, `login` is that
    of `--image-from`, by default docker's. Raises UsageError and CopyError; the caller closes the source."""
    if options.image_from is not None:
        source = open_reference(options.image_from, login=login, environ=environ, stop=stop, until=until)
        return _of_source(source, options.image_from)
    stored = _stored(options, repository, stack)
    assert repository is not None
    with open_stored(repository, stored.digest) as source:
        image = _of_source(source, "the repository")
    return ProbeImage(
        digest=image.digest,
        platforms=image.platforms,
        manifests=image.manifests,
        size=image.size,
        origin=image.origin,
    )


def _of_source(source: Source, origin: str) -> ProbeImage:
    return ProbeImage(
        digest=source.digest,
        platforms=tuple(dict.fromkeys(_plain(image.platform) for image in source.platforms)),
        manifests=tuple(document.digest for document in reversed(source.documents)),
        size=sum({blob.digest: blob.size for document in source.documents for blob in document.blobs}.values()),
        origin=origin,
        source=source,
    )


def _plain(platform: str) -> str:
    """Without the variant: "linux/arm64/v8" is Fargate's ARM64."""
    return "/".join(platform.split("/")[:2])


def _stored(options: UpOptions, repository: Repository | None, stack: Stack | None) -> StoredImage:
    """The stack's image, that of this version, or the only one."""
    tagged = [image for image in repository.images if image.tags] if repository else []
    deployed = (stack.parameters.get("ImageVersion", "") if stack else "").removeprefix("@")
    chosen = repository and (repository.image(deployed) or repository.tagged(__version__))
    if chosen:
        return chosen
    if len(tagged) == 1:
        return tagged[0]
    if not tagged:
        sentence = f"repository {options.repository} has no image of the probe; give one"
        raise UsageError(
            f"--image-archive (ECR_PROBE_IMAGE_ARCHIVE) or --image-from (ECR_PROBE_IMAGE_FROM): {sentence}, "
            "for example --image-archive ecr-probe.tar"
        )
    uri = repository.uri if repository else ""
    tags = few(tag for image in tagged for tag in image.tags)
    raise options.arguments.refusal(
        "image-from",
        f"repository {options.repository} has {len(tagged)} images ({tags}), and none is {__version__}; choose one",
        example=f"--image-from {uri}:{tagged[0].tags[0]}",
    )


def choose_platform(options: UpOptions, placement: Placement, image: ProbeImage, stack: Stack | None) -> str:
    """The task's platform, which the image has. Raises UsageError."""
    possible = [platform for platform in image.platforms if platform in PLATFORMS]
    deployed = stack.parameters.get("CpuArchitecture") if stack is not None and stack.exists else None
    of_stack = next((platform for platform, name in PLATFORMS.items() if name == deployed), None)
    wanted = options.platform or placement.platform or of_stack
    if wanted in possible:
        return wanted
    # Fargate runs both platforms, also if the service's tasks have the other one: AWS[task-platforms]
    if possible and options.platform is None and (placement.on_fargate or (wanted is None and len(possible) == 1)):
        return possible[0]
    has = listed(image.platforms) or "none"
    if not possible:
        raise UsageError(f"the image from {image.origin} is for {has}, and ECS runs {listed(PLATFORMS)}")
    if wanted is None:
        sentence = f"the image is for {has}, and the service does not say which one its instances have; choose one"
    elif options.platform is not None:
        sentence = f"the image from {image.origin} is not for {wanted}, only for {has}"
    else:
        sentence = f"the service's tasks run on {wanted}, and the image from {image.origin} is only for {has}"
    raise options.arguments.refusal("platform", sentence, example=f"--platform {possible[0]}")


def for_push(image: ProbeImage, platform: str) -> ProbeImage:
    """The image as it is pushed: all its platforms, or if the source lacks some of them, only the task's."""
    if image.source is None or not image.source.absent:
        return image
    try:
        return _of_source(image.source.only([platform]), image.origin)
    except CopyError as error:
        raise UsageError(str(error)) from None
