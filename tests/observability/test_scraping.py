"""Scrape configurations find the tasks that the task definitions start, under the job name that the alerts use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deployment.definitions import filled, probe_container
from tests.observability.exported import series
from tests.observability.files import FOLDER, load, promtool

SERVING = ("fargate-sidecar", "ec2-daemon")
LABELS = {
    "port": "ECS_PROMETHEUS_EXPORTER_PORT",
    "metrics_path": "ECS_PROMETHEUS_METRICS_PATH",
    "job_name": "ECS_PROMETHEUS_JOB_NAME",
}
ADOT = load("adot-collector.yaml")
AGENT = load("cloudwatch-agent.json")["logs"]["metrics_collected"]["prometheus"]


def docker_labels(name: str) -> dict[str, str]:
    return dict(probe_container(filled(name))["dockerLabels"])


def scrape(name: str) -> dict[str, Any]:
    (job,) = load(name)["scrape_configs"]
    return dict(job)


def checked(document: dict[str, Any], folder: Path) -> None:
    """The output of promtool for a Prometheus configuration."""
    (folder / "alerts.yaml").write_text((FOLDER / "alerts.yaml").read_text())
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(document))
    promtool("check", "config", file)


# ---- what is started and what is looked for -------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVING)
def test_task_definitions_have_the_labels_and_the_port(name: str) -> None:
    container = probe_container(filled(name))
    assert docker_labels(name) == {
        LABELS["port"]: "9879",
        LABELS["metrics_path"]: "/metrics",
        LABELS["job_name"]: "ecr-probe",
    }
    assert [port["containerPort"] for port in container["portMappings"]] == [9879]


def test_the_alerts_use_the_job_of_the_label_and_the_configurations() -> None:
    jobs = {docker_labels(name)[LABELS["job_name"]] for name in SERVING}
    assert jobs == set(re.findall(r'job="([^"]*)"', (FOLDER / "alerts.yaml").read_text())) == {"ecr-probe"}
    assert {scrape(name)["job_name"] for name in ("prometheus.yaml", "prometheus-ecs.yaml")} == jobs


def test_the_collector_and_the_agent_look_for_the_same_docker_labels() -> None:
    (labels,) = ADOT["extensions"]["ecs_observer"]["docker_labels"]
    assert labels == {f"{what}_label": label for what, label in LABELS.items()}
    assert AGENT["ecs_service_discovery"]["docker_label"] == {
        f"sd_{what}_label": label for what, label in LABELS.items()
    }


# ---- Prometheus -----------------------------------------------------------------------------------------------------


def test_promtool_accepts_the_configuration_by_service_discovery() -> None:
    promtool("check", "config", "prometheus.yaml")
    (discovery,) = scrape("prometheus.yaml")["dns_sd_configs"]
    assert discovery["port"] == 9879


def test_promtool_accepts_the_configuration_for_ecs_but_for_its_discovery(tmp_path: Path) -> None:
    """Debian's promtool is older than Prometheus' own discovery of ECS tasks."""
    document = load("prometheus-ecs.yaml")
    document["scrape_configs"][0].pop("aws_sd_configs")
    document["scrape_configs"][0]["static_configs"] = [{"targets": ["10.0.1.77:9879"]}]
    checked(document, tmp_path)


def test_discovery_of_ecs_tasks_has_the_keys_and_labels_that_prometheus_documents() -> None:
    job = scrape("prometheus-ecs.yaml")
    (discovery,) = job["aws_sd_configs"]
    assert set(discovery) <= {
        "role",
        "region",
        "endpoint",
        "profile",
        "role_arn",
        "clusters",
        "port",
        "refresh_interval",
    }
    assert discovery["role"] == "ecs"
    assert discovery["port"] == 9879
    assert isinstance(discovery["clusters"], list)
    asked = {label for rule in job["relabel_configs"] for label in rule["source_labels"]}
    assert asked == {
        "__meta_ecs_cluster",
        "__meta_ecs_service",
        "__meta_ecs_desired_status",
        "__meta_ecs_tag_task_application",
    }


@pytest.mark.parametrize("name", SERVING)
def test_the_tag_by_which_tasks_are_kept_is_on_the_task_definitions(name: str) -> None:
    kept = [
        rule["regex"] for rule in scrape("prometheus-ecs.yaml")["relabel_configs"] if "tag" in rule["source_labels"][0]
    ]
    assert kept == [tag["value"] for tag in filled(name)["tags"] if tag["key"] == "application"]


# ---- the collector of AWS Distro for OpenTelemetry ------------------------------------------------------------------


def test_every_part_of_the_collector_is_defined_and_in_use() -> None:
    pipeline = ADOT["service"]["pipelines"]["metrics"]
    assert ADOT["service"]["extensions"] == list(ADOT["extensions"])
    for kind in ("receivers", "processors", "exporters"):
        assert pipeline[kind] == list(ADOT[kind]), kind
    assert ADOT["exporters"]["prometheusremotewrite"]["auth"]["authenticator"] in ADOT["extensions"]


def test_the_collector_scrapes_what_its_observer_finds(tmp_path: Path) -> None:
    config = ADOT["receivers"]["prometheus"]["config"]
    (job,) = config["scrape_configs"]
    files = [file for config in job["file_sd_configs"] for file in config["files"]]
    assert files == [ADOT["extensions"]["ecs_observer"]["result_file"]]
    checked(config, tmp_path)


def test_only_documented_settings_of_the_observer_are_used() -> None:
    documented = {"cluster_name", "cluster_region", "refresh_interval", "result_file", "docker_labels"}
    assert set(ADOT["extensions"]["ecs_observer"]) == documented


# ---- the CloudWatch agent -------------------------------------------------------------------------------------------


def test_the_agent_scrapes_what_it_finds() -> None:
    promtool("check", "config", "cloudwatch-agent-scrape.yaml")
    files = [file for config in scrape("cloudwatch-agent-scrape.yaml")["file_sd_configs"] for file in config["files"]]
    assert files == [AGENT["ecs_service_discovery"]["sd_result_file"]]


def test_the_agents_configuration_has_the_keys_of_its_schema() -> None:
    """The part of translator/config/schema.json in the agent's own repository that is used here."""
    text = {"type": "string"}
    texts = {"type": "array", "items": text}

    def closed(**properties: Any) -> dict[str, Any]:
        return {"type": "object", "properties": properties, "additionalProperties": False}

    declaration = closed(
        source_labels=texts,
        label_matcher=text,
        label_separator=text,
        metric_selectors=texts,
        dimensions={"type": "array", "items": texts},
    )
    prometheus = closed(
        cluster_name=text,
        log_group_name=text,
        prometheus_config_path=text,
        ecs_service_discovery=closed(
            docker_label={"type": "object", "additionalProperties": text},
            sd_cluster_region=text,
            sd_frequency=text,
            sd_result_file=text,
            sd_target_cluster=text,
        ),
        emf_processor=closed(
            metric_declaration_dedup={"type": "boolean"},
            metric_namespace=text,
            metric_unit={"type": "object", "additionalProperties": text},
            metric_declaration={"type": "array", "items": declaration},
        ),
    )
    schema = closed(
        logs=closed(metrics_collected=closed(prometheus=prometheus), force_flush_interval={"type": "integer"})
    )
    jsonschema.validate(load("cloudwatch-agent.json"), schema)


def test_the_agent_selects_metrics_that_are_exported_with_their_labels() -> None:
    processor = AGENT["emf_processor"]
    chosen: set[str] = set()
    for declaration in processor["metric_declaration"]:
        assert re.fullmatch(declaration["label_matcher"], "ecr-probe")
        (dimensions,) = declaration["dimensions"]
        for selector in declaration["metric_selectors"]:
            (name,) = [name for name in series() if re.search(selector, name)]
            chosen.add(name)
            # The agent itself adds the first two.
            assert dimensions == ["ClusterName", "TaskDefinitionFamily", *sorted(series()[name])]
    assert set(processor["metric_unit"]) <= chosen
