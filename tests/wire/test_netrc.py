"""A .netrc file is never read."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from servers import Company, Proxy, Server, always, moved
from wire.credentials import (
    FAR,
    OF_BUILD,
    WAYS,
    assert_no_secret,
    at,
    base64_of,
    client_credentials,
    credentials,
    provider,
)

if TYPE_CHECKING:
    from harness import Process

NETRC = """\
machine localhost login mallory password from-netrc
machine 127.0.0.1 login mallory password from-netrc
machine appdist.test login mallory password from-netrc
default login mallory password from-netrc
"""
FROM_NETRC = base64_of("mallory:from-netrc").encode()


@pytest.fixture(params=["NETRC", "HOME", "_netrc"])
def netrc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which requests, left alone, signs by a .netrc file."""
    home = tmp_path_factory.mktemp("home")
    place = home / {"NETRC": "elsewhere", "HOME": ".netrc", "_netrc": "_netrc"}[request.param]
    place.write_text(NETRC)
    place.chmod(0o600)
    return {"NETRC": str(place)} if request.param == "NETRC" else {"HOME": str(home)}


def test_netrc_is_what_requests_would_use(company: Company, netrc: dict[str, str]) -> None:
    """Without this, the tests below could not fail."""
    with Server(always(), company.context("localhost")) as server:
        script = "import sys, requests; requests.get(sys.argv[1], verify=sys.argv[2], timeout=10)"
        subprocess.run([sys.executable, "-c", script, server.url, company.bundle], env=netrc, check=True, timeout=60)
        assert FROM_NETRC in server.heard


@pytest.mark.parametrize("way", WAYS)
def test_netrc_is_never_used(
    process: Process, company: Company, netrc: dict[str, str], way: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    context = company.context("localhost")
    with Server(always(b"PK", Content_Type="application/zip"), context) as storage:
        with Server(moved(f"{storage.url}/a"), context) as server:
            env = at(server, company.bundle, **netrc, **WAYS[way])
            done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=env)
            assert done.code == 0, done.log
            assert all(one in server.heard for one in credentials(way))
            assert FROM_NETRC not in server.heard
        assert len(storage.connections) == 1
        assert_no_secret(storage.heard)


def test_netrc_is_not_used_at_the_identity_provider(process: Process, company: Company, netrc: dict[str, str]) -> None:
    with Server(always(), company.context("localhost")) as server:
        with provider(company.context("localhost")) as identity:
            done = process(
                "api",
                "projects",
                "list",
                env=at(server, company.bundle, **netrc, **client_credentials(identity, found=True)),
            )
            assert done.code == 0, done.log
            assert len(identity.requests) == 2
            assert not any("authorization" in one.headers for one in identity.requests)
        assert FROM_NETRC not in server.heard


def test_netrc_is_not_used_through_a_proxy(
    process: Process, company: Company, far: Server, proxy: Proxy, netrc: dict[str, str]
) -> None:
    done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=proxy.url, **netrc))
    assert done.code == 0, done.log
    assert FROM_NETRC not in far.heard + proxy.heard
    assert b"Proxy-Authorization" not in proxy.heard
