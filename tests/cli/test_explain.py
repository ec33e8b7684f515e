"""`explain` with a saved verdict: the same findings, or one sentence that says why it cannot be read."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from probe import __version__, crash
from probe.cli import main
from probe.config.settings import parse
from probe.explain import saved_verdict
from probe.model import Verdict
from probe.report.finding_page import finding_page

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"


@pytest.fixture
def document() -> bytes:
    """The smallest document: that of a run with a bug."""
    verdict = crash.broken(parse(["--image", IMAGE], {}), ValueError("x"), began=datetime.now(UTC))
    return msgspec.json.encode(saved_verdict.rejudge(verdict))


def explain(tmp_path: Path, content: bytes, *argv: str) -> int:
    file = tmp_path / "verdict.json"
    file.write_bytes(content)
    return main(["explain", str(file), *argv])


def changed(document: bytes, **keys: Any) -> bytes:
    return json.dumps(json.loads(document) | keys).encode()


def test_a_saved_verdict_has_the_same_findings(
    document: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert explain(tmp_path, document, "--format", "json") == 3
    assert json.loads(capfd.readouterr().out) == json.loads(document)
    assert explain(tmp_path, document) == 3
    assert capfd.readouterr().out.startswith("error[probe.bug]")


def test_opinions_in_the_file_are_ignored(document: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, changed(document, status="pass", findings=[], exit_code=0), "--format", "json") == 3
    assert json.loads(capfd.readouterr().out) == json.loads(document)


def test_standard_input(document: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(document)))
    assert main(["explain", "-", "--format", "json"]) == 3
    assert json.loads(capfd.readouterr().out) == json.loads(document)


def test_indentation_and_unknown_keys_are_accepted(document: bytes, tmp_path: Path) -> None:
    assert explain(tmp_path, json.dumps(json.loads(changed(document, news=1)), indent=4).encode()) == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"   \n", "is empty"),
        (b"all is well", "contains no error"),
        (b"\xff\xfe\x00", "contains no error"),
        (b"\x7fELF\x02\x00\x00", "is not text"),
        (b'{"schema_version": 1, "x":' + b"[" * 100000, "is not JSON"),
        (b'{"schema_version": 1} {}', "is not JSON"),
        (b'{"schema_version": 1, "version": "0.1", "seconds": "\\u001b[31m"}', "not a verdict"),
        (b'{"schema_version": 0}', "schema_version 0"),
        (b'{"schema_version": -1}', "schema_version -1"),
        (b"{}", "contains no error"),
        (b"[]", "contains no error"),
        (b'{"schema_version": "one"}', "not a verdict"),
        (b'{"schema_version": 1}', "not a verdict"),
        (b'{"schema_version": 2, "all": "new"}', "schema_version 2"),
        (b" " * (saved_verdict.MAX_BYTES + 1), "larger than 16 MiB"),
    ],
    ids=range(16),
)
def test_anything_else_is_refused(
    content: bytes, sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert explain(tmp_path, content, "--format", "json") == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert sentence in err
    assert "\x1b" not in err
    assert "expected" in err or "reads version 1" in err


def test_errors_mention_standard_input(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    assert main(["explain", "-"]) == 2
    assert capfd.readouterr().err.startswith("ecr-probe: standard input contains no error; expected a verdict")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_of_windows_shells(encoding: str, document: bytes, tmp_path: Path) -> None:
    assert explain(tmp_path, document.decode().encode(encoding)) == 3


LOOKUP = {
    "type": "dns",
    "server": "10.0.0.2",
    "asker": "configured",
    "order": 0,
    "name": "x",
    "record": "A",
    "addresses": [{"address": "10.0.0.9", "class": "vpc"}],
}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("plan", "vpc_cidrs"), ["x"]),
        (("plan", "presumed_cidrs"), ["10.0.0.0/99"]),
        (("surroundings", "addresses"), ["zz"]),
        (("surroundings", "subnet_cidr"), "\u202e"),
        (("steps", 0, "seen"), {"type": "tcp", "address": "10.0.0", "class": "vpc"}),
        (("steps", 0, "seen"), LOOKUP | {"server": "here"}),
        (("steps", 0, "seen"), LOOKUP | {"addresses": [{"address": "", "class": "vpc"}]}),
    ],
)
def test_an_invalid_address_is_not_reported_as_a_bug(
    place: tuple[str | int, ...], value: Any, document: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    changed_document = json.loads(document)
    below = changed_document
    for key in place[:-1]:
        below = below[key]
    below[place[-1]] = value
    assert explain(tmp_path, json.dumps(changed_document).encode()) == 2
    err = capfd.readouterr().err
    assert "is JSON but not a verdict (" in err
    assert "not an address or range" in err
    assert err[:-1].isprintable()


def test_an_instant_without_a_zone_is_refused(
    document: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert explain(tmp_path, changed(document, started_at="2026-01-01T00:00:00")) == 2
    assert "no time zone" in capfd.readouterr().err


def test_opinions_of_a_newer_version_are_not_read(document: bytes, tmp_path: Path) -> None:
    newer = changed(document, status="splendid", findings=[{"code": 1}], endpoints="none", pull=None)
    assert explain(tmp_path, newer) == 3


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("99.1.0", "was written by ecr-probe 99.1.0, newer than this one"),
        (__version__, "is JSON but not a verdict (Invalid enum value 'astray'"),
        ("0.0.1", "is JSON but not a verdict (Invalid enum value 'astray'"),
        ("\u001b[31m", "is JSON but not a verdict (Invalid enum value 'astray'"),
    ],
)
def test_unknown_values_in_facts(
    version: str, sentence: str, document: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = [json.loads(document)["steps"][0] | {"failure": "astray"}]
    assert explain(tmp_path, changed(document, version=version, steps=steps)) == 2
    err = capfd.readouterr().err
    assert sentence in err
    assert "astray" in err
    assert err[:-1].isprintable()


def test_the_error_about_a_file_repeats_no_secret_of_it(
    document: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = [json.loads(document)["steps"][0] | {"failure": "astray password=sentinel\u001b[2J"}]
    assert explain(tmp_path, changed(document, steps=steps)) == 2
    err = capfd.readouterr().err
    assert "Invalid enum value 'astray password=[cut]" in err
    assert "sentinel" not in err
    assert err[:-1].isprintable()


def test_endless_input_is_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "/dev/zero"]) == 2
    assert "larger than" in capfd.readouterr().err


def test_contradictory_flags(document: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, document, "--pretty") == 2
    assert "--pretty (ECR_PROBE_PRETTY)" in capfd.readouterr().err


def test_decoding_reverses_encoding(document: bytes) -> None:
    assert msgspec.json.encode(msgspec.json.decode(document, type=Verdict)) == document


@pytest.mark.parametrize("name", ["healthy", "ecr-endpoint-policy"])
def test_a_real_verdict_is_explained_unchanged(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "verdict.json"
    assert main(["demo", name, "--format", "json", "--output", str(file)]) == 0
    capfd.readouterr()
    document = json.loads(file.read_bytes())
    assert main(["explain", str(file), "--format", "json"]) == document["exit_code"]
    assert json.loads(capfd.readouterr().out) == document


@pytest.mark.parametrize("code", ["tcp.silent", "endpoint.missing.s3"])
def test_the_code_of_a_finding_or_a_cause_prints_its_page(code: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    out, err = capfd.readouterr()
    assert (out, err) == (finding_page(code).rstrip("\n") + "\n", "")


@pytest.mark.parametrize(
    ("flags", "typed"),
    [
        (["--format", "json"], "format"),
        (["--output", "page.md"], "output"),
        (["--task", "arn:aws:ecs:eu-west-1:123456789012:task/main/0123456789abcdef"], "task"),
        (["--profile", "default"], "profile"),
        (["--image", IMAGE], "image"),
        (["--vpc-cidr", "10.0.0.0/16"], "vpc-cidr"),
        (["--pretty"], "pretty"),
        (["-q"], "quiet"),
        (["-v"], "verbose"),
        (["-v", "-q"], "verbose"),
    ],
)
def test_a_flag_next_to_a_code_is_refused(
    flags: list[str],
    typed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECR_PROBE_IMAGE", IMAGE)
    assert main(["explain", "tcp.silent", *flags]) == 2
    sentence = f"explain tcp.silent prints the page of a code, so --{typed} has no effect"
    assert capfd.readouterr() == ("", f"ecr-probe: {sentence}; for example ecr-probe explain tcp.silent\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FORMAT", "json"),
        ("FORMAT", "prometheus,junit"),
        ("FORMAT", "none"),
        ("OUTPUT", "/nonexistent/verdict.json"),
        ("PRETTY", "1"),
        ("IMAGE", IMAGE),
    ],
)
def test_the_page_of_a_code_does_not_depend_on_variables_for_other_commands(
    variable: str, text: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"ECR_PROBE_{variable}", text)
    assert main(["explain", "tcp.silent"]) == 0
    assert capfd.readouterr() == (finding_page("tcp.silent").rstrip("\n") + "\n", "")


def test_a_file_named_like_a_code_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tcp.silent").write_text("dial tcp 10.0.1.10:443: i/o timeout")
    assert main(["explain", "tcp.silent", "--format", "json"]) != 2
    assert '"basis": "text"' in capfd.readouterr().out.replace('"basis":"text"', '"basis": "text"')
