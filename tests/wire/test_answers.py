from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model import AnswerSeen, DenialReason, Failure, Topic
from probe.wire import answers
from probe.wire.aws_errors import failure_of_code
from probe.wire.http import Answer

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC).timestamp()
ID = {"x-amzn-RequestId": "8f0c"}
REGISTRY = {"Docker-Distribution-Api-Version": "registry/2.0"}
CHALLENGE = {
    **REGISTRY,
    "Www-Authenticate": 'Basic realm="https://h/",service="ecr.amazonaws.com"',
    "Content-Type": "text/plain; charset=utf-8",
}
S3 = {"x-amz-request-id": "0A1B", "Server": "AmazonS3", "Content-Type": "application/xml"}
PAGE = b"<!DOCTYPE html><html><head><title>Access Denied by policy</title></head><body>https://s3/k?X-Amz-Signature=0a0a</body></html>"


def classify(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, *, method: str = "GET"
) -> tuple[AnswerSeen, tuple[Failure, str] | None]:
    answer = Answer(status, headers or {}, body)
    seen = answers.facts(answer, method=method, address="10.0.1.10", clock=NOW)
    return seen, answers.failure(answer, seen)


def api(code: str, message: str = "words", key: str = "message") -> bytes:
    return json.dumps({"__type": code, key: message}).encode()


def envelope(code: str, message: str = "words") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def xml(code: str, message: str = "words") -> bytes:
    inside = f"<Code>{code}</Code><Message>{message}</Message><RequestId>0A1B</RequestId>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inside}</Error>'.encode()


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        # The APIs: status 400 and a code.
        (400, api("UnrecognizedClientException"), ID, Failure.UNAUTHENTICATED),
        (400, api("ExpiredTokenException"), ID, Failure.UNAUTHENTICATED),
        (
            400,
            api("InvalidSignatureException", "The request signature we calculated does not match"),
            ID,
            Failure.UNAUTHENTICATED,
        ),
        (400, api("IncompleteSignatureException"), {}, Failure.UNAUTHENTICATED),
        (403, api("com.amazon.coral.service#AccessDeniedException", key="Message"), {}, Failure.DENIED),
        (400, api("AccessDeniedException"), ID, Failure.DENIED),
        (400, b"", {**ID, "x-amzn-ErrorType": "AccessDeniedException:http://internal.amazon.com/"}, Failure.DENIED),
        (400, api("RepositoryNotFoundException"), ID, Failure.NOT_FOUND),
        (400, api("ResourceNotFoundException"), ID, Failure.NOT_FOUND),
        (400, api("LayersNotFoundException"), ID, Failure.NOT_FOUND),
        (400, api("ThrottlingException", "Rate exceeded"), ID, Failure.THROTTLED),
        (429, b"", ID, Failure.THROTTLED),
        (500, api("ServerException"), ID, Failure.SERVER_ERROR),
        (400, api("InternalFailure"), ID, Failure.SERVER_ERROR),
        (400, api("InvalidParameterException"), ID, Failure.MALFORMED),
        # The registry.
        (401, b"Not Authorized\n", CHALLENGE, Failure.UNAUTHENTICATED),
        (
            403,
            envelope("DENIED", "Your authorization token has expired. Reauthenticate and try again."),
            REGISTRY,
            Failure.UNAUTHENTICATED,
        ),
        (403, envelope("DENIED", "User: x is not authorized to perform: ecr:BatchGetImage"), {}, Failure.DENIED),
        (404, envelope("NAME_UNKNOWN"), {}, Failure.NOT_FOUND),
        (404, envelope("MANIFEST_UNKNOWN", "Requested image not found"), {}, Failure.NOT_FOUND),
        (429, envelope("TOOMANYREQUESTS", "Rate exceeded"), {}, Failure.THROTTLED),
        (400, b"", REGISTRY, Failure.UNAUTHENTICATED),
        # S3.
        (403, xml("AccessDenied", "Access Denied"), S3, Failure.DENIED),
        (403, xml("AccessDenied", "Request has expired"), S3, Failure.UNAUTHENTICATED),
        (400, xml("ExpiredToken"), S3, Failure.UNAUTHENTICATED),
        (403, xml("SignatureDoesNotMatch"), S3, Failure.UNAUTHENTICATED),
        (403, xml("RequestTimeTooSkewed"), S3, Failure.CLOCK),
        (404, xml("NoSuchKey"), {}, Failure.NOT_FOUND),
        (503, xml("SlowDown"), S3, Failure.THROTTLED),
        (500, xml("InternalError"), S3, Failure.SERVER_ERROR),
        (400, xml("InvalidArgument"), S3, Failure.MALFORMED),
        # Without a body or a mark of AWS, and not from AWS.
        (503, b"", {}, Failure.SERVER_ERROR),
        (429, b"", {}, Failure.THROTTLED),
        (403, b"", {}, Failure.NOT_AWS),
        (404, b"", {}, Failure.NOT_AWS),
        (401, b"", {}, Failure.NOT_AWS),
        (403, PAGE, {"Content-Type": "text/html"}, Failure.NOT_AWS),
        (502, b"Bad Gateway", {}, Failure.NOT_AWS),
        (404, b'{"message": "no such route"}', {}, Failure.NOT_AWS),
        (407, b"", {}, Failure.NOT_AWS),
        (302, b"", {"Location": "http://login.example/?next=1"}, Failure.REDIRECT),
        (302, b"<html>moved</html>", {}, Failure.NOT_AWS),
    ],
)
def test_the_failure_of_an_answer(status: int, body: bytes, headers: dict[str, str], expected: Failure) -> None:
    _, failure = classify(status, body, headers)
    assert failure is not None
    assert failure[0] is expected
    assert failure[1]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, envelope("KmsException", "The operation failed due to a KMS exception."), Topic.KEY),
        (
            400,
            envelope("UNKNOWN", "KMSInvalidStateException: arn:aws:kms:eu-west-1:1:key/0a is pending deletion"),
            Topic.KEY,
        ),
        (400, xml("KMS.DisabledException", "arn:aws:kms:us-east-1:1:key/0a is disabled."), Topic.KEY),
        (403, xml("AccessDenied", "User: x is not authorized to perform: kms:Decrypt on resource: y"), Topic.KEY),
        (403, envelope("DENIED", "The authentication to the upstream registry failed."), Topic.UPSTREAM),
        (400, api("UnableToGetUpstreamImageException"), Topic.UPSTREAM),
        (400, envelope("UpstreamAccessDenied"), Topic.UPSTREAM),
        (429, envelope("TOOMANYREQUESTS", "You have reached your pull rate limit."), Topic.UPSTREAM),
        (429, envelope("TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit."), Topic.UPSTREAM),
        # Repositories with these names.
        (404, envelope("NAME_UNKNOWN", "The repository with name 'kms' does not exist in the registry"), None),
        (403, envelope("DENIED", "not authorized on arn:aws:ecr:eu-west-1:1:repository/upstream/kms because"), None),
        (429, envelope("TOOMANYREQUESTS", "Rate exceeded"), None),
        # A proxy's words.
        (503, b"upstream registry connect error", None),
    ],
)
def test_what_an_error_concerns(status: int, body: bytes, expected: Topic | None) -> None:
    seen, _ = classify(status, body)
    assert seen.topic is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, Failure.UNAUTHENTICATED), (403, Failure.DENIED), (404, Failure.NOT_FOUND), (500, Failure.SERVER_ERROR)],
)
def test_an_answer_to_head_is_classified_by_its_status(status: int, expected: Failure) -> None:
    seen, failure = classify(status, method="HEAD")
    assert failure == (expected, f"status {status}")
    assert seen.body_bytes is None
    assert not seen.aws


@pytest.mark.parametrize("status", [200, 204, 206])
def test_success_is_no_failure(status: int) -> None:
    assert classify(status, PAGE)[1] is None


@pytest.mark.parametrize(
    ("body", "headers", "aws"),
    [
        (b"", ID, True),
        (b"", S3, True),
        (b"", REGISTRY, True),
        (xml("X"), {}, True),
        (envelope("X"), {}, True),
        (api("X"), {}, True),
        (PAGE, {}, False),
        (b"[]", {}, False),
        (b"", {}, False),
    ],
)
def test_whether_an_answer_is_from_aws(body: bytes, headers: dict[str, str], aws: bool) -> None:
    assert classify(400, body, headers)[0].aws is aws


def test_code_and_request_id() -> None:
    assert (classify(400, api("a.b#Code:http://x"), ID)[0].code, classify(400, api("X"), ID)[0].request_id) == (
        "Code",
        "8f0c",
    )
    assert classify(404, xml("NoSuchKey"))[0].request_id == "0A1B"
    assert classify(404, envelope("NAME_UNKNOWN"))[0].code == "NAME_UNKNOWN"


def test_a_block_page_is_described_by_its_title() -> None:
    _, failure = classify(403, PAGE)
    assert failure == (Failure.NOT_AWS, "status 403, not from AWS: Access Denied by policy")


@pytest.mark.parametrize(
    ("code", "in_a_text", "from_the_control_plane"),
    [
        ("LimitExceededException", None, Failure.THROTTLED),
        ("AuthFailure", None, Failure.UNAUTHENTICATED),
        ("AccessDeniedException", Failure.DENIED, Failure.DENIED),
        ("ClusterNotFoundException", Failure.NOT_FOUND, Failure.NOT_FOUND),
        ("InvalidParameterException", None, None),
    ],
)
def test_some_codes_are_only_clear_from_the_control_plane(
    code: str, in_a_text: Failure | None, from_the_control_plane: Failure | None
) -> None:
    assert failure_of_code(code) is in_a_text
    assert failure_of_code(code, control_plane=True) is from_the_control_plane


# ---- denials ---------------------------------------------------------------------------------------------------------

NOT_AUTHORIZED = (
    "User: arn:aws:sts::123456789012:assumed-role/TaskRole/0123 is not authorized to perform: ecr:BatchGetImage "
    "on resource: arn:aws:ecr:r:1:repository/x"
)


@pytest.mark.parametrize(
    ("ending", "reason", "explicit"),
    [
        (" because no identity-based policy allows the ecr:BatchGetImage action", DenialReason.IDENTITY, False),
        (" because no resource-based policy allows the ecr:BatchGetImage action", DenialReason.RESOURCE, False),
        (" because no VPC endpoint policy allows the ecr:BatchGetImage action", DenialReason.ENDPOINT, False),
        (" with an explicit deny in a VPC endpoint policy", DenialReason.ENDPOINT, True),
        (" with an explicit deny in a service control policy", DenialReason.SERVICE_CONTROL, True),
        (" with an explicit deny in a resource control policy", DenialReason.RESOURCE_CONTROL, True),
        (" because no permissions boundary allows the ecr:BatchGetImage action", DenialReason.BOUNDARY, False),
        (" because no session policy allows the ecr:BatchGetImage action", DenialReason.SESSION, False),
        (" with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/x", DenialReason.IDENTITY, True),
        (" with an explicit deny", None, True),
        ("", None, False),
    ],
)
def test_the_message_of_a_denial(ending: str, reason: DenialReason | None, explicit: bool) -> None:
    denial = classify(403, envelope("DENIED", NOT_AUTHORIZED + ending))[0].denial
    assert denial is not None
    assert (denial.reason, denial.explicit) == (reason, explicit)
    assert denial.principal == "arn:aws:sts::123456789012:assumed-role/TaskRole/0123"
    assert denial.action == "ecr:BatchGetImage"


def test_s3_reports_ecrs_own_role_and_escapes_quotes() -> None:
    message = (
        "User: arn:aws:sts::812812325446:assumed-role/storage-access-role-prod-us-west-2/s is not "
        "authorized to perform: s3:GetObject "
        "on resource: &quot;arn:aws:s3:::prod-us-west-2-starport-layer-bucket/k&quot; "
        "because no VPC endpoint policy allows the s3:GetObject action"
    )
    denial = classify(403, xml("AccessDenied", message), S3)[0].denial
    assert denial is not None
    assert (denial.reason, denial.action) == (DenialReason.ENDPOINT, "s3:GetObject")


def test_a_denial_without_details() -> None:
    assert classify(403, xml("AccessDenied", "Access Denied"), S3)[0].denial is None


# ---- clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "signed", "server"),
    [
        (
            "Signature expired: 20260105T113000Z is now earlier than 20260105T114500Z (20260105T120000Z - 15 min.)",
            11,
            12,
        ),
        (
            "Signature not yet current: 20260105T133000Z is still later than 20260105T120500Z "
            "(20260105T120000Z + 5 min.)",
            13,
            12,
        ),
        ("Signature expired: 20260105T113000Z is now earlier than 20260105T124500Z", 11, 12),
    ],
)
def test_a_signature_refused_for_its_time(message: str, signed: int, server: int) -> None:
    seen, failure = classify(400, api("InvalidSignatureException", message), ID)
    assert failure is not None
    assert failure[0] is Failure.CLOCK
    assert seen.signed_at is not None
    assert seen.server_time is not None
    assert (seen.signed_at.hour, seen.server_time.hour) == (signed, server)


def test_invalid_times_are_ignored() -> None:
    message = "Signature expired: 20269905T113000Z is now earlier than 20260105T114500Z"
    assert classify(400, api("InvalidSignatureException", message), ID)[1] == (
        Failure.UNAUTHENTICATED,
        f"InvalidSignatureException: {message}",
    )


@pytest.mark.parametrize(
    ("date", "offset"),
    [
        ("Mon, 05 Jan 2026 12:10:00 GMT", 600.0),
        ("Mon, 05 Jan 2026 11:59:58 GMT", -2.0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_clock_offset_of_an_answer(date: str, offset: float | None) -> None:
    assert classify(200, headers={"date": date})[0].clock_offset == offset


# ---- any body --------------------------------------------------------------------------------------------------------


def test_pages_are_recognized_as_html() -> None:
    assert answers.is_html(Answer(200, {"Content-Type": "text/HTML; charset=x"}, b""))
    assert answers.is_html(Answer(200, {}, b"\n <HTML>"))
    assert not answers.is_html(Answer(200, {"content-type": "application/json"}, b"{}"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["__type", "message", "Message", "errors", "code"]), inner)
    ),
    max_leaves=12,
)


@given(
    st.integers(100, 599),
    st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.text(max_size=20), st.text(max_size=40)),
)
def test_no_answer_raises(status: int, body: bytes, headers: dict[str, str]) -> None:
    _, failure = classify(status, body, headers)
    assert (failure is None) == (200 <= status < 300)


def test_deeply_nested_bodies_do_not_raise() -> None:
    assert classify(400, b"[" * 50_000)[1] is not None
    assert classify(400, b'{"a":' * 50_000)[1] is not None
