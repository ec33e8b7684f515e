"""Logins in the files of docker and podman, and credential helpers that work, hang, shout or do not exist."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.registries import logins
from probe.registries.logins import Login, read_login

SECRET = "sentinel-password"


def auth(user: str = "me", password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", **more}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def helper(tmp_path: Path, script: str, name: str = "test") -> None:
    path = write(tmp_path / "bin" / f"docker-credential-{name}", f"#!{sys.executable}\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def values(login: Login | None) -> tuple[str, str, str] | None:
    return (login.user, login.password, login.identity_token) if login else None


@pytest.mark.parametrize(
    ("key", "host", "repository"),
    [
        ("registry.example:5000", "registry.example:5000", "app"),
        ("https://registry.example", "registry.example", "app"),
        ("https://registry.example/v2/", "registry.example", "app"),
        ("registry.example/team", "registry.example", "team/app"),
        ("https://index.docker.io/v1/", "docker.io", "library/busybox"),
        ("docker.io", "docker.io", "library/busybox"),
    ],
)
def test_a_login_is_found_by_each_form_of_its_key(key: str, host: str, repository: str, tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"auths": {key: auth(), "other.example": auth("other")}})
    assert values(read_login(host, repository, environ(tmp_path))) == ("me", SECRET, "")
    assert read_login("third.example", repository, environ(tmp_path)) is None


def test_the_most_specific_login_of_podman_counts(tmp_path: Path) -> None:
    file = {"auths": {"quay.io": auth("all"), "quay.io/team": auth("team"), "quay.io/team/app": auth("app")}}
    write(tmp_path / ".config/containers/auth.json", file)
    for repository, user in (("team/app", "app"), ("team/other", "team"), ("other", "all")):
        login = read_login("quay.io", repository, environ(tmp_path))
        assert login is not None
        assert login.user == user


def test_the_files_are_read_in_order(tmp_path: Path) -> None:
    places = {
        "runtime": tmp_path / "run/containers/auth.json",
        "docker": tmp_path / ".docker/config.json",
        "named": tmp_path / "named.json",
    }
    variables = environ(tmp_path, XDG_RUNTIME_DIR=str(tmp_path / "run"), REGISTRY_AUTH_FILE=str(places["named"]))
    for name, path in places.items():
        write(path, {"auths": {"a.example": auth(name)}})
        login = read_login("a.example", "app", variables)
        assert login is not None
        assert login.user == name
    write(tmp_path / "elsewhere/config.json", {"auths": {"a.example": auth("elsewhere")}})
    login = read_login("a.example", "app", environ(tmp_path, DOCKER_CONFIG=str(tmp_path / "elsewhere")))
    assert login is not None
    assert login.user == "elsewhere"


def test_without_files_there_is_no_login(tmp_path: Path) -> None:
    assert read_login("a.example", "app", environ(tmp_path)) is None
    assert read_login("a.example", "app", {}) is None


def test_an_identity_token(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"auths": {"a.example": {"identitytoken": SECRET}}})
    assert values(read_login("a.example", "app", environ(tmp_path))) == ("", "", SECRET)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"auths": []}', '{"auths": {"a": 5}}', "[" * 100_000, '"' + "x" * (5 << 20) + '"']
)
def test_a_file_that_is_none_of_logins_is_refused(content: str, tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", content)
    with pytest.raises(UsageError, match=r"is not a file of docker's or podman's logins"):
        read_login("a.example", "app", environ(tmp_path))


def test_a_login_that_is_not_base64_is_refused_without_showing_it(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"auths": {"a.example": {"auth": f"{SECRET}!"}}})
    with pytest.raises(UsageError, match="has a login that is not base64") as caught:
        read_login("a.example", "app", environ(tmp_path))
    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".docker/config.json").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_login("a.example", "app", environ(tmp_path))


# ---- credential helpers ----------------------------------------------------------------------------------------------

GOOD = f"""
import json, sys
server = sys.stdin.read()
print(json.dumps({{"ServerURL": server, "Username": sys.argv[1] + " " + server, "Secret": "{SECRET}"}}))
"""


@pytest.mark.parametrize(
    "file", [{"credsStore": "test"}, {"credHelpers": {"a.example": "test"}, "credsStore": "other"}]
)
def test_a_helper_is_asked(file: Any, tmp_path: Path) -> None:
    helper(tmp_path, GOOD)
    write(tmp_path / ".docker/config.json", {**file, "auths": {"a.example": {}}})
    assert values(read_login("a.example", "app", environ(tmp_path))) == ("get a.example", SECRET, "")


def test_a_helper_knows_docker_hub_by_its_url(tmp_path: Path) -> None:
    helper(tmp_path, GOOD)
    write(tmp_path / ".docker/config.json", {"credsStore": "test"})
    login = read_login("docker.io", "library/busybox", environ(tmp_path))
    assert login is not None
    assert login.user == "get https://index.docker.io/v1/"


def test_a_helper_may_return_an_identity_token(tmp_path: Path) -> None:
    helper(tmp_path, f'print(\'{{"Username": "<token>", "Secret": "{SECRET}"}}\')')
    write(tmp_path / ".docker/config.json", {"credsStore": "test"})
    assert values(read_login("a.example", "app", environ(tmp_path))) == ("", "", SECRET)


def test_a_helper_without_a_login_is_no_error(tmp_path: Path) -> None:
    helper(tmp_path, "print('credentials not found in native keychain'); raise SystemExit(1)")
    write(tmp_path / ".docker/config.json", {"credsStore": "test"})
    assert read_login("a.example", "app", environ(tmp_path)) is None


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"print('{SECRET} is locked'); raise SystemExit(3)", r"has no login for a\.example \(exit code 3\)"),
        (f"print('{SECRET}')", r"returned no login for a\.example, but something else"),
        (f"import sys; sys.stdout.write('{SECRET}' * 1000000)", "returned more than a login"),
        ("raise SystemExit", "returned no login"),
    ],
)
def test_a_helper_that_fails_is_named_and_not_quoted(script: str, expected: str, tmp_path: Path) -> None:
    helper(tmp_path, script)
    write(tmp_path / ".docker/config.json", {"credsStore": "test"})
    with pytest.raises(UsageError, match=expected) as caught:
        read_login("a.example", "app", environ(tmp_path))
    assert "docker-credential-test" in str(caught.value)
    assert SECRET not in str(caught.value)


def is_running(number: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False


def test_a_helper_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "HELPER_SECONDS", 1.0)
    marker = tmp_path / "child"
    child = f"import os, time; open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    helper(tmp_path, f"import subprocess, sys\nsubprocess.run((sys.executable, '-c', {child!r}))")
    write(tmp_path / ".docker/config.json", {"credsStore": "test"})
    with pytest.raises(UsageError, match="docker-credential-test did not answer within 1 s"):
        read_login("a.example", "app", environ(tmp_path))
    if marker.exists() and (number := marker.read_text()):
        ends = time.monotonic() + 30
        while is_running(int(number)) and time.monotonic() < ends:
            time.sleep(0.01)
        assert not is_running(int(number))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("absent", "names docker-credential-absent, which is not in PATH; install it"),
        ("../../bin/sh", "names the credential helper '../../bin/sh'; for example ecr-login"),
        ("a b", "names the credential helper 'a b'; for example ecr-login"),
    ],
)
def test_a_helper_that_does_not_exist_is_refused(name: str, expected: str, tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", {"credHelpers": {"a.example": name}})
    with pytest.raises(UsageError, match=re.escape(expected)):
        read_login("a.example", "app", environ(tmp_path))
