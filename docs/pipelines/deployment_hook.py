"""A Lambda function that lets a deployment continue only if tasks can pull their images in every subnet.

Its handler is `deployment_hook.handler`; boto3 is in Lambda's Python runtimes. Two services can call it:

- **Amazon ECS**, as a lifecycle hook of a service at `PRE_SCALE_UP`, before a task of the new revision is started.
  Subnets and images are the revision's. The returned value decides; if the check was inconclusive, ECS calls again.
  https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
- **CodeDeploy**, as `AfterAllowTestTraffic` or another hook of an AppSpec: the new tasks have proven the subnets in
  which they started, and this function checks all of them. The variable SUBNETS lists them; the image is the one that
  the probe's functions are set to. CodeDeploy ignores the returned value and waits for a call with the result.
  https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html

It invokes the probe's functions, one in each subnet: the stacks of `task-definitions/cloudformation/lambda.yaml`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import boto3
from botocore.config import Config

TRIES = 5  # then an inconclusive check counts as failed
DELAY = 30  # seconds between two tries
# No retries by the client: a retry after a timeout would start a second check. The probe's functions have 60 s.
NO_RETRIES = Config(read_timeout=70, retries={"total_max_attempts": 1}, max_pool_connections=50)
GOOD = {"pass", "degraded"}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    if "LifecycleEventHookExecutionId" in event:
        return _codedeploy(event)
    return _ecs(event)


def _ecs(event: dict[str, Any]) -> dict[str, Any]:
    revision = _revision(event["executionDetails"]["targetServiceRevisionArn"])
    network = revision.get("networkConfiguration") or {}
    if "awsvpcConfiguration" not in network:
        raise ValueError(
            "this service has no subnets of its own: a task in host or bridge mode uses its instance's network"
        )
    answer = prove(network["awsvpcConfiguration"]["subnets"], sorted(set(_images(revision))))
    details = event.get("hookDetails") or {}
    tries = int(details.get("tries", 0)) + 1
    if answer == "inconclusive" and tries < TRIES:
        return {"hookStatus": "IN_PROGRESS", "callBackDelay": DELAY, "hookDetails": {**details, "tries": tries}}
    return {"hookStatus": "SUCCEEDED" if answer == "pass" else "FAILED"}


def _revision(arn: str) -> dict[str, Any]:
    (revision,) = boto3.client("ecs").describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"]
    return dict(revision)


def _images(revision: dict[str, Any]) -> Iterable[str]:
    """The images in private ECR, by digest if ECS has resolved it, since a tag may be moved meanwhile."""
    for container in revision.get("containerImages", ()):
        image, digest = container["image"], container.get("imageDigest")
        if ".dkr.ecr" in image.partition("/")[0]:  # others are not pulled through the endpoints
            yield f"{image}@{digest}" if digest and "@" not in image else image


def _codedeploy(event: dict[str, Any]) -> dict[str, Any]:
    status = "Failed"
    try:
        answer = _with_retries(lambda: prove(os.environ["SUBNETS"].split(","), []))
        status = "Succeeded" if answer == "pass" else "Failed"
    finally:
        boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )
    return {"status": status}


def _with_retries(check: Callable[[], str]) -> str:
    for _ in range(TRIES - 1):
        answer = check()
        if answer != "inconclusive":
            return answer
        time.sleep(DELAY)
    return check()


def prove(subnets: list[str], images: Sequence[str | None]) -> str:
    """pass, fail or inconclusive for all. Without images each function checks the one that its variables name."""
    client = boto3.client("lambda", config=NO_RETRIES)
    checks = product(subnets, images or [None])
    with ThreadPoolExecutor(max_workers=50) as threads:
        answers = set(threads.map(lambda check: _check(client, *check), checks))
    if "fail" in answers:
        return "fail"
    return "pass" if answers and answers <= GOOD else "inconclusive"


def _check(client: Any, subnet: str, image: str | None) -> str:
    """The status of one check; inconclusive if the function does not return a verdict."""
    function = f"ecr-probe-{subnet}"
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps({"image": image} if image else {}))
        verdict = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(verdict.get("errorMessage", answer["FunctionError"]))
        status = str(verdict["status"])
        errors = [finding["title"] for finding in verdict["findings"] if finding["severity"] == "error"]
    except Exception as error:
        print(json.dumps({"function": function, "image": image, "status": "inconclusive", "message": str(error)}))
        return "inconclusive"
    print(json.dumps({"function": function, "image": image, "status": status, "errors": errors}))
    return status
