"""Where the one file may unpack itself: code must never run from a directory that another user can change."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from container.onefile import unpack
from container.onefile.unpack import UnfitError, candidates, chosen, claimed

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
