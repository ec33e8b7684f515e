"""A saved configuration: read again it is the same, and a file that is none is refused in one sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.configuration import saved
from probe.configuration.document import Configuration, Obstacle, Source, question
from probe.configuration.operations import SUBNETS, VPCS

SUBNET = {"SubnetId": "subnet-0a000000", "CidrBlock": "10.0.1.0/24"}
CONFIGURATION = Configuration(
    read_at=datetime(2026, 11, 29, tzinfo=UTC),
    account="123456789012",
    region="us-east-1",
    sources=(
        Source(question=question(SUBNETS, {}), reply={"Subnets": [SUBNET]}, pages=2),
        Source(
            question=question(VPCS, {}, "eu-west-1"), obstacle=Obstacle.DENIED, missing="ec2:DescribeVpcs", words="no"
        ),
    ),
)


def document(**changes: Any) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(saved.to_bytes(CONFIGURATION)), **changes})


def with_source(**changes: Any) -> bytes:
    """The document with the first source changed."""
    sources = msgspec.json.decode(saved.to_bytes(CONFIGURATION))["sources"]
    return document(sources=[{**sources[0], **changes}, *sources[1:]])


def test_it_is_the_same_when_it_is_read_again() -> None:
    assert saved.from_bytes(saved.to_bytes(CONFIGURATION)) == CONFIGURATION


ASKED = {"service": "ec2", "operation": "DescribeSubnets", "parameters": "{}", "region": None}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is JSON but not"),
        (b'{"form":' + b"[" * 100_000, "is JSON but not"),
        (b'{"form":1,"sources":[{"reply":' + b'{"a":' * 100_000, "is not JSON"),
        (b"[]", "is JSON but not a configuration"),
        (b"{}", "is JSON but not a configuration"),
        (b'{"schema_version": 1}', "is JSON but not a configuration"),
        (document(form=2), "has the form 2, and this program reads 1; a newer ecr-probe wrote it"),
        (document(form=0), "has the form 0, and this program reads 1; expected"),
        (document(form="new"), "is JSON but not a configuration"),
        (document(read_at="2026-11-29T00:00:00"), "read_at has no time zone"),
        (document(account="me"), "account is not an account"),
        (document(region="https://evil"), "a region is not a region"),
        (document(sources={}), "is JSON but not a configuration"),
        (with_source(question={**ASKED, "region": "../x"}), "a region is not a region"),
        (with_source(question={**ASKED, "parameters": "[]"}), "parameters are not a JSON object - at `$.sources[0]`"),
        (with_source(question={**ASKED, "parameters": "{"}), "parameters are not a JSON object"),
        (with_source(reply=None), "either a reply or an obstacle is expected"),
        (with_source(obstacle="denied"), "either a reply or an obstacle is expected"),
        (with_source(obstacle="new", reply=None), "is JSON but not a configuration"),
        (with_source(reply={}), "Subnets is not a list of objects"),
        (with_source(reply={"Subnets": [7]}), "Subnets is not a list of objects"),
        (with_source(reply={"Subnets": [{"SubnetId": 7}]}), "an object has no SubnetId"),
    ],
)
def test_another_file_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        saved.from_bytes(content)


def test_a_file_that_is_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="is larger than"):
        saved.from_bytes(b" " * 101)
    with pytest.raises(ValueError, match="has more than"):
        saved.to_bytes(CONFIGURATION)


@given(st.data())
def test_a_damaged_file_is_refused_or_read(data: st.DataObject) -> None:
    whole = saved.to_bytes(CONFIGURATION)
    start = data.draw(st.integers(0, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=8)) + whole[data.draw(st.integers(start, len(whole))) :]
    try:
        saved.from_bytes(damaged)
    except ValueError:
        return
