"""What IAM, Organizations, ECR, KMS and CloudWatch Logs describe: roles, policies, repositories, keys, log groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from probe.sim.cloud import OTHER_ACCOUNT
from probe.sim.configuration import identifiers as ids
from probe.sim.configuration.policies import document
from probe.sim.identity import ALLOW_ALL, Policy, Statement
from probe.sim.images import Repository
from probe.sim.vpc import VPC

Item = dict[str, Any]

# AmazonECSTaskExecutionRolePolicy, as AWS's guide prints it.
_EXECUTION = (
    Statement(
        actions=(
            "ecr:GetAuthorizationToken",
            "ecr:BatchCheckLayerAvailability",
            "ecr:GetDownloadUrlForLayer",
            "ecr:BatchGetImage",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        )
    ),
)
# What AWS's guide adds where a task definition names secrets.
_SECRETS = (Statement(actions=("secretsmanager:GetSecretValue", "ssm:GetParameters", "kms:Decrypt")),)
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_ROOT = "r-0a01"
# What only the account that owns it can read.
DENIED = frozenset(
    f"ecr:{operation} {OTHER_ACCOUNT}"
    for operation in ("GetRepositoryPolicy", "DescribeRepositories", "DescribeImages")
)


def access_of(vpc: VPC) -> dict[str, Item]:
    """The replies that describe one object."""
    task, permissions = vpc.task, vpc.cloud.account.permissions
    condition = {"StringEquals": {"aws:SourceVpce": _own_endpoints(vpc)}} if permissions.own_endpoint_only else None
    own = document(permissions.role, principals=False, condition=condition)
    managed = f"arn:{task.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    replies = {
        "iam:GetPolicy": {"Policy": {"Arn": managed, "DefaultVersionId": "v3"}},
        "iam:GetPolicyVersion": {
            "PolicyVersion": {"Document": document(_EXECUTION, principals=False), "VersionId": "v3"}
        },
        **_role(vpc, task.execution_role, inline=document(_SECRETS, principals=False), managed=managed),
        **_organization(vpc, permissions.organisation),
        **_keys(vpc),
    }
    for name in (task.role, "ecsInstanceRole"):
        if name is not None:
            replies |= _role(vpc, name, inline=own)
    replies |= repository_policies(vpc, vpc.region)
    groups = f"arn:{task.partition}:logs:{vpc.region}:{task.account}:log-group:"
    replies["logs:DescribeLogGroups"] = {
        "logGroups": [{"logGroupName": name, "arn": f"{groups}{name}"} for name in vpc.cloud.logs.groups]
    }
    return replies


def registry_of(vpc: VPC, region: str) -> dict[str, list[Item]]:
    """The lists of repositories, images and pull-through rules of the account in a Region."""
    own = tuple(vpc.cloud.repositories.all_of(vpc.task.account, region))
    return {
        "repositories": [_described(vpc, repository, region) for repository in own],
        "imageDetails": [details for repository in own for details in _images(repository)],
        "images": [manifest for repository in own for manifest in _manifests(repository)],
        "pullThroughCacheRules": [
            {
                "ecrRepositoryPrefix": prefix,
                "upstreamRegistryUrl": "registry-1.docker.io",
                "registryId": vpc.task.account,
            }
            for prefix in vpc.cloud.pull_through
        ],
    }


def repository_policies(vpc: VPC, region: str) -> dict[str, Item]:
    """The replies that have a repository's policy."""
    return {
        f"ecr:GetRepositoryPolicy {vpc.task.account} {repository.name}": {
            "policyText": document(repository.policy, principals=True)
        }
        for repository in vpc.cloud.repositories.all_of(vpc.task.account, region)
        if repository.policy
    }


def _images(repository: Repository) -> Iterator[Item]:
    for digest, manifest in repository.manifests.items():
        content = json.loads(manifest.body)
        kind = content.get("artifactType") or content.get("config", {}).get("mediaType")
        yield {
            "repositoryName": repository.name,
            "imageDigest": digest,
            "imageTags": [tag for tag, target in repository.tags.items() if target == digest],
            "imageStatus": "ARCHIVED" if digest in repository.archived else "ACTIVE",
            "imageManifestMediaType": manifest.media_type,
            **({"artifactMediaType": kind} if kind else {}),
        }


def _manifests(repository: Repository) -> Iterator[Item]:
    for digest, manifest in repository.manifests.items():
        yield {
            "repositoryName": repository.name,
            "imageId": {"imageDigest": digest},
            "imageManifest": manifest.body.decode(),
            "imageManifestMediaType": manifest.media_type,
        }


def _own_endpoints(vpc: VPC) -> list[str]:
    return [endpoint.vpce_id for endpoint in vpc.endpoints.values()]


def _role(vpc: VPC, name: str, *, inline: str | None = None, managed: str | None = None) -> dict[str, Item]:
    arn = f"arn:{vpc.task.partition}:iam::{vpc.task.account}:role/{name}"
    role = {
        "RoleName": name,
        "Arn": arn,
        "RoleId": "AROA0A1B2C3D4E5F60718",
        "AssumeRolePolicyDocument": json.dumps(_TRUST),
    }
    return {
        f"iam:GetRole {name}": {"Role": role},
        f"iam:ListRolePolicies {name}": {"PolicyNames": ["own"] if inline else []},
        f"iam:ListAttachedRolePolicies {name}": {"AttachedPolicies": [{"PolicyArn": managed}] if managed else []},
        f"iam:GetRolePolicy own {name}": {"PolicyName": "own", "RoleName": name, "PolicyDocument": inline},
    }


def _organization(vpc: VPC, policy: Policy) -> dict[str, Item]:
    """An organization with this service control policy at its root. The account is alone where the policy is AWS's."""
    if policy == ALLOW_ALL:
        return {}
    full = {"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": True}
    own = {
        "Id": ids.SERVICE_CONTROL,
        "Arn": ids.SERVICE_CONTROL_ARN,
        "Name": "own",
        "Type": "SERVICE_CONTROL_POLICY",
        "AwsManaged": False,
    }
    return {
        "organizations:DescribeOrganization": {
            "Organization": {"Id": "o-0a1b2c3d4e", "FeatureSet": "ALL", "MasterAccountId": "999999999999"}
        },
        f"organizations:ListParents {vpc.task.account}": {"Parents": [{"Id": _ROOT, "Type": "ROOT"}]},
        "organizations:ListPoliciesForTarget": {"Policies": []},
        f"organizations:ListPoliciesForTarget SERVICE_CONTROL_POLICY {vpc.task.account}": {"Policies": [full]},
        f"organizations:ListPoliciesForTarget SERVICE_CONTROL_POLICY {_ROOT}": {"Policies": [own]},
        f"organizations:DescribePolicy {ids.SERVICE_CONTROL}": {
            "Policy": {"Content": document(policy, principals=False)}
        },
    }


def _described(vpc: VPC, repository: Repository, region: str) -> Item:
    key = {"encryptionType": "KMS", "kmsKey": _key_arn(vpc)} if repository.key else {"encryptionType": "AES256"}
    return {
        "repositoryArn": _repository_arn(vpc, repository, region),
        "registryId": vpc.task.account,
        "repositoryName": repository.name,
        "encryptionConfiguration": key,
    }


def _repository_arn(vpc: VPC, repository: Repository, region: str) -> str:
    return f"arn:{vpc.task.partition}:ecr:{region}:{vpc.task.account}:repository/{repository.name}"


def _key_arn(vpc: VPC) -> str:
    return f"arn:{vpc.task.partition}:kms:{vpc.region}:{vpc.task.account}:key/{ids.KEY}"


def _keys(vpc: VPC) -> dict[str, Item]:
    """The key of the repository that has one."""
    for repository in vpc.cloud.repositories.all_of(vpc.task.account, vpc.region):
        if repository.key is not None:
            grant = {
                "GrantId": "0a1b2c3d",
                "GranteePrincipal": "ecr.amazonaws.com",
                "Operations": ["Decrypt", "DescribeKey"],
                "Constraints": {
                    "EncryptionContextSubset": {"aws:ecr:arn": _repository_arn(vpc, repository, vpc.region)}
                },
            }
            metadata = {
                "Arn": _key_arn(vpc),
                "KeyState": repository.key.state,
                "KeyManager": "CUSTOMER",
                "AWSAccountId": vpc.task.account,
            }
            own_account = Statement(
                actions=("kms:*",), principals=(f"arn:{vpc.task.partition}:iam::{vpc.task.account}:root",)
            )
            return {
                "kms:DescribeKey": {"KeyMetadata": metadata},
                "kms:GetKeyPolicy": {"Policy": document((own_account,), principals=True)},
                "kms:ListGrants": {"Grants": [grant] if repository.key.granted else []},
            }
    return {}
