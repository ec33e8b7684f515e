"""What a release needs around its files: the tag, the notes, and the digests in the GitHub Action.

python -m tools.release check TAG       the tag is the version's, and changelog and action are of this version
python -m tools.release notes           the changelog's section of this version
python -m tools.release pin FOLDER      write the version and the one-files' digests into smoke/action.yml
python -m tools.release verify FOLDER   the action has the digests of the one-files in FOLDER
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from probe import __version__

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "smoke" / "action.yml"
CHANGELOG = ROOT / "CHANGELOG.md"
MACHINES = ("x86_64", "aarch64")


def check(tag: str) -> None:
    if tag != f"v{__version__}":
        raise SystemExit(f"the tag is {tag} and the version in probe/__init__.py {__version__}; tag v{__version__}")
    notes()
    if f"RELEASE: {tag}\n" not in ACTION.read_text():
        raise SystemExit(f"smoke/action.yml is not of {tag}; run make pin-action before you tag")


def notes() -> str:
    """The section as Markdown, without its heading. Ends the program if there is none."""
    sections = re.split(r"^## ", CHANGELOG.read_text(), flags=re.MULTILINE)
    heading = rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d\n"
    for section in sections:
        if match := re.match(heading, section):
            return section[match.end() :].strip() + "\n"
    raise SystemExit(f"CHANGELOG.md has no section ## [{__version__}] - YYYY-MM-DD")


def pin(folder: Path) -> None:
    text = re.sub(r"RELEASE: v\S+", f"RELEASE: v{__version__}", ACTION.read_text())
    for machine, digest in _digests(folder).items():
        text = re.sub(rf'({_variable(machine)}: )"[0-9a-f]{{64}}"', rf'\g<1>"{digest}"', text)
    ACTION.write_text(text)


def verify(folder: Path) -> None:
    text = ACTION.read_text()
    for machine, digest in _digests(folder).items():
        if f'{_variable(machine)}: "{digest}"\n' not in text:
            raise SystemExit(f"smoke/action.yml does not have {digest}, the SHA-256 of ecr-probe-{machine}.pyz")


def _digests(folder: Path) -> dict[str, str]:
    files = {machine: folder / f"ecr-probe-{machine}.pyz" for machine in MACHINES}
    return {machine: hashlib.sha256(path.read_bytes()).hexdigest() for machine, path in files.items()}


def _variable(machine: str) -> str:
    return f"SHA256_{machine.upper()}"


def main(step: str, *arguments: str) -> None:
    if step == "check":
        check(*arguments)
    elif step == "notes":
        print(notes(), end="")
    else:
        {"pin": pin, "verify": verify}[step](Path(*arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
