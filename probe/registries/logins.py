"""Logins of registries from the files of docker and podman, and from docker's credential helpers.

Docker's config.json: docker/cli, "docker login"; the protocol of helpers: docker/docker-credential-helpers, README.md;
podman's auth.json: containers-auth.json(5). No text of a helper or file is shown: it may be the secret.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import selectors
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

import msgspec

from probe.config.flags import UsageError
from probe.records import Unshown, field
from probe.safe_words import quoted

HELPER_SECONDS = 30.0  # one may ask for a passphrase
_MAX_REPLY = 64 * 1024  # bytes of a helper
_MAX_FILE = 4 * 1024 * 1024
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
_DOCKER_HUB = "https://index.docker.io/v1/"  # the key of Docker Hub in docker's files
_IDENTITY_TOKEN = "<token>"  # the user for which a helper returns an identity token


class Login(Unshown, frozen=True):
    """A user and password, or an identity token, which is exchanged for the tokens of a registry."""

    user: str = ""
    password: str = ""
    identity_token: str = ""


class _Auth(Unshown, frozen=True):
    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""


class _File(Unshown, frozen=True, rename={"creds_store": "credsStore", "cred_helpers": "credHelpers"}):
    auths: dict[str, _Auth] = field(default_factory=dict)
    creds_store: str = ""
    cred_helpers: dict[str, str] = field(default_factory=dict)


class _Reply(Unshown, frozen=True, rename={"server": "ServerURL", "user": "Username", "secret": "Secret"}):
    server: str = ""
    user: str = ""
    secret: str = ""


def read_login(host: str, repository: str, environ: Mapping[str, str]) -> Login | None:
    """The login for a registry, from the first file that has one; None if no file does.

    `host` may have a port, as in an image reference. Raises UsageError for a file or helper that cannot be used.
    """
    for path in _files(environ):
        content = _read(path)
        if content is not None and (login := _login_in(content, path, host, repository, environ)) is not None:
            return login
    return None


def _files(environ: Mapping[str, str]) -> Iterator[str]:
    """Where docker and podman keep logins. A file that a variable names comes first."""
    home, runtime = environ.get("HOME", ""), environ.get("XDG_RUNTIME_DIR", "")
    folder = environ.get("DOCKER_CONFIG", "")
    configuration = environ.get("XDG_CONFIG_HOME", "") or (os.path.join(home, ".config") if home else "")
    if named := environ.get("REGISTRY_AUTH_FILE", ""):
        yield named
    if folder or home:
        yield os.path.join(folder or os.path.join(home, ".docker"), "config.json")
    for place in (runtime, configuration):
        if place:
            yield os.path.join(place, "containers", "auth.json")


def _read(path: str) -> _File | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            body = file.read(_MAX_FILE + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a path"
        raise UsageError(f"the logins in {quoted(path)} cannot be read: {reason}") from None
    try:
        if len(body) > _MAX_FILE:
            raise ValueError
        return msgspec.json.decode(body, type=_File)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UsageError(
            f"{quoted(path)} is not a file of docker's or podman's logins; mend it, or name another one, "
            "for example DOCKER_CONFIG=$HOME/.docker"
        ) from None


def _login_in(content: _File, path: str, host: str, repository: str, environ: Mapping[str, str]) -> Login | None:
    keys = _keys(host, repository)
    helper = next((content.cred_helpers[key] for key in keys if key in content.cred_helpers), content.creds_store)
    if helper:
        server = _DOCKER_HUB if host == "docker.io" else host
        return _ask(helper, server, path, environ)
    return next((login for key in keys if (login := _decoded(content.auths.get(key), path)) is not None), None)


def _keys(host: str, repository: str) -> list[str]:
    """The keys of a registry, the most specific first: podman's may name a repository, docker's may be URLs."""
    parts = repository.split("/")
    names = [f"{host}/{'/'.join(parts[:count])}" for count in range(len(parts), 0, -1)]
    hosts = [host, "index.docker.io", "registry-1.docker.io"] if host == "docker.io" else [host]
    urls = [
        f"{scheme}{name}{end}"
        for name in hosts
        for scheme in ("https://", "http://")
        for end in ("", "/", "/v1/", "/v2/")
    ]
    return [*names, *hosts, *urls]


def _decoded(auth: _Auth | None, path: str) -> Login | None:
    if auth is None:
        return None
    user, password = auth.username, auth.password
    if auth.auth:
        try:
            text = base64.b64decode(auth.auth, validate=True).decode()
        except (binascii.Error, UnicodeError, ValueError):
            raise UsageError(
                f"{quoted(path)} has a login that is not base64; log in again, for example: docker login"
            ) from None
        user, _, password = text.partition(":")
        password = password.rstrip("\0")  # as docker does
    if not (user and password) and not auth.identitytoken:
        return None  # docker leaves an empty entry where a helper keeps the login
    return Login(user=user, password=password, identity_token=auth.identitytoken)


# ---- credential helpers ----------------------------------------------------------------------------------------------


def _ask(name: str, server: str, path: str, environ: Mapping[str, str]) -> Login | None:
    """The login that a helper has for a server, None if it has none. Raises UsageError."""
    if not _HELPER.fullmatch(name):
        raise UsageError(f"{quoted(path)} names the credential helper {quoted(name)}; for example ecr-login")
    program = shutil.which(f"docker-credential-{name}", path=environ.get("PATH"))
    if program is None:
        raise UsageError(f"{quoted(path)} names docker-credential-{name}, which is not in PATH; install it")
    reply, code = _run(program, server.encode())
    if code != 0:
        if b"credentials not found" in reply:  # the protocol's only sentence
            return None
        raise UsageError(f"docker-credential-{name} has no login for {server} (exit code {code}); log in again")
    try:
        login = msgspec.json.decode(reply, type=_Reply)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise UsageError(f"docker-credential-{name} returned no login for {server}, but something else") from None
    if login.user == _IDENTITY_TOKEN:
        return Login(identity_token=login.secret)
    return Login(user=login.user, password=login.secret) if login.user and login.secret else None


def _run(program: str, text: bytes) -> tuple[bytes, int]:
    """Run a helper with `text` at its input; return its output and exit code. Raises UsageError if it hangs."""
    name, ends = os.path.basename(program), time.monotonic() + HELPER_SECONDS
    try:
        process = subprocess.Popen(
            (program, "get"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that its children end with it
        )
    except OSError as error:
        raise UsageError(f"{name} cannot be started: {error.strerror}; install it again") from None
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(OSError):  # it may have ended already; a pipe takes so few bytes without waiting
            process.stdin.write(text)
            process.stdin.close()
        reply = _read_until(process.stdout.fileno(), ends)
        if len(reply) > _MAX_REPLY:
            raise UsageError(f"{name} returned more than a login; log in again without it")
        return reply, process.wait(max(0.1, ends - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise UsageError(f"{name} did not answer within {HELPER_SECONDS:g} s; log in again without it") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def _read_until(descriptor: int, ends: float) -> bytes:
    """Everything until the end of the output, or a little more than is expected. Raises TimeoutError."""
    reply = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while len(reply) <= _MAX_REPLY:
            if not selector.select(max(0.0, ends - time.monotonic())):
                raise TimeoutError
            piece = os.read(descriptor, _MAX_REPLY)
            if not piece:
                break
            reply += piece
    return reply
