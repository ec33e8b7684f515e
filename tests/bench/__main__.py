"""make bench: builds the laboratory, measures, and prints one table. Exit code 1 where a target is missed.

`python -m tests.bench NAME…` runs only the named measures: functions of ROWS. `python -m tests.bench --programs` lists
the programs that the bench runs, and fails where one is missing.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence

from tests.bench import fleet, rows, sidecar
from tests.bench.rows import LAYER, SIZES, Bench, Row
from tests.lab import cloud as laboratory
from tests.lab import containers
from tests.lab.cloud import SERVERS, Cloud
from tests.lab.containers import Engine, one_off
from tests.lab.images import lay_out
from tests.lab.network import ENVIRONMENT

ROWS = (*rows.ROWS, *sidecar.ROWS, *fleet.ROWS)
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
# What a machine prefers for its own traffic is no part of any measure. BBR, for one, paces what a peer is slow to take;
# this one is plain, and allowed in the namespaces of every Linux.
CONGESTION_CONTROL = "net.ipv4.tcp_congestion_control=reno"
COLUMNS = ("", "measured", "peer", "ratio", "target", "met")


def check_programs() -> int:
    """List the programs that the bench runs; the exit code is 1, with an install command, where one is missing."""
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
    """Measure what `names` lists, all of ROWS without a name, and print the table."""
    if list(names) == ["--programs"]:
        return check_programs()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a kill tidies up as Ctrl-C does
    found: list[Row] = []
    with Cloud(SERVERS) as cloud, Engine.at() as engine:
        cloud.aws.run("sysctl", "--quiet", "--write", CONGESTION_CONTROL)
        image = lay_out(cloud.folder / "image", "large:1", SIZES)
        cloud.push(f"oci:{image.folder}", image.reference)
        with (cloud.folder / "registry" / LAYER).open("wb") as whole:
            for digest in image.layers:
                with (image.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).open("rb") as layer:
                    shutil.copyfileobj(layer, whole)
        bench = Bench(cloud, image, one_off(cloud, engine))
        for measure in [each for each in ROWS if not names or each.__name__ in names]:
            try:
                found += measure(bench)
            except (RuntimeError, OSError) as error:
                found.append(Row(measure.__name__, "failed", "", False))
                print(f"{measure.__name__}: {error}", file=sys.stderr)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(_table(found))
    return 0 if all(row.met for row in found) else 1


def _table(rows: list[Row]) -> str:
    cells = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return row.what, row.measured, row.peer, ratio, row.target, "yes" if row.met else "NO"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
