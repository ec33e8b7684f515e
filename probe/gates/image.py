"""The image itself: whether the repository has it in a state to be pulled, else whether a cache would fetch it.

ecr:DescribeImages returns only active images unless it is asked for all: AWS[ecr-archive].
"""

from __future__ import annotations

from typing import Any

from probe.configuration.operations import IMAGES, PULL_THROUGH_RULES, REPOSITORIES
from probe.configuration.view import MissingError, View
from probe.gates.call import Call
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.pinned_images import NewDeployment, Pin, Wanted, wanted_images
from probe.model import GateName
from probe.records import replace

_ROOT = "ROOT"  # the prefix of a rule for every repository: AWS[ecr-pull-through-root]
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"
_IMAGE_CONFIGS = ("application/vnd.docker.container.image", "application/vnd.oci.image.config")


def image(view: View, call: Call) -> Opinion | None:
    """Whether every image that the pull asks for exists and can be pulled."""
    if call.action != "ecr:BatchGetImage" or not call.versions:
        return None
    found = [_opinion(view, call, wanted) for wanted in wanted_images(view, call.versions, call.pins)]
    refusal = next((opinion for opinion in found if opinion.refuses), None)
    return refusal or next((opinion for opinion in found if not opinion.allows), found[0])


def pull_through_rule(view: View, call: Call) -> Opinion | None:
    """The rule that would fetch an image which the repository does not have; None where it has all of them."""
    if call.action != "ecr:BatchGetImage" or not call.versions:
        return None
    wanted = wanted_images(view, call.versions, call.pins)
    if all(details_of(view, call, each.version) is not None for each in wanted):
        return None
    rule = _rule(view, call)
    if rule is None:
        return None
    prefix = str(rule["ecrRepositoryPrefix"])
    sentence = f"a rule fetches {prefix}/… from {rule.get('upstreamRegistryUrl')}, which must be reachable and have it"
    return depends(GateName.PULL_THROUGH_RULE, sentence, prefix, str(rule.get("upstreamRegistryUrl")))


def _opinion(view: View, call: Call, wanted: Wanted) -> Opinion:
    if wanted.pin is None or wanted.certain:
        return _of_version(view, call, wanted)
    pinned, by_tag = _of_version(view, call, wanted), _of_version(view, call, Wanted(version=wanted.pin.tag))
    if pinned.answer is by_tag.answer:
        return pinned
    worse = pinned if by_tag.allows else by_tag
    sentence = f"{worse.sentence}; whether ECS pinned {wanted.version} for further tasks is not known"
    return replace(depends(GateName.IMAGE, sentence, call.resource, worse.element), version=worse.version)


def _of_version(view: View, call: Call, wanted: Wanted) -> Opinion:
    details = details_of(view, call, wanted.version)
    opinion = _absent(view, call, wanted) if details is None else _present(call, wanted, details)
    if not opinion.refuses or wanted.pin is None or wanted.pin.revision is None or not _has_tag(view, call, wanted.pin):
        return replace(opinion, version=wanted.version)
    change = NewDeployment(object=wanted.pin.revision, tag=wanted.pin.tag)
    return replace(opinion, version=wanted.version, change=change)


def _has_tag(view: View, call: Call, pin: Pin) -> bool:
    """Whether a pull of the tag would work."""
    return _of_version(view, call, Wanted(version=pin.tag)).allows


def _present(call: Call, wanted: Wanted, details: dict[str, Any]) -> Opinion:
    version = wanted.version
    name = f"{call.repository}{'@' if ':' in version else ':'}{version}{_pinned_words(wanted)}"
    status = str(details.get("imageStatus") or "ACTIVE")
    if status == "ARCHIVED":
        sentence = f"{name} is archived, and a pull of it answers 404"  # AWS[ecr-archive]
        return _refusal(sentence, "registry.archived", call, f"imageStatus {status}")
    if status != "ACTIVE":
        return depends(
            GateName.IMAGE, f"{name} is being restored from the archive", call.resource, f"imageStatus {status}"
        )
    kind = str(details.get("imageManifestMediaType") or "")
    artifact = str(details.get("artifactMediaType") or "")
    if kind.startswith(_SCHEMA_1):
        return _refusal(f"{name} is a manifest of Docker's schema 1", "registry.not-an-image", call, kind)
    if artifact and not artifact.startswith(_IMAGE_CONFIGS):
        return _refusal(f"{name} is no image: its content is {artifact}", "registry.not-an-image", call, artifact)
    sentence = f"{call.repository} has {version}{_pinned_words(wanted)}"
    return allows(GateName.IMAGE, sentence, call.resource, str(details.get("imageDigest")))


def _absent(view: View, call: Call, wanted: Wanted) -> Opinion:
    version, words = wanted.version, _pinned_words(wanted)
    if _rule(view, call) is not None:
        return depends(GateName.IMAGE, f"{call.repository} does not have {version} yet{words}", call.resource, version)
    try:
        repositories = view.items(REPOSITORIES, region_of(view, call), **_repository(call))
    except MissingError as error:
        if not error.is_absence:
            raise
        repositories = ()
    if not repositories:
        sentence = f"account {call.owner} has no repository {call.repository} in {call.region}"
        return _refusal(sentence, "registry.repo-not-found", call, str(call.repository))
    sentence = f"{call.repository} has no image {version}{words}"
    if wanted.pin is not None and details_of(view, call, wanted.pin.tag) is not None:
        sentence = f"{sentence}; the tag names another image now"
    return _refusal(sentence, "registry.tag-not-found", call, version)


def _pinned_words(wanted: Wanted) -> str:
    if wanted.pin is None:
        return ""
    whose = "ECS pinned" if wanted.certain else "a task was started from"
    return f", which {whose} for the tag {wanted.pin.tag}"


def _refusal(sentence: str, cause: str, call: Call, element: str) -> Opinion:
    return refuses(GateName.IMAGE, sentence, cause=cause, identity=call.resource, element=element)


def details_of(view: View, call: Call, version: str) -> dict[str, Any] | None:
    """The image's description; None where neither repository nor image exists. Raises MissingError."""
    key = {"imageDigest": version} if version.startswith("sha256:") else {"imageTag": version}
    asked = {"registryId": call.owner, "repositoryName": call.repository, "imageIds": [key]}
    try:
        found = view.items(IMAGES, region_of(view, call), **asked, filter={"imageStatus": "ANY"})
    except MissingError as error:
        if not error.is_absence:
            raise
        return None
    return found[0] if found else None


def _rule(view: View, call: Call) -> dict[str, Any] | None:
    """The rule with the longest prefix of the repository's name. Raises MissingError."""
    rules = view.items(PULL_THROUGH_RULES, region_of(view, call), registryId=call.owner)
    fitting = [rule for rule in rules if _fits(str(rule["ecrRepositoryPrefix"]), str(call.repository))]
    return max(fitting, key=lambda rule: _length(str(rule["ecrRepositoryPrefix"])), default=None)


def _fits(prefix: str, repository: str) -> bool:
    return prefix == _ROOT or repository.startswith(f"{prefix}/")


def _length(prefix: str) -> int:
    return 0 if prefix == _ROOT else len(prefix)


def _repository(call: Call) -> dict[str, Any]:
    return {"repositoryNames": [call.repository], **({"registryId": call.owner} if call.owner else {})}


def region_of(view: View, call: Call) -> str | None:
    return None if call.region == view.configuration.region else call.region
