"""Failures that users reported: a finding must name the cause that each turned out to have."""

from __future__ import annotations

import pytest

from probe.faults.causes import CAUSES
from probe.model import Standing
from tests.faults.expectation import Reported
from tests.faults.reported import REPORTED


@pytest.mark.parametrize("reported", REPORTED, ids=lambda reported: reported.summary)
def test_a_finding_names_the_cause(reported: Reported) -> None:
    lists = [finding.causes for finding in reported.run.findings() if finding.causes]
    named = [cause for causes in lists for cause in causes if cause.standing is not Standing.RULED_OUT]
    assert reported.cause in {cause.code for cause in named}
    if reported.how == "confirmed":
        assert reported.cause in {cause.code for cause in named if cause.standing is Standing.CONFIRMED}
    if reported.how == "first":
        assert reported.cause in {causes[0].code for causes in lists}


def test_every_measurable_cause_was_reported() -> None:
    never_reported = {
        "other",
        # Only error texts lead to these (tests/explain).
        "client.imds-hop-limit",
        "client.misconfigured",
        "client.no-credential-provider",
        "client.old-agent",
        "client.pull-limit",
        "client.pull-not-in-vpc",
        "endpoint.not-available",
        "endpoint.service-name",
        "iam.trust-policy",
        "node.disk-full",
        "node.slow-runtime",
        "node.unpack",
        # No report was found for these.
        "iam.registry-policy",
        "kms.key",
        "path.large-client-hello",
        "registry.archived",
        "registry.not-an-image",
        "registry.quota",
        "registry.upstream-refused",
        "tcp.block-public-access",
        "tls.certificate-expired",
    }
    assert set(CAUSES) - {reported.cause for reported in REPORTED} == never_reported


def test_there_are_enough_reports() -> None:
    assert len({reported.summary for reported in REPORTED}) == len(REPORTED) >= 60
