"""Judgments at the edges of the rules, each in its own VPC: severities, causes and their order."""

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
from probe.sim.network import Treatment
from probe.sim.servers import SilentServer
from probe.sim.services import InjectedReply
from probe.sim.vpc import VPC


def verdict_of(change: changes.Change, *arguments: str, dns_try: float = 2.0) -> Verdict:
    with VPC() as vpc:
        change(vpc)
        settings = parse((*arguments, "--connect-timeout", "1"), vpc.environ, started=time.monotonic())
        budget = replace(settings.budget, dns_try=dns_try)
        return run(replace(settings, budget=budget), vpc.wire())


def only_finding(verdict: Verdict, code: str, **fields: Any) -> JudgedFinding:
    """The only finding with this code and these fields."""
    candidates = [finding for finding in verdict.findings if finding.code == code]
    (finding,) = [item for item in candidates if all(getattr(item, name) == value for name, value in fields.items())]
    return finding


def logs_error(kind: str) -> changes.Change:
    body = f'{{"__type":"{kind}","message":"no"}}'.encode()
    reply = Reply(400, body, (("x-amzn-RequestId", "1"),), "application/x-amz-json-1.1")
    return changes.inject_reply("logs", reply)


def test_one_silent_address_and_one_silent_endpoint_are_two_findings() -> None:
    def stall(vpc: VPC) -> None:
        vpc.hosts[vpc.endpoints["ecr.api"].all_addresses[1]] = SilentServer()
        changes.middlebox("logs", behaviour=SilentServer())(vpc)

    verdict = verdict_of(stall)
    partly = only_finding(verdict, "tls.silent", endpoints=("ecr.api",))
    assert partly.severity is Severity.WARNING
    # It is retried, since the other address works; where all addresses stall, none is retried.
    assert {step.attempt for step in verdict.steps if step.id in partly.because} == {1, 2}
    assert {step.attempt for step in verdict.steps if step.endpoint == "logs" and step.action is Action.TLS} == {1}
    assert only_finding(verdict, "tls.silent", endpoints=("logs",)).severity is Severity.ERROR
    assert verdict.pull is Pull.WORKS


def test_any_answer_of_logs_proves_its_endpoint() -> None:
    verdict = verdict_of(logs_error("InvalidParameterException"))
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)
    assert only_finding(verdict, "logs.not-permitted").severity is Severity.INFO


def test_rejected_credentials_at_logs_do_not_affect_the_pull() -> None:
    verdict = verdict_of(logs_error("UnrecognizedClientException"))
    assert (verdict.status, verdict.pull) == (Status.INCONCLUSIVE, Pull.WORKS)


def test_allow_public_does_not_accept_interception() -> None:
    def trusted(vpc: VPC) -> None:
        vpc.trusted = (*vpc.trusted, "Corp Root")
        changes.middlebox("ecr.api", issuer="Corp Root")(vpc)

    verdict = verdict_of(trusted, "--allow-public", "ecr.api")
    assert only_finding(verdict, "tls.interception").severity is Severity.WARNING
    assert verdict.status is Status.DEGRADED


def test_a_refused_public_address_has_a_firewall_as_first_cause() -> None:
    prohibited = changes.middlebox("ecr.api", behaviour=Treatment.PROHIBIT)
    verdict = verdict_of(changes.all_of(changes.without_endpoints("ecr.api"), changes.with_nat, prohibited))
    assert only_finding(verdict, "dns.public-answer").causes[0].code == "path.egress-firewall"


def test_a_mistyped_endpoint_name_is_not_blamed_on_a_zone() -> None:
    vpce = "vpce-0a1b.api.ecr.us-east-1.vpce.amazonaws.com"
    verdict = verdict_of(changes.no_change, "--endpoint-dns", f"ecr.api={vpce}")
    finding = only_finding(verdict, "dns.name-missing")
    assert [cause.code for cause in finding.causes] == ["other"]
    assert vpce in finding.why
    assert not [step.id for step in verdict.steps if "ecr.api.us-east-1" in step.subject]


def test_a_dead_second_nameserver_is_an_info() -> None:
    verdict = verdict_of(changes.nameserver_lines("vpc", "10.0.3.99"))
    assert only_finding(verdict, "dns.resolver-unreachable").severity is Severity.INFO
    assert verdict.status is Status.PASS


def losing(vpc: VPC, *records: str, times: int) -> DnsHandler:
    """The VPC's resolver; its first `times` answers for these record types are lost."""
    queries: Counter[tuple[str, str]] = Counter()

    def ask(name: str, record: str) -> DnsAnswer:
        queries[name, record] += record in records
        return NO_ANSWER if 0 < queries[name, record] <= times else vpc.resolver.answer(name, record)

    return ask


@pytest.mark.parametrize("record", ["A", "AAAA"])
def test_two_lost_answers_do_not_make_a_resolver_unreachable(record: str) -> None:
    lossy = changes.dns_server("10.0.3.53", lambda vpc: losing(vpc, record, times=2))
    verdict = verdict_of(changes.all_of(lossy, changes.nameserver_lines("10.0.3.53")), dns_try=0.2)
    assert verdict.status is Status.PASS
    because = only_finding(verdict, "probe.retried").because
    assert because == tuple(f"{name}/dns/10.0.3.53/{record}" for name in ("ecr.api", "ecr.dkr", "s3", "logs"))


def test_a_late_nxdomain_is_one_finding() -> None:
    verdict = verdict_of(
        changes.all_of(changes.dns_server("10.0.3.53", _late_a), changes.nameserver_lines("10.0.3.53")), dns_try=0.2
    )
    assert {finding.code for finding in verdict.findings if finding.severity is Severity.ERROR} == {"dns.name-missing"}


def _late_a(_vpc: VPC) -> DnsHandler:
    """The answer for A is lost twice; neither record exists."""
    lost: Counter[str] = Counter()

    def ask(name: str, record: str) -> DnsAnswer:
        lost[name] += record == "A"
        return NO_ANSWER if record == "A" and lost[name] <= 2 else NXDOMAIN

    return ask


def test_a_late_empty_a_record_is_not_a_failure_with_ipv6_addresses() -> None:
    lost: Counter[str] = Counter()

    def only_ipv6(name: str, record: str) -> DnsAnswer:
        if record == "AAAA":
            return DnsAnswer(addresses=("2600:1f18::10",))
        lost[name] += 1
        return NO_ANSWER if lost[name] <= 2 else DnsAnswer()

    ipv6_server = changes.dns_server("10.0.3.53", lambda _: only_ipv6)
    verdict = verdict_of(changes.all_of(ipv6_server, changes.nameserver_lines("10.0.3.53")), dns_try=0.2)
    retries = [step for step in verdict.steps if step.id == "ecr.api/dns/10.0.3.53/A#2"]
    assert [step.outcome for step in retries] == [Outcome.OK]
    assert not [finding for finding in verdict.findings if finding.code == "dns.half-answer"]


def test_a_silent_resolver_is_not_retried() -> None:
    dead = changes.dns_server("10.0.3.53", lambda _: lambda _name, _record: NO_ANSWER)
    verdict = verdict_of(changes.all_of(dead, changes.nameserver_lines("10.0.3.53")), dns_try=0.2)
    assert not [step.id for step in verdict.steps if "#" in step.id]
    assert only_finding(verdict, "dns.resolver-unreachable").severity is Severity.ERROR


def test_missing_aaaa_answers_are_a_half_answer() -> None:
    lossy = changes.dns_server("10.0.3.53", lambda vpc: losing(vpc, "AAAA", times=99))
    finding = only_finding(
        verdict_of(changes.all_of(lossy, changes.nameserver_lines("10.0.3.53")), dns_try=0.2), "dns.half-answer"
    )
    assert finding.severity is Severity.WARNING
    assert {"ecr.api/dns/10.0.3.53/AAAA", "ecr.api/dns/10.0.3.53/AAAA#2"} <= set(finding.because)


def test_missing_a_answers_make_a_resolver_unreachable() -> None:
    lossy = changes.dns_server("10.0.3.53", lambda vpc: losing(vpc, "A", times=99))
    finding = only_finding(
        verdict_of(changes.all_of(lossy, changes.nameserver_lines("10.0.3.53")), dns_try=0.2),
        "dns.resolver-unreachable",
    )
    assert {"ecr.api/dns/10.0.3.53/A", "ecr.api/dns/10.0.3.53/A#2"} <= set(finding.because)


def test_the_denial_of_an_unknown_bucket_confirms_no_cause() -> None:
    location = ("Location", "https://some-other-bucket.s3.us-east-1.amazonaws.com/x")
    reply = Reply(307, headers=(location, ("Docker-Distribution-Api-Version", "registry/2.0")))
    finding = only_finding(verdict_of(changes.inject_reply("ecr.dkr", reply, at="/blobs/")), "policy.vpce.s3")
    assert "some-other-bucket, which is not ECR's known layer bucket" in finding.title
    assert {str(cause.standing) for cause in finding.causes} == {"possible"}


def test_logs_is_optional_if_metadata_lacks_the_log_driver() -> None:
    def only_version_3(vpc: VPC) -> None:
        vpc.metadata.injected_replies.append(InjectedReply(Reply(404, b'"no v4"'), "/v4/"))

    logs = verdict_of(only_version_3).plan.endpoint("logs")
    assert logs is not None
    assert not logs.required


def test_the_identity_is_read_from_a_denial() -> None:
    denied = changes.role_policy()

    def with_keys(vpc: VPC) -> None:
        denied(vpc)
        keys, vpc.task.role = vpc.cloud.task_keys, None
        vpc.task.variables.update(
            AWS_ACCESS_KEY_ID=keys.access_key, AWS_SECRET_ACCESS_KEY=keys.secret_key, AWS_SESSION_TOKEN=keys.token
        )

    identity = verdict_of(with_keys).identity
    assert identity.source == "env"
    assert identity.arn is not None
    assert "assumed-role/probe-task" in identity.arn


def test_log_groups_of_all_containers_are_checked() -> None:
    def another(group: str, region: str) -> changes.Change:
        def change(document: dict[str, Any]) -> None:
            for container in document.get("Containers", ())[:1]:
                options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream": "s"}
                document["Containers"] = [
                    *document["Containers"],
                    {**container, "Name": "sidecar", "LogDriver": "awslogs", "LogOptions": options},
                ]

        return lambda vpc: vpc.metadata.edits.append(change)

    missing = verdict_of(another("/nowhere", "us-east-1"))
    assert missing.status is Status.DEGRADED
    assert only_finding(missing, "logs.group-missing").because[0].endswith("/nowhere")
    other_region = verdict_of(another("/nowhere", "eu-west-1"))
    (skipped,) = [step for step in other_region.steps if step.subject == "eu-west-1"]
    assert "not measured" in (skipped.detail or "")
