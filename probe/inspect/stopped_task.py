"""`explain --task --inspect`: the reasons of a stopped task, settled by the configuration of its subnet."""

from __future__ import annotations

from probe.config.flags import UsageError
from probe.inspect.command import inspect
from probe.inspect.measured import Measured
from probe.inspect.options import read_options
from probe.model import Verdict
from probe.operator.reading import Reader


def settled(verdict: Verdict, reader: Reader, task: str) -> tuple[Verdict, str | None]:
    """The verdict on the task's reasons with the gates of its subnet; where nothing can be read, as it was, and why."""
    try:
        return inspect(read_options(("--task", task), {}), reader, (Measured.of(verdict),)), None
    except UsageError as error:
        return verdict, f"the configuration was not read: {error}"
