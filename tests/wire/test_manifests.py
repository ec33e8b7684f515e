"""What a manifest is, and which image of an index fits a platform."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probe.model import SCHEMA_1, Failure
from probe.sim import images
from probe.wire.errors import WireError
from probe.wire.manifests import INDEX_TYPES, MANIFEST_TYPES, Manifest, parse

DIGEST = "sha256:" + "0f" * 32
OCI_CONFIG, OCI_LAYER = images.OCI_CONFIG, images.OCI_LAYER


def read(**document: Any) -> Manifest:
    return parse(json.dumps(document).encode(), "application/json")


def entry(media_type: str = "", platform: str = "", **more: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"digest": DIGEST, "size": 7, **more}
    if media_type:
        described["mediaType"] = media_type
    if platform:
        described["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    return described


def manifest(config: str, *layers: str, **more: Any) -> Manifest:
    return read(schemaVersion=2, config=entry(config), layers=[entry(layer) for layer in layers], **more)


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        (OCI_CONFIG, (OCI_LAYER,)),
        (OCI_CONFIG, ("application/vnd.oci.image.layer.v1.tar+zstd",)),
        (OCI_CONFIG, ("application/vnd.oci.image.layer.nydus.blob.v1",)),
        (OCI_CONFIG, ()),  # FROM scratch, without content
        (images.DOCKER_CONFIG, (images.DOCKER_LAYER, images.DOCKER_FOREIGN)),
        ("application/octet-stream", (images.DOCKER_LAYER,)),  # pushed by old clients
        ("", (OCI_LAYER,)),
        (OCI_CONFIG, (OCI_LAYER, "application/vnd.example.notes+json")),
    ],
)
def test_an_image(config: str, layers: tuple[str, ...]) -> None:
    assert manifest(config, *layers).artifact is None


def test_an_image_with_an_artifact_type() -> None:
    assert manifest(OCI_CONFIG, OCI_LAYER, artifactType="application/vnd.example").artifact is None


@pytest.mark.parametrize(
    ("config", "layers", "artifact"),
    [
        (images.HELM_CONFIG, (images.HELM_CHART,), images.HELM_CONFIG),
        ("application/vnd.wasm.config.v0+json", ("application/wasm",), "application/vnd.wasm.config.v0+json"),
        (OCI_CONFIG, (images.IN_TOTO,), images.IN_TOTO),
        (
            OCI_CONFIG,
            ("application/vnd.dev.cosign.simplesigning.v1+json",),
            "application/vnd.dev.cosign.simplesigning.v1+json",
        ),
        (images.OCI_EMPTY, (images.OCI_EMPTY,), images.OCI_EMPTY),
    ],
)
def test_what_is_no_image(config: str, layers: tuple[str, ...], artifact: str) -> None:
    assert manifest(config, *layers).artifact == artifact


def test_the_artifact_type_names_an_artifact() -> None:
    assert manifest(images.OCI_EMPTY, images.OCI_EMPTY, artifactType="application/spdx+json").artifact == (
        "application/spdx+json"
    )


def test_schema_1_is_no_image() -> None:
    found = parse(images.schema_1().top.body, images.DOCKER_SCHEMA_1)
    assert (found.artifact, found.config, found.is_index) == (SCHEMA_1, None, False)


def test_a_hostile_type_is_made_safe_to_show() -> None:
    artifact = manifest("application/\x1b[2J\n::error::" + "x" * 500, OCI_LAYER).artifact
    assert artifact is not None
    assert artifact.isprintable()
    assert len(artifact) <= 100


@pytest.mark.parametrize("media_type", [*MANIFEST_TYPES, *INDEX_TYPES, ""])
def test_an_entry_of_an_index_is_an_image_or_an_index(media_type: str) -> None:
    found = read(schemaVersion=2, manifests=[entry(media_type, "linux/amd64")])
    assert found.is_index
    assert found.artifact is None
    assert len(found.candidates("linux/amd64")) == 1


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry(MANIFEST_TYPES[0], "unknown/unknown")],
        [entry(MANIFEST_TYPES[0], artifactType="application/spdx+json")],
        [entry("application/vnd.example.thing+json", "linux/amd64")],
    ],
)
def test_an_index_without_images_is_an_artifact(entries: list[dict[str, Any]]) -> None:
    found = read(schemaVersion=2, manifests=entries)
    assert not found.is_index
    assert found.artifact


def test_an_artifact_with_the_platform_of_an_image_is_passed_over() -> None:
    soci = entry(MANIFEST_TYPES[0], "linux/amd64", artifactType="application/vnd.amazon.soci.index.v2+json")
    image = entry(MANIFEST_TYPES[0], "linux/amd64", artifactType=OCI_CONFIG, size=9)
    found = read(schemaVersion=2, manifests=[soci, image])
    assert [child.size for child in found.candidates("linux/amd64")] == [9]


@pytest.mark.parametrize(
    ("platform", "expected"),
    [("linux/arm64", [0]), ("linux/arm64/v8", [0]), ("linux/amd64", [1]), ("linux/s390x", [2, 3])],
)
def test_candidates_of_an_index(platform: str, expected: list[int]) -> None:
    entries = [entry("", "linux/arm64/v8"), entry("", "linux/amd64"), entry(INDEX_TYPES[0]), entry(MANIFEST_TYPES[0])]
    found = read(schemaVersion=2, manifests=entries)
    assert [found.children.index(child) for child in found.candidates(platform)] == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{]", b'{"schemaVersion": 2}', b'{"schemaVersion": 3, "config": null}'])
def test_what_is_neither_manifest_nor_index(body: bytes) -> None:
    with pytest.raises(WireError) as raised:
        parse(body, "")
    assert raised.value.failure is Failure.MALFORMED
