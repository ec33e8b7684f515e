"""What the text report of an error text looks like: nothing empty, nothing cut within a word, no internal words."""

from __future__ import annotations

import re

import pytest

from probe.explain import explain_text
from probe.explain.text_records import plain_text
from probe.report import FORMATS, Page
from tests.explain.sample import Sample
from tests.explain.samples import SAMPLES
from tests.faults.fake_hosts import NOON

# Words of the program, empty places, and claims about credentials that nobody holds.
NEVER = re.compile(
    r"unnamed-host HOST|with unnamed-host|the unnamed-host|\(\)|from none|identity held here|start +cut-short"
    r"|Where +does|malformed|timeout +timeout|it is the role that ECS uses|\bNone\b|as the words tell"
)

PUNCTUATION = "\"'{}[]“”().,:;"


def report(text: str, *, verbose: bool = False) -> str:
    verdict = explain_text(text, now=NOON)
    assert verdict is not None
    return FORMATS["text"].render(verdict, Page(verbose=verbose))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_no_internal_word_and_no_empty_place(sample: Sample) -> None:
    for verbose in (False, True):
        text = FORMATS["text"].render(sample.run.verdict(), Page(verbose=verbose))
        quoted = re.sub(r"“[^”]*”|page: .*", "", text)  # without the error itself
        assert NEVER.findall(quoted) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_error_is_not_cut_within_a_word(sample: Sample) -> None:
    words = {word.strip(PUNCTUATION) for word in plain_text(sample.text).split()}
    for step in sample.run.verdict().steps:
        if step.failed and step.detail and step.subject != "recovered":
            for end in (step.detail.split()[0], step.detail.split()[-1]):
                shortened = "…" in end or "[cut]" in end or len(end) > 60
                assert shortened or end.strip(PUNCTUATION) in words


def test_a_cut_text_asks_for_the_whole_text() -> None:
    text = report(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval: ..."
    )
    assert text.splitlines()[-1] == "fix:  read the whole text, for example with ecr-probe explain --task TASK_ARN"
    assert "cause:" not in text
    assert "5 possible causes: " in text
    assert "  FAIL  start  cut short\n" in text


def test_a_host_that_the_text_does_not_name() -> None:
    text = " ".join(report("net/http: TLS handshake timeout", verbose=True).split())
    assert "the TLS handshake with a host that the text does not name times out" in text
    assert "unnamed-host ?" in " ".join(report("net/http: TLS handshake timeout").split())


def test_a_url_and_an_account_are_shown_whole() -> None:
    host = "ec2.eu-north-1.amazonaws.com"
    long = f'Post "https://{host}/": net/http: request canceled while waiting for connection ' + "and waiting " * 20
    for text in (long, f"{'x' * 30} " * 9 + long):
        for step in explained_steps(text):
            assert host not in step or f'"https://{host}/"' in step


def explained_steps(text: str) -> list[str]:
    verdict = explain_text(text, now=NOON)
    assert verdict is not None
    return [step.detail for step in verdict.steps if step.failed and step.detail]
