"""Each call of an inspection is refused in turn, and pairs of them: it goes on, and nothing becomes more certain."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import partial
from itertools import combinations
from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.inspect.command import inspect
from probe.inspect.options import read_options
from probe.model import GateAnswer, Standing, Status, Verdict
from probe.operator.aws import error_of_response
from tests.gates.policy_account import account as with_policies
from tests.gates.policy_account import allow, deny, organize, policy
from tests.inspect.test_policies import with_service
from tests.inspect.test_target import INSTANCE, TASK, on_an_instance, task
from tests.inspect.test_target import with_service as on_ec2
from tests.inspect.vpc import Account, inspected

SERVICE = ("--cluster", "main", "--service", "shop")
PAIRS = 12  # of each account, by a fixed seed
# Calls that only add what another answer or the gate itself says too.
_OPTIONAL = {"sts:GetCallerIdentity", "ec2:DescribeSecurityGroupRules"}
Change = Callable[[Account], None]


def healthy(_: Account) -> None:
    return


def shut_endpoint(account: Account) -> None:
    account.object("sg-0e000000")["IpPermissions"] = []


def shut_task(account: Account) -> None:
    account.object("sg-0a000000")["IpPermissionsEgress"] = []


def shut_acl(account: Account) -> None:
    account.object("acl-0a000000")["Entries"] = []


def no_private_dns(account: Account) -> None:
    account.object("vpce-0e000001")["PrivateDnsEnabled"] = False


def no_endpoint(account: Account) -> None:
    endpoints = account.objects["ec2"]["VpcEndpoints"]
    endpoints[:] = [item for item in endpoints if item["VpcEndpointId"] != "vpce-0e000002"]


def no_gateway_route(account: Account) -> None:
    del account.object("rtb-0a000000")["Routes"][1:]


def denied_by_role(account: Account) -> None:
    account.replies["iam:GetRolePolicy pull puller"] = {"PolicyDocument": policy(deny("ecr:*"), allow())}


def denied_by_organization(account: Account) -> None:
    organize(account, scp=("ou-1", policy(deny("ecr:BatchGetImage"))))


def in_an_organization(account: Account) -> None:
    organize(account)


CHANGES = (
    healthy,
    shut_endpoint,
    shut_task,
    shut_acl,
    no_private_dns,
    no_endpoint,
    no_gateway_route,
    denied_by_role,
    denied_by_organization,
)


def changed(change: Change) -> Account:
    account = with_service()
    change(account)
    return account


def answers(verdict: Verdict) -> dict[tuple[str | None, ...], set[GateAnswer]]:
    found: dict[tuple[str | None, ...], set[GateAnswer]] = {}
    for gate in verdict.gates or ():
        found.setdefault((gate.subnet, gate.endpoint, gate.gate), set()).add(gate.answer)
    return found


def causes(verdict: Verdict, standing: Standing) -> set[tuple[str, str]]:
    """The causes of each finding."""
    return {
        (finding.code, cause.code)
        for finding in verdict.findings
        for cause in finding.causes
        if cause.standing is standing
    }


def compare(less: Verdict, whole: Verdict, denied: tuple[str, ...]) -> None:
    before, uncertain = answers(whole), {GateAnswer.UNKNOWN, GateAnswer.DEPENDS}
    for place, found in answers(less).items():
        assert found <= before.get(place, found) | uncertain, (denied, place)
    assert not causes(less, Standing.CONFIRMED) & causes(whole, Standing.RULED_OUT), denied
    assert not causes(less, Standing.RULED_OUT) & causes(whole, Standing.CONFIRMED), denied
    allowed = {
        Status.FAIL: {Status.FAIL, Status.INCONCLUSIVE},
        Status.PASS: {Status.PASS, Status.INCONCLUSIVE},
        Status.DEGRADED: {Status.DEGRADED, Status.INCONCLUSIVE},
    }
    if all(action.startswith("organizations:") for action in denied):
        allowed = {}  # a member account may usually not read these, which alone leaves a pass
    assert less.status in allowed.get(whole.status, set(Status)), (denied, whole.summary, less.summary)


def compare_run(run: Callable[[], Verdict], whole: Verdict, *denied: str) -> Verdict | None:
    """The verdict, which is no more certain than the whole one; None where the run ends and names what is missing."""
    try:
        less = run()
    except UsageError as usage:
        error = str(usage)
    else:
        compare(less, whole, denied)
        return less
    assert any(action in error for action in denied), error
    return None


def without(change: Change, *denied: str) -> Callable[[], Verdict]:
    account = changed(change)
    account.denied = set(denied)
    return partial(inspected, account, *SERVICE)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_knowing_less_makes_nothing_more_certain(change: Change) -> None:
    account = changed(change)
    whole = inspected(account, *SERVICE)
    made = sorted(set(account.calls))
    assert len(made) > 20
    pairs = random.Random(change.__name__).sample(list(combinations(made, 2)), PAIRS)
    for denied in (*((action,) for action in made), *pairs):
        compare_run(without(change, *denied), whole, *denied)


@pytest.mark.parametrize("change", [healthy, in_an_organization], ids=lambda change: change.__name__)
def test_the_missing_right_is_named(change: Change) -> None:
    account = changed(change)
    whole = inspected(account, *SERVICE)
    for action in sorted(set(account.calls) - _OPTIONAL):
        less = compare_run(without(change, action), whole, action)
        if less is None:
            continue
        assert action in {gate.missing for gate in less.gates or ()}, action
        assert less.configuration is not None
        failures = {f"{source.service}:{source.operation}": source.failure for source in less.configuration.sources}
        assert failures[action] == "denied"


class Failing:
    """Answers as the account does, but for one call, which ends with an error other than a denial."""

    def __init__(self, account: Account, action: str, code: str) -> None:
        self.region, self._account, self._action, self._code = account.region, account, action, code

    def pages(self, action: str, *, region: str | None = None, **parameters: Any) -> Iterable[dict[str, Any]]:
        if action == self._action:
            raise error_of_response({"Error": {"Code": self._code}}, action)
        return self._account.pages(action, region=region, **parameters)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "ValidationException"])
@pytest.mark.parametrize("change", [healthy, shut_endpoint], ids=lambda change: change.__name__)
def test_a_call_that_fails_leaves_its_gates_unknown(code: str, change: Change) -> None:
    account = changed(change)
    whole = inspected(account, *SERVICE)
    for action in sorted(set(account.calls)):
        compare_run(partial(inspect, read_options(SERVICE, {}), Failing(changed(change), action, code)), whole, action)


@pytest.mark.parametrize("argv", [SERVICE, ("--task", TASK)], ids=["service", "task"])
def test_the_calls_of_another_start_are_refused_too(argv: tuple[str, ...]) -> None:
    """On EC2, where the instances are read."""

    def account_without(*denied: str) -> Account:
        account = on_an_instance(on_ec2(launchType="EC2"))
        account.objects["ecs"]["tasks"] = [task(launchType="EC2", containerInstanceArn=INSTANCE)]
        account.denied = set(denied)
        return account

    account = account_without()
    whole = inspected(account, *argv)
    assert "ec2:DescribeInstances" in account.calls
    for action in sorted(set(account.calls)):
        compare_run(partial(inspected, account_without(action), *argv), whole, action)


def test_without_any_right_the_first_one_is_named() -> None:
    account = with_service()
    account.denied = set(with_policies().replies) | {"ecs:DescribeServices"}
    with pytest.raises(UsageError, match="ecs:DescribeServices is not allowed"):
        inspected(account, *SERVICE)
