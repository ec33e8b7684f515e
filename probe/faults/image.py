"""Faults of the image that a client itself reports, which only error texts show: its name, its format, its program.

What the registry answers about an image is in `registry`.
"""

from __future__ import annotations

import re

from probe.faults import causes, pulling_services, registry
from probe.faults.causes import REGISTER, CauseText, advice, read_task_definition
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, confirmed, possible
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Impact, Step
from probe.records import replace


def _bad_name(title: str) -> CauseText:
    """A cause in the words of what is wrong with the name."""
    return replace(
        causes.BAD_IMAGE_REFERENCE,
        title=title,
        fix=advice(
            "correct the image's name where the client reads it: ACCOUNT.dkr.ecr.REGION.{suffix}/NAME:TAG", REGISTER
        ),
    )


BAD_REFERENCE = Fault(
    "registry.bad-reference",
    "the image name is not a valid reference",
    "It is refused before any request is sent.",
    Impact.PULL,
    (_bad_name("the image's name does not have the form HOST/NAME:TAG, in lower case and without spaces"),),
    certain=True,
    other_causes=(causes.MISCONFIGURED,),
)
_CAPITALS = _bad_name("the image's name has capital letters, and only a tag may have them")
_SCHEME = _bad_name("the image's name begins with a scheme; a name of an image has none")
_TWO_TAGS = _bad_name("the image's name has two tags, or a tag with a character that no tag has")
_UNSET = _bad_name("a variable in the image's name is not set or not replaced, so that a part of the name is missing")
_NO_IMAGE_NAMED = replace(
    causes.MISCONFIGURED,
    title="the client passes an empty or incomplete image name: a variable is not set, or the client has a bug",
    fix=advice("set the image's name in full, with its registry, where the client reads it", REGISTER),
)
# Docker and containerd complete a name without a path to one of Docker Hub: docker.io/library/HOST.
HOST_WITHOUT_PATH = BAD_REFERENCE.variant(
    title="the image name is only the registry's host, without a repository",
    why="The client took the host for the name of an image at Docker Hub, so ECR was not asked.",
)
VPCE_HOST = Fault(
    "registry.vpce-host",
    "the registry is called by an endpoint's vpce name, where no login works",
    "ECR finds the registry by the account in its host name, and a vpce name contains none.",
    Impact.PULL,
    (causes.VPCE_HOSTNAME, causes.PRIVATE_DNS_OFF),
)
UNREADABLE_IMAGE = Fault(
    "registry.unreadable-image",
    "the container runtime cannot unpack the content that the image reference points to",
    "All bytes arrived. They are not an image of a format that this runtime supports: for example an attestation that "
    "was pushed as an image, a chart, or an image in the old format (schema 1).",
    Impact.PULL,
    (causes.NOT_AN_IMAGE,),
    other_causes=(causes.OLD_AGENT, causes.LAYER_CORRUPT),
)
EXEC_FORMAT = registry.NO_PLATFORM.variant(
    title="the image was pulled, but its program is built for another platform",
    why="The pull works. A script without an interpreter in its first line fails with the same message.",
    impact=Impact.START,
    certain=False,
    causes=(
        causes.NO_MATCHING_PLATFORM,
        causes.other(
            "the entry point is a script without an interpreter line",
            advice("begin the script with #!/bin/sh, then build and push the image again"),
            read_task_definition("[runtimePlatform,containerDefinitions[].entryPoint]"),
        ),
    ),
)
_EMPTY_REFERENCE = re.compile(
    r"(?:hostname|object) required|must be specified|cannot be blank|empty image reference|reference \"\"",
    re.IGNORECASE,
)
_BY_LAMBDA = re.compile(r"(?i)layer media type|ImageLayerFailure")
_OLD_AGENT = re.compile("verification failed")


# What is wrong with a name, as far as the text shows it. An unset variable leaves a gap, or stays as it is written.
_FLAWS = (
    (re.compile(r"(?i)lower ?case"), confirmed(_CAPITALS)),
    (re.compile(r"(?i)(?:^|[\"' ])(?:https?|docker|oci)://(?![\"'])"), confirmed(_SCHEME)),
    (
        re.compile(r"\$\{?\w|\{\{|(?<![\w.:/\\-])\"[/:.]|/[\w./-]{0,255}[/:]\\{0,9}\"|<[\w-]+>\.dkr|ecr\.\.|^[/:]"),
        possible(_UNSET, _NO_IMAGE_NAMED),
    ),
    (re.compile(r":[\w.-]{1,128}:[\w.-]{1,128}[\"' ]|/manifests/"), confirmed(_TWO_TAGS)),
)


def _flawed_name(_evidence: Evidence, step: Step) -> Case | None:
    if says(step, _EMPTY_REFERENCE):
        return Case(suspects=possible(_NO_IMAGE_NAMED, causes.BAD_IMAGE_REFERENCE))
    return next((Case(suspects=suspects) for words, suspects in _FLAWS if says(step, words)), None)


def _reader(_evidence: Evidence, step: Step) -> Case | None:
    if says(step, _BY_LAMBDA):
        return Case(pulling_services.FORMAT_REFUSED)
    if says(step, _OLD_AGENT):
        # An agent with this error asked by tag and digest for an image in the old format.
        return Case(suspects=possible(causes.OLD_AGENT, causes.NOT_AN_IMAGE, causes.LAYER_CORRUPT))
    return None


MEANINGS = {
    Subject.REFERENCE: Meaning(BAD_REFERENCE, case=_flawed_name),
    Subject.HOST_WITHOUT_PATH: Meaning(HOST_WITHOUT_PATH),
    Subject.VPCE_HOST: Meaning(VPCE_HOST, ("ecr.dkr",)),
    Subject.MEDIA_TYPE: Meaning(UNREADABLE_IMAGE, variants=(pulling_services.FORMAT_REFUSED,), case=_reader),
    Subject.EXEC: Meaning(EXEC_FORMAT),
}
