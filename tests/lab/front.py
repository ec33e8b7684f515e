"""A front for moto: what it lacks of an account in which `up` and `down` run.

- GetAuthorizationToken names this machine's registry, CNCF distribution, as the one at which the token is valid.
- The images of ECR's API are those in that registry. They are read from its storage, since the distribution protocol
  lists no untagged manifests, and removed by its own API.
- ECS runs tasks as `tests/smoke/aws.py` does, if the registry has their image; the verdict is that of the simulator's
  check. moto's tasks have no life cycle and write no log.

- A stack's deletion leaves its repository alone, as its DeletionPolicy says, and moto's would delete it: moto gets an
  empty one for that, which is gone afterwards.
- moto's CloudFormation drops the network mode of a task definition, and does not deregister it.

Everything else, CloudFormation above all, is moto's.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from tests.http_server import Reply, Request, replying
from tests.operator.protocols import answered, parsed, refused, signed_for
from tests.smoke.aws import Aws, Error, Life, Silence

_TARGETS = {"ecr": "AmazonEC2ContainerRegistry_V20150921", "ecs": "AmazonEC2ContainerServiceV20141113"}
_RUN = ("RunTask", "DescribeTasks", "ListTasks", "StopTask", "GetLogEvents")


@cache
def _models() -> dict[str, ServiceModel]:
    session = botocore.session.Session()
    return {
        session.get_service_model(name).signing_name: session.get_service_model(name)
        for name in ("cloudformation", "ecr", "ecs", "logs")
    }


@cache
def _verdict() -> str:
    """The document of a check in the simulated VPC."""
    command = (sys.executable, "-m", "probe", "demo", "healthy", "--format", "json")
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@dataclass
class Front:
    """`moto` and `registry` are ports; `storage` is the registry's folder. `calls` are the operations of clients."""

    moto: int
    registry: int
    storage: Path
    login: tuple[str, str]
    ecs: Aws
    calls: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def reply(self, request: Request) -> Reply:
        _, signing_name = signed_for(request)
        model = _models().get(signing_name)
        if model is None:
            self.calls.append(signing_name)
            return self.forward(request)
        operation, parameters = parsed(request, model)
        self.calls.append(f"{model.service_name}:{operation.name}")
        own = getattr(self, f"_{operation.name}", None)
        if operation.name in _RUN:
            own = self._of_ecs
            parameters = {"operation": f"{model.service_name}:{operation.name}", **parameters}
        if own is None:
            return self.forward(request)
        outcome = own(request, parameters)
        if isinstance(outcome, Error):
            return refused(outcome.code, outcome.message, outcome.status, model)
        return outcome if isinstance(outcome, Reply) else answered(outcome, operation)

    def forward(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.moto, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        connection.request(request.method, request.target, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        kept = {
            name: answer.headers[name] for name in ("x-amzn-ErrorType", "x-amzn-errortype") if name in answer.headers
        }
        connection.close()
        return Reply(answer.status, answer.headers.get("Content-Type", "text/xml"), body, kept)

    # ---- ECR ---------------------------------------------------------------------------------------------------------

    def _GetAuthorizationToken(self, _request: Request, _parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        token = base64.b64encode(":".join(self.login).encode()).decode()
        endpoint = f"http://127.0.0.1:{self.registry}"
        return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": endpoint}]}

    def images(self, repository: str) -> dict[str, list[str]]:
        """The tags of each manifest in the registry."""
        folder = self.storage / "docker/registry/v2/repositories" / repository / "_manifests"
        digests = [f"sha256:{path.parent.name}" for path in folder.glob("revisions/sha256/*/link")]
        tags = {path.parents[1].name: path.read_text() for path in folder.glob("tags/*/current/link")}
        return {digest: [tag for tag, tagged in tags.items() if tagged == digest] for digest in digests}

    def _DescribeImages(self, _request: Request, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = self.images(parameters["repositoryName"])
        return {
            "imageDetails": [
                {"imageDigest": digest, **({"imageTags": tags} if tags else {})} for digest, tags in found.items()
            ]
        }

    def _BatchDeleteImage(self, _request: Request, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for image in parameters["imageIds"]:
            connection = http.client.HTTPConnection("127.0.0.1", self.registry, timeout=60)
            login = base64.b64encode(":".join(self.login).encode()).decode()
            path = f"/v2/{parameters['repositoryName']}/manifests/{image['imageDigest']}"
            connection.request("DELETE", path, headers={"Authorization": f"Basic {login}"})
            status = connection.getresponse().status
            connection.close()
            assert status in (202, 404), status
        return {"imageIds": parameters["imageIds"], "failures": []}

    def _DeleteRepository(self, request: Request, parameters: dict[str, Any]) -> Reply | Error:  # noqa: N802
        if self.images(parameters["repositoryName"]) and not parameters.get("force"):
            return Error("RepositoryNotEmptyException", "The repository still contains images")
        return self.forward(request)

    # ---- CloudFormation ----------------------------------------------------------------------------------------------

    def _DeleteStack(self, request: Request, _parameters: dict[str, Any]) -> Reply:  # noqa: N802
        """The program removes the repository first, or leaves it because of its images."""
        self._call(request, "ecr", "CreateRepository", {"repositoryName": "ecr-probe"})
        listed = self._call(request, "ecs", "ListTaskDefinitions", {"familyPrefix": "ecr-probe-smoke"})
        reply = self.forward(request)
        for arn in listed["taskDefinitionArns"]:
            self._call(request, "ecs", "DeregisterTaskDefinition", {"taskDefinition": arn})
        return reply

    def _call(self, request: Request, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Call moto with the caller's signature, which it does not verify."""
        headers = {
            **request.headers,
            "Authorization": re.sub(
                r"/[\w-]+/aws4_request", f"/{service}/aws4_request", request.headers["Authorization"]
            ),
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
        }
        return dict(json.loads(self.forward(Request("POST", "/", headers, json.dumps(parameters).encode())).body))

    # ---- ECS ---------------------------------------------------------------------------------------------------------

    def _of_ecs(self, request: Request, parameters: dict[str, Any]) -> Any:
        operation = parameters.pop("operation")
        if operation == "ecs:RunTask":
            image = self._image_of(request, parameters["taskDefinition"])
            repository, _, digest = image.partition("/")[2].partition("@")
            is_there = digest in self.images(repository)
            life = Life(pending=0, running=0, lines=(_verdict(),))
            self.ecs.lives = lambda *_: (
                life if is_there else Life.never_runs(f"CannotPullContainerError: {image}: not found")
            )
        reply = self.ecs.reply(operation, parameters)
        assert not isinstance(reply, Silence)
        return reply

    def _DescribeTaskDefinition(self, request: Request, _parameters: dict[str, Any]) -> Reply:  # noqa: N802
        reply = self.forward(request)
        document = json.loads(reply.body)
        if document.get("taskDefinition", {}).get("family") == "ecr-probe-smoke":
            document["taskDefinition"] |= {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE", "EC2"]}
        return reply._replace(body=json.dumps(document).encode())

    def _image_of(self, request: Request, definition: str) -> str:
        described = self._call(request, "ecs", "DescribeTaskDefinition", {"taskDefinition": definition})
        return str(described["taskDefinition"]["containerDefinitions"][0]["image"])


@contextmanager
def served(front: Front) -> Iterator[int]:
    """Serve on loopback and yield the port. At the end no mistake of the test may be left."""
    with replying(front.reply) as url:
        yield int(url.rpartition(":")[2])
