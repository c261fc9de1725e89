"""Tester groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.api import Resource, path
from sauce_appdist.api.testers import Group, Tester, TestersReply
from sauce_appdist.models import Reply

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

_GROUPS = "/api/1/testers/groups"


class GroupsReply(Reply):
    groups: list[Group]


class GroupReply(Reply, Group):
    """A new group stands in the envelope itself."""


class Groups(Resource):
    """`client.groups`."""

    def list(self) -> builtins.list[Group]:
        """All tester groups with their members (GET /api/1/testers/groups)."""
        return self.transport.request("GET", _GROUPS, GroupsReply).groups

    def create(self, name: str) -> Group:
        """A new group (POST /api/1/testers/groups)."""
        return self.transport.request("POST", _GROUPS, GroupReply, form={"groupName": name})

    def add_testers(self, group_id: str, emails: Sequence[str]) -> builtins.list[Tester]:
        """Add testers of the account to a group (POST /api/1/testers/groups/{group-id}).

        Returns those who were added: newer servers leave out an unknown e-mail where others refuse it.
        """
        return self._members("POST", group_id, emails)

    def remove_testers(self, group_id: str, emails: Sequence[str]) -> builtins.list[Tester]:
        """Remove testers from a group (DELETE /api/1/testers/groups/{group-id}).

        Returns those who were removed. A group that is left without members is discarded.
        """
        return self._members("DELETE", group_id, emails)

    def _members(self, method: str, group_id: str, emails: Sequence[str]) -> builtins.list[Tester]:
        form = {"email": ",".join(emails)}
        return self.transport.request(method, path(_GROUPS, group_id), TestersReply, form=form).testers
