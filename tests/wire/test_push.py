"""A push to a gateway: the URL, the group and the body, the error messages, and that a login is never shown."""

from __future__ import annotations

import re
from base64 import b64encode

import dns.message
import msgspec
import pytest

from probe.model import ImageReference, Surroundings, Verdict
from probe.push import gateway, push
from probe.report import FORMATS, Page
from tests.report import made
from tests.wire.conftest import Authority
from tests.wire.servers import (
    Handler,
    HttpServer,
    NameServer,
    Server,
    answer,
    close,
    closed_port,
    flood,
    hang_up,
    reply_then,
    reset,
    silent,
    wire_to,
)
from tests.wire.test_names import always, reply

NAME = "push.example.com"
LOGIN = "robot:s3cret%2Fof%3Fmine"
PASSWORD = "s3cret/of?mine"
TOKEN = b64encode(f"robot:{PASSWORD}".encode()).decode()
REFERENCE = ImageReference(
    text="123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0",
    host="123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    account="123456789012",
    region="eu-west-1",
    partition="aws",
    repository="app",
    tag="1.0",
    digest=None,
)


def verdict_of(*, repository: str = "app", cluster: str | None = "main") -> Verdict:
    reference = msgspec.structs.replace(REFERENCE, repository=repository)
    return made.verdict(
        plan=msgspec.structs.replace(made.PLAN, reference=reference), surroundings=Surroundings(cluster=cluster)
    )


def pushed(
    text: str, verdict: Verdict | None = None, *, status: int = 200, body: bytes = b""
) -> tuple[str, dict[str, str], str]:
    """Target, headers and body of the one request."""
    with HttpServer(lambda _: answer(status, body)) as server:
        complaint = push(verdict or verdict_of(), gateway(text), wire_to(server.port))
    assert complaint is None
    (request,) = server.requests
    head, _, sent = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    assert method == "PUT"
    return target, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, sent.decode()


def complaint_of(handler: Handler, text: str = f"http://{LOGIN}@127.0.0.1:9091") -> str:
    with Server(handler) as server:
        complaint = push(verdict_of(), gateway(text), wire_to(server.port))
    assert complaint is not None
    assert_no_secret(complaint)
    assert complaint.startswith("127.0.0.1:9091")
    return complaint


def assert_no_secret(text: str) -> None:
    assert not re.search(f"s3cret|{re.escape(TOKEN)}|robot", text)


# ---- URL, group and body ---------------------------------------------------------------------------------------------


def test_the_metrics_of_the_run_are_pushed() -> None:
    target, headers, body = pushed("http://10.0.1.9:9091/")
    assert target == "/metrics/job/ecr-probe/cluster/main/repository/app"
    assert headers["host"] == "10.0.1.9:9091"
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert body == FORMATS["prometheus"].render(verdict_of(), Page())
    assert "ecr_probe_last_run_timestamp_seconds " in body
    assert "authorization" not in headers


@pytest.mark.parametrize(
    ("verdict", "group"),
    [
        (verdict_of(cluster=None), "job/ecr-probe/repository/app"),
        (
            verdict_of(cluster="arn:aws:ecs:eu-west-1:123456789012:cluster/blue"),
            "job/ecr-probe/cluster/blue/repository/app",
        ),
        (verdict_of(repository="team/app"), "job/ecr-probe/cluster/main/repository@base64/dGVhbS9hcHA="),
        (verdict_of(cluster="grün und.."), "job/ecr-probe/cluster@base64/Z3LDvG4gdW5kLi4=/repository/app"),
        (verdict_of(repository=".."), "job/ecr-probe/cluster/main/repository@base64/Li4="),
        (made.verdict(surroundings=Surroundings()), "job/ecr-probe"),
    ],
)
def test_the_group_identifies_what_is_checked(verdict: Verdict, group: str) -> None:
    assert pushed("http://10.0.1.9:9091", verdict)[0] == f"/metrics/{group}"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/gateway", "/gateway/metrics/job/ecr-probe/cluster/main/repository/app"),
        ("/metrics/job/nightly/service/shop", "/metrics/job/nightly/service/shop"),
        ("/gateway/metrics/job@base64/YS9i/", "/gateway/metrics/job@base64/YS9i"),
    ],
)
def test_a_path_is_a_prefix_or_the_whole_group(path: str, target: str) -> None:
    assert pushed(f"http://10.0.1.9:9091{path}")[0] == target


def test_status_202_is_a_success() -> None:
    pushed("http://10.0.1.9:9091", status=202)


def test_https_with_a_login(authority: Authority) -> None:
    with (
        HttpServer(lambda _: answer(200), tls=authority.server(NAME)) as server,
        NameServer(always(f"{NAME}. 60 IN A 127.0.0.1")) as names,
    ):
        wire = wire_to({443: server.port}, trust=authority.trust(), names=names.port)
        assert push(verdict_of(), gateway(f"https://{LOGIN}@{NAME}"), wire) is None
    assert server.server_names == [NAME]
    assert f"Authorization: Basic {TOKEN}".encode() in server.requests[0]
    assert f"Host: {NAME}\r\n".encode() in server.requests[0]


def test_a_login_is_not_sent_to_an_untrusted_server(authority: Authority, untrusted: Authority) -> None:
    with (
        HttpServer(lambda _: answer(200), tls=untrusted.server(NAME)) as server,
        NameServer(always(f"{NAME}. 60 IN A 127.0.0.1")) as names,
    ):
        wire = wire_to({443: server.port}, trust=authority.trust(), names=names.port)
        complaint = push(verdict_of(), gateway(f"https://{LOGIN}@{NAME}"), wire)
    assert complaint is not None
    assert complaint.startswith(f"{NAME}: untrusted")
    assert_no_secret(complaint)
    assert not server.requests


def test_a_gateway_with_only_an_ipv6_address() -> None:
    def respond(query: dns.message.QueryMessage) -> list[bytes]:
        record = dns.rdatatype.to_text(query.question[0].rdtype)
        records = [f"{NAME}. 60 IN AAAA ::1"] if record == "AAAA" else []
        return [reply(query, *records).to_wire()]

    with HttpServer(lambda _: answer(200)) as server, NameServer(respond) as names:
        assert push(verdict_of(), gateway(f"http://{NAME}:9091"), wire_to(server.port, names=names.port)) is None
    assert len(server.requests) == 1


# ---- error messages --------------------------------------------------------------------------------------------------


def test_a_refusal_quotes_the_gateways_message() -> None:
    message = "pushed metrics are invalid or inconsistent with existing metrics"
    assert complaint_of(reply_then(answer(400, message.encode()))) == f"127.0.0.1:9091 answered 400: {message}"


def test_a_redirect_is_not_followed() -> None:
    complaint = complaint_of(reply_then(answer(307, headers={"Location": "https://elsewhere.example.com/"})))
    assert complaint == "127.0.0.1:9091 answered 307"


@pytest.mark.parametrize("secret", [PASSWORD, LOGIN, TOKEN, LOGIN.partition(":")[2]])
def test_a_login_in_the_gateways_message_is_cut(secret: str) -> None:
    assert complaint_of(reply_then(answer(403, f"no such login: {secret}!".encode()))).endswith("[cut]!")


@pytest.mark.parametrize(
    ("handler", "failure"),
    [
        (reset, "reset"),
        (hang_up, "reset"),
        (reply_then(b"?\r\n", close), "malformed"),
        (flood(b"HTTP/1.1 200 OK\r\n"), "malformed"),
    ],
)
def test_a_gateway_that_closes_or_sends_garbage(handler: Handler, failure: str) -> None:
    assert failure in complaint_of(handler)


def test_a_silent_gateway_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probe.push.SECONDS", 0.3)
    assert complaint_of(silent) == "127.0.0.1:9091 did not accept the push within 0.3 s"


def test_no_gateway_listens() -> None:
    complaint = push(verdict_of(), gateway("http://127.0.0.1:9091"), wire_to(closed_port()))
    assert complaint is not None
    assert complaint.startswith("127.0.0.1:9091: refused")


def test_an_unknown_name() -> None:
    with NameServer(always(rcode=dns.rcode.NXDOMAIN)) as names:
        complaint = push(verdict_of(), gateway(f"http://{NAME}:9091"), wire_to(1, names=names.port))
    assert complaint == f"{NAME}:9091: nxdomain: the name does not exist"


# ---- parsing the URL -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "push.example.com:9091",
        "ftp://s3cret@push.example.com",
        "http://",
        "https://robot:s3cret@",
        "http://push.example.com:0",
        "http://push.example.com:99999",
        "https://robot:s3cret/x@push.example.com",
        "https://robot:80/s3cret@push.example.com",
        "https://robot:s3cret#x@push.example.com",
        "https://push.example.com/?token=s3cret",
        "https://robot:s3cret x@push.example.com",
        "https://robot:s3crèt@push.example.com",
        "https://[s3cret@push.example.com",
        "http://robot:s3cret@push.example.com:9091",
        "http://robot:s3cret@10.0.1.9:9091",
        "\x00",
    ],
)
def test_an_invalid_url_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"URL|path|login") as caught:
        gateway(text)
    assert "s3cret" not in str(caught.value)
    assert "robot" not in str(caught.value)


def test_the_repr_of_a_gateway_shows_no_login() -> None:
    assert_no_secret(repr(gateway(f"https://{LOGIN}@{NAME}")))
    assert gateway("http://robot@localhost:9091").authorization == f"Basic {b64encode(b'robot:').decode()}"
