"""Completion scripts for bash, zsh and fish, generated from the table of commands: `make completions`.

shtab reads a parser of argparse, so one is built here with the choices of flags and positional arguments. The program
itself does not need shtab.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import shtab

from probe.config.commands import COMMANDS
from probe.config.flags import Flag
from probe.report.finding_page import CODES
from probe.report.json import DOCUMENTS
from probe.sim.scenarios import SCENARIOS

FILES = {"bash": "ecr-probe.bash", "zsh": "_ecr-probe", "fish": "ecr-probe.fish"}
_POSITIONAL: dict[str, Iterable[str]] = {
    "demo": [scenario.name for scenario in SCENARIOS],
    "explain": sorted(set(CODES)),
    "schema": DOCUMENTS,
}
_CODES = " ".join(sorted(set(CODES)))
_CODES_OR_FILES = {
    "bash": "_ecr_probe_codes_or_files",
    "zsh": f"{{_alternative 'codes:code:({_CODES})' 'files:file:_files'}}",
    "fish": f"(printf '%s\\n' {_CODES}; __fish_complete_path (commandline -ct))",
    "preamble": {"bash": f'_ecr_probe_codes_or_files() {{\n  compgen -W "{_CODES}" -- "$1"; compgen -f -- "$1"\n}}'},
}


def script(shell: str) -> str:
    """The completion script for `shell`."""
    text: str = shtab.complete(_parser(), shell)
    return text.rstrip() + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ecr-probe")
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command")
    for name, command in COMMANDS.items():
        of_command = commands.add_parser(name, help=command.effect, description=command.effect)
        for flag in command.flags:
            if flag.on_command_line:
                _add(of_command, flag)
        if command.positional:
            choices = tuple(_POSITIONAL[name])
            action = of_command.add_argument(
                "positional",
                nargs="?",
                metavar=command.positional.metavar,
                choices=choices,
                help=command.positional.help,
            )
            if name == "explain":
                action.complete = _CODES_OR_FILES  # type: ignore[attr-defined]
    return parser


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    names = ([f"-{flag.short}"] if flag.short else []) + [f"--{flag.name}"]
    text = flag.help_text.replace("%", "%%")
    if flag.switch:
        parser.add_argument(*names, action="store_true", help=text)
        return
    choices = tuple(flag.choices()) if flag.choices else None
    nargs = "?" if flag.bare else None
    action = parser.add_argument(*names, nargs=nargs, metavar=flag.metavar, choices=choices, help=text)
    if flag.metavar == "FILE":
        action.complete = shtab.FILE  # type: ignore[attr-defined]


def main(folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for shell, name in FILES.items():
        (Path(folder) / name).write_text(script(shell))
        print(Path(folder) / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
