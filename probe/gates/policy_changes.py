"""Changes of policies that mend a refusal: a whole document with one statement more, or with an exception in a Deny.

Every command that replaces a document has the whole new one in it; the command before it saves the old one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from shlex import quote
from typing import Any

from probe.configuration.document import Configuration, Question, question
from probe.configuration.operations import (
    ATTACHED_ROLE_POLICIES,
    ENDPOINTS,
    KEY,
    LOG_GROUPS,
    ORGANIZATION_POLICY,
    POLICY_VERSION,
    ROLE,
    ROLE_POLICIES,
    ROLE_POLICY,
)
from probe.gates.call import Call
from probe.gates.changes import Change
from probe.gates.policy import PolicyKind, Ruling
from probe.model import Advice, GateAnswer
from probe.narration import listed
from probe.records import Record

_NEW_NAME = "ecr-probe-pull"
_MANAGED_BY_AWS = ":iam::aws:policy/"


class Edit(Record, frozen=True):
    """A member of one reply that gets another value, as JSON, or one value more."""

    asked: Question
    member: tuple[str, ...]
    value: str
    append: bool = False

    def applied(self, configuration: Configuration) -> Configuration:
        reply = configuration.reply_to(self.asked) or {}
        return configuration.answered(self.asked, self._edited(reply, self.member))

    def _edited(self, part: dict[str, Any], member: tuple[str, ...]) -> dict[str, Any]:
        if len(member) > 1:
            return {**part, member[0]: self._edited(part.get(member[0], {}), member[1:])}
        value = json.loads(self.value)
        return {**part, member[0]: [*part.get(member[0], ()), value] if self.append else value}


class ReplacePolicy(Change, frozen=True, kw_only=True):
    """Write a document. `text` is the instruction."""

    text: str
    commands: tuple[str, ...]
    note: str | None = None
    edits: tuple[Edit, ...]

    @property
    def documents(self) -> frozenset[Any]:
        return frozenset(edit.asked for edit in self.edits)

    def applied(self, configuration: Configuration) -> Configuration:
        for edit in self.edits:
            configuration = edit.applied(configuration)
        return configuration

    def advice(self, region: str) -> Advice:  # noqa: ARG002  the commands have the Region of the object
        return Advice(self.text, self.commands, self.note)


class ReplaceEndpointPolicy(Change, frozen=True, kw_only=True):
    """Replace the policy of a VPC endpoint."""

    text: str
    document: str

    @property
    def documents(self) -> frozenset[Any]:
        return frozenset({self.object})

    def applied(self, configuration: Configuration) -> Configuration:
        return configuration.edited(
            ENDPOINTS, self.object, lambda endpoint: {**endpoint, "PolicyDocument": self.document}
        )

    def advice(self, region: str) -> Advice:
        return Advice(
            self.text,
            (
                f"aws ec2 describe-vpc-endpoints --region {region} --vpc-endpoint-ids {quote(self.object)} "
                f'--query "VpcEndpoints[0].PolicyDocument" --output text > {_copy(self.object)}',
                f"aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id {quote(self.object)} "
                f"--policy-document {quote(self.document)}",
            ),
            f"{_replaces('the endpoint')} It takes effect after some minutes.",
        )


class EnableKey(Change, frozen=True, kw_only=True):
    """Enable a KMS key, and keep it where its deletion is planned. `elsewhere`: its Region in the questions."""

    region: str
    state: str
    elsewhere: str | None = None

    def applied(self, configuration: Configuration) -> Configuration:
        asked = question(KEY, {"KeyId": self.object}, self.elsewhere)
        return Edit(asked, ("KeyMetadata", "KeyState"), '"Enabled"').applied(configuration)

    def advice(self, region: str) -> Advice:  # noqa: ARG002
        target = f"--region {self.region} --key-id {quote(self.object)}"
        cancel = (f"aws kms cancel-key-deletion {target}",) if self.state == "PendingDeletion" else ()
        text = "cancel the deletion of the key, and enable it" if cancel else "enable the key"
        return Advice(text, (*cancel, f"aws kms enable-key {target}"))


class CreateLogGroup(Change, frozen=True, kw_only=True):
    """Create the log group `object`."""

    region: str
    elsewhere: str | None = None

    def applied(self, configuration: Configuration) -> Configuration:
        asked = question(LOG_GROUPS, {"logGroupNamePrefix": self.object}, self.elsewhere)
        value = json.dumps({"logGroupName": self.object})
        return Edit(asked, ("logGroups",), value, append=True).applied(configuration)

    def advice(self, region: str) -> Advice:  # noqa: ARG002
        command = f"aws logs create-log-group --region {self.region} --log-group-name {quote(self.object)}"
        return Advice(f"create the log group {self.object}", (command,))


_DELETED = "The policy has no other statement, so it is deleted."


def _replaces(whose: str) -> str:
    return f"The second command replaces the policy of {whose} as a whole; the first one saves what is there now."


def _copy(*whose: str) -> str:
    """The file that keeps the old policy. Its name says whose it is: the commands of several policies may be pasted one
    after the other."""
    return "-".join((*(re.sub(r"[^\w.]+", "-", part) for part in whose), "old-policy.json"))


# ---- corrected documents ---------------------------------------------------------------------------------------------


class Correction(Record, frozen=True):
    """A document with which a call is allowed. `what` says how it differs, up to the policy: "take the Deny out of"."""

    what: str
    document: str

    def of(self, policy: str) -> str:
        """The instruction."""
        return f"{self.what} {policy}"

    @property
    def is_empty(self) -> bool:
        """Whether no statement is left, which no API accepts: the policy is deleted instead."""
        return not _statements(json.loads(self.document))


def corrected(text: Any, ruling: Ruling, call: Call, kind: PolicyKind) -> Correction | None:
    """The document with which the call is allowed; None where it is not refused, or no small change would allow it."""
    if ruling.answer is not GateAnswer.REFUSES:
        return None
    document = _parsed(text)
    if ruling.explicit:
        index = ruling.index or 0
        exempted = _exempted(document, index, call)
        if exempted is None:
            return without_statement(document, index, _allowing(call, kind))
        return Correction(f"exempt {call.resource if call.by_ecr else call.principal} from the Deny in", exempted)
    statement = _allowing(call, kind)
    if statement is None:
        return None
    on = "" if call.resource == "*" else f" on {call.resource}"
    what = f"allow {' and '.join(call.together or (call.action,))}{on} in"
    return Correction(what, _written(document, [*_statements(document), statement]))


def without_statement(text: Any, index: int, allowing_instead: dict[str, Any] | None = None) -> Correction:
    """The document without one statement. `allowing_instead` takes its place if no other statement allows anything."""
    document = _parsed(text)
    statements = _statements(document)
    kept = [statement for number, statement in enumerate(statements) if number != index]
    allow = any(statement.get("Effect") == "Allow" for statement in kept)
    label = statements[index].get("Sid") or f"Statement[{index}]"
    added = [] if allow or allowing_instead is None else [allowing_instead]
    return Correction(f"take the Deny {label} out of", _written(document, [*kept, *added]))


def allowing(text: str | None, needed: Sequence[tuple[str, str]]) -> str:
    """An identity policy with these actions on these resources allowed; without `text` a new one."""
    document = _parsed(text)
    resources = dict.fromkeys(resource for _, resource in needed)
    added = [
        {"Effect": "Allow", "Action": [action for action, other in needed if other == resource], "Resource": resource}
        for resource in resources
    ]
    return _written(document, [*_statements(document), *added])


def _parsed(text: Any) -> dict[str, Any]:
    if text is None:
        return {"Version": "2012-10-17"}
    document = json.loads(text) if isinstance(text, str) else text
    return dict(document)


def _statements(document: dict[str, Any]) -> list[Any]:
    listed = document.get("Statement", [])
    return list(listed) if isinstance(listed, list) else [listed]


def _written(document: dict[str, Any], statements: Sequence[Any]) -> str:
    return json.dumps({**document, "Statement": list(statements)}, separators=(",", ":"))


def _allowing(call: Call, kind: PolicyKind) -> dict[str, Any] | None:
    """The smallest statement that allows the pull's actions on the resource."""
    actions = list(call.together) or [call.action]
    action = {"Action": actions if len(actions) > 1 else actions[0]}
    if kind is PolicyKind.IDENTITY:
        return {"Effect": "Allow", **action, "Resource": "*"}
    everyone = call.by_ecr or kind is PolicyKind.GATEWAY or call.principal is None
    principal = {"Principal": "*" if everyone else {"AWS": call.principal}}
    if kind is PolicyKind.RESOURCE:
        return None if everyone else {"Effect": "Allow", **principal, **action}
    return {"Effect": "Allow", **principal, **action, "Resource": call.resource}


def _exempted(document: dict[str, Any], index: int, call: Call) -> str | None:
    """The document with the role, or ECR's bucket, as an exception from one Deny."""
    statements = _statements(document)
    deny = dict(statements[index])
    if call.by_ecr:
        exempted = _without_resource(deny, call.resource)
        if exempted is None:
            return None
        return _written(document, [*statements[:index], exempted, *statements[index + 1 :]])
    if call.principal is None:
        return None
    conditions = dict(deny.get("Condition", {}))
    keys = dict(conditions.get("ArnNotEquals", {}))
    name = next((key for key in keys if key.lower() == "aws:principalarn"), "aws:PrincipalArn")
    listed = keys.get(name, [])
    keys[name] = [*(listed if isinstance(listed, list) else [listed]), call.principal]
    deny["Condition"] = {**conditions, "ArnNotEquals": keys}
    return _written(document, [*statements[:index], deny, *statements[index + 1 :]])


def _without_resource(deny: dict[str, Any], resource: str) -> dict[str, Any] | None:
    """A Deny of everything but `resource`; None where the Deny is of chosen resources."""
    if deny.get("Resource") in ("*", ["*"]):
        return {**{key: value for key, value in deny.items() if key != "Resource"}, "NotResource": [resource]}
    listed = deny.get("NotResource")
    if listed is None:
        return None
    return {**deny, "NotResource": [*(listed if isinstance(listed, list) else [listed]), resource]}


# ---- changes ---------------------------------------------------------------------------------------------------------


def replace_endpoint_policy(identity: str, correction: Correction) -> ReplaceEndpointPolicy:
    text = correction.of(f"the policy of {identity}")
    return ReplaceEndpointPolicy(object=identity, text=text, document=correction.document)


def new_role_policy(role: str, taken: Sequence[str], needed: Sequence[tuple[str, str]]) -> ReplacePolicy:
    """An inline policy of a name that the role does not have yet."""
    document = allowing(None, needed)
    names = (_NEW_NAME, *(f"{_NEW_NAME}-{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    return ReplacePolicy(
        object=role,
        text=f"allow {listed(action for action, _ in needed)} to the role {role}",
        commands=(
            f"aws iam put-role-policy --role-name {quote(role)} --policy-name {name} "
            f"--policy-document {quote(document)}",
        ),
        edits=(
            Edit(question(ROLE_POLICIES, {"RoleName": role}), ("PolicyNames",), json.dumps(name), append=True),
            _role_policy(role, name, document),
        ),
    )


def role_policy_without(role: str, name: str, text: Any, index: int) -> ReplacePolicy:
    """An inline policy of the role alone, without one Deny."""
    correction = without_statement(text, index)
    target = f"--role-name {quote(role)} --policy-name {quote(name)}"
    write = f"aws iam put-role-policy {target} --policy-document {quote(correction.document)}"
    return ReplacePolicy(
        object=role,
        text=correction.of(f"the inline policy {name} of the role {role}"),
        commands=(
            f"aws iam get-role-policy {target} --query PolicyDocument > {_copy(role, name)}",
            f"aws iam delete-role-policy {target}" if correction.is_empty else write,
        ),
        note=_DELETED if correction.is_empty else _replaces("the role"),
        edits=(_role_policy(role, name, correction.document),),
    )


def _role_policy(role: str, name: str, document: str) -> Edit:
    return Edit(question(ROLE_POLICY, {"RoleName": role, "PolicyName": name}), ("PolicyDocument",), document)


def new_version(arn: str, version: str, document: str, instruction: str) -> ReplacePolicy | None:
    """Another version of a managed policy; None where AWS manages it."""
    if _MANAGED_BY_AWS in arn:
        return None
    return ReplacePolicy(
        object=arn,
        text=instruction,
        commands=(
            f"aws iam create-policy-version --policy-arn {quote(arn)} --policy-document {quote(document)} "
            "--set-as-default",
        ),
        note="It applies to everything that the policy is attached to. IAM keeps the earlier version.",
        edits=(
            Edit(
                question(POLICY_VERSION, {"PolicyArn": arn, "VersionId": version}),
                ("PolicyVersion", "Document"),
                document,
            ),
        ),
    )


def trusting(role: str, text: Any, service: str) -> ReplacePolicy:
    """The trust policy with a statement that lets the service assume the role."""
    document = _parsed(text)
    new = _written({"Version": "2012-10-17", **document}, [*_statements(document), _trust(service)])
    return _trust_policy(role, Correction(f"let {service} assume the role in", new))


def trust_policy_without(role: str, text: Any, index: int, service: str) -> ReplacePolicy:
    """The trust policy without one Deny."""
    return _trust_policy(role, without_statement(text, index, _trust(service)))


def _trust(service: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}


def _trust_policy(role: str, correction: Correction) -> ReplacePolicy:
    return ReplacePolicy(
        object=role,
        text=correction.of(f"the trust policy of {role}"),
        commands=(
            f"aws iam get-role --role-name {quote(role)} --query Role.AssumeRolePolicyDocument "
            f"> {_copy(role, 'trust')}",
            f"aws iam update-assume-role-policy --role-name {quote(role)} "
            f"--policy-document {quote(correction.document)}",
        ),
        note=_replaces("the role"),
        edits=(Edit(question(ROLE, {"RoleName": role}), ("Role", "AssumeRolePolicyDocument"), correction.document),),
    )


class CreateRole(Change, frozen=True, kw_only=True):
    """Create a role that a service may assume. `object` is its ARN. It has no policy yet."""

    service: str

    @property
    def _trust_policy(self) -> str:
        return _written({"Version": "2012-10-17"}, [_trust(self.service)])

    def applied(self, configuration: Configuration) -> Configuration:
        name = self.object.rpartition("/")[2]
        role = {"Arn": self.object, "RoleName": name, "AssumeRolePolicyDocument": json.loads(self._trust_policy)}
        without_policies = {ROLE_POLICIES: "PolicyNames", ATTACHED_ROLE_POLICIES: "AttachedPolicies"}
        configuration = configuration.answered(question(ROLE, {"RoleName": name}), {"Role": role})
        for operation, member in without_policies.items():
            configuration = configuration.answered(question(operation, {"RoleName": name}), {member: []})
        return configuration

    def advice(self, region: str) -> Advice:  # noqa: ARG002  IAM has no Region
        *path, name = self.object.partition(":role/")[2].split("/")
        at = f"--path /{'/'.join(path)}/ " if path else ""
        return Advice(
            f"create the role {name}, or put the ARN of a role that exists into the task definition",
            (
                f"aws iam create-role --role-name {quote(name)} {at}"
                f"--assume-role-policy-document {quote(self._trust_policy)}",
            ),
            "If the ARN is mistyped, correct executionRoleArn in the task definition and create no role.",
        )


def set_repository_policy(asked: Question, correction: Correction, call: Call, *, exists: bool) -> ReplacePolicy:
    target = f"--region {call.region} --registry-id {call.owner} --repository-name {quote(call.repository or '')}"
    copy = _copy("repository", call.owner or "", call.repository or "")
    save = f"aws ecr get-repository-policy {target} --query policyText --output text > {copy}"
    write = f"aws ecr set-repository-policy {target} --policy-text {quote(correction.document)}"
    account = f"Run {'them' if exists else 'it'} in account {call.owner}."
    what = _DELETED if correction.is_empty else _replaces("the repository")
    return ReplacePolicy(
        object=call.resource,
        text=correction.of(f"the policy of the repository {call.repository}"),
        commands=(
            *((save,) if exists else ()),
            f"aws ecr delete-repository-policy {target}" if correction.is_empty else write,
        ),
        note=f"{what} {account}" if exists else account,
        edits=(Edit(asked, ("policyText",), json.dumps(correction.document)),),
    )


def set_registry_policy(asked: Question, correction: Correction, call: Call) -> ReplacePolicy:
    copy = _copy("registry", call.owner or "", call.region)
    write = f"aws ecr put-registry-policy --region {call.region} --policy-text {quote(correction.document)}"
    delete = f"aws ecr delete-registry-policy --region {call.region}"
    what = _DELETED if correction.is_empty else _replaces("the registry")
    return ReplacePolicy(
        object=call.owner or "",
        text=correction.of(f"the policy of the registry {call.owner}"),
        commands=(
            f"aws ecr get-registry-policy --region {call.region} --query policyText --output text > {copy}",
            delete if correction.is_empty else write,
        ),
        note=f"{what} Run them in account {call.owner}.",
        edits=(Edit(asked, ("policyText",), json.dumps(correction.document)),),
    )


def put_key_policy(asked: Question, correction: Correction, identity: str, region: str) -> ReplacePolicy:
    target = f"--region {region} --key-id {quote(identity)} --policy-name default"
    return ReplacePolicy(
        object=identity,
        text=correction.of("the policy of the key"),
        commands=(
            f"aws kms get-key-policy {target} --query Policy --output text > {_copy('key', identity)}",
            f"aws kms put-key-policy {target} --policy {quote(correction.document)}",
        ),
        note=f"{_replaces('the key')} The Deny protects other uses of the key too: keep it for those that need it.",
        edits=(Edit(asked, ("Policy",), json.dumps(correction.document)),),
    )


def update_organization_policy(identity: str, correction: Correction) -> ReplacePolicy:
    new = correction.document
    return ReplacePolicy(
        object=identity,
        text=correction.of(f"the organization's policy {identity}"),
        commands=(
            f"aws organizations describe-policy --policy-id {quote(identity)} --query Policy.Content --output text "
            f"> {_copy(identity)}",
            f"aws organizations update-policy --policy-id {quote(identity)} --content {quote(new)}",
        ),
        note=f"{_replaces('the organization')} Run them in the management account.",
        edits=(Edit(question(ORGANIZATION_POLICY, {"PolicyId": identity}), ("Policy", "Content"), json.dumps(new)),),
    )
