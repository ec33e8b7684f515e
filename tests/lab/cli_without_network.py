"""Run commands of the AWS CLI up to the moment in which they would send a request, in one process.

.venv/servers/bin/python tests/lab/cli_without_network.py < commands.json

It runs in the virtual environment of the CLI, without this repository. Standard input is a JSON list of argument lists
without "aws", standard output a JSON list with the fault of each, or null. The CLI reads the options, botocore
validates the parameters, and a sample of the operation's output takes the place of AWS's answer, so that `--query` is
evaluated.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from typing import Any

import jmespath
from awscli.clidriver import create_clidriver

_OF_PAGES = re.compile("(?i)(?:next|page|continuation)*(?:token|marker)|istruncated")


def main() -> None:
    cli = CommandLine()
    json.dump([cli.fault_of(arguments) for arguments in json.load(sys.stdin)], sys.stdout)


class CommandLine:
    """The AWS CLI with a sample in place of every answer."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._answers: list[Any] = []
        self._start()

    def _start(self) -> None:
        self._driver = create_clidriver()
        self._driver.session.register("before-parameter-build", self._check_values)
        self._driver.session.register("before-call", self._answer)
        self._driver.session.register("before-send", _refuse)

    def fault_of(self, arguments: list[str]) -> str | None:
        """Why the CLI, botocore or `--query` does not accept the command; None if they do."""
        fault = self._fault_of(arguments)
        if fault is not None:  # an earlier command may have left its own handlers in the CLI
            self._start()
            fault = self._fault_of(arguments)
        return fault

    def _fault_of(self, arguments: list[str]) -> str | None:
        self._faults, self._answers = [], []
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            try:
                code = self._driver.main(arguments)
            except SystemExit as end:
                code = end.code
        if code:
            return errors.getvalue().strip() or f"exit code {code}"
        if not self._answers:
            return "no request would be sent"
        if "--query" in arguments:
            query = arguments[arguments.index("--query") + 1]
            if _has_null(jmespath.search(query, self._answers[-1])):
                self._faults.append(f"--query {query} selects a field that the output does not have")
        return "; ".join(self._faults) or None

    def _check_values(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Check what neither the CLI nor botocore checks: enumerations, and the names of EC2's filters.

        The models document the names of filters, and have no list of them.
        """
        if model.input_shape:
            self._faults += _not_listed(params, model.input_shape)
        for member in ("Filters", "Filter"):
            shape = model.input_shape.members.get(member) if model.input_shape else None
            if shape is None or shape.type_name != "list" or model.service_model.service_name != "ec2":
                continue
            names = set(re.findall(r"<code>([\w.:/-]+)</code>", shape.documentation))
            for item in params.get(member, ()):
                if item["Name"] not in names:
                    self._faults.append(f"{model.name} has no filter {item['Name']}")

    def _answer(self, model: Any, **_: Any) -> tuple[Any, Any]:
        self._answers.append(_sample(model.output_shape))
        return _Response(), self._answers[-1]


def _not_listed(value: Any, shape: Any) -> list[str]:
    """The values that their enumeration does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return [fault for name, item in value.items() if name in members for fault in _not_listed(item, members[name])]
    if shape.type_name == "list" and isinstance(value, list):
        return [fault for item in value for fault in _not_listed(item, shape.member)]
    enumeration = shape.metadata.get("enum", ())
    return [f"{value} is no {shape.name}"] if enumeration and value not in enumeration else []


class _Response:
    status_code = 200


def _refuse(**_: Any) -> None:
    raise RuntimeError("a request would leave this machine")


def _sample(shape: Any, parents: tuple[str, ...] = ()) -> Any:
    """An output with a value in each field, except the tokens of a next page."""
    if shape is None or parents.count(shape.name) > 1:
        return {}
    inner = (*parents, shape.name)
    if shape.type_name == "structure":
        names = [name for name in shape.members if not _OF_PAGES.fullmatch(name)]
        return {name: _sample(shape.members[name], inner) for name in names}
    if shape.type_name == "list":
        return [_sample(shape.member, inner)]
    if shape.type_name == "map":
        return {"key": _sample(shape.value, inner)}
    numbers = {"integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True, "blob": b"QVdTOng="}
    return numbers.get(shape.type_name, "QVdTOng=" if shape.type_name == "string" else "2026-01-01T00:00:00Z")


def _has_null(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_has_null(item) for item in (value.values() if isinstance(value, dict) else value))
    return value is None


if __name__ == "__main__":
    main()
