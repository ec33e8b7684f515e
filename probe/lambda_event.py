"""The event of the Lambda function: flags of the check as keys of a JSON object, which override the variables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, NoReturn

from probe.config.flags import FLAGS, Arguments, Flag, UsageError, collect, with_example
from probe.config.readers import one_of, switch
from probe.config.settings import variables
from probe.report import FORMATS
from probe.safe_words import quoted

SETTINGS = "settings"
# Every event of EventBridge and its Scheduler has these keys. It starts a check and has no settings in it.
_OF_EVENTBRIDGE = {"detail-type", "source"}
_NUMBER = "a number"
_TYPE_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: _NUMBER, float: _NUMBER}


class Key(Flag):
    """A flag as a key of the event: its error messages name the key and show a good event."""

    __slots__ = ()

    @property
    def expected(self) -> str:
        """The JSON type of its value."""
        if self.switch:
            return _TYPE_NAMES[bool]
        return _NUMBER if self.metavar in ("DURATION", "SIZE") else _TYPE_NAMES[str]

    @property
    def good(self) -> str:
        """An event with a good value."""
        value: Any = int(self.example) if self.example.isdigit() else self.example
        return json.dumps({self.name: True if self.switch else [value] if self.many else value})

    def refusal(self, sentence: str, *, given_by: str = "", example: str = "") -> UsageError:
        good = example or self.good
        return UsageError(f"{self.name} ({given_by or self.variable}): {with_example(sentence, good)}")


# A function writes no file and has no screen, and it cannot reach an instance's metadata.
_NOT_IN_A_FUNCTION = ("output", "pretty", "verbose", "quiet", "allow-instance-role")
KEYS = {
    flag.name: Key(**{field.name: getattr(flag, field.name) for field in fields(flag)})
    for flag in FLAGS
    if flag.name not in _NOT_IN_A_FUNCTION
}
GOOD = KEYS["image"].good


def read(event: object) -> tuple[Arguments, tuple[str, ...]]:
    """The settings of the event, with the variables for the others; and the formats of the reports to log, which unlike
    on a screen may be several. Raises UsageError."""
    argv = [argument for key, value in _settings(event) for argument in _argv(key, value)]
    arguments = collect(KEYS.values(), argv, variables())
    formats = arguments.values("format", lambda text: one_of(text, FORMATS, what="a format"))
    others = {name: texts for name, texts in arguments.texts.items() if name != "format"}
    return replace(arguments, texts=others, reports=()), formats


def _settings(event: object) -> Iterator[tuple[Key, object]]:
    values, what = event, "the event"
    if isinstance(values, dict) and SETTINGS in values:
        # The other keys are the caller's own, such as the state of a state machine.
        values, what = values[SETTINGS], SETTINGS
    if values is None:
        return
    if not isinstance(values, dict):
        raise UsageError(f"{what} is {_type_name(values)} and has to be an object; for example {GOOD}")
    if values.keys() >= _OF_EVENTBRIDGE:
        return
    for name, value in values.items():
        key = KEYS.get(name)
        if key is None:
            _refuse(str(name))
        if value is not None:
            yield key, value


def _refuse(name: str) -> NoReturn:
    near = get_close_matches(name[:100].lower().replace("_", "-"), KEYS, n=1, cutoff=0.6)
    if near:
        sentence = f"{quoted(name)} is no setting; did you mean {near[0]}?"
        raise UsageError(with_example(sentence, KEYS[near[0]].good))
    raise UsageError(
        f"{quoted(name)} is no setting; known are {', '.join(KEYS)}; an event with other keys needs "
        f'"{SETTINGS}" around them; for example {json.dumps({SETTINGS: json.loads(GOOD)})}'
    )


def _argv(key: Key, value: object) -> Iterator[str]:
    """The key and its value as arguments of a command line."""
    values = value if isinstance(value, list) and key.many else [value]
    if not values:
        raise key.refusal("the list is empty")
    for text in (_text(key, item) for item in values):
        if not key.switch:
            yield f"--{key.name}={text}"
            continue
        try:
            yield f"--{key.name if switch(text) else key.opposite}"
        except ValueError as error:
            raise key.refusal(str(error)) from None


def _text(key: Key, value: object) -> str:
    """The value as a command line has it. A text is always accepted, since a variable has no other type."""
    if isinstance(value, str):
        return value
    if _type_name(value) != key.expected:
        alternative = ", nor a list of it" if key.many else ""
        if key.expected == _NUMBER:
            alternative = f" or a text such as {key.example}"
        raise key.refusal(f"{_type_name(value)} is not {key.expected}{alternative}")
    if isinstance(value, bool):
        return str(value).lower()
    # Without an exponent, which no flag accepts.
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _type_name(value: object) -> str:
    return "null" if value is None else _TYPE_NAMES.get(type(value), type(value).__name__)
