"""The examples of docs/pipelines/, and their command lines as a shell reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

# Variables that a reader has set before.
VARIABLES = {
    "GITHUB_STEP_SUMMARY": "summary.md",
    "SUBNETS": "subnet-0a1b2c3d4e5f60718,subnet-0b1c2d3e4f5a60718",
    "GROUP": "sg-0a1b2c3d4e5f60718",
}
FOLDER = Path(__file__).parents[2] / "docs/pipelines"
WORKFLOW, BUILDSPEC, GITLAB, APPSPEC = (
    FOLDER / name for name in ("github-actions.yml", "buildspec.yml", "gitlab-ci.yml", "appspec.yml")
)


class Script(NamedTuple):
    """Shell commands of one place, and the variables that it sets for them."""

    where: str
    text: str
    variables: dict[str, str]


def document(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def scripts() -> Iterator[Script]:
    for job in document(WORKFLOW)["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                yield Script(WORKFLOW.name, step["run"], _plain(step.get("env", {})))
    build = document(BUILDSPEC)
    for phase in build["phases"].values():
        yield Script(BUILDSPEC.name, "\n".join(phase["commands"]), build["env"]["variables"])
    for job in document(GITLAB).values():
        if isinstance(job, dict):
            commands = [*job.get("before_script", ()), *job["script"]]
            yield Script(GITLAB.name, "\n".join(commands), job["variables"])
    for readme in (FOLDER / "README.md", FOLDER.parents[1] / "README.md"):
        for text in re.findall(r"^```sh\n(.*?)^```$", readme.read_text(), re.M | re.S):
            yield Script(readme.name, text, {})


def _plain(variables: dict[str, str]) -> dict[str, str]:
    """GitHub's expressions are filled in before a shell sees them."""
    return {name: "shop" if "${{" in value else value for name, value in variables.items()}


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """(where, argv) of each line that runs ecr-probe, the program's name left out."""
    for script in scripts():
        for line in script.text.replace("\\\n", " ").splitlines():
            argv = [_filled(word, script.variables) for word in shlex.split(line, comments=True)]
            program = next((place for place, word in enumerate(argv) if _is_program(word)), None)
            if program is not None and program <= 1:  # behind "python3" or by itself
                yield script.where, argv[program + 1 :]


def _is_program(word: str) -> bool:
    return word.rpartition("/")[2] in ("ecr-probe", "ecr-probe.pyz")


def _filled(word: str, variables: dict[str, str]) -> str:
    values = {**VARIABLES, **variables}
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], match[0]), word)
