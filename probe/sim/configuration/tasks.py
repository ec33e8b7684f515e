"""What ECS describes: the task, its definition, and on EC2 its container instance."""

from __future__ import annotations

from typing import Any

from probe.sim.configuration import identifiers as ids
from probe.sim.configuration.network import uses_own_interface
from probe.sim.task import Container
from probe.sim.vpc import VPC

Item = dict[str, Any]


def tasks_of(vpc: VPC) -> tuple[dict[str, list[Item]], Item]:
    """The lists of ECS's objects, and the reply that describes the task definition."""
    task = vpc.task
    instance = _arn(vpc, f"container-instance/main/{ids.CONTAINER_INSTANCE}")
    instances = [{"containerInstanceArn": instance, "ec2InstanceId": ids.INSTANCE, "status": "ACTIVE"}]
    on_instance = task.launch_type != "FARGATE"
    described = {
        "taskArn": task.arn,
        "clusterArn": _arn(vpc, "cluster/main"),
        "taskDefinitionArn": _arn(vpc, "task-definition/app:26"),
        "launchType": task.launch_type,
        "availabilityZone": task.zone,
        "group": f"service:{task.service}" if task.service else "family:app",
        "lastStatus": "RUNNING",
        "attachments": [_attachment(vpc)] if uses_own_interface(vpc) else [],
        "containers": [_running(container) for container in task.containers],
        "overrides": {},
        **({"containerInstanceArn": instance} if on_instance else {}),
    }
    lists: dict[str, list[Item]] = {"tasks": [described], "containerInstances": instances if on_instance else []}
    if task.service:
        lists |= _service(vpc, task.service)
    return lists, {"taskDefinition": _definition(vpc)}


def _running(container: Container) -> Item:
    """A container of the task. Its image has a digest if it is one of the registry's. AWS[ecs-image-id]"""
    digest = {"imageDigest": container.image_id} if container.image_id else {}
    return {"name": container.name, "image": container.image, **digest}


def _service(vpc: VPC, name: str) -> dict[str, list[Item]]:
    """The service that started the task, and its revision, in which ECS pinned the digests."""
    definition, revision = _arn(vpc, "task-definition/app:26"), _arn(vpc, f"service-revision/main/{name}/4980306466373")
    images = [
        {"containerName": each["name"], **{key: value for key, value in each.items() if key != "name"}}
        for each in map(_running, vpc.task.containers)
    ]
    return {
        "services": [
            {
                "serviceArn": _arn(vpc, f"service/main/{name}"),
                "serviceName": name,
                "clusterArn": _arn(vpc, "cluster/main"),
                "status": "ACTIVE",
                "launchType": vpc.task.launch_type,
                "taskDefinition": definition,
                "currentServiceRevisions": [{"arn": revision, "requestedTaskCount": 1, "runningTaskCount": 1}],
                "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": [ids.TASK_SUBNET], "securityGroups": [ids.TASK_GROUP]}
                },
            }
        ],
        "serviceRevisions": [{"serviceRevisionArn": revision, "taskDefinition": definition, "containerImages": images}],
    }


def _attachment(vpc: VPC) -> Item:
    details = {"subnetId": ids.TASK_SUBNET, "networkInterfaceId": ids.TASK_INTERFACE}
    if vpc.network.address:
        details["privateIPv4Address"] = vpc.network.address
    return {
        "type": "ElasticNetworkInterface",
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def _definition(vpc: VPC) -> Item:
    task = vpc.task
    return {
        "taskDefinitionArn": _arn(vpc, "task-definition/app:26"),
        "family": "app",
        "revision": 26,
        "status": "ACTIVE",
        "executionRoleArn": task.execution_role_arn,
        **({"taskRoleArn": task.role_arn} if task.role else {}),
        "networkMode": task.network_mode,
        "requiresCompatibilities": [task.launch_type],
        "containerDefinitions": [_container(container) for container in task.containers],
    }


def _container(container: Container) -> Item:
    log: Item = {}
    if container.log_driver:
        options = {name: value for name, value in container.log_options.items() if name != "awslogs-stream"}
        log = {"logConfiguration": {"logDriver": container.log_driver, "options": options}}
    return {"name": container.name, "image": container.image, "essential": True, **log}


def _arn(vpc: VPC, name: str) -> str:
    return f"arn:{vpc.task.partition}:ecs:{vpc.region}:{vpc.task.account}:{name}"
