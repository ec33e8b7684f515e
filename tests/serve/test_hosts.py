"""Which names the sidecar answers to: DNS rebinding from a foreign site is refused, scrapers are not."""

from __future__ import annotations

import pytest

from probe.config.settings import UsageError
from probe.serve.hosts import ANY, accepts
from probe.serve.options import Login, read
from probe.serve.web import App
from tests.serve.rounds import Source, after, verdict
from tests.serve.test_options import IMAGE
from tests.serve.test_web import ask, basic

LIVED = after([verdict()])
SHOWING = ["/", "/metrics", "/verdict", "/history", "/findings/tcp.silent"]
LOGIN = Login("prometheus", "s3cret")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "10.0.1.77:9879",
        "127.0.0.1",
        "[fd00::1]:9879",
        "[::1]",
        "localhost:9879",
        "probe",
        "probe:9879",
        "PROBE.Prod.Internal.:9879",
        "ip-10-0-1-77.eu-west-1.compute.internal:9879",
        "laptop.local",
    ],
)
def test_names_that_no_foreign_site_can_have_are_accepted(header: str | None) -> None:
    assert accepts(header, ())


@pytest.mark.parametrize(
    "header",
    [
        "evil.example",
        "evil.example:9879",
        "localhost.evil.example",
        "internal.evil.example:9879",
        "127.0.0.1.evil.example",
        "10.0.1.77.nip.io:9879",
        "evil.example:9879@127.0.0.1",
        "127.0.0.1, evil.example",
        "[evil.example]",
        "[::1].evil.example",
        "",
        ":9879",
        "a b",
        "évil.example",
        "evil.example#.local",
        "me@evil.example.local",
        "\xff",
    ],
)
def test_other_names_are_refused_unless_they_are_listed(header: str) -> None:
    assert not accepts(header, ())
    assert not accepts(header, ("probe.example.com",))
    assert accepts(header, (ANY,))


def test_a_listed_name_is_accepted_in_any_spelling() -> None:
    listed = read([*IMAGE, "--allow-host", "Probe.Example.com,probe.example.net."]).hosts
    for header in ("probe.example.com", "PROBE.example.com.:80", "probe.example.net:9879"):
        assert accepts(header, listed)
    assert not accepts("x.probe.example.com", listed)


@pytest.mark.parametrize("path", SHOWING)
def test_a_rebound_name_sees_nothing(path: str) -> None:
    refused = ask(App(Source(LIVED)), path, host="evil.example:9879")
    assert refused.code == 421
    assert b"ECR_PROBE_ALLOW_HOST" in refused.body
    assert b"evil" not in refused.body
    assert ask(App(Source(LIVED)), path, host="10.0.1.77:9879").code == 200
    assert ask(App(Source(LIVED), hosts=("evil.example",)), path, host="evil.example:9879").code == 200


def test_a_rebound_name_starts_no_round() -> None:
    source = Source(LIVED)
    headers = {"host": "evil.example", "origin": "http://evil.example", "sec_fetch_site": "same-origin"}
    assert ask(App(source), "/-/run", "POST", **headers).code == 421
    assert source.asked == 0


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
def test_the_health_check_shows_nothing_and_answers_everybody(path: str) -> None:
    assert ask(App(Source(LIVED)), path, host="load-balancer.example").code == 200


def test_names_do_not_matter_where_a_foreign_site_cannot_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read([*IMAGE]).hosts == ()
    assert read([*IMAGE, "--listen", "unix:/run/probe"]).hosts == (ANY,)
    monkeypatch.setenv("ECR_PROBE_BASIC_AUTH", "prometheus:s3cret")
    assert read([*IMAGE]).hosts == (ANY,)
    app = App(Source(LIVED), login=LOGIN, hosts=(ANY,))
    assert ask(app, "/metrics", host="probe.example.com").code == 401
    assert ask(app, "/metrics", host="probe.example.com", authorization=basic(LOGIN)).code == 200


@pytest.mark.parametrize("text", ["http://probe.example.com", "probe.example.com:9879", "*.example.com", "a b", ","])
def test_a_bad_name_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--allow-host \(ECR_PROBE_ALLOW_HOST\): .*; for example --allow-host probe"):
        read([*IMAGE, "--allow-host", text])
