"""Texts split into records, and the facts about the task in them."""

from __future__ import annotations

import pytest

from probe.explain.task_context import read_context
from probe.explain.text_records import mentions_error, plain_text, split_records
from probe.model import ImageHost


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mfailed\x1b[0m", "failed"),
        ("can’t “do” it", 'can\'t "do" it'),
        (r"Get \"https:\/\/a.example\/\"", 'Get "https://a.example/"'),
        (r"Get \\\"https://a.example/\\\"", 'Get "https://a.example/"'),
        (r"one\ntwo\tthree", "one two three"),
        (r"\u003c?xml\u003e", "<?xml>"),
        ("&lt;Code&gt;SlowDown&lt;/Code&gt;", "<Code>SlowDown</Code>"),
        ("a\u00a0b\u200bc\ufeff", "a bc"),
    ],
)
def test_quotes_colours_and_escapes_are_removed(text: str, plain: str) -> None:
    assert plain_text(text) == plain


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("", ()),
        ("  \n\t\n", ()),
        ("one\ntwo", ("one two",)),  # terminals and SDKs break lines
        ('Get "https://a.example/k?X=ab\n  cd\nef&Y=1": EOF', ('Get "https://a.example/k?X=abcdef&Y=1": EOF',)),
        ('Get "https://a.exa\nmple/k?X=ab\ncd": EOF', ('Get "https://a.exa mple/k?X=abcd": EOF',)),
        ('Get "https://a.example/k\n?X=ab\ncd": EOF', ('Get "https://a.example/k?X=abcd": EOF',)),
        # A terminal breaks lines of its width within words.
        (f"{'x ' * 24}bedroc\nk-proxy {'y ' * 23}\nz end", (f"{'x ' * 24}bedrock-proxy {'y ' * 23}z end",)),
        (f"got sha256:{'0a' * 20}\n{'0a' * 12}: gone", (f"got sha256:{'0a' * 32}: gone",)),
        (f"got sha256:{'0a' * 32}\nadd more", (f"got sha256:{'0a' * 32} add more",)),
        ("any idea?\ntwo", ("any idea? two",)),
        ("one\n\ntwo", ("one", "two")),
        ("one\ttwo", ("one two",)),
        (
            "CannotPullContainerError: a\tCannotPullContainerError: b",
            ("CannotPullContainerError: a", "CannotPullContainerError: b"),
        ),
        ("a failed\nERROR b failed", ("a failed", "ERROR b failed")),
        ("a failed\nlevel=error msg=b", ("a failed", "level=error msg=b")),
        ('a failed\n{"msg": "b"}', ("a failed", '{"msg": "b"}')),
        ("a failed\n2031-02-03T04:05:06Z b failed", ("a failed", "2031-02-03T04:05:06Z b failed")),
        ("a failed\n12:00:01 b failed", ("a failed", "12:00:01 b failed")),
        ("a failed\nNov  3 12:00:01 b failed", ("a failed", "Nov  3 12:00:01 b failed".replace("  ", " "))),
        ("a failed\nE1103 12:00:01 b failed", ("a failed", "E1103 12:00:01 b failed")),
        ("a failed\n  Warning  Failed  b", ("a failed", "Warning Failed b")),
        (
            "Signature expired:\n2031-02-03T04:05:06Z is now earlier",
            ("Signature expired: 2031-02-03T04:05:06Z is now earlier",),
        ),
        ("reason\nCannotPullContainerError: x", ("reason CannotPullContainerError: x",)),
        ("a failed\n\na failed", ("a failed",)),
    ],
)
def test_a_text_is_split_into_records(text: str, records: tuple[str, ...]) -> None:
    assert split_records(text) == records


def test_beginning_and_end_of_a_long_record_are_kept() -> None:
    (record,) = split_records("HEAD " + "x" * 20_000 + " END")
    assert record.startswith("HEAD ")
    assert record.endswith(" END")
    assert len(record) < 10_000


def test_a_record_has_a_maximum_length() -> None:
    assert len(split_records("\n".join(["word " * 100] * 50))) > 1


def test_the_last_of_many_records_are_kept() -> None:
    records = split_records("\n\n".join(f"{number} failed" for number in range(6000)))
    assert len(records) < 6000
    assert records[-1] == "5999 failed"


@pytest.mark.parametrize(
    "text", ["it FAILED", "exit code 1", "no such thing", "x509: oh", "Rate exceeded", "unexpected EOF"]
)
def test_texts_that_mention_an_error(text: str) -> None:
    assert mentions_error(text)


@pytest.mark.parametrize("text", ["", "Hello.", "Status: Downloaded newer image", "steady state"])
def test_texts_that_mention_no_error(text: str) -> None:
    assert not mentions_error(text)


# ---- context --------------------------------------------------------------------------------------------------------

REGISTRY = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"


def test_the_image_is_read_with_tag_and_digest() -> None:
    digest = f"sha256:{'0a' * 32}"
    for reference in (
        f"{REGISTRY}/shop/cart:1.2",
        f"{REGISTRY}/shop/cart@{digest}",
        f"{REGISTRY}/shop/cart:1.2@{digest}",
    ):
        image = read_context([f"failed to resolve ref {reference}: nothing"]).image
        assert image is not None
        assert (image.host, image.repository) == (REGISTRY, "shop/cart")
        assert image.digest == (digest if "@" in reference else None)


def test_the_first_image_counts() -> None:
    image = read_context([f"pull {REGISTRY}/first:1.", f"pull {REGISTRY}/second:1"]).image
    assert image is not None
    assert image.repository == "first"


@pytest.mark.parametrize(
    "masked", ["****.dkr.ecr.eu-west-1.amazonaws.com/x:1", "<account>.dkr.ecr.<region>.amazonaws.com/x:1"]
)
def test_a_masked_image_is_ignored(masked: str) -> None:
    context = read_context([f"failed to resolve ref {masked}: not found"])
    assert context.image is None
    assert context.other_image is None


@pytest.mark.parametrize(
    ("record", "image", "kind"),
    [
        ('failed to resolve reference "docker.io/library/nginx:1": x', "docker.io/library/nginx:1", ImageHost.OTHER),
        ("manifest for public.ecr.aws/x/y:1 not found", "public.ecr.aws/x/y:1", ImageHost.PUBLIC_ECR),
        ("pull access denied for shop/cart, repository does not exist", "shop/cart", ImageHost.OTHER),
        ("repository cart not found", "cart", ImageHost.OTHER),
        ("cannot pull ghcr.io/x/y:1: x", "ghcr.io/x/y:1", ImageHost.OTHER),
    ],
)
def test_images_of_other_registries(record: str, image: str, kind: ImageHost) -> None:
    context = read_context([record])
    assert (context.other_image, context.other_kind) == (image, kind)


@pytest.mark.parametrize("record", ["error pulling image configuration: x", "pull image manifest has been retried", ""])
def test_words_that_are_not_images(record: str) -> None:
    assert read_context([record]).other_image is None


def test_account_region_and_task_are_read() -> None:
    context = read_context(
        [
            "User: arn:aws:sts::777788889999:assumed-role/pull/x is not authorized",
            "on resource: arn:aws:ecr:eu-west-1:444455556666:repository/x",
            "stopped arn:aws:ecs:eu-central-1:444455556666:task/shop/0a1b",
        ]
    )
    assert context.account == "777788889999"
    assert context.region == "eu-central-1"
    assert context.named_region == "eu-west-1"
    assert context.task_arn == "arn:aws:ecs:eu-central-1:444455556666:task/shop/0a1b"


def test_a_host_names_a_region() -> None:
    assert read_context(["dial api.ecr.ap-south-1.amazonaws.com: x"]).named_region == "ap-south-1"
    assert read_context(["Post https://sts.amazonaws.com/: x"]).named_region is None


def test_fields_of_the_first_context_take_precedence() -> None:
    second = read_context([f"pull {REGISTRY}/second:1", "arn:aws:ecs:eu-central-1:444455556666:task/shop/0a1b"])
    first = read_context([f"pull {REGISTRY}/first:1"])
    combined = first.or_else(second)
    assert combined.image == first.image
    assert combined.region == "eu-central-1"
