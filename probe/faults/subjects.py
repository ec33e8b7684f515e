"""What an error text can be about where no round trip failed, and how an area of faults declares what that means.

The file of an area has its faults and a table `MEANINGS` of their subjects; `probe/faults/text_failures.py` joins the
tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, Suspects
from probe.model import Step
from probe.records import Record


class Subject(StrEnum):
    """What an error text is about where no round trip failed: the `subject` of a step START or ENVIRONMENT.

    A new kind of text is a member here, its fault with a row of `MEANINGS` in the file of its area, and the pattern
    that finds it in `probe/explain/error_patterns.py`.
    """

    VPCE_HOST = "vpce-host"
    PROXY = "proxy"
    EXECUTION_ROLE = "execution-role"
    LOG_REGION = "log-region"
    LOG_DRIVER = "log-driver"
    REFERENCE = "reference"
    HOST_WITHOUT_PATH = "host-without-path"
    ENDPOINT_ZONE = "endpoint-zone"
    PRIVATE_DNS = "private-dns"
    PLACEMENT = "placement"
    DISK = "disk"
    MEDIA_TYPE = "media-type"
    EXEC = "exec"
    VOLUME = "volume"
    BUILD_IMAGE = "build-image"
    SERVICE_PULL = "service-pull"
    SERVICE_IMAGE = "service-image"
    BUILD_SETTINGS = "build-settings"
    SECRET = "secret"
    TAG_IMMUTABLE = "tag-immutable"
    QUOTA = "quota"
    MANIFEST_REFUSED = "manifest-refused"
    CONTENT_MISSING = "content-missing"
    ACCESS_ROLE = "access-role"
    TIMEOUT = "timeout"
    SLOW_PULL = "slow-pull"
    SLOW_CREATE = "slow-create"
    SLOW_STOP = "slow-stop"
    UNPACK = "unpack"
    RUNTIME = "runtime"
    NETWORK_SETUP = "network-setup"
    ROLE = "role"
    LOGIN_STORE = "login-store"
    ENDPOINT_SERVICE = "endpoint-service"
    CLIENT_SETTINGS = "client-settings"
    CLIENT_VERSION = "client-version"
    HELPER_MISSING = "helper-missing"
    HELPER_FAILED = "helper-failed"
    PROVIDER_FAILED = "provider-failed"
    PROVIDER_UNFIT = "provider-unfit"
    HOST_UNRECOGNISED = "host-unrecognised"
    LOGIN = "login"
    LOGIN_EMPTY = "login-empty"
    LOGIN_COMMAND = "login-command"
    PULL_LIMIT = "pull-limit"
    NO_REASON = "no-reason"
    ENDED = "ended"
    UPSTREAM_RULE = "upstream-rule"
    FIREWALL_LOG = "firewall-log"
    DNS_FIREWALL_LOG = "dns-firewall-log"
    RECOVERED = "recovered"
    CUT_SHORT = "cut-short"
    CUT_ANSWER = "cut-answer"
    UNKNOWN_REASON = "unknown-reason"
    UNRECOGNISED = "unclassified"
    NOT_DESCRIBED = "not-described"


class Case(Record, frozen=True):
    """What one text shows beyond its subject; None keeps what the subject means. `values` are those of the fault."""

    fault: Fault | None = None
    suspects: Suspects | None = None
    endpoints: tuple[str, ...] | None = None
    values: dict[str, Any] | None = None


def _usual(_evidence: Evidence, _step: Step) -> Case:
    return Case()


class Meaning(Record, frozen=True):
    """The fault that a subject shows, and the endpoints that the finding is about, so that the plan contains them.

    `case` finds what is special about a text; `variants` are the other faults that it can choose.
    """

    fault: Fault
    endpoints: tuple[str, ...] = ("task",)
    variants: tuple[Fault, ...] = ()
    case: Callable[[Evidence, Step], Case | None] = _usual


def says(step: Step, words: re.Pattern[str]) -> bool:
    """Whether the text of a step contains these words."""
    return words.search(step.detail or "") is not None
