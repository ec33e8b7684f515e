"""Log commands: lines that the reader of a log takes for a command."""

from __future__ import annotations

import re

# The last one becomes a command where the invisible character is dropped.
LOG_COMMANDS = (
    "##[set-env name=x;]y",
    "a##[stop-commands]x",
    "##[ADD-MASK]the",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[buildStop comment='x']",
    "::set-env name=x::y",
    "::error::x",
    "::add-mask::the",
    "\n::debug::x",
    "\u00a0\u3000::stop-commands::x",
    "##\u202e[set-env name=x;]y",
)
# Text that only looks like a command.
NO_LOG_COMMANDS = (
    "arn:aws:s3:::bucket",
    "arn:aws:iam::123456789012:role/x",
    "::1",
    "::ffff:10.0.0.1, ::1",
    "## x",
    "#[x]",
    "a::b",
)


def is_log_command(line: str) -> bool:
    """Whether GitHub's runner (ActionCommand.cs, both forms), Azure's agent or TeamCity takes the line for a command.

    They may add commands at any time, so any name counts.
    """
    name, separator, _ = line.lstrip().removeprefix("::").partition("::")
    if line.lstrip().startswith("::") and separator and re.fullmatch(r"[\w-]+", name.partition(" ")[0]):
        return True
    return re.search(r"##\w*\[", line) is not None
