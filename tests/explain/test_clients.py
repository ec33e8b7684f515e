"""Who pulls or pushes: each client in its own words, with its own role."""

from __future__ import annotations

import pytest

from probe.explain import explain_text
from probe.explain.clients import client_of
from probe.model import Client, Pull, Verdict
from probe.narration import CLIENTS
from probe.report import FORMATS, Page
from tests.explain.samples_answers import DENIED, MANIFEST
from tests.explain.samples_forms import PLATFORMS, PUSHES
from tests.explain.samples_network import IMAGE, REGISTRY
from tests.faults.fake_hosts import NOON

FORBIDDEN = f"unexpected status from HEAD request to https://{REGISTRY}/v2/shop/cart/manifests/2024-11: 403 Forbidden"
KUBELET = (
    f'Warning  Failed  2m  kubelet  Failed to pull image "{IMAGE}": failed to resolve reference "{IMAGE}": {FORBIDDEN}'
)
BATCH = f'"jobArn": "arn:aws:batch:eu-north-1:210987654321:job/0a", "reason": "{MANIFEST}{FORBIDDEN}"'
CODEBUILD = (
    "CodeBuild: denied: User: arn:aws:sts::210987654321:assumed-role/shopBuild/AWSCodeBuild-0a1b is not authorized to "
    "perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-north-1:210987654321:repository/shop/cart because no "
    "identity-based policy allows the ecr:BatchGetImage action"
)
FUNCTION = CODEBUILD.replace("CodeBuild: denied", "AWS::Lambda::Function").replace(
    "shopBuild/AWSCodeBuild-0a1b", "shop/cart"
)
APP_RUNNER = "AppRunner: Failed to pull your application image from ECR. Reason: Access denied: 403 Forbidden"


def verdict_of(text: str) -> Verdict:
    verdict = explain_text(text, now=NOON)
    assert verdict is not None
    return verdict


def whole_report(verdict: Verdict) -> str:
    return " ".join(FORMATS["text"].render(verdict, Page(verbose=True)).split())


@pytest.mark.parametrize("sample", PUSHES, ids=lambda sample: sample.name)
def test_a_push_is_called_a_push(sample: object) -> None:
    verdict = sample.run.verdict()  # type: ignore[attr-defined]
    report = whole_report(verdict)
    assert verdict.surroundings.client is Client.PUSH
    assert verdict.pull is Pull.UNPROVEN
    assert verdict.summary.startswith("the client cannot push the image: ")
    assert "ECS" not in report.replace("ECS task", "")
    assert "AmazonECS" not in report
    assert "ecr:GetDownloadUrlForLayer" not in report


def test_a_denied_push_needs_the_actions_of_a_push() -> None:
    report = whole_report(PUSHES[0].run.verdict())
    for action in ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"):
        assert f"ecr:{action}" in report
    assert "a push is refused: the role that pushes is denied" in report


@pytest.mark.parametrize(
    ("text", "client", "words"),
    [
        (PLATFORMS[0].text, Client.LAMBDA, "allow the service lambda.amazonaws.com in the policy of the repository"),
        (FUNCTION, Client.LAMBDA, "Lambda pulls with its own identity or the function's execution role."),
        (PLATFORMS[2].text, Client.APP_RUNNER, "let build.apprunner.amazonaws.com assume the role ACCESS_ROLE"),
        (APP_RUNNER, Client.APP_RUNNER, "policy/service-role/AWSAppRunnerServicePolicyForECRAccess"),
        (PLATFORMS[3].text, Client.SAGEMAKER, "to the role models"),
        (CODEBUILD, Client.CODEBUILD, "aws iam put-role-policy --role-name shopBuild"),
        (
            KUBELET,
            Client.KUBERNETES,
            "NODE_ROLE --policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
        ),
        (BATCH, Client.BATCH, "the execution role of the job (on EC2: the role of the instance) is denied"),
        (PLATFORMS[4].text, Client.API, "the client cannot make its request to ECR"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_service_is_named_with_its_own_role(text: str, client: Client, words: str) -> None:
    verdict = verdict_of(text)
    report = whole_report(verdict).replace(" \\ ", " ")
    assert verdict.surroundings.client is client
    assert words in report
    assert CLIENTS[client].can[0] in verdict.summary
    assert "ECS" not in verdict.summary
    assert "AmazonECSTaskExecutionRolePolicy" not in report


@pytest.mark.parametrize("sample", DENIED, ids=lambda sample: sample.name)
def test_other_texts_are_about_ecs(sample: object) -> None:
    verdict = sample.run.verdict()  # type: ignore[attr-defined]
    assert verdict.surroundings.client is Client.ECS


@pytest.mark.parametrize(
    "text",
    [
        "pull 210987654321.dkr.ecr.eu-north-1.amazonaws.com/lambda-push/sagemaker:1",
        "CannotPullContainerError: pull image manifest has been retried",
        "arn:aws:iam::210987654321:role/codebuild-apprunner-batch",
    ],
)
def test_names_of_images_and_roles_are_not_clients(text: str) -> None:
    assert client_of(text) in (None, Client.ECS)


def test_every_client_has_words() -> None:
    assert set(CLIENTS) == set(Client)


def test_a_repository_is_read_from_its_arn() -> None:
    verdict = verdict_of(CODEBUILD)
    assert verdict.plan.reference is not None
    assert (verdict.plan.reference.repository, verdict.plan.reference.tag) == ("shop/cart", None)
    assert verdict.plan.account == "210987654321"
