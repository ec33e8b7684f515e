"""Unpack the program before it starts: check this Python, choose a safe directory, and check that it is complete.

A user who can write to that directory can make us run other code, possibly as root. Every error is reported in one line
and ends with the exit code of wrong usage, since the 1 of a traceback would mean that the check failed.
"""

from __future__ import annotations

import fcntl
import importlib.machinery
import json
import os
import pkgutil
import shutil
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

USAGE = 2
INTERRUPTED = 130
VARIABLE = "SHIV_ROOT"  # shiv's own
BUILT = "built.json"
PACKED = "site-packages/"


class UnfitError(Exception):
    """The reason why a directory must not be used."""


def main() -> NoReturn:
    named, purpose = os.environ.get(VARIABLE), "unpacked into"
    try:
        _check_interpreter(json.loads(pkgutil.get_data(__package__, BUILT) or b"{}")["extensions"])
        _unpack()
        purpose = "started from"
        from _bootstrap import bootstrap  # shiv's module in this file

        bootstrap()  # runs the program, which handles its own errors
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except UnfitError as error:
        if not named:
            _refuse(f"there is no safe directory to unpack into ({error}); set {VARIABLE}=DIRECTORY to one of yours")
        _refuse(f"cannot be unpacked into {named}: {error}; set {VARIABLE}=DIRECTORY to another one")
    except Exception as error:
        where = os.environ.get(VARIABLE)
        _refuse(f"cannot be {purpose} {where}: {_reason(error)}; set {VARIABLE}=DIRECTORY to another one")
    raise AssertionError("bootstrap ends the process")


def _refuse(sentence: str) -> NoReturn:
    with suppress(Exception):  # stderr may be closed
        sys.stderr.write(f"ecr-probe: {sentence}\n")
        sys.stderr.flush()
    sys.exit(USAGE)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError):
        return "the file is damaged"
    return " ".join(f"{type(error).__name__}: {error}".split())


def _check_interpreter(extensions: list[str]) -> None:
    """Check the suffix of this Python's compiled modules, which contains its version, processor and C library."""
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    if suffix not in extensions:
        built = ", ".join(extension.split(".")[1] for extension in extensions)
        _refuse(
            f"this file was built for {built} and this Python is {suffix.split('.')[1]}; make onefile builds others"
        )


# ---- unpacking -----------------------------------------------------------------------------------


def _unpack() -> None:
    """Unpack the whole tree where shiv expects it. shiv itself only checks for the directory: see `is_complete`."""
    from _bootstrap import Environment, cache_path, current_zipfile, extract_site_packages

    umask = os.umask(0o022)
    os.umask(umask | 0o022)  # other users must not change what is unpacked; the program runs with its own umask
    try:
        root = chosen(os.environ, os.geteuid())
        os.environ[VARIABLE] = str(root)
        with current_zipfile() as archive:
            settings = Environment.from_json(archive.read("environment.json").decode())
            tree = cache_path(archive, str(root), settings.build_id)
            forced = settings.force_extract
            os.environ.pop(settings.FORCE_EXTRACT, None)  # handled here: shiv must not extract again
            if not forced and is_complete(archive, tree):
                return
            with (root / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not forced and is_complete(archive, tree):
                    return  # another process has unpacked it meanwhile and runs from it
                try:
                    # With one worker, this process compiles: no other process can be killed or handle Ctrl-C itself.
                    extract_site_packages(archive, tree, settings.compile_pyc, compile_workers=1, force=True)
                except BaseException:
                    shutil.rmtree(f"{tree}.tmp", ignore_errors=True)  # the disk may be full
                    raise
    finally:
        os.umask(umask)


def is_complete(archive: zipfile.ZipFile, tree: Path) -> bool:
    """Whether every file is there with its full size: /tmp is cleaned by age, file by file.

    To look at all of some thousand files takes a few hundredths of a second. A marker file could be the only one left.
    """
    try:
        return all(
            os.stat(f"{tree}/{member.filename}").st_size == member.file_size
            for member in archive.infolist()
            if member.filename.startswith(PACKED)
        )
    except OSError:
        return False


# ---- the directory -------------------------------------------------------------------------------


def chosen(environ: Mapping[str, str], uid: int) -> Path:
    """The first safe directory, created if missing. Raises UnfitError, and OSError for the one in the variable."""
    if environ.get(VARIABLE):
        return _named(Path(environ[VARIABLE]), uid)
    reasons = []
    for folder in candidates(environ, uid):
        try:
            return claimed(folder, uid)
        except UnfitError as error:
            reasons.append(str(error))
        except OSError as error:
            reasons.append(f"{error.filename or folder}: {(error.strerror or 'unusable').lower()}")
    raise UnfitError("; ".join(reasons))


def _named(folder: Path, uid: int) -> Path:
    """A directory of our own in the one that the variable names, which may be shared. Raises UnfitError or OSError."""
    folder = folder.expanduser().absolute()
    existing = folder
    while not existing.exists():
        existing = existing.parent
    _check_executable(_guarded(existing, uid))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return claimed(folder / f"ecr-probe-{uid}", uid)


def candidates(environ: Mapping[str, str], uid: int) -> Iterator[Path]:
    """Possible directories: first in the user's home, then shared ones, which are cleaned by age."""
    caches = (environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "") and f"{environ['HOME']}/.cache")
    for cache in caches:
        if os.path.isabs(cache):
            yield Path(cache, "ecr-probe")
    for shared in dict.fromkeys((environ.get("TMPDIR", ""), "/tmp", "/var/tmp")):
        if os.path.isabs(shared):
            yield Path(shared, f"ecr-probe-{uid}")


def claimed(folder: Path, uid: int) -> Path:
    """`folder`, created for this user alone, or checked that it is. Raises UnfitError or OSError."""
    if folder.parent.name == ".cache" and not folder.parent.exists():
        (_guarded(folder.parent.parent, uid) / ".cache").mkdir(mode=0o700, exist_ok=True)
    parent = _guarded(folder.parent, uid)
    _check_executable(parent)
    ours = parent / folder.name
    with suppress(FileExistsError):
        ours.mkdir(mode=0o700)
    status = ours.lstat()  # not stat: a link's target can be exchanged
    if not stat.S_ISDIR(status.st_mode):
        raise UnfitError(f"{ours} is no directory")
    if status.st_uid != uid:
        raise UnfitError(f"{ours} belongs to another user")
    if status.st_mode & 0o077:
        raise UnfitError(f"{ours} is open to others")
    if not os.access(ours, os.W_OK | os.X_OK):
        raise UnfitError(f"{ours} cannot be written")
    _check_executable(ours)  # it may be a mount of its own
    return ours


def _check_executable(folder: Path) -> None:
    if os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise UnfitError(f"{folder} is mounted noexec, so that no compiled module can be loaded from it")


def _guarded(folder: Path, uid: int) -> Path:
    """`folder` without links, if no other user can replace what is in it. Raises UnfitError."""
    folder = folder.resolve(strict=True)
    for level in (folder, *folder.parents):
        status = level.stat()
        if status.st_uid not in (0, uid):
            raise UnfitError(f"{level} belongs to another user")
        if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
            raise UnfitError(f"{level} can be changed by others")
    return folder
