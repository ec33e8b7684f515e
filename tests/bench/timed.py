"""Runs a program and tells what it cost, as one line of JSON in the file named first.

A process of its own, and a bare one: what wait4 tells of a child's memory counts what its parent held when it was born.
"""

import json
import os
import sys
import time


def main() -> None:
    report, *command = sys.argv[1:]
    began = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    cost = {
        "began": began,
        "seconds": time.monotonic() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "kib": usage.ru_maxrss,
        "code": os.waitstatus_to_exitcode(status),
    }
    with open(report, "w", encoding="ascii") as file:
        json.dump(cost, file)


if __name__ == "__main__":
    main()
