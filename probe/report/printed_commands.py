"""The commands that a report has printed: what two findings have in common is run once, so it is printed once."""

from __future__ import annotations

from probe.model import Advice, Cause


class PrintedCommands:
    """The commands of the fixes so far, in the order of the report."""

    def __init__(self) -> None:
        self._commands: set[str] = set()

    def new_of(self, cause: Cause) -> Advice:
        """The cause's fix without the commands that are printed already; the others count as printed from now on."""
        fix = cause.fix
        new = tuple(command for command in fix.commands if command not in self._commands)
        self._commands.update(new)
        if len(new) == len(fix.commands):
            return fix
        note = fix.note if new else None
        return Advice(f"{fix.text} ({_above(len(fix.commands) - len(new), len(fix.commands))})", new, note)


def _above(count: int, of: int) -> str:
    if count < of:
        return f"{count} of the {of} commands {'is' if count == 1 else 'are'} above"
    return "the command above" if count == 1 else "the commands above"
