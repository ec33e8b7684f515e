"""`inspect` on the configuration of a simulated VPC: the second half of `demo --inspect`."""

from __future__ import annotations

from typing import Any

from probe.inspect.command import inspect
from probe.inspect.measured import read_measured
from probe.inspect.options import read_options
from probe.model import Standing, Verdict
from probe.operator.aws import error_of_response
from probe.records import Record
from probe.report import FORMATS, Page
from probe.sim.account import RefusedCallError, SimulatedAccount
from probe.sim.configuration.identifiers import TASK_GROUP, TASK_SUBNET

_PLACE = ("--subnets", TASK_SUBNET, "--security-groups", TASK_GROUP)


class SimulatedReader(Record):
    """Answers the calls of `inspect` from a simulated account."""

    account: SimulatedAccount
    region: str

    def pages(self, action: str, *, region: str | None = None, **parameters: Any) -> tuple[dict[str, Any], ...]:
        try:
            return (self.account.answer(action, parameters, region),)
        except RefusedCallError as error:
            code, message = error.args
            raise error_of_response({"Error": {"Code": code, "Message": message}}, action) from None


def joined(account: SimulatedAccount, verdict: Verdict, *, role: str | None = None) -> Verdict:
    """What was measured, joined with the configuration. `role` pulls, if not that of the task definition."""
    document = FORMATS["json"].render(verdict, Page()).encode()
    codes = {finding.code for finding in verdict.findings}
    agreed = ("--read-manifest",) if "registry.no-matching-platform" in codes else ()
    return _inspected(account, "--verdict", "-", *_PLACE, *agreed, role=role, measured=document)


def predicted(account: SimulatedAccount, *argv: str, role: str | None = None) -> Verdict:
    """What the configuration alone predicts for the subnet of the task; `argv` names what is pulled."""
    return _inspected(account, *(argv or _PLACE), role=role)


def settled(verdict: Verdict) -> dict[str, str]:
    """The causes that gates confirm, with the object that is named first."""
    return {
        cause.code: cause.object
        for finding in reversed(verdict.findings)
        for cause in reversed(finding.causes)
        if cause.standing is Standing.CONFIRMED and cause.object
    }


def _inspected(account: SimulatedAccount, *argv: str, role: str | None, measured: bytes | None = None) -> Verdict:
    options = read_options([*argv, *(("--execution-role", role) if role else ())], {"AWS_REGION": account.region})
    return inspect(
        options, SimulatedReader(account, account.region), read_measured(measured) if measured is not None else ()
    )
