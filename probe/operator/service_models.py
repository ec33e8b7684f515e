"""botocore's service models, reduced to the operations that are called.

A client made from such a model has no other operation, so it cannot call one. EC2's whole model takes 20 MiB and half
a second; of what `inspect` calls, a fraction of both.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from botocore.loaders import Loader

from probe.records import Record
from probe.safe_words import json_bytes

_TYPE = "service-2"


class ReducedLoader(Loader):  # type: ignore[misc]  # botocore has no types
    """Loads service models with only some operations, and the rest of botocore's data as it is."""

    def __init__(self, whole: Loader, operations: Mapping[str, Collection[str]]) -> None:
        """`operations` by botocore's name of the service."""
        super().__init__(extra_search_paths=whole.search_paths)
        self._operations = operations

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> dict[str, Any]:
        """As botocore's; a service without operations has a model without any."""
        if type_name != _TYPE:
            model: dict[str, Any] = super().load_service_model(service_name, type_name, api_version)
            return model
        version = api_version or self.determine_latest_version(service_name, type_name)
        found = next(_files(self.search_paths, service_name, version), None)
        # A correction of botocore's own, or a format that is not known here: read it as botocore does.
        document = found or json_bytes(super().load_service_model(service_name, type_name, version))
        return _reduced(document, self._operations.get(service_name, ()))


def _files(folders: Iterable[str], service: str, version: str) -> Iterator[bytes]:
    for folder in folders:
        place = Path(folder) / service / version
        if (place / f"{_TYPE}.sdk-extras.json").exists():
            return
        plain, packed = place / f"{_TYPE}.json", place / f"{_TYPE}.json.gz"
        if plain.exists():
            yield plain.read_bytes()
        elif packed.exists():
            yield gzip.decompress(packed.read_bytes())


class _Model(Record):
    """The parts of a model. What is not needed is never decoded."""

    metadata: msgspec.Raw
    operations: dict[str, msgspec.Raw]
    shapes: dict[str, msgspec.Raw]
    version: str = "2.0"


def _reduced(document: bytes, names: Iterable[str]) -> dict[str, Any]:
    model = msgspec.json.decode(document, type=_Model)
    operations = {name: msgspec.json.decode(model.operations[name]) for name in names if name in model.operations}
    shapes: dict[str, Any] = {}
    wanted = [name for operation in operations.values() for name in _shapes_in(operation)]
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = msgspec.json.decode(model.shapes[name])
            wanted.extend(_shapes_in(shapes[name]))
    return {
        "version": model.version,
        "metadata": msgspec.json.decode(model.metadata),
        "operations": operations,
        "shapes": shapes,
    }


def _shapes_in(value: Any) -> Iterator[str]:
    """The names of the shapes that an operation or a shape refers to."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "shape" and isinstance(part, str):
                yield part
            else:
                yield from _shapes_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _shapes_in(part)
