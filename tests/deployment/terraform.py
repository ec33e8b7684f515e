"""Evaluate a Terraform module: its resources for given variables, in a partition and a region.

Only what the modules of this repository use of the language. python-hcl2 parses. Nothing contacts AWS, and there is no
state: an attribute that only AWS knows, such as an ARN, is its own address ("aws_iam_role.task.arn").
"""

from __future__ import annotations

import ipaddress
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import hcl2
from lark import Token, Tree

from tests.deployment.definitions import ACCOUNT, REGION

Node = Tree[Token] | Token
Names = Mapping[str, Any]
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
# Arguments of every resource that Terraform itself reads.
_META = {"count", "for_each", "depends_on", "provider"}


class Reference(str):
    """The address of something that is known only after `terraform apply`; any attribute of it exists."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Block:
    type: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Node]
    blocks: tuple[Block, ...]

    def nested(self, kind: str) -> Block | None:
        """The nested block of a type that occurs once at most."""
        found = [block for block in self.blocks if block.type == kind]
        assert len(found) <= 1, kind
        return found[0] if found else None


@dataclass(frozen=True)
class Module:
    """A folder of .tf files with values for its variables."""

    folder: Path
    values: Mapping[str, Any]
    partition: str = "aws"
    region: str = REGION

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(block for path in sorted(self.folder.glob("*.tf")) for block in _parsed(path).blocks)

    def of_type(self, kind: str) -> Iterator[Block]:
        return (block for block in self.blocks if block.type == kind)

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The arguments by address, with `type`. A nested block is a list of objects; null arguments are left out."""
        created: dict[str, dict[str, Any]] = {}
        for block in self.of_type("resource"):
            kind, name = block.labels
            for suffix, names in self._instances(block):
                created[f"{kind}.{name}{suffix}"] = {"type": kind, **self._arguments(block, names)}
        return created

    def output(self, name: str) -> Any:
        (block,) = [block for block in self.of_type("output") if block.labels == (name,)]
        return self._evaluate(block.attributes["value"], self._names)

    def variable(self, name: str) -> Any:
        """Its value, or its default."""
        return self._names["var"][name]

    def description(self, variable: str) -> str:
        (block,) = [block for block in self.of_type("variable") if block.labels == (variable,)]
        return str(self._evaluate(block.attributes["description"], {}))

    def called(self, block: Block) -> Module:
        """The module of a `module` block, with its values."""
        values = {name: self._evaluate(node, self._names) for name, node in block.attributes.items()}
        return Module((self.folder / values.pop("source")).resolve(), values, self.partition, self.region)

    def invalid(self) -> list[str]:
        """The error messages of the conditions that the variables and resources do not meet."""
        messages = []
        for block in self.of_type("variable"):
            for validation in (inner for inner in block.blocks if inner.type == "validation"):
                messages += self._unmet(validation, self._names)
        for block in self.of_type("resource"):
            for _, names in self._instances(block):
                for inner in getattr(block.nested("lifecycle"), "blocks", ()):
                    messages += self._unmet(inner, names)
        return messages

    def _unmet(self, block: Block, names: Names) -> list[str]:
        met = self._evaluate(block.attributes["condition"], names)
        return [] if met else [str(self._evaluate(block.attributes["error_message"], names))]

    # ---- names -------------------------------------------------------------------------------------------------------

    @cached_property
    def _names(self) -> dict[str, Any]:
        return {
            "var": {block.labels[0]: self._variable(block) for block in self.of_type("variable")},
            "local": _Lazy(
                {name: node for block in self.of_type("locals") for name, node in block.attributes.items()},
                lambda node: self._evaluate(node, self._names),
            ),
            "data": {
                "aws_partition": {
                    "current": {
                        "partition": self.partition,
                        "dns_suffix": _SUFFIXES.get(self.partition, "amazonaws.com"),
                    }
                },
                "aws_region": {"current": {"region": self.region}},
                "aws_caller_identity": {"current": {"account_id": ACCOUNT}},
            },
            "path": {"module": str(self.folder)},
        }

    def _variable(self, block: Block) -> Any:
        (name,) = block.labels
        if name in self.values:
            return self.values[name]
        assert "default" in block.attributes, f"{name} has no default"
        return self._evaluate(block.attributes["default"], {})

    def _instances(self, block: Block) -> Iterator[tuple[str, dict[str, Any]]]:
        """The suffix of the address and the names of each instance."""
        if "count" in block.attributes:
            for index in range(self._evaluate(block.attributes["count"], self._names)):
                yield f"[{index}]", {**self._names, "count": {"index": index}}
        elif "for_each" in block.attributes:
            each = self._evaluate(block.attributes["for_each"], self._names)
            for key, value in each.items() if isinstance(each, dict) else ((item, item) for item in each):
                yield f'["{key}"]', {**self._names, "each": {"key": key, "value": value}}
        else:
            yield "", self._names

    def _arguments(self, block: Block, names: Names) -> dict[str, Any]:
        values = {name: self._evaluate(node, names) for name, node in block.attributes.items() if name not in _META}
        arguments = {name: value for name, value in values.items() if value is not None}
        for inner in block.blocks:
            if inner.type == "dynamic":
                (kind,) = inner.labels
                content = inner.nested("content")
                assert content is not None
                items = self._evaluate(inner.attributes["for_each"], names)
                for item in items:
                    own = {**names, kind: {"key": item, "value": item}}
                    arguments.setdefault(kind, []).append(self._arguments(content, own))
            elif inner.type != "lifecycle":
                arguments.setdefault(inner.type, []).append(self._arguments(inner, names))
        return arguments

    # ---- expressions -------------------------------------------------------------------------------------------------

    def _evaluate(self, node: Node, names: Names) -> Any:
        """The value of a node of python-hcl2's tree. Each rule of its grammar that occurs has a method of its name."""
        if isinstance(node, Token):
            raise AssertionError(f"unexpected {node!r}")
        return getattr(self, f"_{node.data}")(_parts(node), names)

    def _expr_term(self, parts: list[Node], names: Names) -> Any:
        (inner,) = [part for part in parts if isinstance(part, Tree)]
        return self._evaluate(inner, names)

    def _literal_value(self, parts: list[Node], _names: Names) -> Any:
        return {"true": True, "false": False, "null": None}[str(parts[0])]

    def _int_lit(self, parts: list[Node], _names: Names) -> int:
        return int(str(parts[0]))

    def _identifier(self, parts: list[Node], names: Names) -> Any:
        name = str(parts[0])
        return names[name] if name in names else Reference(name)

    def _string(self, parts: list[Node], names: Names) -> Any:
        inner = [self._string_part(part, names) for part in parts if isinstance(part, Tree)]
        return inner[0] if len(inner) == 1 else "".join(map(_text, inner))

    def _string_part(self, part: Tree[Token], names: Names) -> Any:
        (inner,) = _parts(part)
        if isinstance(inner, Tree):
            assert inner.data == "interpolation", inner.data
            (expression,) = [item for item in _parts(inner) if isinstance(item, Tree)]
            return self._evaluate(expression, names)
        escapes = {"n": "\n", "t": "\t"}
        unescaped = re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), str(inner))
        return unescaped.replace("$${", "${").replace("%%{", "%{")

    def _heredoc_template_trim(self, parts: list[Node], _names: Names) -> str:
        _, *lines, _ = str(parts[0]).rstrip().split("\n")
        assert "${" not in str(parts[0]), "a heredoc with an expression"
        return textwrap.dedent("\n".join(lines)) + "\n"

    def _tuple(self, parts: list[Node], names: Names) -> list[Any]:
        return [self._evaluate(part, names) for part in parts if isinstance(part, Tree)]

    def _object(self, parts: list[Node], names: Names) -> dict[str, Any]:
        made = {}
        for part in parts:
            if isinstance(part, Tree):
                key, value = [item for item in _parts(part) if isinstance(item, Tree)]
                (name,) = _parts(key)
                assert isinstance(name, Tree)
                bare = name.data == "identifier"
                made[str(name.children[0]) if bare else _text(self._evaluate(name, names))] = self._evaluate(
                    value, names
                )
        return made

    def _conditional(self, parts: list[Node], names: Names) -> Any:
        condition, yes, no = [part for part in parts if isinstance(part, Tree)]
        return self._evaluate(yes if self._evaluate(condition, names) else no, names)

    def _binary_op(self, parts: list[Node], names: Names) -> Any:
        left, term = parts
        assert isinstance(term, Tree)
        operator, right = _parts(term)
        assert isinstance(operator, Tree)
        symbol = str(operator.children[0])
        return _OPERATORS[symbol](self._evaluate(left, names), self._evaluate(right, names))

    def _get_attr_expr_term(self, parts: list[Node], names: Names) -> Any:
        value, attribute = parts
        return self._attribute(self._evaluate(value, names), attribute)

    def _attribute(self, value: Any, node: Node) -> Any:
        assert isinstance(node, Tree)
        (name,) = [str(part.children[0]) for part in node.children if isinstance(part, Tree)]
        return Reference(f"{value}.{name}") if isinstance(value, Reference) else value[name]

    def _index_expr_term(self, parts: list[Node], names: Names) -> Any:
        value, index = self._evaluate(parts[0], names), parts[1]
        assert isinstance(index, Tree)
        (inner,) = [part for part in _parts(index) if isinstance(part, Tree)]
        key = self._evaluate(inner, names)
        return Reference(f"{value}[{json.dumps(key)}]") if isinstance(value, Reference) else value[key]

    def _full_splat_expr_term(self, parts: list[Node], names: Names) -> Any:
        value, splat = self._evaluate(parts[0], names), parts[1]
        assert isinstance(splat, Tree)
        attributes = [part for part in splat.children if isinstance(part, Tree)]
        items = self._created(value) if isinstance(value, Reference) else value
        for attribute in attributes:
            items = [self._attribute(item, attribute) for item in items]
        return items

    def _created(self, address: Reference) -> list[Reference]:
        """The instances of a resource with `count`, without evaluating its arguments."""
        (block,) = [block for block in self.of_type("resource") if ".".join(block.labels) == address]
        return [Reference(f"{address}{suffix}") for suffix, _ in self._instances(block)]

    def _for_tuple_expr(self, parts: list[Node], names: Names) -> list[Any]:
        loop, value = [part for part in parts if isinstance(part, Tree) and part.data != "for_cond"]
        return [self._evaluate(value, own) for own in self._loop(loop, parts, names)]

    def _for_object_expr(self, parts: list[Node], names: Names) -> dict[str, Any]:
        loop, key, value = [part for part in parts if isinstance(part, Tree) and part.data != "for_cond"]
        return {_text(self._evaluate(key, own)): self._evaluate(value, own) for own in self._loop(loop, parts, names)}

    def _loop(self, intro: Node, parts: list[Node], names: Names) -> Iterator[Names]:
        assert isinstance(intro, Tree)
        *variables, collection = [part for part in _parts(intro) if isinstance(part, Tree)]
        identifiers = [str(variable.children[0]) for variable in variables]
        items = self._evaluate(collection, names)
        pairs = items.items() if isinstance(items, dict) else enumerate(items)
        conditions = [part for part in parts if isinstance(part, Tree) and part.data == "for_cond"]
        for key, value in pairs:
            own = {**names, **dict(zip(identifiers, (key, value)[-len(identifiers) :], strict=True))}
            if all(self._evaluate(_parts(condition)[-1], own) for condition in conditions):
                yield own

    def _function_call(self, parts: list[Node], names: Names) -> Any:
        trees = [part for part in parts if isinstance(part, Tree)]
        name = str(trees[0].children[0])
        arguments = [part for part in _parts(trees[1]) if isinstance(part, Tree)] if len(trees) > 1 else []
        if name == "can":
            try:
                self._evaluate(arguments[0], names)
            except (ValueError, KeyError, IndexError):
                return False
            return True
        values = [self._evaluate(argument, names) for argument in arguments]
        if name == "templatefile":
            return self._template(*values)
        return _FUNCTIONS[name](*values)

    def _template(self, path: str, names: Mapping[str, Any]) -> str:
        """A file whose expressions are names only."""
        text = Path(path).read_text()
        assert set(re.findall(r"\$\{(.+?)\}", text)) <= set(names), path
        return re.sub(r"\$\{(\w+)\}", lambda match: _text(names[match[1]]), text)


class _Lazy(dict[str, Any]):
    """Local values, which may use each other in any order."""

    def __init__(self, nodes: Mapping[str, Node], evaluate: Callable[[Node], Any]) -> None:
        super().__init__()
        self._nodes, self._evaluate = nodes, evaluate

    def __missing__(self, name: str) -> Any:
        self[name] = self._evaluate(self._nodes[name])
        return self[name]


@cache
def _parsed(path: Path) -> Block:
    tree = hcl2.parses_to_tree(path.read_text())
    (body,) = [part for part in tree.children if isinstance(part, Tree)]
    return _block("", (), body)


def _block(kind: str, labels: tuple[str, ...], body: Tree[Token]) -> Block:
    attributes: dict[str, Node] = {}
    blocks = []
    for part in _parts(body):
        assert isinstance(part, Tree)
        if part.data == "attribute":
            name, _, value = part.children
            assert isinstance(name, Tree)
            attributes[str(name.children[0])] = value
        else:
            *heads, inner = [child for child in _parts(part) if isinstance(child, Tree)]
            type_, *names = ["".join(map(str, head.scan_values(lambda _: True))).strip('"') for head in heads]
            blocks.append(_block(type_, tuple(names), inner))
    return Block(kind, labels, attributes, tuple(blocks))


def _parts(node: Tree[Token]) -> list[Node]:
    return [part for part in node.children if not (isinstance(part, Tree) and part.data == "new_line_or_comment")]


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _regex(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(pattern)
    return found[0]


def _unique(items: list[Any]) -> list[Any]:
    return list(dict.fromkeys(items))


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    ">": lambda left, right: bool(left > right),
    "&&": lambda left, right: bool(left and right),
    "||": lambda left, right: bool(left or right),
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "alltrue": all,
    "cidrnetmask": lambda text: str(ipaddress.IPv4Network(text, strict=False).netmask),
    "concat": lambda *lists: [item for items in lists for item in items],
    "contains": lambda items, item: item in items,
    "file": lambda path: Path(path).read_text(),
    "join": lambda separator, items: separator.join(items),
    "jsondecode": json.loads,
    "jsonencode": json.dumps,
    "length": len,
    "merge": lambda *objects: {key: value for each in objects for key, value in each.items()},
    "one": lambda items: items[0] if items else None,
    "regex": _regex,
    "replace": lambda text, old, new: text.replace(old, new),
    "startswith": str.startswith,
    "toset": _unique,
}
