"""The laboratory whole: a VPC of two zones whose endpoints answer under AWS's own names, and a task in it.

                    10.0.1.77 task
                        |
    10.0.0.2 ------- router ------- 10.0.10.x endpoints, zone a     10.0.20.x endpoints, zone b
    169.254.169.253     |
    resolver            +---------- 10.99.0.2 aws: moto, registry; S3 at 52.216.10.10,
                                                    the public side of ECR at 3.8.169.x

What is healthy stands here; what breaks it in faults.py.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trustme

from tests.lab import servers
from tests.lab.daemons import Daemon
from tests.lab.images import Layout
from tests.lab.network import Network, abandoned, environment, own_prefix
from tests.lab.servers import Site

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / ".venv" / "servers" / "bin"  # where make test-lab puts moto and the AWS CLI
REGION, ACCOUNT = "us-east-1", "123456789012"
API = f"api.ecr.{REGION}.amazonaws.com"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
LOGS = f"logs.{REGION}.amazonaws.com"
LAYERS = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"
PASSWORD = f"{ACCOUNT}-auth-token"  # moto's

TASK = "10.0.1.77"
RESOLVERS = ("10.0.0.2", "169.254.169.253")
ZONES = {"a": "10.0.10", "b": "10.0.20"}
S3, S3_ELSEWHERE = "52.216.10.10", "52.218.10.10"
PUBLIC = {API: "3.8.169.10", REGISTRY: "3.8.169.11", LOGS: "3.8.169.12"}
AWS = "10.99.0.2"
UNROUTED = f"10.99.0.0/24, {S3_ELSEWHERE}, 3.8.169.0/24"
API_PORT, REGISTRY_PORT = 5001, 5000
# Beside 443 and 53 wait the same servers gone bad; faults.py leads traffic to them.
OTHER_CA_PORT, TRICKLE_PORT, PUBLIC_DNS_PORT = 8443, 8444, 5353

NEEDED = ("curl", "dig", "dnsmasq", "docker-registry", "htpasswd", "ip", "nft", "nginx", "setpriv", "skopeo")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: what it printed, its exit code, how long it took."""

    out: str
    err: str
    code: int
    seconds: float


class Cloud:
    """Entered, it stands; left, nothing of it remains."""

    def __init__(self, servers_folder: Path) -> None:
        self._programs = servers_folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # ---- building --------------------------------------------------------------------------------

    def _build(self) -> None:
        for name in abandoned(os.listdir(tempfile.gettempdir())):
            shutil.rmtree(Path(tempfile.gettempdir(), name), ignore_errors=True)
        self.folder = Path(tempfile.mkdtemp(prefix=own_prefix()))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        network = Network()
        self._stack.callback(network.remove)
        network.build()
        self.router = network.router
        self.task = network.host("task", TASK, resolvers=RESOLVERS)
        self.resolver = network.host("resolver", RESOLVERS[0], others=RESOLVERS[1:])
        self.zones = {
            zone: network.host(f"zone-{zone}", *(f"{net}.{last}" for last in (10, 11, 12)))
            for zone, net in ZONES.items()
        }
        self.aws = network.host("aws", AWS, others=(S3, S3_ELSEWHERE, *PUBLIC.values()))
        self._isolate()
        self._certify()
        self._serve()

    def _isolate(self) -> None:
        """Only S3 of this region is routed, as by a gateway endpoint; the rest is there for the other servers alone."""
        self.router.run(
            "nft",
            "add table ip isolation;"
            "add chain ip isolation forward { type filter hook forward priority 0; };"
            f"add rule ip isolation forward ip saddr {TASK} ip daddr {{ {UNROUTED} }} drop",
        )

    @contextlib.contextmanager
    def nat(self) -> Iterator[None]:
        """While the context lasts, everything public is reached, as through a NAT gateway."""
        self.router.run("nft", "delete", "table", "ip", "isolation")
        try:
            yield
        finally:
            self._isolate()

    def _certify(self) -> None:
        names = (
            API,
            f"*.dkr.ecr.{REGION}.amazonaws.com",
            LOGS,
            f"*.s3.{REGION}.amazonaws.com",
            "s3.us-east-2.amazonaws.com",
        )
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=300)
        for file, organization in (("amazon", "Amazon"), ("middlebox", "Corporate Proxy Inc")):
            authority = trustme.CA(organization_name=organization)
            # Three certificates in a chain, as Amazon's: more than fits into one packet.
            between = trustme.CA(authority, organization_name=organization)
            issuer = trustme.CA(between, organization_name=organization)
            certificate = issuer.issue_cert(*names, not_after=until)
            authority.cert_pem.write_to_path(self.folder / f"{file}-ca.pem")
            certificate.private_key_and_cert_chain_pem.write_to_path(self.folder / f"{file}.key")
            for blob in certificate.cert_chain_pems:
                blob.write_to_path(self.folder / f"{file}.pem", append=True)
        self.ca_bundle = self.folder / "amazon-ca.pem"

    def _serve(self) -> None:
        folder = self.folder
        self._daemon(
            servers.registry(
                self.aws, folder, port=REGISTRY_PORT, user="AWS", password=PASSWORD, layers=f"https://{LAYERS}"
            )
        )
        self._daemon(servers.moto(self.aws, folder, self._programs / "moto_server", port=API_PORT))
        for zone, host in self.zones.items():
            sites = [*_fronts(host.addresses), *_fronts(host.addresses, OTHER_CA_PORT, "middlebox")]
            self._daemon(servers.nginx(host, folder, sites, name=f"zone-{zone}", certificates=folder))
        files = f"root {folder}/registry;"
        public = [
            *_fronts(tuple(PUBLIC.values())),
            Site(S3, LAYERS, files),
            Site(S3, LAYERS, f"{files} limit_rate 1k;", TRICKLE_PORT),
            Site(S3_ELSEWHERE, "s3.us-east-2.amazonaws.com", "return 403;"),
        ]
        self._daemon(servers.nginx(self.aws, folder, public, name="public", certificates=folder))
        s3: dict[str, tuple[str, ...]] = {
            f"s3.{REGION}.amazonaws.com": (S3,),
            "s3.us-east-2.amazonaws.com": (S3_ELSEWHERE,),
        }
        private: dict[str, tuple[str, ...]] = {
            name.removeprefix(f"{ACCOUNT}."): tuple(f"{net}.{last}" for net in ZONES.values())
            for last, name in zip((10, 11, 12), (API, REGISTRY, LOGS), strict=True)
        }
        public_names: dict[str, tuple[str, ...]] = {
            name.removeprefix(f"{ACCOUNT}."): (address,) for name, address in PUBLIC.items()
        }
        for name, port, answers in (("private", 53, private), ("public", PUBLIC_DNS_PORT, public_names)):
            self._daemon(servers.dnsmasq(self.resolver, folder, answers | s3, name=f"dns-{name}", port=port))

    def _daemon(self, daemon: Daemon) -> None:
        self._stack.callback(daemon.stop)

    # ---- using -----------------------------------------------------------------------------------

    def push(self, layout: Layout) -> None:
        """Put an image into the registry, from beside it."""
        self.aws.run(
            "skopeo",
            "copy",
            "--quiet",
            "--insecure-policy",
            "--dest-tls-verify=false",
            f"--dest-creds=AWS:{PASSWORD}",
            f"oci:{layout.folder}",
            f"docker://{AWS}:{REGISTRY_PORT}/{layout.reference}",
        )

    def in_task(self, *command: str, **more: str) -> Ended:
        """Run a program where the task is, with the task's credentials; `more` are variables."""
        began = time.monotonic()
        done = subprocess.run(
            self.task.wrapped(*command),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment({**CREDENTIALS, "HOME": str(self.folder), **more}),
        )
        return Ended(done.stdout, done.stderr, done.returncode, time.monotonic() - began)

    def probe(self, *arguments: str) -> Ended:
        """`ecr-probe` with these arguments, where the task is."""
        return self.in_task(sys.executable, "-m", "probe", *arguments)


def _fronts(addresses: Sequence[str], port: int = 443, certificate: str = "amazon") -> list[Site]:
    """The three endpoints at their addresses, in front of what really answers."""
    api, registry = (f"proxy_pass http://{AWS}:{port};" for port in (API_PORT, REGISTRY_PORT))
    return [
        Site(address, name, does, port, certificate)
        for address, name, does in zip(addresses, (API, REGISTRY, LOGS), (api, registry, api), strict=True)
    ]
