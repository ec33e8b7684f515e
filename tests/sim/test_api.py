"""The JSON services, called with botocore; metadata and credentials, read with urllib."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from probe.sim import changes
from probe.sim.identity import Statement
from probe.sim.services import InjectedReply, json_error
from probe.sim.task import credentials_uninitialised
from probe.sim.vpc import VPC

Client = Callable[..., Any]
TASK = "arn:aws:sts::123456789012:assumed-role/probe-task/0c1b2a3948576d6e8f90a1b2c3d4e5f6"


@pytest.fixture
def client(vpc: VPC, proxy: str, authority: str) -> Client:
    def create(service: str, *, secret: str | None = None, token: str | None = None) -> Any:
        keys = vpc.cloud.task_keys
        hosts = {"ecr": "api.ecr", "logs": "logs"}
        return Session().create_client(
            service,
            "us-east-1",
            endpoint_url=f"https://{hosts[service]}.us-east-1.amazonaws.com",
            verify=authority,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=secret or keys.secret_key,
            aws_session_token=token or keys.token,
            config=Config(
                proxies={"https": proxy}, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5
            ),
        )

    return create


def client_error(call: Callable[[], object]) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_get_authorization_token(vpc: VPC, client: Client) -> None:
    answer = client("ecr").get_authorization_token()
    (data,) = answer["authorizationData"]
    assert data["proxyEndpoint"] == "https://123456789012.dkr.ecr.us-east-1.amazonaws.com"
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert user == "AWS"
    assert set(json.loads(base64.b64decode(password))) == {"payload", "datakey", "version", "type", "expiration"}
    assert password in vpc.secrets
    assert answer["ResponseMetadata"]["RequestId"]


def test_signatures_are_checked(vpc: VPC, client: Client) -> None:
    code, message, status = client_error(client("ecr", secret="another").get_authorization_token)
    assert (code, status) == ("InvalidSignatureException", 400)
    assert "does not match" in message
    code, message, _ = client_error(client("ecr", token="another").get_authorization_token)
    assert (code, message) == ("UnrecognizedClientException", "The security token included in the request is invalid.")
    vpc.cloud.account.session_expired = True
    assert client_error(client("ecr").get_authorization_token)[0] == "ExpiredTokenException"


@pytest.mark.parametrize(("behind", "beginning"), [(3600, "Signature expired"), (-3600, "Signature not yet current")])
def test_clocks_are_checked(vpc: VPC, client: Client, behind: float, beginning: str) -> None:
    changes.clock_behind(behind)(vpc)
    code, message, status = client_error(client("ecr").get_authorization_token)
    assert (code, status) == ("InvalidSignatureException", 400)
    assert message.startswith(beginning)
    assert message.count("Z") == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            changes.endpoint_policy("ecr.api", Statement(actions=("ecr:Batch*",))),
            "because no VPC endpoint policy allows the ecr:GetAuthorizationToken action",
        ),
        (
            changes.endpoint_policy("ecr.api", Statement(), Statement(effect="Deny")),
            "with an explicit deny in a VPC endpoint policy",
        ),
        (
            changes.role_policy(Statement(actions=("s3:*",))),
            "because no identity-based policy allows the ecr:GetAuthorizationToken action",
        ),
    ],
)
def test_denials_name_the_kind_of_policy(vpc: VPC, client: Client, change: changes.Change, reason: str) -> None:
    change(vpc)
    code, message, status = client_error(client("ecr").get_authorization_token)
    assert (code, status) == ("AccessDeniedException", 400)
    assert message == f"User: {TASK} is not authorized to perform: ecr:GetAuthorizationToken on resource: * {reason}"


def test_a_missing_image_is_a_failure_in_a_successful_answer(client: Client) -> None:
    image_ids = [{"imageTag": "1.0"}, {"imageTag": "none"}]
    answer = client("ecr").batch_get_image(repositoryName="team/app", imageIds=image_ids)
    assert [image["imageId"]["imageTag"] for image in answer["images"]] == ["1.0"]
    assert json.loads(answer["images"][0]["imageManifest"])["schemaVersion"] == 2
    (failure,) = answer["failures"]
    assert (failure["failureCode"], failure["failureReason"]) == ("ImageNotFound", "Requested image not found")


def test_a_missing_repository_is_an_error(client: Client) -> None:
    call = client("ecr").batch_get_image
    code, message, _ = client_error(lambda: call(repositoryName="none", imageIds=[{"imageTag": "1"}]))
    assert code == "RepositoryNotFoundException"
    assert message == "The repository with name 'none' does not exist in the registry with id '123456789012'"


def test_an_injected_reply_is_sent_as_often_as_asked(vpc: VPC, client: Client) -> None:
    changes.inject_reply("ecr.api", json_error("ThrottlingException", "Rate exceeded"), times=1)(vpc)
    assert client_error(client("ecr").get_authorization_token)[0] == "ThrottlingException"
    assert client("ecr").get_authorization_token()


def test_log_groups_and_streams(vpc: VPC, client: Client) -> None:
    logs = client("logs")
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/ecs/app"]
    streams = logs.describe_log_streams(logGroupName="/ecs/app", logStreamNamePrefix="ecs/app")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == [vpc.task.log_stream]
    code, message, status = client_error(lambda: logs.describe_log_streams(logGroupName="none"))
    assert (code, message, status) == ("ResourceNotFoundException", "The specified log group does not exist.", 400)


# ---- link-local -----------------------------------------------------------------------------------------------------


def link_local(
    vpc: VPC, path: str, *, host: str = "169.254.170.2", method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    url = f"http://127.0.0.1:{vpc.port(host, 80)}{path}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=headers or {}, method=method), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def path_of(uri: str) -> str:
    return uri.removeprefix("http://169.254.170.2")


def test_task_metadata(vpc: VPC) -> None:
    base = path_of(vpc.environ["ECS_CONTAINER_METADATA_URI_V4"])
    own = json.loads(link_local(vpc, base)[1])
    task = json.loads(link_local(vpc, f"{base}/task")[1])
    assert own["LogOptions"]["awslogs-stream"] == vpc.task.log_stream
    assert own["Networks"][0]["IPv4SubnetCIDRBlock"] == "10.0.1.0/24"
    assert (task["LaunchType"], task["KnownStatus"]) == ("FARGATE", "NONE")
    version_3 = json.loads(link_local(vpc, path_of(vpc.environ["ECS_CONTAINER_METADATA_URI"]) + "/task")[1])
    assert "LaunchType" not in version_3


def test_metadata_errors_are_json_strings(vpc: VPC) -> None:
    status, body = link_local(vpc, "/v4/another")
    assert status == 404
    assert isinstance(json.loads(body), str)


def test_metadata_in_host_mode_has_no_address(vpc: VPC) -> None:
    vpc.build(launch_type="EC2", network_mode="host")
    own = json.loads(link_local(vpc, path_of(vpc.environ["ECS_CONTAINER_METADATA_URI_V4"]))[1])
    assert own["Networks"] == [{"NetworkMode": "host", "IPv4Addresses": [""]}]


def test_task_credentials(vpc: VPC) -> None:
    path = vpc.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    document = json.loads(link_local(vpc, path)[1])
    assert set(document) == {"RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
    assert {document["AccessKeyId"], document["SecretAccessKey"], document["Token"]} <= set(vpc.secrets)
    vpc.metadata.injected_replies.append(InjectedReply(credentials_uninitialised(), times=1))
    status, body = link_local(vpc, path)
    assert (status, json.loads(body)["code"]) == (503, "CredentialsUninitialized")
    assert link_local(vpc, "/v2/credentials/another")[0] == 400


def test_instance_metadata_needs_a_session_token(vpc: VPC) -> None:
    assert ("169.254.169.254", 80) not in vpc.local
    vpc.build(launch_type="EC2", network_mode="host")
    instance = "169.254.169.254"
    assert link_local(vpc, "/latest/meta-data/mac", host=instance)[0] == 401
    seconds = {"x-aws-ec2-metadata-token-ttl-seconds": "60"}
    token = link_local(vpc, "/latest/api/token", host=instance, method="PUT", headers=seconds)[1]
    headers = {"x-aws-ec2-metadata-token": token}
    mac = link_local(vpc, "/latest/meta-data/mac", host=instance, headers=headers)[1]
    ranges = f"/latest/meta-data/network/interfaces/macs/{mac}/vpc-ipv4-cidr-blocks"
    assert link_local(vpc, ranges, host=instance, headers=headers) == (200, "10.0.0.0/16")
