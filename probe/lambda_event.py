"""What the event of a Lambda function asks of the check: flags as keys of a JSON object, over their variables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, NoReturn

from probe.config.flags import FLAGS, Arguments, Flag, UsageError, collect
from probe.config.readers import one_of, switch
from probe.config.settings import variables
from probe.report import FORMATS
from probe.safe_words import quoted

SETTINGS = "settings"
# Every event of EventBridge and its Scheduler has these; it comes by the clock, and asks for nothing.
_OF_EVENTBRIDGE = {"detail-type", "source"}
_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


class Key(Flag):
    """A flag as a key of the event: what is wrong with it is said in the event's words."""

    __slots__ = ()

    @property
    def wants(self) -> str:
        return _KINDS[bool] if self.switch else _KINDS[int] if self.metavar in ("DURATION", "SIZE") else _KINDS[str]

    @property
    def good(self) -> str:
        """An event with a good value."""
        value: Any = int(self.example) if self.example.isdigit() else self.example
        return json.dumps({self.name: True if self.switch else [value] if self.many else value})

    def refusal(self, sentence: str, *, given_by: str = "") -> UsageError:
        return UsageError(f"{self.name} ({given_by or self.variable}): {sentence}; for example {self.good}")


# A function writes no file, what it answers is no page, and no instance's metadata is in its reach.
_ELSEWHERE = ("output", "pretty", "verbose", "quiet", "allow-instance-role")
KEYS = {
    flag.name: Key(**{field.name: getattr(flag, field.name) for field in fields(flag)})
    for flag in FLAGS
    if flag.name not in _ELSEWHERE
}
GOOD = KEYS["image"].good


def read(event: object) -> tuple[Arguments, tuple[str, ...]]:
    """What the event says, and the variables where it says nothing; beside it the formats of the reports that are to go
    to the log, where unlike on a screen several have their place. Raises UsageError."""
    words = [word for key, value in _asked(event) for word in _words(key, value)]
    arguments = collect(KEYS.values(), words, variables())
    formats = arguments.many("format", lambda text: one_of(text, FORMATS, what="a format"))
    others = {name: texts for name, texts in arguments.texts.items() if name != "format"}
    return replace(arguments, texts=others, reports=()), formats


def _asked(event: object) -> Iterator[tuple[Key, object]]:
    given, what = event, "the event"
    if isinstance(given, dict) and SETTINGS in given:
        # Beside it may stand whatever the caller needs, such as the state of a state machine.
        given, what = given[SETTINGS], SETTINGS
    if given is None:
        return
    if not isinstance(given, dict):
        raise UsageError(f"{what} is {_kind(given)} and has to be an object; for example {GOOD}")
    if given.keys() >= _OF_EVENTBRIDGE:
        return
    for name, value in given.items():
        key = KEYS.get(name)
        if key is None:
            _refuse(str(name))
        if value is not None:
            yield key, value


def _refuse(name: str) -> NoReturn:
    near = get_close_matches(name[:100].lower().replace("_", "-"), KEYS, n=1, cutoff=0.6)
    if near:
        raise UsageError(f"{quoted(name)} is no setting; did you mean {near[0]}? for example {KEYS[near[0]].good}")
    raise UsageError(
        f"{quoted(name)} is no setting; known are {', '.join(KEYS)}, which in an event of another shape stand under "
        f'"{SETTINGS}"; for example {json.dumps({SETTINGS: json.loads(GOOD)})}'
    )


def _words(key: Key, value: object) -> Iterator[str]:
    """The flag as a command line has it."""
    values = value if isinstance(value, list) and key.many else [value]
    if not values:
        raise key.refusal("names nothing")
    for text in (_text(key, each) for each in values):
        if not key.switch:
            yield f"--{key.name}={text}"
            continue
        try:
            yield f"--{key.name if switch(text) else key.opposite}"
        except ValueError as error:
            raise key.refusal(str(error)) from None


def _text(key: Key, value: object) -> str:
    """JSON's own types are taken where they belong, and text everywhere, as a variable has nothing else."""
    if isinstance(value, str):
        return value
    if _kind(value) != key.wants:
        alternative = ", nor a list of it" if key.many else ""
        raise key.refusal(f"{_kind(value)} is not {key.wants}{alternative}")
    if isinstance(value, bool):
        return str(value).lower()
    # Without an exponent, which no flag takes.
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _kind(value: object) -> str:
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)
