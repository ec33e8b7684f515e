"""Would we have said this? Each failure that people reported, and the cause that it turned out to be."""

from __future__ import annotations

import pytest

from probe.faults.causes import CAUSES
from probe.model import Standing
from tests.faults.report import Reported
from tests.faults.reported import REPORTED


@pytest.mark.parametrize("reported", REPORTED, ids=lambda reported: reported.story)
def test_we_would_have_named_the_cause(reported: Reported) -> None:
    lists = [finding.causes for finding in reported.world.findings() if finding.causes]
    named = [cause for causes in lists for cause in causes if cause.standing is not Standing.RULED_OUT]
    assert reported.cause in {cause.code for cause in named}
    if reported.how == "confirmed":
        assert reported.cause in {cause.code for cause in named if cause.standing is Standing.CONFIRMED}
    if reported.how == "first":
        assert reported.cause in {causes[0].code for causes in lists}


def test_every_cause_that_can_be_seen_was_reported() -> None:
    # Made up where nobody reported it: certificates out of date. Two only an error's words can tell (tests/explain).
    unseen = {"other", "tls.certificate-expired", "client.old-agent", "client.pull-not-in-vpc"}
    assert set(CAUSES) - {reported.cause for reported in REPORTED} == unseen


def test_there_are_enough_reports() -> None:
    assert len({reported.story for reported in REPORTED}) == len(REPORTED) >= 60
