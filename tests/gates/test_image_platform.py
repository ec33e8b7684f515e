"""Whether an image is built for the task's platform: read from its index only where the reader agreed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from probe.configuration.operations import IMAGE_MANIFESTS
from probe.model import PLATFORM, Gate, GateAnswer, GateName, Standing, Status, Verdict
from tests.gates.test_pinned_images import REPOSITORY, SERVICE, UNTAGGED, account_of_service
from tests.inspect.vpc import DIGEST, Account, inspected

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
AMD64, ARM64 = {"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64", "variant": "v8"}
ATTESTATION = {"os": "unknown", "architecture": "unknown"}
Change = Callable[[Account], None]


def entry(platform: dict[str, str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"mediaType": MANIFEST, "digest": DIGEST, "size": 500}
    return found if platform is None else {**found, "platform": platform}


def account(
    *platforms: dict[str, str] | None, cpu: str | None = "ARM64", launch_type: str = "FARGATE", digest: str = DIGEST
) -> Account:
    """A service whose image is an index for these platforms."""
    made = account_of_service(digest)
    manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(each) for each in platforms]})
    for details in made.objects["ecr"]["imageDetails"]:
        details["imageManifestMediaType"] = INDEX
    made.objects["ecr"]["images"] = [
        {"imageId": {"imageDigest": digest}, "imageManifest": manifest, "imageManifestMediaType": INDEX}
    ]
    definition = made.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]
    definition["runtimePlatform"] = {"operatingSystemFamily": "LINUX", **({"cpuArchitecture": cpu} if cpu else {})}
    made.objects["ecs"]["services"][0]["launchType"] = launch_type
    return made


def platform_gates(verdict: Verdict) -> Sequence[Gate]:
    return tuple({gate for gate in verdict.gates if gate.gate is GateName.IMAGE and gate.element != DIGEST})


@pytest.mark.parametrize(
    ("platforms", "cpu", "answer", "element"),
    [
        ((AMD64, ARM64, ATTESTATION), "ARM64", "allows", "linux/arm64/v8"),
        ((AMD64, ARM64), "X86_64", "allows", "linux/amd64"),
        ((AMD64,), None, "allows", "linux/amd64"),  # Fargate's own default
        ((AMD64, ATTESTATION), "ARM64", "refuses", "linux/amd64"),
        ((AMD64, {**AMD64, "architecture": "s390x"}), "ARM64", "refuses", "linux/amd64, linux/s390x"),
        ((AMD64, None), "ARM64", "unknown", PLATFORM),  # an index in the index, which may have it
        ((), "ARM64", "unknown", PLATFORM),
    ],
)
def test_the_platforms_of_an_index(
    platforms: tuple[dict[str, str] | None, ...], cpu: str | None, answer: str, element: str
) -> None:
    (gate,) = platform_gates(inspected(account(*platforms, cpu=cpu), *SERVICE, "--read-manifest"))
    assert (gate.answer, gate.object, gate.element) == (answer, REPOSITORY, element), gate.sentence


def test_an_image_for_windows_may_be_for_another_version_of_it() -> None:
    windows = {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.6000"}
    start = account(windows, cpu="X86_64")
    platform = start.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]["runtimePlatform"]
    platform["operatingSystemFamily"] = "WINDOWS_SERVER_2022_CORE"
    (gate,) = platform_gates(inspected(start, *SERVICE, "--read-manifest"))
    assert (gate.answer, gate.element) == (GateAnswer.UNKNOWN, PLATFORM)
    assert gate.sentence.endswith("has windows/amd64; for which version of Windows is not read")


def test_a_missing_platform_is_the_cause_with_the_fix_of_a_check() -> None:
    verdict = inspected(account(AMD64), *SERVICE, "--read-manifest")
    (finding,) = verdict.findings
    assert (verdict.exit_code, finding.code) == (1, "registry.no-matching-platform")
    assert finding.title == "the image was not built for linux/arm64"
    cause = finding.causes[0]
    assert (cause.code, cause.standing) == ("registry.no-matching-platform", Standing.CONFIRMED)
    assert cause.title == "team/app@" + DIGEST + " has linux/amd64, the task needs linux/arm64"
    assert cause.fix.commands == ("docker buildx build --platform linux/arm64 --tag IMAGE --push .",)
    assert (cause.object, cause.element) == (REPOSITORY, "linux/amd64")


def test_without_the_flag_nothing_is_pulled_and_nothing_is_doubted() -> None:
    made = account(AMD64)
    verdict = inspected(made, *SERVICE)
    (gate,) = platform_gates(verdict)
    assert (gate.answer, gate.element, gate.missing) == (GateAnswer.UNKNOWN, PLATFORM, "--read-manifest")
    assert (verdict.status, verdict.exit_code) == (Status.PASS, 0)
    assert "ecr:BatchGetImage" not in made.calls


def test_a_missing_right_is_unknown_and_no_reason_for_doubt() -> None:
    made = account(AMD64)
    made.denied.add("ecr:BatchGetImage")
    verdict = inspected(made, *SERVICE, "--read-manifest")
    (gate,) = platform_gates(verdict)
    assert (gate.answer, gate.missing, verdict.exit_code) == (GateAnswer.UNKNOWN, "ecr:BatchGetImage", 0)


def test_the_digest_that_ecs_pinned_is_read() -> None:
    made = account(AMD64, digest=UNTAGGED)
    gates = platform_gates(inspected(made, *SERVICE, "--read-manifest"))
    assert {gate.answer for gate in gates if gate.element == "linux/amd64"} == {GateAnswer.REFUSES}


def test_an_image_without_an_index_has_its_platform_in_its_config() -> None:
    made = account(AMD64)
    for details in made.objects["ecr"]["imageDetails"]:
        details["imageManifestMediaType"] = MANIFEST
    (gate,) = platform_gates(inspected(made, *SERVICE, "--read-manifest"))
    assert (gate.answer, gate.element) == (GateAnswer.UNKNOWN, PLATFORM)
    assert "ecr:BatchGetImage" not in made.calls


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "{]",
        '{"schemaVersion": 1}',
        "[" * 5000,
        json.dumps({"manifests": [{"platform": {"os": 7}}]}),
        "x" * 5_000_000,
    ],
)
def test_a_hostile_manifest_has_no_platforms(manifest: str) -> None:
    kept = IMAGE_MANIFESTS.kept({"imageManifest": manifest, "imageManifestMediaType": INDEX})
    assert kept == {"platforms": []}


def test_of_a_manifest_only_a_few_short_platforms_are_kept() -> None:
    many = [entry({"os": "linux", "architecture": f"x{number}\x1b[31m" + "y" * 500}) for number in range(300)]
    text = json.dumps({"schemaVersion": 2, "manifests": many, "annotations": {"secret": "s3nt1nel"}})
    kept = IMAGE_MANIFESTS.kept({"imageManifest": text, "imageManifestMediaType": INDEX})
    assert len(kept["platforms"]) == 100
    assert all(len(each) <= 60 and "\x1b" not in each for each in kept["platforms"])
    assert "s3nt1nel" not in json.dumps(kept)
