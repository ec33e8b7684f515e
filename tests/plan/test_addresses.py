"""The class of an address, also where RFC 1918 alone would be wrong."""

from __future__ import annotations

import pytest

from probe.addresses import classify, embedded, presume, sort_key
from probe.model import AddressClass

VPC, PRIVATE, PUBLIC, UNKNOWN = AddressClass.VPC, AddressClass.PRIVATE, AddressClass.PUBLIC, AddressClass.UNKNOWN


@pytest.mark.parametrize(
    ("address", "ranges", "expected"),
    [
        ("10.0.1.15", ["10.0.0.0/16"], VPC),
        ("10.9.1.15", ["10.0.0.0/16"], PRIVATE),
        ("20.10.1.141", ["20.10.0.0/16"], VPC),
        ("20.10.1.141", [], PUBLIC),
        ("100.64.3.4", [], PRIVATE),
        ("100.64.3.4", ["100.64.0.0/10"], VPC),
        ("172.40.1.94", ["172.40.0.0/16"], VPC),
        ("52.216.10.10", ["10.0.0.0/16"], PUBLIC),
        ("2600:1f13:10b:1a00::15", ["2600:1f13:10b:1a00::/56"], VPC),
        ("2600:1f13:10b:1a00::15", ["10.0.0.0/16"], UNKNOWN),
        ("fd00:ec2::253", [], PRIVATE),
        ("64:ff9b::a00:10f", ["10.0.0.0/16"], VPC),
        ("64:ff9b::34d8:a0a", ["10.0.0.0/16"], PUBLIC),
        ("::ffff:10.0.1.15", ["10.0.0.0/16"], VPC),
    ],
)
def test_the_class_of_an_address(address: str, ranges: list[str], expected: AddressClass) -> None:
    assert classify(address, ranges) is expected


def test_a_dns64_address_embeds_an_ipv4_address() -> None:
    assert embedded("64:ff9b::a00:10f") == "10.0.1.15"
    assert embedded("2600::1") == "2600::1"


def test_ranges_are_presumed_only_outside_rfc_1918() -> None:
    assert presume(["10.0.1.77"]) == ()
    assert presume(["20.10.1.5"]) == ("20.10.0.0/16",)
    assert presume(["100.64.9.5", "2600:1f13:10b:1a11::5"]) == ("100.64.0.0/16", "2600:1f13:10b:1a00::/56")
    assert presume(["169.254.1.1", "127.0.0.1", "fe80::1"]) == ()


def test_addresses_sort_by_value_ipv4_first() -> None:
    assert sorted(["10.0.2.1", "2600::1", "10.0.10.1"], key=sort_key) == ["10.0.2.1", "10.0.10.1", "2600::1"]
