"""What the one file runs first: does this Python suffice? Every Python, from 2.7 on, must be able to read this."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    if sys.stderr:  # None where it is closed, and the code counts all the same
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
