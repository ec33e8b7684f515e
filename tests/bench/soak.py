"""Runs the sidecar in the simulated VPC while a fault starts and ends; prints the findings in /metrics as JSON.

It is `demo --serve --drill` with a shorter minimum interval.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import tempfile
import threading
from pathlib import Path

from probe import demo
from probe.model import Verdict
from probe.serve import options
from probe.serve.sidecar import serve

_FINDING = re.compile(r'^ecr_probe_finding\{code="([^"]+)",severity="(?:error|warning)"\} 1(?:\.0)?$', re.MULTILINE)


def main(scenario: str, rounds: int) -> None:
    exported: list[list[str]] = []  # the codes in /metrics after every round
    with tempfile.TemporaryDirectory() as folder:
        place, stop = Path(folder, "socket"), threading.Event()
        options.SHORTEST = 0.01
        listen = ("--listen", f"unix:{place}", "--interval", "0.01", "--deadline", "30", "--no-controls")
        wanted = demo.read(["--serve", "--drill", scenario, *listen])
        assert wanted.sidecar is not None
        stage, begun = demo.stage(wanted), False

        def measure(cut: threading.Event) -> Verdict:
            """Read what the previous round published, then measure."""
            nonlocal begun
            if begun:
                exported.append(_exported_codes(place))
            begun = True
            if len(exported) == rounds:
                stop.set()
            return stage.measure(cut)

        serve(wanted.sidecar, measure, stop=stop, say=lambda _: None, deliver=lambda _: ())
        stage.close()
    print(json.dumps(exported))


def _exported_codes(place: Path) -> list[str]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place))
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        with connection.makefile() as answer:
            return _FINDING.findall(answer.read())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
