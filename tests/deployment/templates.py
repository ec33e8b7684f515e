"""Evaluate a CloudFormation template: its resources for given parameters, in a partition and a region."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deployment.definitions import ACCOUNT

_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
_NOTHING = object()  # AWS::NoValue: the property or item is left out


@dataclass(frozen=True, slots=True)
class Template:
    """A decoded template with values for its parameters; short forms such as `!Ref` are expanded already."""

    document: Mapping[str, Any]
    parameters: Mapping[str, Any]
    partition: str = "aws"
    region: str = "us-east-1"

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources that are created. A reference to another resource is `Name` or `Name.Attribute`."""
        return {
            name: {"Type": item["Type"], **self._value(item.get("Properties", {}))}
            for name, item in self.document["Resources"].items()
            if "Condition" not in item or self._is_met(item["Condition"])
        }

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.resources().values() if item["Type"] == kind]

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._value, value) if item is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            functions: dict[str, Callable[[Any], Any]] = {
                "Ref": self._ref,
                "Fn::Sub": self._sub,
                "Fn::If": self._if,
                "Fn::GetAtt": self._attribute,
                "Fn::Join": self._join,
                "Fn::Split": self._split,
                "Fn::Select": self._select,
                "Fn::FindInMap": self._find,
            }
            if function in functions:
                return functions[function](argument)
            assert not function.startswith("Fn::"), function
        items = {key: self._value(inner) for key, inner in value.items()}
        return {key: inner for key, inner in items.items() if inner is not _NOTHING}

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": _SUFFIXES.get(self.partition, "amazonaws.com"),
            "AWS::StackName": "ecr-probe",
            "AWS::NoValue": _NOTHING,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.document["Resources"]:
            return name
        parameter = self.document["Parameters"][name]
        return self.parameters[name] if name in self.parameters else parameter["Default"]

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], self._value(argument[1]))
        return re.sub(
            r"\$\{([\w:]+)\}", lambda match: str(own[match[1]] if match[1] in own else self._ref(match[1])), text
        )

    def _find(self, argument: list[Any]) -> Any:
        name, first, second = map(self._value, argument)
        return self.document["Mappings"][name][first][second]

    def _if(self, argument: list[Any]) -> Any:
        name, yes, no = argument
        return self._value(yes if self._is_met(name) else no)

    def _attribute(self, argument: list[str]) -> str:
        return ".".join(argument)

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(self._value(argument[1]))

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self._value(argument[1])).split(argument[0])

    def _select(self, argument: list[Any]) -> Any:
        return self._value(argument[1])[int(argument[0])]

    def _is_met(self, name: str) -> bool:
        return self._is_true(self.document["Conditions"][name])

    def _is_true(self, condition: dict[str, Any]) -> bool:
        ((function, argument),) = condition.items()
        if function == "Condition":
            return self._is_met(argument)
        if function == "Fn::Not":
            return not self._is_true(argument[0])
        if function == "Fn::And":
            return all(self._is_true(each) for each in argument)
        if function == "Fn::Or":
            return any(self._is_true(each) for each in argument)
        assert function == "Fn::Equals", function
        left, right = argument
        return bool(self._value(left) == self._value(right))


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions, such as `!Ref`, as their long ones."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def decoded(path: Path) -> dict[str, Any]:
    """A template file, for `Template`. In the laboratory cfn-lint decodes and judges the same files."""
    return dict(yaml.load(path.read_text(), _Loader))


def as_api(value: Any) -> Any:
    """Keys in the spelling of the API; those of labels and log options are values, and stay."""
    if isinstance(value, list):
        return [as_api(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key[0].lower() + key[1:]: inner if key in ("DockerLabels", "Options") else as_api(inner)
        for key, inner in value.items()
    }
