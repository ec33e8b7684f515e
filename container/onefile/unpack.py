"""Before the program: will the compiled parts run here, which directory is safe, and is all of it still there.

Whoever can write to that directory can make us run what they like, and we may be root. Whatever goes wrong is told in
one line and ends with the code for a mistake in the call: a traceback's 1 would say that the check failed.
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
    """Why a directory must not be used."""


def main() -> NoReturn:
    asked, purpose = os.environ.get(VARIABLE), "unpacked into"
    try:
        _check_interpreter(json.loads(pkgutil.get_data(__package__, BUILT) or b"{}")["extensions"])
        _unpack()
        purpose = "started from"
        from _bootstrap import bootstrap  # shiv's, beside us in the file

        bootstrap()  # and with it the program, which handles what goes wrong in it
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except UnfitError as error:
        if not asked:
            _refuse(f"there is no safe directory to unpack into ({error}); name one of yours by {VARIABLE}=DIRECTORY")
        _refuse(f"cannot be unpacked into {asked}: {error}; {VARIABLE}=DIRECTORY names another")
    except Exception as error:
        where = os.environ.get(VARIABLE)
        _refuse(f"cannot be {purpose} {where}: {_reason(error)}; {VARIABLE}=DIRECTORY names another place")
    raise AssertionError("bootstrap ends the process")


def _refuse(sentence: str) -> NoReturn:
    with suppress(Exception):  # stderr may be closed, and the code counts all the same
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
    """The name that this Python gives to compiled modules tells version, processor and C library in one."""
    mine = importlib.machinery.EXTENSION_SUFFIXES[0]
    if mine not in extensions:
        built = ", ".join(each.split(".")[1] for each in extensions)
        _refuse(f"this file was built for {built} and this Python is {mine.split('.')[1]}; make onefile builds others")


# ---- what is unpacked ----------------------------------------------------------------------------


def _unpack() -> None:
    """Have the whole tree lie where shiv looks for it. shiv looks for its directory alone: see `whole`."""
    from _bootstrap import Environment, cache_path, current_zipfile, extract_site_packages

    umask = os.umask(0o022)
    os.umask(umask | 0o022)  # nothing that we make is for others to change; what the program writes is not ours
    try:
        root = chosen(os.environ, os.geteuid())
        os.environ[VARIABLE] = str(root)
        with current_zipfile() as archive:
            settings = Environment.from_json(archive.read("environment.json").decode())
            tree = cache_path(archive, str(root), settings.build_id)
            anew = settings.force_extract
            os.environ.pop(settings.FORCE_EXTRACT, None)  # done here, and not once more
            if not anew and whole(archive, tree):
                return
            with (root / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not anew and whole(archive, tree):
                    return  # another has done it meanwhile, and runs from it
                try:
                    # One worker is this process: no other can be killed, or have its own say about Ctrl-C.
                    extract_site_packages(archive, tree, settings.compile_pyc, compile_workers=1, force=True)
                except BaseException:
                    shutil.rmtree(f"{tree}.tmp", ignore_errors=True)  # a disk that is full must not stay so
                    raise
    finally:
        os.umask(umask)


def whole(archive: zipfile.ZipFile, tree: Path) -> bool:
    """Nothing is missing or cut short: /tmp is cleaned by age, file by file, and a clean-up may have been broken off.

    Some thousand glances take a few hundredths of a second; a mark in the tree could be all that is left of it.
    """
    try:
        return all(
            os.stat(f"{tree}/{each.filename}").st_size == each.file_size
            for each in archive.infolist()
            if each.filename.startswith(PACKED)
        )
    except OSError:
        return False


# ---- where ---------------------------------------------------------------------------------------


def chosen(environ: Mapping[str, str], uid: int) -> Path:
    """The first directory that is fit, made where it is missing. Raises UnfitError, and OSError for the one named."""
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
    """A directory of our own in the named one, which may be as shared as /tmp is. Raises UnfitError or OSError."""
    folder = folder.expanduser().absolute()
    there = folder
    while not there.exists():
        there = there.parent
    _check_executable(_guarded(there, uid))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return claimed(folder / f"ecr-probe-{uid}", uid)


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
    _check_executable(parent)
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
    _check_executable(ours)  # it may be a mount of its own
    return ours


def _check_executable(folder: Path) -> None:
    if os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise UnfitError(f"{folder} is mounted noexec, so that no compiled module can be loaded from it")


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
