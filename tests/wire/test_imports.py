from __future__ import annotations

import pkgutil
import subprocess
import sys

from probe import wire

# Not dnspython: `names` imports it, because the first packet of a run is a DNS query.
HEAVY = ("requests", "urllib3", "botocore", "cryptography")
SCRIPT = """
import importlib, sys
importlib.import_module("probe.partitions").partitions()
for module in {modules}:
    importlib.import_module(module)
    assert not set({heavy}) & set(sys.modules), module
"""


def test_importing_a_module_loads_no_heavy_library() -> None:
    modules = {module.name for module in pkgutil.iter_modules(wire.__path__, "probe.wire.")}
    lazy = modules - {"probe.wire.requests_adapter"}
    assert len(lazy) == len(modules) - 1
    script = SCRIPT.format(modules=sorted(lazy), heavy=HEAVY)
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
