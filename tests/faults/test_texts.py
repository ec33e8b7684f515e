"""Texts for people: titles, evidence, and commands that can be pasted as they are."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from probe.model import AnswerSeen, Cause, DenialReason, Failure, Finding, Path, Policy, RedirectTarget
from tests.explain.sample import ReportedText
from tests.faults.expected_answers import denied, run_with
from tests.faults.expected_image import blob
from tests.faults.expected_names import ALL
from tests.faults.expected_network import DUAL_STACK, EVERYTHING, IPV6, IPV6_ONLY_WITHOUT_S3, hosts
from tests.faults.fake_hosts import (
    CONFIG,
    CUSTOM,
    GLOBAL_IPV6,
    NOON,
    OWN_ROLE,
    PULL_ROLE,
    VPC_DNS,
    Host,
    Reply,
    private,
    public,
)
from tests.faults.fake_run import FakeRun
from tests.steps import skipped, step

BLOCKED = FakeRun(hosts(*ALL, tcp=Failure.TIMEOUT))


def finding_of(run: FakeRun, code: str) -> Finding:
    return next(finding for finding in run.findings() if finding.code == code)


def test_silence_is_counted_and_timed() -> None:
    finding = finding_of(BLOCKED, "tcp.silent")
    assert finding.title == "nothing answers on port 443 of ecr.api, ecr.dkr and logs"
    assert finding.values["saw"] == "6 of 6 connections timed out after 3.0 s (10.0.1.10, 10.0.2.10, 10.0.1.11, …)"
    assert "look alike" in finding.why


def test_a_part_is_counted_against_the_whole() -> None:
    finding = finding_of(FakeRun(hosts("ecr.api", tcp={"10.0.2.10": Failure.TIMEOUT})), "tcp.partly-silent")
    assert finding.values["saw"] == "1 of 2 connections timed out after 3.0 s (10.0.2.10)"


def test_security_groups_are_read_by_the_addresses_of_their_interfaces() -> None:
    cause = finding_of(BLOCKED, "tcp.silent").causes[0]
    assert "--region eu-west-1" in cause.confirm.commands[0]
    assert "Name=addresses.private-ip-address,Values=10.0.1.10,10.0.2.10,10.0.1.11" in cause.confirm.commands[0]
    assert cause.confirm.note is not None
    assert cause.confirm.note.startswith("Run the first one in the account that owns the endpoints.")
    assert "--cidr 10.0.1.0/24" in cause.fix.commands[0]


def test_ipv6_addresses_are_read_with_their_own_filter() -> None:
    run = FakeRun({"ecr.api": Host((), ipv6=(f"{GLOBAL_IPV6}10",), tcp=Failure.TIMEOUT)})
    assert "Name=ipv6-addresses.ipv6-address" in finding_of(run, "tcp.silent").causes[0].confirm.commands[0]


def test_endpoints_are_named_as_privatelink_names_them() -> None:
    causes = finding_of(FakeRun({name: public(name) for name in ("ecr.api", "ecr.dkr")}), "dns.public-answer").causes
    assert "Values=com.amazonaws.eu-west-1.ecr.api,com.amazonaws.eu-west-1.ecr.dkr" in causes[0].confirm.commands[0]


def test_the_fix_creates_every_endpoint_that_may_be_missing() -> None:
    causes = finding_of(FakeRun({name: public(name) for name in ("ecr.api", "ecr.dkr")}), "dns.public-answer").causes
    missing = [cause for cause in causes if cause.code.startswith("endpoint.missing")]
    assert [cause.code for cause in missing] == ["endpoint.missing.ecr-api", "endpoint.missing.ecr-dkr"]
    for cause in missing:
        services = re.findall(r"--service-name com\.amazonaws\.eu-west-1\.(\S+)", " ".join(cause.fix.commands))
        assert services == ["ecr.api", "ecr.dkr"]
        assert cause.fix.text.startswith("create the VPC endpoints com.")
    (alone,) = finding_of(FakeRun({"ecr.api": public("ecr.api")}), "dns.public-answer").causes[0].fix.commands
    assert "com.amazonaws.eu-west-1.ecr.api " in alone


def test_the_fips_host_of_the_registry_has_an_endpoint_of_its_own() -> None:
    host = "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com"
    run = FakeRun({"ecr.dkr": public("ecr.dkr")}, planned={"hosts": {"ecr.dkr": host}})
    causes = {cause.code: cause for cause in finding_of(run, "dns.public-answer").causes}
    service = "--service-name com.amazonaws.eu-west-1.ecr-fips.dkr "
    assert any(service in command for command in causes["client.fips-hostname"].fix.commands)
    assert service in causes["endpoint.missing.ecr-dkr"].fix.commands[0]
    assert "Values=com.amazonaws.eu-west-1.ecr-fips.dkr " in causes["endpoint.missing.ecr-dkr"].confirm.commands[0]


def test_the_fips_host_of_another_service_is_no_matter_of_ecr() -> None:
    run = FakeRun({"logs": Host(Failure.NXDOMAIN)}, planned={"hosts": {"logs": "logs-fips.eu-west-1.amazonaws.com"}})
    cause = finding_of(run, "dns.name-missing").causes[0]
    assert cause.code == "client.fips-hostname"
    assert "ecr" not in f"{cause.title} {cause.fix.text} {cause.fix.commands}"


def test_public_addresses_are_not_read_as_network_interfaces() -> None:
    closed = {name: public(name, tcp=Failure.TIMEOUT) for name in ("ecr.api", "ecr.dkr")}
    causes = {cause.code: cause for cause in finding_of(FakeRun(closed), "dns.public-answer").causes}
    reads = causes["tcp.security-group"].confirm, causes["tcp.nacl"].confirm
    assert not [read for read in reads if "44." in f"{read.commands} {read.note}"]


def test_swapped_labels_are_shown_with_the_right_name() -> None:
    causes = finding_of(FakeRun({name: public(name) for name in ("ecr.api", "ecr.dkr")}), "dns.public-answer").causes
    swapped = next(cause for cause in causes if cause.code == "dns.hosted-zone-wrong-name")
    assert "ecr.api.eu-west-1.amazonaws.com in place of api.ecr.eu-west-1.amazonaws.com" in swapped.title


def cause_of(run: FakeRun, finding: str, code: str) -> Cause:
    return next(cause for cause in finding_of(run, finding).causes if cause.code == code)


def test_a_zone_needs_a_wildcard_for_registries_only() -> None:
    api = cause_of(FakeRun({"ecr.api": public("ecr.api")}), "dns.public-answer", "dns.hosted-zone-wrong-name")
    dkr = cause_of(FakeRun({"ecr.dkr": public("ecr.dkr")}), "dns.public-answer", "dns.hosted-zone-wrong-name")
    assert "--name api.ecr.eu-west-1.amazonaws.com " in api.fix.commands[0]
    assert "a record for api.ecr.eu-west-1.amazonaws.com," in api.fix.text
    assert "--name dkr.ecr.eu-west-1.amazonaws.com " in dkr.fix.commands[0]
    assert "a record for *.dkr.ecr.eu-west-1.amazonaws.com," in dkr.fix.text
    assert "hides the public name" in (api.fix.note or "")


def test_each_zone_with_swapped_labels_is_created_by_its_own_name() -> None:
    run = FakeRun({name: public(name) for name in ("ecr.api", "ecr.dkr")})
    zones = cause_of(run, "dns.public-answer", "dns.hosted-zone-wrong-name").fix.commands[:2]
    assert [command.split()[4] for command in zones] == [
        "api.ecr.eu-west-1.amazonaws.com",
        "dkr.ecr.eu-west-1.amazonaws.com",
    ]


@pytest.mark.parametrize(
    ("server", "ranges"),
    [("10.9.0.54", "--cidr 10.9.0.54/32"), ("fd12::53", "Ipv6Ranges=[{CidrIpv6=fd12::53/128}]")],
)
def test_a_security_group_allows_one_resolver(server: str, ranges: str) -> None:
    run = FakeRun({"ecr.api": Host(Failure.NO_ANSWER, server=server)})
    commands = cause_of(run, "dns.resolver-unreachable", "dns.resolver-unreachable").fix.commands
    assert [ranges in command for command in commands] == [True, True]


def test_security_groups_are_no_remedy_for_the_vpcs_own_resolver() -> None:
    run = FakeRun({name: Host(Failure.NO_ANSWER) for name in (*ALL, "s3")})
    cause = cause_of(run, "dns.resolver-unreachable", "dns.resolver-unreachable")
    assert "authorize-security-group" not in " ".join((*cause.fix.commands, *cause.confirm.commands))
    assert "do not filter the VPC's resolver" in (cause.fix.note or "")


def test_the_vpcs_own_resolver_is_never_called_another_one() -> None:
    run = FakeRun({"s3": Host(Failure.SERVFAIL, second=Failure.SERVFAIL)})
    texts = [cause.title for cause in finding_of(run, "dns.servfail").causes if cause.code == "dns.custom-resolver"]
    assert not [title for title in texts if VPC_DNS in title]


def test_reads_of_zones_and_rules_include_profiles_and_targets() -> None:
    causes = {
        cause.code: cause for cause in finding_of(FakeRun({"ecr.dkr": public("ecr.dkr")}), "dns.public-answer").causes
    }
    for code in ("dns.hosted-zone-not-associated", "dns.resolver-rule"):
        assert any("route53profiles list-profile-associations" in read for read in causes[code].confirm.commands)
    assert any("TargetIps" in read for read in causes["dns.resolver-rule"].confirm.commands)


def test_the_firewall_allows_every_name_that_fails() -> None:
    run = FakeRun({"ecr.api": Host(Failure.NXDOMAIN), "ecr.dkr": Host(Failure.NXDOMAIN)})
    (command,) = cause_of(run, "dns.name-missing", "dns.firewall").fix.commands
    assert command.endswith("--domains api.ecr.eu-west-1.amazonaws.com 123456789012.dkr.ecr.eu-west-1.amazonaws.com")


def test_the_fix_of_a_deadline_is_a_longer_one() -> None:
    finding = finding_of(run_with(token=Reply(Failure.DEADLINE)), "probe.deadline")
    assert "--deadline" in finding.causes[0].fix.text


def test_interface_endpoints_in_china_have_a_prefix() -> None:
    run = FakeRun({"ecr.api": public("ecr.api")}, planned={"partition": "aws-cn"})
    assert "cn.com.amazonaws.eu-west-1.ecr.api" in finding_of(run, "dns.public-answer").causes[0].confirm.commands[0]


def test_a_presumed_range_is_named() -> None:
    run = FakeRun(
        {"ecr.api": Host(("20.10.2.10",), tcp=Failure.TIMEOUT)},
        around={"addresses": ("20.10.1.7",)},
        planned={"vpc_cidrs": ()},
    )
    finding = finding_of(run, "tcp.silent")
    assert finding.values["presumed_cidrs"] == ("20.10.0.0/16",)
    assert "presumed to be inside the VPC, because the task's own address is near (20.10.0.0/16)" in finding.why


def test_a_denial_names_the_role() -> None:
    finding = finding_of(run_with(token=denied()), "iam.denied")
    assert finding.title == "the role probe-task is denied ecr:GetAuthorizationToken"
    assert "--pull-role" in finding.why


def test_a_denial_states_whether_the_role_pulls() -> None:
    own = finding_of(run_with(Policy(pull_role=OWN_ROLE), token=denied()), "iam.denied")
    other = finding_of(run_with(Policy(pull_role=PULL_ROLE), token=denied()), "iam.denied")
    assert "the role that pulls" in own.why
    assert "another role" in other.why


def test_a_refused_signature_shows_both_times() -> None:
    answer = AnswerSeen(status=400, aws=True, signed_at=NOON, server_time=NOON + timedelta(minutes=20))
    refused = step("ecr.api/token/10.0.1.10#2", answer, failure=Failure.CLOCK)
    finding = finding_of(FakeRun(extra=(refused,)), "clock.skew")
    assert "signed at 12:00:00, AWS's own time 12:20:00 UTC" in finding.why


def test_a_skip_without_a_failure_names_the_step() -> None:
    finding = finding_of(FakeRun(extra=(skipped("s3/layer/sha256:feed", "gone"),)), "probe.not-measured")
    assert finding.title.endswith("s3/layer/sha256:feed was skipped")


def test_endpoint_dns_names_the_clients_that_can_use_it() -> None:
    lookups = {name: f"vpce-0a1b.{name}.vpce.amazonaws.com" for name in ("ecr.api", "ecr.dkr")}
    finding = finding_of(FakeRun(planned={"lookups": lookups}), "path.endpoint-dns-override")
    assert "--endpoint-url (https://vpce-0a1b.ecr.api.vpce.amazonaws.com)" in finding.why
    assert "ecr.dkr needs private DNS" in finding.why


def test_addresses_are_values_for_machines() -> None:
    finding = finding_of(FakeRun({"s3": private("s3", tcp=Failure.TIMEOUT)}), "s3.silent")
    assert finding.values["addresses"] == ("52.216.1.8", "52.216.1.40")


def test_the_missing_route_of_ipv6_leads_to_an_egress_only_gateway() -> None:
    finding = finding_of(IPV6_ONLY_WITHOUT_S3, "s3.silent")
    commands = {cause.code: cause.fix.commands for cause in finding.causes}
    assert commands["region.ipv6-unsupported-endpoint"] == (
        "aws ec2 modify-vpc-endpoint --region eu-west-1 --vpc-endpoint-id VPCE_ID --ip-address-type dualstack",
    )
    assert commands["endpoint.missing.s3"][0].endswith(
        "--service-name com.amazonaws.eu-west-1.s3 --route-table-ids RTB_ID --ip-address-type dualstack"
    )
    (route,) = commands["tcp.no-route"]
    assert route.endswith("--destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id EIGW_ID")


def test_a_device_without_a_route_is_routed_around() -> None:
    cause = finding_of(FakeRun(hosts("s3", tcp=Failure.UNREACHABLE)), "tcp.no-route").causes[0]
    assert cause.title == "the device that the subnet routes to has no route to that address"
    assert "aws ec2 replace-route" in cause.fix.commands[1]


def test_the_missing_route_of_dns64_leads_to_a_nat_gateway() -> None:
    translated = "64:ff9b::a00:10a"
    run = FakeRun(hosts("ecr.api", ipv6=(translated,), tcp={translated: Failure.TIMEOUT}))
    cause = finding_of(run, "tcp.partly-silent").causes[0]
    off, route = cause.fix.commands
    assert off.endswith("--no-enable-dns64")
    assert route.endswith("--destination-ipv6-cidr-block 64:ff9b::/96 --nat-gateway-id NAT_ID")
    assert "create the missing" not in cause.fix.text


def test_rules_for_ipv6_are_missing_where_ipv6_alone_is_silent() -> None:
    run = FakeRun(hosts("ecr.api", ipv6=(IPV6,), tcp={IPV6: Failure.TIMEOUT}), planned={"vpc_cidrs": DUAL_STACK})
    finding = finding_of(run, "tcp.partly-silent")
    assert finding.title == "the IPv6 addresses of ecr.api do not answer on port 443, the others do"
    assert "Ipv6Ranges=[{CidrIpv6=SUBNET_IPV6_CIDR}]" in finding.causes[0].fix.commands[0]
    assert "--ipv6-cidr-block" in finding.causes[1].fix.commands[0]


def test_the_group_of_the_task_is_opened_where_everything_is_silent() -> None:
    finding = finding_of(FakeRun(hosts(*EVERYTHING, tcp=Failure.TIMEOUT)), "tcp.silent")
    command = finding.causes[0].fix.commands[-1]
    assert command.startswith("aws ec2 authorize-security-group-egress")
    assert command.endswith('IpRanges=[{CidrIp=ENDPOINT_CIDR}],PrefixListIds=[{PrefixListId=PREFIX_LIST_ID}]"')


def test_an_ipv6_only_subnet_is_advised_no_dual_stack_endpoint() -> None:
    around = {"addresses": (f"{GLOBAL_IPV6}77",), "subnet_cidr": None, "subnet_cidr_ipv6": f"{GLOBAL_IPV6}/64"}
    run = FakeRun({"ecr.dkr": public("ecr.dkr", tcp=Failure.UNREACHABLE)}, around=around)
    (command,) = finding_of(run, "region.ipv6-unsupported-endpoint").causes[0].fix.commands
    assert command.endswith("--ip-address-type ipv6")


def test_creating_a_gateway_endpoint_warns_of_interrupted_connections() -> None:
    finding = finding_of(FakeRun({"s3": private("s3", tcp=Failure.TIMEOUT)}), "s3.silent")
    notes = {cause.code: cause.fix.note or "" for cause in finding.causes}
    for code in ("endpoint.missing.s3", "s3.route-table-not-associated"):
        assert "interrupts the S3 connections that are open" in notes[code]


def test_block_public_access_is_a_cause_of_silent_public_addresses() -> None:
    closed = FakeRun({"ecr.api": public("ecr.api", tcp=Failure.TIMEOUT)})
    causes = [cause.code for cause in finding_of(closed, "dns.public-answer").causes]
    assert causes.index("tcp.block-public-access") > causes.index("endpoint.missing.ecr-api")
    with_way_out = FakeRun({"ecr.api": public("ecr.api", tcp=Failure.TIMEOUT)}, other_region=True)
    codes = {cause.code for cause in finding_of(with_way_out, "dns.public-answer").causes}
    assert not codes & {"tcp.block-public-access", "tcp.no-route", "tcp.nat-device", "tcp.no-public-ip"}


_NXDOMAIN = Host(Failure.NXDOMAIN)
_INTERCEPTED = {"issuer": "CN=Corp CA", "issuer_organization": "Corp"}
_OTHER_ACCOUNT = {"account": "999999999999"}
_UNFINISHED = Reply(Failure.DEADLINE)


@pytest.mark.parametrize(
    ("run", "code", "sentence"),
    [
        (FakeRun({"ecr.api": _NXDOMAIN}), "dns.name-missing", "ecr.api does not resolve here"),
        (
            FakeRun({"ecr.api": _NXDOMAIN, "ecr.dkr": _NXDOMAIN}),
            "dns.name-missing",
            "ecr.api and ecr.dkr do not resolve here",
        ),
        (run_with(token=_UNFINISHED), "probe.deadline", "the run ended with one step unfinished"),
        (run_with(token=_UNFINISHED, logs=_UNFINISHED), "probe.deadline", "the run ended with 2 steps unfinished"),
        (FakeRun(around={"launch_type": "EC2"}), "path.not-the-pull", "On EC2 with awsvpc,"),
        (
            run_with(token=denied(DenialReason.IDENTITY, explicit=True)),
            "iam.denied",
            "an explicit Deny in an identity-based policy.",
        ),
        (
            run_with(token=denied(DenialReason.SERVICE_CONTROL, explicit=True)),
            "iam.denied",
            "an explicit Deny in a service control policy.",
        ),
        (run_with(token=denied(explicit=True)), "iam.denied", "an explicit Deny in a policy."),
        (
            FakeRun({"ecr.api": private("ecr.api", tls=Failure.UNTRUSTED, certificate=_INTERCEPTED)}),
            "tls.interception",
            "The certificate is issued by CN=Corp CA, not by Amazon",
        ),
        (
            blob(RedirectTarget.FOREIGN, "cdn.example.com"),
            "registry.pull-through-redirect",
            "redirects the layer download to cdn.example.com,",
        ),
        (
            blob(RedirectTarget.INSECURE, "cdn.example.com"),
            "layers.bad-redirect",
            "It points to a URL without TLS (cdn.example.com).",
        ),
        (
            FakeRun(hosts("ecr.api", tcp=Failure.UNREACHABLE)),
            "tcp.refused",
            "a host or router reports ecr.api as unreachable",
        ),
        (
            FakeRun(hosts("ecr.api", tcp={"10.0.1.10": Failure.UNREACHABLE})),
            "tcp.refused",
            "a host or router reports some addresses of ecr.api as unreachable",
        ),
        (
            FakeRun({"s3": private("s3", server=CUSTOM, control=Failure.NO_ANSWER)}),
            "dns.control-silent",
            "AmazonProvidedDNS does not answer at 169.254.169.253;",
        ),
        (
            FakeRun({"s3": private("s3", server=CUSTOM, control=Failure.NXDOMAIN)}),
            "dns.control-silent",
            "AmazonProvidedDNS at 169.254.169.253 does not resolve s3;",
        ),
        (
            run_with(manifest=Reply(Failure.TOO_LARGE, 500, code="InternalError")),
            "http.unreadable",
            "the answer of ecr.dkr is not valid",
        ),
    ],
)
def test_a_sentence_follows_the_evidence(run: FakeRun, code: str, sentence: str) -> None:
    finding = finding_of(run, code)
    assert sentence in f"{finding.title}. {finding.why}"


def test_an_endpoint_that_the_text_does_not_name_is_the_called_one() -> None:
    text = "AccessDeniedException: not authorized to perform this action because no VPC endpoint policy allows it"
    finding = finding_of(ReportedText(text=text), "policy.vpce.other")
    assert finding.title.startswith("the policy of the called VPC endpoint denies ")
    assert finding.causes[0].title == "the policy of the called endpoint does not allow this request"


def test_a_function_of_lambda_is_not_called_a_task() -> None:
    run = FakeRun(around={"path": Path.LAMBDA_ENI, "launch_type": None})
    assert finding_of(run, "path.not-the-pull").values["launch"] == "Lambda"


def test_a_denial_mentions_a_missing_repository_only_where_it_can_be_one() -> None:
    reply = {"manifest": denied(DenialReason.RESOURCE)}
    sentence = "It answers the same where a repository of another account does not exist."
    assert sentence in finding_of(FakeRun(replies=reply, planned=_OTHER_ACCOUNT), "iam.denied").why
    assert sentence not in finding_of(FakeRun(replies=reply), "iam.denied").why


def test_a_damaged_layer_is_read_by_its_digest() -> None:
    cause = cause_of(run_with(layer=Reply(Failure.NOT_FOUND, 404)), "layers.missing", "registry.layer-corrupt")
    assert cause.confirm.commands[0].endswith(f" --layer-digests {CONFIG}")


def test_the_image_reference_is_a_suspect_only_where_no_name_exists() -> None:
    for names, suspected in ((("ecr.api", "ecr.dkr"), False), ((*ALL, "s3"), True)):
        finding = finding_of(FakeRun(dict.fromkeys(names, _NXDOMAIN)), "dns.name-missing")
        assert ("registry.bad-image-reference" in {cause.code for cause in finding.causes}) is suspected


def test_the_gateway_and_the_interface_of_s3_have_different_services_in_china() -> None:
    run = FakeRun({"s3": private("s3", tcp=Failure.TIMEOUT)}, planned={"partition": "aws-cn"})
    commands = [command for cause in finding_of(run, "s3.silent").causes for command in cause.confirm.commands]
    assert any(
        "Values=com.amazonaws.eu-west-1.s3,cn.com.amazonaws.eu-west-1.s3" in command.replace(" ", "")
        for command in commands
    )


def test_endpoints_that_exist_are_not_to_be_created_to_avoid_a_firewall() -> None:
    fixes = [
        finding_of(FakeRun(hosts(name, tcp=Failure.REFUSED)), "tcp.refused").causes[0].fix.text
        for name in ("ecr.dkr", "s3")
    ]
    assert fixes[0].endswith("in the firewall, or route the traffic around it")
    assert fixes[1].endswith("in the firewall, or create the endpoints so that no traffic passes it")


def test_what_arrives_altered_is_not_called_blocked() -> None:
    run = run_with(layer=Reply(Failure.UNAUTHENTICATED, 403, code="SignatureDoesNotMatch"))
    assert finding_of(run, "layers.url-rejected").causes[0].title.startswith("a middlebox on the way changes what ")


def test_no_variable_is_set_against_a_transparent_proxy() -> None:
    causes = finding_of(FakeRun(transparent_proxy=True), "path.proxy").causes
    assert [cause.fix.commands for cause in causes] == [()]


def test_a_deadline_is_raised_only_where_it_passed() -> None:
    finding = finding_of(run_with(manifest=Reply(Failure.MALFORMED, 200)), "http.unreadable")
    assert not [cause for cause in finding.causes if "--deadline" in cause.fix.text]


def test_a_manifest_that_arrived_was_pushed() -> None:
    cause = finding_of(run_with(blob=Reply(Failure.NOT_FOUND, 404)), "layers.missing").causes[0]
    assert "tag" not in cause.title
    assert cause.fix.commands[0].startswith("docker push ")


def test_an_endpoint_without_ipv4_gets_ipv4_addresses() -> None:
    run = FakeRun({"ecr.dkr": Host((), ipv6=(f"{GLOBAL_IPV6}10",), tcp=Failure.UNREACHABLE)})
    finding = finding_of(run, "tcp.no-route")
    assert finding.title == "ecr.dkr resolves only to IPv6 addresses, and this task has only IPv4"
    assert [cause.code for cause in finding.causes] == ["tcp.no-route"]
    assert finding.causes[0].fix.commands[0].endswith("--ip-address-type dualstack")


def test_the_host_of_another_log_region_is_not_said_to_resolve_everywhere() -> None:
    run = FakeRun({"logs": Host(Failure.NXDOMAIN)}, planned={"logs_region": "us-esat-1"})
    finding = finding_of(run, "dns.name-missing")
    assert finding.why.startswith("awslogs-region is us-esat-1, and the task is in eu-west-1.")
    assert finding.causes[0].code == "logs.misconfigured-region"


def test_the_log_drivers_calls_are_allowed_not_the_checks_own() -> None:
    finding = finding_of(run_with(logs=denied(DenialReason.ENDPOINT)), "policy.vpce.other")
    assert "logs:CreateLogStream and logs:PutLogEvents" in finding.causes[0].fix.text
    assert "DescribeLogStreams" not in finding.causes[0].fix.text


def test_no_quota_of_ones_own_applies_to_ecrs_bucket() -> None:
    (cause,) = finding_of(run_with(layer=Reply(Failure.THROTTLED, 503, code="SlowDown")), "aws.throttled").causes
    assert cause.code == "throttle"
    assert not cause.fix.commands


def test_a_token_that_was_just_issued_is_not_to_be_renewed() -> None:
    finding = finding_of(
        run_with(manifest=Reply(Failure.UNAUTHENTICATED, 403, code="DENIED")), "registry.token-rejected"
    )
    assert "neither its age nor its region" in finding.why
    advice = [f"{cause.title} {cause.fix.text}" for cause in finding.causes]
    assert not [text for text in advice if "renew" in text or "another region" in text]
