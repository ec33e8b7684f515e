"""Judgements at the edges of the rules, each in a world of its own: what weighs, what does not, what comes first."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from probe.config.settings import parse
from probe.model import Action, JudgedFinding, Outcome, Pull, Severity, Status, Verdict
from probe.records import replace
from probe.run import run
from probe.sim import changes
from probe.sim.dns import NO_ANSWER, NXDOMAIN, DnsAnswer, DnsHandler
from probe.sim.http import Reply
from probe.sim.listeners import SilentServer
from probe.sim.network import Treatment
from probe.sim.services import InjectedReply
from probe.sim.vpc import VPC


def judged(breaks: changes.Change, *arguments: str, dns_try: float = 2.0) -> Verdict:
    with VPC() as vpc:
        breaks(vpc)
        settings = parse((*arguments, "--connect-timeout", "1"), vpc.environ, started=time.monotonic())
        budget = replace(settings.budget, dns_try=dns_try)
        return run(replace(settings, budget=budget), vpc.wire())


def one(verdict: Verdict, code: str, **facts: Any) -> JudgedFinding:
    same = [finding for finding in verdict.findings if finding.code == code]
    (found,) = [each for each in same if all(getattr(each, name) == value for name, value in facts.items())]
    return found


def refused_by_logs(kind: str) -> changes.Change:
    body = f'{{"__type":"{kind}","message":"no"}}'.encode()
    reply = Reply(400, body, (("x-amzn-RequestId", "1"),), "application/x-amz-json-1.1")
    return changes.inject_reply("logs", reply)


def test_an_address_lost_here_and_an_endpoint_lost_there_are_two_findings() -> None:
    def stall(vpc: VPC) -> None:
        vpc.hosts[vpc.endpoints["ecr.api"].all_addresses[1]] = SilentServer()
        changes.middlebox("logs", behaviour=SilentServer())(vpc)

    verdict = judged(stall)
    partly = one(verdict, "tls.silent", endpoints=("ecr.api",))
    assert partly.severity is Severity.WARNING
    # It was tried once more, since the other address was fine; where all stall, nothing is tried again.
    assert {step.attempt for step in verdict.steps if step.id in partly.because} == {1, 2}
    assert {step.attempt for step in verdict.steps if step.endpoint == "logs" and step.action is Action.TLS} == {1}
    assert one(verdict, "tls.silent", endpoints=("logs",)).severity is Severity.ERROR
    assert verdict.pull is Pull.WORKS


def test_any_answer_of_logs_proves_its_endpoint() -> None:
    verdict = judged(refused_by_logs("InvalidParameterException"))
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)
    assert one(verdict, "logs.not-permitted").severity is Severity.INFO


def test_what_logs_refuses_is_no_doubt_about_the_pull() -> None:
    verdict = judged(refused_by_logs("UnrecognizedClientException"))
    assert (verdict.status, verdict.pull) == (Status.INCONCLUSIVE, Pull.WORKS)


def test_an_accepted_public_way_is_no_accepted_interception() -> None:
    def trusted(vpc: VPC) -> None:
        vpc.trusted = (*vpc.trusted, "Corp Root")
        changes.middlebox("ecr.api", issuer="Corp Root")(vpc)

    verdict = judged(trusted, "--allow-public", "ecr.api")
    assert one(verdict, "tls.interception").severity is Severity.WARNING
    assert verdict.status is Status.DEGRADED


def test_who_refuses_at_a_public_address_is_a_firewall_first() -> None:
    prohibited = changes.middlebox("ecr.api", behaviour=Treatment.PROHIBIT)
    verdict = judged(changes.all_of(changes.without_endpoints("ecr.api"), changes.with_nat, prohibited))
    assert one(verdict, "dns.public-answer").causes[0].code == "path.egress-firewall"


def test_a_mistyped_endpoint_name_is_not_blamed_on_a_zone() -> None:
    vpce = "vpce-0a1b.api.ecr.us-east-1.vpce.amazonaws.com"
    verdict = judged(changes.no_change, "--endpoint-dns", f"ecr.api={vpce}")
    finding = one(verdict, "dns.name-missing")
    assert [cause.code for cause in finding.causes] == ["other"]
    assert vpce in finding.why
    assert not [step.id for step in verdict.steps if "ecr.api.us-east-1" in step.subject]


def test_a_later_nameserver_that_is_dead_is_worth_knowing_and_no_more() -> None:
    verdict = judged(changes.nameserver_lines("vpc", "10.0.3.99"))
    assert one(verdict, "dns.resolver-unreachable").severity is Severity.INFO
    assert verdict.status is Status.PASS


def losing(vpc: VPC, *records: str, times: int) -> DnsHandler:
    """The VPC's resolver behind a way that loses the first answers to each question for these records."""
    asked: Counter[tuple[str, str]] = Counter()

    def ask(name: str, record: str) -> DnsAnswer:
        asked[name, record] += record in records
        return NO_ANSWER if 0 < asked[name, record] <= times else vpc.resolver.answer(name, record)

    return ask


@pytest.mark.parametrize("record", ["A", "AAAA"])
def test_answers_lost_twice_in_a_row_are_no_dead_resolver(record: str) -> None:
    lossy = changes.dns_server("10.0.3.53", lambda vpc: losing(vpc, record, times=2))
    verdict = judged(changes.all_of(lossy, changes.nameserver_lines("10.0.3.53")), dns_try=0.2)
    assert verdict.status is Status.PASS
    named = one(verdict, "probe.retried").because
    assert named == tuple(f"{name}/dns/10.0.3.53/{record}" for name in ("ecr.api", "ecr.dkr", "s3", "logs"))


def test_a_name_that_does_not_exist_is_one_finding_however_late_it_is_said() -> None:
    verdict = judged(
        changes.all_of(changes.dns_server("10.0.3.53", _late_a), changes.nameserver_lines("10.0.3.53")), dns_try=0.2
    )
    assert {each.code for each in verdict.findings if each.severity is Severity.ERROR} == {"dns.name-missing"}


def _late_a(_vpc: VPC) -> DnsHandler:
    """A is lost twice; neither record exists."""
    lost: Counter[str] = Counter()

    def ask(name: str, record: str) -> DnsAnswer:
        lost[name] += record == "A"
        return NO_ANSWER if record == "A" and lost[name] <= 2 else NXDOMAIN

    return ask


def test_an_empty_a_beside_ipv6_addresses_is_no_failure_however_late_it_is_said() -> None:
    lost: Counter[str] = Counter()

    def only_ipv6(name: str, record: str) -> DnsAnswer:
        if record == "AAAA":
            return DnsAnswer(addresses=("2600:1f18::10",))
        lost[name] += 1
        return NO_ANSWER if lost[name] <= 2 else DnsAnswer()

    only = changes.dns_server("10.0.3.53", lambda _: only_ipv6)
    verdict = judged(changes.all_of(only, changes.nameserver_lines("10.0.3.53")), dns_try=0.2)
    again = [step for step in verdict.steps if step.id == "ecr.api/dns/10.0.3.53/A#2"]
    assert [step.outcome for step in again] == [Outcome.OK]
    assert not [each for each in verdict.findings if each.code == "dns.half-answer"]


def test_a_resolver_that_says_nothing_at_all_is_not_asked_again() -> None:
    dead = changes.dns_server("10.0.3.53", lambda _: lambda _name, _record: NO_ANSWER)
    verdict = judged(changes.all_of(dead, changes.nameserver_lines("10.0.3.53")), dns_try=0.2)
    assert not [step.id for step in verdict.steps if "#" in step.id]
    assert one(verdict, "dns.resolver-unreachable").severity is Severity.ERROR


def test_a_record_that_is_never_answered_is_half_an_answer() -> None:
    deaf = changes.dns_server("10.0.3.53", lambda vpc: losing(vpc, "AAAA", times=99))
    finding = one(judged(changes.all_of(deaf, changes.nameserver_lines("10.0.3.53")), dns_try=0.2), "dns.half-answer")
    assert finding.severity is Severity.WARNING
    assert {"ecr.api/dns/10.0.3.53/AAAA", "ecr.api/dns/10.0.3.53/AAAA#2"} <= set(finding.because)


def test_addresses_that_are_never_told_are_a_resolver_that_does_not_answer() -> None:
    deaf = changes.dns_server("10.0.3.53", lambda vpc: losing(vpc, "A", times=99))
    finding = one(
        judged(changes.all_of(deaf, changes.nameserver_lines("10.0.3.53")), dns_try=0.2), "dns.resolver-unreachable"
    )
    assert {"ecr.api/dns/10.0.3.53/A", "ecr.api/dns/10.0.3.53/A#2"} <= set(finding.because)


def test_another_bucket_of_s3_is_not_somebody_elses_host_for_certain() -> None:
    location = ("Location", "https://some-other-bucket.s3.us-east-1.amazonaws.com/x")
    reply = Reply(307, headers=(location, ("Docker-Distribution-Api-Version", "registry/2.0")))
    finding = one(judged(changes.inject_reply("ecr.dkr", reply, at="/blobs/")), "registry.pull-through-redirect")
    assert "is not ECR's layer bucket" in finding.title
    assert {str(cause.standing) for cause in finding.causes} == {"possible"}


def test_metadata_that_says_nothing_of_logging_leaves_logs_to_be_looked_at() -> None:
    def only_version_3(vpc: VPC) -> None:
        vpc.metadata.injected_replies.append(InjectedReply(Reply(404, b'"no v4"'), "/v4/"))

    logs = judged(only_version_3).plan.endpoint("logs")
    assert logs is not None
    assert not logs.required


def test_who_was_refused_is_who_we_are() -> None:
    denied = changes.role_policy()

    def with_keys(vpc: VPC) -> None:
        denied(vpc)
        keys, vpc.task.role = vpc.cloud.task_keys, None
        vpc.task.variables.update(
            AWS_ACCESS_KEY_ID=keys.access_key, AWS_SECRET_ACCESS_KEY=keys.secret_key, AWS_SESSION_TOKEN=keys.token
        )

    identity = judged(with_keys).identity
    assert identity.source == "env"
    assert identity.arn is not None
    assert "assumed-role/probe-task" in identity.arn


def test_the_log_groups_of_all_containers_count() -> None:
    def another(group: str, region: str) -> changes.Change:
        def change(document: dict[str, Any]) -> None:
            for container in document.get("Containers", ())[:1]:
                options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream": "s"}
                document["Containers"] = [
                    *document["Containers"],
                    {**container, "Name": "beside", "LogDriver": "awslogs", "LogOptions": options},
                ]

        return lambda vpc: vpc.metadata.edits.append(change)

    missing = judged(another("/nowhere", "us-east-1"))
    assert missing.status is Status.DEGRADED
    assert one(missing, "logs.group-missing").because[0].endswith("/nowhere")
    elsewhere = judged(another("/nowhere", "eu-west-1"))
    (left,) = [step for step in elsewhere.steps if step.subject == "eu-west-1"]
    assert "not measured" in (left.detail or "")
