"""What a task that ended says about its subnet: by its document, else by its exit code, else by ECS's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from probe.explain.saved_verdict import read_saved, rejudge
from probe.fleet import Source
from probe.model import Status, Verdict
from probe.records import Record
from probe.safe_words import scrub
from probe.smoke.task import Ending, is_of_the_place, meaning

LONGEST = 256 * 1024  # bytes of a log event, whatever writes it
LINES = 50  # of a log stream that are asked for; a check writes one document and few words beside it
_BY_CODE = {0: Status.PASS, 1: Status.FAIL, 3: Status.INCONCLUSIVE}
_MEANINGS = {0: "pass or degraded", 1: "fail", 3: "inconclusive"}
_USAGE = 2
_OWN = "ecr-probe: "

Reader = Callable[[str], Verdict | None]  # of an error's text


class _Heading(Record):
    schema_version: int


class Answer(Record, frozen=True):
    status: Status
    source: Source | None = None
    verdict: Verdict | None = None
    words: str | None = None


class Lines(Record, frozen=True):
    """What a log stream gave: the probe's document, or why there is none that can be read, or its last own words."""

    verdict: Verdict | None = None
    unreadable: str | None = None
    last: str | None = None

    def settle(self, ended: Ending) -> bool:
        """Whether no later look will find more. A probe that refuses its settings writes no document."""
        return self.unreadable is not None or (ended.exit_code == _USAGE and self.last is not None)

    @property
    def why(self) -> str:
        return self.unreadable or "its document did not arrive in CloudWatch Logs"


def lines(events: Iterable[Mapping[str, Any]]) -> Lines:
    """Look for a document, from the last line on; there may be others' lines about it."""
    messages = [str(event.get("message") or "") for event in events]
    unreadable = None
    for message in reversed(messages):
        if message.lstrip().startswith("{") and len(message) <= LONGEST:
            try:
                return Lines(_document(message))
            except ValueError as error:
                unreadable = unreadable or str(error) or None
    own = next((message for message in reversed(messages) if message.startswith(_OWN)), None)
    return Lines(None, unreadable, scrub(own.removeprefix(_OWN)) if own else None)


def _document(message: str) -> Verdict:
    """Raises ValueError with a sentence where it is one of ours that we cannot read, without where it is none."""
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
        return rejudge(facts)  # of another version: its facts are of a kind, and can be judged anew


def by_document(verdict: Verdict, ended: Ending) -> Answer:
    """The exit code has to say the same: a container that was killed after it printed has not ended well."""
    if ended.exit_code == verdict.exit_code:
        return Answer(verdict.status, Source.PROBE, verdict)
    words = f"its document says {verdict.status}, but {_ended(ended)}"
    status = Status.FAIL if verdict.status is Status.FAIL else Status.INCONCLUSIVE
    return Answer(status, Source.PROBE, verdict, words)


def by_exit_code(ended: Ending, why: str | None = None, last: str | None = None) -> Answer:
    """`why` no document was read; `last` is what the probe itself wrote last."""
    code = ended.exit_code
    status = Status.INCONCLUSIVE if code is None else _BY_CODE.get(code, Status.INCONCLUSIVE)
    if code == _USAGE:
        words = f"the probe refuses its settings: {last}" if last else "the probe refuses its settings (exit code 2)"
        return Answer(status, Source.EXIT_CODE, None, words)
    told = f"{_ended(ended)}; {why}" if why else _ended(ended)
    return Answer(status, Source.EXIT_CODE, None, told)


def _ended(ended: Ending) -> str:
    why = _MEANINGS.get(ended.exit_code) if ended.exit_code is not None else None
    why = why or scrub(ended.reason)
    return f"the probe's container ended with exit code {ended.exit_code}{f' ({why})' if why else ''}"


def by_reason(reason: str, stop_code: str, read_text: Reader) -> Answer:
    """Of a container that never ran. Whatever the words say, that is no success."""
    if stop_code == "UserInitiated":
        return Answer(Status.INCONCLUSIVE, words=f"the task was stopped: {meaning(reason)}")
    if is_of_the_place(reason, stop_code):
        return without_task(reason, read_text)
    verdict = read_text(reason) if reason else None
    words = f"the probe's container never ran: {meaning(reason) or 'ECS does not say why'}"
    failed = verdict is not None and verdict.status is Status.FAIL
    return Answer(Status.FAIL if failed else Status.INCONCLUSIVE, _source(verdict), verdict, words)


def without_task(reason: str, read_text: Reader) -> Answer:
    """That says nothing of the network, whatever it is."""
    verdict = read_text(reason)
    return Answer(Status.INCONCLUSIVE, _source(verdict), verdict, f"no task could be started: {meaning(reason)}")


def _source(verdict: Verdict | None) -> Source | None:
    return Source.STOPPED_REASON if verdict is not None else None
