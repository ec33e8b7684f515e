"""The one-file build before its program runs: where it unpacks itself, and one-line errors."""

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
from container.onefile.unpack import UnfitError, candidates, chosen, claimed, is_complete

ME = os.geteuid()
START = Path(unpack.__file__).with_name("start.py")


# ---- which Python --------------------------------------------------------------------------------


def test_an_older_python_gets_a_one_line_error() -> None:
    older = "sys.version_info = (3, 9); sys.version = '3.9.18 (x)'"
    code = f"import sys; sys.argv = ['ecr-probe.pyz']; {older}; exec(open({str(START)!r}).read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "ecr-probe: Python 3.11 or newer is needed and this is 3.9.18; for example python3.11 ecr-probe.pyz\n"
    )


def test_an_older_python_exits_2_if_stderr_is_closed() -> None:
    code = f"import sys; sys.version_info = (3, 9); sys.stderr = None; exec(open({str(START)!r}).read())"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 2


def test_an_older_python_can_parse_the_module() -> None:
    """The module has nothing that Python 2 cannot parse: no annotation, no f-string, no future import."""
    tree = ast.parse(START.read_text(), feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.FunctionDef)]
    assert START.read_text().isascii()


def test_a_python_that_it_was_not_built_for_gets_a_one_line_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    build = json.dumps({"extensions": [".cpython-399-sparc-linux-gnu.so"]}).encode()
    monkeypatch.setattr("pkgutil.get_data", lambda *_: build)
    with pytest.raises(SystemExit) as exit_info:
        unpack.main()
    assert exit_info.value.code == 2
    err = capfd.readouterr().err
    assert err.startswith("ecr-probe: this file was built for cpython-399-sparc-linux-gnu and this Python is ")
    assert err.count("\n") == 1


# ---- errors --------------------------------------------------------------------------------------


class ShivFile:
    """A fake of shiv's part of the file. `unpacking` and `starting` are errors to raise at these stages."""

    def __init__(self, unpacking: BaseException | None = None, starting: BaseException | None = None) -> None:
        self.unpacking, self.starting = unpacking, starting
        self.options: dict[str, Any] = {}
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

    def extract_site_packages(self, _archive: object, tree: Path, *_: object, **options: Any) -> None:
        self.options = options
        self.umask = os.umask(0)
        os.umask(self.umask)
        Path(f"{tree}.tmp").mkdir()
        if self.unpacking:
            raise self.unpacking
        (tree / "site-packages").mkdir(parents=True)
        (tree / "site-packages" / "a.py").write_text("x")

    def bootstrap(self) -> None:
        raise self.starting or SystemExit(0)


def exit_code_of(file: ShivFile, monkeypatch: pytest.MonkeyPatch, root: Path) -> int:
    build = json.dumps({"extensions": [importlib.machinery.EXTENSION_SUFFIXES[0]]}).encode()
    monkeypatch.setattr("pkgutil.get_data", lambda *_: build)
    monkeypatch.setitem(sys.modules, "_bootstrap", file)
    monkeypatch.setenv("SHIV_ROOT", str(root))
    with pytest.raises(SystemExit) as exit_info:
        unpack.main()
    assert isinstance(exit_info.value.code, int)
    return exit_info.value.code


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device"), "no space left on device"),
        (zipfile.BadZipFile("x"), "the file is damaged"),
        (zlib.error("x"), "the file is damaged"),
        (RuntimeError("one\ntwo"), "RuntimeError: one two"),
    ],
)
def test_an_error_while_unpacking_is_one_line_and_leaves_no_files(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert exit_code_of(ShivFile(unpacking=error), monkeypatch, tmp_path) == 2
    own_folder = tmp_path / f"ecr-probe-{ME}"
    prefix = f"ecr-probe: cannot be unpacked into {own_folder}: "
    assert capfd.readouterr().err == f"{prefix}{message}; set SHIV_ROOT=DIRECTORY to another one\n"
    assert [path.name for path in own_folder.iterdir()] == ["lock"]


def test_an_error_while_starting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert exit_code_of(ShivFile(starting=ImportError("cannot map x.so")), monkeypatch, tmp_path) == 2
    err = capfd.readouterr().err
    assert err.startswith(f"ecr-probe: cannot be started from {tmp_path}/ecr-probe-{ME}: ImportError: cannot map x.so;")
    assert err.count("\n") == 1


@pytest.mark.parametrize("stage", ["unpacking", "starting"])
def test_an_interruption_prints_nothing(
    stage: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert exit_code_of(ShivFile(**{stage: KeyboardInterrupt()}), monkeypatch, tmp_path) == 130
    assert capfd.readouterr().err == ""


def test_the_exit_code_is_the_same_if_stderr_is_closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert exit_code_of(ShivFile(unpacking=MemoryError()), monkeypatch, tmp_path) == 2


def test_one_process_compiles_and_files_are_not_writable_by_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = ShivFile()
    before = os.umask(0o002)
    try:
        assert exit_code_of(file, monkeypatch, tmp_path) == 0
        assert os.umask(0o002) == 0o002  # as the program finds it
    finally:
        os.umask(before)
    assert file.options["compile_workers"] == 1
    assert file.umask == 0o022


def test_a_complete_tree_is_unpacked_again_only_on_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = ShivFile()
    assert exit_code_of(file, monkeypatch, tmp_path) == 0
    file.unpacking = OSError("not to be called")
    assert exit_code_of(file, monkeypatch, tmp_path) == 0
    (tmp_path / f"ecr-probe-{ME}" / "probe_1" / "site-packages" / "a.py").unlink()
    (tmp_path / f"ecr-probe-{ME}" / "probe_1.tmp").rmdir()
    assert exit_code_of(file, monkeypatch, tmp_path) == 2
    file = ShivFile()
    file.Environment.from_json("").force_extract = True
    monkeypatch.setenv("SHIV_FORCE_EXTRACT", "1")
    assert exit_code_of(file, monkeypatch, tmp_path / "other") == 0
    assert file.options["force"] is True
    assert "SHIV_FORCE_EXTRACT" not in os.environ  # shiv would unpack again


def test_a_tree_is_complete_if_every_file_has_its_full_size(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("environment.json", "{}")
        archive.writestr("site-packages/a/b.py", "1\n")
        assert not is_complete(archive, tmp_path / "tree")
        archive.extractall(tmp_path / "tree")
        (tmp_path / "tree" / "environment.json").unlink()  # shiv does not unpack it
        assert is_complete(archive, tmp_path / "tree")
        (tmp_path / "tree/site-packages/a/b.py").write_text("")
        assert not is_complete(archive, tmp_path / "tree")


@pytest.mark.parametrize("command", ["check", "explain", "schema"])
@pytest.mark.parametrize("library", ["msgspec", "probe.config.flags"])
def test_a_missing_library_gives_a_one_line_error(command: str, library: str) -> None:
    code = f"import sys; sys.modules[{library!r}] = None; from probe.cli import main; sys.exit(main([{command!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ecr-probe: a bug of ecr-probe: ModuleNotFoundError; please report it\n"


# ---- which directory -----------------------------------------------------------------------------


def test_the_home_directory_comes_before_shared_directories() -> None:
    assert list(candidates({"HOME": "/home/me", "XDG_CACHE_HOME": "/cache", "TMPDIR": "/scratch"}, 7)) == [
        Path("/cache/ecr-probe"),
        Path("/home/me/.cache/ecr-probe"),
        Path("/scratch/ecr-probe-7"),
        Path("/tmp/ecr-probe-7"),
        Path("/var/tmp/ecr-probe-7"),
    ]
    assert list(candidates({}, 7)) == [Path("/tmp/ecr-probe-7"), Path("/var/tmp/ecr-probe-7")]
    assert list(candidates({"HOME": "here", "TMPDIR": "."}, 7)) == list(candidates({}, 7))


def test_the_directory_is_created_for_this_user_only(tmp_path: Path) -> None:
    folder = claimed(tmp_path / "probe", ME)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert claimed(tmp_path / "probe", ME) == folder


def test_the_cache_directory_is_created_in_the_home_directory(tmp_path: Path) -> None:
    assert chosen({"HOME": str(tmp_path)}, ME) == tmp_path / ".cache" / "ecr-probe"
    assert (tmp_path / ".cache").stat().st_mode & 0o777 == 0o700


def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "probe").mkdir(mode=0o700)
    with pytest.raises(UnfitError, match="belongs to another user"):
        claimed(tmp_path / "probe", ME + 1)


def test_the_home_directory_of_another_user_is_not_used(tmp_path: Path) -> None:
    """Root through sudo, with HOME of the calling user."""
    me = ME + 1
    if ME == 0:
        os.chown(tmp_path, 4711, -1)  # directories of root are accepted for every user
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


def test_an_unfit_directory_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "ecr-probe").mkdir(mode=0o755)
    environ = {"XDG_CACHE_HOME": str(cache), "HOME": str(tmp_path / "missing"), "TMPDIR": str(tmp_path)}
    assert chosen(environ, ME) == tmp_path / f"ecr-probe-{ME}"


def test_the_error_names_every_unfit_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    folders = [tmp_path / "file" / "probe", tmp_path / "missing" / "probe"]
    monkeypatch.setattr(unpack, "candidates", lambda *_: iter(folders))
    with pytest.raises(UnfitError, match=r"file.*: not a directory; .*missing: no such file or directory"):
        chosen({}, ME)


def test_a_noexec_parent_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_noexec_mount_at_the_directory_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "ST_NOEXEC", 8, raising=False)
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=8 if path == tmp_path / "probe" else 0))
    with pytest.raises(UnfitError, match="probe is mounted noexec"):
        claimed(tmp_path / "probe", ME)


# ---- SHIV_ROOT -----------------------------------------------------------------------------------


def test_shiv_root_gets_a_directory_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_shiv_root_that_others_can_change_is_refused(tmp_path: Path, name: str) -> None:
    """Files of others there would run as this user, who may be root."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(UnfitError, match="shared can be changed by others"):
        chosen({"SHIV_ROOT": str(tmp_path / name)}, ME)
    assert not list(shared.iterdir())
    shared.chmod(0o1777)
    assert chosen({"SHIV_ROOT": str(tmp_path / name)}, ME).is_dir()


def test_a_directory_of_another_user_in_shiv_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"ecr-probe-{ME + 1}").mkdir(mode=0o700)
    me = ME + 1
    if ME == 0:
        os.chown(tmp_path / f"ecr-probe-{ME + 1}", 4711, -1)
    else:
        tmp_path.chmod(0o1777)
    with pytest.raises(UnfitError, match="belongs to another user"):
        chosen({"SHIV_ROOT": str(tmp_path)}, me)


def test_a_refused_shiv_root_gives_a_one_line_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    assert exit_code_of(ShivFile(), monkeypatch, tmp_path) == 2
    reason = f"{tmp_path} can be changed by others; set SHIV_ROOT=DIRECTORY to another one"
    assert capfd.readouterr().err == f"ecr-probe: cannot be unpacked into {tmp_path}: {reason}\n"
