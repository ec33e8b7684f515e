"""Rules of the architecture, checked in the source: what imports what, what reads the environment, what prints."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import probe

ROOT = Path(probe.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# Third-party packages that each part may import. A module belongs to the part with the longest matching prefix.
THIRD_PARTY = {
    "probe": set(),
    "probe.records": {"msgspec"},
    "probe.safe_words": {"msgspec"},
    "probe.partitions": {"msgspec"},
    "probe.wire": {"msgspec", "dns", "requests", "urllib3", "botocore", "cryptography"},
    "probe.measure": set(),
    "probe.faults": set(),
    "probe.report": {"msgspec", "rich", "prometheus_client"},
    "probe.progress": {"rich"},
    "probe.explain": {"msgspec"},
    "probe.fleet": {"msgspec"},
    "probe.operator": {"botocore", "msgspec"},
    "probe.configuration": {"msgspec"},
    "probe.gates": set(),
    "probe.registries": {"msgspec"},
    "probe.inspect": {"msgspec"},
    "probe.smoke": {"msgspec", "rich"},
    "probe.deploy": set(),
    "probe.serve": {"jinja2", "markupsafe", "msgspec", "waitress"},
    "probe.sim": {"dns", "trustme"},
}
# Parts of the program that each part may import. None: all of them.
OURS = {
    "probe": None,
    "probe.records": set(),
    "probe.safe_words": set(),
    "probe.shortage": set(),
    "probe.model": set(),
    "probe.narration": {"probe.narration", "probe.model"},
    "probe.arns": set(),
    "probe.addresses": {"probe.model"},
    "probe.endpoints": {"probe.model"},
    "probe.partitions": {"probe.model"},
    "probe.wire": {"probe.wire", "probe.model", "probe.addresses"},
    "probe.measure": {
        "probe.measure",
        "probe.wire",
        "probe.model",
        "probe.addresses",
        "probe.arns",
        "probe.config.settings",
        "probe.progress",
    },
    "probe.faults": {
        "probe.faults",
        "probe.model",
        "probe.narration",
        "probe.addresses",
        "probe.arns",
        "probe.endpoints",
    },
    "probe.verdict": {"probe.faults", "probe.model", "probe.narration", "probe.addresses", "probe.endpoints"},
    "probe.report": {
        "probe.report",
        "probe.faults",
        "probe.fleet",
        "probe.verdict",
        "probe.model",
        "probe.narration",
        "probe.addresses",
        "probe.endpoints",
        "probe.history",
        "probe.__version__",
    },
    "probe.fleet": {"probe.model", "probe.verdict"},
    "probe.explain": {
        "probe.explain",
        "probe.faults",
        "probe.fleet",
        "probe.verdict",
        "probe.model",
        "probe.addresses",
        "probe.arns",
        "probe.endpoints",
        "probe.images",
        "probe.partitions",
        "probe.wire.aws_errors",
        "probe.__version__",
    },
    "probe.configuration": {
        "probe.configuration",
        "probe.model",
        "probe.arns",
        "probe.wire.manifests",
        "probe.wire.errors",
    },
    "probe.gates": {
        "probe.gates",
        "probe.configuration",
        "probe.model",
        "probe.partitions",
        "probe.narration",
        "probe.addresses",
        "probe.arns",
        "probe.endpoints",
    },
    "probe.history": {"probe.model"},
    "probe.registries": {
        "probe.registries",
        "probe.wire",
        "probe.model",
        "probe.narration",
        "probe.images",
        "probe.progress",
        "probe.config.flags",
    },
    "probe.sim": {"probe.sim", "probe.wire"},
}
FOR_EVERY_PART = {"probe.records", "probe.safe_words", "probe.shortage"}
# Modules of the standard library that do input and output or depend on time. Pure parts do not import them.
WORLD = {
    "socket",
    "ssl",
    "os",
    "time",
    "threading",
    "subprocess",
    "logging",
    "random",
    "http",
    "urllib",
    "selectors",
    "asyncio",
}
PURE = (
    "probe.configuration",
    "probe.gates",
    "probe.inspect.legs",
    "probe.inspect.prediction",
    "probe.inspect.remedies",
    "probe.inspect.subnets",
    "probe.faults",
    "probe.explain",
    "probe.verdict",
    "probe.fleet",
    "probe.deploy.costs",
    "probe.deploy.plan",
    "probe.report",
    "probe.history",
    "probe.serve.path_view",
    "probe.serve.timeline",
    "probe.serve.page",
    "probe.records",
    "probe.safe_words",
    "probe.shortage",
    "probe.model",
    "probe.narration",
    "probe.addresses",
    "probe.arns",
    "probe.endpoints",
)


def dotted(path: Path) -> str:
    parts = ("probe", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


MODULES = {dotted(path): path for path in FILES}


@cache
def imports(path: Path) -> frozenset[str]:
    return frozenset(imported_by(ast.walk(ast.parse(path.read_text())), path))


def imported_by(nodes: Iterable[ast.AST], path: Path) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names = {f"{module}.{alias.name}" for alias in node.names}
            if module == "probe" or names <= MODULES.keys():
                yield from names
            else:
                yield module


def part(name: str, table: dict[str, set[str]] | dict[str, set[str] | None]) -> str:
    return max((key for key in table if name == key or name.startswith(f"{key}.")), key=len)


def within(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_each_part_imports_only_its_libraries(path: Path) -> None:
    allowed = THIRD_PARTY[part(dotted(path), THIRD_PARTY)]
    foreign = {name.partition(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - {"probe", "_typeshed"}
    assert foreign <= allowed


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_each_part_imports_only_the_parts_before_it(path: Path) -> None:
    allowed = OURS[part(dotted(path), OURS)]
    ours = {name for name in imports(path) if name.startswith("probe.")}
    assert allowed is None or all(within(name, allowed | FOR_EVERY_PART) for name in ours), ours


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below this one, without those for a type checker alone."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from executed(child)


@pytest.mark.parametrize("argv", ["demo healthy", "health", "--version", "explain tcp.silent"])
def test_only_inspect_loads_the_outside_view(argv: str) -> None:
    """Checks start as fast as before: `demo` runs a whole one."""
    listed = f"import sys; from probe.cli import main; main({argv.split()!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run((sys.executable, "-c", listed), capture_output=True, text=True, check=True, timeout=60)
    parts = ("configuration", "gates", "inspect", "operator", "deploy", "registries")
    outside = {f"probe.{part}" for part in parts}
    loaded = done.stderr.splitlines()[-1].split()
    assert "probe.cli" in loaded
    assert not [name for name in loaded if within(name, outside)]


def test_there_is_no_import_circle() -> None:
    """Imports within functions count too: the modules of a circle can only be understood together."""
    graph = {
        name: {imported for imported in imported_by(executed(ast.parse(path.read_text())), path) if imported != name}
        for name, path in MODULES.items()
    }
    assert len(graph["probe.config.settings"]) > 3
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the modules


@pytest.mark.parametrize("path", [path for path in FILES if within(dotted(path), set(PURE))], ids=dotted)
def test_pure_parts_do_no_input_or_output(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path)} & WORLD


def test_the_simulator_is_an_independent_oracle() -> None:
    for path in FILES:
        if within(dotted(path), {"probe.sim"}):
            ours = {name for name in imports(path) if name.startswith("probe.") and not name.startswith("probe.sim")}
            assert ours <= {"probe.records", "probe.wire", "probe.wire.Wire"}, path


def test_only_the_demo_imports_the_simulator() -> None:
    users = {dotted(path) for path in FILES if any(name.startswith("probe.sim") for name in imports(path))}
    assert {user for user in users if not user.startswith("probe.sim")} <= {
        "probe.demo",
        "probe.rehearsal",
        "probe.simulated_inspection",
    }


def test_only_operator_aws_makes_clients_of_aws() -> None:
    makers = {dotted(path) for path in FILES if "create_client" in path.read_text() or "boto3" in imports(path)}
    assert makers == {"probe.operator.aws"}


def test_only_the_command_line_and_smoke_import_the_operator() -> None:
    users = {dotted(path) for path in FILES if any(within(name, {"probe.operator"}) for name in imports(path))}
    parts = ("probe.operator", "probe.smoke", "probe.inspect", "probe.deploy")
    assert {user for user in users if not user.startswith(parts)} == {
        "probe.cli",
        "probe.simulated_inspection",
    }


@cache
def names(path: Path) -> frozenset[str]:
    """The functions that a module calls and the attributes of modules that it uses."""
    return frozenset(_names(path))


def _names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def users(*searched: str) -> set[str]:
    return {dotted(path) for path in FILES if not names(path).isdisjoint(searched)}


def test_only_settings_reads_the_environment() -> None:
    assert users("os.environ", "os.getenv", "os.environb") <= {"probe.config.settings"}


def test_only_cli_and_lambda_print() -> None:
    assert users("print", "sys.stdout", "sys.stderr") <= {"probe.cli", "probe.aws_lambda", "probe.progress"}


def test_nothing_sleeps() -> None:
    assert not users("time.sleep")


def test_only_safe_words_makes_foreign_text_safe() -> None:
    """As far as source shows it: a cut is marked, characters are replaced and JSON is encoded nowhere else."""
    signs = {"'[cut]", "msgspec.json.encode", "unicodedata.category", "'##'"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            text = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Constant) else ""
            replaces = isinstance(node, ast.IfExp) and ".isprintable()" in ast.unparse(node.test)
            if replaces or any(sign in text for sign in signs):
                assert dotted(path) == "probe.safe_words", f"{path}: {ast.unparse(node)}"


def test_dataclasses_are_used_only_where_msgspec_would_slow_the_start() -> None:
    light = {"probe.config.flags", "probe.config.settings"}
    assert light == {dotted(path) for path in FILES if "dataclass(" in path.read_text()}
    assert not light & {dotted(path) for path in FILES if "probe.records" in imports(path)}


def test_no_file_has_a_meaningless_name() -> None:
    assert not {path.stem for path in FILES} & {"utils", "util", "helpers", "base", "common", "generic", "misc", "core"}


def test_every_module_has_a_docstring() -> None:
    assert all(ast.get_docstring(ast.parse(path.read_text())) for path in FILES)
