"""The names under which the sidecar answers: a defence against DNS rebinding.

A page of a foreign site can let its own name resolve to an address of the sidecar. A browser in the network then sends
it requests of that page, and lets the page read the answers, since for the browser they come from the same site. The
Host header shows it, because it has the name of the foreign site. Names that no public site can have are always
accepted; others have to be listed with --allow-host.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

ANY = "*"
# Of names without a dot, ICANN allows no public site ("dotless domains"); only a country's registry could have one.
# RFC 6761 reserves localhost, RFC 6762 local, ICANN (2024) internal for private use. EC2's own names end in internal.
_PRIVATE = ("localhost", "local", "internal")
_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_.-]+))(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)


def accepts(header: str | None, listed: tuple[str, ...]) -> bool:
    """Whether a request with this Host header is answered. None: there is no such header, as browsers always send it.

    `listed` are the names of --allow-host in lower case, or ANY.
    """
    if header is None or ANY in listed:
        return True
    match = _HOST.fullmatch(header.strip())
    if match is None:
        return False
    if match["v6"] is not None:
        return _is_address(match["v6"])
    name = match["name"].lower().removesuffix(".")
    return name in listed or name.rpartition(".")[2] in _PRIVATE or "." not in name or _is_address(name)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
