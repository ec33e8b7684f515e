"""The fake AWS of `aws.py` behind HTTP, in the protocols of its services, for `up` and `down` as a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import botocore.session
from botocore.model import ServiceModel

from tests.deploy.aws import DeployedAws
from tests.http_server import Reply, Request, replying
from tests.operator.protocols import answered, parsed, refused, signed_for
from tests.smoke.aws import Error, Silence


@cache
def _model(signing_name: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(signing_name)


def _reply(aws: DeployedAws, request: Request) -> Reply:
    model = _model(signed_for(request)[1])
    operation, parameters = parsed(request, model)
    reply = aws.reply(f"{model.service_name}:{operation.name}", parameters)
    assert not isinstance(reply, Silence)
    if isinstance(reply, Error):
        return refused(reply.code, reply.message, reply.status, model)
    return answered(reply, operation)


@contextmanager
def served(aws: DeployedAws) -> Iterator[str]:
    """Serve on loopback and yield the URL. At the end no mistake of the test may be left."""
    with replying(lambda request: _reply(aws, request)) as url:
        yield url
