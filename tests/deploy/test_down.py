"""`down`: it removes what `up` has created, and names what it leaves."""

from __future__ import annotations

import pytest

from probe.config.flags import UsageError
from tests.deploy.aws import DeployedAws, push_by_others
from tests.deploy.cloudformation import FakeStack
from tests.deploy.registry import FakeRepository
from tests.deploy.runs import Bench
from tests.smoke.aws import REGION, Error


def test_nothing_is_left(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes", "--schedule", "rate(15 minutes)")
    assert bench.down("--yes") == 0
    assert aws.left() == {}
    assert bench.down("--yes") == 0
    assert (
        bench.console.lines[-1] == f"ecr-probe: there is no stack ecr-probe in {REGION}, so there is nothing to remove"
    )


def test_plan_changes_nothing(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    before = aws.left()
    aws.calls.clear()
    assert bench.down("--plan") == 0
    assert (aws.mutations(), aws.left()) == ([], before)
    assert "remove  repository  ecr-probe" in bench.console.text


def test_without_a_terminal_and_without_yes_nothing_is_removed(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    before = aws.left()
    with pytest.raises(UsageError, match="terminal"):
        bench.down()
    assert aws.left() == before


def test_images_of_others_and_their_repository_are_left_and_named(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    repository = aws.repositories["ecr-probe"]
    theirs = push_by_others(repository, "prod")
    ours = next(iter(digest for tag, digest in repository.tags.items() if tag.startswith("up-")))
    assert bench.down("--yes") == 0
    assert aws.left() == {"repositories": ["ecr-probe"], "images": [theirs]}
    assert "keep    repository  ecr-probe  it has 1 image that up did not push" in bench.console.text
    assert ours not in repository.manifests


def test_an_image_of_ours_with_a_tag_of_others_loses_only_our_tag(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    repository = aws.repositories["ecr-probe"]
    ((tag, digest),) = repository.tags.items()
    repository.tags["prod"] = digest
    images = sorted(repository.manifests)
    assert bench.down("--yes") == 0
    assert repository.tags == {"prod": digest}
    assert aws.left() == {"repositories": ["ecr-probe"], "images": images}  # an index keeps what it lists
    assert f"its tag {tag} is removed" in " ".join(bench.console.text.split())


@pytest.mark.parametrize("stack", ["", "ecr-probe-2"])
def test_a_repository_that_is_not_of_the_stack_stays_though_it_is_empty(
    bench: Bench, aws: DeployedAws, archive: str, stack: str
) -> None:
    aws.repositories["ecr-probe"] = FakeRepository("ecr-probe", stack=stack)
    bench.up("--image-archive", archive, "--yes", "--repository", "ecr-probe")
    assert bench.down("--yes") == 0
    assert aws.left() == {"repositories": ["ecr-probe"]}


def test_a_repository_whose_tags_cannot_be_read_stays(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.repositories["ecr-probe"] = FakeRepository("ecr-probe", stack="ecr-probe")
    denied = Error("AccessDeniedException", "User: x is not authorized to perform: ecr:ListTagsForResource", 403)
    aws.errors = lambda name, _: denied if name == "ecr:ListTagsForResource" else None
    bench.up("--image-archive", archive, "--yes", "--repository", "ecr-probe")
    assert bench.down("--yes") == 0
    assert aws.left() == {"repositories": ["ecr-probe"]}


@pytest.mark.parametrize("then", ["up", "down"])
def test_what_cannot_be_removed_is_named_with_the_reason(
    bench: Bench, aws: DeployedAws, archive: str, then: str
) -> None:
    bench.up("--image-archive", archive, "--yes")
    aws.cloudformation.refused["DELETE", "AWS::Logs::LogGroup"] = "the group is protected"
    with pytest.raises(UsageError) as error:
        bench.down("--yes")
    assert str(error.value).startswith(
        "log group LogGroup: the group is protected; stack ecr-probe could not be removed"
    )
    assert aws.left() == {"stacks": ["ecr-probe"], "log groups": ["/ecs/ecr-probe"]}
    with pytest.raises(UsageError, match="the group is protected"):
        bench.down("--yes")  # again
    aws.cloudformation.refused.clear()
    if then == "up":
        assert bench.up("--image-archive", archive, "--yes") == 0
    assert bench.down("--yes") == 0
    assert aws.left() == {}


def test_an_image_that_ecr_keeps_is_named(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    aws.cannot_delete = "the image is in use"
    assert bench.down("--yes") == 0
    assert "is left: the image is in use" in bench.console.text
    assert set(aws.left()) == {"repositories", "images"}


def test_another_stack_is_another_stack(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    before = aws.left()
    other = ("--stack-name", "second", "--repository", "second")
    assert bench.up("--image-archive", archive, "--yes", *other) == 0
    assert f"ecr-probe down --stack-name second --region {REGION}" in bench.console.text
    aws.calls.clear()
    assert bench.down("--yes", "--stack-name", "second") == 0
    assert {kind: names for kind, names in aws.left().items() if kind != "task definitions"} == {
        kind: names for kind, names in before.items() if kind != "task definitions"
    }


def test_images_of_a_stack_that_was_removed_in_part_stay_recorded(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes")
    aws.cannot_delete = "the image is in use"
    aws.cloudformation.refused["DELETE", "AWS::Logs::LogGroup"] = "the group is protected"
    with pytest.raises(UsageError, match="the group is protected"):
        bench.down("--yes")
    aws.cannot_delete = ""
    aws.cloudformation.refused.clear()
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert bench.down("--yes") == 0
    assert aws.left() == {}  # the tags of the repository say that it is ours
    assert "repository       ecr-probe  an earlier stack has created it" in bench.console.text


@pytest.mark.parametrize("command", ["down", "up"])
def test_a_protected_stack_is_refused_before_anything_is_removed(
    bench: Bench, aws: DeployedAws, archive: str, command: str
) -> None:
    up = ("--image-archive", archive, "--yes")
    bench.up(*up)
    aws.cloudformation.protected = True
    if command == "up":
        aws.cloudformation.stacks[0].status = "DELETE_FAILED"
    before, mutations = aws.left(), len(aws.mutations())
    with pytest.raises(
        UsageError, match=f"--no-enable-termination-protection --stack-name ecr-probe --region {REGION}"
    ):
        bench.down("--yes") if command == "down" else bench.up(*up)
    assert (aws.left(), len(aws.mutations())) == (before, mutations)


def test_an_image_that_is_recorded_before_its_index_is_removed_too(
    bench: Bench, aws: DeployedAws, archive: str
) -> None:
    """A lifecycle policy has removed it, and it was pushed again."""
    bench.up("--image-archive", archive, "--yes")
    repository = aws.repositories["ecr-probe"]
    del repository.manifests[next(digest for digest in repository.manifests if repository.listed_by(digest))]
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert bench.down("--yes") == 0
    assert aws.left() == {}


def test_stacks_that_only_look_like_ours_are_left(bench: Bench, aws: DeployedAws) -> None:
    for change_sets in ([], ["ecr-probe-initial"]):
        stack = FakeStack("arn:theirs", "ecr-probe", change_sets={name: {} for name in change_sets})
        aws.cloudformation.stacks[:] = [stack]
        with pytest.raises(UsageError, match="was not created by ecr-probe up"):
            bench.down("--yes")
    aws.cloudformation.stacks[0].status = "UPDATE_IN_PROGRESS"
    with pytest.raises(UsageError, match="was not created by ecr-probe up"):
        bench.down("--yes")  # without waiting
    assert (aws.mutations(), bench.workers.now() < 1010) == ([], True)


def test_a_deletion_that_begins_between_two_calls_is_waited_for(bench: Bench, aws: DeployedAws, archive: str) -> None:
    """The status of before and an event of after do not mean that it has ended."""
    bench.up("--image-archive", archive, "--yes")
    bench.workers.latency, aws.cloudformation.lag = 2, 3
    assert bench.down("--yes") == 0
    assert aws.left() == {}


def test_a_stack_that_was_deleted_by_hand_leaves_a_repository_that_is_named(
    bench: Bench, aws: DeployedAws, archive: str
) -> None:
    bench.up("--image-archive", archive, "--yes")
    aws.cloudformation.stacks.clear()
    mutations = len(aws.mutations())
    assert bench.down("--yes") == 0
    command = f"aws ecr delete-repository --repository-name ecr-probe --region {REGION} --force"
    assert command in bench.console.lines[-1]
    assert len(aws.mutations()) == mutations
