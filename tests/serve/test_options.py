"""The sidecar's defaults, and the precedence of flags over variables."""

from __future__ import annotations

import pytest

from probe.serve.options import LAYER_BYTES, Options, read

IMAGE = ("--image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0")
MIB = 1024 * 1024


def options(*argv: str) -> Options:
    return read([*IMAGE, *argv])


def test_the_defaults() -> None:
    parsed = options()
    assert (parsed.interval, str(parsed.listen)) == (60.0, "127.0.0.1:9879")
    assert (parsed.outputs, parsed.compat_blackbox, parsed.login, parsed.tls) == ((), False, None, None)
    budget = parsed.check.budget
    assert (budget.deadline, budget.retries, budget.layer_bytes) == (30.0, 0, LAYER_BYTES)


@pytest.mark.parametrize(
    ("argv", "deadline"),
    [
        (("--interval", "10"), 10.0),
        (("--interval", "300"), 30.0),
        (("--interval", "10", "--deadline", "20"), 20.0),
        (("--layers", "all"), 900.0),
    ],
)
def test_a_round_ends_before_the_next_one_unless_the_deadline_is_set(argv: tuple[str, ...], deadline: float) -> None:
    assert options(*argv).check.budget.deadline == deadline


@pytest.mark.parametrize(("text", "size"), [("10MiB", 10 * MIB), ("64KiB", 64 * 1024)])
def test_an_explicit_size_takes_precedence(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert options("--layer-bytes", text).check.budget.layer_bytes == size
    monkeypatch.setenv("ECR_PROBE_LAYER_BYTES", text)
    assert options().check.budget.layer_bytes == size


def test_flags_take_precedence_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_INTERVAL", "5")
    monkeypatch.setenv("ECR_PROBE_LISTEN", "[::1]:1")
    assert (options().interval, str(options().listen)) == (5.0, "[::1]:1")
    parsed = options("--interval", "7", "--listen", "127.0.0.1:2")
    assert (parsed.interval, str(parsed.listen)) == (7.0, "127.0.0.1:2")
