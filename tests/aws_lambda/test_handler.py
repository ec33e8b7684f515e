"""The handler called directly: what it returns and raises, how long it takes, what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path as FilePath
from types import SimpleNamespace
from typing import Any

import jsonschema
import msgspec
import pytest

from probe import aws_lambda, lambda_event, report
from probe.aws_lambda import RESERVE, handler
from probe.cli import main
from probe.config.flags import UsageError
from probe.model import Path, Pull, Status, Verdict
from probe.report.json import schema
from probe.sim.vpc import VPC
from tests.aws_lambda.simulated import FUNCTION, variables


class Left:
    """Lambda's context object with this many seconds left."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

    def __init__(self, seconds: float = 60.0) -> None:
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))


@pytest.fixture(autouse=True)
def vpc(monkeypatch: pytest.MonkeyPatch) -> Iterator[VPC]:
    with VPC() as vpc:
        for name, value in variables(vpc).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(aws_lambda, "real_wire", lambda _ca_bundle: vpc.wire())
        yield vpc


def verdict(document: dict[str, Any]) -> Verdict:
    return msgspec.convert(document, Verdict)


def log(capfd: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """What was written to stdout, and the one line on stderr."""
    out, err = capfd.readouterr()
    assert err.count("\n") == 1
    return out, json.loads(err)


# ---- the verdict ---------------------------------------------------------------------------------


def test_the_verdict_is_returned_and_one_line_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    document = handler({}, Left())
    jsonschema.validate(document, schema())
    returned = verdict(document)
    assert (returned.status, returned.pull, returned.path) == (Status.PASS, Pull.UNPROVEN, Path.LAMBDA_ENI)
    assert (returned.identity.source, returned.surroundings.service) == ("env", FUNCTION)
    assert {finding.code for finding in returned.findings} == {"path.not-the-pull"}
    assert all(endpoint.ok for endpoint in returned.endpoints)
    out, line = log(capfd)
    assert out == ""
    assert line == {
        "time": line["time"],
        "level": "info",
        "event": "check",
        "request": Left.aws_request_id,
        "status": "pass",
        "pull": "unproven",
        "seconds": document["seconds"],
        "errors": [],
        "warnings": [],
        "notes": [],
    }


def test_a_broken_path_is_a_result_and_no_error(vpc: VPC, capfd: pytest.CaptureFixture[str]) -> None:
    del vpc.endpoints["ecr.api"]
    document = handler({"connect-timeout": 0.3}, Left())
    assert (document["status"], document["exit_code"]) == ("fail", 1)
    _, line = log(capfd)
    assert (line["level"], line["errors"]) == ("error", ["dns.public-answer"])


def test_what_is_returned_can_be_explained(vpc: VPC, capfd: pytest.CaptureFixture[str], tmp_path: FilePath) -> None:
    del vpc.endpoints["ecr.api"]
    document = handler({"connect-timeout": 0.3}, Left())
    file = tmp_path / "verdict.json"  # as `aws lambda invoke` writes it
    file.write_text(json.dumps(document))
    capfd.readouterr()
    assert main(["explain", str(file), "--format", "json"]) == document["exit_code"] == 1
    assert json.loads(capfd.readouterr().out) == document


def test_an_image_of_the_event_is_measured(vpc: VPC) -> None:
    document = handler({"image": vpc.task.image.replace(":1.0", ":latest"), "layers": "none"}, Left())
    assert document["plan"]["image"].endswith(":latest")
    assert document["status"] == "pass"
    assert not [step for step in document["steps"] if step["action"] == "layer" and step["outcome"] == "ok"]


def test_a_denied_role_is_named_and_is_no_broken_pull(vpc: VPC) -> None:
    vpc.cloud.account.permissions.role = ()
    document = handler({}, Left())
    assert (document["status"], document["identity"]["arn"]) == ("inconclusive", vpc.task.session_arn)


def test_nothing_is_kept_from_one_invocation_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    assert handler({}, Left())["status"] == "pass"
    with VPC() as other:
        other.build(region="eu-west-1", cidr="10.7.0.0/16")
        for name, value in (variables(other) | {"AWS_REGION": "eu-west-1"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(aws_lambda, "real_wire", lambda _ca_bundle: other.wire())
        second = verdict(handler({}, Left()))
    assert second.status is Status.PASS
    assert (second.surroundings.region, second.surroundings.resolvers) == ("eu-west-1", ("10.7.0.2",))


# ---- the time ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "event", "deadline"),
    [
        (60, {}, 30.0),
        (60, {"deadline": 5}, 5.0),
        (60, {"layers": "all"}, 60 - RESERVE),
        (10, {}, 10 - RESERVE),
        (3, {}, 1.5),  # the default timeout of a function
    ],
)
def test_the_deadline_follows_the_context(left: float, event: dict[str, Any], deadline: float) -> None:
    budget = handler(event, Left(left))["plan"]["budget"]
    assert budget["deadline"] == pytest.approx(deadline, abs=1.0)
    assert budget["connect"] == min(3.0, budget["deadline"])


@pytest.mark.parametrize("left", [5.0, 1.0, 0.2])
def test_a_short_timeout_cuts_the_deadline(vpc: VPC, left: float, capfd: pytest.CaptureFixture[str]) -> None:
    for endpoint in vpc.endpoints.values():
        endpoint.allowed_sources = []
    document = handler({}, Left(left))
    assert document["plan"]["budget"]["deadline"] < left
    assert "probe.deadline" in {finding["code"] for finding in document["findings"]}
    assert log(capfd)[1]["notes"] == [
        f"the function's timeout leaves {document['plan']['budget']['deadline']:.1f} s of the deadline's 30 s"
    ]


def test_there_is_a_verdict_even_if_no_time_is_left(vpc: VPC) -> None:
    for endpoint in vpc.endpoints.values():
        endpoint.allowed_sources = []
    document = handler({}, Left(0))
    assert (document["status"], document["plan"]["budget"]["deadline"]) == ("inconclusive", 0.1)


def test_a_run_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    stops = []

    def hang(_settings: object, _wire: object, *, stop: Any) -> None:
        stops.append(stop)
        threading.Event().wait()

    monkeypatch.setattr(aws_lambda, "run", hang)
    document = handler({}, Left(3))
    assert [finding["code"] for finding in document["findings"]] == ["probe.bug"]
    assert stops[0].is_set()


# ---- what is raised ------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [{"imgae": "x"}, {"image": "nginx"}, {"format": "xml"}, []])
def test_a_wrong_event_is_raised_without_inner_frames(event: object, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError) as caught:
        handler(event, Left())
    assert caught.value.__suppress_context__
    assert [frame.name for frame in caught.traceback][1:] == ["handler"]
    out, line = log(capfd)
    assert (out, line["event"], line["level"], line["message"]) == ("", "refused", "error", str(caught.value))


def test_an_image_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECR_PROBE_IMAGE")
    with pytest.raises(UsageError, match=r'^image \(ECR_PROBE_IMAGE\): is needed, .*; for example {"image": "'):
        handler({}, Left())


def test_a_bug_is_reported_without_the_text_of_its_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_event: object) -> None:
        raise KeyError("hunter2")

    monkeypatch.setattr(lambda_event, "read", fail)
    with pytest.raises(RuntimeError) as caught:
        handler({}, Left())
    assert str(caught.value).startswith("a bug of ecr-probe: KeyError in test_handler.py:")
    assert "hunter2" not in str(caught.value)


def test_a_bug_in_the_run_is_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_lambda, "run", lambda *_, **__: 1 / 0)
    document = handler({}, Left())
    assert (document["status"], document["findings"][0]["code"]) == ("inconclusive", "probe.bug")


# ---- what is written -----------------------------------------------------------------------------


def test_reports_go_to_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    document = handler({"format": ["emf", "json"]}, Left())
    out, _ = log(capfd)
    *metrics, whole = map(json.loads, out.splitlines())
    assert whole == document
    assert {document["Service"] for document in metrics} == {FUNCTION}  # each subnet's function has metrics of its own
    assert all("_aws" in document for document in metrics)


@pytest.mark.parametrize("form", report.FORMATS)
def test_every_format_can_be_logged(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(aws_lambda, "_write", written.append)
    monkeypatch.setenv("ECR_PROBE_FORMAT", form)
    handler({}, Left())
    assert len(written) == 1
    assert written[0]


def test_a_report_that_fails_does_not_cost_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("probe.report.json.render", lambda *_: 1 / 0)
    assert handler({}, Left())["status"] == "pass"
    (note,) = log(capfd)[1]["notes"]
    assert note.startswith("a bug of ecr-probe in the json report: ZeroDivisionError in test_handler.py:")


def test_variables_without_effect_are_noted_without_their_values(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECR_PROBE_PUSH_GATEWAY", "https://me:hunter2@push.example.com")
    monkeypatch.setenv("ECR_PROBE_OUTPUT", "/tmp/verdict.json")
    monkeypatch.setenv("ECR_PROBE_IMGAE", "x")
    handler({}, Left())
    assert log(capfd)[1]["notes"] == [
        "ECR_PROBE_IMGAE is not a variable of ecr-probe; did you mean ECR_PROBE_IMAGE?",
        "ECR_PROBE_OUTPUT has no effect in a function",
        "ECR_PROBE_PUSH_GATEWAY has no effect in a function",
    ]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_is_closed_does_not_cost_the_verdict(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BrokenPipeError

    broken = SimpleNamespace(write=fail, flush=fail)
    broken.buffer = broken
    monkeypatch.setattr(f"sys.{stream}", broken)
    assert handler({"format": "text"}, Left())["status"] == "pass"


def test_the_document_is_small_and_contains_no_secret(vpc: VPC, capfd: pytest.CaptureFixture[str]) -> None:
    document = handler({"format": list(report.FORMATS)}, Left())
    text = json.dumps(document)
    assert len(text.encode()) <= 200 * 1024
    outputs = text + "".join(capfd.readouterr())
    assert not [secret for secret in vpc.secrets if secret in outputs]


def test_a_run_imports_nothing_large() -> None:
    """Lambda imports the handler before the first invocation; the deadline must not include imports."""
    code = """
import sys
from types import SimpleNamespace
import probe.aws_lambda, probe.sim.scenarios
from tests.aws_lambda.simulated import handler, world
world("healthy")
before = set(sys.modules)
handler({}, SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 60000))
late = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(late & {"botocore", "requests", "urllib3", "dns", "msgspec", "ssl", "http"}), len(late))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    libraries, number = done.stdout.rsplit(" ", 1)
    assert libraries == "[]"
    assert int(number) < 10
