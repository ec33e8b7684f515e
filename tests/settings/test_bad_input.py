"""Bad input: exit code 2, nothing on stdout, and one line that names flag, variable and a good value."""

from __future__ import annotations

from pathlib import Path

import pytest

from probe.cli import main
from probe.config.flags import FLAGS
from probe.config.settings import UsageError, parse

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"
ROLE = "arn:aws:iam::123456789012:role/pull"
FLAGS_BY_NAME = {flag.name: flag for flag in FLAGS}

# flag, value, text that the message must contain
VALUES = [
    ("image", "", "HOST/NAME:TAG, and this is empty"),
    ("image", "https://" + IMAGE, "scheme"),
    ("image", IMAGE + ":bad tag", "printable"),
    ("image", IMAGE + ":-bad", "tag"),
    ("image", IMAGE + "@sha256:12", "digest"),
    ("image", IMAGE.upper(), "repository"),
    ("image", "12345.dkr.ecr.eu-west-1.amazonaws.com/app", "12-digit"),
    ("image", "123456789012.dkr.ecr.eu-wset-1.amazonaws.com/app", "region"),
    ("image", "123456789012.dkr.ecr.cn-north-1.amazonaws.com/app", "amazonaws.com.cn"),
    ("image", "public.ecr.aws/nginx/nginx:1", "is in ECR Public, which has no PrivateLink endpoint"),
    ("image", "nginx", "is not in ECR, "),
    ("image", "vpce-0a1.dkr.ecr.eu-west-1.vpce.amazonaws.com/app", "not a registry host"),
    ("platform", "x86_64", "linux/amd64"),
    ("platform", "linux/aarch64", "linux/arm64"),
    ("platform", "linux", "OS/ARCH"),
    ("platform", "linux/amd64/v1/x", "OS/ARCH"),
    ("platform", "linux/arm64/8", "OS/ARCH"),
    ("vpc-cidr", "10.0.0.5/16", "10.0.0.0/16"),
    ("vpc-cidr", "10.0.0.0/16,10.1.0.1/16", "10.1.0.0/16"),
    ("vpc-cidr", "10.0.0.0", "prefix length"),
    ("vpc-cidr", "10.0.0.0/255.255.0.0", "prefix length"),
    ("vpc-cidr", "10.0.0.0/33", "CIDR"),
    ("vpc-cidr", "fd00::1/64", "fd00::/64"),
    ("vpc-cidr", "fe80::%eth0/64", "zone"),
    ("vpc-cidr", "0.0.0.0/0", "every address"),
    ("vpc-cidr", "tenthousand", "CIDR"),
    ("vpc-cidr", ",", "the list is empty"),
    ("also", "secretmanager", "secretsmanager"),
    ("also", "ecr.api", "use one of"),
    ("also", "", "the list is empty"),
    ("endpoint-dns", "ecr.api", "ENDPOINT=NAME"),
    ("endpoint-dns", "ecr-api=vpce-1.example.com", "ecr.api"),
    ("endpoint-dns", "ecr.api=10.0.0.1", "host name"),
    ("endpoint-dns", "ecr.api=https://vpce-1.example.com", "host name"),
    ("endpoint-dns", "s3=*.vpce-1.s3.eu-west-1.vpce.amazonaws.com", "zone"),
    ("endpoint-dns", "ecr.api=", "host name"),
    ("endpoint-dns", "ecr.api=a.example.com,ecr.api=b.example.com", "two names"),
    ("endpoint-dns", "ssm=a.example.com", "--also ssm"),
    ("allow-public", "log", "logs"),
    ("allow-public", "everything", "use one of"),
    ("pull-role", "ecsTaskExecutionRole", "ARN"),
    ("pull-role", "arn:aws:iam::123456789012:user/me", "ARN"),
    ("pull-role", "arn:aws:iam::1234:role/me", "ARN"),
    ("pull-role", ROLE + " ", "ARN"),
    ("layers", "biggest", "smallest"),
    ("layers", "8", "use one of"),
    ("layer-bytes", "lots", "bytes"),
    ("layer-bytes", "0", "between"),
    ("layer-bytes", "-1", "bytes"),
    ("layer-bytes", "64MB", "MiB"),
    ("layer-bytes", "64 ", "'64 ' is not a size"),
    ("layer-bytes", "9" * 400, "between"),
    ("runbook-base", "docs.example.com/findings", "http"),
    ("runbook-base", "ftp://docs.example.com/", "http"),
    ("runbook-base", "javascript://docs.example.com/%0aalert(1)", "http"),
    ("runbook-base", "https://docs.example.com:x/", "not a URL"),
    ("runbook-base", "https://docs.example.com/a b", "http"),
    ("runbook-base", "https://me:word@docs.example.com/", "login"),
    ("runbook-base", "https://docs.example.com/?page=1", "CODE"),
    ("runbook-base", "https://docs.example.com/" + "a" * 500, "longer than"),
    ("deadline", "soon", "not a duration"),
    ("deadline", "nan", "not a duration"),
    ("deadline", "inf", "not a duration"),
    ("deadline", "-5", "not a duration"),
    ("deadline", "0", "between"),
    ("deadline", "1e9", "not a duration"),
    ("deadline", "999999999", "between"),
    ("deadline", "30sec", "not a duration"),
    ("deadline", "30S", "not a duration"),
    ("deadline", "5 ", "'5 ' is not a duration"),
    ("deadline", " 5", "' 5' is not a duration"),
    ("deadline", "1m30s", "not a duration"),
    ("deadline", "99ms", "not between 100ms and 24h"),
    ("deadline", "25h", "not between 100ms and 24h"),
    ("deadline", "٣", "not a duration"),
    ("deadline", "\x1b[31m3", "not a duration"),
    ("deadline", "soon?; now", "'soon?; now' is not a duration"),
    ("connect-timeout", "0", "between"),
    ("connect-timeout", "nan", "not a duration"),
    ("connect-timeout", "31", "31s is longer than the limit of the whole run, --deadline (ECR_PROBE_DEADLINE) 30s"),
    ("connect-timeout", "1m", "1m is longer than the limit of the whole run, --deadline (ECR_PROBE_DEADLINE) 30s"),
    ("connect-timeout", "1ms", "not between 10ms and 1h"),
    ("ca-bundle", "/nonexistent.pem", "no such file"),
    ("ca-bundle", "/", "/"),
    ("ca-bundle", "/dev/null", "certificate"),
    ("format", "xml", "use one of"),
    ("format", "jsn", "'jsn' is not a format; did you mean json? For example: --format json"),
    ("output", "", "empty"),
    ("output", "/", "directory"),
    ("output", "/nonexistent/verdict.json", "does not exist"),
    ("output", "/proc/verdict.json", "cannot be written"),
    ("output", "/dev/null", "regular file"),
]


def refused(argv: list[str], environ: dict[str, str], capfd: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FLAGS_BY_NAME.values():
            patch.delenv(name.variable, raising=False)
        patch.delenv("AWS_CA_BUNDLE", raising=False)
        for variable, value in environ.items():
            patch.setenv(variable, value)
        code = main(["check", *argv])
    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert all(letter.isprintable() for letter in err[:-1])
    return err


@pytest.mark.parametrize(("name", "value", "text"), VALUES)
def test_a_bad_flag_is_refused(name: str, value: str, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    flag = FLAGS_BY_NAME[name]
    line = refused([f"--{name}", value], {}, capfd)
    assert text in line
    assert f"--{name}" in line
    assert flag.variable in line
    assert flag.example in line


@pytest.mark.parametrize(
    ("name", "value", "text"), [row for row in VALUES if row[1].strip(" ,") and row[1] == row[1].strip()]
)
def test_a_bad_variable_is_refused(name: str, value: str, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    flag = FLAGS_BY_NAME[name]
    line = refused([], {flag.variable: value}, capfd)
    assert text in line
    assert f"--{name}" in line
    assert flag.variable in line
    assert flag.example in line


# argv, texts that the message must contain
CONTRADICTIONS = [
    (["--pretty"], ["--pretty", "ECR_PROBE_PRETTY", "json"]),
    (["--pretty", "--format", "prometheus"], ["--pretty", "--format"]),
    (["--verbose", "--quiet"], ["--verbose (ECR_PROBE_VERBOSE)", "--quiet (ECR_PROBE_QUIET)"]),
    (["--verbose=1"], ["--verbose (ECR_PROBE_VERBOSE)", "takes no value"]),
    (["--layers", "all", "--layer-bytes", "1MiB"], ["--layer-bytes", "ECR_PROBE_LAYER_BYTES", "--layers"]),
    (["--layers", "none", "--layer-bytes", "1MiB"], ["--layer-bytes", "--layers"]),
    (["--deadline", "2", "--connect-timeout", "3"], ["--connect-timeout", "--deadline"]),
    (["--format", "junit", "--format", "json"], ["; for example --format junit --output report.xml --format json\n"]),
    (["--quiet", "--verbose"], ["--verbose", "--quiet (ECR_PROBE_QUIET); for example --verbose --no-quiet\n"]),
    (["--format", "text", "--output", "-", "--format", "json", "--output", "-"], ["stdout"]),
    (["--format", "json", "--output", "a", "--output", "b"], ["--output", "--format"]),
    (["--output", "a", "--format", "json", "--output", "b"], ["--output", "--format"]),
    (["--output", "a", "--output", "b"], ["--output", "--format"]),
    (["--format", "json", "--output", "a", "--format", "text", "--output", "./a"], ["--output", "same file"]),
    (["--output", "reports/"], ["--output", "'reports/' is a directory"]),
    (["--format"], ["--format", "ECR_PROBE_FORMAT", "missing"]),
    (["--strict=yes"], ["--strict (ECR_PROBE_STRICT): a switch takes no value", "for example --strict or"]),
    (["--no-strict=yes"], ["--strict (ECR_PROBE_STRICT): a switch takes no value"]),
    (["--imagee", "x"], ["unknown flag '--imagee'; did you mean --image (ECR_PROBE_IMAGE)?"]),
    (["image"], ["unknown argument 'image'", "for example ecr-probe check --image 123456789012.dkr", "--help"]),
]


@pytest.mark.parametrize(("argv", "texts"), CONTRADICTIONS)
def test_contradictory_flags_are_refused(
    argv: list[str],
    texts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    line = refused(argv, {}, capfd)
    assert all(text in line for text in texts), line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flag", ["image", "platform", "ca-bundle", "format", "output", "deadline", "oputput"])
def test_a_login_in_a_value_is_not_repeated(flag: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert "SENTINEL" not in refused([f"--{flag}", "http://u:SENTINEL@h/x"], {}, capfd)
    assert "SENTINEL" not in refused([f"--{flag}=http://u:SENTINEL@h/x"], {}, capfd)


def test_an_unknown_value_of_a_switch_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    line = refused([], {"ECR_PROBE_STRICT": "perhaps"}, capfd)
    assert "--strict (ECR_PROBE_STRICT)" in line
    assert "ECR_PROBE_STRICT=true" in line


def test_a_bad_bundle_in_the_sdks_variable_names_that_variable(capfd: pytest.CaptureFixture[str]) -> None:
    line = refused([], {"AWS_CA_BUNDLE": "/nonexistent.pem"}, capfd)
    assert "--ca-bundle (ECR_PROBE_CA_BUNDLE, here from AWS_CA_BUNDLE)" in line


def test_a_directory_that_cannot_hold_the_report_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(UsageError, match="does not exist"):
        parse(["--output", str(tmp_path / "file" / "v.json")], {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_checking_an_output_leaves_nothing_behind(tmp_path: Path) -> None:
    parse(["--output", str(tmp_path / "v.json")], {})
    assert not list(tmp_path.iterdir())
