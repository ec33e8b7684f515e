"""Records: copies with changes, and that the repr of a record with secrets is its type."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from probe.measure.layers import Redirect
from probe.push import Gateway
from probe.records import Record, Unshown, replace
from probe.serve.options import Options as ServeOptions
from probe.smoke.options import Options as SmokeOptions
from probe.wire.credentials import Credentials

SECRET = "sentinel-secret"


class Login(Unshown, frozen=True):
    user: str
    password: str


class Letter(Record, frozen=True):
    sender: Login
    text: str = ""


@dataclass(frozen=True)
class Card:
    text: str
    number: int = 1


def test_the_repr_of_a_record_with_a_secret_is_its_type() -> None:
    letter = Letter(Login("AWS", SECRET), "hello")
    assert repr(letter) == "Letter(sender=Login(...), text='hello')"
    assert SECRET not in f"{letter.sender} {letter.sender!r} {ValueError(letter)}"


@pytest.mark.parametrize("kind", [Credentials, Redirect, Gateway, ServeOptions, SmokeOptions])
def test_values_with_secrets_are_such_records(kind: type[Record]) -> None:
    assert issubclass(kind, Unshown)


def test_records_and_dataclasses_are_copied_with_changes() -> None:
    letter, card = Letter(Login("AWS", SECRET), "hello"), Card("hello", 2)
    assert replace(letter, text="bye") == Letter(letter.sender, "bye")
    assert replace(card, text="bye") == Card("bye", 2)
    assert (letter.text, card.text) == ("hello", "hello")
    with pytest.raises(TypeError):
        replace(letter, colour="red")
