"""The client as a script gets it: from the package and from the environment."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

import sauce_appdist
from harness import API_KEY, EMAIL
from sauce_appdist import Client
from sauce_appdist.errors import ApiError, InputError

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer


def test_the_package_offers_the_client_and_its_errors() -> None:
    assert sauce_appdist.Client is Client
    assert issubclass(ApiError, sauce_appdist.AppDistError)
    with pytest.raises(AttributeError, match="has no attribute 'Clint'"):
        _ = sauce_appdist.Clint


def test_from_env_reads_what_the_command_line_reads() -> None:
    with Client.from_env({"APPDIST_API_KEY": "key-00000000", "APPDIST_REGION": "eu-central-1"}) as client:
        assert repr(client) == "Client('https://mobile.eu-central-1.saucelabs.com')"
        assert "key-00000000" not in repr(vars(client.transport))
    with pytest.raises(InputError, match="region is 'us-west-1'"):
        Client.from_env({"APPDIST_API_KEY": "key-00000000", "APPDIST_REGION": "us-west-1"})


def test_what_the_service_warns_of_is_logged(server: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(
        {"status": "ok", "projects": []}, headers={"Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}
    )
    client = Client.from_env(
        {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": server.url_for("")}
    )
    with caplog.at_level(logging.DEBUG, "sauce_appdist"):
        client.projects.list()
        client.projects.list()
    levels = [record.levelname for record in caplog.records if record.name == "sauce_appdist"]
    assert levels.count("WARNING") == 1
    assert levels.count("DEBUG") == 2
    assert "Thu, 31 Dec 2026 23:59:59 GMT" in caplog.text
