"""The GitHub Action: its metadata by GitHub's schema, and its shell steps against a local server and a fake program."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import platform
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
import yaml

from probe import __version__
from probe.config.commands import COMMANDS
from tests.pipelines.test_examples import run
from tools import release

ACTION = Path(__file__).parents[2] / "smoke/action.yml"
DOCUMENT: dict[str, Any] = yaml.safe_load(ACTION.read_text())
FETCH, SMOKE = DOCUMENT["runs"]["steps"]
# Of the text report, of the action itself, or of a workstation.
NOT_INPUTS = {"format", "output", "pretty", "verbose", "quiet", "profile"}
# The program of a fake release. It writes the reports that its arguments name, and what it was called with.
PROGRAM = """\
import json, os, sys
arguments = sys.argv[1:]
seen = {name: value for name, value in os.environ.items() if name.startswith("ECR_PROBE_")}
status, code = os.environ["FAKE"].split()
for place, word in enumerate(arguments):
    if word == "--output" and code != "2":
        with open(arguments[place + 1], "w") as file:
            json.dump({"status": status, "arguments": arguments, "seen": seen}, file)
sys.exit(int(code))
"""
MACHINE = platform.machine()


def test_the_metadata_is_valid() -> None:
    done = run("check-jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_is_secure() -> None:
    done = run("zizmor", "--offline", "--no-progress", "--strict-collection", "--persona", "pedantic", str(ACTION))
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_expression_reaches_a_shell() -> None:
    assert [step["id"] for step in (FETCH, SMOKE) if "${{" in step["run"]] == []


def test_the_inputs_are_the_flags_of_smoke() -> None:
    flags = {flag.name: flag for flag in COMMANDS["smoke"].flags if flag.on_command_line}
    assert set(DOCUMENT["inputs"]) == set(flags) - NOT_INPUTS
    assert not [name for name, described in DOCUMENT["inputs"].items() if described["required"]]
    passed = {name: value for name, value in SMOKE["env"].items() if name.startswith("ECR_PROBE_")}
    assert passed == {flags[name].variable: f"${{{{ inputs.{name} }}}}" for name in DOCUMENT["inputs"]}


# ---- its steps -------------------------------------------------------------------------------------------------------


class Release(NamedTuple):
    """A server that has the file of a release, and what is needed to reach it."""

    url: str
    authorities: Path
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    root, authority = tmp_path_factory.mktemp("server"), trustme.CA()
    folder = root / "owner/ecr-probe/releases/download/v9.9.9"
    folder.mkdir(parents=True)
    for machine in release.MACHINES:
        (folder / f"ecr-probe-{machine}.pyz").write_text(PROGRAM)
    authority.cert_pem.write_to_path(str(root / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Release(f"https://localhost:{server.server_address[1]}", root / "ca.pem", PROGRAM.encode())
        server.shutdown()
        thread.join()


class Done(NamedTuple):
    code: int
    log: str
    outputs: dict[str, str]


def step(described: Mapping[str, Any], folder: Path, variables: Mapping[str, str]) -> Done:
    """Run a step as GitHub's runner does, with its expressions filled in by `variables`."""
    folder.mkdir(exist_ok=True)
    own = {name: "" if "${{" in value else value for name, value in described["env"].items()}
    outputs = folder / "outputs"
    outputs.touch()
    github = {
        "PATH": os.environ["PATH"],
        "RUNNER_TEMP": str(folder),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", described["run"]]
    done = subprocess.run(
        command, env=own | github | dict(variables), cwd=folder, capture_output=True, text=True, timeout=60
    )
    lines = (line.partition("=") for line in outputs.read_text().splitlines())
    return Done(done.returncode, done.stdout + done.stderr, {name: value for name, _, value in lines})


def fetched(published: Release, folder: Path, **variables: str) -> Done:
    known = {
        "RELEASE": "v9.9.9",
        "SERVER": published.url,
        "REPOSITORY": "owner/ecr-probe",
        "CURL_CA_BUNDLE": str(published.authorities),
        f"SHA256_{MACHINE.upper()}": published.digest,
    }
    return step(FETCH, folder, known | variables)


def test_it_fetches_the_file_of_its_release(published: Release, tmp_path: Path) -> None:
    done = fetched(published, tmp_path)
    assert done.code == 0, done.log
    assert Path(done.outputs["program"]).read_bytes() == published.content


def test_a_file_with_another_digest_is_not_run(published: Release, tmp_path: Path) -> None:
    done = fetched(published, tmp_path, **{f"SHA256_{MACHINE.upper()}": "a" * 64})
    assert done.code == 2
    assert f"::error::ecr-probe-{MACHINE}.pyz of v9.9.9 is not the file that this action was released with" in done.log
    assert done.outputs == {}
    assert not list(tmp_path.rglob("*.pyz"))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({f"SHA256_{MACHINE.upper()}": "0" * 64}, "::error::this commit of the action belongs to no release"),
        ({"RELEASE": "v8.0.0"}, "404"),
        ({"SERVER": "http://localhost:1"}, "http"),
    ],
    ids=["no release", "another version", "no TLS"],
)
def test_nothing_is_run_without_the_file(
    published: Release, tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    done = fetched(published, tmp_path, **variables)
    assert done.code != 0
    assert message in done.log
    assert done.outputs == {}


@pytest.mark.parametrize(("status", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 3)])
def test_it_reports_what_smoke_reports(status: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "ecr-probe.pyz").write_text(PROGRAM)
    injected = "shop'; echo injected; '$(echo injected)"
    known = {"PROGRAM": str(tmp_path / "ecr-probe.pyz"), "FAKE": f"{status} {code}", "ECR_PROBE_SERVICE": injected}
    done = step(SMOKE, tmp_path, known)
    assert (done.code, done.log) == (code, "")
    assert (done.outputs["status"], done.outputs["exit-code"]) == (status, str(code))
    report = json.loads(Path(done.outputs["report"]).read_text())
    assert report["seen"]["ECR_PROBE_SERVICE"] == injected
    assert report["arguments"][:3] == ["smoke", "--format", "github"]
    assert Path(done.outputs["junit"]).exists()
    assert (tmp_path / "summary.md").exists()


def test_no_module_of_the_workspace_is_run(tmp_path: Path) -> None:
    """A pull request may have written it, and the step has the credentials of AWS."""
    (tmp_path / "ecr-probe.pyz").write_text(PROGRAM)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "json.py").write_text("raise SystemExit('the workspace was run')\n")
    known = {"PROGRAM": str(tmp_path / "ecr-probe.pyz"), "FAKE": "pass 0", "PYTHONPATH": str(workspace)}
    done = step(SMOKE, workspace, known)
    assert (done.code, done.log, done.outputs["status"]) == (0, "", "pass")


def test_wrong_usage_is_an_error_without_a_report(tmp_path: Path) -> None:
    (tmp_path / "ecr-probe.pyz").write_text(PROGRAM)
    done = step(SMOKE, tmp_path, {"PROGRAM": str(tmp_path / "ecr-probe.pyz"), "FAKE": "none 2"})
    assert done.code == 2
    assert done.outputs == {"status": "error", "exit-code": "2"}


def test_the_program_accepts_the_arguments_of_the_action(tmp_path: Path) -> None:
    """The real program without inputs: it gets as far as asking where to run."""
    start = f"import sys\nsys.path.insert(0, {str(ACTION.parents[1])!r})\nfrom probe.__main__ import run\nrun()\n"
    (tmp_path / "ecr-probe.pyz").write_text(start)
    known = {"PROGRAM": str(tmp_path / "ecr-probe.pyz")}
    known["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = step(SMOKE, tmp_path, known)
    assert done.code == 2
    assert "--subnets (ECR_PROBE_SUBNETS): give these or --service (ECR_PROBE_SERVICE)" in done.log


# ---- its release -----------------------------------------------------------------------------------------------------


def test_a_release_pins_the_digests_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for machine in release.MACHINES:
        (tmp_path / f"ecr-probe-{machine}.pyz").write_text(machine)
    (tmp_path / "action.yml").write_text(ACTION.read_text())
    monkeypatch.setattr(release, "ACTION", tmp_path / "action.yml")
    with pytest.raises(SystemExit, match=r"does not have [0-9a-f]{64}, the SHA-256 of ecr-probe-x86_64.pyz"):
        release.verify(tmp_path)
    release.pin(tmp_path)
    release.verify(tmp_path)
    variables = yaml.safe_load((tmp_path / "action.yml").read_text())["runs"]["steps"][0]["env"]
    assert variables["SHA256_AARCH64"] == hashlib.sha256(b"aarch64").hexdigest()
    assert variables["RELEASE"] == f"v{__version__}"


def test_a_tag_needs_its_version_and_its_section_of_the_changelog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    monkeypatch.setattr(release, "CHANGELOG", changelog)
    changelog.write_text("# Changelog\n\n## [Unreleased]\n\n- next\n")
    with pytest.raises(SystemExit, match=r"the tag is v99\.0\.0 and the version"):
        release.check("v99.0.0")
    with pytest.raises(SystemExit, match=r"CHANGELOG.md has no section"):
        release.check(f"v{__version__}")
    changelog.write_text(
        f"## [Unreleased]\n\n## [{__version__}] - 2026-12-01\n\n### Added\n\n- x\n\n## [0.0.1] - 2026-01-01\n"
    )
    release.check(f"v{__version__}")
    assert release.notes() == "### Added\n\n- x\n"
