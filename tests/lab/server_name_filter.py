"""A firewall on the route that decides by the server name of a ClientHello, as AWS Network Firewall's domain lists do.

It runs in a host of the laboratory as `python -m tests.lab.server_name_filter FILE PORT`; connections that are routed
through the host are redirected to the port. A dropped connection stays open and silent, a rejected one is reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import sys
from pathlib import Path
from typing import Any

_ORIGINAL_DESTINATION = 80  # SO_ORIGINAL_DST of linux/netfilter_ipv4.h
_LARGEST_HELLO = 16384


class Filter:
    def __init__(self, rules: dict[str, Any]) -> None:
        self._rules = rules

    def verdict(self, name: str) -> str:
        """ "pass", "drop" or "reject"."""
        lists = self._rules["lists"]
        if not self._rules["strict"]:  # every list that lets pass comes before every list that does not
            lists = sorted(lists, key=lambda entry: entry["kind"] != "ALLOWLIST")
        for entry in lists:
            if _contains(entry["targets"], name):
                return {"ALLOWLIST": "pass", "DENYLIST": "drop", "REJECTLIST": "reject"}[entry["kind"]]
        closes = any(entry["kind"] == "ALLOWLIST" for entry in lists) and not self._rules["strict"]
        return "drop" if closes or self._rules["drops_others"] else "pass"

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            hello, name = await _hello(reader)
            verdict = self.verdict(name)
            sock = writer.get_extra_info("socket")
            if verdict == "drop":
                await reader.read()  # until the client gives up
            elif verdict == "reject":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                await _pass_on(sock, hello, reader, writer)


async def _pass_on(sock: Any, hello: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    packed = sock.getsockopt(socket.SOL_IP, _ORIGINAL_DESTINATION, 16)
    port, address = struct.unpack_from("!2xH4s", packed)
    there, back = await asyncio.open_connection(socket.inet_ntoa(address), port)
    with contextlib.closing(back):
        back.write(hello)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(65536):
        writer.write(block)
        await writer.drain()
    writer.write_eof()


async def _hello(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """The first bytes of a connection up to the server name that they contain, as OpenSSL reads it."""
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _object, name, _context: names.append(name or "")
    incoming = ssl.MemoryBIO()
    server = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    received = b""
    while not names and len(received) < _LARGEST_HELLO:
        block = await reader.read(4096)
        if not block:
            break
        received += block
        incoming.write(block)
        with contextlib.suppress(ssl.SSLError):  # there is no certificate, and none is needed
            server.do_handshake()
    return received, names[0] if names else ""


def _contains(targets: list[str], name: str) -> bool:
    """An entry is a name, or a domain with all below it after a leading dot."""
    return any(name == entry.lstrip(".") or (entry[0] == "." and name.endswith(entry)) for entry in targets)


async def _main(file: str, port: str) -> None:
    rules = json.loads(Path(file).read_bytes())
    server = await asyncio.start_server(Filter(rules).converse, "0.0.0.0", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
