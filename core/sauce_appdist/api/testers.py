"""Testers of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from sauce_appdist.api import Resource, addresses, flag, form_fields, identifier, line, path
from sauce_appdist.models import ApiModel, Flat, Id, Moment, Reply

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence


class Tester(ApiModel):
    """A tester. `last_login` and `created_at` are naive: the documents name no time zone."""

    id: str | None = None
    email: str | None = None
    is_blocked: bool | None = None
    groups: list[Membership] | None = None
    last_login: Moment = None
    created_at: Moment = None


class Membership(ApiModel):
    """A group that a tester belongs to."""

    id: str | None = None
    name: str | None = None


class Group(ApiModel):
    """A tester group; `testers` is None if the response does not list them."""

    id: Id
    name: str = ""
    testers: Annotated[list[Tester], Flat] | None = None


class TestersReply(Reply):
    testers: Annotated[list[Tester], Flat]


class TesterReply(Reply):
    tester: Tester


class Testers(Resource):
    """`client.testers`."""

    def list(self, *, build_id: str | None = None) -> builtins.list[Tester]:
        """All testers of the account (GET /api/1/testers).

        With `build_id`, `model_extra` has more fields about that build; they are not documented.
        """
        query = form_fields(buildId=None if build_id is None else identifier("build-id", build_id))
        return self.transport.request("GET", "/api/1/testers", TestersReply, query=query).testers

    def add(self, emails: Sequence[str], *, group: str | None = None, notify: bool = False) -> None:
        """Add testers to the account, and to a group, which is created if needed (POST /api/1/testers/).

        If `notify` is true, the service sends each of them the welcome e-mail.
        """
        form = form_fields(
            email=addresses(emails),
            group=line("group", group),
            notify="on" if flag("notify", notify) else None,
        )
        self.transport.request("POST", "/api/1/testers/", Reply, form=form)

    def get(self, tester_id: str) -> Tester:
        """One tester (GET /api/1/testers/{tester-id})."""
        return self.transport.request("GET", path("/api/1/testers", tester_id), TesterReply).tester

    def block(self, tester_id: str) -> None:
        """Block a tester from every app, and keep the tester's data (POST /api/1/testers/{tester-id}/block/)."""
        self.transport.request("POST", path("/api/1/testers", tester_id) + "/block/", Reply)

    def unblock(self, tester_id: str) -> None:
        """Unblock a tester and restore the invitations (DELETE /api/1/testers/{tester-id}/block/)."""
        self.transport.request("DELETE", path("/api/1/testers", tester_id) + "/block/", Reply)

    def delete(self, tester_id: str) -> None:
        """Delete a tester with all memberships and invitations (DELETE /api/1/testers/{tester-id})."""
        self.transport.request("DELETE", path("/api/1/testers", tester_id), Reply)
