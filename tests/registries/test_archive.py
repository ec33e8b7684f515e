"""Archives in every form, and everything that may be wrong with them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from container.image_archive import join
from probe.config.flags import UsageError
from probe.progress import Silent
from probe.registries import archive
from probe.registries.archive import open_archive
from probe.registries.source import CopyError, MissingError, Source, StoppedError
from probe.wire.manifests import Blob
from tests.packaging.images import image_archive
from tests.registries import layouts
from tests.registries.layouts import Files

LAYERS = (layouts.tar({"etc/os-release": b"NAME=first\n"}), layouts.tar({"app": b"second" * 1000}))


def blobs(source: Source) -> dict[str, bytes]:
    """Everything that a copy would read, by digest."""
    read = {document.digest: document.body for document in source.documents}
    for document in source.documents:
        read |= {blob.digest: b"".join(source.content.blob(blob)) for blob in document.blobs}
    return read


def refused(path: str) -> str:
    with pytest.raises(CopyError) as error, open_archive(path) as source:
        blobs(source)
    text = str(error.value)
    assert text.isprintable()
    assert len(text) < 1100
    return text


@pytest.mark.parametrize("form", ["folder", "tar", "tar.gz", "tar with ./"])
def test_every_form_of_a_layout_is_the_same_image(form: str, tmp_path: Path) -> None:
    files = layouts.two_platforms()
    match form:
        case "folder":
            path = layouts.write_folder(tmp_path, files)
        case "tar":
            path = layouts.write_tar(tmp_path, files)
        case "tar.gz":
            path = layouts.write(tmp_path, gzip.compress(layouts.tar(files)), "image.tar.gz")
        case _:
            path = layouts.write_tar(tmp_path, {f"./{name}": content for name, content in files.items()})
    with open_archive(path) as source:
        read = blobs(source)
        assert {f"blobs/sha256/{key.removeprefix('sha256:')}": read[key] for key in read} == {
            name: content for name, content in files.items() if name.startswith("blobs/")
        }
        assert source.digest == json.loads(files["index.json"])["manifests"][0]["digest"]
        assert source.documents[-1].digest == source.digest
        assert [image.platform for image in source.platforms] == ["linux/amd64", "linux/arm64/v8"]
        assert all(image.size > 100 for image in source.platforms)


def test_a_saved_image_becomes_the_same_manifest_every_time(tmp_path: Path) -> None:
    digests = set()
    for name in ("first.tar", "second.tar"):
        path = layouts.write_tar(tmp_path, layouts.saved(LAYERS), name)
        os.utime(path, (1_000_000, 1_000_000))
        with open_archive(path) as source:
            digests.add(source.digest)
            read = blobs(source)
            manifest = json.loads(source.root.body)
            assert [gzip.decompress(read[layer["digest"]]) for layer in manifest["layers"]] == list(LAYERS)
            assert {read[layer["digest"]][4:8] for layer in manifest["layers"]} == {bytes(4)}  # gzip's time
            assert read[manifest["config"]["digest"]] == layouts.config(LAYERS)
            assert all(layouts.digest(content) == digest for digest, content in read.items())
            assert [image.platform for image in source.platforms] == ["linux/amd64"]
    assert len(digests) == 1


def test_layers_of_equal_content_are_links_in_what_docker_saves(tmp_path: Path) -> None:
    files, whole = layouts.saved([LAYERS[0], LAYERS[0]]), io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, content in files.items():
            if name != "1/layer.tar":
                layouts.add(tar, name, content)
        link = tarfile.TarInfo("1/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../0/layer.tar"
        tar.addfile(link)
    with open_archive(layouts.write(tmp_path, whole.getvalue())) as source:
        assert len(json.loads(source.root.body)["layers"]) == 2
        assert len(blobs(source)) == 3  # the manifest, the config, and one layer


def test_layers_that_are_compressed_already_stay_as_they_are(tmp_path: Path) -> None:
    files = layouts.saved(LAYERS)
    files["1/layer.tar"] = gzip.compress(LAYERS[1], compresslevel=1, mtime=7)
    with open_archive(layouts.write_tar(tmp_path, files)) as source:
        assert files["1/layer.tar"] in blobs(source).values()


def test_the_newer_form_of_docker_save_is_read_as_a_layout(tmp_path: Path) -> None:
    files = layouts.one_platform() | {"manifest.json": b"[]"}
    with open_archive(layouts.write_tar(tmp_path, files)) as source:
        assert source.digest == json.loads(files["index.json"])["manifests"][0]["digest"]


def test_what_make_image_archive_joins_is_read(tmp_path: Path) -> None:
    parts = [image_archive(tmp_path / f"{name}.tar", name, {"a": name.encode()}) for name in ("arm64", "amd64")]
    digest = join(parts, tmp_path / "image.tar")
    with open_archive(str(tmp_path / "image.tar")) as source:
        assert source.digest == digest
        assert [image.platform for image in source.platforms] == ["linux/amd64", "linux/arm64"]
        assert len(blobs(source)) == 7


def test_an_index_of_which_some_images_are_absent_can_be_copied_in_part(tmp_path: Path) -> None:
    """As docker save writes it from containerd's store: of an index it has the images of this machine's platform."""
    files = layouts.two_platforms()
    index = json.loads(files["index.json"])["manifests"][0]
    entries = json.loads(files[f"blobs/sha256/{index['digest'][7:]}"])["manifests"]
    for entry in entries[2:]:
        del files[f"blobs/sha256/{entry['digest'][7:]}"]
    with open_archive(layouts.write_tar(tmp_path, files)) as source:
        assert [image.platform for image in source.platforms] == ["linux/amd64"]
        with pytest.raises(MissingError, match=r"does not have linux/arm64/v8 .*; --platform linux/amd64 copies"):
            source.require_complete()
        part = source.only(["linux/amd64"])
        part.require_complete()
        assert part.digest == entries[0]["digest"]


def test_layers_that_no_registry_stores_are_not_needed(tmp_path: Path) -> None:
    """Windows' base layers: the manifest says where they are."""
    files: Files = {}
    image = layouts.put_image(files)
    manifest = json.loads(files[f"blobs/sha256/{image['digest'][7:]}"])
    foreign = {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "size": 5}
    manifest["layers"].insert(0, foreign | {"digest": f"sha256:{'1' * 64}", "urls": ["https://example.com/layer"]})
    root = layouts.put_json(files, manifest, layouts.MANIFEST)
    with open_archive(layouts.write_tar(tmp_path, layouts.layout(files, root))) as source:
        assert len(source.root.blobs) == 2


def test_the_memory_does_not_grow_with_the_layer(tmp_path: Path) -> None:
    layer = layouts.tar({"large": os.urandom(24 << 20)})
    path = layouts.write_tar(tmp_path, layouts.saved([layer]))
    del layer
    tracemalloc.start()
    try:
        with open_archive(path) as source:
            for blob in source.root.blobs:
                for _ in source.content.blob(blob):
                    pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 << 20


# ---- what is wrong with an archive -----------------------------------------------------------------------------------


def changed(files: Files, name: str, change: Callable[[Any], Any]) -> Files:
    value = json.loads(files[name])
    return files | {name: json.dumps(change(value)).encode()}


def with_root(root: Any) -> Files:
    return changed(layouts.one_platform(), "index.json", lambda index: index | {"manifests": root(index["manifests"])})


def nested(depth: int) -> Files:
    files: Files = {}
    root = layouts.put_image(files)
    for _ in range(depth):
        root = layouts.put_index(files, [root])
    return layouts.layout(files, root)


def wide(count: int) -> Files:
    files: Files = {}
    entries = [layouts.put_index(files, [layouts.put_image(files, content=str(n).encode())]) for n in range(count)]
    return layouts.layout(files, layouts.put_index(files, entries[: count // 2]))


def without_a_layer() -> Files:
    files: Files = {}
    root = layouts.put_image(files)
    layer = json.loads(files[f"blobs/sha256/{root['digest'][7:]}"])["layers"][0]
    del files[f"blobs/sha256/{layer['digest'][7:]}"]
    return layouts.layout(files, root)


def with_layer(**changes: Any) -> Files:
    files: Files = {}
    image = layouts.put_image(files)
    manifest = json.loads(files[f"blobs/sha256/{image['digest'][7:]}"])
    manifest["layers"][0] |= changes
    return layouts.layout(files, layouts.put_json(files, manifest, layouts.MANIFEST))


def with_other_manifest() -> Files:
    files = layouts.one_platform()
    name = f"blobs/sha256/{json.loads(files['index.json'])['manifests'][0]['digest'][7:]}"
    return files | {name: files[name].replace(b"schemaVersion", b"SchemaVersion")}


def schema_1() -> Files:
    files: Files = {}
    body = {"schemaVersion": 1, "fsLayers": []}
    return layouts.layout(files, layouts.put_json(files, body, "application/vnd.docker.distribution.manifest.v1+json"))


HOSTILE: dict[str, tuple[Callable[[], Files], str]] = {
    "not an image": (lambda: {"readme": b"hello"}, "is neither an OCI layout (oci-layout, index.json) nor"),
    "index.json alone": (lambda: {"index.json": b"{}"}, "is neither an OCI layout"),
    "a layout of version 2": (
        lambda: layouts.one_platform() | {"oci-layout": b'{"imageLayoutVersion": "2.0"}'},
        "is an OCI layout of version '2.0'; 1.0.0 can be read",
    ),
    "index.json is no JSON": (lambda: layouts.one_platform() | {"index.json": b"\xff{"}, "'index.json' cannot be read"),
    "index.json is deep": (
        lambda: layouts.one_platform() | {"index.json": b"[" * 100_000},
        "'index.json' cannot be read",
    ),
    "index.json is large": (
        lambda: layouts.one_platform() | {"index.json": b" " * (4 << 20) + b"{}"},
        "'index.json' has 4194306 bytes",
    ),
    "no image": (lambda: with_root(lambda _: []), "has no image"),
    "two images": (
        lambda: with_root(lambda roots: [*roots, roots[0] | {"digest": f"sha256:{'0' * 64}"}]),
        "has 2 images; it must have one",
    ),
    "a digest that is a path": (
        lambda: with_root(lambda roots: [roots[0] | {"digest": "sha256:../../../../etc/passwd"}]),
        "has the digest 'sha256:../../../../etc/passwd'; only sha256: and 64 hexadecimal digits",
    ),
    "sha512": (lambda: with_root(lambda roots: [roots[0] | {"digest": f"sha512:{'0' * 128}"}]), "only sha256:"),
    "a missing manifest": (
        lambda: with_root(lambda roots: [roots[0] | {"digest": f"sha256:{'0' * 64}"}]),
        f"has no 'blobs/sha256/{'0' * 64}'",
    ),
    "a manifest of another digest": (with_other_manifest, "has the digest sha256:"),
    "a manifest of another size": (
        lambda: with_root(lambda roots: [roots[0] | {"size": 7}]),
        "bytes, but 7 are announced",
    ),
    "a negative size": (lambda: with_root(lambda roots: [roots[0] | {"size": -1}]), "has the size -1"),
    "a missing layer": (without_a_layer, "has no 'blobs/sha256/"),
    "a layer of another size": (lambda: with_layer(size=5), "bytes, but its manifest says 5"),
    "a layer of no size": (lambda: with_layer(size=1 << 60), f"has the size {1 << 60}"),
    "a layer of another digest": (lambda: with_layer(digest="md5:1"), "has the digest 'md5:1'"),
    "a platform with an escape": (
        lambda: with_root(lambda roots: [roots[0] | {"platform": {"os": "linux\x1b[2J", "architecture": "amd64"}}]),
        "has the platform 'linux\\x1b[2J/amd64'; for example linux/amd64",
    ),
    "a long platform": (
        lambda: with_root(lambda roots: [roots[0] | {"platform": {"os": "a" * 3_000_000}}]),
        "has the platform 'aaa",
    ),
    "nested indexes": (lambda: nested(6), "nests indexes deeper than 4 levels"),
    "many manifests": (lambda: wide(1000), "has more than 500 manifests"),
    "schema 1": (schema_1, "has the format of schema 1"),
    "manifest.json of no image": (lambda: {"manifest.json": b"[]"}, "has 0 images"),
    "manifest.json of two images": (
        lambda: changed(layouts.saved(LAYERS), "manifest.json", lambda images: images * 2),
        "has 2 images ('app:1', 'app:1'); it must have one",
    ),
    "a config outside": (
        lambda: layouts.saved(LAYERS, Config="../../etc/passwd"),
        "has no '../../etc/passwd'",
    ),
    "an absolute layer": (
        lambda: layouts.saved(LAYERS, Layers=["/etc/passwd", "/etc/passwd"]),
        "has no '/etc/passwd'",
    ),
    "fewer layers than the config has": (
        lambda: layouts.saved(LAYERS, Layers=["0/layer.tar"]),
        "has 1 layers, but its config names 2",
    ),
    "layers in another order": (
        lambda: layouts.saved(LAYERS, Layers=["1/layer.tar", "0/layer.tar"]),
        "the layer '1/layer.tar' is not the one that the config names",
    ),
    "a damaged compressed layer": (
        lambda: layouts.saved(LAYERS) | {"0/layer.tar": b"\x1f\x8b\x08" + b"\xff" * 50},
        "the layer '0/layer.tar' is damaged",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_archive_that_is_wrong_is_refused_with_one_line(name: str, tmp_path: Path) -> None:
    files, expected = HOSTILE[name]
    assert expected in refused(layouts.write_tar(tmp_path, files()))


def test_a_platform_that_is_no_name_is_not_shown(tmp_path: Path) -> None:
    files = layouts.saved(LAYERS)
    name = next(name for name in files if name.endswith(".json"))
    files[name] = json.dumps(json.loads(files[name]) | {"os": "linux\n::error::x"}).encode()
    with open_archive(layouts.write_tar(tmp_path, files)) as source, pytest.raises(CopyError) as error:
        assert source.platforms
    assert "has the platform 'linux\\n::error::x/amd64'; for example linux/amd64" in str(error.value)


def member(name: str, **attributes: Any) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        for key, value in attributes.items():
            setattr(entry, key, value)
        tar.addfile(entry)
    return whole.getvalue()


def pax_header(content: bytes) -> bytes:
    entry = tarfile.TarInfo("pax")
    entry.type, entry.size = tarfile.XHDTYPE, len(content)
    return entry.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE) + member("a")[:512]


def pax_header_of(size: int) -> bytes:
    record = f"{size} comment=".encode()
    return pax_header(record + b"x" * (size - len(record) - 1) + b"\n")


WRONG_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "is not a whole tar archive"),
    "text": (lambda: b"hello" * 1000, "is not a whole tar archive"),
    "a tar archive that ends early": (
        lambda: layouts.tar(layouts.one_platform())[:3000],
        "is not a whole tar archive",
    ),
    "a size that lies": (lambda: member("a", size=1 << 40), "names impossible sizes"),
    "a name outside": (lambda: member("../../etc/passwd"), "has an entry outside of itself, '../../etc/passwd'"),
    "an absolute name": (lambda: member("/etc/passwd"), "has an entry outside of itself, '/etc/passwd'"),
    "a link outside": (
        lambda: member("index.json", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "is neither an OCI layout",
    ),
    "a link to itself": (
        lambda: member("manifest.json", type=tarfile.SYMTYPE, linkname="manifest.json"),
        "is neither an OCI layout",
    ),
    "a large header": (lambda: pax_header_of(8 << 20), "is not a whole tar archive"),
    # Both cost tarfile the square of their size: in time, and in memory.
    "a header of digits": (lambda: pax_header(b"1" * 8000), "is not a whole tar archive"),
    "a header of many records": (lambda: pax_header(b"5 aaa" * 1600 + b"="), "is not a whole tar archive"),
    "many large headers": (lambda: pax_header_of(4000) * 100, "is not a whole tar archive"),
    "gzip that ends early": (
        lambda: gzip.compress(layouts.tar(layouts.one_platform()))[:-20],
        "cannot be decompressed: it ends too early",
    ),
    "gzip that is damaged": (lambda: b"\x1f\x8b" + b"\0" * 100, "cannot be decompressed: it is damaged"),
    "zstd": (lambda: b"\x28\xb5\x2f\xfd" + b"\0" * 100, "is compressed with zstd; decompress it first"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_that_is_no_archive_is_refused_with_one_line(name: str, tmp_path: Path) -> None:
    content, expected = WRONG_FILES[name]
    assert expected in refused(layouts.write(tmp_path, content()))


def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "cannot be read: No such file or directory" in refused(str(tmp_path / "absent"))
    assert "is neither a regular file nor a folder" in refused(str(tmp_path / "pipe"))
    assert "cannot be read: it is not a path" in refused("a\0b")


def test_a_folder_with_links_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    layouts.write_folder(folder, layouts.one_platform())
    (folder / "index.json").rename(tmp_path / "elsewhere.json")
    (folder / "index.json").symlink_to(tmp_path / "elsewhere.json")
    assert "'index.json' is a link" in refused(str(folder))


def test_a_folder_of_a_saved_image_leads_to_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    files = layouts.saved(LAYERS, Config="../secret.json")
    assert "has no '../secret.json'" in refused(layouts.write_folder(tmp_path / "saved", files))


def test_many_files_and_large_archives_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MAX_ENTRIES", 20)
    assert "has more than 20 files" in refused(layouts.write_tar(tmp_path, {str(n): b"" for n in range(22)}))
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1 << 20)
    assert "unpacks to more than" in refused(layouts.write(tmp_path, gzip.compress(bytes(3 << 20))))


def test_a_compressed_layer_of_any_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1 << 20)
    files = layouts.saved(LAYERS) | {"0/layer.tar": gzip.compress(bytes(8 << 20))}
    assert "the layer '0/layer.tar' unpacks to more than" in refused(layouts.write_tar(tmp_path, files))


_WHOLE = {
    "layout": layouts.tar(layouts.one_platform()),
    "saved": layouts.tar(layouts.saved(LAYERS)),
    "gzip": gzip.compress(layouts.tar(layouts.one_platform()), mtime=0),
}


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(data=st.data(), form=st.sampled_from(sorted(_WHOLE)))
def test_a_damaged_archive_is_read_or_refused(data: st.DataObject, form: str) -> None:
    """Whatever the bytes are: no other exception, and no content of another digest that is not noticed."""
    content = bytearray(_WHOLE[form])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        path = layouts.write(Path(folder), bytes(content))
        with suppress(CopyError), open_archive(path) as source:
            assert source.digest in blobs(source)


def test_the_content_of_a_layer_decides_its_digest(tmp_path: Path) -> None:
    """A layer whose bytes are not those of its digest is found when it is read: see tests of copies."""
    files = layouts.one_platform()
    name = next(name for name in files if files[name][:2] == b"\x1f\x8b")
    files[name] = files[name][:-1] + b"!"
    with open_archive(layouts.write_tar(tmp_path, files)) as source:
        layer = source.root.blobs[1]
        assert hashlib.sha256(b"".join(source.content.blob(layer))).hexdigest() != layer.digest[7:]


def test_an_archive_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, layouts.one_platform())
    with open_archive(path) as source:
        os.truncate(path, 100)
        with pytest.raises(CopyError, match="ends within 'blobs/sha256/"):
            list(source.content.blob(source.root.blobs[0]))


def test_opening_ends_when_it_is_stopped(tmp_path: Path) -> None:
    stop = Event()
    stop.set()
    for content in (layouts.tar(layouts.saved(LAYERS)), gzip.compress(layouts.tar(layouts.one_platform()))):
        with pytest.raises(StoppedError):
            open_archive(layouts.write(tmp_path, content), stop=stop)


def test_unpacking_ends_when_it_is_stopped(tmp_path: Path) -> None:
    class Stopping(Silent):
        counts: ClassVar[list[int]] = []

        def layer_advanced(self, _digest: str, count: int) -> None:
            self.counts.append(count)
            stop.set()

    stop, content = Event(), gzip.compress(os.urandom(8 << 20), 0)
    with pytest.raises(StoppedError):
        open_archive(layouts.write(tmp_path, content), progress=Stopping(), stop=stop)
    assert len(Stopping.counts) == 1


def test_without_a_folder_for_temporary_files_one_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "image.tar.gz"
    path.write_bytes(gzip.compress(Path(layouts.write_tar(tmp_path, layouts.one_platform())).read_bytes()))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "missing")])
    with pytest.raises(CopyError, match="there is no folder for temporary files; set TMPDIR to one"):
        open_archive(str(path))


def test_a_closed_archive_leaves_no_file_open(tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, layouts.saved(LAYERS))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with open_archive(path):
        pass
    refused(layouts.write_tar(tmp_path, {"readme": b""}, "wrong.tar"))
    assert before == (len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0)


# ---- choosing platforms ----------------------------------------------------------------------------------------------


def test_one_platform_is_its_own_manifest(tmp_path: Path) -> None:
    with open_archive(layouts.write_tar(tmp_path, layouts.two_platforms())) as source:
        part = source.only(["linux/arm64"])
        assert part.digest == source.platforms[1].digest
        assert [image.platform for image in part.platforms] == ["linux/arm64"]  # its config names no variant
        assert len(part.documents) == 1


def test_all_platforms_change_nothing(tmp_path: Path) -> None:
    with open_archive(layouts.write_tar(tmp_path, layouts.two_platforms())) as source:
        assert source.only(["linux/amd64", "linux/arm64"]) is source


def test_several_platforms_are_a_new_index_with_their_attestations(tmp_path: Path) -> None:
    files: Files = {}
    entries = []
    for architecture in ("amd64", "arm64", "riscv64"):
        image = layouts.put_image(files, architecture, platform={"os": "linux", "architecture": architecture})
        entries += [image, layouts.put_attestation(files, image)]
    path = layouts.write_tar(tmp_path, layouts.layout(files, layouts.put_index(files, entries)))
    with open_archive(path) as source:
        part = source.only(["linux/amd64", "linux/riscv64"])
        assert part.digest not in (source.digest, *(image.digest for image in source.platforms))
        assert [image.platform for image in part.platforms] == ["linux/amd64", "linux/riscv64"]
        assert json.loads(part.root.body)["manifests"] == [*entries[:2], *entries[4:]]
        assert [document.digest for document in part.documents[:-1]] == [
            e["digest"] for e in (*entries[:2], *entries[4:])
        ]


def test_a_platform_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with (
        open_archive(layouts.write_tar(tmp_path, layouts.two_platforms())) as source,
        pytest.raises(UsageError, match="which has linux/amd64, linux/arm64/v8; for example --platform linux/amd64"),
    ):
        source.only(["windows/amd64"])


def test_an_entry_of_an_artifact_is_no_platform(tmp_path: Path) -> None:
    files: Files = {}
    artifact = {"schemaVersion": 2, "mediaType": layouts.MANIFEST, "layers": []}
    artifact["config"] = layouts.put(files, b"{}", "application/vnd.example.chart+json")
    index = layouts.put_index(files, [layouts.put_image(files), layouts.put_json(files, artifact, layouts.MANIFEST)])
    with open_archive(layouts.write_tar(tmp_path, layouts.layout(files, index))) as source:
        assert [image.platform for image in source.platforms] == ["linux/amd64"]
        assert isinstance(source.root.children[0], Blob)
