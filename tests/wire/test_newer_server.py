"""A newer server is recognized by what it shows: its headers, or the shape of what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contract import samples
from harness import ANDROID, API_KEY, EMAIL, NEWEST_ANDROID, Service
from sauce_appdist.client import Client
from wire.support import Wire

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

OLD = {"id": "1", "self": "/projects/1", "name": "App", "packageName": "a.b", "platform": "android"}
CLASSIC = {"id": "2", "self": "/b/2", "sessions": "1", "crashes": "0", "testers": "2", "feedbacks": "0"}
COMPAT = {"id": "2", "platform": "android", "comment": "", "tags": [], "downloads": "1"}


@pytest.mark.parametrize(
    ("project", "newer"),
    [
        ({**OLD, "folderName": None}, True),
        (OLD, False),
        ({**OLD, "folderPath": "/QA", "name": 'a "folderName" : b'}, False),
    ],
)
def test_by_its_projects(server: HTTPServer, project: dict[str, Any], *, newer: bool) -> None:
    server.expect_request("/api/1/projects/").respond_with_json({"status": "ok", "projects": [project]})
    wire = Wire(server.url_for(""))
    assert wire.client.newer_server is False
    wire.client.projects.list()
    assert wire.client.newer_server is newer
    assert wire.warnings == [], "it announced no end"


@pytest.mark.parametrize(
    ("build", "newer"),
    [
        ({**COMPAT, "isDistributionEnabled": True}, True),
        (COMPAT, True),
        ({**CLASSIC, "isDistributionEnabled": True}, True),
        ({"id": "2", "installsCount": 3, "releaseNotes": ""}, True),
        (CLASSIC, False),
        ({**CLASSIC, "tags": ["rc"], "comment": "N", "platform": "android"}, False),
        ({"id": "2", "appVersion": "1.0"}, False),
    ],
)
def test_by_its_builds(server: HTTPServer, build: dict[str, Any], *, newer: bool) -> None:
    server.expect_request("/api/1/projects/1/builds/").respond_with_json({"status": "ok", "builds": [build]})
    server.expect_request("/api/1/projects/1/builds/2").respond_with_json({"status": "ok", "build": build})
    one, all_of_them = Wire(server.url_for("")), Wire(server.url_for(""))
    one.client.builds.get("1", "2")
    all_of_them.client.builds.list("1")
    assert (one.client.newer_server, all_of_them.client.newer_server) == (newer, newer)


@pytest.mark.parametrize("headers", [{"Deprecation": "true"}, {"Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}])
def test_by_its_headers(server: HTTPServer, headers: dict[str, str]) -> None:
    server.expect_request("/api/1/projects/").respond_with_json({"status": "ok", "projects": [OLD]}, headers=headers)
    wire = Wire(server.url_for(""))
    wire.client.projects.list()
    assert wire.client.newer_server is True


def test_the_end_is_told_though_it_was_recognized_before(server: HTTPServer) -> None:
    server.expect_ordered_request("/api/1/projects/").respond_with_json(
        {"status": "ok", "projects": [{**OLD, "folderName": "QA"}]}
    )
    server.expect_ordered_request("/api/1/projects/").respond_with_json(
        {"status": "ok", "projects": []}, headers={"Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}
    )
    wire = Wire(server.url_for(""))
    wire.client.projects.list()
    wire.client.projects.list()
    assert len(wire.warnings) == 1
    assert "31 Dec 2026" in wire.warnings[0]


@pytest.mark.parametrize("service", ["classic", "compat"], indirect=True)
def test_the_emulators(service: Service) -> None:
    around = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": service.url}
    with Client.from_env(around) as client:
        client.builds.get(ANDROID, NEWEST_ANDROID)
        assert client.newer_server is (service.dialect == "compat")


@pytest.mark.parametrize("name", ["PROJECTS", "PROJECTS_OLD", "BUILDS", "BUILDS_OLD"])
def test_no_classic_sample_is_taken_for_a_newer_servers(server: HTTPServer, name: str) -> None:
    kind = "projects" if name.startswith("PROJECTS") else "builds"
    path = "/api/1/projects/" if kind == "projects" else "/api/1/projects/1/builds/"
    server.expect_request(path).respond_with_json(getattr(samples, name))
    client = Wire(server.url_for("")).client
    assert client.projects.list() if kind == "projects" else client.builds.list("1")
    assert client.newer_server is False
