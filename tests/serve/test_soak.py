"""Sixty rounds of the drill in one process: faults come and go, each is told within a round, and nothing piles up."""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, cycle, islice, pairwise, repeat
from typing import NamedTuple

from probe.config.settings import parse
from probe.crash import broken
from probe.demo import _named, _scenarios
from probe.history import Snapshot
from probe.model import Severity, Verdict
from probe.rehearsal import FAULTS, PHASE, Stage, phases
from probe.serve.log_lines import round_lines
from probe.serve.loop import Loop
from probe.sim.scenarios.scenario import Scenario
from tests.serve.clients import SOON

ROUNDS = 60
QUICK = (
    "--no-controls",
    "--connect-timeout",
    "5",
    "--image",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1.0",
)
NAMES = ("s3-endpoint-policy", "throttled", "private-dns-off-nat")  # quick ones: no packet is lost
SETTINGS = parse(QUICK, {})


class Told(NamedTuple):
    """What is known after a round: the story that was played in it, findings, lines, and what it all costs."""

    scenario: Scenario
    snapshot: Snapshot
    lines: list[dict[str, object]]
    threads: int
    files: int


def lived() -> list[Told]:
    healthy, *faults = (_named(name, _scenarios()) for name in ("healthy", *NAMES))
    pairs = chain.from_iterable((healthy, fault) for fault in cycle(faults))
    rounds = list(islice(chain.from_iterable(repeat(scenario, PHASE) for scenario in pairs), ROUNDS))
    stage = Stage(iter(rounds), arguments=QUICK, variables={}, deadline=20)
    told: list[Told] = []
    done = threading.Event()

    def after(before: Snapshot, now: Snapshot) -> None:
        said = [json.loads(line) for line in round_lines(before, now)]
        files = len(os.listdir("/proc/self/fd"))
        told.append(Told(rounds[len(told)], now, said, threading.active_count(), files))
        if len(told) == ROUNDS:
            done.set()
            loop._stop.set()

    def bug(error: BaseException, *, began: datetime) -> Verdict:
        return broken(SETTINGS, error, began=began)

    loop = Loop(stage.measure, interval=0.001, deadline=20, broken=bug, after=after)
    loop.start()
    assert done.wait(3 * SOON)
    loop.stop(within=SOON)
    stage.close()
    return told


def grave(snapshot: Snapshot) -> set[str]:
    return {one.finding.code for one in snapshot.standing if one.finding.severity is not Severity.INFO}


def test_sixty_rounds() -> None:
    told = lived()
    assert len(told) == ROUNDS
    every_change_is_told_within_its_round(told)
    after_a_change_there_is_silence(told)
    a_finding_is_passing_for_its_first_round(told)
    what_has_passed_is_all_there_in_the_end(told)
    throttling_stretches_the_interval_and_health_restores_it(told)
    nothing_piles_up(told)


def every_change_is_told_within_its_round(told: list[Told]) -> None:
    for one in told:
        assert one.snapshot.verdict is not None
        codes = {finding.code for finding in one.snapshot.verdict.findings} - {"s3.route-undetermined"}
        assert codes == one.scenario.expected_findings - {"s3.route-undetermined"}, one.scenario.name


def after_a_change_there_is_silence(told: list[Told]) -> None:
    for number, one in enumerate(told):
        events = [line["event"] for line in one.lines if line["event"] != "interval"]
        if number % PHASE:
            assert events == ["round"], (number, one.lines)
        elif number:
            assert set(events[1:]) & {"finding", "cleared"}


def a_finding_is_passing_for_its_first_round(told: list[Told]) -> None:
    for number, one in enumerate(told):
        for standing in one.snapshot.standing:
            if standing.finding.severity is not Severity.INFO:
                assert standing.passing is (number % PHASE == 0)
                assert standing.rounds == number % PHASE + 1


def what_has_passed_is_all_there_in_the_end(told: list[Told]) -> None:
    last = told[-1].snapshot
    assert last.totals.rounds == ROUNDS
    assert [one.bad for one in last.history] == [number // PHASE % 2 == 1 for number in range(ROUNDS)]
    assert {one.rounds for one in last.resolved} == {PHASE}
    assert grave(last)


def throttling_stretches_the_interval_and_health_restores_it(told: list[Told]) -> None:
    for before, one in pairwise(told):
        if one.scenario.name == "throttled":
            assert one.snapshot.interval == 2 * before.snapshot.interval
        else:
            assert one.snapshot.interval <= before.snapshot.interval


def nothing_piles_up(told: list[Told]) -> None:
    """Threads and files of a phase end with it; the snapshot grows by its history alone."""
    firsts = [one for one in told if one.scenario.name == "healthy"]
    early, late = firsts[PHASE : 2 * PHASE], firsts[-PHASE:]
    assert min(one.threads for one in late) <= min(one.threads for one in early) + 2
    assert min(one.files for one in late) <= min(one.files for one in early) + 2
    sizes = [len(pickle.dumps(one.snapshot)) for one in firsts]
    assert sizes[-1] < 1.5 * sizes[PHASE]


# ---- the drill's own order -------------------------------------------------------------------------------------------


def order(drill: bool, number: int) -> list[str]:
    healthy, *faults = (_named(name, _scenarios()) for name in ("healthy", *FAULTS))
    found: Iterator[Scenario] = phases(healthy, faults, drill=drill)
    return [one.name for one in islice(found, number)]


def test_faults_come_and_go_by_turns_without_end() -> None:
    told = order(True, 2 * PHASE * len(FAULTS) * 2)
    expected = [name for fault in FAULTS for name in ["healthy"] * PHASE + [fault] * PHASE]
    assert told == expected * 2


def test_without_drill_the_first_stays() -> None:
    assert order(False, 50) == [FAULTS[0]] * 50
