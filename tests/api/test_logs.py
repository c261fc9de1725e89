"""The logs of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.support import client_of
from sauce_appdist.errors import ApiError

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer


@pytest.mark.parametrize("text", ["", "I/ActivityManager: Grüße 🚆\n", '{"status": "ok"}\n', "{ not json"])
def test_logs_are_text(server: HTTPServer, text: str) -> None:
    server.expect_request("/api/1/projects/1/builds/2/sessions/3/", query_string="fields=logs").respond_with_data(
        text.encode(), content_type="application/text"
    )
    assert client_of(server).sessions.logs("1", "2", "3") == text


def test_logs_that_are_refused_are_no_logs(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/1/builds/2/sessions/3/").respond_with_json(
        {"status": "fail", "code": 1, "message": "Missing session"}
    )
    with pytest.raises(ApiError, match="Missing session"):
        client_of(server).sessions.logs("1", "2", "3")
