"""Images of foreign registries: names, redirects, broken downloads, and what a hostile registry may send.

The registry, its token service and the place of its blobs have different names under one certificate authority; the
wire leads all of them to one server on a loopback address.
"""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from probe.config.flags import UsageError
from probe.model import Failure
from probe.registries import client
from probe.registries.client import TRIES
from probe.registries.logins import Login
from probe.registries.network import operator_wire
from probe.registries.reference import open_reference
from probe.registries.source import CopyError, Source, StoppedError
from probe.wire import Wire
from tests.registries import layouts
from tests.registries.conftest import Clock
from tests.registries.layouts import Files
from tests.registries.server import (
    PASSWORD,
    SIGNATURE,
    TOKEN,
    USER,
    CutError,
    Registry,
    Request,
    Response,
    error,
    serving,
)

HOST, AUTH, CDN = "registry.example", "auth.example", "cdn.example"
HUB = "registry-1.docker.io"
NAME = f"{HOST}/team/app"


@dataclass(frozen=True)
class Foreign:
    registry: Registry
    wire: Wire
    clock: Clock

    def open(self, text: str = f"{NAME}:1", *, until: float | None = None) -> Source:
        login = Login(user=USER, password=PASSWORD)
        return open_reference(text, login=lambda: login, wire=self.wire, stop=self.clock, until=until)

    def store(self, files: Files, repository: str = "team/app") -> str:
        """Store a layout's image under the tag 1; return its digest."""
        (root,) = json.loads(files["index.json"])["manifests"]
        stored = self.registry.repository(repository)
        for name, content in files.items():
            if name.startswith("blobs/"):
                stored.blobs[layouts.digest(content)] = content
                try:
                    media_type = json.loads(content).get("mediaType")
                except ValueError:
                    continue
                if media_type:
                    stored.manifests[layouts.digest(content)] = (media_type, content)
        stored.tags["1"] = root["digest"]
        return str(root["digest"])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def foreign(authority: trustme.CA) -> Iterator[Foreign]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, AUTH, CDN, HUB).configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    registry = Registry(auth="bearer")
    with serving(registry, context, name=AUTH) as port:
        plain = operator_wire(proxies=dict)

        def dial(host: str, _port: int, seconds: float) -> object:
            assert host in (HOST, AUTH, CDN, HUB), host
            return plain.dial("127.0.0.1", port, seconds)

        wire = Wire(dial=dial, datagram=plain.datagram, resolvers=plain.resolvers, trust=lambda: trusting)  # type: ignore[arg-type]
        yield Foreign(registry, wire, Clock())
    assert registry.all_faults_occurred


def large(size: int = 1_000_000) -> tuple[Files, bytes]:
    files: Files = {}
    root = layouts.put_image(files, content=os.urandom(size))
    layer = json.loads(files[f"blobs/sha256/{root['digest'][7:]}"])["layers"][0]["digest"]
    return layouts.layout(files, root), files[f"blobs/sha256/{layer[7:]}"]


def read_layer(source: Source) -> bytes:
    return b"".join(source.content.blob(source.root.blobs[-1]))


def test_all_platforms_of_an_index_are_read(foreign: Foreign) -> None:
    digest = foreign.store(layouts.two_platforms())
    with foreign.open() as source:
        assert source.digest == digest
        assert [image.platform for image in source.platforms] == ["linux/amd64", "linux/arm64/v8"]
    with foreign.open(f"{NAME}@{digest}") as source:
        assert len(source.documents) == 5


def test_docker_hub_has_another_host_and_a_library(foreign: Foreign) -> None:
    foreign.store(layouts.one_platform(), "library/busybox")
    foreign.registry.repository("library/busybox").tags["latest"] = foreign.registry.repository("library/busybox").tags[
        "1"
    ]
    for text in ("busybox:1", "busybox", "docker.io/library/busybox:1", "index.docker.io/busybox:1"):
        with foreign.open(text) as source:
            assert source.content.name == "docker.io/library/busybox"
    assert {request.host for request in foreign.registry.sent("GET", "^/v2/")} == {HUB}


def test_a_redirect_receives_no_login(foreign: Foreign) -> None:
    files, layer = large()
    foreign.store(files)
    foreign.registry.redirects[layouts.digest(layer)] = (
        f"https://{CDN}/signed/{layouts.digest(layer)}?signature={SIGNATURE}"
    )
    with foreign.open() as source:
        assert read_layer(source) == layer
    (signed,) = foreign.registry.sent("GET", "^/signed/")
    assert signed.host == CDN
    assert signed.authorization == ""
    assert all(request.authorization in ("", f"Bearer {TOKEN}") for request in foreign.registry.sent("GET", "^/v2/"))


def test_a_relative_redirect_stays_at_the_registry(foreign: Foreign) -> None:
    files, layer = large(1000)
    foreign.store(files)
    foreign.registry.fail("GET", "/blobs/", Response(302, {"Location": f"../blobs/{layouts.digest(layer)}"}))
    with foreign.open() as source:
        assert read_layer(source) == layer


@pytest.mark.parametrize("cut", [0, 1, 300_000, 999_999])
@pytest.mark.parametrize("ranges", [True, False], ids=["206", "200"])
def test_a_broken_download_goes_on(cut: int, ranges: bool, foreign: Foreign) -> None:
    files, layer = large()
    foreign.store(files)
    with foreign.open() as source:
        foreign.registry.fail("GET", "/blobs/", Response(200, {}, layer, cut=cut))
        if not ranges:
            foreign.registry.fail("GET", "/blobs/", Response(200, {}, layer))
        assert read_layer(source) == layer
    last = foreign.registry.sent("GET", "/blobs/")[-1]
    assert last.headers.get("range", "bytes=0-") == f"bytes={cut}-"
    assert foreign.clock.pauses == [1.0]


@pytest.mark.parametrize("range_", ["bytes 5-9/1000", "", "bytes x-y/z", "bytes 0-1/" + "9" * 30])
def test_a_wrong_range_is_refused(range_: str, foreign: Foreign) -> None:
    files, layer = large()
    foreign.store(files)
    with foreign.open() as source:
        foreign.registry.fail("GET", "/blobs/", Response(200, {}, layer, cut=300_000))
        foreign.registry.fail("GET", "/blobs/", Response(206, {"Content-Range": range_}, layer[300_000:]))
        with pytest.raises(CopyError, match="another range than the requested one"):
            read_layer(source)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response(307, {"Location": "http://cdn.example/blob"}), "leads to 'cdn.example' without TLS"),
        (
            Response(307, {"Location": "http://169.254.169.254/latest/meta-data"}),
            "leads to '169.254.169.254' without TLS",
        ),
        (Response(307, {"Location": "http://127.0.0.1:22/"}), "redirects to '127.0.0.1', which is not followed"),
        (Response(307, {"Location": "https://localhost/"}), "redirects to 'localhost', which is not followed"),
        *(
            (Response(307, {"Location": f"https://{host}/latest/meta-data"}), ", which is not followed")
            for host in (
                "app.localhost.",
                "127.1",
                "2130706433",
                "0.0.0.0",
                "[::]",
                "[::ffff:127.0.0.1]",
                "169.254.169.254",
                "[fe80::1%25eth0]",
                "[fd00:ec2::254]",
            )
        ),
        (Response(307, {"Location": "file:///etc/passwd"}), "names a malformed URL"),
        (Response(307, {"Location": "https://[::1"}), "names a malformed URL"),
        (Response(200, {}, bytes(2_000_000)), "a body of 2000000 bytes"),
        (error(404, "BLOB_UNKNOWN", "gone"), "HTTP 404: BLOB_UNKNOWN: gone"),
        (error(403, "DENIED"), "not allowed: DENIED"),
    ],
)
def test_what_a_blob_must_not_be(answer: Response, expected: str, foreign: Foreign) -> None:
    files, _ = large()
    foreign.store(files)
    with foreign.open() as source:
        foreign.registry.fail("GET", "/blobs/", answer)
        with pytest.raises(CopyError) as caught:
            read_layer(source)
    assert expected in str(caught.value)


def test_redirects_without_end_are_refused(foreign: Foreign) -> None:
    files, layer = large(1000)
    foreign.store(files)
    digest = layouts.digest(layer)
    foreign.registry.redirects[digest] = f"https://{HOST}/v2/team/app/blobs/{digest}"
    with foreign.open() as source, pytest.raises(CopyError, match="more than 5 times"):
        read_layer(source)


def test_a_download_that_always_breaks_ends(foreign: Foreign) -> None:
    files, layer = large(1000)
    foreign.store(files)
    with foreign.open() as source:
        for _ in range(TRIES):
            foreign.registry.fail("GET", "/blobs/", Response(200, {}, layer, cut=0))
        with pytest.raises(CopyError, match="the body ended after 0 of"):
            read_layer(source)
    assert len(foreign.clock.pauses) == TRIES - 1


def test_a_registry_that_sends_a_byte_at_a_time_ends_with_the_run(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, layer = large(1000)
    foreign.store(files)
    started = time.monotonic()
    monkeypatch.setattr(client, "monotonic", lambda: started + sum(foreign.clock.pauses))

    def one_more_byte(request: Request) -> Response:
        begin = int(request.headers.get("range", "bytes=0-")[6:-1])
        foreign.registry.fail("GET", "/blobs/", one_more_byte)
        return Response(206, {"Content-Range": f"bytes {begin}-999/1000"} if begin else {}, layer[begin:], cut=1)

    with foreign.open(until=started + 60) as source:
        foreign.registry.fail("GET", "/blobs/", one_more_byte)
        with pytest.raises(StoppedError):
            read_layer(source)
    assert sum(foreign.clock.pauses) <= 61
    foreign.registry.forget_faults()


def test_a_token_that_expires_before_a_blob_is_fetched_again(foreign: Foreign) -> None:
    files, layer = large(1000)
    foreign.store(files)
    with foreign.open() as source:
        foreign.registry.tokens = {"another"}
        assert read_layer(source) == layer
    assert foreign.registry.requests[-1].authorization == "Bearer another"


def test_a_registry_of_too_many_requests_is_waited_for(foreign: Foreign) -> None:
    foreign.store(layouts.one_platform())
    foreign.registry.fail("GET", "/manifests/", error(429, "TOOMANYREQUESTS", Retry_After="9"))
    with foreign.open():
        assert foreign.clock.pauses == [9.0]


def refused(foreign: Foreign, text: str = f"{NAME}:1") -> str:
    with pytest.raises(UsageError) as caught, foreign.open(text):
        pass
    message = str(caught.value)
    assert message.startswith("--image-from: ")
    assert message.endswith("; for example --image-from registry.example/team/ecr-probe:1.0")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "an image reference is HOST/NAME:TAG, and this is empty"),
        ("https://registry.example/app", "no scheme such as https://"),
        ("registry.example/APP", "is not a repository name"),
        ("registry.example/app@sha256:1", "is not a digest"),
        ("registry.example/", "the repository is missing"),
        ("registry.example:99999/app", "is not a registry host"),
    ],
)
def test_a_reference_that_is_none_is_refused(text: str, expected: str, foreign: Foreign) -> None:
    assert expected in refused(foreign, text)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error(404, "NAME_UNKNOWN", "no such repository"), "has no team/app:1: NAME_UNKNOWN: no such repository"),
        (error(403, "DENIED", "no"), "not allowed: DENIED: no"),
        (Response(307, {"Location": f"https://{CDN}/x"}), "HTTP 307"),
        (Response(200, {}, b"<html>"), "is not an image manifest"),
        (Response(200, {}, b"[" * 100_000), "is not an image manifest"),
        (Response(200, {}, b"{}"), "is neither an image manifest nor an index"),
        (Response(200, {}, b'{"schemaVersion": 1}'), "has the format of schema 1"),
        (Response(200, {}, b" " * (5 << 20)), "a body of 5242880 bytes"),
        (Response(200, {"Docker-Content-Digest": f"sha256:{'0' * 64}"}, b"{}"), "has the digest sha256:"),
        (Response(200, {}, json.dumps({"manifests": [{"digest": "x", "size": 1}]}).encode()), "has the digest 'x'"),
    ],
)
def test_what_a_manifest_must_not_be(answer: Response, expected: str, foreign: Foreign) -> None:
    foreign.registry.auth = None
    foreign.registry.fail("GET", "/manifests/", answer)
    assert expected in refused(foreign)


def test_a_child_of_another_digest_is_refused(foreign: Foreign) -> None:
    foreign.store(layouts.two_platforms())
    stored = foreign.registry.repository("team/app")
    child = next(digest for digest in stored.manifests if digest != stored.tags["1"])
    stored.manifests[child] = (layouts.MANIFEST, stored.manifests[child][1] + b" ")
    assert f"the content of {child[:19]}… has the digest" in refused(foreign)


def test_a_child_that_is_missing_is_refused(foreign: Foreign) -> None:
    foreign.store(layouts.two_platforms())
    stored = foreign.registry.repository("team/app")
    del stored.manifests[next(digest for digest in stored.manifests if digest != stored.tags["1"])]
    assert "registry.example has no team/app@sha256:" in refused(foreign)


def test_a_registry_that_ends_the_connection_is_tried_twice(foreign: Foreign) -> None:
    def cut(_request: Request) -> Response:
        raise CutError

    foreign.registry.fail("GET", "/manifests/", cut)
    foreign.registry.fail("GET", "/manifests/", cut)
    assert NAME in refused(foreign)
    assert foreign.clock.pauses == [1.0]


def test_a_certificate_of_another_authority_is_refused(foreign: Foreign) -> None:
    strange = Foreign(
        foreign.registry,
        Wire(foreign.wire.dial, foreign.wire.datagram, foreign.wire.resolvers, ssl.create_default_context),
        foreign.clock,
    )
    assert "its certificate is not trusted" in refused(strange)
    assert "AWS_CA_BUNDLE names a file" in refused(strange)
    assert foreign.registry.requests == []


def test_a_bundle_is_trusted_besides_the_system(foreign: Foreign, authority: trustme.CA, tmp_path: Path) -> None:
    foreign.store(layouts.one_platform())
    authority.cert_pem.write_to_path(tmp_path / "company.pem")
    trust = operator_wire(str(tmp_path / "company.pem")).trust
    wire = Wire(foreign.wire.dial, foreign.wire.datagram, foreign.wire.resolvers, trust)
    with Foreign(foreign.registry, wire, foreign.clock).open():
        assert len(trust().get_ca_certs()) == len(ssl.create_default_context().get_ca_certs()) + 1


@pytest.mark.parametrize("name", ["absent.pem", "text.pem"])
def test_a_bundle_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(UsageError, match=r"^AWS_CA_BUNDLE: '.*; for example AWS_CA_BUNDLE=/etc/ssl/company\.pem$"):
        open_reference("registry.example/app", environ={"AWS_CA_BUNDLE": str(tmp_path / name)})


def test_a_name_that_does_not_resolve_is_said(foreign: Foreign) -> None:
    wire = operator_wire(proxies=dict)
    with pytest.raises(UsageError, match=r"does-not-exist\.invalid/app: does-not-exist\.invalid does not resolve"):
        open_reference("does-not-exist.invalid/app:1", wire=wire, stop=foreign.clock)


def test_no_secret_is_in_an_error_of_a_pull(foreign: Foreign) -> None:
    files, layer = large(1000)
    foreign.store(files)
    digest = layouts.digest(layer)
    foreign.registry.redirects[digest] = f"https://{CDN}/signed/{digest}?signature={SIGNATURE}"
    text = f"https://{CDN}/x?signature={SIGNATURE} Bearer {TOKEN} password: {PASSWORD}"
    with foreign.open() as source:
        messages = []
        for answer in (error(403, "DENIED", text), error(404, "UNKNOWN", text), Response(200, {}, b"", cut=0)):
            for _ in range(TRIES if answer.status == 200 else 1):
                foreign.registry.fail("GET", "^/signed/", answer)
            with pytest.raises(CopyError) as caught:
                read_layer(source)
            messages.append(f"{caught.value!r} {caught.value.__cause__!r}")
            assert caught.value.failure in (Failure.DENIED, Failure.NOT_FOUND, Failure.TRUNCATED)
    assert not [secret for secret in (SIGNATURE, TOKEN, PASSWORD) for message in messages if secret in message]
