"""make bench: builds the laboratory, measures, and prints one table. The exit code is 1 if a target is missed.

`python -m tests.bench NAME…` runs only these measures: functions of ROWS. `python -m tests.bench --programs` lists
the programs that the bench runs, and fails if one is missing.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence

from tests.bench import fleet, inspection, rows, sidecar
from tests.bench.rows import LAYER, SIZES, Bench, Row
from tests.lab import cloud as laboratory
from tests.lab import containers
from tests.lab.cloud import SERVERS, Cloud
from tests.lab.containers import Engine, one_off
from tests.lab.images import write_layout
from tests.lab.network import ENVIRONMENT

ROWS = (*rows.ROWS, *sidecar.ROWS, *fleet.ROWS, *inspection.ROWS)
# The laboratory's servers, the container engine, and the peers that are measured in the same run. A program is named
# like its Debian package unless PACKAGES lists it.
PROGRAMS = (*laboratory.NEEDED, *containers.NEEDED, "openssl", "prometheus-blackbox-exporter")
PACKAGES = {
    "dig": "bind9-dnsutils",
    "dnsmasq": "dnsmasq-base",
    "htpasswd": "apache2-utils",
    "ip": "iproute2",
    "nft": "nftables",
    "nginx": "nginx-light",
    "setpriv": "util-linux",
    "tc": "iproute2",
}
# The same on every machine: its own choice would change the results, as BBR paces data that a peer reads slowly.
# Reno is allowed in the namespaces of every Linux.
CONGESTION_CONTROL = "net.ipv4.tcp_congestion_control=reno"
COLUMNS = ("", "measured", "peer", "ratio", "target", "met")


def check_programs() -> int:
    """List the programs that the bench runs; the exit code is 1, with an install command, if one is missing."""
    print(f"make bench runs as root: {' '.join(sorted(PROGRAMS))}")
    if os.geteuid() != 0:
        print("it creates network namespaces, which needs root; run it with sudo", file=sys.stderr)
        return 1
    missing = sorted(
        {PACKAGES.get(name, name) for name in PROGRAMS if not shutil.which(name, path=ENVIRONMENT["PATH"])}
    )
    if missing:
        print(f"missing programs; on Debian: apt-get install {' '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


def main(names: Sequence[str]) -> int:
    """Run the measures in `names`, or all of ROWS without names, and print the table."""
    if list(names) == ["--programs"]:
        return check_programs()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that SIGTERM cleans up as Ctrl-C does
    results: list[Row] = []
    with Cloud(SERVERS) as cloud, Engine.at() as engine:
        cloud.aws.run("sysctl", "--quiet", "--write", CONGESTION_CONTROL)
        image = write_layout(cloud.folder / "image", "large:1", SIZES)
        cloud.push(f"oci:{image.folder}", image.reference)
        with (cloud.folder / "registry" / LAYER).open("wb") as whole:
            for digest in image.layers:
                with (image.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).open("rb") as layer:
                    shutil.copyfileobj(layer, whole)
        bench = Bench(cloud, image, one_off(cloud, engine))
        for measure in [measure for measure in ROWS if not names or measure.__name__ in names]:
            try:
                results += measure(bench)
            except (RuntimeError, OSError) as error:
                results.append(Row(measure.__name__, "failed", "", False))
                print(f"{measure.__name__}: {error}", file=sys.stderr)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(_table(results))
    return 0 if all(row.met for row in results) else 1


def _table(rows: list[Row]) -> str:
    cells = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return row.title, row.measured, row.peer, ratio, row.target, "yes" if row.met else "NO"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
