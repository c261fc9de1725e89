"""Projects: apps on one platform each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sauce_appdist.api import Resource
from sauce_appdist.models import FOLDER, ApiModel, Reply

if TYPE_CHECKING:
    import builtins


class Project(ApiModel):
    """An app on one platform."""

    id: str
    self_path: str | None = Field(None, alias="self")
    name: str | None = None
    package_name: str | None = None
    platform: str | None = None
    icon: str | None = None
    landing_page_mode: str | None = None
    folder: str | None = Field(None, validation_alias=FOLDER)


class ProjectsReply(Reply):
    projects: list[Project]


class Projects(Resource):
    """`client.projects`."""

    def list(self) -> builtins.list[Project]:
        """All projects of the account (GET /api/1/projects/)."""
        return self.transport.request("GET", "/api/1/projects/", ProjectsReply).projects
