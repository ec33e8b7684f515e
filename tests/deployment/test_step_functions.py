"""The state machine: valid RunTask parameters, and a role that allows its calls."""

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
RUN = STATES["RunProbe"]


def resolved(value: Any) -> Any:
    """Replace paths by values, and spell keys as the API does."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    values = {"$.securityGroups": ["sg-0a1b2c3d"], "States.Array($.subnet)": ["subnet-0a1b2c3d"]}
    return {
        key[0].lower() + key.removesuffix(".$")[1:]: values.get(inner, "x") if key.endswith(".$") else resolved(inner)
        for key, inner in value.items()
    }


def test_run_task_has_valid_parameters() -> None:
    shape = botocore.session.Session().get_service_model("ecs").operation_model("RunTask").input_shape
    report = ParamValidator().validate(resolved(RUN["Parameters"]), shape)
    assert not report.has_errors(), report.generate_report()
    assert RUN["Resource"].endswith(":ecs:runTask.sync")


def test_no_role_is_overridden_which_step_functions_would_refuse() -> None:
    assert "RoleArn" not in json.dumps(MACHINE)


def test_every_error_is_caught_and_the_probes_container_is_found() -> None:
    assert [item["ErrorEquals"] for item in RUN["Catch"]] == [["States.ALL"]]
    name = probe_container(filled("smoke"))["name"]
    assert f"@.Name == '{name}'" in STATES["FindTheProbe"]["Parameters"]["probes.$"]


def test_every_state_is_reachable_and_leads_to_an_existing_state() -> None:
    for states, start in ((MACHINE["States"], MACHINE["StartAt"]), (STATES, "RunProbe")):
        targets = set(re.findall(r'"(?:Next|Default)": "(\w+)"', json.dumps(list(states.values())))) & set(states)
        assert targets | {start} == set(states)


def test_its_role_allows_its_calls() -> None:
    ecs = f"arn:aws:ecs:{REGION}:{ACCOUNT}:"
    context = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    role = policy("iam/state-machine-role", context | {"ecs:cluster": f"{ecs}cluster/{VALUES['CLUSTER']}"})
    elsewhere = policy("iam/state-machine-role", context | {"ecs:cluster": f"{ecs}cluster/other"})
    assert may(role, "ecs:RunTask", f"{ecs}task-definition/{filled('smoke')['family']}:7")
    assert not may(elsewhere, "ecs:RunTask", f"{ecs}task-definition/{filled('smoke')['family']}:7")
    assert not may(role, "ecs:StopTask", f"{ecs}task/other/0c1b")
    assert not may(role, "ecs:RunTask", f"{ecs}task-definition/payroll:7")
    assert may(role, "ecs:StopTask", f"{ecs}task/{VALUES['CLUSTER']}/0c1b")
    for key in ("taskRoleArn", "executionRoleArn"):
        assert may(role, "iam:PassRole", filled("smoke")[key])
    assert {action.partition(":")[0] for action in actions("iam/state-machine-role")} == {"ecs", "events", "iam"}


def test_its_readme_names_existing_variables() -> None:
    text = (FOLDER / "step-functions" / "README.md").read_text()
    assert set(re.findall(r"ECR_PROBE_[A-Z_]+", text)) <= {flag.variable for flag in FLAGS}
