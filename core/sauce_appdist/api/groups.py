"""Tester groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.models import Group, GroupsReply

if TYPE_CHECKING:
    from sauce_appdist.transport import Transport


class Groups:
    """`client.groups`."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(self) -> list[Group]:
        """All tester groups with their members (GET /api/1/testers/groups)."""
        return self.transport.request("GET", "/api/1/testers/groups", GroupsReply).groups
