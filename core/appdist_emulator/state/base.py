"""The base of the account: its records behind one lock, look-ups, permissions, and values of requests."""

from __future__ import annotations

import itertools
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from appdist_emulator import artifact
from appdist_emulator.seed import TIME_FORMAT, Settings
from appdist_emulator.state.records import Audit, Group, Refusal, Tester

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appdist_emulator.seed import Seed, User
    from appdist_emulator.state.records import Action, Build, Project, Rules, Site, Webhook

ROOT = "/"
_ADDRESS = "127.0.0.1"  # the server listens on no other address


class Base:
    """The records of an account. Callers of these methods hold the lock."""

    def __init__(self, seed: Seed, rules: Rules) -> None:
        self._lock = threading.RLock()
        self._seed = seed
        self._rules = rules
        self._settings = _effective(seed.settings, rules)
        self._shows = list(dict.fromkeys([*rules.shows, *seed.shows.build]))
        self._lacks = set(rules.lacks) - set(seed.shows.build)
        self._started = self._now()
        self._users = {user.email.lower(): user for user in seed.users}
        self._groups: dict[int, Group] = {}
        self._testers: dict[str, Tester] = {}
        self._folders: dict[str, None] = {}
        self._projects: dict[int, Project] = {}
        self._invitations: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self._webhooks: dict[int, Webhook] = {}
        self._sites: dict[int, Site] = {}
        self._audits: list[Audit] = []  # the oldest first
        builds = [build for project in seed.projects for build in project.builds]
        self._group_ids = ids((group.id for group in seed.groups), 1)
        self._tester_ids = ids((tester.id for tester in seed.testers), 1)
        self._project_ids = ids((project.id for project in seed.projects), 6800001)
        self._build_ids = ids((build.id for build in builds), 8800001)
        self._feedback_ids = ids((one.id for build in builds for one in build.recorded_feedbacks), 54001)
        self._webhook_ids = ids((webhook.id for webhook in seed.webhooks), 1)
        self._site_ids = ids((seed.enterprise_id, *(site.id for site in seed.sites)), 1)
        self._audit_ids = itertools.count(23534001)

    def _now(self) -> str:
        """Return the time on the service's clock."""
        return format_time(datetime.now(UTC) + timedelta(seconds=self._settings.clock_ahead))

    def _project(self, user: User, project_id: str, access: str) -> Project:
        # "19-groupshot": only the number matters.
        match = re.fullmatch(r"([0-9]{1,18})(?:-.*)?", project_id)
        project = self._projects.get(int(match[1])) if match else None
        if project is None:
            raise Refusal(1, "Missing or invalid project-id")
        if not may(user, project, access):
            raise Refusal(99, "No permissions", 403)
        return project

    def _find(self, user: User, project_id: str, build_id: str, access: str) -> tuple[Project, Build]:
        project = self._project(user, project_id, access)
        build = project.builds.get(number(build_id))
        if build is None or not build.visible:
            raise Refusal(1, "Missing or invalid build-id")
        return project, build

    def _tester(self, email: str) -> Tester:
        """Return the tester with this e-mail address; create it if there is none."""
        tester = self._testers.get(email.lower())
        if tester is None:
            tester = self._testers[email.lower()] = Tester(next(self._tester_ids), email, None, self._now())
        return tester

    def _group_named(self, name: str) -> Group | None:
        return next((group for group in self._groups.values() if group.name == name), None)

    def _new_group(self, name: str, group_id: int | None = None) -> Group:
        group = Group(group_id or next(self._group_ids), name)
        self._groups[group.id] = group
        return group

    def _named(self, names: Iterable[str | int]) -> list[Group]:
        """Return the groups with these names or, as numbers, ids: how the seed refers to them."""
        found = [self._groups.get(name) if isinstance(name, int) else self._group_named(name) for name in names]
        return [group for group in found if group]

    def _mail(
        self,
        to: str,
        subject: str,
        *,
        groups: Iterable[Group],
        about: tuple[Project, Build] | None = None,
        comment: str = "",
    ) -> None:
        if self._testers[to.lower()].blocked:
            return
        self._outbox.append(
            {
                "to": to,
                "subject": subject,
                "build_id": str(about[1].id) if about else None,
                "project_id": str(about[0].id) if about else None,
                "groups": group_names(groups),
                "comment": comment,
                "at": self._now(),
            }
        )

    def _user_id(self, email: str) -> int:
        """Return v2's `userId`: a tester's own id; other users are numbered in the order of the seed."""
        tester = self._testers.get(email.lower())
        if tester:
            return tester.id
        return [user.email.lower() for user in self._seed.users].index(email.lower()) + 1

    def _record(self, user: User, action: Action, data: dict[str, Any]) -> None:
        self._audits.append(self._audit(user.email, self._now(), action, data))

    def _audit(self, email: str, at: str, action: Action, data: dict[str, Any]) -> Audit:
        return Audit(
            id=next(self._audit_ids),
            timestamp=at,
            site_id=self._seed.enterprise_id,
            site_name=self._seed.company,
            user_id=self._user_id(email),
            user_email=email,
            ip_address=_ADDRESS,
            action=action,
            data=data,
        )


def _effective(settings: Settings, rules: Rules) -> Settings:
    return Settings(**settings.model_dump(exclude=set(rules.ignored_settings)))


# --- permissions --------------------------------------------------------------------------------


def may(user: User, project: Project | None, access: str) -> bool:
    """Check permissions such as `16527:rw` and `*:r`. Only `*` covers a project that does not exist yet (None)."""
    permissions = user.permissions
    if permissions is None:
        permissions = ["*:r"] if user.role == "tester" else ["*:rw"]
    for permission in permissions:
        where, _, what = permission.partition(":")
        here = where == "*" or (project is not None and int(where) == project.id)
        if here and (access == "r" or what == "rw"):
            return True
    return False


def no_tester(user: User) -> None:
    if user.role == "tester":
        _admin_needed()


def account_writer(user: User) -> None:
    """Refuse users who may not change people, webhooks and sites, which belong to no project."""
    no_tester(user)
    if user.permissions is not None and not any(one.endswith(":rw") for one in user.permissions):
        _admin_needed()


def site_writer(user: User) -> None:
    account_writer(user)
    if user.role not in {"account-owner", "account-manager"}:
        raise Refusal(5, "Account owner or account manager role required", 403)


def _admin_needed() -> NoReturn:
    raise Refusal(5, "Admin role required", 403)


# --- values -------------------------------------------------------------------------------------


def ids(taken: Iterable[int | None], first: int) -> itertools.count[int]:
    return itertools.count(max([first - 1, *(one for one in taken if one)]) + 1)


def format_time(at: datetime) -> str:
    return at.strftime(TIME_FORMAT)


def parse_time(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)


def number(text: str) -> int:
    """Read an id; 0, the id of nothing, if the text is not a valid one."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else 0


def items(text: str) -> list[str]:
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def folder_path(text: str) -> str:
    """Normalize a path: `Folder1` and `/Folder1` are the same folder; `/` is the account itself."""
    return ROOT + "/".join(part.strip() for part in text.split("/") if part.strip())


def switched_on(value: str | None) -> bool:
    # Any other value notifies nobody, without an error: docs/reference/api-facts.md#inviting-testers.
    return value in {"on", "1"}


def group_names(groups: Iterable[Group]) -> list[str]:
    return [group.name for group in groups]


def about_build(project: Project, build: Build) -> dict[str, Any]:
    """Return the data that names a build in an audit, as in the sample of `/api/1/audits`."""
    return {
        "projectId": project.id,
        "buildId": build.id,
        "appName": project.name,
        "appVersion": f"{build.version} ({build.version_code})",
    }


def app_file(project: Project, build: Build) -> bytes:
    """Return the uploaded file; for a build of the seed, a sample."""
    if build.content is not None:
        return build.content
    return artifact.sample(project.name, project.package_name, build.version, build.version_code)


def about_file(project: Project, build: Build) -> dict[str, Any]:
    """Return the same with the size of the build's file, for uploads and downloads."""
    return about_build(project, build) | {"filesize": len(app_file(project, build))}
