"""Samples of events in order of time, of pushes and of other platforms; hosts, accounts and roles are invented."""

from __future__ import annotations

from tests.explain.sample import Sample
from tests.explain.samples_network import IMAGE, REGISTRY

SILENT = f'Error response from daemon: Get "https://{REGISTRY}/v2/": dial tcp 172.45.1.9:443: i/o timeout'

FORM_SAMPLES = (
    Sample(
        "recovered: a later pull succeeded",
        f"2031-02-03T10:00:00Z {SILENT}\n2031-02-03T11:00:00Z Status: Downloaded newer image for {IMAGE}",
        "task/start/recovered",
        "truncated",
        {"task.recovered": "other"},
        status="inconclusive",
        pull="unproven",
    ),
)
