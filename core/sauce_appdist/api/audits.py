"""Audit logs: who did what in the account."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, Unpack

from pydantic import ConfigDict, Field

from sauce_appdist.api import Resource
from sauce_appdist.models import ApiModel, Counter, Moment, PhpObject, Reply
from sauce_appdist.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sauce_appdist.wire.transport import Transport

# The largest page that every server accepts: docs/reference/api-facts.md#audit-trail.
PER_PAGE = 100


class RecentAudit(ApiModel):
    """An item of the deprecated endpoint. `timestamp` is naive: the documents name no time zone."""

    id: str | None = None
    timestamp: Moment = None
    ip_address: str | None = None
    event_type: str | None = None
    event_data: Any = None


class Audit(ApiModel):
    """An item of an audit log. `timestamp` is naive: the documents name no time zone.

    `action_data` is the recorded change, usually an object with `from` and `to`.
    """

    id: str | None = None
    timestamp: Moment = None
    enterprise_id: str | None = None
    site_name: str | None = None
    user_id: str | None = None
    user_email: str | None = None
    ip_address: str | None = None
    action_type: Counter = None
    action_label: str | None = None
    action_data: Any = None


class Pagination(ApiModel):
    """The position of a page and the number of pages."""

    model_config = ConfigDict(alias_generator=None)

    page: Counter = None
    per_page: Counter = None
    total: Counter = None
    total_pages: Counter = None


class RecentAuditsReply(Reply):
    audits: list[RecentAudit]


class AuditPage(Reply):
    """One page of an audit log."""

    audits: list[Audit]
    pagination: Annotated[Pagination, PhpObject] = Field(default_factory=Pagination)


class AuditTrail:
    """An audit log. Iterating requests one page after the other, as they are needed."""

    def __init__(self, transport: Transport, url: str, query: dict[str, str]) -> None:
        self._transport, self._url, self._query = transport, url, query

    def page(self, number: int) -> AuditPage:
        """One page; the first is 1. A page after the last one is empty."""
        return self._transport.request("GET", self._url, AuditPage, query={**self._query, "page": str(number)})

    def __iter__(self) -> Iterator[Audit]:
        seen: set[str] = set()
        for number in count(1):
            page = self.page(number)
            # New events move items to a later page, where they appear a second time.
            fresh = [audit for audit in page.audits if audit.id not in seen]
            seen |= {audit.id for audit in fresh if audit.id is not None}
            yield from fresh
            last = page.pagination.total_pages
            if number >= last if last is not None else not fresh:
                return


class Filters(TypedDict, total=False):
    """The filters of an audit log.

    `site` is for multi-site accounts: a subdomain or an enterprise id. A day is a date or `YYYY-MM-DD`. `per_page` is
    at most 200, on newer servers 100.
    """

    site: str | int
    action_type: int
    start_date: date | str
    end_date: date | str
    per_page: int


class Audits(Resource):
    """`client.audits`."""

    def recent(self) -> list[RecentAudit]:
        """The recent items, from an endpoint that the vendor has deprecated (GET /api/1/audits)."""
        return self.transport.request("GET", "/api/1/audits", RecentAuditsReply).audits

    def list(self, **filters: Unpack[Filters]) -> AuditTrail:
        """The whole audit log (GET /api/2/audits/)."""
        return self._trail("", filters)

    def admin_trail(self, **filters: Unpack[Filters]) -> AuditTrail:
        """The actions of admins (GET /api/2/audits/admin-trail/)."""
        return self._trail("admin-trail/", filters)

    def tester_trail(self, **filters: Unpack[Filters]) -> AuditTrail:
        """The actions on testers (GET /api/2/audits/tester-trail/)."""
        return self._trail("tester-trail/", filters)

    def _trail(self, trail: str, filters: Filters) -> AuditTrail:
        if unknown := filters.keys() - Filters.__annotations__.keys():
            name = min(unknown)
            raise TypeError(f"{name!r} is not a filter{did_you_mean(name, Filters.__annotations__)}")
        query = {name: str(value) for name, value in filters.items() if value is not None}
        return AuditTrail(self.transport, f"/api/2/audits/{trail}", {"per_page": str(PER_PAGE), **query})
