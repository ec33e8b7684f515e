"""Numbers, lists and addresses as people read them."""

from __future__ import annotations

from collections.abc import Iterable

from probe.model import AddressClass, NamesSeen


def duration(seconds: float) -> str:
    """ "12 ms", "3.0 s", "7 minutes"."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def size(count: int) -> str:
    """ "512 B", "3.1 MiB"."""
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def counted(count: int, noun: str) -> str:
    """ "1 layer", "4 layers"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(texts: Iterable[str]) -> str:
    """ "a, b and c", each once."""
    *most, last = tuple(dict.fromkeys(texts)) or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def few(texts: Iterable[str], most: int = 3) -> str:
    """The first ones, each once, with "…" in place of the rest."""
    distinct = tuple(dict.fromkeys(texts))
    return ", ".join(distinct[:most]) + (", …" if len(distinct) > most else "")


def address_list(names: NamesSeen) -> str:
    """ "10.0.1.15, 10.0.2.15 (vpc)": what a lookup returned, with the class of the addresses.

    Where some are in the known ranges and some only private, all are called private: usually all belong to the VPC, of
    which only the task's subnet is known.
    """
    classes = {entry.address_class for entry in names.addresses}
    groups: dict[AddressClass, list[str]] = {}
    for entry in names.addresses:
        in_known_range = entry.address_class is AddressClass.VPC and AddressClass.PRIVATE in classes
        groups.setdefault(AddressClass.PRIVATE if in_known_range else entry.address_class, []).append(entry.address)
    return ", ".join(f"{few(addresses)} ({kind})" for kind, addresses in groups.items())
