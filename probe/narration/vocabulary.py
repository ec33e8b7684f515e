"""The words for each action and failure, and for the reason why a step was skipped."""

from __future__ import annotations

from collections.abc import Mapping

from probe.model import Action, AnswerSeen, Asker, Failure, Step
from probe.records import Record


class _ActionWords(Record, frozen=True):
    """`noun` in a sentence, with an "s" for several; `label` where space is short."""

    noun: str
    label: str


ACTIONS = {
    Action.METADATA: _ActionWords("metadata request", "metadata"),
    Action.CREDENTIALS: _ActionWords("credentials request", "credentials"),
    Action.ENVIRONMENT: _ActionWords("environment check", "environment"),
    Action.DNS: _ActionWords("lookup", "DNS"),
    Action.TCP: _ActionWords("connection", "TCP"),
    Action.TLS: _ActionWords("TLS handshake", "TLS"),
    Action.TOKEN: _ActionWords("token request", "token"),
    Action.CHALLENGE: _ActionWords("/v2/ request", "challenge"),
    Action.MANIFEST: _ActionWords("manifest request", "manifest"),
    Action.BLOB: _ActionWords("blob request", "blob"),
    Action.LAYER: _ActionWords("layer download", "layer"),
    Action.LOGS: _ActionWords("CloudWatch Logs request", "logs"),
    Action.CONTROL: _ActionWords("control connection", "control"),
    Action.REQUEST: _ActionWords("request", "request"),
    Action.START: _ActionWords("task start", "start"),
}


_LARGE_HELLO = "large-ClientHello handshake"


def noun(step: Step) -> str:
    """What a step is in a sentence, with an "s" for several."""
    return _LARGE_HELLO if step.large_hello else ACTIONS[step.action].noun


def is_dialled(step: Step) -> bool:
    """Whether sentences and tables name the address of this kind of step."""
    return step.action in (Action.TCP, Action.TLS) or step.large_hello is not None


class _FailureWords(Record, frozen=True):
    """`verb` follows the noun, "{was}" agrees with it; `cell` is its short form."""

    verb: str
    cell: str


FAILURES = {
    # The subject of these five is the resolver.
    Failure.NXDOMAIN: _FailureWords("answered NXDOMAIN", "NXDOMAIN"),
    Failure.NO_ADDRESS: _FailureWords("returned no address", "no address"),
    Failure.SERVFAIL: _FailureWords("answered SERVFAIL", "SERVFAIL"),
    Failure.REFUSED_QUERY: _FailureWords("answered REFUSED", "REFUSED"),
    Failure.NO_ANSWER: _FailureWords("did not answer", "no answer"),
    Failure.TIMEOUT: _FailureWords("timed out", "timed out"),
    Failure.REFUSED: _FailureWords("{was} refused", "refused"),
    Failure.RESET: _FailureWords("{was} reset", "reset"),
    Failure.UNREACHABLE: _FailureWords("failed: no route", "no route"),
    Failure.PROHIBITED: _FailureWords("{was} administratively prohibited", "prohibited"),
    Failure.TLS_STALL: _FailureWords("timed out", "timed out"),
    Failure.TLS_RESET: _FailureWords("{was} reset", "reset"),
    Failure.UNTRUSTED: _FailureWords("failed: the certificate is not trusted", "certificate not trusted"),
    Failure.WRONG_NAME: _FailureWords("failed: the certificate is for another name", "certificate for another name"),
    Failure.EXPIRED: _FailureWords("failed: the certificate has expired", "certificate expired"),
    Failure.NOT_TLS: _FailureWords("failed: the server does not speak TLS", "not TLS"),
    Failure.DENIED: _FailureWords("{was} denied", "denied"),
    Failure.UNAUTHENTICATED: _FailureWords("{was} rejected as unauthenticated", "unauthenticated"),
    Failure.NOT_FOUND: _FailureWords("failed: not found", "not found"),
    Failure.THROTTLED: _FailureWords("{was} throttled", "throttled"),
    Failure.SERVER_ERROR: _FailureWords("failed: server error", "server error"),
    Failure.NOT_AWS: _FailureWords("failed: the answer is not from AWS", "answer not from AWS"),
    Failure.BAD_DIGEST: _FailureWords("failed: the digest does not match", "digest mismatch"),
    Failure.TRUNCATED: _FailureWords("{was} cut short", "cut short"),
    Failure.STALLED: _FailureWords("stalled", "stalled"),
    Failure.TOO_LARGE: _FailureWords("failed: the answer is too large", "answer too large"),
    Failure.MALFORMED: _FailureWords("failed: unexpected answer", "unexpected answer"),
    Failure.REDIRECT: _FailureWords("failed: the redirect was not followed", "redirect not followed"),
    Failure.CLOCK: _FailureWords("{was} rejected for its time", "time rejected"),
    Failure.NO_CREDENTIALS: _FailureWords("found no credentials", "no credentials"),
    Failure.NO_PLATFORM: _FailureWords("failed: no image for this platform", "no image for this platform"),
    Failure.NO_RESOURCES: _FailureWords("failed: this process is out of resources", "out of resources"),
    Failure.DEADLINE: _FailureWords("did not finish", "not finished"),
    Failure.BUG: _FailureWords("failed: a bug in ecr-probe", "bug in ecr-probe"),
}
RESOLVER_ANSWERS = (Failure.NXDOMAIN, Failure.NO_ADDRESS, Failure.SERVFAIL, Failure.REFUSED_QUERY)
OF_RESOLVERS = (*RESOLVER_ANSWERS, Failure.NO_ANSWER)
SILENT = (Failure.TIMEOUT, Failure.TLS_STALL, Failure.STALLED, Failure.NO_ANSWER)
# Notes on lookups beyond those of the configured resolvers: behind the server, behind the name.
SERVER_NOTES = {Asker.CONTROL: " (the VPC's own resolver, asked as a control)"}
NAME_NOTES = {Asker.FOLLOW_UP: " (a common misspelling, also asked)"}


def failure_cell(failure: Failure) -> str:
    """A failure in a word or three: "timed out"."""
    return FAILURES[failure].cell


def action_label(action: Action) -> str:
    """ "TCP", "token"."""
    return ACTIONS[action].label


def http_status(answer: AnswerSeen | None) -> str:
    """ "HTTP 400 AccessDeniedException", as far as there was an answer."""
    if answer is None:
        return ""
    status = f"HTTP {answer.status}" if answer.status is not None else ""
    return f"{status} {answer.code or ''}".strip()


def skip_reason(step: Step, steps: Mapping[str, Step]) -> str:
    """Why a step was skipped: "TCP failed", "ecr.api token failed". `steps` holds all steps by id."""
    blocker = steps.get(step.blocked_by or "")
    if blocker is None or blocker.ok:
        return step.detail or "not requested"
    if blocker.action is Action.ENVIRONMENT and blocker.detail:
        return blocker.detail
    owner = "" if blocker.endpoint in (step.endpoint, "task") else f"{blocker.endpoint} "
    return f"{owner}{action_label(blocker.action)} {'failed' if blocker.failed else 'was skipped'}"
