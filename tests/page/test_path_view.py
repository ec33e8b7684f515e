"""The path as hops: each has the color of its findings and shows only measured facts."""

from __future__ import annotations

from probe.history import Colour
from probe.model import (
    Address,
    AddressClass,
    Asker,
    Extent,
    Failure,
    Impact,
    NamesSeen,
    Outcome,
    Severity,
    Surroundings,
    Verdict,
)
from probe.serve.path_view import Fact, path_view
from tests.page.snapshots import failing_in_one_zone
from tests.report.made import HOSTS, broken, finding, step, summary, verdict

OK, WARNING, ERROR, UNKNOWN = Colour.OK, Colour.WARNING, Colour.ERROR, Colour.UNKNOWN


def colours(judged: Verdict) -> list[Colour]:
    path = path_view(judged)
    return [hop.colour for hop in (path.task, path.resolver, *path.endpoints, path.registry, path.layers)]


def test_a_healthy_path_is_fine_throughout() -> None:
    path = path_view(verdict())
    assert set(colours(verdict())) == {OK}
    assert [hop.name for hop in path.endpoints] == ["ecr.api", "ecr.dkr"]
    assert [hop.name for hop in path.also_checked] == ["logs"]
    assert [fact.name for fact in path.registry.facts] == ["token", "challenge", "manifest", "redirect"]
    assert path.registry.facts[-1].note == "to S3"
    assert path.layers.facts[-1].name == "layer"


def test_what_was_not_tried_is_unknown() -> None:
    """Whether a registry behind silent endpoints works is not path."""
    assert colours(broken()) == [OK, OK, ERROR, ERROR, UNKNOWN, UNKNOWN]
    assert {(fact.colour, fact.note) for fact in path_view(broken()).registry.facts} == {(UNKNOWN, "not tried")}
    assert Fact("layer", UNKNOWN, "not tried") in path_view(broken()).layers.facts


def test_an_endpoint_with_one_silent_address() -> None:
    (api, dkr) = path_view(failing_in_one_zone()).endpoints
    assert (api.colour, dkr.colour) == (WARNING, OK)
    assert [(fact.name, fact.colour) for fact in api.facts] == [
        ("10.0.2.10", ERROR),
        ("10.0.1.10", OK),
        ("10.0.3.10", OK),
    ]
    assert (api.facts[0].note, api.facts[0].time) == ("timed out", "3.0 s")


def test_the_tasks_own_subnet_is_shown_and_no_zone() -> None:
    here = Surroundings(subnet_cidr="10.0.1.0/24", availability_zone="eu-west-1a")
    path = path_view(verdict(surroundings=here))
    assert [(fact.name, fact.note) for fact in path.endpoints[0].facts] == [
        ("10.0.1.10", "task's subnet"),
        ("10.0.2.10", "other subnet"),
        ("10.0.3.10", "other subnet"),
    ]
    assert {fact.note for fact in path.layers.facts[:2]} == {""}, "S3's public addresses are in no subnet"


def test_of_many_addresses_the_failing_ones_are_shown() -> None:
    last = "10.0.9.9"
    many = [f"10.0.9.{number}" for number in range(9)]
    steps = [step(f"ecr.api/tcp/{address}") for address in many]
    silent = step(f"ecr.api/tcp/{last}", failure=Failure.TIMEOUT, seconds=3.0)
    facts = path_view(verdict([*steps, silent])).endpoints[0].facts
    assert [fact.name for fact in facts if fact.colour is ERROR] == [last]
    assert (facts[-1].name, facts[-1].note) == ("and 4 more", "all answer")


def test_a_retry_is_the_same_address() -> None:
    first = step("ecr.api/tcp/10.0.1.10", failure=Failure.RESET)
    second = step("ecr.api/tcp/10.0.1.10#2")
    assert [(fact.name, fact.colour) for fact in path_view(verdict([first, second])).endpoints[0].facts] == [
        ("10.0.1.10", OK)
    ]


def test_a_resolver_that_answers_publicly_is_red() -> None:
    public = (Address("44.200.1.9", AddressClass.PUBLIC),)
    lookups = [
        step(
            f"{name}/dns/10.0.0.2/A",
            NamesSeen(
                server="10.0.0.2", asker=Asker.CONFIGURED, order=0, name=HOSTS[name], record="A", addresses=public
            ),
        )
        for name in ("ecr.api", "s3")
    ]
    fault = finding("dns.public-answer", (lookups[0].id,), Severity.ERROR, extent=Extent.WHOLLY, impact=Impact.ROUTE)
    resolver = path_view(verdict(lookups, findings=(fault,))).resolver
    assert resolver.colour is ERROR
    assert [(fact.name, fact.colour, fact.note) for fact in resolver.facts] == [
        ("10.0.0.2", ERROR, "2 names, 1 public")
    ]


def test_a_lookup_that_fails_is_named() -> None:
    names = NamesSeen(server="10.0.0.2", asker=Asker.CONFIGURED, order=0, name=HOSTS["ecr.api"], record="A")
    judged = verdict(
        [step("ecr.api/dns/10.0.0.2/A", names, failure=Failure.SERVFAIL)],
        endpoints=(summary("ecr.api", resolved=0, reached=0, ok=False, route=None),),
    )
    path = path_view(judged)
    assert path.resolver.facts[0].note == "1 of 1 lookups: SERVFAIL"
    assert path.endpoints[0].facts == (Fact("no address", ERROR, "SERVFAIL", "4 ms"),)


def test_credentials_that_are_missing_are_named() -> None:
    judged = verdict([step("task/credentials/chain", failure=Failure.NO_CREDENTIALS)])
    (fact,) = path_view(judged).task.facts
    assert (fact.name, fact.colour, fact.note) == ("credentials", ERROR, "no credentials")


def test_an_endpoint_that_was_not_tried() -> None:
    skipped = step("ecr.api/dns", outcome=Outcome.SKIPPED, seconds=None)
    judged = verdict([skipped], endpoints=(summary("ecr.api", resolved=0, reached=0, ok=False, route=None),))
    (hop,) = path_view(judged).endpoints
    assert (hop.colour, hop.about, hop.facts) == (UNKNOWN, "", (Fact("not tried", UNKNOWN),))
