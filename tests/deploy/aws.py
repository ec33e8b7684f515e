"""A fake AWS for `up` and `down`: that of smoke's tests with CloudFormation, ECR and what a stack creates.

A task runs only with an image that the registry has: otherwise ECS stops it with CannotPullContainerError.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.deploy.cloudformation import CloudFormation, FakeStack
from tests.deploy.registry import TOKEN, FakeRegistry, FakeRepository
from tests.smoke.aws import ACCOUNT, ARN, GROUP, REGION, Aws, Error, Life, Silence, shop, subnet

VPC = "vpc-0a1b2c3d4e5f60718"
MUTATING = (
    "BatchDelete",
    "Create",
    "Delete",
    "Execute",
    "Put",
    "Register",
    "Run",
    "Stop",
    "Tag",
    "Update",
)


@dataclass
class DeployedAws(Aws):
    """`log_groups`, `roles` and `others` are what stacks have created, or what was there before."""

    repositories: dict[str, FakeRepository] = field(default_factory=dict)
    registry: FakeRegistry = field(init=False)
    cloudformation: CloudFormation = field(init=False)
    log_groups: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    revision: int = 0
    vpcs: dict[str, list[str]] = field(default_factory=lambda: {VPC: ["10.0.0.0/16", "100.64.0.0/16"]})
    cannot_delete: str = ""  # the reason why BatchDeleteImage fails

    def __post_init__(self) -> None:
        self.registry = FakeRegistry(self.repositories)
        self.cloudformation = CloudFormation(lambda: self.now(), self._create, self._remove)
        self.definitions = {"shop": shop()}
        for name in ("describe_stacks", "create_change_set", "list_change_sets", "describe_change_set"):
            self._route(name)
        for name in (
            "delete_change_set",
            "execute_change_set",
            "delete_stack",
            "describe_stack_events",
            "list_stack_resources",
        ):
            self._route(name)

    def _route(self, name: str) -> None:
        operation = "".join(part.capitalize() for part in name.split("_"))
        call: Callable[[dict[str, Any]], Any] = getattr(self.cloudformation, name)
        setattr(self, f"_{operation}", call)

    def reply(self, action: str, request: dict[str, Any]) -> dict[str, Any] | Error | Silence:
        self.cloudformation.tick()
        return super().reply(action, request)

    # ---- for assertions ----------------------------------------------------------------------------------------------

    def left(self) -> dict[str, list[str]]:
        """What exists, by kind; nothing that is empty."""
        found = {
            "stacks": [stack.name for stack in self.cloudformation.stacks if stack.status != "DELETE_COMPLETE"],
            "repositories": sorted(self.repositories),
            "images": sorted(digest for repository in self.repositories.values() for digest in repository.manifests),
            "log groups": sorted(self.log_groups),
            "roles": sorted(self.roles),
            "task definitions": sorted(set(self.definitions) - {"shop"}),
            "others": sorted(self.others),
            "running tasks": [task.arn for task in self.running()],
        }
        return {kind: names for kind, names in found.items() if names}

    def mutations(self) -> list[str]:
        return [action for _, action, _ in self.calls if action.partition(":")[2].startswith(MUTATING)]

    # ---- what a stack creates ----------------------------------------------------------------------------------------

    def _create(self, stack: FakeStack, name: str, resource: dict[str, Any]) -> str | None:
        kind = resource["Type"]
        physical = f"{stack.name}-{name}"
        if kind == "AWS::ECR::Repository":
            if stack.physical.get(name) != resource["RepositoryName"]:
                if resource["RepositoryName"] in self.repositories:
                    return f"Resource of type '{kind}' with identifier '{resource['RepositoryName']}' already exists."
                immutable = resource.get("ImageTagMutability") == "IMMUTABLE"
                repository = FakeRepository(resource["RepositoryName"], immutable, stack=stack.name)
                self.repositories[repository.name] = repository
            physical = resource["RepositoryName"]
        elif kind == "AWS::Logs::LogGroup":
            physical = resource["LogGroupName"]
            if physical in self.log_groups and stack.physical.get(name) != physical:
                return f"Resource of type '{kind}' with identifier '{physical}' already exists."
            self.log_groups.add(physical)
        elif kind == "AWS::IAM::Role":
            self.roles.add(physical)
            physical = f"arn:aws:iam::{ACCOUNT}:role/{physical}"
        elif kind == "AWS::ECS::TaskDefinition":
            self.revision += 1
            physical = f"{ARN}:task-definition/{resource['Family']}:{self.revision}"
            definition = _with_small_initials(
                {key: value for key, value in resource.items() if key not in ("Type", "Tags")}
            )
            self.definitions[resource["Family"]] = {**definition, "taskDefinitionArn": physical, "status": "ACTIVE"}
        else:
            self.others.add(physical)
        stack.physical[name] = physical
        return None

    def _remove(self, stack: FakeStack, name: str, resource: dict[str, Any]) -> str | None:
        kind, physical = resource["Type"], stack.physical.pop(name)
        if kind == "AWS::ECR::Repository":
            if self.repositories[physical].manifests:
                stack.physical[name] = physical
                return f"The repository with name '{physical}' cannot be deleted because it still contains images"
            del self.repositories[physical]
        self.log_groups.discard(physical)
        self.roles.discard(physical.rpartition("/")[2])
        self.others.discard(physical)
        if kind == "AWS::ECS::TaskDefinition":
            self.definitions.pop(resource["Family"], None)
        return None

    # ---- ECS ---------------------------------------------------------------------------------------------------------

    def _RunTask(self, request: dict[str, Any]) -> dict[str, Any] | Error | Silence:  # noqa: N802
        family = request["taskDefinition"].rpartition("/")[2].partition(":")[0]
        image = self.definitions[family]["containerDefinitions"][0]["image"]
        repository, _, digest = image.partition("/")[2].partition("@")
        stored = self.repositories.get(repository)
        if stored is None or digest not in stored.manifests:
            reason = f"CannotPullContainerError: {image}: not found"
            lives, self.lives = self.lives, lambda *_: Life.never_runs(reason)
            try:
                return super()._RunTask(request)
            finally:
                self.lives = lives
        return super()._RunTask(request)

    def _DescribeClusters(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        names = [name.rpartition("/")[2] for name in request["clusters"]]
        return {"clusters": [{"clusterName": name, "status": "ACTIVE"} for name in names if name in self.clusters]}

    # ---- the rest of an account --------------------------------------------------------------------------------------

    def _GetCallerIdentity(self, _request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me", "UserId": "AIDAEXAMPLE"}

    def _DescribeSubnets(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        reply = super()._DescribeSubnets(request)
        if isinstance(reply, dict):
            return {"Subnets": [{**item, "VpcId": VPC} for item in reply["Subnets"]]}
        return reply

    def _DescribeVpcs(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {
            "Vpcs": [
                {
                    "VpcId": name,
                    "CidrBlock": self.vpcs[name][0],
                    "CidrBlockAssociationSet": [
                        {"CidrBlock": block, "CidrBlockState": {"State": "associated"}} for block in self.vpcs[name]
                    ]
                    + [{"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": "disassociated"}}],
                    "Ipv6CidrBlockAssociationSet": [],
                }
                for name in request["VpcIds"]
            ]
        }

    def _DescribeSecurityGroups(self, _request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"SecurityGroups": [{"GroupId": GROUP, "GroupName": "default"}]}

    def _DescribeLogGroups(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        prefix = request["logGroupNamePrefix"]
        return {"logGroups": [{"logGroupName": name} for name in self.log_groups if name.startswith(prefix)]}

    # ---- ECR ---------------------------------------------------------------------------------------------------------

    def _repository(self, name: str) -> FakeRepository | Error:
        sentence = f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"
        return self.repositories.get(name) or Error("RepositoryNotFoundException", sentence)

    def _DescribeRepositories(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        (name,) = request["repositoryNames"]
        repository = self._repository(name)
        if isinstance(repository, Error):
            return repository
        return {
            "repositories": [
                {
                    "repositoryName": name,
                    "repositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}",
                    "repositoryUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}",
                }
            ]
        }

    def _ListTagsForResource(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        repository = self._repository(request["resourceArn"].partition(":repository/")[2])
        if isinstance(repository, Error):
            return repository
        tags = {"aws:cloudformation:stack-name": repository.stack, "ecr-probe": "0.1.0"} if repository.stack else {}
        return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _DescribeImages(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        repository = self._repository(request["repositoryName"])
        if isinstance(repository, Error):
            return repository
        details = [
            {
                "imageDigest": digest,
                **({"imageTags": tags} if (tags := repository.tags_of(digest)) else {}),
                "imageSizeInBytes": len(body),
            }
            for digest, (_, body) in repository.manifests.items()
        ]
        start = int(request.get("nextToken", 0))
        more = {"nextToken": str(start + 2)} if len(details) > start + 2 else {}
        return {"imageDetails": details[start : start + 2], **more}

    def _GetAuthorizationToken(self, _request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        token = base64.b64encode(f"AWS:{TOKEN}".encode()).decode()
        return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": self.registry.url}]}

    def _BatchDeleteImage(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        """An image that an index lists is not removed (botocore ecr, ImageFailureCode); a tag is, and the image with
        its last one (botocore ecr, BatchDeleteImage)."""
        repository = self._repository(request["repositoryName"])
        if isinstance(repository, Error):
            return repository
        failures = []
        for wanted in request["imageIds"]:
            digest = wanted.get("imageDigest") or repository.tags.get(wanted["imageTag"], "")
            if digest not in repository.manifests:
                failures.append({"imageId": wanted, "failureCode": "ImageNotFound", "failureReason": "not found"})
            elif "imageTag" in wanted and len(repository.tags_of(digest)) > 1:
                del repository.tags[wanted["imageTag"]]
            elif self.cannot_delete or repository.listed_by(digest):
                reason = (
                    self.cannot_delete or f"Requested image referenced by manifest list: {repository.listed_by(digest)}"
                )
                failure = {"failureCode": "ImageReferencedByManifestList", "failureReason": reason}
                failures.append({"imageId": wanted, **failure})
            else:
                del repository.manifests[digest]
                repository.tags = {tag: other for tag, other in repository.tags.items() if other != digest}
        return {"imageIds": request["imageIds"], "failures": failures}

    def _DeleteRepository(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        repository = self._repository(request["repositoryName"])
        if isinstance(repository, Error):
            return repository
        if repository.manifests and not request.get("force"):
            return Error(
                "RepositoryNotEmptyException", "The repository cannot be deleted because it still contains images"
            )
        del self.repositories[repository.name]
        return {}


def _with_small_initials(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_small_initials(item) for item in value]
    if isinstance(value, dict):
        keep = {"Options"}  # names of log options are written as they are
        return {
            key[0].lower() + key[1:]: inner if key in keep else _with_small_initials(inner)
            for key, inner in value.items()
        }
    return value


def push_by_others(repository: FakeRepository, tag: str, content: bytes = b"theirs") -> str:
    """Put an image of one layer into a repository, as somebody else would. Returns its digest."""
    from tests.registries import layouts

    files: layouts.Files = {}
    descriptor = layouts.put_image(files, content=content)
    for name, blob in files.items():
        repository.blobs[f"sha256:{name.rpartition('/')[2]}"] = blob
    body = files[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"]
    assert repository.put(json.loads(body)["mediaType"], body, tag) is None
    return str(descriptor["digest"])


SUBNETS = [subnet(number) for number in range(3)]
