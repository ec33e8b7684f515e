"""The registry and its layers, asked by curl and skopeo."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from probe.sim import changes, images
from probe.sim.ecr import throttled
from probe.sim.http import Damage
from probe.sim.identity import Statement
from probe.sim.vpc import VPC

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
MANIFEST = f"https://{HOST}/v2/team/app/manifests/1.0"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    raw_headers: str
    body: bytes
    failed: int


Curl = Callable[..., Answer]


@pytest.fixture
def password(vpc: VPC) -> str:
    return vpc.cloud.passwords.issue(vpc.cloud.task_keys.principal, 0)


@pytest.fixture
def basic(password: str) -> tuple[str, str]:
    return ("-H", f"Authorization: Basic {base64.b64encode(f'AWS:{password}'.encode()).decode()}")


@pytest.fixture
def curl(proxy: str, authority: str, tmp_path: Path) -> Curl:
    def run(url: str, *options: str) -> Answer:
        head, body = tmp_path / "head", tmp_path / "body"
        body.write_bytes(b"")
        command = [
            "curl",
            "-q",
            "-sS",
            "--proxy",
            proxy,
            "--suppress-connect-headers",
            "--cacert",
            authority,
            "-m",
            "10",
        ]
        done = subprocess.run(
            [*command, "-D", str(head), "-o", str(body), *options, url], capture_output=True, check=False
        )
        text = head.read_text() if head.exists() else ""
        lines = [line.partition(": ") for line in text.splitlines()[1:]]
        status = int(text.split()[1]) if text else 0
        return Answer(
            status, {name.lower(): value for name, _, value in lines}, text, body.read_bytes(), done.returncode
        )

    return run


def layer_url(curl: Curl, vpc: VPC, basic: tuple[str, str]) -> tuple[str, str]:
    """A layer's digest and its presigned URL."""
    digest = max(changes.repository(vpc).blobs.values(), key=lambda blob: len(blob.body)).digest
    answer = curl(f"https://{HOST}/v2/team/app/blobs/{digest}", *basic)
    assert answer.status == 307
    return digest, answer.headers["location"]


@needs_curl
def test_the_challenge_is_exactly_as_captured(curl: Curl) -> None:
    answer = curl(f"https://{HOST}/v2/")
    assert (answer.status, answer.body) == (401, b"Not Authorized\n")
    assert f'Www-Authenticate: Basic realm="https://{HOST}/",service="ecr.amazonaws.com"' in answer.raw_headers
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@needs_curl
def test_unknown_and_expired_passwords_are_rejected(vpc: VPC, curl: Curl, basic: tuple[str, str]) -> None:
    assert curl(f"https://{HOST}/v2/", *basic).status == 200
    assert curl(f"https://{HOST}/v2/", "-H", "Authorization: Basic !!").status == 400
    vpc.cloud.passwords.expired = True
    answer = curl(f"https://{HOST}/v2/", *basic)
    assert answer.status == 403
    assert "www-authenticate" not in answer.headers
    (error,) = json.loads(answer.body)["errors"]
    assert error["message"] == "Your authorization token has expired. Reauthenticate and try again."


@needs_curl
def test_only_head_answers_with_the_digest_header(curl: Curl, basic: tuple[str, str]) -> None:
    got, head = curl(MANIFEST, *basic), curl(MANIFEST, "-I", *basic)
    assert (got.status, head.status) == (200, 200)
    assert "docker-content-digest" not in got.headers
    assert head.headers["docker-content-digest"] == f"sha256:{hashlib.sha256(got.body).hexdigest()}"
    assert head.headers["content-length"] == str(len(got.body))
    assert "\nSizes:" in head.raw_headers
    assert head.headers["content-type"] == "application/vnd.oci.image.index.v1+json"
    platforms = {
        (entry["platform"]["os"], entry["platform"]["architecture"]) for entry in json.loads(got.body)["manifests"]
    }
    assert platforms == {("linux", "amd64"), ("linux", "arm64"), ("unknown", "unknown")}


@needs_curl
@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        (
            "none/manifests/1.0",
            "NAME_UNKNOWN",
            "The repository with name 'none' does not exist in the registry with id '123456789012'",
        ),
        ("team/app/manifests/none", "MANIFEST_UNKNOWN", "Requested image not found"),
    ],
)
def test_missing_objects_answer_404(curl: Curl, basic: tuple[str, str], path: str, code: str, message: str) -> None:
    answer = curl(f"https://{HOST}/v2/{path}", *basic)
    assert answer.status == 404
    assert json.loads(answer.body) == {"errors": [{"code": code, "message": message}]}


@needs_curl
def test_the_tag_list_is_json_with_a_text_media_type(curl: Curl, basic: tuple[str, str]) -> None:
    answer = curl(f"https://{HOST}/v2/team/app/tags/list", *basic)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "1.0" in json.loads(answer.body)["tags"]


@needs_curl
def test_the_policy_of_the_registrys_endpoint_applies(vpc: VPC, curl: Curl, basic: tuple[str, str]) -> None:
    changes.endpoint_policy("ecr.dkr", Statement(actions=("ecr:GetAuthorizationToken",)))(vpc)
    answer = curl(MANIFEST, *basic)
    assert answer.status == 403
    (error,) = json.loads(answer.body)["errors"]
    assert error["code"] == "DENIED"
    resource = "arn:aws:ecr:us-east-1:123456789012:repository/team/app"
    assert f"on resource: {resource} because no VPC endpoint policy allows the ecr:BatchGetImage" in error["message"]


@needs_curl
def test_a_throttled_request_answers_429(vpc: VPC, curl: Curl, basic: tuple[str, str]) -> None:
    changes.inject_reply("ecr.dkr", throttled(), times=1)(vpc)
    assert [curl(MANIFEST, *basic).status for _ in range(2)] == [429, 200]


@needs_curl
def test_a_blob_redirects_to_s3(vpc: VPC, curl: Curl, basic: tuple[str, str]) -> None:
    digest, url = layer_url(curl, vpc, basic)
    assert url.startswith("https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/")
    assert re.search(r"\?X-Amz-Security-Token=.*&X-Amz-Expires=3600&.*&X-Amz-Signature=[0-9a-f]{64}$", url)
    assert any(word in url for word in vpc.secrets)
    answer = curl(url)
    assert answer.status == 200
    assert f"sha256:{hashlib.sha256(answer.body).hexdigest()}" == digest
    part = curl(url, "-H", "Range: bytes=0-1")
    assert (part.status, part.body) == (206, answer.body[:2])
    assert part.headers["content-range"] == f"bytes 0-1/{len(answer.body)}"


@needs_curl
def test_requests_that_s3_rejects(vpc: VPC, curl: Curl, basic: tuple[str, str]) -> None:
    _, url = layer_url(curl, vpc, basic)
    head = curl(url, "-I")
    assert (head.status, head.headers["content-length"]) == (403, "0")
    both = curl(url, *basic)
    assert both.status == 400
    assert b"<Code>InvalidArgument</Code>" in both.body
    assert b"<ArgumentName>Authorization</ArgumentName>" in both.body
    changed = curl(url.replace("Signature=", "Signature=0")[:-1])
    assert (changed.status, b"SignatureDoesNotMatch" in changed.body) == (403, True)
    unsigned = curl(url.partition("?")[0])
    assert unsigned.status == 403
    assert unsigned.headers["transfer-encoding"] == "chunked"
    assert unsigned.headers["server"] == "AmazonS3"
    assert unsigned.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>')
    vpc.cloud.account.clock_ahead = 7200
    late = curl(url)
    assert (late.status, b"Request has expired" in late.body, b"<ServerTime>" in late.body) == (403, True, True)


@needs_curl
def test_the_s3_endpoint_policy_is_evaluated_for_ecrs_role(vpc: VPC, curl: Curl, basic: tuple[str, str]) -> None:
    _, url = layer_url(curl, vpc, basic)
    changes.endpoint_policy("s3", Statement(principals=("123456789012",)))(vpc)
    denied = curl(url).body
    assert b"arn:aws:sts::812812325446:assumed-role/storage-access-role-prod-us-east-1/" in denied
    assert b"because no VPC endpoint policy allows the s3:GetObject action" in denied
    bucket = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
    changes.endpoint_policy("s3", Statement(actions=("s3:GetObject",), resources=(bucket,)))(vpc)
    assert curl(url).status == 200


@needs_curl
@pytest.mark.parametrize("damage", [Damage.CUT, Damage.RESET])
def test_damaged_bodies(vpc: VPC, curl: Curl, basic: tuple[str, str], damage: Damage) -> None:
    _, url = layer_url(curl, vpc, basic)
    changes.damaged_bodies("s3", damage, after=5000)(vpc)
    answer = curl(url)
    assert answer.failed in (18, 56)  # partial file, receive error: the proxy does not pass on how it ended
    assert len(answer.body) <= 5000


@needs_curl
def test_head_of_a_blob_is_answered_by_the_registry(vpc: VPC, curl: Curl, basic: tuple[str, str]) -> None:
    digest, _ = layer_url(curl, vpc, basic)
    assert curl(f"https://{HOST}/v2/team/app/blobs/{digest}", "-I", *basic).status == 200
    missing = curl(f"https://{HOST}/v2/team/app/blobs/sha256:{'0' * 64}", "-I", *basic)
    assert (missing.status, missing.headers["content-length"]) == (404, "0")


@needs_curl
def test_curl_connects_to_the_loopback_port_without_the_proxy(vpc: VPC, authority: str) -> None:
    where = f"{HOST}:443:127.0.0.1:{vpc.port('10.0.1.11', 443)}"
    command = [
        "curl",
        "-q",
        "-s",
        "--noproxy",
        "*",
        "--connect-to",
        where,
        "--cacert",
        authority,
        f"https://{HOST}/v2/",
    ]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"Not Authorized\n"


@needs_skopeo
@pytest.mark.parametrize("tag", ["1.0", "amd64", "docker"])
def test_skopeo_pulls_the_complete_image(proxy: str, authority: str, password: str, tmp_path: Path, tag: str) -> None:
    environ = {**os.environ, "HTTPS_PROXY": proxy, "SSL_CERT_FILE": authority, "NO_PROXY": ""}
    source = ["--src-creds", f"AWS:{password}", f"docker://{HOST}/team/app:{tag}"]
    platform = ["--override-os", "linux", "--override-arch", "amd64"]
    command = ["skopeo", "--insecure-policy", *platform, "copy", "--quiet", *source, f"dir:{tmp_path}"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    for descriptor in (manifest["config"], *manifest["layers"]):
        content = (tmp_path / descriptor["digest"].removeprefix("sha256:")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == descriptor["digest"].removeprefix("sha256:")


def test_layers_have_different_sizes() -> None:
    sizes = [len(blob.body) for blob in images.single().blobs if blob.media_type == images.OCI_LAYER]
    assert min(sizes) < 64 * 1024 <= max(sizes)
