"""The API modules over one transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.api.builds import Builds
from sauce_appdist.api.groups import Groups
from sauce_appdist.api.projects import Projects

if TYPE_CHECKING:
    from sauce_appdist.transport import Transport


class Client:
    """`client.builds.get(project_id, build_id)` and so on: one method per endpoint.

    `dashboard` is the host where people look at builds.
    """

    def __init__(self, transport: Transport, dashboard: str | None = None) -> None:
        self.transport = transport
        self.dashboard = dashboard or transport.base_url
        self.projects = Projects(transport)
        self.builds = Builds(transport)
        self.groups = Groups(transport)
