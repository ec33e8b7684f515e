"""The built image in a locked-down task says of a real network's faults what the simulator's stories have it say."""

from __future__ import annotations

import msgspec
import pytest

from probe.model import LayerSeen, Verdict
from tests.lab import faults
from tests.lab.cloud import Cloud
from tests.lab.containers import Task
from tests.lab.images import Layout
from tests.lab.stories import BOTH_CAS, FAKETIME, SMALL_IMAGE, STORIES, Story, faketime_library


def told(cloud: Cloud, task: Task, story: Story) -> Verdict:
    """What the image says while the fault lasts."""
    mounts = {FAKETIME: faketime_library(), BOTH_CAS: str(cloud.both_cas)}
    arguments = ("check", "--format", "json", *story.told.arguments)
    variables = story.variables
    with story.fault(cloud):
        ended = task.run(*arguments, variables=variables, mounts=mounts, flags=task.size() if story.fits else ())
    assert ended.err == ""
    verdict = msgspec.json.decode(ended.out, type=Verdict)
    assert ended.code == verdict.exit_code
    return verdict


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_fault_of_the_network_is_told_as_in_the_simulator(
    cloud: Cloud, task: Task, image: Layout, story: Story
) -> None:
    assert SMALL_IMAGE.endswith(f"/{image.reference}")  # which is in the registry now
    assert story.gist(told(cloud, task, story)) == story.gist(story.simulated())


def test_a_slow_link_is_measured_as_slow(cloud: Cloud, task: Task) -> None:
    slow, fast = (told(cloud, task, Story("healthy", fault)) for fault in (faults.slow_link, faults.nothing))
    limit = 100e6 / 8
    assert max(_speeds(slow)) < 1.05 * limit
    assert max(_speeds(fast)) > 2 * limit


def _speeds(verdict: Verdict) -> list[float]:
    """Bytes a second of the layers that were large enough to tell."""
    layers = [step.seen for step in verdict.steps if isinstance(step.seen, LayerSeen) and step.seen.what == "layer"]
    return [layer.bytes_per_second for layer in layers if layer.bytes_per_second]
