"""The lists of error messages in the sources of systems, libraries and proxies: what each message of a list means."""

from __future__ import annotations

import time

import pytest

from probe.explain.error_patterns import deciding_match
from probe.model import Action, Failure
from tests.explain import source_lists
from tests.explain.client_messages import HEADLINES


@pytest.mark.parametrize(("message", "failure", "about"), source_lists.MESSAGES)
def test_every_message_of_a_list_means_its_failure(message: str, failure: Failure, about: Action | str | None) -> None:
    for headline in HEADLINES:
        match = deciding_match(headline + message)
        assert match is not None
        assert (match.failure, match.subject or match.action) == (failure, about)


@pytest.mark.parametrize("message", source_lists.LEFT_OUT)
def test_a_message_that_is_left_out_means_nothing(message: str) -> None:
    assert deciding_match(message) is None


@pytest.mark.parametrize("filler", [" ", "a", "(", "connect ", "certificate ", "error: ", "http, ", "ssl routines:a:"])
def test_no_pattern_is_slow_on_repetitive_text(filler: str) -> None:
    text = (filler * 8000)[:8000]
    begin = time.process_time()
    for message, _, _ in source_lists.MESSAGES[::50]:
        deciding_match(text + message)
    assert time.process_time() - begin < 60  # seconds: exponential time would take hours
