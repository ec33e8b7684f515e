"""The one file before its program runs: where it may unpack itself, and that whatever fails is told in one line."""

from __future__ import annotations

import ast
import importlib.machinery
import json
import os
import subprocess
import sys
import zipfile
import zlib
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from container.onefile import unpack
from container.onefile.unpack import UnfitError, candidates, chosen, claimed, whole

ME = os.geteuid()
START = Path(unpack.__file__).with_name("start.py")


# ---- which Python --------------------------------------------------------------------------------


def test_an_older_python_is_told_in_one_line() -> None:
    older = "sys.version_info = (3, 9); sys.version = '3.9.18 (x)'"
    code = f"import sys; sys.argv = ['ecr-probe.pyz']; {older}; exec(open({str(START)!r}).read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "ecr-probe: Python 3.11 or newer is needed and this is 3.9.18; for example python3.11 ecr-probe.pyz\n"
    )


def test_the_code_for_an_older_python_stays_where_stderr_is_closed() -> None:
    code = f"import sys; sys.version_info = (3, 9); sys.stderr = None; exec(open({str(START)!r}).read())"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 2


def test_an_older_python_can_read_that_line() -> None:
    """And the module holds nothing that Python 2 could not parse: no annotation, no f-string, no future."""
    tree = ast.parse(START.read_text(), feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.FunctionDef)]
    assert START.read_text().isascii()


def test_another_python_than_it_was_built_for_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    built = json.dumps({"extensions": [".cpython-399-sparc-linux-gnu.so"]}).encode()
    monkeypatch.setattr("pkgutil.get_data", lambda *_: built)
    with pytest.raises(SystemExit) as ended:
        unpack.main()
    assert ended.value.code == 2
    err = capfd.readouterr().err
    assert err.startswith("ecr-probe: this file was built for cpython-399-sparc-linux-gnu and this Python is ")
    assert err.count("\n") == 1


# ---- what goes wrong -----------------------------------------------------------------------------


class File:
    """What shiv puts beside us in the file: `unpacking` and `starting` are raised at their time, if given."""

    def __init__(self, unpacking: BaseException | None = None, starting: BaseException | None = None) -> None:
        self.unpacking, self.starting = unpacking, starting
        self.told: dict[str, Any] = {}
        self.umask = -1
        settings = SimpleNamespace(
            build_id="1", compile_pyc=True, force_extract=False, FORCE_EXTRACT="SHIV_FORCE_EXTRACT"
        )
        self.Environment = SimpleNamespace(from_json=lambda _: settings)
        archive = SimpleNamespace(
            read=lambda _: b"{}", infolist=lambda: [SimpleNamespace(filename="site-packages/a.py", file_size=1)]
        )
        self.current_zipfile = lambda: nullcontext(archive)

    def cache_path(self, _archive: object, root: str, build_id: str) -> Path:
        return Path(root, f"probe_{build_id}")

    def extract_site_packages(self, _archive: object, tree: Path, *_: object, **told: Any) -> None:
        self.told = told
        self.umask = os.umask(0)
        os.umask(self.umask)
        Path(f"{tree}.tmp").mkdir()
        if self.unpacking:
            raise self.unpacking
        (tree / "site-packages").mkdir(parents=True)
        (tree / "site-packages" / "a.py").write_text("x")

    def bootstrap(self) -> None:
        raise self.starting or SystemExit(0)


def main_of(file: File, monkeypatch: pytest.MonkeyPatch, root: Path) -> int:
    built = json.dumps({"extensions": [importlib.machinery.EXTENSION_SUFFIXES[0]]}).encode()
    monkeypatch.setattr("pkgutil.get_data", lambda *_: built)
    monkeypatch.setitem(sys.modules, "_bootstrap", file)
    monkeypatch.setenv("SHIV_ROOT", str(root))
    with pytest.raises(SystemExit) as ended:
        unpack.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "no space left on device"),
        (zipfile.BadZipFile("x"), "the file is damaged"),
        (zlib.error("x"), "the file is damaged"),
        (RuntimeError("one\ntwo"), "RuntimeError: one two"),
    ],
)
def test_what_fails_while_unpacking_is_told_in_one_line_and_leaves_nothing(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main_of(File(unpacking=error), monkeypatch, tmp_path) == 2
    ours = tmp_path / f"ecr-probe-{ME}"
    where = f"ecr-probe: cannot be unpacked into {ours}: "
    assert capfd.readouterr().err == f"{where}{words}; SHIV_ROOT=DIRECTORY names another place\n"
    assert [path.name for path in ours.iterdir()] == ["lock"]


def test_what_fails_while_starting_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main_of(File(starting=ImportError("cannot map x.so")), monkeypatch, tmp_path) == 2
    err = capfd.readouterr().err
    assert err.startswith(f"ecr-probe: cannot be started from {tmp_path}/ecr-probe-{ME}: ImportError: cannot map x.so;")
    assert err.count("\n") == 1


@pytest.mark.parametrize("when", ["unpacking", "starting"])
def test_an_interruption_says_nothing(
    when: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main_of(File(**{when: KeyboardInterrupt()}), monkeypatch, tmp_path) == 130
    assert capfd.readouterr().err == ""


def test_the_code_stays_where_stderr_is_closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert main_of(File(unpacking=MemoryError()), monkeypatch, tmp_path) == 2


def test_no_other_process_compiles_and_others_may_change_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = File()
    before = os.umask(0o002)
    try:
        assert main_of(file, monkeypatch, tmp_path) == 0
        assert os.umask(0o002) == 0o002  # as the program finds it
    finally:
        os.umask(before)
    assert file.told["compile_workers"] == 1
    assert file.umask == 0o022


def test_what_is_whole_is_not_unpacked_again_unless_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = File()
    assert main_of(file, monkeypatch, tmp_path) == 0
    file.unpacking = OSError("not to be called")
    assert main_of(file, monkeypatch, tmp_path) == 0
    (tmp_path / f"ecr-probe-{ME}" / "probe_1" / "site-packages" / "a.py").unlink()
    (tmp_path / f"ecr-probe-{ME}" / "probe_1.tmp").rmdir()
    assert main_of(file, monkeypatch, tmp_path) == 2
    file = File()
    file.Environment.from_json("").force_extract = True
    monkeypatch.setenv("SHIV_FORCE_EXTRACT", "1")
    assert main_of(file, monkeypatch, tmp_path / "other") == 0
    assert file.told["force"] is True
    assert "SHIV_FORCE_EXTRACT" not in os.environ  # shiv would unpack once more


def test_a_tree_is_whole_where_every_file_is_there_in_full_size(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("environment.json", "{}")
        archive.writestr("site-packages/a/b.py", "1\n")
        assert not whole(archive, tmp_path / "tree")
        archive.extractall(tmp_path / "tree")
        (tmp_path / "tree" / "environment.json").unlink()  # shiv does not unpack it
        assert whole(archive, tmp_path / "tree")
        (tmp_path / "tree/site-packages/a/b.py").write_text("")
        assert not whole(archive, tmp_path / "tree")


@pytest.mark.parametrize("command", ["check", "explain", "schema"])
@pytest.mark.parametrize("library", ["msgspec", "probe.config.flags"])
def test_an_installation_that_lacks_a_library_is_told_in_one_line(command: str, library: str) -> None:
    code = f"import sys; sys.modules[{library!r}] = None; from probe.cli import main; sys.exit(main([{command!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ecr-probe: a mistake of ecr-probe's own: ModuleNotFoundError; please report it\n"


# ---- which directory -----------------------------------------------------------------------------


def test_a_home_comes_before_what_everybody_shares() -> None:
    assert list(candidates({"HOME": "/home/me", "XDG_CACHE_HOME": "/cache", "TMPDIR": "/scratch"}, 7)) == [
        Path("/cache/ecr-probe"),
        Path("/home/me/.cache/ecr-probe"),
        Path("/scratch/ecr-probe-7"),
        Path("/tmp/ecr-probe-7"),
        Path("/var/tmp/ecr-probe-7"),
    ]
    assert list(candidates({}, 7)) == [Path("/tmp/ecr-probe-7"), Path("/var/tmp/ecr-probe-7")]
    assert list(candidates({"HOME": "here", "TMPDIR": "."}, 7)) == list(candidates({}, 7))


def test_a_directory_is_made_for_nobody_else(tmp_path: Path) -> None:
    folder = claimed(tmp_path / "probe", ME)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert claimed(tmp_path / "probe", ME) == folder


def test_a_cache_is_made_in_a_home(tmp_path: Path) -> None:
    assert chosen({"HOME": str(tmp_path)}, ME) == tmp_path / ".cache" / "ecr-probe"
    assert (tmp_path / ".cache").stat().st_mode & 0o777 == 0o700


def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "probe").mkdir(mode=0o700)
    with pytest.raises(UnfitError, match="belongs to another user"):
        claimed(tmp_path / "probe", ME + 1)


def test_nothing_is_made_in_a_home_of_another_user(tmp_path: Path) -> None:
    """Root by sudo, with the HOME of who called it."""
    me = ME + 1
    if ME == 0:
        os.chown(tmp_path, 4711, -1)  # what belongs to root is good for all
        me = 0
    with pytest.raises(UnfitError, match="belongs to another user"):
        claimed(tmp_path / ".cache" / "ecr-probe", me)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_directory_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe").chmod(mode)
    with pytest.raises(UnfitError, match="is open to others"):
        claimed(tmp_path / "probe", ME)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "probe").symlink_to(tmp_path / "mine")
    with pytest.raises(UnfitError, match="is no directory"):
        claimed(tmp_path / "probe", ME)


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_parent_that_others_can_change_is_refused_unless_it_is_sticky(tmp_path: Path, mode: int) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    with pytest.raises(UnfitError, match="shared can be changed by others"):
        claimed(shared / "probe", ME)
    assert not list(shared.iterdir())
    shared.chmod(mode | 0o1000)
    assert claimed(shared / "probe", ME).is_dir()


def test_the_next_one_is_taken_where_one_is_unfit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "ecr-probe").mkdir(mode=0o755)
    environ = {"XDG_CACHE_HOME": str(cache), "HOME": str(tmp_path / "missing"), "TMPDIR": str(tmp_path)}
    assert chosen(environ, ME) == tmp_path / f"ecr-probe-{ME}"


def test_where_all_are_unfit_each_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    folders = [tmp_path / "file" / "probe", tmp_path / "missing" / "probe"]
    monkeypatch.setattr(unpack, "candidates", lambda *_: iter(folders))
    with pytest.raises(UnfitError, match=r"file.*: not a directory; .*missing: no such file or directory"):
        chosen({}, ME)


def test_a_place_without_execution_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)

    class Mount:
        f_flag = real.f_flag | getattr(os, "ST_NOEXEC", 8)

    monkeypatch.setattr(os, "ST_NOEXEC", 8, raising=False)
    monkeypatch.setattr(os, "statvfs", lambda _: Mount)
    with pytest.raises(UnfitError, match="noexec"):
        claimed(tmp_path / "probe", ME)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UnfitError, match="noexec"):
        chosen({"SHIV_ROOT": str(tmp_path / "named")}, ME)
    assert not list(tmp_path.iterdir())


def test_a_mount_without_execution_at_the_place_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "ST_NOEXEC", 8, raising=False)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=8 if path == tmp_path / "probe" else 0))
    with pytest.raises(UnfitError, match="probe is mounted noexec"):
        claimed(tmp_path / "probe", ME)


# ---- the one that is named -----------------------------------------------------------------------


def test_a_named_directory_gets_one_of_our_own_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"SHIV_ROOT": str(tmp_path / "a" / "b"), "HOME": str(tmp_path)}
    own = chosen(environ, ME)
    assert own == tmp_path / "a" / "b" / f"ecr-probe-{ME}"
    assert own.stat().st_mode & 0o777 == 0o700
    assert chosen(environ, ME) == own
    monkeypatch.chdir(tmp_path)
    assert chosen({"SHIV_ROOT": "a/b"}, ME) == own
    monkeypatch.setenv("HOME", str(tmp_path / "a"))
    assert chosen({"SHIV_ROOT": "~/b"}, ME) == own


@pytest.mark.parametrize("name", ["shared", "shared/below"])
def test_a_named_directory_that_others_can_change_is_refused(tmp_path: Path, name: str) -> None:
    """What they put there would run as us, who may be root."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(UnfitError, match="shared can be changed by others"):
        chosen({"SHIV_ROOT": str(tmp_path / name)}, ME)
    assert not list(shared.iterdir())
    shared.chmod(0o1777)
    assert chosen({"SHIV_ROOT": str(tmp_path / name)}, ME).is_dir()


def test_what_another_put_into_a_named_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"ecr-probe-{ME + 1}").mkdir(mode=0o700)
    me = ME + 1
    if ME == 0:
        os.chown(tmp_path / f"ecr-probe-{ME + 1}", 4711, -1)
    else:
        tmp_path.chmod(0o1777)
    with pytest.raises(UnfitError, match="belongs to another user"):
        chosen({"SHIV_ROOT": str(tmp_path)}, me)


def test_a_named_directory_that_is_refused_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    assert main_of(File(), monkeypatch, tmp_path) == 2
    words = (
        f"cannot be unpacked into {tmp_path}: {tmp_path} can be changed by others; SHIV_ROOT=DIRECTORY names another"
    )
    assert capfd.readouterr().err == f"ecr-probe: {words}\n"
