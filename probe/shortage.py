"""Errors of a process that is short of descriptors, memory or threads. The network is not their cause."""

from __future__ import annotations

import errno

_ERRNOS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
_NO_THREAD = "can't start new thread"  # of CPython's RuntimeError, which has no class of its own


class ShortageError(Exception):
    """A shortage that was noticed before."""


def is_shortage(error: BaseException | None) -> bool:
    """Whether `error`, or one that led to it, is such an error."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        if isinstance(error, MemoryError | ShortageError) or (isinstance(error, OSError) and error.errno in _ERRNOS):
            return True
        if isinstance(error, RuntimeError) and _NO_THREAD in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
