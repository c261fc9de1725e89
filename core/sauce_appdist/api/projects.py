"""Projects: an app on one platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.models import Project, ProjectsReply

if TYPE_CHECKING:
    from sauce_appdist.transport import Transport


class Projects:
    """`client.projects`."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(self) -> list[Project]:
        """All projects of the account (GET /api/1/projects/)."""
        return self.transport.request("GET", "/api/1/projects/", ProjectsReply).projects
