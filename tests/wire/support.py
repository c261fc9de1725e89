"""A client with everything that the tests watch, and a call for each kind of request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import API_KEY, EMAIL
from sauce_appdist.auth.signing import BasicAuth
from sauce_appdist.client import Client
from sauce_appdist.clock import Clock
from sauce_appdist.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable


class Wire:
    """A client, what it logged and warned of, and how long it would have waited."""

    def __init__(self, url: str, **options: Any) -> None:
        self.waits: list[float] = []
        self.log: list[str] = []
        self.warnings: list[str] = []
        auth = options.pop("auth", BasicAuth(EMAIL, API_KEY))
        self.transport = Transport(
            url,
            auth,
            log=self.log.append,
            warn=self.warnings.append,
            clock=Clock(sleep=self.waits.append),
            **{"timeout": 5.0, **options},
        )
        self.client = Client(self.transport)


CALLS: dict[str, tuple[str, str, Callable[[Client], object]]] = {
    "GET": ("GET", "/api/1/projects/", lambda client: client.projects.list()),
    "PATCH": ("PATCH", "/api/1/projects/1/builds/2/", lambda client: client.builds.update("1", "2", tags=["a"])),
    "copy": ("POST", "/api/1/projects/1/builds/2/copy", lambda client: client.builds.copy("1", "2", to_folder="F")),
    "invite": (
        "POST",
        "/api/1/projects/1/builds/2/invites/",
        lambda client: client.builds.invite("1", "2", groups=["QA"]),
    ),
}
WRITES = ["PATCH", "copy", "invite"]
