"""Images in archives: an OCI image layout (a folder, .tar or .tar.gz), or what `docker save` writes.

Nothing is extracted. A tar archive is read in place, a compressed one is unpacked into one unnamed temporary file. The
layers of the older form of `docker save` are tar archives without a digest of their own: they are compressed into such
a file too, always into the same bytes, and a manifest is made of them.

An archive may come from a stranger. Names are only looked up in the archive's own list, links lead to no file outside,
and sizes and numbers are bounded.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import posixpath
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from threading import Event
from typing import IO, Any, Protocol

import msgspec

from probe.model import Failure
from probe.progress import Progress, Silent
from probe.records import Record, field
from probe.registries.source import (
    MAX_MANIFEST,
    CopyError,
    MissingError,
    Source,
    StoppedError,
    check_entry,
    digest_of,
    read_source,
)
from probe.safe_words import json_bytes, quoted
from probe.wire.manifests import Blob

MAX_UNPACKED = 64 << 30  # bytes of a compressed archive, unpacked
_MAX_ENTRIES = 20_000  # of a tar archive
# Bytes of one extended header, and of all. tarfile's time and memory grow with the square of one. Names need no more.
_MAX_HEADER, _MAX_HEADERS = 4096, 1 << 18
_PIECE = 1 << 20
_GZIP_LEVEL = 6
_GZIP = b"\x1f\x8b"
_OTHER_COMPRESSIONS = {b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2"}
_BAD_TAR = (tarfile.TarError, ValueError, OverflowError, RecursionError, EOFError)
# The types of Docker's schema 2 (distribution, manifest/schema2), because the config in such an archive is Docker's.
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def open_archive(path: str, *, progress: Progress | None = None, stop: Event | None = None) -> Source:
    """Open an archive and verify its manifests and the sizes of its blobs. Their digests are verified when copied.

    A compressed archive is unpacked first, and the layers of the older `docker save` are compressed; `progress`
    receives how far that is, and it ends with StoppedError if `stop` is set. Raises CopyError for everything that is
    wrong with the archive.
    """
    with ExitStack() as stack:
        files = stack.enter_context(_Files(path, progress or Silent(), stop or Event()))
        content = _content(files)
        source = read_source(content, content.root)
        stack.pop_all()
    return source


class _Readable(Protocol):
    """A file with random access, at least from `open_at`'s begin on."""

    def seek(self, offset: int, /) -> int: ...

    def read(self, size: int, /) -> bytes: ...


class _Extent(Record, frozen=True):
    """Where the content of a name is: in an open file, or in a file of a folder, which is opened when it is read."""

    size: int
    file: Any = None
    offset: int = 0
    path: str = ""


class _Files:
    """The files of an archive by their names, such as blobs/sha256/…. A context manager that closes all of them."""

    def __init__(self, path: str, progress: Progress, stop: Event) -> None:
        self.name = quoted(path)
        self.progress = progress
        self.stop = stop
        self._path = path
        self._stack = ExitStack()
        self._extents: dict[str, _Extent] = {}
        self._links: dict[str, str] = {}
        self._folder: str | None = None

    def __enter__(self) -> _Files:
        with self._stack:
            if os.path.isdir(self._path):
                self._folder = os.path.realpath(self._path)
            else:
                self._list_tar(self._unpacked(self._stack.enter_context(self._open(self._path))))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()

    def temporary(self) -> IO[bytes]:
        """An unnamed file that is removed with the archive's close."""
        try:
            return self._stack.enter_context(tempfile.TemporaryFile())
        except OSError as error:
            raise full_disk(error, self.name) from None

    # ---- reading ---------------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        return self._find(name) is not None

    def size(self, name: str) -> int:
        """Bytes of a file. Raises MissingError."""
        return self._extent(name).size

    def whole(self, name: str) -> bytes:
        """A small file. Raises CopyError, MissingError."""
        extent = self._extent(name)
        if extent.size > MAX_MANIFEST:
            raise CopyError(Failure.TOO_LARGE, f"{self.name}: {quoted(name)} has {extent.size} bytes")
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file. Raises CopyError."""
        yield from self.pieces_of(self._extent(name), name)

    def pieces_of(self, extent: _Extent, name: str) -> Iterator[bytes]:
        file: _Readable = extent.file
        with ExitStack() as stack:
            if extent.path:
                file = stack.enter_context(self._open(extent.path))
            position, end = extent.offset, extent.offset + extent.size
            while position < end:
                if self.stop.is_set():
                    raise StoppedError
                try:
                    file.seek(position)  # always, since the pieces of several files may be read in turn
                    piece = file.read(min(_PIECE, end - position))
                except OSError as error:
                    raise self._unreadable(error) from None
                if not piece:
                    raise CopyError(Failure.TRUNCATED, f"{self.name} ends within {quoted(name)}")
                position += len(piece)
                yield piece

    def _extent(self, name: str) -> _Extent:
        extent = self._find(name)
        if extent is None:
            raise MissingError(f"{self.name} has no {quoted(name)}")
        return extent

    def _find(self, name: str) -> _Extent | None:
        name = posixpath.normpath(name)
        if name.startswith(("/", "..")):
            return None
        if self._folder is not None:
            return self._in_folder(self._folder, name)
        return self._extents.get(name) or self._extents.get(self._links.get(name, ""))

    def _in_folder(self, folder: str, name: str) -> _Extent | None:
        path = os.path.join(folder, name)
        if not os.path.lexists(path):
            return None
        if os.path.realpath(path) != path:
            raise CopyError(Failure.MALFORMED, f"{self.name}: {quoted(name)} is a link; copy its target there")
        with self._open(path) as file:
            return _Extent(os.fstat(file.fileno()).st_size, path=path)

    def _open(self, path: str) -> IO[bytes]:
        """Open a regular file; another kind, such as a pipe, could block."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from None
        file = open(descriptor, "rb", buffering=0)  # noqa: SIM115 - the callers close it
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            file.close()
            raise CopyError(Failure.MALFORMED, f"{self.name} is neither a regular file nor a folder")
        return file

    def _unreadable(self, error: Exception) -> CopyError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a path"
        return CopyError(Failure.NOT_FOUND, f"{self.name} cannot be read: {reason}")

    # ---- tar archives ----------------------------------------------------------------------------

    def _unpacked(self, file: IO[bytes]) -> IO[bytes]:
        start = file.read(8)
        file.seek(0)
        for mark, program in _OTHER_COMPRESSIONS.items():
            if start.startswith(mark):
                text = f"{self.name} is compressed with {program}; decompress it first, for example: {program} -d FILE"
                raise CopyError(Failure.MALFORMED, text)
        if not start.startswith(_GZIP):
            return file
        unpacked, size, position = self.temporary(), 0, 0
        self.progress.layer_started(self.name, os.fstat(file.fileno()).st_size)
        try:
            with gzip.GzipFile(fileobj=file) as compressed:
                while piece := compressed.read(_PIECE):
                    size += len(piece)
                    if self.stop.is_set():
                        raise StoppedError
                    if size > MAX_UNPACKED:
                        raise CopyError(Failure.TOO_LARGE, f"{self.name} unpacks to more than {MAX_UNPACKED >> 30} GiB")
                    unpacked.write(piece)
                    self.progress.layer_advanced(self.name, file.tell() - position)
                    position = file.tell()
            unpacked.flush()
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            reason = "it ends too early" if isinstance(error, EOFError) else "it is damaged"
            raise CopyError(Failure.MALFORMED, f"{self.name} cannot be decompressed: {reason}") from None
        except OSError as error:
            raise full_disk(error, self.name) from None
        return unpacked

    def _list_tar(self, file: IO[bytes]) -> None:
        file.seek(0, os.SEEK_END)
        end, before = file.tell(), -1
        file.seek(0)
        try:
            with tarfile.open(fileobj=_HeadersOf(file), mode="r:") as tar:  # type: ignore[call-overload]
                while (member := tar.next()) is not None:
                    if self.stop.is_set():
                        raise StoppedError
                    if member.offset <= before or member.size < 0 or member.offset_data + member.size > end:
                        raise CopyError(Failure.MALFORMED, f"{self.name}: the tar archive names impossible sizes")
                    before = member.offset
                    self._add(file, member)
                    if len(tar.members) > _MAX_ENTRIES:
                        raise CopyError(Failure.TOO_LARGE, f"{self.name} has more than {_MAX_ENTRIES} files")
        except _BAD_TAR:
            raise CopyError(Failure.MALFORMED, f"{self.name} is not a whole tar archive") from None
        except OSError as error:
            raise self._unreadable(error) from None

    def _add(self, file: IO[bytes], member: tarfile.TarInfo) -> None:
        name = posixpath.normpath(member.name)
        if name.startswith(("/", "../")) or name == "..":
            raise CopyError(Failure.MALFORMED, f"{self.name} has an entry outside of itself, {quoted(member.name)}")
        if member.isreg() and member.sparse is None:
            self._extents[name] = _Extent(member.size, file, member.offset_data)
        elif member.issym():  # docker save wrote links for layers of equal content
            self._links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        elif member.islnk():
            self._links[name] = posixpath.normpath(member.linkname)


class _HeadersOf:
    """A file as tarfile sees it: tarfile reads the headers only, and no header is large."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = _MAX_HEADERS
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        self._left -= size if size > tarfile.BLOCKSIZE else 0
        if not 0 <= size <= _MAX_HEADER or self._left < 0:
            raise tarfile.ReadError("extended headers of this size are not read")
        return self._file.read(size)


def full_disk(error: OSError, name: str) -> CopyError:
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:
        text = f"{name} has to be unpacked, and there is no folder for temporary files; set TMPDIR to one"
        return CopyError(Failure.NO_RESOURCES, text)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        text = f"{name} does not fit unpacked into {folder}; set TMPDIR to a folder with more space"
        return CopyError(Failure.NO_RESOURCES, text)
    return CopyError(Failure.NO_RESOURCES, f"{name} cannot be unpacked into {folder}: {error.strerror}")


# ---- OCI layouts -----------------------------------------------------------------------------------------------------


class _Layout(Record, frozen=True, rename="camel"):
    image_layout_version: str


class _IndexEntry(Blob, frozen=True, rename="camel"):
    annotations: dict[str, str] = field(default_factory=dict)


class _Index(Record, frozen=True):
    manifests: list[_IndexEntry]


class _LayoutContent:
    """OCI image specification, image-layout.md."""

    repository: tuple[str, str] | None = None

    def __init__(self, files: _Files) -> None:
        self.name = files.name
        self._files = files
        layout = _decode(files, "oci-layout", _Layout)
        if not layout.image_layout_version.startswith("1."):
            text = f"{self.name} is an OCI layout of version {quoted(layout.image_layout_version)}; 1.0.0 can be read"
            raise CopyError(Failure.MALFORMED, text)
        self.root = self._choose_root(_decode(files, "index.json", _Index).manifests)

    def _choose_root(self, entries: Sequence[_IndexEntry]) -> Blob:
        images = {entry.digest: entry for entry in entries}  # one entry for each tag
        if len(images) != 1:
            names = [name for entry in images.values() for name in _names(entry)][:4]
            named = f" ({', '.join(map(quoted, names))})" if names else ""
            what = f"{len(images)} images{named}; it must have one" if images else "no image"
            raise CopyError(Failure.MALFORMED, f"{self.name} has {what}")
        (root,) = images.values()
        check_entry(root, self.name)
        return root

    def manifest(self, entry: Blob) -> bytes:
        return self._files.whole(_blob_name(entry))

    def check(self, blob: Blob) -> None:
        size = self._files.size(_blob_name(blob))
        if size != blob.size:
            text = f"{self.name}: {blob.digest[:19]}… has {size} bytes, but its manifest says {blob.size}"
            raise CopyError(Failure.MALFORMED, text)

    def blob(self, blob: Blob) -> Iterator[bytes]:
        self.check(blob)
        return self._files.pieces(_blob_name(blob))

    def close(self) -> None:
        self._files.close()


def _names(entry: _IndexEntry) -> list[str]:
    keys = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
    return [entry.annotations[key] for key in keys if key in entry.annotations][:1]


def _blob_name(entry: Blob) -> str:
    return f"blobs/sha256/{entry.digest.removeprefix('sha256:')}"


# ---- docker save -----------------------------------------------------------------------------------------------------


class _SavedImage(Record, frozen=True, rename="pascal"):
    config: str
    layers: list[str]
    repo_tags: list[str] | None = None


class _RootFs(Record, frozen=True):
    diff_ids: list[str] = field(default_factory=list)


class _Config(Record, frozen=True):
    rootfs: _RootFs = field(default_factory=_RootFs)


class _SavedContent:
    """The form that `docker save` wrote before version 25, as skopeo and podman still do (moby, image/tarexport)."""

    repository: tuple[str, str] | None = None

    def __init__(self, files: _Files) -> None:
        self.name = files.name
        self._files = files
        images = _decode(files, "manifest.json", list[_SavedImage])
        if len(images) != 1:
            tags = [tag for image in images for tag in image.repo_tags or ()][:4]
            text = f"{self.name} has {len(images)} images ({', '.join(map(quoted, tags))}); it must have one"
            raise CopyError(Failure.MALFORMED, text)
        (image,) = images
        config = files.whole(image.config)
        self._small = {digest_of(config): config}
        self._layers: dict[str, _Extent] = {}
        layers = self._pack(image.layers, _diff_ids(files, image.config))
        body = json_bytes(
            {
                "schemaVersion": 2,
                "mediaType": _DOCKER_MANIFEST,
                "config": {"mediaType": _DOCKER_CONFIG, "size": len(config), "digest": digest_of(config)},
                "layers": layers,
            }
        )
        self.root = Blob(digest=digest_of(body), size=len(body), media_type=_DOCKER_MANIFEST)
        self._small[self.root.digest] = body

    def _pack(self, names: Sequence[str], diff_ids: Sequence[str]) -> list[dict[str, Any]]:
        if len(names) != len(diff_ids):
            text = f"{self.name} has {len(names)} layers, but its config names {len(diff_ids)}"
            raise CopyError(Failure.MALFORMED, text)
        packed, by_diff_id = self._files.temporary(), dict[str, str]()
        for name, diff_id in zip(names, diff_ids, strict=True):
            if diff_id not in by_diff_id:
                digest, extent = self._pack_layer(packed, name, diff_id)
                by_diff_id[diff_id] = digest
                self._layers[digest] = extent
        digests = (by_diff_id[diff_id] for diff_id in diff_ids)
        return [{"mediaType": _DOCKER_LAYER, "size": self._layers[digest].size, "digest": digest} for digest in digests]

    def _pack_layer(self, packed: IO[bytes], name: str, diff_id: str) -> tuple[str, _Extent]:
        """Append a layer to `packed`, compressed without a name or time, so that its bytes are always the same.

        The same for one version of zlib: another may compress otherwise. A layer that is compressed already stays.
        """
        begin = packed.seek(0, os.SEEK_END)
        pieces, hashes = self._advancing(name), _Hashes(packed)
        first = next(pieces, b"")
        plain, unpacked = hashlib.sha256(), 0
        try:
            if first.startswith(_GZIP):
                inflate = zlib.decompressobj(wbits=31)
                for piece in _chain(first, pieces):
                    hashes.write(piece)
                    while piece:
                        plain.update(inflated := inflate.decompress(piece, _PIECE))
                        unpacked += len(inflated)
                        if unpacked > MAX_UNPACKED:
                            text = (
                                f"{self.name}: the layer {quoted(name)} unpacks to more than {MAX_UNPACKED >> 30} GiB"
                            )
                            raise CopyError(Failure.TOO_LARGE, text)
                        piece = inflate.unconsumed_tail
                plain.update(inflate.flush())
            else:
                with gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=hashes, mtime=0) as out:
                    for piece in _chain(first, pieces):
                        plain.update(piece)
                        out.write(piece)
            packed.flush()
        except OSError as error:
            raise full_disk(error, self.name) from None
        except zlib.error:
            raise CopyError(Failure.MALFORMED, f"{self.name}: the layer {quoted(name)} is damaged") from None
        if f"sha256:{plain.hexdigest()}" != diff_id:
            text = f"{self.name}: the layer {quoted(name)} is not the one that the config names, {quoted(diff_id[:19])}"
            raise CopyError(Failure.BAD_DIGEST, text)
        return f"sha256:{hashes.sha256.hexdigest()}", _Extent(hashes.count, packed, begin)

    def _advancing(self, name: str) -> Iterator[bytes]:
        progress = self._files.progress
        progress.layer_started(name, self._files.size(name))
        for piece in self._files.pieces(name):
            yield piece
            progress.layer_advanced(name, len(piece))
        progress.step(f"layer {quoted(name)} of {self.name}: compressed")

    def manifest(self, entry: Blob) -> bytes:
        return self._small[entry.digest]

    def check(self, blob: Blob) -> None:
        """Nothing to check: the manifest was made from what is there."""

    def blob(self, blob: Blob) -> Iterator[bytes]:
        if (body := self._small.get(blob.digest)) is not None:
            return iter((body,))
        return self._files.pieces_of(self._layers[blob.digest], blob.digest)

    def close(self) -> None:
        self._files.close()


class _Hashes(io.RawIOBase):
    """Writes to a file, and counts and hashes what it writes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count, self.sha256 = 0, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._file.write(data)
        self.sha256.update(data)
        self.count += len(data)
        return len(data)


def _diff_ids(files: _Files, name: str) -> list[str]:
    config: _Config = _decode(files, name, _Config)
    return config.rootfs.diff_ids


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _content(files: _Files) -> _LayoutContent | _SavedContent:
    if files.has("index.json") and files.has("oci-layout"):  # which newer forms of docker save have too
        return _LayoutContent(files)
    if files.has("manifest.json"):
        return _SavedContent(files)
    raise CopyError(
        Failure.MALFORMED,
        f"{files.name} is neither an OCI layout (oci-layout, index.json) nor an archive of docker save (manifest.json)",
    )


def _decode(files: _Files, name: str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(files.whole(name), type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CopyError(Failure.MALFORMED, f"{files.name}: {quoted(name)} cannot be read: {error}") from None
