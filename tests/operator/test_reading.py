"""Reading by botocore's own clients, from an endpoint that speaks AWS's protocols."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.configuration.document import Configuration, Obstacle, Source
from probe.configuration.operations import OPERATIONS, SUBNETS, Operation
from probe.configuration.view import MissingError, View
from probe.operator import aws, reading
from probe.operator.reading import read, reading_account
from probe.sim.account import SimulatedAccount
from tests.http_server import Reply, Request
from tests.operator.endpoint import CREDENTIALS, Endpoint, Error, Silence, served

SUBNETS_OF_VPC = {"Filters": [{"Name": "vpc-id", "Values": ["vpc-0a000000"]}]}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(reading, "ATTEMPTS", 1)


def account_of(subnets: int = 3) -> SimulatedAccount:
    listed = [
        {"SubnetId": f"subnet-{number:08x}", "VpcId": "vpc-0a000000", "CidrBlock": "10.0.0.0/24"}
        for number in range(subnets)
    ]
    return SimulatedAccount(objects={"ec2": {"Subnets": listed}})


def subnets_of(view: View) -> list[str] | None:
    """What a gate does: None until it is read."""
    try:
        return [item["SubnetId"] for item in view.items(SUBNETS, **SUBNETS_OF_VPC)]
    except MissingError:
        return None


@pytest.fixture
def read_from(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Any, Configuration]]]:
    with_endpoint: list[Any] = []

    def run(endpoint: Endpoint, evaluate: Callable[[View], Any] = subnets_of, **more: Any) -> tuple[Any, Configuration]:
        serving = served(endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL", serving.__enter__())
        with_endpoint.append(serving)
        return read(reading_account(region="us-east-1", profile=None), evaluate, **more)

    yield run
    for serving in with_endpoint:
        serving.__exit__(None, None, None)


Run = Callable[..., tuple[Any, Configuration]]


def source(configuration: Configuration) -> Source:
    (found,) = [each for each in configuration.sources if each.question.operation == "DescribeSubnets"]
    return found


def test_pages_are_one_reply(read_from: Run) -> None:
    endpoint = Endpoint(account_of(25), page_size=10)
    found, configuration = read_from(endpoint)
    assert (len(found), source(configuration).pages, endpoint.calls.count("ec2:DescribeSubnets")) == (25, 3, 3)


def test_the_callers_account_is_known(read_from: Run) -> None:
    assert read_from(Endpoint(account_of()))[1].account == "123456789012"


@pytest.mark.parametrize(
    ("error", "obstacle", "missing"),
    [
        (Error("UnauthorizedOperation", "You are not authorized", 403), Obstacle.DENIED, "ec2:DescribeSubnets"),
        (
            Error("UnauthorizedOperation", "User: x is not authorized to perform: ec2:Other on y", 403),
            Obstacle.DENIED,
            "ec2:Other",
        ),
        (Error("RequestLimitExceeded", "", 503), Obstacle.THROTTLED, None),
        (Error("InvalidSubnetID.NotFound"), Obstacle.NOT_FOUND, None),
        (Error("InvalidAction"), Obstacle.UNSUPPORTED, None),
        (Error("UnsupportedOperation"), Obstacle.UNSUPPORTED, None),
        (Error("InternalError", "", 500), Obstacle.NO_REPLY, None),
        (Error("InvalidParameterValue"), Obstacle.REFUSED, None),
        (Silence(), Obstacle.NO_REPLY, None),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_an_error_is_an_obstacle(
    error: Error | Silence, obstacle: Obstacle, missing: str | None, read_from: Run
) -> None:
    endpoint = Endpoint(account_of(), errors=lambda action, _: error if action == "ec2:DescribeSubnets" else None)
    found, configuration = read_from(endpoint)
    answer = source(configuration)
    assert (found, answer.reply, answer.obstacle, answer.missing) == (None, None, obstacle, missing)


def test_awss_sentence_reaches_who_asked(read_from: Run) -> None:
    sentence = "User: arn:aws:iam::1:user/x is not authorized to perform: ec2:DescribeSubnets"
    endpoint = Endpoint(account_of(), errors=lambda *_: Error("UnauthorizedOperation", sentence))

    def words(view: View) -> str | None:
        try:
            view.items(SUBNETS, **SUBNETS_OF_VPC)
        except MissingError as error:
            return error.words
        return None

    assert read_from(endpoint, words)[0] == sentence


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "have expired"),
        ("RequestExpired", "have expired, or this machine's clock is wrong"),
        ("RequestTimeTooSkewed", "so this machine's clock is wrong"),
        ("AuthFailure", "does not accept the credentials"),
        ("InvalidClientTokenId", "does not accept the credentials"),
    ],
)
def test_credentials_that_no_call_accepts_end_the_run(code: str, words: str, read_from: Run) -> None:
    with pytest.raises(UsageError, match=words):
        read_from(Endpoint(account_of(), errors=lambda *_: Error(code)))


def test_missing_credentials_end_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, read_from: Run) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    endpoint = Endpoint(account_of())
    with pytest.raises(UsageError, match=r"no usable AWS credentials.*--profile"):
        read_from(endpoint)
    assert endpoint.calls == []


def test_credentials_that_another_region_refuses_are_unknown_there(read_from: Run) -> None:
    """The account may not have enabled that Region."""

    def elsewhere(view: View) -> None:
        for region in (None, "me-south-1"):
            try:
                view.items(SUBNETS, region, **SUBNETS_OF_VPC)
            except MissingError:
                continue

    calls = iter([None, Error("AuthFailure")])
    ordered = threading.Lock()

    def errors(action: str, _: int) -> Error | None:
        with ordered:
            return Error("AuthFailure") if action == "ec2:DescribeSubnets" and next(calls) else None

    endpoint = Endpoint(account_of(), errors=errors)
    monkeypatched = reading.CONCURRENT_CALLS
    reading.CONCURRENT_CALLS = 1  # so that the second call is that to the other Region
    try:
        _, configuration = read_from(endpoint, elsewhere)
    finally:
        reading.CONCURRENT_CALLS = monkeypatched
    assert [each.obstacle for each in configuration.sources if each.question.region] == [Obstacle.REFUSED]


def test_a_service_without_a_name_in_the_region_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for route53resolver in a Region without it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://no-such-host.invalid")
    account = reading_account(region="us-east-1", profile=None)
    for regions, kind in ((["eu-west-1"], aws.Kind.UNSUPPORTED), (["us-east-1"], aws.Kind.NO_REPLY)):
        monkeypatch.setattr(
            account._session,
            "get_available_regions",
            lambda service, _partition, regions=regions: regions if service != "ec2" else ["us-east-1"],
        )
        with pytest.raises(aws.ApiError) as raised:
            list(account.pages("sts:GetCallerIdentity"))
        assert raised.value.kind is kind


def test_retries_are_botocores(read_from: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ATTEMPTS", 3)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    throttled = Error("RequestLimitExceeded", "", 503)
    endpoint = Endpoint(account_of(), errors=lambda _, nth: throttled if nth < 3 else None)
    assert read_from(endpoint)[0] is not None
    assert endpoint.calls.count("ec2:DescribeSubnets") == 3


def test_retries_can_be_configured(read_from: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ATTEMPTS", 4)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    endpoint = Endpoint(account_of(), errors=lambda *_: Error("RequestLimitExceeded", "", 503))
    assert source(read_from(endpoint)[1]).obstacle is Obstacle.THROTTLED
    assert endpoint.calls.count("ec2:DescribeSubnets") == 2


def test_an_endpoint_and_a_region_can_be_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As boto3 finds them: by service, and in a profile."""
    account = account_of()
    account.region = "eu-central-1"
    file = tmp_path / "config"
    keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    file.write_text(f"[profile ci]\nregion = eu-central-1\n{keys}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with served(Endpoint(account)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        for service in ("EC2", "STS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        found, configuration = read(reading_account(region=None, profile="ci"), subnets_of)
    assert (len(found or ()), configuration.region) == (3, "eu-central-1")


def test_too_many_pages_are_not_read(read_from: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "MAX_PAGES", 2)
    assert source(read_from(Endpoint(account_of(5), page_size=2))[1]).obstacle is Obstacle.TOO_LARGE


def test_a_reply_of_too_many_bytes_is_not_read(read_from: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_REPLY", 1000)
    assert source(read_from(Endpoint(account_of(50), page_size=5))[1]).obstacle is Obstacle.TOO_LARGE


def test_the_deadline_ends_the_reading(read_from: Run) -> None:
    began = time.monotonic()
    found, configuration = read_from(Endpoint(account_of(), latency=3.0), seconds=0.3)
    assert time.monotonic() - began < 2.0
    assert (found, source(configuration).obstacle) == (None, Obstacle.NO_REPLY)


@dataclass
class Gathering(Endpoint):
    """Answers DescribeSubnets only while nine such calls are in flight."""

    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(9, timeout=60))

    def reply(self, request: Request) -> Reply | Silence:
        if b"DescribeSubnets" in request.body:
            self.barrier.wait()
        return super().reply(request)


def test_calls_of_one_round_are_concurrent(read_from: Run) -> None:
    def many(view: View) -> None:
        for number in range(9):
            try:
                view.items(SUBNETS, Filters=[{"Name": "vpc-id", "Values": [f"vpc-{number:08x}"]}])
            except MissingError:
                continue

    endpoint = Gathering(account_of())
    read_from(endpoint, many)
    assert not endpoint.barrier.broken
    assert endpoint.calls.count("ec2:DescribeSubnets") == 9


# ---- only what reads -------------------------------------------------------------------------------------------------


def test_an_operation_that_is_not_listed_is_never_called(read_from: Run) -> None:
    other = Operation("secretsmanager", "GetSecretValue", keep=("SecretString",))
    endpoint = Endpoint(account_of())

    def ask(view: View) -> None:
        try:
            view.reply(other, SecretId="x")
        except MissingError:
            return

    with pytest.raises(AssertionError, match="GetSecretValue"):
        read_from(endpoint, ask)
    assert set(endpoint.calls) <= {"sts:GetCallerIdentity"}


def test_a_client_of_the_reader_has_no_other_operation() -> None:
    account = reading_account(region="us-east-1", profile=None)
    for service in {operation.service for operation in OPERATIONS}:
        client = account._client(service, "us-east-1")
        ordinary = {each.name for each in OPERATIONS if each.service == service and each.flag is None}
        assert set(client.meta.service_model.operation_names) == ordinary
    assert not hasattr(account._client("ec2", "us-east-1"), "run_instances")
