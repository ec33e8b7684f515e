"""AWS's partitions and regions, from the table that botocore contains. botocore itself is not imported."""

from __future__ import annotations

import importlib.util
import os
import re
from functools import cache
from typing import TYPE_CHECKING, cast

import msgspec

from probe.model import Partition
from probe.records import Record

if TYPE_CHECKING:
    from importlib.abc import ResourceLoader


class _Outputs(Record, rename="camel"):
    name: str
    dns_suffix: str
    dual_stack_dns_suffix: str


class _Entry(Record, rename="camel"):
    outputs: _Outputs
    region_regex: str
    regions: dict[str, msgspec.Raw]


class _Table(Record):
    partitions: list[_Entry]


def partitions() -> tuple[Partition, ...]:
    return tuple(partition for partition, _ in _table())


def partition_of(region: str) -> Partition | None:
    """The partition that lists `region`, else the one whose regions have its form, else None."""
    listed = next((partition for partition, _ in _table() if region in partition.regions), None)
    return listed or next((partition for partition, form in _table() if form.fullmatch(region)), None)


def is_listed(region: str) -> bool:
    """Whether some partition lists `region`. One that none lists is newer than the table, or misspelled."""
    return any(region in partition.regions for partition, _ in _table())


@cache
def _table() -> tuple[tuple[Partition, re.Pattern[str]], ...]:
    spec = importlib.util.find_spec("botocore")
    assert spec is not None, "botocore is a dependency"
    assert spec.submodule_search_locations is not None
    path = os.path.join(spec.submodule_search_locations[0], "data", "partitions.json")
    content = cast("ResourceLoader", spec.loader).get_data(path)  # works inside a zip file too
    return tuple(_read(entry) for entry in msgspec.json.decode(content, type=_Table).partitions)


def _read(entry: _Entry) -> tuple[Partition, re.Pattern[str]]:
    regions = tuple(sorted(name for name in entry.regions if not name.endswith("-global")))
    told = entry.outputs
    return Partition(told.name, told.dns_suffix, told.dual_stack_dns_suffix, regions), re.compile(entry.region_regex)
