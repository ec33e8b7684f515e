"""The image that ECS pulls for a tag: the digest to which it resolved the tag for a deployment of a service.

AWS[ecs-version-consistency] A tag that moved, and a lifecycle rule that deletes what it left, break the next task of
the deployment although the tag exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probe.configuration.document import Configuration
from probe.configuration.operations import SERVICE_REVISIONS
from probe.configuration.view import View
from probe.gates.changes import Change
from probe.model import Advice
from probe.records import Record


class Pin(Record, frozen=True, kw_only=True):
    """A container of a service's task definition, whose tag ECS may have resolved.

    `revision` is the ARN of the service's revision, which has the digest of each container. Where it is not known,
    `started_from` is the digest from which a task of the service was started.
    """

    tag: str
    container: str
    revision: str | None = None
    started_from: str | None = None


class Wanted(Record, frozen=True, kw_only=True):
    """An image that a pull asks for: a tag or a digest. `pin`: what ECS resolved to this digest.

    `certain`: the service's revision has the digest. Otherwise a task ran from it, and ECS may pull the tag as well.
    """

    version: str
    pin: Pin | None = None
    certain: bool = True


def wanted_images(view: View, versions: tuple[str, ...], pins: tuple[Pin, ...]) -> Iterator[Wanted]:
    """What a pull asks for, where the task definition names `versions`. Raises MissingError."""
    for version in versions:
        own = [pin for pin in pins if version in (pin.tag, _digest(view, pin))]
        for pin in own:
            yield _wanted(view, version, pin)
        if not own:
            yield Wanted(version=version)


def _wanted(view: View, version: str, pin: Pin) -> Wanted:
    digest = _digest(view, pin)
    if digest is None:
        return Wanted(version=version)
    return Wanted(version=digest, pin=pin, certain=pin.revision is not None)


def _digest(view: View, pin: Pin) -> str | None:
    """The digest that is pinned for a container. Raises MissingError."""
    if pin.revision is None:
        return pin.started_from
    for revision in view.items(SERVICE_REVISIONS, serviceRevisionArns=[pin.revision]):
        for image in revision.get("containerImages", ()):
            if image.get("containerName") == pin.container:
                return image.get("imageDigest") or None
    return None


class NewDeployment(Change, frozen=True, kw_only=True):
    """Start a new deployment, for which ECS resolves the tags again. `object` is the service's revision.

    AWS[ecs-version-consistency]
    """

    tag: str

    @property
    def _place(self) -> tuple[str, str]:
        """Cluster and service: arn:aws:ecs:REGION:ACCOUNT:service-revision/CLUSTER/SERVICE/ID."""
        cluster, service = self.object.split("/")[1:3]
        return cluster, service

    def applied(self, configuration: Configuration) -> Configuration:
        def resolved_again(reply: dict[str, Any]) -> dict[str, Any]:
            revisions = [{**item, "containerImages": []} for item in reply.get("serviceRevisions", ())]
            return {**reply, "serviceRevisions": revisions}

        return configuration.with_reply(SERVICE_REVISIONS, resolved_again, serviceRevisionArns=[self.object])

    def advice(self, region: str) -> Advice:
        cluster, service = self._place
        return Advice(
            f"start a new deployment of the service {service}, which resolves the tag {self.tag} again",
            (
                f"aws ecs update-service --region {region} --cluster {cluster} --service {service} "
                "--force-new-deployment",
            ),
            "It replaces the running tasks by tasks with the image that the tag names now.",
        )
