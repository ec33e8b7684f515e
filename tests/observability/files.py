"""The files under container/observability/, and promtool, which checks them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "container/observability"


def load(name: str) -> Any:
    """The document of a YAML or JSON file."""
    text = (FOLDER / name).read_text()
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def promtool(*arguments: str | Path) -> str:
    """Run promtool and return its output; an error fails the test."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(["promtool", *map(str, arguments)], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def overlapping(boxes: list[tuple[str, int, int, int, int]]) -> list[tuple[str, str]]:
    """Pairs of overlapping boxes (name, x, y, width, height) on a dashboard's grid."""
    return [
        (box[0], other[0])
        for place, box in enumerate(boxes)
        for other in boxes[place + 1 :]
        if box[1] < other[1] + other[3]
        and other[1] < box[1] + box[3]
        and box[2] < other[2] + other[4]
        and other[2] < box[2] + box[4]
    ]
