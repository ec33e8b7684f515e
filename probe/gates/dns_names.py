"""Names as DNS compares them: without case, without the final dot, label by label."""

from __future__ import annotations

ROOT = ""  # the domain of every name, which Resolver rules write as "."


def plain(name: str) -> str:
    """The name in lower case, without its final dot; Route 53 writes the asterisk of a wildcard as \\052."""
    return name.lower().replace("\\052", "*").rstrip(".")


def is_within(name: str, domain: str) -> bool:
    """Whether `domain` is the name itself or one of its parents."""
    return domain == ROOT or name == domain or name.endswith(f".{domain}")


def labels(domain: str) -> int:
    """How specific a domain is."""
    return domain.count(".") + 1 if domain else 0


def parents(name: str) -> tuple[str, ...]:
    """The parents of a name, the nearest first."""
    parts = name.split(".")
    return tuple(".".join(parts[start:]) for start in range(1, len(parts)))
