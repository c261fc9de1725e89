"""Permissions: who administrates the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.api import Resource
from sauce_appdist.models import ApiModel, Names, Reply

if TYPE_CHECKING:
    import builtins


class Admin(ApiModel):
    """An admin. `permissions` are like `16527:rw`, a project's id and what is allowed there; `*` is every project."""

    email: str | None = None
    role: str | None = None
    permissions: Names | None = None


class AdminsReply(Reply):
    admins: list[Admin]


class Permissions(Resource):
    """`client.permissions`."""

    def list(self) -> builtins.list[Admin]:
        """All admins and their permissions (GET /api/1/cpanel/permissions/)."""
        return self.transport.request("GET", "/api/1/cpanel/permissions/", AdminsReply).admins
