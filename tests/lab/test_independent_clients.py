"""Independent programs find the laboratory healthy, so the probe's results in it can be trusted."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from tests.lab import faults
from tests.lab.cloud import API, LAYERS, LOGS, PASSWORD, REGION, REGISTRY, RESOLVERS, S3_ADDRESSES, SERVERS, Cloud
from tests.lab.faults import Fault
from tests.lab.images import Layout


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_dig_resolves_each_endpoint_in_two_zones(cloud: Cloud, resolver: str) -> None:
    for name, last in ((API, 10), (REGISTRY, 11), (LOGS, 12)):
        answer = cloud.in_task("dig", "+short", f"@{resolver}", name, "A")
        assert sorted(answer.out.split()) == [f"10.0.10.{last}", f"10.0.20.{last}"], answer
    assert sorted(cloud.in_task("dig", "+short", LAYERS).out.split()) == list(S3_ADDRESSES)
    assert "status: NXDOMAIN" in cloud.in_task("dig", "missing.example.com").out


def test_aws_gets_a_login_password(cloud: Cloud) -> None:
    ended = cloud.in_task(
        str(SERVERS / "aws"), "ecr", "get-login-password", "--region", REGION, AWS_CA_BUNDLE=str(cloud.ca_bundle)
    )
    assert (ended.code, ended.out.strip()) == (0, PASSWORD), ended.err


@pytest.mark.parametrize(("fault", "allowed"), [(faults.api_checks_signatures, True), (faults.api_forbids, False)])
def test_aws_finds_the_tasks_credentials_and_ecr_api_knows_them(cloud: Cloud, fault: Fault, allowed: bool) -> None:
    no_keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    variables = {**no_keys, **cloud.variables, "AWS_CA_BUNDLE": str(cloud.ca_bundle)}
    with fault(cloud):
        ended = cloud.in_task(str(SERVERS / "aws"), "ecr", "get-login-password", **variables)
    refused = "is not authorized to perform: ecr:GetAuthorizationToken" in ended.err
    assert (ended.code == 0, refused) == (allowed, not allowed), ended.err


def test_curl_follows_the_redirect_to_the_layer(cloud: Cloud, image: Layout) -> None:
    digest = image.layers[0]
    url = f"https://{REGISTRY}/v2/app/blobs/{digest}"
    command = ("curl", "--silent", "--show-error", "--cacert", str(cloud.ca_bundle))
    refused = cloud.in_task(*command, "--head", url)
    assert " 401 " in refused.out.splitlines()[0]
    target = cloud.folder / "layer"
    transfer = cloud.in_task(
        *command, "--location", "--user", f"AWS:{PASSWORD}", "--output", str(target), "--write-out", "%{json}", url
    )
    facts = json.loads(transfer.out)
    assert (facts["http_code"], facts["num_redirects"], facts["remote_ip"] in S3_ADDRESSES) == (200, 1, True)
    assert facts["url_effective"].startswith(f"https://{LAYERS}/")
    assert "sha256:" + hashlib.sha256(target.read_bytes()).hexdigest() == digest


def test_skopeo_pulls_the_image(cloud: Cloud, image: Layout, tmp_path: Path) -> None:
    ended = cloud.in_task(
        "skopeo",
        "copy",
        "--quiet",
        "--insecure-policy",
        f"--src-creds=AWS:{PASSWORD}",
        f"docker://{REGISTRY}/{image.reference}",
        f"dir:{tmp_path}",
        SSL_CERT_FILE=str(cloud.ca_bundle),
    )
    assert ended.code == 0, ended.err
    pulled = {path.name for path in tmp_path.iterdir()}
    assert {digest.removeprefix("sha256:") for digest in image.layers} <= pulled


def test_the_token_is_the_registrys_password(cloud: Cloud) -> None:
    ended = cloud.in_task(
        str(SERVERS / "aws"),
        "ecr",
        "get-authorization-token",
        "--query",
        "authorizationData[0].authorizationToken",
        "--output",
        "text",
        AWS_CA_BUNDLE=str(cloud.ca_bundle),
    )
    assert base64.b64decode(ended.out) == f"AWS:{PASSWORD}".encode()
