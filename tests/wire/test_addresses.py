"""Addresses that must not get a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from servers import Port
from wire.credentials import at, client_credentials_at, told

if TYPE_CHECKING:
    from harness import Process


def addressed(name: str, url: str) -> dict[str, str]:
    """The environment of a step that has `url` in one of its inputs."""
    if name == "base-url":
        return {"APPDIST_INPUT_BASE_URL": url}
    env = {**client_credentials_at(""), "APPDIST_INPUT_BASE_URL": "https://appdist.test"}
    return {**env, f"APPDIST_{name.replace('-', '_').upper()}": url}


URLS = ["base-url", "oidc-token-url", "oidc-issuer"]


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "host",
    ["acme.example", "127.0.0.2", "localhost.acme.example", "127.0.0.1.acme.example", "[::ffff:7f00:1]:{port}"],
)
def test_a_secret_is_sent_in_the_clear_only_on_this_machine(process: Process, name: str, host: str) -> None:
    with Port() as port:
        url = f"http://{host.format(port=port.port)}"
        done = process("find", env=at("https://appdist.test", **addressed(name, url)))
        assert done.code == 2
        assert re.search(rf"{name} is not https, and \S+ is not this machine: use https://", done.log), done.log
        assert port.connections == []


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "url",
    [
        "https://mara:hunter2@localhost:{port}",
        "https://hunter2@localhost:{port}/path",
        "https://:hunter2@localhost:{port}",
        "http://mara:hunter2@localhost:{port}",
        "https://mara:hunter2@localhost:{port}?a=b",
        "https://mara%3Ahunter2@localhost:{port}",
        "https://mara:hunter2@localhost:{port}0000",
        "https://mara:hunter2@localhost:{port}/api/1/",
        "https://mara:hunter2@[::1",
        "https://mara:hunter2@",
        "mara:hunter2@localhost:{port}",
        "//mara:hunter2@localhost:{port}",
        "ftp://mara:hunter2@localhost:{port}",
        "https://mara:hunter2@localhost:{port} x",
        "https://mara:hunter2@localhost:{port}#x",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_shown(process: Process, name: str, url: str) -> None:
    with Port() as port:
        done = process("find", env=at("https://appdist.test", **addressed(name, url.format(port=port.port))))
        assert done.code == 2
        assert re.search(rf"{name} (contains credentials|is not a URL)", done.log), done.log
        assert "hunter2" not in told(done)
        assert port.connections == []
