"""The account: projects, builds, folders, testers, and the rules of the service. No HTTP here.

Sources are the two vendor documents and facts.md. Where they are silent, or say two things, the
emulator decides like this:

- A project or build id that does not exist, or a build of another project, is "1, missing or
  invalid parameter / build id" with HTTP 400 (facts.md part 4); 404 as a code means a group.
- A project the user may not read or write is code 99 with HTTP 403; a tester account that does
  more than read is code 5 with HTTP 403, but 133 with HTTP 400 where it updates a build.
- PATCH takes group *names* only, as its table says, and ignores names that no group has, as copy
  does: only the reply tells. Copy and invites take names or ids; a name wins over an equal id.
- Copy: given but empty groups mean none; the copy's `uploadedAt` is the time of the copy, and its
  counters start at 0. It needs write access to the original's project only.
- One app is one project within a folder: same package, platform and name. An upload that names no
  app goes to the project that has its package and platform already.
- An upload that overwrites a build keeps tags, notes, groups and metadata it does not give anew.
- The list of builds is in the order of creation, so that nobody relies on the newest being first.
- Times are UTC.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from appdist_emulator import artifact
from appdist_emulator.seed import TIME_FORMAT, RejectedToken, User, parse_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from appdist_emulator.seed import LandingPageMode, Seed

ROOT = "/"
_COUNTERS = ("sessions", "crashes", "testers", "feedbacks", "downloads")
_NOTES = ("comment", "release_notes", "changelog")
_GROUPS = ("groups", "app_permission_groups")


class Refusal(Exception):  # an answer of the service, not a failure of the emulator
    """The service says no: facts.md part 4. Messages are constant, so they cannot hold a secret."""

    def __init__(self, code: int, message: str, http: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http = http


@dataclass(frozen=True, slots=True)
class Upload:
    filename: str
    content: bytes
    symbols: str  # the name of the symbols file, if there was one


@dataclass(slots=True)
class Group:
    id: int
    name: str
    members: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tester:
    email: str
    last_login: str | None
    created_at: str


@dataclass(slots=True)
class Build:
    id: int
    version: str
    version_code: str
    uploaded_at: str
    uploaded_via: str
    landing_page_mode: str
    comment: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    allow_all_testers: bool = False
    sessions: int = 0
    crashes: int = 0
    testers: int = 0
    feedbacks: int = 0
    downloads: int = 0
    has_testfairy_sdk: bool = False
    insights_enabled: bool = False
    video_enabled: bool = False
    filename: str = ""
    content: bytes | None = None
    symbols: str = ""
    visible_at: float = 0.0

    @property
    def visible(self) -> bool:
        return self.visible_at <= time.monotonic()


@dataclass(slots=True)
class Project:
    id: int
    name: str
    package_name: str
    platform: str
    folder: str
    landing_page_mode: str
    groups: list[Group] = field(default_factory=list)
    builds: dict[int, Build] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/projects/{self.id}-{artifact.slug(self.name)}"

    @property
    def listed(self) -> bool:
        # A project that only waits for its first build to show up does not show up either.
        return not self.builds or any(build.visible for build in self.builds.values())


class Account:
    """One company's account. Every public method is one request: it locks, checks, then acts.

    Nothing is changed by a request that is refused.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        seed = parse_seed(data)
        self._lock = threading.RLock()
        self._seed = seed
        self._started = _now()
        self._users = {user.email.lower(): user for user in seed.users}
        self._groups: dict[int, Group] = {}
        self._testers: dict[str, Tester] = {}
        self._folders: dict[str, None] = {}
        self._projects: dict[int, Project] = {}
        self._invitations: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self._group_ids = _ids((group.id for group in seed.groups), 1)
        self._project_ids = _ids((project.id for project in seed.projects), 6800001)
        self._build_ids = _ids((build.id for project in seed.projects for build in project.builds), 8800001)
        self._grow(seed)

    # --- who asks -----------------------------------------------------------------------------

    def user_of_key(self, email: str, api_key: str) -> User:
        """HTTP Basic `email:api-key` (rest-api-saucelabs, Authentication)."""
        user = self._users.get(email.lower())
        if user is None or user.api_key != api_key:
            # Code and text from facts.md part 4; the same for both, as they must not tell which.
            raise Refusal(104, "User not found", 401)
        return user

    def user_of_token(self, token: str | None, config_key: str | None) -> User:
        """OIDC: a bearer token and the organisation's config key (facts.md part 3)."""
        oidc = self._seed.oidc
        if config_key is None:
            raise Refusal(104, "X-OIDC-Config-Key header required", 401)
        if oidc is None:
            raise Refusal(104, "OIDC not enabled for this organization", 401)
        if config_key != oidc.config_key:
            raise Refusal(104, "Invalid config key", 401)
        known = oidc.tokens.get(token or "")
        if isinstance(known, RejectedToken):
            raise Refusal(104, known.error, 401)
        if known is None:
            raise Refusal(104, "Invalid token signature", 401)
        return self._users[known.lower()]

    def user_of_upload_key(self, api_key: str) -> User:
        """Know the user by the upload's `api_key` field, which comes without an e-mail (facts.md part 7)."""
        for user in self._users.values():
            if api_key and user.api_key == api_key:
                return user
        raise Refusal(5, "Invalid API key", 200)

    def secrets(self) -> set[str]:
        """Everything that no log may show."""
        found = {user.api_key for user in self._users.values()}
        if self._seed.oidc:
            found |= {self._seed.oidc.config_key, *self._seed.oidc.tokens}
        return found

    # --- projects and builds ------------------------------------------------------------------

    def projects(self, user: User, base: str) -> list[dict[str, Any]]:
        with self._lock:
            return [
                self._project_view(project, base)
                for project in self._projects.values()
                if project.listed and _may(user, project, "r")
            ]

    def builds(self, user: User, project_id: str, base: str) -> list[dict[str, Any]]:
        with self._lock:
            project = self._project(user, project_id, "r")
            return [self._build_view(project, build, base) for build in project.builds.values() if build.visible]

    def build(self, user: User, project_id: str, build_id: str, base: str) -> dict[str, Any]:
        with self._lock:
            project, build = self._find(user, project_id, build_id, "r")
            return self._build_view(project, build, base)

    def download(self, user: User, project_id: str, build_id: str) -> tuple[str, bytes]:
        with self._lock:
            project, build = self._find(user, project_id, build_id, "r")
            build.downloads += 1
            ending = "ipa" if project.platform == "iOS" else "apk"
            name = build.filename or f"{artifact.slug(project.name)}-{build.version}.{ending}"
            content = build.content
            if content is None:
                content = artifact.sample(project.name, project.package_name, build.version, build.version_code)
            return name, content

    def delete(self, user: User, project_id: str, build_id: str) -> None:
        with self._lock:
            _no_tester(user)
            project, build = self._find(user, project_id, build_id, "rw")
            del project.builds[build.id]
            if not project.builds:
                # rest-api-testfairy: "When all builds of a project have been deleted, the project
                # itself is removed".
                del self._projects[project.id]

    def update(self, user: User, project_id: str, build_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """PATCH of a build: the reply has all current values, whatever was sent."""
        with self._lock:
            if user.role == "tester":
                raise Refusal(133, "Tester accounts cannot update builds")
            _, build = self._find(user, project_id, build_id, "rw")
            self._apply(build, fields, r"metadata_(.+)")
            return {
                "status": "ok",
                "build_id": str(build.id),
                "tags": list(build.tags),
                "metadata": dict(build.metadata),
                "changelog": build.comment,
                "groups": _names(build.groups),
                "landing_page_mode": build.landing_page_mode,
            }

    def copy(self, user: User, project_id: str, build_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Copy into a folder, which holds apps of its own (facts.md parts 5 and 6)."""
        with self._lock:
            _no_tester(user)
            source, build = self._find(user, project_id, build_id, "rw")
            folder = _folder(fields.get("folder_name", ""))
            if folder == ROOT:
                raise Refusal(1, "Missing or invalid parameter: folder_name")
            allow_all = fields.get("allowAllTesters")
            if allow_all not in {None, "0", "1"}:
                raise Refusal(1, "Missing or invalid parameter: allowAllTesters")
            groups, assigned, invalid = self._resolve(fields.get("groups"), build.groups)
            project_groups, assigned_project, invalid_project = self._resolve(
                fields.get("projectGroups"), source.groups
            )
            name = fields.get("app_name", "").strip() or source.name
            target = self._home(folder, source.package_name, source.platform, name)
            _add(target.groups, project_groups)
            copied = Build(
                id=next(self._build_ids),
                version=build.version,
                version_code=build.version_code,
                uploaded_at=_now(),
                uploaded_via=build.uploaded_via,
                landing_page_mode=build.landing_page_mode,
                comment=build.comment,
                tags=list(build.tags),
                metadata=dict(build.metadata),
                groups=groups,
                allow_all_testers=build.allow_all_testers if allow_all is None else allow_all == "1",
                has_testfairy_sdk=build.has_testfairy_sdk,
                insights_enabled=build.insights_enabled,
                video_enabled=build.video_enabled,
                filename=build.filename,
                content=build.content,
                symbols=build.symbols,
            )
            target.builds[copied.id] = copied
            return {
                "status": "ok",
                "build_id": str(copied.id),
                "folder_path": folder,
                "app_name": target.name,
                "assigned_groups": assigned,
                "invalid_groups": invalid,
                "assigned_project_groups": assigned_project,
                "invalid_project_groups": invalid_project,
            }

    def invite(self, user: User, project_id: str, build_id: str, fields: Mapping[str, str]) -> None:
        with self._lock:
            _no_tester(user)
            project, build = self._find(user, project_id, build_id, "rw")
            wanted = _items(fields.get("groups", ""))
            if not wanted:
                raise Refusal(1, "Missing or invalid parameter: groups")
            groups, _, unknown = self._resolve(fields["groups"], [])
            if unknown:
                raise Refusal(404, "group not found", 404)
            _add(build.groups, groups)
            comment = fields.get("comment", "")
            notify = _switched_on(fields.get("notify"))
            self._invitations.append(
                {
                    "build_id": str(build.id),
                    "project_id": str(project.id),
                    "groups": _names(groups),
                    "comment": comment,
                    "notify": notify,
                    "by": user.email,
                    "at": _now(),
                }
            )
            if notify:
                self._mail_build(project, build, groups, comment)

    def upload(self, user: User, file: Upload, fields: Mapping[str, str], base: str) -> dict[str, Any]:
        """POST /api/upload/ (facts.md part 7), with the emulator's own fields for what it cannot read."""
        with self._lock:
            _no_tester(user)
            try:
                what = artifact.inspect(file.filename, file.content, fields)
            except artifact.EmptyFileError:
                raise Refusal(112, "The file is empty") from None
            except artifact.TypeNotAcceptedError:
                raise Refusal(121, "File type is not accepted") from None
            except artifact.InvalidFileError:
                raise Refusal(105, "Invalid file") from None
            delay = _seconds(fields.get("visible_after", "0"))
            folder = _folder(fields.get("folder_name", ""))
            project = self._app(folder, what)
            if not _may(user, project, "rw"):
                raise Refusal(99, "No permissions", 403)
            build = Build(
                id=0,
                version=what.version,
                version_code=what.version_code,
                uploaded_at="",
                uploaded_via="API",
                landing_page_mode="closed",
            )
            for older in project.builds.values() if project else ():
                if (older.version, older.version_code) == (what.version, what.version_code):
                    build = older
            self._apply(build, fields, r"metadata[_.](.+)")  # refuses before anything is changed
            if project is None:
                project = self._home(folder, what.package_name, what.platform, what.app_name or what.fallback_name)
            if build.id == 0:
                build.id = next(self._build_ids)
                project.builds[build.id] = build
            build.uploaded_at = _now()
            build.uploaded_via = "API"
            build.visible_at = time.monotonic() + delay if delay else 0.0
            build.filename = re.split(r"[/\\]", file.filename)[-1]
            build.content = file.content
            build.symbols = file.symbols
            if _switched_on(fields.get("notify")):
                self._mail_build(project, build, build.groups, build.comment)
            return self._upload_view(project, build, base)

    # --- testers and groups -------------------------------------------------------------------

    def testers(self, user: User) -> list[dict[str, Any]]:
        with self._lock:
            _no_tester(user)
            return [
                {
                    "email": tester.email,
                    "groups": [
                        {"id": group.id, "name": group.name}
                        for group in self._groups.values()
                        if tester.email in group.members
                    ],
                    "lastLogin": tester.last_login,
                    "createdAt": tester.created_at,
                }
                for tester in self._testers.values()
            ]

    def add_testers(self, user: User, fields: Mapping[str, str]) -> None:
        with self._lock:
            _people_writer(user)
            emails = _items(fields.get("email", ""))
            if any("@" not in email for email in emails):
                raise Refusal(1, "Missing or invalid parameter: email")
            name = fields.get("group", "").strip()
            group = (self._group_named(name) or self._new_group(name)) if name else None
            for email in emails:
                tester = self._tester(email)
                if group and tester.email not in group.members:
                    group.members.append(tester.email)
                if _switched_on(fields.get("notify")):
                    subject = f"Welcome to {self._seed.company}".strip()
                    self._mail(tester.email, subject, groups=[group] if group else [])

    def groups(self, user: User) -> list[dict[str, Any]]:
        """Members are a list in a list, as in the documents' sample (facts.md part 6)."""
        with self._lock:
            _no_tester(user)
            return [
                {"id": group.id, "name": group.name, "testers": [[{"email": one} for one in group.members]]}
                for group in self._groups.values()
            ]

    def add_group(self, user: User, fields: Mapping[str, str]) -> dict[str, Any]:
        with self._lock:
            _people_writer(user)
            name = fields.get("groupName", "").strip()
            if not name:
                raise Refusal(1, "Missing or invalid parameter: groupName")
            if self._group_named(name):
                raise Refusal(2, "Group already exists")
            group = self._new_group(name)
            return {"status": "ok", "id": str(group.id), "name": group.name}

    # --- for tests and demos ------------------------------------------------------------------

    def snapshot(self, base: str) -> dict[str, Any]:
        """Everything the account holds but its keys, hidden builds included."""
        with self._lock:
            return {
                "company": self._seed.company,
                "requireLogin": self._seed.settings.require_login,
                "folders": list(self._folders),
                "projects": [
                    {
                        **self._project_view(project, base),
                        "folderPath": project.folder,
                        "groups": _names(project.groups),
                        "builds": [self._build_snapshot(project, build, base) for build in project.builds.values()],
                    }
                    for project in self._projects.values()
                ],
                "groups": [
                    {"id": group.id, "name": group.name, "testers": list(group.members)}
                    for group in self._groups.values()
                ],
                "testers": [tester.email for tester in self._testers.values()],
                "invitations": list(self._invitations),
                "outbox": self.outbox(),
            }

    def outbox(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._outbox)

    # --- inside; the lock is held -------------------------------------------------------------

    def _grow(self, seed: Seed) -> None:
        for tester in seed.testers:
            self._testers[tester.email.lower()] = Tester(
                tester.email, tester.last_login, tester.created_at or self._started
            )
        for group in seed.groups:
            grown = self._new_group(group.name, group.id)
            grown.members = list(dict.fromkeys(self._tester(email).email for email in group.testers))
        for folder in seed.folders:
            self._add_folder(_folder(folder))
        for wanted in seed.projects:
            project = Project(
                id=wanted.id or next(self._project_ids),
                name=wanted.name,
                package_name=wanted.package_name,
                platform=wanted.platform,
                folder=_folder(wanted.folder),
                landing_page_mode=wanted.landing_page_mode,
                groups=self._named(wanted.groups),
            )
            self._add_folder(project.folder)
            self._projects[project.id] = project
            for build in wanted.builds:
                values = build.model_dump(exclude={"id", "groups", "uploaded_at", "visible_after"})
                number = build.id or next(self._build_ids)
                project.builds[number] = Build(
                    **values,
                    id=number,
                    groups=self._named(build.groups),
                    uploaded_at=build.uploaded_at or self._started,
                    visible_at=time.monotonic() + build.visible_after if build.visible_after else 0.0,
                )

    def _project(self, user: User, project_id: str, access: str) -> Project:
        # "19-groupshot": the number counts, the rest is for people.
        match = re.fullmatch(r"([0-9]{1,18})(?:-.*)?", project_id)
        project = self._projects.get(int(match[1])) if match else None
        if project is None:
            raise Refusal(1, "Missing or invalid project-id")
        if not _may(user, project, access):
            raise Refusal(99, "No permissions", 403)
        return project

    def _find(self, user: User, project_id: str, build_id: str, access: str) -> tuple[Project, Build]:
        project = self._project(user, project_id, access)
        known = re.fullmatch("[0-9]{1,18}", build_id)
        build = project.builds.get(int(build_id)) if known else None
        if build is None or not build.visible:
            raise Refusal(1, "Missing or invalid build-id")
        return project, build

    def _apply(self, build: Build, fields: Mapping[str, str], metadata: str) -> None:
        """Set what PATCH and upload can both set. A field that is given but empty clears."""
        mode = fields.get("landing_page_mode")
        if mode is not None:
            build.landing_page_mode = self._mode(mode)
        for name in reversed(_NOTES):  # `comment`, the documented name, has the last word
            if name in fields:
                build.comment = fields[name]
        if "tags" in fields:
            build.tags = _items(fields["tags"])
        for name in reversed(_GROUPS):
            if name in fields:
                build.groups = self._named(_items(fields[name]))
        for name, value in fields.items():
            if key := re.fullmatch(metadata, name, re.DOTALL):
                build.metadata[key[1]] = value

    def _mode(self, mode: str) -> LandingPageMode:
        if mode == "closed":
            return "closed"
        if mode != "open":
            raise Refusal(135, "Invalid landing_page_mode")
        if self._seed.settings.require_login:
            raise Refusal(156, "Cannot set landing_page_mode to open when login is required")
        return "open"

    def _app(self, folder: str, what: artifact.Artifact) -> Project | None:
        for project in self._projects.values():
            same = (project.folder, project.package_name, project.platform) == (
                folder,
                what.package_name,
                what.platform,
            )
            if same and what.app_name in {None, project.name}:
                return project
        return None

    def _home(self, folder: str, package_name: str, platform: str, name: str) -> Project:
        """Find the project of that app in that folder; make it and the folder when missing."""
        for project in self._projects.values():
            if (project.folder, project.package_name, project.platform, project.name) == (
                folder,
                package_name,
                platform,
                name,
            ):
                return project
        self._add_folder(folder)
        project = Project(next(self._project_ids), name, package_name, platform, folder, "closed")
        self._projects[project.id] = project
        return project

    def _add_folder(self, path: str) -> None:
        parts = [part for part in path.split("/") if part]
        for depth in range(1, len(parts) + 1):
            self._folders.setdefault(ROOT + "/".join(parts[:depth]))

    def _tester(self, email: str) -> Tester:
        return self._testers.setdefault(email.lower(), Tester(email, None, _now()))

    def _group_named(self, name: str) -> Group | None:
        return next((group for group in self._groups.values() if group.name == name), None)

    def _new_group(self, name: str, number: int | None = None) -> Group:
        group = Group(number or next(self._group_ids), name)
        self._groups[group.id] = group
        return group

    def _named(self, names: Iterable[str]) -> list[Group]:
        found = [self._group_named(name) for name in names]
        return [group for group in found if group]

    def _resolve(self, given: str | None, otherwise: list[Group]) -> tuple[list[Group], list[str], list[str]]:
        """Names or ids to groups; then what was good and what was not, as it was written."""
        if given is None:
            return list(otherwise), _names(otherwise), []
        groups: list[Group] = []
        good: list[str] = []
        bad: list[str] = []
        for item in _items(given):
            group = self._group_named(item)
            if group is None and re.fullmatch("[0-9]{1,18}", item):
                group = self._groups.get(int(item))
            if group is None:
                bad.append(item)
            else:
                good.append(item)
                _add(groups, [group])
        return groups, good, bad

    def _mail_build(self, project: Project, build: Build, groups: list[Group], comment: str) -> None:
        subject = f"{project.name} {build.version} ({build.version_code}) is ready to test"
        # Somebody who is in two of the groups gets one mail.
        for email in dict.fromkeys(email for group in groups for email in group.members):
            self._mail(email, subject, groups=groups, about=(project, build), comment=comment)

    def _mail(
        self,
        to: str,
        subject: str,
        *,
        groups: Iterable[Group],
        about: tuple[Project, Build] | None = None,
        comment: str = "",
    ) -> None:
        self._outbox.append(
            {
                "to": to,
                "subject": subject,
                "build_id": str(about[1].id) if about else None,
                "project_id": str(about[0].id) if about else None,
                "groups": _names(groups),
                "comment": comment,
                "at": _now(),
            }
        )

    def _project_view(self, project: Project, base: str) -> dict[str, Any]:
        view: dict[str, Any] = {
            "id": str(project.id),
            "self": project.path,
            "name": project.name,
            "packageName": project.package_name,
            "platform": project.platform,
            "icon": f"{base}/icons/{project.id}.png",
            "landingPageMode": project.landing_page_mode,
        }
        more: dict[str, Any] = {"folderPath": project.folder, "groups": _names(project.groups)}
        view.update((name, more[name]) for name in self._seed.shows.project)
        return view

    def _build_view(self, project: Project, build: Build, base: str) -> dict[str, Any]:
        view: dict[str, Any] = {
            "id": str(build.id),
            "self": f"{project.path}/builds/{build.id}",
            "projectId": str(project.id),
            "appName": project.name,
            "appVersion": build.version,
            "appVersionCode": build.version_code,
            "appDisplayName": f"{project.name} - {build.version} ({build.version_code})",
            "iconUrl": f"{base}/icons/{project.id}.png",
            "appUrl": f"{base}/api/1/projects/{project.id}/builds/{build.id}/download/",
            "landingPageMode": build.landing_page_mode,
            **{counter: getattr(build, counter) for counter in _COUNTERS},
            "uploadedAt": build.uploaded_at,
            "uploadedVia": build.uploaded_via,
            "hasTestFairySdk": build.has_testfairy_sdk,
            "insightsEnabled": build.insights_enabled,
            "videoEnabled": build.video_enabled,
        }
        shown = self._seed.shows.build
        if shown:
            more: dict[str, Any] = {
                "comment": build.comment,
                "folderPath": project.folder,
                "groups": _names(build.groups),
                "isDistributionEnabled": True,
                "metadata": dict(build.metadata),
                "packageName": project.package_name,
                "platform": project.platform,
                "tags": list(build.tags),
            }
            view.update((name, more[name]) for name in shown)
        return view

    def _build_snapshot(self, project: Project, build: Build, base: str) -> dict[str, Any]:
        return {
            **self._build_view(project, build, base),
            "folderPath": project.folder,
            "changelog": build.comment,
            "tags": list(build.tags),
            "metadata": dict(build.metadata),
            "groups": _names(build.groups),
            "allowAllTesters": build.allow_all_testers,
            "invitations": [one for one in self._invitations if one["build_id"] == str(build.id)],
            "visible": build.visible,
            "fileSize": len(build.content) if build.content is not None else None,
        }

    def _upload_view(self, project: Project, build: Build, base: str) -> dict[str, Any]:
        page = f"{base}{project.path}/builds/{build.id}"
        download = f"{base}/api/1/projects/{project.id}/builds/{build.id}/download/"
        return {
            "status": "ok",
            "build_id": str(build.id),
            "project_id": str(project.id),
            "app_name": project.name,
            "app_version": build.version,
            "file_size": len(build.content or b""),
            "build_url": page,
            "download_page_url": f"{page}/download",
            "app_url": download,
            "invite_testers_url": f"{page}/invite",
            "icon_url": f"{base}/icons/{project.id}.png",
            "options": "",
            "platform": project.platform,
            "tags": list(build.tags),
            "metadata": dict(build.metadata),
            "has_testfairy_sdk": build.has_testfairy_sdk,
            "symbols_download_url": f"{page}/symbols/{build.symbols}" if build.symbols else "",
            "attachments": [],
            "landing_page_url": f"{base}/landing/{project.id}",
            "build_specific_landing_page_url": f"{base}/landing/{project.id}/{build.id}",
            "landing_page_mode": build.landing_page_mode,
        }


def _ids(given: Iterable[int | None], first: int) -> itertools.count[int]:
    return itertools.count(max([first - 1, *(number for number in given if number)]) + 1)


def _now() -> str:
    return datetime.now(UTC).strftime(TIME_FORMAT)


def _items(text: str) -> list[str]:
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _folder(text: str) -> str:
    """`Folder1` and `/Folder1` are the same folder; `/` is the account itself."""
    return ROOT + "/".join(part.strip() for part in text.split("/") if part.strip())


def _switched_on(value: str | None) -> bool:
    # facts.md part 5: any other value silently notifies nobody.
    return value in {"on", "1"}


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise Refusal(1, "Missing or invalid parameter: visible_after")
    return seconds


def _names(groups: Iterable[Group]) -> list[str]:
    return [group.name for group in groups]


def _add(groups: list[Group], more: Iterable[Group]) -> None:
    groups.extend(group for group in more if group not in groups)


def _may(user: User, project: Project | None, access: str) -> bool:
    """`16527:rw`, `*:r` and so on; a project that is yet to be made is covered by `*` alone."""
    permissions = user.permissions
    if permissions is None:
        permissions = ["*:r"] if user.role == "tester" else ["*:rw"]
    for permission in permissions:
        where, _, what = permission.partition(":")
        here = where == "*" or (project is not None and int(where) == project.id)
        if here and (access == "r" or what == "rw"):
            return True
    return False


def _no_tester(user: User) -> None:
    if user.role == "tester":
        _admin_needed()


def _people_writer(user: User) -> None:
    _no_tester(user)
    if user.permissions is not None and not any(one.endswith(":rw") for one in user.permissions):
        _admin_needed()


def _admin_needed() -> NoReturn:
    raise Refusal(5, "Admin role required", 403)
