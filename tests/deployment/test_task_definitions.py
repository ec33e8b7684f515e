"""Every task definition is valid and locked down, and sets only variables that the program reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest
import yaml

from probe import health
from probe.config.commands import COMMANDS
from probe.config.flags import FLAGS, SERVE_FLAGS
from probe.config.listen import address
from probe.config.settings import parse
from probe.model import Path, Pull, Status
from tests.deployment.definitions import FOLDER, NAMES, VALUES, filled, placeholders, probe_container, variables
from tests.deployment.recording import recorded

CHECK, SERVE = ["check", "--format", "json"], ["serve"]


@dataclass(frozen=True, slots=True)
class Expected:
    """The differences between the definitions; all else is the same in each of them."""

    command: list[str]
    launch_types: list[str]
    network_mode: str
    path: Path
    pull: Pull


EXPECTED = {
    "fargate-check": Expected(CHECK, ["FARGATE"], "awsvpc", Path.TASK_ENI, Pull.WORKS),
    "fargate-sidecar": Expected(SERVE, ["FARGATE"], "awsvpc", Path.TASK_ENI, Pull.WORKS),
    "ec2-check-host": Expected(CHECK, ["EC2"], "host", Path.INSTANCE_ENI, Pull.WORKS),
    "ec2-check-awsvpc": Expected(CHECK, ["EC2"], "awsvpc", Path.TASK_ENI, Pull.UNPROVEN),
    "ec2-daemon": Expected(SERVE, ["EC2"], "host", Path.INSTANCE_ENI, Pull.WORKS),
    "smoke": Expected(CHECK, ["FARGATE", "EC2"], "awsvpc", Path.TASK_ENI, Pull.WORKS),
}
TASK = {
    "taskRoleArn": f"arn:aws:iam::{VALUES['ACCOUNT_ID']}:role/ecr-probe-task",
    "executionRoleArn": f"arn:aws:iam::{VALUES['ACCOUNT_ID']}:role/ecr-probe-execution",
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "tags": [{"key": "application", "value": "ecr-probe"}],
}
CONTAINER = {
    "image": f"{VALUES['ACCOUNT_ID']}.dkr.ecr.{VALUES['REGION']}.amazonaws.com/ecr-probe:0.1.0",
    "user": "65532:65532",
    "readonlyRootFilesystem": True,
    "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "initProcessEnabled": True},
    "stopTimeout": 30,
}
# Fargate's sizes, from the user guide: cpu → memory, smallest first.
FARGATE_SIZES = {"256": ("512", "1024", "2048"), "512": ("1024", "2048", "3072", "4096")}
FARGATE_REFUSES = {"dockerSecurityOptions", "privileged", "links", "extraHosts", "disableNetworking", "dnsServers"}

every_definition = pytest.mark.parametrize("name", NAMES)
only_serving = pytest.mark.parametrize("name", [name for name in NAMES if EXPECTED[name].command == SERVE])


def register_task_definition() -> botocore.model.Shape:
    model = botocore.loaders.Loader().load_service_model("ecs", "service-2")
    return botocore.model.ServiceModel(model, "ecs").operation_model("RegisterTaskDefinition").input_shape


def invalid_enum_values(value: Any, shape: botocore.model.Shape) -> Iterator[str]:
    """Values outside the enums of botocore's model, which botocore does not check."""
    if shape.type_name == "structure":
        for key, inner in value.items():
            yield from invalid_enum_values(inner, shape.members[key])
    elif shape.type_name == "list":
        for inner in value:
            yield from invalid_enum_values(inner, shape.member)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield value


def test_the_folder_contains_only_task_definitions() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {"README.md", *(f"{n}.json" for n in EXPECTED)}


@every_definition
def test_it_is_valid_by_botocores_model(name: str) -> None:
    definition, shape = filled(name), register_task_definition()
    assert botocore.validate.ParamValidator().validate(definition, shape).generate_report() == ""
    assert list(invalid_enum_values(definition, shape)) == []


@every_definition
def test_it_matches_its_name(name: str) -> None:
    definition, expected = filled(name), EXPECTED[name]
    assert definition["family"] == f"ecr-probe-{name}"
    assert definition["requiresCompatibilities"] == expected.launch_types
    assert definition["networkMode"] == expected.network_mode
    assert probe_container(definition)["command"] == expected.command


@every_definition
def test_it_is_locked_down(name: str) -> None:
    definition = filled(name)
    container = probe_container(definition)
    assert {key: definition.get(key) for key in TASK} == TASK
    assert {key: container.get(key) for key in CONTAINER} == CONTAINER
    if EXPECTED[name].launch_types == ["EC2"]:
        assert container["dockerSecurityOptions"] == ["no-new-privileges"]
    else:
        assert all(not FARGATE_REFUSES & set(container) for container in definition["containerDefinitions"])


@every_definition
def test_it_uses_the_smallest_size(name: str) -> None:
    definition = filled(name)
    if "FARGATE" in definition["requiresCompatibilities"]:
        smallest = min(FARGATE_SIZES, key=int)
        assert (definition["cpu"], definition["memory"]) == (smallest, FARGATE_SIZES[smallest][0])
        reserved = sum(item.get("memory", 0) for item in definition["containerDefinitions"])
        assert reserved < int(definition["memory"])
    else:
        # Without limits of the task those of the container count; cpu is a share there, not a limit.
        container = probe_container(definition)
        assert not {"cpu", "memory"} & set(definition)
        assert container["memory"] == (128 if EXPECTED[name].command == CHECK else 192)
        assert container["cpu"] == 128


@every_definition
def test_a_full_log_never_stops_a_container(name: str) -> None:
    """In blocking mode a program hangs at its next line as soon as CloudWatch Logs cannot be reached."""
    for container in filled(name)["containerDefinitions"]:
        log = container["logConfiguration"]
        options = dict(log["options"])
        prefix = options.pop("awslogs-stream-prefix")
        assert prefix == (name if container["name"] == "ecr-probe" else container["name"])
        assert log["logDriver"] == "awslogs"
        assert options == {
            "awslogs-group": "/ecs/ecr-probe",
            "awslogs-region": VALUES["REGION"],
            "mode": "non-blocking",
            "max-buffer-size": "1m",  # several verdicts, which are 200 KiB at most
        }


@every_definition
def test_account_region_and_range_are_placeholders(name: str) -> None:
    path = FOLDER / f"{name}.json"
    assert placeholders(path) == {"ACCOUNT_ID", "REGION", "VPC_CIDR"}
    assert not re.search(r"\b\d{12}\b|\b[a-z]{2}(-[a-z]+)+-\d\b|\b\d+\.\d+\.\d+\.\d+/\d+", path.read_text())


@every_definition
def test_it_contains_no_secret(name: str) -> None:
    for container in filled(name)["containerDefinitions"]:
        assert not {"secrets", "repositoryCredentials", "environmentFiles"} & set(container)
        texts = [text for item in container.get("environment", []) for text in item.values()]
        assert not [text for text in texts if re.search(r"secret|token|passw|credential|_key|AKIA|ASIA", text, re.I)]


@every_definition
def test_the_program_reads_the_variables_that_it_sets(name: str) -> None:
    container = probe_container(filled(name))
    environment, command = variables(container), container["command"]
    supported = {flag.variable for flag in (*FLAGS, *(SERVE_FLAGS if command == SERVE else ()))}
    assert command[0] in COMMANDS
    assert {"ECR_PROBE_VPC_CIDR"} <= set(environment) <= supported
    settings = parse(command[1:], environment, started=0.0)
    assert settings.vpc_cidrs == (VALUES["VPC_CIDR"],)
    if command == CHECK:
        assert [output.format for output in settings.reports.outputs] == ["json"]


@every_definition
def test_only_services_have_a_health_check(name: str) -> None:
    container = probe_container(filled(name))
    if EXPECTED[name].command == CHECK:
        assert not {"healthCheck", "portMappings", "dockerLabels", "restartPolicy"} & set(container)
        return
    check = container["healthCheck"]
    assert check["command"] == ["CMD", "ecr-probe", "health"]
    assert check["command"][2] in COMMANDS
    assert check["interval"] >= 60  # each check starts an interpreter in the task's memory
    assert check["timeout"] > health.LIMIT


@only_serving
def test_its_metrics_port_is_the_one_that_it_listens_on(name: str) -> None:
    definition = filled(name)
    container = probe_container(definition)
    listens = address(variables(container)["ECR_PROBE_LISTEN"])
    assert listens.host == "0.0.0.0"
    (mapping,) = container["portMappings"]
    assert (mapping["name"], mapping["containerPort"], mapping["protocol"]) == ("metrics", listens.port, "tcp")
    assert mapping.get("hostPort") == (listens.port if definition["networkMode"] == "host" else None)
    assert container["dockerLabels"] == {
        "ECS_PROMETHEUS_EXPORTER_PORT": str(listens.port),
        "ECS_PROMETHEUS_METRICS_PATH": "/metrics",
        "ECS_PROMETHEUS_JOB_NAME": "ecr-probe",
    }


def test_the_sidecar_cannot_stop_the_application() -> None:
    app, probe = filled("fargate-sidecar")["containerDefinitions"]
    assert (app["essential"], probe["essential"]) == (True, False)
    assert "dependsOn" not in app
    assert probe["memory"] == 192  # its own limit, so that only the sidecar is stopped
    # A usage error (2) does not go away with a restart.
    assert probe["restartPolicy"] == {"enabled": True, "ignoredExitCodes": [2], "restartAttemptPeriod": 60}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "fargate-sidecar"])
def test_the_probe_is_the_only_container_of_other_definitions(name: str) -> None:
    (container,) = filled(name)["containerDefinitions"]
    assert container["essential"] is True


@every_definition
def test_it_measures_the_path_that_the_readme_states(name: str) -> None:
    verdict = recorded(name).verdict
    assert (verdict.status, verdict.path, verdict.pull) == (Status.PASS, EXPECTED[name].path, EXPECTED[name].pull)
    assert verdict.plan.log_group == "/ecs/ecr-probe"


@pytest.mark.parametrize("path", sorted((FOLDER / "cloudformation").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_template_is_valid_yaml(path: FilePath) -> None:
    """Only the syntax: CloudFormation's own tags are checked by cfn-lint in the laboratory."""
    assert list(yaml.parse(path.read_text(), yaml.SafeLoader))
