"""The Authorization header of a registry's requests: Basic logins, and tokens of a token service.

distribution, docs/spec/auth/token.md and oauth.md. ECR takes Basic logins, whose password is the token of its API.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from probe.model import Failure
from probe.records import Unshown
from probe.registries.logins import Login
from probe.registries.source import CopyError
from probe.registries.urls import with_query
from probe.safe_words import without
from probe.wire.http import Answer

_PARAMETER = re.compile(r'([a-zA-Z]+)\s*=\s*(?:"([^"\\]*)"|([^\s",]+))')
_LONGEST_CHALLENGE = 4096  # characters

LoginCallback = Callable[[], Login | None]


class SendOnce(Protocol):
    """Sends one request to any URL, without the registry's own header. Raises WireError, CopyError."""

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Answer: ...


class _Token(Unshown, frozen=True):
    token: str = ""
    access_token: str = ""


def scope_of(repository: str, *, push: bool = False, mount_from: str | None = None) -> str:
    """The right that a request needs, in the form of a token's scope."""
    own = f"repository:{repository}:{'pull,push' if push else 'pull'}"
    return f"{own} repository:{mount_from}:pull" if mount_from else own


class Authorization:
    """What is known of a registry's logins. `callback` is called for the first challenge, and after a rejection."""

    def __init__(self, host: str, callback: LoginCallback, send: SendOnce) -> None:
        self._host = host
        self._callback = callback
        self._send = send
        self._login: Login | None = None
        self._has_asked = False
        self._basic: str | None = None
        self._tokens: dict[str, str] = {}  # headers by scope
        self._is_accepted = False

    @property
    def has_login(self) -> bool:
        return self._login is not None

    def headers(self, scope: str) -> dict[str, str]:
        header = self._basic or self._tokens.get(scope)
        return {"Authorization": header} if header else {}

    def accepted(self) -> None:
        """The registry has accepted the current header."""
        self._is_accepted = self._basic is not None

    def may_have_expired(self, answer: Answer) -> bool:
        """ECR rejects an expired token with 403 and no challenge (AWS[ecr-expired-token])."""
        return answer.status == 403 and self._is_accepted

    def follow(self, answer: Answer, scope: str) -> bool:
        """Get a header for a challenge, or another one after a rejection. False: there is none that was not tried.

        Raises WireError, CopyError and what the callback raises.
        """
        challenge = answer.headers.get("WWW-Authenticate", "")[:_LONGEST_CHALLENGE]
        scheme, _, parameters = challenge.strip().partition(" ")
        if scheme.lower() == "basic" or self.may_have_expired(answer):
            return self._follow_basic()
        if scheme.lower() == "bearer":
            values = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(parameters)}
            return self._follow_bearer(values, scope)
        return False

    def without_secrets(self, text: str) -> str:
        """`text` without the login and the tokens, which a registry might repeat."""
        login, headers = self._login or Login(), (self._basic or "", *self._tokens.values())
        secrets = (login.password, login.identity_token, *(header.rpartition(" ")[2] for header in headers))
        return without(filter(None, secrets), text)

    def _follow_basic(self) -> bool:
        before = self._basic
        for renew in (False, True):
            login = self._current_login(renew=renew)
            if login is None or not login.user:
                return False
            if (header := _basic(login)) != before:
                self._basic, self._is_accepted = header, False
                return True
        return False

    def _follow_bearer(self, challenge: Mapping[str, str], scope: str) -> bool:
        rejected = self._tokens.pop(scope, None)
        for renew in (False, True):
            token = self._fetch_token(challenge, scope, self._current_login(renew=renew))
            if token is not None and token != rejected:
                self._tokens[scope] = token
                return True
        return False

    def _current_login(self, *, renew: bool) -> Login | None:
        if renew or not self._has_asked:
            self._login, self._has_asked = self._callback(), True
        return self._login

    def _fetch_token(self, challenge: Mapping[str, str], scope: str, login: Login | None) -> str | None:
        """A header with a token, None if the service rejects the login. Raises WireError, CopyError."""
        realm, service = challenge.get("realm", ""), challenge.get("service", "")
        if login is not None and login.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": login.identity_token,
                "service": service,
                "scope": scope,
                "client_id": "ecr-probe",
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._send("POST", realm, headers=headers, body=urlencode(form).encode())
        else:
            query = urlencode([("service", service), *(("scope", part) for part in scope.split(" "))])
            headers = {"Authorization": _basic(login)} if login is not None and login.user else {}
            answer = self._send("GET", with_query(realm, query), headers=headers)
        if answer.status in (400, 401, 403):
            return None
        if answer.status != 200:
            raise CopyError(Failure.UNAUTHENTICATED, f"{self._host}: HTTP {answer.status} of its token service")
        try:
            reply = msgspec.json.decode(answer.body, type=_Token)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            reply = _Token()
        token = reply.token or reply.access_token
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise CopyError(Failure.UNAUTHENTICATED, f"{self._host}: its token service returned no token")
        return f"Bearer {token}"


def _basic(login: Login) -> str:
    return f"Basic {base64.b64encode(f'{login.user}:{login.password}'.encode()).decode()}"
