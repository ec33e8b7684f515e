"""Changes of the configuration that would mend a refusing gate: the smallest one, as a command and as an edit.

The same object prints the command and edits the configuration in memory, so that what is proven is what is printed.
Nothing is ever changed at AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from probe.configuration.document import Configuration
from probe.configuration.operations import SECURITY_GROUPS
from probe.configuration.view import Item
from probe.model import Advice
from probe.records import Record

Edit = Callable[[Item], Item]  # of an object, or of a reply with a list of them


def adding(member: str, entry: Any) -> Edit:
    """An edit that appends to a list."""
    return lambda item: {**item, member: [*item.get(member, ()), entry]}


def removing(member: str, is_removed: Callable[[Any], bool]) -> Edit:
    """An edit that takes entries out of a list."""
    return lambda item: {**item, member: [entry for entry in item.get(member, ()) if not is_removed(entry)]}


def setting(**members: Any) -> Edit:
    """An edit that sets members."""
    return lambda item: {**item, **members}


class Change(Record, frozen=True, kw_only=True):
    """One change. `object` is the id of what is changed."""

    object: str

    @property
    def documents(self) -> frozenset[Any]:
        """What the change writes as a whole: of two such changes the later one has to contain the earlier one."""
        return frozenset()

    def applied(self, configuration: Configuration) -> Configuration:
        """The configuration as it would be with this change."""
        raise NotImplementedError

    def advice(self, region: str) -> Advice:
        """What to do in words, and the command with every id."""
        raise NotImplementedError

    def after(self, earlier: Sequence[Change]) -> Change:  # noqa: ARG002  most changes do not depend on others
        """This change where `earlier` ones, found apart from it, are made too; one of them if that does the same."""
        return self


class AddSecurityGroupRule(Change, frozen=True, kw_only=True):
    """Allow one port to or from exactly one peer: a range, a security group or a prefix list."""

    egress: bool
    cidr: str | None = None
    group: str | None = None
    prefix_list: str | None = None
    protocol: str = "tcp"
    port: int = 443

    @property
    def peer(self) -> str:
        return self.cidr or self.group or self.prefix_list or ""

    def _permission(self) -> Item:
        permission: Item = {"IpProtocol": self.protocol, "FromPort": self.port, "ToPort": self.port}
        if self.cidr is not None:
            ipv6 = ":" in self.cidr
            key, name = ("Ipv6Ranges", "CidrIpv6") if ipv6 else ("IpRanges", "CidrIp")
            return {**permission, key: [{name: self.cidr}]}
        if self.group is not None:
            return {**permission, "UserIdGroupPairs": [{"GroupId": self.group}]}
        return {**permission, "PrefixListIds": [{"PrefixListId": self.prefix_list}]}

    def applied(self, configuration: Configuration) -> Configuration:
        member = "IpPermissionsEgress" if self.egress else "IpPermissions"
        return configuration.edited(SECURITY_GROUPS, self.object, adding(member, self._permission()))

    def advice(self, region: str) -> Advice:
        verb, towards = ("egress", "to") if self.egress else ("ingress", "from")
        permission = json.dumps([self._permission()], separators=(",", ":"))
        return Advice(
            f"allow {self.protocol.upper()} {self.port} {towards} {self.peer} in security group {self.object}",
            (
                f"aws ec2 authorize-security-group-{verb} --region {region} --group-id {self.object} "
                f"--ip-permissions '{permission}'",
            ),
        )
