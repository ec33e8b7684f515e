"""`--cross-check`: IAM's policy simulator beside the gates. A difference is shown, and what is not decided too."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import CrossCheck
from probe.report import FORMATS, Page
from tests.gates.policy_account import ROLE
from tests.gates.policy_account import account as with_role
from tests.inspect.vpc import START, Account, healthy_vpc, inspected


def account(decision: str, **result: Any) -> Account:
    start = healthy_vpc()
    start.replies |= {name: reply for name, reply in with_role().replies.items() if name.startswith("iam:")}
    start.replies["iam:SimulatePrincipalPolicy"] = {"EvaluationResults": [{"EvalDecision": decision, **result}]}
    return start


def checks(start: Account, *argv: str) -> dict[str, CrossCheck]:
    verdict = inspected(start, *START, "--execution-role", ROLE, *argv)
    assert verdict.configuration is not None
    return {check.action: check for check in verdict.configuration.cross_check}


def test_it_is_asked_only_if_wanted() -> None:
    start = account("allowed")
    assert checks(start) == {}
    assert "iam:SimulatePrincipalPolicy" not in start.calls


@pytest.mark.parametrize(
    ("decision", "result", "agrees"),
    [
        ("allowed", {}, True),
        ("implicitDeny", {}, False),
        ("explicitDeny", {}, False),
        ("implicitDeny", {"MissingContextValues": ["aws:SourceVpc"]}, None),
    ],
)
def test_the_simulator_is_compared_with_the_gates(decision: str, result: dict[str, Any], agrees: bool | None) -> None:
    found = checks(account(decision, **result), "--cross-check")
    assert set(found) >= {"ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
    assert {check.agrees for check in found.values()} == {agrees}


def test_a_denied_simulation_leaves_the_verdict_alone() -> None:
    start = account("allowed")
    start.denied.add("iam:SimulatePrincipalPolicy")
    found = checks(start, "--cross-check")
    assert {check.agrees for check in found.values()} == {None}
    assert all("iam:SimulatePrincipalPolicy" in (check.problem or "") for check in found.values())


def test_a_difference_is_shown() -> None:
    verdict = inspected(account("implicitDeny"), *START, "--execution-role", ROLE, "--cross-check")
    for name in ("text", "markdown", "github"):
        text = " ".join(FORMATS[name].render(verdict, Page()).split())
        assert "IAM's policy simulator agrees on 0 of" in text
        assert "disagrees: ecr:BatchGetImage: the gates say allows, the simulator implicitDeny" in text
