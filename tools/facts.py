"""List the facts of AWS in docs/aws-facts.md, those that were verified longest ago first.

python -m tools.facts [COUNT]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from probe.records import Record

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "aws-facts.md"
PLACES = ("README.md", "probe", "container", "task-definitions", "tests/lab", "docs")
_ROW = re.compile(r"^\| `(?P<id>[a-z0-9-]+)` \| (?P<fact>.+?) \| (?P<source>.+?) \| (?P<verified>[^|]+?) \|$")
_USE = re.compile(r"AWS\[(?!id\])(?P<id>[^\]]*)\]")  # AWS[id] itself is how documents explain the form


class Fact(Record, frozen=True):
    """A row of the table. `verified` is the month ("2026-11"), or "no" for an unverified fact."""

    id: str
    fact: str
    source: str
    verified: str


def facts(text: str) -> list[Fact]:
    """The rows of the table, in its order."""
    rows = (_ROW.match(line) for line in text.splitlines())
    return [Fact(row["id"], row["fact"], row["source"], row["verified"]) for row in rows if row]


def uses() -> Iterator[tuple[str, str]]:
    """Every id that a file refers to, with the file and line."""
    for place in PLACES:
        for path in sorted([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*")):
            if path.suffix in (".py", ".yaml", ".tf", ".md"):
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    for use in _USE.finditer(line):
                        yield use["id"], f"{path.relative_to(ROOT)}:{number}"


def main() -> None:
    """Print the oldest facts, with their sources and the places that rest on them. Unverified facts come first."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    places: dict[str, list[str]] = {}
    for id_, place in uses():
        places.setdefault(id_, []).append(place)
    rows = sorted(facts(TABLE.read_text()), key=lambda fact: (fact.verified != "no", fact.verified, fact.id))
    for fact in rows[:count]:
        print(f"{fact.verified:8} {fact.id}: {fact.fact}\n{'':9}{fact.source}")
        print(f"{'':9}used in {', '.join(places.get(fact.id, ['no file']))}")
    print(f"{len(rows)} facts, {sum(fact.verified == 'no' for fact in rows)} of them not verified")


if __name__ == "__main__":
    main()
