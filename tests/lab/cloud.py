r"""The whole laboratory: a VPC of two zones with endpoints under AWS's names, and a task in it.

    169.254.170.2 agent     10.0.1.77 task      10.0.9.9 middlebox, unused until a fault needs it
                \               |               /
    10.0.0.2 ------------- router ------------- 10.0.10.x endpoints, zone a     10.0.20.x endpoints, zone b
    169.254.169.253         |   \
    resolver                |    10.0.3.53, .54 company: the customer's own DNS servers
                            |
                            10.99.0.2 aws: moto, registry; S3 at 52.216.10.10, the public side of ECR at 3.8.169.x

This module builds the healthy state; faults.py breaks it.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import trustme

from probe.sim.cloud import OTHER_REGION
from probe.sim.images import Image
from probe.sim.task import CREDENTIALS_ADDRESS, Container
from probe.sim.task import ID as TASK_ID
from probe.sim.task import Task as TaskOfEcs
from tests.lab import servers
from tests.lab.agent import FORBIDDING_API_PORT, FOREIGN_METADATA_PORT, METADATA_PORT, STRICT_API_PORT, AgentConfig
from tests.lab.daemons import Daemon
from tests.lab.network import ENVIRONMENT, Host, Network, abandoned, environment, own_prefix, run
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
# Several addresses, as S3 has; layers are read from the first.
S3_ADDRESSES = ("52.216.10.10", "52.216.10.11", "52.216.10.12")
S3 = S3_ADDRESSES[0]
S3_ELSEWHERE = "52.218.10.10"
HOSTS = {"ecr.api": API, "ecr.dkr": REGISTRY, "logs": LOGS}
# Another region's public names. No host has the addresses: from the task no packet may reach them.
OTHER_REGION_NAMES = {
    f"api.ecr.{OTHER_REGION}.amazonaws.com": ("44.200.4.9",),
    f"dkr.ecr.{OTHER_REGION}.amazonaws.com": ("44.201.4.9",),
    f"s3.{OTHER_REGION}.amazonaws.com": ("52.216.4.8", "52.216.4.40"),
}
# The interface of every endpoint in every zone, and the public addresses of the same names.
ENIS = {(zone, name): f"{net}.{last}" for zone, net in ZONES.items() for last, name in enumerate(HOSTS, 10)}
PUBLIC = {name: f"3.8.169.{last}" for last, name in enumerate(HOSTS, 10)}
# The VPC's IPv6 addresses, for faults that need them: the router has no route to the endpoints' ones.
TASK_IPV6, ROUTER_IPV6 = "2600:1f18:4a3b:5601::77", "2600:1f18:4a3b:5601::1"
ENIS_IPV6 = {place: f"2600:1f18:4a3b:56{number:02x}::10" for number, place in enumerate(ENIS, 16)}
AWS = "10.99.0.2"
AGENT = "10.0.4.2"
COMPANY_PUBLIC, COMPANY_FORWARDS = "10.0.3.53", "10.0.3.54"  # resolves on the internet; forwards to the VPC's resolver
DEAD = "10.0.3.99"
MIDDLEBOX = "10.0.9.9"
LOG_GROUP, CONTAINER, OWN_IMAGE = "/ecs/ecr-probe", "ecr-probe", "ecr-probe:0.1.0"  # as in the task definitions
UNROUTED = f"10.99.0.0/24, {S3_ELSEWHERE}, 3.8.169.0/24"
API_PORT, REGISTRY_PORT = 5001, 5000
# The same servers in a broken form; faults.py redirects the traffic for 443 and 53 to them.
STRICT_PORT, FORBIDDING_PORT, TRICKLE_PORT, PUBLIC_DNS_PORT, DUAL_STACK_DNS_PORT = 8445, 8446, 8444, 5353, 5399
BLOCKING_DNS_PORT, OVERRIDING_DNS_PORT, RULE_DNS_PORT, LARGE_DNS_PORT, FAILING_DNS_PORT = 5354, 5355, 5356, 5357, 5358
BLOCK_PAGE = "198.51.100.7"  # no host has it

Answers = dict[str, tuple[str, ...]]  # the addresses of a domain
NEEDED = ("curl", "dig", "dnsmasq", "docker-registry", "htpasswd", "ip", "nft", "nginx", "setpriv", "skopeo", "tc")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A finished program: its output, its exit code, its wall time."""

    out: str
    err: str
    code: int
    seconds: float


class Cloud:
    """A context manager: builds the laboratory on entry and removes all of it on exit."""

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
        self.enis = {
            (zone, name): network.host(f"{zone}-{name}", f"10.98.{link}.2", others=(address,))
            for link, ((zone, name), address) in enumerate(ENIS.items())
        }
        self.aws = network.host("aws", AWS, others=(*S3_ADDRESSES, S3_ELSEWHERE, *PUBLIC.values()))
        self.agent = network.host("agent", AGENT, others=(CREDENTIALS_ADDRESS,))
        self.company = network.host("company", COMPANY_PUBLIC, COMPANY_FORWARDS)
        self.middlebox = network.host("middlebox", MIDDLEBOX)
        self._isolate()
        self._certify()
        self._serve()

    def _isolate(self) -> None:
        """Route the task only to S3 of this region, as a gateway endpoint does; the rest is for the other servers."""
        self.router.run(
            "nft",
            "add table ip isolation;"
            "add chain ip isolation forward { type filter hook forward priority 0; };"
            f"add rule ip isolation forward ip saddr {TASK} ip daddr {{ {UNROUTED} }} drop",
        )

    @contextlib.contextmanager
    def nat(self) -> Iterator[None]:
        """Within this context every public address is reachable, as through a NAT gateway."""
        self.router.run("nft", "delete", "table", "ip", "isolation")
        try:
            yield
        finally:
            self._isolate()

    @contextlib.contextmanager
    def dual_stack(self) -> Iterator[None]:
        """Within this context the task has IPv6, and no IPv6 packet reaches the endpoints."""
        ends = ((self.router, f"{ROUTER_IPV6}/64", "to-task"), (self.task, f"{TASK_IPV6}/64", "eth0"))
        with contextlib.ExitStack() as stack:
            for host, address, interface in ends:
                change = ("ip", "-6", "address")
                host.run(*change, "add", address, "dev", interface, "nodad")
                stack.callback(host.run, *change, "delete", address, "dev", interface)
            for host, route in (
                (self.router, ("blackhole", "default", "metric", "1000")),
                (self.task, ("default", "via", ROUTER_IPV6)),
            ):
                host.run("ip", "-6", "route", "add", *route)
                stack.callback(host.run, "ip", "-6", "route", "delete", *route)
            self.router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
            yield

    @contextlib.contextmanager
    def ipv6_of(self, host: Host, link: str, address: str, number: int) -> Iterator[None]:
        """Within this context `host`, at the router's interface `link`, has this IPv6 address."""
        near, far = (f"fd00:98:{number:x}::{end}" for end in (1, 2))
        changes = (
            (self.router, ("address", f"{near}/64", "dev", link), ("nodad",)),
            (host, ("address", f"{far}/64", "dev", "eth0"), ("nodad",)),
            (host, ("address", f"{address}/128", "dev", "eth0"), ("nodad",)),
            (host, ("route", "default", "via", near), ()),
            (self.router, ("route", f"{address}/128", "via", far), ()),
        )
        with contextlib.ExitStack() as stack:
            for where, (kind, *what), options in changes:
                where.run("ip", "-6", kind, "add", *what, *options)
                stack.callback(where.run, "ip", "-6", kind, "delete", *what)
            yield

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
            # A chain of three certificates, like Amazon's: it does not fit into one packet.
            between = trustme.CA(authority, organization_name=organization)
            issuer = trustme.CA(between, organization_name=organization)
            certificate = issuer.issue_cert(*names, not_after=until)
            authority.cert_pem.write_to_path(self.folder / f"{file}-ca.pem")
            certificate.private_key_and_cert_chain_pem.write_to_path(self.folder / f"{file}.key")
            for blob in certificate.cert_chain_pems:
                blob.write_to_path(self.folder / f"{file}.pem", append=True)
        self.ca_bundle, self.both_cas = self.folder / "amazon-ca.pem", self.folder / "both-cas.pem"
        self.both_cas.write_bytes(self.ca_bundle.read_bytes() + (self.folder / "middlebox-ca.pem").read_bytes())

    def _serve(self) -> None:
        folder = self.folder
        self._daemon(
            servers.registry(
                self.aws, folder, port=REGISTRY_PORT, user="AWS", password=PASSWORD, layers=f"https://{LAYERS}"
            )
        )
        self._daemon(servers.moto(self.aws, folder, self._programs / "moto_server", port=API_PORT))
        self._daemon(self._start_agent())
        for (zone, name), host in self.enis.items():
            sites = [_front(ENIS[zone, name], name), _front("[::]", name)]
            if name == "ecr.api":
                others = {STRICT_PORT: STRICT_API_PORT, FORBIDDING_PORT: FORBIDDING_API_PORT}
                sites += [_front(ENIS[zone, name], name, port, f"{AGENT}:{api}") for port, api in others.items()]
            self._daemon(servers.nginx(host, folder, sites, name=f"{zone}-{name}", certificates=folder))
        # The probe recognizes answers of S3 by these headers.
        files = f"root {folder}/registry; add_header x-amz-request-id 4442587FB7D0A2F9; add_header x-amz-id-2 lab=;"
        public = [
            *(_front(address, name) for name, address in PUBLIC.items()),
            *(Site(address, LAYERS, files) for address in S3_ADDRESSES),
            *(Site(address, LAYERS, f"{files} limit_rate 1k;", TRICKLE_PORT) for address in S3_ADDRESSES),
            Site(S3_ELSEWHERE, "s3.us-east-2.amazonaws.com", "return 403;"),
        ]
        self._daemon(servers.nginx(self.aws, folder, public, name="public", certificates=folder))
        behind = {HOSTS[name]: address for (zone, name), address in ENIS.items() if zone == "a"} | {LAYERS: S3}
        forwarding = [
            servers.intercepting_site(MIDDLEBOX, name, address, trusting=self.ca_bundle, certificate="middlebox")
            for name, address in behind.items()
        ]
        self._daemon(servers.nginx(self.middlebox, folder, forwarding, name="middlebox", certificates=folder))
        self._resolve()
        self._make_log_stream()

    def _start_agent(self) -> Daemon:
        image = f"{REGISTRY}/{OWN_IMAGE}"
        task = TaskOfEcs(
            account=ACCOUNT,
            region=REGION,
            launch_type="FARGATE",
            network_mode="awsvpc",
            address=TASK,
            subnet="10.0.1.0/24",
            ipv6=None,
            subnet_ipv6=None,
            image=image,
            nameservers=RESOLVERS,
            containers=[Container(CONTAINER, image)],
        )
        task.use_awslogs(CONTAINER, LOG_GROUP)
        self.variables = task.environ()
        file = self.folder / "agent.json"
        file.write_bytes(msgspec.json.encode(AgentConfig(task, AGENT)))
        command = (sys.executable, "-m", "tests.lab.agent", str(file))
        daemon = Daemon("agent", self.agent, command, logs=self.folder, more={"PYTHONPATH": str(ROOT)})
        daemon.wait_until_it_listens(METADATA_PORT, FOREIGN_METADATA_PORT, STRICT_API_PORT, FORBIDDING_API_PORT)
        return daemon

    def _resolve(self) -> None:
        """Start the name servers. They answer for all hosts below a domain; the company's second one only forwards."""
        folder = self.folder
        s3: Answers = {
            f"s3.{REGION}.amazonaws.com": S3_ADDRESSES,
            "s3.us-east-2.amazonaws.com": (S3_ELSEWHERE,),
        }
        private: Answers = {
            _domain(name): tuple(address for (_, endpoint), address in ENIS.items() if endpoint == name)
            for name in HOSTS
        }
        dual = {
            _domain(name): (
                *private[_domain(name)],
                *(address for (_, endpoint), address in ENIS_IPV6.items() if endpoint == name),
            )
            for name in HOSTS
        }
        public: Answers = {_domain(name): (address,) for name, address in PUBLIC.items()}
        known = private | s3 | OTHER_REGION_NAMES
        self._daemon(servers.dnsmasq(self.resolver, folder, known, name="dns-private"))
        self._daemon(
            servers.failing_validator(self.resolver, folder, RESOLVERS[0], name="dns-failing", port=FAILING_DNS_PORT)
        )
        self._daemon(servers.dnsmasq(self.resolver, folder, public | s3, name="dns-public", port=PUBLIC_DNS_PORT))
        self._resolve_wrongly(private, public, s3)
        self._daemon(servers.dnsmasq(self.resolver, folder, dual | s3, name="dns-dual", port=DUAL_STACK_DNS_PORT))
        at, forwards = (COMPANY_PUBLIC,), (COMPANY_FORWARDS,)
        self._daemon(servers.dnsmasq(self.company, folder, public | s3, name="dns-company", at=at))
        self._daemon(servers.forwarder(self.company, folder, RESOLVERS[0], name="dns-forwards", at=forwards))

    def _resolve_wrongly(self, private: Answers, public: Answers, s3: Answers) -> None:
        """The VPC's resolver with a DNS Firewall, with a Resolver rule, and with answers too large for UDP."""
        host, folder = self.resolver, self.folder
        ecr = {_domain(name): public[_domain(name)] for name in ("ecr.api", "ecr.dkr")}
        unblocked = {domain: addresses for domain, addresses in s3.items() if REGION not in domain}
        large = {
            domain: (*addresses, *(f"{addresses[0].rpartition('.')[0]}.{last}" for last in range(100, 140)))
            for domain, addresses in (private | s3).items()
        }
        logs = {domain: addresses for domain, addresses in private.items() if domain not in ecr}
        overridden = {API: "blocked.example.com", REGISTRY: "blocked.example.com"}
        for name, answers, aliases, port in (
            ("dns-blocking", private | unblocked, {}, BLOCKING_DNS_PORT),
            ("dns-overriding", logs | s3 | {"blocked.example.com": (BLOCK_PAGE,)}, overridden, OVERRIDING_DNS_PORT),
            ("dns-rule", private | s3 | ecr, {}, RULE_DNS_PORT),
            ("dns-large", large, {}, LARGE_DNS_PORT),
        ):
            self._daemon(servers.dnsmasq(host, folder, answers, name=name, port=port, aliases=aliases))

    def _make_log_stream(self) -> None:
        """Create the container's log stream, as ECS does before it starts the container."""
        stream = {"logGroupName": LOG_GROUP, "logStreamName": f"ecs/{CONTAINER}/{TASK_ID}"}
        for operation, body in (("CreateLogGroup", {"logGroupName": LOG_GROUP}), ("CreateLogStream", stream)):
            headers = {
                "X-Amz-Target": f"Logs_20140328.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
                # moto reads the region from it and checks no signature.
                "Authorization": f"AWS4-HMAC-SHA256 Credential=A/20260101/{REGION}/logs/aws4_request, Signature=0",
            }
            options = [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]
            url = f"http://{AWS}:{API_PORT}/"
            self.aws.run("curl", "-sS", "--fail", *options, "--data", json.dumps(body), url)

    def _daemon(self, daemon: Daemon) -> None:
        self._stack.callback(daemon.stop)

    # ---- using -----------------------------------------------------------------------------------

    def push(self, source: str, reference: str, *options: str, env: Mapping[str, str] = ENVIRONMENT) -> None:
        """Push an image into the registry from its own host; `source` and `options` in skopeo's notation."""
        to = ("--dest-tls-verify=false", f"--dest-creds=AWS:{PASSWORD}")
        target = f"docker://{AWS}:{REGISTRY_PORT}/{reference}"
        command = ("skopeo", "copy", "--quiet", "--insecure-policy", *to, *options, source, target)
        run(*self.aws.wrapped(*command), timeout=90, env=env)

    def upload(self, image: Image, reference: str) -> None:
        """Upload an image or artifact of the simulator into the registry, with the requests of the registry's API."""
        name, tag = reference.split(":")
        for blob in image.blobs:
            started = self._request("POST", f"/v2/{name}/blobs/uploads/", "-D", "-", "-o", "/dev/null")
            (location,) = re.findall(r"(?im)^location: \S*?(/v2/\S+)", started)
            self._send("PUT", f"{location}&digest={blob.digest}", blob.body, "application/octet-stream")
        for manifest in reversed(image.manifests):  # an index comes before what it lists
            label = tag if manifest is image.top else manifest.digest
            self._send("PUT", f"/v2/{name}/manifests/{label}", manifest.body, manifest.media_type)

    def _send(self, method: str, path: str, body: bytes, media_type: str) -> None:
        file = self.folder / "upload"
        file.write_bytes(body)
        self._request(method, path, "-H", f"Content-Type: {media_type}", "--data-binary", f"@{file}")

    def _request(self, method: str, path: str, *options: str) -> str:
        login = ("-u", f"AWS:{PASSWORD}", "-X", method)
        return self.aws.run("curl", "-sS", "--fail-with-body", *login, *options, f"http://{AWS}:{REGISTRY_PORT}{path}")

    def in_task(self, *command: str, **more: str) -> Ended:
        """Run a program in the task's namespace with the task's credentials; `more` are variables."""
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

    def probe(self, *arguments: str, **more: str) -> Ended:
        """Run `ecr-probe` of the working tree in the task's namespace; `more` are variables."""
        return self.in_task(sys.executable, "-m", "probe", *arguments, **more)

    def wait_for_connection(self, state: str, address: str, *, patience: float = 20.0) -> None:
        """Wait until the task has a connection to port 443 of `address` in this state, as ss spells it."""
        until = time.monotonic() + patience
        while f"{address}:443" not in self.task.run("ss", "-Htn", "state", state):
            assert time.monotonic() < until, f"no connection to {address} is {state}"

    @contextlib.contextmanager
    def resolving_by(self, *addresses: str) -> Iterator[None]:
        """Within this context the task's resolv.conf lists these servers, as DHCP options would set it."""
        self.task.resolve_by(addresses)
        try:
            yield
        finally:
            self.task.resolve_by(RESOLVERS)


def _front(address: str, name: str, port: int = 443, behind: str | None = None) -> Site:
    """An endpoint at one address, which passes requests on to the registry, to moto or to `behind`."""
    return Site(address, HOSTS[name], passing_on(name, behind), port)


def passing_on(name: str, behind: str | None = None) -> str:
    """The directives of nginx with which an endpoint passes requests on to the registry, to moto or to `behind`."""
    backend = {"ecr.dkr": f"{AWS}:{REGISTRY_PORT}"}.get(name, f"{AWS}:{API_PORT}")
    return f"proxy_pass http://{behind or backend};"


def _domain(name: str) -> str:
    """The domain of an endpoint's zone, which includes all names below it, such as any account's registry."""
    return HOSTS[name].removeprefix(f"{ACCOUNT}.")
