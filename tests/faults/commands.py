"""The commands that the program prints: their words, their forms, and what is wrong with their text.

`tests/lab/test_commands.py` tries a command of each form in the AWS CLI. `tests/scenarios` compares the forms of every
scenario with those, so that the laboratory does not replay them all.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable
from functools import cache

from probe.model import Finding, JudgedFinding
from probe.report.finding_page import CODES, code_page
from tests.faults.expected import EXPECTED
from tests.faults.reported import REPORTED
from tests.faults.test_laws import PROGRAMS

# The scenarios that print forms which no case, sample or page has. The laboratory plays them.
PLAYED = (
    "digest-not-found",
    "foreign-layers",
    "ipv6-only-classic-host",
    "pinned-digest-archived",
    "pinned-digest-gone",
    "s3-kms-denied",
)
# Services without regions in their names, whose commands need no --region.
GLOBAL = ("iam", "organizations", "route53")
_OF_LOOPS = ("until", "do", "done")
LOCAL = ("--version", "configure")  # these call no service
_VALUES = re.compile(r"[\w./:-]*\d[\w./:-]*(?:,[\w./:-]*\d[\w./:-]*)*")
_NAMES = {
    "--cluster",
    "--log-group-name",
    "--log-group-name-prefix",
    "--registry-id",
    "--repository-name",
    "--repository-names",
    "--role-name",
    "--user-name",
}
# What the reader puts in for a word in capitals where the CLI accepts no other word.
WORDS = {"NUMBER": "100", "VALUE": "5", "IMAGE_REGION": "us-west-2", "REGION": "eu-west-1"}


def commands_of(findings: Iterable[Finding | JudgedFinding]) -> frozenset[str]:
    """Every command in these findings' causes."""
    advices = (advice for finding in findings for cause in finding.causes for advice in (cause.fix, cause.confirm))
    return frozenset(command for advice in advices for command in advice.commands)


@cache
def known_commands() -> frozenset[str]:
    """Every command of all cases, samples and pages."""
    runs = (*(case.run for case in EXPECTED), *(case.run for case in REPORTED))
    groups = (group for code in CODES for group in code_page(code).causes)
    advices = (advice for group in groups for advice in (group.fix, group.confirm, group.fix_of_deny) if advice)
    of_pages = frozenset(command for advice in advices for command in advice.commands)
    return commands_of(finding for run in runs for finding in run.findings()) | of_pages


@cache
def known_forms() -> frozenset[str]:
    return forms_of(known_commands())


def calls_of(command: str) -> list[list[str]]:
    """The words of each call of the AWS CLI that calls a service, without the name of the program."""
    return [words[1:] for words in words_of(command) if words[0] == "aws" and words[1] not in LOCAL]


def forms_of(commands: Iterable[str]) -> frozenset[str]:
    return frozenset(form_of(words) for command in commands for words in calls_of(command))


def words_of(command: str) -> list[list[str]]:
    """The words of each program in a pipeline or a loop, without its redirections."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|<>;&")
    lexer.whitespace_split = True
    programs: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if set(word) <= set("|;&"):
            programs.append([])
        elif set(word) <= set("<>"):
            next(words)
        elif programs[-1] or word not in _OF_LOOPS:
            programs[-1].append(word)
    return [words for words in programs if words]


def filled_in(word: str) -> str:
    """The word with values for words in capitals."""
    word = re.sub(r"\b[A-Z_]+_ARN\b", "arn:aws:iam::123456789012:role/of-fifty-characters-or-more", word)
    return re.sub(rf"\b(?:{'|'.join(WORDS)})\b", lambda match: WORDS[match[0]], word)


def form_of(words: list[str]) -> str:
    """Commands that differ only in regions, addresses, names and numbers have one form, of which one is run."""
    service, operation, *options = map(filled_in, words)
    names = [option in _NAMES for option in ("", *options)]
    values = ["0" if named else re.sub(_VALUES, "0", word) for word, named in zip(options, names, strict=False)]
    return " ".join((service, operation, *values))


def unreadable(commands: list[str]) -> list[str]:
    """The commands that bash does not parse; all at once, and each alone only if one is bad."""
    script = "\n".join(commands)
    if not subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False).returncode:
        return []
    return commands if len(commands) == 1 else [bad for command in commands for bad in unreadable([command])]


def fault_of_text(command: str) -> str | None:
    """What is wrong whatever the program."""
    if re.search(r"…|\.\.\.|\{[a-z_]*\}|\bNone\b", command):
        return "an ellipsis or a placeholder is left"
    for words in words_of(command):
        if words[0] not in PROGRAMS:
            return f"unknown program {words[0]}"
        if words[0] == "aws" and words[1] not in (*GLOBAL, *LOCAL) and "--region" not in words:
            return "no --region"
    return None
