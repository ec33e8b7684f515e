"""DNS of the simulated VPC, queried with dig and dnspython."""

from __future__ import annotations

import shutil
import socket
import subprocess

import dns.exception
import dns.message
import dns.query
import pytest

from probe.sim import changes
from probe.sim.dns import NO_ANSWER, NXDOMAIN, Forward, Zone, always, leading_to
from probe.sim.vpc import VPC

needs_dig = pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed")
REGION = "us-east-1"
API = f"api.ecr.{REGION}.amazonaws.com"
LAYERS = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"


def dig(vpc: VPC, name: str, record: str = "A", *options: str, server: str = "10.0.0.2") -> list[str]:
    port = vpc.port(server, 53) if "+tcp" in options else vpc.udp_port(server)
    command = [
        "dig",
        "@127.0.0.1",
        "-p",
        str(port),
        name,
        record,
        "+noall",
        "+answer",
        "+comments",
        "+tries=1",
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.splitlines()


def ask(vpc: VPC, name: str, record: str = "A", server: str = "10.0.0.2") -> dns.message.Message:
    return dns.query.udp(dns.message.make_query(name, record), "127.0.0.1", port=vpc.udp_port(server), timeout=5)


def addresses(reply: dns.message.Message) -> set[str]:
    return {item.to_text() for records in reply.answer if records.rdtype != dns.rdatatype.CNAME for item in records}


def rcode(reply: dns.message.Message) -> str:
    return dns.rcode.to_text(reply.rcode())


@needs_dig
def test_dig_resolves_private_names(vpc: VPC) -> None:
    lines = [line.split() for line in dig(vpc, API) if line.startswith(API)]
    assert sorted(line[4] for line in lines) == ["10.0.1.10", "10.0.2.10"]
    assert {line[1] for line in lines} == {"60"}


@needs_dig
@pytest.mark.parametrize("option", ["+notcp", "+tcp"])
def test_dig_follows_the_public_chain_of_the_layer_bucket(vpc: VPC, option: str) -> None:
    lines = [line.split() for line in dig(vpc, LAYERS, "A", option) if line and not line.startswith(";")]
    assert [line[3] for line in lines] == ["CNAME", "A", "A"]
    assert lines[0][4] == f"s3-r-w.{REGION}.amazonaws.com."
    assert all(line[4].startswith("52.216.") for line in lines[1:])


@needs_dig
def test_a_truncated_answer_is_complete_over_tcp(vpc: VPC) -> None:
    vpc.truncates = True
    assert any("flags:" in line and " tc" in line for line in dig(vpc, API, "A", "+ignore"))
    assert len([line for line in dig(vpc, API, "A", "+tcp") if line.startswith(API)]) == 2


@pytest.mark.parametrize(
    "name",
    [
        f"123456789012.dkr.ecr.{REGION}.amazonaws.com",
        f"999999999999.dkr.ecr.{REGION}.amazonaws.com",
        f"dkr.ecr.{REGION}.amazonaws.com",
        f"123456789012.dkr-ecr.{REGION}.on.aws",
    ],
)
def test_the_wildcard_covers_every_account(vpc: VPC, name: str) -> None:
    assert addresses(ask(vpc, name)) == {"10.0.1.11", "10.0.2.11"}
    assert addresses(ask(vpc, name, "AAAA")) == set()


def test_other_names_in_a_private_zone_do_not_exist(vpc: VPC) -> None:
    assert rcode(ask(vpc, f"x.{API}")) == "NXDOMAIN"
    assert rcode(ask(vpc, f"x.y.ecr.{REGION}.api.aws")) == "NXDOMAIN"


def test_ipv6_addresses_need_a_dual_stack_vpc(vpc: VPC) -> None:
    reply = ask(vpc, API, "AAAA")
    assert (rcode(reply), addresses(reply)) == ("NOERROR", set())
    vpc.build(ipv6="2600:1f18:4a3b:5600::/56")
    assert addresses(ask(vpc, API, "AAAA")) == {"2600:1f18:4a3b:5601::a", "2600:1f18:4a3b:5602::a"}


def test_old_endpoints_lack_the_dual_stack_names(vpc: VPC) -> None:
    name = f"ecr.{REGION}.api.aws"
    assert addresses(ask(vpc, name)) == {"10.0.1.10", "10.0.2.10"}
    vpc.endpoints["ecr.api"].year = 2024
    assert addresses(ask(vpc, name)) == {"44.200.1.9"}
    assert addresses(ask(vpc, API)) == {"10.0.1.10", "10.0.2.10"}


def test_the_legacy_and_fips_names_stay_public(vpc: VPC) -> None:
    for name in (f"ecr.{REGION}.amazonaws.com", f"api.ecr-fips.{REGION}.amazonaws.com"):
        assert all(address.startswith("44.") for address in addresses(ask(vpc, name)))


def test_without_private_dns_names_resolve_publicly(vpc: VPC) -> None:
    changes.without_private_dns("ecr.api", "ecr.dkr")(vpc)
    reply = ask(vpc, API)
    assert reply.answer[0].to_text() == f"{API}. 60 IN CNAME ecr.{REGION}.amazonaws.com."
    assert ".elb." in ask(vpc, f"123456789012.dkr.ecr.{REGION}.amazonaws.com").answer[0].to_text()


def test_endpoint_specific_names_resolve_publicly(vpc: VPC) -> None:
    changes.without_private_dns("ecr.api")(vpc)
    name = vpc.endpoints["ecr.api"].vpce_name
    assert name.startswith("vpce-")
    assert name.endswith(f".api.ecr.{REGION}.vpce.amazonaws.com")
    assert addresses(ask(vpc, name)) == {"10.0.1.10", "10.0.2.10"}
    zonal = name.replace(".", f"-{REGION}b.", 1)
    assert addresses(ask(vpc, zonal)) == {"10.0.2.10"}
    assert rcode(ask(vpc, name.replace("vpce-0", "vpce-1"))) == "NXDOMAIN"


def test_the_agents_hosts_are_not_named_after_the_services(vpc: VPC) -> None:
    vpc.build(launch_type="EC2", network_mode="host")
    assert addresses(ask(vpc, f"ecs-a.{REGION}.amazonaws.com")) == {"10.0.1.14", "10.0.2.14"}
    assert addresses(ask(vpc, f"ecs-t.{REGION}.amazonaws.com")) == {"10.0.1.15", "10.0.2.15"}
    for swapped in ("ecs-agent", "ecs-telemetry"):
        assert rcode(ask(vpc, f"{swapped}.{REGION}.amazonaws.com")) == "NXDOMAIN"


def test_china_has_its_own_suffix(vpc: VPC) -> None:
    vpc.build(region="cn-north-1")
    assert addresses(ask(vpc, "api.ecr.cn-north-1.amazonaws.com.cn")) == {"10.0.1.10", "10.0.2.10"}
    assert rcode(ask(vpc, "api.ecr.cn-north-1.amazonaws.com")) == "NOERROR"


def test_the_most_specific_zone_answers(vpc: VPC) -> None:
    vpc.zones.append(Zone("amazonaws.com", {"amazonaws.com": ("10.9.9.9",)}))
    assert addresses(ask(vpc, API)) == {"10.0.1.10", "10.0.2.10"}
    assert rcode(ask(vpc, LAYERS)) == "NXDOMAIN"


def test_private_zones_need_dns_hostnames(vpc: VPC) -> None:
    vpc.dns_hostnames = False
    assert addresses(ask(vpc, API)) == {"44.200.1.9"}


def test_a_rule_to_a_dead_server_gives_servfail_outside_private_zones(vpc: VPC) -> None:
    vpc.resolver.forwards["amazonaws.com"] = Forward(always(NO_ANSWER), "10.0.3.53")
    assert rcode(ask(vpc, LAYERS)) == "SERVFAIL"
    assert addresses(ask(vpc, API)) == {"10.0.1.10", "10.0.2.10"}


def test_a_dns_firewall_answers_nxdomain(vpc: VPC) -> None:
    vpc.resolver.blocked[API] = always(NXDOMAIN)
    assert rcode(ask(vpc, API)) == "NXDOMAIN"


def test_a_dns_firewall_overrides_a_name_with_a_cname(vpc: VPC) -> None:
    vpc.resolver.blocked[API] = leading_to("198.51.100.7", target="blocked.example.com")
    answer = ask(vpc, API)
    assert addresses(answer) == {"198.51.100.7"}
    assert "CNAME blocked.example.com." in answer.to_text()


def test_a_dns_firewall_inspects_the_targets_of_cnames(vpc: VPC) -> None:
    vpc.resolver.blocked["s3-r-w.us-east-1.amazonaws.com"] = always(NXDOMAIN)
    assert rcode(ask(vpc, LAYERS)) == "NXDOMAIN"
    assert rcode(ask(vpc, API)) == "NOERROR"


def test_a_profile_brings_zones_and_the_vpcs_own_rule_wins(vpc: VPC) -> None:
    name = "secretsmanager.us-east-1.amazonaws.com"
    vpc.resolver.profile.zones.append(Zone(name, {name: ("10.99.1.17",)}))
    assert addresses(ask(vpc, name)) == {"10.99.1.17"}
    vpc.resolver.profile.blocked[name] = always(NXDOMAIN)
    assert rcode(ask(vpc, name)) == "NXDOMAIN"
    vpc.resolver.blocked[name] = vpc.resolver.profile.zones[0].answer
    assert addresses(ask(vpc, name)) == {"10.99.1.17"}


def test_dns64_synthesises_addresses_for_ipv4_only_names(vpc: VPC) -> None:
    vpc.build(ipv6="2600:1f18:4a3b:5600::/56")
    vpc.resolver.dns64 = True
    assert addresses(ask(vpc, LAYERS, "AAAA")) == {"64:ff9b::34d8:108", "64:ff9b::34d8:128"}
    assert addresses(ask(vpc, API, "AAAA")) == {"2600:1f18:4a3b:5601::a", "2600:1f18:4a3b:5602::a"}


def test_no_answer_with_dns_support_off(vpc: VPC) -> None:
    vpc.resolver.answering = False
    port = vpc.udp_port("169.254.169.253")
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(dns.message.make_query(API, "A"), "127.0.0.1", port=port, timeout=0.1)


def test_an_invalid_query_gets_no_answer(vpc: VPC) -> None:
    with vpc.datagram("10.0.0.2", 53) as sock:
        sock.send(b"\x00\x01garbled")
    with vpc.dial("10.0.0.2", 53, 1) as sock:
        sock.sendall(b"\x00\x04garb")
        assert sock.recv(1) == b""
    assert rcode(ask(vpc, API)) == "NOERROR"


def test_other_dns_servers_need_a_route(vpc: VPC) -> None:
    changes.dns_server("10.99.0.2", lambda vpc: vpc.public_dns.answer)(vpc)
    with vpc.datagram("10.99.0.2", 53) as sock:
        sock.settimeout(0.1)
        sock.send(dns.message.make_query(API, "A").to_wire())
        with pytest.raises(socket.timeout):
            sock.recv(512)
    vpc.network.routes.ranges.append("10.99.0.0/16")
    assert addresses(ask(vpc, API, server="10.99.0.2")) == {"44.200.1.9"}
