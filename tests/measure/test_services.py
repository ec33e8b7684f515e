"""The signed calls of --also: what each sends, which answers are good, and that no answer's body is read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from probe.endpoints import TABLE
from probe.model import DenialReason, Failure, Step
from probe.sim import changes
from probe.sim.http import Reply
from probe.sim.identity import Statement
from probe.sim.scenarios.task import CALLED
from probe.sim.services import json_error, json_reply
from probe.sim.vpc import VPC
from probe.wire.aws_calls import SERVICE_CALLS
from tests.measure.simulated_run import only, steps

BLOCK_PAGE = Reply(200, b"<html>blocked</html>", content_type="text/html")


def with_endpoint(service: str, *more: changes.Change) -> changes.Change:
    def change(vpc: VPC) -> None:
        vpc.add_endpoint(service)
        for other in more:
            other(vpc)

    return change


def request_step(service: str, *more: changes.Change) -> Step:
    return only(steps(with_endpoint(service, *more), "--also", service), f"{service}/request/")


def test_every_call_of_the_table_exists_and_is_planned() -> None:
    assert {row.call for row in TABLE if row.call} == set(SERVICE_CALLS)
    assert {row.name for row in TABLE if row.call} == set(CALLED)


@pytest.mark.parametrize("action", SERVICE_CALLS)
def test_a_call_is_one_of_botocores_operations_with_valid_input(action: str) -> None:
    call, (service, operation) = SERVICE_CALLS[action], action.split(":")
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    assert model.signing_name == call.service
    shape: Any = model.operation_model(operation)
    if call.target is None:
        assert dict(parse_qsl(call.body.decode())) == {"Action": operation, "Version": model.api_version}
        return
    assert call.target == f"{model.metadata['targetPrefix']}.{operation}"
    assert not ParamValidator().validate(json.loads(call.body), shape.input_shape).has_errors()


@pytest.mark.parametrize("action", SERVICE_CALLS)
def test_a_call_changes_nothing(action: str) -> None:
    assert action.split(":")[1].startswith(("Get", "List", "Describe"))


@pytest.mark.parametrize("service", CALLED)
def test_an_answer_of_the_service_is_good(service: str) -> None:
    step = request_step(service)
    assert step.ok
    assert step.answer
    assert step.answer.aws


@pytest.mark.parametrize("service", CALLED)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda service: changes.endpoint_policy(service, Statement(actions=("x:Y",))), DenialReason.ENDPOINT),
        (lambda _: changes.role_policy(Statement(actions=("ecr:*",))), DenialReason.IDENTITY),
    ],
    ids=["endpoint", "role"],
)
def test_a_denial_names_its_policy(service: str, change: Any, reason: DenialReason) -> None:
    step = request_step(service, change(service))
    if service == "sts" and reason is DenialReason.IDENTITY:
        assert step.ok  # nobody needs a permission for it
        return
    assert step.failure is Failure.DENIED
    assert step.denial
    assert step.denial.reason is reason


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (BLOCK_PAGE, Failure.NOT_AWS),
        (Reply(200, b"{}", content_type="application/json"), Failure.NOT_AWS),
        (json_error("ThrottlingException", "Rate exceeded"), Failure.THROTTLED),
        (json_error("ExpiredTokenException", "expired"), Failure.UNAUTHENTICATED),
        (json_error("InternalServerError", "no", 500), Failure.SERVER_ERROR),
        (json_error("ValidationException", "no"), None),
        (json_reply({"SecretString": "s"}), None),
    ],
)
def test_other_answers(reply: Reply, failure: Failure | None) -> None:
    request = steps(with_endpoint("ssm", changes.inject_reply("ssm", reply)), "--also", "ssm", "--deadline", "20")
    assert {step.failure for name, step in request.items() if name.startswith("ssm/request/")} == {failure}


def test_a_call_needs_credentials_and_a_verified_connection() -> None:
    missing = steps(with_endpoint("kms", changes.without_task_role), "--also", "kms")
    assert only(missing, "kms/request").blocked_by == "task/credentials/chain"
    closed = with_endpoint("kms", changes.closed_security_groups("kms"))
    step = only(steps(closed, "--also", "kms", "--connect-timeout", "0.5"), "kms/request")
    assert step.skipped
    assert "kms/tcp/" in str(step.blocked_by)


@pytest.mark.parametrize("launch_type", ["FARGATE", "EC2"])
def test_no_call_is_made_without_also(launch_type: str) -> None:
    assert not [name for name in steps(changes.vpc_with(launch_type=launch_type)) if "/request" in name]
