"""AWS outside the VPC: accounts, the services in all regions, and the images in the registries."""

from __future__ import annotations

import secrets

from probe.sim import images
from probe.sim.ecr import EcrApi, Passwords, Registry
from probe.sim.identity import Keys, Principal
from probe.sim.s3 import LayerStore
from probe.sim.services import Account, Logs, OtherApi, Service
from probe.sim.task import Task

OTHER_ACCOUNT = "210987654321"
OTHER_REGION = "us-west-2"
APP = "team/app"
TAG = "1.0"


def temporary_keys(account: str, role_arn: str, session_arn: str) -> Keys:
    """Create temporary credentials. Access keys of sessions begin with ASIA."""
    return Keys(
        access_key="ASIA" + secrets.token_hex(8).upper(),
        secret_key=secrets.token_urlsafe(30),
        token=secrets.token_urlsafe(300),
        principal=Principal(account, role_arn, session_arn),
    )


class Cloud:
    """The services. `task_keys` and `instance_keys` are the two identities that a task can use."""

    def __init__(self, task: Task) -> None:
        instance = f"arn:{task.partition}:iam::{task.account}:role/ecsInstanceRole"
        session = f"arn:{task.partition}:sts::{task.account}:assumed-role/ecsInstanceRole/i-0a1b2c3d4e5f60718"
        self.task_keys = temporary_keys(task.account, task.role_arn, task.session_arn)
        self.instance_keys = temporary_keys(task.account, instance, session)
        self.account = Account(task.account, {keys.access_key: keys for keys in (self.task_keys, self.instance_keys)})
        self.passwords = Passwords()
        self.repositories = images.Repositories()
        self.pull_through: list[str] = []  # prefixes of the registry's pull-through cache rules
        self.api = EcrApi(self.account, self.passwords, self.repositories)
        self.layers = LayerStore(self.account, self.repositories)
        self.registry = Registry(self.account, self.passwords, self.repositories, self.layers)
        self.logs = Logs(self.account)
        self.apis = {name: OtherApi(self.account, name) for name in ("secretsmanager", "ssm", "kms", "sts", "ecs")}
        self.others = Service(self.account)
        self._push(task)

    def service(self, name: str) -> Service:
        services: dict[str, Service] = {
            "ecr.api": self.api,
            "ecr.dkr": self.registry,
            "s3": self.layers,
            "logs": self.logs,
            **self.apis,
        }
        return services.get(name, self.others)

    def secrets(self) -> tuple[str, ...]:
        """All values that must not appear in any output."""
        both = (self.task_keys, self.instance_keys)
        credentials = [value for keys in both for value in (keys.access_key, keys.secret_key, keys.token)]
        kept = [value for api in self.apis.values() for value in api.secrets.values()]
        return (*credentials, *kept, *self.passwords.issued, self.layers.token, *self.layers.signatures)

    def _push(self, task: Task) -> None:
        """Push the task's image for two platforms, here and in another region, and a base image of another account."""
        own = self.repositories.create(task.account, task.region, APP)
        own.push(images.index(), TAG, "latest").push(images.single(), "amd64").push(
            images.single(docker=True), "docker"
        )
        self.repositories.create(task.account, OTHER_REGION, APP).push(images.index(), TAG)
        self.repositories.create(OTHER_ACCOUNT, task.region, "shared/base").push(images.index(), TAG)
