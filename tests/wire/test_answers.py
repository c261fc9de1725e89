"""What a response means: its envelope, its errors, its variations."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from harness import API_KEY, EMAIL
from sauce_appdist.auth.oidc import Token
from sauce_appdist.auth.signing import BasicAuth, OidcAuth
from sauce_appdist.errors import ApiError, AppDistError, AuthError, TransportError
from servers import PROJECTS
from wire.support import Wire

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer


def test_fail_with_http_200_is_an_error(server: HTTPServer) -> None:
    server.expect_oneshot_request("/api/1/projects/1/builds/2").respond_with_json(
        {"status": "fail", "code": 1, "message": "Invalid build id"}
    )
    with pytest.raises(
        ApiError, match=r"HTTP 200, code 1\): Invalid build id\. Check project-id and build-id"
    ) as caught:
        Wire(server.url_for("")).client.builds.get("1", "2")
    assert caught.value.not_found


@pytest.mark.parametrize("code", ["156", 156, None, "many"])
def test_codes_come_as_numbers_strings_or_not_at_all(server: HTTPServer, code: object) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"status": "fail", "code": code})
    with pytest.raises(ApiError) as caught:
        Wire(server.url_for("")).client.projects.list()
    assert caught.value.code == (156 if str(code) == "156" else None)
    assert ("landing-page-mode: closed" in str(caught.value)) is (str(code) == "156")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<html><body>Bad gateway</body></html>", 200),
        ("", 200),
        ("null", 200),
        ("[]", 200),
        ('{"projects": []}', 200),
        ('{"status": "ok"}', 200),
        ('{"status": "ok", "projects": "none"}', 200),
        ('{"status": "ok", "projects": [}', 200),
        ("\xff\xfe", 200),
    ],
)
def test_what_is_not_the_documented_shape_is_told_and_never_guessed(server: HTTPServer, body: str, status: int) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_data(body.encode("latin-1"), status=status)
    with pytest.raises((TransportError, ApiError)) as caught:
        Wire(server.url_for("")).client.projects.list()
    assert f"HTTP {status}" in str(caught.value)


def test_excerpts_are_short_single_lines_without_secrets(server: HTTPServer) -> None:
    body = f"<html>\n\n{API_KEY}\x1b[2J\r\n::error::x {BasicAuth(EMAIL, API_KEY)._token()}" + "y" * 5000
    server.expect_oneshot_request("/api/1/projects/").respond_with_data(body, content_type="text/html")
    with pytest.raises(TransportError) as caught:
        Wire(server.url_for("")).client.projects.list()
    text = str(caught.value)
    assert "text/html" in text
    assert API_KEY not in text
    assert "***" in text
    assert len(text) < 400
    assert text.isprintable()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"status": "fail", "code": 104, "message": "User not found"}, "first check that region"),
        (401, "nope", "first check that region"),
        (200, {"status": "fail", "code": 5, "message": "Invalid key"}, "first check that region"),
        (200, {"status": "fail", "code": 104, "message": "User not found"}, "first check that region"),
        (401, {"status": "fail", "message": "Token has expired"}, "fetch a new token"),
        (401, {"status": "fail", "message": "Invalid audience"}, "case matters"),
        (403, {"status": "fail", "code": 5, "message": "admin needed"}, "region is the account's"),
        (403, "", "its role is Admin"),
    ],
)
def test_refused_credentials_say_what_to_check(server: HTTPServer, status: int, body: object, expected: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    server.expect_oneshot_request("/api/1/projects/").respond_with_data(text, status=status)
    with pytest.raises(AuthError, match=expected):
        Wire(server.url_for(""), auth=OidcAuth(lambda: Token("token"), "oidc_key")).client.projects.list()


def test_only_who_signs_in_by_a_token_is_told_of_tokens(server: HTTPServer) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"message": "Token has expired"}, status=401)
    with pytest.raises(AuthError, match="first check that region"):
        Wire(server.url_for("")).client.projects.list()


def test_shapes_that_vary_are_all_read(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(
        {"status": "ok", "projects": [{"id": 19, "brandNew": {"x": 1}}, {"id": "19-groupshot", "name": None}]}
    )
    server.expect_request("/api/1/projects/1/builds/").respond_with_json(
        {
            "status": "ok",
            "builds": [
                {"id": 5, "appVersionCode": 20, "sessions": "6", "crashes": None, "testers": "n/a", "downloads": 1},
                {"id": "6", "sessions": {}, "tags": "a, b", "folderPath": "/F", "uploadedAt": "2019-04-04 16:03:15"},
                {"id": "7", "tags": [{"id": 1, "name": "x"}, "y"], "tagsExtra": None},
            ],
        }
    )
    server.expect_request("/api/1/testers/groups").respond_with_json(
        {
            "status": "ok",
            "groups": [
                {
                    "id": 14,
                    "name": "g",
                    "testers": [[{"email": "a@x.org"}, {"email": "b@x.org"}], [[{"email": "c@x.org"}]]],
                },
                {"id": "15", "name": "flat", "testers": [{"email": "a@x.org"}]},
                {"id": "16", "name": "none"},
            ],
        }
    )
    server.expect_request("/api/1/projects/1/builds/2/").respond_with_json({"status": "ok", "metadata": [], "tags": []})
    client = Wire(server.url_for("")).client
    first, second = client.projects.list()
    assert (first.id, second.id) == ("19", "19-groupshot")
    assert first.model_extra == {"brandNew": {"x": 1}}
    one, two, three = client.builds.list("1")
    assert (one.id, one.app_version_code, one.sessions, one.crashes, one.testers, one.downloads) == (
        "5",
        "20",
        6,
        None,
        None,
        1,
    )
    assert (two.sessions, two.tags, two.folder) == (None, ["a", "b"], "/F")
    assert three.tags == ["x", "y"]
    groups = client.groups.list()
    assert [len(group.testers) if group.testers is not None else None for group in groups] == [3, 1, None]
    assert client.builds.update("1", "2", tags=["x"]).metadata == {}


def test_compressed_answers_are_read(server: HTTPServer) -> None:
    body = gzip.compress(b'{"status": "ok", "projects": []}')
    server.expect_request("/api/1/projects/").respond_with_data(body, headers={"Content-Encoding": "gzip"})
    assert Wire(server.url_for("")).client.projects.list() == []


def test_sunset_is_told_once(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(
        PROJECTS, headers={"Deprecation": "true", "Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}
    )
    wire = Wire(server.url_for(""))
    wire.client.projects.list()
    wire.client.projects.list()
    assert len(wire.warnings) == 1
    assert "31 Dec 2026" in wire.warnings[0]


def test_no_error_shows_a_secret_that_the_service_echoes(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_json({"status": "fail", "message": f"bad key {API_KEY}"})
    wire = Wire(server.url_for(""))
    with pytest.raises(AppDistError) as caught:
        wire.client.projects.list()
    assert API_KEY not in str(caught.value) + repr(caught.value) + repr(vars(wire.transport)["_session"].auth)
