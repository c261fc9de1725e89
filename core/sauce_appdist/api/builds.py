"""Builds that pipelines uploaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import ConfigDict, Field

from sauce_appdist.api import Resource, choice, flag, form_fields, joined, line, path, prose
from sauce_appdist.errors import InputError
from sauce_appdist.models import FOLDER, ApiModel, Counter, Id, Moment, Names, PhpObject, RefusedNames, Reply, has_field
from sauce_appdist.text import one_line

if TYPE_CHECKING:
    import builtins
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sauce_appdist.api import Empty


# A classic server may show what the newer one documents, such as tags: that alone proves nothing.
_NEWER_FIELDS = ("platform", "comment", "tags", "fileName", "installsCount", "releaseNotes", "installLink")
_CLASSIC_FIELDS = (
    *("self", "landingPageMode", "sessions", "crashes", "testers", "feedbacks"),
    *("hasTestFairySdk", "insightsEnabled", "videoEnabled"),
)


class Build(ApiModel):
    """An uploaded build.

    `uploaded_at` is naive: the documents name no time zone. `tags`, `comment`, `platform`, `package_name`, `folder`
    and every counter are None if the server does not show them.
    """

    id: Id
    self_path: str | None = Field(None, alias="self")
    project_id: str | None = None
    app_name: str | None = None
    app_version: str | None = None
    app_version_code: str | None = None
    app_display_name: str | None = None
    icon_url: str | None = None
    app_url: str | None = None
    landing_page_mode: str | None = None
    sessions: Counter = None
    crashes: Counter = None
    testers: Counter = None
    feedbacks: Counter = None
    downloads: Counter = None
    uploaded_at: Moment = None
    uploaded_via: str | None = None
    has_test_fairy_sdk: bool | None = None
    insights_enabled: bool | None = None
    video_enabled: bool | None = None
    platform: str | None = None
    package_name: str | None = None
    comment: str | None = None
    tags: Names | None = None
    folder: str | None = Field(None, validation_alias=FOLDER)


class ReplyWithBuilds(Reply):
    """A reply that shows builds with all their fields."""

    @classmethod
    def of_newer_server(cls, body: bytes) -> bool:
        """Which fields only one of the servers has: docs/reference/api-facts.md#build-fields."""
        return has_field(body, "isDistributionEnabled") or (
            has_field(body, *_NEWER_FIELDS) and not has_field(body, *_CLASSIC_FIELDS)
        )


class BuildsReply(ReplyWithBuilds):
    builds: list[Build]


class BuildReply(ReplyWithBuilds):
    build: Build


class UpdatedBuild(Reply):
    """The build after an update: the only documented response with tags, release notes and groups."""

    model_config = ConfigDict(alias_generator=None)

    build_id: str | None = None
    tags: Names | None = None
    metadata: Annotated[dict[str, Any], PhpObject] | None = None
    changelog: str | None = None
    groups: Names | None = None
    landing_page_mode: str | None = None


class CopiedBuild(Reply):
    """The response to a copy: the id of the new build, but not of its project."""

    model_config = ConfigDict(alias_generator=None)

    build_id: Id
    folder_path: str | None = None
    app_name: str | None = None
    assigned_groups: Names | None = None
    invalid_groups: RefusedNames | None = None
    assigned_project_groups: Names | None = None
    invalid_project_groups: RefusedNames | None = None


class Download(NamedTuple):
    """A downloaded file: its path, and its size in bytes."""

    path: Path
    size: int


class Builds(Resource):
    """`client.builds`."""

    def list(self, project_id: str) -> builtins.list[Build]:
        """All builds of a project, in no documented order (GET …/builds/)."""
        return self.transport.request("GET", f"{path('/api/1/projects', project_id)}/builds/", BuildsReply).builds

    def get(self, project_id: str, build_id: str) -> Build:
        """One build (GET …/builds/{build-id})."""
        return self.transport.request("GET", build_path(project_id, build_id), BuildReply).build

    def delete(self, project_id: str, build_id: str) -> None:
        """Delete a build with its artifacts, sessions and crashes (DELETE …/builds/{build-id}).

        Deleting the last build of a project deletes the project.
        """
        self.transport.request("DELETE", build_path(project_id, build_id), Reply)

    def update(
        self,
        project_id: str,
        build_id: str,
        *,
        release_notes: str | None = None,
        tags: Sequence[str] | Empty | None = None,
        groups: Sequence[str] | Empty | None = None,
        landing_page_mode: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> UpdatedBuild:
        """Change what is set, and nothing else (PATCH …/builds/{build-id}/).

        `tags` replaces the present tags. `groups` are names; they replace the present groups. `EMPTY` clears all.
        Raises InputError if nothing would change.
        """
        form = form_fields(
            comment=prose("release-notes", release_notes),
            tags=joined("tags", tags),
            groups=joined("groups", groups),
            landing_page_mode=choice("landing-page-mode", landing_page_mode, ("open", "closed")),
        )
        form |= _metadata(metadata)
        if not form:
            raise InputError("nothing to update: set release-notes, tags, groups, landing-page-mode or metadata.")
        return self.transport.request("PATCH", build_path(project_id, build_id) + "/", UpdatedBuild, form=form)

    def copy(
        self,
        project_id: str,
        build_id: str,
        *,
        to_folder: str,
        app_name: str | None = None,
        groups: Sequence[str] | Empty | None = None,
        project_groups: Sequence[str] | Empty | None = None,
        allow_all_testers: bool | None = None,
    ) -> CopiedBuild:
        """Copy a build to a folder, which is created if it does not exist (POST …/builds/{build-id}/copy).

        `groups` and `project_groups` are names or ids; None copies those of the original, `EMPTY` gives the copy none.
        The response does not name the project: a folder has projects of its own. The copy is made even if
        `invalid_groups` is not empty.
        """
        everybody = flag("allow-all-testers", allow_all_testers)
        form = form_fields(
            folder_name=line("to-folder", to_folder, needed=True),
            app_name=line("app-name", app_name),
            groups=joined("groups", groups, remedy=_USE_ID),
            projectGroups=joined("project-groups", project_groups, remedy=_USE_ID),
            allowAllTesters=None if everybody is None else str(int(everybody)),
        )
        return self.transport.request("POST", build_path(project_id, build_id) + "/copy", CopiedBuild, form=form)

    def invite(
        self,
        project_id: str,
        build_id: str,
        *,
        groups: Sequence[str],
        message: str | None = None,
        notify: bool = False,
    ) -> Reply:
        """Invite tester groups, by name or id (POST …/builds/{build-id}/invites/).

        If `notify` is true, every call sends one e-mail to every tester of the groups.
        """
        form = form_fields(
            groups=joined("groups", groups, needed=True, remedy=_USE_ID),
            comment=prose("message", message),
            notify="on" if flag("notify", notify) else None,
        )
        return self.transport.request("POST", build_path(project_id, build_id) + "/invites/", Reply, form=form)

    def download(self, project_id: str, build_id: str, *, to: str | os.PathLike[str] | None = None) -> Download:
        """Download the uploaded file (GET …/builds/{build-id}/download/).

        `to` is the file to write or to replace, or a directory. There, and in the current directory without `to`, the
        file gets the name that the service sends, and never replaces another. The file appears under its name only
        when it is complete. Raises InputError if it cannot be written, and ApiError if the account keeps no files.
        """
        from sauce_appdist.wire.files import AtomicDownload  # most runs download nothing

        with AtomicDownload(to) as download:
            name, size = self.transport.download(build_path(project_id, build_id) + "/download/", download.file)
            return Download(download.keep(name or f"build-{build_id}"), size)


_USE_ID = "the service would split it, so use the id of the group"


def _metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The form fields of metadata. Raises InputError for a key or a value that the service would not get as it is."""
    if metadata is not None and not hasattr(metadata, "items"):
        raise InputError("metadata is not a mapping of keys to texts.")
    for key, value in (metadata or {}).items():
        if not isinstance(key, str) or not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            raise InputError(f"metadata has the key {one_line(repr(key), 60)}: letters, digits, _ . - only.")
        if value != "":
            prose(f"metadata {key}", value if value is not None else "")
    return {f"metadata_{key}": value for key, value in (metadata or {}).items()}


def build_path(project_id: str, build_id: str) -> str:
    """The path of a build. Raises InputError as `path` does."""
    return f"{path('/api/1/projects', project_id)}/{path('builds', build_id)}"
