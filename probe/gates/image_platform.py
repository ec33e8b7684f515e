"""The platforms of an image, as its index lists them, and the one that the task needs.

An index is read with ecr:BatchGetImage, which can count as a pull: only where the reader agreed, with --read-manifest.
AWS[ecr-batch-get-image-pull]
The platform of an image without an index is in its config, which no read of ECR's API returns.
"""

from __future__ import annotations

from typing import Any

from probe.configuration.operations import IMAGE_MANIFESTS
from probe.configuration.view import MissingError, View
from probe.gates.call import Call
from probe.gates.image import details_of, region_of
from probe.gates.opinion import Opinion, allows, in_words, refuses
from probe.gates.pinned_images import wanted_images
from probe.model import PLATFORM, READ_MANIFEST, GateAnswer, GateName, fits_platform
from probe.narration import listed
from probe.records import replace

_WINDOWS = "windows/"  # whose images run on their own version of it alone: AWS[windows-versions]
_INDEX = ("application/vnd.oci.image.index.", "application/vnd.docker.distribution.manifest.list.")


def platform(view: View, call: Call) -> Opinion | None:
    """Whether every image that the pull asks for is built for the task's platform; None where that is not known."""
    if call.action != "ecr:BatchGetImage" or call.platform is None:
        return None
    opinions = [
        _opinion(view, call, call.platform, each.version, details)
        for each in wanted_images(view, call.versions, call.pins)
        if (details := details_of(view, call, each.version)) is not None
    ]
    refusal = next((opinion for opinion in opinions if opinion.refuses), None)
    return refusal or next((opinion for opinion in opinions if not opinion.allows), next(iter(opinions), None))


def _opinion(view: View, call: Call, needed: str, version: str, details: dict[str, Any]) -> Opinion:
    name = f"{call.repository}{'@' if ':' in version else ':'}{version}"
    if not str(details.get("imageManifestMediaType") or "").startswith(_INDEX):
        return _unknown(call, f"the platform of {name} is in its config, which is not read")
    if not call.reads_manifest:
        return _unknown(call, f"the platforms of {name} are not read without {READ_MANIFEST}", READ_MANIFEST)
    try:
        offered = _platforms(view, call, version)
    except MissingError as error:
        if error.obstacle is None:
            raise
        return _unknown(call, in_words(error), error.missing or str(error.obstacle))
    named = [platform for platform in offered if platform]
    fitting = next((platform for platform in named if fits_platform(platform, needed)), None)
    if fitting is not None and needed.startswith(_WINDOWS):
        return _unknown(call, f"{name} has {fitting}; for which version of Windows is not read")
    if fitting is not None:
        return allows(GateName.IMAGE, f"{name} has {fitting}, which the task needs", call.resource, fitting)
    if not offered or len(named) < len(offered):
        return _unknown(call, f"the index of {name} does not name all its platforms")
    refusal = refuses(
        GateName.IMAGE,
        f"{name} has {listed(named)}, the task needs {needed}",
        cause="registry.no-matching-platform",
        identity=call.resource,
        element=", ".join(named),
    )
    return replace(refusal, version=version)


def _unknown(call: Call, sentence: str, missing: str | None = None) -> Opinion:
    return Opinion(
        gate=GateName.IMAGE,
        answer=GateAnswer.UNKNOWN,
        sentence=sentence,
        object=call.resource,
        element=PLATFORM,
        missing=missing,
    )


def _platforms(view: View, call: Call, version: str) -> tuple[str, ...]:
    """The platforms of the index; an empty text where an entry names none. Raises MissingError."""
    key = {"imageDigest": version} if version.startswith("sha256:") else {"imageTag": version}
    asked = {"registryId": call.owner, "repositoryName": call.repository, "imageIds": [key]}
    found = view.items(IMAGE_MANIFESTS, region_of(view, call), **asked)
    return tuple(str(text) for item in found for text in item.get("platforms", ()))
