"""The client as a script gets it: from the package and from the environment."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import sauce_appdist
from appdist_emulator import Emulator
from harness import API_KEY, EMAIL, ROOT, connection
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


@pytest.mark.parametrize("dialect", ["classic", "compat"])
def test_the_example_for_scripts_runs_as_it_is(dialect: Any) -> None:
    with Emulator(dialect=dialect) as emulator:
        done = subprocess.run(
            [sys.executable, ROOT / "examples" / "release_report.py", "2026-01-01"],
            env={"PATH": os.environ["PATH"], **connection(emulator.url)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    sessions = "12" if dialect == "classic" else "?"
    assert f"| Northwind Travel (Android) | 4.3.0 | {sessions} |" in done.stdout
    assert len(re.findall(r"^- 2026-\d\d-\d\d ", done.stdout, re.MULTILINE)) == 10
    assert ("calls this API deprecated" in done.stderr) is (dialect == "compat")


def test_from_env_needs_a_way_to_sign_in() -> None:
    with pytest.raises(InputError, match="no credentials"):
        Client.from_env({})
