"""CloudFormation as `up` and `down` see it: stacks whose operations take time, change sets, events, rollbacks.

The template is evaluated by `tests/deployment/templates.py`: a resource exists only if the stack has created it. The
sources of what is imitated:

- A change set of the type CREATE makes an empty stack, REVIEW_IN_PROGRESS; CREATE is refused for an existing stack, and
  UPDATE for one without resources (botocore cloudformation, CreateChangeSetInput.ChangeSetType).
- A change set without changes becomes FAILED (aws/aws-cli, awscli/customizations/cloudformation/deployer.py).
- Executing a change set deletes the stack's other ones (botocore cloudformation, ExecuteChangeSet).
- A stack that is ROLLBACK_COMPLETE can only be deleted (CloudFormation user guide, "Stack status codes").
- Events are newest first and have the operation's token (botocore cloudformation, DescribeStackEvents and StackEvent).
- With RetainExceptOnCreate a resource stays when its stack is deleted, but not when its creation is rolled back
  (CloudFormation user guide, "DeletionPolicy attribute").
- A deleted stack is found by its id only (botocore cloudformation, DescribeStacksInput.StackName).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import yaml

from tests.deployment.templates import Template
from tests.smoke.aws import ACCOUNT, REGION, Error

SECONDS = 5.0  # of one resource
MOST_BYTES = 51_200  # of a TemplateBody (botocore cloudformation, CreateChangeSetInput.TemplateBody)
_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class _Loader(yaml.SafeLoader):
    """Expands the short forms of functions, such as !Ref."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt":
        value = value.split(".")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


@cache
def decoded(body: str) -> dict[str, Any]:
    return dict(yaml.load(body, _Loader))


@dataclass
class FakeStack:
    id: str
    name: str
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    body: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    physical: dict[str, str] = field(default_factory=dict)
    change_sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    pending: list[tuple[float, Callable[[], None]]] = field(default_factory=list)


@dataclass
class CloudFormation:
    """`create` and `remove` carry out what a resource means, and return the reason of a failure. `refused` has such
    reasons by (operation, type of resource)."""

    now: Callable[[], float]
    create: Callable[[FakeStack, str, dict[str, Any]], str | None]
    remove: Callable[[FakeStack, str, dict[str, Any]], str | None]
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    stacks: list[FakeStack] = field(default_factory=list)
    seconds: float = SECONDS
    lag: float = 1.0  # seconds after a call in which its stack still has the earlier status
    protected: bool = False  # termination protection (botocore cloudformation, Stack.EnableTerminationProtection)
    executed: set[str] = field(default_factory=set)  # tokens: a call that is repeated with its token does nothing
    _number: int = 0

    # ---- time --------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Carry out what is due."""
        for stack in self.stacks:
            while stack.pending and stack.pending[0][0] <= self.now():
                stack.pending.pop(0)[1]()

    def _plan(self, stack: FakeStack, steps: Sequence[Callable[[], None]]) -> None:
        stack.pending = [(self.now() + self.seconds * (number + 1), step) for number, step in enumerate(steps)]

    def _event(self, stack: FakeStack, logical: str, kind: str, status: str, token: str, reason: str = "") -> None:
        self._number += 1
        stack.events.append(
            {
                "StackId": stack.id,
                "StackName": stack.name,
                "EventId": f"{logical}-{status}-{self._number}",
                "LogicalResourceId": logical,
                "PhysicalResourceId": stack.id
                if kind == "AWS::CloudFormation::Stack"
                else stack.physical.get(logical, ""),
                "ResourceType": kind,
                "ResourceStatus": status,
                "ClientRequestToken": token,
                "Timestamp": 0,
                **({"ResourceStatusReason": reason} if reason else {}),
            }
        )

    def _set(self, stack: FakeStack, status: str, token: str, reason: str = "") -> None:
        stack.status, stack.reason = status, reason
        self._event(stack, stack.name, "AWS::CloudFormation::Stack", status, token, reason)

    # ---- calls -------------------------------------------------------------------------------------------------------

    def find(self, name: str) -> FakeStack | None:
        """By its name only if it is not deleted."""
        for stack in reversed(self.stacks):
            if name == stack.id or (name == stack.name and stack.status != "DELETE_COMPLETE"):
                return stack
        return None

    def missing(self, name: str) -> Error:
        return Error("ValidationError", f"Stack with id {name} does not exist")

    def describe_stacks(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        stack = self.find(request["StackName"])
        return {"Stacks": [self._describe(stack)]} if stack else self.missing(request["StackName"])

    def _describe(self, stack: FakeStack) -> dict[str, Any]:
        outputs = self._outputs(stack) if stack.body and stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else {}
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "StackStatus": stack.status,
            "CreationTime": 0,
            "EnableTerminationProtection": self.protected,
            **({"StackStatusReason": stack.reason} if stack.reason else {}),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        }

    def _template(self, body: str, parameters: Mapping[str, str]) -> Template:
        document = decoded(body)
        lists = {
            name: value.split(",")
            for name, value in parameters.items()
            if "List" in document["Parameters"][name]["Type"]
        }
        return Template(document, {**parameters, **lists}, region=REGION)

    def _outputs(self, stack: FakeStack) -> dict[str, str]:
        template = self._template(stack.body, stack.parameters)
        values = template._value(
            {
                name: output["Value"]
                for name, output in decoded(stack.body)["Outputs"].items()
                if "Condition" not in output or template._is_met(output["Condition"])
            }
        )
        return {name: self._resolved(stack, value) for name, value in values.items()}

    def _resolved(self, stack: FakeStack, value: Any) -> Any:
        """References to resources, replaced by their physical ids."""
        if isinstance(value, dict):
            return {key: self._resolved(stack, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(stack, inner) for inner in value]
        if isinstance(value, str):
            return stack.physical.get(value.removesuffix(".Arn"), value)
        return value

    def create_change_set(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        name, kind, body = request["StackName"], request.get("ChangeSetType", "UPDATE"), request["TemplateBody"]
        if len(body.encode()) > MOST_BYTES:
            return Error("ValidationError", "1 validation error detected: Value at 'templateBody' failed")
        stack = self.find(name)
        if kind == "CREATE" and stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            return Error(
                "ValidationError", f"Stack [{name}] already exists and cannot be created again with the changeSet"
            )
        if kind == "UPDATE" and (stack is None or stack.status == "REVIEW_IN_PROGRESS"):
            return self.missing(name)
        if (
            stack is not None
            and stack.status.endswith(("_FAILED", "ROLLBACK_COMPLETE"))
            and "UPDATE" not in stack.status
            and "IMPORT" not in stack.status
        ):
            return Error("ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        if stack is not None and stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            return Error("ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        if stack is None:
            stack = FakeStack(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{len(self.stacks):08d}", name)
            self.stacks.append(stack)
        parameters = self._parameters(request)
        if isinstance(parameters, Error):
            return parameters
        if "CAPABILITY_IAM" not in request.get("Capabilities", ()):
            return Error("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
        resources = self._template(body, parameters).resources()
        outputs_differ = parameters.get("PushedImages") != stack.parameters.get("PushedImages")
        changed = resources != stack.resources or body != stack.body or tags != stack.tags or outputs_differ
        stack.change_sets[request["ChangeSetName"]] = {
            "ready": self.now() + self.seconds,
            "type": kind,
            "body": body,
            "parameters": parameters,
            "tags": tags,
            "resources": resources,
            "changed": changed,
        }
        return {"Id": f"{stack.id}/{request['ChangeSetName']}", "StackId": stack.id}

    @staticmethod
    def _parameters(request: dict[str, Any]) -> dict[str, str] | Error:
        declared = decoded(request["TemplateBody"])["Parameters"]
        values = {item["ParameterKey"]: item["ParameterValue"] for item in request.get("Parameters", ())}
        unknown = sorted(set(values) - set(declared))
        if unknown:
            return Error("ValidationError", f"Parameters: {unknown} do not exist in the template")
        for name, parameter in declared.items():
            if name not in values and "Default" not in parameter:
                return Error("ValidationError", f"Parameters: [{name}] must have values")
            value = values.setdefault(name, str(parameter.get("Default", "")))
            if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], value):
                return Error("ValidationError", f"Parameter {name} failed to satisfy constraint")
            if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
                return Error("ValidationError", f"Parameter '{name}' must be one of AllowedValues")
            if len(value.encode()) > 4096:
                return Error("ValidationError", f"Parameter {name} is too long")
        return values

    def list_stack_resources(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        stack = self.find(request["StackName"])
        if stack is None:
            return self.missing(request["StackName"])
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": stack.physical[name],
                    "ResourceType": resource["Type"],
                    "LastUpdatedTimestamp": 0,
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for name, resource in stack.resources.items()
            ]
        }

    def list_change_sets(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        stack = self.find(request["StackName"])
        if stack is None:
            return self.missing(request["StackName"])
        return {"Summaries": [{"ChangeSetName": name, "StackName": stack.name} for name in stack.change_sets]}

    def _change_set(self, request: dict[str, Any]) -> tuple[FakeStack, dict[str, Any]] | Error:
        stack = self.find(request["StackName"])
        if stack is None or request["ChangeSetName"] not in stack.change_sets:
            return Error("ChangeSetNotFound", f"ChangeSet [{request['ChangeSetName']}] does not exist", 404)
        return stack, stack.change_sets[request["ChangeSetName"]]

    def describe_change_set(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        found = self._change_set(request)
        if isinstance(found, Error):
            return found
        stack, change_set = found
        status, reason, changes = "CREATE_IN_PROGRESS", "", []
        if self.now() >= change_set["ready"]:
            refusal = self.refused.get(("CHANGE_SET", ""))
            status = "CREATE_COMPLETE" if change_set["changed"] and not refusal else "FAILED"
            reason = refusal or ("" if change_set["changed"] else _NO_CHANGES)
            added = [name for name in change_set["resources"] if name not in stack.resources]
            changes = [
                {"Type": "Resource", "ResourceChange": {"Action": "Add", "LogicalResourceId": name}} for name in added
            ]
        return {
            "ChangeSetName": request["ChangeSetName"],
            "StackName": stack.name,
            "Status": status,
            "Changes": changes,
            **({"StatusReason": reason} if reason else {}),
        }

    def delete_change_set(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        stack = self.find(request["StackName"])
        if stack is not None:
            stack.change_sets.pop(request["ChangeSetName"], None)
        return {}

    def execute_change_set(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        token = request.get("ClientRequestToken", "")
        if token in self.executed:
            return {}
        found = self._change_set(request)
        if isinstance(found, Error):
            return found
        stack, change_set = found
        if self.now() < change_set["ready"] or not change_set["changed"]:
            return Error("InvalidChangeSetStatus", "ChangeSet cannot be executed in its current status")
        self.executed.add(token)
        stack.change_sets = {request["ChangeSetName"]: change_set}
        stack.pending = [(self.now() + self.lag, partial(self._begin, stack, change_set, token))]
        return {}

    def _begin(self, stack: FakeStack, change_set: dict[str, Any], token: str) -> None:
        creates = change_set["type"] == "CREATE"
        before = (stack.body, stack.parameters, stack.tags)
        stack.body, stack.parameters, stack.tags = change_set["body"], change_set["parameters"], change_set["tags"]
        self._set(stack, "CREATE_IN_PROGRESS" if creates else "UPDATE_IN_PROGRESS", token, "User Initiated")
        self._carry_out(stack, change_set["resources"], token, creates=creates, before=before)

    # ---- operations --------------------------------------------------------------------------------------------------

    def _carry_out(
        self, stack: FakeStack, wanted: dict[str, dict[str, Any]], token: str, *, creates: bool, before: Any
    ) -> None:
        verb = "CREATE" if creates else "UPDATE"
        made: list[str] = []

        def make(name: str) -> None:
            resource, operation = wanted[name], "UPDATE" if name in stack.resources else "CREATE"
            self._event(stack, name, resource["Type"], f"{operation}_IN_PROGRESS", token)
            reason = self.refused.get((operation, resource["Type"])) or self.create(
                stack, name, self._resolved(stack, resource)
            )
            if reason is None:
                self._event(stack, name, resource["Type"], f"{operation}_COMPLETE", token)
                stack.resources[name] = resource
                made.append(name)
                return
            self._event(stack, name, resource["Type"], f"{operation}_FAILED", token, reason)
            for other in [other for other in wanted if other not in stack.resources and other != name][:1]:
                cancelled = "Resource creation cancelled"
                self._event(stack, other, wanted[other]["Type"], "CREATE_FAILED", token, cancelled)
            roll_back(name)

        def roll_back(name: str) -> None:
            failed = f"The following resource(s) failed to {verb.lower()}: [{name}]. "
            if creates:
                self._set(stack, "ROLLBACK_IN_PROGRESS", token, failed + "Rollback requested by user.")
                steps = [partial(undo, logical) for logical in reversed(made)]
                steps.append(partial(self._set, stack, "ROLLBACK_COMPLETE", token))
            else:
                stack.body, stack.parameters, stack.tags = before
                self._set(stack, "UPDATE_ROLLBACK_IN_PROGRESS", token, failed)
                steps = [partial(self._set, stack, "UPDATE_ROLLBACK_COMPLETE", token)]
            self._plan(stack, steps)

        def undo(name: str) -> None:
            self.remove(stack, name, stack.resources.pop(name))
            self._event(stack, name, wanted[name]["Type"], "DELETE_COMPLETE", token)

        def drop(name: str) -> None:
            resource = stack.resources.pop(name)
            self.remove(stack, name, resource)
            self._event(stack, name, resource["Type"], "DELETE_COMPLETE", token)

        changed = [name for name in wanted if stack.resources.get(name) != wanted[name]]
        gone = [name for name in stack.resources if name not in wanted]
        self._plan(
            stack,
            [
                *(partial(make, name) for name in changed),
                *(partial(drop, name) for name in gone),
                lambda: self._set(stack, f"{verb}_COMPLETE", token),
            ],
        )

    def delete_stack(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        stack = self.find(request["StackName"])
        if stack is None or stack.status == "DELETE_COMPLETE":
            return {}  # DeleteStack of a stack that does not exist succeeds
        if self.protected:
            text = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            return Error("ValidationError", text)
        token = request.get("ClientRequestToken", "")
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.change_sets.clear()
            stack.pending.clear()
            self._set(stack, "DELETE_COMPLETE", token)
            return {}
        stack.pending = [(self.now() + self.lag, partial(self._begin_deletion, stack, token))]
        return {}

    def _begin_deletion(self, stack: FakeStack, token: str) -> None:
        self._set(stack, "DELETE_IN_PROGRESS", token, "User Initiated")
        failed: list[str] = []

        def drop(name: str) -> None:
            resource = stack.resources[name]
            policy = decoded(stack.body)["Resources"][name].get("DeletionPolicy", "Delete")
            if policy.startswith("Retain"):
                self._event(stack, name, resource["Type"], "DELETE_SKIPPED", token)
                del stack.resources[name]
                return
            reason = self.refused.get(("DELETE", resource["Type"])) or self.remove(stack, name, resource)
            if reason is not None:
                failed.append(name)
                self._event(stack, name, resource["Type"], "DELETE_FAILED", token, reason)
                return
            self._event(stack, name, resource["Type"], "DELETE_COMPLETE", token)
            del stack.resources[name]

        def end() -> None:
            if failed:
                reason = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
                self._set(stack, "DELETE_FAILED", token, reason)
            else:
                self._set(stack, "DELETE_COMPLETE", token)

        self._plan(stack, [*(partial(drop, name) for name in reversed(stack.resources)), end])

    def describe_stack_events(self, request: dict[str, Any]) -> dict[str, Any] | Error:
        stack = self.find(request["StackName"])
        if stack is None:
            return self.missing(request["StackName"])
        start, size = int(request.get("NextToken", 0)), 4  # small pages
        newest_first = list(reversed(stack.events))
        more = {"NextToken": str(start + size)} if len(newest_first) > start + size else {}
        return {"StackEvents": newest_first[start : start + size], **more}
