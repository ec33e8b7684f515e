"""Blobs: the registry's redirect, judged before it is followed, and the bytes from S3 behind it, without
Authorization.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial

from probe.measure.questions import ask, seen_of
from probe.measure.reach import Reached, Ready, reach
from probe.measure.recorder import Attempt, Run, spawn
from probe.measure.redirects import Redirect, judge
from probe.measure.retries import with_retry
from probe.model import (
    Action,
    AnswerSeen,
    Endpoint,
    Failure,
    ImageReference,
    Kind,
    Layers,
    LayerSeen,
    RedirectSeen,
    RedirectTarget,
)
from probe.records import Record, field, replace
from probe.wire import answers
from probe.wire.digests import hash_body
from probe.wire.errors import WireError
from probe.wire.http import Answer, Body, Conversation
from probe.wire.manifests import Blob, Manifest, platform_of, smallest_layer

WORKERS = 3  # layers at once, as docker and containerd take by default; more only compete for the interpreter's lock
_REDIRECTS = (301, 302, 303, 307, 308)
_FOLLOWED = (RedirectTarget.LAYER_BUCKET, RedirectTarget.OTHER_REGION)


class _Wanted(Record, frozen=True):
    """One blob to fetch, and its place in the image."""

    blob: Blob
    what: str
    rank: int

    @property
    def subject(self) -> str:
        return self.blob.digest[:19]  # sha256: and 12 digits


class _Fetch(Record, frozen=True):
    """What the workers share. `hosts` holds one visit for every host that a redirect named."""

    run: Run
    image: ImageReference
    registry: Ready
    authorization: str
    on: str
    bucket: Future[Reached]
    hosts: dict[str, Future[Reached]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def fetch_layers(
    run: Run,
    image: ImageReference,
    registry: Ready,
    authorization: str,
    manifest: Manifest,
    *,
    on: str,
    bucket: Future[Reached],
) -> None:
    """Fetch the config and the layers that the plan asks for: the smallest telling one, or all of them at once."""
    wanted = _wanted(manifest, run.plan.layers)
    fetch = _Fetch(run, image, registry, authorization, on, bucket)
    waiting: queue.SimpleQueue[_Wanted] = queue.SimpleQueue()
    for each in wanted:
        run.recorder.expect("s3", Action.LAYER, each.subject, rank=each.rank)
        waiting.put(each)
    workers = [spawn(lambda: _work(fetch, waiting)) for _ in range(min(WORKERS, len(wanted)))]
    for worker in workers:
        worker.result()


def _wanted(manifest: Manifest, layers: Layers) -> list[_Wanted]:
    assert manifest.config is not None, "an index has no layers"
    own = manifest.own_layers
    if layers is not Layers.ALL:
        telling = smallest_layer(own)
        own = (telling,) if telling else ()
    blobs = [
        _Wanted(manifest.config, "config", 0),
        *(_Wanted(layer, "layer", place) for place, layer in enumerate(own, 1)),
    ]
    return list({each.blob.digest: each for each in reversed(blobs)}.values())[
        ::-1
    ]  # a layer may stand twice in an image


class _Talks(Record, frozen=True):
    """One worker's conversations, one with each host: a handshake and a slow start for all its blobs together."""

    run: Run
    closing: ExitStack
    begun: dict[tuple[str, str], Conversation] = field(default_factory=dict)

    def at(self, host: str, address: str) -> Conversation:
        run, place = self.run, (host, address)
        if place not in self.begun:
            talk = Conversation(run.wire, host=host, address=address, until=run.until, budget=run.plan.budget)
            self.begun[place] = self.closing.enter_context(talk)
        return self.begun[place]


def _work(fetch: _Fetch, waiting: queue.SimpleQueue[_Wanted]) -> None:
    """Fetch blobs until none is left."""
    with ExitStack() as closing:
        talks = _Talks(fetch.run, closing)
        while not fetch.run.over:
            try:
                wanted = waiting.get_nowait()
            except queue.Empty:
                return
            _one(fetch, talks, wanted)


def _one(fetch: _Fetch, talks: _Talks, wanted: _Wanted) -> None:
    registry = talks.at(fetch.image.host, fetch.registry.address)
    blob = with_retry(fetch.run, lambda: _redirect(fetch, registry, wanted))
    if blob.value is None:
        fetch.run.recorder.skip("s3", Action.LAYER, wanted.subject, blocked_by=blob.step.id, rank=wanted.rank)
        return
    redirect = blob.value
    host = _visit(fetch, redirect, on=blob.step.id)
    if not host.ready:
        fetch.run.recorder.skip("s3", Action.LAYER, wanted.subject, blocked_by=host.blocked_by, rank=wanted.rank)
        return
    ready = host.ready[0]
    layers = talks.at(redirect.host or fetch.run.plan.layer_host, ready.address)
    with_retry(fetch.run, lambda: _bytes(fetch.run, layers, ready, redirect, wanted))


# ---- the redirect
# ------------------------------------------------------------------------------------------------------------


def _redirect(fetch: _Fetch, conversation: Conversation, wanted: _Wanted) -> Attempt[Redirect]:
    run, digest = fetch.run, wanted.blob.digest
    blank = RedirectSeen(answer=AnswerSeen(address=fetch.registry.address), digest=digest)

    def call() -> tuple[RedirectSeen, Redirect]:
        target = f"/v2/{fetch.image.repository}/blobs/{digest}"
        try:
            asked = ask(
                run, conversation, "GET", target, headers={"Authorization": fetch.authorization}, expected=_REDIRECTS
            )
        except WireError as error:
            raise WireError(
                error.failure, error.detail, seen=replace(blank, answer=seen_of(error, blank.answer))
            ) from error
        location = asked.answer.headers.get("Location")
        if asked.answer.status not in _REDIRECTS or not location:
            words = f"status {asked.answer.status} instead of a redirect to S3"
            raise WireError(Failure.REDIRECT, words, seen=replace(blank, answer=asked.seen))
        redirect = judge(location, run.plan, registry=fetch.image.host)
        seen = replace(blank, answer=asked.seen, target=redirect.kind, host=redirect.host, region=redirect.region)
        if redirect.kind not in _FOLLOWED and not _planned(run, redirect):
            raise WireError(Failure.REDIRECT, f"redirected to {redirect.host or 'what is no host'}", seen=seen)
        return seen, redirect

    return run.recorder.attempt(
        "ecr.dkr",
        Action.BLOB,
        wanted.subject,
        call=call,
        host=fetch.image.host,
        address=fetch.registry.address,
        on=fetch.on,
        rank=wanted.rank,
        seen=blank,
    )


def _planned(run: Run, redirect: Redirect) -> bool:
    hosts = {endpoint.host for endpoint in run.plan.endpoints}
    return redirect.kind is RedirectTarget.FOREIGN and redirect.host in hosts


def _visit(fetch: _Fetch, redirect: Redirect, *, on: str) -> Reached:
    """The planned layer host as it was reached already; another host has name, TCP and TLS steps of its own, once."""
    plan = fetch.run.plan
    host = redirect.host or plan.layer_host
    if host == plan.layer_host:
        return fetch.bucket.result()
    endpoint = Endpoint(
        name="s3",
        host=host,
        lookup=host,
        kind=Kind.GATEWAY,
        region=redirect.region or plan.region,
        required=True,
        impact=fetch.bucket.result().endpoint.impact,
    )
    with fetch.lock:
        if host not in fetch.hosts:
            fetch.hosts[host] = spawn(lambda: reach(fetch.run, endpoint, on=on))
    return fetch.hosts[host].result()


# ---- the bytes
# -----------------------------------------------------------------------------------------------------------------


def _bytes(run: Run, conversation: Conversation, ready: Ready, redirect: Redirect, wanted: _Wanted) -> Attempt[None]:
    budget, blob = run.plan.budget, wanted.blob
    ranged = run.plan.layers is not Layers.ALL and blob.size > budget.layer_bytes
    expected = min(blob.size, budget.layer_bytes) if ranged else blob.size
    blank = LayerSeen(
        answer=AnswerSeen(address=ready.address), digest=blob.digest, what=wanted.what, size=blob.size, ranged=ranged
    )

    def call() -> tuple[LayerSeen, None]:
        # No Authorization: S3 refuses a request that carries both a header and a signed query (400 InvalidArgument).
        headers = {"Range": f"bytes=0-{expected - 1}"} if ranged and expected else {}
        return _stream(run, conversation, redirect, headers, blank, expected), None

    return run.recorder.attempt(
        "s3",
        Action.LAYER,
        wanted.subject,
        call=call,
        host=redirect.host or run.plan.layer_host,
        address=ready.address,
        on=ready.step,
        rank=wanted.rank,
        seen=blank,
    )


def _stream(
    run: Run, conversation: Conversation, redirect: Redirect, headers: dict[str, str], blank: LayerSeen, expected: int
) -> LayerSeen:
    """Read the body while it is hashed. A body that is longer than the manifest says is cut."""
    with conversation.stream("GET", redirect.path, headers=headers, limit=expected) as body:
        head = Answer(body.status, body.headers, b"" if body.status in (200, 206) else body.error_body())
        seen = replace(blank, answer=answers.facts(head, method="GET", address=conversation.address, clock=time.time()))
        _accept(head, seen)
        began = time.monotonic()
        try:
            received, digest, platform = _read(run, body, blank)
        except WireError as error:
            raise WireError(error.failure, error.detail, seen=replace(seen, received=body.received)) from error
        seconds = time.monotonic() - began
    speed = round(received / seconds, 1) if seconds > 0 else None
    return _check(replace(seen, received=received, bytes_per_second=speed, platform=platform), digest, expected)


def _read(run: Run, body: Body, blank: LayerSeen) -> tuple[int, str, str | None]:
    """Bytes received, their digest, and of a config the platform that it names."""
    if blank.what == "config" and (blank.size or 0) <= run.plan.budget.manifest_bytes:
        content = body.read_all()
        return len(content), f"sha256:{hashlib.sha256(content).hexdigest()}", platform_of(content)
    progress = run.progress
    progress.layer_started(blank.digest, blank.size)
    try:
        advance, alone = partial(progress.layer_advanced, blank.digest), run.plan.layers is not Layers.ALL
        received, digest = hash_body(body, advance=advance, threaded=alone)
    finally:
        progress.layer_done(blank.digest)
    return received, f"sha256:{digest}", None


def _accept(head: Answer, seen: LayerSeen) -> None:
    if head.status in _REDIRECTS:
        raise WireError(Failure.REDIRECT, "S3 redirected once more", seen=seen)
    if head.status in (200, 206) and answers.is_html(head):
        raise WireError(Failure.NOT_AWS, "a page instead of the layer's bytes", seen=seen)
    if head.status not in (200, 206):
        failure, detail = answers.failure(head, seen.answer) or (Failure.MALFORMED, f"status {head.status}")
        raise WireError(failure, detail, seen=seen)


def _check(seen: LayerSeen, digest: str, expected: int) -> LayerSeen:
    if seen.received < expected:
        # A whole answer of another length, without S3's request id, is somebody else's.
        failure = Failure.TRUNCATED if seen.answer.aws else Failure.NOT_AWS
        raise WireError(failure, f"{seen.received} of {expected} bytes came", seen=seen)
    if seen.ranged:
        return seen
    if digest != seen.digest:
        raise WireError(Failure.BAD_DIGEST, f"the bytes' sha256 is {digest}", seen=seen)
    return replace(seen, verified=True)
