"""Admins of the account and their permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.api import Resource
from sauce_appdist.models import ApiModel, Names, Reply

if TYPE_CHECKING:
    import builtins


class Admin(ApiModel):
    """An admin. A permission is a project id and the access to it, like `16527:rw`; `*` is every project."""

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
