"""The page in Chromium: it keeps itself up to date without disturbing its reader, and is accessible."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from selenium_axe_python.axe import Axe

from probe.history import Snapshot
from probe.records import replace
from probe.report.markdown import of_finding
from tests.page.browser import Browser
from tests.page.conftest import Sidecar
from tests.page.hostile import PAYLOADS, spoilt
from tests.page.snapshots import after, broken, failing_in_one_zone, unproven, verdict, waiting

Wait = WebDriverWait[Browser]

STATES = {
    "healthy": lambda: recent([verdict()] * 70),
    "failing": lambda: recent([verdict()] * 8 + [broken()] * 3),
    "half-dead": lambda: recent([verdict()] * 8 + [failing_in_one_zone()]),
    "resolved": lambda: recent([verdict(), broken(), verdict()]),
    "unproven": lambda: recent([unproven()] * 2),
    "waiting": lambda: waiting(started_at=datetime.now(UTC)),
}
pytestmark = pytest.mark.slow
every_state = pytest.mark.parametrize("name", STATES)


def recent(verdicts: Any) -> Snapshot:
    return after(verdicts, end=datetime.now(UTC) - timedelta(seconds=5))


def word(browser: Browser) -> str:
    return browser.find_element(By.ID, "state").text


def update(browser: Browser) -> None:
    """Let the page fetch itself, as it does when its tab becomes visible."""
    browser.execute_script("document.dispatchEvent(new Event('visibilitychange'))")


def shows(expected: str) -> Any:
    return lambda browser: word(browser) == expected


def opened(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    """Open the page and wait for its first update."""
    browser.get(sidecar.url)
    wait.until(lambda _: sidecar.paths.count("/") >= 2)
    wait.until(lambda _: browser.execute_script("return !document.querySelector('[data-tick]:empty')"))


def unfold(browser: Browser) -> None:
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")


# ---- on its own ------------------------------------------------------------------------------------------------------


@every_state
def test_the_console_is_empty_and_no_other_host_is_contacted(
    browser: Browser, sidecar: Sidecar, wait: Wait, name: str
) -> None:
    sidecar.snapshot = STATES[name]()
    opened(browser, sidecar, wait)
    assert browser.complaints() == []
    urls = {url for url in browser.requested() if not url.startswith(("data:", "about:"))}
    assert urls == {sidecar.url}
    assert browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)") == [
        sidecar.url
    ]


def surrounded(payload: str, text: str) -> str:
    return f"{payload}{text}{payload}"


def test_hostile_text_does_nothing(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    """Neither in the served page nor after an update by the script."""
    for payload in PAYLOADS:
        bad = spoilt(broken(), partial(surrounded, payload))
        sidecar.snapshot = recent([bad])
        browser.get(sidecar.url)
        sidecar.snapshot = recent([verdict(), bad, bad])
        update(browser)
        wait.until(lambda _: "2 rounds in a row" in browser.find_element(By.ID, "findings").text)
        unfold(browser)
        assert browser.execute_script("return window.harmed") is None
    assert browser.complaints() == []
    assert {url for url in browser.requested() if not url.startswith(("data:", "about:"))} == {sidecar.url}


# ---- up to date ------------------------------------------------------------------------------------------------------


def test_it_updates_by_itself(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    opened(browser, sidecar, wait)
    sidecar.snapshot = recent([verdict()])
    wait.until(shows("Works"))
    assert browser.title.startswith("Works · ")


def test_an_update_keeps_focus_selection_scroll_and_open_details(
    browser: Browser, sidecar: Sidecar, wait: Wait
) -> None:
    sidecar.snapshot = STATES["half-dead"]()
    opened(browser, sidecar, wait)
    browser.look(width=1280, height=400)
    unfold(browser)
    before = browser.execute_script(
        """
        const summary = document.querySelector('#steps summary');
        summary.focus();
        summary.scrollIntoView();
        getSelection().selectAllChildren(document.querySelector('#limits li'));
        document.querySelectorAll('main *').forEach(node => node.mine = true);
        return {top: summary.getBoundingClientRect().top, open: document.querySelectorAll('details[open]').length,
                selected: getSelection().toString()};
        """
    )
    sidecar.snapshot = recent([verdict()] * 8 + [failing_in_one_zone(), broken()])
    update(browser)
    wait.until(shows("Broken"))
    now = browser.execute_script(
        """
        const summary = document.querySelector('#steps summary');
        return {focus: document.activeElement === summary && summary.mine, top: summary.getBoundingClientRect().top,
                open: document.querySelector('#steps details').open, selected: getSelection().toString(),
                state: document.querySelector('#state').mine};
        """
    )
    assert now["focus"]
    assert now["open"]
    assert now["state"], "the element stays and its text changes"
    assert now["selected"] == before["selected"] != ""
    assert now["top"] == pytest.approx(before["top"], abs=3)


def test_what_did_not_change_is_not_touched(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    browser.execute_script(
        """
        window.changed = [];
        const place = node => node.parentElement?.closest('[id]')?.id;
        const everything = {subtree: true, childList: true, characterData: true, attributes: true};
        new MutationObserver(list => window.changed.push(...list.map(one => place(one.target))))
            .observe(document.getElementById('main'), everything);
        """
    )
    sidecar.snapshot = recent([verdict()] * 8 + [broken()] * 4)
    update(browser)
    wait.until(lambda _: "4 rounds in a row" in browser.find_element(By.ID, "findings").text)
    changed = set(browser.execute_script("return window.changed"))
    assert not changed & {"path", "limits", "steps", "notes", "endpoints"}, changed
    assert not [identity for identity in changed if identity and identity.startswith("hop-")]


def test_an_open_cause_stays_open_while_findings_come_and_go(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    unfold(browser)
    only_silent = broken().findings[2:]
    sidecar.snapshot = recent([broken(), verdict(findings=only_silent)])
    update(browser)
    wait.until(lambda _: len(browser.find_elements(By.TAG_NAME, "article")) == 1)
    assert browser.execute_script("return document.querySelectorAll('article details[open]').length") == 3


def test_a_change_of_state_is_announced_once(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = recent([verdict()])
    opened(browser, sidecar, wait)
    voice = browser.find_element(By.ID, "voice")
    assert voice.get_attribute("textContent") == ""
    sidecar.snapshot = recent([verdict()] * 2)
    update(browser)
    wait.until(lambda _: browser.find_element(By.ID, "hour").text.count("2 rounds, all fine") > 1)
    assert voice.get_attribute("textContent") == ""
    sidecar.snapshot = recent([verdict(), broken()])
    update(browser)
    wait.until(
        lambda _: (voice.get_attribute("textContent") or "").startswith("Broken. ECS cannot pull the image: nothing")
    )
    assert voice.get_attribute("role") == "status"


def test_an_unreachable_sidecar_is_announced(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = recent([verdict()])
    opened(browser, sidecar, wait)
    notice = browser.find_element(By.ID, "notice")
    assert not notice.is_displayed()
    sidecar.answering = False
    update(browser)
    wait.until(lambda _: notice.is_displayed())
    assert re.match(r"Sidecar unreachable since \d\d:\d\d:\d\d UTC; showing its last state\.", notice.text)
    assert word(browser) == "Works"
    sidecar.answering = True
    update(browser)
    wait.until(lambda _: not notice.is_displayed())
    assert "reachable again" in (browser.find_element(By.ID, "voice").get_attribute("textContent") or "")


def test_a_lost_network_is_announced(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    opened(browser, sidecar, wait)
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **conditions})
    try:
        update(browser)
        wait.until(lambda _: browser.find_element(By.ID, "notice").is_displayed())
    finally:
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **conditions})
    update(browser)
    wait.until(lambda _: not browser.find_element(By.ID, "notice").is_displayed())


def test_an_outdated_state_is_called_out_of_date(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = after([verdict()], end=datetime.now(UTC) - timedelta(minutes=10))
    opened(browser, sidecar, wait)
    assert "No round has ended for a while" in browser.find_element(By.ID, "notice").text


def test_a_hidden_page_sends_no_request(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    opened(browser, sidecar, wait)
    browser.execute_script("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    before = sidecar.paths.count("/")
    update(browser)
    browser.execute_async_script("const done = arguments[0]; fetch('-/healthy').then(done, done)")
    assert sidecar.paths.count("/-/healthy") == 1
    assert sidecar.paths.count("/") == before


@pytest.mark.parametrize(
    ("away", "tick", "expected"),
    [
        (-1.5, "ago", "just now"),
        (-42.5, "ago", r"4[23] s ago"),
        (-125, "ago", "2 min ago"),
        (-7500, "ago", "2 h 5 min ago"),
        (-200000, "ago", "2 d 7 h ago"),
        (30.5, "in", r"in (30|31) s"),
        (-3, "in", "now"),
    ],
)
def test_times_tick(browser: Browser, sidecar: Sidecar, wait: Wait, away: float, tick: str, expected: str) -> None:
    opened(browser, sidecar, wait)
    at = (datetime.now(UTC) + timedelta(seconds=away)).isoformat()
    browser.execute_script(
        "Object.assign(document.querySelector('[data-tick]').dataset, arguments[0])", {"at": at, "tick": tick}
    )
    shown = browser.find_element(By.CSS_SELECTOR, "[data-tick]")
    wait.until(lambda _: re.fullmatch(expected, shown.get_attribute("textContent") or ""))


# ---- buttons ---------------------------------------------------------------------------------------------------------


def allow_clipboard(browser: Browser, sidecar: Sidecar) -> None:
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": sidecar.url.rstrip("/")}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)


def clipboard(browser: Browser) -> str:
    read = "const done = arguments[0]; navigator.clipboard.readText().then(done, done)"
    return str(browser.execute_async_script(read))


def test_a_command_is_copied(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    allow_clipboard(browser, sidecar)
    button = browser.find_element(By.CSS_SELECTOR, "article .copy")
    code = browser.find_element(By.CSS_SELECTOR, "article pre code").text
    button.click()
    wait.until(lambda _: button.text.startswith("Copied"))
    assert clipboard(browser) == code


def test_a_finding_is_copied_as_markdown(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    allow_clipboard(browser, sidecar)
    button = browser.find_element(By.CSS_SELECTOR, "article .share .copy")
    button.click()
    wait.until(lambda _: button.text == "Copied")
    copied = clipboard(browser)
    finding = next(finding for finding in broken().findings if finding.code == "tcp.silent")
    assert copied == of_finding(finding, broken())
    wait.until(lambda _: button.text == "Copy as Markdown")


def test_without_a_clipboard_markdown_is_copied_by_selection(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    browser.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    browser.execute_script("document.addEventListener('copy', () => window.copied = getSelection().toString())")
    browser.find_element(By.CSS_SELECTOR, "article .share .copy").click()
    assert browser.execute_script("return window.copied").startswith("<details open>")
    assert not browser.find_element(By.CSS_SELECTOR, "article .markdown").is_displayed()


def test_without_a_clipboard_the_command_is_selected(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    """Browsers offer no clipboard over plain HTTP."""
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    browser.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    browser.find_element(By.CSS_SELECTOR, "article .copy").click()
    selected = browser.execute_script("return getSelection().toString()")
    assert selected == browser.find_element(By.CSS_SELECTOR, "article pre code").text


def test_a_round_can_be_requested(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = recent([verdict()])
    opened(browser, sidecar, wait)
    button, answer = browser.find_element(By.CSS_SELECTOR, "#run button"), browser.find_element(By.ID, "run-answer")
    button.click()
    wait.until(lambda _: answer.text.startswith("a round starts now"))
    button.click()
    wait.until(lambda _: answer.text.startswith("a round was requested a moment ago"))
    assert sidecar.asked == 2
    assert browser.current_url == sidecar.url


# ---- accessibility ---------------------------------------------------------------------------------------------------


def violations(browser: Browser) -> list[tuple[str, list[str]]]:
    """The violations that axe reports, with their elements."""
    axe = Axe(browser)
    axe.inject()  # type: ignore[no-untyped-call]
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in axe.run()["violations"]]


@every_state
def test_axe_finds_no_violation(browser: Browser, sidecar: Sidecar, wait: Wait, name: str) -> None:
    """On a small light screen and a large dark one; the failing state also on a small dark and a large light one."""
    sidecar.snapshot = STATES[name]()
    opened(browser, sidecar, wait)
    unfold(browser)
    crossed = [(360, True), (1280, False)] if name == "failing" else []
    for width, dark in [(360, False), (1280, True), *crossed]:
        browser.look(width=width, dark=dark)
        assert violations(browser) == [], (width, dark)


@every_state
def test_it_fits_the_screen(browser: Browser, sidecar: Sidecar, wait: Wait, name: str) -> None:
    sidecar.snapshot = STATES[name]()
    opened(browser, sidecar, wait)
    unfold(browser)
    for width in (320, 768, 1280):
        browser.look(width=width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_an_instant_with_its_date_fits_a_phone(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    sidecar.snapshot = replace(STATES["healthy"](), since=yesterday)
    browser.look(width=320)
    opened(browser, sidecar, wait)
    assert f"{yesterday:%Y-%m-%d}" in browser.find_element(By.ID, "hero").text
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 320


def test_long_words_break_on_a_phone(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = recent([spoilt(broken(), lambda text: text + "x" * 200)])
    browser.look(width=320)
    opened(browser, sidecar, wait)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 320


def test_it_is_dark_where_dark_is_preferred(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    opened(browser, sidecar, wait)
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = browser.execute_script(ground)
    browser.look(width=1280, dark=True)
    assert browser.execute_script(ground) != light
    assert browser.execute_script("return getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_nothing_moves_where_reduced_motion_is_preferred(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    opened(browser, sidecar, wait)
    moves = "return getComputedStyle(document.getElementById('hero')).transitionDuration"
    assert browser.execute_script(moves) == "0s"
    browser.look(width=1280, reduced_motion=False)
    assert browser.execute_script(moves) != "0s"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    unfold(browser)
    count = browser.execute_script(
        """
        window.wanted = [...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')]
            .filter(node => node.checkVisibility());
        window.met = [];
        document.addEventListener('focusin', event => window.met.push(
            [event.target, getComputedStyle(event.target).outlineStyle, event.target.getBoundingClientRect().width]));
        return window.wanted.length;
        """
    )
    assert count > 10
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    for _ in range(count - 1):
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.execute_script("return window.met.map(([node]) => window.wanted.indexOf(node))") == list(
        range(count)
    )
    assert (
        browser.execute_script(
            "return window.met.filter(([, outline, width]) => outline === 'none' || width < 10).length"
        )
        == 0
    )


def test_a_strip_is_an_image_with_a_name(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    strip = browser.find_element(By.CSS_SELECTOR, "#hour svg")
    assert strip.aria_role in ("img", "image")
    assert "3 of 11 rounds failed" in strip.accessible_name


def test_without_scripts_everything_can_be_read(browser: Browser, sidecar: Sidecar) -> None:
    sidecar.snapshot = STATES["failing"]()
    browser.scripts(False)
    browser.get(sidecar.url)
    assert word(browser) == "Broken"
    assert "6 of 6 connections timed out" in browser.find_element(By.ID, "findings").text
    assert browser.find_elements(By.CSS_SELECTOR, "head noscript meta[http-equiv=refresh]")
    assert not browser.find_element(By.CSS_SELECTOR, ".copy").is_displayed()
    browser.find_element(By.CSS_SELECTOR, "#steps summary").click()
    assert browser.find_element(By.CSS_SELECTOR, "#steps table").is_displayed()
    assert sidecar.paths.count("/") == 1


def test_without_scripts_a_round_can_be_requested(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = recent([verdict()])
    browser.scripts(False)
    browser.get(sidecar.url)
    expected = ["/"]
    for answered in ("granted", "too soon"):
        browser.find_element(By.CSS_SELECTOR, "#run button").click()
        expected.extend(["/-/run", "/"])
        wait.until(lambda _: sidecar.paths == expected)
        assert sidecar.asked == expected.count("/-/run"), answered
        assert browser.current_url == sidecar.url
        assert word(browser) == "Works"


def test_a_printout_has_all_causes(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        hidden = browser.execute_script(
            """
            return [...document.querySelectorAll('article details *')]
                .filter(one => !one.checkVisibility()).map(one => one.className);
            """
        )
        assert set(hidden) <= {"copy", "unseen"}
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


# ---- the page of a finding -------------------------------------------------------------------------------------------


def test_a_finding_leads_to_its_page_and_back(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    sidecar.snapshot = STATES["failing"]()
    opened(browser, sidecar, wait)
    browser.find_element(By.LINK_TEXT, "explanation of tcp.silent").click()
    wait.until(lambda _: browser.title == "tcp.silent · ecr-probe")
    assert browser.current_url == f"{sidecar.url}findings/tcp.silent"
    assert "authorize-security-group-ingress" in browser.find_element(By.TAG_NAME, "main").text
    browser.find_element(By.LINK_TEXT, "tcp.nacl").click()
    wait.until(lambda _: browser.title == "tcp.nacl · ecr-probe")
    browser.find_element(By.LINK_TEXT, "The last verdict").click()
    wait.until(shows("Broken"))
    assert browser.current_url == sidecar.url
    assert browser.complaints() == []


# The finding with the most causes, one that only error texts have, and a cause.
@pytest.mark.parametrize("code", ["dns.public-answer", "task.start-timeout", "tcp.security-group"])
def test_the_page_of_a_finding_is_accessible_and_fits_the_screen(browser: Browser, sidecar: Sidecar, code: str) -> None:
    browser.get(f"{sidecar.url}findings/{code}")
    for width, dark in [(320, False), (400, True), (1280, True), (1280, False)]:
        browser.look(width=width, dark=dark)
        assert violations(browser) == [], (width, dark)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []


def test_a_command_of_a_findings_page_can_be_copied(browser: Browser, sidecar: Sidecar, wait: Wait) -> None:
    browser.get(f"{sidecar.url}findings/tcp.silent")
    command = browser.find_element(By.CSS_SELECTOR, ".command code").text
    allow_clipboard(browser, sidecar)
    browser.find_element(By.CSS_SELECTOR, ".copy").click()
    wait.until(lambda _: browser.find_element(By.CSS_SELECTOR, ".copy").text.startswith("Copied"))
    assert clipboard(browser) == command
