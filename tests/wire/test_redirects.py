"""Redirects: which are followed, and that no credential goes with them to another host."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness import API_KEY, EMAIL, Process
from sauce_appdist.client import Client
from sauce_appdist.errors import TransportError
from servers import PROJECTS, Company, Port, Proxy, Server, always, moved, reply
from wire.credentials import (
    CONFIG_KEY,
    FAR,
    NO_KEY,
    OF_BUILD,
    WAYS,
    assert_blind,
    assert_no_secret,
    at,
    client_credentials,
    credentials,
    provider,
    told,
)
from wire.support import CALLS, WRITES, Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_httpserver import HTTPServer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", WRITES)
def test_a_redirected_write_is_an_error(server: HTTPServer, call: str, status: int) -> None:
    method, path, send = CALLS[call]
    server.expect_oneshot_request(path, method=method).respond_with_data(
        "", status=status, headers={"Location": server.url_for("/elsewhere")}
    )
    with pytest.raises(TransportError, match=f"redirected \\({status}\\)"):
        send(Wire(server.url_for("")).client)
    assert len(server.log) == 1


def test_a_get_follows_within_the_host(server: HTTPServer) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_data("", status=301, headers={"Location": "/new/"})
    server.expect_oneshot_request("/new/").respond_with_json(PROJECTS)
    assert Wire(server.url_for("")).client.projects.list()


def test_a_get_never_carries_credentials_to_another_host(server: HTTPServer) -> None:
    with Port() as other:
        server.expect_oneshot_request("/api/1/projects/").respond_with_data(
            "", status=302, headers={"Location": f"{other.url}/api/1/projects/"}
        )
        with pytest.raises(TransportError, match="not followed"):
            Wire(server.url_for("")).client.projects.list()
        assert other.connections == []


def test_a_redirect_to_nonsense_is_an_error() -> None:
    answer = always(b"", "302 Found", Location="http://[bad")
    with Server(answer) as server, pytest.raises(TransportError, match="redirected"):
        Wire(server.url).client.projects.list()


def test_a_redirect_in_a_circle_ends(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_data(
        "", status=302, headers={"Location": "/api/1/projects/"}
    )
    with pytest.raises(TransportError, match="redirected more than 3 times"):
        Wire(server.url_for("")).client.projects.list()


def connected(url: str, bundle: str, way: str) -> Client:
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": url, **WAYS[way]}
    return Client.from_env({**env, "APPDIST_CA_BUNDLE": bundle, "APPDIST_RETRIES": "0"})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("whole", [False, True], ids=["path", "url"])
def test_a_get_follows_within_its_host_and_signs_there(company: Company, way: str, *, whole: bool) -> None:
    def moving(request: bytes) -> bytes:
        if b" /new/?page=1 " in request:
            return reply()
        host = re.search(rb"Host: (\S+)", request)
        assert host
        here = f"https://{host[1].decode()}" if whole else ""
        return reply(b"", "307 Temporary Redirect", Location=f"{here}/new/?page=1")

    with Server(moving, company.context("localhost")) as server:
        with connected(server.url, company.bundle, way) as client:
            assert [one.id for one in client.projects.list()] == ["1"]
        requests = server.connections
        assert len(requests) == 2
        for request in requests:
            assert all(one in request for one in credentials(way))


ELSEWHERE = [
    "https://localhost:{other}/api/1/projects/",
    "https://127.0.0.1:{same}/new/",
    "https://127.0.0.1:{other}/new/",
    "//localhost:{other}/new/",
    "http://localhost:{same}/api/1/projects/",
    "http://localhost:{other}/api/1/projects/",
    "https://mara:hunter2@localhost:{same}/new/",
    "https://mara:hunter2@localhost:{other}/new/",
    "https://localhost:{same}@127.0.0.1:{other}/new/",
    "https://localhost:{same}%40127.0.0.1:{other}/new/",
    "https://127.0.0.1:{other}\\@localhost:{same}/new/",
    "https:\\\\127.0.0.1:{other}\\new",
    "/\\127.0.0.1:{other}/new/",
    "file:///etc/hostname",
    "ftp://mara:hunter2@127.0.0.1:{other}/",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("location", ELSEWHERE)
def test_a_get_follows_to_no_other_place(company: Company, location: str, way: str) -> None:
    target = ""
    with (
        Port() as other,
        Server(lambda _: reply(b"", "302 Found", Location=target), company.context("localhost", "127.0.0.1")) as server,
    ):
        target = location.format(same=server.port, other=other.port) + "?sig=5ec4e7"
        with connected(server.url, company.bundle, way) as client, pytest.raises(TransportError) as caught:
            client.projects.list()
        assert "redirected" in str(caught.value)
        assert not re.search("5ec4e7|hunter2", str(caught.value) + repr(caught.value.__cause__))
        assert other.connections == []
        for request in server.connections:
            assert b"Host: localhost:" in request


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("place", ["/new/", "https://mara:hunter2@localhost:{other}/new/?sig=5ec4e7"])
def test_a_write_is_followed_nowhere(company: Company, place: str, status: str, way: str) -> None:
    with Port() as other:
        location = place.format(other=other.port)
        server = Server(always(b"", status, Location=location), company.context("localhost"))
        with server, connected(server.url, company.bundle, way) as client:
            writes: dict[str, Callable[[], object]] = {
                "POST": partial(client.groups.create, "QA"),
                "PATCH": partial(client.builds.update, "1", "2", tags=["a"]),
                "DELETE": partial(client.builds.delete, "1", "2"),
            }
            for method, send in writes.items():
                with pytest.raises(TransportError, match=rf"^{method} .* was redirected \({status[:3]}\)") as caught:
                    send()
                assert caught.value.sent, "that server may have done it"
                assert not re.search("5ec4e7|hunter2", str(caught.value))
            assert [one.partition(b" ")[0] for one in server.connections] == [b"POST", b"PATCH", b"DELETE"]
        assert other.connections == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("userinfo", ["", "mara:hunter2@"], ids=["plain", "userinfo"])
@pytest.mark.parametrize("secured", [True, False], ids=["https", "http"])
def test_a_download_leaves_its_credentials_behind_for_good(
    company: Company, tmp_path: Path, way: str, userinfo: str, *, secured: bool
) -> None:
    """Where the storage sends it back to the service, it does not sign again either."""
    context = company.context("localhost")
    home = ""
    with Server(lambda _: reply(b"", "302 Found", Location=home), context if secured else None) as storage:
        scheme, _, place = storage.url.partition("://")

        def answer(request: bytes) -> bytes:
            if b" /public/app.apk " in request:
                return reply(b"PK", Content_Type="application/zip")
            location = f"{scheme}://{userinfo}{place}/a?sig=5ec4e7"
            return reply(b"", "302 Found", Location=location, Set_Cookie="session=northwind; Path=/")

        with Server(answer, context) as server:
            home = f"{server.url}/public/app.apk"
            with connected(server.url, company.bundle, way) as client:
                assert client.builds.download("1", "2", to=tmp_path / "app.apk").size == 2
            first, second = server.connections
        (between,) = storage.connections
        assert all(one in first for one in credentials(way))
        assert_no_secret(between)
        assert_no_secret(second)


@pytest.mark.parametrize("location", ["http://storage.test/a", "http://localhost:{near}/a", "http://127.0.0.1:{near}/"])
def test_a_download_is_not_followed_into_the_clear(
    process: Process, company: Company, tmp_path_factory: pytest.TempPathFactory, location: str
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    with ExitStack() as stack:
        near = stack.enter_context(Server(always(b"PK")))
        to = location.format(near=near.port) + "?sig=5ec4e7"
        server = stack.enter_context(Server(moved(to), company.context("appdist.test")))
        proxy = stack.enter_context(Proxy({"appdist.test:443": server.address}))
        env = at(FAR, company.bundle, HTTPS_PROXY=proxy.url, HTTP_PROXY=proxy.url)
        done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=env)
        assert done.code == 5
        assert "which is not followed" in done.log
        assert "5ec4e7" not in told(done)
        assert proxy.asked == ["CONNECT appdist.test:443"]
        assert_blind(proxy)
        assert near.connections == []
        assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(("path", "found"), [("/token", False), ("/.well-known/openid-configuration", True)])
def test_what_asks_for_a_token_is_redirected_nowhere(
    process: Process, company: Company, status: int, path: str, *, found: bool
) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(Port())
        server = stack.enter_context(Server(always(), company.context("localhost")))
        identity = stack.enter_context(provider(company.context("localhost")))
        identity.fail(
            path, status=status, headers={"Location": f"https://mara:hunter2@localhost:{other.port}/t?x=5ec4e7"}
        )
        env = at(server, company.bundle, **client_credentials(identity, found=found))
        done = process("api", "projects", "list", env=env)
        assert done.code == 5
        assert f"HTTP {status}" in done.log
        assert not re.search("hunter2|5ec4e7", told(done))
        assert other.connections == []
        assert server.connections == []
        assert len(identity.requests) == 1


@pytest.mark.parametrize(
    "endpoint",
    ["http://login.acme.test/token", "http://mara:hunter2@127.0.0.2:{port}/token", "ftp://localhost:{port}/"],
)
def test_an_issuer_cannot_send_the_secret_into_the_clear(process: Process, company: Company, endpoint: str) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(Port())
        server = stack.enter_context(Server(always(), company.context("localhost")))
        identity = stack.enter_context(provider(company.context("localhost")))
        identity.discovery = {"token_endpoint": endpoint.format(port=other.port)}
        env = at(server, company.bundle, **client_credentials(identity, found=True))
        done = process("api", "projects", "list", env=env)
        assert done.code == 2
        assert "the token_endpoint of oidc-issuer is not https" in done.log
        assert "hunter2" not in told(done)
        assert other.connections == []
        assert server.connections == []
        assert identity.token_requests == []


def test_the_request_for_an_id_token_is_redirected_nowhere(process: Process, company: Company) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(Port())
        server = stack.enter_context(Server(always(), company.context("localhost")))
        runner = stack.enter_context(provider(company.context("localhost")))
        runner.fail("/actions/idtoken", status=302, headers={"Location": f"https://localhost:{other.port}/"})
        signed = {**NO_KEY, "APPDIST_OIDC_PROVIDER": "github", "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY}
        env = at(server, company.bundle, GITHUB_ACTIONS="true", **signed, **runner.github_env)
        done = process("api", "projects", "list", env=env)
        assert done.code == 5
        assert len(runner.requests) == 1
        assert other.connections == []
        assert server.connections == []
