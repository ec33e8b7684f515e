"""What Route 53 Profiles bring to a VPC: private zones, Resolver rules, DNS Firewall rule groups, interface endpoints.

AWS[profile-contents] AWS[profile-priority]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from probe.configuration.document import Obstacle
from probe.configuration.operations import PROFILE_ASSOCIATIONS, PROFILE_RESOURCES
from probe.configuration.view import MissingError, View
from probe.records import Record

_IN_FORCE = ("COMPLETE", "UPDATING")
_DEFAULT_PRIORITY = 100
_GROUP_PRIORITY = re.compile(r'"priority"\s*:\s*"?(\d+)')


class Resource(Record, frozen=True):
    """A resource of a Profile. `order` is the Profile's place among those of the VPC, `priority` a rule group's."""

    profile: str
    kind: str  # "hostedzone", "resolver-rule", "firewall-rule-group" or "vpc-endpoint", as in its ARN
    identity: str
    order: int
    priority: int | None = None


def resources(view: View, vpc: str, kind: str) -> tuple[Resource, ...]:
    """The resources of one kind that the VPC has by its Profiles. Raises MissingError."""
    try:
        associations = view.items(PROFILE_ASSOCIATIONS, ResourceId=vpc)
    except MissingError as error:
        if error.obstacle is Obstacle.UNSUPPORTED:
            return ()  # a Region without Profiles
        raise
    return tuple(each for each in _of_profiles(view, associations) if each.kind == kind)


def _of_profiles(view: View, associations: tuple[dict[str, Any], ...]) -> Iterator[Resource]:
    in_force = [item for item in associations if item.get("Status", "COMPLETE") in _IN_FORCE]
    in_order = sorted(in_force, key=lambda item: item.get("Priority", _DEFAULT_PRIORITY))
    for order, association in enumerate(in_order):
        profile = association["ProfileId"]
        for item in view.items(PROFILE_RESOURCES, ProfileId=profile):
            if item.get("Status", "COMPLETE") in _IN_FORCE:
                kind, _, identity = item["ResourceArn"].rpartition(":")[2].partition("/")
                priority = _GROUP_PRIORITY.search(item.get("ResourceProperties") or "")
                yield Resource(profile, kind, identity, order, int(priority[1]) if priority else None)
