"""Shell completion, in the shells that are installed; bash always is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from probe.config.commands import COMMANDS
from probe.faults import FAULTS
from probe.model import Layers
from probe.report import FLEET_FORMATS, FORMATS
from probe.report.finding_page import CODES
from probe.sim.scenarios import SCENARIOS
from tools.completions import FILES, main, script

# Completes the last argument as readline does, and prints the candidates.
BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_shtab_ecr_probe "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]; complete -C "$argv[2]"'
SHELLS = [shell for shell in ("bash", "fish") if shutil.which(shell)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completions")
    main(str(folder))
    (folder / "verdict.json").touch()
    return folder


def candidates(shell: str, folder: Path, *arguments: str) -> set[str]:
    """What `shell` offers for the last of `arguments`."""
    path = str(folder / FILES[shell])
    if shell == "bash":
        command = ["bash", "--norc", "-c", BASH, "bash", path, "ecr-probe", *arguments]
    else:
        command = ["fish", "--no-config", "-c", FISH, path, " ".join(("ecr-probe", *arguments))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=folder)
    assert done.returncode == 0, done.stderr
    return {line.partition("\t")[0] for line in done.stdout.splitlines() if line}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("de",), {"demo"}),
        (("check", "--form"), {"--format"}),
        (("check", "--format", ""), set(FORMATS)),
        (("smoke", "--format", ""), set(FLEET_FORMATS)),
        (("check", "--layers", ""), set(Layers)),
        (("demo", "s3-gateway"), {"s3-gateway-missing"}),
        (("demo", "--exit-code", "healthy-ch"), {"healthy-china"}),
        (("explain", "tcp.sil"), {"tcp.silent"}),
        (("explain", "verd"), {"verdict.json"}),
        (("check", "--output", "verd"), {"verdict.json"}),
        (("schema", ""), {"verdict", "fleet"}),
        (("smoke", "--expect", ""), {f"fail:{fault.code}" for fault in FAULTS}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_values_are_completed(shell: str, arguments: tuple[str, ...], expected: set[str], folder: Path) -> None:
    assert candidates(shell, folder, *arguments) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_are_completed(shell: str, folder: Path) -> None:
    assert candidates(shell, folder, "") >= set(COMMANDS)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_completed_and_no_other(shell: str, name: str, folder: Path) -> None:
    flags = {f"--{flag.name}" for flag in COMMANDS[name].flags if flag.on_command_line}
    assert candidates(shell, folder, name, "--") - {"--version"} == {*flags, "--help"}


@pytest.mark.parametrize("shell", SHELLS)
def test_scenarios_and_codes_are_completed(shell: str, folder: Path) -> None:
    assert candidates(shell, folder, "demo", "") >= {scenario.name for scenario in SCENARIOS}
    assert candidates(shell, folder, "explain", "") >= {*CODES, "verdict.json"}


def test_the_script_for_zsh_is_valid_and_complete(folder: Path) -> None:
    text = script("zsh")
    assert text.startswith("#compdef ecr-probe\n")
    assert all(value in text for value in (*COMMANDS, *FORMATS, *CODES, *(scenario.name for scenario in SCENARIOS)))
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n", str(folder / FILES["zsh"])], check=True, timeout=60)
