"""A verdict to be joined with the configuration: of a check, of the sidecar, of smoke's fleet, or on an error text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from probe.configuration.operations import INTERFACES, SUBNETS
from probe.configuration.view import Item, View
from probe.explain.saved_verdict import Saved, read_saved
from probe.inspect.options import Options
from probe.inspect.workload import Place, Workload, is_known, of_interface, of_service, of_task
from probe.model import Action, Basis, Measurement, Path, Verdict
from probe.narration import few
from probe.records import Record, replace
from probe.safe_words import json_bytes


class Measured(Record, frozen=True):
    """The facts of one run, and its subnet if the document names it."""

    facts: Saved
    subnet: str | None = None

    @classmethod
    def of(cls, verdict: Verdict, subnet: str | None = None) -> Measured:
        """The facts of a verdict that was not saved."""
        facts = {name: getattr(verdict.measurement, name) for name in Measurement.__struct_fields__}
        return cls(Saved(**facts, policy=verdict.policy), subnet)

    def dialled(self, endpoint: str) -> tuple[str, ...]:
        """The addresses of an endpoint to which connections were tried. A text need not contain them."""
        steps = (step for step in self.facts.steps if step.endpoint == endpoint and step.action is Action.TCP)
        return tuple(dict.fromkeys(step.address for step in steps if step.address))


def read_measured(document: bytes) -> tuple[Measured, ...]:
    """The runs of a saved verdict or fleet. Raises ValueError with one plain sentence."""
    try:
        content = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        content = None
    if isinstance(content, dict) and isinstance(content.get("runs"), list):
        found = tuple(_of_fleet(content["runs"]))
        if not found:
            raise ValueError("has no run with a verdict, so there is nothing to join")
        return found
    facts = read_saved(document)
    if facts.basis is not Basis.MEASURED:
        raise ValueError(f"was not measured (its basis is {facts.basis}), so there is nothing to join")
    return (Measured(facts),)


def _of_fleet(runs: list[Any]) -> Iterator[Measured]:
    for run in runs:
        if isinstance(run, dict) and isinstance(run.get("verdict"), dict):
            facts = read_saved(json_bytes(run["verdict"]))
            if facts.basis is Basis.MEASURED:
                yield Measured(facts, str(run.get("subnet")))


def workload_of(view: View, options: Options, measured: Sequence[Measured]) -> tuple[Workload, dict[str, Measured]]:
    """What the verdicts are about, and each of them by its subnet. Raises MissingError, and UsageError where they
    cannot be found in this account.
    """
    for run in measured:
        _check_region(view, options, run)
    first = measured[0].facts
    image = first.plan.image
    workload = _described(view, options, measured[0])
    places = tuple(_place(view, options, run, _places_of(workload, run)) for run in measured)
    workload = replace(
        workload,
        launch_type=first.surroundings.launch_type or workload.launch_type,
        images=(image,) if image else workload.images,
        places=places,
    )
    return workload, {place.subnet: run for place, run in zip(places, measured, strict=True)}


def _check_region(view: View, options: Options, run: Measured) -> None:
    measured, region = run.facts.surroundings.region, view.configuration.region
    if measured is not None and measured != region:
        sentence = f"it was measured in {measured}, and {region} is read"
        raise options.arguments.refusal("verdict", f"{sentence}; give --region (ECR_PROBE_REGION) {measured}")


def _described(view: View, options: Options, run: Measured) -> Workload:
    around = run.facts.surroundings
    cluster = around.cluster or options.cluster
    if options.service is not None:
        return of_service(view, options)
    if options.task is not None:
        return of_task(view, options, options.task[0], options.task["cluster"] or cluster)
    if around.task_arn is not None and is_known(view, cluster, around.task_arn):
        return of_task(view, options, around.task_arn, cluster)
    return Workload(
        launch_type=around.launch_type or options.launch_type or "FARGATE",
        images=(),
        places=(),
        role=options.execution_role or run.facts.policy.pull_role,
    )


def _places_of(workload: Workload, run: Measured) -> tuple[Place, ...]:
    """Where the workload has the interface that the run is about. On EC2 a check in awsvpc mode does not measure the
    interface that pulls.
    """
    own = run.facts.basis is Basis.MEASURED and run.facts.surroundings.path is Path.TASK_ENI
    return workload.task_places if own and workload.task_places else workload.places


def _place(view: View, options: Options, run: Measured, described: Sequence[Place]) -> Place:
    """By the interface that has the address; where it is gone, by the subnet whose range contains it. A subnet that
    the document names, and a task that ECS describes, need neither. What ECS reports of a task is about its pull."""
    addresses = run.facts.surroundings.addresses
    known = [place for place in described if run.subnet in (None, place.subnet)]
    if run.subnet is None and known and (run.facts.basis is Basis.TEXT or not addresses):
        return known[0]
    interface = None if run.subnet is not None and (options.security_groups or known) else _interface(view, addresses)
    if interface is not None and run.subnet in (None, interface.subnet):
        return interface
    subnet = run.subnet or _only_subnet(view, options, addresses)
    groups = next((place.groups for place in described if place.subnet == subnet), ())
    return Place(subnet=subnet, groups=options.security_groups or groups, addresses=addresses)


def _interface(view: View, addresses: tuple[str, ...]) -> Place | None:
    for address in addresses:
        name = "ipv6-addresses.ipv6-address" if ":" in address else "addresses.private-ip-address"
        found = view.items(INTERFACES, Filters=[{"Name": name, "Values": [address]}])
        if len(found) == 1:
            return of_interface(found[0])
    return None


def _only_subnet(view: View, options: Options, addresses: tuple[str, ...]) -> str:
    if options.subnets:
        return options.subnets[0]
    if not addresses:
        raise options.arguments.refusal("subnets", "the verdict has no address of the task, so its subnet is not known")
    found = [item for item in view.items(SUBNETS) if _contains(item, addresses[0])]
    if len(found) != 1:
        names = few(tuple(f"{item['SubnetId']} of {item['VpcId']}" for item in found)) or "no subnet"
        raise options.arguments.refusal(
            "subnets", f"the task's address {addresses[0]} fits {names}; give the right one"
        )
    return str(found[0]["SubnetId"])


def _contains(subnet: Item, address: str) -> bool:
    ranges = [subnet.get("CidrBlock"), *(e.get("Ipv6CidrBlock") for e in subnet.get("Ipv6CidrBlockAssociationSet", ()))]
    parsed = ip_address(address)
    return any(
        parsed in network for network in map(ip_network, filter(None, ranges)) if network.version == parsed.version
    )
