"""The pull's steps: what is tried, on what it stands, and the word for each way in which it fails."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from probe.measure import layers
from probe.model import Action, Failure, LayerSeen, ManifestSeen, Outcome, RedirectSeen, RedirectTarget
from probe.records import replace
from probe.sim import changes, images
from probe.sim.cloud import TAG
from probe.sim.http import Reply
from probe.sim.vpc import VPC
from probe.wire import Wire, digests
from probe.wire.digests import Readable
from tests.measure.worlds import only, steps

PULL = (Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB, Action.LAYER)


def test_a_healthy_pull_walks_every_step_and_verifies_what_it_gets() -> None:
    found = steps(changes.no_change)
    walked = [step for step in found.values() if step.action in PULL]
    assert {step.action for step in walked} == set(PULL)
    assert all(step.ok for step in walked)
    assert all(step.on in found for step in walked)
    fetched = [step.seen for step in walked if isinstance(step.seen, LayerSeen)]
    assert {layer.what for layer in fetched} == {"config", "layer"}
    assert all(layer.verified and layer.received == layer.size for layer in fetched)
    # The smallest of at least 64 KiB tells something of the path; smaller ones do not.
    assert min(layer.size or 0 for layer in fetched if layer.what == "layer") >= 64 * 1024


def test_all_layers_are_the_whole_image() -> None:
    found = steps(changes.no_change, "--layers", "all")
    fetched = [step.seen for step in found.values() if isinstance(step.seen, LayerSeen)]
    child = only(found, "ecr.dkr/manifest/sha256:").seen
    assert isinstance(child, ManifestSeen)
    assert len(fetched) == (child.layers or 0) + 1
    assert all(layer.verified for layer in fetched)


@pytest.mark.parametrize(("asked", "threaded"), [("smallest", True), ("all", False)])
def test_a_layer_has_a_thread_for_its_hashing_where_it_is_read_alone(
    asked: str, threaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []

    def hash_body(body: Readable, *, advance: Callable[[int], None], threaded: bool) -> tuple[int, str]:
        told.append(threaded)
        return digests.hash_body(body, advance=advance, threaded=threaded)

    monkeypatch.setattr(layers, "hash_body", hash_body)
    steps(changes.no_change, "--layers", asked)
    assert set(told) == {threaded}


def test_a_worker_shakes_hands_once_with_each_host_whatever_it_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: Counter[str] = Counter()

    def counting(wire: Wire) -> Wire:
        def dial(address: str, port: int, seconds: float) -> socket.socket:
            dialled[address] += 1
            return wire.dial(address, port, seconds)

        return replace(wire, dial=dial)

    monkeypatch.setattr(layers, "WORKERS", 1)
    found = steps(changes.no_change, "--layers", "all", through=counting)
    fetched = [step.seen for step in found.values() if isinstance(step.seen, LayerSeen)]
    (host,) = {str(seen.answer.address) for seen in fetched}
    assert len(fetched) > 2
    assert dialled[host] == 2  # once to see whether it answers, once to fetch


def test_no_layers_is_said_and_prevents_nothing_else() -> None:
    found = steps(changes.no_change, "--layers", "none")
    skipped = [step for step in found.values() if step.action in (Action.BLOB, Action.LAYER)]
    assert [(step.outcome, step.blocked_by) for step in skipped] == [(Outcome.SKIPPED, None)] * 2


def test_a_large_layer_is_ranged_and_said_so() -> None:
    found = steps(changes.no_change, "--layer-bytes", "65536")
    (layer,) = [s.seen for s in found.values() if isinstance(s.seen, LayerSeen) and s.seen.what == "layer"]
    assert (layer.ranged, layer.received, layer.verified) == (True, 65536, False)
    assert layer.answer.status == 206


def test_bytes_of_another_digest() -> None:
    found = steps(changes.corrupt_layers)
    layer = next(s for s in found.values() if isinstance(s.seen, LayerSeen) and s.seen.what == "layer")
    assert layer.failure is Failure.BAD_DIGEST
    assert layer.on is not None
    assert layer.on.startswith("s3/tls/")


def test_a_manifest_of_another_digest_than_head_announced() -> None:
    def swap(vpc: VPC) -> None:
        repository = changes.repository(vpc)
        digest = repository.tags[TAG]
        other = images.single().top
        repository.manifests[digest] = images.Content(other.media_type, other.body, digest)

    assert steps(swap)["ecr.dkr/manifest/GET"].failure is Failure.BAD_DIGEST


def test_an_index_without_the_platform_asked_for() -> None:
    found = steps(changes.no_change, "--platform", "linux/s390x")
    got = found["ecr.dkr/manifest/GET"]
    assert got.failure is Failure.NO_PLATFORM
    assert isinstance(got.seen, ManifestSeen)
    assert set(got.seen.platforms) == {"linux/amd64", "linux/arm64"}
    assert only(found, "s3/layer").blocked_by == got.id


def test_the_config_tells_what_a_single_image_was_built_for() -> None:
    found = steps(lambda vpc: changes.repository(vpc).push(images.single("arm64"), TAG))
    (config,) = [s.seen for s in found.values() if isinstance(s.seen, LayerSeen) and s.seen.what == "config"]
    assert config.platform == "linux/arm64"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://cdn.example.com/layer?Signature=x", RedirectTarget.FOREIGN),
        ("http://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/layer", RedirectTarget.INSECURE),
        ("/v2/again", RedirectTarget.LOOP),
    ],
)
def test_a_redirect_to_the_wrong_place_is_not_followed(location: str, target: RedirectTarget) -> None:
    reply = Reply(307, headers=(("Location", location), ("Docker-Distribution-Api-Version", "registry/2.0")))
    found = steps(changes.inject_reply("ecr.dkr", reply, at="/blobs/"))
    blobs = [step for step in found.values() if step.action is Action.BLOB]
    assert {step.failure for step in blobs} == {Failure.REDIRECT}
    assert {step.seen.target for step in blobs if isinstance(step.seen, RedirectSeen)} == {target}
    assert all(step.outcome is Outcome.SKIPPED for step in found.values() if step.action is Action.LAYER)
    assert "Signature" not in str(found)


def test_a_passing_failure_is_tried_once_more() -> None:
    reply = Reply(503)
    found = steps(changes.inject_reply("ecr.dkr", reply, at="GET /v2/ ", times=1))
    first, second = (step for step in found.values() if step.action is Action.CHALLENGE)
    assert (first.failure, second.outcome) == (Failure.SERVER_ERROR, Outcome.OK)
    assert second.id == f"{first.id}#2"


def test_without_credentials_the_network_is_measured_all_the_same() -> None:
    def no_role(vpc: VPC) -> None:
        vpc.task.role = None

    found = steps(no_role)
    assert found["task/credentials/chain"].failure is Failure.NO_CREDENTIALS
    assert found["ecr.api/token"].blocked_by == "task/credentials/chain"
    assert found["ecr.dkr/challenge"].blocked_by == "task/credentials/chain"
    assert all(step.ok for step in found.values() if step.action in (Action.DNS, Action.TCP, Action.TLS) and step.on)


def test_a_stop_closes_the_books_at_once() -> None:
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    found = steps(changes.closed_security_groups("ecr.api", "ecr.dkr"), stop=stop)
    assert time.monotonic() - began < 2.5
    assert Failure.DEADLINE in {step.failure for step in found.values()}
    assert set(PULL) <= {step.action for step in found.values()}


def test_the_deadline_ends_a_run_that_waits() -> None:
    began = time.monotonic()
    found = steps(changes.closed_security_groups("ecr.api", "ecr.dkr"), "--deadline", "1", "--connect-timeout", "1")
    assert time.monotonic() - began < 3
    assert all(step.outcome is not Outcome.OK for step in found.values() if step.action is Action.TOKEN)
