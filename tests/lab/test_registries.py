"""Copies between real archives and CNCF distribution. skopeo and podman make the archives and judge the results."""

from __future__ import annotations

import base64
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from probe.progress import Silent
from probe.registries.archive import open_archive
from probe.registries.client import Registry
from probe.registries.copying import Copied, copy
from probe.registries.logins import Login
from probe.registries.reference import open_reference
from tests.lab.account import ThisMachine
from tests.lab.containers import Engine
from tests.lab.daemons import Daemon
from tests.lab.images import KIB, MIB, write_layout
from tests.lab.network import ENVIRONMENT, run
from tests.registries import layouts

NEEDED = ("docker-registry", "htpasswd", "skopeo", "podman", "runc", "catatonit")
USER, PASSWORD = "robot", "s3cret/of?mine"
LOGIN = Login(user=USER, password=PASSWORD)
HELLO = ("/catatonit", "-V")  # the only program here that is linked statically
_CONFIGURATION = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
auth:
  {auth}
"""


@dataclass(frozen=True)
class Distribution:
    """A registry with a login."""

    port: int
    kind: str

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def copy(self, path: str, repository: str, *, platforms: tuple[str, ...] = (), port: int | None = None) -> Copied:
        """Copy an archive here, under the tag 1."""
        host = f"127.0.0.1:{port or self.port}"
        with open_archive(path) as source, Registry(host, lambda: LOGIN, stop=Immediate()) as registry:
            return copy(source.only(platforms) if platforms else source, registry, repository, tags=["1"])

    def inspect(self, repository: str) -> str:
        """What skopeo reads as the digest of the tag 1; it verifies the manifest."""
        flags = ("--tls-verify=false", "--creds", f"{USER}:{PASSWORD}")
        return run(
            "skopeo", "inspect", *flags, "--format", "{{.Digest}}", f"docker://{self.host}/{repository}:1"
        ).strip()

    def download(self, repository: str, folder: Path, *flags: str) -> Path:
        """Let skopeo copy the image into a folder; it verifies every blob."""
        source = ("--src-tls-verify=false", "--src-creds", f"{USER}:{PASSWORD}", f"docker://{self.host}/{repository}:1")
        run("skopeo", "--insecure-policy", "copy", "--quiet", "--all", *flags, *source, f"dir:{folder}")
        return folder


class Immediate(Event):
    """A stop that is never set, and whose waits are short."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(min(timeout or 0, 0.05))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def distribution(folder: Path, kind: str) -> Iterator[Distribution]:
    folder.mkdir()
    port = free_port()
    with token_server(folder) as realm:
        if kind == "basic":
            (folder / "htpasswd").write_text(run("htpasswd", "-nbB", "-C", "4", USER, PASSWORD))
            auth = f"htpasswd: {{realm: lab, path: {folder}/htpasswd}}"
        else:
            auth = f"token: {{realm: '{realm}', service: lab, issuer: lab, rootcertbundle: {folder}/issuer.pem}}"
        file = folder / "registry.yml"
        file.write_text(_CONFIGURATION.format(storage=folder / "storage", port=port, auth=auth))
        daemon = Daemon("registry", ThisMachine("", ()), ("docker-registry", "serve", str(file)), logs=folder)
        try:
            daemon.wait_until_it_listens(port)
            yield Distribution(port, kind)
        finally:
            daemon.stop()


@pytest.fixture(scope="module", params=["basic", "bearer"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distribution]:
    if missing := [name for name in NEEDED if not shutil.which(name, path=ENVIRONMENT["PATH"])]:
        pytest.skip(f"missing here: {', '.join(missing)}")
    with distribution(tmp_path_factory.mktemp("distribution") / "lab", request.param) as served:
        yield served


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    folder = tmp_path_factory.mktemp("containers")
    with Engine.at(folder) as engine:
        yield engine
        # `podman system reset` would also remove /run/libpod, which the engines of other workers use meanwhile.
        engine.run("podman", "rmi", "--all", "--force")
    if (storage := folder / "images" / "overlay").is_mount():  # podman's own, which keeps pytest from removing it
        run("umount", "--lazy", str(storage))


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCI layout of an image that runs."""
    folder = tmp_path_factory.mktemp("hello")
    program, machine = (
        shutil.which("catatonit", path=ENVIRONMENT["PATH"]) or "",
        write_layout(folder / "x", "x:1", (1,)),
    )
    architecture = json.loads(_blob(machine.folder, _config_of(machine.folder)))["architecture"]
    layer = folder / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(program, HELLO[0])
    files: layouts.Files = {}
    config = json.loads(layouts.config([layer.read_bytes()], architecture)) | {"config": {"Entrypoint": list(HELLO)}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": layouts.MANIFEST,
        "config": layouts.put_json(files, config, layouts.CONFIG),
        "layers": [layouts.put(files, layer.read_bytes(), "application/vnd.oci.image.layer.v1.tar")],
    }
    root = layouts.put_json(files, manifest, layouts.MANIFEST)
    return Path(layouts.write_folder(folder / "layout", layouts.layout(files, root)))


def _config_of(folder: Path) -> str:
    index = json.loads((folder / "index.json").read_text())
    return str(json.loads(_blob(folder, index["manifests"][0]["digest"]))["config"]["digest"])


def _blob(folder: Path, digest: str) -> bytes:
    return (folder / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()


def convert(source: str, target: str, *flags: str) -> None:
    run("skopeo", "--insecure-policy", "copy", "--quiet", *flags, source, target)


# ---- archives that others write --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "writer", ["layout", "oci-archive", "oci-archive.gz", "docker-archive", "podman oci", "podman docker"]
)
def test_an_archive_of_each_kind_runs_from_the_registry(
    writer: str, registry: Distribution, engine: Engine, hello: Path, tmp_path: Path
) -> None:
    name = writer.replace(" ", "-").replace(".", "-")
    path, repository = tmp_path / "image.tar", f"team/{name}"
    match writer:
        case "layout":
            path = hello
        case "oci-archive" | "oci-archive.gz":
            convert(f"oci:{hello}", f"oci-archive:{path}")
            if writer.endswith("gz"):
                run("gzip", str(path))
                path = tmp_path / "image.tar.gz"
        case "docker-archive":
            convert(f"oci:{hello}", f"docker-archive:{path}:team/app:1")
        case _:
            loaded = engine.run("podman", "pull", "--quiet", f"oci:{hello}").strip()
            kind = {"podman oci": "oci-archive", "podman docker": "docker-archive"}[writer]
            engine.run("podman", "save", "--quiet", "--format", kind, "--output", str(path), loaded)
    copied = registry.copy(str(path), repository)
    assert registry.inspect(repository) == copied.digest
    reference = f"{registry.host}/{repository}:1"
    login = ("--tls-verify=false", "--creds", f"{USER}:{PASSWORD}")
    engine.run("podman", "pull", "--quiet", *login, reference)
    assert "catatonit" in engine.run("podman", "run", "--rm", "--network=none", reference)
    again = registry.copy(str(path), repository)
    assert again == Copied(digest=copied.digest, manifests_skipped=copied.manifests_pushed)


def test_an_index_is_copied_with_everything_in_it(registry: Distribution, tmp_path: Path) -> None:
    files = layouts.two_platforms()
    copied = registry.copy(layouts.write_folder(tmp_path / "layout", files), "team/index")
    assert registry.inspect("team/index") != ""
    downloaded = registry.download("team/index", tmp_path / "downloaded")
    blobs = {name.rpartition("/")[2] for name in files if name.startswith("blobs/")}
    names = {file.name.removesuffix(".manifest.json") for file in downloaded.iterdir()}
    assert blobs - {copied.digest[7:]} <= names
    assert layouts.digest((downloaded / "manifest.json").read_bytes()) == copied.digest


def test_some_platforms_are_a_new_index_that_the_registry_takes(registry: Distribution, tmp_path: Path) -> None:
    files: layouts.Files = {}
    entries = [
        layouts.put_image(files, name, name.encode() * 9, platform={"os": "linux", "architecture": name})
        for name in ("amd64", "arm64", "riscv64")
    ]
    path = layouts.write_folder(tmp_path / "layout", layouts.layout(files, layouts.put_index(files, entries)))
    copied = registry.copy(path, "team/some", platforms=("linux/arm64", "linux/riscv64"))
    assert len(copied.manifests_pushed) == 3
    manifest = json.loads((registry.download("team/some", tmp_path / "some") / "manifest.json").read_text())
    assert [entry["digest"] for entry in manifest["manifests"]] == [entry["digest"] for entry in entries[1:]]
    one = registry.copy(path, "team/one", platforms=("linux/arm64",))
    assert one.digest == entries[1]["digest"] == registry.inspect("team/one")


# ---- from registry to registry ---------------------------------------------------------------------------------------


def test_an_image_of_another_registry_is_copied(registry: Distribution, hello: Path, tmp_path: Path) -> None:
    registry.copy(str(hello), "team/app")
    with (
        distribution(tmp_path / "other", "basic") as other,
        open_reference(f"{registry.host}/team/app:1", login=lambda: LOGIN) as source,
        Registry(other.host, lambda: LOGIN) as target,
    ):
        copied = copy(source, target, "copied/app", tags=["1"])
        assert len(copied.blobs_pushed) == 2
        assert other.inspect("copied/app") == copied.digest == source.digest


def test_blobs_are_mounted_from_another_repository(registry: Distribution, tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout", "app:1", (300 * KIB,))
    registry.copy(str(layout.folder), "team/base")
    with (
        open_reference(f"{registry.host}/team/base:1", login=lambda: LOGIN) as source,
        Registry(registry.host, lambda: LOGIN) as target,
    ):
        copied = copy(source, target, "team/mounted", tags=["1"])
    assert len(copied.blobs_mounted) == 2
    assert not copied.blobs_pushed
    assert registry.inspect("team/mounted") == copied.digest


def test_the_logins_of_podman_are_used(registry: Distribution, hello: Path, tmp_path: Path) -> None:
    registry.copy(str(hello), "team/private")
    file = tmp_path / "auth.json"
    flags = ("--tls-verify=false", f"--authfile={file}", "--username", USER, "--password-stdin")
    run("skopeo", "login", *flags, registry.host, stdin=PASSWORD)
    reference = f"{registry.host}/team/private:1"
    with open_reference(reference, environ={"REGISTRY_AUTH_FILE": str(file)}) as source:
        assert source.digest == registry.inspect("team/private")


# ---- lost connections ------------------------------------------------------------------------------------------------


@dataclass
class Cutter:
    """Forwards TCP connections to a port, and breaks each of the first ones after some bytes from the client."""

    to: int
    limits: list[int]
    forwarded: list[int] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()
            yield int(server.getsockname()[1])
            server.shutdown(socket.SHUT_RDWR)

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            limit = self.limits.pop(0) if self.limits else 1 << 40
            threading.Thread(target=self._forward, args=(client, limit), daemon=True).start()

    def _forward(self, client: socket.socket, limit: int) -> None:
        with client, socket.create_connection(("127.0.0.1", self.to)) as registry:
            answers = threading.Thread(target=_pump, args=(registry, client, 1 << 40), daemon=True)
            answers.start()
            self.forwarded.append(_pump(client, registry, limit))
            for end in (client, registry):
                reset(end)
            answers.join(10)


def _pump(source: socket.socket, target: socket.socket, limit: int) -> int:
    count = 0
    try:
        while count < limit and (piece := source.recv(min(64 * KIB, limit - count))):
            target.sendall(piece)
            count += len(piece)
    except OSError:
        pass
    return count


def test_an_upload_survives_lost_connections(registry: Distribution, tmp_path: Path) -> None:
    """Distribution 2.8 loses an upload whose request was cut (404, "resumed at wrong offset"), so that it starts again;
    tests/registries has a registry that continues."""
    layout = write_layout(tmp_path / "layout", "app:1", (30 * MIB,))
    cutter = Cutter(registry.port, [2 * MIB, 9 * MIB + 77, 3 * MIB, 5 * KIB])
    with cutter.listening() as port:
        copied = registry.copy(str(layout.folder), "team/interrupted", port=port)
    assert not cutter.limits
    assert registry.inspect("team/interrupted") == copied.digest
    registry.download("team/interrupted", tmp_path / "downloaded")
    assert copied.bytes_sent > 40 * MIB


def test_a_download_goes_on_after_lost_connections(registry: Distribution, tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout", "app:1", (20 * MIB,))
    registry.copy(str(layout.folder), "team/source")
    proxy = Reversed(registry.port, [4 * MIB, 9 * MIB, 1 * MIB])
    with (
        proxy.listening() as port,
        open_reference(f"127.0.0.1:{port}/team/source:1", login=lambda: LOGIN, stop=Immediate()) as source,
        Registry(registry.host, lambda: LOGIN) as target,
    ):
        copied = copy(source, target, "team/target", tags=["1"])
    assert not proxy.limits
    assert registry.inspect("team/target") == copied.digest
    registry.download("team/target", tmp_path / "downloaded")


class Reversed(Cutter):
    """Breaks connections after some bytes from the registry."""

    def _forward(self, client: socket.socket, limit: int) -> None:
        with client, socket.create_connection(("127.0.0.1", self.to)) as registry:
            threading.Thread(target=_pump, args=(client, registry, 1 << 40), daemon=True).start()
            self.forwarded.append(_pump(registry, client, limit))
            for end in (client, registry):
                reset(end)


def reset(end: socket.socket) -> None:
    """End a connection as a firewall does that forgot it."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


# ---- limits ----------------------------------------------------------------------------------------------------------

_MEASURED = """
import resource, sys
from probe.registries.archive import open_archive
from probe.registries.client import Registry
from probe.registries.copying import copy
from probe.registries.logins import Login

path, host, user, password = sys.argv[1:]
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_archive(path) as source, Registry(host, lambda: Login(user=user, password=password)) as registry:
    registry.has("team/large", source.digest)
    before = peak()
    copy(source, registry, "team/large", tags=["1"])
print(peak() - before)
"""


def test_the_memory_of_a_copy_does_not_grow_with_its_layers(registry: Distribution, tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout", "app:1", (200 * MIB,))
    command = (sys.executable, "-c", _MEASURED, str(layout.folder), registry.host, USER, PASSWORD)
    kilobytes = int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert kilobytes < 20 * 1024


def test_a_stopped_copy_is_finished_by_the_next(registry: Distribution, tmp_path: Path) -> None:
    class Stopping(Silent):
        def layer_advanced(self, _digest: str, _count: int) -> None:
            stop.set()

    layout, stop = write_layout(tmp_path / "layout", "app:1", (20 * MIB, 100 * KIB)), Event()
    with open_archive(str(layout.folder)) as source, Registry(registry.host, lambda: LOGIN) as target:
        with pytest.raises(Exception, match="the copy was stopped"):
            copy(source, target, "team/stopped", tags=["1"], progress=Stopping(), stop=stop)
        assert not target.has("team/stopped", source.digest)
    copied = registry.copy(str(layout.folder), "team/stopped")
    assert registry.inspect("team/stopped") == copied.digest


# ---- a token server --------------------------------------------------------------------------------------------------


@contextmanager
def token_server(folder: Path) -> Iterator[str]:
    """Issues the tokens that distribution verifies (distribution, docs/spec/auth/jwt.md). Yields its realm."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "issuer.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    chain = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            is_known = self.headers.get("Authorization") == expected
            body = json.dumps({"token": token(self.path)}).encode() if is_known else b"{}"
            self.send_response(200 if is_known else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    def token(path: str) -> str:
        scopes = [scope for text in parse_qs(urlsplit(path).query).get("scope", ()) for scope in text.split()]
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            repository, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": repository, "actions": actions.split(",")})
        seconds = int(time.time())
        claims = {"iss": "lab", "sub": USER, "aud": "lab", "iat": seconds, "nbf": seconds - 60, "exp": seconds + 300}
        signed = ".".join(
            _encoded(json.dumps(part).encode())
            for part in (
                {"typ": "JWT", "alg": "RS256", "x5c": [chain]},
                {**claims, "jti": "1", "access": access},
            )
        )
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
