"""A case: a world, and what must be said of it. `Case.differences` says what came out otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from probe.model import Finding, Standing
from probe.verdict import judge
from tests.faults.world import World

# That S3's route is open is said in every world where it is reached; cases leave it out unless they are about it.
S3_ROUTE = "s3.route-undetermined"


@dataclass(frozen=True)
class Case:
    """`finds`: finding code → its causes, likeliest first ("=" confirmed, "-" ruled out); their beginning will do."""

    name: str
    world: World
    finds: Mapping[str, str]
    status: str = "fail"
    pull: str = "broken"
    severities: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)

    def differences(self) -> Iterator[str]:
        measurement = self.world.measure()
        verdict = judge(self.world.findings(), measurement, self.world.policy, version="0")
        findings = [finding for finding in verdict.findings if finding.code != S3_ROUTE or S3_ROUTE in self.finds]
        told, codes = sorted(self.finds), sorted({finding.code for finding in findings})
        if told != codes:
            yield f"finds {codes}, told {told}"
        for code, causes in self.finds.items():
            lists = [spelled(finding) for finding in findings if finding.code == code]
            if lists and not any(f"{each} ".startswith(f"{causes} ".lstrip()) for each in lists):
                yield f"{code} is caused by {lists}, told {causes!r}"
        for code, severity in self.severities.items():
            if severity not in (known := {str(finding.severity) for finding in findings if finding.code == code}):
                yield f"{code} weighs {known}, told {severity}"
        for code, names in self.endpoints.items():
            if names not in (known := {" ".join(finding.endpoints) for finding in findings if finding.code == code}):
                yield f"{code} names {known}, told {names}"
        if (str(verdict.status), str(verdict.pull)) != (self.status, self.pull):
            yield f"status and pull are {verdict.status} {verdict.pull}, told {self.status} {self.pull}"


_MARKS = {Standing.CONFIRMED: "=", Standing.POSSIBLE: "", Standing.RULED_OUT: "-"}


def spelled(finding: Finding) -> str:
    """The causes in one line."""
    return " ".join(f"{_MARKS[cause.standing]}{cause.code}" for cause in finding.causes)
