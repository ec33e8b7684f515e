"""Which round trip an error text is about, by its wording, the operations and the URLs that it names. Pure."""

from __future__ import annotations

import re

from probe.model import Action
from probe.records import Record


class RoundTrip(Record, frozen=True):
    """A round trip at an endpoint. `sure` False: a headline, which failures of other round trips have too."""

    endpoint: str
    action: Action
    sure: bool = True


TOKEN = RoundTrip("ecr.api", Action.TOKEN)
MANIFEST = RoundTrip("ecr.dkr", Action.MANIFEST)
BLOB = RoundTrip("ecr.dkr", Action.BLOB)
PUSH = RoundTrip("ecr.dkr", Action.REQUEST)  # any request of a push
LAYER = RoundTrip("s3", Action.LAYER)
LOGS = RoundTrip("logs", Action.LOGS)
ENVIRONMENT_FILE = RoundTrip("s3", Action.REQUEST)  # that holds variables of a container
PULL = RoundTrip("ecr.dkr", Action.MANIFEST, sure=False)
SECRETS_OR_TOKEN = RoundTrip("ecr.api", Action.TOKEN, sure=False)

# Phrases in lower case.
_PHRASES = (
    (
        TOKEN,
        "ecr registry auth",
        "registry auth from amazon ecr",
        "getauthorizationtoken",
        "cannotpullecrcontainererror",
        "cannotpullcontainerautherror",
    ),
    (RoundTrip("secretsmanager", Action.REQUEST), "from asm", "secrets manager", "secretsmanager", "getsecretvalue"),
    (RoundTrip("ssm", Action.REQUEST), "from ssm", "ssm:get", "ssm parameter", "operation error ssm", "getparameters"),
    (RoundTrip("kms", Action.REQUEST), "kms:decrypt", "operation error kms"),
    (
        LOGS,
        "logger args",
        "logging driver",
        "cloudwatch log",
        "log stream",
        "logs:create",
        "logs:put",
        "createlogstream",
        "putlogevents",
        "operation error cloudwatch logs",
        "awslogs",
    ),
    (
        MANIFEST,
        "inspect image has been retried",
        "pull image manifest has been retried",
        "failed to resolve ref",
        "/manifests/",
        "[manifests ",
        "manifest for ",
        "manifest unknown",
        "cannotpullimagemanifesterror",
        "batchgetimage",
        "no matching manifest",
    ),
    (BLOB, "getdownloadurlforlayer", "batchchecklayeravailability", "/blobs/"),
    (
        LAYER,
        "error pulling image configuration",
        "ref pull has been retried",
        "failed to copy",
        "httpreadseeker",
        "starport-layer-bucket",
        "redacted ecr url",
        "getimageblob",
        "failed to extract layer",
        "layer-sha256",
        "layer verification",
        "s3:getobject",
    ),
    # The other objects of S3 that an instance reads before a pull: the agent itself, by ecs-init.
    (ENVIRONMENT_FILE, "download env files", "environment file", "could not download amazon e", "/amazon-ecs-agent"),
    (RoundTrip("ecs-agent", Action.REQUEST), "connecting to acs", "acs handler"),
    (RoundTrip("ecs-telemetry", Action.REQUEST), "connecting to tcs", "tcs handler"),
    (
        RoundTrip("ecs", Action.REQUEST),
        "discover poll endpoint",
        "registercontainerinstance",
        "discoverpollendpoint",
        "operation error ecs:",
        "can't register instance",
    ),
    (RoundTrip("sts", Action.REQUEST), "operation error sts:", "sts:assumerole"),
    (
        PULL,
        "cannotpullcontainer",
        "failed to pull",
        "imagepullbackoff",
        "errimagepull",
        "images/create",
        "pull access denied",
        "can't pull the image",
        "cannot pull",
    ),
    (SECRETS_OR_TOKEN, "pull secrets or registry auth"),
)
_BY_PHRASE = {phrase: round_trip for round_trip, *phrases in _PHRASES for phrase in phrases}
_ANY_PHRASE = re.compile("|".join(re.escape(phrase) for phrase in sorted(_BY_PHRASE, key=len, reverse=True)))
_BY_ENDPOINT = {
    "ecr.api": TOKEN,
    "ecr-legacy": RoundTrip("ecr-legacy", Action.TOKEN),
    "ecr.dkr": MANIFEST,
    "s3": LAYER,
    "logs": LOGS,
}


def round_trip_in_text(record: str) -> RoundTrip | None:
    """The round trip that a record names last; one of a headline only where no other is named."""
    round_trips = [_BY_PHRASE[match[0]] for match in _ANY_PHRASE.finditer(record.lower())]
    sure = [round_trip for round_trip in round_trips if round_trip.sure]
    return next(reversed(sure or round_trips), None)


def round_trip_of_url(endpoint: str, path: str) -> RoundTrip:
    """The round trip that a URL belongs to."""
    if endpoint == "ecr.dkr":
        if "/blobs/" in path:
            return BLOB
        return RoundTrip("ecr.dkr", Action.CHALLENGE) if path.rstrip("/") == "/v2" else MANIFEST
    return _BY_ENDPOINT.get(endpoint) or RoundTrip(endpoint, Action.REQUEST)
