"""Runs a program and writes its cost as one line of JSON into the file that is the first argument.

It is a separate process with few imports, because wait4 counts the parent's memory at the fork as the child's peak.
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
