"""Amazon S3 as a pull uses it: the bucket of image layers behind presigned URLs, and errors in XML."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from probe.sim import identity, names
from probe.sim.http import Reply, Request
from probe.sim.identity import ENDPOINT, Call, layer_service
from probe.sim.images import Content, Repositories
from probe.sim.services import Account, EntryPoint, Service

_EXPIRES = 3600
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class LayerStore(Service):
    """The layer bucket. `objects` replaces the content of a digest; `session_expired`: of the URLs' credentials."""

    def __init__(self, account: Account, repositories: Repositories) -> None:
        super().__init__(account)
        self.repositories = repositories
        self.objects: dict[str, bytes] = {}
        self.session_expired = False
        self.states_reason = True  # denials name the endpoint policy
        self._access_key = "ASIA" + secrets.token_hex(8).upper()
        self._secret_key = secrets.token_urlsafe(30)
        self.token = secrets.token_urlsafe(200)
        self.signatures: list[str] = []
        self._keys: dict[str, str] = {}

    # ---- the URL, as ECR hands it out -------------------------------------------------------------------------------

    def url(self, blob: Content, registry: names.AwsHost, bucket: str | None = None) -> str:
        """A presigned URL. The key does not contain the digest, and the session token comes first in the query."""
        region = registry.region
        host = names.layers(region, dual=registry.dual)
        if bucket is not None:
            host = f"{bucket}.{host.partition('.')[2]}"
        unique = uuid5(NAMESPACE_URL, blob.digest)
        path = f"/{unique.hex[:4]}-{registry.account}-{unique}/{uuid5(unique, registry.account)}"
        self._keys[path] = blob.digest
        now = identity.stamped(self.account.now())
        query = {
            "X-Amz-Security-Token": self.token,
            "X-Amz-Algorithm": identity.ALGORITHM,
            "X-Amz-Date": now,
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Expires": str(_EXPIRES),
            "X-Amz-Credential": f"{self._access_key}/{now[:8]}/{region}/s3/aws4_request",
        }
        signature = identity.presigned(host, path, query, self._secret_key)
        self.signatures.append(signature)
        parameters = [
            f"{name}={quote(value, safe='-_.~')}" for name, value in (*query.items(), ("X-Amz-Signature", signature))
        ]
        return f"https://{host}{path}?{'&'.join(parameters)}"

    # ---- the bucket -------------------------------------------------------------------------------------------------

    def answer(self, request: Request, entry: EntryPoint, /) -> Reply:
        query = request.query
        signature = query.pop("X-Amz-Signature", None)
        if signature is None:
            return _error(request, 403, "AccessDenied", "Access Denied")  # an unsigned request
        if "authorization" in request.headers:
            message = (
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                "Signature query string parameter or the Authorization header should be specified"
            )
            return _error(
                request, 400, "InvalidArgument", message, ArgumentName="Authorization", ArgumentValue="hidden"
            )
        if self.session_expired:
            return _error(request, 400, "ExpiredToken", "The provided token has expired.")
        ends = identity.instant(query["X-Amz-Date"]) + int(query["X-Amz-Expires"])
        if self.account.now() > ends:
            times = {"Expires": identity.stamped(ends), "ServerTime": identity.stamped(self.account.now())}
            return _error(
                request, 403, "AccessDenied", "Request has expired", **{"X-Amz-Expires": str(_EXPIRES)}, **times
            )
        # Method and host are signed: HEAD or another host name needs another signature.
        if signature != identity.presigned(request.host, request.path, query, self._secret_key, method=request.method):
            message = (
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method."
            )
            return _error(request, 403, "SignatureDoesNotMatch", message, AWSAccessKeyId=self._access_key)
        return self._object(request, entry)

    def _object(self, request: Request, entry: EntryPoint) -> Reply:
        if entry.endpoint is not None:
            # The endpoint policy is evaluated for ECR's own role, not for the role that pulls: AWS[s3-layer-principal].
            principal = layer_service(names.partition(entry.region), entry.region)
            resource = f"arn:{names.partition(entry.region)}:s3:::{request.host.partition('.')[0]}{request.path}"
            call = Call(principal, "s3:GetObject", resource, quoted=True)
            refusal = call.refusal([(ENDPOINT, entry.endpoint.policy)])
            if refusal:
                return _error(request, 403, "AccessDenied", refusal if self.states_reason else "Access Denied")
        digest = self._keys.get(request.path)
        blob = self.repositories.blob(digest) if digest else None
        if digest is None or blob is None:
            return _error(request, 404, "NoSuchKey", "The specified key does not exist.", Key=request.path[1:])
        return _bytes(request, memoryview(self.objects.get(digest, blob.body)))


def _bytes(request: Request, body: memoryview) -> Reply:
    headers = [
        *_ids(),
        ("ETag", '"6d0bb00954ceb7fbee436bb55a8397a9"'),
        ("Accept-Ranges", "bytes"),
        ("Server", "AmazonS3"),
    ]
    byte_range = _RANGE.fullmatch(request.headers.get("range", ""))
    if byte_range is None:
        return Reply(200, body, tuple(headers), "application/octet-stream")
    first = int(byte_range[1])
    last = min(int(byte_range[2] or len(body) - 1), len(body) - 1)
    if first > last:
        return _error(request, 416, "InvalidRange", "The requested range is not satisfiable")
    headers.append(("Content-Range", f"bytes {first}-{last}/{len(body)}"))
    return Reply(206, body[first : last + 1], tuple(headers), "application/octet-stream")


def slow_down() -> Reply:
    """S3's throttling: 503 with this code."""
    return _xml(503, "SlowDown", "Please reduce your request rate.")


def key_denied() -> Reply:
    """The denial where the policy of the repository's KMS key does not allow decryption. AWS[ecr-kms-errors]"""
    principal = "arn:aws:sts::812812325446:assumed-role/storage-access-role-prod-us-east-1/S3Session"
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4444-8888-121212121212"
    reason = "because no resource-based policy allows the kms:Decrypt action"
    message = f"User: {principal} is not authorized to perform: kms:Decrypt on resource: {key} {reason}"
    return _xml(403, "AccessDenied", message)


def internal_error() -> Reply:
    return _xml(500, "InternalError", "We encountered an internal error. Please try again.")


def _error(request: Request, status: int, code: str, message: str, **more: str) -> Reply:
    reply = _xml(status, code, message, **more)
    # A denied HEAD has no body with a reason.
    return (
        Reply(status, b"", (*reply.headers, ("Content-Length", "0")), "application/xml")
        if request.method == "HEAD"
        else reply
    )


def _xml(status: int, code: str, message: str, **more: str) -> Reply:
    ids = _ids()
    elements = {"Code": code, "Message": message, **more, "RequestId": ids[0][1], "HostId": ids[1][1]}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()
    return Reply(status, body, (*ids, ("Server", "AmazonS3")), "application/xml", chunked=True)


def _ids() -> tuple[tuple[str, str], tuple[str, str]]:
    request_id = ("x-amz-request-id", secrets.token_hex(8).upper())
    return request_id, ("x-amz-id-2", b64encode(secrets.token_bytes(56)).decode())
