"""The policies of the pulling role: its own, its permissions boundary, and who may assume it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probe.configuration.operations import (
    ATTACHED_ROLE_POLICIES,
    POLICY,
    POLICY_VERSION,
    ROLE,
    ROLE_POLICIES,
    ROLE_POLICY,
)
from probe.configuration.view import MissingError, View
from probe.gates import registry_policies
from probe.gates.call import TASKS, Call
from probe.gates.opinion import Opinion, allows, not_visible, refuses
from probe.gates.policy import UNKNOWN_PART, Document, PolicyKind, Principal, Request, Ruling, evaluate
from probe.gates.policy_changes import (
    CreateRole,
    ReplacePolicy,
    allowing,
    corrected,
    new_role_policy,
    new_version,
    role_policy_without,
    trust_policy_without,
    trusting,
)
from probe.gates.policy_opinion import opinion_of
from probe.gates.request_context import caller_account, request_of
from probe.model import GateAnswer, GateName
from probe.narration import listed
from probe.records import Record, replace

_OF_NETWORK = (
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
)


class _Policy(Record, frozen=True):
    """A policy: of a managed one its ARN and its default version, of an inline one its name."""

    document: Document
    name: str
    version: str | None = None


def identity(view: View, call: Call) -> Opinion | None:
    """Whether the role's own policies allow the call, inline and managed ones together.

    In the account of the repository, its policy may allow the role instead. AWS[same-account-union]
    """
    if call.by_ecr or call.principal is None:
        return None
    name = call.principal.rpartition("/")[2]
    elsewhere = _elsewhere(view, call, GateName.IDENTITY_POLICY)
    if elsewhere is not None:
        return elsewhere
    policies, unread = _policies(view, name)
    documents, request = [policy.document for policy in policies], request_of(view, call)
    ruling = evaluate(documents, request, PolicyKind.IDENTITY)
    if unread is not None and not ruling.explicit:
        raise unread
    if ruling.answer is not GateAnswer.ALLOWS and not ruling.explicit and not call.crosses_accounts:
        other = registry_policies.allows_directly(view, call)
        if other is not None:
            ruling = evaluate(documents, request, PolicyKind.IDENTITY, allowed_elsewhere=True)
        if ruling.answer is GateAnswer.ALLOWS:
            sentence = f"{other} of the policy of {call.repository} allows {call.action} to {name} by itself"
            return allows(GateName.IDENTITY_POLICY, sentence, call.principal, other)
    return opinion_of(
        ruling,
        GateName.IDENTITY_POLICY,
        call,
        call.principal,
        whose=f"the policies of {name}",
        cause=_cause(ruling),
        change=_change(view, ruling, call, name, policies),
    )


def _change(view: View, ruling: Ruling, call: Call, role: str, policies: Sequence[_Policy]) -> ReplacePolicy | None:
    """A new inline policy with all that the role lacks, or the denying policy without its Deny for this role."""
    if ruling.answer is not GateAnswer.REFUSES:
        return None
    if not ruling.explicit:
        taken = [policy.name for policy in policies if policy.version is None]
        return new_role_policy(role, taken, _lacking(view, call, policies))
    denying = next(policy for policy in policies if policy.document.name == ruling.policy)
    if denying.version is None:
        return role_policy_without(role, denying.name, denying.document.text, ruling.index or 0)
    return _new_version(view, denying, ruling, call)


def _lacking(view: View, call: Call, policies: Sequence[_Policy]) -> list[tuple[str, str]]:
    """What the role needs for its task and no policy of these allows. The order is the same for every call."""
    documents = [policy.document for policy in policies]
    needed = (*call.of_role, (call.action, call.resource))
    return [
        (action, resource)
        for action, resource in dict.fromkeys(needed)
        if evaluate(
            documents, request_of(view, replace(call, action=action, resource=resource)), PolicyKind.IDENTITY
        ).answer
        is GateAnswer.REFUSES
    ]


def _new_version(view: View, policy: _Policy, ruling: Ruling, call: Call) -> ReplacePolicy | None:
    """The managed policy with all that the role needs, or without its Deny for this role."""
    whose = policy.document.name
    if ruling.explicit:
        correction = corrected(policy.document.text, ruling, call, PolicyKind.IDENTITY)
        if correction is None:
            return None
        document, text = correction.document, correction.of(whose)
    elif ruling.answer is GateAnswer.REFUSES:
        lacking = _lacking(view, call, [policy])
        document = allowing(policy.document.text, lacking)
        text = f"allow {listed(action for action, _ in lacking)} in {whose}"
    else:
        return None
    return new_version(policy.name, policy.version or "", document, text)


def _cause(ruling: Ruling) -> str:
    is_network = any(key.lower() in _OF_NETWORK for key in ruling.keys)
    return "iam.source-vpce-condition" if is_network else "iam.execution-role"


def boundary(view: View, call: Call) -> Opinion | None:
    """Whether the role's permissions boundary allows the call; None where it has none."""
    if call.by_ecr or call.principal is None:
        return None
    elsewhere = _elsewhere(view, call, GateName.PERMISSIONS_BOUNDARY)
    if elsewhere is not None:
        return elsewhere
    name = call.principal.rpartition("/")[2]
    arn = _role(view, name).get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if arn is None:
        return None
    whose = f"the permissions boundary {arn.rpartition('/')[2]}"
    policy = _managed(view, arn, whose)
    ruling = evaluate([policy.document], request_of(view, call), PolicyKind.IDENTITY)
    return opinion_of(
        ruling,
        GateName.PERMISSIONS_BOUNDARY,
        call,
        arn,
        whose=whose,
        cause="iam.permissions-boundary",
        change=_new_version(view, policy, ruling, call),
    )


def trust(view: View, call: Call) -> Opinion | None:
    """Whether ECS may assume the role for a task of its account and Region, or EC2 for an instance.

    AWS[ecs-tasks-trust]
    """
    if call.by_ecr or call.principal is None:
        return None
    elsewhere = _elsewhere(view, call, GateName.TRUST_POLICY)
    if elsewhere is not None:
        return elsewhere
    name = call.principal.rpartition("/")[2]
    try:
        role = _role(view, name)
    except MissingError as error:
        if not error.is_absence:
            raise
        sentence = f"the role {name} does not exist in {call.caller_account}"
        return refuses(
            GateName.TRUST_POLICY,
            sentence,
            cause="iam.trust-policy",
            identity=call.principal,
            change=CreateRole(object=call.principal, service=call.assumed_by[0]),
        )
    whose = f"the trust policy of {name}"
    document = Document.of(whose, role.get("AssumeRolePolicyDocument", {}))
    rulings = [
        (service, evaluate([document], _assumption(view, call, service), PolicyKind.RESOURCE))
        for service in call.assumed_by
    ]
    service, ruling = min(rulings, key=lambda pair: _BEST_FIRST.index(pair[1].answer))
    assumed = replace(call, action=f"sts:AssumeRole to {service}", resource="*")
    change = None
    if ruling.answer is GateAnswer.REFUSES:
        denies = ruling.explicit
        change = (
            trust_policy_without(name, document.text, ruling.index or 0, service)
            if denies
            else trusting(name, document.text, service)
        )
    return opinion_of(
        ruling, GateName.TRUST_POLICY, assumed, call.principal, whose=whose, cause="iam.trust-policy", change=change
    )


_BEST_FIRST = (GateAnswer.ALLOWS, GateAnswer.DEPENDS, GateAnswer.UNKNOWN, GateAnswer.REFUSES)


def _assumption(view: View, call: Call, service: str) -> Request:
    """The request with which a service assumes the role."""
    account, region = call.caller_account or "", view.configuration.region
    context: dict[str, tuple[str, ...]] = {
        "aws:requestedregion": (region,),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (service,),
        "sts:externalid": (),
    }
    if service == TASKS:
        context["aws:sourceaccount"] = (account,)
        context["aws:sourcearn"] = (f"arn:{call.partition}:ecs:{region}:{account}:{UNKNOWN_PART}",)
    return Request(
        action="sts:AssumeRole",
        resource=call.principal or "",
        principal=Principal(service=service),
        lookup=context.get,
    )


def _elsewhere(view: View, call: Call, gate: GateName) -> Opinion | None:
    """The opinion where the role belongs to another account, which alone can read it."""
    if call.caller_account == caller_account(view):
        return None
    return not_visible(gate, call.principal or "", f"account {call.caller_account}")


def _role(view: View, name: str) -> dict[str, Any]:
    return dict(view.reply(ROLE, RoleName=name)["Role"])


def _policies(view: View, role: str) -> tuple[list[_Policy], MissingError | None]:
    """Every policy of a role that could be read, and what could not. All of them are asked for in one round."""
    policies: list[_Policy] = []
    unread: MissingError | None = None
    names: Sequence[Any] = ()
    arns: Sequence[Any] = ()
    try:
        names = view.items(ROLE_POLICIES, RoleName=role)
    except MissingError as error:
        unread = error
    try:
        arns = view.items(ATTACHED_ROLE_POLICIES, RoleName=role)
    except MissingError as error:
        unread = error
    for name in map(str, names):
        try:
            content = view.reply(ROLE_POLICY, RoleName=role, PolicyName=name)["PolicyDocument"]
            policies.append(_Policy(Document.of(f"the inline policy {name}", content), name))
        except MissingError as error:
            unread = error
    for item in arns:
        try:
            policies.append(_managed(view, item["PolicyArn"], f"the policy {item['PolicyArn']}"))
        except MissingError as error:
            unread = error
    return policies, unread


def _managed(view: View, arn: str, words: str) -> _Policy:
    version = str(view.reply(POLICY, PolicyArn=arn)["Policy"]["DefaultVersionId"])
    content = view.reply(POLICY_VERSION, PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return _Policy(Document.of(words, content), arn, version)
