"""Builds: what a pipeline uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sauce_appdist.models import Build, BuildReply, BuildsReply, CopiedBuild, Reply, UpdatedBuild

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping, Sequence

    from sauce_appdist.transport import Transport


class Builds:
    """`client.builds`. All methods raise what `Transport.request` raises."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(self, project_id: str) -> builtins.list[Build]:
        """All builds of a project, in no documented order (GET …/builds/)."""
        return self.transport.request("GET", f"{_project(project_id)}/builds/", BuildsReply).builds

    def get(self, project_id: str, build_id: str) -> Build:
        """One build (GET …/builds/{build-id})."""
        return self.transport.request("GET", _build(project_id, build_id), BuildReply).build

    def update(
        self,
        project_id: str,
        build_id: str,
        *,
        release_notes: str | None = None,
        tags: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        landing_page_mode: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> UpdatedBuild:
        """Change what is given and leave the rest (PATCH …/builds/{build-id}/).

        `tags` replaces today's tags. `groups` are names; an empty list clears all groups.
        """
        form = _given(
            comment=release_notes,
            tags=_joined(tags),
            groups=_joined(groups),
            landing_page_mode=landing_page_mode,
        )
        form |= {f"metadata_{key}": value for key, value in (metadata or {}).items()}
        return self.transport.request("PATCH", _build(project_id, build_id) + "/", UpdatedBuild, form=form)

    def copy(
        self,
        project_id: str,
        build_id: str,
        *,
        to_folder: str,
        app_name: str | None = None,
        groups: Sequence[str] | None = None,
        project_groups: Sequence[str] | None = None,
        allow_all_testers: bool | None = None,
    ) -> CopiedBuild:
        """Copy a build to a folder, which is created if need be (POST …/builds/{build-id}/copy).

        `groups` and `project_groups` are names or ids; None copies the original's. The reply names
        no project: a folder holds projects of its own. It is ok even when `invalid_groups` is not
        empty.
        """
        form = _given(
            folder_name=to_folder,
            app_name=app_name,
            groups=_joined(groups),
            projectGroups=_joined(project_groups),
            allowAllTesters=None if allow_all_testers is None else str(int(allow_all_testers)),
        )
        return self.transport.request("POST", _build(project_id, build_id) + "/copy", CopiedBuild, form=form)

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

        Every tester of the groups is mailed once per call if `notify` is true.
        """
        form = _given(groups=_joined(groups), comment=message, notify="on" if notify else None)
        return self.transport.request("POST", _build(project_id, build_id) + "/invites/", Reply, form=form)


def _project(project_id: str) -> str:
    return f"/api/1/projects/{quote(project_id, safe='')}"


def _build(project_id: str, build_id: str) -> str:
    return f"{_project(project_id)}/builds/{quote(build_id, safe='')}"


def _joined(names: Sequence[str] | None) -> str | None:
    return None if names is None else ",".join(names)


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}
