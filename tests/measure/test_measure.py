"""A measurement as a whole: answers from strangers, controls that stay silent, and a run that is stopped."""

from __future__ import annotations

import threading
import time

import pytest

from probe.config.settings import parse
from probe.crash import verdict_in_any_case
from probe.faults import diagnose
from probe.measure.reach import reach
from probe.measure.recorder import Recorder, Run
from probe.measure.surroundings import look_around
from probe.model import Failure, Step
from probe.plan import make_plan
from probe.progress import Silent
from probe.run import run
from probe.sim import changes
from probe.sim.http import Reply
from probe.sim.scenarios import SCENARIOS
from probe.sim.servers import SilentServer
from probe.sim.vpc import VPC
from tests.measure.simulated_run import only, steps

PAGE = Reply(200, b"Access to this site is blocked.", content_type="text/plain")


@pytest.mark.parametrize(
    ("service", "at", "step"),
    [
        ("ecr.api", "", "ecr.api/token/"),
        ("ecr.dkr", "GET /v2/team/app/manifests", "ecr.dkr/manifest/GET"),
        ("s3", "", "s3/layer"),
    ],
)
def test_an_answer_without_a_mark_of_aws_comes_from_a_middlebox(service: str, at: str, step: str) -> None:
    measured = steps(changes.inject_reply(service, PAGE, at=at))
    assert {entry.failure for name, entry in measured.items() if name.startswith(step)} == {Failure.NOT_AWS}


def test_a_basic_challenge_of_a_proxy_is_not_taken_for_ecrs() -> None:
    reply = Reply(401, b"<html>log in</html>", (("WWW-Authenticate", 'Basic realm="proxy"'),), content_type="text/html")
    assert only(steps(changes.inject_reply("ecr.dkr", reply)), "ecr.dkr/challenge/").failure is Failure.NOT_AWS


def test_a_skipped_step_is_blocked_by_the_step_that_failed() -> None:
    def closed(vpc: VPC) -> None:
        vpc.build(ipv6="2600:1f18:1234:5600::/56", ipv4=False)
        vpc.endpoints["ecr.api"].allowed_sources = []

    token = only(steps(closed, "--connect-timeout", "0.5"), "ecr.api/token")
    assert token.blocked_by is not None
    assert token.blocked_by.startswith("ecr.api/tcp/2600:")


def test_http_proxy_alone_does_not_affect_https() -> None:
    proxied = changes.task_variables(HTTP_PROXY="http://10.0.9.9:3128", NO_PROXY="169.254.169.254,169.254.170.2")
    proxies = steps(proxied)["task/environment/proxy"].proxies
    assert proxies is not None
    assert (proxies.bypassed, proxies.uncovered) == (True, ())


def test_a_silent_control_does_not_delay_the_pull() -> None:
    with VPC() as vpc:
        next(scenario for scenario in SCENARIOS if scenario.name == "control-silent").change(vpc)
        settings = parse([], vpc.environ, started=time.monotonic())
        until, recorder = settings.started + 30, Recorder()
        plan = make_plan(settings, look_around(settings, vpc.wire(), recorder, until=until))
        shared = Run(vpc.wire(), plan, recorder, until, threading.Event(), Silent())
        assert reach(shared, plan.endpoints[0]).ready
        assert not all(evidence.done() for evidence in shared.in_background)


def test_a_stop_while_metadata_is_silent_still_gives_a_verdict() -> None:
    stop = threading.Event()
    with VPC() as vpc:
        vpc.local["169.254.170.2", 80] = SilentServer()
        image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1.0"
        settings = parse(["--image", image], vpc.environ, started=time.monotonic())
        threading.Timer(0.2, stop.set).start()
        verdict = run(settings, vpc.wire(), stop=stop)
    assert {finding.code for finding in verdict.findings if finding.severity == "error"} == {"probe.deadline"}
    assert verdict.exit_code == 3
    assert diagnose(verdict.measurement, verdict.policy)


def test_a_stop_before_metadata_names_the_image_still_gives_a_verdict() -> None:
    stop = threading.Event()
    stop.set()
    with VPC() as vpc:
        vpc.local["169.254.170.2", 80] = SilentServer()
        settings = parse([], vpc.environ, started=time.monotonic())
        verdict = verdict_in_any_case(settings, lambda: run(settings, vpc.wire(), stop=stop), stop=stop)
    assert (verdict.exit_code, verdict.interrupted) == (3, True)
    assert [finding.code for finding in verdict.findings] == ["probe.deadline"]


def _of_scenario(name: str) -> dict[str, Step]:
    return steps(next(scenario for scenario in SCENARIOS if scenario.name == name).change)


def test_a_resolver_that_fails_once_is_asked_again() -> None:
    measured = _of_scenario("servfail-once")
    lookups = {name: step.failure for name, step in measured.items() if name.startswith("ecr.api/dns/10.0.0.2/")}
    first, second = dict.fromkeys(("A", "AAAA"), Failure.SERVFAIL), dict.fromkeys(("A#2", "AAAA#2"))
    assert lookups == {f"ecr.api/dns/10.0.0.2/{record}": failure for record, failure in (first | second).items()}


def test_only_the_record_that_fails_is_asked_again() -> None:
    lookups = {
        step.id for step in _of_scenario("custom-resolver-half").values() if step.id.startswith("s3/dns/10.0.3.53")
    }
    assert lookups == {f"s3/dns/10.0.3.53/{record}" for record in ("A", "AAAA", "AAAA#2")}


def test_a_truncated_answer_shows_that_udp_works() -> None:
    lookup = _of_scenario("dns-over-tcp-closed")["s3/dns/10.0.0.2/A"]
    assert (lookup.failure, lookup.names is not None and lookup.names.tcp) == (Failure.NO_ANSWER, True)
