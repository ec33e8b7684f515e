"""AWS outside the VPC: accounts, the services in all regions, the images in the registries. Reached by doors."""

from __future__ import annotations

import secrets

from probe.sim import images
from probe.sim.api import EcrApi, Passwords
from probe.sim.identity import Keys, Principal
from probe.sim.logs import Logs
from probe.sim.registry import Registry
from probe.sim.s3 import LayerStore
from probe.sim.services import Account, Service
from probe.sim.task import Task

OTHER_ACCOUNT = "210987654321"
OTHER_REGION = "us-west-2"
APP = "team/app"
TAG = "1.0"


def keys_of(account: str, role_arn: str, session_arn: str) -> Keys:
    """Fresh temporary credentials. Access keys of sessions begin with ASIA."""
    return Keys(
        access_key="ASIA" + secrets.token_hex(8).upper(),
        secret_key=secrets.token_urlsafe(30),
        token=secrets.token_urlsafe(300),
        principal=Principal(account, role_arn, session_arn),
    )


class Cloud:
    """The services. `task_keys` and `instance_keys` are the two identities that a task can come by."""

    def __init__(self, task: Task) -> None:
        instance = f"arn:{task.partition}:iam::{task.account}:role/ecsInstanceRole"
        session = f"arn:{task.partition}:sts::{task.account}:assumed-role/ecsInstanceRole/i-0a1b2c3d4e5f60718"
        self.task_keys = keys_of(task.account, task.role_arn, task.session_arn)
        self.instance_keys = keys_of(task.account, instance, session)
        self.account = Account(task.account, {each.access_key: each for each in (self.task_keys, self.instance_keys)})
        self.passwords = Passwords()
        self.repositories = images.Repositories()
        self.api = EcrApi(self.account, self.passwords, self.repositories)
        self.layers = LayerStore(self.account, self.repositories)
        self.registry = Registry(self.account, self.passwords, self.repositories, self.layers)
        self.logs = Logs(self.account)
        self.others = Service(self.account)
        self._push(task)

    def service(self, name: str) -> Service:
        known: dict[str, Service] = {
            "ecr.api": self.api,
            "ecr.dkr": self.registry,
            "s3": self.layers,
            "logs": self.logs,
        }
        return known.get(name, self.others)

    def secrets(self) -> tuple[str, ...]:
        """Everything that must not appear in any output."""
        keys = (self.task_keys, self.instance_keys)
        held = [word for each in keys for word in (each.access_key, each.secret_key, each.token)]
        return (*held, *self.passwords.issued, self.layers.token, *self.layers.signatures)

    def _push(self, task: Task) -> None:
        """The task's image for two platforms; the same in another region; a shared base in another account."""
        own = self.repositories.create(task.account, task.region, APP)
        own.push(images.index(), TAG, "latest").push(images.single(), "amd64").push(
            images.single(docker=True), "docker"
        )
        self.repositories.create(task.account, OTHER_REGION, APP).push(images.index(), TAG)
        self.repositories.create(OTHER_ACCOUNT, task.region, "shared/base").push(images.index(), TAG)
