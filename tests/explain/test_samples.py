"""Error texts of every shape, in our own words: which step, which failure, which causes first."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.explain import explain_text, saved_verdict
from probe.model import Basis, ConnectionSeen, Outcome, Pull, Standing, Verdict
from probe.report import FORMATS, Page
from tests.explain.sample import Text
from tests.explain.samples import TEXTS
from tests.faults.places import NOON

WHOLE = [text for text in TEXTS if not text.name.startswith(("an error of something else", "a headline alone"))]
each_text = pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)


def essence(verdict: Verdict | None) -> object:
    """What must not change with what stands around the words."""
    if verdict is None:
        return None
    failed = [(step.id, step.failure) for step in verdict.steps if step.outcome is Outcome.FAILED]
    return failed, [(finding.code, [cause.code for cause in finding.causes]) for finding in verdict.findings]


@each_text
def test_the_step_that_failed_and_how(text: Text) -> None:
    assert text.failed() == [(text.step, text.failure)]


@each_text
def test_the_class_of_the_address(text: Text) -> None:
    dialled = [step.seen for step in text.world.read().steps if isinstance(step.seen, ConnectionSeen)]
    assert "".join(seen.address_class for seen in dialled) == text.lies


@each_text
def test_what_is_found(text: Text) -> None:
    assert list(text.case.differences()) == []


@each_text
def test_the_document_says_that_it_rests_on_words_and_is_read_back_as_it_was(text: Text) -> None:
    verdict = text.world.read()
    assert verdict.basis is Basis.TEXT
    assert all(step.detail and step.seconds is None for step in verdict.steps)
    again = saved_verdict.rejudge(saved_verdict.read_saved(msgspec.json.encode(verdict)))
    assert again == verdict


@each_text
def test_no_report_says_that_it_was_measured(text: Text) -> None:
    report = FORMATS["text"].render(text.world.read(), Page())
    assert report.startswith("Read from an error's words; nothing was measured.")
    assert not re.search(r"saw:|\bafter 0|  ok  | at $", report, re.MULTILINE)
    assert report.splitlines()[-1].endswith("read from an error's words, not measured")


@each_text
def test_a_text_never_clears_the_pull(text: Text) -> None:
    verdict = text.world.read()
    assert verdict.pull is not Pull.WORKS
    assert verdict.exit_code != 0


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_can_tell_of_every_text(form: str) -> None:
    for text in TEXTS:
        assert FORMATS[form].render(text.world.read(), Page())


def test_there_are_enough_of_them_and_none_is_told_twice() -> None:
    assert len({text.words for text in TEXTS}) == len({text.name for text in TEXTS}) == len(TEXTS) >= 60


# ---- what stands around ---------------------------------------------------------------------------------------------

BEFORE = st.sampled_from(
    (
        "",
        "Stopped reason: ",
        "2024-11-02T10:11:12Z ",
        'time="2024-11-02T10:11:12Z" level=error ',
        "\x1b[31mERROR\x1b[0m ",
        "Task stopped at: 2024-11-02T10:11:12Z\n",
        "> ",
        "rpc error: code = Unknown desc = ",
    )
)
BEHIND = st.sampled_from(
    ("", "\n", " ", ". ", "\r\n\r\n", " (attempt 3)", "\n    ", '"', "\nsome other line of the log\n")
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(WHOLE), BEFORE, BEHIND)
def test_what_stands_around_changes_nothing(text: Text, before: str, behind: str) -> None:
    assert essence(_read(text, before + text.words + behind)) == essence(text.world.read())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(WHOLE), st.integers(1, 3))
def test_quotes_and_escapes_change_nothing(text: Text, deep: int) -> None:
    words = text.words.replace("\t", " ")
    for _ in range(deep):
        words = msgspec.json.encode({"message": words}).decode()
    assert essence(_read(text, words)) == essence(text.world.read())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([text for text in TEXTS if "time(s)" in text.words]), st.integers(1, 99))
def test_how_often_it_was_retried_changes_nothing(text: Text, times: int) -> None:
    words = re.sub(r"retried \d+ time\(s\)", f"retried {times} time(s)", text.words)
    assert essence(_read(text, words)) == essence(text.world.read())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(WHOLE), st.integers(60, 110))
def test_a_terminal_that_breaks_lines_changes_nothing(text: Text, width: int) -> None:
    """Between words, as terminals and mail do."""
    words, line = [], 0
    for word in text.words.split():
        line += len(word) + 1
        words.append(("\n" if line > width else " ") + word)
        line = len(word) if line > width else line
    assert essence(_read(text, "".join(words))) == essence(text.world.read())


def _read(text: Text, words: str) -> Verdict | None:
    return explain_text(words, vpc_cidrs=text.ranges, now=NOON)


# ---- nonsense -------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [piece for text in TEXTS for piece in re.split(r"(?<=[:,.]) ", text.words)]
    + ["\n", "\x00", "{", "<", "’", "\u202e", "…"]
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.characters(), max_size=400).map("".join))  # st.text would know the words of our sources
def test_nonsense_is_no_cause_of_anything(words: str) -> None:
    verdict = explain_text(words, now=NOON)
    assert verdict is None or not confirmed(verdict)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_pieces_of_texts_in_any_order_break_nothing(words: str) -> None:
    verdict = explain_text(words, now=NOON)
    if verdict is not None:
        assert saved_verdict.rejudge(saved_verdict.read_saved(msgspec.json.encode(verdict))) == verdict
        assert verdict.pull is not Pull.WORKS
        assert FORMATS["text"].render(verdict, Page())


def confirmed(verdict: Verdict) -> list[str]:
    causes = [cause for finding in verdict.findings for cause in finding.causes]
    return [cause.code for cause in causes if cause.standing is Standing.CONFIRMED]
