"""A Lambda function that lets a deployment go on only where tasks can pull their images in every one of its subnets.

Its handler is `deployment_hook.handler`; boto3 is in Lambda's Python runtimes. Two services call it, each by its own
rules:

- **Amazon ECS**, as a lifecycle hook of a service at `PRE_SCALE_UP`, before a task of the new revision is started.
  Subnets and images are the revision's. What is returned decides; where nothing could be proven, ECS asks again.
  https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
- **CodeDeploy**, as `AfterAllowTestTraffic`, or another hook, of an AppSpec: the new tasks have proven the subnets that
  they happened to start in, and this proves the others. The variable SUBNETS names them; the image is the probe's own.
  What is returned is nothing to CodeDeploy, which waits for a call that says how it went.
  https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html

It asks the probe's functions, one in each subnet: the stacks of `task-definitions/cloudformation/lambda.yaml`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import boto3
from botocore.config import Config

TRIES = 5  # before what cannot be proven counts as failed
DELAY = 30  # seconds from one to the next
# A function is called once: a second call because the first one's answer is late would be a second check. The probe's
# functions have 60 s.
ONCE = Config(read_timeout=70, retries={"total_max_attempts": 1}, max_pool_connections=50)
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
            "this service has no subnets of its own: a task in host or bridge mode is where its instance is"
        )
    answer = prove(network["awsvpcConfiguration"]["subnets"], sorted(set(_images(revision))))
    details = event.get("hookDetails") or {}
    tries = int(details.get("tries", 0)) + 1
    if answer == "inconclusive" and tries < TRIES:
        return {"hookStatus": "IN_PROGRESS", "callBackDelay": DELAY, "hookDetails": {**details, "tries": tries}}
    return {"hookStatus": "SUCCEEDED" if answer == "pass" else "FAILED"}


def _revision(arn: str) -> dict[str, Any]:
    (found,) = boto3.client("ecs").describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"]
    return dict(found)


def _images(revision: dict[str, Any]) -> Iterable[str]:
    """By digest where ECS has looked it up, so that a tag that moves meanwhile makes no difference."""
    for container in revision.get("containerImages", ()):
        image, digest = container["image"], container.get("imageDigest")
        if ".dkr.ecr" in image.partition("/")[0]:  # others are not pulled through the endpoints
            yield f"{image}@{digest}" if digest and "@" not in image else image


def _codedeploy(event: dict[str, Any]) -> dict[str, Any]:
    status = "Failed"
    try:
        answer = _patiently(lambda: prove(os.environ["SUBNETS"].split(","), []))
        status = "Succeeded" if answer == "pass" else "Failed"
    finally:
        boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )
    return {"status": status}


def _patiently(ask: Callable[[], str]) -> str:
    for _ in range(TRIES - 1):
        answer = ask()
        if answer != "inconclusive":
            return answer
        time.sleep(DELAY)
    return ask()


def prove(subnets: list[str], images: list[str]) -> str:
    """pass, fail or inconclusive over all; without images each function proves the one that its variables name."""
    client = boto3.client("lambda", config=ONCE)
    wanted: list[str | None] = [*images] or [None]
    with ThreadPoolExecutor(max_workers=50) as threads:
        answers = set(threads.map(lambda question: _ask(client, *question), product(subnets, wanted)))
    if "fail" in answers:
        return "fail"
    return "pass" if answers and answers <= GOOD else "inconclusive"


def _ask(client: Any, subnet: str, image: str | None) -> str:
    """One check. Whatever keeps a function from answering is no proof of anything."""
    function = f"ecr-probe-{subnet}"
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps({"image": image} if image else {}))
        verdict = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(verdict.get("errorMessage", answer["FunctionError"]))
        status = str(verdict["status"])
        errors = [finding["title"] for finding in verdict["findings"] if finding["severity"] == "error"]
    except Exception as error:
        print(json.dumps({"function": function, "image": image, "status": "inconclusive", "words": str(error)}))
        return "inconclusive"
    print(json.dumps({"function": function, "image": image, "status": status, "errors": errors}))
    return status
