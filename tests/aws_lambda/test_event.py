"""The contract of the event: its keys are flags and override the variables; an error is reported in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import certifi
import pytest

from probe.config.flags import CHECK_FLAGS, UsageError
from probe.config.settings import Settings, settle
from probe.lambda_event import KEYS, read
from probe.records import replace

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"
OTHER = IMAGE.replace("app", "other")
ROLE = "arn:aws:iam::123456789012:role/pull"
SCHEDULED_EVENT = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2015-10-08T16:53:06Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"],
    "detail": {},
}


def settings(event: object, **variables: str) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return settle(read(event)[0], variables, started=0.0)


def refused(event: object, **variables: str) -> str:
    with pytest.raises(UsageError) as caught:
        settings(event, **variables)
    line = str(caught.value)
    assert "\n" not in line
    example = line.partition("; for example ")[2] or line.partition("? For example: ")[2]
    settings(json.loads(example))  # a good example is one
    return line


# ---- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in KEYS if name != "format"])
def test_every_key_means_what_the_variable_means(name: str) -> None:
    key = KEYS[name]
    text = certifi.where() if name == "ca-bundle" else key.example or "yes"
    value = True if key.switch else [text] if key.many else text
    by_variable = settings({}, **{key.variable: text})
    assert replace(settings({name: value}), environ={}) == replace(by_variable, environ={})


def test_numbers_and_lists_are_values_too() -> None:
    made = settings({"deadline": 12.5, "layer-bytes": 1048576, "vpc-cidr": ["10.0.0.0/16", "fd00::/48"]})
    assert (made.budget.deadline, made.budget.layer_bytes) == (12.5, 1 << 20)
    assert made.vpc_cidrs == ("10.0.0.0/16", "fd00::/48")


@pytest.mark.parametrize(
    ("event", "deadline", "strict"),
    [
        ({}, 20, True),
        (None, 20, True),
        ({"deadline": None, "strict": None}, 20, True),
        ({"deadline": 7}, 7, True),
        ({"deadline": "7"}, 7, True),
        ({"deadline": 1e1, "strict": False}, 10, False),
        ({"strict": "no"}, 20, False),
    ],
)
def test_the_event_takes_precedence_over_the_variables(event: object, deadline: float, strict: bool) -> None:
    made = settings(event, ECR_PROBE_DEADLINE="20", ECR_PROBE_STRICT="yes")
    assert (made.budget.deadline, made.policy.strict) == (deadline, strict)


def test_a_list_replaces_the_variables() -> None:
    made = settings({"vpc-cidr": "10.1.0.0/16,10.2.0.0/16"}, ECR_PROBE_VPC_CIDR="10.0.0.0/16")
    assert made.vpc_cidrs == ("10.1.0.0/16", "10.2.0.0/16")


@pytest.mark.parametrize("formats", ["json,emf", ["json", "emf"]])
def test_several_reports_may_go_to_the_log(formats: object) -> None:
    assert read({"format": formats})[1] == ("json", "emf")
    assert read({})[1] == ()


@pytest.mark.parametrize("source", ["aws.events", "aws.scheduler"])
def test_a_scheduled_event_has_no_settings(source: str) -> None:
    made = settings({**SCHEDULED_EVENT, "source": source, "image": OTHER}, ECR_PROBE_IMAGE=IMAGE)
    assert made.image is not None
    assert made.image.text == IMAGE


@pytest.mark.parametrize("others", [SCHEDULED_EVENT, {"DeploymentId": "d-1"}, {"another key": 1}])
def test_with_settings_all_other_keys_are_ignored(others: dict[str, object]) -> None:
    made = settings({**others, "settings": {"image": OTHER}}, ECR_PROBE_IMAGE=IMAGE)
    assert made.image is not None
    assert made.image.text == OTHER
    assert settings({**others, "settings": None}, ECR_PROBE_IMAGE=IMAGE).image is not None


# ---- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"imgae": IMAGE}, "'imgae' is no setting; did you mean image? For example: {\"image\": "),
        ({"vpc_cidr": "10.0.0.0/16"}, "'vpc_cidr' is no setting; did you mean vpc-cidr? "),
        ({"VPC-CIDR": "10.0.0.0/16"}, "'VPC-CIDR' is no setting; did you mean vpc-cidr? "),
        ({"ECR_PROBE_IMAGE": IMAGE}, "'ECR_PROBE_IMAGE' is no setting; known are image, platform, "),
        ({"key1": "value1"}, "'key1' is no setting; known are image, platform, "),
        ({"output": "/tmp/verdict.json"}, "'output' is no setting; known are "),
        ({"settings": {"key1": 1}}, "'key1' is no setting"),
        ({"a\nb": 1}, "'a\\nb' is no setting"),
        ({"x" * 5000: 1}, "…' is no setting"),
        ({5: 1}, "'5' is no setting"),
        ([], "the event is a list and has to be an object; "),
        ("image", "the event is text and has to be an object; "),
        (5, "the event is a number and has to be an object; "),
        ({"settings": [{"image": IMAGE}]}, "settings is a list and has to be an object; "),
        ({"image": 5}, "image (ECR_PROBE_IMAGE): a number is not text; "),
        ({"image": [IMAGE]}, "image (ECR_PROBE_IMAGE): a list is not text; "),
        ({"image": {"Ref": "x"}}, "image (ECR_PROBE_IMAGE): an object is not text; "),
        ({"image": "nginx"}, "image (ECR_PROBE_IMAGE): 'nginx' is not in ECR, "),
        ({"image": ""}, "image (ECR_PROBE_IMAGE): "),
        ({"image": "--help"}, "image (ECR_PROBE_IMAGE): "),
        ({"deadline": True}, "(ECR_PROBE_DEADLINE): true or false is not a number or a text such as 30s; "),
        ({"deadline": [1]}, 'a list is not a number or a text such as 30s; for example {"deadline": "30s"}'),
        ({"deadline": "soon"}, "deadline (ECR_PROBE_DEADLINE): 'soon' is not a duration such as 30s"),
        ({"deadline": 0}, "is not between 100ms and 24h"),
        ({"deadline": -5}, "is not a duration such as 30s"),
        ({"deadline": 1e-9}, "is not between"),
        ({"deadline": float("nan")}, "is not a duration such as 30s"),
        ({"deadline": float("inf")}, "is not a duration such as 30s"),
        ({"deadline": 10**30}, "is not between"),
        ({"connect-timeout": 31}, "connect-timeout (ECR_PROBE_CONNECT_TIMEOUT): 31s is longer than"),
        ({"layer-bytes": 1.5}, "layer-bytes (ECR_PROBE_LAYER_BYTES): "),
        ({"layers": "all", "layer-bytes": 5}, "layer-bytes (ECR_PROBE_LAYER_BYTES): has no effect with"),
        ({"vpc-cidr": []}, "vpc-cidr (ECR_PROBE_VPC_CIDR): the list is empty; "),
        ({"vpc-cidr": [5]}, "vpc-cidr (ECR_PROBE_VPC_CIDR): a number is not text, nor a list of it; "),
        ({"vpc-cidr": ["10.0.0.0/16", None]}, "vpc-cidr (ECR_PROBE_VPC_CIDR): null is not text, "),
        ({"vpc-cidr": ["10.0.0.5/16"]}, "vpc-cidr (ECR_PROBE_VPC_CIDR): '10.0.0.5/16' has host bits set"),
        ({"endpoint-dns": {"ecr.api": "x"}}, "endpoint-dns (ECR_PROBE_ENDPOINT_DNS): an object is not text, "),
        ({"format": "xml"}, "format (ECR_PROBE_FORMAT): 'xml' is not a format; use one of text, json, "),
        ({"strict": 1}, "strict (ECR_PROBE_STRICT): a number is not true or false; "),
        ({"strict": "perhaps"}, "strict (ECR_PROBE_STRICT): 'perhaps' is neither "),
        ({"pull-role": "admin"}, "pull-role (ECR_PROBE_PULL_ROLE): 'admin' is not the ARN of a role; "),
    ],
)
def test_a_wrong_event_is_refused_in_one_line_with_a_good_one(event: object, message: str) -> None:
    assert message in refused(event)


@pytest.mark.parametrize("name", KEYS)
def test_every_key_has_a_good_example(name: str) -> None:
    assert name in json.loads(KEYS[name].good)
    if name != "ca-bundle":  # its file is not everywhere
        settings(json.loads(KEYS[name].good))


def test_a_wrong_variable_is_named() -> None:
    assert refused({}, ECR_PROBE_DEADLINE="soon").startswith("deadline (ECR_PROBE_DEADLINE): 'soon' is not a duration")
    line = refused({}, AWS_CA_BUNDLE="/nonexistent.pem")
    assert line.startswith("ca-bundle (AWS_CA_BUNDLE): '/nonexistent.pem' cannot be read: ")


def test_a_value_of_a_wrong_type_is_not_repeated() -> None:
    assert "hunter2" not in refused({"image": {"password": "hunter2"}})
    assert "hunter2" not in refused(["hunter2"])


# ---- the README ----------------------------------------------------------------------------------


def test_the_readme_lists_the_flags_that_are_no_keys_and_its_event_is_a_good_one() -> None:
    text = (Path(__file__).parents[2] / "task-definitions" / "README.md").read_text()
    section = text.partition("\n## As a Lambda function\n")[2].partition("\n## ")[0]
    listed = section.partition("flags of `ecr-probe check` without ")[2].partition(". ")[0]
    assert set(re.findall(r"`([\w-]+)`", listed)) == {flag.name for flag in CHECK_FLAGS} - set(KEYS)
    (event,) = re.findall(r"^```json\n(.*?)^```$", section, re.M | re.S)
    assert settings(json.loads(event)).policy.strict
