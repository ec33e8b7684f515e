"""Write docs/commands/, a page for each command, and the schemas in docs/schemas/.

python -m tools.reference

The pages come from the tables that the program itself parses and prints (`probe/config/commands.py` and `flags.py`), so
none can omit a flag or name another default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from probe.config.commands import COMMANDS, Command, sentence
from probe.config.flags import Flag
from probe.report.json import DOCUMENTS, schema_text

DOCS = Path(__file__).parents[1] / "docs"
_DURATION = "A `DURATION` is `500ms`, `30s`, `1m` or `1h`; a number without a unit is in seconds."


def main() -> None:
    pages = write()
    for folder in {(DOCS / name).parent for name in pages}:
        folder.mkdir(exist_ok=True)
    for stale in {*(DOCS / "commands").iterdir(), *(DOCS / "schemas").glob("*.json")} - {DOCS / name for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        (DOCS / name).write_text(text)


def write() -> dict[str, str]:
    """Every generated file, by its path in docs/."""
    return {
        "commands/README.md": "\n".join(_index()) + "\n",
        **{f"commands/{name}.md": "\n".join(_page(name, command)) + "\n" for name, command in COMMANDS.items()},
        **{f"schemas/{name}.schema.json": schema_text(name) for name in DOCUMENTS},
    }


def _index() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "`ecr-probe COMMAND --help` prints the same in a terminal. `make findings` generates these pages from the"
    yield "program's own table of flags: change the table, not the page."
    yield ""
    yield "| command | what it does |"
    yield "|---|---|"
    for name, command in COMMANDS.items():
        yield f"| [{name}]({name}.md) | {_escaped(sentence(command.effect))} |"
    yield ""
    yield "A flag takes precedence over its variable. An empty variable counts as unset. Switches have an opposite,"
    yield f"such as `--no-strict`. {_DURATION}"
    yield ""
    yield "## Variables"
    yield ""
    yield "| variable | flag | commands |"
    yield "|---|---|---|"
    for variable, flag, commands in _variables():
        links = ", ".join(f"[{name}]({name}.md)" for name in commands)
        yield f"| `{variable}` | {f'`--{flag.name}`' if flag.on_command_line else 'none'} | {links} |"


def _variables() -> Iterator[tuple[str, Flag, list[str]]]:
    flags = {flag.variable: flag for command in COMMANDS.values() for flag in command.flags if flag.has_variable}
    for variable, flag in sorted(flags.items()):
        having = [
            name
            for name, command in COMMANDS.items()
            if any(other.has_variable and other.variable == variable for other in command.flags)
        ]
        yield variable, flag, having


def _page(name: str, command: Command) -> Iterator[str]:
    yield f"# {name}"
    yield ""
    yield f"{_escaped(sentence(command.effect))}"
    yield ""
    yield from _block(f"ecr-probe {example}" for example in command.examples)
    yield ""
    yield f"Exit codes: {_escaped(command.exit_codes)}."
    if command.positional:
        yield ""
        yield f"## `{command.positional.metavar}`"
        yield ""
        yield f"{_escaped(sentence(command.positional.help))}"
    for heading, group in command.groups.items():
        yield ""
        yield f"## {heading[0].upper()}{heading[1:]}"
        for flag in group:
            yield ""
            yield from _flag(flag)
    if any(flag.metavar == "DURATION" for flag in command.flags):
        yield ""
        yield "---"
        yield ""
        yield _DURATION


def _flag(flag: Flag) -> Iterator[str]:
    """The flag with everything that the table knows: meaning, default, variable, example, opposite."""
    value = f"[={flag.metavar}]" if flag.bare else f" {flag.metavar}"
    heading = f"--{flag.name}{value}".rstrip() if flag.on_command_line else flag.variable
    yield f"### `{heading}`"
    yield ""
    yield f"{_escaped(sentence(flag.help_text))}"
    yield ""
    if flag.short:
        yield f"- short: `-{flag.short}`"
    if flag.has_variable:
        yield f"- default: {_escaped(flag.default_text)}"
    example = f"--{flag.name} {flag.example}" if flag.on_command_line else f"{flag.variable}={flag.example}"
    if flag.example:
        yield f"- example: `{example}`"
    if not flag.on_command_line:
        yield "- by variable only, because other users can read a command line"
    elif flag.has_variable:
        yield f"- variable: `{flag.variable}`"
    else:
        yield "- on the command line only"
    if flag.switch:
        yield f"- opposite: `--{flag.opposite}`"


def _block(lines: Iterable[str]) -> Iterator[str]:
    yield "```sh"
    yield from lines
    yield "```"


def _escaped(text: str) -> str:
    """Plain words as Markdown."""
    for character in "*_<|":
        text = text.replace(character, f"\\{character}")
    return text


if __name__ == "__main__":
    main()
