"""The forms of ARNs: whose role it is, with and without a path, and texts that only look like an ARN."""

from __future__ import annotations

import pytest

from probe.arns import role_of


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/pull",
        "arn:aws:iam::123456789012:role/service-role/pull",
        "arn:aws-cn:iam::123456789012:role/team/shop/prod/pull",
        "arn:aws-us-gov:sts::123456789012:assumed-role/pull/0123456789abcdef0123456789abcdef",
    ],
)
def test_a_role_has_an_account_and_a_name(arn: str) -> None:
    assert role_of(arn) == ("123456789012", "pull")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pull",
        "arn:aws:iam::123456789012:user/pull",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/team/",
        # A server can put any text into a denial. A pattern that tries every division of a path would not end.
        f"arn:aws:iam::123456789012:role/{'/' * 200}\n",
        f"arn:aws:iam::123456789012:role/{'a/' * 2000}\n",
    ],
)
def test_another_text_is_no_role(text: str) -> None:
    assert role_of(text) is None
