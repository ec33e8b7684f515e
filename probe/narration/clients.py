"""Who pulls or pushes an image, in words: one row for each client."""

from __future__ import annotations

from collections.abc import Mapping

from probe.model import Client, Pull
from probe.records import Record


class ClientWords(Record, frozen=True):
    """`can`: subject and verb of "can" and "cannot". `who`: the denied identity where the text does not name it.

    `role`: the placeholder for the role's name in commands. `principal`: the service that assumes the role.
    `proof`: how the denied identity relates to the image.
    """

    can: tuple[str, str]
    who: str
    role: str
    principal: str | None = None
    proof: str = "This is the role that pulls."

    def sentence(self, pull: Pull) -> str:
        """Whether it can pull or push."""
        subject, verb = self.can
        if pull is Pull.UNPROVEN:
            return f"it is not proven whether {subject} can {verb}"
        return f"{subject} {'can' if pull is Pull.WORKS else 'cannot'} {verb}"


_PULL = "pull the image"
CLIENTS: Mapping[Client, ClientWords] = {
    Client.ECS: ClientWords(("ECS", _PULL), "the role that pulls", "EXECUTION_ROLE", "ecs-tasks.amazonaws.com"),
    Client.LAMBDA: ClientWords(  # AWS[pulling-role-lambda]
        ("Lambda", _PULL),
        "the service lambda.amazonaws.com",
        "CREATOR_ROLE",
        proof="Lambda pulls with its own identity or the function's execution role.",
    ),
    Client.APP_RUNNER: ClientWords(  # AWS[pulling-role-app-runner]
        ("App Runner", _PULL), "the service's access role", "ACCESS_ROLE", "build.apprunner.amazonaws.com"
    ),
    Client.SAGEMAKER: ClientWords(  # AWS[pulling-role-sagemaker]
        ("SageMaker", _PULL), "the execution role of the model or job", "SAGEMAKER_ROLE", "sagemaker.amazonaws.com"
    ),
    Client.CODEBUILD: ClientWords(  # AWS[pulling-role-codebuild]
        ("CodeBuild", _PULL), "the service role of the project", "SERVICE_ROLE", "codebuild.amazonaws.com"
    ),
    Client.BATCH: ClientWords(  # AWS[pulling-role-batch]
        ("AWS Batch", _PULL),
        "the execution role of the job (on EC2: the role of the instance)",
        "EXECUTION_ROLE",
        "ecs-tasks.amazonaws.com",
    ),
    Client.KUBERNETES: ClientWords(  # AWS[pulling-role-eks]
        ("the kubelet", _PULL),
        "the role of the node (on Fargate: the pod execution role)",
        "NODE_ROLE",
        "ec2.amazonaws.com",
    ),
    Client.RUNTIME: ClientWords(("the client", _PULL), "the role that pulls", "PULLING_ROLE", "ec2.amazonaws.com"),
    Client.PUSH: ClientWords(
        ("the client", "push the image"), "the role that pushes", "PUSH_ROLE", proof="This is the role that pushes."
    ),
    Client.API: ClientWords(
        ("the client", "make its request to ECR"), "the caller", "ROLE", proof="The request is no part of a pull."
    ),
}
