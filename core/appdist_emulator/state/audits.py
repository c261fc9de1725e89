"""Audits: the actions on the account, after the history that the seed asks for.

Where the documents are silent or contradict each other, the emulator decides like this:

- Every audit is in v2's `audits/` and in exactly one of the two trails, as the samples' totals
  suggest. v1's "recent" audits are the latest 100. All lists start with the newest.
- Admins may read audits whatever their permissions; a tester is refused with code 5 and HTTP 403.
- `site` is an id or a name as in an address ("Site 1" is `site-1`), including the account's own;
  any other is code 1, as are an invalid page number and an invalid date. A page after the last one
  is empty, as is a range that ends before it starts. The end date is part of the range.
- Audits of requests have the account itself as site and 127.0.0.1 as address.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from appdist_emulator.state.base import Base, about_build, about_file, format_time, no_tester, number, parse_time
from appdist_emulator.state.records import Action, Audit, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from appdist_emulator.seed import AuditHistory, User
    from appdist_emulator.state.records import Build, Project, Trail

_RECENT = 100
_PER_PAGE = 50
# The actions of a generated history, repeated.
_HISTORY = (
    Action.DOWNLOAD,
    Action.INVITE,
    Action.DOWNLOAD,
    Action.UPDATE,
    Action.DOWNLOAD,
    Action.ADD_TESTERS,
    Action.DOWNLOAD,
    Action.SECURITY,
)


class Audits(Base):
    def recent_audits(self, user: User) -> list[dict[str, Any]]:
        """`/api/1/audits`, which v2 replaces."""
        with self._lock:
            no_tester(user)
            return [
                {
                    "id": audit.id,
                    "timestamp": audit.timestamp,
                    "ipAddress": audit.ip_address,
                    "eventType": audit.action.event,
                    "eventData": dict(audit.data),
                }
                for audit in reversed(self._audits[-_RECENT:])
            ]

    def audits(self, user: User, trail: Trail | None, query: Mapping[str, str]) -> dict[str, Any]:
        with self._lock:
            no_tester(user)
            site = self._site_id(query["site"]) if "site" in query else None
            action = _whole(query, "action_type", 0, 999_999_999) if "action_type" in query else None
            start, end = _day(query, "start_date"), _day(query, "end_date")
            page = _whole(query, "page", 1, 999_999_999, 1)
            size = next((name for name in self._rules.page_sizes if name in query), "per_page")
            per_page = _whole(query, size, 1, self._rules.max_per_page, _PER_PAGE)
            found = [
                audit
                for audit in reversed(self._audits)
                if trail in {None, audit.action.trail}
                and site in {None, audit.site_id}
                and action in {None, audit.action.number}
                and (start is None or audit.timestamp[:10] >= start)
                and (end is None or audit.timestamp[:10] <= end)
            ]
            return {
                "audits": [_view(audit) for audit in found[(page - 1) * per_page : page * per_page]],
                "pagination": {
                    "page": page,
                    "per_page": per_page,
                    "total": len(found),
                    "total_pages": -(-len(found) // per_page),
                },
            }

    # --- inside; the lock is held -----------------------------------------------------------------

    def _audits_since(self, last: int) -> list[dict[str, Any]]:
        return [_view(audit) for audit in self._audits if audit.id > last]

    def _site_id(self, wanted: str) -> int:
        names = {self._seed.enterprise_id: self._seed.company} | {site.id: site.name for site in self._sites.values()}
        if number(wanted) in names:
            return number(wanted)
        for site_id, name in names.items():
            if _subdomain(name) == wanted.lower():
                return site_id
        raise Refusal(1, "Missing or invalid parameter: site")

    def _generate_history(self, wanted: AuditHistory) -> None:
        """Generate audits that fit the rest of the account; the same seed always gives the same ones."""
        entries = [*self._upload_audits(wanted)][: wanted.entries]
        entries += self._daily_audits(wanted, wanted.entries - len(entries))
        for at, email, action, data in sorted(entries, key=lambda entry: entry[0]):
            site_id, site_name = self._seed.enterprise_id, self._seed.company
            if action is Action.SECURITY and self._sites and data["to"]["mfa_enabled"]:
                site = list(self._sites.values())[len(self._audits) % len(self._sites)]
                site_id, site_name = site.id, site.name
            user_id = self._user_id(email)
            self._audits.append(
                Audit(
                    id=next(self._audit_ids),
                    timestamp=at,
                    site_id=site_id,
                    site_name=site_name,
                    user_id=user_id,
                    user_email=email,
                    ip_address=f"198.51.100.{user_id % 250 + 1}",
                    action=action,
                    data=data,
                )
            )

    def _seeded_builds(self) -> list[tuple[Project, Build]]:
        builds = [(project, build) for project in self._projects.values() for build in project.builds.values()]
        return sorted(builds, key=lambda one: one[1].uploaded_at)

    def _writers(self) -> list[str]:
        everywhere = (None, ["*:rw"])
        admins = [user.email for user in self._seed.users if user.role != "tester" and user.permissions in everywhere]
        return admins or [self._seed.users[0].email]

    def _upload_audits(self, wanted: AuditHistory) -> Iterator[tuple[str, str, Action, dict[str, Any]]]:
        for project, build in self._seeded_builds():
            if wanted.since <= build.uploaded_at <= wanted.until:
                yield build.uploaded_at, self._writers()[0], Action.UPLOAD, about_file(project, build)

    def _daily_audits(self, wanted: AuditHistory, count: int) -> Iterator[tuple[str, str, Action, dict[str, Any]]]:
        since, until = parse_time(wanted.since), parse_time(wanted.until)
        writers, builds = self._writers(), self._seeded_builds()
        testers = [tester.email for tester in self._testers.values()]
        for turn in range(count):
            at = format_time(since + (until - since) * turn / count)
            there = [one for one in builds if one[1].uploaded_at <= at][-3:]
            action = _HISTORY[turn % len(_HISTORY)] if there and testers else Action.SECURITY
            writer = writers[turn // len(_HISTORY) % len(writers)]
            if action is Action.SECURITY:
                on = turn // len(_HISTORY) % 2 == 0
                yield at, writer, action, {"from": {"mfa_enabled": not on}, "to": {"mfa_enabled": on}}
                continue
            about = there[turn % len(there)]
            groups = about[1].groups
            emails = list(dict.fromkeys(email for group in groups for email in group.members)) or testers
            tester = emails[turn * 7 % len(emails)]
            if action is Action.DOWNLOAD:
                yield at, tester, action, about_file(*about) | {"testerEmail": tester}
            elif action is Action.ADD_TESTERS:
                yield at, writer, action, {"emails": [tester], "group": None}
            elif action is Action.INVITE:
                more = {"emails": emails, "groups": [group.name for group in groups]}
                yield at, writer, action, about_build(*about) | more
            else:
                yield at, writer, action, about_build(*about)


def _view(audit: Audit) -> dict[str, Any]:
    return {
        "id": audit.id,
        "timestamp": audit.timestamp,
        "enterpriseId": audit.site_id,
        "siteName": audit.site_name,
        "userId": audit.user_id,
        "userEmail": audit.user_email,
        "ipAddress": audit.ip_address,
        "actionType": audit.action.number,
        "actionLabel": audit.action.label,
        "actionData": dict(audit.data),
    }


def _subdomain(name: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")


def _whole(query: Mapping[str, str], name: str, least: int, most: int, default: int = 0) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise Refusal(1, f"Missing or invalid parameter: {name}")
    return int(text)


def _day(query: Mapping[str, str], name: str) -> str | None:
    if name not in query:
        return None
    try:
        # fromisoformat alone accepts 20260301 too.
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", query[name]):
            return date.fromisoformat(query[name]).isoformat()
    except ValueError:
        pass
    raise Refusal(1, f"Missing or invalid parameter: {name}")
