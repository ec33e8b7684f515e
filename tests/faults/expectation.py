"""What a run made by hand must be judged as: every finding with its causes, or the cause of a reported failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from probe.model import Finding, Standing
from probe.verdict import judge
from tests.faults.fake_run import FakeRun


@dataclass(frozen=True)
class Expected:
    """The verdict that a run must lead to.

    `causes` maps the code of each finding to its causes, likeliest first ("=" confirmed, "-" ruled out); the first few
    are enough. `excludes` maps the code of a finding to causes that it must not list, unless as ruled out.
    """

    name: str
    run: FakeRun
    causes: Mapping[str, str]
    status: str = "fail"
    pull: str = "broken"
    severities: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    excludes: Mapping[str, str] = field(default_factory=dict)

    def differences(self) -> Iterator[str]:
        measurement = self.run.measure()
        verdict = judge(self.run.findings(), measurement, self.run.policy, version="0")
        findings = verdict.findings
        expected_codes, codes = sorted(self.causes), sorted({finding.code for finding in findings})
        if codes != expected_codes:
            yield f"finds {codes}, expected {expected_codes}"
        for code, causes in self.causes.items():
            lists = [causes_in_one_line(finding) for finding in findings if finding.code == code]
            if lists and not any(f"{line} ".startswith(f"{causes} ".lstrip()) for line in lists):
                yield f"{code} is caused by {lists}, expected {causes!r}"
        for code, severity in self.severities.items():
            severities = {str(finding.severity) for finding in findings if finding.code == code}
            if severity not in severities:
                yield f"{code} has severity {severities}, expected {severity}"
        for code, names in self.endpoints.items():
            endpoints = {" ".join(finding.endpoints) for finding in findings if finding.code == code}
            if names not in endpoints:
                yield f"{code} names {endpoints}, expected {names}"
        for code, excluded in self.excludes.items():
            causes_of_code = [cause for finding in findings if finding.code == code for cause in finding.causes]
            listed = {cause.code for cause in causes_of_code if cause.standing is not Standing.RULED_OUT}
            if wrong := listed.intersection(excluded.split()):
                yield f"{code} lists {sorted(wrong)}, which the evidence excludes"
        if (str(verdict.status), str(verdict.pull)) != (self.status, self.pull):
            yield f"status and pull are {verdict.status} {verdict.pull}, expected {self.status} {self.pull}"


_MARKS = {Standing.CONFIRMED: "=", Standing.POSSIBLE: "", Standing.RULED_OUT: "-"}


def causes_in_one_line(finding: Finding) -> str:
    return " ".join(f"{_MARKS[cause.standing]}{cause.code}" for cause in finding.causes)


@dataclass(frozen=True)
class Reported:
    """A failure that a user reported, with the cause that it turned out to have.

    `how`: the cause must be "confirmed", "first", or "among" the causes of a finding.
    """

    summary: str
    run: FakeRun
    cause: str
    how: str = "among"
