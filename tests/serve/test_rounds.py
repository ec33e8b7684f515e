"""What one round remembers of those before: who the task is, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from probe.config.settings import UsageError, parse
from probe.model import Surroundings, Verdict
from probe.records import replace
from probe.serve.loop import Rounds
from probe.sim.services import InjectedReply
from probe.sim.task import CREDENTIALS_ADDRESS, ID, string_error
from probe.sim.vpc import VPC

UNREADABLE = "task.metadata-unavailable"
ERROR = string_error(500, "unable to generate metadata for task")


def failing(vpc: VPC) -> None:
    vpc.metadata.injected_replies += [InjectedReply(ERROR, "/v4/"), InjectedReply(ERROR, "/v3/")]


def falling_back_to_version_3(vpc: VPC) -> None:
    vpc.metadata.injected_replies.append(InjectedReply(ERROR, "/v4/"))


def knowing_all_but_the_container(vpc: VPC) -> None:
    vpc.metadata.injected_replies.append(InjectedReply(ERROR, f"/{ID} "))


@contextmanager
def rounds() -> Iterator[tuple[VPC, Callable[[], Verdict]]]:
    with VPC() as vpc:
        of = Rounds(parse(["--no-controls", "--connect-timeout", "1"], vpc.environ), vpc.wire())
        yield vpc, lambda: of.measure(threading.Event())


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


@pytest.mark.parametrize(
    ("fails", "code"),
    [(failing, UNREADABLE), (knowing_all_but_the_container, UNREADABLE), (falling_back_to_version_3, "probe.retried")],
)
def test_failing_metadata_in_one_round_is_no_misconfiguration(fails: Callable[[VPC], None], code: str) -> None:
    with rounds() as (vpc, measured):
        first = measured()
        fails(vpc)
        second = measured()
        vpc.metadata.injected_replies.clear()
        third = measured()
    assert codes(second) == codes(first) | {code}
    assert (second.status, second.pull, second.path) == (first.status, first.pull, first.path)
    assert [endpoint.name for endpoint in second.endpoints] == [endpoint.name for endpoint in first.endpoints]
    assert second.plan == first.plan
    assert second.surroundings == replace(first.surroundings, metadata_remembered=True, clock_synchronized=None)
    titles = [finding.title for finding in second.findings if finding.code == UNREADABLE]
    assert all("of an earlier round" in title for title in titles)
    assert (third.surroundings, codes(third)) == (first.surroundings, codes(first))


def test_silent_metadata_in_one_round_is_no_misconfiguration() -> None:
    with rounds() as (vpc, measured):
        first = measured()
        heard = vpc.local.pop((CREDENTIALS_ADDRESS, 80))
        silent = measured()
        vpc.local[CREDENTIALS_ADDRESS, 80] = heard
        last = measured()
    assert silent.plan.image == first.plan.image
    assert {UNREADABLE, "credentials.unavailable"} <= codes(silent)
    assert codes(last) == codes(first)


def test_without_earlier_metadata_nothing_is_remembered() -> None:
    with rounds() as (vpc, measured):
        failing(vpc)
        with pytest.raises(UsageError, match="did not answer"):
            measured()
        vpc.metadata.injected_replies.clear()
        assert measured().surroundings.metadata_remembered is False


def test_facts_that_may_change_are_not_remembered() -> None:
    with rounds() as (vpc, measured):
        vpc.metadata.edits.append(lambda document: document.update(FaultInjectionEnabled=True))
        assert "task.fault-injection" in codes(measured())
        failing(vpc)
        vpc.nameservers = vpc.nameservers[:1] * 2
        second = measured()
    assert "task.fault-injection" not in codes(second)
    assert second.surroundings.resolvers == tuple(vpc.nameservers)
    assert second.surroundings.clock_synchronized is None
    assert second.surroundings != Surroundings()
