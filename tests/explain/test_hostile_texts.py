"""Texts and documents of an attacker: read within bounds, and shown without effect on terminal, log or shell."""

from __future__ import annotations

import re
import shlex

import msgspec
import pytest

from probe.cli import main
from probe.explain import explain_document
from probe.explain.task_context import TaskContext
from probe.model import Verdict
from probe.report import FORMATS, Page
from tests.safe_words.log_commands import LOG_COMMANDS

TIMEOUT = "dial tcp 10.0.1.10:443: i/o timeout"
WORDS = [form for form in FORMATS.values() if not form.numeric]
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u2066\u2028\x7f"


def explained(text: str) -> Verdict:
    verdict = explain_document(text.encode(), TaskContext(), ())
    assert isinstance(verdict, Verdict)
    return verdict


@pytest.mark.parametrize("form", WORDS, ids=lambda form: form.name)
@pytest.mark.parametrize(
    "text",
    [
        f"CannotPullContainerError: {ESCAPES} {TIMEOUT} {ESCAPES}",
        f'failed to resolve reference "{ESCAPES}123456789012.dkr.ecr.eu-west-1.amazonaws.com/a{ESCAPES}:1": {TIMEOUT}',
        f"lookup {ESCAPES}api.ecr.eu-west-1.amazonaws.com on 10.0.0.2:53: no such host {ESCAPES}",
        f"AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/{ESCAPES}/x is not authorized to "
        f"perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/{ESCAPES} {ESCAPES}",
        "\n".join(f"{command} {TIMEOUT}\n{command}" for command in LOG_COMMANDS),
    ],
    ids=["around", "image", "lookup", "denial", "log commands"],
)
def test_no_report_carries_a_control_character_or_a_log_command(text: str, form: object) -> None:
    report = form.render(explained(text), Page(verbose=True))  # type: ignore[attr-defined]
    assert [character for character in report if not character.isprintable() and character != "\n"] == []
    own = "::" if form.name == "github" else None  # type: ignore[attr-defined]
    for line in report.splitlines():
        if own is None or not line.startswith(own):
            assert not re.match(r"\s*(?:::|##\[|##vso\[)", line), line


@pytest.mark.parametrize(
    "word", ["1.", "a.", "a-", '"', "[", "(caused by: ", "https://a.", "10.0.0.1:1->", "&a=", " ", "\n"]
)
def test_a_text_of_repeated_words_is_read_to_its_end(word: str) -> None:
    """Against patterns that need quadratic time: half a mebibyte would take minutes then."""
    text = f"CannotPullContainerError: {word * ((1 << 19) // len(word))} {TIMEOUT}"
    assert explained(text).findings[0].code == "tcp.silent" or word == "https://a."


@pytest.mark.parametrize(
    "command", ["$(touch owned)", "`touch owned`", "; touch owned;", "' | touch owned '", "\n touch owned"]
)
def test_no_printed_command_carries_a_shell_command(command: str) -> None:
    for text in (
        f'failed to pull image "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app{command}:1": {TIMEOUT}',
        f"User: arn:aws:sts::123456789012:assumed-role/app{command}/x is not authorized to perform: "
        f"ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/app{command} because no "
        "identity-based policy allows the ecr:BatchGetImage action",
    ):
        for finding in explained(text).findings:
            for cause in finding.causes:
                for line in (*cause.fix.commands, *cause.confirm.commands):
                    assert "owned" not in shlex.split(line)
                    assert not re.search(r"[`;|]\s*touch|\$\(touch", line), line


@pytest.mark.parametrize(
    "document", ['{"schema_version":1,"version":"0.1.0","steps":' + "[" * 500_000, '{"a":' * 100_000]
)
@pytest.mark.parametrize("argv", [["explain"], ["inspect", "--verdict"], ["inspect", "--configuration"]], ids=" ".join)
def test_a_document_that_is_too_deep_is_refused_in_one_line(
    document: str, argv: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probe.cli._read", lambda _name, _limit: document.encode())
    assert main([*argv, "-"]) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert len(shown.err) < 400
    assert msgspec.json.encode(shown.err)
