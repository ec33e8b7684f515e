"""Prediction equals measurement: generated configurations are built in the laboratory, measured, and inspected.

`check` measures what configured.py makes of a configuration; `inspect` reads the same configuration. The name of a row
has the seed and the mutations of its configuration.
"""

from __future__ import annotations

import msgspec
import pytest

from probe.inspect.command import inspect
from probe.inspect.measured import read_measured
from probe.inspect.options import read_options
from probe.model import EndpointSummary, Standing, Status, Verdict
from probe.report import FORMATS, Page
from tests.lab.cloud import REGION, REGISTRY, Cloud
from tests.lab.configurations import all_configurations
from tests.lab.configurations.vpc import ROLE, TASK_ARN, TASK_SUBNET, Confirmed, Generated
from tests.lab.configured import configured
from tests.lab.images import Layout

UNDECIDED = "configuration.undecided"
# A laboratory of its own, in another worker than the one of all other tests.
pytestmark = pytest.mark.xdist_group("configurations")

CONFIGURATIONS = all_configurations()


def measured(cloud: Cloud, image: Layout, made: Generated) -> tuple[bytes, Verdict]:
    arguments = ("--image", f"{REGISTRY}/{image.reference}", "--ca-bundle", str(cloud.ca_bundle))
    limits = ("--connect-timeout", "1", "--no-controls", "--vpc-cidr", ",".join(made.ranges))
    ended = cloud.probe("check", "--format", "json", *arguments, *limits, **cloud.variables)
    assert ended.err == ""
    return ended.out.encode(), msgspec.json.decode(ended.out, type=Verdict)


def inspected(made: Generated, *start: str, document: bytes | None = None) -> Verdict:
    options = read_options(start, {"AWS_REGION": REGION})
    return inspect(options, made.account, () if document is None else read_measured(document))


def undecided_in(verdict: Verdict) -> set[str]:
    """The endpoints that the configuration does not decide."""
    return {name for finding in verdict.findings if finding.code == UNDECIDED for name in finding.endpoints}


def decided(verdict: Verdict, undecided: set[str]) -> dict[str, tuple[str | None, bool, str]]:
    return {name: found for name, found in reached(verdict).items() if name not in undecided}


def reached(verdict: Verdict) -> dict[str, tuple[str | None, bool, str]]:
    """By endpoint: the route, whether the name resolves, and whether all, some or none of its addresses answer.

    How many public addresses a name has is in no configuration.
    """
    return {each.name: (each.route, each.resolved > 0, _share(each)) for each in verdict.endpoints}


def _share(endpoint: EndpointSummary) -> str:
    return "none" if not endpoint.reached else "all" if endpoint.reached == endpoint.resolved else "some"


def confirmed(verdict: Verdict) -> Confirmed:
    return frozenset(
        (cause.code, str(cause.object))
        for finding in verdict.findings
        for cause in finding.causes
        if cause.standing is Standing.CONFIRMED
    )


@pytest.mark.parametrize("made", CONFIGURATIONS, ids=lambda made: made.name)
def test_inspect_predicts_what_check_measures(cloud: Cloud, image: Layout, made: Generated) -> None:
    with configured(cloud, made.account, ROLE):
        document, real = measured(cloud, image, made)
    predicted = inspected(made, "--task", TASK_ARN)
    groups = ",".join(made.groups_of_task)
    start = ("--subnets", TASK_SUBNET, "--security-groups", groups, "--execution-role", ROLE)
    before = inspected(made, *start, "--image", f"{REGISTRY}/{image.reference}")
    joined = inspected(made, "--verdict", "-", document=document)
    for verdict in (real, predicted, before, joined):  # pytest shows them if the test fails
        print(FORMATS["text"].render(verdict, Page(verbose=True)))
    undecided = undecided_in(predicted)
    assert decided(predicted, undecided) == decided(real, undecided)
    # Before a task runs its address is not known: less is decided, and nothing otherwise.
    undecided_before = undecided_in(before) | {"logs"}  # no task definition names it
    assert undecided <= undecided_before
    assert decided(before, undecided_before) == decided(real, undecided_before)
    assert "configuration.contradiction" not in {finding.code for finding in joined.findings}
    if real.status is Status.PASS:  # a measurement alone does not show a way past an endpoint
        assert confirmed(joined) <= made.confirmed
    else:
        assert_confirmed(joined, made)
    if undecided:
        assert made.is_undecided
        assert confirmed(predicted) <= made.confirmed
    else:
        assert_confirmed(predicted, made)


def assert_confirmed(verdict: Verdict, made: Generated) -> None:
    """What was mutated is confirmed, and nothing else. Of two mutations, one may hide the other."""
    found = confirmed(verdict)
    if len(made.mutations) > 1:
        assert found <= made.confirmed
        assert bool(found) == bool(made.confirmed)
    else:
        assert found == made.confirmed
