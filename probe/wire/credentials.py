"""Find the credentials of this task: botocore's providers in botocore's order, over our own HTTP, and from the
variables that the caller passes.

Providers that call other services or run programs are left out (assume-role, web identity, sso, login, credential
processes): the probe would have to prove the network path to those services first. Signing is in `aws_calls`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from probe.model import Budget, CredentialsSeen, Failure
from probe.records import Record, Unshown
from probe.shortage import is_shortage
from probe.wire import Wire, http
from probe.wire.aws_errors import failure_of_status
from probe.wire.errors import WireError
from probe.wire.metadata import instance_metadata

CONTAINER_ROLE = "container-role"  # botocore's names of the providers
INSTANCE_ROLE = "iam-role"
_CONTAINER_ROLE_VARIABLES = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
# botocore would refresh expired credentials. Whether they are still accepted is for AWS to decide.
_FAR_FUTURE = "2099-01-01T00:00:00Z"
_SILENCE = (Failure.TIMEOUT, Failure.STALLED)
_SECONDS = 2.0  # botocore's limit for one request to the container's endpoint


class Credentials(Unshown, frozen=True):
    """A key pair, with its session token. Its repr shows none of it."""

    access_key: str
    secret_key: str
    token: str | None = None


class FoundCredentials(Record, frozen=True):
    """`source` is botocore's name of the provider. `arn` is the role's, if the endpoint's document contains it."""

    credentials: Credentials
    source: str
    arn: str | None = None


class _Document(Unshown, frozen=True, rename="pascal"):
    """The credentials document of the container's endpoint and of instance metadata."""

    access_key_id: str
    secret_access_key: str
    token: str | None = None
    role_arn: str | None = None


def prepare() -> None:
    """Import botocore's providers and signer now, so that no step's time contains it."""
    import botocore.auth
    import botocore.credentials  # noqa: F401


def find(
    wire: Wire, environ: Mapping[str, str], *, allow_instance: bool, budget: Budget, until: float
) -> FoundCredentials:
    """Return the first credentials of the chain: variables, credentials file, config file, container role, and
    instance role if allowed.

    Raises WireError NO_CREDENTIALS if no provider has any. From an endpoint: UNAUTHENTICATED (4xx), SERVER_ERROR,
    THROTTLED or MALFORMED, with CredentialsSeen, and what connecting raises. Nothing is retried here: ECS answers 503
    right after its agent starts, and the caller retries.
    """
    caller = _from_files(environ)
    if caller is None and any(name in environ for name in _CONTAINER_ROLE_VARIABLES):
        caller = _from_container(wire, environ, budget=budget, until=until)
    if caller is None and allow_instance:
        caller = _from_instance(wire, budget=budget, until=until)
    if caller is None:
        raise WireError(
            Failure.NO_CREDENTIALS, "no credentials in variables, files or a task role", seen=CredentialsSeen()
        )
    return caller


# ---- variables and files ---------------------------------------------------------------------------------------------


def _from_files(environ: Mapping[str, str]) -> FoundCredentials | None:
    from botocore.credentials import (  # type: ignore[import-untyped,unused-ignore]
        ConfigProvider,
        EnvProvider,
        SharedCredentialProvider,
    )
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped,unused-ignore]

    # With an expiry botocore would try to refresh the keys. Whether they still work is for AWS to decide.
    variables = {name: value for name, value in environ.items() if name != "AWS_CREDENTIAL_EXPIRATION"}
    profile = environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"
    shared = _path(environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    config = _path(environ, "AWS_CONFIG_FILE", "config")
    providers: tuple[Callable[[], Any], ...] = (
        lambda: EnvProvider(variables),
        lambda: SharedCredentialProvider(shared, profile),
        lambda: ConfigProvider(config, profile),
    )
    for new_provider in providers:
        provider = new_provider()
        try:
            loaded = provider.load()
        except (BotoCoreError, OSError, UnicodeError) as error:
            seen = CredentialsSeen(source=provider.METHOD)
            raise WireError(_failure_to_read(error), f"{provider.METHOD}: {error}", seen=seen) from error
        if loaded is not None:
            return FoundCredentials(Credentials(loaded.access_key, loaded.secret_key, loaded.token), provider.METHOD)
    return None


def _failure_to_read(error: Exception) -> Failure:
    return Failure.NO_RESOURCES if is_shortage(error) else Failure.NO_CREDENTIALS


def _path(environ: Mapping[str, str], variable: str, name: str) -> str:
    """The file that `variable` names, else the one in the home directory. Without either it does not exist."""
    home = environ.get("HOME", "")
    path = environ.get(variable) or f"{home}/.aws/{name}"
    return home + path[1:] if path.startswith("~/") else path


# ---- endpoints -------------------------------------------------------------------------------------------------------


def _from_container(wire: Wire, environ: Mapping[str, str], *, budget: Budget, until: float) -> FoundCredentials:
    """Ask ECS's endpoint for the task role. botocore decides on the URL, the header and whether to trust the host."""
    from botocore.credentials import ContainerProvider  # type: ignore[import-untyped,unused-ignore]
    from botocore.utils import ContainerMetadataFetcher  # type: ignore[import-untyped,unused-ignore]

    documents: list[_Document] = []

    class Fetcher(ContainerMetadataFetcher):  # type: ignore[misc,unused-ignore]
        """botocore's fetcher with our own HTTP request: no session of its own, no sleep, no retry."""

        def _retrieve_credentials(
            self, full_url: str, extra_headers: Mapping[str, str] | None = None
        ) -> dict[str, object]:
            headers = {"Accept": "application/json", **(extra_headers or {})}
            answer = http.get(
                wire,
                full_url,
                headers=headers,
                budget=budget,
                until=until,
                seconds=_SECONDS,
                limit=budget.metadata_bytes,
            )
            document = _document(answer)
            documents.append(document)
            return {
                "AccessKeyId": document.access_key_id,
                "SecretAccessKey": document.secret_access_key,
                "Token": document.token,
                "Expiration": _FAR_FUTURE,
            }

    try:
        ContainerProvider(environ, Fetcher(session=wire)).load()
    except WireError as error:
        raise error.with_seen(error.seen or CredentialsSeen(source=CONTAINER_ROLE)) from error
    except (ValueError, OSError) as error:  # a host that is not allowed, a missing token file
        raise WireError(_failure_to_read(error), str(error), seen=CredentialsSeen(source=CONTAINER_ROLE)) from error
    return _credentials(documents[0], CONTAINER_ROLE)


def _from_instance(wire: Wire, *, budget: Budget, until: float) -> FoundCredentials | None:
    try:
        with instance_metadata(wire, budget=budget, until=until) as metadata:
            role = metadata.get("iam/security-credentials/").partition("\n")[0].strip()
            text = metadata.get(f"iam/security-credentials/{role}")
    except WireError as error:
        if error.failure in (Failure.DEADLINE, Failure.NO_RESOURCES):
            raise
        seen = CredentialsSeen(source=INSTANCE_ROLE, unanswered=error.failure in _SILENCE)
        raise WireError(Failure.NO_CREDENTIALS, f"instance metadata: {error.detail}", seen=seen) from error
    return _credentials(_decode(text.encode(), CredentialsSeen(source=INSTANCE_ROLE)), INSTANCE_ROLE)


def _document(answer: http.Answer) -> _Document:
    seen = CredentialsSeen(source=CONTAINER_ROLE, status=answer.status)
    if answer.status == 200:
        return _decode(answer.body, seen)
    failure = failure_of_status(answer.status)
    if 400 <= answer.status < 500 and failure is not Failure.THROTTLED:
        failure = Failure.UNAUTHENTICATED  # the endpoint has no credentials for this task
    message = answer.body.decode("utf-8", "replace")
    raise WireError(failure, f"the credentials endpoint answered {answer.status}: {message}", seen=seen)


def _decode(body: bytes, seen: CredentialsSeen) -> _Document:
    """Parse a credentials document. The error never quotes the body, because it may hold the secret."""
    try:
        return msgspec.json.decode(body, type=_Document)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(Failure.MALFORMED, "not a credentials document", seen=seen) from error


def _credentials(document: _Document, source: str) -> FoundCredentials:
    return FoundCredentials(
        Credentials(document.access_key_id, document.secret_access_key, document.token),
        source,
        document.role_arn or None,
    )
