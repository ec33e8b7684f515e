"""Status, pull, exit code and the summary of endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import (
    Advice,
    Cause,
    Extent,
    Failure,
    Impact,
    JudgedFinding,
    Layers,
    Path,
    Policy,
    Pull,
    Route,
    Severity,
    Standing,
    Status,
    Verdict,
    finding_url,
)
from probe.records import replace
from probe.verdict import judge, likeliest, summary
from tests.faults.fake_hosts import PRIVATE, PUBLIC, PULL_ROLE, Host, Reply, private, public
from tests.faults.fake_run import FakeRun

SILENT = Failure.TIMEOUT


def verdict(world: FakeRun) -> Verdict:
    return judge(world.findings(), world.measure(), world.policy, version="1.2.3")


def test_the_verdict_contains_the_whole_measurement() -> None:
    world = FakeRun()
    judged = verdict(world)
    assert judged.measurement == world.measure()
    assert (judged.version, judged.schema_version, judged.path) == ("1.2.3", 1, Path.TASK_ENI)
    assert judged.policy == world.policy


@pytest.mark.parametrize(
    ("world", "status", "code"),
    [
        (FakeRun(), Status.PASS, 0),
        (FakeRun({"logs": public("logs")}), Status.DEGRADED, 0),
        (FakeRun({"logs": public("logs")}, policy=Policy(strict=True)), Status.DEGRADED, 1),
        (FakeRun(policy=Policy(strict=True)), Status.PASS, 0),
        (FakeRun({"ecr.api": public("ecr.api")}), Status.FAIL, 1),
        (FakeRun({"s3": private("s3", tcp=SILENT)}), Status.FAIL, 1),
        (FakeRun(replies={"token": Reply(Failure.THROTTLED)}), Status.INCONCLUSIVE, 3),
        (FakeRun(replies={"token": Reply(Failure.THROTTLED)}, policy=Policy(strict=True)), Status.INCONCLUSIVE, 3),
        (FakeRun(replies={"layer": Reply(Failure.DEADLINE)}), Status.INCONCLUSIVE, 3),
        (FakeRun({"s3": private("s3", tcp=SILENT)}, {"token": Reply(Failure.DEADLINE)}), Status.FAIL, 1),
    ],
)
def test_status_and_exit_code(world: FakeRun, status: Status, code: int) -> None:
    judged = verdict(world)
    assert (judged.status, judged.exit_code) == (status, code)


def test_nothing_measured_is_inconclusive() -> None:
    measurement = replace(FakeRun().measure(), steps=())
    judged = judge((), measurement, Policy(), version="0")
    assert (judged.status, judged.pull, judged.exit_code) == (Status.INCONCLUSIVE, Pull.UNPROVEN, 3)


@pytest.mark.parametrize(
    ("world", "pull"),
    [
        (FakeRun(), Pull.WORKS),
        (FakeRun({"ecr.api": public("ecr.api")}), Pull.WORKS),
        (FakeRun({"ecr.api": private("ecr.api", tcp={"10.0.2.10": SILENT})}), Pull.WORKS),
        (FakeRun({"logs": private("logs", tcp=SILENT)}), Pull.WORKS),
        (FakeRun(policy=Policy(pull_role=PULL_ROLE)), Pull.WORKS),
        (FakeRun({"ecr.api": private("ecr.api", tcp=SILENT)}), Pull.BROKEN),
        (FakeRun({"s3": private("s3", tcp=SILENT)}, {"token": Reply(Failure.THROTTLED)}), Pull.BROKEN),
        (FakeRun(replies={"token": Reply(Failure.THROTTLED)}), Pull.UNPROVEN),
        (FakeRun(replies={"layer": Reply(Failure.DEADLINE)}), Pull.UNPROVEN),
        (FakeRun(around={"launch_type": "EC2"}), Pull.UNPROVEN),
        (FakeRun({"s3": private("s3", tcp=SILENT)}, around={"launch_type": "MANAGED_INSTANCES"}), Pull.UNPROVEN),
        (FakeRun(around={"launch_type": "EC2", "path": Path.INSTANCE_ENI}), Pull.WORKS),
        (FakeRun(around={"path": Path.UNKNOWN, "launch_type": None}), Pull.WORKS),
        (FakeRun(planned={"lookups": {"ecr.api": "vpce-0a1b.api.ecr.eu-west-1.vpce.amazonaws.com"}}), Pull.UNPROVEN),
        (FakeRun(planned={"lookups": {"logs": "vpce-0a1b.logs.eu-west-1.vpce.amazonaws.com"}}), Pull.WORKS),
        (FakeRun(replies={"layer": Reply(first=Failure.RESET)}), Pull.WORKS),
    ],
)
def test_whether_the_pull_works(world: FakeRun, pull: Pull) -> None:
    assert verdict(world).pull is pull


# ---- the order of causes --------------------------------------------------------------------------------------------


def finding_with(severity: Severity, *causes: str) -> JudgedFinding:
    """A finding with these causes: "=" confirmed, "-" ruled out."""
    standings = {"=": Standing.CONFIRMED, "-": Standing.RULED_OUT}
    typed_causes = [
        Cause(
            code=cause.lstrip("=-"),
            standing=standings.get(cause[0], Standing.POSSIBLE),
            title="",
            fix=Advice(""),
            confirm=Advice(cause),
        )
        for cause in causes
    ]
    return JudgedFinding(
        code="tcp.silent",
        impact=Impact.PULL,
        extent=Extent.WHOLLY,
        endpoints=(),
        title="",
        why="",
        because=(),
        values={},
        causes=tuple(typed_causes),
        severity=severity,
        url=finding_url("tcp.silent"),
    )


@pytest.mark.parametrize(
    ("findings", "order"),
    [
        ([], []),
        ([finding_with(Severity.ERROR, "a", "b", "c")], ["a", "b", "c"]),
        ([finding_with(Severity.ERROR, "a", "=b")], ["b", "a"]),
        ([finding_with(Severity.ERROR, "-a", "b")], ["b"]),
        # A cause of two findings comes before a cause of one.
        (
            [
                finding_with(Severity.ERROR, "a", "c"),
                finding_with(Severity.ERROR, "b", "c"),
                finding_with(Severity.ERROR, "c"),
            ],
            ["c", "a", "b"],
        ),
        # A warning counts less than an error, at any position; an info does not count.
        ([finding_with(Severity.WARNING, "a"), finding_with(Severity.ERROR, "x", "b")], ["x", "b", "a"]),
        ([finding_with(Severity.INFO, "a"), finding_with(Severity.ERROR, "b")], ["b"]),
        ([finding_with(Severity.ERROR, "a"), finding_with(Severity.WARNING, "=b")], ["b", "a"]),
    ],
)
def test_the_order_of_causes(findings: list[JudgedFinding], order: list[str]) -> None:
    assert [cause.code for cause in likeliest(tuple(findings))] == order


def test_a_confirmed_cause_has_the_text_of_the_finding_that_confirms_it() -> None:
    (cause,) = likeliest((finding_with(Severity.ERROR, "a"), finding_with(Severity.ERROR, "=a")))
    assert (cause.standing, cause.confirm.text) == (Standing.CONFIRMED, "=a")


def test_a_verdict_lists_the_causes_of_all_its_findings() -> None:
    judged = verdict(FakeRun({"s3": private("s3", tcp=SILENT)}, {"token": Reply(Failure.THROTTLED)}))
    assert judged.causes == tuple(cause.code for cause in likeliest(judged.findings))
    assert len(judged.findings) > 1


def endpoint_facts(world: FakeRun, name: str) -> tuple[Any, ...]:
    endpoint = next(item for item in verdict(world).endpoints if item.name == name)
    return endpoint.route, endpoint.resolved, endpoint.reached, endpoint.ok


@pytest.mark.parametrize(
    ("world", "name", "expected"),
    [
        (FakeRun(), "ecr.api", (Route.ENDPOINT, 2, 2, True)),
        (FakeRun(), "s3", (Route.UNDETERMINED, 2, 2, True)),
        (FakeRun({"s3": Host(("10.0.1.19",))}), "s3", (Route.ENDPOINT, 1, 1, True)),
        (FakeRun({"ecr.dkr": public("ecr.dkr")}), "ecr.dkr", (Route.PUBLIC, 2, 2, False)),
        (FakeRun({"logs": public("logs")}), "logs", (Route.PUBLIC, 1, 1, True)),
        (FakeRun({"ecr.dkr": public("ecr.dkr", tcp=SILENT)}), "ecr.dkr", (None, 2, 0, False)),
        (FakeRun({"ecr.dkr": private("ecr.dkr", tcp={"10.0.2.11": SILENT})}), "ecr.dkr", (Route.ENDPOINT, 2, 1, True)),
        (FakeRun({"ecr.dkr": Host(("10.99.0.1",))}), "ecr.dkr", (Route.ENDPOINT, 1, 1, True)),
        # Its requests were skipped, because another endpoint failed.
        (FakeRun({"ecr.api": private("ecr.api", tcp=SILENT)}), "ecr.dkr", (Route.ENDPOINT, 2, 2, False)),
        (FakeRun({"ecr.api": private("ecr.api", tcp=SILENT)}), "s3", (Route.UNDETERMINED, 2, 2, False)),
        (FakeRun({"ecr.api": private("ecr.api", tcp=SILENT)}), "logs", (Route.ENDPOINT, 2, 2, True)),
        (FakeRun({"ecr.dkr": Host((), ipv6=("2600:1f18::1",))}), "ecr.dkr", (Route.UNDETERMINED, 1, 1, True)),
        (FakeRun({"ecr.dkr": Host(Failure.NXDOMAIN)}), "ecr.dkr", (None, 0, 0, False)),
        (FakeRun({"ecr.api": private("ecr.api", tls=Failure.TLS_STALL)}), "ecr.api", (Route.ENDPOINT, 2, 0, False)),
        (FakeRun(replies={"token": Reply(Failure.DENIED, 400)}), "ecr.api", (Route.ENDPOINT, 2, 2, True)),
        (FakeRun(replies={"layer": Reply(Failure.DENIED, 403)}), "s3", (Route.UNDETERMINED, 2, 2, False)),
    ],
)
def test_the_summary_of_an_endpoint(world: FakeRun, name: str, expected: tuple[Any, ...]) -> None:
    assert endpoint_facts(world, name) == expected


def test_answers_of_a_second_nameserver_add_no_address() -> None:
    world = FakeRun({"ecr.api": private("ecr.api", second=PUBLIC["ecr.api"])})
    assert endpoint_facts(world, "ecr.api")[1] == len(PRIVATE["ecr.api"])


def test_judging_only_adds_severity_and_page_to_a_finding() -> None:
    world = FakeRun({"ecr.api": public("ecr.api")})
    bare = [{name: getattr(finding, name) for name in finding.__struct_fields__} for finding in world.findings()]
    judged = verdict(world).findings
    assert [
        {name: getattr(finding, name) for name in fields} for finding, fields in zip(judged, bare, strict=True)
    ] == bare


# ---- the verdict in one sentence ------------------------------------------------------------------------------------


def test_the_summary_names_the_most_severe_finding_and_counts_the_others() -> None:
    pull = replace(finding_with(Severity.ERROR, "a"), title="nothing answers on port 443 of ecr.api")
    logs = replace(pull, impact=Impact.LOGS, title="no logs")
    part = replace(pull, severity=Severity.WARNING, title="one address is silent")
    note = replace(pull, severity=Severity.INFO, title="a note")
    facts = FakeRun().measure()
    assert summary(Status.PASS, Pull.WORKS, (note,), facts) == "ECS can pull the image"
    degraded = summary(Status.DEGRADED, Pull.WORKS, (note, part), facts)
    assert degraded == "ECS can pull the image, but one address is silent"
    broken = "ECS cannot pull the image: nothing answers on port 443 of ecr.api; 1 more error and 1 more warning"
    assert summary(Status.FAIL, Pull.BROKEN, (part, logs, pull), facts) == broken


@pytest.mark.parametrize(
    ("layer", "arguments", "read"),
    [
        ({}, {}, "config and 1 of 4 layers read (--layers all reads all)"),
        ({"ranged": True}, {}, "config and the beginning of 1 of 4 layers read (--layers all reads all)"),
        ({"ranged": True}, {"layers": Layers.ALL}, "config and the beginning of 1 of 4 layers read"),
    ],
)
def test_the_summary_of_a_pull_that_works_ends_with_what_was_read(
    layer: dict[str, Any], arguments: dict[str, Any], read: str
) -> None:
    replies = {"head": Reply(seen={"layers": 4}), "manifest": Reply(seen={"layers": 4}), "layer": Reply(seen=layer)}
    assert verdict(FakeRun(replies=replies, planned=arguments)).summary == f"ECS can pull the image; {read}"
    cut_off = replies | {"layer": Reply(Failure.STALLED)}
    assert " read" not in verdict(FakeRun(replies=cut_off)).summary


def test_the_silence_of_a_large_client_hello_is_not_said_to_be_one_of_the_pull() -> None:
    """The check itself has just downloaded the image, and nothing shows which ClientHello the agent of ECS sends."""
    large = {"ecr.api": Failure.TLS_STALL, "s3": Failure.TLS_RESET}
    only = verdict(FakeRun(large_hello=large)).summary
    assert only.startswith(
        "this check can download the image, but clients that send a ClientHello of two packets cannot connect to "
        "ecr.api and s3; it is not known whether ECS is one of them"
    )
    assert "cannot pull" not in only
    unread = verdict(FakeRun(replies={"token": Reply(Failure.THROTTLED, 429)}, large_hello=large)).summary
    assert unread.startswith("clients that send a ClientHello of two packets cannot connect to ")
    elsewhere = verdict(FakeRun(around={"launch_type": "EC2"}, large_hello=large)).summary
    assert "the measured path fails" not in elsewhere
    both = verdict(FakeRun(replies={"token": Reply(Failure.TIMEOUT)}, large_hello=large)).summary
    assert both.startswith("ECS cannot pull the image: data from ecr.api stops ")


def test_every_finding_names_its_page() -> None:
    for finding in verdict(FakeRun({"logs": public("logs")})).findings:
        assert finding.url == finding_url(finding.code)
