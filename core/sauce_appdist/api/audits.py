"""Audits: who did what in the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field

from sauce_appdist.api import Resource, given
from sauce_appdist.models import ApiModel, Counter, Moment, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sauce_appdist.transport import Transport

# The most that every server gives at once: 200 as documented, 100 on newer ones (facts.md part 6).
PER_PAGE = 100


class RecentAudit(ApiModel):
    """An item of the older endpoint. `timestamp` has no zone: the documents name none."""

    id: str | None = None
    timestamp: Moment = None
    ip_address: str | None = None
    event_type: str | None = None
    event_data: Any = None


class Audit(ApiModel):
    """An item of an audit log. `timestamp` has no zone: the documents name none.

    `action_data` is what the service recorded, mostly an object with `from` and `to`.
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
    """Where a page stands among all."""

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
    pagination: Pagination = Field(default_factory=Pagination)


class AuditTrail:
    """An audit log: iterating asks for one page after the other, as they are needed."""

    def __init__(self, transport: Transport, url: str, query: dict[str, str]) -> None:
        self._transport, self._url, self._query = transport, url, query

    def page(self, number: int) -> AuditPage:
        """One page; the first is 1. Beyond the last one it is empty."""
        return self._transport.request("GET", self._url, AuditPage, query={**self._query, "page": str(number)})

    def __iter__(self) -> Iterator[Audit]:
        before: list[Audit] = []
        number = 0
        while True:
            number += 1
            page = self.page(number)
            # What happens meanwhile pushes items to the next page, where they come a second time.
            fresh = [audit for audit in page.audits if audit not in before]
            yield from fresh
            last = page.pagination.total_pages
            if not fresh or (last is not None and number >= last):
                return
            before = page.audits


class Audits(Resource):
    """`client.audits`.

    The filters of the three logs: `site` (multi-site accounts: a subdomain or an enterprise id), `action_type`,
    `start_date` and `end_date` (a date or `YYYY-MM-DD`), `per_page` (at most 200, on newer servers 100).
    """

    def recent(self) -> list[RecentAudit]:
        """The recent items, by the endpoint that the vendor calls deprecated (GET /api/1/audits)."""
        return self.transport.request("GET", "/api/1/audits", RecentAuditsReply).audits

    def list(
        self,
        *,
        site: str | int | None = None,
        action_type: int | None = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        per_page: int = PER_PAGE,
    ) -> AuditTrail:
        """All audit logs (GET /api/2/audits/)."""
        return self._trail("", site, action_type, start_date, end_date, per_page)

    def admin_trail(
        self,
        *,
        site: str | int | None = None,
        action_type: int | None = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        per_page: int = PER_PAGE,
    ) -> AuditTrail:
        """What admins did (GET /api/2/audits/admin-trail/)."""
        return self._trail("admin-trail/", site, action_type, start_date, end_date, per_page)

    def tester_trail(
        self,
        *,
        site: str | int | None = None,
        action_type: int | None = None,
        start_date: date | str | None = None,
        end_date: date | str | None = None,
        per_page: int = PER_PAGE,
    ) -> AuditTrail:
        """What was done with testers (GET /api/2/audits/tester-trail/)."""
        return self._trail("tester-trail/", site, action_type, start_date, end_date, per_page)

    def _trail(
        self,
        trail: str,
        site: str | int | None,
        action_type: int | None,
        start_date: date | str | None,
        end_date: date | str | None,
        per_page: int,
    ) -> AuditTrail:
        query = given(
            site=None if site is None else str(site),
            action_type=None if action_type is None else str(action_type),
            start_date=None if start_date is None else str(start_date),
            end_date=None if end_date is None else str(end_date),
            per_page=str(per_page),
        )
        return AuditTrail(self.transport, f"/api/2/audits/{trail}", query)
