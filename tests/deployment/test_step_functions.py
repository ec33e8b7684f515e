"""The state machine's definition: RunTask as ECS's own model takes it, and rights for all that it does."""

from __future__ import annotations

import json
import re
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from probe.config.flags import FLAGS
from tests.deployment.definitions import ACCOUNT, FOLDER, REGION, VALUES, filled, probe_container
from tests.deployment.policies import actions, may, policy

MACHINE: dict[str, Any] = json.loads((FOLDER / "step-functions" / "smoke.asl.json").read_text())
STATES: dict[str, Any] = MACHINE["States"]["InEachSubnet"]["ItemProcessor"]["States"]
RUN = STATES["RunTheProbe"]


def resolved(value: Any) -> Any:
    """With values in the place of paths, and keys as the API spells them."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    values = {"$.securityGroups": ["sg-0a1b2c3d"], "States.Array($.subnet)": ["subnet-0a1b2c3d"]}
    return {
        key[0].lower() + key.removesuffix(".$")[1:]: values.get(inner, "x") if key.endswith(".$") else resolved(inner)
        for key, inner in value.items()
    }


def test_run_task_is_asked_as_ecs_knows_it() -> None:
    shape = botocore.session.Session().get_service_model("ecs").operation_model("RunTask").input_shape
    report = ParamValidator().validate(resolved(RUN["Parameters"]), shape)
    assert not report.has_errors(), report.generate_report()
    assert RUN["Resource"].endswith(":ecs:runTask.sync")


def test_no_role_is_borrowed_which_step_functions_would_refuse() -> None:
    assert "RoleArn" not in json.dumps(MACHINE)


def test_any_error_of_the_task_is_caught_and_the_probes_own_container_is_found() -> None:
    assert [each["ErrorEquals"] for each in RUN["Catch"]] == [["States.ALL"]]
    name = probe_container(filled("smoke"))["name"]
    assert f"@.Name == '{name}'" in STATES["FindTheProbe"]["Parameters"]["probes.$"]


def test_every_state_is_reached_and_leads_to_one_that_exists() -> None:
    for states, start in ((MACHINE["States"], MACHINE["StartAt"]), (STATES, "RunTheProbe")):
        named = set(re.findall(r'"(?:Next|Default)": "(\w+)"', json.dumps(list(states.values())))) & set(states)
        assert named | {start} == set(states)


def test_its_role_allows_what_it_does() -> None:
    role = policy("iam/state-machine-role", {"iam:PassedToService": "ecs-tasks.amazonaws.com"})
    ecs = f"arn:aws:ecs:{REGION}:{ACCOUNT}:"
    assert may(role, "ecs:RunTask", f"{ecs}task-definition/{filled('smoke')['family']}:7")
    assert not may(role, "ecs:RunTask", f"{ecs}task-definition/payroll:7")
    assert may(role, "ecs:StopTask", f"{ecs}task/{VALUES['CLUSTER']}/0c1b")
    for each in ("taskRoleArn", "executionRoleArn"):
        assert may(role, "iam:PassRole", filled("smoke")[each])
    assert {action.partition(":")[0] for action in actions("iam/state-machine-role")} == {"ecs", "events", "iam"}


def test_its_readme_names_the_variables_that_there_are() -> None:
    text = (FOLDER / "step-functions" / "README.md").read_text()
    assert set(re.findall(r"ECR_PROBE_[A-Z_]+", text)) <= {flag.variable for flag in FLAGS}
