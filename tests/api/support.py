"""A client of a server that a test fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import API_KEY, EMAIL
from sauce_appdist import Client
from sauce_appdist.auth.signing import BasicAuth
from sauce_appdist.clock import Clock
from sauce_appdist.wire.transport import Transport

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

    from sauce_appdist.auth.signing import Auth


def client_of(server: HTTPServer, auth: Auth | None = None, **options: Any) -> Client:
    transport = Transport(
        server.url_for(""),
        auth or BasicAuth(EMAIL, API_KEY),
        **{"timeout": 5.0, "clock": Clock(sleep=lambda _: None), **options},
    )
    return Client(transport)
