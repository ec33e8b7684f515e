"""The JSON document: its schema, its size, and what shortening keeps."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.model import Failure, ManifestSeen, Verdict
from probe.records import replace
from probe.report import FORMATS, Page
from probe.report.json import LIMIT, essence, fold, schema, unshortened
from tests.report import made


def document(verdict: Verdict) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FORMATS["json"].render(verdict, Page()))
    return loaded


@pytest.mark.parametrize("verdict", [made.verdict(), made.broken(), made.verdict([], endpoints=())])
def test_documents_match_the_schema(verdict: Verdict) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker()).validate(document(verdict))


def test_the_schema_requires_every_key_and_allows_more() -> None:
    whole = schema()
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in whole
    assert whole["title"]
    assert whole["description"]
    for name, component in whole["$defs"].items():
        assert set(component.get("required", ())) == set(component.get("properties", ())), name
        assert component.get("additionalProperties", True) is not False
    newer = document(made.verdict()) | {"something_new": 1}
    jsonschema.Draft202012Validator(whole).validate(newer)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(whole).validate({key: value for key, value in newer.items() if key != "pull"})


def test_the_schema_explains_an_endpoint_that_is_not_ok() -> None:
    description = " ".join(schema()["$defs"]["EndpointSummary"]["description"].split())
    assert "`ok` is false if the endpoint fails, and also if it was not tried to the end: see `status`" in description


def test_the_top_level_matches_the_contract() -> None:
    loaded = document(made.broken())
    assert set(loaded) == set(Verdict.__struct_fields__)
    assert loaded["started_at"] == "2026-03-01T12:00:00Z"
    assert loaded["status"] == "fail"
    assert loaded["exit_code"] == 1
    step = next(step for step in loaded["steps"] if step["id"] == "ecr.api/tcp/10.0.1.10")
    assert step["failure"] == "timeout"
    assert step["detail"] is None
    assert step["seen"]["class"] == "vpc"


def test_the_document_is_one_line_unless_pretty() -> None:
    line, pretty = (FORMATS["json"].render(made.broken(), Page(pretty=pretty)) for pretty in (False, True))
    assert line.count("\n") == 1
    assert pretty.count("\n") > 100
    assert json.loads(line) == json.loads(pretty)


def test_text_that_utf_8_cannot_encode_is_replaced() -> None:
    verdict = made.broken()
    bad = replace(verdict, surroundings=replace(verdict.surroundings, region="eu-\udcff"))
    for pretty in (False, True):
        text = FORMATS["json"].render(bad, Page(pretty=pretty))
        assert json.loads(text.encode())["surroundings"]["region"] == "eu-?"
    assert json.loads(unshortened(bad).encode())["surroundings"]["region"] == "eu-?"


def test_a_small_document_stays_whole() -> None:
    assert fold(made.broken()) == made.broken()
    assert msgspec.json.decode(FORMATS["json"].render(made.broken(), Page()), type=Verdict) == made.broken()


def checked_fold(verdict: Verdict, *, limit: int = LIMIT) -> Verdict:
    """The shortened verdict, after checking what holds for each."""
    folded = fold(verdict, limit=limit)
    assert len(msgspec.json.encode(folded)) < limit
    ids = [step.id for step in folded.steps]
    assert len(ids) == len(set(ids))
    assert [finding.code for finding in folded.findings] == [finding.code for finding in verdict.findings]
    assert all(finding.because and set(finding.because) <= set(ids) for finding in folded.findings)
    kinds = {(step.endpoint, step.action, step.outcome, step.failure) for step in verdict.steps}
    assert {(step.endpoint, step.action, step.outcome, step.failure) for step in folded.steps} == kinds
    assert {step.on for step in folded.steps} | {step.blocked_by for step in folded.steps} <= {
        *ids,
        None,
        *dangling(verdict),
    }
    msgspec.json.decode(msgspec.json.encode(folded), type=Verdict)
    return folded


def dangling(verdict: Verdict) -> set[str | None]:
    ids = {step.id for step in verdict.steps}
    return {name for step in verdict.steps for name in (step.on, step.blocked_by) if name not in ids}


def test_names_in_healthy_certificates_are_left_out_first() -> None:
    steps = [*(step for name in made.HOSTS for step in made.reach(name, names=500)), *made.conversation(20)]
    verdict = made.verdict(steps)
    assert len(msgspec.json.encode(verdict)) > LIMIT >= len(FORMATS["json"].render(verdict, Page()).encode())
    folded = checked_fold(verdict)
    assert len(folded.steps) == len(verdict.steps)
    assert all(getattr(step.seen, "names", ()) == () for step in folded.steps)
    assert [step.seen for step in folded.steps if step.action == "layer"] == [
        step.seen for step in verdict.steps if step.action == "layer"
    ]


def test_a_step_that_a_finding_lists_stays_whole() -> None:
    steps = [step for name in made.HOSTS for step in made.reach(name, names=500)]
    cited = next(step for step in steps if step.action == "tls")
    folded = checked_fold(made.verdict(steps, findings=(made.finding("tls.interception", (cited.id,)),)))
    assert cited in folded.steps


def test_an_image_with_very_many_layers_fits() -> None:
    verdict = made.verdict([*(step for name in made.HOSTS for step in made.reach(name)), *made.conversation(1200)])
    folded = checked_fold(verdict)
    assert len(folded.steps) >= 100
    assert any(step.action == "layer" for step in folded.steps)


def test_very_many_failures_fit_and_keep_their_finding() -> None:
    steps = [
        made.step(f"s3/layer/{n}", failure=Failure.STALLED, detail="x" * 200, on=f"ecr.dkr/blob/{n}")
        for n in range(2000)
    ]
    blobs = [made.step(f"ecr.dkr/blob/{n}") for n in range(2000)]
    stalled = made.finding(
        "layers.stalled", tuple(step.id for step in steps), values={"digests": [step.id for step in steps] * 9}
    )
    checked_fold(made.verdict([*blobs, *steps], findings=(stalled,)))


def test_an_index_of_very_many_platforms_fits_and_keeps_the_chosen_one() -> None:
    seen = ManifestSeen(
        answer=made.ANSWER, platforms=tuple(f"linux/arch{n}" for n in range(30000)), platform="linux/arch29999"
    )
    steps = [made.step("ecr.dkr/manifest/GET", seen)]
    folded = checked_fold(made.verdict(steps, findings=(made.finding("x", ("ecr.dkr/manifest/GET",)),)))
    kept = folded.steps[0].seen
    assert isinstance(kept, ManifestSeen)
    assert "linux/arch29999" in kept.platforms


SMALL = 40 * 1024


@st.composite
def pulls(draw: st.DrawFn) -> Verdict:
    names = draw(st.integers(0, 20))
    silent = draw(st.sets(st.sampled_from(list(made.HOSTS))))
    steps = [step for name in made.HOSTS for step in made.reach(name, names=names, silent=name in silent)]
    steps += [step for number in range(draw(st.integers(0, 40))) for step in made.blob(number)]
    detail = "y" * draw(st.integers(0, 200))
    steps += [
        made.step(f"s3/layer/bad{n}", failure=Failure.BAD_DIGEST, detail=detail, on=draw(st.sampled_from(steps)).id)
        for n in range(draw(st.integers(0, 40)))
    ]
    cited = draw(st.lists(st.sampled_from([step.id for step in steps]), min_size=1, max_size=20, unique=True))
    failed = tuple(step.id for step in steps if step.failed)
    findings = [made.finding("noted", tuple(cited)), *([made.finding("failed", failed)] if failed else [])]
    return made.verdict(steps, findings=tuple(findings))


@settings(max_examples=40, deadline=None)
@given(pulls())
def test_every_document_fits_and_keeps_its_findings(verdict: Verdict) -> None:
    checked_fold(verdict, limit=SMALL)


def test_the_essence_is_the_steps_that_findings_list_and_their_dependencies() -> None:
    verdict = made.broken()
    short = essence(verdict, limit=11 * 1024)  # shortening alone leaves 13
    named = {step for finding in verdict.findings for step in finding.because}
    ids = {step.id for step in short.steps}
    assert named <= ids
    assert len(ids) < len(verdict.steps)
    assert all(step.on is None or step.on in ids for step in short.steps)
    assert [finding.code for finding in short.findings] == [finding.code for finding in verdict.findings]
    assert essence(verdict, limit=LIMIT) == verdict
