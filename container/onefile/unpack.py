"""Before shiv unpacks: will the compiled parts run here, and which directory is safe to run code from.

Whoever can write to that directory can make us run what they like, and we may be root.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import pkgutil
import stat
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

USAGE = 2
INTERRUPTED = 130
VARIABLE = "SHIV_ROOT"  # shiv's own; who sets it has decided
BUILT = "built.json"


class UnfitError(Exception):
    """Why a directory must not be used."""


def main() -> NoReturn:
    _check_interpreter(json.loads(pkgutil.get_data(__package__, BUILT) or b"{}")["extensions"])
    try:
        if not os.environ.get(VARIABLE):
            os.environ[VARIABLE] = str(chosen(os.environ, os.geteuid()))
        from _bootstrap import bootstrap  # shiv's, beside us in the file

        bootstrap()  # and with it the program, which handles what goes wrong in it
    except UnfitError as error:
        _refuse(f"there is no safe directory to unpack into ({error}); name one of yours by {VARIABLE}=DIRECTORY")
    except (OSError, zipfile.BadZipFile) as error:
        reason = (getattr(error, "strerror", None) or "the file is damaged").lower()
        _refuse(f"cannot be unpacked into {os.environ.get(VARIABLE)}: {reason}; {VARIABLE}=DIRECTORY names another")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    raise AssertionError("bootstrap ends the process")


def _refuse(sentence: str) -> NoReturn:
    sys.stderr.write(f"ecr-probe: {sentence}\n")
    sys.exit(USAGE)


def _check_interpreter(extensions: list[str]) -> None:
    """The name that this Python gives to compiled modules tells version, processor and C library in one."""
    mine = importlib.machinery.EXTENSION_SUFFIXES[0]
    if mine not in extensions:
        built = ", ".join(each.split(".")[1] for each in extensions)
        _refuse(f"this file was built for {built} and this Python is {mine.split('.')[1]}; make onefile builds others")


def chosen(environ: Mapping[str, str], uid: int) -> Path:
    """The first directory that is fit, made where it is missing. Raises UnfitError."""
    reasons = []
    for folder in candidates(environ, uid):
        try:
            return claimed(folder, uid)
        except UnfitError as error:
            reasons.append(str(error))
        except OSError as error:
            reasons.append(f"{error.filename or folder}: {(error.strerror or 'unusable').lower()}")
    raise UnfitError("; ".join(reasons))


def candidates(environ: Mapping[str, str], uid: int) -> Iterator[Path]:
    """A home that is ours is better than a directory that everybody shares and that is cleaned by age."""
    caches = (environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "") and f"{environ['HOME']}/.cache")
    for cache in caches:
        if os.path.isabs(cache):
            yield Path(cache, "ecr-probe")
    for shared in dict.fromkeys((environ.get("TMPDIR", ""), "/tmp", "/var/tmp")):
        if os.path.isabs(shared):
            yield Path(shared, f"ecr-probe-{uid}")


def claimed(folder: Path, uid: int) -> Path:
    """`folder`, ours alone from now on. Raises UnfitError or OSError."""
    if folder.parent.name == ".cache" and not folder.parent.exists():
        (_guarded(folder.parent.parent, uid) / ".cache").mkdir(mode=0o700, exist_ok=True)
    parent = _guarded(folder.parent, uid)
    if os.statvfs(parent).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise UnfitError(f"{parent} is mounted noexec, so that no compiled module can be loaded from it")
    ours = parent / folder.name
    with suppress(FileExistsError):
        ours.mkdir(mode=0o700)
    status = ours.lstat()  # a link is nobody's promise
    if not stat.S_ISDIR(status.st_mode):
        raise UnfitError(f"{ours} is no directory")
    if status.st_uid != uid:
        raise UnfitError(f"{ours} belongs to another user")
    if status.st_mode & 0o077:
        raise UnfitError(f"{ours} is open to others")
    if not os.access(ours, os.W_OK | os.X_OK):
        raise UnfitError(f"{ours} cannot be written")
    return ours


def _guarded(folder: Path, uid: int) -> Path:
    """`folder` without links, if nobody else can put another thing in the place of what lies in it."""
    folder = folder.resolve(strict=True)
    for each in (folder, *folder.parents):
        status = each.stat()
        if status.st_uid not in (0, uid):
            raise UnfitError(f"{each} belongs to another user")
        if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
            raise UnfitError(f"{each} can be changed by others")
    return folder
