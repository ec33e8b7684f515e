"""Whether the image can be pulled: its status, its kind, its repository, and the rules of pull-through caches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.model import GateAnswer, GateName
from tests.inspect.vpc import IMAGE, START, Account, healthy_vpc, inspected

Change = Callable[[Account], None]
RULE = {"ecrRepositoryPrefix": "team", "upstreamRegistryUrl": "quay.io"}


def image(**changes: str) -> Change:
    return lambda account: account.objects["ecr"]["imageDetails"][0].update(changes)


def rules(*prefixes: str) -> Change:
    def change(account: Account) -> None:
        account.objects["ecr"]["pullThroughCacheRules"] = [{**RULE, "ecrRepositoryPrefix": each} for each in prefixes]

    return change


def no_repository(account: Account) -> None:
    account.replies["ecr:DescribeRepositories"] = {"repositories": []}


@pytest.mark.parametrize(
    ("changes", "tag", "answer", "cause", "element"),
    [
        ((), "1.0", "allows", None, "sha256:"),
        ((), "2.0", "refuses", "registry.tag-not-found", "2.0"),
        ((no_repository,), "2.0", "refuses", "registry.repo-not-found", "team/app"),
        ((image(imageStatus="ARCHIVED"),), "1.0", "refuses", "registry.archived", "imageStatus ARCHIVED"),
        ((image(imageStatus="ACTIVATING"),), "1.0", "depends", None, "imageStatus ACTIVATING"),
        (
            (image(imageManifestMediaType="application/vnd.docker.distribution.manifest.v1+prettyjws"),),
            "1.0",
            "refuses",
            "registry.not-an-image",
            "manifest.v1",
        ),
        (
            (image(artifactMediaType="application/vnd.cncf.helm.config.v1+json"),),
            "1.0",
            "refuses",
            "registry.not-an-image",
            "helm",
        ),
        ((image(artifactMediaType="application/vnd.oci.image.config.v1+json"),), "1.0", "allows", None, "sha256:"),
        ((rules("other"),), "2.0", "refuses", "registry.tag-not-found", "2.0"),
        ((rules("tea"),), "2.0", "refuses", "registry.tag-not-found", "2.0"),
        ((rules("team"),), "2.0", "depends", None, "2.0"),
        ((rules("ROOT"),), "2.0", "depends", None, "2.0"),
    ],
)
def test_the_answer_of_an_image(
    changes: tuple[Change, ...], tag: str, answer: str, cause: str | None, element: str
) -> None:
    account = healthy_vpc()
    for change in changes:
        change(account)
    verdict = inspected(account, *START[:-1], IMAGE.replace(":1.0", f":{tag}"))
    (gate,) = {gate for gate in verdict.gates if gate.gate is GateName.IMAGE}
    assert (gate.answer, gate.cause) == (answer, cause), gate.sentence
    assert element in (gate.element or "")
    assert gate.endpoint == "ecr.dkr"
    rule = [gate for gate in verdict.gates if gate.gate is GateName.PULL_THROUGH_RULE]
    assert bool(rule) == (answer == "depends" and not element.startswith("imageStatus"))


def test_the_longest_prefix_is_the_rule() -> None:
    account = healthy_vpc()
    rules("ROOT", "team")(account)
    verdict = inspected(account, *START[:-1], IMAGE.replace(":1.0", ":2.0"))
    assert {gate.object for gate in verdict.gates if gate.gate is GateName.PULL_THROUGH_RULE} == {"team"}


@pytest.mark.parametrize(
    ("change", "finding", "cause"),
    [
        (image(imageStatus="ARCHIVED"), "registry.tag-not-found", "registry.archived"),
        (image(imageTags="0.9"), "registry.tag-not-found", "registry.tag-not-found"),
        (
            image(artifactMediaType="application/vnd.cncf.helm.config.v1+json"),
            "registry.not-an-image",
            "registry.not-an-image",
        ),
    ],
)
def test_a_refusing_image_confirms_its_cause(change: Change, finding: str, cause: str) -> None:
    account = healthy_vpc()
    change(account)
    found = {each.code: each.causes[0] for each in inspected(account).findings if each.causes}
    assert (found[finding].code, found[finding].standing) == (cause, "confirmed")


def test_an_unreadable_image_is_unknown() -> None:
    account = healthy_vpc()
    account.denied.add("ecr:DescribeImages")
    gates = [gate for gate in inspected(account).gates if gate.gate is GateName.IMAGE]
    assert {(gate.answer, gate.missing) for gate in gates} == {(GateAnswer.UNKNOWN, "ecr:DescribeImages")}
