"""Foreign text is safe to show: without secrets, control characters and log commands, and of limited length."""

from __future__ import annotations

import base64
import json
import string
import subprocess
import sys

import pytest
from botocore.loaders import Loader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probe.safe_words import (
    LONGEST_DETAIL,
    SECRETS_MANAGER_ACTIONS,
    json_bytes,
    printable,
    printable_lines,
    quoted,
    scrub,
    shortened,
    without,
    without_login,
)
from tests.safe_words.log_commands import LOG_COMMANDS, NO_LOG_COMMANDS, is_log_command

# ---- secrets -------------------------------------------------------------------------------------------------------

words = st.text(alphabet=string.ascii_letters + " .,:/-", max_size=120)
secrets = st.binary(min_size=30, max_size=600).map(lambda raw: base64.b64encode(b"\xff\x01" + raw).decode())
keys = st.text(alphabet=string.ascii_uppercase + string.digits, min_size=16, max_size=16).map(
    lambda tail: "ASIA" + tail
)


@given(st.text(max_size=1000))
def test_a_scrubbed_text_is_one_short_printable_line(text: str) -> None:
    scrubbed = scrub(text)
    assert len(scrubbed) <= LONGEST_DETAIL
    assert scrubbed.isprintable()
    assert scrub(scrubbed) == scrubbed


@given(words, secrets, keys, words)
def test_a_presigned_query_is_never_shown(before: str, token: str, key: str, after: str) -> None:
    secret = f"X-Amz-Security-Token={token}&X-Amz-Credential={key}%2F20190814&X-Amz-Signature={'0a' * 32}"
    for url in (
        f"https://bucket.s3.amazonaws.com/k?{secret}",
        f"<a href='/k?{secret}'>",
        f"GET /k?{secret.replace('&', '&amp;')}",
        secret,
    ):
        scrubbed = scrub(f"{before} {url} {after}")
        assert token[:20] not in scrubbed
        assert key not in scrubbed
        assert "0a0a0a" not in scrubbed


@pytest.mark.parametrize(
    "form",
    [
        "Authorization: Basic {}",
        "authorization='Bearer {}'",
        '{{"Authorization": "{}"}}',
        "Basic {}",
        "SecretAccessKey={}",
        '"Token" : "{}"',
        "{}",
        "x {}\n y",
    ],
)
@example(secret="/wE" + "A" * 41)  # without a digit, as one key in a thousand
@example(secret="/wH" + "/" * 41)
@given(secret=secrets)
def test_a_long_secret_is_cut_in_every_context(form: str, secret: str) -> None:
    assert secret[:16] not in scrub("answer: " + form.format(secret))


@pytest.mark.parametrize(
    "form",
    [
        '{{"auths": {{"registry.example": {{"auth": "{}"}}}}}}',
        "docker login -u AWS -p {} registry.example",
        "docker login --password {} registry.example",
        "curl -u AWS:{} https://registry.example/v2/",
        "-----BEGIN RSA PRIVATE KEY----- {} -----END RSA PRIVATE KEY-----",
    ],
)
def test_a_short_secret_is_recognised_by_its_context(form: str) -> None:
    assert "hunter2" not in scrub("answer: " + form.format("hunter2"))


@pytest.mark.parametrize(
    "form",
    [
        "secretsmanager={}",
        "secretsmanager = {}",
        "secretsmanager:{}",
        "secretsmanager: {}",
        '"secretsmanager": "{}"',
        "secret:{}",
        "secret: {}",
        "1234:secret:{}",
        "SECRET_KEY={}",
        "aws_secret_access_key: {}",
        "ExpiredToken={}",
        "MyToken: {}",
        "ssm:token:{}",
        "kms:password={}",
        "CannotPullContainerError: InvalidToken: {}",
        "ExpiredToken: {} in prose",
        "ExpiredToken:{}",
        "expiredtoken:{}",
        "expiredToken: {} has expired",
        "error: secretsmanager:*{} denied",
        "failed: secretsmanager:eu-west-1:{} denied",
        "secretsmanager:GetSecretValue{} denied",
        "secretsmanager:getsecretvalue:{}",
        "arn:aws:secretsmanager:{}",
        "arn:aws:secretsmanager:eu-west-1:{}",
        "arn:aws:secretsmanager:eu-west-1:123456789012:{}",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db,password={}",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:password={}",
        "on :123456789012:secret:{}",
        "my_secret={}",
        'client_secret: "{}"',
        "client-secret: {}",
        "secret-access-key={}",
        "DB_PASSWORD={}",
        "DB_PASSWORD_2={}",
        "pwd={}",
        "DB_PWD: {}",
        "passphrase={}",
        'passphrase="{} and {}"',
        "password => '{}, {}'",
        "apikey={}",
        "api_key: {}",
        "X-Api-Key: {}",
        "AccessKey={}",
        r"{{\"api-key\": \"{} {}\"}}",
        "a;sig={}",
        "a=b&sig={}",
        "a=b&amp;sig={}",
        "Cookie: a=b; session={}",
        "'Set-Cookie': 'id={}; Path=/; other={}'",
        "run --db-password {}",
        'run ["--password", "{}"]',
        "run\n--password {}",
        "run\n-u AWS:{}",
    ],
)
@pytest.mark.parametrize("secret", ["hunter2", "Hunter-Two", "Sentinel"])
def test_a_short_secret_is_cut_behind_its_key(form: str, secret: str) -> None:
    assert secret not in scrub("answer: " + form.format(secret, secret))


@pytest.mark.parametrize("option", ["--password", "--token", "-u AWS:"])
def test_an_option_at_the_beginning_of_a_text_is_recognised(option: str) -> None:
    assert "hunter2" not in scrub(f"{option} hunter2".replace(": ", ":"))


def test_only_the_actions_of_secrets_manager_may_follow_its_name() -> None:
    model = Loader().load_service_model("secretsmanager", "service-2")
    assert sorted(model["operations"]) == sorted(SECRETS_MANAGER_ACTIONS)
    for action in SECRETS_MANAGER_ACTIONS:
        assert scrub(f"allows secretsmanager:{action}.") == f"allows secretsmanager:{action}."
        assert scrub(f"allows secretsmanager:{action}s.") == "allows secretsmanager:[cut]"


def test_a_shortened_arn_of_a_secret_stays_when_it_is_scrubbed_again() -> None:
    scrubbed = [
        scrub("denied " * length + "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db") for length in range(30)
    ]
    assert list(map(scrub, scrubbed)) == scrubbed


@pytest.mark.parametrize("begin", ["ghp_", "github_pat_", "glpat-", "dckr_pat_", "npm_"])
def test_a_token_is_recognised_by_its_prefix(begin: str) -> None:
    assert scrub(f"with {begin}abcDEF0123456789xyzw it fails") == "with [cut] it fails"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("proxyconnect http://build:hunter2@10.9.9.9:3128: EOF", "10.9.9.9:3128: EOF"),
        ("Get https://AWS:hunter2@registry.example/v2/: EOF", "registry.example/v2/: EOF"),
    ],
)
def test_the_login_of_a_url_is_cut(text: str, shown: str) -> None:
    scrubbed = scrub(text)
    assert "hunter2" not in scrubbed
    assert scrubbed.endswith(shown)


@given(secrets, st.integers(0, 20_000), st.integers(0, 20_000))
def test_no_part_of_a_secret_in_a_long_page_is_shown(secret: str, before: int, after: int) -> None:
    scrubbed = scrub("a" * (before % 300) + " " + "b " * (before // 2) + secret + " c" * (after // 2))
    assert not any(secret[at : at + 12] in scrubbed for at in range(len(secret) - 12))


@pytest.mark.parametrize(
    "kept",
    [
        "User: arn:aws:sts::123456789012:assumed-role/TaskExecutionRole/938f6d263c464aa5985dc67ab7f38a7e is denied",
        "the bytes' sha256 is sha256:" + "0123456789abcdef" * 4,
        "status 200 instead of a Basic challenge",
        "The security token included in the request is invalid.",
        "Your authorization token has expired. Reauthenticate and try again.",
        "Signature expired: 20170111T204052Z is now earlier than 20170111T225449Z (20170111T230949Z - 15 min.)",
        "redirected to prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com",
        "The repository with name 'platform/services/backend/orders' does not exist in the registry '123456789012'",
        "certificate is not valid for 'api.ecr.eu-west-1.amazonaws.com'",
        "unable to pull secrets or registry auth: execution resource retrieval failed",
        "mkdir -p /var/lib/docker: permission denied",
        "because no VPC endpoint policy allows the secretsmanager:GetSecretValue action",
        "policy allows secretsmanager:* and secretsmanager:ListSecrets, not ssm:GetParameters or kms:Decrypt",
        "on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
        "(secretsmanager:*), ['secretsmanager:*'], \"secretsmanager:DescribeSecret\" or secretsmanager:*",
        "secretsmanager:GetSecretValue: AccessDeniedException",
        "on resource: arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:prod/db-AbCdEf",
        "on resource: arn:aws:secretsmanager:*:*:secret:prod/*",
        "docker login --username AWS --password-stdin registry.example",
        'msg="invalid token=" next="the same"',
        "on resource: arn:aws:ssm:eu-west-1:123456789012:parameter/prod/db",
        "ExpiredToken: The provided token has expired.",
        "InvalidToken: The provided token is malformed or otherwise invalid.",
        "InvalidTokenException: refreshed too late",
    ],
)
def test_text_that_is_no_secret_stays(kept: str) -> None:
    assert scrub(kept) == kept


@pytest.mark.parametrize(
    "action", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
)
@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-1"])
@pytest.mark.parametrize(
    "reason",
    ["because no resource-based policy allows the {action} action", "with an explicit deny in a resource-based policy"],
)
def test_a_long_denial_keeps_its_action_and_the_account_of_the_resource(action: str, region: str, reason: str) -> None:
    principal = "arn:aws:sts::123456789012:assumed-role/probe-task/0c1b2a3948576d6e8f90a1b2c3d4e5f6"
    resource = f"arn:aws:ecr:{region}:210987654321:repository/shared/bsae"
    denied = f"DENIED: User: {principal} is not authorized to perform: {action} on resource: {resource} {reason}"
    shown = scrub(denied.format(action=action))
    assert len(shown) <= 200
    assert f"perform: {action} on resource: arn:aws:ecr:{region}:210987654321:" in shown
    assert "resource-based policy" in shown


def test_a_long_denial_keeps_its_reason() -> None:
    sentence = (
        "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/a-role-with-a-long-name/"
        "0123456789abcdef0123456789abcdef is not authorized to perform: ecr:GetAuthorizationToken on resource: * "
        "because no VPC endpoint policy allows the "
        "ecr:GetAuthorizationToken action"
    )
    assert scrub(sentence) == (
        "AccessDeniedException: User: arn:aws:sts::… is not authorized to perform: ecr:GetAuthorizationToken "
        "on resource: * because no VPC endpoint policy allows the ecr:GetAuthorizationToken action"
    )


def test_the_arns_of_a_long_denial_are_as_long_as_there_is_room() -> None:
    role = "arn:aws:sts::123456789012:assumed-role/probe-task/0c1b2a3948576d6e8f90a1b2c3d4e5f6"
    repository = "arn:aws:ecr:us-east-1:123456789012:repository/team/app"
    assert scrub(f"DENIED: User: {role} is not authorized to perform: ecr:BatchGetImage on resource: {repository}") == (
        "DENIED: User: arn:aws:sts::123456789012:assumed-role/probe-task/… is not authorized to perform: "
        "ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:123456789012:repository/team/app"
    )


def test_a_text_too_long_for_short_arns_keeps_its_beginning_and_its_end() -> None:
    scrubbed = scrub("It begins here " + "and goes on " * 20 + "arn:aws:sts::123456789012:role/x" + " and on" * 20)
    assert scrubbed.startswith("It begins here")
    assert " … " in scrubbed
    assert scrubbed.endswith(" and on and on")


def test_literal_secrets_are_cut() -> None:
    assert without(("hunter2", "aHVudGVyMg=="), "hunter2 and aHVudGVyMg==") == "[cut] and [cut]"
    assert without((), "hunter2") == "hunter2"


# ---- printable text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße …", "Grüße …"),
        ("a\tb\r\nc", "a b  c"),
        ("\x1b[31mred\x9b", "?[31mred?"),
        ("a\u202eb", "a?b"),
        ("eu-\udcff", "eu-?"),
        ("a\u00a0b\u2028c", "a b c"),
    ],
)
def test_control_and_format_characters_are_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=100))
def test_printable_text_is_printable_and_keeps_its_length(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert len(shown) == len(text)  # the columns of a table were counted before


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("#:[] adw-\n\t\u202e"), max_size=20))
def test_printable_text_holds_no_log_command(text: str) -> None:
    shown = printable(text)
    assert not is_log_command(shown)
    assert printable(shown) == shown
    assert len(shown) == len(text)


@pytest.mark.parametrize("command", LOG_COMMANDS)
def test_every_log_command_is_broken(command: str) -> None:
    assert not any(map(is_log_command, printable_lines(command).split("\n")))


@pytest.mark.parametrize("text", NO_LOG_COMMANDS)
def test_text_that_is_no_log_command_stays(text: str) -> None:
    assert printable(text) == text


def test_the_samples_are_log_commands_and_their_look_alikes_are_not() -> None:
    assert [is_log_command(command.strip("\n")) for command in LOG_COMMANDS[:-1]] == [True] * (len(LOG_COMMANDS) - 1)
    assert not any(map(is_log_command, NO_LOG_COMMANDS))


def test_line_breaks_can_be_kept() -> None:
    assert printable_lines("a\x00\nb\r\n") == "a?\nb \n"


@pytest.mark.parametrize(("text", "shown"), [("abcd", "abcd"), ("abcde", "abc…"), ("a\x00", "a?"), ("", "")])
def test_a_long_text_ends_in_an_ellipsis(text: str, shown: str) -> None:
    assert shortened(text, 4) == shown


# ---- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("x y", "'x y'"),
        ("a\x1b[0m", "'a\\x1b[0m'"),
        ("https://robot:hunter2/@x@push.example.com/a", "'https://[cut]@push.example.com/a'"),
        ("x" * 81, f"'{'x' * 77}…'"),
        ("x" * 80, f"'{'x' * 80}'"),
    ],
)
def test_an_argument_is_quoted_short_and_without_a_login(argument: str, shown: str) -> None:
    assert quoted(argument) == shown


def test_a_login_is_cut_and_the_rest_of_the_url_stays() -> None:
    assert without_login("-p=https://robot:hunter2@push.example.com") == "-p=https://[cut]@push.example.com"
    assert without_login("/work/http:/robot:hunter2@push.example.com") == "/work/http:/[cut]@push.example.com"
    assert without_login("https://push.example.com/a") == "https://push.example.com/a"
    assert without_login("/work/a@b/verdict.json") == "/work/a@b/verdict.json"


# ---- JSON ------------------------------------------------------------------------------------------------------------


def test_json_replaces_what_utf_8_cannot_encode() -> None:
    value = {"a\udcff": ["b\udcff", ("c", 1)]}
    assert json.loads(json_bytes(value)) == {"a?": ["b?", ["c", 1]]}


@given(st.dictionaries(st.text(), st.text(st.sampled_from('#[a\\"'))))
def test_json_holds_no_log_command_and_means_the_same(value: dict[str, str]) -> None:
    document = json_bytes({key.encode(errors="replace").decode(): text for key, text in value.items()})
    assert b"##" not in document
    assert set(json.loads(document).values()) == set(value.values())


# ---- cost ------------------------------------------------------------------------------------------------------------


def test_importing_it_needs_no_library_and_compiles_no_pattern() -> None:
    program = """
import re, sys
re.compile = re.template = None
import probe.safe_words
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("msgspec", "requests", "probe")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['probe', 'probe.safe_words']\n"


def test_a_long_path_without_digits_stays() -> None:
    path = "/var/lib/containerd/Snapshots/overlay/MetadataStore/blobs"
    assert scrub(f"open {path}: denied") == f"open {path}: denied"
