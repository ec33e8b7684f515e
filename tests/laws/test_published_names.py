"""Names that we advise to install are names that we own: nothing suggests a package or an image of ours before that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# True once `ecr-probe` is ours at the package index and the images are at their registries: see docs/releasing.md.
PUBLISHED = False
PLACES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "probe",
    "container",
    "task-definitions",
    "docs",
    "tools",
    "smoke",
)
# Where the names are claimed.
CLAIMS = {"docs/releasing.md"}
_OURS = r"""["']?ecr[-_]probe(?![\w.-]*(?:\.whl|\.pyz|\.tar\.gz|/))"""  # and not a file or a directory of that name
_WORDS = r"[ \t](?:[^\s`|]+[ \t]+)*?"  # flags before the name
ADVICE = re.compile(
    rf"\b(?:pipx?|uv pip|uv tool) (?:install|run){_WORDS}{_OURS}"
    rf"|\buvx{_WORDS}{_OURS}"
    r"|\b(?:ghcr\.io|public\.ecr\.aws|quay\.io|docker\.io)/[\w${}./-]*ecr-probe"
    rf"|\b(?:docker|podman|nerdctl) (?:pull|run){_WORDS}{_OURS}"
)


def texts() -> list[Path]:
    files = [path for place in PLACES for path in (ROOT / place, *(ROOT / place).rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix in (".md", ".py", ".yml", ".yaml", ".json", ".html", ".tf", "")]


def test_no_text_advises_to_install_a_name_that_is_not_ours() -> None:
    advised = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts()
        if str(path.relative_to(ROOT)) not in CLAIMS
        for match in ADVICE.finditer(path.read_text(errors="replace"))
    ]
    assert PUBLISHED or advised == []


@pytest.mark.parametrize(
    "text",
    [
        "pip install ecr-probe",
        "pip install 'ecr-probe[demo]'",
        "pipx install ecr-probe",
        "pipx run ecr-probe demo",
        "uv tool install --python 3.13 ecr-probe",
        "uvx ecr-probe demo",
        "docker pull ghcr.io/owner/ecr-probe:0.1.0",
        "--image-from public.ecr.aws/alias/ecr-probe:0.1.0",
        "docker run ecr-probe check",
    ],
)
def test_advice_is_noticed(text: str) -> None:
    assert ADVICE.search(f"{text} ")


@pytest.mark.parametrize(
    "text",
    [
        "pip install .",
        "pip install --no-deps dist/ecr_probe-0.1.0-py3-none-any.whl",
        "pipx install ./ecr-probe/",
        "pip install --require-hashes -r requirements/runtime.txt",
        "docker pull 123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecr-probe:0.1.0",
        "aws ecr create-repository --repository-name ecr-probe",
        "public.ecr.aws/docker/library/python:3.13-slim",
    ],
)
def test_a_way_from_source_or_to_ones_own_registry_is_no_such_advice(text: str) -> None:
    assert not ADVICE.search(f"{text} ")
