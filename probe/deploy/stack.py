"""The CloudFormation stack: its state, its change sets, the events of what it does, its deletion.

A stack is ours if it has the tag `ecr-probe`, which only `up` sets. A stack of which only a change set exists has no
resources yet and may have no tags; then the names of its change sets decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Any
from uuid import uuid4

from probe import __version__
from probe.deploy.denials import explained
from probe.operator.aws import ApiError, Kind
from probe.records import Record, field
from probe.safe_words import scrub
from probe.smoke.calls import Calls

OWNER_TAG = "ecr-probe"
ONCE_TAG = "ecr-probe-once"  # of a stack that `up --once` has created and will remove
NEEDED_CAPABILITIES = ("CAPABILITY_IAM",)
_CHANGE_SET = "ecr-probe-"  # the beginning of the name of our change sets, before their token
_OUR_CHANGE_SET = re.compile(_CHANGE_SET + "[0-9a-f]{32}")
_POLL = 3.0  # seconds
_BEGINS = 10.0  # seconds in which an operation has begun, if no event shows it
_QUIET = 20.0  # seconds after which a line reports that the stack is still in progress
_MOST_EVENT_PAGES = 20
# What CloudFormation writes where a change set has no changes: AWS[cfn-no-changes]
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_REVIEW = "REVIEW_IN_PROGRESS"
# A stack in these states can only be deleted: AWS[cfn-rollback-complete]
_ONLY_DELETABLE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_TYPES = {
    "AWS::CloudFormation::Stack": "stack",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::ECR::PullTimeUpdateExclusion": "pull-time exclusion",
    "AWS::ECR::Repository": "repository",
    "AWS::ECS::Service": "service",
    "AWS::ECS::TaskDefinition": "task definition",
    "AWS::IAM::Role": "role",
    "AWS::Logs::LogGroup": "log group",
    "AWS::Logs::MetricFilter": "metric filter",
    "AWS::SNS::Topic": "topic",
    "AWS::Scheduler::Schedule": "schedule",
}
_VERBS = {"CREATE": "created", "UPDATE": "updated", "DELETE": "removed"}


class StackError(Exception):
    """CloudFormation did not do what it was asked to do. `str` is one line for the user."""


class OtherRunError(StackError):
    """Another run has created or changed the stack since it was read."""


class Stack(Record, frozen=True):
    id: str
    name: str
    status: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = False
    is_for_once: bool = False
    is_protected: bool = False  # AWS[cfn-termination-protection]

    @property
    def in_review(self) -> bool:
        """Only a change set exists, and no resources: AWS[cfn-review]"""
        return self.status == _REVIEW

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and not self.in_review

    @property
    def only_deletable(self) -> bool:
        return self.status in _ONLY_DELETABLE

    @property
    def is_stuck(self) -> bool:
        """It needs an operator: an update could not be rolled back."""
        return self.status == "UPDATE_ROLLBACK_FAILED"

    @property
    def exists(self) -> bool:
        return not self.in_review and not self.only_deletable


def template() -> str:
    """The template that the program ships."""
    return (files("probe.deploy") / "stack.yaml").read_text(encoding="utf-8")


class Stacks:
    """The stack with one name. `say` receives lines of progress, `enter` the name of each phase that changes something.

    Every method raises ApiError and EarlyEndError.
    """

    def __init__(
        self, calls: Calls, name: str, *, say: Callable[[str], None], enter: Callable[[str], None] = lambda _: None
    ) -> None:
        self._calls, self.name, self._say, self._enter = calls, name, say, enter
        self.may_have_begun = False  # the execution of a change set, which an interruption does not end

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self, stack_id: str | None = None) -> Stack | None:
        """The stack as it is; None if there is none. A deleted stack is found by its id only."""
        try:
            reply = self._calls.call("cloudformation:DescribeStacks", StackName=stack_id or self.name)
        except ApiError as error:
            if error.kind is Kind.REFUSED and "does not exist" in error.text:
                return None
            raise
        found = next(iter(reply.get("Stacks") or ()), None)
        if found is None or found.get("StackStatus") == "DELETE_COMPLETE":
            return None
        stack = _stack(found)
        if stack.in_review and not stack.is_ours:
            return _stack(found, is_ours=self._has_only_our_change_sets())
        return stack

    def _has_only_our_change_sets(self) -> bool:
        reply = self._calls.call("cloudformation:ListChangeSets", StackName=self.name)
        names = [str(item.get("ChangeSetName")) for item in reply.get("Summaries") or ()]
        return bool(names) and all(map(_OUR_CHANGE_SET.fullmatch, names))

    def read_at_rest(self, *, begins: bool = False) -> Stack | None:
        """As `read`; for a stack of ours once nothing is in progress: another run may change it, or one that was
        interrupted. `begins`: its change set is being executed, even if its status does not show it yet."""
        stack = self.read()
        until = self._calls.now() + _BEGINS
        while begins and stack is not None and stack.in_review and self._calls.now() < until:
            self._calls.pause(_POLL)
            stack = self.read()
        if stack is not None and stack.is_ours and stack.in_progress:
            self._say(f"stack {self.name} is {stack.status}; waiting until it is done")
            self._wait(stack, _Events(since=None))
            stack = self.read()
        return stack

    def resource(self, logical_id: str) -> str:
        """The physical id of a resource: the ARN of a task definition. Raises StackError if the stack lacks it."""
        reply = self._calls.call("cloudformation:ListStackResources", StackName=self.name)  # a page has all of ours
        for summary in reply.get("StackResourceSummaries") or ():
            if summary.get("LogicalResourceId") == logical_id and summary.get("PhysicalResourceId"):
                return str(summary["PhysicalResourceId"])
        raise StackError(f"stack {self.name} has no {logical_id}")

    # ---- changing ----------------------------------------------------------------------------------------------------

    def apply(self, parameters: Mapping[str, str], *, create: bool, for_once: bool = False) -> Stack:
        """Make a change set, execute it and wait. `for_once`: the stack is marked for it. Raises StackError."""
        self._enter("change set")
        token = uuid4().hex
        name = f"{_CHANGE_SET}{token}"
        self._create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType="CREATE" if create else "UPDATE",
            ClientToken=token,
            TemplateBody=template(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=list(NEEDED_CAPABILITIES),
            Tags=[
                {"Key": OWNER_TAG, "Value": __version__},
                *([{"Key": ONCE_TAG, "Value": "true"}] if for_once else ()),
            ],
            Description=f"ecr-probe {__version__} up",
        )
        if not self._await_change_set(name, create=create):
            stack = self.read()
            if stack is None:
                raise StackError(f"stack {self.name} was removed by others")
            return stack
        self._enter("stack")
        self._execute(name, token)
        stack = self.read()
        if stack is None:
            raise StackError(f"stack {self.name} was removed by others")
        events = _Events(since=token)
        stack = self._wait(stack, events)
        if stack is None or stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            status = stack.status if stack else "removed"
            raise StackError(self._failure(events, f"stack {self.name} is {status}", stack))
        return stack

    def _create_change_set(self, **request: Any) -> None:
        try:
            self._calls.call("cloudformation:CreateChangeSet", **request)
        except ApiError as error:
            # A stack that was read as absent exists, or one that was read at rest is in progress.
            if "already exists and cannot be created" in error.text or "_IN_PROGRESS state" in error.text:
                raise self._other_run() from None
            raise

    def _execute(self, name: str, token: str) -> None:
        self.may_have_begun = True
        try:
            self._calls.call(
                "cloudformation:ExecuteChangeSet", StackName=self.name, ChangeSetName=name, ClientRequestToken=token
            )
        except ApiError as error:
            self.may_have_begun = False
            if error.code in ("ChangeSetNotFound", "ChangeSetNotFoundException", "InvalidChangeSetStatus"):
                raise self._other_run() from None
            raise

    def _other_run(self) -> OtherRunError:
        return OtherRunError(
            f"another run changes stack {self.name} at the same time; wait for it, or choose another name, for example "
            f"--stack-name {self.name}-2 --repository {self.name.lower()}-2"
        )

    def _await_change_set(self, name: str, *, create: bool) -> bool:
        """Whether it has changes. Raises StackError."""
        while True:
            reply = self._calls.call("cloudformation:DescribeChangeSet", StackName=self.name, ChangeSetName=name)
            status, reason = str(reply.get("Status")), str(reply.get("StatusReason") or "")
            if status == "CREATE_COMPLETE":
                self._say_changes(reply.get("Changes") or ())
                return True
            if status == "FAILED":
                break
            self._calls.pause(_POLL)
        if create:  # the stack is empty, and is removed with its change set: nothing is left of this try
            with suppress(ApiError):
                self._calls.call("cloudformation:DeleteStack", StackName=self.name)
        else:
            self._calls.call("cloudformation:DeleteChangeSet", StackName=self.name, ChangeSetName=name)
            if any(text in reason for text in _NO_CHANGES):
                self._say(f"stack {self.name} is up to date")
                return False
        raise StackError(f"CloudFormation refuses the change set of stack {self.name}: {explained(reason)}")

    def _say_changes(self, changes: Any) -> None:
        """What the change set removes or replaces: the plan has announced what it adds."""
        for change in (item.get("ResourceChange") or {} for item in changes):
            action, kind = str(change.get("Action")), _kind(str(change.get("ResourceType")))
            if action == "Remove" or change.get("Replacement") == "True":
                verb = "removes" if action == "Remove" else "replaces"
                self._say(f"the change set {verb} the {kind} {scrub(str(change.get('LogicalResourceId')))}")

    def require_unprotected(self, stack: Stack, *, region: str) -> None:
        """Raises StackError for a stack that cannot be deleted: AWS[cfn-termination-protection]."""
        if stack.is_protected:
            raise StackError(
                f"termination protection of stack {self.name} is on, so it is left; aws cloudformation "
                f"update-termination-protection --no-enable-termination-protection --stack-name {self.name} "
                f"--region {region} switches it off"
            )

    def delete(self, stack: Stack) -> None:
        """Delete the stack and wait. Raises StackError if something of it stays."""
        self._enter("deletion")
        token = uuid4().hex
        if stack.status != "DELETE_IN_PROGRESS":
            self._calls.call("cloudformation:DeleteStack", StackName=stack.id, ClientRequestToken=token)
        events = _Events(since=token)
        left = self._wait(stack, events, deleting=True)
        if left is not None:
            raise StackError(self._failure(events, f"stack {self.name} could not be removed ({left.status})", left))

    # ---- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self, stack: Stack, events: _Events, *, deleting: bool = False) -> Stack | None:
        """Report the events until nothing is in progress. None: the stack is deleted."""
        began = spoken = self._calls.now()
        while True:
            # The status is read after the events: where they show the beginning, it is not the status of before.
            said = self._say_new(stack, events)
            current = self.read(stack.id)
            now = self._calls.now()
            spoken = now if said else spoken
            if current is None or not self._goes_on(current, events, now - began, deleting=deleting):
                self._say_new(stack, events)
                return current
            if now - spoken >= _QUIET:
                self._say(f"stack {self.name} is {current.status} for {now - began:.0f} s")
                spoken = now
            self._calls.pause(_POLL)

    def _say_new(self, stack: Stack, events: _Events) -> bool:
        """Whether there was something to report."""
        lines = self._new_lines(stack, events) if events.since else []
        for line in lines:
            self._say(line)
        return bool(lines)

    @staticmethod
    def _goes_on(stack: Stack, events: _Events, seconds: float, *, deleting: bool) -> bool:
        """Right after a call the stack may still have the status of before: the first event shows that it has begun."""
        has_begun = events.since is None or events.has_any or seconds >= _BEGINS
        return stack.in_progress or not has_begun or (stack.in_review and events.since is not None and not deleting)

    def _new_lines(self, stack: Stack, events: _Events) -> list[str]:
        page: dict[str, Any] = {}
        new: list[Mapping[str, Any]] = []
        for _ in range(_MOST_EVENT_PAGES):  # newest first, until one that is known
            try:
                reply = self._calls.call("cloudformation:DescribeStackEvents", StackName=stack.id, **page)
            except ApiError as error:
                if error.kind is Kind.REFUSED:  # a stack that was only reviewed is gone without a trace
                    return []
                raise
            batch = [event for event in reply.get("StackEvents") or () if events.is_new(event)]
            new += batch
            if not reply.get("NextToken") or len(batch) < len(reply.get("StackEvents") or ()):
                break
            page = {"NextToken": str(reply["NextToken"])}
        return [line for event in reversed(new) if (line := events.take(event, stack.id))]

    def _failure(self, events: _Events, state: str, stack: Stack | None) -> str:
        reason = events.first_failure or explained(stack.reason if stack else "")
        return f"{reason or 'CloudFormation gives no reason'}; {state}"


class _Events:
    """The events of one operation, which carry its token: AWS[cfn-event-token]."""

    def __init__(self, *, since: str | None) -> None:
        self.since = since
        self.first_failure = ""
        self._seen: set[str] = set()

    @property
    def has_any(self) -> bool:
        return bool(self._seen)

    def is_new(self, event: Mapping[str, Any]) -> bool:
        return event.get("ClientRequestToken") == self.since and str(event.get("EventId")) not in self._seen

    def take(self, event: Mapping[str, Any], stack_id: str) -> str | None:
        """The event's line; None if it deserves none."""
        self._seen.add(str(event.get("EventId")))
        status, reason = str(event.get("ResourceStatus")), str(event.get("ResourceStatusReason") or "")
        kind, logical = _kind(str(event.get("ResourceType"))), scrub(str(event.get("LogicalResourceId")))
        physical = str(event.get("PhysicalResourceId") or "")
        if physical == stack_id:
            return None
        if status.endswith("_FAILED"):
            # The first failure is the cause; what it interrupts fails after it.
            self.first_failure = self.first_failure or f"{kind} {logical}: {explained(reason) or status}"
            return f"{kind} {logical}: {status}"
        operation, _, ending = status.partition("_")
        if ending == "COMPLETE" and operation in _VERBS:
            name = scrub(physical.rpartition("/")[2] if physical.startswith("arn:") else physical)
            return f"{_VERBS[operation]} {kind} {name or logical}"
        return None


def _stack(found: Mapping[str, Any], *, is_ours: bool = False) -> Stack:
    tags = {str(tag.get("Key")) for tag in found.get("Tags") or ()}
    return Stack(
        id=str(found.get("StackId")),
        name=str(found.get("StackName")),
        status=str(found.get("StackStatus")),
        reason=str(found.get("StackStatusReason") or ""),
        parameters={
            str(item.get("ParameterKey")): str(item.get("ParameterValue")) for item in found.get("Parameters") or ()
        },
        is_ours=is_ours or OWNER_TAG in tags,
        is_for_once=ONCE_TAG in tags,
        is_protected=bool(found.get("EnableTerminationProtection")),
    )


def _kind(resource_type: str) -> str:
    return _TYPES.get(resource_type) or re.sub(r"[^\w:]", "", resource_type).rpartition("::")[2] or "resource"
