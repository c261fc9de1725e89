"""Testers, their groups, and the admins.

Where the documents are silent or contradict each other, the emulator decides like this:

- The list of testers has an `id` although its sample has none: there is no other way to find it.
- With `buildId` the list has the testers with access to the build, except blocked ones, each with
  `invitedAt` (the latest invitation to the build, or null), `downloaded` and `sessions`.
- An unknown tester is code 400 with HTTP 200, an unknown group code 404 with HTTP 404. If one of
  several addresses is unknown, none is added or removed.
- The reply to adding to a group, or removing from it, lists only the testers whose membership changed.
- A group is deleted when its last member leaves or is deleted, but not before it had one. Builds and
  projects lose it.
- A blocked tester stays in the groups, gets no mail and cannot sign in; adding them again does not
  unblock them. An admin who is also a tester can still sign in.
- A deleted tester can no longer sign in. Their sessions and feedbacks stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appdist_emulator.state.base import (
    Base,
    account_writer,
    items,
    may,
    no_tester,
    number,
    switched_on,
)
from appdist_emulator.state.records import Action, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from appdist_emulator.seed import User
    from appdist_emulator.state.records import Build, Group, Project, Tester


class People(Base):
    def testers(self, user: User, build_id: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            no_tester(user)
            if build_id is None:
                return [self._listed(tester) for tester in self._testers.values()]
            project, build = self._build_anywhere(user, build_id)
            return [
                self._listed(tester) | self._of_build(tester, build)
                for tester in self._testers.values()
                if not tester.blocked and _may_get(tester, project, build)
            ]

    def tester(self, user: User, tester_id: str) -> dict[str, Any]:
        with self._lock:
            no_tester(user)
            tester = self._known_tester(tester_id)
            return {"id": tester.id, "email": tester.email, "isBlocked": tester.blocked, **self._listed(tester)}

    def add_testers(self, user: User, fields: Mapping[str, str]) -> None:
        with self._lock:
            account_writer(user)
            emails = items(fields.get("email", ""))
            if any("@" not in email for email in emails):
                raise Refusal(1, "Missing or invalid parameter: email")
            name = fields.get("group", "").strip()
            group = (self._group_named(name) or self._new_group(name)) if name else None
            for email in emails:
                tester = self._tester(email)
                if group and tester.email not in group.members:
                    group.members.append(tester.email)
                if switched_on(fields.get("notify")):
                    subject = f"Welcome to {self._seed.company}".strip()
                    self._mail(tester.email, subject, groups=[group] if group else [])
            if emails or group:
                self._record(user, Action.ADD_TESTERS, {"emails": emails, "group": name or None})

    def block(self, user: User, tester_id: str, *, blocked: bool) -> None:
        with self._lock:
            account_writer(user)
            tester = self._known_tester(tester_id)
            if tester.blocked != blocked:
                tester.blocked = blocked
                action = Action.BLOCK_TESTER if blocked else Action.UNBLOCK_TESTER
                self._record(user, action, {"testerEmail": tester.email})

    def delete_tester(self, user: User, tester_id: str) -> None:
        with self._lock:
            account_writer(user)
            tester = self._known_tester(tester_id)
            for group in list(self._groups.values()):
                self._leave(group, [tester.email])
            for invitation in self._invitations:
                invitation["testers"] = [email for email in invitation["testers"] if email != tester.email]
            del self._testers[tester.email.lower()]
            account = self._users.get(tester.email.lower())
            if account and account.role == "tester":
                del self._users[tester.email.lower()]
            self._record(user, Action.DELETE_TESTER, {"testerEmail": tester.email})

    def groups(self, user: User) -> list[dict[str, Any]]:
        """Members are a list in a list, as in the documents' sample (docs/reference/api-facts.md#groups)."""
        with self._lock:
            no_tester(user)
            return [
                {"id": group.id, "name": group.name, "testers": [[{"email": one} for one in group.members]]}
                for group in self._groups.values()
            ]

    def add_group(self, user: User, fields: Mapping[str, str]) -> dict[str, Any]:
        with self._lock:
            account_writer(user)
            name = fields.get("groupName", "").strip()
            if not name:
                raise Refusal(1, "Missing or invalid parameter: groupName")
            if self._group_named(name):
                raise Refusal(2, "Group already exists")
            group = self._new_group(name)
            self._record(user, Action.ADD_GROUP, {"groupId": group.id, "group": group.name})
            return {"status": "ok", "id": str(group.id), "name": group.name}

    def join_group(self, user: User, group_id: str, fields: Mapping[str, str]) -> list[dict[str, str]]:
        with self._lock:
            group, emails = self._group_and_emails(user, group_id, fields)
            added = [email for email in emails if email not in group.members]
            group.members.extend(added)
            return self._moved(user, Action.JOIN_GROUP, group, added)

    def leave_group(self, user: User, group_id: str, fields: Mapping[str, str]) -> list[dict[str, str]]:
        with self._lock:
            group, emails = self._group_and_emails(user, group_id, fields)
            removed = [email for email in emails if email in group.members]
            self._leave(group, removed)
            return self._moved(user, Action.LEAVE_GROUP, group, removed)

    def admins(self, user: User) -> list[dict[str, Any]]:
        """List the users of `cpanel/permissions`: everybody with another role than tester."""
        with self._lock:
            no_tester(user)
            return [
                {
                    "email": one.email,
                    "role": one.role,
                    "permissions": ["*:rw"] if one.permissions is None else list(one.permissions),
                }
                for one in self._users.values()
                if one.role != "tester"
            ]

    # --- inside; the lock is held -----------------------------------------------------------------

    def _known_tester(self, tester_id: str) -> Tester:
        wanted = number(tester_id)
        for tester in self._testers.values():
            if tester.id == wanted:
                return tester
        raise _no_such_tester()

    def _group_and_emails(self, user: User, group_id: str, fields: Mapping[str, str]) -> tuple[Group, list[str]]:
        account_writer(user)
        group = self._groups.get(number(group_id))
        if group is None:
            raise Refusal(404, "group not found", 404)
        testers = [self._testers.get(email.lower()) for email in items(fields.get("email", ""))]
        if not testers:
            raise Refusal(1, "Missing or invalid parameter: email")
        if None in testers and not self._rules.skips_unknown_testers:
            raise _no_such_tester()
        # An address may appear twice, in upper and lower case.
        return group, list(dict.fromkeys(tester.email for tester in testers if tester))

    def _leave(self, group: Group, emails: Collection[str]) -> None:
        """Remove members; delete the group if the last one leaves."""
        was_empty = not group.members
        group.members = [email for email in group.members if email not in emails]
        if group.members or was_empty:
            return
        del self._groups[group.id]
        for project in self._projects.values():
            project.groups = [one for one in project.groups if one is not group]
            for build in project.builds.values():
                build.groups = [one for one in build.groups if one is not group]

    def _moved(self, user: User, action: Action, group: Group, emails: list[str]) -> list[dict[str, str]]:
        if emails:
            self._record(user, action, {"groupId": group.id, "group": group.name, "emails": emails})
        return [{"email": email} for email in emails]

    def _build_anywhere(self, user: User, build_id: str) -> tuple[Project, Build]:
        for project in self._projects.values():
            build = project.builds.get(number(build_id))
            if build and build.visible:
                if not may(user, project, "r"):
                    raise Refusal(99, "No permissions", 403)
                return project, build
        raise Refusal(1, "Missing or invalid parameter: buildId")

    def _of_build(self, tester: Tester, build: Build) -> dict[str, Any]:
        invitations = [
            one["at"]
            for one in self._invitations
            if one["build_id"] == str(build.id) and tester.email in one["testers"]
        ]
        sessions = sum(session.tester.lower() == tester.email.lower() for session in build.recorded_sessions)
        return {
            "invitedAt": invitations[-1] if invitations else None,
            # A session implies a download.
            "downloaded": tester.email.lower() in build.downloaded_by or sessions > 0,
            "sessions": sessions,
        }

    def _listed(self, tester: Tester) -> dict[str, Any]:
        return {
            "id": tester.id,
            "email": tester.email,
            "groups": [
                {"id": group.id, "name": group.name} for group in self._groups.values() if tester.email in group.members
            ],
            "lastLogin": tester.last_login,
            "createdAt": tester.created_at,
        }


def _may_get(tester: Tester, project: Project, build: Build) -> bool:
    return build.allow_all_testers or any(tester.email in group.members for group in (*build.groups, *project.groups))


def _no_such_tester() -> Refusal:
    return Refusal(400, "tester not found", 200)
