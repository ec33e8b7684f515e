"""The commands in the shell blocks of README and docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
# by-hand.md and the folders next to what they describe have tests of their own; releasing.md needs a release on GitHub.
_ELSEWHERE = {ROOT / "docs/by-hand.md", ROOT / "docs/releasing.md"}
DOCUMENTS = sorted({ROOT / "README.md", *(ROOT / "docs").glob("*.md")} - _ELSEWHERE)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
_CONTINUED = re.compile(r"\\\n\s*")


class Command(NamedTuple):
    document: str
    line: str

    @property
    def name(self) -> str:
        """As tests are called."""
        return f"{self.document}: {self.line}"


def commands(documents: list[Path] | None = None) -> Iterator[Command]:
    """Each command as it is written, without the comment behind it."""
    for document in documents or DOCUMENTS:
        for block in _BLOCK.findall(document.read_text()):
            for line in _CONTINUED.sub("", block).splitlines():
                text = re.split(r"\s+# ", line)[0].strip()
                if text and not text.startswith("#"):
                    yield Command(str(document.relative_to(ROOT)), text)
