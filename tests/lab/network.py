"""Network namespaces, connected by a router. cloud.py defines the hosts, daemons.py runs programs in them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The environment of programs in a namespace: nothing of this machine's own settings.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
# Nothing listens there, so a lookup fails immediately; this machine's own resolver would not answer at all.
NO_RESOLVER = ("127.0.0.1",)


def run(*command: str, stdin: str | None = None, timeout: float = 30.0, env: Mapping[str, str] = ENVIRONMENT) -> str:
    """Return the output of `command`. Raises RuntimeError with its error text if it fails."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=timeout, env=dict(env), check=False
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} exited {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}"
        )
    return done.stdout


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace with one interface, eth0, that is connected to the router."""

    name: str
    addresses: tuple[str, ...]

    def wrapped(self, *command: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name, *command)

    def run(self, *command: str, stdin: str | None = None) -> str:
        return run(*self.wrapped(*command), stdin=stdin)

    @contextlib.contextmanager
    def filtering(self, rules: str) -> Iterator[None]:
        """Within this context nftables applies `rules` (chains of one table) in this host."""
        self.run("nft", "-f", "-", stdin=f"table ip breakage {{\n{rules}\n}}\n")
        try:
            yield
        finally:
            self.run("nft", "delete", "table", "ip", "breakage")

    def counted(self) -> int:
        """The packets that matched the rules of `filtering` that have a counter."""
        return sum(map(int, re.findall(r"\bcounter packets (\d+)", self.run("nft", "list", "table", "ip", "breakage"))))

    @contextlib.contextmanager
    def routing(self, *route: str) -> Iterator[None]:
        """Within this context this route exists too."""
        self.run("ip", "route", "add", *route)
        try:
            yield
        finally:
            self.run("ip", "route", "delete", *route)

    def resolve_by(self, addresses: Iterable[str]) -> None:
        """Set the name servers of programs that start from now on."""
        folder = Path("/etc/netns") / self.name  # `ip netns exec` and podman mount its files over /etc
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text("".join(f"nameserver {address}\n" for address in addresses))


def own_prefix() -> str:
    """The prefix of every name that this session creates; it is unique and shows the session's process id."""
    return f"ecr-probe-lab-{os.getpid()}-"


def abandoned(names: Iterable[str]) -> list[str]:
    """The names that sessions created which were killed before they could clean up."""
    owners = {name: re.match(r"ecr-probe-lab-(\d+)-", name) for name in names}
    return [name for name, owner in owners.items() if owner and not Path("/proc", owner[1]).exists()]


class Network:
    """A router and its hosts, under names that no other session uses, without a route to the outside."""

    def __init__(self) -> None:
        self._prefix = own_prefix() + secrets.token_hex(2)
        self._names: list[str] = []

    def build(self) -> None:
        _delete(abandoned(line.split()[0] for line in run("ip", "netns", "list").splitlines()))
        self.router = Host(self._add("router"), ())
        self.router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        # A VPC drops packets without a route silently; a Linux router would answer with ICMP.
        self.router.run("ip", "route", "add", "blackhole", "default", "metric", "1000")

    def _add(self, name: str) -> str:
        full = f"{self._prefix}-{name}"
        self._names.append(full)
        run("ip", "netns", "add", full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def host(
        self, name: str, *networks: str, others: Sequence[str] = (), resolvers: Sequence[str] = NO_RESOLVER
    ) -> Host:
        """Add a host with addresses of a /24 in which .1 is the router, and `others` that the router routes to it."""
        full, first = self._add(name), networks[0]
        gateway = first.rsplit(".", 1)[0] + ".1"
        link = ("ip", "-n", self.router.name, "link")
        run(*link, "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", full)
        run("ip", "-n", self.router.name, "address", "add", f"{gateway}/24", "dev", f"to-{name}")
        run(*link, "set", f"to-{name}", "up")
        for address in networks:
            run("ip", "-n", full, "address", "add", f"{address}/24", "dev", "eth0")
        for address in others:
            run("ip", "-n", full, "address", "add", f"{address}/32", "dev", "eth0")
        run("ip", "-n", full, "link", "set", "eth0", "up")
        run("ip", "-n", full, "route", "add", "default", "via", gateway)
        for address in others:
            run("ip", "-n", self.router.name, "route", "add", f"{address}/32", "via", first)
        host = Host(full, (*networks, *others))
        host.resolve_by(resolvers)
        return host

    def remove(self) -> None:
        _delete(self._names)


def _delete(names: Sequence[str]) -> None:
    """Delete the namespaces, which removes their interfaces too."""
    for name in reversed(names):
        with contextlib.suppress(RuntimeError):
            run("ip", "netns", "delete", name)
        shutil.rmtree(Path("/etc/netns") / name, ignore_errors=True)
    with contextlib.suppress(OSError):
        Path("/etc/netns").rmdir()  # only if it is empty


def environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**ENVIRONMENT, **more}
