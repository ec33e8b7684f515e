"""Which credentials this task holds: botocore's providers in botocore's order, over our own HTTP and given variables
only.

Left out are the providers that call other services or run programs (assume-role, web identity, sso, login, credential
processes): the probe would have to prove their path first. Signing is in `sigv4`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from probe.model import Budget, CredentialsSeen, Failure
from probe.records import Record, Unshown
from probe.wire import Wire, http
from probe.wire.errors import WireError
from probe.wire.instance import instance_metadata

CONTAINER_ROLE = "container-role"  # botocore's names of the providers
INSTANCE_ROLE = "iam-role"
_VARIABLES_OF_CONTAINER_ROLE = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
# botocore would refresh what has expired; whether the document still holds is for AWS to say.
_FAR = "2099-01-01T00:00:00Z"
_SECONDS = 2.0  # botocore's limit for one request to the container's endpoint


class Credentials(Unshown, frozen=True):
    """A key pair, with a session's token. Its repr shows none of it."""

    access_key: str
    secret_key: str
    token: str | None = None


class FoundCredentials(Record, frozen=True):
    """`source` is botocore's name of the provider. `arn` is known only where the endpoint's document tells it."""

    credentials: Credentials
    source: str
    arn: str | None = None


class _Document(Unshown, frozen=True, rename="pascal"):
    """What the container's endpoint and instance metadata answer."""

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
    """The first credentials of the chain: variables, credentials file, config file, container role, instance role if
    allowed.

    Raises WireError NO_CREDENTIALS where no provider has any; from an endpoint UNAUTHENTICATED (4xx), SERVER_ERROR,
    THROTTLED, MALFORMED, with CredentialsSeen, and what connecting raises. Nothing is retried here: ECS answers 503
    right after its agent's start, and the caller asks again.
    """
    found = _from_files(environ)
    if found is None and any(name in environ for name in _VARIABLES_OF_CONTAINER_ROLE):
        found = _from_container(wire, environ, budget=budget, until=until)
    if found is None and allow_instance:
        found = _from_instance(wire, budget=budget, until=until)
    if found is None:
        raise WireError(
            Failure.NO_CREDENTIALS,
            "neither variables nor files nor a task role give credentials",
            seen=CredentialsSeen(),
        )
    return found


# ---- variables and files ---------------------------------------------------------------------------------------------


def _from_files(environ: Mapping[str, str]) -> FoundCredentials | None:
    from botocore.credentials import (  # type: ignore[import-untyped,unused-ignore]
        ConfigProvider,
        EnvProvider,
        SharedCredentialProvider,
    )
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped,unused-ignore]

    # An expiry would make botocore refresh on reading; whether a key still works is for AWS to say.
    variables = {name: value for name, value in environ.items() if name != "AWS_CREDENTIAL_EXPIRATION"}
    profile = environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"
    shared = _file(environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    config = _file(environ, "AWS_CONFIG_FILE", "config")
    providers: tuple[Callable[[], Any], ...] = (
        lambda: EnvProvider(variables),
        lambda: SharedCredentialProvider(shared, profile),
        lambda: ConfigProvider(config, profile),
    )
    for make in providers:
        provider = make()
        try:
            loaded = provider.load()
        except (BotoCoreError, OSError, UnicodeError) as error:
            seen = CredentialsSeen(source=provider.METHOD)
            raise WireError(Failure.NO_CREDENTIALS, f"{provider.METHOD}: {error}", seen=seen) from error
        if loaded is not None:
            return FoundCredentials(Credentials(loaded.access_key, loaded.secret_key, loaded.token), provider.METHOD)
    return None


def _file(environ: Mapping[str, str], variable: str, name: str) -> str:
    """A path that does not exist where neither the variable nor a home is set."""
    home = environ.get("HOME", "")
    path = environ.get(variable) or f"{home}/.aws/{name}"
    return home + path[1:] if path.startswith("~/") else path


# ---- endpoints -------------------------------------------------------------------------------------------------------


def _from_container(wire: Wire, environ: Mapping[str, str], *, budget: Budget, until: float) -> FoundCredentials:
    """ECS's endpoint for the task's role. botocore decides on the URL, the header and whether the host may be
    trusted."""
    from botocore.credentials import ContainerProvider  # type: ignore[import-untyped,unused-ignore]
    from botocore.utils import ContainerMetadataFetcher  # type: ignore[import-untyped,unused-ignore]

    documents: list[_Document] = []

    class Fetcher(ContainerMetadataFetcher):  # type: ignore[misc,unused-ignore]
        """botocore's, but for the round trip itself: no session of its own, no sleeping, no second try."""

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
                "Expiration": _FAR,
            }

    try:
        ContainerProvider(environ, Fetcher(session=wire)).load()
    except WireError as error:
        raise WireError(
            error.failure, error.detail, seen=error.seen or CredentialsSeen(source=CONTAINER_ROLE)
        ) from error
    except (ValueError, OSError) as error:  # a host that is not allowed, a token file that is not there
        raise WireError(Failure.NO_CREDENTIALS, str(error), seen=CredentialsSeen(source=CONTAINER_ROLE)) from error
    return _found(documents[0], CONTAINER_ROLE)


def _from_instance(wire: Wire, *, budget: Budget, until: float) -> FoundCredentials | None:
    try:
        with instance_metadata(wire, budget=budget, until=until) as metadata:
            role = metadata.get("iam/security-credentials/").partition("\n")[0].strip()
            text = metadata.get(f"iam/security-credentials/{role}")
    except WireError as error:
        if error.failure is Failure.DEADLINE:
            raise
        seen = CredentialsSeen(source=INSTANCE_ROLE)
        raise WireError(Failure.NO_CREDENTIALS, f"instance metadata: {error.detail}", seen=seen) from error
    return _found(_decode(text.encode(), CredentialsSeen(source=INSTANCE_ROLE)), INSTANCE_ROLE)


def _document(answer: http.Answer) -> _Document:
    seen = CredentialsSeen(source=CONTAINER_ROLE, status=answer.status)
    if answer.status == 200:
        return _decode(answer.body, seen)
    words = answer.body.decode("utf-8", "replace")
    if answer.status == 429:
        failure = Failure.THROTTLED
    elif answer.status >= 500:
        failure = Failure.SERVER_ERROR
    else:
        failure = Failure.UNAUTHENTICATED if answer.status >= 400 else Failure.MALFORMED
    raise WireError(failure, f"the credentials endpoint answered {answer.status}: {words}", seen=seen)


def _decode(body: bytes, seen: CredentialsSeen) -> _Document:
    """Never quotes the body, for it may hold the secret."""
    try:
        return msgspec.json.decode(body, type=_Document)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(Failure.MALFORMED, "no credentials document", seen=seen) from error


def _found(document: _Document, source: str) -> FoundCredentials:
    return FoundCredentials(
        Credentials(document.access_key_id, document.secret_access_key, document.token),
        source,
        document.role_arn or None,
    )
