"""Copies into a registry: order, what is skipped, interrupted uploads, logins, and what goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from probe.model import Failure
from probe.progress import Silent
from probe.registries.archive import open_archive
from probe.registries.client import TRIES, Registry
from probe.registries.copying import Copied, copy
from probe.registries.logins import Login
from probe.registries.reference import open_reference
from probe.registries.source import CopyError, MissingError, Source, StoppedError
from probe.wire.http import Answer
from tests.registries import layouts
from tests.registries.conftest import CHUNK, Clock, Served
from tests.registries.layouts import Files
from tests.registries.server import PASSWORD, SIGNATURE, STATE, TOKEN, USER, CutError, Request, Response, error

GOOD = Login(user=USER, password=PASSWORD)
UPLOAD = "/blobs/uploads/"
ONE_PLATFORM = layouts.one_platform()


def large(size: int = 5 * CHUNK // 2) -> Files:
    """An image of one layer that does not compress, of about `size` bytes."""
    files: Files = {}
    return layouts.layout(files, layouts.put_image(files, content=os.urandom(size)))


def layer_of(source: Source) -> str:
    return source.root.blobs[-1].digest


def push(served: Served, path: str, repository: str = "team/app", **arguments: object) -> Copied:
    login = arguments.pop("login", GOOD)
    with open_archive(path) as source, Registry(served.host, lambda: login) as registry:  # type: ignore[arg-type,return-value]
        return copy(source, registry, repository, stop=served.clock, **arguments)  # type: ignore[arg-type]


def assert_stored(served: Served, path: str, repository: str = "team/app") -> None:
    with open_archive(path) as source:
        stored = served.registry.repository(repository)
        for document in source.documents:
            assert stored.manifests[document.digest] == (document.media_type, document.body)
            assert all(
                hashlib.sha256(stored.blobs[blob.digest]).hexdigest() == blob.digest[7:] for blob in document.blobs
            )


# ---- what is copied --------------------------------------------------------------------------------------------------


def test_an_index_is_written_after_its_images(served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, layouts.two_platforms())
    copied = push(served, path, tags=["1", "latest"])
    assert_stored(served, path)
    assert served.registry.repository("team/app").tags == {"1": copied.digest, "latest": copied.digest}
    assert len(copied.manifests_pushed) == 5  # two images, their attestations, the index
    assert copied.manifests_pushed[-1] == copied.digest
    assert copied.bytes_sent == sum(len(request.body) for request in served.registry.requests)


def test_a_second_copy_sends_nothing(served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, layouts.two_platforms())
    first = push(served, path, tags=["1"])
    before = len(served.registry.requests)
    second = push(served, path, tags=["1"])
    assert {request.method for request in served.registry.requests[before:]} == {"HEAD"}
    assert second == Copied(digest=first.digest, manifests_skipped=first.manifests_pushed)


def test_blobs_that_are_there_are_skipped(served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, large())
    with open_archive(path) as source:
        layer = layer_of(source)
        served.registry.repository("team/app").blobs[layer] = b"".join(source.content.blob(source.root.blobs[-1]))
    copied = push(served, path)
    assert copied.blobs_skipped == (layer,)
    assert len(copied.blobs_pushed) == 1


def test_blobs_of_another_repository_of_the_registry_are_mounted(served: Served, tmp_path: Path) -> None:
    push(served, layouts.write_tar(tmp_path, layouts.two_platforms()), "base", tags=["1"])
    with open_reference(f"{served.host}/base:1") as source, Registry(served.host) as registry:
        copied = copy(source, registry, "other")
    assert not copied.blobs_pushed
    assert len(copied.blobs_mounted) == 7  # the attestations share a config
    assert served.registry.repository("other").blobs == served.registry.repository("base").blobs


@pytest.mark.parametrize("answer", [None, error(403, "DENIED"), error(401, "UNAUTHORIZED")])
def test_blobs_that_the_registry_does_not_mount_are_uploaded(
    answer: Response | None, served: Served, tmp_path: Path
) -> None:
    path = layouts.write_tar(tmp_path, layouts.one_platform())
    push(served, path, "base", tags=["1"])
    served.registry.reads_of_mounts = False
    if answer is not None:
        for _ in range(2):
            served.registry.fail("POST", UPLOAD, lambda request: answer if "mount" in request.query else None)
            served.registry.fail("POST", UPLOAD, lambda _request: None)
    with open_reference(f"{served.host}/base:1") as source, Registry(served.host) as registry:
        copied = copy(source, registry, "other", stop=served.clock)
    assert len(copied.blobs_pushed) == 2
    assert_stored(served, path, "other")


def test_one_platform_is_copied_alone(served: Served, tmp_path: Path) -> None:
    with (
        open_archive(layouts.write_tar(tmp_path, layouts.two_platforms())) as source,
        Registry(served.host) as registry,
    ):
        part = source.only(["linux/arm64"])
        copied = copy(part, registry, "team/app", tags=["arm"])
        assert copied.digest == source.platforms[1].digest
        assert registry.has("team/app", copied.digest)
        assert not registry.has("team/app", source.digest)
        assert registry.digests_below("team/app", copied.digest) == ()


def test_the_manifests_below_an_index_can_be_listed(served: Served, tmp_path: Path) -> None:
    copied = push(served, layouts.write_tar(tmp_path, layouts.two_platforms()))
    with Registry(served.host) as registry:
        assert registry.digests_below("team/app", copied.digest) == copied.manifests_pushed[:-1]
        assert registry.digests_below("team/app", f"sha256:{'0' * 64}") == ()


def test_an_incomplete_archive_is_refused_before_anything_is_sent(served: Served, tmp_path: Path) -> None:
    files = layouts.two_platforms()
    index = json.loads(files["index.json"])["manifests"][0]["digest"]
    last = json.loads(files[f"blobs/sha256/{index[7:]}"])["manifests"][2]["digest"]
    del files[f"blobs/sha256/{last[7:]}"]
    with pytest.raises(MissingError, match="--platform linux/amd64 copies what is there"):
        push(served, layouts.write_tar(tmp_path, files))
    assert served.registry.requests == []


# ---- interrupted uploads ---------------------------------------------------------------------------------------------


def after(count: int) -> Callable[[Served], Callable[[Request], Response | None]]:
    """The connection ends when the registry has `count` bytes of the request."""

    def fault_of(served: Served) -> Callable[[Request], Response | None]:
        def fault(request: Request) -> Response | None:
            served.registry.store(request, count)
            raise CutError

        return fault

    return fault_of


def answered(response: Response) -> Callable[[Served], Callable[[Request], Response | None]]:
    return lambda _served: lambda _request: response


INTERRUPTED = {
    "within a chunk": ("PATCH", after(1000), [1.0]),
    "before a chunk": ("PATCH", after(0), [1.0]),
    "after a chunk, before its answer": ("PATCH", after(CHUNK), [1.0]),
    "within the last chunk": ("PUT", after(1000), [1.0]),
    "429 with a time to wait": ("PATCH", answered(error(429, "TOOMANYREQUESTS", Retry_After="7")), [7.0]),
    "429 with a long time": ("PATCH", answered(error(429, "TOOMANYREQUESTS", Retry_After="100000")), [60.0]),
    "503": ("PATCH", answered(error(503, "UNAVAILABLE")), [1.0]),
    "416": ("PATCH", answered(error(416, "BLOB_UPLOAD_INVALID")), None),
    "an upload that has expired": ("PATCH", answered(error(404, "BLOB_UPLOAD_UNKNOWN")), [1.0]),
    "a digest that does not match at the end": ("PUT", answered(error(400, "DIGEST_INVALID")), [1.0]),
}


@pytest.mark.parametrize("like_ecr", [False, True], ids=["distribution", "ecr"])
@pytest.mark.parametrize("name", INTERRUPTED)
def test_an_interrupted_upload_goes_on(name: str, like_ecr: bool, served: Served, tmp_path: Path) -> None:
    method, fault, pauses = INTERRUPTED[name]
    served.registry.like_ecr = like_ecr
    path = layouts.write_tar(tmp_path, large())
    served.registry.fail("PATCH", UPLOAD, lambda _request: None)  # the first chunk arrives
    served.registry.fail(method, f"{UPLOAD}2", fault(served))
    copied = push(served, path, tags=["1"])
    assert_stored(served, path)
    assert pauses is None or served.clock.pauses[:1] == pauses
    assert copied.bytes_sent >= sum(len(body) for body in served.registry.repository("team/app").blobs.values())


def test_only_what_is_missing_is_sent_again(served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, large())
    served.registry.fail("PATCH", UPLOAD, after(1000)(served))
    push(served, path)
    ranges = [request.headers["content-range"] for request in served.registry.sent("PATCH", UPLOAD)]
    assert ranges == [f"0-{CHUNK - 1}", f"1000-{CHUNK - 1}", f"{CHUNK}-{2 * CHUNK - 1}"]


def test_ecr_says_what_it_has_when_it_refuses_a_chunk(served: Served, tmp_path: Path) -> None:
    served.registry.like_ecr = True
    path = layouts.write_tar(tmp_path, large())
    served.registry.fail("PATCH", UPLOAD, after(1000)(served))
    push(served, path)
    first = f"0-{CHUNK - 1}"
    ranges = [request.headers["content-range"] for request in served.registry.sent("PATCH", UPLOAD)]
    assert ranges == [first, first, f"1000-{CHUNK - 1}", f"{CHUNK}-{2 * CHUNK - 1}"]
    assert len(served.registry.sent("POST", UPLOAD)) == 2  # one for each blob
    assert_stored(served, path)


def test_an_upload_of_which_only_the_answer_was_lost_has_ended(served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, large())

    def store_and_cut(request: Request) -> Response | None:
        served.registry._answer(request)
        raise CutError

    served.registry.fail("PUT", UPLOAD, store_and_cut)
    push(served, path)
    assert_stored(served, path)
    assert len(served.registry.sent("PUT", UPLOAD)) == 2  # one for each blob


@pytest.mark.parametrize("range_", ["0-9999999", "0-5", "5-9", "bytes 0-1", "-", "0-" + "9" * 30, ""])
def test_a_range_that_lies_does_not_spoil_the_upload(range_: str, served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, large())
    served.registry.fail("PATCH", UPLOAD, lambda _request: None)
    served.registry.fail("PATCH", UPLOAD, after(1000)(served))
    served.registry.fail("GET", UPLOAD, Response(204, {"Range": range_}))
    push(served, path)
    assert_stored(served, path)


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (error(503, "UNAVAILABLE"), Failure.SERVER_ERROR),
        (error(429, "TOOMANYREQUESTS"), Failure.THROTTLED),
        (error(404, "BLOB_UPLOAD_UNKNOWN"), Failure.NOT_FOUND),
        (error(416, "BLOB_UPLOAD_INVALID"), Failure.MALFORMED),
        (None, Failure.RESET),
    ],
)
def test_an_upload_that_always_fails_ends(
    fault: Response | None, failure: Failure, served: Served, tmp_path: Path
) -> None:
    def fail(_request: Request) -> Response:
        if fault is None:
            raise CutError
        return fault

    path = layouts.write_tar(tmp_path, large())
    for _ in range(5 * TRIES):
        served.registry.fail("PATCH", UPLOAD, fail)
    with pytest.raises(CopyError) as caught:
        push(served, path)
    served.registry._faults.clear()
    assert caught.value.failure is failure
    assert "\n" not in str(caught.value)
    assert 5 <= len(served.registry.sent("PATCH")) <= 5 * TRIES
    assert sum(served.clock.pauses) <= 6 * 60
    assert served.registry.repository("team/app").manifests == {}


def test_progress_counts_each_byte_once_in_the_end(served: Served, tmp_path: Path) -> None:
    class Counted(Silent):
        def __init__(self) -> None:
            self.total, self.steps = 0, list[str]()

        def layer_advanced(self, _digest: str, count: int) -> None:
            self.total += count

        def step(self, text: str) -> None:
            self.steps.append(text)

    path, progress = layouts.write_tar(tmp_path, large()), Counted()
    served.registry.fail("PATCH", UPLOAD, lambda _request: None)
    served.registry.fail("PATCH", UPLOAD, error(404, "BLOB_UPLOAD_UNKNOWN"))
    served.registry.fail("PATCH", UPLOAD, after(1000)(served))
    copied = push(served, path, progress=progress, tags=["1"])
    assert progress.total == sum(len(body) for body in served.registry.repository("team/app").blobs.values())
    assert copied.bytes_sent > progress.total
    assert len(progress.steps) == 4
    assert progress.steps[-1] == "tag 1: pushed"


# ---- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_layer_of_other_content_is_not_stored(served: Served, tmp_path: Path) -> None:
    files = large()
    name = max(files, key=lambda name: len(files[name]))
    files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])
    with pytest.raises(CopyError, match=r"^'/.*': the content of sha256:\w{12}… has the digest sha256:") as caught:
        push(served, layouts.write_tar(tmp_path, files))
    assert caught.value.failure is Failure.BAD_DIGEST
    assert served.registry.uploads == {}  # the upload was cancelled
    assert len(served.registry.repository("team/app").blobs) == 1  # the config


def test_a_registry_that_names_another_digest_is_an_error(served: Served, tmp_path: Path) -> None:
    served.registry.fail("PUT", "/manifests/", Response(201, {"Docker-Content-Digest": f"sha256:{'0' * 64}"}))
    with pytest.raises(CopyError, match="has the digest sha256:000000000000…"):
        push(served, layouts.write_tar(tmp_path, layouts.one_platform()))


@pytest.mark.parametrize(
    ("method", "path", "answer", "expected"),
    [
        ("POST", UPLOAD, error(404, "NAME_UNKNOWN", "no such repository"), "team/app does not exist: NAME_UNKNOWN"),
        ("POST", UPLOAD, error(403, "DENIED", "no"), "team/app: not allowed: DENIED: no"),
        ("POST", UPLOAD, Response(202), "names no place for the upload"),
        ("POST", UPLOAD, Response(202, {"Location": "http://203.0.113.9/x"}), "leads to '203.0.113.9' without TLS"),
        ("POST", UPLOAD, Response(202, {"Location": "ftp://a/b"}), "names a malformed URL"),
        ("POST", UPLOAD, Response(202, {"Location": "/" + "a" * 20_000}), "names a URL of more than 16384"),
        (
            "PUT",
            "/manifests/1",
            error(400, "TAG_INVALID", "the tag is immutable"),
            "its tags are immutable: TAG_INVALID",
        ),
        ("PUT", "/manifests/1", Response(418, {}, b"<html>"), "team/app: HTTP 418"),
        ("HEAD", "/manifests/", Response(500), "team/app: HTTP 500"),
    ],
)
def test_a_refusal_is_one_clear_line(
    method: str, path: str, answer: Response, expected: str, served: Served, tmp_path: Path
) -> None:
    for _ in range(TRIES if answer.status == 500 else 1):
        served.registry.fail(method, path, answer)
    with pytest.raises(CopyError) as caught:
        push(served, layouts.write_tar(tmp_path, layouts.one_platform()), tags=["1"])
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_registry_that_does_not_answer_fails_soon(served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, layouts.one_platform())
    with (
        open_archive(path) as source,
        Registry("127.0.0.1:1") as registry,
        pytest.raises(CopyError, match=r"127\.0\.0\.1:1/team/app: Connection refused"),
    ):
        copy(source, registry, "team/app", stop=served.clock)
    assert served.clock.pauses == [1.0]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("http://registry.example", "has no TLS"),
        ("registry.example/app", "is not a registry host"),
        ("user@registry.example", "is not a registry host"),
        ("registry.example:99999", "is not a registry host"),
        ("ftp://registry.example", "is not a registry host"),
        ("", "is not a registry host"),
    ],
)
def test_a_host_that_is_none_is_refused(host: str, expected: str) -> None:
    with pytest.raises(CopyError, match=expected):
        Registry(host)


@pytest.mark.parametrize("stopped_at", ["/manifests/", f"{UPLOAD}2"])
def test_a_copy_ends_when_it_is_stopped(stopped_at: str, served: Served, tmp_path: Path) -> None:
    path = layouts.write_tar(tmp_path, large())
    served.registry.fail(
        "HEAD" if "manifests" in stopped_at else "PATCH", stopped_at, lambda _request: served.clock.set()
    )
    with open_archive(path) as source, Registry(served.host) as registry:
        with pytest.raises(StoppedError):
            copy(source, registry, "team/app", stop=served.clock)
        assert not registry.has("team/app", source.digest)  # it has its own stop again
    served.clock.clear()
    push(served, path)
    assert_stored(served, path)


# ---- logins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_both_kinds_of_logins(auth: str, served: Served, tmp_path: Path) -> None:
    served.registry.auth = auth
    path = layouts.write_tar(tmp_path, large())
    push(served, path, tags=["1"])
    assert_stored(served, path)


def test_an_identity_token_is_exchanged(served: Served, tmp_path: Path) -> None:
    served.registry.auth = "bearer"
    path = layouts.write_tar(tmp_path, layouts.one_platform())
    push(served, path, login=Login(identity_token=PASSWORD))
    assert_stored(served, path)


@pytest.mark.parametrize("auth", ["basic", "bearer"])
@pytest.mark.parametrize(
    ("login", "expected"), [(None, "a login is needed"), (Login("a", "b"), "the login is not accepted")]
)
def test_a_login_that_is_not_accepted(
    auth: str, login: Login | None, expected: str, served: Served, tmp_path: Path
) -> None:
    served.registry.auth = auth
    with pytest.raises(CopyError, match=f"team/app: {expected}$") as caught:
        push(served, layouts.write_tar(tmp_path, layouts.one_platform()), login=login)
    assert caught.value.failure is Failure.UNAUTHENTICATED
    assert len(served.registry.requests) <= 4


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("method", ["PATCH", "PUT", "HEAD"])
def test_a_login_that_expires_is_renewed_once(status: int, method: str, served: Served, tmp_path: Path) -> None:
    """ECR answers 403 to a token of more than 12 hours, other registries 401."""
    served.registry.auth = "basic"
    passwords = [PASSWORD, "renewed"]
    calls: list[str] = []

    def login() -> Login:
        calls.append(passwords[min(len(calls), 1)])
        return Login(user=USER, password=calls[-1])

    def expire(_request: Request) -> Response:
        served.registry.logins = {(USER, "renewed")}
        return error(
            status,
            "DENIED",
            "Your authorization token has expired. Reauthenticate and try again.",
            **({"WWW_Authenticate": 'Basic realm="lab"'} if status == 401 else {}),
        )

    path = layouts.write_tar(tmp_path, large())
    served.registry.fail(method, "/blobs/", lambda _request: None)
    served.registry.fail(method, "/blobs/", expire)
    with open_archive(path) as source, Registry(served.host, login) as registry:
        copy(source, registry, "team/app", stop=served.clock)
    assert_stored(served, path)
    assert calls == passwords


def test_a_token_that_expires_is_fetched_again(served: Served, tmp_path: Path) -> None:
    served.registry.auth = "bearer"

    def expire(_request: Request) -> None:
        served.registry.tokens = {"another"}

    path = layouts.write_tar(tmp_path, large())
    served.registry.fail("PATCH", UPLOAD, expire)
    push(served, path)
    assert_stored(served, path)
    assert {request.authorization for request in served.registry.sent("PATCH")} == {f"Bearer {TOKEN}", "Bearer another"}


@pytest.mark.parametrize("reply", [b"{}", b"\xff", b'{"token": 5}', b'{"token": "a\\r\\nb"}', b"[" * 10_000])
def test_a_token_service_that_returns_no_token(reply: bytes, served: Served, tmp_path: Path) -> None:
    served.registry.auth = "bearer"
    served.registry.fail("GET", "/token", Response(200, {}, reply))
    with pytest.raises(CopyError, match="its token service returned no token"):
        push(served, layouts.write_tar(tmp_path, layouts.one_platform()))


@pytest.mark.parametrize("realm", ["http://203.0.113.9/token", "", "nonsense", "file:///etc/passwd"])
def test_a_login_is_sent_to_no_place_without_tls(realm: str, served: Served, tmp_path: Path) -> None:
    challenge = f'Bearer realm="{realm}",service="lab"'
    served.registry.fail("HEAD", "/manifests/", error(401, "UNAUTHORIZED", WWW_Authenticate=challenge))
    with pytest.raises(CopyError, match=r"without TLS|malformed URL"):
        push(served, layouts.write_tar(tmp_path, layouts.one_platform()))


# ---- secrets ---------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_an_error(served: Served, tmp_path: Path) -> None:
    """Passwords, tokens, the state of uploads and signatures: also where a server repeats them."""
    secrets = (PASSWORD, TOKEN, STATE, SIGNATURE)
    url = f"https://cdn.example/blob?state={STATE}&signature={SIGNATURE}"
    text = f"{url} Authorization: Bearer {TOKEN} password={PASSWORD}"
    path = layouts.write_tar(tmp_path, layouts.one_platform())
    messages = []
    for method, place, answer in (
        ("HEAD", "/manifests/", error(400, "UNSUPPORTED", text)),
        ("POST", UPLOAD, error(403, "DENIED", text)),
        ("POST", UPLOAD, Response(202, {"Location": f"http://203.0.113.9/?state={STATE}"})),
        ("PUT", UPLOAD, error(413, "SIZE_INVALID", text)),
        ("GET", "/token", error(500, "UNKNOWN", text)),
        ("GET", "/token", Response(302, {"Location": f"http://203.0.113.9/?signature={SIGNATURE}"})),
    ):
        served.registry.auth = "bearer"
        for _ in range(TRIES if answer.status == 500 else 1):
            served.registry.fail(method, place, answer)
        with pytest.raises(CopyError) as caught:
            push(served, path)
        messages.append(f"{caught.value} {caught.value!r} {caught.value.args}")
        served.registry._faults.clear()
    assert not [secret for secret in secrets for message in messages if secret in message]
    assert PASSWORD not in repr(GOOD)


# ---- anything at all -------------------------------------------------------------------------------------------------

_LOCATIONS = st.one_of(
    st.sampled_from(
        ["/v2/team/app/blobs/uploads/1", "https://cdn.example/x", "http://127.0.0.1/x", "//[", "?", "\0", ""]
    ),
    st.text(max_size=20),
)
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Location": _LOCATIONS,
        "Range": st.sampled_from(["0-0", "0-5", "0-65535", "9-1", "x"]),
        "Retry-After": st.sampled_from(["5", "-1", "Mon, 99 Nov", "9" * 400, "²"]),
        "Docker-Content-Digest": st.one_of(st.just("sha256:x"), st.text(max_size=9)),
        "WWW-Authenticate": st.sampled_from(
            [
                "Basic",
                'Bearer realm="https://auth.example/t",service="x"',
                'Bearer realm="',
                "Bearer realm=//",
                "Digest",
                "",
            ]
        ),
    },
)
_ANSWERS = st.builds(
    Answer,
    st.sampled_from([200, 201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 409, 416, 418, 429, 500, 503]),
    _HEADERS.map(CaseInsensitiveDict),
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([b'{"token": "abc"}', b'{"errors": []}', b'{"errors": [{"code": "x"}]}']),
    ),
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(answers=st.lists(_ANSWERS, min_size=1, max_size=12))
def test_a_registry_may_answer_anything(answers: list[Answer]) -> None:
    """The copy ends, after a bounded number of requests, with a result or with a CopyError."""
    requests = []

    class Anything:
        def request(self, method: str, target: str, **_: object) -> Answer:
            assert target.startswith("/")
            requests.append(method)
            return answers[len(requests) % len(answers)]

        def close(self) -> None:
            return

    with tempfile.TemporaryDirectory() as folder:
        path = layouts.write_tar(Path(folder), ONE_PLATFORM)
        with open_archive(path) as source, Registry("registry.example", lambda: GOOD, stop=Clock()) as registry:
            registry._conversation = lambda _origin: Anything()  # type: ignore[assignment,method-assign,return-value]
            with suppress(CopyError):
                copy(source, registry, "team/app", tags=["1"])
    assert 1 <= len(requests) < 1000
