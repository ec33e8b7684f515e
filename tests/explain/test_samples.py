"""Samples of error texts: the failed step, its failure, the findings and their first causes."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from probe.explain import explain_text, saved_verdict
from probe.faults.subjects import Subject
from probe.model import Basis, ConnectionSeen, Outcome, Pull, Standing, Verdict
from probe.report import FORMATS, Page
from tests.explain.sample import UNDESCRIBED, Sample
from tests.explain.samples import SAMPLES
from tests.faults.fake_hosts import NOON
from tests.report.screen import check_form

COMPLETE = [
    sample for sample in SAMPLES if not sample.name.startswith(("unrelated error", "headline only", "recovered"))
]
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def essence(verdict: Verdict | None) -> object:
    """The conclusions that must not depend on the text around an error."""
    if verdict is None:
        return None
    failed = [(step.id, step.failure) for step in verdict.steps if step.outcome is Outcome.FAILED]
    return failed, [(finding.code, [cause.code for cause in finding.causes]) for finding in verdict.findings]


@every_sample
def test_the_failed_step_and_its_failure(sample: Sample) -> None:
    assert sample.failed_steps() == [(sample.step, sample.failure)]


@every_sample
def test_the_dialled_address_has_the_expected_class(sample: Sample) -> None:
    dialled = [step.seen for step in sample.run.verdict().steps if isinstance(step.seen, ConnectionSeen)]
    assert "".join(seen.address_class for seen in dialled) == sample.address_class


@every_sample
def test_the_findings_and_causes_are_as_expected(sample: Sample) -> None:
    assert list(sample.expected.differences()) == []


@every_sample
def test_the_document_has_the_basis_text_and_reads_back_unchanged(sample: Sample) -> None:
    verdict = sample.run.verdict()
    assert verdict.basis is Basis.TEXT
    assert all(step.detail and step.seconds is None for step in verdict.steps)
    reread = saved_verdict.rejudge(saved_verdict.read_saved(msgspec.json.encode(verdict)))
    assert reread == verdict


@every_sample
def test_the_report_states_that_nothing_was_measured(sample: Sample) -> None:
    verdict = sample.run.verdict()
    report = FORMATS["text"].render(verdict, Page())
    check_form(verdict)
    assert "nothing was measured" in report.splitlines()[0]
    assert verdict.summary.endswith("; based on the error text only")
    assert not re.search(r"saw:|\bafter 0|  ok  | at $", report, re.MULTILINE)


@every_sample
def test_a_text_never_proves_that_the_pull_works(sample: Sample) -> None:
    verdict = sample.run.verdict()
    assert verdict.pull is not Pull.WORKS
    assert verdict.exit_code != 0


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_renders_every_sample(form: str) -> None:
    for sample in SAMPLES:
        assert FORMATS[form].render(sample.run.verdict(), Page())


def test_there_are_at_least_sixty_samples_without_duplicates() -> None:
    assert len({sample.text for sample in SAMPLES}) == len({sample.name for sample in SAMPLES}) == len(SAMPLES) >= 60


@pytest.mark.parametrize("subject", Subject)
def test_every_subject_has_a_sample(subject: Subject) -> None:
    steps = [
        step.subject
        for case in (*(sample.expected for sample in SAMPLES), *UNDESCRIBED)
        for step in case.run.measure().steps
    ]
    assert subject in steps


# ---- text around an error -------------------------------------------------------------------------------------------

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
AFTER = st.sampled_from(
    ("", "\n", " ", ". ", "\r\n\r\n", " (attempt 3)", "\n    ", '"', "\nsome other line of the log\n")
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from(COMPLETE), BEFORE, AFTER)
def test_text_around_an_error_changes_nothing(sample: Sample, before: str, after: str) -> None:
    assert essence(_explain(sample, before + sample.text + after)) == essence(sample.run.verdict())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(COMPLETE), st.integers(1, 3))
def test_quotes_and_escapes_change_nothing(sample: Sample, depth: int) -> None:
    text = sample.text.replace("\t", " ")
    for _ in range(depth):
        text = msgspec.json.encode({"message": text}).decode()
    assert essence(_explain(sample, text)) == essence(sample.run.verdict())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([sample for sample in SAMPLES if "time(s)" in sample.text]), st.integers(1, 99))
def test_the_number_of_retries_changes_nothing(sample: Sample, times: int) -> None:
    text = re.sub(r"retried \d+ time\(s\)", f"retried {times} time(s)", sample.text)
    assert essence(_explain(sample, text)) == essence(sample.run.verdict())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(COMPLETE), st.integers(60, 110))
def test_wrapped_lines_change_nothing(sample: Sample, width: int) -> None:
    """Lines are wrapped between words, as terminals and mail programs do."""
    wrapped, length = "", 0
    for word in sample.text.split():
        length += len(word) + 1
        wrapped += ("\n" if length > width else " ") + word
        length = len(word) if length > width else length
    lengths = [len(line) for line in wrapped.splitlines()[:-1]]
    # Lines that by chance are full to one column look like those that a terminal broke within words.
    assume(len(lengths) < 2 or max(lengths) - min(lengths) > 1)
    assert essence(_explain(sample, wrapped)) == essence(sample.run.verdict())


def _explain(sample: Sample, text: str) -> Verdict | None:
    return explain_text(text, vpc_cidrs=sample.vpc_cidrs, now=NOON)


# ---- random text ----------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [piece for sample in SAMPLES for piece in re.split(r"(?<=[:,.]) ", sample.text)]
    + ["\n", "\x00", "{", "<", "’", "\u202e", "…"]
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.characters(), max_size=400).map("".join))  # st.text would use text of our sources
def test_random_text_confirms_no_cause(text: str) -> None:
    verdict = explain_text(text, now=NOON)
    assert verdict is None or not confirmed(verdict)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_pieces_of_samples_in_any_order_give_a_valid_verdict_or_none(text: str) -> None:
    verdict = explain_text(text, now=NOON)
    if verdict is not None:
        assert saved_verdict.rejudge(saved_verdict.read_saved(msgspec.json.encode(verdict))) == verdict
        assert verdict.pull is not Pull.WORKS
        assert FORMATS["text"].render(verdict, Page())


def confirmed(verdict: Verdict) -> list[str]:
    causes = [cause for finding in verdict.findings for cause in finding.causes]
    return [cause.code for cause in causes if cause.standing is Standing.CONFIRMED]
