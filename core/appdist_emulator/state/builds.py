"""Projects and their builds: listing, update, copy, invites, upload, download and deletion.

Where the documents are silent or contradict each other, the emulator decides like this:

- PATCH takes group *names* only, as its table says. Like copy, it ignores unknown names: only the
  reply shows them. Copy and invites take names or ids; a name takes precedence over an equal id.
- Copy: empty groups mean none; the copy's `uploadedAt` is the time of the copy, and its counters
  start at 0. It requires write access to the original's project only.
- Of two groups of the same name, the older one is meant; the other can be named by its id only. White
  space around an item counts if a group is named so.
- An app is a project within a folder: same package, platform and name. An upload without an app name
  goes to the existing project with its package and platform.
- An upload that overwrites a build keeps the tags, notes, groups and metadata that it omits.
- The list of builds is in the order of creation, so that clients cannot rely on the newest being first.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from appdist_emulator import artifact
from appdist_emulator.state.base import (
    ROOT,
    Base,
    about_build,
    about_file,
    app_file,
    folder_path,
    group_names,
    items,
    may,
    no_tester,
    number,
    switched_on,
)
from appdist_emulator.state.records import Action, Build, Project, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from appdist_emulator.seed import LandingPageMode, User
    from appdist_emulator.state.records import Group, Upload

COUNTERS = ("sessions", "crashes", "testers", "feedbacks", "downloads")
_NOTES = ("comment", "release_notes", "changelog")
_GROUPS = ("groups", "app_permission_groups")
_COMPAT_UPDATE = ("comment", "tags")  # all that compat's PATCH documents


class Builds(Base):
    def projects(self, user: User, base: str) -> list[dict[str, Any]]:
        with self._lock:
            return [
                self._project_view(project, base)
                for project in self._projects.values()
                if project.listed and may(user, project, "r")
            ]

    def builds(self, user: User, project_id: str, base: str) -> list[dict[str, Any]]:
        with self._lock:
            project = self._project(user, project_id, "r")
            return [self._shown(project, build, base) for build in project.builds.values() if build.visible]

    def build(self, user: User, project_id: str, build_id: str, base: str) -> dict[str, Any]:
        with self._lock:
            project, build = self._find(user, project_id, build_id, "r")
            return self._shown(project, build, base)

    def download(self, user: User, project_id: str, build_id: str) -> tuple[str, bytes]:
        with self._lock:
            project, build = self._find(user, project_id, build_id, "r")
            ending = "ipa" if project.platform == "iOS" else "apk"
            name = build.filename or f"{artifact.slug(project.name)}-{build.version}.{ending}"
            content = app_file(project, build)
            build.downloads += 1
            build.downloaded_by.add(user.email.lower())
            self._record(user, Action.DOWNLOAD, about_file(project, build) | {"testerEmail": user.email})
            return name, content

    def delete(self, user: User, project_id: str, build_id: str) -> None:
        with self._lock:
            no_tester(user)
            project, build = self._find(user, project_id, build_id, "rw")
            self._remove(project, build)
            self._record(user, Action.DELETE, about_build(project, build))

    def update(self, user: User, project_id: str, build_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Update a build. The reply has all current values, whatever was sent."""
        with self._lock:
            if user.role == "tester":
                raise Refusal(133, "Tester accounts cannot update builds")
            project, build = self._find(user, project_id, build_id, "rw")
            if self._settings.updates != "all":
                fields = {name: value for name, value in fields.items() if name in _COMPAT_UPDATE}
            self._apply(build, fields, r"metadata_(.+)", _GROUPS)
            self._record(user, Action.UPDATE, about_build(project, build))
            values = {
                "metadata": dict(build.metadata),
                "groups": group_names(build.groups),
                "landing_page_mode": build.landing_page_mode,
            }
            return {
                "status": "ok",
                "build_id": str(build.id),
                "tags": list(build.tags),
                "changelog": build.comment,
                **({} if self._settings.updates == "drop-and-hide" else values),
            }

    def copy(self, user: User, project_id: str, build_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Copy into a folder, which has projects of its own (docs/reference/api-facts.md#copying-a-build)."""
        with self._lock:
            no_tester(user)
            source, build = self._find(user, project_id, build_id, "rw")
            folder = folder_path(fields.get("folder_name", ""))
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
            target = self._project_for(folder, source.package_name, source.platform, name)
            _add(target.groups, project_groups)
            copied = Build(
                id=next(self._build_ids),
                version=build.version,
                version_code=build.version_code,
                uploaded_at=self._now(),
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
            more = {"folderPath": folder, "copyBuildId": copied.id}
            self._record(user, Action.COPY, about_build(source, build) | more)
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
            no_tester(user)
            project, build = self._find(user, project_id, build_id, "rw")
            whom = self._settings.invites
            if whom == "groups":
                groups = self._invited_groups(build, fields.get("groups", ""))
                emails = _members(groups)
            else:
                groups, emails = self._everybody(project)
            comment = fields.get("comment", "")
            notify = whom == "everybody-always" or switched_on(fields.get("notify"))
            self._invitations.append(
                {
                    "build_id": str(build.id),
                    "project_id": str(project.id),
                    "groups": group_names(groups),
                    "testers": emails,
                    "comment": comment,
                    "notify": notify,
                    "by": user.email,
                    "at": self._now(),
                }
            )
            if notify:
                self._mail_build(project, build, groups, emails, comment)
            more = {"emails": list(emails), "groups": group_names(groups)}
            self._record(user, Action.INVITE, about_build(project, build) | more)

    def upload(self, user: User, file: Upload, fields: Mapping[str, str], base: str) -> dict[str, Any]:
        """Store a file as a build. The emulator's own fields say what it cannot read from the file.

        Source: docs/reference/api-facts.md#uploading.
        """
        with self._lock:
            no_tester(user)
            try:
                what = artifact.inspect(file.filename, file.content, fields)
            except artifact.EmptyFileError:
                raise Refusal(112, "The file is empty") from None
            except artifact.TypeNotAcceptedError:
                raise Refusal(121, "File type is not accepted") from None
            except artifact.InvalidFileError:
                raise Refusal(105, "Invalid file") from None
            delay = _seconds(fields.get("visible_after", "0"))
            folder = folder_path(fields.get("folder_name", ""))
            project = self._existing_project(folder, what)
            if not may(user, project, "rw"):
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
            # May refuse, so before any other change.
            self._apply(build, fields, r"metadata[_.](.+)", self._rules.upload_groups)
            build.auto_update |= "on" in {fields.get(name) for name in self._rules.auto_update}
            if project is None:
                project = self._project_for(
                    folder, what.package_name, what.platform, what.app_name or what.fallback_name
                )
            if build.id == 0:
                build.id = next(self._build_ids)
                project.builds[build.id] = build
            build.uploaded_at = self._now()
            build.uploaded_via = "API"
            build.visible_at = time.monotonic() + delay if delay else 0.0
            build.filename = re.split(r"[/\\]", file.filename)[-1]
            build.content = file.content
            build.symbols = file.symbols
            if switched_on(fields.get("notify")):
                self._mail_build(project, build, build.groups, _members(build.groups), build.comment)
            self._record(user, Action.UPLOAD, about_file(project, build))
            return self._upload_view(project, build, base)

    # --- inside; the lock is held -----------------------------------------------------------------

    def _remove(self, project: Project, build: Build) -> None:
        # Its sessions, crashes and feedbacks are part of the build and deleted with it.
        del project.builds[build.id]
        if not project.builds:
            # The project is deleted with its last build: docs/reference/api-facts.md#deleting-a-build.
            del self._projects[project.id]

    def _invited_groups(self, build: Build, text: str) -> list[Group]:
        """Give these groups access to the build. Raises Refusal if there are none, or an unknown one."""
        if not items(text):
            raise Refusal(1, "Missing or invalid parameter: groups")
        groups, _, unknown = self._resolve(text, [])
        if unknown:
            raise Refusal(404, "group not found", 404)
        _add(build.groups, groups)
        return groups

    def _everybody(self, project: Project) -> tuple[list[Group], list[str]]:
        """Return the groups with access to the app or any of its builds, and the app's testers."""
        groups = list(project.groups)
        for build in project.builds.values():
            _add(groups, build.groups)
        if any(build.allow_all_testers for build in project.builds.values()):
            return groups, [tester.email for tester in self._testers.values()]
        return groups, _members(groups)

    def _apply(self, build: Build, fields: Mapping[str, str], metadata: str, groups: Sequence[str]) -> None:
        """Set the fields that PATCH and upload share. An empty field clears the value."""
        mode = fields.get("landing_page_mode")
        if mode is not None:
            build.landing_page_mode = self._mode(mode)
        for name in reversed(_NOTES):  # `comment`, the documented name, takes precedence
            if name in fields:
                build.comment = fields[name]
        if "tags" in fields:
            build.tags = items(fields["tags"])
        for name in reversed(groups):
            if name in fields:
                build.groups = [group for item in _pieces(fields[name]) if (group := self._group_spelled(item))]
        for name, value in fields.items():
            if key := re.fullmatch(metadata, name, re.DOTALL):
                build.metadata[key[1]] = value

    def _mode(self, mode: str) -> LandingPageMode:
        if mode == "closed":
            return "closed"
        if mode != "open":
            raise Refusal(135, "Invalid landing_page_mode")
        if self._settings.require_login:
            raise Refusal(156, "Cannot set landing_page_mode to open when login is required")
        return "open"

    def _existing_project(self, folder: str, what: artifact.Artifact) -> Project | None:
        for project in self._projects.values():
            same = (project.folder, project.package_name, project.platform) == (
                folder,
                what.package_name,
                what.platform,
            )
            if same and what.app_name in {None, project.name}:
                return project
        return None

    def _project_for(self, folder: str, package_name: str, platform: str, name: str) -> Project:
        """Return the project of this app in this folder; create both if missing."""
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

    def _resolve(self, text: str | None, default: list[Group]) -> tuple[list[Group], list[str], list[str]]:
        """Return the groups with these names or ids, then the valid and the invalid items as written."""
        if text is None:
            return list(default), group_names(default), []
        groups: list[Group] = []
        valid: list[str] = []
        invalid: list[str] = []
        for item in _pieces(text):
            group = self._group_spelled(item) or self._groups.get(number(item.strip()))
            if group is None:
                invalid.append(item.strip())
            else:
                valid.append(item if item == group.name else item.strip())
                _add(groups, [group])
        return groups, valid, invalid

    def _group_spelled(self, item: str) -> Group | None:
        """Return the group with exactly this name, else with this name without the white space around it."""
        return self._group_named(item) or self._group_named(item.strip())

    def _mail_build(self, project: Project, build: Build, groups: list[Group], emails: list[str], comment: str) -> None:
        subject = f"{project.name} {build.version} ({build.version_code}) is ready to test"
        for email in emails:
            self._mail(email, subject, groups=groups, about=(project, build), comment=comment)

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
        more: dict[str, Any] = {
            "folderName": project.folder,
            "folderPath": project.folder,
            "groups": group_names(project.groups),
        }
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
            **{counter: getattr(build, counter) for counter in COUNTERS},
            "uploadedAt": build.uploaded_at,
            "uploadedVia": build.uploaded_via,
            "hasTestFairySdk": build.has_testfairy_sdk,
            "insightsEnabled": build.insights_enabled,
            "videoEnabled": build.video_enabled,
        }
        if self._shows:
            more: dict[str, Any] = {
                **view,
                "comment": build.comment,
                "folderPath": project.folder,
                "groups": group_names(build.groups),
                "isDistributionEnabled": True,
                "metadata": dict(build.metadata),
                "packageName": project.package_name,
                "platform": project.platform,
                "tags": list(build.tags),
            }
            view.update((name, more[name]) for name in self._shows)
        return view

    def _shown(self, project: Project, build: Build, base: str) -> dict[str, Any]:
        shown = build.shows_instead
        view = self._build_view(project, build, base) | shown
        missing = {*self._lacks, *(name for name, value in shown.items() if value == "missing")}
        return {name: value for name, value in view.items() if name not in missing}

    def _build_snapshot(
        self, project: Project, build: Build, base: str, invitations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        return {
            **self._build_view(project, build, base),
            "folderPath": project.folder,
            "changelog": build.comment,
            "tags": list(build.tags),
            "metadata": dict(build.metadata),
            "groups": group_names(build.groups),
            "allowAllTesters": build.allow_all_testers,
            "invitations": [dict(one) for one in invitations],
            "visible": build.visible,
            "fileSize": len(build.content) if build.content is not None else None,
            "autoUpdate": build.auto_update,
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


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise Refusal(1, "Missing or invalid parameter: visible_after")
    return seconds


def _members(groups: Iterable[Group]) -> list[str]:
    """Return the testers of these groups; one in two of them once."""
    return list(dict.fromkeys(email for group in groups for email in group.members))


def _pieces(text: str) -> list[str]:
    """Split a list of group names, whose white space may be part of them. None twice."""
    return list(dict.fromkeys(piece for piece in text.split(",") if piece.strip()))


def _add(groups: list[Group], more: Iterable[Group]) -> None:
    groups.extend(group for group in more if group not in groups)
