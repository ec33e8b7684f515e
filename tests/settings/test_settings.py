"""Flags and variables become settings; flags take precedence; secrets are never shown."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.config.flags import CHECK_FLAGS, Flag
from probe.config.outputs import Output
from probe.config.readers import duration, duration_text
from probe.config.settings import Settings, parse, process_start
from probe.model import Budget, Layers
from probe.records import replace

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"


def parsed(*argv: str, **environ: str) -> Settings:
    return parse(argv, environ, started=0.0)


def test_defaults() -> None:
    settings = parsed()
    assert settings.image is None
    assert settings.platform.startswith("linux/")
    assert not settings.platform_given
    assert settings.budget == Budget()
    assert settings.budget.deadline == 30
    assert settings.budget.connect == 3
    assert settings.reports.outputs == (Output("text"),)
    assert not settings.reports.pretty
    assert settings.controls
    assert settings.layers is Layers.SMALLEST
    assert settings.ca_bundle is None
    assert not settings.allow_instance_role


def values(tmp_path: Path) -> dict[str, str]:
    """A value of each flag that takes one, other than its default."""
    others = {
        "ca-bundle": certifi.where(),
        "connect-timeout": "500ms",
        "deadline": "1m",
        "layer-bytes": "1MiB",
        "layers": "all",
        "output": str(tmp_path / "verdict"),
    }
    return {flag.name: others.get(flag.name, flag.example) for flag in CHECK_FLAGS if flag.metavar}


@pytest.mark.parametrize("flag", CHECK_FLAGS, ids=lambda flag: flag.name)
def test_every_flag_changes_the_settings_as_its_variable_does(flag: Flag, tmp_path: Path) -> None:
    value = values(tmp_path).get(flag.name)
    context = ("--format", "json") if flag.name == "pretty" else ()
    by_flag = parsed(*context, f"--{flag.name}", *([value] if value else []))
    by_variable = parsed(*context, **{flag.variable: value or "yes"})
    assert by_flag == replace(by_variable, environ={})
    assert by_flag != parsed(*context)


def test_values_of_flags() -> None:
    settings = parsed(
        *("--endpoint-dns", "ecr.api=vpce-1.example.com,ssm=vpce-2.example.com.", "--also", "ssm"),
        *("--vpc-cidr", "10.0.0.0/16,fd00::/48", "--layer-bytes", "1MiB", "--no-controls"),
    )
    assert settings.endpoint_dns == {"ecr.api": "vpce-1.example.com", "ssm": "vpce-2.example.com"}
    assert settings.vpc_cidrs == ("10.0.0.0/16", "fd00::/48")
    assert settings.budget.layer_bytes == 1 << 20
    assert not settings.controls


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("1m", 60),
        ("1.5m", 90),
        ("500ms", 0.5),
        ("24h", 86400),
        ("12.5", 12.5),
        (".5", 0.5),
        ("30 s", 30),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parsed("--deadline", text).budget.deadline == seconds
    assert parsed(ECR_PROBE_DEADLINE=text).budget.deadline == seconds


@given(seconds=st.floats(0.001, 90000).map(lambda seconds: float(f"{seconds:.3g}")))
def test_a_duration_is_printed_as_it_can_be_typed(seconds: float) -> None:
    assert duration(0, 1e9)(duration_text(seconds)) == pytest.approx(seconds)


def test_verbose_and_quiet() -> None:
    assert parsed("-v").reports == parsed(ECR_PROBE_VERBOSE="yes").reports
    assert parsed("-q").reports == parsed(ECR_PROBE_QUIET="yes").reports
    assert (parsed("-q").reports.quiet, parsed("-q", "--no-quiet").reports.quiet) == (True, False)


@pytest.mark.parametrize(("flag", "variable"), [("verbose", "ECR_PROBE_QUIET"), ("quiet", "ECR_PROBE_VERBOSE")])
def test_a_flag_replaces_the_variable_of_its_opposite(flag: str, variable: str) -> None:
    assert parsed(f"--{flag}", **{variable: "true"}).reports == parsed(f"--{flag}").reports


def test_flags_take_precedence_over_variables() -> None:
    settings = parsed("--deadline", "10", "--no-strict", "--controls", ECR_PROBE_DEADLINE="20", ECR_PROBE_STRICT="1")
    assert settings.budget.deadline == 10
    assert not settings.policy.strict
    assert settings.controls


@pytest.mark.parametrize("text", ["1", "true", "yes", "on", "TRUE", " on "])
def test_values_that_switch_on(text: str) -> None:
    assert parsed(ECR_PROBE_STRICT=text).policy.strict


@pytest.mark.parametrize("text", ["0", "false", "no", "off", "False", "", "  "])
def test_values_that_switch_off(text: str) -> None:
    assert not parsed(ECR_PROBE_STRICT=text).policy.strict


def test_an_empty_variable_counts_as_unset() -> None:
    empty = {flag.variable: "" for flag in CHECK_FLAGS}
    assert replace(parsed(**empty, AWS_CA_BUNDLE=""), environ={}) == parsed()


def test_repeated_and_comma_separated_ranges_add_up() -> None:
    settings = parsed(
        "--vpc-cidr", "10.0.0.0/16", "--vpc-cidr", "100.64.0.0/10, 20.10.0.0/16,", "--vpc-cidr", "10.0.0.0/16"
    )
    assert settings.vpc_cidrs == ("10.0.0.0/16", "100.64.0.0/10", "20.10.0.0/16")


def test_the_deadline_grows_with_all_layers_and_bounds_the_connect_timeout() -> None:
    assert parsed("--layers", "all").budget.deadline == 900
    assert parsed("--layers", "all", "--deadline", "60").budget.deadline == 60
    assert parsed("--deadline", "1").budget.connect == 1


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws-cn:iam::123456789012:role/pull",
        "arn:aws-us-gov:sts::123456789012:assumed-role/pull/0a1b2c3d",
        "arn:aws:iam::123456789012:role/service-role/team/pull",
    ],
)
def test_role_arns(arn: str) -> None:
    assert parsed("--pull-role", arn).policy.pull_role == arn


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
    assert [(output.format, output.path) for output in parsed(*argv, **environ).reports.outputs] == expected


def test_secrets_are_never_shown() -> None:
    settings = parsed(
        AWS_SECRET_ACCESS_KEY="sentinel-1", HTTPS_PROXY="http://me:sentinel-2@proxy", AWS_SESSION_TOKEN="sentinel-3"
    )
    assert settings.environ["AWS_SECRET_ACCESS_KEY"] == "sentinel-1"
    assert "HTTPS_PROXY" in settings.environment.proxies
    assert "sentinel" not in repr(settings) + str(settings)


def test_variables_of_ecs_and_the_operator() -> None:
    settings = parsed(
        ECS_CONTAINER_METADATA_URI_V4="http://169.254.170.2/v4/x",
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_REGION="eu-central-1",
        AWS_EXECUTION_ENV="AWS_ECS_FARGATE",
        NO_PROXY="a",
        no_proxy="b",
    )
    assert settings.environment.metadata_v4 == "http://169.254.170.2/v4/x"
    assert settings.environment.metadata_v3 is None
    assert settings.environment.region == "eu-central-1"
    assert settings.environment.no_proxy == "b"


@pytest.mark.parametrize(("value", "on"), [("true", True), ("TRUE", True), ("false", False), ("1", False), ("", False)])
def test_fips_endpoints_are_on_as_for_botocore(value: str, on: bool) -> None:
    assert parsed(AWS_USE_FIPS_ENDPOINT=value).environment.fips_endpoints is on


def test_a_misspelt_variable_is_noted_and_others_are_ignored() -> None:
    notes = parsed(ECR_PROBE_IMGE="x", ECR_PROBE_PORT="tcp://1.2.3.4:80", ECR_PROBE_LISTEN=":9100").notes
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
    assert parsed(**environ).reports.colour is colour


def test_the_process_started_before_its_first_statement() -> None:
    code = (
        "import time; now = time.monotonic(); from probe.config.settings import process_start; "
        "print(now - process_start())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 9


def test_an_old_process_starts_now() -> None:
    """A shell that slept before it replaced itself by us does not use up the deadline."""
    now = time.monotonic()
    assert now - 10.1 <= process_start() <= time.monotonic()
