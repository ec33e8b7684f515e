"""make bench: builds the laboratory, measures, prints one table. Exit code 1 where a target is missed.

python -m tests.bench NAME... measures only what is named: a function of ROWS. Beside what .ci/run installs, the peer of
the sidecar has to be there: Debian's prometheus-blackbox-exporter.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence

from tests.bench import fleet, rows, sidecar
from tests.bench.rows import LAYER, SIZES, Bench, Row
from tests.lab.cloud import SERVERS, Cloud
from tests.lab.containers import Engine, one_off
from tests.lab.images import lay_out

ROWS = (*rows.ROWS, *sidecar.ROWS, *fleet.ROWS)
# What a machine prefers for its own traffic is no part of any measure. BBR, for one, paces what a peer is slow to take;
# this one is plain, and allowed in the namespaces of every Linux.
CONGESTION_CONTROL = "net.ipv4.tcp_congestion_control=reno"
COLUMNS = ("", "measured", "peer", "ratio", "target", "met")


def main(names: Sequence[str]) -> int:
    """All of ROWS where there is no name."""
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
