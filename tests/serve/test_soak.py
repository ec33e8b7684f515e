"""Thirty rounds of the rehearsal in one process: faults come and go, each is reported, and no resource leaks."""

from __future__ import annotations

import json
import os
import pickle
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, cycle, islice, pairwise, repeat
from typing import NamedTuple

import pytest

from probe.config.settings import parse
from probe.crash import broken
from probe.demo import all_scenarios, scenario_named
from probe.history import Snapshot
from probe.model import Severity, Verdict
from probe.rehearsal import FAULTS, PHASE, Stage, phases
from probe.serve.log_lines import round_lines
from probe.serve.loop import Loop
from probe.sim.scenarios.scenario import Scenario
from tests.serve.clients import SOON

ROUNDS = 6 * PHASE
QUICK = (
    "--no-controls",
    "--connect-timeout",
    "5",
    "--image",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1.0",
)
NAMES = ("s3-endpoint-policy", "throttled", "private-dns-off-nat")  # quick ones: no packet is lost
SETTINGS = parse(QUICK, {})


class RoundRecord(NamedTuple):
    """A round: the scenario that it measured, its snapshot and log lines, and how many threads and files were open."""

    scenario: Scenario
    snapshot: Snapshot
    lines: list[dict[str, object]]
    threads: int
    files: int


def measured_rounds() -> list[RoundRecord]:
    healthy, *faults = (scenario_named(name, all_scenarios()) for name in ("healthy", *NAMES))
    pairs = chain.from_iterable((healthy, fault) for fault in cycle(faults))
    rounds = list(islice(chain.from_iterable(repeat(scenario, PHASE) for scenario in pairs), ROUNDS))
    stage = Stage(chain(rounds, repeat(healthy)), arguments=QUICK, variables={}, deadline=20)
    records: list[RoundRecord] = []
    done = threading.Event()

    def after(before: Snapshot, now: Snapshot) -> None:
        lines = [json.loads(line) for line in round_lines(before, now)]
        files = len(os.listdir("/proc/self/fd"))
        if len(records) < ROUNDS:
            records.append(RoundRecord(rounds[len(records)], now, lines, threading.active_count(), files))
        if len(records) == ROUNDS:
            done.set()

    def bug(error: BaseException, *, began: datetime) -> Verdict:
        return broken(SETTINGS, error, began=began)

    loop = Loop(stage.measure, interval=0.001, deadline=20, broken=bug, after=after)
    loop.start()
    assert done.wait(6 * SOON)
    assert loop.stop(within=SOON)
    stage.close()
    return records


def grave(snapshot: Snapshot) -> set[str]:
    return {entry.finding.code for entry in snapshot.current if entry.finding.severity is not Severity.INFO}


@pytest.mark.slow
def test_thirty_rounds() -> None:
    records = measured_rounds()
    assert len(records) == ROUNDS
    every_fault_is_found_in_its_round(records)
    only_changes_are_logged(records)
    a_finding_is_transient_in_its_first_round(records)
    the_last_snapshot_has_everything(records)
    throttling_lengthens_the_interval_and_health_restores_it(records)
    no_resource_leaks(records)


def every_fault_is_found_in_its_round(records: list[RoundRecord]) -> None:
    for record in records:
        assert record.snapshot.verdict is not None
        codes = {finding.code for finding in record.snapshot.verdict.findings}
        expected = record.scenario.expected_findings - {"s3.route-undetermined"}  # which a control would prove
        assert codes == expected, record.scenario.name


def only_changes_are_logged(records: list[RoundRecord]) -> None:
    for number, record in enumerate(records):
        events = [line["event"] for line in record.lines if line["event"] != "interval"]
        if number % PHASE:
            assert events == ["round"], (number, record.lines)
        elif number:
            assert set(events[1:]) & {"finding", "cleared"}


def a_finding_is_transient_in_its_first_round(records: list[RoundRecord]) -> None:
    for number, record in enumerate(records):
        for entry in record.snapshot.current:
            if entry.finding.severity is not Severity.INFO:
                assert entry.may_be_transient is (number % PHASE == 0)
                assert entry.rounds == number % PHASE + 1


def the_last_snapshot_has_everything(records: list[RoundRecord]) -> None:
    last = records[-1].snapshot
    assert last.totals.rounds == ROUNDS
    assert [past.bad for past in last.history] == [number // PHASE % 2 == 1 for number in range(ROUNDS)]
    assert {resolved.rounds for resolved in last.resolved} == {PHASE}
    assert grave(last)


def throttling_lengthens_the_interval_and_health_restores_it(records: list[RoundRecord]) -> None:
    for before, record in pairwise(records):
        if record.scenario.name == "throttled":
            assert record.snapshot.interval == 2 * before.snapshot.interval
        else:
            assert record.snapshot.interval <= before.snapshot.interval


def no_resource_leaks(records: list[RoundRecord]) -> None:
    """Threads and files of a phase end with it; only the history makes a snapshot grow."""
    firsts = [record for record in records if record.scenario.name == "healthy"]
    early, late = firsts[PHASE : 2 * PHASE], firsts[-PHASE:]
    assert min(record.threads for record in late) <= min(record.threads for record in early) + 2
    assert min(record.files for record in late) <= min(record.files for record in early) + 2
    sizes = [len(pickle.dumps(record.snapshot)) for record in firsts]
    assert sizes[-1] < 1.5 * sizes[PHASE]


# ---- the order of a rehearsal ----------------------------------------------------------------------------------------


def order(drill: bool, number: int) -> list[str]:
    healthy, *faults = (scenario_named(name, all_scenarios()) for name in ("healthy", *FAULTS))
    scenarios: Iterator[Scenario] = phases(healthy, faults, drill=drill)
    return [scenario.name for scenario in islice(scenarios, number)]


def test_faults_come_and_go_in_turns() -> None:
    names = order(True, 2 * PHASE * len(FAULTS) * 2)
    expected = [name for fault in FAULTS for name in ["healthy"] * PHASE + [fault] * PHASE]
    assert names == expected * 2


def test_without_drill_the_first_scenario_stays() -> None:
    assert order(False, 50) == [FAULTS[0]] * 50
