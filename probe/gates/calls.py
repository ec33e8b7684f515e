"""The gates of a call to AWS's API: every policy that can deny it.

The calls of a pull: ecr:GetAuthorizationToken, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer by the pulling role, and
s3:GetObject by ECR's own principal with the presigned URL. Secrets and logs have their own calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from probe.configuration.view import View
from probe.gates import (
    endpoint_policy,
    image,
    image_platform,
    log_group,
    organization,
    registry_policies,
    repository_key,
    role_policies,
)
from probe.gates.call import Call
from probe.gates.opinion import Opinion, opinions
from probe.model import GateName

__all__ = ("CALL_GATES", "Call", "call_opinions")

Gate = Callable[[View, Call], Opinion | None]

# Before the first call ECS assumes the role. The order of the policies has no effect on their answers.
CALL_GATES: tuple[tuple[GateName, Gate], ...] = (
    (GateName.TRUST_POLICY, role_policies.trust),
    (GateName.ENDPOINT_POLICY, endpoint_policy.endpoint_policy),
    (GateName.IDENTITY_POLICY, role_policies.identity),
    (GateName.PERMISSIONS_BOUNDARY, role_policies.boundary),
    (GateName.SERVICE_CONTROL_POLICY, organization.service_control),
    (GateName.RESOURCE_CONTROL_POLICY, organization.resource_control),
    (GateName.REPOSITORY_POLICY, registry_policies.repository),
    (GateName.REGISTRY_POLICY, registry_policies.registry),
    (GateName.KMS_KEY, repository_key.key),
    (GateName.LOG_GROUP, log_group.group),
    (GateName.IMAGE, image.image),
    (GateName.IMAGE, image_platform.platform),
    (GateName.PULL_THROUGH_RULE, image.pull_through_rule),
)


def call_opinions(view: View, call: Call) -> Iterator[Opinion]:
    """The answers of the gates up to the first that refuses. Many subnets make the same call, which is judged once."""
    if call not in view.judged:
        gates = ((name, partial(gate, view, call)) for name, gate in CALL_GATES)
        view.judged[call] = () if log_group.spares(view, call) else tuple(opinions(gates))
    yield from view.judged[call]
