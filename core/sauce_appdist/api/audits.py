"""Audit logs: who did what in the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict, Unpack

from pydantic import ConfigDict, Field

from sauce_appdist.api import Resource, day, form_fields, identifier, whole
from sauce_appdist.errors import InputError
from sauce_appdist.models import ApiModel, Counter, Moment, PhpObject, Reply
from sauce_appdist.text import did_you_mean, plural

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sauce_appdist.wire.transport import Transport

# The largest page that every server accepts: docs/reference/api-facts.md#audit-trail.
PER_PAGE = 100
_MOST_STALE = 3  # pages in a row with nothing new, before the announced last one
_MOST_PAGES = 10_000  # a server that always has more must not keep a job for ever


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
    """An audit log. Iterating requests one page after the other, as they are needed.

    After the last item, a warning tells if what the service announced does not fit what came, and `incomplete` is True
    if items may be missing.
    """

    def __init__(self, transport: Transport, url: str, query: dict[str, str]) -> None:
        self._transport, self._url, self._query = transport, url, query
        self.incomplete = False

    def page(self, number: int) -> AuditPage:
        """One page; the first is 1. A page after the last one is empty."""
        query = self._query | form_fields(page=whole("page", number, 1))
        return self._transport.request("GET", self._url, AuditPage, query=query)

    def __iter__(self) -> Iterator[Audit]:
        self.incomplete = False
        seen: set[str] = set()
        before: list[Audit] = []
        first: int | None = None
        came = stale = 0
        for number in range(1, _MOST_PAGES + 1):
            page = self.page(number)
            # New events move items to a later page, where they appear a second time.
            fresh = [audit for audit in page.audits if audit.id not in seen] if page.audits != before else []
            seen |= {audit.id for audit in fresh if audit.id is not None}
            before, came, stale = page.audits, came + len(fresh), 0 if fresh else stale + 1
            yield from fresh
            total, last = page.pagination.total, page.pagination.total_pages
            first = total if number == 1 else first
            on_last = last is None or number >= last
            full = len(page.audits) >= (page.pagination.per_page or int(self._query["per_page"]))
            more = came < first if first is not None else full
            if (
                not page.audits
                or stale > (0 if on_last else _MOST_STALE)
                or (last is not None and on_last and not more)
            ):
                self._tell(came, number, first, total, last)
                return
        self._tell(came, number, None, None, number + 1)

    def _tell(self, came: int, pages: int, first: int | None, total: int | None, last: int | None) -> None:
        """Warn if what the service announced does not fit; `first` is the total before new events, `total` after."""
        if first is not None and came < first:
            said = f"{first} in total"
        elif total is not None and came > total:
            said = f"{total} in total"
        elif last is not None and pages < last:
            said = f"page 1 of {last}"
        else:
            return
        self.incomplete = came < first if first is not None else True
        self._transport.warn(
            f"The service sent {plural(came, 'audit')} on {plural(pages, 'page')}, but announced {said}: "
            + ("some may be missing." if self.incomplete else "its count is wrong.")
        )


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
        site = filters.get("site")
        query = form_fields(
            site=None if site is None else identifier("site", site),
            action_type=whole("action-type", filters.get("action_type"), 0),
            start_date=day("start-date", filters.get("start_date")),
            end_date=day("end-date", filters.get("end_date")),
            per_page=whole("per-page", filters.get("per_page", PER_PAGE), 1),
        )
        if query.get("start_date", "") > query.get("end_date", "9999-12-31"):
            raise InputError(f"start-date {query['start_date']} is after end-date {query['end_date']}.")
        return AuditTrail(self.transport, f"/api/2/audits/{trail}", {"per_page": str(PER_PAGE), **query})
