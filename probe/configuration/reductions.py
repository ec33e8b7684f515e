"""What is left of ECS's descriptions on reading: nothing in which a secret could be.

Environment values, commands, labels, tags, options of log drivers other than awslogs's, and the names of secrets are
dropped. Of a secret its service, region and account stay, since its endpoint is inspected.
"""

from __future__ import annotations

from typing import Any

from probe.safe_words import scrub
from probe.wire.errors import WireError
from probe.wire.manifests import parse

Item = dict[str, Any]

_LOG_OPTIONS = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix", "awslogs-create-group")
_OF_CONTAINER = ("name", "image", "essential", "versionConsistency")
_OF_RUNNING_CONTAINER = ("name", "image", "imageDigest")
_OF_DEFINITION = (
    "taskDefinitionArn",
    "family",
    "revision",
    "status",
    "executionRoleArn",
    "taskRoleArn",
    "networkMode",
    "compatibilities",
    "requiresCompatibilities",
    "runtimePlatform",
)
_MAX_MANIFEST = 4 * 1024 * 1024  # characters, as a check reads bytes of a manifest
_MOST_PLATFORMS = 100
_LONGEST_PLATFORM = 60  # characters
_TYPES_OF_NAMES = ("A", "AAAA", "CNAME")
_OF_INTERFACES = ("networkInterfaceId", "subnetId", "privateIPv4Address")


def task_definition(reply: Item) -> Item:
    """The reply to ecs:DescribeTaskDefinition."""
    definition = reply.get("taskDefinition") or {}
    containers = [_container(container) for container in definition.get("containerDefinitions", ())]
    volumes = [volume for each in definition.get("volumes") or () if (volume := _volume(each))]
    return {
        "taskDefinition": {
            **_only(definition, _OF_DEFINITION),
            "containerDefinitions": containers,
            **({"volumes": volumes} if volumes else {}),
        }
    }


def service(item: Item) -> Item:
    """One service; of its task sets only their network."""
    sets = [
        _only(each, ("status", "launchType", "capacityProviderStrategy", "networkConfiguration", "taskDefinition"))
        for each in item.get("taskSets") or ()
    ]
    return {**item, "taskSets": sets}


def task(item: Item) -> Item:
    """One task; of its attachments only the network interface."""
    attachments = [
        {
            "type": attachment.get("type"),
            "details": [detail for detail in attachment.get("details", ()) if detail.get("name") in _OF_INTERFACES],
        }
        for attachment in item.get("attachments", ())
    ]
    containers = [_only(container, _OF_RUNNING_CONTAINER) for container in item.get("containers", ())]
    overrides = _only(item.get("overrides") or {}, ("executionRoleArn",))
    return {**item, "attachments": attachments, "containers": containers, "overrides": overrides}


def image_manifest(item: Item) -> Item:
    """One manifest: the platforms of an index, in its order. An entry without one is an empty text."""
    text = str(item.get("imageManifest") or "")
    try:
        manifest = parse(text.encode(), str(item.get("imageManifestMediaType"))) if len(text) <= _MAX_MANIFEST else None
    except WireError:
        manifest = None
    children = manifest.children[:_MOST_PLATFORMS] if manifest else ()
    platforms = [scrub(child.platform.text)[:_LONGEST_PLATFORM] if child.platform else "" for child in children]
    return {"platforms": list(dict.fromkeys(platforms))}


def record_set(item: Item) -> Item:
    """A record set. Of other types than those of names, such as TXT, it counts that there is one."""
    if item.get("Type") in _TYPES_OF_NAMES:
        return item
    return _only(item, ("Name", "Type", "TTL"))


def _container(container: Item) -> Item:
    log = container.get("logConfiguration") or {}
    secrets = [*(container.get("secrets") or ()), *(log.get("secretOptions") or ())]
    references = [_kind(str(secret.get("valueFrom", ""))) for secret in secrets]
    specifications = map(_credential_specification, map(str, container.get("credentialSpecs") or ()))
    references += [kind for kind in specifications if kind]
    login = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
    return {
        **_only(container, _OF_CONTAINER),
        "logConfiguration": {
            "logDriver": log.get("logDriver"),
            "options": _only(log.get("options") or {}, _LOG_OPTIONS),
        },
        "secrets": [{"valueFrom": kind} for kind in dict.fromkeys(references)],
        "repositoryCredentials": {"credentialsParameter": _kind(str(login))} if login else {},
    }


def _volume(volume: Item) -> Item | None:
    """Of a volume only that ECS reads credentials for it: a share of FSx for Windows."""
    share = volume.get("fsxWindowsFileServerVolumeConfiguration") or {}
    login = (share.get("authorizationConfig") or {}).get("credentialsParameter")
    if not login:
        return None
    authorization = {"credentialsParameter": _kind(str(login))}
    return {"fsxWindowsFileServerVolumeConfiguration": {"authorizationConfig": authorization}}


def _credential_specification(text: str) -> str | None:
    """The parameter of "credentialspec:ARN", for gMSA; None where it is an object of S3."""
    reference = text.partition(":")[2]
    return _kind(reference) if ":ssm:" in reference else None


def _kind(reference: str) -> str:
    """A secret's ARN up to its name; "ssm" for the name of a parameter."""
    parts = reference.split(":")
    return ":".join(parts[:5]) if reference.startswith("arn:") and len(parts) > 5 else "ssm"


def _only(item: Item, names: tuple[str, ...]) -> Item:
    return {name: item[name] for name in names if name in item}
