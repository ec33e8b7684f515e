"""Configures and starts independent servers: dnsmasq, nginx, CNCF distribution, moto, Prometheus, blackbox_exporter."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.lab.daemons import Daemon
from tests.lab.network import Host, run


@dataclass(frozen=True, slots=True)
class Site:
    """A TLS server for one name. `directives` are those of nginx for every request; `certificate` is a file's stem."""

    address: str
    name: str
    directives: str
    port: int = 443
    certificate: str = "amazon"


def intercepting_site(address: str, name: str, to: str, *, trusting: Path, certificate: str) -> Site:
    """A proxy that terminates TLS with another certificate and opens a verified connection to the real server."""
    onward = (
        f"proxy_pass https://{to};",
        "proxy_ssl_server_name on;",
        f"proxy_ssl_name {name};",
        "proxy_ssl_verify on;",
        "proxy_ssl_verify_depth 4;",
        f"proxy_ssl_trusted_certificate {trusting};",
    )
    return Site(address, name, " ".join(onward), certificate=certificate)


def dnsmasq(
    host: Host,
    folder: Path,
    answers: Mapping[str, Iterable[str]],
    *,
    name: str,
    port: int = 53,
    at: Sequence[str] | None = None,
    aliases: Mapping[str, str] = MappingProxyType({}),
    forwarding: Mapping[str, str] = MappingProxyType({}),
) -> Daemon:
    """Answers for a domain and all names below it with its addresses and no other records; other names do not exist.

    `aliases` are CNAMEs: their targets are domains. `forwarding`: domains for which another server is asked.
    """
    own = (
        "local=/#/",
        *(f"local=/{domain}/" for domain in answers),
        *(f"address=/{domain}/{address}" for domain, addresses in answers.items() for address in addresses),
        *(f"host-record={target},{next(iter(answers[target]))}" for target in dict.fromkeys(aliases.values())),
        *(f"cname={alias},{target}" for alias, target in aliases.items()),
        *(f"server=/{domain}/{server}" for domain, server in forwarding.items()),
    )
    return _dnsmasq(host, folder, own, name=name, port=port, at=at or host.addresses)


def forwarder(host: Host, folder: Path, to: str, *, name: str, at: Sequence[str]) -> Daemon:
    """Forwards every query to another server."""
    return _dnsmasq(host, folder, (f"server={to}",), name=name, port=53, at=at)


def failing_validator(host: Host, folder: Path, to: str, *, name: str, port: int) -> Daemon:
    """Answers every query with SERVFAIL: it validates DNSSEC, and the server at `to` has no signatures.

    The anchor is a key that signs no root zone.
    """
    anchor = f"trust-anchor=.,1,8,2,{'0' * 64}"
    return _dnsmasq(host, folder, ("dnssec", anchor, f"server={to}"), name=name, port=port, at=host.addresses)


def _dnsmasq(host: Host, folder: Path, own: Iterable[str], *, name: str, port: int, at: Sequence[str]) -> Daemon:
    lines = [
        "no-daemon",
        "no-resolv",
        "no-hosts",
        "user=root",
        "bind-interfaces",
        f"port={port}",
        "local-ttl=60",
        "log-queries",
        *own,
        *(f"listen-address={address}" for address in at),
    ]
    file = folder / f"{name}.conf"
    file.write_text("\n".join(lines) + "\n")
    daemon = Daemon(name, host, ("dnsmasq", f"--conf-file={file}", "--log-facility=-"), logs=folder)
    daemon.wait_until_it_listens(port)
    return daemon


_NGINX = """\
daemon off;
user root;
worker_processes 2;
pid {folder}/{name}.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    server_names_hash_bucket_size 128;
    client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi;
    uwsgi_temp_path {folder}/{name}-uwsgi;
    scgi_temp_path {folder}/{name}-scgi;
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-Proto https;
{sites}
}}
"""
_SITE = """\
server {{
    listen {site.address}:{site.port} ssl;
    server_name {site.name};
    ssl_certificate {certificates}/{site.certificate}.pem;
    ssl_certificate_key {certificates}/{site.certificate}.key;
    location / {{ {site.directives} }}
}}
"""


def nginx(host: Host, folder: Path, sites: Iterable[Site], *, name: str, certificates: Path) -> Daemon:
    sites = tuple(sites)
    blocks = "".join(_SITE.format(site=site, certificates=certificates) for site in sites)
    file = folder / f"{name}.conf"
    file.write_text(_NGINX.format(folder=folder, name=name, sites=textwrap.indent(blocks, "    ")))
    daemon = Daemon(name, host, ("nginx", "-e", "stderr", "-c", str(file)), logs=folder)
    daemon.wait_until_it_listens(*(site.port for site in sites))
    return daemon


_REGISTRY = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {storage}}}
http: {{addr: "{address}:{port}"}}
compatibility: {{schema1: {{enabled: true}}}}
auth:
  htpasswd: {{realm: lab, path: {passwords}}}
middleware:
  storage:
    - name: redirect
      options: {{baseurl: "{layers}"}}
"""


def registry(host: Host, folder: Path, *, port: int, user: str, password: str, layers: str) -> Daemon:
    """CNCF distribution, which redirects requests for a blob to `layers`."""
    passwords = folder / "htpasswd"
    passwords.write_text(
        run("htpasswd", "-nbB", "-C", "4", user, password)
    )  # the cheapest bcrypt, since every request computes it
    file = folder / "registry.yml"
    storage = folder / "registry"
    storage.mkdir()
    file.write_text(
        _REGISTRY.format(storage=storage, address=host.addresses[0], port=port, passwords=passwords, layers=layers)
    )
    daemon = Daemon("registry", host, ("docker-registry", "serve", str(file)), logs=folder)
    daemon.wait_until_it_listens(port)
    return daemon


def moto(host: Host, folder: Path, program: Path, *, port: int) -> Daemon:
    """AWS's APIs, simulated by moto. It ends with its parent process and loads a service at its first request."""
    command = (str(program), "-H", host.addresses[0], "-p", str(port))
    daemon = Daemon("moto", host, command, logs=folder, more={"HOME": str(folder)})
    daemon.wait_until_it_listens(port)
    return daemon


def prometheus(host: Host, folder: Path, target: str, rules: Path, *, job: str, port: int) -> Daemon:
    """Scrapes the target and evaluates the rules every second."""
    file = folder / "prometheus.json"  # which is YAML too
    scraped = {"job_name": job, "static_configs": [{"targets": [target]}]}
    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    file.write_text(json.dumps({"global": every, "rule_files": [str(rules)], "scrape_configs": [scraped]}))
    options = (f"--storage.tsdb.path={folder}/prometheus", f"--web.listen-address={host.addresses[0]}:{port}")
    command = ("prometheus", f"--config.file={file}", *options, "--log.level=warn")
    daemon = Daemon("prometheus", host, command, logs=folder)
    daemon.wait_until_it_listens(port)
    return daemon


def blackbox_exporter(host: Host, folder: Path, modules: Mapping[str, Any], *, port: int) -> Daemon:
    """Probes a target by one of the modules at each request."""
    file = folder / "blackbox.json"
    file.write_text(json.dumps({"modules": modules}))
    listen = f"--web.listen-address=127.0.0.1:{port}"
    command = ("prometheus-blackbox-exporter", f"--config.file={file}", listen, "--log.level=error")
    daemon = Daemon("blackbox", host, command, logs=folder)
    daemon.wait_until_it_listens(port)
    return daemon
