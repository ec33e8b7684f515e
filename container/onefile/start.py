"""The first code of the one file: it checks Python's version. Every Python from 2.7 on must be able to parse it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    if sys.stderr:  # None if it is closed
        sys.stderr.write(
            "ecr-probe: Python 3.11 or newer is needed and this is "
            + sys.version.split()[0]
            + "; for example python3.11 "
            + sys.argv[0]
            + "\n"
        )
    sys.exit(2)
else:
    from .unpack import main

    __all__ = ["main"]
