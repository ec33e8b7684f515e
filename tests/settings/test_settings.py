"""Flags and variables become settings; flags win; secrets are never shown."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from probe.config.flags import FLAGS, parser_for
from probe.config.outputs import Output
from probe.config.readers import ALSO
from probe.config.settings import Settings, parse, process_start
from probe.endpoints import CORE_ENDPOINTS, EXTRA_ENDPOINTS
from probe.model import Budget, Layers
from probe.report import FORMATS

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"


def settings(*argv: str, **environ: str) -> Settings:
    return parse(argv, environ, started=0.0)


def test_defaults() -> None:
    made = settings()
    assert made.image is None
    assert made.platform.startswith("linux/")
    assert not made.platform_given
    assert made.budget == Budget()
    assert made.budget.deadline == 30
    assert made.budget.connect == 3
    assert made.reports.outputs == (Output("text"),)
    assert not made.reports.pretty
    assert made.controls
    assert made.layers is Layers.SMALLEST
    assert made.ca_bundle is None
    assert not made.allow_instance_role


def test_every_flag_has_an_equal_variable(tmp_path: Path) -> None:
    given = {
        "image": IMAGE,
        "platform": "linux/arm64/v8",
        "vpc-cidr": "10.0.0.0/16,fd00::/48",
        "also": "ssm,kms",
        "endpoint-dns": "ecr.api=vpce-1.example.com,ssm=vpce-2.example.com.",
        "allow-public": "logs,ecr.api",
        "pull-role": "arn:aws:iam::123456789012:role/a/path/pull",
        "layers": "smallest",
        "layer-bytes": "1MiB",
        "deadline": "12.5",
        "connect-timeout": "0.5",
        "format": "json",
        "output": str(tmp_path / "v.json"),
    }
    switches = [flag.name for flag in FLAGS if flag.switch and flag.name != "quiet"]  # the opposite of --verbose
    left_out = {"ca-bundle", "quiet"}
    assert {*given, *switches, *left_out} == {flag.name for flag in FLAGS}
    argv = [word for name, value in given.items() for word in (f"--{name}", value)] + [f"--{name}" for name in switches]
    variables = {flag.variable: given.get(flag.name, "yes") for flag in FLAGS if flag.name not in left_out}
    by_flag, by_variable = settings(*argv), settings(**variables)
    assert {name: getattr(by_flag, name) for name in Settings.__slots__ if name != "environ"} == {
        name: getattr(by_variable, name) for name in Settings.__slots__ if name != "environ"
    }
    assert by_flag.endpoint_dns == {"ecr.api": "vpce-1.example.com", "ssm": "vpce-2.example.com"}
    assert by_flag.vpc_cidrs == ("10.0.0.0/16", "fd00::/48")
    assert by_flag.budget.layer_bytes == 1 << 20
    assert by_flag.policy.strict
    assert not by_flag.controls
    assert by_flag.allow_instance_role
    assert by_flag.reports.pretty
    assert by_flag.reports.verbose


def test_how_much_text_is_wanted() -> None:
    assert settings("-v").reports == settings(ECR_PROBE_VERBOSE="yes").reports
    assert settings("-q").reports == settings(ECR_PROBE_QUIET="yes").reports
    assert (settings("-q").reports.quiet, settings("-q", "--no-quiet").reports.quiet) == (True, False)


def test_flags_win_over_variables() -> None:
    made = settings("--deadline", "10", "--no-strict", "--controls", ECR_PROBE_DEADLINE="20", ECR_PROBE_STRICT="1")
    assert made.budget.deadline == 10
    assert not made.policy.strict
    assert made.controls


@pytest.mark.parametrize("word", ["1", "true", "yes", "on", "TRUE", " on "])
def test_words_that_switch_on(word: str) -> None:
    assert settings(ECR_PROBE_STRICT=word).policy.strict


@pytest.mark.parametrize("word", ["0", "false", "no", "off", "False", "", "  "])
def test_words_that_leave_off(word: str) -> None:
    assert not settings(ECR_PROBE_STRICT=word).policy.strict


def test_an_empty_variable_is_none_at_all() -> None:
    assert settings(**{flag.variable: "" for flag in FLAGS}, AWS_CA_BUNDLE="") == settings(
        **{flag.variable: "" for flag in FLAGS}, AWS_CA_BUNDLE=""
    )
    assert settings(AWS_CA_BUNDLE="").ca_bundle is None


def test_repeated_and_comma_separated_ranges_add_up() -> None:
    made = settings(
        "--vpc-cidr", "10.0.0.0/16", "--vpc-cidr", "100.64.0.0/10, 20.10.0.0/16,", "--vpc-cidr", "10.0.0.0/16"
    )
    assert made.vpc_cidrs == ("10.0.0.0/16", "100.64.0.0/10", "20.10.0.0/16")


def test_the_deadline_grows_with_all_layers_and_bounds_the_connect_timeout() -> None:
    assert settings("--layers", "all").budget.deadline == 900
    assert settings("--layers", "all", "--deadline", "60").budget.deadline == 60
    assert settings("--deadline", "1").budget.connect == 1


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws-cn:iam::123456789012:role/pull",
        "arn:aws-us-gov:sts::123456789012:assumed-role/pull/0a1b2c3d",
        "arn:aws:iam::123456789012:role/service-role/team/pull",
    ],
)
def test_role_arns(arn: str) -> None:
    assert settings("--pull-role", arn).policy.pull_role == arn


OUTPUTS = [
    ([], {}, [("text", None)]),
    (["--format", "json"], {}, [("json", None)]),
    (["--output", "a"], {}, [("text", "a")]),
    (["--format", "json", "--output", "a"], {}, [("json", "a")]),
    (["--output", "a", "--format", "json"], {}, [("json", "a")]),
    (["--format", "json", "--output", "-"], {}, [("json", None)]),
    (["--format", "text", "--format", "json", "--output", "a"], {}, [("text", None), ("json", "a")]),
    (
        ["--format", "json", "--output", "a", "--format", "prometheus", "--output", "b", "--format", "text"],
        {},
        [("json", "a"), ("prometheus", "b"), ("text", None)],
    ),
    ([], {"ECR_PROBE_FORMAT": "json"}, [("json", None)]),
    ([], {"ECR_PROBE_FORMAT": "json,text", "ECR_PROBE_OUTPUT": "a"}, [("json", "a"), ("text", None)]),
    ([], {"ECR_PROBE_FORMAT": "text,json", "ECR_PROBE_OUTPUT": ",a"}, [("text", None), ("json", "a")]),
    (["--format", "json"], {"ECR_PROBE_FORMAT": "prometheus", "ECR_PROBE_OUTPUT": "a"}, [("json", "a")]),
    (["--output", "b"], {"ECR_PROBE_FORMAT": "prometheus", "ECR_PROBE_OUTPUT": "a"}, [("prometheus", "b")]),
]


@pytest.mark.parametrize(("argv", "environ", "expected"), OUTPUTS)
def test_pairs_of_format_and_output(
    argv: list[str],
    environ: dict[str, str],
    expected: list[tuple[str, str | None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [(output.format, output.path) for output in settings(*argv, **environ).reports.outputs] == expected


def test_secrets_are_never_shown() -> None:
    made = settings(
        AWS_SECRET_ACCESS_KEY="sentinel-1", HTTPS_PROXY="http://me:sentinel-2@proxy", AWS_SESSION_TOKEN="sentinel-3"
    )
    assert made.environ["AWS_SECRET_ACCESS_KEY"] == "sentinel-1"
    assert "HTTPS_PROXY" in made.environment.proxies
    assert "sentinel" not in repr(made) + str(made)


def test_the_environment_is_read_once() -> None:
    made = settings(
        ECS_CONTAINER_METADATA_URI_V4="http://169.254.170.2/v4/x",
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_REGION="eu-central-1",
        AWS_EXECUTION_ENV="AWS_ECS_FARGATE",
        NO_PROXY="a",
        no_proxy="b",
    )
    assert made.environment.metadata_v4 == "http://169.254.170.2/v4/x"
    assert made.environment.metadata_v3 is None
    assert made.environment.region == "eu-central-1"
    assert made.environment.no_proxy == "b"


def test_a_misspelt_variable_is_noted_and_others_are_not_ours() -> None:
    notes = settings(ECR_PROBE_IMGE="x", ECR_PROBE_PORT="tcp://1.2.3.4:80", ECR_PROBE_LISTEN=":9100").notes
    assert len(notes) == 1
    assert "ECR_PROBE_IMAGE" in notes[0]


@pytest.mark.parametrize(
    ("environ", "colour"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colour(environ: dict[str, str], colour: bool | None) -> None:
    assert settings(**environ).reports.colour is colour


def test_help_names_variables_defaults_and_every_known_word() -> None:
    text = " ".join(parser_for("ecr-probe check", FLAGS, description="").format_help().split())
    assert all(f"--{flag.name}" in text and f"[{flag.variable}; default: {flag.default}]" in text for flag in FLAGS)
    assert all(name in text for name in (*EXTRA_ENDPOINTS, *FORMATS, *Layers))
    assert set(ALSO) <= {*CORE_ENDPOINTS, *EXTRA_ENDPOINTS}


def test_examples_are_good_values() -> None:
    for flag in FLAGS:
        if flag.metavar and flag.name not in ("ca-bundle", "output"):
            settings(f"--{flag.name}", flag.example)


def test_the_process_began_before_this_test() -> None:
    code = (
        "import time; now = time.monotonic(); from probe.config.settings import process_start; "
        "print(now - process_start())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 9


def test_an_old_process_begins_now() -> None:
    """A shell that slept and then became us is no reason to give up at once."""
    now = time.monotonic()
    assert now - 10.1 <= process_start() <= time.monotonic()
