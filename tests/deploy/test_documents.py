"""The commands `up` and `down` in README and docs work as written, one after the other as a reader enters them."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.deploy.aws import DeployedAws
from tests.deploy.runs import Bench
from tests.documents.commands import commands

ARCHIVE = "dist/ecr-probe-image.tar"  # of make image-archive
COMMANDS = [
    command for command in commands() if shlex.split(command.line)[:2] in (["ecr-probe", "up"], ["ecr-probe", "down"])
]


def test_the_documents_show_both_commands() -> None:
    assert {shlex.split(command.line)[1] for command in COMMANDS} == {"up", "down"}


@pytest.mark.parametrize("document", sorted({command.document for command in COMMANDS}))
def test_the_commands_of_a_document_work_as_written(
    document: str, bench: Bench, aws: DeployedAws, archive: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dist").mkdir()
    Path(archive).rename(tmp_path / ARCHIVE)
    monkeypatch.chdir(tmp_path)
    bench.console.answer = True
    nothing = aws.left()
    for command in COMMANDS:
        if command.document == document:
            _, name, *arguments = shlex.split(command.line)
            assert bench.run(name, arguments) == 0, bench.console.text
    assert len(bench.fleets) >= 1
    assert aws.left() == nothing, "the last command of each document removes everything"
