"""The steps of the pull: what is tried, what it builds on, and the failure for each way in which it fails."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from probe.measure import layers
from probe.model import Action, Failure, Outcome, RedirectTarget
from probe.records import replace
from probe.sim import changes, images
from probe.sim.cloud import TAG
from probe.sim.http import Reply
from probe.sim.vpc import VPC
from probe.wire import Wire, digests
from probe.wire.digests import Readable
from tests.measure.simulated_run import only, steps

PULL = (Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB, Action.LAYER)


def test_a_healthy_pull_takes_every_step_and_verifies_the_bytes() -> None:
    measured = steps(changes.no_change)
    pull_steps = [step for step in measured.values() if step.action in PULL]
    assert {step.action for step in pull_steps} == set(PULL)
    assert all(step.ok for step in pull_steps)
    assert all(step.on in measured for step in pull_steps)
    fetched = [step.layer for step in pull_steps if step.layer]
    assert {layer.what for layer in fetched} == {"config", "layer"}
    assert all(layer.verified and layer.received == layer.size for layer in fetched)
    # Fewer than 64 KiB would prove little about the path.
    assert min(layer.size or 0 for layer in fetched if layer.what == "layer") >= 64 * 1024


def test_all_layers_are_the_whole_image() -> None:
    measured = steps(changes.no_change, "--layers", "all")
    fetched = [step.layer for step in measured.values() if step.layer]
    child = only(measured, "ecr.dkr/manifest/sha256:").manifest
    assert child is not None
    assert len(fetched) == (child.layers or 0) + 1
    assert all(layer.verified for layer in fetched)


@pytest.mark.parametrize(("layers_flag", "threaded"), [("smallest", True), ("all", False)])
def test_a_layer_that_is_read_alone_is_hashed_on_a_thread_of_its_own(
    layers_flag: str, threaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []

    def hash_body(body: Readable, *, advance: Callable[[int], None], threaded: bool) -> tuple[int, str]:
        calls.append(threaded)
        return digests.hash_body(body, advance=advance, threaded=threaded)

    monkeypatch.setattr(layers, "hash_body", hash_body)
    steps(changes.no_change, "--layers", layers_flag)
    assert set(calls) == {threaded}


def test_a_worker_opens_one_connection_to_each_host(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: Counter[str] = Counter()

    def counting(wire: Wire) -> Wire:
        def dial(address: str, port: int, seconds: float) -> socket.socket:
            dialled[address] += 1
            return wire.dial(address, port, seconds)

        return replace(wire, dial=dial)

    monkeypatch.setattr(layers, "WORKERS", 1)
    measured = steps(changes.no_change, "--layers", "all", through=counting)
    fetched = [step.layer for step in measured.values() if step.layer]
    (host,) = {str(seen.answer.address) for seen in fetched}
    assert len(fetched) > 2
    assert dialled[host] == 2  # once to see whether it answers, once to fetch


def test_without_layers_blobs_and_layers_are_skipped() -> None:
    measured = steps(changes.no_change, "--layers", "none")
    skipped = [step for step in measured.values() if step.action in (Action.BLOB, Action.LAYER)]
    assert [(step.outcome, step.blocked_by) for step in skipped] == [(Outcome.SKIPPED, None)] * 2


def test_a_large_layer_is_fetched_in_part() -> None:
    measured = steps(changes.no_change, "--layer-bytes", "65536")
    (layer,) = [step.layer for step in measured.values() if step.layer and step.layer.what == "layer"]
    assert (layer.ranged, layer.received, layer.verified) == (True, 65536, False)
    assert layer.answer.status == 206


def test_bytes_of_another_digest() -> None:
    measured = steps(changes.corrupt_layers)
    layer = next(step for step in measured.values() if step.layer and step.layer.what == "layer")
    assert layer.failure is Failure.BAD_DIGEST
    assert layer.on is not None
    assert layer.on.startswith("s3/tls/")


def test_a_manifest_with_another_digest_than_that_of_head() -> None:
    def swap(vpc: VPC) -> None:
        repository = changes.repository(vpc)
        digest = repository.tags[TAG]
        other = images.single().top
        repository.manifests[digest] = images.Content(other.media_type, other.body, digest)

    assert steps(swap)["ecr.dkr/manifest/GET"].failure is Failure.BAD_DIGEST


def test_an_index_without_the_requested_platform() -> None:
    measured = steps(changes.no_change, "--platform", "linux/s390x")
    got = measured["ecr.dkr/manifest/GET"]
    assert got.failure is Failure.NO_PLATFORM
    assert got.manifest is not None
    assert set(got.manifest.platforms) == {"linux/amd64", "linux/arm64"}
    assert only(measured, "s3/layer").blocked_by == got.id


def test_the_config_names_the_platform_of_a_single_image() -> None:
    measured = steps(lambda vpc: changes.repository(vpc).push(images.single("arm64"), TAG))
    (config,) = [step.layer for step in measured.values() if step.layer and step.layer.what == "config"]
    assert config.platform == "linux/arm64"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://cdn.example.com/layer?Signature=x", RedirectTarget.FOREIGN),
        ("http://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/layer", RedirectTarget.INSECURE),
        ("/v2/again", RedirectTarget.LOOP),
        ("http://169.254.169.254/latest/meta-data/iam/security-credentials/", RedirectTarget.INSECURE),
        ("https://169.254.170.2/v2/credentials", RedirectTarget.FOREIGN),
        ("https://[fd00:ec2::254]/latest/", RedirectTarget.FOREIGN),
    ],
)
def test_a_redirect_to_the_wrong_place_is_not_followed(location: str, target: RedirectTarget) -> None:
    reply = Reply(307, headers=(("Location", location), ("Docker-Distribution-Api-Version", "registry/2.0")))
    measured = steps(changes.inject_reply("ecr.dkr", reply, at="/blobs/"))
    blobs = [step for step in measured.values() if step.action is Action.BLOB]
    assert {step.failure for step in blobs} == {Failure.REDIRECT}
    assert {step.redirect.target for step in blobs if step.redirect} == {target}
    assert all(step.outcome is Outcome.SKIPPED for step in measured.values() if step.action is Action.LAYER)
    assert "Signature" not in str(measured)


def test_a_transient_failure_is_tried_once_more() -> None:
    reply = Reply(503)
    measured = steps(changes.inject_reply("ecr.dkr", reply, at="GET /v2/ ", times=1))
    first, second = (step for step in measured.values() if step.action is Action.CHALLENGE)
    assert (first.failure, second.outcome) == (Failure.SERVER_ERROR, Outcome.OK)
    assert (first.attempt, second.attempt) == (1, 2)


def test_without_credentials_the_network_is_still_measured() -> None:
    def no_role(vpc: VPC) -> None:
        vpc.task.role = None

    measured = steps(no_role)
    assert measured["task/credentials/chain"].failure is Failure.NO_CREDENTIALS
    assert measured["ecr.api/token"].blocked_by == "task/credentials/chain"
    assert measured["ecr.dkr/challenge"].blocked_by == "task/credentials/chain"
    assert all(step.ok for step in measured.values() if step.action in (Action.DNS, Action.TCP, Action.TLS) and step.on)


def test_a_stop_ends_open_steps_as_deadline() -> None:
    stop = threading.Event()
    stop.set()
    measured = steps(changes.closed_security_groups("ecr.api", "ecr.dkr"), stop=stop)
    assert Failure.DEADLINE in {step.failure for step in measured.values()}
    assert set(PULL) <= {step.action for step in measured.values()}


def test_the_deadline_ends_a_run_that_waits() -> None:
    measured = steps(changes.closed_security_groups("ecr.api", "ecr.dkr"), "--deadline", "1", "--connect-timeout", "1")
    assert all(step.outcome is not Outcome.OK for step in measured.values() if step.action is Action.TOKEN)
