"""What is sent: paths, fields, credentials, connections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from harness import API_KEY, EMAIL
from sauce_appdist import EMPTY
from sauce_appdist.auth.oidc import Token
from sauce_appdist.auth.signing import BasicAuth, OidcAuth
from sauce_appdist.errors import InputError
from servers import PROJECTS, Port, Server, always, receive, reply
from wire.support import CALLS, WRITES, Wire

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from pytest_httpserver import HTTPServer


def test_paths_fields_and_credentials_are_as_documented(server: HTTPServer) -> None:
    seen: list[tuple[str, str, dict[str, str], str | None]] = []

    def answer(request: Request) -> Response:
        seen.append((request.method, request.path, request.form.to_dict(), request.content_type))
        assert request.authorization is not None
        assert (request.authorization.username, request.authorization.password) == (EMAIL, API_KEY)
        return Response(
            '{"status": "ok", "build_id": "3", "projects": [], "builds": [], "groups": [], "build": {"id": 2}}'
        )

    server.expect_request(re.compile(".*")).respond_with_handler(answer)
    client = Wire(server.url_for("")).client
    client.projects.list()
    client.builds.list("1")
    client.builds.get("1", "2")
    client.groups.list()
    client.builds.update(
        "1",
        "2",
        release_notes="a & b\n🎉",
        tags=["x", "y"],
        groups=EMPTY,
        landing_page_mode="open",
        metadata={"k": "v"},
    )
    client.builds.copy(
        "1", "2", to_folder="/A/B", app_name="N", groups=["g"], project_groups=["h"], allow_all_testers=False
    )
    client.builds.copy("1", "2", to_folder="F")
    client.builds.invite("1", "2", groups=["QA", "14"], message="hi", notify=True)
    client.builds.invite("1", "2", groups=["QA"])
    form = "application/x-www-form-urlencoded"
    assert seen == [
        ("GET", "/api/1/projects/", {}, None),
        ("GET", "/api/1/projects/1/builds/", {}, None),
        ("GET", "/api/1/projects/1/builds/2", {}, None),
        ("GET", "/api/1/testers/groups", {}, None),
        (
            "PATCH",
            "/api/1/projects/1/builds/2/",
            {"comment": "a & b\n🎉", "tags": "x,y", "groups": "", "landing_page_mode": "open", "metadata_k": "v"},
            form,
        ),
        (
            "POST",
            "/api/1/projects/1/builds/2/copy",
            {"folder_name": "/A/B", "app_name": "N", "groups": "g", "projectGroups": "h", "allowAllTesters": "0"},
            form,
        ),
        ("POST", "/api/1/projects/1/builds/2/copy", {"folder_name": "F"}, form),
        ("POST", "/api/1/projects/1/builds/2/invites/", {"groups": "QA,14", "comment": "hi", "notify": "on"}, form),
        ("POST", "/api/1/projects/1/builds/2/invites/", {"groups": "QA"}, form),
    ]


def test_basic_credentials_are_utf8(server: HTTPServer) -> None:
    server.expect_oneshot_request(
        "/api/1/projects/", headers={"Authorization": "Basic asO8QGV4YW1wbGUub3JnOms="}
    ).respond_with_json(PROJECTS)
    Wire(server.url_for(""), auth=BasicAuth("jü@example.org", "k")).client.projects.list()


def test_oidc_sends_bearer_and_config_key_even_with_a_netrc(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine localhost login mallory password x\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.expect_oneshot_request(
        "/api/1/projects/", headers={"Authorization": "Bearer token", "X-OIDC-Config-Key": "oidc_key"}
    ).respond_with_json(PROJECTS)
    assert (
        Wire(server.url_for(""), auth=OidcAuth(lambda: Token("token"), "oidc_key")).client.projects.list()[0].id == "1"
    )


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    with Server(always({"status": "ok", "build": {"id": "2"}})) as server:
        Wire(server.url).client.builds.get("../1", "2?a")
        assert server.heard.startswith(b"GET /api/1/projects/..%2F1/builds/2%3Fa HTTP/1.1\r\n")


def test_many_requests_share_one_connection() -> None:
    def talk(connection: socket.socket, arrived: bytearray) -> None:
        while receive(connection, arrived):
            connection.sendall(reply(Connection="keep-alive"))

    with Port(talk) as port:
        client = Wire(port.url).client
        for _ in range(3):
            client.projects.list()
        client.transport.close()
        (requests,) = port.connections
    assert requests.count(b"GET ") == 3


def test_what_is_for_this_machine_goes_to_no_proxy(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with Port() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        server.expect_request("/api/1/projects/").respond_with_json(PROJECTS)
        assert Wire(server.url_for("")).client.projects.list()
        assert proxy.connections == []


@pytest.mark.parametrize("call", WRITES)
def test_a_dry_run_cannot_write(server: HTTPServer, call: str) -> None:
    with pytest.raises(InputError, match="dry-run is set, so"):
        CALLS[call][2](Wire(server.url_for(""), read_only=True).client)
    assert not server.log
