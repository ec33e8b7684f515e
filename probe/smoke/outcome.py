"""What a task's end means for its subnet: by its document, else by its exit code, else by ECS's reason.

Only the probe's container counts. Other containers, such as those that GuardDuty or Service Connect adds, do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from probe.explain.saved_verdict import read_saved, rejudge
from probe.fleet import Source
from probe.model import Status, Verdict
from probe.records import Record
from probe.safe_words import scrub

LONGEST_EVENT = 256 * 1024  # bytes of a log event, the limit of CloudWatch Logs
LOG_LINES = 50  # read from a log stream; a check writes one document and a few lines
_STATUS_BY_CODE = {0: Status.PASS, 1: Status.FAIL, 3: Status.INCONCLUSIVE}
_CODE_MEANINGS = {0: "pass or degraded", 1: "fail", 3: "inconclusive"}
_USAGE = 2
_OWN_PREFIX = "ecr-probe: "

# Temporary reasons, or those for which AWS advises a retry. They concern capacity for the task, not its network.
_TEMPORARY = re.compile(
    r"Capacity is unavailable|\bRESOURCE:|\bAGENT\b|reached the limit on|Rate limit exceeded|Rate exceeded"
    r"|RequestLimitExceeded|Timeout waiting for (?:network interface|EPHEMERAL_STORAGE) provisioning"
    r"|InternalError|internal error|SpotInterruption|Spot Task was interrupted|TerminationNotice"
    r"|(?:ContainerRuntime|Docker)TimeoutError"
)
_NO_INSTANCE = re.compile(r"[Mm]emberOf|\bATTRIBUTE\b|AttributeError|\bLOCATION\b|No Container Instances")
# Nothing that `explain` could read: these do not concern what the task could reach.
_PLACEMENT = re.compile(
    r"Create Network Interface|InsufficientFreeAddressesInSubnet|EMPTY CAPACITY PROVIDER"
    rf"|{_TEMPORARY.pattern}|{_NO_INSTANCE.pattern}"
)
_REASON_MEANINGS = (
    (re.compile("InsufficientFreeAddressesInSubnet"), "the subnet has no free address"),
    (re.compile("RESOURCE:ENI"), "no instance here has a network interface left"),
    (re.compile("RESOURCE:"), "no instance here has enough capacity left"),
    (re.compile(r"\bAGENT\b"), "the ECS agent of the instance is not connected"),
    (re.compile("EMPTY CAPACITY PROVIDER"), "the capacity provider has no instance"),
    (_NO_INSTANCE, "there is no container instance in this subnet"),
)


# ---- ECS's description of a task -------------------------------------------------------------------------------------


class Ending(Record, frozen=True):
    """How the probe's container ended. `exit_code` None: it never ran; `reason` is ECS's explanation."""

    exit_code: int | None
    reason: str
    stop_code: str


def read_ending(task: Mapping[str, Any], container: str) -> Ending | None:
    """None while the container may still run. Other containers of its task may outlive it."""
    containers: Sequence[Mapping[str, Any]] = task.get("containers") or ()
    own = next((described for described in containers if described.get("name") == container), {})
    code = own.get("exitCode")
    has_code = isinstance(code, int) and not isinstance(code, bool)
    if task.get("lastStatus") != "STOPPED" and not (has_code and own.get("lastStatus") == "STOPPED"):
        return None
    reasons = dict.fromkeys(str(text) for text in (own.get("reason"), task.get("stoppedReason")) if text)
    return Ending(code if has_code else None, ": ".join(reasons), str(task.get("stopCode") or ""))


def task_status(task: Mapping[str, Any]) -> str:
    return str(task.get("lastStatus") or "UNKNOWN")[:40]


def task_zone(task: Mapping[str, Any]) -> str | None:
    zone = task.get("availabilityZone")
    return str(zone)[:40] if zone else None


def is_temporary(reason: str, stop_code: str = "") -> bool:
    """Whether another try may succeed."""
    return bool(_TEMPORARY.search(f"{reason} {stop_code}"))


def is_new_role(reason: str) -> bool:
    """Whether ECS could not assume a role, as it also reports of one that was created just before:
    AWS[iam-propagation]"""
    return "unable to assume the role" in reason


def is_placement(reason: str, stop_code: str = "") -> bool:
    """Whether there was no place to run the task. That proves nothing about the network."""
    return bool(_PLACEMENT.search(f"{reason} {stop_code}"))


def placement_reason(failures: Sequence[Mapping[str, Any]]) -> str:
    """The most useful reason among RunTask's failures, one for each instance that ECS tried: an instance in the right
    subnet lacks something, while instances elsewhere do not matter."""
    texts = [": ".join(str(failure[key]) for key in ("reason", "detail") if failure.get(key)) for failure in failures]
    reasons = [text for text in texts if text]
    return next(filter(is_temporary, reasons), next(iter(reasons), "no reason was given"))


def explained(reason: str) -> str:
    """AWS's text, preceded by its meaning where that is known."""
    text = scrub(reason)
    meaning = next((sentence for pattern, sentence in _REASON_MEANINGS if pattern.search(reason)), None)
    return f"{meaning} ({text})" if meaning else text


# ---- the log of a task -----------------------------------------------------------------------------------------------


class _Heading(Record):
    schema_version: int


class LogContent(Record, frozen=True):
    """The probe's document, or why it cannot be read, and the last line that the probe itself wrote."""

    verdict: Verdict | None = None
    unreadable: str | None = None
    last_line: str | None = None

    def is_final(self, ending: Ending) -> bool:
        """Whether later reads cannot find more. A probe that rejects its settings writes no document."""
        return self.unreadable is not None or (ending.exit_code == _USAGE and self.last_line is not None)

    @property
    def why_no_document(self) -> str:
        return self.unreadable or "its JSON verdict was not found in CloudWatch Logs"


def read_log(events: Iterable[Mapping[str, Any]]) -> LogContent:
    """Search for the document, from the last line on; other programs may write to the stream too."""
    messages = [str(event.get("message") or "") for event in events]
    unreadable = None
    for message in reversed(messages):
        if message.lstrip().startswith("{") and len(message) <= LONGEST_EVENT:
            try:
                return LogContent(_read_document(message))
            except ValueError as error:
                unreadable = unreadable or str(error) or None
    own = next((message for message in reversed(messages) if message.startswith(_OWN_PREFIX)), None)
    return LogContent(None, unreadable, scrub(own.removeprefix(_OWN_PREFIX)) if own else None)


def _read_document(message: str) -> Verdict:
    """Raises ValueError: with a sentence where this is a document that we cannot read, else without one."""
    try:
        msgspec.json.decode(message, type=_Heading)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ValueError from None
    try:
        facts = read_saved(message.encode())
    except ValueError as error:
        raise ValueError(f"the document in its log {error}") from None
    try:
        return msgspec.json.decode(message, type=Verdict)
    except msgspec.MsgspecError:
        return rejudge(facts)  # written by another version: the facts are compatible and are judged again


# ---- results ---------------------------------------------------------------------------------------------------------

ReadText = Callable[[str], Verdict | None]  # reads an error text


class Result(Record, frozen=True):
    """What is reported for a subnet; the fields are those of `SubnetRun`."""

    status: Status
    source: Source | None = None
    verdict: Verdict | None = None
    words: str | None = None


def from_document(verdict: Verdict, ending: Ending) -> Result:
    """The exit code must agree: a container that was killed after it printed did not end well."""
    if ending.exit_code == verdict.exit_code:
        return Result(verdict.status, Source.PROBE, verdict)
    text = f"its verdict is {verdict.status}, but {_describe_end(ending)}"
    status = Status.FAIL if verdict.status is Status.FAIL else Status.INCONCLUSIVE
    return Result(status, Source.PROBE, verdict, text)


def from_exit_code(ending: Ending, why_no_document: str | None = None, last_line: str | None = None) -> Result:
    """`last_line`: the last line that the probe itself wrote."""
    code = ending.exit_code
    status = Status.INCONCLUSIVE if code is None else _STATUS_BY_CODE.get(code, Status.INCONCLUSIVE)
    if code == _USAGE:
        text = f"the probe rejected its settings: {last_line or 'exit code 2'}"
    else:
        text = f"{_describe_end(ending)}{f'; {why_no_document}' if why_no_document else ''}"
    return Result(status, Source.EXIT_CODE, None, text)


def _describe_end(ending: Ending) -> str:
    meaning = _CODE_MEANINGS.get(ending.exit_code) if ending.exit_code is not None else None
    meaning = meaning or scrub(ending.reason)
    return f"the probe's container ended with exit code {ending.exit_code}{f' ({meaning})' if meaning else ''}"


def from_stopped_reason(ending: Ending, read_text: ReadText) -> Result:
    """The result of a container that never ran. It is never a pass."""
    reason = ending.reason
    if ending.stop_code == "UserInitiated":
        return Result(Status.INCONCLUSIVE, words=f"the task was stopped: {explained(reason)}")
    if is_placement(reason, ending.stop_code):
        return without_task(reason, read_text)
    verdict = read_text(reason) if reason else None
    failed = verdict is not None and verdict.status is Status.FAIL
    text = f"the probe's container never ran: {explained(reason) or 'ECS gives no reason'}"
    return Result(Status.FAIL if failed else Status.INCONCLUSIVE, _source(verdict), verdict, text)


def without_task(reason: str, read_text: ReadText) -> Result:
    """The result where ECS starts no task. It proves nothing about the network."""
    verdict = read_text(reason)
    return Result(Status.INCONCLUSIVE, _source(verdict), verdict, f"no task could be started: {explained(reason)}")


def _source(verdict: Verdict | None) -> Source | None:
    return Source.STOPPED_REASON if verdict is not None else None
