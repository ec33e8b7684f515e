"""The program as a process in the simulated VPC, for `check` and `serve`; other commands run as they are."""

from __future__ import annotations

import os
import sys

from probe import cli, wire
from probe.sim.vpc import VPC


def main() -> int:
    if sys.argv[1] not in ("check", "serve"):
        return cli.main(sys.argv[1:])
    with VPC() as vpc:
        os.environ.update(vpc.environ)
        vars(wire)["real_wire"] = lambda _ca_bundle: vpc.wire()
        return cli.main(sys.argv[1:])


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # As the program itself ends: a thread that a round left would meet an interpreter that is being finalized.
    os._exit(code)
