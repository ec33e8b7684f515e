"""Gates in the text report: a row for each leg, every gate with -v, and the statement that allows what is missing."""

from __future__ import annotations

from probe.report import Page
from probe.report.text import render
from tests.inspect.vpc import healthy_vpc, inspected


def test_a_refusal_is_shown_with_its_object_and_sentence() -> None:
    account = healthy_vpc()
    account.object("sg-0e000000")["IpPermissions"] = []
    text = " ".join(render(inspected(account), Page(width=400)).split())
    assert "ingress sg-0e000000 REFUSES: no rule of sg-0e000000 allows 443 from" in text
    assert "s3 names ok · endpoint vpce-0e000009 ok" in text
    assert "With this change every gate allows." in text
    assert text.count("cause:") == 1


def test_what_could_not_be_read_comes_with_the_statement_that_allows_it() -> None:
    account = healthy_vpc()
    account.denied.add("ec2:DescribeNetworkAcls")
    text = " ".join(render(inspected(account), Page(width=400)).split())
    assert "acl unknown: ec2:DescribeNetworkAcls is not allowed" in text
    assert '"Action": ["ec2:DescribeNetworkAcls"]' in text


def test_verbose_shows_every_gate_with_its_element() -> None:
    verdict = inspected(healthy_vpc())
    text = " ".join(render(verdict, Page(width=400, verbose=True)).split())
    assert "allows security-group-egress 10.0.1.10 sg-0a000000 (all 0.0.0.0/0): sg-0a000000 allows 443" in text
    assert all(str(gate.gate) in text for gate in verdict.gates)


def test_the_last_line_says_that_nothing_was_measured() -> None:
    text = " ".join(render(inspected(healthy_vpc()), Page()).split())
    assert text.rstrip().endswith("pass: ECS can pull the image; based on the configuration only; nothing was measured")
