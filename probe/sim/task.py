"""The task in which the probe runs, and the link-local servers of its metadata, credentials and instance."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.records import Record, field
from probe.sim import names
from probe.sim.http import Reply, Request
from probe.sim.identity import Keys
from probe.sim.services import InjectedReply

ID = "0c1b2a3948576d6e8f90a1b2c3d4e5f6"


class Container(Record):
    name: str
    image: str
    log_driver: str | None = None
    log_options: dict[str, str] = field(default_factory=dict)
    image_id: str = ""


class Task(Record):
    """A task. `address` and `ipv6` belong to the interface that sends its packets."""

    account: str
    region: str
    launch_type: str
    network_mode: str
    address: str | None
    subnet: str
    ipv6: str | None
    subnet_ipv6: str | None
    image: str
    nameservers: tuple[str, ...]
    zone: str = ""
    family: str = "app"  # of the task definition
    snapshotter: str = "overlayfs"
    service: str | None = None  # that started it; it pins the images by which its containers are identified
    role: str | None = "probe-task"
    execution_role: str = "ecsTaskExecutionRole"
    containers: list[Container] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    credentials_path: str = field(default_factory=lambda: f"/v2/credentials/{secrets.token_hex(16)}")

    def __post_init__(self) -> None:
        self.zone = self.zone or f"{self.region}a"
        if not self.containers:
            self.containers = [Container("app", self.image)]
            self.use_awslogs("app")

    @property
    def own(self) -> Container:
        return self.containers[0]

    @property
    def partition(self) -> str:
        return names.partition(self.region)

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}:task/main/{ID}"

    @property
    def role_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{self.role}"

    @property
    def execution_role_arn(self) -> str:
        """The role that pulls."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.execution_role}"

    @property
    def session_arn(self) -> str:
        """The caller's ARN; on ECS the session is named after the task's id."""
        return f"arn:{self.partition}:sts::{self.account}:assumed-role/{self.role}/{ID}"

    @property
    def log_stream(self) -> str:
        return f"ecs/app/{ID}"

    def use_awslogs(self, container: str, group: str = "/ecs/app", region: str | None = None) -> None:
        """Set a container's log driver. ECS fills in the name of the stream."""
        for item in self.containers:
            if item.name == container:
                item.log_driver = "awslogs"
                item.log_options = {
                    "awslogs-group": group,
                    "awslogs-region": region or self.region,
                    "awslogs-stream": f"ecs/{container}/{ID}",
                }

    def environ(self) -> dict[str, str]:
        """The variables that ECS sets; that of credentials only with a task role."""
        execution_env = {"EC2": "AWS_ECS_EC2", "MANAGED_INSTANCES": "AWS_ECS_MANAGED_INSTANCES"}.get(
            self.launch_type, "AWS_ECS_FARGATE"
        )
        variables = {
            "ECS_CONTAINER_METADATA_URI_V4": f"http://169.254.170.2/v4/{ID}",
            "ECS_CONTAINER_METADATA_URI": f"http://169.254.170.2/v3/{ID}",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }
        if self.launch_type != "EXTERNAL":
            variables["AWS_EXECUTION_ENV"] = execution_env
        if self.role:
            variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = self.credentials_path
        return variables | self.variables

    # ---- the metadata documents -------------------------------------------------------------------------------------

    def container_document(self, container: Container, *, version: int = 4) -> dict[str, Any]:
        """A container document as the ECS agent writes it: mixed spellings, nanoseconds, optional fields left out."""
        document: dict[str, Any] = {
            "DockerId": f"{ID}-2531612879",
            "Name": container.name,
            "DockerName": container.name,
            "Image": container.image,
            "ImageID": container.image_id,
            "Labels": {"com.amazonaws.ecs.container-name": container.name, "com.amazonaws.ecs.task-arn": self.arn},
            "DesiredStatus": "RUNNING",
            "KnownStatus": "RUNNING",
            "Limits": {"CPU": 2},
            "CreatedAt": "2026-03-14T09:26:53.589793238Z",
            "StartedAt": "2026-03-14T09:26:53.589793238Z",
            "Type": "NORMAL",
            "Networks": [self._network()],
        }
        if version >= 4 and self.launch_type == "FARGATE":
            document["Snapshotter"] = self.snapshotter
        if version >= 4:
            document["ContainerARN"] = f"arn:{self.partition}:ecs:{self.region}:{self.account}:container/main/{ID}/1"
            if container.log_driver:
                document["LogDriver"] = container.log_driver
            if container.log_options:
                document["LogOptions"] = dict(container.log_options)
        return document

    def task_document(self, *, version: int = 4) -> dict[str, Any]:
        document: dict[str, Any] = {
            "Cluster": f"arn:{self.partition}:ecs:{self.region}:{self.account}:cluster/main",
            "TaskARN": self.arn,
            "Family": self.family,
            "Revision": "26",
            "DesiredStatus": "RUNNING",
            # On Fargate a starting task reads NONE while its containers run.
            "KnownStatus": "NONE" if self.launch_type == "FARGATE" else "RUNNING",
            "Limits": {"CPU": 0.25, "Memory": 512},
            "PullStartedAt": "2026-03-14T09:26:40.123456789Z",
            "PullStoppedAt": "2026-03-14T09:26:50.987654321Z",
            "AvailabilityZone": self.zone,
            "Containers": [self.container_document(item, version=version) for item in self.containers],
        }
        if version >= 4:
            document["LaunchType"] = self.launch_type
            document["FaultInjectionEnabled"] = False
        if version >= 4 and self.launch_type == "FARGATE":
            clock = {"ClockErrorBound": 0.54, "ReferenceTimestamp": "2026-03-14T09:26:53Z"}
            document["ClockDrift"] = clock | {"ClockSynchronizationStatus": "SYNCHRONIZED"}
        if self.launch_type == "EC2":
            document["VPCID"] = "vpc-0a1b2c3d4e5f60718"
        return document

    def _network(self) -> dict[str, Any]:
        """The network of a container. In host mode it has one empty address and no subnet."""
        if self.network_mode != "awsvpc":
            return {
                "NetworkMode": self.network_mode,
                "IPv4Addresses": ["" if self.network_mode == "host" else "172.17.0.2"],
            }
        document: dict[str, Any] = {
            "NetworkMode": "awsvpc",
            "AttachmentIndex": 0,
            "MACAddress": "0a:de:f6:10:51:e5",
            "PrivateDNSName": "ip-10-0-1-77.ec2.internal",
        }
        if self.address:
            document |= {"IPv4Addresses": [self.address], "IPv4SubnetCIDRBlock": self.subnet}
        if self.ipv6:
            document |= {"IPv6Addresses": [self.ipv6], "IPv6SubnetCIDRBlock": self.subnet_ipv6}
        if self.launch_type == "FARGATE":
            document["DomainNameServers"] = list(self.nameservers)
        return document


CREDENTIALS_ADDRESS = "169.254.170.2"
INSTANCE_ADDRESS = "169.254.169.254"
_LIFETIME = timedelta(hours=6)


class TaskMetadata:
    """169.254.170.2 as the ECS agent serves it. `edits` change documents before they are sent."""

    def __init__(self, task: Task, keys: Keys) -> None:
        self.task = task
        self.keys = keys
        self.injected_replies: list[InjectedReply] = []
        self.edits: list[Callable[[dict[str, Any]], None]] = []

    def answer(self, request: Request) -> Reply:
        for injected in self.injected_replies:
            if injected.matches(request):
                return injected.reply
        if request.path == self.task.credentials_path and self.task.role:
            return self._credentials()
        if request.path.startswith(("/v1/credentials", "/v2/credentials")):
            return credentials_error(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found")
        return self._document(request.path)

    def _document(self, path: str) -> Reply:
        for version in (4, 3):
            base = f"/v{version}/{ID}"
            if path == base:
                return self._json(self.task.container_document(self.task.own, version=version))
            if path == f"{base}/task":
                return self._json(self.task.task_document(version=version))
        return string_error(404, f"V4 task metadata handler: unable to get task id from v3 endpoint ID: {path}")

    def _json(self, document: dict[str, Any]) -> Reply:
        for edit in self.edits:
            edit(document)
        return Reply(200, json.dumps(document).encode())

    def _credentials(self) -> Reply:
        document = {
            "RoleArn": self.task.role_arn,
            "AccessKeyId": self.keys.access_key,
            "SecretAccessKey": self.keys.secret_key,
            "Token": self.keys.token,
            "Expiration": f"{datetime.now(UTC) + _LIFETIME:%Y-%m-%dT%H:%M:%SZ}",
        }
        return Reply(200, json.dumps(document).encode())


def string_error(status: int, message: str) -> Reply:
    """An error of the agent's metadata: a JSON string, not an object."""
    return Reply(status, json.dumps(message).encode())


def credentials_error(status: int, code: str, message: str) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": message, "HTTPErrorCode": status}).encode())


def credentials_uninitialised() -> Reply:
    """The agent's answer right after its start, when it has no credentials yet."""
    return credentials_error(503, "CredentialsUninitialized", "CredentialsV2Request: Credentials uninitialized for ID")


class InstanceMetadata:
    """169.254.169.254, version 2 only: every read needs a session token. It contains the VPC's ranges."""

    MAC = "0a:de:f6:10:51:01"

    def __init__(self, ranges: list[str], ranges_ipv6: list[str], keys: Keys, role: str) -> None:
        self.ranges = ranges
        self.ranges_ipv6 = ranges_ipv6
        self.keys = keys
        self.role = role
        self._sessions: set[str] = set()

    def answer(self, request: Request) -> Reply:
        if request.path == "/latest/api/token" and request.method == "PUT":
            token = secrets.token_urlsafe(40)
            self._sessions.add(token)
            return _text(token)
        if request.headers.get("x-aws-ec2-metadata-token") not in self._sessions:
            return Reply(401, b"", (), "text/html")
        value = self._tree().get(request.path.removeprefix("/latest/meta-data/").rstrip("/"))
        return _text(value) if value is not None else Reply(404, b"<html>Not Found</html>", (), "text/html")

    def _tree(self) -> dict[str, str]:
        interface = f"network/interfaces/macs/{self.MAC}"
        credentials = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": self.keys.access_key,
            "SecretAccessKey": self.keys.secret_key,
            "Token": self.keys.token,
            "Expiration": f"{datetime.now(UTC) + _LIFETIME:%Y-%m-%dT%H:%M:%SZ}",
        }
        tree = {
            "mac": self.MAC,
            "network/interfaces/macs": f"{self.MAC}/",
            f"{interface}/vpc-ipv4-cidr-block": self.ranges[0],
            f"{interface}/vpc-ipv4-cidr-blocks": "\n".join(self.ranges),
            "iam/security-credentials": self.role,
            f"iam/security-credentials/{self.role}": json.dumps(credentials),
        }
        if self.ranges_ipv6:
            tree[f"{interface}/vpc-ipv6-cidr-blocks"] = "\n".join(self.ranges_ipv6)
        return tree


def _text(value: str) -> Reply:
    return Reply(200, value.encode(), (("Server", "EC2ws"),), "text/plain")
