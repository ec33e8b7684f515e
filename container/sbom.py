"""Software bills of materials in CycloneDX 1.6 (JSON): of the wheel from the lock file, of an image from its own list.

The same input gives the same bytes: the serial number is derived from the content, the time is that of the commit.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from container.third_parties import DEBIAN, OWN, ThirdParty
from probe import __version__

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/ecr-probe")
_LOCKED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def of_lock(lock: str, licences: Iterable[ThirdParty], *, seconds: int) -> str:
    """The libraries that the lock file names. `licences` are the installed ones; `seconds` is the commit's time."""
    known = {party.name: party.licence for party in licences}
    parties = [ThirdParty("python", name, version, known.get(name, "")) for name, version in locked(lock)]
    program = Component(
        name=OWN,
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref=OWN,
        purl=PackageURL("pypi", name=OWN, version=__version__),
    )
    return _document(program, map(_component, parties), seconds)


def of_image(parties: Iterable[ThirdParty], *, architecture: str, digest: str, seconds: int) -> str:
    """Everything that the image of one platform holds, with the digest of its manifest."""
    image = Component(
        name=OWN,
        version=__version__,
        type=ComponentType.CONTAINER,
        bom_ref=digest,
        purl=PackageURL("oci", name=OWN, version=digest, qualifiers={"arch": architecture}),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest.removeprefix("sha256:"))],
    )
    own = ThirdParty("python", OWN, __version__, "Apache-2.0")
    return _document(image, [_component(party) for party in (own, *parties)], seconds)


def locked(lock: str) -> list[tuple[str, str]]:
    """Name and version of each package in a file of `requirements/`."""
    return _LOCKED.findall(lock)


def _component(party: ThirdParty) -> Component:
    return Component(
        name=party.name,
        version=party.version,
        type=ComponentType.APPLICATION if party.origin == "cpython" else ComponentType.LIBRARY,
        bom_ref=f"{party.origin}:{party.name}@{party.version}",
        purl=_package_url(party),
        licenses=_licences(party),
    )


def _package_url(party: ThirdParty) -> PackageURL:
    if party.origin == DEBIAN:
        return PackageURL("deb", namespace="debian", name=party.name, version=party.version)
    if party.origin == "cpython":
        return PackageURL("generic", name="python", version=party.version)
    return PackageURL("pypi", name=party.name, version=party.version)


def _licences(party: ThirdParty) -> list[LicenseExpression | DisjunctiveLicense]:
    """A Debian package's names are not all SPDX identifiers, and every one of them applies to a part of it."""
    if party.origin == DEBIAN:
        return [DisjunctiveLicense(name=name) for name in party.licence.split(", ") if name]
    return [LicenseExpression(party.licence)] if party.licence else []


def _document(subject: Component, components: Iterable[Component], seconds: int) -> str:
    bom = Bom(components=components)
    bom.metadata.component = subject
    bom.metadata.timestamp = datetime.fromtimestamp(seconds, UTC)
    bom.register_dependency(subject, bom.components)
    bom.serial_number = uuid.UUID(int=0)
    nameless: str = JsonV1Dot6(bom).output_as_string()
    bom.serial_number = uuid.uuid5(_NAMESPACE, nameless)
    text: str = JsonV1Dot6(bom).output_as_string()
    return json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"
