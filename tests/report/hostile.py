"""Verdicts with foreign text in every field, for reports that only let closed vocabularies through."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import msgspec
from hypothesis import strategies as st

from probe.model import (
    Action,
    AddressClass,
    CertificateSeen,
    ConnectionSeen,
    Failure,
    Kind,
    LayerSeen,
    Step,
    Surroundings,
    Verdict,
)
from tests.report import made

PLANNED = ("ecr.api", "ecr.dkr", "s3", "logs", "ecs", "ecs-agent", "ecs-telemetry")
ALSO = ("secretsmanager", "ssm", "kms", "sts", "ecr-legacy")
# With lone surrogates and control characters, because an environment variable may hold any bytes.
WORDS = st.one_of(
    st.text(st.characters(), max_size=300),
    st.sampled_from(['"} 1\n', "10.0.0.1", "sha256:" + "a" * 64, "https://u:p@h/?X-Amz-Signature=1", "\\", "# EOF"]),
)
NUMBERS = st.floats(min_value=0, max_value=1e9)
SEEN = st.one_of(
    st.builds(ConnectionSeen, address=WORDS, address_class=st.sampled_from(AddressClass)),
    st.builds(
        CertificateSeen,
        address=WORDS,
        address_class=st.sampled_from(AddressClass),
        issuer=WORDS,
        not_after=st.datetimes(timezones=st.just(UTC)),
    ),
    st.builds(LayerSeen, answer=st.just(made.ANSWER), digest=WORDS, what=WORDS, bytes_per_second=NUMBERS),
)
STEPS = st.builds(
    made.step,
    st.builds("{}/{}/x".format, st.sampled_from((*PLANNED, "task")), st.sampled_from(Action)),
    SEEN,
    failure=st.none() | st.sampled_from(Failure),
    detail=WORDS,
    seconds=NUMBERS,
)
NAMES = st.sampled_from((*PLANNED, *ALSO)) | WORDS


def verdict_of(steps: Iterable[Step], **fields: Any) -> Verdict:
    return msgspec.structs.replace(made.verdict([], **fields), steps=tuple(steps))


@st.composite
def hostile_verdicts(draw: st.DrawFn) -> Verdict:
    steps = [
        msgspec.structs.replace(step, endpoint=draw(NAMES), subject=draw(WORDS))
        for step in draw(st.lists(STEPS, max_size=6))
    ]
    here = Surroundings(
        region=draw(WORDS), account=draw(WORDS), cluster=draw(WORDS), task_arn=draw(WORDS), launch_type=draw(WORDS)
    )
    summaries = [
        msgspec.structs.replace(
            made.summary("logs"), name=draw(NAMES), host=draw(WORDS), kind=draw(st.sampled_from(Kind))
        )
        for _ in range(2)
    ]
    finding = made.finding("tcp.silent", (draw(WORDS),), title=draw(WORDS), values={"x": draw(WORDS)})
    fields = {"surroundings": here, "endpoints": tuple(summaries), "findings": (finding,), "version": draw(WORDS)}
    return verdict_of(steps, **fields)
