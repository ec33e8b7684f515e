"""`--with`: what a change of the reader's own would do, and which files and objects are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.inspect.command import inspect
from probe.inspect.options import read_options
from probe.inspect.replacements import parse, replacement
from probe.model import GateAnswer, Status, Verdict
from tests.inspect.vpc import REGION, START, Account, healthy_vpc

CLOSED = {"SecurityGroups": [{"GroupId": "sg-0e000000", "IpPermissions": []}]}
DENY_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}],
}


def inspected_with(account: Account, *changes: tuple[str, Any]) -> Verdict:
    options = read_options(
        [*START, *(part for name, _ in changes for part in ("--with", f"{name}=x"))], {"AWS_REGION": REGION}
    )
    documents = [json.dumps(document).encode() for _, document in changes]
    read = [replacement(wanted, document) for wanted, document in zip(options.changes, documents, strict=True)]
    return inspect(options, account, changes=read)


def test_a_group_is_replaced_in_memory_only() -> None:
    account = healthy_vpc()
    verdict = inspected_with(account, ("security-group:sg-0e000000", CLOSED))
    assert verdict.status is Status.FAIL
    assert {gate.object for gate in verdict.gates if gate.answer is GateAnswer.REFUSES} == {"sg-0e000000"}
    assert inspected_with(account).status is Status.PASS


def test_a_change_of_ones_own_can_mend() -> None:
    account = healthy_vpc()
    rules = account.object("sg-0e000000")["IpPermissions"]
    account.object("sg-0e000000")["IpPermissions"] = []
    assert inspected_with(account).status is Status.FAIL
    group = {"GroupId": "sg-0e000000", "IpPermissions": rules}
    assert inspected_with(account, ("security-group:sg-0e000000", group)).status is Status.PASS


@pytest.mark.parametrize(
    ("name", "document", "refusing"),
    [
        ("policy:vpce-0e000009", DENY_ALL, "endpoint-policy"),
        ("policy:team/app", DENY_ALL, "repository-policy"),
        ("network-acl:acl-0a000000", {"Entries": []}, "nacl-egress"),
        ("route-table:rtb-0a000000", {"RouteTableId": "rtb-0a000000", "Routes": []}, "route"),
    ],
)
def test_every_kind(name: str, document: Any, refusing: str) -> None:
    verdict = inspected_with(healthy_vpc(), (name, document))
    assert {gate.gate for gate in verdict.gates if gate.answer is GateAnswer.REFUSES} >= {refusing}


def test_what_is_not_part_of_the_path_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--with .*sg-0f000000.*not part of the path"):
        inspected_with(healthy_vpc(), ("security-group:sg-0f000000", {"IpPermissions": []}))


@pytest.mark.parametrize(
    "text", ["sg-0e000000=x", "group:sg-0e000000=x", "policy:=x", "policy:vpce-0e000009", "policy:a="]
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="KIND:ID=FILE"):
        parse(text)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no member of a security-group"),
        (b'{"GroupId": "sg-0f000000", "IpPermissions": []}', "does not contain sg-0e000000"),
        (b" " * (1 << 20) + b"{}", "larger than 1 MiB"),
    ],
)
def test_a_bad_file_is_refused(document: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replacement(parse("security-group:sg-0e000000=x"), document)


def test_a_document_without_statements_is_no_policy() -> None:
    with pytest.raises(ValueError, match="no Statement"):
        replacement(parse("policy:vpce-0e000009=x"), b'{"Version": "2012-10-17"}')
