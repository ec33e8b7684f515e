"""Messages of registries and of the programs around a pull or push: (message, failure, action or subject).

One list per writer, in the words of its source; the names in them are invented.
"""

from __future__ import annotations

from probe.model import Action, Failure

Message = tuple[str, Failure, Action | str | None]
_PUT = "PUT https://123456789012.dkr.ecr.eu-north-1.amazonaws.com/v2/shop/cart/manifests/7"
_CONSTRAINT = "failed to satisfy constraint:"

# ECR's API behind its registry, and distribution's registry/api/errcode.
REGISTRIES: tuple[Message, ...] = (
    (
        f"Invalid parameter at 'ImageManifest' {_CONSTRAINT} 'Invalid JSON syntax'",
        Failure.MALFORMED,
        "manifest-refused",
    ),
    (f"Invalid parameter at 'repositoryName' {_CONSTRAINT} 'must match a-z'", Failure.MALFORMED, "reference"),
    (
        f"Invalid parameter at 'registryIds' {_CONSTRAINT} 'Member must match [0-9]{{12}}'",
        Failure.MALFORMED,
        "reference",
    ),
    ("UNSUPPORTED: Unsupported manifest type: application/x", Failure.MALFORMED, "manifest-refused"),
    ("MANIFEST_INVALID: manifest invalid", Failure.MALFORMED, "manifest-refused"),
    ("manifest failed signature verification", Failure.MALFORMED, "manifest-refused"),
    ("manifest tag did not match URI", Failure.MALFORMED, "manifest-refused"),
    ("TAG_INVALID: no", Failure.MALFORMED, "manifest-refused"),
    ("NAME_INVALID", Failure.MALFORMED, "reference"),
    ("name invalid: invalid repository name", Failure.MALFORMED, "reference"),
    (
        f"unexpected status from {_PUT.replace('PUT', 'PUT request to')}: 405 Method Not Allowed",
        Failure.MALFORMED,
        "manifest-refused",
    ),
    (f"{_PUT}: unexpected status code 400 Bad Request", Failure.MALFORMED, "manifest-refused"),
    (
        "Images with digests '[sha256:4b]' required for pushing image into repository with name 'cart' in the "
        "registry with id '123456789012' do not exist",
        Failure.NOT_FOUND,
        "content-missing",
    ),
    (
        "Layers with digests '[sha256:4b]' required for pushing image into repository with name 'cart' in the "
        "registry with id '123456789012' do not exist",
        Failure.NOT_FOUND,
        "content-missing",
    ),
    ("UploadNotFoundException", Failure.NOT_FOUND, "content-missing"),
    ("manifest blob unknown: blob unknown to registry", Failure.NOT_FOUND, "content-missing"),
    ("blob unknown to registry", Failure.NOT_FOUND, "content-missing"),
    ("MANIFEST_BLOB_UNKNOWN", Failure.NOT_FOUND, "content-missing"),
    ("blob upload unknown", Failure.NOT_FOUND, "content-missing"),
    ("already has the maximum allowed number of images which is '10000'", Failure.TOO_LARGE, "quota"),
    ("already has the maximum number of repositories", Failure.TOO_LARGE, "quota"),
    ("Limit on the size of an image manifest exceeded", Failure.TOO_LARGE, "quota"),
    ("TooManyTagsException", Failure.TOO_LARGE, "quota"),
    ("toomanyrequests: Rate exceeded", Failure.THROTTLED, Action.MANIFEST),
    ("toomanyrequests: Data limit exceeded", Failure.THROTTLED, Action.MANIFEST),
)
# containerd's reference, distribution/reference, go-containerregistry's pkg/name, oras-go.
REFERENCES: tuple[Message, ...] = tuple(
    (message, Failure.MALFORMED, "reference")
    for message in (
        'failed to resolve reference "": hostname required',
        "object required",
        f"invalid repository name ({'4b' * 32}), cannot specify 64-byte hexadecimal strings",
        "a repository name must be specified",
        "registries must be valid RFC 3986 URI authorities: a b",
        "repository must be between 2 and 255 characters in length: a",
        "tag can only contain the characters `abc`: v1+2",
        "cart: must specify a tag name after the colon",
        "a digest must contain exactly one '@' separator (e.g. registry/repository@digest) saw: a@b@c",
        "invalid reference: missing registry or repository",
        "image name cannot be blank",
        "empty image reference",
        "reference not found in URL",
    )
)
MESSAGES = (*REGISTRIES, *REFERENCES)
