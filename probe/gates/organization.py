"""Policies of the organization: service control policies of the caller's account, and resource control policies of the
resource's. AWS[organization-policies]

Each level of the tree, from the account up to the root, has to allow a call. A member account usually cannot read them.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.configuration.operations import ORGANIZATION, ORGANIZATION_POLICY, PARENTS, TARGET_POLICIES
from probe.configuration.view import MissingError, View
from probe.gates.call import Call
from probe.gates.opinion import Opinion, allows
from probe.gates.policy import Document, PolicyKind, Ruling, evaluate
from probe.gates.policy_changes import corrected, update_organization_policy
from probe.gates.policy_opinion import opinion_of
from probe.gates.request_context import request_of
from probe.model import GateAnswer, GateName
from probe.records import Record

_DEEPEST = 7  # five levels of organizational units, the account and the root
_ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
_ALL_OF_RESOURCES = {"Version": "2012-10-17", "Statement": {**_ALL["Statement"], "Principal": "*"}}  # type: ignore[dict-item]
_COVERED = ("ecr", "kms", "logs", "s3", "secretsmanager", "sts")  # by resource control policies, of what matters here


class _Attached(Record, frozen=True):
    """A policy that is attached somewhere in the tree."""

    identity: str
    arn: str
    document: Document
    managed: bool


def service_control(view: View, call: Call) -> Opinion | None:
    """Whether every level above the role's account allows the call."""
    account = call.caller_account
    if call.by_ecr or account is None:
        return None
    return _judge(view, call, account, GateName.SERVICE_CONTROL_POLICY, "SERVICE_CONTROL_POLICY", PolicyKind.IDENTITY)


def resource_control(view: View, call: Call) -> Opinion | None:
    """Whether a level above the resource's account denies the call. What ECR owns is not concerned."""
    service = call.action.partition(":")[0]
    if call.by_ecr or call.owner is None or call.resource == "*" or service not in _COVERED:
        return None
    return _judge(
        view, call, call.owner, GateName.RESOURCE_CONTROL_POLICY, "RESOURCE_CONTROL_POLICY", PolicyKind.RESOURCE
    )


def _judge(view: View, call: Call, account: str, gate: GateName, kind: str, form: PolicyKind) -> Opinion | None:
    try:
        organization = view.reply(ORGANIZATION)["Organization"]
    except MissingError as error:
        if not error.is_absence:
            raise
        return None
    if organization.get("MasterAccountId") == account or organization.get("FeatureSet", "ALL") != "ALL":
        return None  # no policy limits the management account
    request = request_of(view, call)
    unread: MissingError | None = None
    open_ruling: tuple[Ruling, tuple[_Attached, ...]] | None = None
    try:
        for target in _tree(view, account):
            try:
                attached = _attached(view, target, kind, form)
            except MissingError as error:
                unread = error
                continue
            if not attached:
                continue  # policies of this kind are not enabled
            # Resource control policies only deny.
            documents = [each.document for each in attached]
            ruling = evaluate(documents, request, form, allowed_elsewhere=form is PolicyKind.RESOURCE)
            if ruling.answer is GateAnswer.REFUSES:
                return _opinion(ruling, gate, call, target, attached, form)
            if ruling.answer in (GateAnswer.DEPENDS, GateAnswer.UNKNOWN):
                open_ruling = open_ruling or (ruling, attached)
    except MissingError as error:
        unread = error
    if unread is not None:
        raise unread
    if open_ruling is not None:
        return _opinion(open_ruling[0], gate, call, account, open_ruling[1], form)
    return allows(gate, f"every level above account {account} allows {call.action}", account)


def _opinion(
    ruling: Ruling, gate: GateName, call: Call, target: str, attached: tuple[_Attached, ...], form: PolicyKind
) -> Opinion:
    deciding = next((each for each in attached if each.document.name == ruling.policy), None)
    changed = deciding or next((each for each in attached if not each.managed), None)
    correction = None
    if changed is not None and not changed.managed:
        correction = corrected(changed.document.text, ruling, call, form)
    return opinion_of(
        ruling,
        gate,
        call,
        deciding.arn if deciding else target,
        whose=f"the policies of {target}",
        cause="iam.scp",
        change=update_organization_policy(changed.identity, correction) if changed and correction else None,
    )


def _tree(view: View, account: str) -> Iterator[str]:
    """The account and everything above it, up to the root. Raises MissingError."""
    target = account
    for _ in range(_DEEPEST):
        yield target
        parents = view.items(PARENTS, ChildId=target)
        if not parents:
            return
        target = str(parents[0]["Id"])
        if parents[0].get("Type") == "ROOT":
            yield target
            return


def _attached(view: View, target: str, kind: str, form: PolicyKind) -> tuple[_Attached, ...]:
    """The policies of one level. Those that AWS manages allow everything, and are not read."""
    found: list[_Attached] = []
    unread: MissingError | None = None
    for item in view.items(TARGET_POLICIES, TargetId=target, Filter=kind):
        name = f"the policy {item['Id']}"
        managed = bool(item.get("AwsManaged"))
        try:
            content = (
                (_ALL if form is PolicyKind.IDENTITY else _ALL_OF_RESOURCES)
                if managed
                else view.reply(ORGANIZATION_POLICY, PolicyId=item["Id"])["Policy"]["Content"]
            )
        except MissingError as error:
            unread = error
            continue
        identity = str(item["Id"])
        found.append(_Attached(identity, str(item.get("Arn", identity)), Document.of(name, content), managed))
    if unread is not None:
        raise unread
    return tuple(found)
