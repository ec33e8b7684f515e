"""Who calls, and whether the call is allowed: Signature Version 4, policies, and AWS's sentences for denied calls."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from urllib.parse import quote

from probe.records import Record, Unshown
from probe.sim.http import Request

ENDPOINT = "VPC endpoint policy"
SERVICE_CONTROL = "service control policy"
IDENTITY = "identity-based policy"
RESOURCE = "resource-based policy"


class Principal(Record, frozen=True):
    """A role session. Policies name `role`, AWS's sentences name `session`."""

    account: str
    role: str
    session: str


class Statement(Record, frozen=True):
    actions: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    principals: tuple[str, ...] = ("*",)
    effect: str = "Allow"

    def applies_to(self, principal: Principal, action: str, resource: str) -> bool:
        return (
            any(
                fnmatchcase(name, pattern)
                for pattern in self.principals
                for name in (principal.role, principal.account)
            )
            and any(fnmatchcase(action, pattern) for pattern in self.actions)
            and any(fnmatchcase(resource, pattern) for pattern in self.resources)
        )


Policy = tuple[Statement, ...]
ALLOW_ALL: Policy = (Statement(),)  # the default policy of every endpoint, gateway or interface


class Call(Record, frozen=True):
    principal: Principal
    action: str
    resource: str
    quoted: bool = False  # S3 puts the resource in double quotes, ECR does not

    def refusal(self, checks: Iterable[tuple[str, Policy]], *, states_reason: bool = True) -> str | None:
        """AWS's sentence, which names the first policy that denies; None where all allow."""
        for kind, policy in checks:
            statements = [rule for rule in policy if rule.applies_to(self.principal, self.action, self.resource)]
            if any(rule.effect == "Deny" for rule in statements):
                article = "an" if kind[0] in "aeiou" else "a"
                return self._sentence(f" with an explicit deny in {article} {kind}", states_reason)
            if not statements:
                return self._sentence(f" because no {kind} allows the {self.action} action", states_reason)
        return None

    def _sentence(self, reason: str, states_reason: bool) -> str:
        resource = f'"{self.resource}"' if self.quoted else self.resource
        denied = f"User: {self.principal.session} is not authorized to perform: {self.action} on resource: {resource}"
        return denied + (reason if states_reason else "")  # the older form ends after the resource


class Permissions(Record):
    """The policies apart from those of endpoints. `own_endpoint_only`: an aws:SourceVpce condition on the role."""

    role: Policy = ALLOW_ALL
    organisation: Policy = ALLOW_ALL
    own_endpoint_only: bool = False
    states_reason: bool = True  # denials name the kind of policy

    def checks(
        self, *, endpoint: Policy | None, through_endpoint: bool, resource: Policy | None = None
    ) -> list[tuple[str, Policy]]:
        """The policies that apply to a call, in AWS's order. `resource`: of a repository in another account."""
        role = () if self.own_endpoint_only and not through_endpoint else self.role
        policies = [(SERVICE_CONTROL, self.organisation), (IDENTITY, role)]
        if endpoint is not None:
            policies.insert(0, (ENDPOINT, endpoint))
        if resource is not None:
            policies.append((RESOURCE, resource))
        return policies


class Keys(Unshown, frozen=True):
    """Credentials and their principal."""

    access_key: str
    secret_key: str
    token: str
    principal: Principal


def layer_service(partition: str, region: str) -> Principal:
    """The principal of a presigned layer URL: ECR's own role, not the caller's (from a captured denial)."""
    account, name = "812812325446", f"storage-access-role-prod-{region}"
    return Principal(
        account,
        f"arn:{partition}:iam::{account}:role/{name}",
        f"arn:{partition}:sts::{account}:assumed-role/{name}/ecr",
    )


ALGORITHM = "AWS4-HMAC-SHA256"
TOLERANCE = timedelta(minutes=15)  # of ECR: AWS[signature-clock]
_STAMP = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[A-Z0-9]+)/(?P<scope>\d{{8}}/[a-z0-9-]+/[a-z0-9-]+/aws4_request), ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class SignatureError(Exception):
    """A rejected signature, with type and message of the JSON protocol's error (status 400)."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.message = message


def verify_signature(
    request: Request, keys: Mapping[str, Keys], *, service: str, region: str, now: float, expired: bool
) -> Principal:
    """The principal that signed `request`. Raises SignatureError with AWS's message."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    stamp = request.headers.get("x-amz-date", "")
    if match is None or not stamp:
        raise SignatureError(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'.",
        )
    day, _, scope = match["scope"].partition("/")
    if scope != f"{region}/{service}/aws4_request" or not stamp.startswith(day):
        message = f"Credential should be scoped to a valid region and correct service: '{service}'."
        raise SignatureError("InvalidSignatureException", message)
    signer = keys.get(match["key"])
    if signer is None or request.headers.get("x-amz-security-token") != signer.token:
        # Captured: UnrecognizedClientException for unknown keys and for invalid tokens.
        raise SignatureError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if expired:
        raise SignatureError("ExpiredTokenException", "The security token included in the request is expired")
    _check_time(stamp, now)
    if not hmac.compare_digest(
        _signature(request, match["signed"], stamp, match["scope"], signer.secret_key), match["signature"]
    ):
        raise SignatureError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        )
    return signer.principal


def _check_time(stamp: str, now: float) -> None:
    """Reject a signature that is too old or too new; the message has both times and the tolerance, as captured."""
    signed = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    ours = datetime.fromtimestamp(int(now), UTC)
    if signed < ours - TOLERANCE:
        limit = f"{ours - TOLERANCE:{_STAMP}} ({ours:{_STAMP}} - 15 min.)"
        raise SignatureError("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than {limit}")
    if signed > ours + TOLERANCE:
        limit = f"{ours + TOLERANCE:{_STAMP}} ({ours:{_STAMP}} + 15 min.)"
        raise SignatureError(
            "InvalidSignatureException", f"Signature not yet current: {stamp} is still later than {limit}"
        )


def _signature(request: Request, signed: str, stamp: str, scope: str, secret: str) -> str:
    names = signed.split(";")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    payload = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join((request.method, request.path, "", headers, signed, payload))
    return _sign(canonical, stamp, scope, secret)


def presigned(host: str, path: str, query: Mapping[str, str], secret: str, *, method: str = "GET") -> str:
    """The signature of a presigned URL, which signs only the host header."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
    canonical = "\n".join((method, path, canonical_query, f"host:{host}\n", "host", "UNSIGNED-PAYLOAD"))
    scope = query["X-Amz-Credential"].partition("/")[2]
    return _sign(canonical, query["X-Amz-Date"], scope, secret)


def stamped(now: float) -> str:
    return f"{datetime.fromtimestamp(int(now), UTC):{_STAMP}}"


def instant(stamp: str) -> float:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()


def _sign(canonical: str, stamp: str, scope: str, secret: str) -> str:
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
