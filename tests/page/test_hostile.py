"""Server answers, titles, hosts and image names are hostile: none of them becomes an element or an attribute."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.model import Verdict
from probe.serve.markup import document, tag, verbatim
from probe.serve.page import html
from tests.page.hostile import PAYLOADS, spoilt
from tests.page.parsed import Node, parse
from tests.page.snapshots import NOON, after, broken, failing_in_one_zone, unproven, verdict, waiting

GOOD = (verdict, broken, failing_in_one_zone, unproven)


def shown(*verdicts: Verdict) -> Node:
    return parse(html(after(verdicts), now=NOON))


def parts(root: Node) -> Iterator[tuple[str, ...]]:
    """Every element with its attributes' names, and the values that are words of ours."""
    for node in root.walk():
        words = [
            f"{name}={node.attributes.get(name)}"
            for name in ("class", "href", "action", "role")
            if name in node.attributes
        ]
        if node.name != "link":  # its icon is the state's, and there are four
            yield node.name, *sorted(node.attributes), *words


# What the page makes itself: all that harmless snapshots show, and each colour where any stands.
COLOURS = ("ok", "warning", "error", "unknown")
OURS = {
    tuple(
        word.replace(f" {mine}", f" {colour}").replace(f"={mine}", f"={colour}").replace(f"-{mine}", f"-{colour}")
        for word in part
    )
    for verdicts in ([made()] for made in GOOD)
    for end in (verdicts, [verdict(), *verdicts], [broken(), *verdicts])
    for part in parts(shown(*end))
    for mine in COLOURS
    for colour in COLOURS
}
SCRIPT = "".join(map(str, shown(verdict()).all("script")[0].children))


def no_harm(root: Node) -> None:
    assert set(parts(root)) <= OURS
    (script,) = root.all("script")
    assert "".join(map(str, script.children)) == SCRIPT


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
@pytest.mark.parametrize("made", GOOD)
def test_no_payload_becomes_markup(made: Callable[[], Verdict], payload: str) -> None:
    bad = spoilt(made(), lambda text: f"{payload}{text}{payload}")
    no_harm(shown(bad))
    no_harm(shown(broken(), bad, bad))  # what passed is shown too, and what stands for longer


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
def test_strings_may_be_anything_at_all(text: str) -> None:
    no_harm(shown(spoilt(broken(), lambda _: text)))


def test_what_is_hostile_can_still_be_read() -> None:
    bad = spoilt(broken(), lambda text: f"{text} <b>&amp;")
    assert "nothing answers on port 443 of ecr.api, ecr.dkr <b>&amp;" in shown(bad).by_id("findings").text


def test_what_is_misconfigured_is_no_markup() -> None:
    root = parse(html(waiting(misconfigured=PAYLOADS[0]), now=NOON))
    assert not root.all("img")
    assert root.by_id("lead").text == PAYLOADS[0]


def test_nothing_reverses_the_writing() -> None:
    assert "\u202e".encode() not in html(after([spoilt(broken(), lambda text: f"\u202e{text}")]), now=NOON)


# ---- the builder -----------------------------------------------------------------------------------------------------


def test_a_style_cannot_end_early() -> None:
    with pytest.raises(ValueError, match="would end early"):
        verbatim("style", "a { content: '</style>' }")


@pytest.mark.parametrize("name", ["p onclick", "", "a>b", "ä", "p\n"])
def test_names_are_names(name: str) -> None:
    with pytest.raises(ValueError, match="names no element"):
        document(tag(name))
    with pytest.raises(ValueError, match="names no element"):
        document(tag("p", **{f"{name} ": "x"}))


def test_attributes_can_be_left_out() -> None:
    made = document(tag("p", None, ["a", ["<"]], class_="x", hidden=True, open=False, id=None, data_n=3))
    assert made == b'<!doctype html>\n<p class="x" hidden data-n="3">a&lt;</p>\n'
