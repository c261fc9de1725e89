"""Servers whose TLS is wrong, missing or breaks off: they get no credentials."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from servers import Company, Port, Server, Tap, always, receive
from wire.credentials import OF_BUILD, WAYS, assert_no_secret, at, client_credentials_at

if TYPE_CHECKING:
    from harness import Process


def yesterday() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (("mobile.acme.example",), {}, "(?i)hostname mismatch"),
        (("localhost",), {"not_after": yesterday}, "(?i)certificate has expired"),
        (("localhost",), {"not_before": lambda: datetime.now(UTC) + timedelta(days=1)}, "(?i)not yet valid"),
    ],
    ids=["name", "expired", "early"],
)
def test_a_certificate_that_does_not_fit_gets_no_credentials(
    process: Process, company: Company, names: tuple[str, ...], options: dict[str, Any], said: str, way: str
) -> None:
    times = {name: moment() for name, moment in options.items()}
    with Server(always(), company.context(*names, **times)) as server, Tap(server) as tap:
        done = process("find", env=at(tap, company.bundle, **WAYS[way]))
        assert done.code == 5
        assert f"No secure connection to {tap.name}" in done.log
        assert re.search(said, done.log), done.log
        assert server.heard == b""
        assert len(server.broken) == 1
        assert tap.heard != b""
        assert_no_secret(tap.heard)


@pytest.mark.parametrize("way", WAYS)
def test_https_to_a_server_without_tls_sends_no_credentials(process: Process, way: str) -> None:
    with Server(always()) as server:
        done = process("find", env=at(server.url.replace("http:", "https:"), **WAYS[way]))
        assert done.code == 5
        assert f"No secure connection to {server.name}: it does not speak TLS on that port" in done.log
        assert server.heard.startswith(b"\x16\x03")
        assert_no_secret(server.heard)


def test_http_to_a_server_with_tls_says_so(process: Process, front: Server) -> None:
    done = process("find", env=at(front.url.replace("https:", "http:")))
    assert done.code == 5
    assert front.name in done.log
    assert "https" in done.log, "what to do"
    assert front.heard == b""
    assert len(front.broken) == 1


@pytest.mark.parametrize(
    "argv", [("find",), ("api", "builds", "update", *OF_BUILD, "--tags", "x")], ids=["get", "patch"]
)
def test_a_server_that_hangs_up_in_the_handshake_has_got_nothing(process: Process, argv: tuple[str, ...]) -> None:
    with Port(lambda connection, arrived: arrived.extend(connection.recv(65536))) as server:
        done = process(*argv, env=at(f"https://{server.name}"))
        assert done.code == 5, "nothing was sent, so nothing is unknown"
        assert f"No secure connection to {server.name}" in done.log
        assert "not trusted" not in done.log, "it has shown no certificate"
        assert "unknown" not in done.log
        assert_no_secret(server.heard)


@pytest.mark.parametrize("rudely", [False, True], ids=["closed", "plaintext"])
def test_a_write_that_arrived_before_tls_broke_is_of_unknown_fate(
    process: Process, company: Company, *, rudely: bool
) -> None:
    """As where a proxy gives up waiting, and says so in the clear in the middle of the tunnel."""

    def talk(secure: socket.socket, arrived: bytearray) -> None:
        receive(secure, arrived)
        if rudely:
            with socket.socket(fileno=os.dup(secure.fileno())) as below:
                below.sendall(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")

    with Port(talk, company.context("localhost")) as server:
        done = process("api", "builds", "update", *OF_BUILD, "--tags", "x", env=at(server, company.bundle))
        assert server.heard.startswith(b"PATCH ")
        assert len(server.connections) == 1
        assert done.code == 6
        assert "Whether the request had an effect is unknown" in done.log


def test_an_identity_provider_without_tls_gets_no_secret(process: Process, company: Company) -> None:
    with Server(always()) as plain, Server(always(), company.context("localhost")) as server:
        env = at(server, company.bundle, **client_credentials_at(f"https://{plain.name}/token"))
        done = process("api", "projects", "list", env=env)
        assert done.code == 5
        assert plain.name in done.log
        assert "does not speak TLS" in done.log
        assert plain.heard.startswith(b"\x16\x03")
        assert_no_secret(plain.heard)
        assert server.connections == []
