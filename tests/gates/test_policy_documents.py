"""Documents of any form: each is evaluated or malformed, and nothing else is raised."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.gates.policy import Document, PolicyKind, Principal, Request, evaluate
from probe.gates.policy_changes import corrected
from probe.model import GateAnswer
from tests.gates.policy_account import IMAGE, LAYER, REPOSITORY, ROLE

_WORDS = st.sampled_from(
    ["*", "Allow", "Deny", "ecr:*", REPOSITORY, ROLE, "${aws:x}", "${", "StringEquals", "Null", "ForAnyValue:ArnLike",
     "IpAddress", "aws:SourceVpc", "AWS", "Service", "2012-10-17", "", "\0", "1e999", "10.0.0.0/8", "ſ", "\ud800"]
)  # fmt: skip
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _WORDS, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_WORDS, inner, max_size=3)),
    max_leaves=6,
)
_NAMES = ("Sid", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
_STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])}, optional=dict.fromkeys(_NAMES, _VALUES)
)
_PLAUSIBLE = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.one_of(st.just("*"), st.dictionaries(_WORDS, _VALUES, max_size=2)),
        "Action": st.one_of(_WORDS, st.lists(_WORDS)),
        "Resource": st.one_of(_WORDS, st.lists(_WORDS)),
        "Condition": st.dictionaries(
            st.sampled_from(["StringLike", "ArnEquals", "IpAddress", "NumericLessThan", "DateEquals", "Null", "Bool"]),
            st.dictionaries(_WORDS, _VALUES, max_size=2),
            max_size=2,
        ),
    }
)
_DOCUMENTS = st.one_of(
    _VALUES,
    st.fixed_dictionaries({"Statement": st.one_of(_VALUES, st.lists(st.one_of(_STATEMENTS, _PLAUSIBLE), max_size=3))}),
)


@settings(max_examples=500, deadline=None)
@given(_DOCUMENTS, st.sampled_from(list(PolicyKind)), st.booleans())
def test_any_document_is_evaluated_or_malformed(document: Any, kind: PolicyKind, known: bool) -> None:
    request = Request(
        action=IMAGE.action,
        resource=REPOSITORY,
        principal=Principal(role=ROLE),
        lookup=lambda _: ("vpc-1",) if known else None,
    )
    ruling = evaluate([Document.of("it", json.dumps(document))], request, kind)
    assert (ruling.answer is GateAnswer.UNKNOWN) is (ruling.problem is not None)
    assert ruling.answer is not GateAnswer.DEPENDS or ruling.keys
    for call in (IMAGE, LAYER):
        mended = corrected(document, ruling, call, kind) if ruling.answer is GateAnswer.REFUSES else None
        assert mended is None or "Statement" in json.loads(mended.document)
