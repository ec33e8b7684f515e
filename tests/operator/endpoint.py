"""A simulated account behind HTTP, for real clients: botocore's, and the AWS CLI.

They find it by AWS_ENDPOINT_URL. Lists can have small pages, and any call can be answered with an error.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import botocore.session
from botocore.loaders import create_loader
from botocore.model import OperationModel, ServiceModel

from probe.configuration.operations import NAMED
from probe.sim.account import RefusedCallError, SimulatedAccount
from tests.http_server import Reply, Request, replying
from tests.operator.protocols import answered, parsed, refused, signed_for

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_GLOBAL = ("iam", "route53", "organizations")  # signed for one Region of the partition


class Error(NamedTuple):
    code: str
    message: str = ""
    status: int = 400


class Silence:
    """The connection is closed without a reply."""


@dataclass
class Endpoint:
    """`page_size` limits lists; `errors` may refuse the nth call of an action."""

    account: SimulatedAccount
    page_size: int = 10_000
    latency: float = 0.0  # seconds of a call
    errors: Callable[[str, int], Error | Silence | None] = lambda _action, _nth: None
    calls: list[str] = field(default_factory=list)  # pages too
    user_agents: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, request: Request) -> Reply | Silence:
        region, signing_name = signed_for(request)
        model = _model(_SERVICES[signing_name])
        operation, parameters = parsed(request, model)
        action = f"{model.service_name}:{operation.name}"
        with self.lock:
            self.calls.append(action)
            self.user_agents.add(request.headers.get("User-Agent", ""))
            error = self.errors(action, self.calls.count(action))
        threading.Event().wait(self.latency)
        if isinstance(error, Silence):
            return error
        try:
            if error is not None:
                raise RefusedCallError(*error[:2])
            token = _take_token(operation, parameters)
            with self.lock:
                reply = self.account.answer(action, parameters, None if model.service_name in _GLOBAL else region)
            return answered(_page(reply, operation, int(token or 0), self.page_size), operation)
        except RefusedCallError as refusal:
            code, message = _in_words_of(model, *refusal.args)
            return refused(code, message, error.status if error else 403 if "Denied" in code else 400, model)


def _in_words_of(model: ServiceModel, code: str, message: str) -> tuple[str, str]:
    return (
        "UnauthorizedOperation" if code == "AccessDeniedException" and model.service_name == "ec2" else code
    ), message


# ---- pages -----------------------------------------------------------------------------------------------------------


@cache
def _paginator(service: str, operation: str) -> dict[str, Any]:
    """botocore's row of the operation: how its pages follow each other; empty where it has none."""
    pages = create_loader().load_service_model(service, "paginators-1")["pagination"]
    row: dict[str, Any] = pages.get(operation, {})
    shape = _model(service).operation_model(operation).output_shape
    token = next((name for name in ("NextToken", "nextToken") if shape is not None and name in shape.members), None)
    items = NAMED[service, operation].items if (service, operation) in NAMED else None
    if not row and token and items:
        row = {"input_token": token, "output_token": token, "result_key": items}
    return row


def _many(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value] if value else []


def _take_token(operation: OperationModel, parameters: dict[str, Any]) -> str | None:
    row = _paginator(operation.service_model.service_name, operation.name)
    tokens = [parameters.pop(name, None) for name in _many(row.get("input_token"))]
    for limit in ("MaxResults", "maxResults", "MaxItems"):
        parameters.pop(limit, None)
    return tokens[0] if tokens else None


def _page(reply: dict[str, Any], operation: OperationModel, start: int, size: int) -> dict[str, Any]:
    row = _paginator(operation.service_model.service_name, operation.name)
    keys = _many(row.get("result_key"))
    if not keys:
        return reply
    longest = max(len(reply.get(key, ())) for key in keys)
    page = {**reply, **{key: reply[key][start : start + size] for key in keys if key in reply}}
    if start + size < longest:
        page[_many(row["output_token"])[0]] = str(start + size)
    if row.get("more_results"):
        page[row["more_results"]] = start + size < longest
    return page


# ---- HTTP ------------------------------------------------------------------------------------------------------------


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(service)


_SERVICES = {_model(service).signing_name: service for service in {service for service, _ in NAMED}}


@contextmanager
def served(endpoint: Endpoint) -> Iterator[str]:
    """Serve on loopback and yield the URL. At the end no mistake of the test may be left."""

    def reply(request: Request) -> Reply | None:
        answer = endpoint.reply(request)
        return None if isinstance(answer, Silence) else answer

    with replying(reply) as url:
        yield url
