"""What ECS tells of a task that it runs, or did not run. Only our container is looked at: others, such as the ones that
GuardDuty or Service Connect adds, end as they like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from probe.records import Record
from probe.safe_words import scrub

# What AWS tells to try again, or what passes by itself. All of it is about the place for a task, not about its network.
_PASSING = re.compile(
    r"Capacity is unavailable|\bRESOURCE:|\bAGENT\b|reached the limit on|Rate limit exceeded|Rate exceeded"
    r"|RequestLimitExceeded|Timeout waiting for (?:network interface|EPHEMERAL_STORAGE) provisioning"
    r"|InternalError|internal error|SpotInterruption|Spot Task was interrupted|TerminationNotice"
    r"|(?:ContainerRuntime|Docker)TimeoutError"
)
_NOWHERE = re.compile(r"[Mm]emberOf|\bATTRIBUTE\b|AttributeError|\bLOCATION\b|No Container Instances")
# Not about what the task could reach, so nothing that `explain` could read.
_PROVISIONING = re.compile(
    r"Create Network Interface|InsufficientFreeAddressesInSubnet|EMPTY CAPACITY PROVIDER"
    rf"|{_PASSING.pattern}|{_NOWHERE.pattern}"
)
_MEANINGS = (
    (re.compile("InsufficientFreeAddressesInSubnet"), "the subnet has no free address"),
    (re.compile("RESOURCE:ENI"), "no instance here has a network interface left"),
    (re.compile("RESOURCE:"), "no instance here has enough left"),
    (re.compile(r"\bAGENT\b"), "the ECS agent of the instance is not connected"),
    (re.compile("EMPTY CAPACITY PROVIDER"), "the capacity provider has no instance"),
    (_NOWHERE, "there is no container instance in this subnet"),
)


class Ending(Record, frozen=True):
    """How our container ended. `exit_code` None: it never ran, and the reasons say why."""

    exit_code: int | None
    reason: str
    stop_code: str


def ending(task: Mapping[str, Any], container: str) -> Ending | None:
    """None while it may still run. A task whose other containers go on has ended for us."""
    own: Mapping[str, Any] = next((each for each in task.get("containers") or () if each.get("name") == container), {})
    code = own.get("exitCode")
    known = isinstance(code, int) and not isinstance(code, bool)
    if task.get("lastStatus") != "STOPPED" and not (known and own.get("lastStatus") == "STOPPED"):
        return None
    reasons = dict.fromkeys(str(text) for text in (own.get("reason"), task.get("stoppedReason")) if text)
    return Ending(code if known else None, ": ".join(reasons), str(task.get("stopCode") or ""))


def status(task: Mapping[str, Any]) -> str:
    return str(task.get("lastStatus") or "UNKNOWN")[:40]


def zone(task: Mapping[str, Any]) -> str | None:
    found = task.get("availabilityZone")
    return str(found)[:40] if found else None


def passes(reason: str, stop_code: str = "") -> bool:
    """Whether another try may go better."""
    return bool(_PASSING.search(f"{reason} {stop_code}"))


def is_of_the_place(reason: str, stop_code: str = "") -> bool:
    """Whether a task had no place to run: that says nothing about the network there."""
    return bool(_PROVISIONING.search(f"{reason} {stop_code}"))


def telling(failures: Sequence[Mapping[str, Any]]) -> str:
    """Of RunTask's failures, one for each instance that was looked at, the reason that says most: an instance in the
    right subnet is out of something, those elsewhere do not count."""
    reasons = [": ".join(str(each[key]) for key in ("reason", "detail") if each.get(key)) for each in failures]
    known = [reason for reason in reasons if reason]
    return next((reason for reason in known if passes(reason)), next(iter(known), "no reason was given"))


def meaning(reason: str) -> str:
    """AWS's words, behind what they come to where that is known."""
    words = scrub(reason)
    known = next((sentence for sign, sentence in _MEANINGS if sign.search(reason)), None)
    return f"{known} ({words})" if known else words
