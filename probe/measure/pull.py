"""The pull, in the order of a container runtime: token, challenge, manifest, redirect, layers.

Each round trip is one step; its meaning is decided elsewhere. ECR's answers are described in its user guide ("private
registry authentication", "HTTP API authentication").
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from probe.measure.http_request import Response, answer_in, call_aws, send
from probe.measure.layers import fetch_layers
from probe.measure.reach import Reached, Ready
from probe.measure.recorder import Attempt, Run, Target
from probe.model import (
    PINNED,
    SCHEMA_1,
    Action,
    AnswerSeen,
    AnySeen,
    Failure,
    ImageReference,
    Layers,
    ManifestSeen,
    Step,
)
from probe.records import Record, replace
from probe.wire import aws_calls
from probe.wire.credentials import FoundCredentials
from probe.wire.errors import WireError
from probe.wire.http import Conversation
from probe.wire.manifests import ACCEPT, MANIFEST_TYPES, Blob, Manifest, parse

T = TypeVar("T")
_MOST_MANIFESTS = 8  # that are read to find an image in indexes of indexes

# The steps of the pull, in order: those that never begin are recorded as skipped under these names.
CHAIN = (
    Target("ecr.api", Action.TOKEN),
    Target("ecr.dkr", Action.CHALLENGE),
    Target("ecr.dkr", Action.MANIFEST, "HEAD"),
    Target("ecr.dkr", Action.BLOB),
    Target("s3", Action.LAYER),
)


class Start(Record, frozen=True):
    """What the pull builds on."""

    credentials: Attempt[FoundCredentials]
    api: Reached
    registry: Future[Reached]
    bucket: Future[Reached]


def pull(run: Run, start: Start) -> None:
    """Go from token to layers as far as possible, and record what was prevented."""
    token = _token(run, start)
    registry = start.registry.result()
    reference = run.plan.reference
    if reference is None:
        skip_rest(run, Action.CHALLENGE, blocked_by=None, detail="the image is not in private ECR")
        return
    if start.credentials.value is None:
        skip_rest(run, Action.CHALLENGE, blocked_by=start.credentials.step.id)
        return
    if not registry.ready:
        skip_rest(run, Action.CHALLENGE, blocked_by=registry.blocked_by)
        return
    ready = registry.ready[0]
    with Conversation(
        run.wire, host=registry.endpoint.host, address=ready.address, until=run.until, budget=run.plan.budget
    ) as conversation:
        challenge = run.with_retry(lambda: _challenge(run, conversation, ready))
        if challenge.step.failed:
            skip_rest(run, Action.MANIFEST, blocked_by=challenge.step.id)
        elif token.value is None:
            skip_rest(run, Action.MANIFEST, blocked_by=token.step.id)
        else:
            _image(run, _Registry(run, conversation, ready, reference, token.value), challenge.step, start)


def skip_rest(run: Run, first: Action, *, blocked_by: str | None, detail: str | None = None) -> None:
    """Record the steps of the chain from `first` on as skipped."""
    actions = [target.action for target in CHAIN]
    for target in CHAIN[actions.index(first) :]:
        run.recorder.skip(target, blocked_by=blocked_by, detail=detail)


# ---- token and challenge --------------------------------------------------------------------------------------------


def _token(run: Run, start: Start) -> Attempt[str]:
    caller, api = start.credentials.value, start.api
    if not api.ready:
        return Attempt(run.recorder.skip(Target("ecr.api", Action.TOKEN), blocked_by=api.blocked_by))
    if caller is None:
        return Attempt(run.recorder.skip(Target("ecr.api", Action.TOKEN), blocked_by=start.credentials.step.id))
    ready = api.ready[0]

    def call() -> tuple[AnySeen, str]:
        response = call_aws(
            run, api.endpoint, ready, caller, service="ecr", target=aws_calls.GET_AUTHORIZATION_TOKEN, body=b"{}"
        )
        return response.seen, response.read(aws_calls.authorization)

    target = Target("ecr.api", Action.TOKEN, ready.address, api.endpoint.host, ready.address, on=ready.step)
    return run.with_retry(lambda: run.recorder.attempt(target, call))


def _challenge(run: Run, conversation: Conversation, ready: Ready) -> Attempt[None]:
    """ECR asks for Basic credentials, never for Bearer, with 401."""

    def call() -> tuple[AnySeen, None]:
        response = send(run, conversation, "GET", "/v2/", expected=(200, 401))
        status = response.answer.status
        scheme = response.answer.headers.get("WWW-Authenticate", "").partition(" ")[0].lower()
        if status == 401 and scheme == "basic" and response.seen.aws:
            return response.seen, None
        failure = Failure.NOT_AWS if status == 200 or not response.seen.aws else Failure.MALFORMED
        raise WireError(failure, f"status {status} instead of a Basic challenge", seen=response.seen)

    target = Target("ecr.dkr", Action.CHALLENGE, ready.address, conversation.host, ready.address, on=ready.step)
    return run.recorder.attempt(target, call)


# ---- manifest -------------------------------------------------------------------------------------------------------


class _Registry(Record, frozen=True):
    """The requests to the registry for one image."""

    run: Run
    conversation: Conversation
    ready: Ready
    image: ImageReference
    authorization: str

    def head(self, reference: str, *, on: str) -> Attempt[str | None]:
        """The digest, from HEAD. A refusal of HEAD has no body, so the answer to GET is the one that counts."""

        def call() -> tuple[AnySeen, str | None]:
            response = self._send("HEAD", reference)
            digest = response.answer.headers.get("Docker-Content-Digest")
            return ManifestSeen(answer=response.seen, media_type=_media_type(response), digest=digest), digest

        return self._attempt("HEAD", call, on=on, rank=0)

    def exists(self, digest: str, *, on: str) -> Attempt[None]:
        """Whether the registry has this manifest. Both answers are good: the pull does not need it."""

        def call() -> tuple[AnySeen, None]:
            try:
                answer = self._send("HEAD", digest).seen
            except WireError as error:
                if not isinstance(error.seen, ManifestSeen) or error.seen.answer.status is None:
                    raise
                answer = error.seen.answer
            return ManifestSeen(answer=answer, digest=digest), None

        return self._attempt(PINNED, call, on=on, rank=3)

    def get(self, subject: str, reference: str, *, on: str, expected: str | None, last: bool) -> Attempt[Manifest]:
        """One manifest. `expected` is the digest that the body must have.

        `last`: no other manifest is left to look into, so that an index must have an image for the platform.
        """

        def call() -> tuple[AnySeen, Manifest]:
            return self._read(self._send("GET", reference), expected, last=last)

        return self._attempt(subject, call, on=on, rank=1 if subject == "GET" else 2)

    def _attempt(self, subject: str, call: Callable[[], tuple[AnySeen, T]], *, on: str, rank: int) -> Attempt[T]:
        host, address = self.conversation.host, self.ready.address
        target = Target("ecr.dkr", Action.MANIFEST, subject, host, address, on, rank)
        return self.run.with_retry(lambda: self.run.recorder.attempt(target, call))

    def _send(self, method: str, reference: str) -> Response:
        path = f"/v2/{self.image.repository}/manifests/{reference}"
        headers = {"Authorization": self.authorization, "Accept": ACCEPT}
        blank = AnswerSeen(address=self.ready.address, method=method)
        try:
            limit = self.run.plan.budget.manifest_bytes
            return send(self.run, self.conversation, method, path, headers=headers, limit=limit)
        except WireError as error:
            raise error.with_seen(ManifestSeen(answer=answer_in(error, blank))) from error

    def _read(self, response: Response, expected: str | None, *, last: bool) -> tuple[ManifestSeen, Manifest]:
        # The digest is computed from the bytes: AWS[ecr-no-content-digest].
        digest = f"sha256:{hashlib.sha256(response.answer.body).hexdigest()}"
        seen = ManifestSeen(answer=response.seen, media_type=_media_type(response), digest=digest)
        try:
            manifest = response.read(lambda body: parse(body, seen.media_type or ""))
        except WireError as error:
            raise error.with_seen(seen) from error
        # The digest of schema 1 is that of the manifest without its signatures (distribution/distribution 2.8,
        # manifest/schema1). It needs no check, since the pull ends here.
        if expected is not None and digest != expected and manifest.artifact != SCHEMA_1:
            raise WireError(Failure.BAD_DIGEST, f"the manifest's sha256 is {digest}, not {expected}", seen=seen)
        seen = replace(seen, artifact=manifest.artifact)
        if manifest.config is None and not manifest.is_index:
            raise WireError(Failure.MALFORMED, f"the manifest is {manifest.artifact}", seen=seen)
        return self._choose(manifest, seen, last=last), manifest

    def _choose(self, manifest: Manifest, seen: ManifestSeen, *, last: bool) -> ManifestSeen:
        plan = self.run.plan
        if not manifest.is_index:
            own = manifest.own_layers
            return replace(
                seen,
                layers=len(manifest.layers),
                layers_bytes=sum(layer.size for layer in own),
                foreign_layers=len(manifest.layers) - len(own),
            )
        candidates = manifest.candidates(plan.platform)
        offered = replace(seen, platforms=manifest.platforms)
        if not candidates and last and plan.platform_given:
            detail = f"the index offers {', '.join(manifest.platforms)}, not {plan.platform}"
            raise WireError(Failure.NO_PLATFORM, detail, seen=offered)
        chosen = (candidates or manifest.children)[0].platform if candidates or last else None
        return replace(offered, platform=chosen.text if chosen else None)


def _image_of(run: Run, registry: _Registry, got: Attempt[Manifest]) -> Attempt[Manifest]:
    """From an index to the image for the platform, else to the last index's first. Looks into indexes of an index.

    The result has no value where a manifest cannot be read, and is an index where the search must end.
    """
    waiting: list[tuple[Blob, str]] = []
    known = set[str]()
    for _ in range(_MOST_MANIFESTS):
        if got.value is None or not got.value.is_index:
            break
        candidates = {child.digest: child for child in got.value.candidates(run.plan.platform)}
        waiting = [*((child, got.step.id) for child in candidates.values() if child.digest not in known), *waiting]
        known.update(candidates)
        child, on = waiting.pop(0) if waiting else (got.value.children[0], got.step.id)
        got = registry.get(child.digest[:19], child.digest, on=on, expected=child.digest, last=not waiting)
        if child.media_type in MANIFEST_TYPES:
            break
    return got


def _digests(*attempts: Attempt[Manifest]) -> set[str | None]:
    """The digests of these manifests, and of the image's config."""
    manifests = [attempt.step.manifest for attempt in attempts]
    configs = [attempt.value.config for attempt in attempts if attempt.value]
    return {item.digest for item in (*manifests, *configs) if item is not None}


def _media_type(response: Response) -> str | None:
    return response.answer.headers.get("Content-Type")


def _image(run: Run, registry: _Registry, challenge: Step, start: Start) -> None:
    """HEAD, then GET, then the image in an index; then its layers."""
    reference = registry.image.digest or registry.image.tag or "latest"
    head = registry.head(reference, on=challenge.id)
    expected = registry.image.digest or head.value
    top = registry.get("GET", reference, on=challenge.id, expected=expected, last=True)
    got = _image_of(run, registry, top)
    pinned = run.plan.pinned_digest
    if pinned is not None and got.value is not None and pinned not in _digests(top, got):
        registry.exists(pinned, on=got.step.id)
    if run.plan.layers is Layers.NONE:
        skip_rest(run, Action.BLOB, blocked_by=None, detail="not requested (--layers none)")
    elif got.value is None:
        skip_rest(run, Action.BLOB, blocked_by=got.step.id)
    elif got.value.is_index or got.value.config is None:
        skip_rest(run, Action.BLOB, blocked_by=got.step.id, detail="an index that is listed as an image")
    else:
        fetch_layers(
            run, registry.image, registry.ready, registry.authorization, got.value, on=got.step.id, bucket=start.bucket
        )
