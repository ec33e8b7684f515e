"""Signing calls of AWS JSON APIs with botocore's signer. Who signs is decided in `credentials`; `http` carries it."""

from __future__ import annotations

from probe.wire.credentials import Credentials

JSON = "application/x-amz-json-1.1"


def signed_headers(
    credentials: Credentials, *, service: str, region: str, host: str, target: str, body: bytes
) -> dict[str, str]:
    """The headers of `POST https://<host>/` for the operation `target`, signature version 4 among them."""
    from botocore.auth import SigV4Auth  # type: ignore[import-untyped,unused-ignore]
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped,unused-ignore]

    request = AWSRequest(
        method="POST", url=f"https://{host}/", data=body, headers={"Content-Type": JSON, "X-Amz-Target": target}
    )
    SigV4Auth(credentials, service, region).add_auth(request)
    return {str(name): str(value) for name, value in request.headers.items()}
