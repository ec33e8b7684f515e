"""`ecr-probe explain` on the words of an error, as a tired engineer types it; a saved verdict is in tests/cli."""

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
from tests.explain.samples import TEXTS
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


def task(**given: Any) -> dict[str, Any]:
    """As DescribeTasks tells of it."""
    usual: dict[str, Any] = {
        "taskArn": TASK,
        "lastStatus": "STOPPED",
        "launchType": "FARGATE",
        "stopCode": "TaskFailedToStart",
        "stoppedReason": MANIFEST,
        "attributes": [{"name": "ecs.cpu-architecture", "value": "arm64"}],
        "attachments": [{"type": "eni", "details": [{"name": "privateIPv4Address", "value": "172.45.7.7"}]}],
        "containers": [{"name": "cart", "image": IMAGE, "reason": MANIFEST}, {"name": "side", "image": "busybox"}],
    }
    return usual | given


def explain(
    words: str | bytes, *argv: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    content = words if isinstance(words, bytes) else words.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code = main(["explain", "-", *argv])
    told = capfd.readouterr()
    return code, told.out, told.err


class Explain:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._own = {"monkeypatch": monkeypatch, "capfd": capfd}

    def __call__(self, words: str | bytes, *argv: str) -> tuple[int, str, str]:
        return explain(words, *argv, **self._own)  # type: ignore[arg-type]

    def document(self, words: str | bytes, *argv: str) -> dict[str, Any]:
        code, out, err = self(words, *argv, "--format", "json")
        assert err == ""
        document = json.loads(out)
        assert document["exit_code"] == code
        jsonschema.Draft202012Validator(schema()).validate(document)
        assert isinstance(document, dict)
        return document


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Explain:
    return Explain(monkeypatch, capfd)


# ---- words ----------------------------------------------------------------------------------------------------------


def test_a_stopped_reason_in_words_for_people(explained: Explain) -> None:
    code, out, err = explained(PUBLIC)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == "Read from an error's words; nothing was measured."
    assert lines[2].startswith("error[dns.public-answer]: the call of ecr.api went to a public address")
    assert "13.48.121.7 (public)" in out
    assert "cause:" not in out  # they stand in one list, over all findings
    first, second = (out.index(words) for words in (" 1. there is no ecr.api endpoint", " 2. the subnet has no route"))
    assert out.index("What can be the cause, likeliest first:") < first < second
    assert out.count("settle it:") == 3
    assert lines[-1].startswith("fail: ECS cannot pull the image; 1 error; read from an error's words")


def test_the_document_tells_the_causes_in_the_same_order(explained: Explain) -> None:
    document = explained.document(PUBLIC)
    assert document["basis"] == "text"
    assert document["causes"][:2] == ["endpoint.missing.ecr-api", "tcp.no-route"]
    assert document["plan"]["region"] == "eu-north-1"
    _, out, _ = explained(PUBLIC)
    places = [out.index(f"({cause})") for cause in document["causes"]]
    assert places == sorted(places)


def test_the_document_is_explained_again_as_it_was(explained: Explain) -> None:
    document = explained.document(PUBLIC)
    assert explained.document(json.dumps(document)) == document


def test_faults_of_several_records_come_in_one_order(explained: Explain) -> None:
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
    assert document["causes"][:2] == ["endpoint.missing.ecr-api", "ecs.control-plane-endpoints-missing"]


def test_the_ranges_that_are_the_readers_own_decide(explained: Explain) -> None:
    document = explained.document(PUBLIC, "--vpc-cidr", "13.48.0.0/16")
    assert document["plan"]["vpc_cidrs"] == ["13.48.0.0/16"]
    assert document["causes"] == ["tcp.security-group", "tcp.nacl"]


def test_the_image_that_the_words_leave_out(explained: Explain) -> None:
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
def test_numbers_are_of_measurements(form: str, explained: Explain) -> None:
    code, out, err = explained(PUBLIC, "--format", form)
    assert (code, out) == (2, "")
    assert f"{form} tells what was measured" in err


def test_what_cannot_be_classed_is_said_to_be_so(explained: Explain) -> None:
    document = explained.document("error: the flux capacitor is not charged")
    assert (document["exit_code"], document["status"]) == (3, "inconclusive")
    assert [finding["code"] for finding in document["findings"]] == ["text.unclassified"]
    assert document["steps"][0]["detail"] == "error: the flux capacitor is not charged"


@pytest.mark.parametrize(
    ("words", "complaint"),
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
def test_what_tells_nothing(words: bytes, complaint: str, explained: Explain) -> None:
    code, out, err = explained(words, "--format", "json")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert complaint in err


def test_a_windows_shells_file(explained: Explain) -> None:
    assert explained(PUBLIC.encode("utf-16"))[0] == 1
    assert explained(PUBLIC.encode("utf-8-sig"))[0] == 1


def test_a_log_with_bad_letters(explained: Explain) -> None:
    assert explained(b"\xff\xfe caf\xe9 ".replace(b"\xff\xfe", b"") + PUBLIC.encode())[0] == 1


def test_no_secret_of_a_text_reaches_a_report(explained: Explain) -> None:
    secrets = ("IQoJb3JpZ2luX2VjEHO", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "AKIAIOSFODNN7EXAMPLE", "hunter2-hunter2")
    signed = f"X-Amz-Security-Token={secrets[0]}&X-Amz-Signature={secrets[1]}&X-Amz-Credential={secrets[2]}"
    host = "prod-eu-north-1-starport-layer-bucket.s3.eu-north-1.amazonaws.com"
    words = (
        f'failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://{host}/9c1f?{signed}": '
        f'proxyconnect tcp: dial tcp 10.9.9.9:3128: i/o timeout\nPost "https://user:{secrets[3]}@api.ecr.eu-north-1.'
        f'amazonaws.com/": dial tcp 10.1.2.3:443: i/o timeout password={secrets[3]}\n'
        f"error: Authorization: Basic QVdTOmh1bnRlcjI= {secrets[2]}"
    )
    for form in ("text", "json", "junit", "markdown", "github"):
        out = explained(words, "--format", form)[1]
        assert out
        assert not [secret for secret in (*secrets, "QVdTOmh1bnRlcjI") if secret in out], form


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (f'Get "https://{REGISTRY}/v2/" Authorization: Basic {{secret}} {{filler}} denied: 403 Forbidden', 1),
        (
            f'Get "https://{REGISTRY}/v2/" x-amz-security-token: {{secret}} {{filler}} dial tcp 10.1.2.3:443: i/o '
            "timeout",
            1,
        ),
        (f'Get "https://{REGISTRY}/v2/x?Signature=0a\n{{secret}}\n0b": EOF {{filler}}', 1),
        ("error: nobody knows why {filler} password: {secret}", 3),
    ],
)
def test_no_half_of_a_secret_is_shown(words: str, code: int, explained: Explain) -> None:
    """Also where the words that are shown begin behind what makes it one, and where a terminal broke the line."""
    secret = "c2hvcnQtYnV0LXNlY3JldA"
    for length in range(0, 180, 5):
        told = explained(words.format(secret=secret, filler="y" * length), "--format", "json")
        assert told[0] == code
        assert secret not in told[1]


@pytest.mark.parametrize(
    "words",
    [
        "npm ERR! network request to https://registry.npmjs.org/lodash failed, reason: connect ETIMEDOUT "
        "198.51.100.35:443",
        "npm ERR! 403 Forbidden - GET https://registry.npmjs.org/@acme%2fprivate",
        "npm ERR! request to https://registry.npmjs.org/express failed, reason: self signed certificate in chain",
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
def test_an_error_of_another_program_is_no_failure_of_a_pull(words: str, explained: Explain) -> None:
    document = explained.document(words)
    assert (document["exit_code"], document["pull"]) == (3, "unproven")
    assert [finding["code"] for finding in document["findings"]] == ["text.unclassified"]


@pytest.mark.parametrize(
    ("words", "image"),
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
def test_an_image_of_another_registry_is_named_whole(words: str, image: str, explained: Explain) -> None:
    document = explained.document(words)
    assert document["plan"]["image"] == image
    assert [finding["code"] for finding in document["findings"]] == ["registry.elsewhere"]


def test_another_registry_does_not_answer_for_the_image_in_ecr(explained: Explain) -> None:
    other = 'CannotPullContainerError: Error response from daemon: Get "https://ghcr.io/v2/": denied: denied'
    words = f"{MANIFEST}\n{other}"
    findings = {finding["code"]: finding for finding in explained.document(words)["findings"]}
    assert IMAGE not in findings["registry.elsewhere"]["title"]


# ---- what ECS says of a task ----------------------------------------------------------------------------------------


def test_what_describe_tasks_prints_tells_more_than_the_reason(explained: Explain) -> None:
    document = explained.document(json.dumps({"tasks": [task()], "failures": []}, indent=4))
    here, plan = document["surroundings"], document["plan"]
    assert (here["region"], here["account"], here["launch_type"]) == ("eu-north-1", "210987654321", "FARGATE")
    assert (here["task_arn"], here["addresses"]) == (TASK, ["172.45.7.7"])
    assert (plan["image"], plan["platform"], plan["presumed_cidrs"]) == (IMAGE, "linux/arm64", ["172.45.0.0/16"])
    assert document["causes"] == ["tcp.security-group", "tcp.nacl"]


def test_an_event_of_a_task(explained: Explain) -> None:
    event = {"detail-type": "ECS Task State Change", "detail": task()}
    assert explained.document(json.dumps(event))["surroundings"]["task_arn"] == TASK


def test_a_containers_reason_counts_where_the_tasks_own_says_nothing(explained: Explain) -> None:
    described = task(stoppedReason="Task failed to start")
    document = explained.document(json.dumps({"tasks": [described]}))
    assert [step["id"] for step in document["steps"] if step["outcome"] == "failed"] == ["ecr.dkr/tcp/172.45.1.9"]


def test_a_task_that_ran_is_no_failure_of_the_pull(explained: Explain) -> None:
    ran = task(stoppedReason="Essential container in task exited", containers=[{"name": "cart", "exitCode": 1}])
    document = explained.document(json.dumps({"tasks": [ran]}))
    assert (document["exit_code"], document["findings"][0]["code"]) == (3, "task.ended")


@pytest.mark.parametrize(
    "odd",
    [
        {"containers": None},
        {"containers": "none"},
        {"containers": [1, None, {"reason": 5}, {"image": ["x"]}]},
        {"attachments": [{"details": "x"}, {"details": [{"name": "privateIPv4Address", "value": "here"}]}]},
        {"attributes": [{"name": "ecs.cpu-architecture", "value": 7}], "launchType": "\u001b[31m"},
    ],
)
def test_odd_descriptions_break_nothing(odd: dict[str, Any], explained: Explain) -> None:
    assert explained(json.dumps({"tasks": [task(**odd)]}))[0] == 1


# ---- the process ----------------------------------------------------------------------------------------------------


def test_ctrl_c_while_it_waits_for_words(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    class Terminal(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise KeyboardInterrupt

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Terminal()))
    assert main(["explain", "-"]) == 130
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "ecr-probe: reading from the terminal; Ctrl-D on a line of its own ends it\n")


def test_a_closed_stdin() -> None:
    command = f"{sys.executable} -m probe explain - <&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard input cannot be read: it is closed" in done.stderr


def test_a_file_and_no_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reason.txt").write_text(TEXTS[0].words)
    assert main(["explain", str(tmp_path / "reason.txt")]) == 1
    capfd.readouterr()
    assert main(["explain", str(tmp_path / "nothing")]) == 2
    assert "cannot be read: no such file" in capfd.readouterr().err
    assert main(["explain"]) == 2
    assert "FILE is missing" in capfd.readouterr().err
