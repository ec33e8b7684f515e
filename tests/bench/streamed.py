"""Reads a file of a TLS server as the probe reads a layer, with sha256, and prints seconds, bytes and digest.

The time includes connection and handshake, as curl's does, but not the start of the interpreter and its imports.
"""

import sys
import time

from probe.model import Budget
from probe.wire import real_wire, requests_adapter
from probe.wire.digests import hash_body
from probe.wire.http import Conversation


def main(host: str, address: str, target: str, size: int, ca_bundle: str) -> None:
    assert requests_adapter  # imported before the measurement starts
    wire = real_wire(ca_bundle)
    began = time.monotonic()
    with (
        Conversation(wire, host=host, address=address, until=began + 60, budget=Budget()) as conversation,
        conversation.stream("GET", target, headers={}, limit=size) as body,
    ):
        received, digest = hash_body(body)
    print(time.monotonic() - began, received, digest)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
