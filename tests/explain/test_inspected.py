"""A saved document of `inspect` leads to the same answer again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from probe.explain import explain_document
from probe.explain.task_context import TaskContext
from probe.model import Verdict
from probe.records import replace
from probe.report import FORMATS, Page
from tests.inspect import faults


@pytest.mark.parametrize("make", faults.FAULTS)
def test_a_saved_document_gives_the_same_report(make: Callable[[], Verdict]) -> None:
    verdict = make()
    document = FORMATS["json"].render(verdict, Page())
    again = explain_document(document.encode(), TaskContext())
    assert isinstance(again, Verdict)
    for page in (Page(), Page(verbose=True)):
        assert FORMATS["text"].render(again, page) == FORMATS["text"].render(verdict, page)


def test_the_findings_are_found_again_from_steps_and_gates() -> None:
    document = json.loads(FORMATS["json"].render(faults.closed_group(), Page()))
    document["status"], document["summary"] = "pass", "nothing is wrong"
    for finding in document["findings"]:
        finding["title"] = "something else"
        for cause in finding["causes"]:
            cause["standing"] = "possible"
    again = explain_document(json.dumps(document).encode(), TaskContext())
    assert again == replace(
        faults.closed_group(), **{name: getattr(again, name) for name in ("started_at", "configuration")}
    )


def test_a_damaged_configuration_is_refused_in_one_sentence() -> None:
    document = json.loads(FORMATS["json"].render(faults.closed_group(), Page())) | {"configuration": {"read_at": 1}}
    with pytest.raises(ValueError, match="not a verdict"):
        explain_document(json.dumps(document).encode(), TaskContext())
