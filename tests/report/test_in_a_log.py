"""A pipeline keeps reports in its log: no foreign text in them becomes a command to the log's reader."""

from __future__ import annotations

import json

import pytest

from probe.report import FLEET_FORMATS, FORMATS, Page
from tests.page.hostile import spoilt
from tests.report import fleets, made
from tests.safe_words.log_commands import LOG_COMMANDS, is_log_command

# The github format consists of commands. Prometheus's holds no foreign text, and its labels cannot be escaped further.
FORMS = sorted(set(FORMATS) - {"github", "prometheus"})


def commands_in_report(form: str, command: str, before: str = "") -> list[str]:
    """Lines that are commands, where every text of a verdict and of a fleet begins with `before` and `command`."""
    prefix = f"{before}{command} "
    verdict = spoilt(made.broken(), lambda text: f"{prefix}{text}")
    pages = [Page(), Page(width=60, unicode=False), *([Page(pretty=True)] if form == "json" else [])]
    texts = [FORMATS[form].render(verdict, page) for page in pages]
    if form in FLEET_FORMATS:
        runs = [fleets.run(0, verdict, words=prefix), fleets.run(1, words=prefix)]
        texts.append(FLEET_FORMATS[form].render(fleets.fleet(runs, notes=(command, prefix)), Page()))
    return [line for text in texts for line in text.split("\n") if is_log_command(line)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", LOG_COMMANDS)
def test_foreign_text_is_no_command(form: str, command: str) -> None:
    assert commands_in_report(form, command) == []


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("length", range(40, 122, 3))
def test_foreign_text_is_no_command_after_a_line_is_broken(length: int, blank: str) -> None:
    """After a word of this length the command is the first word of a line, or follows the rest of a long word."""
    for form, letters in (("text", length), ("text", length + 1), ("text", length + 2), ("junit", length)):
        assert commands_in_report(form, "::error::x", "a" * letters + blank) == []


def test_json_keeps_the_text() -> None:
    text = "##[set-env name=x;]y ###[ ##"
    verdict = made.verdict(version=text)
    for page in (Page(), Page(pretty=True)):
        assert json.loads(FORMATS["json"].render(verdict, page))["version"] == text
