"""What gates do to the causes of a finding."""

from __future__ import annotations

import pytest

from probe.faults.settling import settle
from probe.model import Extent, Finding, Gate, GateAnswer, GateName, Impact, Standing
from tests.faults.fake_run import FakeRun
from tests.report import made


@pytest.mark.parametrize(
    ("codes", "standings"),
    [
        (("tcp.nacl", "path.egress-firewall"), (Standing.POSSIBLE, Standing.RULED_OUT)),
        (("path.egress-firewall",), (Standing.POSSIBLE,)),
    ],
)
def test_a_finding_keeps_a_cause_even_if_every_gate_allows(
    codes: tuple[str, ...], standings: tuple[Standing, ...]
) -> None:
    finding = Finding(
        code="tcp.refused",
        impact=Impact.PULL,
        extent=Extent.WHOLLY,
        endpoints=("s3",),
        title="",
        why="",
        because=(),
        values={},
        causes=tuple(made.cause(code, "a cause") for code in codes),
    )
    gate = Gate(endpoint="s3", gate=GateName.NETWORK_FIREWALL, answer=GateAnswer.ALLOWS, sentence="no firewall")
    (settled,) = settle([finding], FakeRun(gates=(gate,)).measure(), ())
    assert tuple(cause.standing for cause in settled.causes) == standings
