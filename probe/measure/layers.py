"""Blobs: the registry's redirect, judged before it is followed, and the bytes from S3, without Authorization."""

from __future__ import annotations

import hashlib
import queue
import re
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from urllib.parse import SplitResult, urlsplit

from probe.arns import REGION
from probe.measure.http_request import answer_in, send
from probe.measure.reach import Reached, Ready, reach
from probe.measure.recorder import Attempt, Run, Target, spawn
from probe.model import (
    Action,
    AnswerSeen,
    Failure,
    ImageReference,
    Layers,
    LayerSeen,
    Plan,
    RedirectSeen,
    RedirectTarget,
)
from probe.records import Record, Unshown, field, replace
from probe.wire import answers
from probe.wire.digests import hash_body
from probe.wire.errors import WireError
from probe.wire.http import Answer, Body, Conversation
from probe.wire.manifests import Blob, Manifest, platform_of, smallest_layer

# S3's spellings, AWS[s3-spellings]: s3.<r>, s3-<r>, s3.dualstack.<r>, s3-fips.<r>,
# s3-fips.dualstack.<r> and the global s3, before the partition's suffix; the bucket in front of it or first in the
# path.
_S3 = re.compile(
    rf"(?:(?P<bucket>[a-z0-9][a-z0-9.-]*)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-](?P<region>{REGION}))?", re.ASCII
)
_LAYER_BUCKET = re.compile(r"prod-(?P<region>[a-z0-9-]+)-starport-layer-bucket")
# In other partitions any S3 host of the region is accepted: AWS[ecr-layer-bucket-elsewhere].
_BUCKET_KNOWN = ("aws", "aws-us-gov")


class Redirect(Unshown, frozen=True):
    """Where the registry redirected to. `path` holds a secret query and must never be shown."""

    kind: RedirectTarget
    host: str | None
    region: str | None = None
    path: str = ""


def judge_redirect(location: str, plan: Plan, *, registry: str) -> Redirect:
    """Parse a Location header. One that cannot be parsed is FOREIGN with no host."""
    try:
        url = urlsplit(location)
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        return Redirect(RedirectTarget.FOREIGN, None)
    if not url.netloc or host == registry:
        return Redirect(RedirectTarget.LOOP, registry)
    if not re.fullmatch(r"[a-z0-9.-]{1,253}", host):
        return Redirect(RedirectTarget.FOREIGN, None)
    if url.scheme != "https":
        return Redirect(RedirectTarget.INSECURE, host)
    if port not in (None, 443):
        return Redirect(RedirectTarget.FOREIGN, host)
    kind, region = _bucket_owner(url, host, plan)
    return Redirect(kind, host, region, _request_target(url))


def _bucket_owner(url: SplitResult, host: str, plan: Plan) -> tuple[RedirectTarget, str | None]:
    suffix = f".{plan.dns_suffix}"
    spelling = _S3.fullmatch(host.removesuffix(suffix)) if host.endswith(suffix) else None
    if spelling is None:
        return RedirectTarget.FOREIGN, None
    bucket = spelling["bucket"] or url.path.lstrip("/").partition("/")[0]
    layers = _LAYER_BUCKET.fullmatch(bucket)
    region = spelling["region"] or (layers["region"] if layers else None)
    if not bucket:
        return RedirectTarget.FOREIGN, region
    if (region is not None and region != plan.region) or (layers is not None and layers["region"] != plan.region):
        return RedirectTarget.OTHER_REGION, layers["region"] if layers else region
    known = layers is not None or plan.partition not in _BUCKET_KNOWN
    return RedirectTarget.LAYER_BUCKET if known else RedirectTarget.NEW_BUCKET, plan.region


def _request_target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


WORKERS = 3  # concurrent layers, the default of docker and containerd; more would only compete for Python's lock
_REDIRECTS = (301, 302, 303, 307, 308)
_FOLLOWED = (RedirectTarget.LAYER_BUCKET, RedirectTarget.NEW_BUCKET, RedirectTarget.OTHER_REGION)


class _Part(Record, frozen=True):
    """One blob to fetch, and its place in the image. `what` is "config" or "layer"."""

    blob: Blob
    what: str
    rank: int

    @property
    def layer_target(self) -> Target:
        return Target("s3", Action.LAYER, self.subject, rank=self.rank)

    @property
    def subject(self) -> str:
        return self.blob.digest[:19]  # sha256: and 12 digits


class _Fetch(Record, frozen=True):
    """What the workers share. `hosts` holds every host that a redirect named, each reached once."""

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
    """Fetch the config and the layers that the plan asks for: one small layer, or all of them concurrently."""
    parts = _parts(manifest, run.plan.layers)
    fetch = _Fetch(run, image, registry, authorization, on, bucket)
    waiting: queue.SimpleQueue[_Part] = queue.SimpleQueue()
    for part in parts:
        run.recorder.expect(part.layer_target)
        waiting.put(part)
    workers = [spawn(lambda: _fetch_parts(fetch, waiting)) for _ in range(min(WORKERS, len(parts)))]
    for worker in workers:
        worker.result()


def _parts(manifest: Manifest, layers: Layers) -> list[_Part]:
    """The config and the layers to fetch. A layer that occurs twice in the image is fetched once."""
    assert manifest.config is not None, "an index has no layers"
    own = manifest.own_layers
    if layers is not Layers.ALL:
        smallest = smallest_layer(own)
        own = (smallest,) if smallest else ()
    parts = {manifest.config.digest: _Part(manifest.config, "config", 0)}
    for rank, layer in enumerate(own, 1):
        parts.setdefault(layer.digest, _Part(layer, "layer", rank))
    return list(parts.values())


class _Conversations(Record, frozen=True):
    """One worker's conversations, one with each host: one handshake and one slow start for all its blobs."""

    run: Run
    closing: ExitStack
    begun: dict[tuple[str, str], Conversation] = field(default_factory=dict)

    def at(self, host: str, address: str) -> Conversation:
        run, place = self.run, (host, address)
        if place not in self.begun:
            conversation = Conversation(run.wire, host=host, address=address, until=run.until, budget=run.plan.budget)
            self.begun[place] = self.closing.enter_context(conversation)
        return self.begun[place]


def _fetch_parts(fetch: _Fetch, waiting: queue.SimpleQueue[_Part]) -> None:
    """Fetch blobs until none is left."""
    with ExitStack() as closing:
        conversations = _Conversations(fetch.run, closing)
        while not fetch.run.over:
            try:
                part = waiting.get_nowait()
            except queue.Empty:
                return
            _fetch_part(fetch, conversations, part)


def _fetch_part(fetch: _Fetch, conversations: _Conversations, part: _Part) -> None:
    run = fetch.run
    registry = conversations.at(fetch.image.host, fetch.registry.address)
    blob = run.with_retry(lambda: _request_redirect(fetch, registry, part))
    if blob.value is None:
        run.recorder.skip(part.layer_target, blocked_by=blob.step.id)
        return
    redirect = blob.value
    reached = _reach_host(fetch, redirect, on=blob.step.id)
    if not reached.ready:
        run.recorder.skip(part.layer_target, blocked_by=reached.blocked_by)
        return
    ready = reached.ready[0]
    bucket = conversations.at(redirect.host or run.plan.layer_host, ready.address)
    run.with_retry(lambda: _fetch_bytes(run, bucket, ready, redirect, part))


# ---- the redirect ---------------------------------------------------------------------------------------------------


def _request_redirect(fetch: _Fetch, conversation: Conversation, part: _Part) -> Attempt[Redirect]:
    run, digest = fetch.run, part.blob.digest
    blank = RedirectSeen(answer=AnswerSeen(address=fetch.registry.address), digest=digest)

    def call() -> tuple[RedirectSeen, Redirect]:
        path = f"/v2/{fetch.image.repository}/blobs/{digest}"
        headers = {"Authorization": fetch.authorization}
        try:
            response = send(run, conversation, "GET", path, headers=headers, expected=_REDIRECTS)
        except WireError as error:
            raise error.with_seen(replace(blank, answer=answer_in(error, blank.answer))) from error
        location = response.answer.headers.get("Location")
        if response.answer.status not in _REDIRECTS or not location:
            detail = f"status {response.answer.status} instead of a redirect to S3"
            raise WireError(Failure.REDIRECT, detail, seen=replace(blank, answer=response.seen))
        redirect = judge_redirect(location, run.plan, registry=fetch.image.host)
        seen = replace(blank, answer=response.seen, target=redirect.kind, host=redirect.host, region=redirect.region)
        if redirect.kind not in _FOLLOWED and not _is_planned(run, redirect):
            raise WireError(Failure.REDIRECT, f"redirected to {redirect.host or 'no valid host'}", seen=seen)
        return seen, redirect

    target = Target("ecr.dkr", Action.BLOB, part.subject, fetch.image.host, fetch.registry.address, fetch.on, part.rank)
    return run.recorder.attempt(target, call, seen=blank)


def _is_planned(run: Run, redirect: Redirect) -> bool:
    hosts = {endpoint.host for endpoint in run.plan.endpoints}
    return redirect.kind is RedirectTarget.FOREIGN and redirect.host in hosts


def _reach_host(fetch: _Fetch, redirect: Redirect, *, on: str) -> Reached:
    """The planned layer host as it was reached already; another host gets name, TCP and TLS steps of its own, once."""
    plan, bucket = fetch.run.plan, fetch.bucket.result()
    host = redirect.host or plan.layer_host
    if host == plan.layer_host:
        return bucket
    region = redirect.region or plan.region
    endpoint = replace(bucket.endpoint, host=host, lookup=host, region=region, required=True)
    with fetch.lock:
        if host not in fetch.hosts:
            fetch.hosts[host] = spawn(lambda: reach(fetch.run, endpoint, on=on))
    return fetch.hosts[host].result()


# ---- the bytes ------------------------------------------------------------------------------------------------------


def _fetch_bytes(run: Run, conversation: Conversation, ready: Ready, redirect: Redirect, part: _Part) -> Attempt[None]:
    budget, blob = run.plan.budget, part.blob
    ranged = run.plan.layers is not Layers.ALL and blob.size > budget.layer_bytes
    expected = min(blob.size, budget.layer_bytes) if ranged else blob.size
    blank = LayerSeen(
        answer=AnswerSeen(address=ready.address), digest=blob.digest, what=part.what, size=blob.size, ranged=ranged
    )

    def call() -> tuple[LayerSeen, None]:
        # Without Authorization, because the query is signed: AWS[s3-one-authentication].
        headers = {"Range": f"bytes=0-{expected - 1}"} if ranged and expected else {}
        return _stream(run, conversation, redirect, headers, blank, expected), None

    target = replace(part.layer_target, host=conversation.host, address=ready.address, on=ready.step)
    return run.recorder.attempt(target, call, seen=blank)


def _stream(
    run: Run, conversation: Conversation, redirect: Redirect, headers: dict[str, str], blank: LayerSeen, expected: int
) -> LayerSeen:
    """Read and hash the body, of which no more than `expected` bytes are taken."""
    with conversation.stream("GET", redirect.path, headers=headers, limit=expected) as body:
        head = Answer(body.status, body.headers, b"" if body.status in (200, 206) else body.error_body())
        seen = replace(blank, answer=answers.facts(head, method="GET", address=conversation.address, clock=time.time()))
        _check_status(head, seen)
        began = time.monotonic()
        try:
            received, digest, platform = _read_bytes(run, body, blank)
        except WireError as error:
            raise error.with_seen(replace(seen, received=body.received)) from error
        seconds = time.monotonic() - began
    speed = round(received / seconds, 1) if seconds > 0 else None
    return _check_digest(replace(seen, received=received, bytes_per_second=speed, platform=platform), digest, expected)


def _read_bytes(run: Run, body: Body, blank: LayerSeen) -> tuple[int, str, str | None]:
    """Bytes received, their digest, and the platform that a config names."""
    if blank.what == "config" and (blank.size or 0) <= run.plan.budget.manifest_bytes:
        content = body.read_all()
        return len(content), f"sha256:{hashlib.sha256(content).hexdigest()}", platform_of(content)
    run.progress.layer_started(blank.digest, blank.size)
    advance, alone = partial(run.progress.layer_advanced, blank.digest), run.plan.layers is not Layers.ALL
    received, digest = hash_body(body, advance=advance, threaded=alone)
    return received, f"sha256:{digest}", None


def _check_status(head: Answer, seen: LayerSeen) -> None:
    if head.status in _REDIRECTS:
        raise WireError(Failure.REDIRECT, "S3 redirected again", seen=seen)
    if head.status in (200, 206) and answers.is_html(head):
        raise WireError(Failure.NOT_AWS, "a page instead of the layer's bytes", seen=seen)
    if head.status not in (200, 206):
        failure, detail = answers.failure(head, seen.answer) or (Failure.MALFORMED, f"status {head.status}")
        raise WireError(failure, detail, seen=seen)


def _check_digest(seen: LayerSeen, digest: str, expected: int) -> LayerSeen:
    if seen.received < expected:
        # A complete body of another length without S3's request id does not come from S3.
        failure = Failure.TRUNCATED if seen.answer.aws else Failure.NOT_AWS
        raise WireError(failure, f"received {seen.received} of {expected} bytes", seen=seen)
    if seen.ranged:
        return seen
    if digest != seen.digest:
        raise WireError(Failure.BAD_DIGEST, f"the bytes' sha256 is {digest}", seen=seen)
    return replace(seen, verified=True)
