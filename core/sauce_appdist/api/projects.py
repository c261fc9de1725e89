"""Projects: an app on one platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sauce_appdist.models import Project, ProjectsReply

if TYPE_CHECKING:
    from sauce_appdist.transport import Transport


@dataclass(frozen=True)
class Projects:
    """`client.projects`."""

    transport: Transport

    def list(self) -> list[Project]:
        """All projects of the account (GET /api/1/projects/)."""
        return self.transport.request("GET", "/api/1/projects/", ProjectsReply).projects
