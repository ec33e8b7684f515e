"""Hostile text in server answers, titles, hosts and image names: none of it becomes an element or an attribute."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from probe.model import Verdict
from probe.report.finding_page import code_page
from probe.serve.page import dense, environment, finding_html, html, verbatim
from tests.page.hostile import PAYLOADS, spoilt
from tests.page.parsed import Node, parse
from tests.page.snapshots import NOON, after, broken, failing_in_one_zone, unproven, verdict, waiting

GOOD = (verdict, broken, failing_in_one_zone, unproven)


def shown(*verdicts: Verdict) -> Node:
    return parse(html(after(verdicts), now=NOON))


def parts(root: Node) -> Iterator[tuple[str, ...]]:
    """Every element with its attribute names, and the values that only the template may set."""
    for node in root.walk():
        values = [
            f"{name}={OWN_LINK.sub('own-link', node.attributes[name] or '')}"
            for name in ("class", "href", "action", "role", "data-copies")
            if name in node.attributes
        ]
        if node.name != "link":  # its icon depends on the state
            yield node.name, *sorted(node.attributes), *values


# An anchor within the page, which is a finding's code or the digest of a text that is no code; or a finding's page.
OWN_LINK = re.compile(r"(#|findings/)([a-z0-9-]+(\.[a-z0-9-]+)+|finding-[0-9a-f]{10})(-[0-9]+)?$")
# Elements that the template itself writes: those of harmless snapshots, in every color.
COLOURS = ("ok", "warning", "error", "unknown")


@cache
def ours() -> frozenset[tuple[str, ...]]:
    harmless = {
        part
        for verdicts in ([made()] for made in GOOD)
        for end in (verdicts, [verdict(), *verdicts], [broken(), *verdicts])
        for part in parts(shown(*end))
    }
    return frozenset(
        tuple(
            word.replace(f" {mine}", f" {colour}").replace(f"={mine}", f"={colour}").replace(f"-{mine}", f"-{colour}")
            for word in part
        )
        for part in harmless
        for mine in COLOURS
        for colour in COLOURS
    )


@cache
def our_script() -> str:
    return "".join(map(str, shown(verdict()).all("script")[0].children))


def no_harm(root: Node) -> None:
    assert set(parts(root)) <= ours()
    (script,) = root.all("script")
    assert "".join(map(str, script.children)) == our_script()


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
@pytest.mark.parametrize("made", GOOD)
def test_no_payload_becomes_markup(made: Callable[[], Verdict], payload: str) -> None:
    bad = spoilt(made(), lambda text: f"{payload}{text}{payload}")
    no_harm(shown(bad))
    no_harm(shown(broken(), bad, bad))  # with resolved findings, and some of several rounds


@settings(max_examples=60, deadline=None)
@given(
    before=st.text(max_size=30),
    after_it=st.text("<>\"'&/=! -abchijpst\x00\u202e\r\n", max_size=30),
    made=st.sampled_from(GOOD),
)
def test_no_text_becomes_markup(before: str, after_it: str, made: Callable[[], Verdict]) -> None:
    no_harm(shown(spoilt(made(), lambda text: f"{before}{text}{after_it}")))


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=60))
def test_any_string_is_harmless(text: str) -> None:
    no_harm(shown(spoilt(broken(), lambda _: text)))


def test_hostile_text_is_still_readable() -> None:
    bad = spoilt(broken(), lambda text: f"{text} <b>&amp;")
    assert "nothing answers on port 443 of ecr.api, ecr.dkr <b>&amp;" in shown(bad).by_id("findings").text


def test_a_misconfiguration_is_no_markup() -> None:
    root = parse(html(waiting(misconfigured=PAYLOADS[0]), now=NOON))
    assert not root.all("img")
    assert root.by_id("lead").text == PAYLOADS[0]


def test_no_character_reverses_the_direction_of_text() -> None:
    assert "\u202e".encode() not in html(after([spoilt(broken(), lambda text: f"\u202e{text}")]), now=NOON)


@pytest.mark.parametrize("code", ["tcp.silent", "task.start-timeout", "tcp.security-group"])
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_text_of_a_fault_becomes_markup(code: str, payload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = parse(finding_html(code))
    spoilt_page = spoilt(code_page(code), lambda text: f"{payload}{text}{payload}" if text else text)
    monkeypatch.setattr("probe.serve.page.code_page", lambda _: spoilt_page)
    bad = parse(finding_html(code))
    elements = [
        [(node.name, *node.attributes) for node in root.walk() if node.name != "strong"] for root in (good, bad)
    ]
    assert elements[0] == elements[1]


# ---- the template ----------------------------------------------------------------------------------------------------


def test_a_style_cannot_end_early() -> None:
    with pytest.raises(ValueError, match="would end early"):
        verbatim("a { content: '</style>' }")


def test_values_are_escaped_in_text_and_in_attributes() -> None:
    shown = environment().from_string('<p title="{{ text }}">{{ text }}</p>').render(text="<\"'&\u202e")
    assert shown == '<p title="&lt;&#34;&#39;&amp;?">&lt;&#34;&#39;&amp;?</p>'


def test_a_macro_is_escaped_once() -> None:
    source = "{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}{{ bold(text) }}"
    assert environment().from_string(source).render(text="<") == "<b>&lt;</b>"


@pytest.mark.parametrize("source", ["{{ missing }}", "{{ text.missing }}", "{% if missing %}{% endif %}"])
def test_a_name_that_is_not_there_is_an_error(source: str) -> None:
    with pytest.raises(UndefinedError, match="missing"):
        environment().from_string(source).render(text="x")


def test_line_breaks_next_to_tags_are_dropped_and_others_kept() -> None:
    assert dense("<ul>\n  <li>one\n  two</li>\n  {{ x }}\n</ul>\n") == "<ul><li>one\n  two</li>{{ x }}</ul>"
