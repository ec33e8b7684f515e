"""The image that `make image` builds, and containers of it with the restrictions of a task definition.

The base image is made of Debian's packages, because the laboratory needs no image registry. podman's storage is in
.venv, separate from the machine's own.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.deployment.definitions import filled, probe_container
from tests.lab.cloud import OWN_IMAGE, ROOT, Cloud, Ended
from tests.lab.network import Host, abandoned, own_prefix, run

FOLDER = ROOT / ".venv" / "containers"
HOME, CA = "/opt/ecr-probe", "/lab/ca.pem"  # in a container
BASE, IMAGE = "localhost/ecr-probe-base", "localhost/ecr-probe:lab"
NEEDED = ("buildah", "podman", "runc", "mmdebstrap", "catatonit")
# Like the official images of Python, without the standard library's bytecode.
_MMDEBSTRAP = (
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--include=python3,python3-venv,ca-certificates",
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale")),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    '--customize-hook=find "$1/usr/lib/python3" "$1/usr/lib/python3."* -name "*.pyc" -delete',
    # Also like them, with pip.
    '--customize-hook=python3 -m zipfile -e "$1"/usr/share/python-wheels/pip-*.whl '
    '"$1/usr/local/lib/python3.11/site-packages" && touch "$1/usr/local/bin/pip3"',
    "bookworm",
)
# runc, because Debian's crun refuses hybrid cgroups; explicit limits, because a sandbox may not raise its own.
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/images"
runroot = "{folder}/run"
"""
# The settings of pip that a package proxy needs; the rest of pip's configuration concerns this machine only.
_PIP = ("index-url", "proxy", "timeout", "trusted-host")
# Texts in the two build secrets, to search for traces of them.
PIP_SECRET, CA_SECRET = "secret-of-pip.invalid", "secret-of-the-authority"
SOURCE = "https://source.example/ecr-probe"
_TRUSTED = "/etc/ssl/certs/ca-certificates.crt"  # Debian's


@dataclass(frozen=True, slots=True)
class Engine:
    """podman and buildah with a separate storage, which the variables `own` configure.

    Entry removes the containers of killed sessions, exit those of this session.
    """

    own: Mapping[str, str]

    @classmethod
    def at(cls, folder: Path = FOLDER) -> Engine:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "containers.conf").write_text(_CONTAINERS)
        (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
        files = {"CONTAINERS_CONF": "containers.conf", "CONTAINERS_STORAGE_CONF": "storage.conf"}
        return cls({name: str(folder / file) for name, file in files.items()})

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.own}

    def run(self, *command: str, timeout: float = 60) -> str:
        return run(*command, timeout=timeout, env=self.environment)

    def build(self) -> None:
        """Build the base image unless it exists, and the image by `make image`."""
        with build_variables() as variables, tempfile.TemporaryDirectory() as folder:
            if not self.run("podman", "images", "--quiet", BASE):
                tar = str(Path(folder, "base.tar"))
                self.run(*_MMDEBSTRAP, tar, timeout=600)
                self.run("podman", "import", "--quiet", tar, BASE)
            flags = "BUILD_FLAGS=--network host --layers"
            self.run("make", "--silent", "image", "ENGINE=buildah", f"TAG={IMAGE}", *variables, flags, timeout=600)
            self.run("podman", "image", "prune", "--force")

    def __enter__(self) -> Self:
        self._remove(abandoned(self.containers()))
        return self

    def __exit__(self, *_: object) -> None:
        self._remove([name for name in self.containers() if name.startswith(own_prefix())])

    def containers(self) -> list[str]:
        return self.run("podman", "ps", "--all", "--format", "{{.Names}}").split()

    def _remove(self, names: Sequence[str]) -> None:
        if names:
            self.run("podman", "rm", "--force", "--time", "0", *names)


@contextmanager
def build_variables() -> Iterator[list[str]]:
    """The variables of `make image` that this machine needs: the base, and the build secrets of a package proxy."""
    with tempfile.TemporaryDirectory() as folder:
        configuration, authorities = Path(folder, "pip.conf"), Path(folder, "ca.pem")
        configuration.write_text(_pip_configuration())
        # Text between certificates is ignored.
        trusted = Path(os.environ.get("PIP_CERT") or _TRUSTED)
        authorities.write_bytes(trusted.read_bytes() + f"\n{CA_SECRET}\n".encode())
        yield [f"BASE={BASE}", f"SOURCE={SOURCE}", f"PIP_CONF={configuration}", f"CA={authorities}"]


def _pip_configuration() -> str:
    configuration = subprocess.run(
        (sys.executable, "-m", "pip", "config", "list"), capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.partition("=") for line in configuration.splitlines())
    settings = {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in pairs}
    settings["trusted-host"] = f"{settings.get('trusted-host', '')} {PIP_SECRET}".strip()
    return "\n".join(["[global]", *(f"{name} = {settings[name]}" for name in _PIP if name in settings), ""])


@dataclass(frozen=True, slots=True)
class Task:
    """Runs containers of the image in a host of the laboratory, with the settings of a task definition."""

    engine: Engine
    host: Host
    definition: dict[str, Any]
    variables: Mapping[str, str]  # those that ECS sets
    mounts: Mapping[str, str] = field(default_factory=dict)  # path there → path here

    @property
    def container(self) -> Mapping[str, Any]:
        """The probe's container; the task may have one of the application too."""
        return probe_container(self.definition)

    def command(
        self,
        *arguments: str,
        variables: Mapping[str, str | None] | None = None,
        mounts: Mapping[str, str] | None = None,
        flags: Sequence[str] = (),
        name: str | None = None,
    ) -> tuple[str, ...]:
        """The podman command. Without arguments it runs the definition's command; a variable with None is not set."""
        defined = {entry["name"]: entry["value"] for entry in self.container.get("environment", ())}
        environ = {**self.variables, **defined, **(variables or {})}
        return (
            "podman",
            "run",
            "--rm",
            f"--name={name or new_name()}",
            "--http-proxy=false",
            "--network",
            f"ns:/run/netns/{self.host.name}",
            *self._limits(),
            *(f"--env={name}={value}" for name, value in environ.items() if value is not None),
            *(f"--volume={here}:{there}:ro" for there, here in {**self.mounts, **(mounts or {})}.items()),
            *flags,
            IMAGE,
            *(arguments or self.container.get("command", ())),
        )

    def _limits(self) -> list[str]:
        container = self.container
        flags = [
            f"--user={container['user']}",
            f"--stop-timeout={container['stopTimeout']}",
            *(f"--cap-drop={name}" for name in container["linuxParameters"]["capabilities"]["drop"]),
            *(f"--security-opt={option}" for option in container.get("dockerSecurityOptions", ())),
            # Fargate has no such option; it proves that nothing depends on gaining privileges.
            "--security-opt=no-new-privileges",
        ]
        if container["readonlyRootFilesystem"]:
            # Without the writable /tmp that podman adds by default.
            flags += ["--read-only", "--read-only-tmpfs=false"]
        if container["linuxParameters"].get("initProcessEnabled"):
            flags.append("--init")
        return flags

    def size(self) -> list[str]:
        """podman's flags for the task's CPU units (1024 are one core) and the container's memory."""
        memory = self.container.get("memory", self.definition["memory"])
        return [f"--cpus={int(self.definition['cpu']) / 1024}", f"--memory={memory}m"]

    def run(
        self,
        *arguments: str,
        variables: Mapping[str, str | None] | None = None,
        mounts: Mapping[str, str] | None = None,
        flags: Sequence[str] = (),
    ) -> Ended:
        began = time.monotonic()
        done = subprocess.run(
            self.command(*arguments, variables=variables, mounts=mounts, flags=flags),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            stdin=subprocess.DEVNULL,
            env=self.engine.environment,
        )
        return Ended(done.stdout, done.stderr, done.returncode, time.monotonic() - began)


def new_name() -> str:
    """A name for a container, by which the end of the session finds it."""
    return own_prefix() + secrets.token_hex(4)


def one_off(cloud: Cloud, engine: Engine) -> Task:
    """The one-off task on Fargate. Pushes its image into the laboratory's registry."""
    cloud.push(f"containers-storage:{IMAGE}", OWN_IMAGE, env=engine.environment)
    variables = {**cloud.variables, "AWS_CA_BUNDLE": CA}
    return Task(engine, cloud.task, filled("fargate-check"), variables, {CA: str(cloud.ca_bundle)})


if __name__ == "__main__":
    Engine.at().build()
