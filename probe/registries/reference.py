"""Images in registries as sources: any that this machine reaches, public or private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Event

from probe.config.flags import UsageError, with_example
from probe.images import split_reference
from probe.model import Failure
from probe.registries.authorization import LoginCallback
from probe.registries.client import Registry
from probe.registries.logins import read_login
from probe.registries.network import operator_wire
from probe.registries.source import CopyError, Document, MissingError, Source, StoppedError, read_source
from probe.safe_words import quoted
from probe.wire import Wire
from probe.wire.manifests import Blob

GOOD_REFERENCE = "--image-from registry.example/team/ecr-probe:1.0"


def open_reference(
    text: str,
    *,
    login: LoginCallback | None = None,
    environ: Mapping[str, str] | None = None,
    wire: Wire | None = None,
    stop: Event | None = None,
    until: float | None = None,
) -> Source:
    """Open an image reference such as busybox:1.36, and read all manifests of its index.

    `login` returns the registry's login; by default it is looked up in docker's and podman's files, which the variables
    of `environ` name. AWS_CA_BUNDLE is used from there too. `stop` and `until` are Registry's. Raises UsageError for
    everything that prevents reading.
    """
    environ = environ or {}
    wire = wire or operator_wire(environ.get("AWS_CA_BUNDLE"))
    try:
        host, repository, tag, digest = split_reference(text)
    except ValueError as error:
        raise UsageError(with_example(f"--image-from: {error}", GOOD_REFERENCE)) from None
    if host in ("docker.io", "index.docker.io"):
        host = "docker.io"
        repository = repository if "/" in repository else f"library/{repository}"
    try:
        registry = Registry(
            host, login or (lambda: read_login(host, repository, environ)), wire=wire, stop=stop, until=until
        )
        try:
            content = _RegistryContent(registry, host, repository)
            return read_source(content, content.find(digest or tag or "latest"))
        except BaseException:
            registry.close()
            raise
    except StoppedError:
        raise
    except CopyError as error:
        raise UsageError(with_example(f"--image-from: {quoted(text)}: {error}", GOOD_REFERENCE)) from None


class _RegistryContent:
    def __init__(self, registry: Registry, host: str, repository: str) -> None:
        self.name = f"{host}/{repository}"
        self.repository = (registry.host, repository)
        self._registry = registry
        self._repository = repository
        self._root: Document | None = None

    def find(self, reference: str) -> Blob:
        """The descriptor of a tag or digest. Raises CopyError."""
        self._root = document = self._registry.read_manifest(self._repository, reference)
        return Blob(digest=document.digest, size=len(document.body), media_type=document.media_type)

    def manifest(self, entry: Blob) -> bytes:
        if self._root is not None and entry.digest == self._root.digest:
            return self._root.body
        try:
            return self._registry.read_manifest(self._repository, entry.digest).body
        except MissingError as error:
            # A registry has all of an index; what is missing there was deleted, or is not readable.
            raise CopyError(Failure.NOT_FOUND, str(error)) from None

    def check(self, blob: Blob) -> None:
        """Nothing to check: a registry takes a manifest only with its blobs."""

    def blob(self, blob: Blob) -> Iterator[bytes]:
        return self._registry.read_blob(self._repository, blob)

    def close(self) -> None:
        self._registry.close()
