"""Tester groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sauce_appdist.models import Group, GroupsReply

if TYPE_CHECKING:
    from sauce_appdist.transport import Transport


@dataclass(frozen=True)
class Groups:
    """`client.groups`."""

    transport: Transport

    def list(self) -> list[Group]:
        """All tester groups with their members (GET /api/1/testers/groups)."""
        return self.transport.request("GET", "/api/1/testers/groups", GroupsReply).groups
