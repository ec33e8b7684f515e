"""`ecr-probe explain` with an error text or a task's description; a saved verdict is in tests/cli."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from probe.cli import main
from probe.report.json import schema
from tests.explain.samples import SAMPLES
from tests.explain.samples_network import AUTH, IMAGE, ISSUE, REGISTRY, V2

TASK = "arn:aws:ecs:eu-north-1:210987654321:task/main/0123456789abcdef0123456789abcdef"
PUBLIC = (
    f'{AUTH}{ISSUE}{V2}StatusCode: 0, RequestID: , request send failed, Post "https://api.ecr.eu-north-1.amazonaws.com/"'
    ": dial tcp 13.48.121.7:443: i/o timeout."
)
MANIFEST = (
    f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: failed "
    f'to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp 172.45.1.9:443: i/o timeout'
)


def task(**changes: Any) -> dict[str, Any]:
    """A task as DescribeTasks returns it."""
    stopped: dict[str, Any] = {
        "taskArn": TASK,
        "lastStatus": "STOPPED",
        "launchType": "FARGATE",
        "stopCode": "TaskFailedToStart",
        "stoppedReason": MANIFEST,
        "attributes": [{"name": "ecs.cpu-architecture", "value": "arm64"}],
        "attachments": [{"type": "eni", "details": [{"name": "privateIPv4Address", "value": "172.45.7.7"}]}],
        "containers": [{"name": "cart", "image": IMAGE, "reason": MANIFEST}, {"name": "side", "image": "busybox"}],
    }
    return stopped | changes


def explain(
    text: str | bytes, *argv: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    content = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code = main(["explain", "-", *argv])
    captured = capfd.readouterr()
    return code, captured.out, captured.err


class Explain:
    """Calls the command with a text on standard input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._fixtures = {"monkeypatch": monkeypatch, "capfd": capfd}

    def __call__(self, text: str | bytes, *argv: str) -> tuple[int, str, str]:
        return explain(text, *argv, **self._fixtures)  # type: ignore[arg-type]

    def document(self, text: str | bytes, *argv: str) -> dict[str, Any]:
        code, out, err = self(text, *argv, "--format", "json")
        assert err == ""
        document = json.loads(out)
        assert document["exit_code"] == code
        jsonschema.Draft202012Validator(schema()).validate(document)
        assert isinstance(document, dict)
        return document


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Explain:
    return Explain(monkeypatch, capfd)


# ---- texts ----------------------------------------------------------------------------------------------------------


def test_the_text_report_of_a_stopped_reason(explained: Explain) -> None:
    code, out, err = explained(PUBLIC)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert "nothing was measured" in lines[0]
    assert lines[2].startswith("error[dns.public-answer]: ")
    assert "13.48.121.7 (public)" in out
    text = " ".join(out.split())
    assert text.index("cause: the subnet has no route") < text.index("a security group blocks 443")
    assert lines[-2].startswith("fail: ECS cannot pull the image: ")
    assert lines[-2].endswith("; based on the error text only")
    assert lines[-1].startswith("fix:  create ")


def test_document_and_report_list_the_causes_in_the_same_order(explained: Explain) -> None:
    document = explained.document(PUBLIC)
    assert document["basis"] == "text"
    assert document["causes"][:2] == ["tcp.no-route", "tcp.security-group"]
    assert document["plan"]["region"] == "eu-north-1"
    text = " ".join(explained(PUBLIC)[1].split())
    first, second = (cause["title"] for cause in document["findings"][0]["causes"][:2])
    assert text.index(first) < text.index(second)


def test_explaining_the_document_again_gives_the_same_document(explained: Explain) -> None:
    document = explained.document(PUBLIC)
    assert explained.document(json.dumps(document)) == document


def test_the_causes_of_several_records_are_one_list(explained: Explain) -> None:
    log = (
        "2024-11-02T10:11:12Z [ERROR] Error connecting to ACS: websocket client: unable to dial "
        "ecs-a-2.eu-north-1.amazonaws.com response: : dial tcp 13.53.1.1:443: i/o timeout\n"
        '2024-11-02T10:11:13Z level=error msg="cannot pull" error="CannotPullECRContainerError: RequestError: send '
        'request failed\ncaused by: Post \\"https://api.ecr.eu-north-1.amazonaws.com/\\": dial tcp 13.48.121.7:443: '
        'i/o timeout"\n'
        "2024-11-02T10:11:14Z [INFO] Managed task: container change\n"
    )
    document = explained.document(log)
    assert {step["id"] for step in document["steps"] if step["outcome"] == "failed"} == {
        "ecr.api/tcp/13.48.121.7",
        "ecs-agent/tcp/13.53.1.1",
    }
    assert document["causes"][:2] == ["tcp.no-route", "ecs.control-plane-endpoints-missing"]


def test_vpc_cidr_decides_the_class_of_an_address(explained: Explain) -> None:
    document = explained.document(PUBLIC, "--vpc-cidr", "13.48.0.0/16")
    assert document["plan"]["vpc_cidrs"] == ["13.48.0.0/16"]
    assert document["causes"][:3] == ["tcp.security-group", "tcp.nacl", "dns.stale-record"]


def test_image_supplies_what_the_text_leaves_out(explained: Explain) -> None:
    headless = (
        "CannotPullContainerError: inspect image has been retried 1 time(s): unexpected status code: 403 Forbidden"
    )
    assert explained.document(headless)["plan"]["image"] is None
    document = explained.document(headless, "--image", IMAGE)
    assert (document["plan"]["image"], document["plan"]["account"]) == (IMAGE, "210987654321")
    assert explained.document(MANIFEST, "--image", IMAGE.replace("cart", "till"))["plan"]["image"] == IMAGE


@pytest.mark.parametrize("form", ["junit", "markdown", "github"])
def test_reports_for_pipelines(form: str, explained: Explain) -> None:
    code, out, err = explained(PUBLIC, "--format", form)
    assert (code, err) == (1, "")
    assert "ecr.api" in out


@pytest.mark.parametrize("form", ["prometheus", "emf"])
def test_metrics_need_a_measurement(form: str, explained: Explain) -> None:
    code, out, err = explained(PUBLIC, "--format", form)
    assert (code, out) == (2, "")
    assert f"{form} reports measurements" in err


def test_an_unknown_error_is_inconclusive(explained: Explain) -> None:
    document = explained.document("error: the flux capacitor is not charged")
    assert (document["exit_code"], document["status"]) == (3, "inconclusive")
    assert [finding["code"] for finding in document["findings"]] == ["text.unclassified"]
    assert document["steps"][0]["detail"] == "error: the flux capacitor is not charged"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b"  \n\t\n", "is empty"),
        (b"the quick brown fox", "contains no error"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "is not text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not text"),
        (b"error " * 200_000, "more than 1 MiB of text"),
        (b'{"tasks": [], "failures": [{"arn": "arn:aws:ecs:x", "reason": "MISSING"}]}', "ECS knows no such task"),
        (
            json.dumps({"tasks": [task(stoppedReason=None, lastStatus="RUNNING", containers=[])]}).encode(),
            "no stopped task",
        ),
        (b'{"schema_version": 2, "error": "all is new"}', "schema_version 2"),
    ],
    ids=range(9),
)
def test_input_without_an_error_exits_2(text: bytes, message: str, explained: Explain) -> None:
    code, out, err = explained(text, "--format", "json")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert message in err


def test_utf_16_and_a_byte_order_mark_are_read(explained: Explain) -> None:
    assert explained(PUBLIC.encode("utf-16"))[0] == 1
    assert explained(PUBLIC.encode("utf-8-sig"))[0] == 1


def test_invalid_bytes_in_a_log_are_replaced(explained: Explain) -> None:
    assert explained(b"\xff\xfe caf\xe9 ".replace(b"\xff\xfe", b"") + PUBLIC.encode())[0] == 1


def test_no_report_contains_a_secret_of_the_text(explained: Explain) -> None:
    secrets = ("IQoJb3JpZ2luX2VjEHO", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "AKIAIOSFODNN7EXAMPLE", "hunter2-hunter2")
    signed = f"X-Amz-Security-Token={secrets[0]}&X-Amz-Signature={secrets[1]}&X-Amz-Credential={secrets[2]}"
    host = "prod-eu-north-1-starport-layer-bucket.s3.eu-north-1.amazonaws.com"
    text = (
        f'failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://{host}/9c1f?{signed}": '
        f'proxyconnect tcp: dial tcp 10.9.9.9:3128: i/o timeout\nPost "https://user:{secrets[3]}@api.ecr.eu-north-1.'
        f'amazonaws.com/": dial tcp 10.1.2.3:443: i/o timeout password={secrets[3]}\n'
        f"error: Authorization: Basic QVdTOmh1bnRlcjI= {secrets[2]}"
    )
    for form in ("text", "json", "junit", "markdown", "github"):
        out = explained(text, "--format", form)[1]
        assert out
        assert not [secret for secret in (*secrets, "QVdTOmh1bnRlcjI") if secret in out], form


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f'Get "https://{REGISTRY}/v2/" Authorization: Basic {{secret}} {{filler}} denied: 403 Forbidden', 1),
        (
            f'Get "https://{REGISTRY}/v2/" x-amz-security-token: {{secret}} {{filler}} dial tcp 10.1.2.3:443: i/o '
            "timeout",
            1,
        ),
        (f'Get "https://{REGISTRY}/v2/x?Signature=0a\n{{secret}}\n0b": EOF {{filler}}', 1),
        ("error: unknown reason {filler} password: {secret}", 3),
        (f'Get "https://{REGISTRY}/v2/" Cookie: a=1; b=2; c=3; d=4; e={{secret}} {{filler}}: 403 Forbidden', 1),
        (
            f'Get "https://{REGISTRY}/v2/" passphrase="plain words come first {{secret}}" {{filler}}: 403 Forbidden',
            1,
        ),
        (f'Get "https://{REGISTRY}/v2/" Authorization: Digest a=1, b=2, c={{secret}} {{filler}}: 403 Forbidden', 1),
    ],
)
def test_no_part_of_a_secret_is_shown(text: str, code: int, explained: Explain) -> None:
    """Also where the excerpt begins after the word that identifies a secret, and where a line was wrapped."""
    secret = "c2hvcnQtYnV0LXNlY3JldA"
    for length in range(0, 180, 5):
        result = explained(text.format(secret=secret, filler="y" * length), "--format", "json")
        assert result[0] == code
        assert secret not in result[1]


@pytest.mark.parametrize(
    "text",
    [
        "npm ERR! network request to https://npm.example/lodash failed, reason: connect ETIMEDOUT 198.51.100.35:443",
        "npm ERR! 403 Forbidden - GET https://npm.example/@acme%2fprivate",
        "npm ERR! request to https://npm.example/express failed, reason: self signed certificate in chain",
        'payment failed: Post "https://api.payments.example/v1/charges": dial tcp 198.51.100.7:443: i/o timeout',
        "fatal: unable to access 'https://git.example/x.git/': Could not resolve host: git.example",
        "2024/11/02 10:11:12 [error] 31#31: *1 connect() failed (111: Connection refused) while connecting to "
        'upstream, client: 10.0.1.7, upstream: "http://127.0.0.1:8080/", host: "shop.example"',
        "PSQLException: Connection to db.internal:5432 refused.\nCaused by: java.net.ConnectException: Connection "
        "refused (Connection refused)",
        "redis.exceptions.ConnectionError: Error 111 connecting to cache.abc.cache.amazonaws.com:6379. Connection "
        "refused.",
        'psycopg2.errors.DiskFull: could not extend file "base/16384": No space left on device',
        "java.lang.OutOfMemoryError: Java heap space",
        "S3Exception: Access Denied (Service: S3, Status Code: 403) https://uploads.s3.eu-north-1.amazonaws.com/a.csv",
        "AmazonS3Exception: <Error><Code>AccessDenied</Code></Error> GET https://uploads.s3.eu-north-1.amazonaws.com/a",
        'Get "https://uploads.s3.eu-north-1.amazonaws.com/a.csv": dial tcp 52.218.1.2:443: i/o timeout',
        'Get "https://s3.eu-north-1.amazonaws.com/uploads/a.csv": dial tcp 52.218.1.2:443: i/o timeout',
    ],
)
def test_an_error_of_another_program_is_not_recognised(text: str, explained: Explain) -> None:
    document = explained.document(text)
    assert (document["exit_code"], document["pull"]) == (3, "unproven")
    assert [finding["code"] for finding in document["findings"]] == ["text.unclassified"]


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ('Failed to pull image "nginx:1.99": docker.io/library/nginx:1.99: not found', "nginx:1.99"),
        (
            'Failed to pull image "hub.example:5000/a/b:1.2": hub.example:5000/a/b:1.2: not found',
            "hub.example:5000/a/b:1.2",
        ),
        (
            "docker: Error response from daemon: pull access denied for till, repository does not exist or may require "
            "'docker login': denied: requested access to the resource is denied.",
            "till",
        ),
    ],
)
def test_an_image_of_another_registry_is_shown_in_full(text: str, image: str, explained: Explain) -> None:
    document = explained.document(text)
    assert document["plan"]["image"] == image
    assert [finding["code"] for finding in document["findings"]] == ["registry.elsewhere"]


def test_the_finding_of_another_registry_does_not_name_the_image_in_ecr(explained: Explain) -> None:
    other = 'CannotPullContainerError: Error response from daemon: Get "https://ghcr.io/v2/": denied: denied'
    text = f"{MANIFEST}\n{other}"
    findings = {finding["code"]: finding for finding in explained.document(text)["findings"]}
    assert IMAGE not in findings["registry.elsewhere"]["title"]


# ---- descriptions of tasks ------------------------------------------------------------------------------------------


def test_facts_of_describe_tasks_are_used(explained: Explain) -> None:
    document = explained.document(json.dumps({"tasks": [task()], "failures": []}, indent=4))
    surroundings, plan = document["surroundings"], document["plan"]
    assert (surroundings["region"], surroundings["account"], surroundings["launch_type"]) == (
        "eu-north-1",
        "210987654321",
        "FARGATE",
    )
    assert (surroundings["task_arn"], surroundings["addresses"]) == (TASK, ["172.45.7.7"])
    assert (plan["image"], plan["platform"], plan["presumed_cidrs"]) == (IMAGE, "linux/arm64", ["172.45.0.0/16"])
    assert document["causes"][:3] == ["tcp.security-group", "tcp.nacl", "dns.stale-record"]


def test_a_task_state_change_event_is_read(explained: Explain) -> None:
    event = {"detail-type": "ECS Task State Change", "detail": task()}
    assert explained.document(json.dumps(event))["surroundings"]["task_arn"] == TASK


def test_a_containers_reason_is_used_if_the_tasks_is_generic(explained: Explain) -> None:
    described = task(stoppedReason="Task failed to start")
    document = explained.document(json.dumps({"tasks": [described]}))
    assert [step["id"] for step in document["steps"] if step["outcome"] == "failed"] == ["ecr.dkr/tcp/172.45.1.9"]


def test_a_quotation_begins_before_the_quotation_marks_of_its_url(explained: Explain) -> None:
    reason = 'failed to do request: Head "https://172.45.1.9/v2/app": dial tcp 172.45.1.9:443: i/o timeout'
    document = explained.document(json.dumps({"tasks": [task(stoppedReason=reason, containers=[])]}))
    details = [step["detail"] for step in document["steps"] if step["outcome"] == "failed"]
    assert details == [reason.partition(": ")[2]]


def test_a_task_that_ran_is_not_a_start_failure(explained: Explain) -> None:
    ran = task(stoppedReason="Essential container in task exited", containers=[{"name": "cart", "exitCode": 1}])
    document = explained.document(json.dumps({"tasks": [ran]}))
    assert (document["exit_code"], document["findings"][0]["code"]) == (3, "task.ended")
    assert document["summary"].startswith("nothing to explain: the task started, so this is not a start failure")


@pytest.mark.parametrize(
    "changes",
    [
        {"containers": None},
        {"containers": "none"},
        {"containers": [1, None, {"reason": 5}, {"image": ["x"]}]},
        {"attachments": [{"details": "x"}, {"details": [{"name": "privateIPv4Address", "value": "here"}]}]},
        {"attributes": [{"name": "ecs.cpu-architecture", "value": 7}], "launchType": "\u001b[31m"},
    ],
)
def test_malformed_descriptions_are_tolerated(changes: dict[str, Any], explained: Explain) -> None:
    assert explained(json.dumps({"tasks": [task(**changes)]}))[0] == 1


# ---- the process ----------------------------------------------------------------------------------------------------


def test_ctrl_c_while_reading_standard_input(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise KeyboardInterrupt

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Terminal()))
    assert main(["explain", "-"]) == 130
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == (
        "",
        "ecr-probe: reading from the terminal; finish with Ctrl-D on a line of its own\n",
    )


def test_a_closed_standard_input_exits_2() -> None:
    command = f"{sys.executable} -m probe explain - <&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard input cannot be read: it is closed" in done.stderr


def test_a_file_is_read_and_a_missing_file_exits_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reason.txt").write_text(SAMPLES[0].text)
    assert main(["explain", str(tmp_path / "reason.txt")]) == 1
    capfd.readouterr()
    assert main(["explain", str(tmp_path / "nothing")]) == 2
    assert "cannot be read: no such file" in capfd.readouterr().err
    assert main(["explain"]) == 2
    assert "FILE is missing" in capfd.readouterr().err
