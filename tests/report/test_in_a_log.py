"""What stands in the log of a pipeline: no word of a server is a command to whoever keeps the log."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.report import FLEET_FORMATS, FORMATS, Page
from probe.report.layout import clean
from tests.page.hostile import spoilt
from tests.report import fleets, made
from tests.report.forms import obeyed

# Prometheus's text holds none of a server's words, and its labels cannot be written otherwise.
FORMS = sorted(set(FORMATS) - {"github", "prometheus"})
ORDERS = (
    "##[set-env name=x;]y",
    "a##[stop-commands]x",
    "##[ADD-MASK]the",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[buildStop comment='x']",
    "::set-env name=x::y",
    "::error::x",
    "::add-mask::the",
    "\n::debug::x",
    "\u00a0\u3000::stop-commands::x",
    "##\u202e[set-env name=x;]y",
)
INNOCENT = (
    "arn:aws:s3:::bucket",
    "arn:aws:iam::123456789012:role/x",
    "::1",
    "::ffff:10.0.0.1, ::1",
    "## x",
    "#[x]",
    "a::b",
)


def orders_in(form: str, order: str, before: str = "") -> list[str]:
    """Lines that are commands, where every word of a verdict and of a fleet begins so."""
    words = f"{before}{order} "
    verdict = spoilt(made.broken(), lambda text: f"{words}{text}")
    texts = [FORMATS[form].render(verdict, page) for page in (Page(), Page(pretty=True), Page(width=60, unicode=False))]
    if form in FLEET_FORMATS:
        runs = [fleets.run(0, verdict, words=words), fleets.run(1, words=words)]
        texts.append(FLEET_FORMATS[form].render(fleets.fleet(runs, notes=(order, words)), Page()))
    return [line for text in texts for line in text.split("\n") if obeyed(line)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", ORDERS)
def test_no_word_of_a_server_is_a_command(form: str, order: str) -> None:
    assert orders_in(form, order) == []


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("number", range(40, 122, 3))
def test_wherever_lines_are_broken(number: int, blank: str) -> None:
    """Behind so many letters it is the first word of a line, or of what is left of a long word."""
    for form, letters in (("text", number), ("text", number + 1), ("text", number + 2), ("junit", number)):
        assert orders_in(form, "::error::x", "a" * letters + blank) == []


def test_the_reader_of_these_tests_obeys() -> None:
    assert [obeyed(order.strip("\n")) for order in ORDERS[:-1]] == [True] * (len(ORDERS) - 1)
    assert not any(map(obeyed, INNOCENT))


@pytest.mark.parametrize("words", INNOCENT)
def test_other_words_stay_as_they_are(words: str) -> None:
    assert clean(words) == words


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("#:[] adw-\n\t\u202e"), max_size=20))
def test_clean_words_are_obeyed_by_nobody(words: str) -> None:
    assert not obeyed(clean(words))
    assert clean(clean(words)) == clean(words)
    assert len(clean(words)) == len(words)  # a table's columns were counted before


def test_a_document_holds_the_words_as_they_were() -> None:
    words = "##[set-env name=x;]y ###[ ##"
    verdict = made.verdict(version=words)
    for page in (Page(), Page(pretty=True)):
        assert json.loads(FORMATS["json"].render(verdict, page))["version"] == words
