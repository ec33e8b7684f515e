"""The summary of an explained text names what failed, and no client that the text is not about."""

from __future__ import annotations

import re

import pytest

from probe.model import Client
from tests.explain.sample import Sample
from tests.explain.samples import SAMPLES

_BY_NAME = {sample.name: sample for sample in SAMPLES}
_OF_LOGS = "the task's logs cannot be sent: "
_OF_AGENT = "the ECS agent's requests fail: "


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("log driver, misleading sentence about the log group", _OF_LOGS),
        ("log router's own error", _OF_LOGS),
        ("log stream denied", _OF_LOGS),
        ("headline only, log stream", _OF_LOGS),
        ("ECS agent's poll host", _OF_AGENT),
        ("ECS agent's telemetry, host missing", _OF_AGENT),
        ("NXDOMAIN for a numbered host of the agent", _OF_AGENT),
        ("invalid awslogs-region", "the task cannot start: the log driver has no endpoint"),
        ("token requests throttled", "AWS limits the rate of requests to ecr.api"),
        ("endpoint's private DNS name in use", "private DNS for the endpoint was refused"),
        ("no capacity for the task", "ECS could not place the task"),
        ("limit of the kubelet", "the client's own rate limit stopped the pull"),
        ("push: repository full", "the client cannot push the image: a push is refused: "),
        ("push: manifest type, no host", "the client cannot push the image: a push is refused: "),
        ("push: name of the repository is no name", "the client cannot push the image: "),
        ("Lambda: the image of a function was deleted", "Lambda cannot pull the image: "),
        ("Lambda: the role of the function cannot be assumed", "a service or workflow could not assume its role"),
        ("App Runner: the access role cannot be assumed", "App Runner cannot pull the image: "),
        ("App Runner: the name is not of the expected form", "App Runner cannot pull the image: "),
        ("SageMaker: repository without its service", "SageMaker cannot pull the image: "),
        ("CodeBuild: a private image without the project's role", "CodeBuild cannot pull the image: "),
        ("kubelet: the provider prints no JSON", "the kubelet cannot pull the image: "),
        ("Docker: nothing was piped", "the client cannot pull the image: "),
        ("AWS CLI 1: a command of later versions", "the client cannot pull the image: "),
        ("tag not found, ECR", "ECS cannot pull the image: ECR does not find the image 9 in the repository cart"),
        (
            "name that was joined from two registries",
            "the kubelet cannot pull the image: the image's name has a ",
        ),
        ("locked keychain", "the client cannot pull the image: "),
    ],
)
def test_the_summary_names_what_failed(name: str, beginning: str) -> None:
    assert _BY_NAME[name].run.verdict().summary.startswith(beginning)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_no_summary_contradicts_itself(sample: Sample) -> None:
    verdict = sample.run.verdict()
    assert "not proven" not in verdict.summary
    assert not re.search(r"\b(?:REPOSITORY|REGION|ACCOUNT|IMAGE|TAG|ADDRESS|HOST|BUCKET)\b", verdict.summary)
    assert ("a push" in verdict.summary) <= (verdict.surroundings.client is Client.PUSH)
