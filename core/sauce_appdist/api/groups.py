"""Tester groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AliasChoices, AliasPath, Field

from sauce_appdist.api import Resource, addresses, form_fields, line, path
from sauce_appdist.api.testers import Group, Tester
from sauce_appdist.errors import TransportError
from sauce_appdist.models import Flat, Reply

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

_GROUPS = "/api/1/testers/groups"


class GroupsReply(Reply):
    groups: list[Group]


class GroupReply(Reply, Group):
    """A new group. Its fields are in the envelope itself, or in a field `group` as for other resources."""

    id: str = Field(validation_alias=AliasChoices("id", AliasPath("group", "id")))
    name: str = Field("", validation_alias=AliasChoices("name", AliasPath("group", "name")))


class MembersReply(Reply):
    testers: Annotated[list[Tester], Flat] | None = None


class Groups(Resource):
    """`client.groups`."""

    def list(self) -> builtins.list[Group]:
        """All tester groups with their members (GET /api/1/testers/groups)."""
        return self.transport.request("GET", _GROUPS, GroupsReply).groups

    def create(self, name: str) -> Group:
        """Create a group (POST /api/1/testers/groups)."""
        return self.transport.request(
            "POST", _GROUPS, GroupReply, form=form_fields(groupName=line("name", name, needed=True))
        )

    def add_testers(self, group_id: str, emails: Sequence[str]) -> builtins.list[Tester]:
        """Add testers of the account to a group (POST /api/1/testers/groups/{group-id}).

        Returns the testers that were added: newer servers ignore an unknown e-mail, others refuse it.
        """
        return self._members("POST", group_id, emails)

    def remove_testers(self, group_id: str, emails: Sequence[str]) -> builtins.list[Tester]:
        """Remove testers from a group (DELETE /api/1/testers/groups/{group-id}).

        Returns the testers that were removed. The service deletes a group that has no members left.
        """
        return self._members("DELETE", group_id, emails)

    def _members(self, method: str, group_id: str, emails: Sequence[str]) -> builtins.list[Tester]:
        form = {"email": addresses(emails)}
        reply = self.transport.request(method, path(_GROUPS, group_id), MembersReply, form=form)
        if reply.unreadable("testers"):
            raise TransportError(
                f"{method} {path(_GROUPS, group_id)}: done, but the list of the changed testers cannot be read.",
                sent=True,
            )
        # A server that only responds ok has changed all of them.
        return [Tester(email=email) for email in form["email"].split(",")] if reply.testers is None else reply.testers
