"""Projects: apps on one platform each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sauce_appdist.api import Resource
from sauce_appdist.models import FOLDER, ApiModel, Id, Reply, has_field

if TYPE_CHECKING:
    import builtins

    from sauce_appdist.wire.transport import Transport


class Project(ApiModel):
    """An app on one platform."""

    id: Id
    self_path: str | None = Field(None, alias="self")
    name: str | None = None
    package_name: str | None = None
    platform: str | None = None
    icon: str | None = None
    landing_page_mode: str | None = None
    folder: str | None = Field(None, validation_alias=FOLDER)


class ProjectsReply(Reply):
    projects: list[Project]

    @classmethod
    def of_newer_server(cls, body: bytes) -> bool:
        """`folderName` is in the newer server's projects only (docs/reference/api-facts.md#projects)."""
        return has_field(body, "folderName")


class V3Projects(Reply):
    """v3's projects, whose fields are not documented; a refusal has `error`."""

    enveloped = False

    projects: list[object]

    @classmethod
    def of_newer_server(cls, body: bytes) -> bool:
        """Only a newer server has v3 (docs/reference/api-facts.md#dialects)."""
        return body.lstrip()[:1] == b"{" and has_field(body, "projects", "error")


class Projects(Resource):
    """`client.projects`."""

    def list(self) -> builtins.list[Project]:
        """All projects of the account (GET /api/1/projects/)."""
        return self.transport.request("GET", "/api/1/projects/", ProjectsReply).projects


def ask_v3(transport: Transport) -> None:
    """Nothing, if v3 accepts the same credentials (GET /api/v3/projects); they are not renewed.

    Raises what `Transport.request` raises. Newer servers name the reason of a refused sign-in there only
    (docs/reference/api-facts.md#wrong-credentials).
    """
    transport.request("GET", "/api/v3/projects", V3Projects, renew=False)
